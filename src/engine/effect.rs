//! Effects: what a command did to one key or to the databases, as data.
//!
//! A record's payload is a sequence of effects. An effect is self-contained: all that it stores is in it; it never
//! takes its input from another key. Deltas (all but put, delete and those of databases) are logged only on a key that
//! was present.
//!
//! All integers are little-endian.
//!
//! ```text
//! offset  bytes
//!      0      1  operation: 1 put, 2 delete, 3 expire, 4 append, 5 overwrite, 6 edit, 7 part, 16 flush, 17 flush all,
//!                18 swap
//!      1      1  value: 0 none, 1 string, 2 integer, 3 string edited in place, 4 list, 5 set, 6 hash, 7 sorted set,
//!                8 edits of a collection, 9 of a list, 10 a set, 11 a hash, 12 a sorted set; bit 7: `aux` follows
//!      2      2  database
//!      4      4  key length; for swap: the other database
//!      8      4  value length
//!    +12      8  aux, only with bit 7: put, expire, part: expiry in Unix milliseconds (absent: none);
//!                overwrite: offset in the string; edit: the new expiry, 0: none (absent: as it was)
//!      …         key, value (an integer: 8 bytes)
//! ```
//!
//! A collection is a block of entries ([`crate::store::value::block`], [`crate::store::value::form`]). Edits are changes
//! in order:
//!
//! ```text
//! offset  bytes
//!      0      1  1: these entries are there now; 2: the entries with these keys are gone; 3: elements are replaced
//!      1      4  length of what follows
//!      5     16  only of elements: index of the first, how many go; 8 bytes each
//!      …         block of entries, keys, elements
//! ```
//!
//! A part is no effect of a record: a snapshot has a large collection in parts (`parts.rs`), each with a value of
//! 8 bytes with its number, bit 63 set in the last, and a block of entries.
//!
//! Invariant: a record has at most one effect on a key, as replay tells by the record's LSN what a key has got already.

use std::borrow::Cow;

use crate::clock::Millis;
use crate::engine::DbIndex;
use crate::store::value::block::Block;
use crate::store::value::collection::Type;
use crate::store::value::draft::{Delta, DeltaRef};
use crate::store::version::{StringRef, ValueRef};

const HEADER_BYTES: usize = 12;
const AUX: u8 = 0x80;

const PUT: u8 = 1;
const DELETE: u8 = 2;
const EXPIRE: u8 = 3;
const APPEND: u8 = 4;
const OVERWRITE: u8 = 5;
const EDIT: u8 = 6;
const PART: u8 = 7;
const FLUSH: u8 = 16;
const FLUSH_ALL: u8 = 17;
const SWAP: u8 = 18;

const NONE: u8 = 0;
const STRING: u8 = 1;
const INTEGER: u8 = 2;
const RAW: u8 = 3;
const LIST: u8 = 4;
const SET: u8 = 5;
const HASH: u8 = 6;
const SORTED_SET: u8 = 7;
const EDITS: u8 = 8;
const LIST_EDITS: u8 = 9;
const SET_EDITS: u8 = 10;
const HASH_EDITS: u8 = 11;
const SORTED_SET_EDITS: u8 = 12;

/// Of a part's number: it is the last.
const LAST_PART: u64 = 1 << 63;

const EDIT_UPSERT: u8 = 1;
const EDIT_REMOVE: u8 = 2;
const EDIT_SPLICE: u8 = 3;
/// What precedes an edit's block at most.
const EDIT_HEAD_BYTES_MAX: usize = 21;

/// A value as it is logged.
#[derive(Clone, Debug)]
pub enum Stored<'a> {
    /// A string; never `Shared` when it was decoded.
    String(StringRef<'a>),
    /// A collection: its type, and a block of its entries.
    Collection(Type, Cow<'a, [u8]>),
}

impl<'a> From<ValueRef<'a>> for Stored<'a> {
    /// Takes time and memory in proportion to a collection's size, unless it is small.
    #[inline]
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::String(string) => Self::String(string),
            ValueRef::Collection(collection) => Self::Collection(collection.type_of(), collection.to_block()),
        }
    }
}

