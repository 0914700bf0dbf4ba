//! What a database must hold after a number of steps: the plainest possible account of it.

use super::random::Random;
use crate::harness::{Reply, request};
use std::collections::BTreeMap;

/// A time that no test lives to see.
const FAR_MS: i64 = 4_000_000_000_000;

/// What one key holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub value: Vec<u8>,
    pub expiry: Option<i64>,
}

impl Entry {
    fn lasting(value: Vec<u8>) -> Self {
        Self { value, expiry: None }
    }
}

/// One database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    pub entries: BTreeMap<String, Entry>,
}

/// What a client asks for at once; takes effect whole or not at all.
#[derive(Clone, Debug)]
pub enum Step {
    Set(String, Vec<u8>),
    /// With the time of its end, which may come during the test. Keys of these are used by nothing else.
    SetUntil(String, Vec<u8>, i64),
    Incr(String),
    Append(String, Vec<u8>),
    Del(String),
    ExpireAt(String, i64),
    /// Of a key that exists.
    Rename(String, String),
    SetAll(Vec<(String, Vec<u8>)>),
    Flush,
    Transaction(Vec<Step>),
}

impl Step {
    /// A random step; `now_ms` for expiries that come soon.
    pub fn choose(random: &mut Random, model: &Model, now_ms: i64) -> Self {
        match random.below(400) {
            0 => Self::Flush,
            // Above 1 MiB a value goes ahead of its record in pieces.
            1 => Self::Set(text_key(random), random.text(1_200_000)),
            2..40 => {
                let count = 2 + random.below(4);
                Self::Transaction((0..count).map(|_| Self::simple(random, now_ms)).collect())
            }
            40..60 => {
                let from = text_key(random);
                if model.entries.contains_key(&from) {
                    Self::Rename(from, text_key(random))
                } else {
                    Self::Incr(number_key(random))
                }
            }
            60..90 => {
                let mut pairs: Vec<_> = (0..3).map(|_| (text_key(random), random.text(40))).collect();
                pairs.sort();
                pairs.dedup_by(|left, right| left.0 == right.0);
                Self::SetAll(pairs)
            }
            _ => Self::simple(random, now_ms),
        }
    }

    fn simple(random: &mut Random, now_ms: i64) -> Self {
        match random.below(10) {
            0..3 => {
                let bytes = if random.below(20) == 0 { 20_000 } else { 1 + random.below(100) as usize };
                Self::Set(text_key(random), random.text(bytes))
            }
            3..6 => Self::Incr(number_key(random)),
            6 => Self::Append(text_key(random), random.text(17)),
            7 => Self::Del(if random.below(2) == 0 { text_key(random) } else { number_key(random) }),
            8 => Self::ExpireAt(text_key(random), FAR_MS + random.below(1000) as i64),
            _ => {
                let end = now_ms + 100 + random.below(3000) as i64;
                Self::SetUntil(format!("timed:{}", random.below(20)), random.text(10), end)
            }
        }
    }

    /// The bytes to send.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Set(key, value) => request(&[b"SET", key.as_bytes(), value]),
            Self::SetUntil(key, value, end) => {
                request(&[b"SET", key.as_bytes(), value, b"PXAT", end.to_string().as_bytes()])
            }
            Self::Incr(key) => request(&["INCR", key]),
            Self::Append(key, value) => request(&[b"APPEND", key.as_bytes(), value]),
            Self::Del(key) => request(&["DEL", key]),
            Self::ExpireAt(key, end) => request(&["PEXPIREAT", key, &end.to_string()]),
            Self::Rename(from, to) => request(&["RENAME", from, to]),
            Self::SetAll(pairs) => {
                let pairs = pairs.iter().flat_map(|(key, value)| [key.as_bytes(), value]);
                request(&std::iter::once(&b"MSET"[..]).chain(pairs).collect::<Vec<_>>())
            }
            Self::Flush => request(&["FLUSHDB"]),
            Self::Transaction(steps) => {
                let inner = steps.iter().flat_map(Self::bytes);
                request(&["MULTI"]).into_iter().chain(inner).chain(request(&["EXEC"])).collect()
            }
        }
    }

    /// How many replies it gets.
    pub fn replies(&self) -> usize {
        if let Self::Transaction(steps) = self { steps.len() + 2 } else { 1 }
    }

    /// Does it to the model; the last of its replies.
    pub fn apply(&self, model: &mut Model) -> Reply {
        let ok = || Reply::Status("OK".to_owned());
        let entries = &mut model.entries;
        match self {
            Self::Set(key, value) => {
                entries.insert(key.clone(), Entry::lasting(value.clone()));
                ok()
            }
            Self::SetUntil(key, value, end) => {
                entries.insert(key.clone(), Entry { value: value.clone(), expiry: Some(*end) });
                ok()
            }
            Self::Incr(key) => {
                let entry = entries.entry(key.clone()).or_insert_with(|| Entry::lasting(b"0".to_vec()));
                let number =
                    std::str::from_utf8(&entry.value).expect("digits").parse::<i64>().expect("a number") + 1;
                entry.value = number.to_string().into_bytes();
                Reply::Int(number)
            }
            Self::Append(key, value) => {
                let entry = entries.entry(key.clone()).or_insert_with(|| Entry::lasting(Vec::new()));
                entry.value.extend_from_slice(value);
                Reply::Int(entry.value.len() as i64)
            }
            Self::Del(key) => Reply::Int(i64::from(entries.remove(key).is_some())),
            Self::ExpireAt(key, end) => match entries.get_mut(key) {
                Some(entry) => {
                    entry.expiry = Some(*end);
                    Reply::Int(1)
                }
                None => Reply::Int(0),
            },
            Self::Rename(from, to) => match entries.remove(from) {
                Some(entry) => {
                    entries.insert(to.clone(), entry);
                    ok()
                }
                None => Reply::Error("ERR no such key".to_owned()),
            },
            Self::SetAll(pairs) => {
                for (key, value) in pairs {
                    entries.insert(key.clone(), Entry::lasting(value.clone()));
                }
                ok()
            }
            Self::Flush => {
                entries.clear();
                ok()
            }
            Self::Transaction(steps) => Reply::Array(steps.iter().map(|step| step.apply(model)).collect()),
        }
    }
}

fn text_key(random: &mut Random) -> String {
    format!("text:{}", random.below(40))
}

fn number_key(random: &mut Random) -> String {
    format!("number:{}", random.below(20))
}

/// What differs between a model and what was read between two moments, if anything does.
///
/// A key whose time is between the two may be there or not.
pub fn difference(model: &Model, read: &Model, between_ms: (i64, i64)) -> Option<String> {
    let keys = model.entries.keys().chain(read.entries.keys());
    for key in keys {
        let (expected, found) = (model.entries.get(key), read.entries.get(key));
        let end = expected.and_then(|entry| entry.expiry);
        let agrees = match end {
            Some(end) if end <= between_ms.0 => found.is_none(),
            Some(end) if end <= between_ms.1 => found.is_none() || found == expected,
            _ => found == expected,
        };
        if !agrees {
            return Some(format!("{key}: expected {}, found {}", shown(expected), shown(found)));
        }
    }
    None
}

fn shown(entry: Option<&Entry>) -> String {
    entry.map_or("nothing".to_owned(), |entry| {
        let head = String::from_utf8_lossy(&entry.value[..entry.value.len().min(40)]).into_owned();
        format!("{head:?} of {} bytes until {:?}", entry.value.len(), entry.expiry)
    })
}
