//! The shared words of the lock-free protocols, and the seam at which a model checker schedules them.
//!
//! Every atomic that two threads race on comes from here. In a normal build these types are the standard
//! library's, and cost nothing more. With the feature `shuttle` each access first yields to the shuttle
//! scheduler, so that a test explores the interleavings of the real store, log and engine.
//!
//! All types are `repr(transparent)` over the standard ones: a word of a mapped file can be viewed as one.
//! Shuttle explores sequentially consistent interleavings only; the memory orderings are argued where they
//! are used and exercised under real threads.

pub use std::sync::atomic::{Ordering, fence};

/// Lets the model checker switch threads here; does nothing in a normal build.
#[inline]
pub fn schedule_point() {
    #[cfg(feature = "shuttle")]
    shuttle_point();
}

/// Hands over to shuttle's scheduler when the calling thread is one of its threads.
#[cfg(feature = "shuttle")]
fn shuttle_point() {
    if MODEL.with(std::cell::Cell::get) {
        // Why not a yield: the scheduler takes that for a wish to let the others go first, and so would alternate the
        // threads at every access. Shuttle models no time: a sleep is a plain switch.
        shuttle::thread::sleep(std::time::Duration::ZERO);
    }
}

#[cfg(feature = "shuttle")]
thread_local! {
    static MODEL: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Runs `body` with scheduling points switched on for the calling OS thread.
///
/// A model test wraps the closure that it hands to `shuttle::check_*` in this.
#[cfg(feature = "shuttle")]
pub fn with_model<R>(body: impl FnOnce() -> R) -> R {
    MODEL.with(|on| on.set(true));
    let result = body();
    MODEL.with(|on| on.set(false));
    result
}

/// Waits a little between two looks at a word that another thread will change.
///
/// Under the model checker this is a scheduling point, so that a spinning thread lets the other one run.
#[inline]
pub fn spin_wait(round: u32) {
    #[cfg(feature = "shuttle")]
    if MODEL.with(std::cell::Cell::get) {
        shuttle::thread::yield_now();
        if round < 64 {
            return;
        }
        // Why go on: the epoch is shared with tests in other threads of the process, which must get their turn too.
    }
    if round < 6 {
        for _ in 0..1_u32 << round {
            std::hint::spin_loop();
        }
    } else if round < 32 {
        std::thread::yield_now();
    } else {
        std::thread::sleep(std::time::Duration::from_micros(50));
    }
}

macro_rules! atomic_int {
    ($(#[$doc:meta])* $name:ident, $int:ty) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        #[repr(transparent)]
        pub struct $name(std::sync::atomic::$name);

        impl $name {
            /// Creates the word.
            #[inline]
            pub const fn new(value: $int) -> Self {
                Self(std::sync::atomic::$name::new(value))
            }
            /// Loads the word.
            #[inline]
            pub fn load(&self, order: Ordering) -> $int {
                schedule_point();
                self.0.load(order)
            }
            /// Stores the word.
            #[inline]
            pub fn store(&self, value: $int, order: Ordering) {
                schedule_point();
                self.0.store(value, order);
            }
            /// Swaps the word, returning what it held.
            #[inline]
            pub fn swap(&self, value: $int, order: Ordering) -> $int {
                schedule_point();
                self.0.swap(value, order)
            }
            /// Compares and exchanges the word.
            ///
            /// # Errors
            /// The value found, when it is not `current`.
            #[inline]
            pub fn compare_exchange(
                &self,
                current: $int,
                new: $int,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$int, $int> {
                schedule_point();
                self.0.compare_exchange(current, new, success, failure)
            }
            /// Adds to the word, returning what it held.
            #[inline]
            pub fn fetch_add(&self, value: $int, order: Ordering) -> $int {
                schedule_point();
                self.0.fetch_add(value, order)
            }
            /// Subtracts from the word, returning what it held.
            #[inline]
            pub fn fetch_sub(&self, value: $int, order: Ordering) -> $int {
                schedule_point();
                self.0.fetch_sub(value, order)
            }
            /// Sets bits of the word, returning what it held.
            #[inline]
            pub fn fetch_or(&self, value: $int, order: Ordering) -> $int {
                schedule_point();
                self.0.fetch_or(value, order)
            }
            /// Keeps only some bits of the word, returning what it held.
            #[inline]
            pub fn fetch_and(&self, value: $int, order: Ordering) -> $int {
                schedule_point();
                self.0.fetch_and(value, order)
            }
            /// Raises the word to at least `value`, returning what it held.
            #[inline]
            pub fn fetch_max(&self, value: $int, order: Ordering) -> $int {
                schedule_point();
                self.0.fetch_max(value, order)
            }
            /// The value, read through exclusive access.
            #[inline]
            pub fn get_mut(&mut self) -> &mut $int {
                self.0.get_mut()
            }
        }
    };
}

atomic_int!(
    /// A shared 8-bit word.
    AtomicU8,
    u8
);
atomic_int!(
    /// A shared 32-bit word.
    AtomicU32,
    u32
);
atomic_int!(
    /// A shared 64-bit word.
    AtomicU64,
    u64
);
atomic_int!(
    /// A shared 64-bit signed word.
    AtomicI64,
    i64
);
atomic_int!(
    /// A shared pointer-sized word.
    AtomicUsize,
    usize
);

/// A shared flag.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct AtomicBool(std::sync::atomic::AtomicBool);

impl AtomicBool {
    /// Creates the flag.
    pub const fn new(value: bool) -> Self {
        Self(std::sync::atomic::AtomicBool::new(value))
    }
    /// Loads the flag.
    #[inline]
    pub fn load(&self, order: Ordering) -> bool {
        schedule_point();
        self.0.load(order)
    }
    /// Stores the flag.
    #[inline]
    pub fn store(&self, value: bool, order: Ordering) {
        schedule_point();
        self.0.store(value, order);
    }
    /// Swaps the flag, returning what it held.
    #[inline]
    pub fn swap(&self, value: bool, order: Ordering) -> bool {
        schedule_point();
        self.0.swap(value, order)
    }
}

/// A shared raw pointer.
#[derive(Debug)]
#[repr(transparent)]
pub struct AtomicPtr<T>(std::sync::atomic::AtomicPtr<T>);

impl<T> AtomicPtr<T> {
    /// Creates the pointer.
    pub const fn new(pointer: *mut T) -> Self {
        Self(std::sync::atomic::AtomicPtr::new(pointer))
    }
    /// Loads the pointer.
    #[inline]
    pub fn load(&self, order: Ordering) -> *mut T {
        schedule_point();
        self.0.load(order)
    }
    /// Stores the pointer.
    #[inline]
    pub fn store(&self, pointer: *mut T, order: Ordering) {
        schedule_point();
        self.0.store(pointer, order);
    }
    /// Swaps the pointer, returning what it held.
    #[inline]
    pub fn swap(&self, pointer: *mut T, order: Ordering) -> *mut T {
        schedule_point();
        self.0.swap(pointer, order)
    }
    /// Compares and exchanges the pointer.
    ///
    /// # Errors
    /// The pointer found, when it is not `current`.
    #[inline]
    pub fn compare_exchange(
        &self,
        current: *mut T,
        new: *mut T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut T, *mut T> {
        schedule_point();
        self.0.compare_exchange(current, new, success, failure)
    }
}
