//! Replication: following another server's log, and serving one's own.
//!
//! A replica's log is byte for byte its primary's, so where it is in its own log is all that it needs to go on: after a
//! restart, a cut, a failover. Only where the log is gone does it take the snapshot.
//!
//! | file | owns |
//! |---|---|
//! | this one, `following` | whom this server follows: one thread at most, begun and ended by REPLICAOF |
//! | [`feed`], `source` | serving a replica; the snapshot that is sent |
//! | [`keeper`] | how much log is kept for replicas |
//! | `tail`, `copy`, `wire` | following a primary of this kind; its log, copied; the connection to it |
//! | `refusal`, [`broken`] | why it is not followed; why a link broke |
//! | [`redis`] | following a real Redis |
//! | `incoming`, `install` | another state, received; in the place of the database |
//! | [`decide`] | where to go on, as a table |
//! | [`greeting`], [`frame`] | what is said |
//! | `failover` | handing the role over |
//!
#![doc = include_str!("PROTOCOL.md")]

pub mod broken;
mod copy;
pub mod decide;
mod failover;
pub mod feed;
mod following;
pub mod frame;
pub mod greeting;
mod incoming;
mod install;
pub mod keeper;
pub mod redis;
mod refusal;
#[cfg(test)]
mod simulation;
mod source;
mod tail;
mod wire;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::command::context::Context;
use crate::command::replication::release_blocked;
use crate::command::upstream::{Failover, Link, SyncCounts, SyncProgress, Target, Upstream, UpstreamStatus};
use crate::engine::{Engine, OpenError};
use broken::LinkError;
use failover::Handover;
pub(crate) use following::Following;
use incoming::Incoming;
use tail::{Carried, Ended, Tail, TailError};

/// Time between two attempts to reach a primary.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// The same, where the primary was reached and is not to be followed.
const REFUSED_PAUSE: Duration = Duration::from_secs(5);

/// The same, where what stands in the way is here: no room, as a rule.
const OWN_PAUSE: Duration = Duration::from_secs(2);

/// How a database is to be opened, beside what the settings say.
#[derive(Clone, Debug, Default)]
pub struct OpenWish {
    /// The seed of the keyspaces' hashes, where no snapshot has one.
    pub hash_seed: Option<u64>,
    /// Where a database in memory takes its first state from.
    pub origin: Option<PathBuf>,
    /// Whether it follows another's log from its first moment, whatever the settings say.
    pub follows: bool,
}

/// Opens the database that the settings speak of.
pub type Opener = Box<dyn Fn(OpenWish) -> Result<Arc<Engine>, OpenError> + Send + Sync>;

/// The thread that follows.
struct Follower {
    following: Arc<Following>,
    thread: JoinHandle<()>,
}

/// This server's part in replication.
pub struct Replication {
    context: Arc<Context>,
    opener: Opener,
    runtime: Handle,
    follower: Mutex<Option<Follower>>,
    handover: Handover,
    myself: Weak<Self>,
}

impl std::fmt::Debug for Replication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replication").finish_non_exhaustive()
    }
}

impl Replication {
    /// Of the server of `context`; `opener` opens its database.
    pub fn new(context: Arc<Context>, opener: Opener, runtime: Handle) -> Arc<Self> {
        Arc::new_cyclic(|myself| Self {
            context,
            opener,
            runtime,
            follower: Mutex::default(),
            handover: Handover::default(),
            myself: myself.clone(),
        })
    }

