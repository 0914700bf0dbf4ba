//! One connection's end of publish/subscribe: the outbox that publishers fill and its task empties.
//!
//! | operation | who | progress |
//! |---|---|---|
//! | [`Subscriber::send`] | any publisher | lock-free |
//! | [`Subscriber::take`], [`Subscriber::listen`], [`Subscriber::in_flight`] | the connection's task | lock-free |
//! | [`Subscriber::look`] | a timer | wait-free |
//! | the figures | anyone | wait-free |
//!
//! What one publisher sends is taken in the order in which it was sent. The outbox is bounded by the output limit of
//! subscribers: whoever finds it above tells the connection to end, and from then on nothing is put into it.

use super::Kind;
use crate::clock::Millis;
use crate::lsn::Lsn;
use crate::resp::PushFrame;
use crate::settings::OutputLimit;
use crate::sync::{AtomicU32, AtomicU64, Ordering};
use atomic_waker::AtomicWaker;
use crossbeam_queue::SegQueue;
use std::task::Waker;

/// What a push takes besides the bytes that it shares with other subscribers.
const PUSH_BYTES: u64 = size_of::<Push>() as u64;

/// What a subscription takes besides its name, roughly: its places in two tables.
const SUBSCRIPTION_BYTES: u64 = 96;

/// A push on its way to one connection.
#[derive(Clone, Debug)]
pub struct Push {
    /// What is sent.
    pub frame: PushFrame,
    /// The record that must be durable before it is told, under `fsync always`.
    pub lsn: Lsn,
}

impl Push {
    /// What it counts for in an outbox. Shared bytes count for each subscriber, as they do in Redis: the limit is on
    /// what a client leaves unread.
    fn bytes(&self) -> u64 {
        self.frame.bytes() as u64 + PUSH_BYTES
    }
}

/// The connection has left more unread than it may, and is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverLimit;

/// One connection's end of publish/subscribe.
#[derive(Debug, Default)]
pub struct Subscriber {
    outbox: SegQueue<Push>,
    /// Bytes of what is in the outbox. Invariant: at least that, for they are added before and taken off after.
    queued_bytes: AtomicU64,
    /// Bytes of what was taken and not yet sent. Written by the connection's task only.
    in_flight_bytes: AtomicU64,
    /// Since when the soft limit is passed, in milliseconds; 0 while it is not.
    soft_since: AtomicU64,
    /// The limit at which the connection was cut off; 0 while it was not.
    cut_off_at: AtomicU64,
    /// How many names it is subscribed to, by [`Kind`]. Written by the connection's task only.
    counts: [AtomicU32; 3],
    /// Bytes of those names. Written by the connection's task only.
    names_bytes: AtomicU64,
    /// Whom to tell of a push.
    task: AtomicWaker,
}

impl Subscriber {
    /// Puts a push into the outbox and wakes the connection.
    ///
    /// # Errors
    /// [`OverLimit`], once, when that is more than `limit` allows.
    pub(super) fn send(&self, push: Push, limit: OutputLimit, now: Millis) -> Result<(), OverLimit> {
        if self.cut_off_at() > 0 {
            return Ok(());
        }
        // Relaxed: a figure; the outbox orders what is in it.
        self.queued_bytes.fetch_add(push.bytes(), Ordering::Relaxed);
        self.outbox.push(push);
        // Order: after the push, or else the task looks, finds nothing, and is not told.
        self.task.wake();
        self.look(limit, now)
    }

    /// Compares what is unread with the limit.
    ///
    /// # Errors
    /// [`OverLimit`], once, when it is above for good.
    pub fn look(&self, limit: OutputLimit, now: Millis) -> Result<(), OverLimit> {
        let unread = self.unread_bytes();
        if limit.hard_bytes > 0 && unread >= limit.hard_bytes {
            return self.cut_off(limit.hard_bytes);
        }
        if limit.soft_bytes == 0 || unread < limit.soft_bytes {
            // Why looked at first: a line that many publishers share is not to be written by each of them.
            if self.soft_since.load(Ordering::Relaxed) != 0 {
                self.soft_since.store(0, Ordering::Relaxed);
            }
            return Ok(());
        }
        // Relaxed: of two that begin to count at once, either time is right.
        match self.soft_since.load(Ordering::Relaxed) {
            0 => self.soft_since.store(now.0.max(1), Ordering::Relaxed),
            since if Millis(since).until(now) > limit.soft_seconds.saturating_mul(1000) => {
                return self.cut_off(limit.soft_bytes);
            }
            _ => {}
        }
        Ok(())
    }

    fn cut_off(&self, limit: u64) -> Result<(), OverLimit> {
        // Relaxed: whoever is first tells the connection, through its kill switch.
        let first = self.cut_off_at.compare_exchange(0, limit, Ordering::Relaxed, Ordering::Relaxed);
        first.map_or(Ok(()), |_| Err(OverLimit))
    }

    /// The limit at which the connection was cut off; 0 if it was not.
    pub fn cut_off_at(&self) -> u64 {
        // Relaxed: nothing else is read by it.
        self.cut_off_at.load(Ordering::Relaxed)
    }

    /// Takes the oldest push. For the connection's task only.
    pub(super) fn take(&self) -> Option<Push> {
        let push = self.outbox.pop()?;
        // Why in this order: in between, a publisher is to count it twice rather than not at all.
        self.in_flight_bytes.fetch_add(push.bytes(), Ordering::Relaxed);
        self.queued_bytes.fetch_sub(push.bytes(), Ordering::Relaxed);
        Some(push)
    }

