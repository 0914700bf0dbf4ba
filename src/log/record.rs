//! How a record is framed: its head, its checksum, its state.
//!
//! Pure functions over words and bytes; the byte table is in `FORMAT.md`. The appender writes with them, the
//! scanner reads with them, and nothing else knows the layout.

use super::lsn::{History, Lsn};

/// Bytes of a record's head: length and check.
pub const HEAD_BYTES: u64 = 8;
/// Bytes before a record's payload: head, checksum, state, time.
pub const RECORD_HEADER_BYTES: u64 = 24;
/// Every record starts at a multiple of this.
pub const ALIGN: u64 = 8;
/// Offset of the checksum word within a record.
pub const CHECKSUM_AT: u64 = 8;
/// Offset of the state word within a record.
pub const STATE_AT: u64 = 12;
/// Offset of the time within a record; the checksum covers everything from here to the end.
pub const TIME_AT: u64 = 16;
/// The bit of the length that makes a head a pad.
const PAD_BIT: u32 = 1 << 31;

/// `length` rounded up to where the next record may start.
#[inline]
pub const fn aligned(length: u64) -> u64 {
    (length + ALIGN - 1) & !(ALIGN - 1)
}

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The payload itself.
    Plain = 1,
    /// A piece of a payload that a later [`Kind::Spilled`] record names.
    Blob = 2,
    /// The names of the blobs that together are the payload.
    Spilled = 3,
}

impl Kind {
    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Plain),
            2 => Some(Self::Blob),
            3 => Some(Self::Spilled),
            _ => None,
        }
    }
}

/// Whether a record counts.
///
/// Invariant: any two of the three codes differ in both of their bytes, so that no single wrong byte turns one
/// state into another: the state lies outside the checksum, as it changes after the checksum is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum State {
    /// Reserved, and not decided.
    Pending = 0,
    /// Part of the database.
    Committed = 0xA5C3,
    /// Never happened.
    Void = 0x5A3C,
}

/// The state word: state in the low half, kind in the third byte, the fourth is zero.
#[inline]
pub const fn state_word(state: State, kind: Kind) -> u32 {
    state as u32 | (kind as u32) << 16
}

/// The state in `word`, whose kind is known to be good: used on records of this process.
#[inline]
pub const fn is_pending(word: u32) -> bool {
    word & 0xFFFF == State::Pending as u32
}

/// `word` with its pending state replaced by *committed*.
#[inline]
pub const fn committed(word: u32) -> u32 {
    word | State::Committed as u32
}

/// State and kind of a word read from a file; `None` when either code is unknown.
///
/// A record that was reserved and got no further than its head has kind 0, and no kind.
pub const fn decode_state(word: u32) -> Option<(State, Option<Kind>)> {
    let state = match word & 0xFFFF {
        0 => State::Pending,
        0xA5C3 => State::Committed,
        0x5A3C => State::Void,
        _ => return None,
    };
    if word >> 24 != 0 {
        return None;
    }
    match (Kind::from_byte((word >> 16) as u8), state) {
        (Some(kind), _) => Some((state, Some(kind))),
        (None, State::Committed) => None,
        (None, _) if word >> 16 == 0 => Some((state, None)),
        (None, _) => None,
    }
}

/// The key of all checks of one history.
#[derive(Clone, Copy, Debug)]
pub struct Seal {
    low: u64,
    high: u64,
}

impl Seal {
    /// The key of `history`.
    pub const fn new(history: History) -> Self {
        Self { low: history.get() as u64, high: (history.get() >> 64) as u64 }
    }

    /// The 32-bit check over history, place and length (pad bit included).
    #[inline]
    pub const fn check(self, lsn: u64, length: u32) -> u32 {
        let place = self.low ^ lsn.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let keyed = mix(place ^ (length as u64) << 32) ^ self.high;
        (mix(keyed) >> 32) as u32
    }

