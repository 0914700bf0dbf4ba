//! The counters of one thread.

use super::Counter;
use super::histogram::Histogram;
use super::totals::{CommandTotals, Totals};
use crate::command::table;
use crate::sync::{AtomicU64, Ordering};
use crossbeam_utils::CachePadded;
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Different error codes counted by name on one stripe; all further ones are counted together.
pub(super) const ERROR_CODES_MAX: usize = 128;

/// Where errors go that are beyond [`ERROR_CODES_MAX`].
pub(super) const ERROR_OVERFLOW: &str = "ERRORSTATS_OVERFLOW";

/// The counters of one command.
#[derive(Debug, Default)]
pub(super) struct CommandCell {
    pub(super) calls: AtomicU64,
    pub(super) nanos: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) failed: AtomicU64,
    histogram: OnceLock<Box<Histogram>>,
}

/// The counters of one thread. On the heap and padded, so no other thread's line is touched.
#[derive(Debug)]
pub(super) struct Stripe {
    counters: CachePadded<[AtomicU64; Counter::COUNT]>,
    commands: CachePadded<[CommandCell; table::COUNT]>,
    /// Locked by the owner for every error, by others only to read: uncontended.
    errors: Mutex<BTreeMap<Box<str>, u64>>,
}

impl Default for Stripe {
    fn default() -> Self {
        Self {
            counters: CachePadded::new(std::array::from_fn(|_| AtomicU64::new(0))),
            commands: CachePadded::new(std::array::from_fn(|_| CommandCell::default())),
            errors: Mutex::default(),
        }
    }
}

impl Stripe {
    #[inline]
    pub(super) fn counter(&self, counter: Counter) -> &AtomicU64 {
        &self.counters[counter as usize]
    }

    #[inline]
    pub(super) fn command(&self, index: usize) -> &CommandCell {
        &self.commands[index]
    }

    #[inline]
    pub(super) fn histogram(&self, index: usize) -> &Histogram {
        self.commands[index].histogram.get_or_init(Box::default)
    }

    #[cold]
    pub(super) fn count_error(&self, code: &str) {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        let known = errors.contains_key(code);
        let code = if known || errors.len() < ERROR_CODES_MAX { code } else { ERROR_OVERFLOW };
        match errors.get_mut(code) {
            Some(count) => *count += 1,
            None => drop(errors.insert(code.into(), 1)),
        }
    }

    /// Commands run.
    pub(super) fn calls(&self) -> u64 {
        // Relaxed, here and below: figures; each word by itself.
        self.commands.iter().map(|cell| cell.calls.load(Ordering::Relaxed)).sum()
    }

    pub(super) fn add_counters(&self, sums: &mut [u64; Counter::COUNT]) {
        for (sum, counter) in sums.iter_mut().zip(self.counters.iter()) {
            *sum += counter.load(Ordering::Relaxed);
        }
    }

    pub(super) fn add_to(&self, totals: &mut Totals) {
        self.add_counters(&mut totals.counters);
        for (sum, cell) in totals.commands.iter_mut().zip(self.commands.iter()) {
            cell.add_to(sum);
        }
        for (code, count) in &*self.errors.lock().unwrap_or_else(PoisonError::into_inner) {
            *totals.errors.entry(code.clone()).or_default() += count;
        }
    }
}

impl CommandCell {
    fn add_to(&self, sum: &mut CommandTotals) {
        sum.calls += self.calls.load(Ordering::Relaxed);
        sum.nanos += self.nanos.load(Ordering::Relaxed);
        sum.rejected += self.rejected.load(Ordering::Relaxed);
        sum.failed += self.failed.load(Ordering::Relaxed);
        if let Some(histogram) = self.histogram.get() {
            histogram.add_to(&mut sum.latency);
        }
    }
}
