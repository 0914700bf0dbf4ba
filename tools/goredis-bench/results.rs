//! What was measured: every round's figure, kept until the report takes their medians.

use hdrhistogram::Histogram;

use crate::load::latencies;
use crate::rows::Row;
use crate::servers::{Contender, Part};

/// Which way a figure is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    /// Costs.
    Lower,
    /// Performance.
    Higher,
}

/// What a figure says. The order is that of the report's columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Quantity {
    /// The server's processor time, in microseconds per operation.
    CpuPerOperation,
    /// One such time over another.
    Factor,
    /// Operations in a second.
    Throughput,
    /// The median latency, in milliseconds.
    P50,
    /// Its 99th percentile.
    P99,
    /// Its 99.9th percentile.
    P999,
    /// Resident memory, in bytes per key.
    Resident,
    /// The same without what files stand behind.
    Anonymous,
    /// Milliseconds for the whole.
    Millis,
    /// Seconds for the whole.
    Seconds,
    /// Snapshots that were finished meanwhile.
    Snapshots,
    /// Cores that the server kept busy.
    ServerBusy,
    /// Part of their time in which the load generator's threads were busy.
    GeneratorBusy,
}

impl Quantity {
    /// The head of its column.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::CpuPerOperation => "CPU µs/op",
            Self::Factor => "factor",
            Self::Throughput => "ops/s",
            Self::P50 => "p50 ms",
            Self::P99 => "p99 ms",
            Self::P999 => "p99.9 ms",
            Self::Resident => "resident B/key",
            Self::Anonymous => "without mapped files B/key",
            Self::Millis => "ms",
            Self::Seconds => "s",
            Self::Snapshots => "snapshots",
            Self::ServerBusy => "server cores",
            Self::GeneratorBusy => "generator busy",
        }
    }

    /// Which way it is better.
    pub(crate) fn better(self) -> Better {
        if self == Self::Throughput { Better::Higher } else { Better::Lower }
    }
}

/// What is to be reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    /// At most so many times Redis's figure.
    RatioAtMost(f64),
    /// At least so many times Redis's figure.
    RatioAtLeast(f64),
    /// Less than Redis's figure.
    Less,
    /// A figure of at most so much, whatever Redis's is.
    AtMost(f64),
}

impl Goal {
    /// Whether a figure with this ratio to Redis's reaches it; nobody knows without a ratio, where it takes one.
    pub(crate) fn is_met(self, figure: f64, ratio: Option<f64>) -> Option<bool> {
        match self {
            Self::RatioAtMost(limit) => ratio.map(|ratio| ratio <= limit),
            Self::RatioAtLeast(limit) => ratio.map(|ratio| ratio >= limit),
            Self::Less => ratio.map(|ratio| ratio < 1.0),
            Self::AtMost(limit) => Some(figure <= limit),
        }
    }
}

/// One comparison: what the servers had to do, and the figure that decides.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Workload {
    /// The row that it belongs to.
    pub(crate) row: Row,
    /// What it is, as the report says it.
    pub(crate) name: String,
    /// The figure that is compared with Redis's.
    pub(crate) decides: Quantity,
    /// What that one is to reach.
    pub(crate) goal: Option<Goal>,
}

/// The figures of one contender under one workload.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The workload.
    pub(crate) workload: Workload,
    /// The contender.
    pub(crate) contender: Contender,
    /// Latencies of all rounds together, in nanoseconds.
    pub(crate) latencies: Histogram<u64>,
    figures: Vec<(Quantity, Vec<f64>)>,
}

impl Entry {
    /// The median of a quantity's figures, if there are any.
    pub(crate) fn median(&self, quantity: Quantity) -> Option<f64> {
        let figures = self.figures.iter().find(|(of, _)| *of == quantity);
        figures.and_then(|(_, figures)| median(figures))
    }

    /// What was measured.
    pub(crate) fn quantities(&self) -> impl Iterator<Item = Quantity> {
        self.figures.iter().map(|(quantity, _)| *quantity)
    }

