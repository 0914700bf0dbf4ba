//! What the entries of a collection mean, and in which order a large one keeps them.
//!
//! | collection | entry | order of a tree |
//! |---|---|---|
//! | list | the element | by position |
//! | set | the member | by the member's hash, then the member |
//! | hash | length of the field twice, plus 1 if an expiry follows (LEB128); expiry (8 bytes, Unix ms); field; value | as a set's, by the field |
//! | sorted set | score (8 bytes, IEEE 754), member | by score, then member; and a second tree as a set's |
//! | what expires of a hash | expiry (8 bytes, Unix ms, big-endian), field | by time, then field |
//!
//! Little-endian but for the last. Where an order is by hash, a cursor over it is a hash: it needs no state, and misses nothing that
//! stays. The hash has no secret: many fields of one hash cost a comparison of their bytes, and nothing else.

use std::cmp::Ordering;

use xxhash_rust::xxh3::xxh3_64;

use crate::clock::Millis;

const SCORE_BYTES: usize = 8;
const EXPIRY_BYTES: usize = 8;
const LEB128_BYTES_MAX: usize = 10;

/// How the entries of a tree or block are made and ordered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Elements of a list.
    Element,
    /// Fields of a hash, by field.
    Field,
    /// Members of a set, by member.
    Member,
    /// Members of a sorted set with their scores, by member.
    Scored,
    /// The same by score.
    Ranked,
    /// Fields of a hash that expire, by time.
    Due,
}

impl Form {
    /// What an entry is found by: the element, field or member.
    #[inline]
    pub fn key(self, entry: &[u8]) -> &[u8] {
        match self {
            Self::Element | Self::Member => entry,
            Self::Field => FieldRef::of(entry).field,
            Self::Scored | Self::Ranked => scored(entry).1,
            Self::Due => Due::of(entry).field,
        }
    }

    /// The first part of an entry's place in the order; equal ones are told apart by the rest.
    #[inline]
    pub fn prefix(self, entry: &[u8]) -> u64 {
        match self {
            Self::Element => 0,
            Self::Ranked => score_rank(scored(entry).0),
            Self::Due => Due::of(entry).at.0,
            Self::Field | Self::Member | Self::Scored => key_hash(self.key(entry)),
        }
    }
}

/// The hash that orders fields and members (XXH3, 64 bits, no seed).
#[inline]
pub fn key_hash(key: &[u8]) -> u64 {
    xxh3_64(key)
}

/// A number that orders as the score does; both zeros are one.
#[inline]
pub fn score_rank(score: f64) -> u64 {
    let bits = if score == 0.0 { 0 } else { score.to_bits() };
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

/// How the sorted set's order puts two scored members.
#[inline]
pub fn compare_scored(a: (f64, &[u8]), b: (f64, &[u8])) -> Ordering {
    score_rank(a.0).cmp(&score_rank(b.0)).then_with(|| a.1.cmp(b.1))
}

/// Score and member of a sorted set's entry.
///
/// # Panics
/// When the entry is none.
#[inline]
pub fn scored(entry: &[u8]) -> (f64, &[u8]) {
    let (score, member) = entry.split_first_chunk::<SCORE_BYTES>().expect("a scored entry has a score");
    (f64::from_le_bytes(*score), member)
}

/// Writes a sorted set's entry in the place of what `out` held.
#[inline]
pub fn write_scored(score: f64, member: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.reserve(SCORE_BYTES + member.len());
    out.extend_from_slice(&score.to_le_bytes());
    out.extend_from_slice(member);
}

/// One field of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldRef<'e> {
    /// Its name.
    pub field: &'e [u8],
    /// What it holds.
    pub value: &'e [u8],
    /// When it ends to be, if it does.
    pub expiry: Option<Millis>,
}

impl<'e> FieldRef<'e> {
    /// Reads an entry that was made by [`FieldRef::write`].
    ///
    /// # Panics
    /// On other bytes; see [`FieldRef::parse`].
    #[inline]
    pub fn of(entry: &'e [u8]) -> Self {
        Self::parse(entry).expect("an entry of a hash is whole")
    }

