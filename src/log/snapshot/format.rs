//! The fixed parts of the file: header, index entry, footer. Bytes to fields and back, and what a field may hold.
//!
//! Owns every constant of the layout that `FORMAT.md` gives. The writer encodes with it, the reader decodes;
//! decoding never trusts a length before its checksum and its limits have been looked at. No input or output here.

use super::error::Damage;
use super::options::SnapshotOptions;
use crate::log::lsn::{History, Lsn};

/// The version of the layout that is written, and the newest that is read.
pub const VERSION: u32 = 1;
/// The length of the header.
pub const HEADER_BYTES: u64 = 64;
/// The length of the footer.
pub const FOOTER_BYTES: u64 = 128;
/// The length of one index entry.
pub const INDEX_ENTRY_BYTES: u64 = 24;
/// The length of the frame in front of each entry.
pub const FRAME_BYTES: u64 = 4;
/// The longest entry: what a frame can say.
pub const ENTRY_BYTES_MAX: u64 = u32::MAX as u64;
/// The most blocks that one file may have: 64 TiB at the default block size.
pub const BLOCKS_MAX: u64 = 1 << 28;

pub(super) const HEADER_MAGIC: [u8; 8] = *b"GoRedSn\n";
pub(super) const FOOTER_MAGIC: [u8; 8] = *b"GoRedEn\n";

const HEADER_CRC_AT: usize = 60;
const FOOTER_CRC_AT: usize = 124;

/// The facts about a snapshot that its maker knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotFooter {
    /// S: the head of the log when the walk began. Replay begins here.
    pub start: Lsn,
    /// E: the head of the log after the last key. No entry is newer.
    pub end: Lsn,
    /// The lowest LSN that the log still held for its replicas; at most `start`.
    pub retention_floor: Lsn,
    /// The history that all three belong to.
    pub history: History,
    /// The seed of the keyspaces' hashes, which keeps SCAN cursors valid across restarts.
    pub hash_seed: u64,
    /// When the snapshot was taken, in milliseconds since 1970.
    pub created_unix_ms: u64,
}

impl SnapshotFooter {
    /// Whether the LSNs are in the order in which they must be.
    pub(super) fn is_ordered(&self) -> bool {
        self.retention_floor <= self.start && self.start <= self.end
    }
}

/// The facts about a snapshot that its writer counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotTotals {
    /// Blocks.
    pub blocks: u64,
    /// Entries in all blocks.
    pub entries: u64,
    /// Bytes of all entries, without frames.
    pub entry_bytes: u64,
    /// Bytes of the whole file.
    pub file_bytes: u64,
}

/// Where one block lies, and what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockPlace {
    /// The file offset of its first byte.
    pub offset: u64,
    /// Its length, frames included.
    pub bytes: u64,
    /// How many entries it holds.
    pub entries: u32,
    /// The CRC-32 of all of its bytes.
    pub crc: u32,
}

impl BlockPlace {
    /// The file offset behind its last byte.
    pub(super) fn end(&self) -> u64 {
        self.offset + self.bytes
    }

    pub(super) fn encode(&self) -> [u8; INDEX_ENTRY_BYTES as usize] {
        let mut out = [0; INDEX_ENTRY_BYTES as usize];
        put(&mut out, 0, &self.offset.to_le_bytes());
        put(&mut out, 8, &self.bytes.to_le_bytes());
        put(&mut out, 16, &self.entries.to_le_bytes());
        put(&mut out, 20, &self.crc.to_le_bytes());
        out
    }

    /// Takes the fields out of `INDEX_ENTRY_BYTES` bytes.
    pub(super) fn decode(bytes: &[u8]) -> Self {
        Self {
            offset: u64_at(bytes, 0),
            bytes: u64_at(bytes, 8),
            entries: u32_at(bytes, 16),
            crc: u32_at(bytes, 20),
        }
    }

    /// Checks what can be said of a block without reading it: it begins at `offset`, it ends by `limit`, and its
    /// entries can fit it. What is longer than `block_bytes` holds one entry only.
    pub(super) fn check(&self, block: u64, offset: u64, limit: u64, block_bytes: u32) -> Result<(), Damage> {
        let wrong = |field, value| Err(Damage::IndexField { block, field, value });
        if self.offset != offset {
            return wrong("offset", self.offset);
        }
        if self.bytes > limit - offset || self.bytes < FRAME_BYTES {
            return wrong("length", self.bytes);
        }
        let fits = u64::from(self.entries) <= self.bytes / FRAME_BYTES;
        let alone = self.entries == 1 && self.bytes <= FRAME_BYTES + ENTRY_BYTES_MAX;
        if self.entries == 0 || !fits || (self.bytes > u64::from(block_bytes) && !alone) {
            return wrong("entry count", u64::from(self.entries));
        }
        Ok(())
    }
}

/// The file's first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) version: u32,
    pub(super) block_bytes: u32,
}

impl Header {
    pub(super) fn encode(self) -> [u8; HEADER_BYTES as usize] {
        let mut out = [0; HEADER_BYTES as usize];
        put(&mut out, 0, &HEADER_MAGIC);
        put(&mut out, 8, &self.version.to_le_bytes());
        put(&mut out, 12, &self.block_bytes.to_le_bytes());
        let crc = crc32fast::hash(&out[..HEADER_CRC_AT]);
        put(&mut out, HEADER_CRC_AT, &crc.to_le_bytes());
        out
    }

