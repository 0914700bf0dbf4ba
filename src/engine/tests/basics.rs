//! Single commands and small transactions, and what is found again.

use std::time::{Duration, Instant};

use crate::Db;
use crate::clock::Millis;
use crate::engine::{Engine, Fate, Was};
use crate::store::version::Value;

fn reopened(db: Db, path: &std::path::Path) -> Db {
    db.close().unwrap();
    Db::open(path).unwrap()
}

#[test]
fn what_was_written_is_read_and_found_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");
    let db = Db::open(&path).unwrap();
    for n in 0..1000_u32 {
        db.set(format!("key:{n}").as_bytes(), format!("value:{n}").as_bytes()).unwrap();
    }
    assert!(db.delete(b"key:7").unwrap());
    assert!(!db.delete(b"key:7").unwrap());
    let db = reopened(db, &path);
    for n in 0..1000_u32 {
        let expected = (n != 7).then(|| format!("value:{n}").into_bytes());
        assert_eq!(db.get(format!("key:{n}").as_bytes()).unwrap(), expected, "{n}");
    }
    assert_eq!(db.transaction(|txn| txn.len(0)).unwrap(), 999);
}

#[test]
fn deltas_replay_to_the_same_string() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");
    let db = Db::open(&path).unwrap();
    db.set(b"k", b"12").unwrap();
    db.transaction(|txn| txn.append(0, b"k", b"34")).unwrap().unwrap();
    db.transaction(|txn| txn.set_range(0, b"k", 6, b"xy")).unwrap().unwrap();
    db.transaction(|txn| txn.set_expiry(0, b"k", Some(Millis(u64::MAX / 2)))).unwrap();
    let db = reopened(db, &path);
    assert_eq!(db.get(b"k").unwrap().unwrap(), b"1234\0\0xy");
    let expiry = db.transaction(|txn| txn.get(0, b"k").map(|live| live.expiry)).unwrap();
    assert_eq!(expiry, Some(Some(Millis(u64::MAX / 2))));
}

#[test]
fn large_values_survive_inline_shared_and_spilled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");
    let db = Db::open(&path).unwrap();
    let sizes = [100_usize, 16 * 1024, 16 * 1024 + 1, 900_000, 1 << 20, (1 << 20) + 1, 5_000_000];
    for size in sizes {
        db.set(format!("{size}").as_bytes(), &vec![size as u8; size]).unwrap();
    }
    let db = reopened(db, &path);
    db.engine().snapshot_blocking().unwrap();
    let db = reopened(db, &path);
    for size in sizes {
        assert_eq!(db.get(format!("{size}").as_bytes()).unwrap().unwrap(), vec![size as u8; size]);
    }
}

#[test]
fn a_transaction_takes_effect_whole() {
    let db = Db::in_memory().unwrap();
    db.set(b"a", b"1").unwrap();
    db.transaction(|txn| {
        txn.delete(0, b"a");
        txn.put(0, b"b", Value::Int(2), None);
        txn.put(1, b"c", Value::Int(3), None);
        assert!(txn.get(0, b"a").is_none());
        assert!(txn.get(0, b"b").is_some());
    })
    .unwrap();
    assert_eq!(db.get(b"a").unwrap(), None);
    assert_eq!(db.get(b"b").unwrap().unwrap(), b"2");
    assert!(db.transaction(|txn| txn.get(1, b"c").is_some()).unwrap());
}

