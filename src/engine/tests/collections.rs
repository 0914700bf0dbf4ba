//! Threads that change the same collections: nothing is lost, nothing is there twice, readers see whole states.

use std::collections::BTreeSet;
use std::convert::Infallible;

use crate::clock::Millis;
use crate::engine::{Engine, Txn, WrongType};
use crate::store::value::collection::Type;
use crate::store::value::form::scored;

const MEMBERS: usize = 600;
const MOVES: usize = 1_500;
const LOOKS: usize = 300;

fn run<R>(engine: &Engine, mut f: impl FnMut(&mut Txn<'_>) -> R) -> R {
    let Ok(result) = engine.batch(Millis(1), false).run(|txn| Ok::<_, Infallible>(f(txn))).unwrap();
    result
}

/// A cheap generator: the test wants variety, not quality.
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// What an attempt at a move saw; only that of the last attempt counts, as another may be lost and have seen keys at
/// several moments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Moved {
    Nothing,
    One,
    /// The member was in both sets, or in none.
    Impossible,
}

/// Moves a member from one set to the other, and counts the move in a list and a sorted set, in one transaction.
fn move_one(txn: &mut Txn<'_>, dice: u64) -> Result<Moved, WrongType> {
    let (from, to): (&[u8], &[u8]) = if dice % 2 == 0 { (b"left", b"right") } else { (b"right", b"left") };
    let Some(set) = txn.get_set(0, from)? else { return Ok(Moved::Nothing) };
    let Some(member) = set.at(dice / 2 % set.len()).map(<[u8]>::to_vec) else { return Ok(Moved::Impossible) };
    let removed = txn.edit_set(0, from, |set| Ok::<_, WrongType>(set.remove(&member)))?;
    let added = txn.edit_set(0, to, |set| Ok::<_, WrongType>(set.add(&member)))?;
    txn.edit_sorted_set(0, b"moves", |moves| {
        let count = moves.score(&member).unwrap_or(0.0);
        moves.put(&member, count + 1.0);
        Ok::<_, WrongType>(())
    })?;
    txn.edit_list(0, b"log", |log| {
        log.push_back(&[&member]);
        Ok::<_, WrongType>(())
    })?;
    if dice % 64 == 0 {
        // The tree goes to another key and back.
        txn.rename(0, b"moves", (0, b"other"));
        txn.rename(0, b"other", (0, b"moves"));
    }
    Ok(if removed && added { Moved::One } else { Moved::Impossible })
}

/// What is there at one moment: the members of both sets, the moves by the sorted set, the moves by the list.
fn look(txn: &mut Txn<'_>) -> (Vec<Vec<u8>>, f64, u64) {
    let mut members = Vec::new();
    for key in [b"left", &b"right"[..]] {
        let set = txn.get_set(0, key).expect("a set");
        members.extend(set.into_iter().flat_map(|set| set.iter()).map(<[u8]>::to_vec));
    }
    let moves = txn.get_sorted_set(0, b"moves").expect("a sorted set");
    let moves = moves.map_or(0.0, |moves| moves.ranked.forward(0).map(|entry| scored(entry).0).sum());
    let log = txn.get_list(0, b"log").expect("a list").map_or(0, |log| log.forward(0).count() as u64);
    (members, moves, log)
}

#[test]
fn members_that_threads_move_between_sets_are_always_in_exactly_one() {
    let engine = Engine::for_tests();
    let all: BTreeSet<Vec<u8>> = (0..MEMBERS).map(|number| format!("member:{number}").into_bytes()).collect();
    run(&engine, |txn| {
        txn.edit_set(0, b"left", |set| Ok::<_, WrongType>(all.iter().for_each(|member| _ = set.add(member))))
    })
    .unwrap();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (1..=3_u64)
            .map(|seed| {
                let engine = &engine;
                scope.spawn(move || {
                    let mut state = seed;
                    let moves = (0..MOVES).map(|_| {
                        let dice = random(&mut state);
                        run(engine, |txn| move_one(txn, dice)).unwrap()
                    });
                    moves
                        .inspect(|moved| assert_ne!(*moved, Moved::Impossible))
                        .filter(|moved| *moved == Moved::One)
                        .count()
                })
            })
            .collect();
        for _ in 0..LOOKS {
            let (members, moves, log) = run(&engine, look);
            assert_eq!(members.len(), MEMBERS);
            assert!(members.into_iter().collect::<BTreeSet<_>>() == all);
            assert_eq!(moves as u64, log);
        }
        let moved: usize = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
        assert_eq!(run(&engine, look).2, moved as u64);
    });
}

#[test]
fn a_large_value_is_deleted_overwritten_and_made_again_while_others_read_it() {
    let engine = Engine::for_tests();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..LOOKS {
                    let (same, both_ways) = run(&engine, |txn| {
                        let Some(list) = txn.get_list(0, b"k").expect("a list") else { return (true, true) };
                        let elements: Vec<_> = list.forward(0).collect();
                        let same = elements.windows(2).all(|pair| pair[0] == pair[1]);
                        (same, list.backward(list.len()).eq(elements.into_iter().rev()))
                    });
                    assert!(same && both_ways);
                }
            });
        }
        for round in 0..LOOKS {
            let element = round.to_string().repeat(20).into_bytes();
            let elements = vec![&element[..]; 2000];
            run(&engine, |txn| match round % 3 {
                0 => _ = txn.delete(0, b"k"),
                1 => txn.put_collection(0, b"k", Type::List, elements.clone(), None).unwrap(),
                _ => txn
                    .edit_list(0, b"k", |list| {
                        list.splice(0, list.len(), &elements);
                        Ok::<_, WrongType>(())
                    })
                    .unwrap(),
            });
        }
    });
}

/// The tree of a value that had been moved to another database, in a transaction that then flushed the one it came from,
/// was freed with that one.
#[test]
fn a_value_that_moved_out_of_a_database_before_it_was_flushed_stays() {
    let engine = Engine::for_tests();
    let members: Vec<Vec<u8>> =
        (0..MEMBERS).map(|number| number.to_string().repeat(30).into_bytes()).collect();
    let of_all = || members.iter().map(Vec::as_slice).collect::<Vec<_>>();
    run(&engine, |txn| txn.put_collection(0, b"k", Type::Set, of_all(), None)).unwrap();
    run(&engine, |txn| txn.put_collection(0, b"edited", Type::Set, of_all(), None)).unwrap();
    let moved = engine.batch(Millis(1), false).run_alone(|txn| {
        txn.edit_set(0, b"edited", |set| Ok::<_, WrongType>(set.add(b"one more")))?;
        txn.rename(0, b"k", (1, b"k"));
        txn.rename(0, b"edited", (1, b"edited"));
        txn.flush(Some(0));
        txn.edit_set(1, b"k", |set| Ok::<_, WrongType>(set.remove(&members[0])))
    });
    assert!(moved.unwrap().unwrap());
    for _ in 0..20 {
        crate::store::grace::wait();
        crate::engine::sweeper::free_dropped(&engine);
    }
    let found = |key: &[u8]| -> BTreeSet<Vec<u8>> {
        run(&engine, |txn| txn.get_set(1, key).unwrap().unwrap().iter().map(<[u8]>::to_vec).collect())
    };
    assert!(found(b"k").iter().eq(members[1..].iter().collect::<BTreeSet<_>>()));
    assert_eq!(found(b"edited").len(), MEMBERS + 1);
    assert!(run(&engine, |txn| txn.peek(0, b"k").is_none()));
}
