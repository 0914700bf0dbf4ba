//! Reads a log from its files, record by record.
//!
//! Jumps from head to head and never looks for records inside a payload. What does not fit is reported, not judged:
//! what it means depends on how the last life ended (`verdict.rs`). Used by recovery, and by the offline tools.

use std::fs::File;
use std::io;

use super::blob::{BlobName, decode_names};
use super::disk::{DiskLog, DiskSegment};
use super::error::Damage;
use super::lsn::Lsn;
use super::record::{
    CHECKSUM_AT, HEAD_BYTES, Head, Kind, RECORD_HEADER_BYTES, STATE_AT, State, TIME_AT, aligned, decode_state,
};

const BUFFER_BYTES: usize = 1 << 20;

/// What lies at one place of the log.
#[derive(Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A record whose head is valid; if it is committed, its checksum holds.
    Record(ScannedRecord<'a>),
    /// Space that is skipped.
    Pad {
        /// Where.
        lsn: Lsn,
        /// How much.
        bytes: u64,
    },
    /// Zeros, and a valid head behind them.
    Gap {
        /// Where the zeros start.
        lsn: Lsn,
        /// Where the head is.
        until: Lsn,
    },
    /// Something that is no part of a log.
    Bad {
        /// Up to where the log is well formed: the place itself, or the start of zeros before it.
        lsn: Lsn,
        /// The bad place.
        at: Lsn,
        /// What is wrong with it.
        damage: Damage,
    },
    /// Nothing but zeros from here on.
    End {
        /// Where.
        lsn: Lsn,
    },
}

/// A record as it lies in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScannedRecord<'a> {
    /// Where it starts.
    pub lsn: Lsn,
    /// What it takes, head and alignment included.
    pub bytes: u64,
    /// Whether it counts.
    pub state: State,
    /// What it holds; `None` when its writer got no further than the head.
    pub kind: Option<Kind>,
    /// Milliseconds since 1970.
    pub time: u64,
    /// The bytes of the record itself: of a spilled payload, its blobs' names. Of a record that is not committed
    /// these may be anything.
    pub payload: &'a [u8],
}

/// A position in a log that moves forward, record by record.
#[derive(Debug)]
pub struct Scanner<'l> {
    log: &'l DiskLog,
    /// Index of the segment that holds `at`.
    segment: usize,
    at: u64,
    /// The file of that segment, once something of it was read.
    file: Option<File>,
    buffer: Vec<u8>,
    /// The position of the buffer's first byte, and how many bytes from there it holds: all of one segment.
    buffered_from: u64,
    buffered: usize,
}

/// A head, or what is there instead.
enum Found {
    Record { length: u32, bytes: u64 },
    Pad { bytes: u64 },
    Zero,
    Invalid,
}

impl<'l> Scanner<'l> {
    /// A scanner at `from`, which is a record's place; `None` when the log does not reach there.
    pub fn new(log: &'l DiskLog, from: Lsn) -> Option<Self> {
        let segment = log.index_of(from)?;
        Some(Self {
            log,
            segment,
            at: from.get(),
            file: None,
            buffer: Vec::new(),
            buffered_from: 0,
            buffered: 0,
        })
    }

    /// The place that `next` looks at.
    pub fn position(&self) -> Lsn {
        Lsn::new(self.at)
    }

