//! The two names that place a byte of the log: its number, and the line of numbers that it belongs to.
//!
//! Values only; owned by nobody, used by every layer above.

use std::fmt;

pub use crate::lsn::Lsn;

/// The id of one line of LSNs. A promotion, or a recovery that cut anything, starts a new one.
///
/// It is random and secret enough to key the checks of the record heads: who does not know it cannot forge a
/// record inside a payload.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
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

    /// The id as 32 hexadecimal digits, for another server of the same line. Whoever else is told of a history is told its
    /// [`History::name`].
    pub fn digits(self) -> String {
        format!("{:032x}", self.0)
    }

    /// What others may know it by: a number that says nothing of the id, which is secret.
    pub fn name(self) -> HistoryName {
        // Why: a keyed pseudo-random function of two constants, with the id as its key.
        let half = |n: u8| siphasher::sip::SipHasher13::new_with_key(&self.0.to_le_bytes()).hash(&[n]);
        HistoryName(u128::from(half(1)) << 64 | u128::from(half(0)))
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

/// The public name of a history: 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct HistoryName(u128);

impl HistoryName {
    /// The history with this name.
    pub const fn new(name: u128) -> Self {
        Self(name)
    }
}

impl fmt::Display for HistoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

// Why not what is in it: that would be the secret, in whatever message it is part of.
impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "History({})", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_histories_differ_and_print_as_32_digits() {
        let (a, b) = (History::random().unwrap(), History::random().unwrap());
        assert_ne!(a, b);
        assert_eq!(a.digits().len(), 32);
    }

    #[test]
    fn what_shows_a_history_does_not_show_its_id() {
        let history = History::new(0x1234_5678_9abc_def0_1234_5678_9abc_def0);
        assert!(!format!("{history:?} {}", history.name()).contains(&history.digits()));
        assert!(format!("{history:?}").contains(&history.name().to_string()));
    }

    #[test]
    fn the_last_lsn_fits_its_bits_with_room_for_a_segment() {
        assert!(Lsn::MAX.get() + (1 << 31) < 1 << Lsn::BITS);
    }
}