    /// Reads an entry that may be damaged.
    #[inline]
    pub fn parse(entry: &'e [u8]) -> Option<Self> {
        let (head, mut rest) = leb128(entry)?;
        let mut expiry = None;
        if head & 1 != 0 {
            let (bytes, behind) = rest.split_first_chunk::<EXPIRY_BYTES>()?;
            expiry = Some(Millis(u64::from_le_bytes(*bytes)));
            rest = behind;
        }
        let (field, value) = rest.split_at_checked(usize::try_from(head >> 1).ok()?)?;
        Some(Self { field, value, expiry })
    }

    /// Writes it as an entry in the place of what `out` held.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.clear();
        // Why: what grows by itself is moved for each part.
        out.reserve(LEB128_BYTES_MAX + EXPIRY_BYTES + self.field.len() + self.value.len());
        write_leb128((self.field.len() as u64) << 1 | u64::from(self.expiry.is_some()), out);
        if let Some(at) = self.expiry {
            out.extend_from_slice(&at.0.to_le_bytes());
        }
        out.extend_from_slice(self.field);
        out.extend_from_slice(self.value);
    }

    /// Whether its time has come.
    #[inline]
    pub fn is_over(&self, now: Millis) -> bool {
        self.expiry.is_some_and(|at| at <= now)
    }
}

/// A field that expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due<'e> {
    /// When.
    pub at: Millis,
    /// Its name.
    pub field: &'e [u8],
}

impl<'e> Due<'e> {
    /// Reads an entry.
    ///
    /// # Panics
    /// When it is none.
    #[inline]
    pub fn of(entry: &'e [u8]) -> Self {
        let (at, field) = entry.split_first_chunk::<EXPIRY_BYTES>().expect("what expires has a time");
        Self { at: Millis(u64::from_be_bytes(*at)), field }
    }

    /// Writes it as an entry in the place of what `out` held.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.clear();
        out.reserve(EXPIRY_BYTES + self.field.len());
        out.extend_from_slice(&self.at.0.to_be_bytes());
        out.extend_from_slice(self.field);
    }
}

/// Appends a number in the variable length that DWARF calls unsigned LEB128.
pub fn write_leb128(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes such a number from the front.
#[inline]
pub fn leb128(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (at, &byte) in bytes.iter().take(9).enumerate() {
        number |= u64::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    quickcheck! {
        fn fields_survive(field: Vec<u8>, value: Vec<u8>, expiry: Option<u64>, stretch: u8) -> bool {
            let field = field.repeat(1 + usize::from(stretch));
            let given = FieldRef { field: &field, value: &value, expiry: expiry.map(Millis) };
            let mut entry = Vec::new();
            given.write(&mut entry);
            FieldRef::parse(&entry) == Some(given) && Form::Field.key(&entry) == field
        }

        fn damaged_fields_never_panic(entry: Vec<u8>) -> bool {
            FieldRef::parse(&entry).is_none_or(|field| field.field.len() + field.value.len() < entry.len())
        }

        fn ranks_order_as_scores_do(a: f64, b: f64) -> bool {
            a.is_nan() || b.is_nan() || a.partial_cmp(&b) == Some(score_rank(a).cmp(&score_rank(b)))
        }

        fn numbers_survive(number: u64) -> bool {
            let number = number >> 1;
            let mut out = Vec::new();
            write_leb128(number, &mut out);
            leb128(&out) == Some((number, &[][..]))
        }
    }

    #[test]
    fn infinities_and_zeros_have_their_places() {
        let ordered = [f64::NEG_INFINITY, -1.0, 0.0, 1.0, f64::INFINITY];
        assert!(ordered.windows(2).all(|pair| score_rank(pair[0]) < score_rank(pair[1])));
        assert_eq!(score_rank(-0.0), score_rank(0.0));
    }
}
