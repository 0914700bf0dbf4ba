//! *Durable*: how far the log is on stable storage, and who waits for it to rise.
//!
//! Shared between the syncer thread, which alone raises it, and everyone else. A round wakes the tasks that wait for no
//! more than it has reached, and all threads that wait; each looks for itself.

use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_utils::CachePadded;

use super::appender::Appender;
use super::error::LogError;
use super::lsn::Lsn;
use super::options::FsyncPolicy;
use super::waiters::Waiters;
use crate::sync::{AtomicBool, AtomicU8, AtomicU64, Ordering};

/// A backlog older than this delays writers, as Redis does.
const BACKLOG_MAX: Duration = Duration::from_secs(2);
const DELAY_MAX: Duration = Duration::from_millis(100);

/// What the syncer shares with the threads that wait for it.
#[derive(Debug)]
pub(super) struct Durability {
    /// Everything below is on stable storage. Raised by the syncer only.
    durable: CachePadded<AtomicU64>,
    /// Somebody wants *durable* to reach this now, whatever the policy. Raised by anyone.
    wanted: AtomicU64,
    /// The marks of all segments are to be written anew. Set by anyone, cleared by the syncer when they are.
    remark: AtomicBool,
    policy: AtomicU8,
    /// Tells the thread to sync once more and end.
    pub(super) stop: AtomicBool,
    /// The thread has ended: nothing more becomes durable.
    ended: AtomicBool,
    thread: OnceLock<Thread>,
    tasks: Waiters,
    lock: Mutex<()>,
    changed: Condvar,
    started: Instant,
    /// While a round syncs under *every second*: since when the oldest of what it syncs may be waiting, in
    /// milliseconds after `started`, plus one; else 0.
    backlog_since: AtomicU64,
    pub(super) delayed: AtomicU64,
    pub(super) syncs: AtomicU64,
    pub(super) last_sync_unix_ms: AtomicU64,
    pub(super) last_sync_us: AtomicU64,
}

impl Durability {
    pub(super) fn new(durable: Lsn, policy: FsyncPolicy) -> Self {
        Self {
            durable: CachePadded::new(AtomicU64::new(durable.get())),
            wanted: AtomicU64::new(0),
            remark: AtomicBool::new(false),
            policy: AtomicU8::new(encode(policy)),
            stop: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            thread: OnceLock::new(),
            tasks: Waiters::default(),
            lock: Mutex::new(()),
            changed: Condvar::new(),
            started: Instant::now(),
            backlog_since: AtomicU64::new(0),
            delayed: AtomicU64::new(0),
            syncs: AtomicU64::new(0),
            last_sync_unix_ms: AtomicU64::new(0),
            last_sync_us: AtomicU64::new(0),
        }
    }

    /// Says which thread to wake.
    pub(super) fn served_by(&self, thread: Thread) {
        let _ = self.thread.set(thread);
    }

    pub(super) fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    #[inline]
    pub(super) fn durable(&self) -> Lsn {
        // Acquire: pairs with the Release in `raise`.
        Lsn::new(self.durable.load(Ordering::Acquire))
    }

    pub(super) fn policy(&self) -> FsyncPolicy {
        // Relaxed: takes effect when it is seen.
        decode(self.policy.load(Ordering::Relaxed))
    }

    pub(super) fn set_policy(&self, policy: FsyncPolicy) {
        self.policy.store(encode(policy), Ordering::Relaxed);
        self.wake();
    }

    /// Asks for everything below `target` to be made durable now.
    pub(super) fn want(&self, target: Lsn) {
        // Release: pairs with the Acquire in `run`; unpark orders the rest.
        self.wanted.fetch_max(target.get(), Ordering::Release);
        self.wake();
    }