    /// Notes one round's figure.
    pub(crate) fn add(&mut self, quantity: Quantity, figure: f64) {
        match self.figures.iter_mut().find(|(of, _)| *of == quantity) {
            Some((_, figures)) => figures.push(figure),
            None => self.figures.push((quantity, vec![figure])),
        }
    }
}

/// All figures, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Results {
    entries: Vec<Entry>,
}

impl Results {
    /// The entry of a contender under a workload; a new one, if it is the first of its figures.
    pub(crate) fn entry(&mut self, workload: &Workload, contender: &Contender) -> &mut Entry {
        let is_it = |entry: &Entry| entry.workload == *workload && entry.contender == *contender;
        let index = self.entries.iter().position(is_it).unwrap_or_else(|| {
            let (workload, contender) = (workload.clone(), contender.clone());
            self.entries.push(Entry { workload, contender, latencies: latencies(), figures: Vec::new() });
            self.entries.len() - 1
        });
        &mut self.entries[index]
    }

    /// The entries of a row.
    pub(crate) fn of_row(&self, row: Row) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.workload.row == row)
    }

    /// Everybody who took part in anything.
    pub(crate) fn contenders(&self) -> Vec<&Contender> {
        let mut contenders: Vec<&Contender> = Vec::new();
        for entry in &self.entries {
            if !contenders.contains(&&entry.contender) {
                contenders.push(&entry.contender);
            }
        }
        contenders
    }

    /// The deciding figure over the best of Redis's under the same workload.
    pub(crate) fn ratio(&self, entry: &Entry) -> Option<f64> {
        let decides = entry.workload.decides;
        let same = self.entries.iter().filter(|other| other.workload == entry.workload);
        let base =
            same.filter(|other| other.contender.part == Part::Base).filter_map(|other| other.median(decides));
        let best = base.reduce(match decides.better() {
            Better::Lower => f64::min,
            Better::Higher => f64::max,
        })?;
        (best > 0.0).then(|| entry.median(decides).map(|figure| figure / best))?
    }
}

/// The middle figure, or the mean of the two in the middle.
pub(crate) fn median(figures: &[f64]) -> Option<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_those_of_sorted_figures() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 4.0]), Some(4.0));
        assert_eq!(median(&[9.0, 1.0, 4.0, 5.0]), Some(4.5));
    }

    #[test]
    fn ratios_are_against_the_best_redis() {
        let workload = Workload {
            row: Row::Threads,
            name: "GET".to_owned(),
            decides: Quantity::Throughput,
            goal: Some(Goal::RatioAtLeast(1.8)),
        };
        let (plain, threaded, own) =
            (Contender::redis(), Contender::redis_io_threads(2), Contender::goredis(2));
        let mut results = Results::default();
        for (contender, figure) in [(&plain, 100.0), (&threaded, 125.0), (&own, 250.0)] {
            results.entry(&workload, contender).add(Quantity::Throughput, figure);
        }
        let ratios: Vec<_> = results.of_row(Row::Threads).map(|entry| results.ratio(entry)).collect();
        assert_eq!(ratios, [Some(0.8), Some(1.0), Some(2.0)]);
        assert_eq!(results.contenders(), [&plain, &threaded, &own]);
    }

    #[test]
    fn goals_that_need_a_ratio_are_open_without_one() {
        assert_eq!(Goal::RatioAtMost(0.4).is_met(1.0, None), None);
        assert_eq!(Goal::RatioAtMost(0.4).is_met(1.0, Some(0.4)), Some(true));
        assert_eq!(Goal::RatioAtLeast(1.5).is_met(1.0, Some(1.4)), Some(false));
        assert_eq!(Goal::Less.is_met(1.0, Some(1.0)), Some(false));
        assert_eq!(Goal::AtMost(1.3).is_met(1.2, None), Some(true));
    }
}
