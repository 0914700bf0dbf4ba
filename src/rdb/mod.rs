//! Redis's serialized values, as DUMP gives them and RESTORE takes them: how a value moves between Redis, Valkey and
//! this server.
//!
//! Bytes to values and back, nothing else: no I/O, no clock. Keys are known only to [`mod@file`], which reads whole RDB
//! files, of which the payloads are parts. Whoever calls has the value's
//! elements at hand, borrowed, or stores what [`restore`] gives, which borrows from the payload wherever the payload
//! has the bytes as they are.
//!
//! ```text
//! offset  bytes
//!      0      1  type of the value, see `kind`
//!      1      …  the value
//!    -10      2  version of the format, little-endian
//!     -8      8  CRC-64 of all before it, little-endian
//! ```
//!
//! | | reads | writes |
//! |---|---|---|
//! | version | 1 to 14 (Redis 2.6 to 8) and 80 (Valkey 9) | the lowest that has the value's type: 6, 8 or 12 |
//! | string | plain, integer, compressed | the same |
//! | list | plain, ziplist, quicklist of either generation | plain |
//! | set | plain, intset, listpack | plain |
//! | hash | plain, zipmap, ziplist, listpack | plain |
//! | hash with expiring fields | plain and listpack of Redis 7.4 and its candidates, Valkey's | plain, of Redis 7.4 |
//! | sorted set | scores as text or binary, ziplist, listpack | binary scores |
//! | stream, module's value | [`Error::Unsupported`] | |
//!
//! Only plain types are written as every version of Redis and Valkey since 4.0 reads them (all but sorted sets since
//! 2.6), whereas the packed ones come and go with versions; the reader packs small collections by its own settings
//! anyhow. The exception are hashes with expiring fields, which Redis reads since 7.4, and Valkey not at all.
//!
//! # Promises
//!
//! * What [`dump`] writes, [`restore`] reads back: the same value, in the same order.
//! * [`restore`] takes any bytes. It never panics, takes time in proportion to the payload and what is compressed in
//!   it, and allocates no more than a small multiple of both; [`Limits`] bounds the latter before it is allocated.
//! * A value that it gives is one that commands could have made: no empty collection, no member or field twice, no
//!   score that is not a number. Nothing is left over behind it.
//!
//! The format is that of Redis's RDB files (`rdb.h`, `listpack.c`, `ziplist.c`, `intset.c`, `zipmap.c` of Redis, and
//! what Redis 7.0, 7.4 and Valkey 8 write); each part is told where it is read.

mod compress;
mod crc64;
mod decode;
mod encode;
mod entry;
mod error;
mod extent;
pub mod file;
mod input;
mod intset;
mod kind;
mod listpack;
mod lzf;
mod opcode;
mod reader;
mod trailer;
mod ziplist;
mod zipmap;

use std::borrow::Cow;

pub use decode::restore;
pub use encode::dump;
pub use error::{Error, Fault, TrailerError};

use crate::clock::Millis;

/// A string, an element, a field or a member: the payload's own bytes, or bytes made from them.
pub type Bytes<'a> = Cow<'a, [u8]>;

/// A value, without its key and expiry.
///
/// Invariant of what [`restore`] gives: collections are not empty, members and fields differ, scores are numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// A string.
    String(Bytes<'a>),
    /// A list, from its head on.
    List(Vec<Bytes<'a>>),
    /// A set; the order means nothing.
    Set(Vec<Bytes<'a>>),
    /// A hash; the order means nothing.
    Hash(Vec<HashEntry<'a>>),
    /// A sorted set: members and scores, in any order.
    SortedSet(Vec<(Bytes<'a>, f64)>),
}

/// A field of a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashEntry<'a> {
    /// Its name.
    pub field: Bytes<'a>,
    /// Its value.
    pub value: Bytes<'a>,
    /// When it ends, perhaps in the past; none: with the hash.
    pub expiry: Option<Millis>,
}

/// The latest end of a field that Redis can tell, in Unix milliseconds.
const EXPIRY_MAX: Millis = Millis((1 << 48) - 1);

/// How much [`restore`] may make of a payload.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest string in a payload, be it an element or a packed collection, in bytes.
    pub string_bytes_max: usize,
    /// How long all compressed strings together may become, in bytes: up to 88 times what they take in the payload.
    pub unpacked_bytes_max: usize,
}

#[cfg(test)]
mod tests;
