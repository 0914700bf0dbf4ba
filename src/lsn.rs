//! The place of a record in the data log.
//!
//! A leaf: the store stamps versions with it, the log hands it out, replication and WATCH compare it.

use std::fmt;

/// A byte offset in the data log that only grows, across all segments.
///
/// `Lsn::ZERO` is before every record: a version that no record made carries it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lsn(u64);

impl Lsn {
    /// Before every record.
    pub const ZERO: Self = Self(0);
    /// The largest representable place: a version's header keeps 48 bits (256 TiB of log).
    pub const MAX: Self = Self((1 << 48) - 1);

    /// Wraps a byte offset.
    ///
    /// # Panics
    /// When the offset does not fit in 48 bits; the log refuses to grow that far.
    #[inline]
    pub const fn new(offset: u64) -> Self {
        assert!(offset <= Self::MAX.0, "an LSN fits in 48 bits");
        Self(offset)
    }

    /// The byte offset.
    #[inline]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The place `bytes` further on.
    ///
    /// # Panics
    /// As [`Lsn::new`].
    #[inline]
    #[must_use]
    pub const fn after(self, bytes: u64) -> Self {
        Self::new(self.0 + bytes)
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lsn({})", self.0)
    }
}
