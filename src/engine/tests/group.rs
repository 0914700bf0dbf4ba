//! Several commands in one attempt: what each sees, what takes effect, and what a failure leaves.

use std::convert::Infallible;

use crate::clock::Millis;
use crate::engine::{Engine, Txn, WrongType};
use crate::store::version::Value;

/// Elements of a list that is a tree.
const MANY: usize = 5000;

fn element(number: usize) -> Vec<u8> {
    format!("element:{number}").into_bytes()
}

fn push(txn: &mut Txn<'_>, element: &[u8]) -> Result<u64, WrongType> {
    txn.edit_list(0, b"list", |list| {
        list.push_back(&[element]);
        Ok(list.len())
    })
}

fn engine_with_list() -> std::sync::Arc<Engine> {
    let engine = Engine::for_tests();
    let filled = engine.batch(Millis(1), false).run(|txn| {
        txn.edit_list(0, b"list", |list| {
            (0..MANY).for_each(|number| list.push_back(&[&element(number)]));
            Ok::<_, WrongType>(())
        })
    });
    filled.unwrap().unwrap();
    engine
}

fn read(engine: &Engine) -> Vec<Vec<u8>> {
    let read = engine.batch(Millis(1), false).run(|txn| {
        let list = txn.get_list(0, b"list")?;
        Ok::<_, WrongType>(
            list.map_or(Vec::new(), |list| list.forward(0).map(<[u8]>::to_vec).collect::<Vec<_>>()),
        )
    });
    read.unwrap().unwrap()
}

#[test]
fn commands_of_a_group_see_those_before_and_are_logged_as_one_record() {
    let engine = engine_with_list();
    let (head, changes) = (engine.log.head(), engine.stats.changes.sum());
    let lens = engine.batch(Millis(1), false).run_group(None, |group| {
        let mut lens = Vec::new();
        for number in MANY..MANY + 20 {
            lens.push(group.command(|txn| push(txn, &element(number))).unwrap());
            let seen = group.command(|txn| {
                let list = txn.get_list(0, b"list")?.expect("a list");
                Ok::<_, WrongType>(list.get(number as u64).map(<[u8]>::to_vec))
            });
            assert_eq!(seen.unwrap(), Some(element(number)));
        }
        lens
    });
    assert!(lens.unwrap().unwrap().into_iter().eq(MANY as u64 + 1..=MANY as u64 + 20));
    let logged = engine.log.head().get() - head.get();
    assert!(logged < 800, "{logged} bytes are more than one record takes");
    assert_eq!(engine.stats.changes.sum(), changes + 20, "each command counts");
    assert!(read(&engine).into_iter().eq((0..MANY + 20).map(element)));
}

#[test]
fn what_a_command_has_read_stays_as_it_was_while_it_changes_the_key() {
    let engine = engine_with_list();
    let done = engine.batch(Millis(1), false).run_group(None, |group| {
        for round in 0..20_u64 {
            let result = group.command(|txn| {
                let before = txn.get_list(0, b"list")?.expect("a list");
                let at = before.len() / 2;
                let (len, middle) = (before.len(), before.get(at).map(<[u8]>::to_vec));
                for number in 0..round {
                    txn.edit_list(0, b"list", |list| {
                        list.splice(at, number % 2, &[&element(number as usize), b"more"]);
                        Ok::<_, WrongType>(())
                    })?;
                }
                assert_eq!((before.len(), before.get(at).map(<[u8]>::to_vec)), (len, middle));
                assert_eq!(before.forward(0).count() as u64, len);
                Ok::<_, WrongType>(())
            });
            result.unwrap();
        }
    });
    assert_eq!(done.unwrap(), Some(()));
    let expected: u64 = (0..20_u64).flat_map(|round| (0..round).map(|number| 2 - number % 2)).sum();
    assert_eq!(read(&engine).len() as u64, MANY as u64 + expected);
}