    fn follower(&self) -> MutexGuard<'_, Option<Follower>> {
        self.follower.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the thread that follows, if there is one.
    fn end(follower: &mut Option<Follower>) {
        let Some(Follower { following, thread }) = follower.take() else { return };
        following.stop();
        if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
            tracing::error!("the thread that follows the primary had panicked");
        }
    }

    /// Follows whom the settings name, if they name anybody.
    ///
    /// # Errors
    /// Why it cannot, in one sentence.
    pub fn start_as_set(&self) -> Result<(), String> {
        let Some(primary) = self.context.settings.replicaof() else { return self.put_away() };
        self.follow(Target { host: primary.host, port: primary.port, accept: None })
    }

    /// Drops what has come of a primary's state and is of no use to who is a primary: of its files, and of its keys.
    fn put_away(&self) -> Result<(), String> {
        let engine = self.context.database();
        incoming::put_away(&engine).map_err(|error| error.to_string())?;
        if redis::load::discard(&engine).map_err(|error| error.to_string())? {
            tracing::info!("a data set that had not come whole was dropped");
        }
        Ok(())
    }

    fn make_replica(&self) -> Result<(), String> {
        let engine = self.context.database();
        engine.set_follows(true).map_err(|error| error.to_string())?;
        engine.log().set_tailing(true).map_err(|error| error.to_string())?;
        release_blocked(&self.context);
        Ok(())
    }

    fn make_primary(&self) -> Result<(), String> {
        let engine = self.context.database();
        if !engine.follows() {
            return Ok(());
        }
        let text = |error: crate::engine::EngineError| error.to_string();
        // Order: 1 the new history, 2 the marks allow what writes may leave, 3 writes, first those
        // that drop what is of no use any more; or else recovery takes a record of
        // the new history for one of the old, or what a kill leaves for the loss of the machine.
        engine.begin_history().map_err(text)?;
        engine.log().set_tailing(false).map_err(|error| error.to_string())?;
        self.put_away()?;
        engine.set_follows(false).map_err(text)?;
        tracing::info!(at = %engine.log().head(), history = %engine.log().history().name(), "this server is a primary now");
        Ok(())
    }

    fn start(&self, target: Target) -> Result<Follower, String> {
        let following = Arc::new(Following::new(target));
        let (replication, mine) = (self.myself.upgrade().ok_or("the server stops")?, Arc::clone(&following));
        let thread = std::thread::Builder::new()
            .name("replication".into())
            .spawn(move || replication.run(&mine))
            .map_err(|error| format!("cannot start a thread: {error}"))?;
        Ok(Follower { following, thread })
    }

    /// Follows until it is told to stop.
    fn run(&self, following: &Following) {
        let engine = self.context.database();
        let mut carried = Carried { incoming: Incoming::of_earlier_process(&engine), ..Carried::default() };
        if carried.incoming.is_none()
            && let Err(error) = incoming::put_away(&engine)
        {
            tracing::warn!(%error, "what an earlier process has received cannot be removed");
        }
        drop(engine);
        let (mut place, mut loops) = (None, 0);
        while !following.is_stopped() {
            let mut tail =
                Tail { context: &self.context, following, opener: &self.opener, carried: &mut carried };
            let ended = tail.run();
            self.context.above.set(&[]);
            carried.is_sequel = matches!(ended, Ok(Ended::Installed));
            loops = if matches!(ended, Err(TailError::Loop(_))) { loops + 1 } else { 0 };
            match ended {
                Ok(Ended::Stopped | Ended::Installed | Ended::Received) => {}
                Ok(Ended::TakesOver) => return self.take_over(following),
                Err(TailError::OtherKind) => self.follow_redis(following, &mut place),
                // Why not at once: who has just handed its role over, to this one's replica perhaps, has not taken it yet.
                Err(TailError::Loop(_)) if loops == 1 => self.sleep(following, RETRY_PAUSE),
                Err(error) => self.pause_after(following, &error),
            }
        }
    }

    fn pause_after(&self, following: &Following, error: &TailError) {
        if following.is_stopped() {
            return;
        }
        if let TailError::NotOurs(reason) | TailError::Loop(reason) = error {
            if following.refuse(reason) {
                tracing::error!("not following: {reason}");
            }
            self.sleep(following, REFUSED_PAUSE);
            return;
        }
        // Why once: a primary that is away is tried twice a second.
        let text = error.to_string();
        if following.is_news(&text, self.context.engine().log().head()) {
            tracing::warn!(host = %following.target.host, port = following.target.port, "{text}");
        }
        if let TailError::Link(LinkError::Refused { .. }) = error {
            following.refuse(&text);
        } else {
            following.set_link(Link::Connect);
        }
        self.sleep(following, if error.is_own() { OWN_PAUSE } else { RETRY_PAUSE });
    }

    fn sleep(&self, following: &Following, time: Duration) {
        let mut stop = following.stop.subscribe();
        // Why either end will do: it is over, or it was stopped.
        let _ = self
            .runtime
            .block_on(async { tokio::time::timeout(time, stop.wait_for(|stop| *stop)).await.is_ok() });
    }

    /// Follows a real Redis, until the link ends.
    fn follow_redis(&self, following: &Following, place: &mut Option<redis::Place>) {
        let settings = &self.context.settings;
        let announced = settings.replica_announce_ip();
        let port = settings.replica_announce_port();
        let how = redis::Settings {
            user: settings.masteruser().to_vec(),
            password: settings.masterauth().to_vec(),
            listening_port: if port == 0 { settings.port() } else { port },
            announced_address: (!announced.is_empty())
                .then(|| String::from_utf8_lossy(&announced).into_owned()),
            timeout: Duration::from_secs(u64::from(settings.repl_timeout())),
        };
        let target = (following.target.host.clone(), following.target.port);
        let progress = |step: redis::Progress| match step {
            redis::Progress::Handshake => following.set_link(Link::Handshake),
            redis::Progress::DataSet { done, total } => {
                following.set_link(Link::Snapshot);
                following.set_sync(SyncProgress { done, total: total.unwrap_or(0) });
            }
            redis::Progress::Continued | redis::Progress::Installed { .. } => following.set_link(Link::Log),
            redis::Progress::Live { .. } => following.heard(),
        };
        // Why: this server writes its own log while it follows one of another kind.
        if let Err(error) = self.context.database().log().set_tailing(false) {
            tracing::error!(%error, "the log cannot be made ready");
        }
        let ended = self.runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(target).await?;
            redis::follow(&self.context, stream, &how, place, &progress, following.stop.subscribe()).await
        });
        match ended {
            Ok(()) => {}
            Err(error) if error.is_lasting() => {
                let text = error.to_string();
                if following.refuse(&text) {
                    tracing::error!("not following: {text}");
                }
                self.sleep(following, REFUSED_PAUSE);
            }
            Err(error) => {
                tracing::warn!(%error, "the link to the primary ended");
                following.set_link(Link::Connect);
                self.sleep(following, RETRY_PAUSE);
            }
        }
    }
}

impl Replication {
    fn follow(&self, target: Target) -> Result<(), String> {
        let mut follower = self.follower();
        Self::end(&mut follower);
        self.make_replica()?;
        tracing::info!(host = %target.host, port = target.port, "following a primary from now on");
        *follower = Some(self.start(target)?);
        Ok(())
    }
}

impl Upstream for Arc<Replication> {
    fn follow(&self, target: Target) -> Result<(), String> {
        Replication::follow(self, target)
    }

    fn promote(&self) -> Result<(), String> {
        let mut follower = self.follower();
        Replication::end(&mut follower);
        self.make_primary()
    }

    fn status(&self) -> Option<UpstreamStatus> {
        self.follower().as_ref().map(|follower| follower.following.status().clone())
    }

    fn counts(&self) -> SyncCounts {
        self.context.replicas.sync_counts()
    }

    fn start_failover(&self, how: Failover) -> Result<(), String> {
        self.begin_handover(how)
    }

    fn abort_failover(&self) -> Result<(), String> {
        self.handover.abort()
    }

    fn stop(&self) {
        Replication::end(&mut self.follower());
    }

    fn failover_state(&self) -> &'static str {
        self.handover.state()
    }
}
