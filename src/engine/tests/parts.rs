//! Large collections that change while snapshots take them in parts: what is recovered is what was there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::lab::{Lab, seed};
use crate::Db;
use crate::clock::Millis;
use crate::engine::effect::{Effect, encode_edits};
use crate::engine::recovery::Replay;
use crate::engine::staging::Layout;
use crate::engine::{Txn, WrongType};
use crate::lsn::Lsn;
use crate::store::hash::HashSeed;
use crate::store::value::block::BlockBuf;
use crate::store::value::collection::{Collection, Type};
use crate::store::value::draft::Delta;
use crate::store::value::limits::Limits;
use crate::store::version::ValueRef;

const KEYS: [&[u8]; 8] =
    [b"hash:1", b"hash:2", b"list:1", b"list:2", b"set:1", b"set:2", b"sorted:1", b"sorted:2"];
const ROUNDS: usize = 6;
const SNAPSHOTS: usize = 4;
const FOREVER: u64 = 1 << 45;

/// A cheap generator: the test wants variety, not quality.
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn name(number: u64) -> Vec<u8> {
    format!("an entry of some length:{}", number % 300).into_bytes()
}

/// Entries to come or to change, and one to go, or nearly all.
struct Change {
    put: Vec<Vec<u8>>,
    remove: Vec<Vec<u8>>,
    value: u64,
}

impl Change {
    fn random(dice: &mut u64) -> Self {
        let value = random(dice);
        let (puts, removes) = match value % 16 {
            0..9 => (1 + value % 20, 0),
            9..14 => (0, 1 + value % 20),
            _ => (u64::from(value % 2 == 0), 300),
        };
        let first = random(dice);
        let put = (0..puts).map(|at| name(first + 7 * at)).collect();
        let first = random(dice);
        Self { put, remove: (0..removes).map(|at| name(first + at)).collect(), value }
    }
}

fn change(txn: &mut Txn<'_>, key: &[u8], change: &Change) -> Result<(), WrongType> {
    let Change { put, remove, value } = change;
    if value % 97 == 0 {
        txn.delete(0, key);
        return Ok(());
    }
    if value % 89 == 0 {
        txn.set_expiry(0, key, (value % 2 == 0).then_some(Millis(FOREVER + value % 1000)));
        return Ok(());
    }
    match key[0] {
        b'h' => txn.edit_hash(0, key, |hash| {
            for field in remove {
                hash.delete(field);
            }
            for field in put {
                let expiry = (value % 5 == 0).then_some(Millis(FOREVER));
                hash.set(field, value.to_string().as_bytes(), expiry);
            }
            Ok(())
        }),
        b's' if key.starts_with(b"set") => txn.edit_set(0, key, |set| {
            for member in remove {
                set.remove(member);
            }
            for member in put {
                set.add(member);
            }
            Ok(())
        }),
        b's' => txn.edit_sorted_set(0, key, |set| {
            for member in remove {
                set.remove(member);
            }
            for member in put {
                set.put(member, (value % 1000) as f64);
            }
            Ok(())
        }),
        _ => txn.edit_list(0, key, |list| {
            let len = list.len();
            let gone = len.min(remove.len() as u64);
            let elements: Vec<&[u8]> = put.iter().map(Vec::as_slice).collect();
            list.splice(value % (len - gone + 1), gone, &elements);
            Ok(())
        }),
    }
}

/// All that a key holds, and when it ends.
type Held = (Vec<Vec<u8>>, Option<Millis>);

fn held(db: &Db) -> BTreeMap<&'static [u8], Held> {
    let look = |txn: &mut Txn<'_>, key| {
        let live = txn.get(0, key)?;
        let ValueRef::Collection(collection) = live.value else { return None };
        let collection: Collection<'_> = collection.read();
        let mut entries: Vec<_> = collection.entries().forward(0).map(<[u8]>::to_vec).collect();
        if !matches!(collection, Collection::List(_)) {
            entries.sort_unstable();
        }
        Some((entries, live.expiry))
    };
    let all = KEYS.iter().filter_map(|&key| Some((key, db.transaction(|txn| look(txn, key)).unwrap()?)));
    all.collect()
}

