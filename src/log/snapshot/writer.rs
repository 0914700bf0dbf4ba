//! Writes a snapshot: entries into blocks, blocks into the file, then the index and the footer.
//!
//! Owns one block's worth of memory and 24 bytes per block written. An entry that does not fit a block goes
//! to the file from the caller's memory, without a copy. Called by one background thread of the engine.

use std::path::{Path, PathBuf};

use super::format::{FRAME_BYTES, Footer, Header, INDEX_ENTRY_BYTES};
use super::sink::Sink;
use super::{
    BLOCKS_MAX, BlockPlace, ENTRY_BYTES_MAX, FOOTER_BYTES, FinishedSnapshot, HEADER_BYTES, SnapshotError,
    SnapshotFooter, SnapshotInfo, SnapshotOptions, SnapshotTotals, VERSION, temporary_path,
};

/// A snapshot being written, under its temporary name. Dropped, the file is removed.
pub struct SnapshotWriter<'a> {
    dbfile: PathBuf,
    sink: Sink<'a>,
    block_bytes: usize,
    block: OpenBlock,
    index: Vec<BlockPlace>,
    entries: u64,
    entry_bytes: u64,
}

/// The block that entries are added to. Its first bytes may be in the file already.
struct OpenBlock {
    offset: u64,
    entries: u32,
    crc: crc32fast::Hasher,
    /// What has not been written yet; never grows beyond a block.
    buffer: Vec<u8>,
}

impl<'a> SnapshotWriter<'a> {
    /// Starts a snapshot of the database `dbfile` in `<dbfile>.tmp`.
    ///
    /// # Errors
    /// An option is out of its limits, the file cannot be created or written, or the hook says stop.
    pub fn create(dbfile: &Path, options: SnapshotOptions<'a>) -> Result<Self, SnapshotError> {
        options.check()?;
        let mut sink = Sink::create(temporary_path(dbfile), &options)?;
        sink.write(&Header { version: VERSION, block_bytes: options.block_bytes }.encode())?;
        let block_bytes = options.block_bytes as usize;
        Ok(Self {
            dbfile: dbfile.to_owned(),
            sink,
            block_bytes,
            block: OpenBlock {
                offset: HEADER_BYTES,
                entries: 0,
                crc: crc32fast::Hasher::new(),
                buffer: Vec::with_capacity(block_bytes),
            },
            index: Vec::new(),
            entries: 0,
            entry_bytes: 0,
        })
    }

    /// How many entries have been pushed.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// How many bytes have gone to the file.
    pub fn written_bytes(&self) -> u64 {
        self.sink.offset()
    }

    /// Adds one entry: the bytes of all parts, one behind the other.
    ///
    /// # Errors
    /// The entry or the file is too large, writing fails, or the hook says stop. After any but the first, the
    /// snapshot cannot be finished any more.
    pub fn push(&mut self, entry: &[&[u8]]) -> Result<(), SnapshotError> {
        self.sink.check_alive()?;
        let bytes = entry_bytes(entry)?;
        let framed = FRAME_BYTES + bytes;
        if self.block.entries > 0 && self.block.buffer.len() as u64 + framed > self.block_bytes as u64 {
            self.end_block()?;
        }
        self.append(&(bytes as u32).to_le_bytes())?;
        for part in entry {
            self.append(part)?;
        }
        self.block.entries += 1;
        self.entries += 1;
        self.entry_bytes += bytes;
        // Why: what does not fit a block must not share one, so that a reader's block size bounds its buffer
        // wherever that is possible.
        if framed > self.block_bytes as u64 {
            self.end_block()?;
        }
        Ok(())
    }