    /// Has the marks of all segments written anew, and waits until they are on stable storage.
    pub(super) fn remark(&self, appender: &Appender) -> Result<(), LogError> {
        // Release: pairs with the Acquire in `wants_marks`; what the marks are to say is stored before.
        self.remark.store(true, Ordering::Release);
        self.wake();
        let mut held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        // Acquire: pairs with the Release in `remarked`.
        while self.remark.load(Ordering::Acquire) {
            appender.poison.check()?;
            if self.ended.load(Ordering::Acquire) {
                return Err(LogError::Closed);
            }
            held = self.changed.wait(held).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// Whether the marks are to be written anew.
    pub(super) fn wants_marks(&self) -> bool {
        // Acquire: pairs with the Release in `remark`.
        self.remark.load(Ordering::Acquire)
    }

    /// Says that the marks are written.
    pub(super) fn remarked(&self) {
        // Release: pairs with the Acquire in `remark`.
        self.remark.store(false, Ordering::Release);
        self.announce();
    }

    /// Waits, without blocking the thread, until everything below `target` is durable.
    pub(super) async fn wait(&self, appender: &Appender, target: Lsn) -> Result<(), LogError> {
        self.tasks.wait(target, || self.look(appender, target)).await
    }

    /// As [`Self::wait`], blocking.
    pub(super) fn wait_blocking(&self, appender: &Appender, target: Lsn) -> Result<(), LogError> {
        let mut held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(done) = self.look(appender, target) {
                return done;
            }
            held = self.changed.wait(held).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn look(&self, appender: &Appender, target: Lsn) -> Option<Result<(), LogError>> {
        if self.durable() >= target {
            return Some(Ok(()));
        }
        if let Err(error) = appender.poison.check() {
            return Some(Err(error));
        }
        // Acquire: pairs with the Release in `end`; what was made durable before is seen.
        if self.ended.load(Ordering::Acquire) {
            return Some(if self.durable() >= target { Ok(()) } else { Err(LogError::Closed) });
        }
        None
    }

    /// Says that nothing more will become durable.
    pub(super) fn end(&self) {
        // Release: pairs with the Acquire in `look`.
        self.ended.store(true, Ordering::Release);
        self.announce();
    }

    /// What the highest request is.
    pub(super) fn wanted(&self) -> Lsn {
        // Acquire: pairs with the Release in `want`.
        Lsn::new(self.wanted.load(Ordering::Acquire))
    }

    /// A round starts to sync what may have waited since `since`.
    pub(super) fn begin_round(&self, since: Instant) {
        // Relaxed: read by `write_delay` as a hint.
        self.backlog_since.store(self.millis(since) + 1, Ordering::Relaxed);
    }

    /// The round that began at `began` has ended well.
    pub(super) fn end_round(&self, durable: Lsn, began: Instant) {
        // Relaxed: statistics, and a hint.
        self.backlog_since.store(0, Ordering::Relaxed);
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.last_sync_us.store(began.elapsed().as_micros() as u64, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        self.last_sync_unix_ms.store(now.map_or(0, |since| since.as_millis() as u64), Ordering::Relaxed);
        self.raise(durable);
    }

    fn raise(&self, durable: Lsn) {
        // Release: pairs with the Acquire in `durable`.
        self.durable.store(durable.get(), Ordering::Release);
        self.tasks.call(durable);
        self.wake_threads();
    }

    /// Wakes all who wait, to look again.
    pub(super) fn announce(&self) {
        self.tasks.call_all();
        self.wake_threads();
    }

    fn wake_threads(&self) {
        // Why the lock: a waiter that has looked but does not wait yet holds it.
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    /// How long a writer should hold back, because syncing does not keep up.
    pub(super) fn write_delay(&self) -> Option<Duration> {
        // Relaxed: a hint.
        let since = self.backlog_since.load(Ordering::Relaxed);
        if since == 0 {
            return None;
        }
        let age = self.started.elapsed().saturating_sub(Duration::from_millis(since - 1));
        let over = age.checked_sub(BACKLOG_MAX)?;
        self.delayed.fetch_add(1, Ordering::Relaxed);
        Some((over / 10).clamp(Duration::from_millis(1), DELAY_MAX))
    }

    fn millis(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.started).as_millis() as u64
    }
}

fn encode(policy: FsyncPolicy) -> u8 {
    match policy {
        FsyncPolicy::Always => 0,
        FsyncPolicy::EverySecond => 1,
        FsyncPolicy::No => 2,
    }
}

fn decode(byte: u8) -> FsyncPolicy {
    match byte {
        0 => FsyncPolicy::Always,
        1 => FsyncPolicy::EverySecond,
        _ => FsyncPolicy::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_of_more_than_two_seconds_delays_writers_and_is_counted() {
        let now = Instant::now();
        let mut durability = Durability::new(Lsn::FIRST, FsyncPolicy::EverySecond);
        durability.started = now.checked_sub(Duration::from_secs(60)).unwrap();
        assert_eq!(durability.write_delay(), None, "nothing is being synced");
        durability.begin_round(now.checked_sub(Duration::from_secs(1)).unwrap());
        assert_eq!(durability.write_delay(), None, "a second is the rule");
        durability.begin_round(now.checked_sub(Duration::from_millis(2500)).unwrap());
        let delay = durability.write_delay().unwrap();
        assert!(delay >= Duration::from_millis(50) && delay <= DELAY_MAX, "{delay:?}");
        durability.end_round(Lsn::new(8192), now);
        assert_eq!(durability.write_delay(), None);
        assert_eq!(durability.delayed.load(Ordering::Relaxed), 1);
        assert_eq!(durability.durable(), Lsn::new(8192));
    }

    #[test]
    fn every_policy_is_kept_as_it_is_set() {
        let durability = Durability::new(Lsn::FIRST, FsyncPolicy::Always);
        for policy in [FsyncPolicy::No, FsyncPolicy::EverySecond, FsyncPolicy::Always] {
            durability.set_policy(policy);
            assert_eq!(durability.policy(), policy);
        }
    }
}