/// One effect.
#[derive(Clone, Debug)]
pub enum Effect<'a> {
    /// The key holds this value now.
    Put {
        /// Database.
        db: DbIndex,
        /// Key.
        key: &'a [u8],
        /// Value.
        value: Stored<'a>,
        /// Its end.
        expiry: Option<Millis>,
    },
    /// The key is absent now.
    Delete {
        /// Database.
        db: DbIndex,
        /// Key.
        key: &'a [u8],
    },
    /// The present key's value ends to be then.
    Expire {
        /// Database.
        db: DbIndex,
        /// Key.
        key: &'a [u8],
        /// Its end; none: it stays.
        expiry: Option<Millis>,
    },
    /// The present string is longer by this.
    Append {
        /// Database.
        db: DbIndex,
        /// Key.
        key: &'a [u8],
        /// What was appended.
        suffix: &'a [u8],
    },
    /// The present string reads so from `offset` on (zeros fill a gap).
    Overwrite {
        /// Database.
        db: DbIndex,
        /// Key.
        key: &'a [u8],
        /// Where the bytes begin.
        offset: u64,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// The present collection is changed.
    Edit {
        /// Database.
        db: DbIndex,
        /// Key.
        key: &'a [u8],
        /// The collection's type; records of before do not tell it.
        of: Option<Type>,
        /// The changes, in order.
        edits: Cow<'a, [u8]>,
        /// Its end from now on, if that changes.
        expiry: Option<Option<Millis>>,
    },
    /// These entries are of the collection that the key held when the snapshot came by.
    Part {
        /// Database.
        db: DbIndex,
        /// Key.
        key: &'a [u8],
        /// The collection's type.
        of: Type,
        /// Which part this is, from 0 on.
        number: u64,
        /// Whether it is the last.
        is_last: bool,
        /// A block of entries.
        entries: Cow<'a, [u8]>,
        /// The key's end.
        expiry: Option<Millis>,
    },
    /// The database is empty now.
    Flush {
        /// Database.
        db: DbIndex,
    },
    /// All databases are empty now.
    FlushAll,
    /// Two databases have changed places.
    Swap {
        /// One.
        a: DbIndex,
        /// The other.
        b: DbIndex,
    },
}

/// Why bytes are no effects.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum EffectError {
    /// The payload ends inside an effect.
    #[error("the payload ends inside an effect at byte {0}")]
    Truncated(usize),
    /// An operation that this version does not know.
    #[error("unknown effect {1} at byte {0}")]
    Unknown(usize, u8),
    /// A value that does not go with its operation.
    #[error("an effect with a malformed value at byte {0}")]
    Malformed(usize),
}

struct Header {
    operation: u8,
    value: u8,
    db: DbIndex,
    key_len: u32,
    value_len: u32,
}

/// An encoded effect in the parts of which it is made, so that key and value are copied only to where they go.
pub struct Parts<'a> {
    header: [u8; HEADER_BYTES],
    aux: Option<[u8; 8]>,
    key: &'a [u8],
    /// The value's first word, where it begins with one.
    word: Option<[u8; 8]>,
    tail: &'a [u8],
}

impl Parts<'_> {
    /// How many bytes it takes.
    #[inline]
    pub fn bytes(&self) -> usize {
        let words = self.aux.map_or(0, |aux| aux.len()) + self.word.map_or(0, |word| word.len());
        HEADER_BYTES + words + self.key.len() + self.tail.len()
    }

    /// Writes it at the start of `out`; gives the rest.
    ///
    /// # Panics
    /// When `out` is shorter than it is.
    #[inline]
    pub fn write<'o>(&self, out: &'o mut [u8]) -> &'o mut [u8] {
        let mut rest = put(out, &self.header);
        if let Some(aux) = &self.aux {
            rest = put(rest, aux);
        }
        rest = put(rest, self.key);
        if let Some(word) = &self.word {
            rest = put(rest, word);
        }
        put(rest, self.tail)
    }

    /// The parts one behind the other, the value last.
    #[inline]
    pub fn slices(&self) -> [&[u8]; 5] {
        [
            &self.header,
            self.aux.as_ref().map_or(&[], |aux| aux),
            self.key,
            self.word.as_ref().map_or(&[], |word| word),
            self.tail,
        ]
    }
}

