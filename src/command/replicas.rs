//! The replicas that follow this server: who they are, and how far each is.
//!
//! One entry per attached replica, kept by the task that feeds it. Commands read it: WAIT and WAITAOF wait for it, INFO
//! and ROLE show it, `min-replicas-to-write` counts on it. Who writes keys never touches it.
//!
//! | operation | progress |
//! |---|---|
//! | [`Attached::acknowledged`], [`Replicas::count`] | wait-free |
//! | [`Replicas::attach`], [`Replicas::list`], [`Replicas::reached`] | blocking, for as long as a list of replicas is read |
//! | [`Replicas::wait`] | waits for acknowledgements |

use crate::clock::Millis;
use crate::command::lineup::ServerId;
use crate::command::upstream::SyncCounts;
use crate::lsn::Lsn;
use crate::sync::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};

/// What a replica says of itself when it attaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduction {
    /// Which server it is, if it says so.
    pub server: Option<ServerId>,
    /// The client that its connection is.
    pub client_id: u64,
    /// Where others reach it: what it announces, else where its connection comes from.
    pub ip: String,
    /// The port that it listens on.
    pub port: u16,
}

/// What is being sent to a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Feeding {
    /// The snapshot.
    Snapshot = 0,
    /// The log.
    Log = 1,
}

impl Feeding {
    /// Redis's name of the state.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Snapshot => "send_bulk",
            Self::Log => "online",
        }
    }
}

/// One attached replica. Its feed writes, everybody reads.
#[derive(Debug)]
pub struct Replica {
    introduction: Introduction,
    feeding: AtomicU8,
    /// Everything below is applied there. Only its feed stores.
    applied: AtomicU64,
    /// Everything below is on stable storage there. Only its feed stores.
    durable: AtomicU64,
    heard_at: AtomicU64,
    /// It needs the log from here on. Only its feed stores.
    needs: AtomicU64,
    take_over: watch::Sender<Option<Lsn>>,
    told: AtomicBool,
    /// Whether it has come again on another connection.
    superseded: watch::Sender<bool>,
}

impl Replica {
    fn place(&self) -> (String, u16) {
        (self.introduction.ip.clone(), self.introduction.port)
    }

    /// Who it is.
    pub fn introduction(&self) -> &Introduction {
        &self.introduction
    }

    /// What is being sent to it.
    pub fn feeding(&self) -> Feeding {
        // Relaxed: a figure to show.
        if self.feeding.load(Ordering::Relaxed) == Feeding::Log as u8 {
            Feeding::Log
        } else {
            Feeding::Snapshot
        }
    }

    /// Says what is being sent to it from now on.
    pub fn set_feeding(&self, feeding: Feeding) {
        // Relaxed: a figure to show.
        self.feeding.store(feeding as u8, Ordering::Relaxed);
    }

    /// Everything below is applied there, as far as it is known here.
    pub fn applied(&self) -> Lsn {
        // Acquire: pairs with the Release in `acknowledged`.
        Lsn::new(self.applied.load(Ordering::Acquire))
    }

    /// Everything below is on stable storage there; zero where there is none.
    pub fn durable(&self) -> Lsn {
        // Acquire: pairs with the Release in `acknowledged`.
        Lsn::new(self.durable.load(Ordering::Acquire))
    }

    /// It needs the log from here on.
    pub fn needs(&self) -> Lsn {
        // Relaxed: who drops log asks after it was told.
        Lsn::new(self.needs.load(Ordering::Relaxed))
    }

    /// Says from where on it needs the log.
    pub fn set_needs(&self, lsn: Lsn) {
        self.needs.store(lsn.get(), Ordering::Relaxed);
    }

    /// Has the replica told to take over once it has everything below `lsn`; none: takes that back.
    pub fn hand_over(&self, lsn: Option<Lsn>) {
        self.take_over.send_replace(lsn);
    }

    /// Whether and when it is to be told to take over.
    pub fn handover(&self) -> watch::Receiver<Option<Lsn>> {
        self.take_over.subscribe()
    }

    /// Notes that it was told to take over.
    pub fn set_told(&self) {
        // Release: pairs with the Acquire in `was_told`.
        self.told.store(true, Ordering::Release);
    }

