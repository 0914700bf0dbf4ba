//! The file below a writer: plain writes in bounded pieces, asking before each whether to go on.
//!
//! Owns the open file and knows how far it has come. After the first failure it refuses everything: what the file
//! holds is then unknown, and a later success must not hide it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use super::SnapshotError;
use super::options::{KeepGoing, SnapshotOptions};
use super::publish::Temporary;
use super::writeback::Writeback;

/// The most that goes to the system in one call, so that a huge value can be cancelled half-way.
const PIECE_BYTES: usize = 1 << 20;

/// A file that is written from its start to its end.
pub(super) struct Sink<'a> {
    file: File,
    temporary: Temporary,
    keep_going: KeepGoing<'a>,
    writeback: Writeback,
    offset: u64,
    failed: bool,
}

impl<'a> Sink<'a> {
    /// Creates the file, or empties the one that an earlier life left.
    pub(super) fn create(path: PathBuf, options: &SnapshotOptions<'a>) -> Result<Self, SnapshotError> {
        let opened = OpenOptions::new().write(true).create(true).truncate(true).open(&path);
        let file =
            opened.map_err(|source| SnapshotError::Io { action: "create", path: path.clone(), source })?;
        Ok(Self {
            file,
            temporary: Temporary::new(path),
            keep_going: options.keep_going,
            writeback: Writeback::new(options.writeback_bytes),
            offset: 0,
            failed: false,
        })
    }

    /// Where the next byte goes.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The file's name.
    pub(super) fn path(&self) -> PathBuf {
        self.temporary.path().to_owned()
    }

    /// Writes all of `bytes`.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        for piece in bytes.chunks(PIECE_BYTES) {
            self.write_piece(piece)?;
        }
        Ok(())
    }

    fn write_piece(&mut self, piece: &[u8]) -> Result<(), SnapshotError> {
        self.check_alive()?;
        // Invariant: `failed` stays set unless the whole piece is in the file.
        self.failed = true;
        if !(self.keep_going)() {
            return Err(SnapshotError::Cancelled { path: self.path() });
        }
        self.file.write_all(piece).map_err(|source| self.io("write", source))?;
        self.offset += piece.len() as u64;
        self.writeback.advance(&self.file, self.offset).map_err(|source| self.io("write back", source))?;
        self.failed = false;
        Ok(())
    }

    /// Refuses when an earlier write failed.
    pub(super) fn check_alive(&self) -> Result<(), SnapshotError> {
        if self.failed {
            return Err(SnapshotError::Abandoned { path: self.path() });
        }
        Ok(())
    }

    /// Puts the file on stable storage and hands its name on.
    pub(super) fn sync(self) -> Result<Temporary, SnapshotError> {
        self.check_alive()?;
        self.file.sync_all().map_err(|source| self.io("sync", source))?;
        Ok(self.temporary)
    }

    fn io(&self, action: &'static str, source: io::Error) -> SnapshotError {
        SnapshotError::Io { action, path: self.path(), source }
    }
}
