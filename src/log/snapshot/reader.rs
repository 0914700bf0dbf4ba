//! Reads a snapshot: the fixed parts when it is opened, then any block by its number.
//!
//! Owns the open file and the index, both immutable, so that any number of threads may read blocks at once, each
//! into its own buffer. The open file stays readable after a newer snapshot has taken its name.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::format::{FRAME_BYTES, Footer, HEADER_MAGIC, Header, INDEX_ENTRY_BYTES};
use super::publish::remove_if_there;
use super::{
    Block, BlockPlace, Damage, FOOTER_BYTES, HEADER_BYTES, SnapshotError, SnapshotFooter, SnapshotTotals,
    VERSION, temporary_path,
};

/// An open snapshot whose header, footer and index are whole.
#[derive(Debug)]
pub struct SnapshotReader {
    path: PathBuf,
    file: File,
    footer: SnapshotFooter,
    totals: SnapshotTotals,
    index: Vec<BlockPlace>,
}

impl SnapshotReader {
    /// Opens the snapshot of the database `dbfile`; `None` when there is none.
    ///
    /// # Errors
    /// The file cannot be read, is no snapshot, is of a newer version, or its header, footer or index are damaged.
    pub fn open(dbfile: &Path) -> Result<Option<Self>, SnapshotError> {
        let io_error = |action, source| SnapshotError::Io { action, path: dbfile.to_owned(), source };
        let file = match File::open(dbfile) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("open", error)),
        };
        let file_bytes = file.metadata().map_err(|error| io_error("look at", error))?.len();
        let input = Input { file: &file, path: dbfile };
        let header = input.read_header(file_bytes)?;
        let footer = input.read_footer(file_bytes)?;
        let index = input.read_index(&footer)?;
        input.check_index(header.block_bytes, &footer, &index)?;
        let totals = SnapshotTotals {
            blocks: footer.blocks,
            entries: footer.entries,
            entry_bytes: footer.entry_bytes,
            file_bytes,
        };
        Ok(Some(Self { path: dbfile.to_owned(), footer: footer.facts, totals, index, file }))
    }

    /// Removes what a crash left of a snapshot being written; says whether there was anything.
    ///
    /// The caller holds the database's lock.
    ///
    /// # Errors
    /// The file is there and cannot be removed.
    pub fn remove_leftover(dbfile: &Path) -> Result<bool, SnapshotError> {
        let path = temporary_path(dbfile);
        remove_if_there(&path).map_err(|source| SnapshotError::Io { action: "remove", path, source })
    }

    /// Where the file was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the snapshot's maker said.
    pub fn footer(&self) -> &SnapshotFooter {
        &self.footer
    }

    /// What the snapshot's writer counted.
    pub fn totals(&self) -> &SnapshotTotals {
        &self.totals
    }

    /// How many blocks there are.
    pub fn block_count(&self) -> usize {
        self.index.len()
    }

    /// Where each block lies, in the order of the file.
    pub fn places(&self) -> &[BlockPlace] {
        &self.index
    }

    /// Reads a block into `buffer`, whose earlier content is lost, and checks every byte of it.
    ///
    /// # Errors
    /// The block cannot be read, is damaged, or there is no memory for it.
    ///
    /// # Panics
    /// There is no block of that number.
    pub fn read_block<'b>(&self, block: usize, buffer: &'b mut Vec<u8>) -> Result<Block<'b>, SnapshotError> {
        let place = &self.index[block];
        let input = Input { file: &self.file, path: &self.path };
        input.read(place.offset, place.bytes, buffer)?;
        Block::check(buffer, block as u64, place).map_err(|reason| input.damaged(place.offset, reason))
    }
}

/// The file while it is read, with the name that errors give.
struct Input<'a> {
    file: &'a File,
    path: &'a Path,
}

