//! The lock file that keeps a second server away from the same database.
//!
//! Taken before anything else of the database is looked at, the snapshot included; held as long as the log is
//! open. The kernel drops the lock when the process dies, however it dies; the file itself stays.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use super::error::OpenError;

/// The right to open one database, held until dropped.
#[derive(Debug)]
pub struct LockFile {
    dbfile: PathBuf,
    /// Held for its lock: closing it gives the database free.
    _file: File,
}

impl LockFile {
    /// Takes the lock of the database `dbfile`: the file `<dbfile>.lock`.
    ///
    /// # Errors
    /// [`OpenError::Locked`] when another process holds it, [`OpenError::LockFile`] when the file cannot be made.
    pub fn take(dbfile: &Path) -> Result<Self, OpenError> {
        let path = lock_path(dbfile);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(|source| OpenError::LockFile { path: path.clone(), source })?;
        // SAFETY: the descriptor is open for the whole call, as `file` owns it; flock touches no memory.
        if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } != 0 {
            let source = io::Error::last_os_error();
            if source.kind() == io::ErrorKind::WouldBlock {
                return Err(OpenError::Locked { path, holder: read_holder(&mut file) });
            }
            return Err(OpenError::io("lock", &path, source));
        }
        write_holder(&mut file).map_err(|source| OpenError::io("write the lock file", &path, source))?;
        Ok(Self { dbfile: dbfile.to_path_buf(), _file: file })
    }

    /// The database that is locked.
    pub fn dbfile(&self) -> &Path {
        &self.dbfile
    }
}

fn lock_path(dbfile: &Path) -> PathBuf {
    let mut name = dbfile.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// The process id in the file, for the message only: the lock is the kernel's, not the text's.
fn read_holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn write_holder(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    writeln!(file, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_taker_is_told_who_holds_it_until_the_first_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let dbfile = dir.path().join("data.db");
        let first = LockFile::take(&dbfile).unwrap();
        match LockFile::take(&dbfile) {
            Err(OpenError::Locked { path, holder }) => {
                assert_eq!(path, dir.path().join("data.db.lock"));
                assert_eq!(holder, Some(std::process::id()));
            }
            other => panic!("{other:?}"),
        }
        drop(first);
        LockFile::take(&dbfile).unwrap();
    }

    #[test]
    fn a_missing_folder_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = LockFile::take(&dir.path().join("none/data.db")).unwrap_err();
        assert!(error.to_string().contains("none/data.db.lock"), "{error}");
    }
}