    /// The head of a record of `length` bytes at `lsn`, as the little-endian number that is stored.
    #[inline]
    pub const fn record_head(self, lsn: u64, length: u32) -> u64 {
        head_word(self.check(lsn, length), length)
    }

    /// The head of a pad of `length` bytes at `lsn`, as the little-endian number that is stored.
    #[inline]
    pub const fn pad_head(self, lsn: u64, length: u32) -> u64 {
        head_word(self.check(lsn, length | PAD_BIT), length | PAD_BIT)
    }

    /// What the word read at `lsn`, with `room` bytes left in its segment, says.
    #[inline]
    pub const fn read_head(self, lsn: u64, stored: u64, room: u64) -> Head {
        let word = u64::from_le(stored);
        if word == 0 {
            return Head::Zero;
        }
        let field = word as u32;
        if self.check(lsn, field) != (word >> 32) as u32 {
            return Head::Invalid;
        }
        let length = field & !PAD_BIT;
        let bytes = aligned(length as u64);
        if bytes > room {
            return Head::Invalid;
        }
        if field & PAD_BIT != 0 {
            return if length as u64 == bytes && bytes >= HEAD_BYTES {
                Head::Pad { bytes }
            } else {
                Head::Invalid
            };
        }
        if (length as u64) < RECORD_HEADER_BYTES { Head::Invalid } else { Head::Record { length, bytes } }
    }

    /// The checksum of a record; see [`checksum`].
    #[inline]
    pub fn checksum(self, lsn: u64, kind: Kind, body: &[u8]) -> u32 {
        checksum(self.check(lsn, body.len() as u32 + TIME_AT as u32), kind, body)
    }
}

/// The head of a record of `length` bytes with this check, as the little-endian number that is stored.
#[inline]
pub const fn head_word(check: u32, length: u32) -> u64 {
    ((check as u64) << 32 | length as u64).to_le()
}

/// The checksum of a record: CRC-32 over time and payload (`body`), its initial value made of the head's check and the
/// kind, so that it also depends on history, place and length.
#[inline]
pub fn checksum(check: u32, kind: Kind, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(check ^ (kind as u32).wrapping_mul(0x9E37_79B1));
    hasher.update(body);
    hasher.finalize()
}

/// The bijective mixer of the head check (the finalizer known from murmur3).
#[inline]
const fn mix(mut word: u64) -> u64 {
    word ^= word >> 33;
    word = word.wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    word ^= word >> 33;
    word = word.wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    word ^ word >> 33
}

/// What a record's first word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// Nothing was written here.
    Zero,
    /// A record: its exact length, and the bytes it takes.
    Record {
        /// Exact length, head included.
        length: u32,
        /// The length rounded up to the next record's place.
        bytes: u64,
    },
    /// Space to skip.
    Pad {
        /// How much, this head included.
        bytes: u64,
    },
    /// Not a head of this place and history.
    Invalid,
}

/// How far to jump over a record or pad that this process wrote itself; 0 when nothing is there yet.
///
/// Unlike [`Seal::read_head`] it trusts the word, so that walking one's own window costs next to nothing.
#[inline]
pub const fn jump(stored: u64) -> Jump {
    let word = u64::from_le(stored);
    let field = word as u32;
    if word == 0 {
        Jump::Nothing
    } else if field & PAD_BIT != 0 {
        Jump::Pad((field & !PAD_BIT) as u64)
    } else {
        Jump::Record(aligned(field as u64))
    }
}

/// See [`jump`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jump {
    /// The head is not there yet.
    Nothing,
    /// A pad of so many bytes.
    Pad(u64),
    /// A record that takes so many bytes.
    Record(u64),
}

