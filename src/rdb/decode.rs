//! Payloads to values: one function per value, one arm per form of it.

use std::collections::HashSet;

use super::entry::{Entry, digits, expiry, number, parse_score};
use super::error::{Error, Fault};
use super::reader::Reader;
use super::trailer::{self, Dialect};
use super::{Bytes, HashEntry, Limits, Value, intset, kind, listpack, ziplist, zipmap};
use crate::clock::Millis;

/// The value of a payload.
///
/// # Errors
/// The payload's version or checksum is wrong, or its value is of a type that is not supported, breaks its format, or
/// could not have been made by commands; see [`Error`].
pub fn restore<'a>(payload: &'a [u8], limits: &Limits) -> Result<Value<'a>, Error> {
    let (body, dialect) = trailer::open(payload)?;
    let mut reader = Reader::new(body, limits);
    let kind = reader.byte()?;
    let value = checked(&mut reader, kind, dialect)?;
    reader.finish()?;
    Ok(value)
}

/// A value of a type.
///
/// # Errors
/// As [`restore`].
pub(super) fn checked<'a>(reader: &mut Reader<'a>, kind: u8, dialect: Dialect) -> Result<Value<'a>, Error> {
    let value = value(reader, kind, dialect)?;
    check(&value).map_err(|fault| reader.fault(fault))?;
    Ok(value)
}

/// A value of a type, with nothing of it checked but its form.
fn value<'a>(reader: &mut Reader<'a>, kind: u8, dialect: Dialect) -> Result<Value<'a>, Error> {
    match (kind, dialect) {
        (kind::STRING, _) => reader.string().map(Value::String),
        (kind::LIST | kind::LIST_ZIPLIST | kind::LIST_ZIPLISTS | kind::LIST_NODES, _) => {
            list(reader, kind).map(Value::List)
        }
        (kind::SET | kind::SET_INTSET | kind::SET_LISTPACK, _) => set(reader, kind).map(Value::Set),
        (
            kind::SORTED_SET | kind::SORTED_SET_TEXT | kind::SORTED_SET_ZIPLIST | kind::SORTED_SET_LISTPACK,
            _,
        ) => sorted_set(reader, kind).map(Value::SortedSet),
        (kind::HASH | kind::HASH_ZIPMAP | kind::HASH_ZIPLIST | kind::HASH_LISTPACK, _) => {
            hash(reader, kind).map(Value::Hash)
        }
        (
            kind::HASH_EXPIRING
            | kind::HASH_EXPIRING_CANDIDATE
            | kind::HASH_EXPIRING_LISTPACK
            | kind::HASH_EXPIRING_LISTPACK_CANDIDATE,
            Dialect::Redis,
        ) => expiring_hash(reader, kind).map(Value::Hash),
        (kind::HASH_EXPIRING_VALKEY, Dialect::Valkey) => valkey_hash(reader).map(Value::Hash),
        _ => Err(Error::Unsupported { kind }),
    }
}

fn list<'a>(reader: &mut Reader<'a>, kind: u8) -> Result<Vec<Bytes<'a>>, Error> {
    match kind {
        kind::LIST => strings(reader),
        kind::LIST_ZIPLIST => reader.packed(|pack| elements(pack, Packing::Ziplist)),
        _ => {
            let mut list = Vec::new();
            for _ in 0..reader.count(1)? {
                if kind == kind::LIST_ZIPLISTS {
                    list.append(&mut reader.packed(|pack| elements(pack, Packing::Ziplist))?);
                } else {
                    node(reader, &mut list)?;
                }
            }
            Ok(list)
        }
    }
}

/// A part of a list: its kind, then a single large element, or a listpack of small ones.
fn node<'a>(reader: &mut Reader<'a>, list: &mut Vec<Bytes<'a>>) -> Result<(), Error> {
    const ELEMENT: u64 = 1;
    const PACK: u64 = 2;
    let at = reader.at();
    match reader.length()? {
        ELEMENT => list.push(reader.string()?),
        PACK => list.append(&mut reader.packed(|pack| elements(pack, Packing::Listpack))?),
        _ => return Err(Error::Malformed { at, fault: Fault::Node }),
    }
    Ok(())
}

fn set<'a>(reader: &mut Reader<'a>, kind: u8) -> Result<Vec<Bytes<'a>>, Error> {
    match kind {
        kind::SET => strings(reader),
        kind::SET_LISTPACK => reader.packed(|pack| elements(pack, Packing::Listpack)),
        _ => reader.packed(|pack| {
            let integers = intset::integers(&pack).ok_or(Fault::Intset)?;
            Ok(integers.into_iter().map(digits).collect())
        }),
    }
}