impl Input<'_> {
    fn read_header(&self, file_bytes: u64) -> Result<Header, SnapshotError> {
        let mut magic = [0; HEADER_MAGIC.len()];
        if file_bytes >= magic.len() as u64 {
            self.read_exact(0, &mut magic)?;
            if magic != HEADER_MAGIC {
                return Err(SnapshotError::Foreign { path: self.path.to_owned() });
            }
        }
        if file_bytes < HEADER_BYTES + FOOTER_BYTES {
            return Err(self.damaged(file_bytes, Damage::TooShort { bytes: file_bytes }));
        }
        let mut bytes = [0; HEADER_BYTES as usize];
        self.read_exact(0, &mut bytes)?;
        let version = Header::decode_version(&bytes).map_err(|reason| self.damaged(0, reason))?;
        if version > VERSION {
            let path = self.path.to_owned();
            return Err(SnapshotError::NewerVersion { path, found: version, supported: VERSION });
        }
        Header::decode(&bytes).map_err(|reason| self.damaged(0, reason))
    }

    fn read_footer(&self, file_bytes: u64) -> Result<Footer, SnapshotError> {
        let offset = file_bytes - FOOTER_BYTES;
        let mut bytes = [0; FOOTER_BYTES as usize];
        self.read_exact(offset, &mut bytes)?;
        Footer::decode(&bytes, file_bytes).map_err(|reason| self.damaged(offset, reason))
    }

    fn read_index(&self, footer: &Footer) -> Result<Vec<BlockPlace>, SnapshotError> {
        let mut bytes = Vec::new();
        self.read(footer.index_offset, footer.blocks * INDEX_ENTRY_BYTES, &mut bytes)?;
        let expected = crc32fast::hash(&bytes);
        if footer.index_crc != expected {
            let reason = Damage::IndexChecksum { found: footer.index_crc, expected };
            return Err(self.damaged(footer.index_offset, reason));
        }
        Ok(bytes.chunks_exact(INDEX_ENTRY_BYTES as usize).map(BlockPlace::decode).collect())
    }

    /// Checks that the blocks follow each other from the header to the index, and that they add up.
    fn check_index(
        &self,
        block_bytes: u32,
        footer: &Footer,
        index: &[BlockPlace],
    ) -> Result<(), SnapshotError> {
        let (mut offset, mut entries, mut entry_bytes) = (HEADER_BYTES, 0_u64, 0_u64);
        for (block, place) in (0..).zip(index) {
            place
                .check(block, offset, footer.index_offset, block_bytes)
                .map_err(|reason| self.damaged(footer.index_offset + block * INDEX_ENTRY_BYTES, reason))?;
            offset = place.end();
            entries += u64::from(place.entries);
            entry_bytes += place.bytes - u64::from(place.entries) * FRAME_BYTES;
        }
        let wrong = |field, value| {
            let at = footer.index_offset + footer.blocks * INDEX_ENTRY_BYTES;
            Err(self.damaged(at, Damage::FooterField { field, value }))
        };
        if offset != footer.index_offset {
            return wrong("index offset", footer.index_offset);
        }
        if entries != footer.entries {
            return wrong("entry count", footer.entries);
        }
        if entry_bytes != footer.entry_bytes {
            return wrong("entry bytes", footer.entry_bytes);
        }
        Ok(())
    }

    /// Makes `buffer` hold `bytes` bytes of the file.
    fn read(&self, offset: u64, bytes: u64, buffer: &mut Vec<u8>) -> Result<(), SnapshotError> {
        let missing = (bytes as usize).saturating_sub(buffer.len());
        if buffer.try_reserve_exact(missing).is_err() {
            return Err(SnapshotError::OutOfMemory { path: self.path.to_owned(), offset, bytes });
        }
        buffer.resize(bytes as usize, 0);
        self.read_exact(offset, buffer)
    }

    fn read_exact(&self, offset: u64, buffer: &mut [u8]) -> Result<(), SnapshotError> {
        self.file.read_exact_at(buffer, offset).map_err(|source| SnapshotError::Read {
            path: self.path.to_owned(),
            offset,
            bytes: buffer.len() as u64,
            source,
        })
    }

    fn damaged(&self, offset: u64, reason: Damage) -> SnapshotError {
        SnapshotError::Damaged { path: self.path.to_owned(), offset, reason }
    }
}
