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
use crate::command::slowlog::SlowLog;
use crate::command::stats::Stats;
use crate::engine::Engine;
use crate::settings::Settings;
use std::sync::Arc;

/// What all connections of a server share.
#[derive(Debug)]
pub struct Context {
    /// The database.
    pub engine: Arc<Engine>,
    /// The settings, which CONFIG SET changes while the server runs.
    pub settings: Arc<Settings>,
    /// Who is connected.
    pub clients: ClientRegistry,
    /// What INFO counts.
    pub stats: Stats,
    /// The slowest commands.
    pub slowlog: SlowLog,
    /// CLIENT PAUSE.
    pub pause: Pause,
    /// The wish that the server stops.
    pub stop: Stop,
    /// Who this server is, and since when.
    pub identity: Identity,
}

impl Context {
    /// The context of a server that starts now.
    pub fn new(engine: Arc<Engine>, settings: Arc<Settings>) -> Self {
        Self {
            engine,
            settings,
            clients: ClientRegistry::new(),
            stats: Stats::new(),
            slowlog: SlowLog::new(),
            pause: Pause::new(),
            stop: Stop::new(),
            identity: Identity::new(),
        }
    }
}
