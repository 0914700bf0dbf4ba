//! Tests of the log as a whole: written, stopped in some way, opened again.

mod basics;
mod concurrent;
mod damage;
mod faults;
#[cfg(feature = "shuttle")]
mod model;
mod power;
mod repairs;
mod rows;
mod spares;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use memmap2::MmapRaw;

use super::*;

/// The system, except that nothing is really synced, that a test can change the boot's id to lose the machine, and
/// that every call can be made to fail.
#[derive(Debug)]
pub(super) struct TestStorage {
    boot: AtomicU64,
    /// How many calls still succeed.
    calls_left: AtomicU64,
    /// How many bytes can still be allocated.
    pub(super) space: AtomicU64,
    pub(super) sync_fails: AtomicBool,
    /// Syncing a range waits as long as this is set: the durable mark stays where it is.
    pub(super) sync_waits: AtomicBool,
    /// Removing a file waits as long as this is set.
    pub(super) removal_waits: AtomicBool,
    /// Files that are being removed or were.
    pub(super) removals: AtomicU64,
}

impl TestStorage {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            boot: AtomicU64::new(1),
            calls_left: AtomicU64::new(u64::MAX),
            space: AtomicU64::new(u64::MAX),
            sync_fails: AtomicBool::new(false),
            sync_waits: AtomicBool::new(false),
            removal_waits: AtomicBool::new(false),
            removals: AtomicU64::new(0),
        })
    }

    /// The next start finds another boot: what it did not sync may be lost.
    pub(super) fn lose_machine(&self) {
        self.boot.fetch_add(1, Ordering::Relaxed);
    }

    /// `calls` more calls succeed; then all fail.
    pub(super) fn fail_after(&self, calls: u64) {
        self.calls_left.store(calls, Ordering::Relaxed);
    }

    fn call(&self) -> io::Result<()> {
        let spend = |left: u64| if left == u64::MAX { Some(left) } else { left.checked_sub(1) };
        let call = self.calls_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend);
        call.map(|_| ()).map_err(|_| io::Error::other("the test stops here"))
    }

    fn sync(&self) -> io::Result<()> {
        self.call()?;
        if self.sync_fails.load(Ordering::Relaxed) {
            Err(io::Error::from_raw_os_error(libc::EIO))
        } else {
            Ok(())
        }
    }
}

impl Storage for TestStorage {
    fn boot_id(&self) -> u128 {
        u128::from(self.boot.load(Ordering::Relaxed))
    }
    fn allocate(&self, file: &File, path: &Path, bytes: u64) -> io::Result<()> {
        self.call()?;
        let spend = |left: u64| left.checked_sub(bytes);
        let taken = self.space.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend);
        taken.map_err(|_| io::Error::from_raw_os_error(libc::ENOSPC))?;
        OsStorage.allocate(file, path, bytes)
    }
    fn sync_file(&self, _: &File, _: &Path) -> io::Result<()> {
        self.sync()
    }
    fn sync_range(&self, _: &MmapRaw, _: &Path, _: usize, _: usize) -> io::Result<()> {
        while self.sync_waits.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.sync()
    }
    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        self.sync()
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call()?;
        self.removals.fetch_add(1, Ordering::Relaxed);
        while self.removal_waits.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
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

    #[expect(clippy::unused_self, reason = "reads as what it is: this lab's files")]
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

    /// Ends the log's life without its knowledge: the files are left as they are at this moment. `pending` are the
    /// records that [`leave_pending`] left.
    pub(super) fn kill(&self, opened: Opened, pending: &[Lsn]) {
        settle(&opened.log);
        let image = self.image();
        self.storage.sync_waits.store(false, Ordering::Relaxed);
        for lsn in pending {
            opened.log.mark_committed(*lsn, &crossbeam_epoch::pin());
        }
        drop(opened);
        self.restore(&image);
    }

    /// The bytes of all files; [`Lab::restore`] brings them back under the same inodes.
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

/// Waits until the segment ahead of the tail is there, so that the set of files stands still.
pub(super) fn settle(log: &Log) {
    let ahead = || {
        let disk = DiskLog::discover(log.dbfile().unwrap(), 0).unwrap();
        disk.segments().last().unwrap().first() > log.head() && disk.unfinished.is_empty()
    };
    while !ahead() {
        std::thread::sleep(Duration::from_millis(1));
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
