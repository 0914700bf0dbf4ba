//! Handing the role over to a replica, without losing a write.
//!
//! 1. Writes wait, and none is under way: the log has an end.
//! 2. The replica that is to take over has applied everything below it, and is told so (`TakeOver`): it becomes a primary,
//!    with a history that begins at that end.
//! 3. This server follows it, and has nothing that it lacks. Writes that waited are refused from then on.
//!
//! Until the replica is told, it can be given up, and writes go on here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use crate::clock::Millis;
use crate::command::context::PauseKind;
use crate::command::replicas::Replica;
use crate::command::replication::remember;
use crate::command::upstream::{Failover, Target};
use crate::lsn::Lsn;
use crate::replication::{Following, Replication};

/// How long writes may be held up in all, where no timeout is given.
const PAUSE_MAX: Duration = Duration::from_secs(3600);
/// Time between two looks at the replica.
const LOOK_EVERY: Duration = Duration::from_millis(1);

const NONE: u8 = 0;
const SYNCING: u8 = 1;
const TELLING: u8 = 2;
const ABORTED: u8 = 3;

/// How a handover stands.
#[derive(Debug, Default)]
pub(super) struct Handover {
    state: AtomicU8,
}

impl Handover {
    /// As INFO names it.
    pub(super) fn state(&self) -> &'static str {
        // Acquire: pairs with the exchanges below.
        match self.state.load(Ordering::Acquire) {
            NONE => "no-failover",
            TELLING => "failover-in-progress",
            _ => "waiting-for-sync",
        }
    }

    fn step(&self, from: u8, to: u8) -> bool {
        // AcqRel: one thread at a time is at work on a handover.
        self.state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Gives it up, unless the replica has been told.
    pub(super) fn abort(&self) -> Result<(), String> {
        if self.step(SYNCING, ABORTED) { Ok(()) } else { Err("ERR No failover in progress.".into()) }
    }

    fn is_aborted(&self) -> bool {
        self.state.load(Ordering::Acquire) == ABORTED
    }
}

impl Replication {
    /// Begins to hand the role over; the rest happens on a thread of its own.
    pub(super) fn begin_handover(&self, how: Failover) -> Result<(), String> {
        let replica = self.heir(&how)?;
        if !self.handover.step(NONE, SYNCING) {
            return Err("ERR FAILOVER already in progress.".into());
        }
        let Some(replication) = self.myself.upgrade() else { return Err("ERR the server stops".into()) };
        let started = std::thread::Builder::new().name("failover".into()).spawn(move || {
            let result = replication.hand_over(&replica, &how);
            if let Err(reason) = result {
                tracing::warn!("the failover was given up: {reason}");
            }
            replication.handover.state.store(NONE, Ordering::Release);
        });
        started.map(|_| ()).map_err(|error| {
            self.handover.state.store(NONE, Ordering::Release);
            format!("ERR cannot start a thread: {error}")
        })
    }

    /// The replica that is to take over.
    fn heir(&self, how: &Failover) -> Result<Arc<Replica>, String> {
        let replicas = self.context.replicas.list();
        match &how.to {
            Some((host, port)) => {
                let is_it = |replica: &&Arc<Replica>| {
                    let introduction = replica.introduction();
                    introduction.ip == *host && introduction.port == *port
                };
                let found = replicas.iter().find(is_it);
                found.cloned().ok_or("ERR FAILOVER target HOST and PORT is not a replica.".into())
            }
            None => replicas
                .into_iter()
                .max_by_key(|replica| replica.applied())
                .ok_or("ERR FAILOVER requires connected replicas.".into()),
        }
    }

    fn hand_over(&self, replica: &Arc<Replica>, how: &Failover) -> Result<(), String> {
        let timeout = how.timeout_ms.map(Duration::from_millis);
        let (begun, pause) = (Instant::now(), &self.context.pause);
        pause.start(PauseKind::Write, begun + PAUSE_MAX, begun);
        let handed = self.engine_paused(Some(begun + PAUSE_MAX)).and_then(|()| {
            let end = self.context.engine().log().head();
            replica.hand_over(Some(end));
            self.await_word(replica, how.force, timeout.map(|timeout| begun + timeout))
        });
        if handed.is_ok() {
            let introduction = replica.introduction();
            let (host, port) = (introduction.ip.clone(), introduction.port);
            tracing::info!(%host, port, "handed the role over");
            let followed = self.follow(Target { host: host.clone(), port, accept: None });
            remember(&self.context, Some((&host, port)));
            self.end_pause()?;
            return followed;
        }
        replica.hand_over(None);
        self.end_pause()?;
        handed
    }

    /// Waits until the replica was told to take over.
    fn await_word(&self, replica: &Arc<Replica>, force: bool, end: Option<Instant>) -> Result<(), String> {
        loop {
            let is_attached = self.context.replicas.list().iter().any(|other| Arc::ptr_eq(other, replica));
            if replica.was_told() {
                return Ok(());
            }
            if !is_attached {
                return Err("the replica is gone".into());
            }
            if self.handover.is_aborted() {
                return Err("by FAILOVER ABORT".into());
            }
            if end.is_some_and(|end| Instant::now() >= end) {
                if !force {
                    return Err("the replica did not catch up within the timeout".into());
                }
                // Whatever it has is what there is from now on; the rest is put aside when this server follows it.
                replica.hand_over(Some(Lsn::ZERO));
                self.handover.step(SYNCING, TELLING);
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    fn engine_paused(&self, end: Option<Instant>) -> Result<(), String> {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()).as_millis() as u64);
        let until = left.map_or(Millis(0), |left| Millis(Millis::now().0 + left));
        self.context.engine().pause_writes(until).map_err(|error| error.to_string())
    }

    fn end_pause(&self) -> Result<(), String> {
        self.context.pause.end();
        self.engine_paused(None)
    }

    /// Becomes a primary because the primary said so; on the thread that follows.
    pub(super) fn take_over(&self, following: &Following) {
        loop {
            if following.is_stopped() {
                return;
            }
            // Why tried: who holds the lock may be waiting for this thread to end.
            if let Ok(mut follower) = self.follower.try_lock() {
                Self::end(&mut follower);
                if let Err(reason) = self.make_primary() {
                    tracing::error!("cannot take over: {reason}");
                }
                remember(&self.context, None);
                return;
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}
