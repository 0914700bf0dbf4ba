//! Walks over a whole keyspace, in slices that each hold a guard for a moment only.
//!
//! A walk resumes behind the last key that it visited, so it meets every key that is there all the while, once; of
//! those that come or go meanwhile it may meet any.

use std::ops::Bound;

use crossbeam_epoch::Guard;

use crate::store::cell::Cell;
use crate::store::keyspace::{CellEntry, Keyspace};
use crate::store::version::VersionPtr;

/// Cells that a plain walk visits under one guard.
const SLICE_CELLS: usize = 512;
/// Stretches of the key order that are walked side by side: as many cache misses are under way at once.
const LANES: usize = 8;
/// Cells of one lane that are gathered before any of them is looked into.
const CHUNK_CELLS: usize = 32;
/// Chunks that are walked under one guard; finding the place again costs about as much as ten cells.
const SLICE_CHUNKS: usize = 8;

/// A walk over a keyspace in key order, in slices that each hold a guard for a moment only.
pub(super) struct Walk<'k> {
    keyspace: &'k Keyspace,
    prefix: Vec<u8>,
    last: Option<Vec<u8>>,
}

impl<'k> Walk<'k> {
    /// Starts before the first key with `prefix`.
    pub(super) fn new(keyspace: &'k Keyspace, prefix: &[u8]) -> Self {
        Self { keyspace, prefix: prefix.to_vec(), last: None }
    }

    /// Visits some cells; `visit` says false to end. Tells whether there may be more.
    pub(super) fn slice(&mut self, visit: &mut dyn FnMut(&Cell, &Guard) -> bool) -> bool {
        let guard = crossbeam_epoch::pin();
        let from = match &self.last {
            None => Bound::Included(&self.prefix[..]),
            Some(last) => Bound::Excluded(&last[..]),
        };
        let mut left = SLICE_CELLS;
        let mut last = None;
        let mut more = false;
        self.keyspace.walk(from, &guard, &mut |cell| {
            let key = cell.key(&guard);
            if !key.starts_with(&self.prefix) || !visit(cell, &guard) {
                return false;
            }
            left -= 1;
            if left == 0 {
                last = Some(key.to_vec());
                more = true;
            }
            left > 0
        });
        self.last = last;
        more
    }
}

/// A walk over all of a keyspace, several stretches of it side by side.
///
/// Why: a list in key order is scattered over memory, and its next node is known only when this one has come from
/// there. Stretches that are independent of each other are waited for together.
pub(super) struct Lanes<'k> {
    keyspace: &'k Keyspace,
    lanes: Vec<Lane>,
}

/// One stretch: the keys behind `last`, up to `end`.
struct Lane {
    last: Bound<Vec<u8>>,
    end: Option<Vec<u8>>,
    done: bool,
}

impl<'k> Lanes<'k> {
    /// Starts before the first key of each stretch.
    pub(super) fn new(keyspace: &'k Keyspace) -> Self {
        let mut sample = keyspace.sample(LANES * 32, &crossbeam_epoch::pin());
        sample.sort_unstable();
        sample.dedup();
        let borders: Vec<_> =
            (1..LANES).filter_map(|n| sample.get(n * sample.len() / LANES).cloned()).collect();
        let starts = std::iter::once(Bound::Unbounded).chain(borders.iter().cloned().map(Bound::Included));
        let ends = borders.iter().cloned().map(Some).chain(std::iter::once(None));
        let lanes = starts.zip(ends).map(|(last, end)| Lane { last, end, done: false }).collect();
        Self { keyspace, lanes }
    }