#[test]
fn collections_that_change_while_snapshots_take_them_are_recovered_as_they_are() {
    let mut dice = seed() | 1;
    let lab = Lab::new();
    let mut db = lab.open();
    for round in 0..ROUNDS {
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for half in 0..2 {
                let mut dice = random(&mut dice) | 1;
                let (db, is_over) = (&db, &is_over);
                scope.spawn(move || {
                    while !is_over.load(Ordering::Relaxed) {
                        let key = KEYS[(random(&mut dice) % 4) as usize * 2 + half];
                        let step = Change::random(&mut dice);
                        db.transaction(|txn| change(txn, key, &step)).unwrap().unwrap();
                    }
                });
            }
            for _ in 0..SNAPSHOTS {
                db.engine().snapshot_blocking().unwrap();
            }
            is_over.store(true, Ordering::Relaxed);
        });
        let before = held(&db);
        db.close().unwrap();
        db = lab.open();
        assert_eq!(held(&db), before, "in round {round}");
    }
}

fn block(members: &[&str]) -> BlockBuf {
    let mut block = BlockBuf::default();
    for member in members {
        block.push(member.as_bytes());
    }
    block
}

fn encoded(effect: &Effect<'_>) -> Vec<u8> {
    effect.parts().slices().concat()
}

/// A replay of a snapshot that ends at 1000, with a set of which each given part was taken at 100.
fn replay_of(parts: &[(u64, bool, &[&str])]) -> Replay {
    let mut replay = Replay::new(Layout::new(1), HashSeed(3), 0, Limits::default());
    replay.snapshot_end = Lsn::new(1000);
    for &(number, is_last, members) in parts {
        let entries = block(members).to_bytes().to_vec().into();
        let (of, expiry) = (Type::Set, Some(Millis(FOREVER)));
        let part = encoded(&Effect::Part { db: 0, key: b"set", of, number, is_last, entries, expiry });
        let entry = [&100_u64.to_le_bytes()[..], &part].concat();
        replay.load_entry(&entry, &crossbeam_epoch::pin()).unwrap().unwrap();
    }
    replay
}

fn members(replay: Replay) -> Option<(Vec<Vec<u8>>, Option<Millis>)> {
    let keyspace = &replay.finish()[0];
    let guard = crossbeam_epoch::pin();
    let version = keyspace.find(keyspace.seed().hash(b"set"), b"set", &guard)?.look(&guard).version;
    // SAFETY: used under the guard.
    let ValueRef::Collection(collection) = (unsafe { version.value() })? else { return None };
    let members = collection.read().entries().forward(0).map(<[u8]>::to_vec).collect();
    Some((members, version.expiry()))
}

fn edit(replay: &mut Replay, lsn: u64, delta: Delta) -> Result<(), crate::engine::OpenError> {
    let (of, edits) = (Some(Type::Set), encode_edits(&[delta]).into());
    let record = encoded(&Effect::Edit { db: 0, key: b"set", of, edits, expiry: None });
    replay.record(Lsn::new(lsn), 1, &record)
}

/// The set was {a, b, z}. The first part had a and b; then they went, c came, and z went; then the second part found nothing.
#[test]
fn a_collection_that_seems_to_lose_its_last_entry_on_the_way_goes_on() {
    let mut replay = replay_of(&[(0, false, &["a", "b"]), (1, true, &[])]);
    edit(&mut replay, 200, Delta::Remove(block(&["a", "b"]))).unwrap();
    edit(&mut replay, 300, Delta::Upsert(block(&["c"]))).unwrap();
    edit(&mut replay, 400, Delta::Remove(block(&["z"]))).unwrap();
    assert_eq!(members(replay), Some((vec![b"c".to_vec()], Some(Millis(FOREVER)))));
}

#[test]
fn an_expiry_that_is_given_between_stays() {
    let mut replay = replay_of(&[(0, true, &["a"])]);
    edit(&mut replay, 200, Delta::Remove(block(&["a"]))).unwrap();
    let end = Some(Millis(FOREVER + 7));
    let record = encoded(&Effect::Expire { db: 0, key: b"set", expiry: end });
    replay.record(Lsn::new(250), 1, &record).unwrap();
    edit(&mut replay, 300, Delta::Upsert(block(&["c"]))).unwrap();
    assert_eq!(members(replay), Some((vec![b"c".to_vec()], end)));
}

#[test]
fn an_edit_of_an_absent_collection_behind_the_snapshot_is_damage() {
    let mut replay = replay_of(&[(0, true, &["a"])]);
    edit(&mut replay, 1200, Delta::Remove(block(&["a"]))).unwrap();
    edit(&mut replay, 1300, Delta::Upsert(block(&["c"]))).unwrap_err();
}

#[test]
fn parts_are_put_together_in_their_order_whatever_order_they_are_found_in() {
    let replay = replay_of(&[(2, true, &["e"]), (0, false, &["d", "c"]), (1, false, &["b", "a"])]);
    let (found, expiry) = members(replay).unwrap();
    assert_eq!((found.concat(), expiry), (b"dcbae".to_vec(), Some(Millis(FOREVER))));
}
