//! Keeps the page cache from filling with a file that is only written: starts writeback early, and lets go of
//! what has reached the disk.
//!
//! Called by the sink after each write, from one thread. It bounds how much of the file is dirty, which keeps the
//! final sync short and the kernel from stalling other writers; it promises no durability.

use std::fs::File;
use std::io;

/// How far writeback has come in one file.
pub(super) struct Writeback {
    every: u64,
    started: u64,
    settled: u64,
}

impl Writeback {
    /// Starts writeback after every `every` bytes.
    pub(super) fn new(every: u64) -> Self {
        Self { every, started: 0, settled: 0 }
    }

    /// Told that the file has been written up to `offset`.
    ///
    /// # Errors
    /// Writing an earlier part back failed. The kernel reports that once per open file, so it must not be ignored.
    pub(super) fn advance(&mut self, file: &File, offset: u64) -> io::Result<()> {
        if offset - self.started < self.every {
            return Ok(());
        }
        // Order: 1 start the newest stretch, 2 wait for the one before, or else the disk idles while we wait.
        platform::start(file, self.started, offset - self.started)?;
        platform::settle(file, self.settled, self.started - self.settled)?;
        self.settled = self.started;
        self.started = offset;
        Ok(())
    }
}

#[cfg(target_os = "linux")]
mod platform {
    use std::fs::File;
    use std::io;
    use std::os::fd::AsRawFd;

    const SETTLE: libc::c_uint =
        libc::SYNC_FILE_RANGE_WAIT_BEFORE | libc::SYNC_FILE_RANGE_WRITE | libc::SYNC_FILE_RANGE_WAIT_AFTER;

    /// Starts writing a stretch back, without waiting for it.
    pub(super) fn start(file: &File, offset: u64, bytes: u64) -> io::Result<()> {
        sync_range(file, offset, bytes, libc::SYNC_FILE_RANGE_WRITE)
    }

    /// Waits until a stretch has been written back, then drops it from the page cache.
    pub(super) fn settle(file: &File, offset: u64, bytes: u64) -> io::Result<()> {
        // Why: a length of zero means "to the end of the file" to both calls.
        if bytes == 0 {
            return Ok(());
        }
        sync_range(file, offset, bytes, SETTLE)?;
        // SAFETY: takes no pointer; the descriptor is open because `file` is borrowed. It is advice, so that its
        // failure means nothing.
        unsafe {
            libc::posix_fadvise(
                file.as_raw_fd(),
                offset as libc::off_t,
                bytes as libc::off_t,
                libc::POSIX_FADV_DONTNEED,
            );
        }
        Ok(())
    }

    fn sync_range(file: &File, offset: u64, bytes: u64, flags: libc::c_uint) -> io::Result<()> {
        // SAFETY: takes no pointer; the descriptor is open because `file` is borrowed.
        let done = unsafe {
            libc::sync_file_range(file.as_raw_fd(), offset as libc::off64_t, bytes as libc::off64_t, flags)
        };
        if done == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            // Why: a file system without it only makes the final sync longer.
            Some(libc::ENOSYS | libc::EINVAL | libc::ESPIPE | libc::EOPNOTSUPP) => Ok(()),
            _ => Err(error),
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use std::fs::File;
    use std::io;

    #[expect(clippy::unnecessary_wraps, reason = "the same shape as where the call exists")]
    pub(super) fn start(_: &File, _: u64, _: u64) -> io::Result<()> {
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "the same shape as where the call exists")]
    pub(super) fn settle(_: &File, _: u64, _: u64) -> io::Result<()> {
        Ok(())
    }
}
