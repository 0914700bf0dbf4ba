//! The system calls beneath the log that can fail, as a seam.
//!
//! The running log and recovery go through this trait for everything that allocates or makes durable, so that
//! tests can fail the n-th call, or keep what a power loss would have kept. One call per sync or per segment:
//! nothing on the append path.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

use memmap2::MmapRaw;

use super::identity;

/// Allocates, syncs and deletes files.
pub trait Storage: Send + Sync + fmt::Debug {
    /// The id of the running boot; see [`super::Identity`].
    fn boot_id(&self) -> u128;

    /// Gives `file` really allocated space for `bytes` bytes, which read as zeros.
    ///
    /// # Errors
    /// As the system says; most often that there is no space.
    fn allocate(&self, file: &File, path: &Path, bytes: u64) -> io::Result<()>;

    /// Makes all of `file` durable.
    ///
    /// # Errors
    /// As the system says; what was written may be lost then.
    fn sync_file(&self, file: &File, path: &Path) -> io::Result<()>;

    /// Makes a range of the mapped file at `path` durable. `offset` is a multiple of the page size.
    ///
    /// # Errors
    /// As the system says; what was written may be lost then.
    fn sync_range(&self, mapping: &MmapRaw, path: &Path, offset: usize, len: usize) -> io::Result<()>;

    /// Makes the names in a folder durable.
    ///
    /// # Errors
    /// As the system says; names made or removed may come back as they were.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Deletes a file.
    ///
    /// # Errors
    /// As the system says.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// The system itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsStorage;

impl Storage for OsStorage {
    fn boot_id(&self) -> u128 {
        identity::boot_id()
    }

    fn allocate(&self, file: &File, _path: &Path, bytes: u64) -> io::Result<()> {
        let length = libc::off_t::try_from(bytes).map_err(io::Error::other)?;
        loop {
            // SAFETY: the descriptor is open for the whole call, as `file` is borrowed; no memory is passed.
            if unsafe { libc::fallocate(file.as_raw_fd(), 0, 0, length) } == 0 {
                return Ok(());
            }
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                Some(libc::EINTR) => {}
                Some(libc::EOPNOTSUPP) => return write_zeros(file, bytes),
                _ => return Err(error),
            }
        }
    }

    fn sync_file(&self, file: &File, _path: &Path) -> io::Result<()> {
        file.sync_all()
    }

    fn sync_range(&self, mapping: &MmapRaw, _path: &Path, offset: usize, len: usize) -> io::Result<()> {
        mapping.flush_range(offset, len)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }
}

/// For file systems that cannot reserve space.
fn write_zeros(file: &File, bytes: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    let zeros = vec![0; 1 << 20];
    let mut at = 0;
    while at < bytes {
        let len = (bytes - at).min(zeros.len() as u64);
        file.write_all_at(&zeros[..len as usize], at)?;
        at += len;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn allocated_space_is_real_and_reads_as_zeros() {
        let file = tempfile::NamedTempFile::new().unwrap();
        OsStorage.allocate(file.as_file(), file.path(), 1 << 20).unwrap();
        let metadata = file.as_file().metadata().unwrap();
        assert_eq!(metadata.len(), 1 << 20);
        assert!(metadata.blocks() * 512 >= 1 << 20);
        assert!(std::fs::read(file.path()).unwrap().iter().all(|byte| *byte == 0));
    }

    #[test]
    fn zeros_are_written_where_space_cannot_be_reserved() {
        let file = tempfile::NamedTempFile::new().unwrap();
        write_zeros(file.as_file(), (1 << 20) + 4096).unwrap();
        assert_eq!(file.as_file().metadata().unwrap().len(), (1 << 20) + 4096);
    }
}
