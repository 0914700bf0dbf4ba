//! Versions, and nodes of trees, that nobody can find any more, on their way to being freed.
//!
//! A thread gathers what it retires in batches. The epoch tells when nobody can be looking at a batch any more, and then
//! the thread that gathered it frees it, two batches for each new one. Why not the epoch itself: whatever thread comes
//! by would free it, so that one thread of the allocator would run out of blocks and another would drown in them. Why
//! in batches: an entry of the epoch's own bags costs more than the allocation that it frees, and by the time that it
//! is freed the version has left the cache. So its size is noted while it is near, and freeing it does not look at it.
//!
//! What a thread holds back is bounded, by less while it is parked ([`parked`]); beyond that, and when the thread rests
//! ([`hand_over`]) or ends, the epoch frees it. So it does with long strings at once. Any thread may retire; none waits.

use std::alloc::{Layout, dealloc};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::store::version::VersionPtr;

/// Versions of a batch.
const BATCH_VERSIONS: usize = 64;
/// Bytes that a batch may hold back.
const BATCH_BYTES_MAX: usize = 64 * 1024;
/// Bytes that may wait to be freed by their thread.
const WAITING_BYTES_MAX: usize = 1024 * 1024;
/// Batches that are freed for each new one: more than one, so that they do not pile up.
const FREED_BATCHES: usize = 2;
/// Bytes that a batch may hold back while its thread is parked: threads park after every few commands, and to hand over
/// so few versions would cost more than freeing them.
const PARKED_BYTES_MAX: usize = 4 * 1024;
/// Bytes that may wait to be freed by a thread that is parked.
const PARKED_WAITING_BYTES_MAX: usize = 64 * 1024;

enum Retired {
    /// One allocation: a version that is no more than that, or a node.
    Allocation(NonNull<u8>, Layout),
    /// A version with more to free.
    Version(VersionPtr),
}

// SAFETY: nobody but the batch has it, and any thread may free it.
unsafe impl Send for Retired {}

#[derive(Default)]
struct Batch {
    versions: Vec<Retired>,
    bytes: usize,
    has_long: bool,
}

/// A batch that somebody may be looking at.
struct Waiting {
    batch: Batch,
    is_over: Arc<AtomicBool>,
}

/// What a thread holds back.
struct Held {
    batch: Batch,
    /// Oldest first.
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    /// Empty; kept for its room.
    room: Vec<Retired>,
}

thread_local! {
    // Never borrowed while something is handed to the epoch or freed: that may run what was deferred, which may retire.
    static HELD: RefCell<Held> = const { RefCell::new(Held::new()) };
}

/// Frees a version once nobody can be looking at it any more.
///
/// # Safety
/// The version can no longer be reached by those who pin from now on, nobody uses it who is not pinned, and it is
/// retired once.
#[inline]
pub unsafe fn retire(version: VersionPtr) {
    match version.sole_allocation() {
        Some((start, layout)) => hold(Retired::Allocation(start, layout), layout.size()),
        None => hold(Retired::Version(version), BATCH_BYTES_MAX),
    }
}

/// Frees an allocation once nobody can be looking at it any more.
///
/// # Safety
/// As [`retire`]; it was made by the global allocator with this layout.
#[inline]
pub unsafe fn retire_allocation(start: NonNull<u8>, layout: Layout) {
    hold(Retired::Allocation(start, layout), layout.size());
}

#[inline]
fn hold(retired: Retired, bytes: usize) {
    let is_full = HELD.with_borrow_mut(|held| {
        let batch = &mut held.batch;
        batch.has_long |= matches!(retired, Retired::Version(_));
        batch.versions.push(retired);
        batch.bytes += bytes;
        batch.versions.len() >= BATCH_VERSIONS || batch.bytes >= BATCH_BYTES_MAX
    });
    if is_full {
        end_batch();
    }
}

/// Hands all that the calling thread holds back to the epoch.
pub fn hand_over() {
    defer(HELD.with_borrow_mut(Held::take_batch));
    while let Some(batch) = HELD.with_borrow_mut(Held::take_waiting) {
        defer(batch);
    }
}

/// Holds little back from now on. For threads that park.
pub fn parked() {
    let (bytes, waiting_bytes) = HELD.with_borrow(|held| (held.batch.bytes, held.waiting_bytes));
    if bytes > PARKED_BYTES_MAX {
        end_batch();
    } else if waiting_bytes > 0 {
        free_some();
    } else {
        return;
    }
    while let Some(batch) = HELD.with_borrow_mut(|held| held.take_waiting_beyond(PARKED_WAITING_BYTES_MAX)) {
        defer(batch);
    }
}

/// Has the batch wait until nobody can be looking at it, and frees some that have waited.
fn end_batch() {
    let batch = HELD.with_borrow_mut(Held::take_batch);
    if batch.has_long {
        defer(batch);
    } else if !batch.versions.is_empty() {
        let is_over = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_over);
        let guard = crossbeam_epoch::pin();
        // Release: pairs with the Acquire in `take_over`: whatever those who were pinned did with the versions is done.
        guard.defer(move || flag.store(true, Ordering::Release));
        guard.flush();
        drop(guard);
        HELD.with_borrow_mut(|held| held.wait(Waiting { batch, is_over }));
    }
    free_some();
    while let Some(batch) = HELD.with_borrow_mut(|held| held.take_waiting_beyond(WAITING_BYTES_MAX)) {
        defer(batch);
    }
}

