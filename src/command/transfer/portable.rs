//! The store's values as those of [`crate::rdb`], and back.

use crate::clock::Millis;
use crate::command::sorted_sets::score::kept;
use crate::engine::{DbIndex, Txn};
use crate::rdb::{self, Bytes, HashEntry};
use crate::store::value::collection::{Collection, HashRef, Type};
use crate::store::value::form::{FieldRef, write_scored};
use crate::store::version::{StringRef, Value, ValueRef};

/// A value of the store, borrowed from it. None for a hash without a field that is there at `now`.
pub fn export(value: ValueRef<'_>, now: Millis) -> Option<rdb::Value<'_>> {
    Some(match value {
        ValueRef::String(StringRef::Int(number)) => {
            rdb::Value::String(Bytes::Owned(itoa::Buffer::new().format(number).as_bytes().to_vec()))
        }
        ValueRef::String(StringRef::Str(bytes) | StringRef::Raw(bytes)) => {
            rdb::Value::String(Bytes::Borrowed(bytes))
        }
        ValueRef::String(StringRef::Shared(bytes)) => rdb::Value::String(Bytes::Borrowed(bytes)),
        ValueRef::Collection(collection) => match collection.read() {
            Collection::List(list) => rdb::Value::List(list.forward(0).map(Bytes::Borrowed).collect()),
            Collection::Set(set) => rdb::Value::Set(set.iter().map(Bytes::Borrowed).collect()),
            Collection::SortedSet(set) => {
                let members = set.forward(0).map(|(score, member)| (Bytes::Borrowed(member), score));
                rdb::Value::SortedSet(members.collect())
            }
            Collection::Hash(hash) => rdb::Value::Hash(fields(hash, now)?),
        },
    })
}

fn fields(hash: HashRef<'_>, now: Millis) -> Option<Vec<HashEntry<'_>>> {
    let entry = |FieldRef { field, value, expiry }| HashEntry {
        field: Bytes::Borrowed(field),
        value: Bytes::Borrowed(value),
        expiry,
    };
    let fields: Vec<_> = hash.iter(now).map(entry).collect();
    (!fields.is_empty()).then_some(fields)
}

/// Puts a value in the place of what a key holds. Fields of a hash whose time has come are left out; if none is left,
/// the key goes.
///
/// # Panics
/// Never: it makes entries of the type that they are for.
pub fn import(
    txn: &mut Txn<'_>,
    (db, key): (DbIndex, &[u8]),
    value: &rdb::Value<'_>,
    expiry: Option<Millis>,
) {
    let (of, entries) = match value {
        rdb::Value::String(string) => return txn.put(db, key, Value::Str(string), expiry),
        rdb::Value::List(elements) => (Type::List, Entries::Plain(elements)),
        rdb::Value::Set(members) => (Type::Set, Entries::Plain(members)),
        rdb::Value::Hash(fields) => (Type::Hash, Entries::Made(hash_entries(fields, txn.now()))),
        rdb::Value::SortedSet(members) => (Type::SortedSet, Entries::Made(scored_entries(members))),
    };
    let put = txn.put_collection(db, key, of, entries.refs(), expiry);
    put.expect("entries were made for their type");
}

/// The entries of a collection as the store takes them.
enum Entries<'v> {
    /// They are the elements.
    Plain(&'v [Bytes<'v>]),
    /// They were made of what is in the value.
    Made(Made),
}

impl Entries<'_> {
    fn refs(&self) -> Vec<&[u8]> {
        match self {
            Self::Plain(elements) => elements.iter().map(|element| &element[..]).collect(),
            Self::Made(made) => made.refs(),
        }
    }
}

/// Entries one behind the other.
#[derive(Default)]
struct Made {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Made {
    fn push(&mut self, entry: &[u8]) {
        self.bytes.extend_from_slice(entry);
        self.ends.push(self.bytes.len());
    }

    fn refs(&self) -> Vec<&[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end]).collect()
    }
}

