//! Rates per second, from samples of counters that only grow.

use std::collections::VecDeque;
use std::time::Instant;

/// Samples kept: one and a half seconds at ten a second.
const SAMPLES: usize = 16;

/// How much happens per second at present.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Commands per second.
    pub commands: f64,
    /// Bytes read per second.
    pub input_bytes: f64,
    /// Bytes written per second.
    pub output_bytes: f64,
    /// Bytes of a primary's data read from it per second.
    pub replication_input_bytes: f64,
    /// Bytes of this server's data written to replicas per second.
    pub replication_output_bytes: f64,
}

/// Commands, bytes read and written, and the same of replication, since the start.
type Totals = [u64; 5];

/// The latest samples, oldest first. Invariant: never empty.
#[derive(Debug)]
pub(super) struct Sampler {
    samples: VecDeque<(Instant, Totals)>,
}

impl Sampler {
    pub(super) fn new(now: Instant) -> Self {
        Self { samples: VecDeque::from([(now, Totals::default())]) }
    }

    pub(super) fn push(&mut self, now: Instant, totals: Totals) {
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back((now, totals));
    }

    pub(super) fn rates(&self) -> Rates {
        let (Some((start, first)), Some((end, last))) = (self.samples.front(), self.samples.back()) else {
            return Rates::default();
        };
        let seconds = end.saturating_duration_since(*start).as_secs_f64();
        if seconds <= 0.0 {
            return Rates::default();
        }
        let rate = |at: usize| (last[at] - first[at]) as f64 / seconds;
        Rates {
            commands: rate(0),
            input_bytes: rate(1),
            output_bytes: rate(2),
            replication_input_bytes: rate(3),
            replication_output_bytes: rate(4),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_rate_is_the_growth_over_the_samples_that_are_kept() {
        let start = Instant::now();
        let mut sampler = Sampler::new(start);
        assert_eq!(sampler.rates(), Rates::default());
        for at in 1..=100_u64 {
            let commands = if at <= 50 { at } else { 50 + (at - 50) * 20 };
            sampler.push(start + Duration::from_millis(100 * at), [commands, at, 0, 2 * at, 3 * at]);
        }
        let rates = sampler.rates();
        assert!((rates.commands - 200.0).abs() < 1e-6);
        assert!((rates.input_bytes - 10.0).abs() < 1e-6);
        assert!(rates.output_bytes.abs() < 1e-6);
        assert!((rates.replication_input_bytes - 20.0).abs() < 1e-6);
        assert!((rates.replication_output_bytes - 30.0).abs() < 1e-6);
    }
}
