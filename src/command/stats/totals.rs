//! All stripes added up: plain numbers to show.

use super::Counter;
use super::histogram::Distribution;
use crate::command::table;
use std::collections::BTreeMap;

/// What one command has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandTotals {
    /// Times that it ran.
    pub calls: u64,
    /// Nanoseconds that it ran for.
    pub nanos: u64,
    /// Times that it was refused before it ran.
    pub rejected: u64,
    /// Times that it ran and answered with an error.
    pub failed: u64,
    /// How long it took, where latencies are tracked.
    pub latency: Distribution,
}

/// What the server has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    pub(super) counters: [u64; Counter::COUNT],
    /// By [`crate::command::spec::CommandSpec::index`].
    pub commands: Vec<CommandTotals>,
    /// Error replies by their code.
    pub errors: BTreeMap<Box<str>, u64>,
}

impl Default for Totals {
    fn default() -> Self {
        let commands = vec![CommandTotals::default(); table::COUNT];
        Self { counters: [0; Counter::COUNT], commands, errors: BTreeMap::new() }
    }
}

impl Totals {
    /// The value of a plain counter.
    pub fn get(&self, counter: Counter) -> u64 {
        self.counters[counter as usize]
    }

    /// Commands that ran.
    pub fn commands_processed(&self) -> u64 {
        self.commands.iter().map(|command| command.calls).sum()
    }

    /// Error replies sent.
    pub fn error_replies(&self) -> u64 {
        self.errors.values().sum()
    }

    /// What was added since `earlier`, which is never ahead.
    pub(super) fn since(mut self, earlier: &Self) -> Self {
        for (now, then) in self.counters.iter_mut().zip(&earlier.counters) {
            *now = now.saturating_sub(*then);
        }
        for (now, then) in self.commands.iter_mut().zip(&earlier.commands) {
            now.subtract(then);
        }
        for (code, then) in &earlier.errors {
            if let Some(now) = self.errors.get_mut(code) {
                *now = now.saturating_sub(*then);
            }
        }
        self.errors.retain(|_, count| *count > 0);
        self
    }
}

impl CommandTotals {
    fn subtract(&mut self, earlier: &Self) {
        self.calls = self.calls.saturating_sub(earlier.calls);
        self.nanos = self.nanos.saturating_sub(earlier.nanos);
        self.rejected = self.rejected.saturating_sub(earlier.rejected);
        self.failed = self.failed.saturating_sub(earlier.failed);
        self.latency.subtract(&earlier.latency);
    }
}