    /// Takes the version out of a header whose checksum is right, whatever the version.
    pub(super) fn decode_version(bytes: &[u8; HEADER_BYTES as usize]) -> Result<u32, Damage> {
        let (found, expected) = (u32_at(bytes, HEADER_CRC_AT), crc32fast::hash(&bytes[..HEADER_CRC_AT]));
        if found != expected {
            return Err(Damage::HeaderChecksum { found, expected });
        }
        Ok(u32_at(bytes, 8))
    }

    /// Takes the fields out of a header of this version whose checksum is right.
    pub(super) fn decode(bytes: &[u8; HEADER_BYTES as usize]) -> Result<Self, Damage> {
        let header = Self { version: Self::decode_version(bytes)?, block_bytes: u32_at(bytes, 12) };
        let wrong = |field, value| Err(Damage::HeaderField { field, value });
        if header.version != VERSION {
            return wrong("version", u64::from(header.version));
        }
        if !(SnapshotOptions::BLOCK_BYTES_MIN..=SnapshotOptions::BLOCK_BYTES_MAX)
            .contains(&header.block_bytes)
        {
            return wrong("block size", u64::from(header.block_bytes));
        }
        match bytes[16..HEADER_CRC_AT].iter().find(|byte| **byte != 0) {
            Some(byte) => wrong("reserved part", u64::from(*byte)),
            None => Ok(header),
        }
    }
}

/// The file's last bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) facts: SnapshotFooter,
    pub(super) index_offset: u64,
    pub(super) index_crc: u32,
    pub(super) blocks: u64,
    pub(super) entries: u64,
    pub(super) entry_bytes: u64,
}

impl Footer {
    pub(super) fn encode(&self) -> [u8; FOOTER_BYTES as usize] {
        let mut out = [0; FOOTER_BYTES as usize];
        put(&mut out, 0, &FOOTER_MAGIC);
        put(&mut out, 8, &VERSION.to_le_bytes());
        put(&mut out, 12, &self.index_crc.to_le_bytes());
        put(&mut out, 16, &self.facts.start.get().to_le_bytes());
        put(&mut out, 24, &self.facts.end.get().to_le_bytes());
        put(&mut out, 32, &self.facts.retention_floor.get().to_le_bytes());
        put(&mut out, 40, &self.facts.history.get().to_le_bytes());
        put(&mut out, 56, &self.facts.hash_seed.to_le_bytes());
        put(&mut out, 64, &self.facts.created_unix_ms.to_le_bytes());
        put(&mut out, 72, &self.index_offset.to_le_bytes());
        put(&mut out, 80, &self.blocks.to_le_bytes());
        put(&mut out, 88, &self.entries.to_le_bytes());
        put(&mut out, 96, &self.entry_bytes.to_le_bytes());
        let crc = crc32fast::hash(&out[..FOOTER_CRC_AT]);
        put(&mut out, FOOTER_CRC_AT, &crc.to_le_bytes());
        out
    }

    /// Takes the fields out of the last bytes of a file of `file_bytes` bytes.
    pub(super) fn decode(bytes: &[u8; FOOTER_BYTES as usize], file_bytes: u64) -> Result<Self, Damage> {
        if bytes[..8] != FOOTER_MAGIC {
            return Err(Damage::NoFooter);
        }
        let (found, expected) = (u32_at(bytes, FOOTER_CRC_AT), crc32fast::hash(&bytes[..FOOTER_CRC_AT]));
        if found != expected {
            return Err(Damage::FooterChecksum { found, expected });
        }
        let footer = Self {
            facts: SnapshotFooter {
                start: Lsn::new(u64_at(bytes, 16)),
                end: Lsn::new(u64_at(bytes, 24)),
                retention_floor: Lsn::new(u64_at(bytes, 32)),
                history: History::new(u128::from_le_bytes(array_at(bytes, 40))),
                hash_seed: u64_at(bytes, 56),
                created_unix_ms: u64_at(bytes, 64),
            },
            index_offset: u64_at(bytes, 72),
            index_crc: u32_at(bytes, 12),
            blocks: u64_at(bytes, 80),
            entries: u64_at(bytes, 88),
            entry_bytes: u64_at(bytes, 96),
        };
        footer.check(bytes, file_bytes)?;
        Ok(footer)
    }

    fn check(&self, bytes: &[u8; FOOTER_BYTES as usize], file_bytes: u64) -> Result<(), Damage> {
        let wrong = |field, value| Err(Damage::FooterField { field, value });
        let version = u32_at(bytes, 8);
        if version != VERSION {
            return wrong("version", u64::from(version));
        }
        if let Some(byte) = bytes[104..FOOTER_CRC_AT].iter().find(|byte| **byte != 0) {
            return wrong("reserved part", u64::from(*byte));
        }
        if !self.facts.is_ordered() {
            return wrong("start LSN", self.facts.start.get());
        }
        if self.blocks > BLOCKS_MAX {
            return wrong("block count", self.blocks);
        }
        // Invariant: the index ends where the footer begins, so no byte of the file belongs to neither.
        let index_end = self.index_offset.checked_add(self.blocks * INDEX_ENTRY_BYTES);
        if self.index_offset < HEADER_BYTES || index_end != Some(file_bytes - FOOTER_BYTES) {
            return wrong("index offset", self.index_offset);
        }
        Ok(())
    }
}

fn put(out: &mut [u8], at: usize, bytes: &[u8]) {
    out[at..at + bytes.len()].copy_from_slice(bytes);
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}
