//! Latencies, counted in buckets whose width is a sixteenth of their octave: every figure is right to 6 %.
//!
//! From 64 ns to about 17 s; what is shorter or longer goes to the first or last bucket.

use crate::sync::{AtomicU64, Ordering};

/// Buckets per octave, as a power of two.
const SUB_BITS: u32 = 4;
const SUB: usize = 1 << SUB_BITS;
/// The shortest octave starts here, as a power of two of nanoseconds.
const FIRST_OCTAVE: u32 = 6;
const OCTAVES: usize = 28;
const BUCKETS: usize = OCTAVES * SUB;

/// Counts that one thread, or a few, add to.
#[derive(Debug)]
pub struct Histogram {
    buckets: [AtomicU64; BUCKETS],
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: std::array::from_fn(|_| AtomicU64::new(0)) }
    }
}

impl Histogram {
    /// The count that a latency belongs to.
    #[inline]
    pub(super) fn bucket(&self, nanos: u64) -> &AtomicU64 {
        &self.buckets[bucket_of(nanos)]
    }

    pub(super) fn add_to(&self, distribution: &mut Distribution) {
        distribution.counts.resize(BUCKETS, 0);
        for (sum, bucket) in distribution.counts.iter_mut().zip(&self.buckets) {
            // Relaxed: a figure to show.
            *sum += bucket.load(Ordering::Relaxed);
        }
    }
}

/// The bucket of a latency.
#[inline]
const fn bucket_of(nanos: u64) -> usize {
    if nanos < 1 << FIRST_OCTAVE {
        return 0;
    }
    let octave = nanos.ilog2();
    let sub = (nanos >> (octave - SUB_BITS)) as usize & (SUB - 1);
    let bucket = (octave - FIRST_OCTAVE) as usize * SUB + sub;
    if bucket < BUCKETS { bucket } else { BUCKETS - 1 }
}

/// The longest latency of a bucket, in nanoseconds.
const fn longest_of(bucket: usize) -> u64 {
    let octave = (bucket / SUB) as u32 + FIRST_OCTAVE;
    let next = (SUB + bucket % SUB + 1) as u64;
    (next << (octave - SUB_BITS)) - 1
}

/// A histogram as plain numbers. Empty, or one count per bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    counts: Vec<u64>,
}

impl Distribution {
    /// How many latencies were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The latency, in nanoseconds, that `percent` of all do not exceed; 0 if nothing was counted.
    pub fn percentile(&self, percent: f64) -> u64 {
        let wanted = (self.count() as f64 * percent / 100.0).ceil().max(1.0) as u64;
        let mut seen = 0;
        let reaches = |count: &u64| {
            seen += count;
            seen >= wanted
        };
        self.counts.iter().position(reaches).map_or(0, longest_of)
    }

    /// Bounds of powers of two of microseconds with the number of latencies up to each, as LATENCY HISTOGRAM
    /// shows them: only bounds that add something.
    pub fn cumulative_micros(&self) -> Vec<(u64, u64)> {
        let mut rows: Vec<(u64, u64)> = Vec::new();
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            seen += count;
            let bound = longest_of(bucket).div_ceil(1000).next_power_of_two();
            match rows.last_mut() {
                Some(row) if row.0 == bound => row.1 = seen,
                _ => rows.push((bound, seen)),
            }
        }
        rows
    }

    pub(super) fn subtract(&mut self, earlier: &Self) {
        for (now, then) in self.counts.iter_mut().zip(&earlier.counts) {
            *now = now.saturating_sub(*then);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    fn distribution(nanos: &[u64]) -> Distribution {
        let histogram = Histogram::default();
        for &nanos in nanos {
            histogram.bucket(nanos).fetch_add(1, Ordering::Relaxed);
        }
        let mut distribution = Distribution::default();
        histogram.add_to(&mut distribution);
        distribution
    }

    quickcheck! {
        fn a_bucket_is_at_most_a_sixteenth_too_long(nanos: u32) -> bool {
            let nanos = u64::from(nanos).max(64);
            let longest = longest_of(bucket_of(nanos));
            longest >= nanos && longest - nanos <= nanos / 16
        }
    }

    #[test]
    fn percentiles_count_from_the_shortest() {
        let mut nanos = vec![1_000; 99];
        nanos.push(5_000_000);
        let distribution = distribution(&nanos);
        assert_eq!(distribution.count(), 100);
        assert!((1_000..1_064).contains(&distribution.percentile(50.0)));
        assert_eq!(distribution.percentile(0.0), distribution.percentile(99.0));
        assert!((5_000_000..5_320_000).contains(&distribution.percentile(99.9)));
    }

    #[test]
    fn nothing_counted_is_nothing_shown() {
        assert_eq!(Distribution::default().percentile(99.0), 0);
        assert!(Distribution::default().cumulative_micros().is_empty());
    }

    #[test]
    fn latencies_out_of_range_go_to_the_ends() {
        assert_eq!(bucket_of(0), 0);
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn cumulative_rows_grow_by_powers_of_two() {
        let rows = distribution(&[100, 900, 3_000, 3_100, 70_000]).cumulative_micros();
        assert_eq!(rows, [(1, 2), (4, 4), (128, 5)]);
    }
}
