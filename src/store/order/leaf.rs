//! A leaf: the lower bound of its keys, and the array of its cells. See the parent's head.

use std::borrow::Borrow;
use std::sync::atomic::Ordering;

use crossbeam_epoch::{Atomic, Guard, Owned, Shared};
use smallvec::SmallVec;

use crate::prefetch::prefetch;
use crate::store::order::cells::{Array, LIVE};
use crate::sync::schedule_point;

pub struct Leaf {
    pub low: SmallVec<[u8; 24]>,
    /// Invariant: never null; laid out as the module's head says, all words initialised. Every key of the base shares
    /// as many bytes with `low` as the array skips.
    array: Atomic<Array>,
}

// SAFETY: the cells are shared atomics; of the arrays that point to them only atomics change.
unsafe impl Send for Leaf {}
// SAFETY: as above.
unsafe impl Sync for Leaf {}

impl Ord for Leaf {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.low.cmp(&other.low)
    }
}
impl PartialOrd for Leaf {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Leaf {
    fn eq(&self, other: &Self) -> bool {
        self.low == other.low
    }
}
impl Eq for Leaf {}
impl Borrow<[u8]> for Leaf {
    fn borrow(&self) -> &[u8] {
        &self.low
    }
}

impl Leaf {
    pub fn new(low: &[u8], array: Owned<Array>) -> Self {
        Self { low: SmallVec::from_slice(low), array: Atomic::from(array) }
    }

    /// Brings it near.
    #[inline]
    pub fn fetch(&self) {
        prefetch(self);
        prefetch(&raw const self.array);
    }

    #[inline]
    pub fn load<'g>(&self, guard: &'g Guard) -> Shared<'g, Array> {
        schedule_point();
        // Acquire: pairs with the AcqRel in `replace`: the array is initialised.
        self.array.load(Ordering::Acquire, guard)
    }

    /// Replaces a sealed array by another; tells whether it did. The old one is retired.
    pub fn replace(&self, old: Shared<'_, Array>, new: Owned<Array>, guard: &Guard) -> bool {
        schedule_point();
        // AcqRel: Release publishes the array to the Acquire in `load`; Acquire orders the retirement.
        let done = self.array.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire, guard).is_ok();
        if done {
            // SAFETY: just taken out of the only place from which it is reached.
            unsafe { guard.defer_destroy(old.with_tag(LIVE)) };
        }
        done
    }

    /// Changes the tag of a sealed array; tells whether it did.
    pub fn tag(&self, array: Shared<'_, Array>, tag: usize, guard: &Guard) -> bool {
        schedule_point();
        let tagged = array.with_tag(tag);
        // AcqRel: as in `replace`; nothing is retired.
        self.array.compare_exchange(array, tagged, Ordering::AcqRel, Ordering::Acquire, guard).is_ok()
    }
}

impl Drop for Leaf {
    fn drop(&mut self) {
        // SAFETY: dropped by the skiplist a grace period after its unlinking, or before it was linked, or with the
        // whole order: nobody else reaches the array.
        unsafe {
            let array = self.array.load(Ordering::Relaxed, crossbeam_epoch::unprotected());
            drop(array.with_tag(LIVE).into_owned());
        }
    }
}
