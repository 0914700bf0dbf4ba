//! The space of one record in a mapped segment: its shared words, and the bytes that its reservation fills.

use std::marker::PhantomData;
use std::ptr::NonNull;

use super::record::{CHECKSUM_AT, RECORD_HEADER_BYTES, STATE_AT, TIME_AT};
use super::segment::Segment;
use crate::sync::{AtomicU32, AtomicU64, schedule_point};

/// Where a record lies.
///
/// Invariant: `length` bytes from `start` on are mapped for `'s`, no less than a record's header; `start` is a multiple
/// of 8. [`Space::new`] is told so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Space<'s> {
    start: NonNull<u8>,
    length: u32,
    segment: PhantomData<&'s Segment>,
}

impl<'s> Space<'s> {
    /// The space of `length` bytes from `start` on.
    ///
    /// # Safety
    /// The bytes are mapped for `'s`, and `start` is a multiple of 8.
    ///
    /// # Panics
    /// When a record's header does not fit.
    #[inline]
    pub(super) unsafe fn new(start: NonNull<u8>, length: u32) -> Self {
        assert!(u64::from(length) >= RECORD_HEADER_BYTES, "a record without a header");
        Self { start, length, segment: PhantomData }
    }

    /// The head word.
    #[inline]
    pub(super) fn head(self) -> &'s AtomicU64 {
        // SAFETY: mapped and aligned by the invariant; any bytes are a valid word, and such words are accessed as atomics
        // only.
        unsafe { self.start.cast().as_ref() }
    }

    #[inline]
    fn word(self, at: u64) -> &'s AtomicU32 {
        // SAFETY: as in `head`; the callers' places lie in the header and are multiples of 4.
        unsafe { self.start.add(at as usize).cast().as_ref() }
    }

    /// The state word.
    #[inline]
    pub(super) fn state(self) -> &'s AtomicU32 {
        self.word(STATE_AT)
    }

    /// The checksum.
    #[inline]
    pub(super) fn checksum(self) -> &'s AtomicU32 {
        self.word(CHECKSUM_AT)
    }

    /// Time and payload.
    ///
    /// # Safety
    /// The caller owns the reservation of the record and holds no other reference to these bytes.
    #[inline]
    pub(super) unsafe fn body_mut(&mut self) -> &mut [u8] {
        schedule_point();
        let len = self.length as usize - TIME_AT as usize;
        // SAFETY: mapped by the invariant, behind the shared words; exclusive, as the caller promises; bytes of any
        // value are valid.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr().add(TIME_AT as usize), len) }
    }
}
