//! Values to payloads, in the forms that every reader knows.

use super::compress::Compressor;
use super::{Bytes, EXPIRY_MAX, HashEntry, Value, kind, trailer};
use crate::clock::Millis;

/// The version of Redis 2.6, the first that had DUMP.
const VERSION_PLAIN: u16 = 6;
/// The version of Redis 4.0, which brought binary scores.
const VERSION_BINARY_SCORES: u16 = 8;
/// The version of Redis 7.4, which brought expiring fields.
const VERSION_EXPIRING_FIELDS: u16 = 12;

/// Longest decimal text that is tried as an integer of four bytes: `-2147483648`.
const INTEGER_TEXT_BYTES_MAX: usize = 11;

/// The payload of a value, which [`restore`](super::restore) and Redis's RESTORE take.
///
/// Redis refuses collections that are empty, have a member or field twice, or a score that is not a number; so the
/// value should have none. The end of a field is told as at least 1 ms and at most 2^48 - 1 ms after the epoch.
pub fn dump(value: &Value<'_>) -> Vec<u8> {
    let mut writer = Writer { out: Vec::new(), compressor: None };
    let version = match value {
        Value::String(string) => {
            writer.out.push(kind::STRING);
            writer.string(string);
            VERSION_PLAIN
        }
        Value::List(elements) => {
            writer.strings(kind::LIST, elements);
            VERSION_PLAIN
        }
        Value::Set(members) => {
            writer.strings(kind::SET, members);
            VERSION_PLAIN
        }
        Value::Hash(entries) => writer.hash(entries),
        Value::SortedSet(members) => {
            writer.start(kind::SORTED_SET, members.len());
            for (member, score) in members {
                writer.string(member);
                writer.out.extend_from_slice(&score.to_le_bytes());
            }
            VERSION_BINARY_SCORES
        }
    };
    trailer::seal(&mut writer.out, version);
    writer.out
}

struct Writer {
    out: Vec<u8>,
    /// Made for the first string that is long enough to be compressed.
    compressor: Option<Compressor>,
}

impl Writer {
    /// Type and number of entries.
    fn start(&mut self, kind: u8, count: usize) {
        self.out.push(kind);
        self.length(count as u64);
    }

    fn strings(&mut self, kind: u8, strings: &[Bytes<'_>]) {
        self.start(kind, strings.len());
        for string in strings {
            self.string(string);
        }
    }

    /// A hash; gives the version that it needs.
    fn hash(&mut self, entries: &[HashEntry<'_>]) -> u16 {
        let Some(first) = entries.iter().filter_map(told_expiry).min() else {
            self.start(kind::HASH, entries.len());
            for entry in entries {
                self.string(&entry.field);
                self.string(&entry.value);
            }
            return VERSION_PLAIN;
        };
        self.out.push(kind::HASH_EXPIRING);
        self.out.extend_from_slice(&first.0.to_le_bytes());
        self.length(entries.len() as u64);
        for entry in entries {
            // Why: 0 is no expiry, so what is relative starts at 1.
            self.length(told_expiry(entry).map_or(0, |at| first.until(at) + 1));
            self.string(&entry.field);
            self.string(&entry.value);
        }
        VERSION_EXPIRING_FIELDS
    }

    fn length(&mut self, len: u64) {
        let big_endian = len.to_be_bytes();
        match len {
            0..0x40 => self.out.push(len as u8),
            0x40..0x4000 => self.out.extend_from_slice(&[0x40 | big_endian[6], big_endian[7]]),
            0x4000..0x1_0000_0000 => {
                self.out.push(0x80);
                self.out.extend_from_slice(&big_endian[4..]);
            }
            _ => {
                self.out.push(0x81);
                self.out.extend_from_slice(&big_endian);
            }
        }
    }

    fn string(&mut self, string: &[u8]) {
        if let Some(number) = small_integer(string) {
            return self.integer(number);
        }
        if string.len() >= Compressor::STRING_BYTES_MIN {
            let compressor = self.compressor.get_or_insert_with(Compressor::new);
            if let Some(packed) = compressor.compress(string) {
                self.out.push(0xc3);
                self.length(packed.len() as u64);
                self.length(string.len() as u64);
                self.out.extend_from_slice(&packed);
                return;
            }
        }
        self.length(string.len() as u64);
        self.out.extend_from_slice(string);
    }

    fn integer(&mut self, number: i32) {
        if let Ok(number) = i8::try_from(number) {
            self.out.push(0xc0);
            self.out.extend_from_slice(&number.to_le_bytes());
        } else if let Ok(number) = i16::try_from(number) {
            self.out.push(0xc1);
            self.out.extend_from_slice(&number.to_le_bytes());
        } else {
            self.out.push(0xc2);
            self.out.extend_from_slice(&number.to_le_bytes());
        }
    }
}

/// The end of a field, as far as it can be told.
fn told_expiry(entry: &HashEntry<'_>) -> Option<Millis> {
    entry.expiry.map(|at| at.clamp(Millis(1), EXPIRY_MAX))
}

/// The integer of four bytes that prints as this text.
fn small_integer(text: &[u8]) -> Option<i32> {
    if text.len() > INTEGER_TEXT_BYTES_MAX {
        return None;
    }
    let number = std::str::from_utf8(text).ok()?.parse().ok()?;
    (itoa::Buffer::new().format::<i32>(number).as_bytes() == text).then_some(number)
}
