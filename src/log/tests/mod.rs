//! Tests of the log as a whole: written, stopped in some way, opened again.

mod basics;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::MmapRaw;

use super::*;

/// The system, except for the boot's id, which a test can change to lose the machine.
#[derive(Debug)]
pub(super) struct TestStorage {
    boot: AtomicU64,
}

impl TestStorage {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { boot: AtomicU64::new(1) })
    }

    /// The next start finds another boot: what it did not sync may be lost.
    pub(super) fn lose_machine(&self) {
        self.boot.fetch_add(1, Ordering::Relaxed);
    }
}

impl Storage for TestStorage {
    fn boot_id(&self) -> u128 {
        u128::from(self.boot.load(Ordering::Relaxed))
    }
    fn allocate(&self, file: &std::fs::File, path: &Path, bytes: u64) -> std::io::Result<()> {
        OsStorage.allocate(file, path, bytes)
    }
    fn sync_file(&self, _: &std::fs::File, _: &Path) -> std::io::Result<()> {
        Ok(())
    }
    fn sync_range(&self, _: &MmapRaw, _: &Path, _: usize, _: usize) -> std::io::Result<()> {
        Ok(())
    }
    fn sync_dir(&self, _: &Path) -> std::io::Result<()> {
        Ok(())
    }
    fn remove(&self, path: &Path) -> std::io::Result<()> {
        OsStorage.remove(path)
    }
}

/// A database folder of one test.
pub(super) struct Lab {
    _dir: tempfile::TempDir,
    pub(super) dbfile: PathBuf,
    pub(super) storage: Arc<TestStorage>,
}

/// A replayed log: what it held.
pub(super) struct Opened {
    pub(super) log: Log,
    pub(super) report: RecoveryReport,
    pub(super) records: Vec<(u64, Vec<u8>)>,
}

impl Opened {
    pub(super) fn payloads(&self) -> Vec<Vec<u8>> {
        self.records.iter().map(|(_, payload)| payload.clone()).collect()
    }
}

impl Lab {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let dbfile = dir.path().join("data.db");
        Self { _dir: dir, dbfile, storage: TestStorage::new() }
    }

    /// Small segments and blobs, so that a few records touch everything.
    pub(super) fn options(&self) -> LogOptions {
        LogOptions {
            segment_bytes: 4096 + 4096,
            blob_bytes: 1024,
            payload_bytes_max: 16 * 1024,
            window_bytes: 4096,
            fsync: FsyncPolicy::No,
            storage: Arc::clone(&self.storage) as Arc<dyn Storage>,
            ..LogOptions::new(Location::Files { dbfile: self.dbfile.clone() })
        }
    }

    pub(super) fn open(&self) -> Opened {
        self.try_open(&self.options(), None).unwrap()
    }

    pub(super) fn try_open(
        &self,
        options: &LogOptions,
        snapshot: Option<SnapshotBounds>,
    ) -> Result<Opened, OpenError> {
        let mut records = Vec::new();
        let mut apply = |record: Record<'_>| {
            records.push((record.lsn.get(), record.payload.to_vec()));
            Ok(())
        };
        let (log, report) = open(options.clone(), snapshot)?.replay(&mut apply, &mut |_| ())?;
        Ok(Opened { log, report, records })
    }

    /// The segment files, oldest first.
    pub(super) fn segments(&self) -> Vec<PathBuf> {
        names::list(&self.dbfile).unwrap().segments.into_iter().map(|(_, path)| path).collect()
    }

    /// A copy of all files under another folder, as a kill at this moment would leave them. The copies have other
    /// inodes: use [`Lab::restore`] to bring them back under the old ones.
    pub(super) fn image(&self) -> Vec<(PathBuf, Vec<u8>)> {
        self.segments().into_iter().map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect()
    }

    /// Puts the bytes of an image back, in place, so that the files keep their inodes.
    pub(super) fn restore(&self, image: &[(PathBuf, Vec<u8>)]) {
        use std::os::unix::fs::FileExt;
        for path in self.segments() {
            if !image.iter().any(|(kept, _)| *kept == path) {
                std::fs::remove_file(path).unwrap();
            }
        }
        for (path, bytes) in image {
            let file =
                std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(path).unwrap();
            file.set_len(bytes.len() as u64).unwrap();
            file.write_all_at(bytes, 0).unwrap();
        }
    }
}

/// Appends one committed record.
pub(super) fn append(log: &Log, payload: &[u8]) -> Lsn {
    let guard = crossbeam_epoch::pin();
    let mut reservation = if payload.len() > 1024 {
        log.reserve_spilled(&[payload], 7, &guard).unwrap()
    } else {
        let mut reservation = log.reserve(payload.len(), 7, &guard).unwrap();
        reservation.payload_mut().copy_from_slice(payload);
        reservation
    };
    reservation.seal().unwrap();
    let lsn = reservation.lsn();
    reservation.commit().unwrap();
    lsn
}

/// Leaves a record pending for ever, as a kill between reserving and committing does.
pub(super) fn leave_pending(log: &Log, payload: &[u8]) -> Lsn {
    let guard = crossbeam_epoch::pin();
    let mut reservation = log.reserve(payload.len(), 7, &guard).unwrap();
    reservation.payload_mut().copy_from_slice(payload);
    reservation.seal().unwrap();
    let lsn = reservation.lsn();
    std::mem::forget(reservation);
    lsn
}

/// A payload that says which it is.
pub(super) fn payload(number: usize, len: usize) -> Vec<u8> {
    let mut bytes = format!("{number}:").into_bytes();
    bytes.resize(len.max(bytes.len()), b'a' + (number % 26) as u8);
    bytes
}
