//! Which keys to look at when: deadlines, coarse while they are far off.
//!
//! A timer is only a hint: when it goes off, its owner looks at the key, and sets another if the time has not come. So
//! a far deadline is rounded *down* to a grain in proportion to its distance, and looked at a few times on the way.
//! That keeps the buckets few (some hundreds, whatever the deadlines) and a timer at 8 bytes.

use std::collections::BTreeMap;

use crate::clock::Millis;
use crate::store::hash::KeyHash;

/// The finest grain: a timer goes off at most so many milliseconds after its deadline (and a tick of its owner).
const GRAIN_MILLIS_MIN: u64 = 64;
/// A deadline is rounded by at most this part of its distance.
const GRAINS_PER_DISTANCE: u64 = 32;

/// The timers of one keyspace. Owned by one thread.
#[derive(Debug, Default)]
pub(super) struct Timers {
    /// By the time at which a bucket goes off.
    buckets: BTreeMap<u64, Vec<KeyHash>>,
}

impl Timers {
    /// Sets a timer.
    pub(super) fn set(&mut self, deadline: Millis, hash: KeyHash, now: Millis) {
        let distance = now.until(deadline);
        let grain = (distance / GRAINS_PER_DISTANCE).max(GRAIN_MILLIS_MIN).next_power_of_two() / 2;
        let grain = grain.max(GRAIN_MILLIS_MIN);
        // Why up at the finest grain and down above it: a key must have expired when it is looked at for the last time.
        let at = if grain == GRAIN_MILLIS_MIN { deadline.0.div_ceil(grain) } else { deadline.0 / grain };
        let bucket = self.buckets.entry(at.saturating_mul(grain)).or_default();
        if bucket.len() == bucket.capacity() {
            // Why here: a key whose expiry is changed over and over would fill a bucket; this costs O(log n) a timer.
            bucket.sort_unstable();
            bucket.dedup();
        }
        bucket.push(hash);
    }

    /// Takes a bucket whose time has come.
    pub(super) fn due(&mut self, now: Millis) -> Option<Vec<KeyHash>> {
        let entry = self.buckets.first_entry()?;
        (*entry.key() <= now.0).then(|| entry.remove())
    }

    /// How many timers are set.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.buckets.values().map(Vec::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    /// Runs a key's timers as their owner does; tells when it was looked at after its deadline, and how many looks it took.
    fn run(deadline: Millis, start: Millis) -> (Millis, u32) {
        let mut timers = Timers::default();
        timers.set(deadline, KeyHash(1), start);
        let mut looks = 0;
        loop {
            let at = Millis((*timers.buckets.first_key_value().expect("a timer is set").0).max(start.0));
            assert_eq!(timers.due(at), Some(vec![KeyHash(1)]));
            looks += 1;
            if at >= deadline {
                return (at, looks);
            }
            timers.set(deadline, KeyHash(1), at);
        }
    }

    quickcheck! {
        fn a_key_is_looked_at_soon_after_its_deadline(distance: u64, start: u32) -> bool {
            let start = Millis(u64::from(start) * 1000);
            let deadline = Millis(start.0 + distance % (400 * 86_400_000));
            let (at, looks) = run(deadline, start);
            at >= deadline && at.0 <= deadline.0 + GRAIN_MILLIS_MIN && looks < 64
        }
    }

    #[test]
    fn buckets_stay_few_for_many_deadlines() {
        let mut timers = Timers::default();
        for n in 0..200_000_u64 {
            timers.set(Millis(n * 997), KeyHash(n), Millis(0));
        }
        assert!(timers.buckets.len() < 2_000, "{}", timers.buckets.len());
    }

    #[test]
    fn a_key_that_is_set_over_and_over_takes_one_place() {
        let mut timers = Timers::default();
        for _ in 0..100_000 {
            timers.set(Millis(500_000), KeyHash(7), Millis(0));
        }
        assert!(timers.len() <= 8, "{}", timers.len());
    }
}
