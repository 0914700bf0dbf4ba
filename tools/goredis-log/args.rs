//! The command line: four commands on one database file.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Looks into the files of a database, checks them, and repairs a damaged log.
///
/// Exit status: 0 when all is well, 1 when damage was found, 2 when the command could not be carried out.
#[derive(Debug, Parser)]
#[command(name = "goredis-log", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Print JSON: one object, or one per line from dump.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say what is in the files: versions, histories, LSN ranges, sizes, durable marks, record counts.
    Info(Database),
    /// Check every byte; the exit status says whether the database is whole.
    Verify(Database),
    /// Print the records of the log, or the entries of the snapshot.
    Dump(Dump),
    /// Cut the log at its first damage, keep what was cut beside it, and say what was lost.
    Repair(Repair),
}

#[derive(Debug, Args)]
pub(crate) struct Database {
    /// The database file, as given to the server with -dbfile.
    #[arg(value_name = "DBFILE")]
    pub(crate) dbfile: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Dump {
    #[command(flatten)]
    pub(crate) database: Database,

    /// Begin with the first record at or behind this LSN.
    #[arg(long, value_name = "LSN")]
    pub(crate) from: Option<u64>,

    /// Stop before this LSN.
    #[arg(long, value_name = "LSN")]
    pub(crate) to: Option<u64>,

    /// Print the snapshot's entries instead of the log's records.
    #[arg(long, conflicts_with_all = ["from", "to"])]
    pub(crate) snapshot: bool,

    /// Print at most this many bytes of each payload; 0 prints all.
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub(crate) payload_bytes: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Repair {
    #[command(flatten)]
    pub(crate) database: Database,

    /// Say what would be done, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}
