//! From settings to an open database, with its progress and its result told to people.

use super::progress::Progress;
use crate::command::server::{packed_limits, save_points, tune_usage};
use crate::engine::{self, CompactionOptions, DbIndex, Engine, EngineOptions, OpenError, Recovered};
use crate::log::{FsyncPolicy, Location, LogOptions};
use crate::replication::OpenWish;
use crate::settings::{self, Settings};
use std::sync::{Arc, Mutex, PoisonError};

/// What the settings say of the database.
pub(super) fn options(settings: &Settings) -> EngineOptions {
    let dbfile = || settings.db_path();
    let location = if settings.persist() { Location::Files { dbfile: dbfile() } } else { Location::Memory };
    let log = LogOptions {
        fsync: fsync(settings.fsync()),
        segment_bytes: settings.segment_bytes(),
        ..LogOptions::new(location)
    };
    EngineOptions {
        databases: DbIndex::try_from(settings.databases()).unwrap_or(DbIndex::MAX),
        compaction: CompactionOptions {
            percentage: settings.auto_compaction_percentage(),
            bytes_min: settings.auto_compaction_min_size(),
        },
        save_points: save_points(settings),
        limits: packed_limits(settings),
        ..EngineOptions::new(log)
    }
}

fn fsync(policy: settings::FsyncPolicy) -> FsyncPolicy {
    match policy {
        settings::FsyncPolicy::Always => FsyncPolicy::Always,
        settings::FsyncPolicy::Everysec => FsyncPolicy::EverySecond,
        settings::FsyncPolicy::No => FsyncPolicy::No,
    }
}

/// Opens the database and recovers what its files hold.
///
/// # Errors
/// It cannot be opened; the error says why and what to do.
pub(super) fn open(settings: &Settings, wish: OpenWish) -> Result<Arc<Engine>, OpenError> {
    let progress = Mutex::new(Progress::default());
    let follows = wish.follows || settings.replicaof().is_some();
    let options =
        EngineOptions { hash_seed: wish.hash_seed, origin: wish.origin, follows, ..options(settings) };
    let (engine, recovered) = Engine::open(options, &|step| {
        let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
        match step {
            engine::Progress::Snapshot { done, total } => {
                progress.report("loading the snapshot", done, total);
            }
            engine::Progress::Log { done, total } => progress.report("replaying the log", done, total),
        }
    })?;
    drop(progress);
    tune_usage(&engine, settings);
    if settings.persist() {
        tell(settings, &recovered);
    }
    Ok(engine)
}

fn tell(settings: &Settings, recovered: &Recovered) {
    let file = settings.db_path();
    let (keys, snapshot_entries) = (recovered.keys, recovered.snapshot_entries);
    tracing::info!(file = %file.display(), keys, snapshot_entries, "database opened");
    if let Some(report) = &recovered.log {
        if report.cut.is_some() {
            tracing::warn!("{report}");
        } else {
            tracing::info!("{report}");
        }
    }
}
