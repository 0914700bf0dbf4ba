//! Instructions per command on the hot paths, counted by callgrind and compared with `instructions.txt` beside this file.
//!
//! Unlike times, the counts are the same on a busy machine, so a change that makes a path longer is seen the day it is
//! made. What is counted is everything between bytes that arrived and bytes to be sent: parsing, the command, the store,
//! the log (in memory), the reply; not the socket, and nothing of the background threads.
//!
//! ```text
//! cargo bench --bench instructions                 compares; fails where a path has grown
//! cargo bench --bench instructions -- --accept     writes what it counted down as the new baseline
//! ```
//!
//! How far a count may be above its baseline is told with each workload: compilers differ, and where keys are new the
//! path depends on how far the housekeeping in the background has come.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use goredis::Db;
use goredis::clock::Millis;
use goredis::command::clients::{ClientHandle, Endpoint};
use goredis::command::context::Context;
use goredis::command::dispatch;
use goredis::command::session::Session;
use goredis::resp::request::write_request;
use goredis::resp::{Args, Limits, Parsed, ReplyBuf, RequestParser};
use goredis::settings::Settings;

/// As the server has it: half of a write's instructions may be the allocator's.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Keys that are there before the counting.
const KEYS: usize = 20_000;
/// Commands that are counted.
const COMMANDS: usize = 12_800;
const VALUE: [u8; 64] = [b'x'; 64];
/// What callgrind looks for: it counts inside of this function only.
const COUNTED: &str = "*instructions::counted*";
/// Runs one workload, uncounted but for [`counted`]; for the process under callgrind.
const RUN: &str = "--run";

/// What is counted: a command, and how many of it arrive at once.
#[derive(Clone, Copy)]
struct Workload {
    name: &'static str,
    command: &'static str,
    batch: usize,
    /// Whether the keys are new ones, which lie between those that are there.
    new_keys: bool,
    /// Threads that share the commands; each has a client.
    threads: usize,
    /// Percent by which the count may be above the baseline.
    tolerance: f64,
}

const fn workload(name: &'static str, command: &'static str, batch: usize) -> Workload {
    Workload { name, command, batch, new_keys: false, threads: 1, tolerance: 3.0 }
}

const WORKLOADS: [Workload; 10] = [
    workload("get-1", "GET", 1),
    workload("get-64", "GET", 64),
    workload("set-1", "SET", 1),
    workload("set-64", "SET", 64),
    workload("incr-64", "INCR", 64),
    workload("set-ex-64", "SET EX", 64),
    Workload { new_keys: true, tolerance: 25.0, ..workload("set-new-1", "SET", 1) },
    Workload { new_keys: true, tolerance: 25.0, ..workload("set-new-64", "SET", 64) },
    Workload { threads: 2, ..workload("get-64-by-2", "GET", 64) },
    Workload { threads: 2, ..workload("set-64-by-2", "SET", 64) },
];

/// A server without sockets, as one client of it meets it.
struct Server {
    context: Arc<Context>,
    session: Session,
    parser: RequestParser,
    reply: ReplyBuf,
    now: Millis,
}

impl Server {
    fn new(context: Arc<Context>) -> Self {
        let handle = Arc::new(ClientHandle::new(1, Endpoint::default(), Millis(0)));
        Self {
            context,
            session: Session::new(handle, true),
            parser: RequestParser::new(),
            reply: ReplyBuf::new(),
            now: Millis::now(),
        }
    }

    /// Serves one read's bytes; gives how many requests were run, none of which was refused.
    fn serve(&mut self, bytes: &[u8]) -> usize {
        let (limits, mut spans, mut frames, mut at) = (Limits::default(), Vec::new(), Vec::new(), 0);
        while let Ok(Parsed::Request { consumed }) = self.parser.parse(&bytes[at..], &limits, &mut spans) {
            frames.push((at, spans.len()));
            at += consumed;
        }
        let mut first = 0;
        let requests: Vec<_> = frames
            .iter()
            .map(|&(start, end)| Args::new(&bytes[start..], &spans[std::mem::replace(&mut first, end)..end]))
            .collect();
        let (taken, _) =
            dispatch::execute_batch(&self.context, &mut self.session, self.now, &requests, &mut self.reply);
        assert!(self.reply.error_message().is_none(), "a command was refused");
        self.reply.clear();
        taken
    }
}

/// Serves reads; gives how many requests were run.
#[inline(never)]
fn counted(server: &mut Server, reads: &[Vec<u8>]) -> usize {
    reads.iter().map(|read| server.serve(read)).sum()
}

