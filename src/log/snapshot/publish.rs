//! From a finished file to the database's snapshot: the rename, and what happens to a file that is not wanted.
//!
//! Owns the temporary name. The engine keeps a [`FinishedSnapshot`] while it waits for the log to be durable up to
//! the snapshot's end, then publishes it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{SnapshotError, SnapshotFooter, SnapshotTotals};

/// A file that is removed unless it is renamed.
#[derive(Debug)]
pub(super) struct Temporary {
    path: PathBuf,
    renamed: bool,
}

impl Temporary {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, renamed: false }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn rename(mut self, to: &Path) -> io::Result<()> {
        fs::rename(&self.path, to)?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.renamed {
            return;
        }
        if let Err(error) = remove_if_there(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove an unfinished snapshot");
        }
    }
}

/// Removes a file; says whether there was one.
pub(super) fn remove_if_there(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// A snapshot that is whole and on stable storage, under its temporary name. Dropped, it is removed.
#[derive(Debug)]
#[must_use = "an unpublished snapshot is removed"]
pub struct FinishedSnapshot {
    pub(super) temporary: Temporary,
    pub(super) info: SnapshotInfo,
}

impl FinishedSnapshot {
    /// What it is.
    pub fn info(&self) -> &SnapshotInfo {
        &self.info
    }

    /// Puts the snapshot in the place of the database's earlier one, and makes that durable.
    ///
    /// The log must be durable up to the footer's end before, and none of it may be dropped until this returns.
    ///
    /// # Errors
    /// Renaming failed: the earlier snapshot is still in its place. Or syncing the directory failed: the new one is
    /// in its place, but either may be found after a power loss, so the log that the earlier one needs must stay.
    pub fn publish(self) -> Result<SnapshotInfo, SnapshotError> {
        let Self { temporary, info } = self;
        // Order: 1 the file's bytes were synced by `finish`, 2 rename, 3 sync the directory, or else a power loss
        // leaves a name without bytes, or the caller drops log that the surviving snapshot needs.
        temporary.rename(&info.path).map_err(|source| SnapshotError::Io {
            action: "put a snapshot in the place of",
            path: info.path.clone(),
            source,
        })?;
        let directory = directory_of(&info.path);
        File::open(&directory).and_then(|opened| opened.sync_all()).map_err(|source| SnapshotError::Io {
            action: "sync the directory",
            path: directory,
            source,
        })?;
        Ok(info)
    }
}

/// The directory that holds `path`'s name.
fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// What a finished snapshot is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotInfo {
    /// The database's file.
    pub path: PathBuf,
    /// What its maker said.
    pub footer: SnapshotFooter,
    /// What its writer counted.
    pub totals: SnapshotTotals,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_file_name_lies_in_the_current_directory() {
        assert_eq!(directory_of(Path::new("data.db")), Path::new("."));
        assert_eq!(directory_of(Path::new("dir/data.db")), Path::new("dir"));
        assert_eq!(directory_of(Path::new("/data.db")), Path::new("/"));
    }
}