fn hash_entries(fields: &[HashEntry<'_>], now: Millis) -> Made {
    let (mut made, mut entry) = (Made::default(), Vec::new());
    for HashEntry { field, value, expiry } in fields {
        let field = FieldRef { field, value, expiry: *expiry };
        if !field.is_over(now) {
            field.write(&mut entry);
            made.push(&entry);
        }
    }
    made
}

fn scored_entries(members: &[(Bytes<'_>, f64)]) -> Made {
    let (mut made, mut entry) = (Made::default(), Vec::new());
    for (member, score) in members {
        write_scored(kept(*score), member, &mut entry);
        made.push(&entry);
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use quickcheck::quickcheck;
    use std::collections::{BTreeMap, BTreeSet};
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, LazyLock};

    const NOW: Millis = Millis(1_000_000);

    /// What comes out of the store again, its members and fields in their order.
    fn round_trip(value: &rdb::Value<'_>) -> Option<rdb::Value<'static>> {
        // Why one for all: an engine has threads, and a property has hundreds of cases.
        static ENGINE: LazyLock<Arc<Engine>> = LazyLock::new(|| {
            let engine = Engine::for_tests();
            // Why: it would remove fields by its own clock.
            engine.set_active_expiry(false);
            engine
        });
        static CASES: AtomicU64 = AtomicU64::new(0);
        let key = CASES.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        let mut batch = ENGINE.batch(NOW, false);
        let put = batch.run(|txn| {
            import(txn, (0, &key), value, None);
            Ok::<_, Infallible>(())
        });
        assert!(matches!(put, Ok(Ok(()))));
        let payload = batch.run(|txn| {
            let live = txn.peek(0, &key);
            Ok::<_, Infallible>(live.and_then(|live| export(live.value, NOW)).map(|value| rdb::dump(&value)))
        });
        let payload = payload.expect("an engine in memory reads").unwrap_or_default()?;
        let limits = rdb::Limits { string_bytes_max: 1 << 20, unpacked_bytes_max: 1 << 20 };
        let back = rdb::restore(&payload, &limits).expect("a payload that was dumped");
        Some(sorted(own(back)))
    }

    fn own(value: rdb::Value<'_>) -> rdb::Value<'static> {
        let own = |bytes: Bytes<'_>| Bytes::Owned(bytes.into_owned());
        match value {
            rdb::Value::String(string) => rdb::Value::String(own(string)),
            rdb::Value::List(list) => rdb::Value::List(list.into_iter().map(own).collect()),
            rdb::Value::Set(set) => rdb::Value::Set(set.into_iter().map(own).collect()),
            rdb::Value::Hash(fields) => rdb::Value::Hash(
                fields
                    .into_iter()
                    .map(|entry| HashEntry {
                        field: own(entry.field),
                        value: own(entry.value),
                        expiry: entry.expiry,
                    })
                    .collect(),
            ),
            rdb::Value::SortedSet(members) => rdb::Value::SortedSet(
                members.into_iter().map(|(member, score)| (own(member), score)).collect(),
            ),
        }
    }

    fn sorted(mut value: rdb::Value<'static>) -> rdb::Value<'static> {
        match &mut value {
            rdb::Value::Set(members) => members.sort(),
            rdb::Value::Hash(fields) => fields.sort_by(|a, b| a.field.cmp(&b.field)),
            rdb::Value::SortedSet(members) => members.sort_by(|a, b| a.0.cmp(&b.0)),
            rdb::Value::String(_) | rdb::Value::List(_) => {}
        }
        value
    }

    fn owned(bytes: Vec<u8>) -> Bytes<'static> {
        Bytes::Owned(bytes)
    }

    quickcheck! {
        fn strings_and_lists_survive(string: Vec<u8>, number: i64, list: Vec<Vec<u8>>, stretch: u8) -> bool {
            let mut list: Vec<_> = list.into_iter().map(owned).collect();
            list.extend((0..=stretch).map(|n| owned(vec![n; usize::from(n)])));
            let values = [
                rdb::Value::String(owned(string)),
                rdb::Value::String(owned(number.to_string().into_bytes())),
                rdb::Value::List(list),
            ];
            values.into_iter().all(|value| round_trip(&value) == Some(value))
        }

        fn sets_survive(members: BTreeSet<Vec<u8>>, numbers: BTreeSet<i32>) -> bool {
            let words = members.into_iter().map(owned).collect::<Vec<_>>();
            let numbers = numbers.into_iter().map(|n| owned(n.to_string().into_bytes())).collect::<Vec<_>>();
            [words, numbers].into_iter().filter(|set| !set.is_empty()).all(|set| {
                let set = sorted(rdb::Value::Set(set));
                round_trip(&set) == Some(set)
            })
        }

        fn hashes_and_sorted_sets_survive(entries: BTreeMap<Vec<u8>, (Vec<u8>, Option<u32>, f64)>) -> bool {
            if entries.is_empty() {
                return true;
            }
            let fields = entries.clone().into_iter().map(|(field, (value, expiry, _))| HashEntry {
                field: owned(field),
                value: owned(value),
                expiry: expiry.map(|after| Millis(NOW.0 + 1 + u64::from(after))),
            });
            let members = entries.into_iter().map(|(member, (_, _, score))| {
                (owned(member), if score.is_nan() { 0.0 } else { score })
            });
            let values = [rdb::Value::Hash(fields.collect()), rdb::Value::SortedSet(members.collect())];
            values.into_iter().all(|value| round_trip(&value) == Some(value))
        }
    }

    /// A payload of Redis's may hold the other zero, which then was told as a score that no command here gives.
    #[test]
    fn both_zeros_arrive_as_one() {
        let zero = |score: f64| rdb::Value::SortedSet(vec![(owned(b"m".to_vec()), score)]);
        let arrived = round_trip(&zero(-0.0));
        let Some(rdb::Value::SortedSet(members)) = arrived else { panic!("{arrived:?}") };
        assert_eq!(members[0].1.to_bits(), 0);
    }

    #[test]
    fn fields_that_are_over_are_left_behind() {
        let field = |name: &str, expiry| HashEntry {
            field: owned(name.into()),
            value: owned(b"v".to_vec()),
            expiry: Some(Millis(expiry)),
        };
        let (over, live) = (field("over", NOW.0), field("live", NOW.0 + 1));
        let both = rdb::Value::Hash(vec![live.clone(), over.clone()]);
        assert_eq!(round_trip(&both), Some(rdb::Value::Hash(vec![live])));
        assert_eq!(round_trip(&rdb::Value::Hash(vec![over])), None);
    }
}
