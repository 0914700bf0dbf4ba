//! Spares: files of segments that are gone, kept to be made into new ones.
//!
//! The pages of a new file have to be found, zeroed and named by the system one by one, and those of a removed one to
//! be taken apart; on some machines the memory itself comes from elsewhere each time. A file that is used again keeps its
//! pages and its place on the disk. Only a log that grows fast keeps spares: see `allocator.rs`.
//!
//! The thread that removes segments puts spares in, the allocator takes them out.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::names::{folder, spare_path};
use super::storage::Storage;
use crate::sync::{AtomicBool, Ordering};

/// The spares of one log.
#[derive(Debug)]
pub(super) struct Spares {
    files: Mutex<Vec<PathBuf>>,
    files_max: usize,
    wanted: AtomicBool,
}

impl Spares {
    /// Room for `files_max` spares; none are wanted yet.
    pub(super) fn new(files_max: usize) -> Self {
        Self { files: Mutex::default(), files_max, wanted: AtomicBool::new(false) }
    }

    /// Has files be kept from now on.
    pub(super) fn want(&self) {
        // Relaxed: a hint.
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// Takes the file of a segment that nobody needs any more out of the log, and keeps it. False: it is not wanted, and
    /// nothing was done. One caller at a time, who is not pinned: it may wait for the disk.
    ///
    /// # Errors
    /// As the system says.
    pub(super) fn keep(&self, segment: &Path, storage: &dyn Storage) -> io::Result<bool> {
        // Relaxed: as above.
        let wanted = self.wanted.load(Ordering::Relaxed);
        if !wanted || self.files().len() >= self.files_max {
            return Ok(false);
        }
        let spare = spare_path(segment);
        std::fs::rename(segment, &spare)?;
        // Order: 1 the old name is gone for good, 2 the file may be written over; or else after a power loss that name
        // leads to what another segment holds.
        if let Err(error) = storage.sync_dir(&folder(segment)) {
            tracing::warn!(path = %spare.display(), %error, "not kept for another log segment");
            return storage.remove(&spare).map(|()| true);
        }
        self.files().push(spare);
        Ok(true)
    }

    /// A spare, for the caller to do with as he likes.
    pub(super) fn take(&self) -> Option<PathBuf> {
        self.files().pop()
    }

    /// Removes what is kept; nothing is from now on.
    pub(super) fn remove(&self, storage: &dyn Storage) {
        // Relaxed: as above. One that is being kept just now stays until this is called again, or the log is opened.
        self.wanted.store(false, Ordering::Relaxed);
        while let Some(spare) = self.take() {
            // Why the result is not looked at: opening the log removes what is left.
            let _ = storage.remove(&spare);
        }
    }

    fn files(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