#[test]
fn a_failure_that_changed_nothing_leaves_the_group_whole_and_another_spoils_it() {
    let engine = engine_with_list();
    let mut batch = engine.batch(Millis(1), false);
    let failing = |changes: bool| {
        move |txn: &mut Txn<'_>| {
            txn.edit_list(0, b"list", |list| {
                if changes {
                    list.push_front(&[b"no"]);
                }
                Err::<(), _>(WrongType)
            })
        }
    };
    let done = batch.run_group(None, |group| {
        group.command(|txn| push(txn, b"one")).unwrap();
        group.command(failing(false)).unwrap_err();
        group.command(|txn| txn.edit_set(0, b"list", |_| Ok::<_, WrongType>(()))).unwrap_err();
        assert!(!group.is_spoiled());
        group.command(|txn| push(txn, b"two")).unwrap();
    });
    assert_eq!(done.unwrap(), Some(()));
    let before = read(&engine);
    assert_eq!(before[MANY..], [b"one", b"two"]);
    let spoiled = batch.run_group(None, |group| {
        group.command(|txn| push(txn, b"three")).unwrap();
        group.command(failing(true)).unwrap_err();
        assert!(group.is_spoiled() && !group.goes_on());
    });
    assert_eq!(spoiled.unwrap(), None);
    let spoiled = batch.run_group(None, |group| {
        let written = group.command(|txn| {
            push(txn, b"three")?;
            Err::<(), _>(WrongType)
        });
        written.unwrap_err();
    });
    assert_eq!(spoiled.unwrap(), None);
    assert_eq!(read(&engine), before);
}

#[test]
fn a_key_may_end_and_begin_again_and_change_its_type_within_a_group() {
    let engine = engine_with_list();
    let done = engine.batch(Millis(1), false).run_group(None, |group| {
        group.command(|txn| push(txn, b"last")).unwrap();
        let command = group.command(|txn| Ok::<_, Infallible>(txn.delete(0, b"list")));
        assert_eq!(command, Ok(true));
        assert_eq!(group.command(|txn| push(txn, b"first")), Ok(1));
        let put = group.command(|txn| {
            txn.put(0, b"list", Value::Str(b"text"), None);
            Ok::<_, Infallible>(())
        });
        put.unwrap();
        assert_eq!(group.command(|txn| push(txn, b"no")), Err(WrongType));
        group.command(|txn| Ok::<_, Infallible>(txn.delete(0, b"list"))).unwrap();
        for number in 0..MANY {
            group.command(|txn| push(txn, &element(number))).unwrap();
        }
    });
    assert_eq!(done.unwrap(), Some(()));
    assert!(read(&engine).into_iter().eq((0..MANY).map(element)));
}

/// Two threads, each with groups of increments; some read what the group has done so far.
#[test]
fn groups_of_threads_that_fight_for_a_key_lose_nothing() {
    const THREADS: usize = 3;
    const GROUPS: usize = 300;
    const EACH: usize = 8;
    let engine = Engine::for_tests();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let engine = &engine;
            scope.spawn(move || {
                for round in 0..GROUPS {
                    let mut batch = engine.batch(Millis(1), false);
                    let lens = batch.run_group(None, |group| {
                        let mut lens = Vec::new();
                        for number in 0..EACH {
                            let name = format!("{thread}:{round}:{number}");
                            let pushed = group.command(|txn| push(txn, name.as_bytes()));
                            lens.push(pushed.expect("a list"));
                            if !group.goes_on() {
                                break;
                            }
                        }
                        lens
                    });
                    let lens = lens.unwrap().unwrap();
                    assert_eq!(lens.len(), EACH, "an attempt that is broken off takes no effect");
                    assert!(lens.windows(2).all(|pair| pair[0] + 1 == pair[1]), "nobody comes between");
                }
            });
        }
    });
    let all = read(&engine);
    assert_eq!(all.len(), THREADS * GROUPS * EACH);
    for group in all.chunks(EACH) {
        let start = group[0].strip_suffix(b"0").expect("a group begins with its first");
        assert!(group.iter().all(|one| one.starts_with(start)), "groups are whole");
    }
}