#[test]
fn an_expired_key_is_absent_at_once_and_gone_within_a_second() {
    let db = Db::in_memory().unwrap();
    let end = Millis(Millis::now().0 + 60);
    db.transaction(|txn| txn.put(0, b"k", Value::Str(b"v"), Some(end))).unwrap();
    assert!(db.get(b"k").unwrap().is_some());
    while Millis::now() < end {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(db.get(b"k").unwrap(), None);
    let deadline = Instant::now() + Duration::from_secs(10);
    while db.transaction(|txn| txn.len(0)).unwrap() > 0 {
        assert!(Instant::now() < deadline, "the key was never removed");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(db.engine().info().expired_keys, 1);
}

#[test]
fn databases_are_flushed_and_swapped_and_that_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");
    let db = Db::open(&path).unwrap();
    let engine = std::sync::Arc::clone(db.engine());
    let alone = move |f: &mut dyn FnMut(&mut crate::engine::Txn<'_>)| {
        let mut batch = engine.batch(Millis::now(), true);
        let run = |txn: &mut crate::engine::Txn<'_>| {
            f(txn);
            Ok::<_, std::convert::Infallible>(())
        };
        batch.run_alone(run).unwrap().unwrap();
    };
    db.set(b"old", b"1").unwrap();
    db.transaction(|txn| txn.put(1, b"one", Value::Int(1), None)).unwrap();
    alone(&mut |txn| {
        txn.put(1, b"two", Value::Int(2), None);
        txn.flush(Some(0));
        txn.put(0, b"new", Value::Int(3), None);
        txn.swap(0, 1);
        txn.put(0, b"three", Value::Int(4), None);
        assert!(txn.get(0, b"one").is_some() && txn.get(1, b"new").is_some());
        assert!(txn.get(1, b"old").is_none());
    });
    let check = |db: &Db| {
        let found = |n, key: &[u8]| db.transaction(|txn| txn.get(n, key).is_some()).unwrap();
        assert!(found(0, b"one") && found(0, b"two") && found(0, b"three") && found(1, b"new"));
        assert!(!found(0, b"old") && !found(1, b"old") && !found(0, b"new"));
    };
    check(&db);
    drop(alone);
    let db = reopened(db, &path);
    check(&db);
    db.engine().snapshot_blocking().unwrap();
    let db = reopened(db, &path);
    check(&db);
}

#[test]
fn deleted_keys_give_their_memory_back() {
    const LEFT_BYTES_MAX: u64 = 28 * 1024;
    let db = Db::in_memory().unwrap();
    // Why: each database has some before its first key, and beside each is a staged one.
    let empty_bytes = db.engine().used_memory_bytes();
    for n in 0..5000_u32 {
        db.set(&n.to_le_bytes(), b"value").unwrap();
    }
    for n in 0..5000_u32 {
        db.delete(&n.to_le_bytes()).unwrap();
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    while db.engine().used_memory_bytes() > empty_bytes + LEFT_BYTES_MAX {
        assert!(Instant::now() < deadline, "{} bytes are left", db.engine().used_memory_bytes());
        std::thread::sleep(Duration::from_millis(10));
    }
    db.set(b"again", b"1").unwrap();
    assert!(db.get(b"again").unwrap().is_some());
}

#[test]
fn a_database_whose_last_clone_was_dropped_can_be_opened_at_once() {
    // It used to stay locked while a background thread of the engine was asleep.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");
    for n in 0..20_u8 {
        let db = Db::open(&path).unwrap();
        db.clone().set(b"k", &[n]).unwrap();
        drop(db);
    }
    assert_eq!(Db::open(&path).unwrap().get(b"k").unwrap().unwrap(), [19]);
}

#[test]
fn an_attempt_tells_what_becomes_of_its_keys_and_which_it_missed() {
    let engine = Engine::for_tests();
    let mut batch = engine.batch(Millis(1_000), false);
    let put = batch.run(|txn| {
        assert_eq!(txn.fate(0, b"k"), Fate { was: Was::Absent, is_live: false });
        txn.put(0, b"k", Value::Str(b"v"), Some(Millis(2_000)));
        assert_eq!(txn.fate(0, b"k"), Fate { was: Was::Absent, is_live: true });
        Ok::<_, ()>(())
    });
    assert!(matches!(put, Ok(Ok(()))));
    for (now, was) in [(1_500, Was::Live), (2_500, Was::Expired)] {
        let mut batch = engine.batch(Millis(now), false);
        batch.note_misses();
        let seen = batch.run(|txn| {
            txn.peek(0, b"k");
            txn.get(3, b"none");
            txn.get(3, b"none");
            Ok::<_, ()>((txn.fate(0, b"k").was, txn.take_misses().len(), txn.take_misses().len()))
        });
        let misses = if was == Was::Live { 2 } else { 3 };
        assert_eq!(seen.ok(), Some(Ok((was, misses, 0))));
    }
}
