//! A folder of database files that tests stop in some way, damage, and open again.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::MmapRaw;

use crate::Db;
use crate::engine::{CompactionOptions, EngineOptions, OpenError};
use crate::log::{FsyncPolicy, Location, LogOptions, OsStorage, Storage};
use crate::lsn::Lsn;
use crate::store::value::limits::{Limits, ListLimit, PackedLimit};

/// Bytes of a segment file before its first record.
const SEGMENT_HEADER_BYTES: u64 = 4096;
const FIRST_BOOT: u64 = 1;

/// The seed of a random test: that of the environment variable `GOREDIS_TEST_SEED`, or a new one. It is printed, and
/// so shown when the test fails.
pub(super) fn seed() -> u64 {
    let fresh = || std::time::UNIX_EPOCH.elapsed().map_or(1, |since| since.as_nanos() as u64);
    let seed = std::env::var("GOREDIS_TEST_SEED").map_or_else(|_| fresh(), |text| text.parse().unwrap());
    println!("to repeat: GOREDIS_TEST_SEED={seed}");
    seed
}

/// The system without its syncs, and with a boot id that a test can change. Removed files are kept aside.
#[derive(Debug)]
struct TestStorage {
    boot: AtomicU64,
    removed: PathBuf,
}

impl TestStorage {
    fn aside(&self, path: &Path) -> PathBuf {
        self.removed.join(path.file_name().unwrap())
    }
}

impl Storage for TestStorage {
    fn boot_id(&self) -> u128 {
        u128::from(self.boot.load(Ordering::Relaxed))
    }
    fn allocate(&self, file: &File, path: &Path, bytes: u64) -> std::io::Result<()> {
        OsStorage.allocate(file, path, bytes)
    }
    fn sync_file(&self, _: &File, _: &Path) -> std::io::Result<()> {
        Ok(())
    }
    fn sync_range(&self, _: &MmapRaw, _: &Path, _: usize, _: usize) -> std::io::Result<()> {
        Ok(())
    }
    fn sync_dir(&self, _: &Path) -> std::io::Result<()> {
        Ok(())
    }
    fn remove(&self, path: &Path) -> std::io::Result<()> {
        let aside = self.aside(path);
        // Why: of several files of one name only the first can be in an image.
        if aside.exists() { OsStorage.remove(path) } else { std::fs::rename(path, aside) }
    }
}

/// Limits that collections of some entries outgrow.
fn small_limits() -> Limits {
    let packed = PackedLimit { entries: 6, value_bytes: 64 };
    Limits { hash: packed, set: packed, ints: 10, sorted_set: packed, list: ListLimit::Elements(6) }
}

/// All files of a database at one moment.
pub(super) type Image = Vec<(PathBuf, Vec<u8>)>;

/// A database folder of one test.
pub(super) struct Lab {
    _folder: tempfile::TempDir,
    pub(super) path: PathBuf,
    storage: Arc<TestStorage>,
}

impl Lab {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [files, removed] = ["files", "removed"].map(|name| folder.path().join(name));
        for folder in [&files, &removed] {
            std::fs::create_dir(folder).unwrap();
        }
        let storage = Arc::new(TestStorage { boot: AtomicU64::new(FIRST_BOOT), removed });
        Self { _folder: folder, path: files.join("data.db"), storage }
    }

    /// Small segments and blobs, so that few writes touch everything; no snapshot and no sync that the test does not
    /// ask for.
    pub(super) fn options(&self) -> EngineOptions {
        let log = LogOptions {
            segment_bytes: 64 << 10,
            blob_bytes: 4 << 10,
            payload_bytes_max: 1 << 19,
            window_bytes: 16 << 10,
            fsync: FsyncPolicy::No,
            // Why: files that are gone are kept aside here, for images in which they were not yet.
            spare_segments_max: 0,
            storage: Arc::clone(&self.storage) as Arc<dyn Storage>,
            ..LogOptions::new(Location::Files { dbfile: self.path.clone() })
        };
        EngineOptions {
            databases: 3,
            recovery_threads: 2,
            compaction: CompactionOptions { percentage: 0, bytes_min: 0 },
            limits: small_limits(),
            ..EngineOptions::new(log)
        }
    }

    pub(super) fn open(&self) -> Db {
        self.try_open().unwrap()
    }

    pub(super) fn try_open(&self) -> Result<Db, OpenError> {
        Db::open_with(self.options())
    }

    /// The next opening finds another boot: what was not synced may be lost.
    pub(super) fn lose_machine(&self) {
        self.storage.boot.fetch_add(1, Ordering::Relaxed);
    }

    /// The next opening finds the boot with which the test began.
    pub(super) fn find_machine(&self) {
        self.storage.boot.store(FIRST_BOOT, Ordering::Relaxed);
    }

    fn files(&self) -> Vec<PathBuf> {
        let folder = std::fs::read_dir(self.path.parent().unwrap()).unwrap();
        let mut files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| !path.to_string_lossy().ends_with(".lock"));
        files.sort();
        files
    }

    /// What a kill at this moment would leave.
    pub(super) fn image(&self) -> Image {
        // A file may be renamed or removed between its listing and its reading.
        self.files().into_iter().filter_map(|path| Some((path.clone(), std::fs::read(&path).ok()?))).collect()
    }

    /// Puts an image back, in place: files that recovery did not replace keep their inodes, so that it takes them for
    /// its own. The database is closed.
    pub(super) fn restore(&self, image: &Image) {
        for path in self.files() {
            if !image.iter().any(|(kept, _)| *kept == path) {
                std::fs::remove_file(path).unwrap();
            }
        }
        for (path, bytes) in image {
            let aside = self.storage.aside(path);
            if aside.exists() {
                std::fs::rename(aside, path).unwrap();
            }
            let file = File::options().write(true).create(true).truncate(false).open(path).unwrap();
            file.set_len(bytes.len() as u64).unwrap();
            file.write_all_at(bytes, 0).unwrap();
        }
    }

    /// The position of a segment file's first record; none for other files.
    pub(super) fn first_lsn(path: &Path) -> Option<u64> {
        let name = path.file_name()?.to_str()?;
        let digits = name.split(".log.").nth(1)?;
        digits.parse().ok()
    }
}

/// Zeroes everything in the log from `cut` on.
pub(super) fn zero_from(image: &mut Image, cut: Lsn) {
    for (path, bytes) in image {
        let Some(first) = Lab::first_lsn(path) else { continue };
        let at = (cut.get().saturating_sub(first) + SEGMENT_HEADER_BYTES) as usize;
        if at < bytes.len() {
            bytes[at..].fill(0);
        }
    }
}
