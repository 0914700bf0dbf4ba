//! The place of a record in the data log.
//!
//! A leaf: the store stamps versions with it, the log hands it out, replication and WATCH compare it.

use std::fmt;

/// A byte offset in the data log that only grows, across all segments.
///
/// [`Lsn::ZERO`] names no record: the first record of a database lies at [`Lsn::FIRST`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(u64);

impl Lsn {
    /// No record.
    pub const ZERO: Self = Self(0);
    /// Where the log of a fresh database starts.
    pub const FIRST: Self = Self(4096);
    /// How many bits an LSN takes at most; a version keeps its flags in the rest of a word.
    pub const BITS: u32 = 48;
    /// No record reaches past this place: appending stops with an error long before 48 bits are used up.
    pub const MAX: Self = Self((1 << Self::BITS) - (1 << 32));

    /// The LSN with this number.
    #[inline]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[inline]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
