//! A database folder, filled through the library, and the program to look at it.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use goredis::log::snapshot::{SnapshotFooter, SnapshotOptions, SnapshotWriter};
use goredis::log::{
    FsyncPolicy, History, Location, Log, LogOptions, Lsn, OpenError, RecoveryReport, SnapshotBounds, open,
    segment_files,
};
use serde_json::Value;

/// When the records of these tests were written.
pub const TIME: u64 = 1_700_000_000_000;
/// A payload that is spilled into blobs.
pub const SPILLED_BYTES: usize = 3000;

/// A database folder of one test.
pub struct Lab {
    _dir: tempfile::TempDir,
    pub dbfile: PathBuf,
}

/// What a log held when it was opened.
pub struct Opened {
    pub log: Log,
    pub report: RecoveryReport,
    pub payloads: Vec<Vec<u8>>,
}

/// What the program said.
pub struct Said {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).expect("one JSON value")
    }

    pub fn json_lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
    }
}

impl Lab {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let dbfile = dir.path().join("data.db");
        Self { _dir: dir, dbfile }
    }

    /// A database of `records` records in small segments, stopped in order.
    pub fn with_records(records: usize) -> Self {
        let lab = Self::new();
        let opened = lab.open(None).expect("opened");
        for number in 0..records {
            append(&opened.log, &payload(number));
        }
        opened.log.shutdown().expect("shut down");
        lab
    }

    pub fn options(&self) -> LogOptions {
        LogOptions {
            segment_bytes: 4096 + 4096,
            blob_bytes: 1024,
            payload_bytes_max: 16 * 1024,
            window_bytes: 4096,
            fsync: FsyncPolicy::No,
            ..LogOptions::new(Location::Files { dbfile: self.dbfile.clone() })
        }
    }

    /// Opens the log. Waits for the lock: a program that another test starts holds the lock files of all tests
    /// between fork and exec.
    pub fn open(&self, snapshot: Option<SnapshotBounds>) -> Result<Opened, OpenError> {
        for _ in 0..100 {
            match self.try_open(snapshot) {
                Err(OpenError::Locked { .. }) => std::thread::sleep(Duration::from_millis(10)),
                other => return other,
            }
        }
        self.try_open(snapshot)
    }

    fn try_open(&self, snapshot: Option<SnapshotBounds>) -> Result<Opened, OpenError> {
        let mut payloads = Vec::new();
        let (log, report) = open(self.options(), snapshot)?.replay(
            &mut |record| {
                payloads.push(record.payload.to_vec());
                Ok(())
            },
            &mut |_| (),
        )?;
        Ok(Opened { log, report, payloads })
    }

    /// Writes a snapshot that says it was taken while the log went from `start` to `end`.
    pub fn write_snapshot(&self, history: History, start: Lsn, end: Lsn) -> SnapshotBounds {
        let options = SnapshotOptions { block_bytes: 64, ..SnapshotOptions::default() };
        let mut writer = SnapshotWriter::create(&self.dbfile, options).expect("created");
        for entry in [&b"first\x00"[..], b"second", &[b'x'; 200]] {
            writer.push(&[entry]).expect("pushed");
        }
        let footer = SnapshotFooter {
            start,
            end,
            retention_floor: start,
            history,
            hash_seed: 7,
            created_unix_ms: TIME,
        };
        let _info = writer.finish(footer).expect("finished").publish().expect("published");
        SnapshotBounds { start, end, history }
    }

    /// Runs the program with `command` on this database. Waits for the lock as [`Lab::open`] does.
    pub fn run(&self, command: &[&str]) -> Said {
        for _ in 0..100 {
            let said = self.run_once(command);
            if !said.err.contains("is open in another server") {
                return said;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.run_once(command)
    }

    /// The same, whoever holds the lock.
    pub fn run_once(&self, command: &[&str]) -> Said {
        let mut program = Command::new(env!("CARGO_BIN_EXE_goredis-log"));
        let Output { status, stdout, stderr } =
            program.arg(command[0]).arg(&self.dbfile).args(&command[1..]).output().expect("started");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let status = status.code().expect("ended by itself");
        Said { status, out: text(stdout), err: text(stderr) }
    }

    /// The segment files, oldest first.
    pub fn segments(&self) -> Vec<PathBuf> {
        segment_files(&self.dbfile).expect("listed").into_iter().map(|(_, path)| path).collect()
    }

    /// Every file of the folder with its bytes, by name.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let folder = self.dbfile.parent().expect("a folder");
        let paths = fs::read_dir(folder).expect("listed").map(|entry| entry.expect("entry").path());
        let mut files: Vec<_> = paths.map(|path| (path.clone(), fs::read(path).expect("read"))).collect();
        files.sort();
        files
    }

    /// The segments with their bytes, as a kill at this moment would leave them: a running log makes further ones
    /// under other names.
    pub fn image(&self) -> Vec<(PathBuf, Vec<u8>)> {
        self.segments().into_iter().map(|path| (path.clone(), fs::read(path).expect("read"))).collect()
    }

    /// Puts a copy in the place of every segment, as when a database is moved.
    pub fn move_files(&self) {
        for path in self.segments() {
            // Why by way of another name: what is removed first may get its inode back.
            let copy = path.with_extension("copy");
            fs::copy(&path, &copy).expect("copied");
            fs::rename(&copy, &path).expect("renamed");
        }
    }

    /// Makes the folder hold `files` and nothing else. Files that are there keep their inodes.
    pub fn restore(&self, files: &[(PathBuf, Vec<u8>)]) {
        for (path, _) in self.files() {
            if files.iter().all(|(kept, _)| *kept != path) {
                fs::remove_file(path).expect("removed");
            }
        }
        for (path, bytes) in files {
            fs::write(path, bytes).expect("written");
        }
    }
}

/// The payload of record `number`: it says which it is. Every tenth is large.
pub fn payload(number: usize) -> Vec<u8> {
    let mut bytes = format!("{number}:").into_bytes();
    bytes.resize(if number % 10 == 9 { SPILLED_BYTES } else { 300 }, b'a' + (number % 26) as u8);
    bytes
}

pub fn append(log: &Log, payload: &[u8]) -> Lsn {
    let guard = crossbeam_epoch::pin();
    let mut reservation = if payload.len() > 1024 {
        log.reserve_spilled(&[payload], TIME, &guard).expect("reserved")
    } else {
        let mut reservation = log.reserve(payload.len(), TIME, &guard).expect("reserved");
        reservation.payload_mut().copy_from_slice(payload);
        reservation
    };
    reservation.seal().expect("sealed");
    let lsn = reservation.lsn();
    reservation.commit().expect("committed");
    lsn
}

/// Changes one byte of a file.
pub fn flip(path: &Path, offset: u64) {
    let file = fs::OpenOptions::new().read(true).write(true).open(path).expect("opened");
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).expect("read");
    file.write_all_at(&[byte[0] ^ 0x10], offset).expect("written");
}
