//! A reserved record: the guard object between reserving space and the record's decision.
//!
//! Owned by one thread. Until it is committed it stands for *void*: dropping it, also by a panic, voids the record.
//! While it lives the caller stays pinned (the lifetime), so the segment stays mapped.

use super::appender::Appender;
use super::blob::SpillFloor;
use super::error::LogError;
use super::lsn::Lsn;
use super::record::{
    Kind, RECORD_HEADER_BYTES, State, TIME_AT, after, aligned, checksum, head_word, state_word,
};
use super::segment::Segment;
use super::space::Space;
use crate::sync::Ordering;

/// Space in the log for one record, to be filled, sealed and committed in this order.
///
/// Dropped without [`Reservation::commit`], the record becomes void.
#[derive(Debug)]
pub struct Reservation<'g> {
    appender: &'g Appender,
    /// Of the head.
    check: u32,
    lsn: u64,
    space: Space<'g>,
    /// Exact length of the record, its header included.
    length: u32,
    kind: Kind,
    stage: Stage,
    floor: Option<SpillFloor<'g>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Open,
    Sealed,
    Committed,
}

impl<'g> Reservation<'g> {
    /// Takes over the space of `length` bytes that the tail was moved over at `lsn`.
    #[inline]
    pub(super) fn begin(
        appender: &'g Appender,
        segment: &'g Segment,
        lsn: u64,
        length: u32,
        kind: Kind,
        time: u64,
    ) -> Self {
        // Order: the head is the first store, or else a kill leaves bytes that recovery cannot jump over.
        // Release: pairs with the Acquire in `Appender::walk`.
        let (check, space) = (segment.seal().check(lsn, length), segment.space(lsn, length));
        space.head().store(head_word(check, length), Ordering::Release);
        // Relaxed: a helper changes the state only after it saw the record published, and so this store.
        space.state().store(state_word(State::Pending, kind), Ordering::Relaxed);
        let mut this = Self { appender, check, lsn, space, length, kind, stage: Stage::Open, floor: None };
        this.body_mut()[..8].copy_from_slice(&time.to_le_bytes());
        this
    }

    /// Copies the payload in.
    pub(super) fn fill(&mut self, payload: &[u8]) {
        self.payload_mut().copy_from_slice(payload);
    }

    /// Keeps `floor` registered until this record is decided.
    pub(super) fn hold(&mut self, floor: SpillFloor<'g>) {
        self.floor = Some(floor);
    }

    /// The record's place in the log.
    #[inline]
    pub fn lsn(&self) -> Lsn {
        Lsn::new(self.lsn)
    }

    /// The place just behind the record.
    #[inline]
    pub fn end(&self) -> Lsn {
        after(self.lsn(), aligned(u64::from(self.length)))
    }

    /// The payload, to be filled. Of a spilled record these are the names of its blobs, already filled.
    ///
    /// # Panics
    /// After [`Reservation::seal`]: the checksum would not hold.
    #[inline]
    pub fn payload_mut(&mut self) -> &mut [u8] {
        assert!(self.stage == Stage::Open, "a sealed record was changed");
        &mut self.body_mut()[(RECORD_HEADER_BYTES - TIME_AT) as usize..]
    }

    /// Time and payload: all that the checksum covers.
    #[inline]
    fn body_mut(&mut self) -> &mut [u8] {
        // SAFETY: the tail was moved over these bytes for this reservation alone. `&mut self` makes this the only
        // reference. Others read them only after the record is committed, which consumes `self`, or after
        // publication, when no mutable reference is handed out any more (`Sealed`).
        unsafe { self.space.body_mut() }
    }

    /// Computes the checksum; to be called when the payload is complete and before the record is published, as a
    /// helper may commit it from then on.
    ///
    /// # Errors
    /// [`LogError::Poisoned`] when the log failed: the record may be lost, so it must not be published. Drop it.
    #[inline]
    pub fn seal(&mut self) -> Result<(), LogError> {
        let (check, kind) = (self.check, self.kind);
        let checksum = checksum(check, kind, self.body_mut());
        // Relaxed: published with the rest of the record.
        self.space.checksum().store(checksum.to_le(), Ordering::Relaxed);
        self.stage = Stage::Sealed;
        self.appender.poison.check()
    }

    /// Makes the record part of the database; to be called after its effects were published.
    ///
    /// # Errors
    /// [`LogError::Poisoned`] when the log failed: the effects are visible, but must not be acknowledged.
    ///
    /// # Panics
    /// When the record was not sealed.
    #[inline]
    pub fn commit(mut self) -> Result<(), LogError> {
        assert!(self.stage == Stage::Sealed, "an unsealed record was committed");
        // Release: pairs with the Acquire in `Appender::walk`; whoever sees the record decided sees its bytes. A helper
        // may have stored the same before.
        self.space.state().store(state_word(State::Committed, self.kind), Ordering::Release);
        self.stage = Stage::Committed;
        self.appender.poison.check()
    }
}

impl Drop for Reservation<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.stage != Stage::Committed {
            // Why an exchange: if the record was published against the rules and helped, what was seen stays.
            let pending = state_word(State::Pending, self.kind);
            let void = state_word(State::Void, self.kind);
            let state = self.space.state();
            let _ = state.compare_exchange(pending, void, Ordering::Release, Ordering::Relaxed);
        }
        self.appender.leave_flight();
    }
}
