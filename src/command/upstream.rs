//! What commands need of the layer above that follows another server: to be told whom, and to tell how it stands.
//!
//! Commands know replication only through this; a program that embeds a database has none.

use crate::clock::Millis;
use crate::log::HistoryName;

/// Whom to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The history that may replace the one that is here, though the two have nothing in common.
    pub accept: Option<HistoryName>,
}

/// How the link to the primary stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// There is no connection.
    Connect,
    /// The two are finding out where to go on.
    Handshake,
    /// The snapshot is coming.
    Snapshot,
    /// The log is coming.
    Log,
    /// The primary's data is none of ours; see [`UpstreamStatus::refusal`].
    Refused,
}

impl Link {
    /// What ROLE calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect | Self::Refused => "connect",
            Self::Handshake => "connecting",
            Self::Snapshot => "sync",
            Self::Log => "connected",
        }
    }
}

/// How far a snapshot has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncProgress {
    /// Bytes that are here.
    pub done: u64,
    /// All.
    pub total: u64,
}

/// What a replica knows of its primary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamStatus {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the link stands.
    pub link: Link,
    /// When the primary was last heard of.
    pub heard_at: Option<Millis>,
    /// Since when there is no link.
    pub down_since: Option<Millis>,
    /// The snapshot that is coming.
    pub sync: Option<SyncProgress>,
    /// Why the primary is not followed, in one sentence that says what to do.
    pub refusal: Option<String>,
}

/// What was counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncCounts {
    /// Replicas that were sent a snapshot.
    pub full: u64,
    /// Replicas that went on where they were.
    pub partial: u64,
    /// Replicas that wanted to go on where they were, and had to be sent a snapshot.
    pub partial_refused: u64,
}

/// How FAILOVER was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failover {
    /// To which replica; none: to the one that is farthest.
    pub to: Option<(String, u16)>,
    /// Milliseconds after which it is given up, or forced.
    pub timeout_ms: Option<u64>,
    /// Goes on at the timeout though the replica is behind.
    pub force: bool,
}

/// The layer that follows another server.
pub trait Upstream: Send + Sync + std::fmt::Debug {
    /// Follows another server from now on. When it returns the server is a replica: writes are refused. Blocks for
    /// the writes in flight.
    ///
    /// # Errors
    /// Why it cannot, in one sentence.
    fn follow(&self, target: Target) -> Result<(), String>;

    /// Becomes a primary. When it returns, writes are taken. Blocks until what was received is applied.
    ///
    /// # Errors
    /// Why it cannot, in one sentence.
    fn promote(&self) -> Result<(), String>;

    /// How it stands; none on a primary.
    fn status(&self) -> Option<UpstreamStatus>;

    /// What was counted since the start.
    fn counts(&self) -> SyncCounts;

    /// Begins to hand the role over to a replica without losing a write.
    ///
    /// # Errors
    /// Why it cannot, as an error reply.
    fn start_failover(&self, how: Failover) -> Result<(), String>;

    /// Gives up a handover that is under way.
    ///
    /// # Errors
    /// When there is none.
    fn abort_failover(&self) -> Result<(), String>;

    /// Ends what follows, without another role: the server stops.
    fn stop(&self);

    /// The state of the handover, as INFO names it: `no-failover`, `waiting-for-sync` or `failover-in-progress`.
    fn failover_state(&self) -> &'static str;
}
