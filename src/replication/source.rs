//! The snapshot that is sent to a replica, and folders for files that nobody is to find.

use std::io;
use std::path::Path;

use crate::clock::Millis;
use crate::engine::Engine;
use crate::log::snapshot::SnapshotReader;
use crate::lsn::Lsn;
use crate::replication::feed::FeedError;
use crate::replication::frame::SnapshotId;

/// A snapshot file, which stays readable when another takes its name.
#[derive(Debug)]
pub(super) struct OpenSnapshot {
    pub(super) file: std::fs::File,
    pub(super) id: SnapshotId,
    pub(super) bytes: u64,
    /// From where on it needs the log.
    pub(super) floor: Lsn,
    /// Up to where.
    pub(super) until: Lsn,
}

impl OpenSnapshot {
    /// Opens the snapshot `dbfile`.
    pub(super) fn open(dbfile: &Path) -> Result<Self, FeedError> {
        loop {
            let file = std::fs::File::open(dbfile)?;
            let Some(reader) = SnapshotReader::open(dbfile)? else {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            };
            let (footer, totals) = (*reader.footer(), *reader.totals());
            // Why: another may have taken the name in between.
            let is_same = {
                use std::os::unix::fs::MetadataExt;
                file.metadata()?.len() == totals.file_bytes
                    && file.metadata()?.ino() == std::fs::metadata(dbfile)?.ino()
            };
            if is_same {
                let history = footer.history.get();
                let id = [
                    footer.start.get(),
                    footer.end.get(),
                    footer.created_unix_ms,
                    history as u64 ^ (history >> 64) as u64,
                ];
                return Ok(Self {
                    file,
                    id: SnapshotId(id),
                    bytes: totals.file_bytes,
                    floor: footer.retention_floor,
                    until: footer.end,
                });
            }
        }
    }

    /// Takes a snapshot of a database in memory, in a file that has no name when this returns.
    pub(super) fn take(engine: &Engine) -> Result<Self, FeedError> {
        let folder = TemporaryFolder::new()?;
        let path = folder.0.join("snapshot");
        engine.snapshot_to(&path)?;
        Self::open(&path)
    }
}

/// A folder that is removed with all that is in it.
#[derive(Debug)]
pub(super) struct TemporaryFolder(pub std::path::PathBuf);

impl TemporaryFolder {
    /// A new one, among the system's temporary files.
    pub(super) fn new() -> io::Result<Self> {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // Relaxed: only numbers that differ are wanted.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("goredis-{}-{}-{number}", std::process::id(), Millis::now().0);
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "a temporary folder is still there");
        }
    }
}
