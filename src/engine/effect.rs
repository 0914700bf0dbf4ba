//! Effects: what a command did to one key or to the databases, as data.
//!
//! A record's payload is a sequence of effects. An effect is self-contained: all that it stores is in it; it never
//! takes its input from another key. Deltas (append, overwrite, expiry) are logged only on a key that was present.
//!
//! All integers are little-endian.
//!
//! ```text
//! offset  bytes
//!      0      1  operation: 1 put, 2 delete, 3 expire, 4 append, 5 overwrite, 16 flush, 17 flush all, 18 swap
//!      1      1  value: 0 none, 1 string, 2 integer, 3 string edited in place; bit 7: `aux` follows
//!      2      2  database
//!      4      4  key length; for swap: the other database
//!      8      4  value length
//!    +12      8  aux, only with bit 7: put and expire: expiry in Unix milliseconds (absent: none);
//!                overwrite: offset in the string
//!      …         key, value (an integer: 8 bytes)
//! ```

use crate::clock::Millis;
use crate::engine::DbIndex;
use crate::store::version::ValueRef;

const HEADER_BYTES: usize = 12;
const AUX: u8 = 0x80;

const PUT: u8 = 1;
const DELETE: u8 = 2;
const EXPIRE: u8 = 3;
const APPEND: u8 = 4;
const OVERWRITE: u8 = 5;
const FLUSH: u8 = 16;
const FLUSH_ALL: u8 = 17;
const SWAP: u8 = 18;

const NONE: u8 = 0;
const STRING: u8 = 1;
const INTEGER: u8 = 2;
const RAW: u8 = 3;

/// One effect.
#[derive(Clone, Debug)]
pub enum Effect<'a> {
    /// The key holds this value now.
    Put {
        /// Database.
        db: DbIndex,
        /// Key.
        key: &'a [u8],
        /// Value; never `Shared` when it was decoded.
        value: ValueRef<'a>,
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

/// The value part of an effect: borrowed, or the digits of an integer.
enum Tail<'a> {
    Bytes(&'a [u8]),
    Int([u8; 8]),
}

impl Tail<'_> {
    fn as_slice(&self) -> &[u8] {
        match self {
            Tail::Bytes(bytes) => bytes,
            Tail::Int(bytes) => bytes,
        }
    }
}

/// An encoded effect in the parts of which it is made, so that key and value are copied only to where they go.
pub struct Parts<'a> {
    header: [u8; HEADER_BYTES],
    aux: Option<[u8; 8]>,
    key: &'a [u8],
    tail: Tail<'a>,
}

impl Parts<'_> {
    /// How many bytes it takes.
    #[inline]
    pub fn bytes(&self) -> usize {
        HEADER_BYTES + self.aux.map_or(0, |aux| aux.len()) + self.key.len() + self.tail.as_slice().len()
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
        put(rest, self.tail.as_slice())
    }

    /// The parts one behind the other, the value last.
    #[inline]
    pub fn slices(&self) -> [&[u8]; 4] {
        [&self.header, self.aux.as_ref().map_or(&[], |aux| aux), self.key, self.tail.as_slice()]
    }
}

impl<'a> Effect<'a> {
    /// The effect as it is encoded.
    #[inline]
    pub fn parts(&self) -> Parts<'a> {
        let none = Tail::Bytes(&[]);
        let (operation, db, key, aux, (value, tail)): (_, _, &'a [u8], _, _) = match *self {
            Self::Put { db, key, value, expiry } => (PUT, db, key, expiry.map(|at| at.0), Self::tail(value)),
            Self::Delete { db, key } => (DELETE, db, key, None, (NONE, none)),
            Self::Expire { db, key, expiry } => (EXPIRE, db, key, expiry.map(|at| at.0), (NONE, none)),
            Self::Append { db, key, suffix } => (APPEND, db, key, None, (RAW, Tail::Bytes(suffix))),
            Self::Overwrite { db, key, offset, bytes } => {
                (OVERWRITE, db, key, Some(offset), (RAW, Tail::Bytes(bytes)))
            }
            Self::Flush { db } => (FLUSH, db, &[], None, (NONE, none)),
            Self::FlushAll => (FLUSH_ALL, 0, &[], None, (NONE, none)),
            Self::Swap { a, .. } => (SWAP, a, &[], None, (NONE, none)),
        };
        let key_len = if let Self::Swap { b, .. } = *self { u32::from(b) } else { key.len() as u32 };
        let value = if aux.is_some() { value | AUX } else { value };
        let value_len = tail.as_slice().len() as u32;
        let header = Header { operation, value, db, key_len, value_len };
        Parts { header: header.bytes(), aux: aux.map(u64::to_le_bytes), key, tail }
    }

    #[inline]
    fn tail(value: ValueRef<'a>) -> (u8, Tail<'a>) {
        match value {
            ValueRef::Int(n) => (INTEGER, Tail::Int(n.to_le_bytes())),
            ValueRef::Str(s) => (STRING, Tail::Bytes(s)),
            ValueRef::Raw(s) => (RAW, Tail::Bytes(s)),
            ValueRef::Shared(s) => (STRING, Tail::Bytes(s)),
        }
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
            FLUSH => Effect::Flush { db },
            FLUSH_ALL => Effect::FlushAll,
            SWAP => {
                let b = u16::try_from(self.key_len).map_err(|_| EffectError::Malformed(at))?;
                Effect::Swap { a: db, b }
            }
            other => return Err(EffectError::Unknown(at, other)),
        })
    }

    fn decode_value<'a>(&self, at: usize, tail: &'a [u8]) -> Result<ValueRef<'a>, EffectError> {
        match self.value & !AUX {
            STRING => Ok(ValueRef::Str(tail)),
            RAW => Ok(ValueRef::Raw(tail)),
            INTEGER => {
                let bytes = tail.try_into().map_err(|_| EffectError::Malformed(at))?;
                Ok(ValueRef::Int(i64::from_le_bytes(bytes)))
            }
            _ => Err(EffectError::Malformed(at)),
        }
    }
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
        vec![
            Effect::Put { db: 3, key, value: ValueRef::Str(value), expiry },
            Effect::Put { db: 15, key, value: ValueRef::Int(n), expiry },
            Effect::Put { db: 0, key, value: ValueRef::Raw(value), expiry },
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
