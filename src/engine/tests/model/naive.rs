//! The map that the engine is compared with.

use std::collections::BTreeMap;

use super::step::{Key, Op, Reply, Work};
use super::thing::Thing;
use crate::engine::DbIndex;
use crate::store::version::canonical_int;

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) value: Thing,
    pub(super) expiry: Option<u64>,
}

/// All databases. An expired entry stays until something overwrites or reaps it, as in the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Naive {
    pub(super) databases: Vec<BTreeMap<Vec<u8>, Entry>>,
}

impl Naive {
    pub(super) fn new(databases: usize) -> Self {
        Self { databases: vec![BTreeMap::new(); databases] }
    }

    fn live(&self, db: DbIndex, key: Key, now: u64) -> Option<&Entry> {
        let entry = self.databases[usize::from(db)].get(key.bytes())?;
        entry.expiry.is_none_or(|end| end > now).then_some(entry)
    }

    /// The live keys of a database that start with `prefix`, in order.
    pub(super) fn keys(&self, db: DbIndex, prefix: &[u8], now: u64) -> Vec<Vec<u8>> {
        let all = self.databases[usize::from(db)].iter();
        let live =
            all.filter(|(key, entry)| key.starts_with(prefix) && entry.expiry.is_none_or(|end| end > now));
        live.map(|(key, _)| key.clone()).collect()
    }

    fn set(&mut self, db: DbIndex, key: Key, value: Vec<u8>, expiry: Option<u64>) {
        self.keep(db, key, Thing::String(value), expiry);
    }

    fn keep(&mut self, db: DbIndex, key: Key, value: Thing, expiry: Option<u64>) {
        self.databases[usize::from(db)].insert(key.bytes().to_vec(), Entry { value, expiry });
    }

    pub(super) fn work(&mut self, work: &[Work], now: u64) -> Vec<Reply> {
        let mut replies = Vec::new();
        for item in work {
            match *item {
                Work::Op(db, key, ref op) => replies.push(self.op(db, key, op, now)),
                Work::Flush(None) => self.databases.iter_mut().for_each(BTreeMap::clear),
                Work::Flush(Some(db)) => self.databases[usize::from(db)].clear(),
                Work::Swap(a, b) => self.databases.swap(usize::from(a), usize::from(b)),
            }
        }
        replies
    }

    pub(super) fn op(&mut self, db: DbIndex, key: Key, op: &Op, now: u64) -> Reply {
        let old = self.live(db, key, now).cloned();
        let expiry = old.as_ref().and_then(|entry| entry.expiry);
        let string = old.as_ref().map_or(Some(&[][..]), |entry| entry.value.string());
        let Some(mut value) = string.map(<[u8]>::to_vec) else {
            return self.op_on_collection(db, key, op, now);
        };
        match op {
            Op::Edit(_) | Op::Rename(..) | Op::Copy(..) => return self.op_on_collection(db, key, op, now),
            Op::Get => return Reply::Entry(old),
            Op::Put(new, ttl) => self.set(db, key, new.bytes(), ttl.map(|ttl| now + u64::from(ttl))),
            Op::Append(suffix) => {
                value.extend_from_slice(&suffix.bytes());
                let len = value.len();
                self.set(db, key, value, expiry);
                return Reply::Number(len as i64);
            }
            Op::SetRange(offset, patch) => {
                let (from, patch) = (usize::from(*offset), patch.bytes());
                value.resize(value.len().max(from + patch.len()), 0);
                value[from..from + patch.len()].copy_from_slice(&patch);
                let len = value.len();
                self.set(db, key, value, expiry);
                return Reply::Number(len as i64);
            }
            Op::Increment(by) => {
                let number = if old.is_some() { canonical_int(&value) } else { Some(0) };
                let Some(sum) = number.and_then(|number| number.checked_add(*by)) else {
                    return Reply::Refused;
                };
                self.set(db, key, sum.to_string().into_bytes(), expiry);
                return Reply::Number(sum);
            }
            Op::Delete => {
                if old.is_some() {
                    self.databases[usize::from(db)].remove(key.bytes());
                }
                return Reply::Flag(old.is_some());
            }
            Op::Expire(ttl) => {
                if old.is_some() {
                    match ttl {
                        Some(0) => drop(self.databases[usize::from(db)].remove(key.bytes())),
                        ttl => self.set(db, key, value, ttl.map(|ttl| now + u64::from(ttl))),
                    }
                }
                return Reply::Flag(old.is_some());
            }
        }
        Reply::Flag(true)
    }

    /// An operation on a collection, or on any type of value.
    fn op_on_collection(&mut self, db: DbIndex, key: Key, op: &Op, now: u64) -> Reply {
        let old = self.live(db, key, now).cloned();
        let expiry = old.as_ref().and_then(|entry| entry.expiry);
        match op {
            Op::Append(_) | Op::SetRange(..) | Op::Increment(_) => Reply::Refused,
            Op::Get => Reply::Entry(old),
            Op::Put(new, ttl) => {
                self.set(db, key, new.bytes(), ttl.map(|ttl| now + u64::from(ttl)));
                Reply::Flag(true)
            }
            Op::Delete => {
                self.databases[usize::from(db)].remove(key.bytes());
                Reply::Flag(true)
            }
            Op::Expire(ttl) => {
                match (ttl, old) {
                    (Some(0), _) | (_, None) => drop(self.databases[usize::from(db)].remove(key.bytes())),
                    (ttl, Some(old)) => self.keep(db, key, old.value, ttl.map(|ttl| now + u64::from(ttl))),
                }
                Reply::Flag(true)
            }
            Op::Edit(edit) => {
                let was_there = old.is_some();
                let Some((thing, len)) = edit.to_thing(old.map(|entry| entry.value), now) else {
                    return Reply::Refused;
                };
                if len > 0 {
                    self.keep(db, key, thing, expiry);
                } else if was_there {
                    self.databases[usize::from(db)].remove(key.bytes());
                }
                Reply::Number(len as i64)
            }
            Op::Rename(to_db, to) | Op::Copy(to_db, to) => {
                let Some(old) = old else { return Reply::Flag(false) };
                if (*to_db, to.bytes()) == (db, key.bytes()) {
                    return Reply::Refused;
                }
                if matches!(op, Op::Rename(..)) {
                    self.databases[usize::from(db)].remove(key.bytes());
                }
                self.keep(*to_db, *to, old.value, old.expiry);
                Reply::Flag(true)
            }
        }
    }

    /// Removes a key whose time has come, or the fields of which it has; tells whether there was one.
    pub(super) fn reap(&mut self, db: DbIndex, key: Key, now: u64) -> bool {
        let entry = self.databases[usize::from(db)].get(key.bytes());
        let expired = entry.is_some_and(|entry| entry.expiry.is_some_and(|end| end <= now));
        if let Some(Entry { value: Thing::Hash(fields), .. }) =
            self.databases[usize::from(db)].get_mut(key.bytes()).filter(|_| !expired)
        {
            let before = fields.len();
            fields.retain(|_, (_, end)| end.is_none_or(|end| end > now));
            let after = fields.len();
            if after == 0 {
                self.databases[usize::from(db)].remove(key.bytes());
            }
            return after < before;
        }
        if expired {
            self.databases[usize::from(db)].remove(key.bytes());
        }
        expired
    }
}