impl<'a> Parts<'a> {
    #[inline]
    fn new(
        (operation, db, key): (u8, DbIndex, &'a [u8]),
        aux: Option<u64>,
        (value, word, tail): (u8, Option<[u8; 8]>, &'a [u8]),
    ) -> Self {
        let value = if aux.is_some() { value | AUX } else { value };
        let value_len = (word.map_or(0, |word| word.len()) + tail.len()) as u32;
        let header = Header { operation, value, db, key_len: key.len() as u32, value_len };
        Self { header: header.bytes(), aux: aux.map(u64::to_le_bytes), key, word, tail }
    }

    /// The parts of [`Effect::Put`] of a string: what nearly all effects are, without the detour.
    #[inline]
    pub fn put_string(db: DbIndex, key: &'a [u8], value: StringRef<'a>, expiry: Option<Millis>) -> Self {
        let value: (u8, _, &[u8]) = match value {
            StringRef::Int(n) => (INTEGER, Some(n.to_le_bytes()), &[]),
            StringRef::Str(s) => (STRING, None, s),
            StringRef::Raw(s) => (RAW, None, s),
            StringRef::Shared(s) => (STRING, None, s),
        };
        Self::new((PUT, db, key), expiry.map(|at| at.0), value)
    }
}

impl<'a> Effect<'a> {
    /// The effect as it is encoded.
    pub fn parts(&self) -> Parts<'_> {
        let none: (u8, Option<[u8; 8]>, &[u8]) = (NONE, None, &[]);
        let (what, aux, value) = match self {
            Self::Put { db, key, value: Stored::String(value), expiry } => {
                return Parts::put_string(*db, key, *value, *expiry);
            }
            Self::Put { db, key, value: Stored::Collection(of, block), expiry } => {
                let value = (collection_code(*of), None, &block[..]);
                ((PUT, *db, *key), expiry.map(|at| at.0), value)
            }
            Self::Delete { db, key } => ((DELETE, *db, *key), None, none),
            Self::Expire { db, key, expiry } => ((EXPIRE, *db, *key), expiry.map(|at| at.0), none),
            Self::Append { db, key, suffix } => ((APPEND, *db, *key), None, (RAW, None, *suffix)),
            Self::Overwrite { db, key, offset, bytes } => {
                ((OVERWRITE, *db, *key), Some(*offset), (RAW, None, *bytes))
            }
            Self::Edit { db, key, of, edits, expiry } => {
                let aux = expiry.map(|expiry| expiry.map_or(0, |at| at.0));
                ((EDIT, *db, *key), aux, (of.map_or(EDITS, edits_code), None, &edits[..]))
            }
            Self::Part { db, key, of, number, is_last, entries, expiry } => {
                let number = number | if *is_last { LAST_PART } else { 0 };
                let value = (collection_code(*of), Some(number.to_le_bytes()), &entries[..]);
                ((PART, *db, *key), expiry.map(|at| at.0), value)
            }
            Self::Flush { db } => ((FLUSH, *db, &[][..]), None, none),
            Self::FlushAll => ((FLUSH_ALL, 0, &[][..]), None, none),
            Self::Swap { a, b } => {
                let header =
                    Header { operation: SWAP, value: NONE, db: *a, key_len: u32::from(*b), value_len: 0 };
                return Parts { header: header.bytes(), aux: None, key: &[], word: None, tail: &[] };
            }
        };
        Parts::new(what, aux, value)
    }

    /// The database and key that it changes; none of those on whole databases.
    pub fn target(&self) -> Option<(DbIndex, &'a [u8])> {
        match *self {
            Self::Put { db, key, .. }
            | Self::Delete { db, key }
            | Self::Expire { db, key, .. }
            | Self::Append { db, key, .. }
            | Self::Overwrite { db, key, .. }
            | Self::Edit { db, key, .. }
            | Self::Part { db, key, .. } => Some((db, key)),
            Self::Flush { .. } | Self::FlushAll | Self::Swap { .. } => None,
        }
    }

    /// The highest database that it names.
    pub fn database(&self) -> Option<DbIndex> {
        match *self {
            Self::Flush { db } => Some(db),
            Self::Swap { a, b } => Some(a.max(b)),
            _ => self.target().map(|(db, _)| db),
        }
    }

    /// Whether it changes the databases themselves.
    pub fn is_structural(&self) -> bool {
        matches!(self, Self::Flush { .. } | Self::FlushAll | Self::Swap { .. })
    }

    /// Decodes the effects of a payload, one after the other; ends after the first error.
    pub fn decode_all(payload: &'a [u8]) -> impl Iterator<Item = Result<Self, EffectError>> {
        let mut at = 0;
        std::iter::from_fn(move || {
            if at == payload.len() {
                return None;
            }
            let decoded = Self::decode(payload, at);
            at = decoded.as_ref().map_or(payload.len(), |(_, next)| *next);
            Some(decoded.map(|(effect, _)| effect))
        })
    }

    fn decode(payload: &'a [u8], at: usize) -> Result<(Self, usize), EffectError> {
        let truncated = EffectError::Truncated(at);
        let (head, mut rest) = payload[at..].split_first_chunk::<HEADER_BYTES>().ok_or(truncated)?;
        let header = Header::parse(head);
        let mut aux = None;
        if header.value & AUX != 0 {
            let (bytes, after) = rest.split_first_chunk::<8>().ok_or(truncated)?;
            aux = Some(u64::from_le_bytes(*bytes));
            rest = after;
        }
        let key_len = if header.operation == SWAP { 0 } else { header.key_len as usize };
        let (key, rest) = rest.split_at_checked(key_len).ok_or(truncated)?;
        let (tail, rest) = rest.split_at_checked(header.value_len as usize).ok_or(truncated)?;
        let effect = header.effect(at, aux, key, tail)?;
        Ok((effect, payload.len() - rest.len()))
    }
}

impl Header {
    #[inline]
    fn bytes(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[0] = self.operation;
        out[1] = self.value;
        out[2..4].copy_from_slice(&self.db.to_le_bytes());
        out[4..8].copy_from_slice(&self.key_len.to_le_bytes());
        out[8..12].copy_from_slice(&self.value_len.to_le_bytes());
        out
    }