fn sorted_set<'a>(reader: &mut Reader<'a>, kind: u8) -> Result<Vec<(Bytes<'a>, f64)>, Error> {
    match kind {
        kind::SORTED_SET_ZIPLIST => reader.packed(|pack| scored(pack, Packing::Ziplist)),
        kind::SORTED_SET_LISTPACK => reader.packed(|pack| scored(pack, Packing::Listpack)),
        kind::SORTED_SET => {
            let count = reader.count(1 + size_of::<f64>())?;
            repeated(count, || Ok((reader.string()?, binary_score(reader)?)))
        }
        _ => {
            let count = reader.count(2)?;
            repeated(count, || Ok((reader.string()?, text_score(reader)?)))
        }
    }
}

fn binary_score(reader: &mut Reader<'_>) -> Result<f64, Error> {
    let score = f64::from_le_bytes(reader.array()?);
    number(score).map_err(|fault| reader.fault(fault))
}

/// A byte, then so many bytes of decimal text; three lengths are scores themselves.
fn text_score(reader: &mut Reader<'_>) -> Result<f64, Error> {
    const NAN: u8 = 253;
    const INFINITE: u8 = 254;
    const NEGATIVE_INFINITE: u8 = 255;
    let score = match reader.byte()? {
        NAN => Err(Fault::Score),
        INFINITE => Ok(f64::INFINITY),
        NEGATIVE_INFINITE => Ok(f64::NEG_INFINITY),
        len => parse_score(reader.take(usize::from(len))?),
    };
    score.map_err(|fault| reader.fault(fault))
}

fn hash<'a>(reader: &mut Reader<'a>, kind: u8) -> Result<Vec<HashEntry<'a>>, Error> {
    match kind {
        kind::HASH_ZIPMAP => reader.packed(mapped),
        kind::HASH_ZIPLIST => reader.packed(|pack| paired(pack, Packing::Ziplist)),
        kind::HASH_LISTPACK => reader.packed(|pack| paired(pack, Packing::Listpack)),
        _ => {
            let count = reader.count(2)?;
            repeated(count, || {
                Ok(HashEntry { field: reader.string()?, value: reader.string()?, expiry: None })
            })
        }
    }
}

/// Redis's hashes with expiring fields. Since 7.4 they start with their first expiry, to which those of a plain one are
/// relative; in its release candidates they did not.
fn expiring_hash<'a>(reader: &mut Reader<'a>, kind: u8) -> Result<Vec<HashEntry<'a>>, Error> {
    let first = match kind {
        kind::HASH_EXPIRING | kind::HASH_EXPIRING_LISTPACK => Some(u64::from_le_bytes(reader.array()?)),
        _ => None,
    };
    if let kind::HASH_EXPIRING_LISTPACK | kind::HASH_EXPIRING_LISTPACK_CANDIDATE = kind {
        return reader.packed(|pack| tripled(pack, Packing::Listpack));
    }
    let count = reader.count(3)?;
    repeated(count, || {
        let told = reader.length()?;
        // Why: 0 is no expiry, so what is relative starts at 1.
        let unix_ms = match first {
            Some(first) if told > 0 => first.saturating_add(told - 1),
            _ => told,
        };
        let expiry = expiry(unix_ms).map_err(|fault| reader.fault(fault))?;
        Ok(HashEntry { field: reader.string()?, value: reader.string()?, expiry })
    })
}

/// Valkey's hashes with expiring fields: field, value, and the expiry, signed, of which -1 means none.
fn valkey_hash<'a>(reader: &mut Reader<'a>) -> Result<Vec<HashEntry<'a>>, Error> {
    let count = reader.count(2 + size_of::<i64>())?;
    repeated(count, || {
        let (field, value) = (reader.string()?, reader.string()?);
        let expiry = match i64::from_le_bytes(reader.array()?) {
            -1 => None,
            unix_ms => {
                let unix_ms = u64::try_from(unix_ms).map_err(|_| reader.fault(Fault::Expiry))?;
                Some(Millis(unix_ms))
            }
        };
        Ok(HashEntry { field, value, expiry })
    })
}

/// Reads `count` entries, of which the caller knows that the payload has room for so many.
fn repeated<T>(count: usize, mut read: impl FnMut() -> Result<T, Error>) -> Result<Vec<T>, Error> {
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        entries.push(read()?);
    }
    Ok(entries)
}

fn strings<'a>(reader: &mut Reader<'a>) -> Result<Vec<Bytes<'a>>, Error> {
    let count = reader.count(1)?;
    repeated(count, || reader.string())
}

