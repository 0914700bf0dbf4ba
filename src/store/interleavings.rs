//! Models of the store under the shuttle model checker, and how all models are run.
//!
//! Run them with `cargo test --features shuttle interleavings`. Each runs under random schedules and under PCT
//! (randomly chosen priorities with few changes, which finds what needs one long delay). The seed is fixed, so a run
//! tests the same schedules again, as far as addresses and hashes allow; `SHUTTLE_RANDOM_SEED` sets another,
//! `GOREDIS_MODEL_ROUNDS` multiplies the number of schedules, and `GOREDIS_SCHEDULE` replays the schedule that a
//! failure printed.
//!
//! Shuttle's threads are one participant of the epoch: memory is freed only when none of them is pinned. So a use
//! after free mostly shows as a broken rule (an index that names a dead cell), not as a crash.
//!
//! What each step is there for was shown by taking it out:
//!
//! | taken out | fails |
//! |---|---|
//! | the mover closes empty slots | `a_cell_is_not_left_behind_in_a_slot_that_was_moved_already` |
//! | the mover names a cell in the successor before it marks the slot | `an_index_that_grows_loses_nothing`, `a_dead_cell_is_not_named_again_by_a_move` |
//! | the mover leaves dead cells behind | `a_dead_cell_is_not_named_again_by_a_move` |
//! | the grace period between sealing and unlinking | `a_dead_cell_is_not_named_again_by_a_move` |
//! | a search goes on in the successor | `an_index_that_grows_loses_nothing` |
//! | a key behind all of a leaf that a signpost led to is searched for in the skiplist | `old_signposts_lead_nobody_astray` |
//!
//! The grace period before sealing cannot be missed here: with one sweeper, the one after it already keeps two keys
//! from coming and going during one look.

use std::ops::{Bound, Range};
use std::sync::Arc;

use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, Runner, thread};

use crate::store::hash::{HashSeed, KeyHash};
use crate::store::keyspace::{Keyspace, Post};
use crate::sync::with_model;

const SEED: u64 = 20_260_101;
/// Preemptions that PCT places in a run, plus one.
const PCT_DEPTHS: [usize; 2] = [2, 3];

/// Runs `body` under many schedules: `rounds` random ones, and as many of PCT at each depth.
pub(crate) fn explore(rounds: usize, body: fn()) {
    if let Ok(schedule) = std::env::var("GOREDIS_SCHEDULE") {
        return run(ReplayScheduler::new_from_encoded(&schedule), body);
    }
    let factor = std::env::var("GOREDIS_MODEL_ROUNDS").map_or(1, |text| text.parse().unwrap());
    println!("to repeat: SHUTTLE_RANDOM_SEED={SEED}, unless it is set");
    run(RandomScheduler::new_from_seed(SEED, rounds * factor), body);
    for depth in PCT_DEPTHS {
        run(PctScheduler::new_from_seed(SEED, depth, rounds * factor), body);
    }
}

fn run(scheduler: impl Scheduler + 'static, body: fn()) {
    let mut config = Config::new();
    config.stack_size = 1 << 18;
    config.failure_persistence = FailurePersistence::Print;
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(body);
}