    /// Completes the file and puts it on stable storage, still under its temporary name.
    ///
    /// # Errors
    /// The footer's LSNs contradict each other, writing or syncing fails or failed before, or the hook says stop.
    /// The file is then removed.
    pub fn finish(mut self, footer: SnapshotFooter) -> Result<FinishedSnapshot, SnapshotError> {
        self.sink.check_alive()?;
        check_order(&footer)?;
        if self.block.entries > 0 {
            self.end_block()?;
        }
        let index_offset = self.sink.offset();
        let index_crc = self.write_index()?;
        let totals = SnapshotTotals {
            blocks: self.index.len() as u64,
            entries: self.entries,
            entry_bytes: self.entry_bytes,
            file_bytes: self.sink.offset() + FOOTER_BYTES,
        };
        let last = Footer {
            facts: footer,
            index_offset,
            index_crc,
            blocks: totals.blocks,
            entries: totals.entries,
            entry_bytes: totals.entry_bytes,
        };
        self.sink.write(&last.encode())?;
        let temporary = self.sink.sync()?;
        Ok(FinishedSnapshot { temporary, info: SnapshotInfo { path: self.dbfile, footer, totals } })
    }

    /// Adds bytes to the open block, through the buffer unless they are too many for it.
    fn append(&mut self, part: &[u8]) -> Result<(), SnapshotError> {
        if self.block.buffer.len() + part.len() <= self.block_bytes {
            self.block.buffer.extend_from_slice(part);
            return Ok(());
        }
        self.append_slow(part)
    }

    #[cold]
    fn append_slow(&mut self, part: &[u8]) -> Result<(), SnapshotError> {
        self.spill()?;
        if part.len() <= self.block_bytes {
            self.block.buffer.extend_from_slice(part);
            return Ok(());
        }
        self.block.crc.update(part);
        self.sink.write(part)
    }

    /// Writes what the buffer holds.
    fn spill(&mut self) -> Result<(), SnapshotError> {
        self.block.crc.update(&self.block.buffer);
        self.sink.write(&self.block.buffer)?;
        self.block.buffer.clear();
        Ok(())
    }

    /// Completes the open block, and opens the next one behind it.
    fn end_block(&mut self) -> Result<(), SnapshotError> {
        if self.index.len() as u64 >= BLOCKS_MAX {
            return Err(SnapshotError::TooManyBlocks { path: self.sink.path(), max: BLOCKS_MAX });
        }
        self.spill()?;
        self.index.push(BlockPlace {
            offset: self.block.offset,
            bytes: self.sink.offset() - self.block.offset,
            entries: self.block.entries,
            crc: std::mem::take(&mut self.block.crc).finalize(),
        });
        self.block.offset = self.sink.offset();
        self.block.entries = 0;
        Ok(())
    }

    /// Writes the index in pieces of a block's size; returns its checksum.
    fn write_index(&mut self) -> Result<u32, SnapshotError> {
        let mut crc = crc32fast::Hasher::new();
        let per_piece = self.block_bytes / INDEX_ENTRY_BYTES as usize;
        for places in self.index.chunks(per_piece) {
            let buffer = &mut self.block.buffer;
            buffer.clear();
            for place in places {
                buffer.extend_from_slice(&place.encode());
            }
            crc.update(buffer);
            self.sink.write(buffer)?;
        }
        Ok(crc.finalize())
    }
}

fn check_order(footer: &SnapshotFooter) -> Result<(), SnapshotError> {
    if footer.is_ordered() {
        return Ok(());
    }
    Err(SnapshotError::FooterOrder {
        floor: footer.retention_floor.get(),
        start: footer.start.get(),
        end: footer.end.get(),
    })
}

/// The length of an entry, if a frame can say it.
fn entry_bytes(entry: &[&[u8]]) -> Result<u64, SnapshotError> {
    let bytes = entry.iter().fold(0_u64, |sum, part| sum.saturating_add(part.len() as u64));
    if bytes > ENTRY_BYTES_MAX {
        return Err(SnapshotError::EntryTooLarge { bytes, max: ENTRY_BYTES_MAX });
    }
    Ok(bytes)
}
