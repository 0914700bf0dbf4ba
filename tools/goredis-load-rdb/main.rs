//! `goredis-load-rdb`: loads an RDB file, as Redis and Valkey save them, into a database file.
//!
//! For whoever moves here with the servers at rest; a server that runs follows the old one instead (`--replicaof`). The
//! database takes the file's keys all at once or not at all. Exit status: 0 when it did, 2 when not.

use std::fs::File;
use std::io::{IsTerminal, Read, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use goredis::engine::{DbIndex, Engine, EngineError, EngineOptions, OpenError, SnapshotFailure};
use goredis::log::{FsyncPolicy, Location, LogOptions};
use goredis::replication::redis::load::{LoadError, Loaded, Loader, Then};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How much is read at once.
const READ_BYTES: usize = 1 << 20;

/// Loads an RDB file into a database file.
///
/// The server that uses the database file must not be running. Keys whose time has passed are left out, as are
/// functions and what modules keep besides their values.
#[derive(Debug, Parser)]
#[command(name = "goredis-load-rdb", version, max_term_width = 100)]
struct Arguments {
    /// The RDB file; - reads standard input.
    #[arg(value_name = "RDB")]
    rdb: PathBuf,

    /// The database file, as given to the server with -dbfile.
    #[arg(value_name = "DBFILE")]
    dbfile: PathBuf,

    /// How many databases there are, as the server's setting says.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    databases: DbIndex,

    /// Load into a database file that has keys: they are all replaced.
    #[arg(long)]
    replace: bool,
}

/// Why nothing was loaded.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}: cannot be read: {1}")]
    Read(PathBuf, std::io::Error),
    #[error("{0}: {1}")]
    Load(PathBuf, LoadError),
    #[error("{dbfile}: has {keys} keys; --replace puts the RDB file's in their place")]
    NotEmpty { dbfile: PathBuf, keys: u64 },
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("{0}: the keys are loaded, but the file was not written anew: {1}")]
    Save(PathBuf, SnapshotFailure),
    #[error("{0}: cannot be closed: {1}")]
    Close(PathBuf, EngineError),
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(loaded) => {
            println!("{} keys loaded", loaded.keys);
            for (count, what) in [
                (loaded.expired, "keys left out: their time has passed"),
                (loaded.empty, "keys left out: their collections are empty"),
                (loaded.functions, "libraries of functions left out: this server has none"),
                (loaded.module_notes, "notes of modules left out: this server has none"),
            ] {
                if count > 0 {
                    println!("{count} {what}");
                }
            }
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("goredis-load-rdb: {failure}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<Loaded, Failure> {
    let (input, bytes) = open(&arguments.rdb).map_err(|error| Failure::Read(arguments.rdb.clone(), error))?;
    let location = Location::Files { dbfile: arguments.dbfile.clone() };
    // Why not synced on the way: all of it is written anew at the end, and counts from then on.
    let log = LogOptions { fsync: FsyncPolicy::No, ..LogOptions::new(location) };
    let options = EngineOptions { databases: arguments.databases, ..EngineOptions::new(log) };
    let (engine, recovered) = Engine::open(options, &|_| {})?;
    // Why: nothing is to be removed between the load and the end.
    engine.set_active_expiry(false);
    if recovered.keys > 0 && !arguments.replace {
        return Err(Failure::NotEmpty { dbfile: arguments.dbfile.clone(), keys: recovered.keys });
    }
    let loaded = load(&engine, input, bytes, &arguments.rdb)?;
    let dbfile = || arguments.dbfile.clone();
    engine.snapshot_blocking().map_err(|failure| Failure::Save(dbfile(), failure))?;
    engine.stop().map_err(|error| Failure::Close(dbfile(), error))?;
    Ok(loaded)
}

/// The file, and how long it is, if that is known.
fn open(rdb: &Path) -> std::io::Result<(Box<dyn Read>, Option<u64>)> {
    if rdb == Path::new("-") {
        return Ok((Box::new(stdin().lock()), None));
    }
    let file = File::open(rdb)?;
    let bytes = file.metadata()?.len();
    Ok((Box::new(file), Some(bytes)))
}

fn load(
    engine: &Arc<Engine>,
    mut input: impl Read,
    bytes: Option<u64>,
    rdb: &Path,
) -> Result<Loaded, Failure> {
    let failed = |error| Failure::Load(rdb.to_owned(), error);
    let bar = bar(bytes);
    let mut loader = Loader::begin(Arc::clone(engine), false).map_err(failed)?;
    let (mut unread, mut start, mut end) = (vec![0; READ_BYTES], 0, 0);
    loop {
        let taken = loader.take(&unread[start..end]).map_err(failed)?;
        start += taken.bytes;
        bar.set_position(loader.offset());
        match taken.then {
            Then::Nothing => break,
            Then::Again => {}
            Then::More(_) => {
                unread.copy_within(start..end, 0);
                (start, end) = (0, end - start);
                // Why doubled: an item that is larger is read in time proportional to its length.
                if end > unread.len() / 2 {
                    unread.resize(2 * unread.len(), 0);
                }
                let read = input.read(&mut unread[end..]);
                let read = read.map_err(|error| Failure::Read(rdb.to_owned(), error))?;
                if read == 0 {
                    return Err(failed(loader.cut()));
                }
                end += read;
            }
        }
    }
    bar.finish_and_clear();
    loader.install().map_err(failed)
}

fn bar(bytes: Option<u64>) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(bytes, target);
    let template =
        if bytes.is_some() { "loading {wide_bar} {bytes}/{total_bytes} {eta}" } else { "loading {bytes}" };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