    /// Visits the versions of some cells; tells whether there may be more.
    pub(super) fn slice(&mut self, visit: &mut dyn FnMut(VersionPtr, &Guard)) -> bool {
        let guard = crossbeam_epoch::pin();
        let mut cursors: Vec<_> = self.lanes.iter().map(|lane| lane.cursor(self.keyspace, &guard)).collect();
        let mut chunks: Vec<Vec<&Cell>> = vec![Vec::with_capacity(CHUNK_CELLS); cursors.len()];
        for _ in 0..SLICE_CHUNKS {
            for _ in 0..CHUNK_CELLS {
                for (cursor, chunk) in cursors.iter_mut().zip(&mut chunks) {
                    if let Some(entry) = cursor {
                        Keyspace::prefetch_version(entry.key(), &guard);
                        chunk.push(entry.key());
                        *cursor = entry.next();
                    }
                }
            }
            for (lane, chunk) in self.lanes.iter_mut().zip(&mut chunks) {
                lane.visit(chunk, &guard, visit);
            }
        }
        for (lane, cursor) in self.lanes.iter_mut().zip(cursors) {
            lane.done |= cursor.is_none();
        }
        self.lanes.iter().any(|lane| !lane.done)
    }
}

impl Lane {
    fn cursor<'g>(&self, keyspace: &'g Keyspace, guard: &'g Guard) -> Option<CellEntry<'g>> {
        if self.done {
            return None;
        }
        keyspace.seek(self.last.as_ref().map(Vec::as_slice), guard)
    }

    /// Visits the cells of a chunk that belong to the stretch, and empties it.
    fn visit(&mut self, chunk: &mut Vec<&Cell>, guard: &Guard, visit: &mut dyn FnMut(VersionPtr, &Guard)) {
        for cell in chunk.iter() {
            if self.done {
                break;
            }
            let version = cell.look(guard).version;
            // SAFETY: looked at under the guard, and used at once.
            let key = unsafe { version.key() };
            if self.end.as_ref().is_some_and(|end| key >= &end[..]) {
                self.done = true;
            } else {
                visit(version, guard);
            }
        }
        if let Some(last) = chunk.last() {
            self.last = Bound::Excluded(last.key(guard).to_vec());
        }
        chunk.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;
    use crate::store::hash::HashSeed;
    use crate::store::version::{OwnedVersion, Value};
    use quickcheck::quickcheck;

    fn keyspace(keys: &[Vec<u8>]) -> Keyspace {
        let keyspace = Keyspace::new(HashSeed(3));
        let guard = crossbeam_epoch::pin();
        for key in keys {
            let version = OwnedVersion::new(key, Some(Value::Int(1)), Some(Millis(5)), 0);
            keyspace.load(keyspace.seed().hash(key), key, version, &guard);
        }
        keyspace
    }

    fn walked(keyspace: &Keyspace) -> Vec<Vec<u8>> {
        let mut keys = Vec::new();
        let mut lanes = Lanes::new(keyspace);
        // SAFETY: copied at once, under the guard.
        while lanes.slice(&mut |version, _| keys.push(unsafe { version.key() }.to_vec())) {}
        keys
    }

    quickcheck! {
        fn lanes_meet_every_key_once(keys: Vec<Vec<u8>>) -> bool {
            let keyspace = keyspace(&keys);
            let mut met = walked(&keyspace);
            met.sort_unstable();
            let mut expected = keys;
            expected.sort_unstable();
            expected.dedup();
            met == expected
        }
    }

    #[test]
    fn lanes_meet_every_key_of_a_large_keyspace_once() {
        let keys: Vec<_> = (0..30_000_u32).map(|n| format!("key:{n:08}").into_bytes()).collect();
        let mut met = walked(&keyspace(&keys));
        met.sort_unstable();
        assert_eq!(met, keys);
    }

    #[test]
    fn a_walk_with_a_prefix_meets_only_its_keys_in_order() {
        let keys: Vec<_> = (0..5_000_u32).map(|n| format!("{}:{n:08}", n % 3).into_bytes()).collect();
        let keyspace = keyspace(&keys);
        let mut walk = Walk::new(&keyspace, b"1:");
        let mut met = Vec::new();
        while walk.slice(&mut |cell, guard| {
            met.push(cell.key(guard).to_vec());
            true
        }) {}
        let expected: Vec<_> = keys.iter().filter(|key| key.starts_with(b"1:")).cloned().collect();
        assert_eq!(met, expected);
    }
}
