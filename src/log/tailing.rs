//! A log that follows another: the same bytes at the same positions.
//!
//! Records come whole, in order, each decided where it was written first. One thread appends them, and nobody else: the
//! engine takes no writes meanwhile. A record of this log is pending from its reservation until it is applied, as any
//! other, so *resolved* means applied here too, and a snapshot that waits for it misses nothing.
//!
//! A kill in between leaves a pending record. Recovery of a log of its own would make it void, and it would differ from
//! what it follows. So the durable marks of a log that follows allow a kill no undecided record: recovery ends the log
//! there, and the record is asked for again.

use std::sync::{PoisonError, mpsc};

use crossbeam_epoch::Guard;

use super::blob::decode_names;
use super::error::LogError;
use super::header::{Ancestor, LINEAGE_MAX};
use super::lsn::{History, Lsn};
use super::record::{
    CHECKSUM_AT, Head, Kind, RECORD_HEADER_BYTES, STATE_AT, Seal, State, TIME_AT, decode_state,
};
use super::reservation::Reservation;
use super::running::Log;
use super::supply::{ForkOrder, Supply};
use crate::sync::Ordering;

/// Where a log goes on in another segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// The log's end, where the segment begins.
    pub at: Lsn,
    /// Where the segment ends.
    pub end: Lsn,
    /// Data bytes of those behind it.
    pub capacity: u64,
    /// The history from there on.
    pub history: History,
    /// What led to it, newest first.
    pub lineage: Vec<Ancestor>,
}

/// What comes next in bytes of another log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequel<'b> {
    /// More bytes are needed: so many in all, if that is known, else 0.
    Incomplete {
        /// Bytes of the next item.
        want: usize,
    },
    /// Space to pass over, of so many bytes; of its own bytes only the head counts.
    Pad {
        /// How much.
        bytes: u64,
        /// How much of that is there to be dropped.
        here: usize,
    },
    /// A record.
    Record(Image<'b>),
}

/// A whole record of another log, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image<'b> {
    bytes: &'b [u8],
    /// What it is.
    pub kind: Option<Kind>,
    /// Whether it counts: committed or void.
    pub state: State,
    /// Its exact length.
    length: u32,
    /// The bytes that it takes.
    pub space: u64,
}

impl<'b> Image<'b> {
    /// When it was written, in milliseconds since 1970.
    pub fn time(&self) -> u64 {
        let at = TIME_AT as usize;
        u64::from_le_bytes(self.bytes[at..at + 8].try_into().unwrap_or_default())
    }

    /// Its payload.
    pub fn payload(&self) -> &'b [u8] {
        &self.bytes[RECORD_HEADER_BYTES as usize..self.length as usize]
    }
}

/// Why bytes of another log are not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CopyError {
    /// They are not what was written there.
    #[error("the bytes for position {lsn} are no record: {what}")]
    Damaged {
        /// Where they belong.
        lsn: Lsn,
        /// What is wrong.
        what: &'static str,
    },
    /// This log does not take them.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Reads what lies at `at` in the history `history` off the front of `bytes`, in a segment that ends at `end`.
///
/// # Errors
/// [`CopyError::Damaged`].
pub fn sequel(history: History, at: Lsn, end: Lsn, bytes: &[u8]) -> Result<Sequel<'_>, CopyError> {
    let damaged = |what| Err(CopyError::Damaged { lsn: at, what });
    let Some(head) = bytes.first_chunk::<8>() else { return Ok(Sequel::Incomplete { want: 8 }) };
    let seal = Seal::new(history);
    let room = end.get().saturating_sub(at.get());
    match seal.read_head(at.get(), u64::from_ne_bytes(*head), room) {
        Head::Zero | Head::Invalid => damaged("its head does not belong there"),
        Head::Pad { bytes: space } => {
            let here = (space as usize).min(bytes.len());
            Ok(Sequel::Pad { bytes: space, here })
        }
        Head::Record { length, bytes: space } => {
            if (bytes.len() as u64) < space {
                return Ok(Sequel::Incomplete { want: space as usize });
            }
            let whole = &bytes[..length as usize];
            let word = |at: u64| {
                let at = at as usize;
                u32::from_le_bytes(whole[at..at + 4].try_into().unwrap_or_default())
            };
            let Some((state, kind)) = decode_state(word(STATE_AT)) else {
                return damaged("its state is unknown");
            };
            match (state, kind) {
                (State::Pending, _) => return damaged("it is undecided"),
                (State::Committed, Some(kind))
                    if seal.checksum(at.get(), kind, &whole[TIME_AT as usize..]) != word(CHECKSUM_AT) =>
                {
                    return damaged("its checksum does not match");
                }
                _ => {}
            }
            Ok(Sequel::Record(Image { bytes: whole, kind, state, length, space }))
        }
    }
}