    fn parse(bytes: &[u8; HEADER_BYTES]) -> Self {
        let [operation, value, d0, d1, k0, k1, k2, k3, v0, v1, v2, v3] = *bytes;
        Self {
            operation,
            value,
            db: u16::from_le_bytes([d0, d1]),
            key_len: u32::from_le_bytes([k0, k1, k2, k3]),
            value_len: u32::from_le_bytes([v0, v1, v2, v3]),
        }
    }

    fn effect<'a>(
        &self,
        at: usize,
        aux: Option<u64>,
        key: &'a [u8],
        tail: &'a [u8],
    ) -> Result<Effect<'a>, EffectError> {
        let db = self.db;
        Ok(match self.operation {
            PUT => Effect::Put { db, key, value: self.decode_value(at, tail)?, expiry: aux.map(Millis) },
            DELETE => Effect::Delete { db, key },
            EXPIRE => Effect::Expire { db, key, expiry: aux.map(Millis) },
            APPEND => Effect::Append { db, key, suffix: tail },
            OVERWRITE => {
                let offset = aux.ok_or(EffectError::Malformed(at))?;
                Effect::Overwrite { db, key, offset, bytes: tail }
            }
            EDIT => {
                if decode_edits(tail).any(|edit| edit.is_none()) {
                    return Err(EffectError::Malformed(at));
                }
                let expiry = aux.map(|at| (at != 0).then_some(Millis(at)));
                Effect::Edit { db, key, of: self.edited(at)?, edits: Cow::Borrowed(tail), expiry }
            }
            PART => {
                let (number, tail) = tail.split_first_chunk::<8>().ok_or(EffectError::Malformed(at))?;
                let number = u64::from_le_bytes(*number);
                let (number, is_last) = (number & !LAST_PART, number & LAST_PART != 0);
                match self.decode_value(at, tail)? {
                    Stored::Collection(of, entries) => {
                        Effect::Part { db, key, of, number, is_last, entries, expiry: aux.map(Millis) }
                    }
                    Stored::String(_) => return Err(EffectError::Malformed(at)),
                }
            }
            FLUSH => Effect::Flush { db },
            FLUSH_ALL => Effect::FlushAll,
            SWAP => {
                let b = u16::try_from(self.key_len).map_err(|_| EffectError::Malformed(at))?;
                Effect::Swap { a: db, b }
            }
            other => return Err(EffectError::Unknown(at, other)),
        })
    }

    /// The type of the collection that is edited.
    fn edited(&self, at: usize) -> Result<Option<Type>, EffectError> {
        Ok(Some(match self.value & !AUX {
            EDITS => return Ok(None),
            LIST_EDITS => Type::List,
            SET_EDITS => Type::Set,
            HASH_EDITS => Type::Hash,
            SORTED_SET_EDITS => Type::SortedSet,
            _ => return Err(EffectError::Malformed(at)),
        }))
    }

    fn decode_value<'a>(&self, at: usize, tail: &'a [u8]) -> Result<Stored<'a>, EffectError> {
        let of = match self.value & !AUX {
            STRING => return Ok(Stored::String(StringRef::Str(tail))),
            RAW => return Ok(Stored::String(StringRef::Raw(tail))),
            INTEGER => {
                let bytes = tail.try_into().map_err(|_| EffectError::Malformed(at))?;
                return Ok(Stored::String(StringRef::Int(i64::from_le_bytes(bytes))));
            }
            LIST => Type::List,
            SET => Type::Set,
            HASH => Type::Hash,
            SORTED_SET => Type::SortedSet,
            _ => return Err(EffectError::Malformed(at)),
        };
        Ok(Stored::Collection(of, block(tail).ok_or(EffectError::Malformed(at))?))
    }
}

