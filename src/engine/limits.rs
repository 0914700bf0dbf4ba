//! The limits of packed collections, changed at run time by settings.

use crate::store::value::limits::{Limits, ListLimit, PackedLimit};
use crate::sync::{AtomicU64, Ordering};

/// One number of the limits each.
#[derive(Debug)]
pub(super) struct SharedLimits([AtomicU64; 9]);

impl SharedLimits {
    pub(super) fn new(limits: Limits) -> Self {
        Self(numbers(limits).map(AtomicU64::new))
    }

    /// The limits; a mix of old and new ones may be seen for a moment.
    pub(super) fn load(&self) -> Limits {
        // Relaxed: independent parameters.
        let number = |at: usize| self.0[at].load(Ordering::Relaxed) as usize;
        let packed = |at: usize| PackedLimit { entries: number(at), value_bytes: number(at + 1) };
        let list = if number(7) == 0 { ListLimit::Bytes(number(8)) } else { ListLimit::Elements(number(8)) };
        Limits { hash: packed(0), set: packed(2), sorted_set: packed(4), ints: number(6), list }
    }

    pub(super) fn store(&self, limits: Limits) {
        for (shared, number) in self.0.iter().zip(numbers(limits)) {
            // Relaxed: as above.
            shared.store(number, Ordering::Relaxed);
        }
    }
}

fn numbers(limits: Limits) -> [u64; 9] {
    let (kind, list) = match limits.list {
        ListLimit::Bytes(bytes) => (0, bytes),
        ListLimit::Elements(elements) => (1, elements),
    };
    let Limits { hash, set, sorted_set, ints, .. } = limits;
    [
        hash.entries,
        hash.value_bytes,
        set.entries,
        set.value_bytes,
        sorted_set.entries,
        sorted_set.value_bytes,
        ints,
        kind,
        list,
    ]
    .map(|number| number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_come_out_as_they_went_in() {
        let other = Limits { ints: 7, list: ListLimit::Elements(9), ..Limits::default() };
        let shared = SharedLimits::new(Limits::default());
        assert_eq!(shared.load(), Limits::default());
        shared.store(other);
        assert_eq!(shared.load(), other);
    }
}