    /// The segment of the place that was looked at last.
    pub fn segment(&self) -> &'l DiskSegment {
        &self.log.segments()[self.segment]
    }

    /// What lies at the position; moves behind it, except at [`Item::Bad`] and [`Item::End`], which stay.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn next_item(&mut self) -> io::Result<Item<'_>> {
        if !self.enter_segment() {
            return Ok(Item::End { lsn: self.position() });
        }
        let lsn = self.position();
        match self.head()? {
            Found::Record { length, bytes } => self.record(length, bytes),
            Found::Pad { bytes } => {
                self.at += bytes;
                Ok(Item::Pad { lsn, bytes })
            }
            Found::Invalid => Ok(Item::Bad { lsn, at: lsn, damage: Damage::Head }),
            Found::Zero => self.zeros(),
        }
    }

    /// Goes past a record or pad whose head is valid, whatever else is wrong with it; false when there is none here.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn skip(&mut self) -> io::Result<bool> {
        if !self.enter_segment() {
            return Ok(false);
        }
        match self.head()? {
            Found::Record { bytes, .. } | Found::Pad { bytes } => {
                self.at += bytes;
                Ok(true)
            }
            Found::Zero | Found::Invalid => Ok(false),
        }
    }

    /// Goes on to the next segment at the end of one; false at the end of the last.
    fn enter_segment(&mut self) -> bool {
        while self.at >= self.segment().end().get() {
            if self.segment + 1 == self.log.segments().len() {
                return false;
            }
            self.move_to(self.segment + 1, self.at);
        }
        true
    }

    fn move_to(&mut self, segment: usize, at: u64) {
        if segment != self.segment {
            (self.segment, self.file, self.buffered) = (segment, None, 0);
        }
        self.at = at;
    }

    fn head(&mut self) -> io::Result<Found> {
        let room = self.segment().end().get() - self.at;
        let seal = self.segment().seal();
        let at = self.at;
        let word = self.word_at(at)?;
        Ok(match seal.read_head(at, word, room) {
            Head::Record { length, bytes } => Found::Record { length, bytes },
            Head::Pad { bytes } => Found::Pad { bytes },
            Head::Zero => Found::Zero,
            Head::Invalid => Found::Invalid,
        })
    }

    fn record(&mut self, length: u32, bytes: u64) -> io::Result<Item<'_>> {
        let (lsn, at) = (self.position(), self.at);
        let seal = self.segment().seal();
        self.fill(at, length as usize)?;
        let start = (at - self.buffered_from) as usize;
        let state_word = u32_at(&self.buffer[start..], STATE_AT);
        let Some((state, kind)) = decode_state(state_word) else {
            return Ok(Item::Bad { lsn, at: lsn, damage: Damage::State });
        };
        let record = &self.buffer[start..start + length as usize];
        if let (State::Committed, Some(kind)) = (state, kind) {
            let checksum = seal.checksum(at, kind, &record[TIME_AT as usize..]);
            if checksum != u32_at(record, CHECKSUM_AT) {
                return Ok(Item::Bad { lsn, at: lsn, damage: Damage::Checksum });
            }
        }
        self.at += bytes;
        Ok(Item::Record(ScannedRecord {
            lsn,
            bytes,
            state,
            kind,
            time: u64_at(record, TIME_AT),
            payload: &record[RECORD_HEADER_BYTES as usize..],
        }))
    }

    /// What follows the zeros at the position.
    fn zeros(&mut self) -> io::Result<Item<'_>> {
        let (start, start_segment) = (self.at, self.segment);
        loop {
            if !self.skip_zeros()? {
                self.move_to(start_segment, start);
                return Ok(Item::End { lsn: Lsn::new(start) });
            }
            if self.at < self.segment().end().get() {
                break;
            }
        }
        let (lsn, until) = (Lsn::new(start), self.position());
        if matches!(self.head()?, Found::Record { .. } | Found::Pad { .. }) {
            return Ok(Item::Gap { lsn, until });
        }
        self.move_to(start_segment, start);
        Ok(Item::Bad { lsn, at: until, damage: Damage::Head })
    }

    /// Moves to the next word that is not zero, or to the end of the segment. False at the end of the last.
    fn skip_zeros(&mut self) -> io::Result<bool> {
        if !self.enter_segment() {
            return Ok(false);
        }
        while self.at < self.segment().end().get() {
            self.fill(self.at, HEAD_BYTES as usize)?;
            let ahead = &self.buffer[(self.at - self.buffered_from) as usize..self.buffered];
            let words = ahead.chunks_exact(HEAD_BYTES as usize);
            let count = words.len();
            let zeros = words.take_while(|word| word.iter().all(|byte| *byte == 0)).count();
            self.at += zeros as u64 * HEAD_BYTES;
            if zeros < count {
                break;
            }
        }
        Ok(true)
    }

    fn word_at(&mut self, at: u64) -> io::Result<u64> {
        self.fill(at, HEAD_BYTES as usize)?;
        let start = (at - self.buffered_from) as usize;
        // The word as it was stored: `Seal::read_head` knows about byte order.
        let mut word = [0; HEAD_BYTES as usize];
        word.copy_from_slice(&self.buffer[start..start + HEAD_BYTES as usize]);
        Ok(u64::from_ne_bytes(word))
    }

    /// Makes `len` bytes from `at` on available, all of the current segment.
    #[inline]
    fn fill(&mut self, at: u64, len: usize) -> io::Result<()> {
        let end = self.buffered_from + self.buffered as u64;
        if self.buffered > 0 && at >= self.buffered_from && at + len as u64 <= end {
            return Ok(());
        }
        self.fill_slow(at, len)
    }

    #[cold]
    fn fill_slow(&mut self, at: u64, len: usize) -> io::Result<()> {
        let segment = &self.log.segments()[self.segment];
        let room = (segment.end().get() - at) as usize;
        let want = len.max(BUFFER_BYTES).min(room);
        if self.buffer.len() < want {
            self.buffer.resize(want, 0);
        }
        let file = match self.file.take() {
            Some(file) => file,
            None => segment.open_to_read()?,
        };
        segment.read(&file, at, &mut self.buffer[..want])?;
        self.file = Some(file);
        (self.buffered_from, self.buffered) = (at, want);
        Ok(())
    }
}

