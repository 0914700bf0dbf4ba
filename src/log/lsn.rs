//! The two names that place a byte of the log: its number, and the line of numbers that it belongs to.
//!
//! Values only; owned by nobody, used by every layer above.

use std::fmt;

/// A record's place in the log: a byte offset that only grows, across all segments.
///
/// [`Lsn::ZERO`] names no record: the first record of a database lies at [`Lsn::FIRST`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(u64);

impl Lsn {
    /// No record.
    pub const ZERO: Self = Self(0);
    /// Where the log of a fresh database starts.
    pub const FIRST: Self = Self(4096);
    /// How many bits an LSN takes at most; other layers keep flags in the rest of a word.
    pub const BITS: u32 = 48;
    /// No record reaches past this place: appending stops with an error long before 48 bits are used up.
    pub const MAX: Self = Self((1 << Self::BITS) - (1 << 32));

    /// The LSN with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The id of one line of LSNs. A promotion, or a recovery that cut anything, starts a new one.
///
/// It is random and secret enough to key the checks of the record heads: who does not know it cannot forge a
/// record inside a payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct History(u128);

impl History {
    /// The history with this id.
    pub const fn new(id: u128) -> Self {
        Self(id)
    }

    /// The id.
    pub const fn get(self) -> u128 {
        self.0
    }

    /// A new history, with an id from the system's random source.
    ///
    /// # Errors
    /// When the system has no random bytes to give.
    pub fn random() -> std::io::Result<Self> {
        let mut id = [0_u8; 16];
        let mut filled = 0;
        while filled < id.len() {
            let rest = &mut id[filled..];
            // SAFETY: `rest` is a live, writable slice, and its own length is passed with it.
            let got = unsafe { libc::getrandom(rest.as_mut_ptr().cast(), rest.len(), 0) };
            if got < 0 {
                let error = std::io::Error::last_os_error();
                if error.kind() != std::io::ErrorKind::Interrupted {
                    return Err(error);
                }
            } else {
                filled += got as usize;
            }
        }
        Ok(Self(u128::from_le_bytes(id)))
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_histories_differ_and_print_as_32_digits() {
        let (a, b) = (History::random().unwrap(), History::random().unwrap());
        assert_ne!(a, b);
        assert_eq!(a.to_string().len(), 32);
    }

    #[test]
    fn the_last_lsn_fits_its_bits_with_room_for_a_segment() {
        assert!(Lsn::MAX.get() + (1 << 31) < 1 << Lsn::BITS);
    }
}