/// How the elements of a small collection are packed.
#[derive(Clone, Copy)]
enum Packing {
    Listpack,
    Ziplist,
}

impl Packing {
    fn entries(self, pack: &[u8]) -> Result<Vec<Entry<'_>>, Fault> {
        match self {
            Self::Listpack => listpack::entries(pack).ok_or(Fault::Listpack),
            Self::Ziplist => ziplist::entries(pack).ok_or(Fault::Ziplist),
        }
    }
}

/// Elements in a payload's own bytes borrow them, those in what was decompressed cannot.
fn unpack(pack: Bytes<'_>, packing: Packing) -> Result<Vec<Entry<'_>>, Fault> {
    match pack {
        Bytes::Borrowed(pack) => packing.entries(pack),
        Bytes::Owned(pack) => Ok(packing.entries(&pack)?.into_iter().map(Entry::into_owned).collect()),
    }
}

fn elements(pack: Bytes<'_>, packing: Packing) -> Result<Vec<Bytes<'_>>, Fault> {
    Ok(unpack(pack, packing)?.into_iter().map(Entry::into_bytes).collect())
}

/// Splits elements into groups of `N`.
fn groups<const N: usize>(
    pack: Bytes<'_>,
    packing: Packing,
) -> Result<impl Iterator<Item = [Entry<'_>; N]>, Fault> {
    let entries = unpack(pack, packing)?;
    if entries.len() % N != 0 {
        return Err(Fault::Incomplete);
    }
    let mut entries = entries.into_iter();
    Ok(std::iter::from_fn(move || {
        let mut group = [const { Entry::Int(0) }; N];
        for place in &mut group {
            *place = entries.next()?;
        }
        Some(group)
    }))
}

fn scored(pack: Bytes<'_>, packing: Packing) -> Result<Vec<(Bytes<'_>, f64)>, Fault> {
    groups(pack, packing)?.map(|[member, score]| Ok((member.into_bytes(), score.score()?))).collect()
}

fn paired(pack: Bytes<'_>, packing: Packing) -> Result<Vec<HashEntry<'_>>, Fault> {
    Ok(groups(pack, packing)?
        .map(|[field, value]| HashEntry {
            field: field.into_bytes(),
            value: value.into_bytes(),
            expiry: None,
        })
        .collect())
}

/// Redis orders these by their expiry; nothing here relies on it.
fn tripled(pack: Bytes<'_>, packing: Packing) -> Result<Vec<HashEntry<'_>>, Fault> {
    groups(pack, packing)?
        .map(|[field, value, expiry]| {
            let expiry = expiry.expiry()?;
            Ok(HashEntry { field: field.into_bytes(), value: value.into_bytes(), expiry })
        })
        .collect()
}

fn mapped(pack: Bytes<'_>) -> Result<Vec<HashEntry<'_>>, Fault> {
    match pack {
        Bytes::Borrowed(pack) => {
            let entry = |(field, value)| HashEntry {
                field: Bytes::Borrowed(field),
                value: Bytes::Borrowed(value),
                expiry: None,
            };
            Ok(zipmap::pairs(pack).ok_or(Fault::Zipmap)?.into_iter().map(entry).collect())
        }
        Bytes::Owned(pack) => {
            let entry = |(field, value): (&[u8], &[u8])| HashEntry {
                field: Bytes::Owned(field.to_vec()),
                value: Bytes::Owned(value.to_vec()),
                expiry: None,
            };
            Ok(zipmap::pairs(&pack).ok_or(Fault::Zipmap)?.into_iter().map(entry).collect())
        }
    }
}

/// Establishes the invariant of [`Value`].
fn check(value: &Value<'_>) -> Result<(), Fault> {
    match value {
        Value::String(_) => Ok(()),
        Value::List(list) => not_empty(list.len()),
        Value::Set(members) => distinct(members.iter()),
        Value::Hash(entries) => distinct(entries.iter().map(|entry| &entry.field)),
        Value::SortedSet(members) => distinct(members.iter().map(|(member, _)| member)),
    }
}

fn not_empty(len: usize) -> Result<(), Fault> {
    if len == 0 { Err(Fault::Empty) } else { Ok(()) }
}

fn distinct<'b>(names: impl ExactSizeIterator<Item = &'b Bytes<'b>>) -> Result<(), Fault> {
    not_empty(names.len())?;
    let mut seen = HashSet::with_capacity(names.len());
    for name in names {
        if !seen.insert(&name[..]) {
            return Err(Fault::Duplicate);
        }
    }
    Ok(())
}
