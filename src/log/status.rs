//! What a running log says about itself, for INFO and for people.

use std::time::Duration;

use super::error::{Fault, LogError};
use super::lsn::{History, Lsn};
use super::options::FsyncPolicy;

/// A snapshot of the log's figures; each is right by itself, they are not taken at one moment.
#[derive(Clone, Debug)]
pub struct LogStatus {
    /// The line of LSNs.
    pub history: History,
    /// The first position that is still there.
    pub start: Lsn,
    /// Where the next record goes.
    pub head: Lsn,
    /// Everything below is committed or void.
    pub resolved: Lsn,
    /// Everything below is on stable storage.
    pub durable: Lsn,
    /// Bytes appended since the log was opened.
    pub appended_bytes: u64,
    /// Reservations that are alive.
    pub in_flight: u32,
    /// Mapped segments.
    pub mapped_segments: usize,
    /// When writes reach stable storage.
    pub fsync: FsyncPolicy,
    /// What stopped the log, if it is stopped.
    pub fault: Option<Fault>,
    /// Why there is no room for the next segment, if there is none.
    pub no_space: Option<LogError>,
    /// Syncs since the log was opened.
    pub syncs: u64,
    /// When the last sync ended, in milliseconds since 1970; 0 before the first.
    pub last_sync_unix_ms: u64,
    /// How long the last sync took.
    pub last_sync: Duration,
    /// How often a writer was told to hold back.
    pub delayed: u64,
    /// How often an appender waited for the next segment.
    pub segment_waits: u64,
}