/// The requests of a workload, as many to a read as arrive at once.
fn reads(workload: &Workload, command: &str, count: usize, new_keys: bool) -> Vec<Vec<u8>> {
    let mut state = 1_u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % KEYS
    };
    let key =
        |n: usize| if workload.command == "INCR" { format!("count:{n:010}") } else { format!("key:{n:012}") };
    let mut requests = (0..count).map(|_| key(2 * next() + usize::from(new_keys))).map(|key| {
        let mut bytes = Vec::new();
        match command {
            "SET" => write_request(&mut bytes, &[b"SET", key.as_bytes(), &VALUE]),
            "SET EX" => write_request(&mut bytes, &[b"SET", key.as_bytes(), &VALUE, b"EX", b"1000"]),
            _ => write_request(&mut bytes, &[command.as_bytes(), key.as_bytes()]),
        }
        bytes
    });
    let mut reads = Vec::new();
    while reads.len() * workload.batch < count {
        reads.push(requests.by_ref().take(workload.batch).flatten().collect());
    }
    reads
}

fn run(workload: &Workload) {
    let db = Db::in_memory().expect("a database in memory opens");
    let context = Arc::new(Context::new(Arc::clone(db.engine()), Arc::new(Settings::default())));
    let mut server = Server::new(Arc::clone(&context));
    let fill = if workload.command == "INCR" { "INCR" } else { "SET" };
    let ran: usize = reads(workload, fill, 4 * KEYS, false).iter().map(|read| server.serve(read)).sum();
    assert_eq!(ran, 4 * KEYS);
    let reads = reads(workload, workload.command, COMMANDS, workload.new_keys);
    let ran: usize = if workload.threads == 1 {
        counted(&mut server, &reads)
    } else {
        std::thread::scope(|scope| {
            let shares = reads.chunks(reads.len().div_ceil(workload.threads));
            let clients: Vec<_> = shares
                .map(|share| (Server::new(Arc::clone(&context)), share))
                .map(|(mut server, share)| scope.spawn(move || counted(&mut server, share)))
                .collect();
            clients.into_iter().map(|client| client.join().expect("no command panics")).sum()
        })
    };
    assert_eq!(ran, COMMANDS);
}

/// Instructions per command of a workload, or why they could not be counted.
fn count(workload: &Workload, folder: &Path) -> Result<f64, String> {
    let program = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let counts = folder.join(workload.name);
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(format!("--callgrind-out-file={}", counts.display()))
        .arg(program)
        .args([RUN, workload.name])
        .output()
        .map_err(|error| format!("cannot run valgrind: {error}"))?;
    if !output.status.success() {
        return Err(format!("{}: {}", workload.name, String::from_utf8_lossy(&output.stderr)));
    }
    let text = std::fs::read_to_string(&counts).map_err(|error| format!("no counts: {error}"))?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse::<u64>().ok());
    match total {
        Some(total) if total > 0 => Ok(total as f64 / COMMANDS as f64),
        _ => Err(format!("{}: callgrind has not met the function that is to be counted", workload.name)),
    }
}

fn baseline_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.txt")
}

/// Names and counts of the baseline; empty if there is none.
fn baseline() -> Vec<(String, f64)> {
    let text = std::fs::read_to_string(baseline_file()).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(name, count)| Some((name.to_owned(), count.trim().parse().ok()?)))
        .collect()
}

fn compare(accept: bool) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let baseline = baseline();
    let (mut written, mut failures) = (String::new(), Vec::new());
    println!("{:12} {:>12} {:>12} {:>8}", "workload", "instructions", "baseline", "change");
    // Why two at a time: the counts do not change by it, and there are two cores nearly everywhere.
    let counts = std::thread::scope(|scope| {
        let halves = WORKLOADS.chunks(WORKLOADS.len().div_ceil(2)).map(|half| {
            let folder = folder.path();
            scope.spawn(move || half.iter().map(|workload| count(workload, folder)).collect::<Vec<_>>())
        });
        let halves: Vec<_> = halves.collect();
        halves.into_iter().flat_map(|half| half.join().expect("counting does not panic")).collect::<Vec<_>>()
    });
    for (workload, counted) in WORKLOADS.iter().zip(counts) {
        let counted = counted?;
        let _ = writeln!(written, "{:12} {counted:.0}", workload.name);
        let Some((_, before)) = baseline.iter().find(|(name, _)| name == workload.name) else {
            println!("{:12} {counted:12.0} {:>12}", workload.name, "none");
            failures.push(format!("{} has no baseline", workload.name));
            continue;
        };
        let change = (counted / before - 1.0) * 100.0;
        println!("{:12} {counted:12.0} {before:12.0} {change:+7.1}%", workload.name);
        if change > workload.tolerance {
            failures.push(format!("{} has grown by {change:.1} %", workload.name));
        }
    }
    if accept {
        return std::fs::write(baseline_file(), written).map_err(|error| format!("the baseline: {error}"));
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("; ")) }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, name] = &args[..]
        && flag == RUN
    {
        let workload = WORKLOADS.iter().find(|workload| workload.name == name);
        run(workload.expect("the name of a workload"));
        return ExitCode::SUCCESS;
    }
    match compare(args.iter().any(|arg| arg == "--accept")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("instructions: {problem}");
            ExitCode::FAILURE
        }
    }
}
