//! What all connections of a server share.
//!
//! Made once by whoever starts the server (or opens a database in-process) and lent to every command. It holds no
//! state of a connection: that is the [`Session`](super::session::Session).

#[cfg(test)]
pub(crate) mod fixture;
mod identity;
mod pause;
mod stop;

pub use identity::{GOREDIS_VERSION, Identity, REDIS_VERSION};
pub use pause::{Pause, PauseKind};
pub use stop::Stop;

use crate::command::clients::ClientRegistry;
use crate::command::pubsub::{self, Hub, Monitors};
use crate::command::replicas::Replicas;
use crate::command::slowlog::SlowLog;
use crate::command::stats::Stats;
use crate::command::upstream::Upstream;
use crate::engine::{Engine, EngineInfo};
use crate::settings::{Setting, Settings};
use arc_swap::ArcSwap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Acts on settings that take more than being read: the server's listeners, its diagnostics.
pub trait Reconfigure: Send + Sync + std::fmt::Debug {
    /// Acts on a setting that CONFIG SET has just changed.
    ///
    /// # Errors
    /// Why it cannot be; CONFIG SET then takes everything back and answers with this.
    fn apply(&self, settings: &Settings, setting: &'static Setting) -> Result<(), String>;
}

/// What the engine counts and CONFIG RESETSTAT sets back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EngineCounts {
    /// Keys removed because their time had come.
    pub expired_keys: u64,
    /// Fields of hashes removed because their time had come.
    pub expired_fields: u64,
    /// Attempts that lost to another and ran again.
    pub lost_attempts: u64,
    /// Transactions that ran alone.
    pub alone_transactions: u64,
    /// Times that a write waited for a closed root.
    pub root_waits: u64,
    /// Times that a write was held back because stable storage was behind.
    pub delayed_writes: u64,
}

impl EngineCounts {
    fn of(info: &EngineInfo) -> Self {
        Self {
            expired_keys: info.expired_keys,
            expired_fields: info.expired_fields,
            lost_attempts: info.lost_attempts,
            alone_transactions: info.alone_transactions,
            root_waits: info.root_waits,
            delayed_writes: info.log.delayed,
        }
    }

    fn since(self, earlier: Self) -> Self {
        Self {
            expired_keys: self.expired_keys.saturating_sub(earlier.expired_keys),
            expired_fields: self.expired_fields.saturating_sub(earlier.expired_fields),
            lost_attempts: self.lost_attempts.saturating_sub(earlier.lost_attempts),
            alone_transactions: self.alone_transactions.saturating_sub(earlier.alone_transactions),
            root_waits: self.root_waits.saturating_sub(earlier.root_waits),
            delayed_writes: self.delayed_writes.saturating_sub(earlier.delayed_writes),
        }
    }
}

/// What all connections of a server share.
#[derive(Debug)]
pub struct Context {
    /// The database, which a replica replaces as a whole.
    engine: ArcSwap<Engine>,
    /// The settings, which CONFIG SET changes while the server runs.
    pub settings: Arc<Settings>,
    /// Who is connected.
    pub clients: ClientRegistry,
    /// Who follows this server.
    pub replicas: Replicas,
    /// Who is subscribed to what.
    pub hub: Arc<Hub>,
    /// Who is shown what all clients ask for.
    pub monitors: Arc<Monitors>,
    /// What INFO counts.
    pub stats: Stats,
    /// The slowest commands.
    pub slowlog: SlowLog,
    /// CLIENT PAUSE.
    pub pause: Arc<Pause>,
    /// The wish that the server stops.
    pub stop: Stop,
    /// Who this server is, and since when.
    pub identity: Identity,
    reconfigure: OnceLock<Box<dyn Reconfigure>>,
    upstream: OnceLock<Box<dyn Upstream>>,
    /// The engine's counts at the last reset of the statistics.
    baseline: Mutex<EngineCounts>,
}

impl Context {
    /// The context of a server that starts now.
    pub fn new(engine: Arc<Engine>, settings: Arc<Settings>) -> Self {
        let hub = Arc::new(Hub::new());
        engine.set_witness(pubsub::witness(&hub, &settings));
        Self {
            engine: ArcSwap::new(engine),
            settings,
            clients: ClientRegistry::new(),
            replicas: Replicas::default(),
            hub,
            monitors: Arc::default(),
            stats: Stats::new(),
            slowlog: SlowLog::new(),
            pause: Arc::default(),
            stop: Stop::new(),
            identity: Identity::new(),
            reconfigure: OnceLock::new(),
            upstream: OnceLock::new(),
            baseline: Mutex::default(),
        }
    }

    /// The database that is in force, for as long as one command or batch takes.
    #[inline]
    pub fn engine(&self) -> arc_swap::Guard<Arc<Engine>> {
        self.engine.load()
    }

    /// The database that is in force, to be kept.
    pub fn database(&self) -> Arc<Engine> {
        self.engine.load_full()
    }

    /// Puts another database in the place of the one in force, and returns that. Who is at work on it goes on there.
    pub fn replace_database(&self, engine: Arc<Engine>) -> Arc<Engine> {
        engine.set_witness(pubsub::witness(&self.hub, &self.settings));
        self.engine.swap(engine)
    }

    /// Says who follows other servers; the first to say so stays.
    pub fn set_upstream(&self, upstream: Box<dyn Upstream>) {
        // Why: there is one server to a context.
        let _ = self.upstream.set(upstream);
    }

    /// Who follows other servers; none in a program that embeds a database.
    pub fn upstream(&self) -> Option<&dyn Upstream> {
        self.upstream.get().map(|upstream| &**upstream)
    }

    /// Says who acts on changed settings; the first to say so stays.
    pub fn set_reconfigure(&self, reconfigure: Box<dyn Reconfigure>) {
        // Why: there is one server to a context; without one, as in a program that embeds a database, nobody acts.
        let _ = self.reconfigure.set(reconfigure);
    }

    /// Has a changed setting acted on.
    ///
    /// # Errors
    /// As [`Reconfigure::apply`].
    pub fn reconfigure(&self, setting: &'static Setting) -> Result<(), String> {
        self.reconfigure.get().map_or(Ok(()), |server| server.apply(&self.settings, setting))
    }

    /// Sets all statistics back to zero (CONFIG RESETSTAT).
    pub fn reset_statistics(&self) {
        let mut baseline = self.baseline.lock().unwrap_or_else(PoisonError::into_inner);
        *baseline = EngineCounts::of(&self.engine().info());
        self.stats.reset();
    }

    /// What the engine has counted since the last reset, given how it stands now.
    pub fn counted(&self, now: &EngineInfo) -> EngineCounts {
        let then = *self.baseline.lock().unwrap_or_else(PoisonError::into_inner);
        EngineCounts::of(now).since(then)
    }
}
