//! Tasks that wait for a position of the log to be reached.
//!
//! Each is woken once, when its position is: a round of the syncer wakes those that it serves, and not those that came
//! while it was under way.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use super::lsn::Lsn;

/// Who waits, by position and in order of arrival.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: BTreeMap<(Lsn, u64), Waker>,
    /// How many came so far.
    arrived: u64,
}

/// One that waits; it leaves the queue when it is dropped.
struct Seat<'w> {
    waiters: &'w Waiters,
    place: (Lsn, u64),
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.waiters.lock().waiting.remove(&self.place);
    }
}

impl Waiters {
    /// A panic elsewhere leaves the queue whole: each change is one call.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `look` finds what it looks for. It is asked now, and again when `target` is called.
    pub(super) async fn wait<T>(&self, target: Lsn, look: impl Fn() -> Option<T>) -> T {
        let arrived = {
            let mut queue = self.lock();
            queue.arrived += 1;
            queue.arrived
        };
        let seat = Seat { waiters: self, place: (target, arrived) };
        let wait = poll_fn(|cx| {
            if let Some(found) = look() {
                return Poll::Ready(found);
            }
            // Order: takes the seat, then looks once more, or else the call in between is missed.
            match self.lock().waiting.entry(seat.place) {
                Entry::Occupied(mut waker) => waker.get_mut().clone_from(cx.waker()),
                Entry::Vacant(waker) => _ = waker.insert(cx.waker().clone()),
            }
            look().map_or(Poll::Pending, Poll::Ready)
        });
        wait.await
    }

    /// Calls all whose position is not above `reached`.
    pub(super) fn call(&self, reached: Lsn) {
        let called = {
            let mut queue = self.lock();
            let later = queue.waiting.split_off(&(Lsn::new(reached.get() + 1), 0));
            std::mem::replace(&mut queue.waiting, later)
        };
        called.into_values().for_each(Waker::wake);
    }

    /// Calls all.
    pub(super) fn call_all(&self) {
        let called = std::mem::take(&mut self.lock().waiting);
        called.into_values().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::{Pin, pin};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::task::{Context, Wake};

    #[derive(Default)]
    struct Woken(AtomicU64);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_call_wakes_those_whose_position_is_reached_and_no_others() {
        let waiters = Waiters::default();
        let durable = AtomicU64::new(0);
        let woken: Vec<_> = (0..4).map(|_| Arc::new(Woken::default())).collect();
        let mut waits: Vec<_> = (1..=4)
            .map(|target| {
                let durable = &durable;
                let look = move || (durable.load(Ordering::Relaxed) >= target).then_some(target);
                Box::pin(waiters.wait(Lsn::new(target), look)) as Pin<Box<dyn Future<Output = u64>>>
            })
            .collect();
        let poll = |waits: &mut Vec<Pin<Box<dyn Future<Output = u64>>>>, at: usize| {
            let waker = Arc::clone(&woken[at]).into();
            waits[at].as_mut().poll(&mut Context::from_waker(&waker))
        };
        for at in 0..4 {
            assert_eq!(poll(&mut waits, at), Poll::Pending);
        }
        durable.store(2, Ordering::Relaxed);
        waiters.call(Lsn::new(2));
        let counts = || woken.iter().map(|woken| woken.0.load(Ordering::Relaxed)).collect::<Vec<_>>();
        assert_eq!(counts(), [1, 1, 0, 0]);
        assert_eq!(poll(&mut waits, 0), Poll::Ready(1));
        drop(waits.remove(2));
        assert_eq!(waiters.lock().waiting.len(), 1, "who gave up or was called has no seat");
        waiters.call_all();
        assert_eq!(counts(), [1, 1, 0, 1]);
    }

    #[test]
    fn what_is_reached_already_waits_for_nothing() {
        let waiters = Waiters::default();
        let mut wait = pin!(waiters.wait(Lsn::new(7), || Some(())));
        let waker = Arc::new(Woken::default()).into();
        assert_eq!(wait.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Ready(()));
    }
}
