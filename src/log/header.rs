//! The header page of a segment file, and the durable mark in it.
//!
//! Bytes only. The fixed part is written once, before the segment is used; the mark's two sectors are written in
//! turn, so that one of them is whole whenever the machine stops. The byte tables are in `FORMAT.md`.

use super::error::Damage;
use super::identity::Identity;
use super::lsn::{History, Lsn};
use super::record::ALIGN;

/// Size of the header page; a segment's data starts behind it.
pub const HEADER_BYTES: u64 = 4096;
/// The newest format version that this program reads, and the one that it writes.
pub const VERSION: u32 = 1;
/// How many ancestors of a history are remembered.
pub const LINEAGE_MAX: usize = 64;

const MAGIC: [u8; 8] = *b"GoRedLog";
const MARK_MAGIC: [u8; 4] = *b"MARK";
const SECTOR: usize = 512;
const CHECKSUM_AT: usize = SECTOR - 4;
const LINEAGE_AT: usize = 3 * SECTOR;
const LINEAGE_ENTRY: usize = 24;
const CLEAN: u32 = 1;
/// Where in an ancestor's second word its cause lies, above the 48 bits of the fork.
const CAUSE_SHIFT: u32 = 56;

/// The contents of a header page.
pub type Page = [u8; HEADER_BYTES as usize];

/// A history that came before, and where the next one left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ancestor {
    /// The earlier history.
    pub history: History,
    /// The first position that is no longer part of it.
    pub fork: Lsn,
    /// Why the next one began.
    pub cause: Cause,
}

/// Why a history begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Cause {
    /// A recovery cut something, or ran on files that it did not write: what lay behind the fork may exist elsewhere.
    Recovery = 0,
    /// A replica became a primary.
    Promotion = 1,
    /// A replica that had begun a history without a record in it went on in that of its primary.
    Adoption = 2,
}

impl Cause {
    /// The cause with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Recovery),
            1 => Some(Self::Promotion),
            2 => Some(Self::Adoption),
            _ => None,
        }
    }
}

/// The fixed part of a header page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The history that the segment's records belong to.
    pub history: History,
    /// The position of the segment's first data byte.
    pub first: Lsn,
    /// How many data bytes the segment holds at most.
    pub capacity: u64,
    /// When it was made, in milliseconds since 1970; for people only.
    pub created: u64,
    /// The histories that led here, newest first, at most 64.
    pub lineage: Vec<Ancestor>,
}

/// Why a page is not a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderError {
    /// Written by a newer program.
    NewerVersion(u32),
    /// Not a header, or not a whole one.
    Damaged(Damage),
}

impl Header {
    /// The page with this fixed part and no mark.
    pub fn encode(&self) -> Page {
        let mut page = [0; HEADER_BYTES as usize];
        page[..8].copy_from_slice(&MAGIC);
        put(&mut page, 8, &VERSION.to_le_bytes());
        put(&mut page, 12, &(HEADER_BYTES as u32).to_le_bytes());
        put(&mut page, 16, &self.history.get().to_le_bytes());
        put(&mut page, 32, &self.first.get().to_le_bytes());
        put(&mut page, 40, &self.capacity.to_le_bytes());
        put(&mut page, 48, &self.created.to_le_bytes());
        let ancestors = self.lineage.len().min(LINEAGE_MAX);
        put(&mut page, 56, &(ancestors as u32).to_le_bytes());
        for (index, ancestor) in self.lineage.iter().take(ancestors).enumerate() {
            let at = LINEAGE_AT + index * LINEAGE_ENTRY;
            put(&mut page, at, &ancestor.history.get().to_le_bytes());
            put(
                &mut page,
                at + 16,
                &(ancestor.fork.get() | (ancestor.cause as u64) << CAUSE_SHIFT).to_le_bytes(),
            );
        }
        let checksum = fixed_checksum(&page);
        put(&mut page, CHECKSUM_AT, &checksum.to_le_bytes());
        page
    }

