//! `goredis-bench`: measures this server against the Redis of this machine, and writes a report with plots.
//!
//! | file | one idea |
//! |---|---|
//! | `options` | the command line, and the sizes that follow from it |
//! | `programs`, `servers`, `control` | the two programs; their processes; one connection to ask them things |
//! | `load` | the load generator |
//! | `figures` | what the system says of processes and of the machine |
//! | `rows`, `bench` | what is measured, one file per row; what all rows do |
//! | `results` | every round's figures, medians, ratios and goals |
//! | `report`, `plots` | the same as text and as pictures |
//! | `interrupt`, `error` | Ctrl-C, and everything else that can stop it |
//!
//! What it promises: servers take turns round by round, so that what else the machine does meets all of them; an error
//! reply ends the run and is never counted; no server and no folder of one outlives it. What it does not: figures of a
//! busy machine stay figures of a busy machine, and generator and servers share its cores.

mod bench;
mod control;
mod error;
mod figures;
mod interrupt;
mod load;
mod options;
mod plots;
mod programs;
mod report;
mod results;
mod rows;
mod servers;

use std::env;
use std::fs;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Parser;

use crate::bench::Bench;
use crate::error::BenchError;
use crate::figures::Machine;
use crate::options::Options;
use crate::programs::Programs;
use crate::report::Report;
use crate::rows::Row;

/// As a shell tells of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("goredis-bench: {error}");
            if matches!(error, BenchError::Interrupted) {
                ExitCode::from(INTERRUPTED)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

fn run(options: Options) -> Result<(), BenchError> {
    interrupt::watch()?;
    let programs = Programs::find(&options)?;
    fs::create_dir_all(&options.out).map_err(BenchError::file("make", &options.out))?;
    let rows = options.rows();
    let mut bench = Bench::new(options, programs);
    for row in &rows {
        row.measure(&mut bench)?;
    }
    let path = write(&bench, &rows)?;
    eprintln!("the report is in {path}");
    Ok(())
}

/// Writes the report and its plots; tells where the report is.
fn write(bench: &Bench, rows: &[Row]) -> Result<String, BenchError> {
    let folder = &bench.options.out;
    let mut plots = Vec::new();
    for row in rows {
        let (bars, lines) = (format!("{row}-throughput.svg"), format!("{row}-latency.svg"));
        // Why not there: an open loop's throughput is the one that was asked for.
        if *row != Row::Latency && plots::throughput(&folder.join(&bars), *row, &bench.results)? {
            plots.push((*row, bars));
        }
        if plots::latency(&folder.join(&lines), *row, &bench.results)? {
            plots.push((*row, lines));
        }
    }
    let report = Report {
        date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        machine: Machine::this().to_string(),
        redis_version: bench.programs().redis_version.clone(),
        goredis_version: bench.programs().goredis_version.clone(),
        command_line: env::args().skip(1).fold("goredis-bench".to_owned(), |line, word| line + " " + &word),
        rounds: bench.options.rounds(),
        is_quick: bench.options.quick,
        generator_threads: bench.options.load_threads(),
        rows,
        results: &bench.results,
        plots: &plots,
    };
    let path = folder.join("report.md");
    fs::write(&path, report.to_string()).map_err(BenchError::file("write", &path))?;
    Ok(path.display().to_string())
}
