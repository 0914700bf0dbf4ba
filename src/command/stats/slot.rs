//! A small number for every running thread, given back when the thread ends.
//!
//! Thread numbers are the process's, so that every [`super::Stats`] finds the calling thread's stripe by one
//! look at a thread-local.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Mutex, PoisonError};

/// Numbers that were given back, and the next that was never given out.
#[derive(Debug)]
struct Pool {
    free: BinaryHeap<Reverse<usize>>,
    next: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { free: BinaryHeap::new(), next: 0 });

/// The number of one thread. Invariant: no two live slots have the same number.
#[derive(Debug)]
pub(super) struct Slot(usize);

thread_local! {
    static SLOT: Slot = Slot::take();
    /// The number again, without a destructor: the fast way to it.
    static NUMBER: Cell<usize> = const { Cell::new(usize::MAX) };
}

impl Slot {
    /// The calling thread's number, `usize::MAX` while the thread is ending.
    #[inline]
    pub(super) fn of_this_thread() -> usize {
        let number = NUMBER.get();
        if number == usize::MAX { Self::of_this_thread_slow() } else { number }
    }

    #[cold]
    fn of_this_thread_slow() -> usize {
        SLOT.try_with(|slot| slot.0).unwrap_or(usize::MAX)
    }

    /// Takes the smallest free number, so that the threads of a server with few stay among the first.
    fn take() -> Self {
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        let number = pool.free.pop().map_or(pool.next, |Reverse(number)| number);
        pool.next = pool.next.max(number + 1);
        NUMBER.set(number);
        Self(number)
    }
}

impl Drop for Slot {
    /// The lock orders this thread's last writes to its stripe before the first of the number's next holder.
    fn drop(&mut self) {
        NUMBER.set(usize::MAX);
        POOL.lock().unwrap_or_else(PoisonError::into_inner).free.push(Reverse(self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::Barrier;

    #[test]
    fn running_threads_have_different_numbers() {
        let barrier = Barrier::new(16);
        let numbers: HashSet<usize> = std::thread::scope(|scope| {
            let number = || {
                let number = Slot::of_this_thread();
                barrier.wait();
                number
            };
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(number)).collect();
            threads.into_iter().map(|thread| thread.join().expect("the thread ends")).collect()
        });
        assert_eq!(numbers.len(), 16);
    }

    #[test]
    fn a_thread_keeps_its_number() {
        assert_eq!(Slot::of_this_thread(), Slot::of_this_thread());
    }
}