impl Log {
    /// Reads what comes next off the front of `bytes`, which lie at this log's end in the log that it follows.
    ///
    /// # Errors
    /// [`CopyError::Damaged`]: they are not what was written there.
    pub fn sequel<'b>(&self, bytes: &'b [u8]) -> Result<Sequel<'b>, CopyError> {
        let (at, guard) = (self.head(), crossbeam_epoch::pin());
        let segments = self.appender.table.load(&guard);
        let Some(segment) = segments.find(at.get()) else {
            // Between two segments: what follows is at the start of the one that is still to be made.
            return sequel(self.history(), at, Lsn::MAX, bytes);
        };
        sequel(segment.history(), at, Lsn::new(segment.end()), bytes)
    }

    /// Reserves the place at the log's end for a copy of a record, already filled and sealed. A void one is void when the
    /// result is dropped; a committed one is to be applied, then committed.
    ///
    /// # Errors
    /// [`LogError`]: nothing was reserved.
    pub fn reserve_copy<'g>(
        &'g self,
        image: &Image<'_>,
        guard: &'g Guard,
    ) -> Result<Reservation<'g>, LogError> {
        let at = self.head().get();
        // Order: 1 a blob is known, 2 the tail moves over it; or else a snapshot in between does without it.
        if (image.state, image.kind) == (State::Committed, Some(Kind::Blob)) {
            self.appender.spills.copy_blob(Lsn::new(at));
        }
        let segment = self.appender.claim_at(at, image.space, guard)?;
        // Order: 1 the tail has moved over the record, 2 what it names is let go; or else the same.
        if image.kind == Some(Kind::Spilled) {
            let names = decode_names(image.payload()).unwrap_or_default();
            self.appender.spills.copied_names(&names, Lsn::new(at));
        }
        // Why any kind where there is none: a record that got no further than its head is void, and its kind means nothing.
        let kind = image.kind.unwrap_or(Kind::Plain);
        let mut copy = Reservation::begin(&self.appender, segment, at, image.length, kind, image.time());
        copy.fill(image.payload());
        copy.seal()?;
        Ok(copy)
    }

    /// Appends a copy of a pad of `bytes` bytes.
    ///
    /// # Errors
    /// [`LogError`]: nothing was appended.
    pub fn copy_pad(&self, bytes: u64) -> Result<(), LogError> {
        let (at, guard) = (self.head().get(), crossbeam_epoch::pin());
        let segment = self.appender.claim_at(at, bytes, &guard)?;
        // Release: pairs with the Acquire in `Appender::advance`.
        segment.head(at).store(segment.seal().pad_head(at, bytes as u32), Ordering::Release);
        self.appender.leave_flight();
        Ok(())
    }

    /// Keeps what lies at `lsn` until a record names it that is yet to be copied: what an earlier life has copied so far of
    /// a large payload.
    pub fn keep_copied(&self, lsn: Lsn) {
        self.appender.spills.copy_blob(lsn);
    }

    /// Says whether the log follows another from now on; returns when that is on stable storage. Nobody reserves
    /// meanwhile.
    ///
    /// # Errors
    /// [`LogError`]: it is not known to be.
    pub fn set_tailing(&self, tailing: bool) -> Result<(), LogError> {
        self.appender.set_tailing(tailing);
        if !tailing {
            self.appender.spills.forget_copied();
        }
        match &self.files {
            Some(files) => files.durability.remark(&self.appender),
            None => Ok(()),
        }
    }

    /// Has the log go on at its end in another segment, perhaps of another history. Nobody reserves meanwhile. Waits for
    /// the disk.
    ///
    /// # Errors
    /// [`LogError`]: the log goes on as it was.
    pub fn fork(&self, fork: &Fork) -> Result<(), LogError> {
        self.sync_now()?;
        let (mut lineage, capacity) = (fork.lineage.clone(), fork.capacity);
        lineage.truncate(LINEAGE_MAX);
        if self.head() != fork.at {
            return Err(LogError::Misplaced { lsn: fork.at, tail: self.head() });
        }
        match (&self.files, &self.appender.supply) {
            (Some(files), _) => {
                let (done, result) = mpsc::sync_channel(1);
                files.supply.ask(ForkOrder { fork: Fork { lineage: lineage.clone(), ..fork.clone() }, done });
                result.recv().map_err(|_| LogError::Closed)??;
            }
            (None, Supply::Memory(memory)) => {
                let bytes = fork.end.get() - fork.at.get();
                let made = memory.make(fork.at, bytes, fork.history);
                let segment = made.map_err(|_| LogError::MemoryFull { bytes_max: bytes })?;
                let guard = crossbeam_epoch::pin();
                self.appender.table.fork(&std::sync::Arc::new(segment), &guard);
                memory.set_segment_bytes(fork.capacity);
            }
            (None, Supply::Files(_)) => return Err(LogError::Closed),
        }
        *self.lineage.lock().unwrap_or_else(PoisonError::into_inner) = lineage;
        self.capacity.store(capacity, Ordering::Relaxed);
        Ok(())
    }

    /// The histories that led to the present one, newest first.
    pub fn lineage(&self) -> Vec<Ancestor> {
        let history = self.history();
        let lineage = self.lineage.lock().unwrap_or_else(PoisonError::into_inner);
        // Why not itself: that is only said where a segment goes on in it that was left short before.
        lineage.iter().copied().filter(|ancestor| ancestor.history != history).collect()
    }

    /// Where the segment with the log's end ends, whose history it is, and how large those behind it are.
    pub fn tail_segment(&self) -> Fork {
        let (at, guard) = (self.head(), crossbeam_epoch::pin());
        let segments = self.appender.table.load(&guard);
        let end = segments.find(at.get()).map_or(at.get(), super::segment::Segment::end);
        Fork {
            at,
            end: Lsn::new(end),
            // Relaxed: set by who forks the log, and nobody else does meanwhile.
            capacity: self.capacity.load(Ordering::Relaxed),
            history: self.history(),
            lineage: self.lineage(),
        }
    }
}
