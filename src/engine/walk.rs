//! Walks over a whole keyspace, in slices that each hold a guard for a moment only.
//!
//! A walk resumes behind the last key that it visited, so it meets every key that is there all the while, once; of
//! those that come or go meanwhile it may meet any.

use std::ops::Bound;

use crossbeam_epoch::Guard;

use crate::store::cell::Cell;
use crate::store::keyspace::Keyspace;

/// Cells that a plain walk visits under one guard.
const SLICE_CELLS: usize = 1024;

/// What a walk does after a cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// Goes on.
    Go,
    /// Ends the slice: the next one begins behind the cell.
    Rest,
    /// Ends.
    Stop,
}

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

    /// Visits some cells. Tells whether there may be more.
    pub(super) fn slice(&mut self, visit: &mut dyn FnMut(&Cell, &Guard) -> Next) -> bool {
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
            if !key.starts_with(&self.prefix) {
                return false;
            }
            left = match visit(cell, &guard) {
                Next::Go => left - 1,
                Next::Rest => 0,
                Next::Stop => return false,
            };
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
        let mut walk = Walk::new(keyspace, b"");
        while walk.slice(&mut |cell, guard| {
            keys.push(cell.key(guard).to_vec());
            Next::Go
        }) {}
        keys
    }

    quickcheck! {
        fn a_walk_meets_every_key_once(keys: Vec<Vec<u8>>) -> bool {
            let keyspace = keyspace(&keys);
            let met = walked(&keyspace);
            let mut expected = keys;
            expected.sort_unstable();
            expected.dedup();
            met == expected
        }
    }

    #[test]
    fn a_walk_meets_every_key_of_a_large_keyspace_in_order() {
        let keys: Vec<_> = (0..30_000_u32).map(|n| format!("key:{n:08}").into_bytes()).collect();
        assert_eq!(walked(&keyspace(&keys)), keys);
    }

    #[test]
    fn a_walk_with_a_prefix_meets_only_its_keys_in_order() {
        let keys: Vec<_> = (0..5_000_u32).map(|n| format!("{}:{n:08}", n % 3).into_bytes()).collect();
        let keyspace = keyspace(&keys);
        let mut walk = Walk::new(&keyspace, b"1:");
        let mut met = Vec::new();
        while walk.slice(&mut |cell, guard| {
            met.push(cell.key(guard).to_vec());
            Next::Go
        }) {}
        let expected: Vec<_> = keys.iter().filter(|key| key.starts_with(b"1:")).cloned().collect();
        assert_eq!(met, expected);
    }
}