fn free_some() {
    for _ in 0..FREED_BATCHES {
        let Some(batch) = HELD.with_borrow_mut(Held::take_over) else { return };
        let room = free(batch);
        HELD.with_borrow_mut(|held| held.room = room);
    }
}

/// Has the epoch free a batch.
fn defer(batch: Batch) {
    if batch.versions.is_empty() {
        return;
    }
    let guard = crossbeam_epoch::pin();
    // SAFETY: all of them were out of reach before this pin, so who may be looking at one is pinned already, and
    // this runs after they have unpinned. Freeing may be done by any thread.
    unsafe { guard.defer_unchecked(move || drop(free(batch))) };
    // Why: whatever else this thread has retired would stay in its bag until that is full.
    guard.flush();
}

impl Held {
    const fn new() -> Self {
        let batch = Batch { versions: Vec::new(), bytes: 0, has_long: false };
        Self { batch, waiting: VecDeque::new(), waiting_bytes: 0, room: Vec::new() }
    }

    fn take_batch(&mut self) -> Batch {
        let versions = std::mem::take(&mut self.room);
        std::mem::replace(&mut self.batch, Batch { versions, ..Batch::default() })
    }

    fn wait(&mut self, waiting: Waiting) {
        self.waiting_bytes += waiting.batch.bytes;
        self.waiting.push_back(waiting);
    }

    /// The oldest batch, if nobody can be looking at it any more.
    fn take_over(&mut self) -> Option<Batch> {
        // Acquire: pairs with the Release in `end_batch`.
        if !self.waiting.front()?.is_over.load(Ordering::Acquire) {
            return None;
        }
        self.take_waiting()
    }

    fn take_waiting_beyond(&mut self, bytes_max: usize) -> Option<Batch> {
        if self.waiting_bytes > bytes_max { self.take_waiting() } else { None }
    }

    fn take_waiting(&mut self) -> Option<Batch> {
        let batch = self.waiting.pop_front()?.batch;
        self.waiting_bytes -= batch.bytes;
        Some(batch)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        defer(self.take_batch());
        while let Some(batch) = self.take_waiting() {
            defer(batch);
        }
    }
}

/// Frees a batch; gives what it was kept in back.
fn free(batch: Batch) -> Vec<Retired> {
    let mut versions = batch.versions;
    for retired in versions.drain(..) {
        // SAFETY: `retire`'s caller gave it up, and the epoch says that nobody looks at it any more.
        unsafe {
            match retired {
                Retired::Allocation(start, layout) => dealloc(start.as_ptr(), layout),
                Retired::Version(version) => version.free(),
            }
        }
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::version::{OwnedVersion, Value};
    use bytes::Bytes;

    #[test]
    fn what_a_thread_retired_is_freed_when_it_ends() {
        let shared = Bytes::from(vec![7; 100_000]);
        let value = Value::Shared(shared.clone());
        assert!(!shared.is_unique());
        std::thread::spawn(move || {
            for _ in 0..3 * BATCH_VERSIONS / 2 {
                let small = OwnedVersion::new(b"key", Some(Value::Str(b"value")), None, 0);
                // SAFETY: nobody else has it.
                unsafe { retire(small.into_ptr()) };
            }
            let large = OwnedVersion::new(b"key", Some(value), None, 0);
            // SAFETY: nobody else has it.
            unsafe { retire(large.into_ptr()) };
        })
        .join()
        .unwrap();
        while !shared.is_unique() {
            crate::store::grace::wait();
        }
    }

    #[test]
    fn what_waits_is_freed_while_the_thread_goes_on() {
        let held = || HELD.with_borrow(|held| held.waiting.len());
        std::thread::spawn(move || {
            let mut most = 0;
            for _ in 0..1000 * BATCH_VERSIONS {
                let version = OwnedVersion::new(b"key", Some(Value::Str(b"value")), None, 0);
                // SAFETY: nobody else has it.
                unsafe { retire(version.into_ptr()) };
                most = most.max(held());
            }
            assert!(most > 0);
            crate::store::grace::wait();
            while held() > 0 {
                parked();
                crate::store::grace::wait();
            }
        })
        .join()
        .unwrap();
    }

    #[test]
    fn no_more_waits_than_may() {
        std::thread::spawn(|| {
            let _guard = crossbeam_epoch::pin();
            let value = [7; 1000];
            for _ in 0..3 * WAITING_BYTES_MAX / value.len() {
                let version = OwnedVersion::new(b"key", Some(Value::Raw(&value)), None, 0);
                // SAFETY: nobody else has it.
                unsafe { retire(version.into_ptr()) };
            }
            let waiting = || HELD.with_borrow(|held| held.waiting_bytes);
            assert!((WAITING_BYTES_MAX / 2..=WAITING_BYTES_MAX).contains(&waiting()));
            parked();
            assert!(waiting() <= PARKED_WAITING_BYTES_MAX);
            hand_over();
            assert_eq!(waiting(), 0);
        })
        .join()
        .unwrap();
    }
}