fn collection_code(of: Type) -> u8 {
    match of {
        Type::String => STRING,
        Type::List => LIST,
        Type::Set => SET,
        Type::Hash => HASH,
        Type::SortedSet => SORTED_SET,
    }
}

fn edits_code(of: Type) -> u8 {
    match of {
        Type::String => EDITS,
        Type::List => LIST_EDITS,
        Type::Set => SET_EDITS,
        Type::Hash => HASH_EDITS,
        Type::SortedSet => SORTED_SET_EDITS,
    }
}

/// The bytes, if they are a block.
fn block(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    Block::parse(bytes).map(|_| Cow::Borrowed(bytes))
}

/// Encodes changes of a collection.
pub fn encode_edits(deltas: &[Delta]) -> Vec<u8> {
    let edit_bytes = |delta: &Delta| EDIT_HEAD_BYTES_MAX + delta.entries().block_bytes();
    let mut out = Vec::with_capacity(deltas.iter().map(edit_bytes).sum());
    for delta in deltas {
        let entries = delta.entries();
        let (kind, place) = match *delta {
            Delta::Upsert(_) => (EDIT_UPSERT, None),
            Delta::Remove(_) => (EDIT_REMOVE, None),
            Delta::Splice { index, remove, .. } => (EDIT_SPLICE, Some([index, remove])),
        };
        let bytes = entries.block_bytes() + place.map_or(0, |place| size_of_val(&place));
        out.push(kind);
        out.extend_from_slice(&(bytes as u32).to_le_bytes());
        out.extend(place.iter().flatten().flat_map(|number| number.to_le_bytes()));
        entries.append_to(&mut out);
    }
    out
}

/// Decodes changes of a collection, one after the other; none and the end for bytes that are no change.
pub fn decode_edits(edits: &[u8]) -> impl Iterator<Item = Option<DeltaRef<'_>>> {
    let mut rest = edits;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let decoded = decode_edit(rest);
        rest = decoded.map_or(&[], |(_, rest)| rest);
        Some(decoded.map(|(delta, _)| delta))
    })
}

fn decode_edit(edits: &[u8]) -> Option<(DeltaRef<'_>, &[u8])> {
    let (&kind, rest) = edits.split_first()?;
    let (bytes, rest) = rest.split_first_chunk::<4>()?;
    let (body, rest) = rest.split_at_checked(u32::from_le_bytes(*bytes) as usize)?;
    let delta = match kind {
        EDIT_UPSERT => DeltaRef::Upsert(Block::parse(body)?),
        EDIT_REMOVE => DeltaRef::Remove(Block::parse(body)?),
        EDIT_SPLICE => {
            let (index, body) = body.split_first_chunk::<8>()?;
            let (remove, body) = body.split_first_chunk::<8>()?;
            let (index, remove) = (u64::from_le_bytes(*index), u64::from_le_bytes(*remove));
            DeltaRef::Splice { index, remove, insert: Block::parse(body)? }
        }
        _ => return None,
    };
    Some((delta, rest))
}

#[inline]
fn put<'o>(out: &'o mut [u8], bytes: &[u8]) -> &'o mut [u8] {
    let (here, rest) = out.split_at_mut(bytes.len());
    here.copy_from_slice(bytes);
    rest
}

