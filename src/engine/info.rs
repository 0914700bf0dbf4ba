//! What the engine tells of itself, for INFO.

use std::sync::PoisonError;
use std::time::Duration;

use crate::clock::Millis;
use crate::engine::root::Root;
use crate::engine::{DbIndex, Engine};
use crate::log::{Cause, HistoryName, LogStatus};
use crate::lsn::Lsn;
use crate::store::keyspace::Keyspace;

/// One database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseInfo {
    /// Its number.
    pub db: DbIndex,
    /// Keys, expired ones that nobody removed yet included.
    pub keys: u64,
    /// Keys with an expiry.
    pub expires: u64,
    /// Their average time to live, in milliseconds.
    pub avg_ttl: u64,
}

/// The snapshots.
#[derive(Clone, Debug)]
pub struct SnapshotStatus {
    /// Whether one is being taken.
    pub running: bool,
    /// For how long.
    pub running_for: Option<Duration>,
    /// When the last good one was taken, or else the database opened.
    pub saved_at: Millis,
    /// Its size in bytes; 0 if there is none.
    pub file_bytes: u64,
    /// Why the last attempt failed, if it did.
    pub failure: Option<String>,
    /// How long the last attempt took.
    pub took: Option<Duration>,
    /// Keys changed since the last good one.
    pub changes: u64,
    /// How many were taken since the start.
    pub taken: u64,
}

/// Everything at one moment, roughly.
#[derive(Clone, Debug)]
pub struct EngineInfo {
    /// Databases that hold keys.
    pub databases: Vec<DatabaseInfo>,
    /// Bytes of versions, nodes and indexes.
    pub data_bytes: u64,
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
    /// The log.
    pub log: LogStatus,
    /// The snapshots.
    pub snapshot: SnapshotStatus,
    /// Whether there are files.
    pub persistent: bool,
    /// Bytes of log since the start of the last snapshot.
    pub log_since_snapshot_bytes: u64,
}

impl Engine {
    /// Commands that ran in vain so far, because their attempts lost to others.
    pub fn wasted_commands(&self) -> u64 {
        self.stats.wasted.count()
    }

    /// Tells how things stand.
    pub fn info(&self) -> EngineInfo {
        let now = Millis::now();
        let guard = crossbeam_epoch::pin();
        let root = self.root.load(&guard);
        let mut databases = Vec::new();
        let mut data_bytes = 0;
        for (db, keyspace) in self.counted(root) {
            data_bytes += keyspace.memory_bytes(&guard);
            if db >= self.layout.databases() {
                continue;
            }
            let (keys, expires) = (keyspace.keys.count(), keyspace.expiring.count());
            if keys > 0 {
                let mean = keyspace.expiry_sum.count().checked_div(expires).unwrap_or(0);
                let avg_ttl = mean.saturating_sub(now.0);
                databases.push(DatabaseInfo { db, keys, expires, avg_ttl });
            }
        }
        drop(guard);
        let running = self.snapshots.is_running();
        let facts = self.snapshots.facts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let changes = self.changes_since(&facts);
        EngineInfo {
            databases,
            data_bytes,
            expired_keys: self.stats.expired.count(),
            expired_fields: self.stats.expired_fields.count(),
            lost_attempts: self.stats.lost.count(),
            alone_transactions: self.stats.alone.count(),
            root_waits: self.root.waits(),
            log: self.log.status(),
            snapshot: SnapshotStatus {
                running,
                running_for: facts.began.map(|began| began.elapsed()),
                saved_at: facts.saved_at,
                file_bytes: facts.file_bytes,
                failure: facts.failure,
                took: facts.took,
                changes,
                taken: facts.taken,
            },
            persistent: self.is_persistent(),
            log_since_snapshot_bytes: self.log.head().get().saturating_sub(facts.start.get()),
        }
    }

    /// The name of the line of LSNs that its records are of.
    #[inline]
    pub fn history(&self) -> HistoryName {
        self.log.history().name()
    }

    /// Whether a place in a history means something here: it is of the present one, or of one that led to it and was left
    /// behind that place.
    pub fn knows(&self, history: HistoryName, place: Lsn) -> bool {
        let earlier = || self.log.lineage().into_iter().find(|ancestor| ancestor.history.name() == history);
        self.history() == history || earlier().is_some_and(|ancestor| place <= ancestor.fork)
    }

    /// The history that the present one goes on from, and the first place that is no longer part of it; none where it goes
    /// on from nothing.
    pub fn previous_history(&self) -> Option<(HistoryName, Lsn)> {
        let lineage = self.log.lineage();
        // Why not an adoption: that was of a history without a record in it.
        let previous = lineage.iter().find(|ancestor| ancestor.cause != Cause::Adoption)?;
        Some((previous.history.name(), previous.fork))
    }

    /// Everything below is committed or void: applied.
    pub fn resolved(&self) -> Lsn {
        self.log.resolved()
    }

    /// Everything below is on stable storage; the same as [`Engine::resolved`] where there is none.
    pub fn durable(&self) -> Lsn {
        self.log.durable()
    }

    /// The databases whose memory counts, by number. Why not an empty staged one: what it takes is of no data, as there is
    /// one per database whether a data set is put together or not.
    fn counted<'r>(&self, root: &'r Root) -> impl Iterator<Item = (DbIndex, &'r Keyspace)> {
        let layout = self.layout;
        let all = root.keyspaces.iter().enumerate();
        all.map(move |(place, keyspace)| (layout.number(place), &**keyspace))
            .filter(move |(db, keyspace)| *db < layout.databases() || keyspace.keys.count() > 0)
    }

    /// Bytes of versions, nodes and indexes of all databases.
    pub fn used_memory_bytes(&self) -> u64 {
        let guard = crossbeam_epoch::pin();
        self.counted(self.root.load(&guard)).map(|(_, keyspace)| keyspace.memory_bytes(&guard)).sum()
    }
}
