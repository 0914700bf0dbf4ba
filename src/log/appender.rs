//! The heart of the log: reserving space, deciding records, and the watermark *resolved*.
//!
//! Any number of threads append at once; none of them takes a lock.
//!
//! | operation | progress | linearization |
//! |---|---|---|
//! | `reserve` | lock-free; waits only while the next segment is being made | the exchange of the tail |
//! | commit, void | wait-free | the store of the state word |
//! | `mark_committed` | wait-free | the exchange of the state word |
//! | `advance` | lock-free | the rise of `resolved` |
//!
//! Invariant: the tail never passes the allocated end, so every reserved byte is mapped.
//! Invariant: space at or above the tail is zero.
//! Invariant: `floor of the table <= resolved <= tail`; all three only grow.
//! Invariant: records below `resolved` are committed or void, and never change again.
//! Invariant: at most `in_flight_records_max` heads are missing or pending, which recovery relies on.

use crossbeam_epoch::Guard;
use crossbeam_utils::CachePadded;

use super::blob::{self, BlobName, SPILLS_MAX, SpillFloors};
use super::error::LogError;
use super::lsn::{History, Lsn};
use super::options::LogOptions;
use super::poison::Poison;
use super::record::{self, Jump, Kind, RECORD_HEADER_BYTES, aligned};
use super::reservation::Reservation;
use super::segment::Segment;
use super::supply::Supply;
use super::table::{Place, SegmentTable};
use crate::prefetch::prefetch;
use crate::sync::{AtomicBool, AtomicU64, Ordering, schedule_point, spin_wait};

/// One live reservation, in the tail word: the count lies above the 48 bits of the position.
const ONE_IN_FLIGHT: u64 = 1 << Lsn::BITS;
const POSITION: u64 = ONE_IN_FLIGHT - 1;
/// The background thread hears of the tail's progress whenever it passes a multiple of this: well below the window of
/// pages that it keeps ready ahead of the tail, and not more often, as it may take a processor from those who append.
const WAKE_BYTES_LOG2: u32 = 20;
/// Cache lines behind a record that are fetched for the next one.
const PREFETCH_LINES: u64 = 3;

/// The append path, shared by all threads.
#[derive(Debug)]
pub(super) struct Appender {
    /// Where the next record goes (48 bits), and how many reservations are alive (16 bits): one word, so that
    /// reserving costs one exchange. Any thread exchanges or decrements it.
    tail: CachePadded<AtomicU64>,
    /// Raised by any thread that walks.
    resolved: CachePadded<AtomicU64>,
    pub(super) table: SegmentTable,
    pub(super) poison: Poison,
    pub(super) spills: SpillFloors,
    pub(super) supply: Supply,
    closed: AtomicBool,
    /// Whether the log follows another: every record comes whole, one at a time.
    tailing: AtomicBool,
    blob_bytes: u64,
    payload_bytes_max: u64,
    in_flight_records_max: u32,
}

impl Appender {
    /// An appender that goes on at `tail`, which lies in (or at the end of) the table's segments.
    pub(super) fn new(
        tail: Lsn,
        table: SegmentTable,
        supply: Supply,
        poison: Poison,
        options: &LogOptions,
    ) -> Self {
        Self {
            tail: CachePadded::new(AtomicU64::new(tail.get())),
            resolved: CachePadded::new(AtomicU64::new(tail.get())),
            table,
            poison,
            spills: SpillFloors::new(),
            supply,
            closed: AtomicBool::new(false),
            tailing: AtomicBool::new(false),
            blob_bytes: options.blob_bytes,
            payload_bytes_max: options.payload_bytes_max,
            in_flight_records_max: options.in_flight_records_max,
        }
    }

    /// The line of positions that the tail belongs to.
    pub(super) fn history(&self) -> History {
        let guard = crossbeam_epoch::pin();
        let segments = self.table.load(&guard).segments();
        segments[segments.len() - 1].history()
    }

    /// How many undecided records a kill may leave, as the durable marks say it. A log that follows another allows none:
    /// what is half written there is asked for again.
    pub(super) fn in_flight_records_max(&self) -> u32 {
        // Relaxed: the marks are written anew after a change (`syncer.rs`).
        if self.tailing.load(Ordering::Relaxed) { 0 } else { self.in_flight_records_max }
    }

