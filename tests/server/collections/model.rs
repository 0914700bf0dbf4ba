//! What commands make of collections: the plainest possible account of it.

use crate::harness::Reply;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What one key holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    List(VecDeque<String>),
    Set(BTreeSet<String>),
    Hash(BTreeMap<String, String>),
    Sorted(BTreeMap<String, i64>),
}

/// A key's value and when it ends; -1 is never.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub value: Value,
    pub expiry: i64,
}

/// One database. A key's type is that of its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    pub entries: BTreeMap<String, Entry>,
}

impl Value {
    fn empty(key: &str) -> Self {
        match key.split(':').next() {
            Some("list") => Self::List(VecDeque::new()),
            Some("set") => Self::Set(BTreeSet::new()),
            Some("hash") => Self::Hash(BTreeMap::new()),
            _ => Self::Sorted(BTreeMap::new()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::List(list) => list.len(),
            Self::Set(set) => set.len(),
            Self::Hash(hash) => hash.len(),
            Self::Sorted(sorted) => sorted.len(),
        }
    }

    /// The first thing that is in one and not in the other.
    fn shown(&self, other: &Self) -> String {
        let text = |value: &Self| format!("{value:?}");
        let (own, its) = (text(self), text(other));
        let at = own.bytes().zip(its.bytes()).take_while(|(a, b)| a == b).count();
        let near =
            |text: &str| text.get(at.saturating_sub(20)..).unwrap_or("").chars().take(60).collect::<String>();
        format!("{} and {} entries, …{}… and …{}…", self.len(), other.len(), near(&own), near(&its))
    }
}

fn int(number: usize) -> Reply {
    Reply::Int(number as i64)
}

fn ok() -> Reply {
    Reply::Status("OK".to_owned())
}

fn error(text: &str) -> Reply {
    Reply::Error(text.to_owned())
}

fn bulk(text: &str) -> Reply {
    Reply::Bulk(text.as_bytes().to_vec())
}

impl Model {
    /// Runs a command; its reply.
    pub fn run(&mut self, command: &[String]) -> Reply {
        let (name, key, rest) = (&*command[0], &*command[1], &command[2..]);
        match name {
            "DEL" => int(usize::from(self.entries.remove(key).is_some())),
            "RENAME" => match self.entries.remove(key) {
                Some(entry) => {
                    self.entries.insert(rest[0].clone(), entry);
                    ok()
                }
                None => error("ERR no such key"),
            },
            "PEXPIREAT" => {
                let entry = self.entries.get_mut(key);
                let found = entry.map(|entry| entry.expiry = rest[0].parse().expect("a time"));
                int(usize::from(found.is_some()))
            }
            "SMOVE" => self.move_member(key, &rest[0], &rest[1]),
            "SUNIONSTORE" => self.store(key, &self.set(&rest[0]) | &self.set(&rest[1])),
            "SINTERSTORE" => self.store(key, &self.set(&rest[0]) & &self.set(&rest[1])),
            _ => self.change(key, |value| match value {
                Value::List(list) => on_list(list, name, rest),
                Value::Set(set) => on_set(set, name, rest),
                Value::Hash(hash) => on_hash(hash, name, rest),
                Value::Sorted(sorted) => on_sorted(sorted, name, rest),
            }),
        }
    }

    /// Changes a collection; an absent one is empty, an empty one is gone.
    fn change<R>(&mut self, key: &str, change: impl FnOnce(&mut Value) -> R) -> R {
        let fresh = || Entry { value: Value::empty(key), expiry: -1 };
        let entry = self.entries.entry(key.to_owned()).or_insert_with(fresh);
        let result = change(&mut entry.value);
        if entry.value.len() == 0 {
            self.entries.remove(key);
        }
        result
    }

    fn set(&self, key: &str) -> BTreeSet<String> {
        match self.entries.get(key).map(|entry| &entry.value) {
            Some(Value::Set(set)) => set.clone(),
            _ => BTreeSet::new(),
        }
    }

    fn store(&mut self, key: &str, set: BTreeSet<String>) -> Reply {
        let count = set.len();
        self.entries.remove(key);
        if count > 0 {
            self.entries.insert(key.to_owned(), Entry { value: Value::Set(set), expiry: -1 });
        }
        int(count)
    }

    fn move_member(&mut self, from: &str, to: &str, member: &str) -> Reply {
        let member = [member.to_owned()];
        let is_member = self.set(from).contains(&member[0]);
        if is_member {
            self.change(from, |value| match value {
                Value::Set(set) if from != to => on_set(set, "SREM", &member),
                _ => int(0),
            });
            self.change(to, |value| match value {
                Value::Set(set) => on_set(set, "SADD", &member),
                _ => int(0),
            });
        }
        int(usize::from(is_member))
    }