/// The string that results from overwriting `base` from `offset` on; zeros fill a gap.
pub fn overwritten(base: &[u8], offset: usize, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(base.len().max(offset + bytes.len()));
    out.extend_from_slice(&base[..base.len().min(offset)]);
    out.resize(offset, 0);
    out.extend_from_slice(bytes);
    out.extend_from_slice(base.get(offset + bytes.len()..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::value::block::BlockBuf;
    use quickcheck::{TestResult, quickcheck};

    fn encode(effects: &[Effect<'_>]) -> Vec<u8> {
        let parts: Vec<_> = effects.iter().map(Effect::parts).collect();
        let mut out = vec![0; parts.iter().map(Parts::bytes).sum()];
        let mut rest = &mut out[..];
        for parts in parts {
            rest = parts.write(rest);
        }
        assert!(rest.is_empty());
        out
    }

    fn all<'a>(key: &'a [u8], value: &'a [u8], at: Option<u64>, n: i64) -> Vec<Effect<'a>> {
        let expiry = at.map(Millis);
        let mut entries = BlockBuf::default();
        entries.push(key);
        entries.push(value);
        let block: Cow<'_, [u8]> = Cow::Owned(entries.to_bytes().to_vec());
        let collections = [Type::List, Type::Set, Type::Hash, Type::SortedSet];
        let mut effects: Vec<_> = collections
            .map(|of| Effect::Put { db: 4, key, value: Stored::Collection(of, block.clone()), expiry })
            .into();
        effects.extend(strings_and_databases(key, value, at, n));
        let deltas = [
            Delta::Upsert(entries.clone()),
            Delta::Splice { index: n as u64, remove: at.unwrap_or(0), insert: entries.clone() },
            Delta::Remove(entries),
        ];
        let expiry = Some(expiry.filter(|at| at.0 != 0));
        for of in [None, Some(Type::List), Some(Type::Set), Some(Type::Hash), Some(Type::SortedSet)] {
            let edits = Cow::Owned(encode_edits(&deltas));
            effects.push(Effect::Edit { db: 3, key, of, edits, expiry });
            let edits = Cow::Owned(encode_edits(&deltas[1..]));
            effects.push(Effect::Edit { db: 3, key, of, edits, expiry: None });
        }
        effects.extend(collections.map(|of| {
            let (number, is_last) = (n as u64 >> 1, n % 2 == 0);
            Effect::Part { db: 4, key, of, number, is_last, entries: block.clone(), expiry: at.map(Millis) }
        }));
        effects
    }

    fn strings_and_databases<'a>(key: &'a [u8], value: &'a [u8], at: Option<u64>, n: i64) -> Vec<Effect<'a>> {
        let expiry = at.map(Millis);
        vec![
            Effect::Put { db: 3, key, value: Stored::String(StringRef::Str(value)), expiry },
            Effect::Put { db: 15, key, value: Stored::String(StringRef::Int(n)), expiry },
            Effect::Put { db: 0, key, value: Stored::String(StringRef::Raw(value)), expiry },
            Effect::Delete { db: 1, key },
            Effect::Expire { db: 2, key, expiry },
            Effect::Append { db: 2, key, suffix: value },
            Effect::Overwrite { db: 2, key, offset: at.unwrap_or(9), bytes: value },
            Effect::Flush { db: 7 },
            Effect::FlushAll,
            Effect::Swap { a: 1, b: 600 },
        ]
    }

    quickcheck! {
        fn effects_survive_encoding(key: Vec<u8>, value: Vec<u8>, at: Option<u64>, n: i64) -> bool {
            let effects = all(&key, &value, at, n);
            let bytes = encode(&effects);
            let decoded: Vec<_> = Effect::decode_all(&bytes).collect::<Result<_, _>>().unwrap();
            let parts: Vec<u8> = effects.iter().flat_map(|effect| effect.parts().slices().concat()).collect();
            format!("{decoded:?}") == format!("{effects:?}") && parts == bytes
        }

        fn a_truncated_payload_is_an_error(key: Vec<u8>, value: Vec<u8>, cut: usize) -> TestResult {
            let bytes = encode(&all(&key, &value, None, 1)[..1]);
            let cut = cut % bytes.len();
            if cut == 0 {
                return TestResult::discard();
            }
            let failed = Effect::decode_all(&bytes[..cut]).any(|effect| effect.is_err());
            TestResult::from_bool(failed)
        }

        fn garbage_never_panics(bytes: Vec<u8>) -> bool {
            Effect::decode_all(&bytes).count() <= bytes.len()
        }

        fn overwriting_is_like_writing_byte_by_byte(base: Vec<u8>, offset: u8, bytes: Vec<u8>) -> bool {
            let offset = usize::from(offset);
            let mut naive = base.clone();
            naive.resize(naive.len().max(offset + bytes.len()), 0);
            naive[offset..offset + bytes.len()].copy_from_slice(&bytes);
            overwritten(&base, offset, &bytes) == naive
        }
    }
}