    /// Says that everything that was taken has been sent.
    pub(super) fn sent(&self) {
        self.in_flight_bytes.store(0, Ordering::Relaxed);
    }

    /// Has the connection's task told, once, of the next push. For that task only, which looks at
    /// [`Subscriber::is_empty`] afterwards: what came before this call is not told.
    pub(super) fn listen(&self, task: &Waker) {
        self.task.register(task);
    }

    /// Whether the outbox is empty.
    pub(super) fn is_empty(&self) -> bool {
        self.outbox.is_empty()
    }

    /// Bytes that wait in the outbox.
    pub fn queued_bytes(&self) -> u64 {
        self.queued_bytes.load(Ordering::Relaxed)
    }

    /// Bytes that wait in the outbox or on their way to the socket.
    fn unread_bytes(&self) -> u64 {
        self.queued_bytes() + self.in_flight_bytes.load(Ordering::Relaxed)
    }

    /// Bytes that the connection occupies because of its subscriptions.
    pub fn memory_bytes(&self) -> u64 {
        let subscriptions = Kind::ALL.iter().map(|kind| u64::from(self.count(*kind))).sum::<u64>();
        let names = self.names_bytes.load(Ordering::Relaxed) + subscriptions * SUBSCRIPTION_BYTES;
        size_of::<Self>() as u64 + self.queued_bytes() + names
    }

    /// How many names of a kind it is subscribed to.
    pub fn count(&self, kind: Kind) -> u32 {
        // Relaxed: a figure to show.
        self.counts[kind as usize].load(Ordering::Relaxed)
    }

    /// Whether it is subscribed to anything.
    pub fn is_subscribed(&self) -> bool {
        Kind::ALL.iter().any(|kind| self.count(*kind) > 0)
    }

    /// Makes the number of names visible. Called by the connection's task only.
    pub(super) fn publish_names(&self, counts: [u32; 3], bytes: u64) {
        for (shown, count) in self.counts.iter().zip(counts) {
            shown.store(count, Ordering::Relaxed);
        }
        self.names_bytes.store(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::Protocol;

    const LIMIT: OutputLimit = OutputLimit { hard_bytes: 1000, soft_bytes: 300, soft_seconds: 2 };

    fn push(payload_bytes: usize) -> Push {
        let frame = PushFrame::new(Protocol::Resp2, |reply| reply.bulk(&vec![b'x'; payload_bytes]));
        Push { frame, lsn: Lsn::ZERO }
    }

    #[test]
    fn what_is_sent_is_taken_in_order_and_counted_until_it_was_sent_on() {
        let subscriber = Subscriber::default();
        for bytes in [1, 2] {
            assert_eq!(subscriber.send(push(bytes), LIMIT, Millis(1)), Ok(()));
        }
        let queued = subscriber.queued_bytes();
        assert_eq!(queued, push(1).bytes() + push(2).bytes());
        assert_eq!(subscriber.take().map(|push| push.frame), Some(push(1).frame));
        assert_eq!(subscriber.queued_bytes(), push(2).bytes());
        assert_eq!(subscriber.unread_bytes(), queued);
        subscriber.sent();
        assert_eq!(subscriber.unread_bytes(), push(2).bytes());
        assert_eq!(subscriber.take().map(|push| push.frame), Some(push(2).frame));
        assert!(subscriber.take().is_none() && subscriber.is_empty());
    }

    #[test]
    fn the_hard_limit_cuts_off_at_once_and_is_told_once() {
        let subscriber = Subscriber::default();
        assert_eq!(subscriber.send(push(500), LIMIT, Millis(1)), Ok(()));
        assert_eq!(subscriber.send(push(500), LIMIT, Millis(1)), Err(OverLimit));
        assert_eq!(subscriber.cut_off_at(), 1000);
        let queued = subscriber.queued_bytes();
        assert_eq!(subscriber.send(push(500), LIMIT, Millis(1)), Ok(()));
        assert_eq!(subscriber.queued_bytes(), queued, "nothing more is kept for it");
    }

    #[test]
    fn the_soft_limit_cuts_off_who_stays_above_it() {
        let subscriber = Subscriber::default();
        assert_eq!(subscriber.send(push(400), LIMIT, Millis(1_000)), Ok(()));
        assert_eq!(subscriber.look(LIMIT, Millis(3_000)), Ok(()));
        subscriber.take();
        subscriber.sent();
        assert_eq!(subscriber.look(LIMIT, Millis(3_500)), Ok(()));
        assert_eq!(subscriber.send(push(400), LIMIT, Millis(4_000)), Ok(()));
        assert_eq!(subscriber.look(LIMIT, Millis(6_000)), Ok(()));
        assert_eq!(subscriber.look(LIMIT, Millis(6_001)), Err(OverLimit));
        assert_eq!(subscriber.cut_off_at(), 300);
    }

    #[test]
    fn no_limit_is_none() {
        let subscriber = Subscriber::default();
        let limit = OutputLimit { hard_bytes: 0, soft_bytes: 0, soft_seconds: 0 };
        assert_eq!(subscriber.send(push(100_000), limit, Millis(1)), Ok(()));
        assert_eq!(subscriber.look(limit, Millis(1_000_000)), Ok(()));
    }
}