/// Puts the payload of a spilled record together from its blobs. `None` when one is not there, or not whole.
///
/// # Errors
/// When a file cannot be read.
pub fn assemble(log: &DiskLog, spilled: &ScannedRecord<'_>, out: &mut Vec<u8>) -> io::Result<Option<()>> {
    out.clear();
    let Some(names) = decode_names(spilled.payload) else { return Ok(None) };
    for name in names {
        if name.lsn >= spilled.lsn || read_blob(log, name, out)?.is_none() {
            return Ok(None);
        }
    }
    Ok(Some(()))
}

/// Appends one blob's payload to `out`.
fn read_blob(log: &DiskLog, name: BlobName, out: &mut Vec<u8>) -> io::Result<Option<()>> {
    let lsn = name.lsn.get();
    let Some(index) = log.index_of(name.lsn) else { return Ok(None) };
    let segment = &log.segments()[index];
    let length = RECORD_HEADER_BYTES + u64::from(name.bytes);
    if lsn % 8 != 0 || lsn + aligned(length) > segment.end().get() {
        return Ok(None);
    }
    let mut header = [0; RECORD_HEADER_BYTES as usize];
    let file = segment.open_to_read()?;
    segment.read(&file, lsn, &mut header)?;
    let start = out.len();
    // The checksum covers time and payload in one piece: both are read behind what is there, and the time removed.
    out.resize(start + (length - TIME_AT) as usize, 0);
    segment.read(&file, lsn + TIME_AT, &mut out[start..])?;
    let head = segment.seal().record_head(lsn, length as u32);
    let whole = header[..8] == head.to_ne_bytes()
        && decode_state(u32_at(&header, STATE_AT)) == Some((State::Committed, Some(Kind::Blob)))
        && segment.seal().checksum(lsn, Kind::Blob, &out[start..]) == u32_at(&header, CHECKSUM_AT);
    out.drain(start..start + (RECORD_HEADER_BYTES - TIME_AT) as usize);
    Ok(whole.then_some(()))
}

fn u32_at(bytes: &[u8], at: u64) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at as usize..at as usize + 4]);
    u32::from_le_bytes(word)
}

fn u64_at(bytes: &[u8], at: u64) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at as usize..at as usize + 8]);
    u64::from_le_bytes(word)
}
