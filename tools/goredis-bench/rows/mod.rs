//! The rows of the comparison: what each measures, one file each.
//!
//! What is common to them is in [`Bench`]. A row starts the servers that it needs, and they are
//! gone when it is done.

mod always;
mod cpu;
mod expiry;
mod latency;
mod memory;
mod recovery;
mod scale;
mod scan;
mod threads;

use std::fmt;

use clap::ValueEnum;

use crate::bench::Bench;
use crate::error::BenchError;
use crate::load::DataSet;

/// One row of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Row {
    /// CPU per operation, throughput and latency of GET, SET and INCR.
    Cpu,
    /// Throughput with two threads.
    Threads,
    /// Latency at half of the maximal load, while this server compacts.
    Latency,
    /// Memory per key.
    Memory,
    /// GET among many keys against GET among few.
    Scale,
    /// Throughput with an fsync before each reply.
    Always,
    /// SCAN for a prefix.
    Scan,
    /// SET with an expiry.
    Expiry,
    /// Start with all data after a kill.
    Recovery,
}

impl Row {
    /// All rows, in the report's order.
    pub(crate) const ALL: [Self; 9] = [
        Self::Cpu,
        Self::Threads,
        Self::Latency,
        Self::Memory,
        Self::Scale,
        Self::Always,
        Self::Scan,
        Self::Expiry,
        Self::Recovery,
    ];

    /// Measures it.
    pub(crate) fn measure(self, bench: &mut Bench) -> Result<(), BenchError> {
        match self {
            Self::Cpu => cpu::measure(bench),
            Self::Threads => threads::measure(bench),
            Self::Latency => latency::measure(bench),
            Self::Memory => memory::measure(bench),
            Self::Scale => scale::measure(bench),
            Self::Always => always::measure(bench),
            Self::Scan => scan::measure(bench),
            Self::Expiry => expiry::measure(bench),
            Self::Recovery => recovery::measure(bench),
        }
    }

    /// The head of its part of the report.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Cpu => "CPU per operation, throughput, latency",
            Self::Threads => "Throughput with two threads",
            Self::Latency => "Latency at half of the maximal load, compacting",
            Self::Memory => "Memory per key",
            Self::Scale => "Many keys against few",
            Self::Always => "Throughput with fsync before each reply",
            Self::Scan => "SCAN for a prefix",
            Self::Expiry => "SET with an expiry",
            Self::Recovery => "Recovery after kill -9",
        }
    }

    /// How it is measured, for the report.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Cpu => cpu::METHOD,
            Self::Threads => threads::METHOD,
            Self::Latency => latency::METHOD,
            Self::Memory => memory::METHOD,
            Self::Scale => scale::METHOD,
            Self::Always => always::METHOD,
            Self::Scan => scan::METHOD,
            Self::Expiry => expiry::METHOD,
            Self::Recovery => recovery::METHOD,
        }
    }
}

/// Its name on the command line.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_possible_value().map_or(Ok(()), |value| f.write_str(value.get_name()))
    }
}

/// The strings that most rows read and write.
fn strings(keys: u64) -> DataSet {
    DataSet { name: b"key:", keys }
}

/// A number of keys as people say it.
fn counted(keys: u64) -> String {
    match keys {
        millions if keys % 1_000_000 == 0 => format!("{}M", millions / 1_000_000),
        thousands if keys % 1000 == 0 => format!("{}k", thousands / 1000),
        other => other.to_string(),
    }
}