    /// Whether it was told to take over.
    pub fn was_told(&self) -> bool {
        // Acquire: pairs with the Release in `set_told`.
        self.told.load(Ordering::Acquire)
    }

    /// Waits until it has come again on another connection.
    pub async fn superseded(&self) {
        // Why either end will do: the sender lives as long as this.
        let _ = self.superseded.subscribe().wait_for(|superseded| *superseded).await;
    }

    /// When it was last heard of.
    pub fn heard_at(&self) -> Millis {
        // Relaxed: a figure to compare with the clock.
        Millis(self.heard_at.load(Ordering::Relaxed))
    }
}

/// The attached replicas. Cloning gives another view of the same.
#[derive(Clone, Debug, Default)]
pub struct Replicas {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    list: Mutex<Vec<Arc<Replica>>>,
    count: AtomicUsize,
    /// Commands that wait for acknowledgements.
    waiting: AtomicUsize,
    acknowledged: Notify,
    /// One more waits.
    awaited: Notify,
    /// Where replicas were that have gone.
    departed: Mutex<Vec<Departed>>,
    full: AtomicU64,
    partial: AtomicU64,
    partial_refused: AtomicU64,
}

/// A replica that has gone, and may come back.
#[derive(Debug)]
struct Departed {
    place: (String, u16),
    needs: Lsn,
    at: Millis,
}

/// The most replicas that are remembered when they have gone.
const DEPARTED_MAX: usize = 1024;

/// Which of a replica's two marks is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// Applied: what WAIT counts.
    Applied,
    /// On stable storage: what WAITAOF counts.
    Durable,
}

impl Replicas {
    /// Takes in a replica, which is listed until the result is dropped. If it is there already, on a connection that it has
    /// left without this server knowing, it counts there no more.
    pub fn attach(&self, introduction: Introduction, now: Millis) -> Attached {
        let replica = Arc::new(Replica {
            introduction,
            feeding: AtomicU8::new(Feeding::Snapshot as u8),
            applied: AtomicU64::new(0),
            durable: AtomicU64::new(0),
            heard_at: AtomicU64::new(now.0),
            needs: AtomicU64::new(0),
            take_over: watch::Sender::new(None),
            told: AtomicBool::new(false),
            superseded: watch::Sender::new(false),
        });
        let place = replica.place();
        self.departed().retain(|departed| departed.place != place);
        let mut list = self.list_mut();
        let server = replica.introduction.server;
        list.retain(|other| {
            let is_same = server.is_some() && other.introduction.server == server;
            if is_same {
                other.superseded.send_replace(true);
            }
            !is_same
        });
        list.push(Arc::clone(&replica));
        self.shared.count.store(list.len(), Ordering::Relaxed);
        drop(list);
        Attached { replica, replicas: self.clone() }
    }

    /// How many are attached.
    #[inline]
    pub fn count(&self) -> usize {
        // Relaxed: a figure.
        self.shared.count.load(Ordering::Relaxed)
    }

    /// Counts one that is sent a snapshot; `instead` of going on where it was, if it had anything.
    pub fn count_full(&self, instead: bool) {
        // Relaxed: figures to show.
        self.shared.full.fetch_add(1, Ordering::Relaxed);
        self.shared.partial_refused.fetch_add(u64::from(instead), Ordering::Relaxed);
    }

    /// Counts one that goes on where it was.
    pub fn count_partial(&self) {
        // Relaxed: a figure to show.
        self.shared.partial.fetch_add(1, Ordering::Relaxed);
    }

    /// What was counted since the start.
    pub fn sync_counts(&self) -> SyncCounts {
        // Relaxed: figures to show.
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        SyncCounts {
            full: read(&self.shared.full),
            partial: read(&self.shared.partial),
            partial_refused: read(&self.shared.partial_refused),
        }
    }

    /// From where on the log is needed: by those whose snapshot is being sent; and by the others, with those that went no
    /// longer than `ttl_ms` before `now`. None: nobody does.
    pub fn needs(&self, ttl_ms: u64, now: Millis) -> (Option<Lsn>, Option<Lsn>) {
        let list = self.list();
        let of = |feeding| list.iter().filter(move |it| it.feeding() == feeding).map(|it| it.needs());
        let mut departed = self.departed();
        departed.retain(|departed| departed.at.until(now) <= ttl_ms);
        let absent = departed.iter().map(|departed| departed.needs);
        (of(Feeding::Snapshot).min(), of(Feeding::Log).chain(absent).min())
    }