    /// Removes what an SPOP answered.
    pub fn popped(&mut self, command: &[String], reply: &Reply) {
        let Reply::Array(members) = reply else { panic!("{command:?}: {reply:?}") };
        let expected = self.set(&command[1]).len().min(command[2].parse().expect("a count"));
        assert_eq!(members.len(), expected, "{command:?}");
        let members: Vec<String> = members.iter().map(Reply::text).collect();
        let removed = self.change(&command[1], |value| match value {
            Value::Set(set) => on_set(set, "SREM", &members),
            _ => int(0),
        });
        assert_eq!(removed, int(expected), "{command:?}");
    }

    /// The members of a set that are in this model and not in another.
    pub fn gone(&self, key: &str, other: &Self) -> Reply {
        Reply::Array(self.set(key).difference(&other.set(key)).map(|member| bulk(member)).collect())
    }

    /// What differs between what is expected and what was read, if anything does.
    pub fn difference(&self, read: &Self) -> Option<String> {
        let keys = self.entries.keys().chain(read.entries.keys());
        let different = |key: &&String| self.entries.get(*key) != read.entries.get(*key);
        let key = keys.into_iter().find(different)?;
        Some(match (self.entries.get(key), read.entries.get(key)) {
            (Some(own), Some(its)) if own.value == its.value => {
                format!("{key}: expected to end at {}, found {}", own.expiry, its.expiry)
            }
            (Some(own), Some(its)) => format!("{key}: expected, found: {}", own.value.shown(&its.value)),
            (Some(_), None) => format!("{key}: not there"),
            _ => format!("{key}: there, and not expected"),
        })
    }
}

fn on_list(list: &mut VecDeque<String>, name: &str, rest: &[String]) -> Reply {
    let number = |text: &String| text.parse::<usize>().expect("a number");
    match name {
        "RPUSH" => list.extend(rest.iter().cloned()),
        "LPUSH" => rest.iter().for_each(|element| list.push_front(element.clone())),
        "LPOP" | "RPOP" if list.is_empty() => return Reply::Nil,
        "LPOP" | "RPOP" => {
            let pop = |_| if name == "LPOP" { list.pop_front() } else { list.pop_back() };
            return Reply::Array(
                (0..number(&rest[0])).map_while(pop).map(|element| bulk(&element)).collect(),
            );
        }
        "LSET" if list.is_empty() => return error("ERR no such key"),
        "LSET" => {
            let Some(element) = list.get_mut(number(&rest[0])) else {
                return error("ERR index out of range");
            };
            element.clone_from(&rest[1]);
            return ok();
        }
        "LTRIM" => {
            list.truncate(number(&rest[1]) + 1);
            list.drain(..number(&rest[0]).min(list.len()));
            return ok();
        }
        _ => panic!("{name}"),
    }
    int(list.len())
}

fn on_set(set: &mut BTreeSet<String>, name: &str, rest: &[String]) -> Reply {
    let before = set.len();
    match name {
        "SADD" => set.extend(rest.iter().cloned()),
        "SREM" => rest.iter().for_each(|member| _ = set.remove(member)),
        _ => panic!("{name}"),
    }
    int(set.len().abs_diff(before))
}

fn on_hash(hash: &mut BTreeMap<String, String>, name: &str, rest: &[String]) -> Reply {
    match name {
        "HSET" => {
            let before = hash.len();
            hash.extend(rest.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())));
            int(hash.len() - before)
        }
        "HDEL" => int(rest.iter().filter(|field| hash.remove(*field).is_some()).count()),
        "HINCRBY" => {
            let value = hash.entry(rest[0].clone()).or_insert_with(|| "0".to_owned());
            let sum: i64 =
                value.parse::<i64>().expect("a number") + rest[1].parse::<i64>().expect("a number");
            *value = sum.to_string();
            Reply::Int(sum)
        }
        _ => panic!("{name}"),
    }
}

fn on_sorted(sorted: &mut BTreeMap<String, i64>, name: &str, rest: &[String]) -> Reply {
    match name {
        "ZADD" => {
            let before = sorted.len();
            for pair in rest.chunks(2) {
                sorted.insert(pair[1].clone(), pair[0].parse().expect("a score"));
            }
            int(sorted.len() - before)
        }
        "ZREM" => int(rest.iter().filter(|member| sorted.remove(*member).is_some()).count()),
        "ZINCRBY" => {
            let score = sorted.entry(rest[1].clone()).or_default();
            *score += rest[0].parse::<i64>().expect("a number");
            bulk(&score.to_string())
        }
        "ZPOPMIN" => {
            let mut ranked: Vec<_> = sorted.iter().map(|(member, score)| (*score, member.clone())).collect();
            ranked.sort();
            ranked.truncate(rest[0].parse().expect("a count"));
            let pairs = ranked.into_iter().flat_map(|(score, member)| {
                sorted.remove(&member);
                [bulk(&member), bulk(&score.to_string())]
            });
            Reply::Array(pairs.collect())
        }
        _ => panic!("{name}"),
    }
}
