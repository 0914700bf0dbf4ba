//! The types of values: the first byte of a payload.
//!
//! | byte | value | since Redis |
//! |---|---|---|
//! | 0 to 4 | string, list, set, sorted set with scores as text, hash | 1.0, 2.0 |
//! | 5 | sorted set with binary scores | 4.0 |
//! | 6, 7 | value of a module | 4.0 |
//! | 9 | hash as a zipmap | 2.2 |
//! | 10 to 13 | list as a ziplist, set as an intset, sorted set and hash as ziplists | 2.2, 2.6 |
//! | 14 | list as ziplists | 3.2 |
//! | 15, 19, 21 and later | stream | 5.0, 7.0, 7.2 |
//! | 16, 17 | hash and sorted set as listpacks | 7.0 |
//! | 18 | list as listpacks and large elements | 7.0 |
//! | 20 | set as a listpack | 7.2 |
//! | 22, 23 | hash with expiring fields: plain, as a listpack | release candidates of 7.4 |
//! | 22 | hash with expiring fields, in a payload of version 80 | Valkey 9.0 |
//! | 24, 25 | hash with expiring fields: plain, as a listpack | 7.4 |

pub(super) const STRING: u8 = 0;
pub(super) const LIST: u8 = 1;
pub(super) const SET: u8 = 2;
pub(super) const SORTED_SET_TEXT: u8 = 3;
pub(super) const HASH: u8 = 4;
pub(super) const SORTED_SET: u8 = 5;
pub(super) const HASH_ZIPMAP: u8 = 9;
pub(super) const LIST_ZIPLIST: u8 = 10;
pub(super) const SET_INTSET: u8 = 11;
pub(super) const SORTED_SET_ZIPLIST: u8 = 12;
pub(super) const HASH_ZIPLIST: u8 = 13;
pub(super) const LIST_ZIPLISTS: u8 = 14;
pub(super) const HASH_LISTPACK: u8 = 16;
pub(super) const SORTED_SET_LISTPACK: u8 = 17;
pub(super) const LIST_NODES: u8 = 18;
pub(super) const SET_LISTPACK: u8 = 20;
pub(super) const HASH_EXPIRING_CANDIDATE: u8 = 22;
pub(super) const HASH_EXPIRING_LISTPACK_CANDIDATE: u8 = 23;
pub(super) const HASH_EXPIRING: u8 = 24;
pub(super) const HASH_EXPIRING_LISTPACK: u8 = 25;
/// Only in payloads of Valkey's versions, where Redis's types of this number and above do not exist.
pub(super) const HASH_EXPIRING_VALKEY: u8 = 22;

/// Whatever is less may be a type; from here on are what a file tells besides its keys.
pub(super) const BEHIND_ALL: u8 = 128;

/// What a type that cannot be read is, as far as is known.
pub(super) fn describe(kind: u8) -> &'static str {
    match kind {
        6 | 7 => "the value of a module",
        15 | 19 | 21 => "a stream",
        _ => "unknown",
    }
}