    /// Reads the fixed part.
    ///
    /// # Errors
    /// When the page is no header, a damaged one, or one of a newer version.
    pub fn decode(page: &Page) -> Result<Self, HeaderError> {
        if page[..8] != MAGIC {
            return Err(HeaderError::Damaged(Damage::NotASegment));
        }
        let version = get_u32(page, 8);
        if version > VERSION {
            return Err(HeaderError::NewerVersion(version));
        }
        let damaged = HeaderError::Damaged(Damage::Header);
        if fixed_checksum(page) != get_u32(page, CHECKSUM_AT) || version == 0 {
            return Err(damaged);
        }
        let ancestors = get_u32(page, 56) as usize;
        let header = Self {
            history: History::new(get_u128(page, 16)),
            first: Lsn::new(get_u64(page, 32)),
            capacity: get_u64(page, 40),
            created: get_u64(page, 48),
            lineage: (0..ancestors.min(LINEAGE_MAX))
                .map(|index| ancestor(page, index))
                .collect::<Option<_>>()
                .ok_or(damaged)?,
        };
        let sane = get_u32(page, 12) == HEADER_BYTES as u32
            && ancestors <= LINEAGE_MAX
            && header.first.get() % ALIGN == 0
            && header.first != Lsn::ZERO
            && header.first <= Lsn::MAX
            && header.capacity % ALIGN == 0
            && (ALIGN..1 << 31).contains(&header.capacity);
        if sane { Ok(header) } else { Err(damaged) }
    }
}

fn ancestor(page: &Page, index: usize) -> Option<Ancestor> {
    let at = LINEAGE_AT + index * LINEAGE_ENTRY;
    let word = get_u64(page, at + 16);
    let (fork, cause) = (word & ((1 << Lsn::BITS) - 1), (word >> CAUSE_SHIFT) as u8);
    let is_whole = (word >> Lsn::BITS) as u8 == 0;
    let cause = Cause::from_number(cause).filter(|_| is_whole)?;
    Some(Ancestor { history: History::new(get_u128(page, at)), fork: Lsn::new(fork), cause })
}

/// Over everything but the mark's two sectors and the checksum itself.
fn fixed_checksum(page: &Page) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&page[..CHECKSUM_AT]);
    hasher.update(&page[LINEAGE_AT..]);
    hasher.finalize()
}

/// The durable mark: how much of the log is on stable storage, said after it was so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Grows by one with every mark written in this file; its lowest bit chooses the sector.
    pub sequence: u64,
    /// Everything below is on stable storage.
    pub durable: Lsn,
    /// The log was shut down in order, and nothing lies above `durable`.
    pub clean: bool,
    /// Who wrote it, and in which file.
    pub identity: Identity,
    /// How many undecided records a killed process may have left.
    pub in_flight_records_max: u32,
}

impl Mark {
    /// The offset in the file at which this mark belongs.
    pub const fn offset(&self) -> u64 {
        SECTOR as u64 * (1 + (self.sequence & 1))
    }

    /// The sector's bytes, for the segment of `history` that starts at `first`.
    pub fn encode(&self, history: History, first: Lsn) -> [u8; SECTOR] {
        let mut sector = [0; SECTOR];
        put(&mut sector, 0, &MARK_MAGIC);
        put(&mut sector, 4, &(if self.clean { CLEAN } else { 0 }).to_le_bytes());
        put(&mut sector, 8, &self.sequence.to_le_bytes());
        put(&mut sector, 16, &self.durable.get().to_le_bytes());
        put(&mut sector, 24, &self.identity.boot.to_le_bytes());
        put(&mut sector, 40, &self.identity.device.to_le_bytes());
        put(&mut sector, 48, &self.identity.inode.to_le_bytes());
        put(&mut sector, 56, &self.in_flight_records_max.to_le_bytes());
        let checksum = mark_checksum(&sector, history, first);
        put(&mut sector, CHECKSUM_AT, &checksum.to_le_bytes());
        sector
    }

    /// The newer of the two marks in `page`, whose fixed part is `header`; `None` when neither is whole.
    pub fn newest(page: &Page, header: &Header) -> Option<Self> {
        [1, 2]
            .into_iter()
            .filter_map(|sector| Self::decode(page, sector, header))
            .max_by_key(|mark| mark.sequence)
    }

