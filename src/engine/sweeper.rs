//! The thread that gives memory back: cells of deleted keys, large values, flushed databases, the index's removed slots.

use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::engine::Engine;
use crate::store::grace;
use crate::store::hash::KeyHash;
use crate::store::keyspace::Keyspace;

const TICK: Duration = Duration::from_millis(50);
/// Cells that are freed at once: each round waits for grace periods, so it should be worth it.
const ROUND_CELLS: usize = 16_384;
/// Index slots that are moved under one guard.
const TIDY_SLOTS: usize = 1024;

/// Runs until the engine stops.
pub(super) fn run(engine: &Weak<Engine>) {
    let mut flushed = Vec::new();
    let mut held_back = Vec::new();
    while let Some(engine) = engine.upgrade() {
        if engine.is_stopping() {
            return;
        }
        let keyspaces = engine.root.load(&crossbeam_epoch::pin()).keyspaces.clone();
        held_back.resize_with(keyspaces.len(), Vec::new);
        let mut busy = false;
        for (keyspace, held_back) in keyspaces.iter().zip(&mut held_back) {
            busy |= sweep(&engine, keyspace, held_back);
            while keyspace.tidy_index(TIDY_SLOTS, &crossbeam_epoch::pin()) {}
            keyspace.survey();
        }
        drop(keyspaces);
        free_flushed(&engine, &mut flushed);
        free_dropped(&engine);
        crossbeam_epoch::pin().flush();
        if !busy {
            engine.nap(TICK);
        }
    }
}

/// Frees cells of deleted keys; tells whether there may be more.
pub(super) fn sweep(engine: &Engine, keyspace: &Arc<Keyspace>, held_back: &mut Vec<KeyHash>) -> bool {
    let mut hashes = std::mem::take(held_back);
    while hashes.len() < ROUND_CELLS
        && let Some(hash) = keyspace.tombs.pop()
    {
        hashes.push(hash);
    }
    if hashes.is_empty() && !keyspace.wants_sweep() {
        return false;
    }
    hashes.sort_unstable();
    hashes.dedup();
    let full = hashes.len() >= ROUND_CELLS;
    let wait = engine.log.fsync() == crate::log::FsyncPolicy::Always;
    let durable = engine.log.durable();
    let mut early = Vec::new();
    {
        let guard = crossbeam_epoch::pin();
        // Why: under `always` a client that finds nothing is told so at once, so what it does not find must be on disk.
        hashes.retain(|&hash| {
            let mut keep = true;
            keyspace.for_each_under(hash, &guard, |cell| {
                keep &= !wait || cell.look(&guard).version.lsn() < durable;
            });
            if !keep {
                early.push(hash);
            }
            keep
        });
    }
    *held_back = early;
    keyspace.sweep(&hashes, &|version| !wait || version.lsn() < durable);
    full
}

/// Frees flushed databases that nobody looks at any more.
fn free_flushed(engine: &Engine, flushed: &mut Vec<Arc<Keyspace>>) {
    while let Some(keyspace) = engine.reclaim.pop() {
        flushed.push(keyspace);
    }
    // Why by the count: old roots hold it until their grace period is over.
    flushed.retain(|keyspace| Arc::strong_count(keyspace) > 1);
}

/// Frees the trees of deleted and overwritten collections.
pub(super) fn free_dropped(engine: &Engine) {
    let dropped: Vec<_> = std::iter::from_fn(|| engine.dropped.pop()).collect();
    if dropped.is_empty() {
        return;
    }
    grace::wait();
    // SAFETY: they were dropped before the grace period that has just passed.
    dropped.into_iter().for_each(|tree| unsafe { tree.free() });
}