    fn departed(&self) -> MutexGuard<'_, Vec<Departed>> {
        self.shared.departed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of them, in the order in which they came.
    pub fn list(&self) -> Vec<Arc<Replica>> {
        self.list_mut().clone()
    }

    /// How many have reached `lsn`: all that lies below it.
    pub fn reached(&self, what: Reached, lsn: Lsn) -> usize {
        let mark = |replica: &Replica| match what {
            Reached::Applied => replica.applied(),
            Reached::Durable => replica.durable(),
        };
        self.list_mut().iter().filter(|replica| mark(replica) >= lsn).count()
    }

    /// How many are fed from the log and were heard of within `lag_ms_max` before `now`.
    pub fn good(&self, lag_ms_max: u64, now: Millis) -> usize {
        let is_good = |replica: &&Arc<Replica>| {
            replica.feeding() == Feeding::Log && replica.heard_at().until(now) <= lag_ms_max
        };
        self.list_mut().iter().filter(is_good).count()
    }

    /// Waits until `count` replicas have reached `lsn`.
    pub async fn wait(&self, what: Reached, lsn: Lsn, count: usize) {
        let _waiting = Waiting::begin(&self.shared.waiting);
        self.shared.awaited.notify_waiters();
        loop {
            // Order: 1 listen, 2 look; or else an acknowledgement in between calls nobody.
            let mut called = std::pin::pin!(self.shared.acknowledged.notified());
            called.as_mut().enable();
            if self.reached(what, lsn) >= count {
                return;
            }
            called.await;
        }
    }

    /// Waits until somebody waits for acknowledgements.
    pub async fn are_awaited(&self) {
        // Order: 1 listen, 2 look; or else who begins in between is missed.
        let mut called = std::pin::pin!(self.shared.awaited.notified());
        called.as_mut().enable();
        // SeqCst: pairs with the addition in `Waiting::begin`, after which it is told.
        if self.shared.waiting.load(Ordering::SeqCst) == 0 {
            called.await;
        }
    }

    fn list_mut(&self) -> MutexGuard<'_, Vec<Arc<Replica>>> {
        self.shared.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts somebody who waits.
struct Waiting<'w>(&'w AtomicUsize);

impl<'w> Waiting<'w> {
    fn begin(count: &'w AtomicUsize) -> Self {
        // SeqCst: pairs with the load in `Attached::acknowledged`: either it sees the count, or who waits sees the mark.
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A replica's place in the list, held by its feed.
#[derive(Debug)]
pub struct Attached {
    replica: Arc<Replica>,
    replicas: Replicas,
}

impl Attached {
    /// The replica.
    pub fn replica(&self) -> &Replica {
        &self.replica
    }

    /// Notes what it has said: everything below `applied` is applied there, everything below `durable` on stable
    /// storage.
    pub fn acknowledged(&self, applied: Lsn, durable: Lsn, now: Millis) {
        self.replica.heard_at.store(now.0, Ordering::Relaxed);
        // Release: pairs with the Acquire of who reads them.
        self.replica.durable.store(durable.get(), Ordering::Release);
        // SeqCst: before the load below; see `Waiting::begin`.
        self.replica.applied.store(applied.get(), Ordering::SeqCst);
        if self.replicas.shared.waiting.load(Ordering::SeqCst) > 0 {
            self.replicas.shared.acknowledged.notify_waiters();
        }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let mut list = self.replicas.list_mut();
        list.retain(|replica| !Arc::ptr_eq(replica, &self.replica));
        self.replicas.shared.count.store(list.len(), Ordering::Relaxed);
        drop(list);
        if self.replica.feeding() == Feeding::Log && !*self.replica.superseded.borrow() {
            let mut departed = self.replicas.departed();
            departed.truncate(DEPARTED_MAX - 1);
            departed.push(Departed {
                place: self.replica.place(),
                needs: self.replica.applied(),
                at: self.replica.heard_at(),
            });
        }
    }
}

#[cfg(test)]
mod tests;