/// Runs `parts` as threads of the model, until all have ended.
pub(crate) fn play(parts: Vec<Box<dyn FnOnce() + Send>>) {
    with_model(|| {
        let threads: Vec<_> = parts.into_iter().map(thread::spawn).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

const HASHES: HashSeed = HashSeed(7);
/// Keys after which an index of 256 slots grows.
const CROWD: usize = 192;

fn key(n: usize) -> Vec<u8> {
    format!("key:{n}").into_bytes()
}

fn hash(n: usize) -> KeyHash {
    HASHES.hash(&key(n))
}

/// The keys of a range in the order of a table's slots, in which it moves.
fn as_they_move(among: Range<usize>) -> Vec<usize> {
    let mut keys: Vec<usize> = among.collect();
    keys.sort_by_key(|n| hash(*n));
    keys
}

fn find_or_create(keyspace: &Keyspace, n: usize) {
    keyspace.find_or_create(hash(n), &key(n), Post::default(), &crossbeam_epoch::pin());
}

fn finds(keyspace: &Keyspace, n: usize) -> bool {
    let guard = crossbeam_epoch::pin();
    keyspace.find(hash(n), &key(n), &guard).is_some()
}

/// Whether the order finds the cell that the index names.
fn is_in_order(keyspace: &Keyspace, n: usize) -> bool {
    let guard = crossbeam_epoch::pin();
    let named = keyspace.find(hash(n), &key(n), &guard).map(std::ptr::from_ref);
    named.is_some() && named == keyspace.ordered(&key(n), &guard).map(std::ptr::from_ref)
}

/// A keyspace with cells for the keys before `count`.
fn crowd(count: usize) -> Arc<Keyspace> {
    let keyspace = Keyspace::new(HASHES);
    (0..count).for_each(|n| find_or_create(&keyspace, n));
    Arc::new(keyspace)
}

fn part(keyspace: &Arc<Keyspace>, body: impl FnOnce(&Keyspace) + Send + 'static) -> Box<dyn FnOnce() + Send> {
    let keyspace = Arc::clone(keyspace);
    Box::new(move || body(&keyspace))
}

fn finish_moves(keyspace: &Keyspace) {
    while keyspace.tidy_index(1024, &crossbeam_epoch::pin()) {}
}

fn growth() {
    let keyspace = crowd(CROWD - 1);
    let inserts = |from: usize| {
        part(&keyspace, move |keyspace| {
            for n in from..from + 3 {
                find_or_create(keyspace, n);
                assert!(finds(keyspace, n), "{n} was just made");
            }
        })
    };
    let reader = part(&keyspace, |keyspace| {
        for &n in &as_they_move(0..CROWD - 1)[..4] {
            assert!(finds(keyspace, n), "{n} was there all the while");
        }
    });
    play(vec![inserts(CROWD - 1), inserts(CROWD + 2), reader]);
    finish_moves(&keyspace);
    assert!((0..CROWD + 5).all(|n| finds(&keyspace, n)));
}

#[test]
fn an_index_that_grows_loses_nothing() {
    explore(300, growth);
}

fn insertion_behind_a_move() {
    let keyspace = crowd(CROWD);
    let late = as_they_move(CROWD + 2..CROWD + 400)[0];
    let parts = vec![
        part(&keyspace, move |keyspace| find_or_create(keyspace, late)),
        // The first starts the move, the second moves the first slots.
        part(&keyspace, |keyspace| (CROWD..CROWD + 2).for_each(|n| find_or_create(keyspace, n))),
    ];
    play(parts);
    finish_moves(&keyspace);
    assert!((0..CROWD + 2).chain([late]).all(|n| finds(&keyspace, n)));
}

#[test]
fn a_cell_is_not_left_behind_in_a_slot_that_was_moved_already() {
    explore(3000, insertion_behind_a_move);
}

fn sweeping_while_moving() {
    let keyspace = crowd(CROWD);
    let swept: Vec<usize> = as_they_move(0..CROWD).into_iter().step_by(12).collect();
    let hashes: Vec<KeyHash> = swept.iter().map(|n| hash(*n)).collect();
    let parts = vec![
        part(&keyspace, |keyspace| (CROWD..CROWD + 8).for_each(|n| find_or_create(keyspace, n))),
        part(&keyspace, move |keyspace| {
            keyspace.sweep(&hashes, &|_| true);
        }),
    ];
    play(parts);
    finish_moves(&keyspace);
    let guard = crossbeam_epoch::pin();
    for n in &swept {
        keyspace.for_each_under(hash(*n), &guard, |_| panic!("the index names the dead cell {n}"));
    }
    assert_eq!((0..CROWD + 8).filter(|n| finds(&keyspace, *n)).count(), CROWD + 8 - swept.len());
}

#[test]
fn a_dead_cell_is_not_named_again_by_a_move() {
    explore(600, sweeping_while_moving);
}

/// Keys in so few leaves that a leaf is split by a few more.
const FEW: usize = 140;

fn splits_under_old_signposts() {
    let keyspace = crowd(FEW);
    keyspace.survey();
    let inserts = |from: usize| {
        part(&keyspace, move |keyspace| {
            for n in from..from + 24 {
                find_or_create(keyspace, n);
                assert!(is_in_order(keyspace, n), "{n} was just made");
            }
        })
    };
    let surveyor = part(&keyspace, |keyspace| {
        keyspace.survey();
        assert!((0..FEW).step_by(7).all(|n| is_in_order(keyspace, n)));
    });
    play(vec![inserts(FEW), inserts(FEW + 12), surveyor]);
    let guard = crossbeam_epoch::pin();
    let mut walked = Vec::new();
    keyspace.walk(Bound::Unbounded, &guard, &mut |cell| {
        walked.push(cell.key(&guard).to_vec());
        true
    });
    let mut expected: Vec<_> = (0..FEW + 36).map(key).collect();
    expected.sort_unstable();
    assert_eq!(walked, expected);
}

#[test]
fn old_signposts_lead_nobody_astray() {
    explore(300, splits_under_old_signposts);
}
