//! Random operations on the engine and on a naive map; after each, replies and contents are the same.
//!
//! Among the operations: changes of collections of all types, commands that run together, transactions over several databases, flushes and swaps, time that passes, keys that are
//! removed because their time has come, snapshots (also while writes go on), clean restarts, kills (the files as they
//! are at that moment, put back in place) and lost machines (the same, under another boot, with the log cut anywhere
//! above its durable mark: the result must be the state after some prefix of the operations).
//!
//! Times are far in the future, so that only the test's clock counts.

mod naive;
mod replica;
mod run;
mod step;
mod thing;

use quickcheck::{Gen, QuickCheck};

use run::Run;
use step::Step;

const STEPS: usize = 60;
const RUNS: u64 = 60;

fn engine_and_map_agree(steps: Vec<Step>) -> bool {
    let mut run = Run::new();
    for step in steps {
        run.step(step);
    }
    true
}

#[test]
fn the_engine_behaves_like_a_map_across_restarts_compactions_and_expiry() {
    let random = Gen::from_size_and_seed(STEPS, super::lab::seed());
    QuickCheck::new().rng(random).tests(RUNS).quickcheck(engine_and_map_agree as fn(Vec<Step>) -> bool);
}
