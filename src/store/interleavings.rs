//! Models of the store under the shuttle model checker, and how all models are run.
//!
//! Run them with `cargo test --features shuttle interleavings`. Each runs under random schedules and under PCT
//! (randomly chosen priorities with few changes, which finds what needs one long delay). The seed is fixed, so a run
//! tests the same schedules again, as far as addresses and hashes allow; `SHUTTLE_RANDOM_SEED` sets another,
//! `GOREDIS_MODEL_ROUNDS` multiplies the number of schedules, and `GOREDIS_SCHEDULE` replays the schedule that a
//! failure printed.
//!
//! Shuttle's threads are one participant of the epoch: memory is freed only when none of them is pinned. So a use
//! after free shows as a broken rule (an index that names a dead cell), not as a crash.
//!
//! | taken out of the store | model that fails |
//! |---|---|

use std::sync::Arc;

use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, Runner, thread};

use crate::store::cell::Cell;
use crate::store::hash::HashSeed;
use crate::store::index::Index;
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
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

const HASHES: HashSeed = HashSeed(7);

fn key(n: usize) -> Vec<u8> {
    format!("key:{n}").into_bytes()
}

/// An index of 256 slots that is about to grow, and cells for it.
struct Crowd {
    index: Index,
    cells: Vec<Cell>,
}

impl Crowd {
    /// The first `named` cells are in the index.
    fn new(cells: usize, named: usize) -> Arc<Self> {
        let this =
            Self { index: Index::new(HASHES), cells: (0..cells).map(|n| Cell::new(&key(n))).collect() };
        (0..named).for_each(|n| this.insert(n));
        Arc::new(this)
    }

    fn insert(&self, n: usize) {
        let guard = crossbeam_epoch::pin();
        self.index.insert(HASHES.hash(&key(n)), &self.cells[n], &guard);
    }

    fn remove(&self, n: usize) {
        let guard = crossbeam_epoch::pin();
        self.index.remove(HASHES.hash(&key(n)), &self.cells[n], &guard);
    }

    fn finds(&self, n: usize) -> bool {
        let guard = crossbeam_epoch::pin();
        self.index.find(HASHES.hash(&key(n)), &key(n), &guard).is_some()
    }
}

/// The first slots of the table, where the move begins: keys that lie there are the first to be on their way.
fn first_to_move(count: usize) -> Vec<usize> {
    let mut keys: Vec<usize> = (0..190).collect();
    keys.sort_by_key(|n| HASHES.hash(&key(*n)));
    keys.truncate(count);
    keys
}

fn growth() {
    let crowd = Crowd::new(200, 191);
    let inserts = |from: usize| -> Box<dyn FnOnce() + Send> {
        let crowd = Arc::clone(&crowd);
        Box::new(move || {
            for n in from..from + 3 {
                crowd.insert(n);
                assert!(crowd.finds(n), "{n} was just inserted");
            }
        })
    };
    let reader = {
        let crowd = Arc::clone(&crowd);
        Box::new(move || {
            for n in first_to_move(4) {
                assert!(crowd.finds(n), "{n} was there all the while");
            }
        })
    };
    play(vec![inserts(191), inserts(194), reader]);
    while crowd.index.tidy(1024, &crossbeam_epoch::pin()) {}
    assert!((0..197).all(|n| crowd.finds(n)) && (197..200).all(|n| !crowd.finds(n)));
}

#[test]
fn an_index_that_grows_loses_nothing() {
    explore(150, growth);
}

fn removal_while_moving() {
    let crowd = Crowd::new(200, 191);
    let mover = {
        let crowd = Arc::clone(&crowd);
        Box::new(move || {
            crowd.insert(191);
            crowd.insert(192);
            crowd.insert(193);
        })
    };
    let remover = {
        let crowd = Arc::clone(&crowd);
        Box::new(move || {
            // As the sweeper does: sealed first, then (here the model's only pinned threads hold no cell) forgotten.
            for n in first_to_move(3) {
                let guard = crossbeam_epoch::pin();
                let word = crowd.cells[n].load(&guard);
                assert!(crowd.cells[n].replace(word, word.sealed()));
                drop(guard);
                crate::store::grace::wait();
                crowd.remove(n);
            }
        })
    };
    play(vec![mover, remover]);
    while crowd.index.tidy(1024, &crossbeam_epoch::pin()) {}
    let guard = crossbeam_epoch::pin();
    for n in first_to_move(3) {
        let hash = HASHES.hash(&key(n));
        let named =
            crowd.index.find_where(hash, &guard, |cell| std::ptr::eq(cell, &raw const crowd.cells[n]));
        assert!(named.is_none(), "the index names the dead cell {n}");
    }
    assert_eq!((0..194).filter(|n| crowd.finds(*n)).count(), 191);
}

#[test]
fn a_dead_cell_is_not_named_again_by_a_move() {
    explore(150, removal_while_moving);
}
