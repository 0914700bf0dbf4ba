//! What a key holds in the map, and how collections are changed, in the map and in the engine.

use std::collections::{BTreeMap, BTreeSet};

use quickcheck::{Arbitrary, Gen};

use crate::clock::Millis;
use crate::engine::{DbIndex, Txn, WrongType};
use crate::store::value::collection::Collection;
use crate::store::version::ValueRef;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Thing {
    String(Vec<u8>),
    List(Vec<Vec<u8>>),
    Set(BTreeSet<Vec<u8>>),
    /// Values and ends of fields.
    Hash(BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)>),
    Sorted(BTreeMap<Vec<u8>, i64>),
}

impl Thing {
    /// All that a value in the engine holds, fields whose time has come included.
    pub(super) fn of(value: ValueRef<'_>) -> Self {
        let owned = <[u8]>::to_vec;
        match value {
            ValueRef::String(string) => Self::String(string.bytes(&mut itoa::Buffer::new()).to_vec()),
            ValueRef::Collection(collection) => match collection.read() {
                Collection::List(list) => Self::List(list.forward(0).map(owned).collect()),
                Collection::Set(set) => Self::Set(set.iter().map(owned).collect()),
                Collection::Hash(hash) => {
                    let fields = hash.iter(Millis(0)).map(|field| {
                        (field.field.to_vec(), (field.value.to_vec(), field.expiry.map(|end| end.0)))
                    });
                    Self::Hash(fields.collect())
                }
                Collection::SortedSet(set) => Self::Sorted(
                    set.forward(0).map(|(score, member)| (member.to_vec(), score as i64)).collect(),
                ),
            },
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::String(bytes) => bytes.len(),
            Self::List(elements) => elements.len(),
            Self::Set(members) => members.len(),
            Self::Hash(fields) => fields.len(),
            Self::Sorted(members) => members.len(),
        }
    }

