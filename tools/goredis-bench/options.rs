//! The command line, and the sizes that follow from it.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::figures::cores;
use crate::rows::Row;

/// Measures this server against Redis on this machine, and writes report.md with plots.
///
/// Every figure is the median of several rounds in which the servers take turns. The servers run in temporary folders
/// under the report's, on free ports of 127.0.0.1. Exit status: 0 when the report is written, 1 when something went
/// wrong, 130 after Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "goredis-bench", version, max_term_width = 100)]
pub(crate) struct Options {
    /// Folder for the report and its plots; the servers keep their files in it while they run.
    #[arg(long, value_name = "FOLDER", default_value = "target/bench-report")]
    pub(crate) out: PathBuf,

    /// Measure only these rows.
    #[arg(long, value_name = "ROW,ROW", value_delimiter = ',', value_enum)]
    pub(crate) only: Vec<Row>,

    /// Rounds of each measurement [default: 5, or 1 with --quick].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,

    /// Keys of the large data sets [default: 10000000, or 20000 with --quick].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1000..=1_000_000_000))]
    keys: Option<u64>,

    /// Seconds of load per measurement [default: 2, or 0.1 with --quick].
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    seconds: Option<Duration>,

    /// The redis-server program.
    #[arg(long, value_name = "PATH", default_value = "redis-server")]
    pub(crate) redis: PathBuf,

    /// The goredis program [default: the one beside this program; under cargo run --release it is built first].
    #[arg(long, value_name = "PATH")]
    pub(crate) server: Option<PathBuf>,

    /// In the row of CPU, measure Redis with its append-only file and this server in memory as well.
    #[arg(long)]
    pub(crate) all_modes: bool,

    /// Threads of this server that serve clients, where a row does not say otherwise; Redis has one.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) server_threads: u16,

    /// Threads of the load generator, where a row does not say otherwise [default: the cores but one, 4 at most].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=50))]
    load_threads: Option<u16>,

    /// A small run of every row, which shows that all works; its figures mean nothing.
    #[arg(long)]
    pub(crate) quick: bool,
}

impl Options {
    /// Rounds of each measurement.
    pub(crate) fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.quick { 1 } else { 5 })
    }

    /// Keys of the large data sets.
    pub(crate) fn keys(&self) -> u64 {
        self.keys.unwrap_or(if self.quick { 20_000 } else { 10_000_000 })
    }

    /// Keys of the usual data sets: a million, where the large ones are not smaller.
    pub(crate) fn usual_keys(&self) -> u64 {
        self.keys().min(1_000_000)
    }

    /// Time of one measurement under load.
    pub(crate) fn time(&self) -> Duration {
        self.seconds.unwrap_or(Duration::from_millis(if self.quick { 100 } else { 2000 }))
    }

    /// Time in which a server may finish what goes on behind its replies.
    pub(crate) fn settling_time(&self) -> Duration {
        Duration::from_millis(if self.quick { 20 } else { 1000 })
    }

    /// Threads of the load generator.
    pub(crate) fn load_threads(&self) -> usize {
        self.load_threads.map_or_else(|| (cores() - 1).clamp(1, 4), usize::from)
    }

    /// The rows to be measured, in the report's order.
    pub(crate) fn rows(&self) -> Vec<Row> {
        Row::ALL.into_iter().filter(|row| self.only.is_empty() || self.only.contains(row)).collect()
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    if (0.01..=3600.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("must be from 0.01 to 3600".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn rows_are_chosen_by_name_and_kept_in_order() {
        let options = Options::parse_from(["goredis-bench", "--only", "scan,cpu"]);
        assert_eq!(options.rows(), [Row::Cpu, Row::Scan]);
        assert_eq!(Options::parse_from(["goredis-bench"]).rows(), Row::ALL);
        assert!(Options::try_parse_from(["goredis-bench", "--only", "nothing"]).is_err());
    }

    #[test]
    fn keys_scale_the_data_sets_down() {
        let options = Options::parse_from(["goredis-bench", "--keys", "5000"]);
        assert_eq!((options.keys(), options.usual_keys()), (5000, 5000));
        assert_eq!(Options::parse_from(["goredis-bench"]).usual_keys(), 1_000_000);
    }

    #[test]
    fn impossible_times_are_refused() {
        for time in ["0", "-1", "NaN", "1e9", "soon"] {
            assert!(Options::try_parse_from(["goredis-bench", "--seconds", time]).is_err(), "{time}");
        }
    }
}