    /// Says whether the log follows another from now on.
    pub(super) fn set_tailing(&self, tailing: bool) {
        // Relaxed: as above.
        self.tailing.store(tailing, Ordering::Relaxed);
    }

    /// Where the next record goes.
    #[inline]
    pub(super) fn head(&self) -> Lsn {
        // Acquire: pairs with the AcqRel of the tail's exchanges; who takes the head as a snapshot's start sees what
        // was stored before the reservations below it.
        Lsn::new(self.tail.load(Ordering::Acquire) & POSITION)
    }

    /// As `head`, and a place in the order of the tail's exchanges: what this thread stored before is seen by everyone
    /// who reserves at or above it.
    pub(super) fn head_behind_stores(&self) -> Lsn {
        // AcqRel: pairs with the exchanges of the tail. Why an exchange too: between a store of this thread and a mere
        // load of the tail, another may reserve and not see the store.
        Lsn::new(self.tail.fetch_add(0, Ordering::AcqRel) & POSITION)
    }

    /// How many reservations are alive.
    pub(super) fn in_flight(&self) -> u32 {
        (self.tail.load(Ordering::Relaxed) >> Lsn::BITS) as u32
    }

    /// Refuses every reservation from now on.
    pub(super) fn close(&self) {
        // Relaxed: see `check_open`.
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Reserves a record for a payload of `payload_len` bytes.
    #[inline]
    pub(super) fn reserve<'g>(
        &'g self,
        payload_len: usize,
        time: u64,
        guard: &'g Guard,
    ) -> Result<Reservation<'g>, LogError> {
        if payload_len as u64 > self.blob_bytes {
            return Err(LogError::PayloadTooLarge { bytes: payload_len as u64, bytes_max: self.blob_bytes });
        }
        self.reserve_kind(Kind::Plain, payload_len, time, guard)
    }

    #[inline]
    fn reserve_kind<'g>(
        &'g self,
        kind: Kind,
        payload_len: usize,
        time: u64,
        guard: &'g Guard,
    ) -> Result<Reservation<'g>, LogError> {
        self.poison.check()?;
        self.check_open()?;
        let length = RECORD_HEADER_BYTES + payload_len as u64;
        let (segment, lsn) = self.claim(aligned(length), guard)?;
        Ok(Reservation::begin(self, segment, lsn, length as u32, kind, time))
    }

    /// Moves the tail by `size`, and counts one reservation in flight.
    #[inline]
    fn claim<'g>(&'g self, size: u64, guard: &'g Guard) -> Result<(&'g Segment, u64), LogError> {
        loop {
            // Relaxed: the exchange below decides; a stale value only makes it fail.
            let word = self.tail.load(Ordering::Relaxed);
            let tail = word & POSITION;
            if (word >> Lsn::BITS) as u32 >= self.in_flight_records_max {
                return Err(LogError::TooManyInFlight { records_max: self.in_flight_records_max });
            }
            match self.table.load(guard).place(tail, size) {
                Place::Fits(segment) => {
                    if self.move_tail(word, word + size + ONE_IN_FLIGHT) {
                        if (tail ^ (tail + size)) >> WAKE_BYTES_LOG2 != 0 {
                            self.supply.progress();
                        }
                        // Why: the next exchange of the tail waits until what is stored here has reached the cache.
                        for line in 1..=PREFETCH_LINES {
                            let head = std::ptr::from_ref(segment.head(tail));
                            prefetch(head.wrapping_byte_add((size + line * 64) as usize));
                        }
                        return Ok((segment, tail));
                    }
                }
                place => self.make_room(&place, word, guard)?,
            }
        }
    }

    /// Moves the tail over the `size` bytes at `at`, where it must be, and counts one reservation in flight.
    pub(super) fn claim_at<'g>(
        &'g self,
        at: u64,
        size: u64,
        guard: &'g Guard,
    ) -> Result<&'g Segment, LogError> {
        loop {
            self.poison.check()?;
            self.check_open()?;
            // Relaxed: as in `claim`.
            let word = self.tail.load(Ordering::Relaxed);
            let misplaced = LogError::Misplaced { lsn: Lsn::new(at), tail: Lsn::new(word & POSITION) };
            if word & POSITION != at {
                return Err(misplaced);
            }
            match self.table.load(guard).place(at, size) {
                Place::Fits(segment) => {
                    if self.move_tail(word, word + size + ONE_IN_FLIGHT) {
                        if (at ^ (at + size)) >> WAKE_BYTES_LOG2 != 0 {
                            self.supply.progress();
                        }
                        return Ok(segment);
                    }
                }
                // Why no pad: it would have been sent.
                Place::NeedsPad { rest, .. } if rest > 0 => return Err(misplaced),
                place => self.make_room(&place, word, guard)?,
            }
        }
    }

    /// What to do when a record does not fit at the tail: pad, wait for the next segment, or look again.
    #[cold]
    fn make_room(&self, place: &Place<'_>, word: u64, guard: &Guard) -> Result<(), LogError> {
        match *place {
            Place::NeedsPad { segment, rest } => {
                let tail = word & POSITION;
                // The pad counts as in flight until its head is there: a kill before leaves a hole.
                if self.move_tail(word, word + rest + ONE_IN_FLIGHT) {
                    // Release: pairs with the Acquire in `advance`.
                    segment.head(tail).store(segment.seal().pad_head(tail, rest as u32), Ordering::Release);
                    self.leave_flight();
                    self.supply.progress();
                }
                Ok(())
            }
            Place::Full { end } if end > Lsn::MAX.get() => Err(LogError::Exhausted),
            Place::Full { end } => self.supply.extend(self, end, guard),
            Place::Fits(_) | Place::Stale => {
                spin_wait(0);
                Ok(())
            }
        }
    }

    #[inline]
    fn move_tail(&self, from: u64, to: u64) -> bool {
        // AcqRel: pairs with itself in the other appenders. Release: what this thread did before it reserved
        // (closing the root, registering a floor) is seen by whoever reserves after it. Acquire: so here.
        self.tail.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// One reservation less in flight; its state is stored.
    #[inline]
    pub(super) fn leave_flight(&self) {
        // Release: the state word is stored before the place in flight is free for another.
        self.tail.fetch_sub(ONE_IN_FLIGHT, Ordering::Release);
    }

    /// Refuses work after `close`.
    #[inline]
    pub(super) fn check_open(&self) -> Result<(), LogError> {
        // Relaxed: a reservation that slips through is like one made just before.
        if self.closed.load(Ordering::Relaxed) { Err(LogError::Closed) } else { Ok(()) }
    }

    /// Writes `payload` as blobs, decided at once, and reserves the record that names them, filled.
    pub(super) fn reserve_spilled<'g>(
        &'g self,
        payload: &[&[u8]],
        time: u64,
        guard: &'g Guard,
    ) -> Result<Reservation<'g>, LogError> {
        let total: u64 = payload.iter().map(|piece| piece.len() as u64).sum();
        if total > self.payload_bytes_max {
            return Err(LogError::PayloadTooLarge { bytes: total, bytes_max: self.payload_bytes_max });
        }
        // Order: 1 register the floor, 2 reserve the first blob; or else a snapshot's end deletes it.
        let floor =
            self.spills.claim(self.head()).ok_or(LogError::TooManySpills { spills_max: SPILLS_MAX })?;
        let names = self.write_blobs(payload, total, time, guard)?;
        let len = blob::names_bytes(names.len() as u64) as usize;
        let mut reservation = self.reserve_kind(Kind::Spilled, len, time, guard)?;
        blob::encode_names(&names, reservation.payload_mut());
        floor.named_at(reservation.lsn().get());
        reservation.hold(floor);
        Ok(reservation)
    }

    fn write_blobs(
        &self,
        payload: &[&[u8]],
        total: u64,
        time: u64,
        guard: &Guard,
    ) -> Result<Vec<BlobName>, LogError> {
        let mut names = Vec::with_capacity(total.div_ceil(self.blob_bytes) as usize);
        let mut pieces = payload.iter().copied();
        let mut rest: &[u8] = &[];
        let mut left = total;
        while left > 0 {
            let bytes = left.min(self.blob_bytes) as usize;
            let mut blob = self.reserve_kind(Kind::Blob, bytes, time, guard)?;
            let mut space = blob.payload_mut();
            while !space.is_empty() {
                if rest.is_empty() {
                    rest = pieces.next().expect("the pieces hold as many bytes as they were counted to");
                }
                let step = rest.len().min(space.len());
                space[..step].copy_from_slice(&rest[..step]);
                (rest, space) = (&rest[step..], &mut space[step..]);
            }
            blob.seal()?;
            names.push(BlobName { lsn: blob.lsn(), bytes: bytes as u32 });
            blob.commit()?;
            left -= bytes as u64;
        }
        Ok(names)
    }

    /// Marks the record at `lsn` committed, if it is still pending and mapped.
    pub(super) fn mark_committed(&self, lsn: Lsn, guard: &Guard) {
        // Below the floor everything is resolved.
        if let Some(segment) = self.table.load(guard).find(lsn.get()) {
            let state = segment.state(lsn.get());
            // Acquire: pairs with the Release of commit and void.
            let word = state.load(Ordering::Acquire);
            if record::is_pending(word) {
                // Release: pairs with the Acquire in `advance`; the record's bytes, which this thread sees through
                // the publication of its version, are passed on. A failure means that its owner was here first.
                let _ = state.compare_exchange(
                    word,
                    record::committed(word),
                    Ordering::Release,
                    Ordering::Relaxed,
                );
            }
        }
    }

    /// Whether the record at `lsn` is committed; so is every one that is no longer mapped.
    #[cfg(all(test, feature = "shuttle"))]
    pub(super) fn is_committed(&self, lsn: Lsn) -> bool {
        let guard = crossbeam_epoch::pin();
        let Some(segment) = self.table.load(&guard).find(lsn.get()) else { return true };
        record::committed(0) == segment.state(lsn.get()).load(Ordering::Acquire) & 0xFFFF
    }

    /// The watermark as it was last raised.
    #[inline]
    pub(super) fn resolved(&self) -> Lsn {
        // Acquire: pairs with the Release in `advance`; the records below are seen as they are.
        Lsn::new(self.resolved.load(Ordering::Acquire))
    }

    /// Raises the watermark over all records that are decided, and returns it.
    pub(super) fn advance(&self, guard: &Guard) -> Lsn {
        let from = self.resolved().get();
        let list = self.table.load(guard);
        // Why: another thread may have raised the watermark, and segments may have left the table, since `from` was
        // read. Everything below the floor is resolved.
        let mut at = from.max(list.floor());
        while let Some(segment) = list.find(at) {
            let reached = Self::walk(segment, at);
            at = reached;
            if reached < segment.end() {
                break;
            }
        }
        if at == from {
            return Lsn::new(at);
        }
        // AcqRel: pairs with the Acquire in `resolved`; what the walk saw is passed on.
        let before = self.resolved.fetch_max(at, Ordering::AcqRel);
        Lsn::new(at.max(before))
    }

    /// How far from `at` on the records of `segment` are decided.
    fn walk(segment: &Segment, mut at: u64) -> u64 {
        while at < segment.end() {
            // Acquire: pairs with the Release of the head's store.
            match record::jump(segment.head(at).load(Ordering::Acquire)) {
                Jump::Nothing => return at,
                Jump::Pad(bytes) => at += bytes,
                Jump::Record(bytes) => {
                    // Acquire: pairs with the Release of commit, void and `mark_committed`.
                    if record::is_pending(segment.state(at).load(Ordering::Acquire)) {
                        return at;
                    }
                    at += bytes;
                }
            }
        }
        at
    }

    /// Waits until everything below `lsn` is decided.
    pub(super) fn wait_resolved(&self, lsn: Lsn) -> Result<(), LogError> {
        let mut round = 0;
        while self.resolved() < lsn && self.advance(&crossbeam_epoch::pin()) < lsn {
            // A lost page may hold heads: the walk may never get past it.
            if self.poison.page_lost() {
                return self.poison.check();
            }
            schedule_point();
            spin_wait(round);
            round += 1;
        }
        Ok(())
    }
}
