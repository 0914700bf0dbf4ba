//! `goredis-log`: looks into the files of a database, checks them, and repairs a damaged log.
//!
//! For the people who run a server, when it is not running or while it is: only `repair` writes, and it takes the
//! database's lock first. The answer goes to standard output, as text or as JSON; a progress bar and errors go to
//! standard error. Exit status: 0 all is well, 1 damage was found, 2 the command could not be carried out.

mod args;
mod damage;
mod dump;
mod error;
mod files;
mod info;
mod output;
mod payload;
mod progress;
mod repair;
mod segment;
mod snapshot;
mod verdict;
mod verify;
mod when;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Arguments, Command};
use crate::error::InspectError;
use crate::files::Files;
use crate::output::Output;
use crate::verdict::Verdict;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(verdict) => verdict.into(),
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("goredis-log: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<Verdict, InspectError> {
    let mut stdout = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut out = Output::new(&mut stdout, arguments.json);
    let verdict = match &arguments.command {
        Command::Info(database) => info::run(Files::open(&database.dbfile)?, &mut out),
        Command::Verify(database) => verify::run(Files::open(&database.dbfile)?, &mut out),
        Command::Dump(dump) => dump::run(Files::open(&dump.database.dbfile)?, dump, &mut out),
        Command::Repair(repair) => repair::run(repair, &mut out),
    };
    // Why before looking at the verdict: what was found so far is printed even when the rest cannot be read.
    stdout.flush()?;
    verdict
}
