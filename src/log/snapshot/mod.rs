#![doc = include_str!("FORMAT.md")]
//!
//! # The module
//!
//! Owns the bytes of the snapshot file `data.db`, and of nothing else: an entry is opaque here, neither key nor
//! value. The engine writes one entry per key through a [`SnapshotWriter`] and, at the next start, hands the
//! blocks of a [`SnapshotReader`] to as many threads as it likes; the log inspector reads it too.
//!
//! Promised: a published snapshot is whole and on stable storage; until [`FinishedSnapshot::publish`] has renamed
//! it, the one before it stays as it was; any changed, missing or surplus byte is an error that names file and
//! offset, found when the file is opened or when the block that holds it is read. Not promised: that entries are
//! unique, ordered or meaningful, and that two writers of one file keep apart. That takes the lock of the
//! database, which the caller holds.
//!
//! Nothing here is shared between threads while it changes: a writer belongs to one thread, a reader is immutable.

mod block;
mod error;
mod format;
mod options;
mod publish;
mod reader;
mod sink;
mod writeback;
mod writer;

pub use block::{Block, Entries};
pub use error::{Damage, SnapshotError};
pub use format::{BLOCKS_MAX, ENTRY_BYTES_MAX, FOOTER_BYTES, HEADER_BYTES, VERSION};
pub use format::{BlockPlace, SnapshotFooter, SnapshotTotals};
pub use options::{KeepGoing, SnapshotOptions};
pub use publish::{FinishedSnapshot, SnapshotInfo};
pub use reader::SnapshotReader;
pub use writer::SnapshotWriter;

use std::path::{Path, PathBuf};

/// The name under which a snapshot of `dbfile` is written until it is whole: `<dbfile>.tmp`.
pub fn temporary_path(dbfile: &Path) -> PathBuf {
    let mut name = dbfile.as_os_str().to_owned();
    name.push(".tmp");
    PathBuf::from(name)
}

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod tests;