    fn decode(page: &Page, index: usize, header: &Header) -> Option<Self> {
        let sector = &page[index * SECTOR..(index + 1) * SECTOR];
        let whole = sector[..4] == MARK_MAGIC
            && get_u32(sector, CHECKSUM_AT) == mark_checksum(sector, header.history, header.first);
        whole.then(|| Self {
            clean: get_u32(sector, 4) & CLEAN != 0,
            sequence: get_u64(sector, 8),
            durable: Lsn::new(get_u64(sector, 16)),
            identity: Identity {
                boot: get_u128(sector, 24),
                device: get_u64(sector, 40),
                inode: get_u64(sector, 48),
            },
            in_flight_records_max: get_u32(sector, 56),
        })
    }
}

/// Keyed with history and place, so that a mark copied from another segment counts for nothing.
fn mark_checksum(sector: &[u8], history: History, first: Lsn) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&history.get().to_le_bytes());
    hasher.update(&first.get().to_le_bytes());
    hasher.update(&sector[..CHECKSUM_AT]);
    hasher.finalize()
}

fn put(bytes: &mut [u8], at: usize, field: &[u8]) {
    bytes[at..at + field.len()].copy_from_slice(field);
}

fn get<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&bytes[at..at + N]);
    field
}

fn get_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(get(bytes, at))
}

fn get_u64(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(get(bytes, at))
}

fn get_u128(bytes: &[u8], at: usize) -> u128 {
    u128::from_le_bytes(get(bytes, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            history: History::new(7 << 70 | 5),
            first: Lsn::new(4096),
            capacity: 8192,
            created: 1_700_000_000_000,
            lineage: vec![Ancestor {
                history: History::new(3),
                fork: Lsn::new(4096),
                cause: Cause::Promotion,
            }],
        }
    }

    fn mark(sequence: u64, durable: u64) -> Mark {
        let identity = Identity { boot: 11, device: 12, inode: 13 };
        Mark { sequence, durable: Lsn::new(durable), clean: false, identity, in_flight_records_max: 1024 }
    }

    fn write(page: &mut Page, mark: &Mark) {
        let sector = mark.encode(header().history, header().first);
        put(page, mark.offset() as usize, &sector);
    }

    #[test]
    fn header_and_marks_are_read_as_written() {
        let mut page = header().encode();
        assert_eq!(Header::decode(&page), Ok(header()));
        assert_eq!(Mark::newest(&page, &header()), None);
        write(&mut page, &mark(1, 4096));
        write(&mut page, &mark(2, 5000));
        assert_eq!(Header::decode(&page), Ok(header()), "marks are no part of the fixed header");
        assert_eq!(Mark::newest(&page, &header()), Some(mark(2, 5000)));
    }

    #[test]
    fn a_torn_mark_leaves_the_one_before() {
        let mut page = header().encode();
        write(&mut page, &mark(1, 4096));
        write(&mut page, &mark(2, 5000));
        page[mark(2, 0).offset() as usize + 17] ^= 1;
        assert_eq!(Mark::newest(&page, &header()), Some(mark(1, 4096)));
    }

    #[test]
    fn any_wrong_byte_outside_the_marks_is_seen() {
        let page = header().encode();
        for at in (0..SECTOR).chain(LINEAGE_AT..page.len()) {
            let mut bad = page;
            bad[at] ^= 0x40;
            assert!(Header::decode(&bad).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_newer_version_is_an_error_of_its_own() {
        let mut page = header().encode();
        page[8] = 2;
        assert_eq!(Header::decode(&page), Err(HeaderError::NewerVersion(2)));
    }

    #[test]
    fn lineage_is_cut_to_its_limit_and_newest_first() {
        let mut long = header();
        let ancestor = |n| Ancestor { history: History::new(n), fork: Lsn::new(8), cause: Cause::Recovery };
        long.lineage = (0..100).map(ancestor).collect();
        let read = Header::decode(&long.encode()).unwrap();
        assert_eq!(read.lineage, long.lineage[..LINEAGE_MAX]);
    }
}