/// The place just behind a record of `bytes` bytes at `lsn`.
#[inline]
pub const fn after(lsn: Lsn, bytes: u64) -> Lsn {
    Lsn::new(lsn.get() + bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    const SEAL: Seal = Seal::new(History::new(0x0123_4567_89AB_CDEF_0011_2233_4455_6677));

    #[test]
    fn the_check_and_the_checksum_are_those_of_the_format_page() {
        assert_eq!(SEAL.record_head(4096, 24).to_le_bytes()[..4], [24, 0, 0, 0]);
        assert_eq!(u64::from_le(SEAL.record_head(4096, 24)) >> 32, FIXTURE_CHECK);
        assert_eq!(SEAL.checksum(4096, Kind::Plain, b"\0\0\0\0\0\0\0\0hello"), FIXTURE_CHECKSUM);
    }
    // Fixture: these values are promised to every file ever written with format version 1.
    const FIXTURE_CHECK: u64 = 3_976_583_653;
    const FIXTURE_CHECKSUM: u32 = 4_232_882_214;

    #[test]
    fn codes_of_states_differ_in_both_bytes() {
        let codes = [State::Pending, State::Committed, State::Void].map(|state| (state as u16).to_le_bytes());
        for (i, a) in codes.iter().enumerate() {
            for b in &codes[i + 1..] {
                assert!(a[0] != b[0] && a[1] != b[1]);
            }
        }
    }

    #[test]
    fn zero_is_never_a_head_and_never_a_checked_state() {
        assert_eq!(SEAL.read_head(4096, 0, u64::MAX), Head::Zero);
        assert_eq!(decode_state(0), Some((State::Pending, None)));
        assert_eq!(decode_state(0xA5C3), None, "committed without a kind");
        assert_eq!(decode_state(0x0101_A5C3), None, "the last byte is not zero");
        assert_eq!(decode_state(0x0009_0000), None, "unknown kind");
    }

    quickcheck! {
        fn a_head_is_valid_only_at_its_place_in_its_history(place: u32, payload: u16, other: u32) -> bool {
            let (lsn, length) = (u64::from(place) * 8, u32::from(payload) + 24);
            let head = SEAL.record_head(lsn, length);
            let elsewhere = SEAL.read_head(u64::from(other) * 8, head, 1 << 20);
            let foreign = Seal::new(History::new(u128::from(other) + 1)).read_head(lsn, head, 1 << 20);
            SEAL.read_head(lsn, head, 1 << 20) == Head::Record { length, bytes: aligned(u64::from(length)) }
                && (other == place || elsewhere == Head::Invalid)
                && foreign == Head::Invalid
        }

        fn any_wrong_byte_makes_a_head_invalid(place: u32, payload: u16, at: usize, flip: u8) -> bool {
            let (lsn, length) = (u64::from(place) * 8, u32::from(payload) + 24);
            let mut bytes = SEAL.record_head(lsn, length).to_ne_bytes();
            bytes[at % 8] ^= flip.max(1);
            SEAL.read_head(lsn, u64::from_ne_bytes(bytes), 1 << 20) == Head::Invalid
        }

        fn a_pad_is_valid_within_its_room(place: u32, words: u16) -> bool {
            let (lsn, bytes) = (u64::from(place) * 8, (u64::from(words) + 1) * 8);
            let head = SEAL.pad_head(lsn, bytes as u32);
            SEAL.read_head(lsn, head, bytes) == Head::Pad { bytes }
                && SEAL.read_head(lsn, head, bytes - 8) == Head::Invalid
                && jump(head) == Jump::Pad(bytes)
        }

        fn the_checksum_depends_on_kind_place_and_every_byte(body: Vec<u8>, at: usize, place: u32) -> bool {
            let lsn = u64::from(place) * 8;
            let sum = SEAL.checksum(lsn, Kind::Plain, &body);
            let mut other = body.clone();
            let index = at % body.len().max(1);
            if let Some(byte) = other.get_mut(index) {
                *byte = !*byte;
            }
            let changed = body.is_empty() || SEAL.checksum(lsn, Kind::Plain, &other) != sum;
            changed && SEAL.checksum(lsn, Kind::Blob, &body) != sum && SEAL.checksum(lsn + 8, Kind::Plain, &body) != sum
        }
    }
}