    /// The string, if it is one.
    pub(super) fn string(&self) -> Option<&[u8]> {
        match self {
            Self::String(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// A change of a collection.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    /// Replaces elements.
    List { at: u16, remove: u8, insert: Vec<u8> },
    /// Adds members, or removes them.
    Set(Vec<(u8, bool)>),
    /// Sets fields, with an end or without, or removes them.
    Hash(Vec<(u8, Option<u8>, Option<u16>)>),
    /// Gives members scores, or removes them.
    Sorted(Vec<(u8, Option<i8>)>),
}

fn many<T>(random: &mut Gen, mut make: impl FnMut(&mut Gen) -> T) -> Vec<T> {
    let max = if u8::arbitrary(random) % 8 == 0 { 200 } else { 6 };
    (0..=u8::arbitrary(random) % max).map(|_| make(random)).collect()
}

impl Arbitrary for Edit {
    fn arbitrary(random: &mut Gen) -> Self {
        match u8::arbitrary(random) % 4 {
            0 => Self::List {
                at: u16::arbitrary(random),
                remove: if bool::arbitrary(random) { u8::arbitrary(random) } else { 0 },
                insert: if u8::arbitrary(random) % 4 == 0 { Vec::new() } else { many(random, u8::arbitrary) },
            },
            1 => Self::Set(many(random, |random| (u8::arbitrary(random), u8::arbitrary(random) % 4 > 0))),
            2 => Self::Hash(many(random, |random| {
                let value = (u8::arbitrary(random) % 4 > 0).then(|| u8::arbitrary(random));
                let ttl = (u8::arbitrary(random) % 4 == 0).then(|| 1 + u16::arbitrary(random) % 600);
                (u8::arbitrary(random), value, ttl)
            })),
            _ => Self::Sorted(many(random, |random| {
                (u8::arbitrary(random), (u8::arbitrary(random) % 4 > 0).then(|| i8::arbitrary(random)))
            })),
        }
    }
}

/// The name of a member, field or element; some are long.
fn name(number: u8) -> Vec<u8> {
    if number % 8 == 0 { vec![number; 300] } else { number.to_string().into_bytes() }
}

impl Edit {
    /// Applies it to what the map has; gives what is there then, and its size; none where it is of another type.
    pub(super) fn to_thing(&self, old: Option<Thing>, now: u64) -> Option<(Thing, usize)> {
        let thing = match (self, old) {
            (Self::List { at, remove, insert }, old) => {
                let mut elements = match old {
                    None => Vec::new(),
                    Some(Thing::List(elements)) => elements,
                    Some(_) => return None,
                };
                let at = usize::from(*at) % (elements.len() + 1);
                let remove = usize::from(*remove).min(elements.len() - at);
                elements.splice(at..at + remove, insert.iter().map(|&number| name(number)));
                Some(Thing::List(elements))
            }
            (Self::Set(changes), old) => {
                let mut members = match old {
                    None => BTreeSet::new(),
                    Some(Thing::Set(members)) => members,
                    Some(_) => return None,
                };
                for &(number, add) in changes {
                    if add {
                        members.insert(name(number))
                    } else {
                        members.remove(&name(number))
                    };
                }
                Some(Thing::Set(members))
            }
            (Self::Hash(changes), old) => {
                let mut fields = match old {
                    None => BTreeMap::new(),
                    Some(Thing::Hash(fields)) => fields,
                    Some(_) => return None,
                };
                for &(field, value, ttl) in changes {
                    match value {
                        Some(value) => {
                            let end = ttl.map(|ttl| now + u64::from(ttl));
                            fields.insert(name(field), (name(value), end));
                        }
                        None => drop(fields.remove(&name(field))),
                    }
                }
                Some(Thing::Hash(fields))
            }
            (Self::Sorted(changes), old) => {
                let mut members = match old {
                    None => BTreeMap::new(),
                    Some(Thing::Sorted(members)) => members,
                    Some(_) => return None,
                };
                for &(member, score) in changes {
                    match score {
                        Some(score) => drop(members.insert(name(member), i64::from(score))),
                        None => drop(members.remove(&name(member))),
                    }
                }
                Some(Thing::Sorted(members))
            }
        };
        thing.map(|thing| {
            let len = thing.len();
            (thing, len)
        })
    }

    /// Applies it to the engine; gives the size then.
    pub(super) fn to_engine(&self, txn: &mut Txn<'_>, db: DbIndex, key: &[u8]) -> Result<u64, WrongType> {
        let now = txn.now().0;
        match self {
            Self::List { at, remove, insert } => txn.edit_list(db, key, |list| {
                let at = u64::from(*at) % (list.len() + 1);
                let insert: Vec<_> = insert.iter().map(|&number| name(number)).collect();
                let insert: Vec<&[u8]> = insert.iter().map(Vec::as_slice).collect();
                list.splice(at, u64::from(*remove).min(list.len() - at), &insert);
                Ok(list.len())
            }),
            Self::Set(changes) => txn.edit_set(db, key, |set| {
                for &(number, add) in changes {
                    if add {
                        set.add(&name(number))
                    } else {
                        set.remove(&name(number))
                    };
                }
                Ok(set.len())
            }),
            Self::Hash(changes) => txn.edit_hash(db, key, |hash| {
                for &(field, value, ttl) in changes {
                    let end = ttl.map(|ttl| Millis(now + u64::from(ttl)));
                    match value {
                        Some(value) => _ = hash.set(&name(field), &name(value), end),
                        None => _ = hash.remove(&name(field)),
                    }
                }
                Ok(hash.len())
            }),
            Self::Sorted(changes) => txn.edit_sorted_set(db, key, |set| {
                for &(member, score) in changes {
                    match score {
                        Some(score) => _ = set.put(&name(member), f64::from(score)),
                        None => _ = set.remove(&name(member)),
                    }
                }
                Ok(set.len())
            }),
        }
    }
}
