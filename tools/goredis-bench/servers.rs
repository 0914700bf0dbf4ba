//! Servers to be measured: which there are, and their processes.
//!
//! A [`Server`] is one process in a temporary folder of its own, on a free port of 127.0.0.1. Dropped, it is killed by
//! its own process id and its folder removed; should this program be killed itself, the system kills the servers.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use goredis::resp::Value;
use rustix::process::{Signal, set_parent_process_death_signal};
use tempfile::TempDir;

use crate::control::Control;
use crate::error::BenchError;
use crate::figures::{self, Memory};
use crate::interrupt;
use crate::programs::Programs;

/// Longest time that a start may take, loading all data included.
const START_PATIENCE: Duration = Duration::from_secs(600);

/// Ports that are tried before giving up.
const PORTS_TRIED: usize = 10;

/// Which program a server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// redis-server.
    Redis,
    /// This project's.
    GoRedis,
}

/// One way to run a server, which takes part in a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contender {
    /// As the report calls it.
    pub(crate) name: String,
    /// What it runs.
    pub(crate) program: Program,
    /// Options besides those that say where it listens.
    pub(crate) options: Vec<String>,
    /// Threads that serve clients.
    pub(crate) threads: u16,
    /// Its part in the comparison.
    pub(crate) part: Part,
}

/// What a contender is compared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Ratios are against the best of these.
    Base,
    /// This one has goals to reach.
    Measured,
    /// Shown beside them.
    Beside,
}

impl Contender {
    fn redis_with(name: &str, options: &[&str], part: Part) -> Self {
        let options = owned(&[&["--save", ""], options].concat());
        Self { name: name.to_owned(), program: Program::Redis, options, threads: 1, part }
    }

    fn goredis_with(name: &str, options: &[&str], threads: u16, part: Part) -> Self {
        let mut options = owned(options);
        options.extend(["-threads".to_owned(), threads.to_string()]);
        let name = if threads == 1 { name.to_owned() } else { format!("{name}, {threads} threads") };
        Self { name, program: Program::GoRedis, options, threads, part }
    }

    /// Redis without files, what others are compared to.
    pub(crate) fn redis() -> Self {
        Self::redis_with("Redis, no log", &["--appendonly", "no"], Part::Base)
    }

    /// The same with I/O threads, its own included.
    pub(crate) fn redis_io_threads(threads: u16) -> Self {
        let options =
            ["--appendonly", "no", "--io-threads", &threads.to_string(), "--io-threads-do-reads", "yes"];
        let redis = Self::redis_with(&format!("Redis, no log, {threads} I/O threads"), &options, Part::Base);
        Self { threads, ..redis }
    }

    /// Redis with its append-only file, synced every second.
    pub(crate) fn redis_logging() -> Self {
        let options = ["--appendonly", "yes", "--appendfsync", "everysec"];
        Self::redis_with("Redis, append-only file", &options, Part::Beside)
    }

    /// Redis with its append-only file, synced before each reply.
    pub(crate) fn redis_always() -> Self {
        let options = ["--appendonly", "yes", "--appendfsync", "always"];
        Self::redis_with("Redis, appendfsync always", &options, Part::Base)
    }

    /// This project's server with its log, synced every second.
    pub(crate) fn goredis(threads: u16) -> Self {
        let options = ["-persist", "-dbfile", "data.db", "-fsync", "everysec"];
        Self::goredis_with("GoRedis, -persist", &options, threads, Part::Measured)
    }

    /// This project's server with its log, synced before each reply.
    pub(crate) fn goredis_always(threads: u16) -> Self {
        let options = ["-persist", "-dbfile", "data.db", "-fsync", "always"];
        Self::goredis_with("GoRedis, fsync always", &options, threads, Part::Measured)
    }

    /// This project's server without files.
    pub(crate) fn goredis_in_memory(threads: u16) -> Self {
        Self::goredis_with("GoRedis, in memory", &[], threads, Part::Beside)
    }

    /// The command line, without the port, as one would type it.
    pub(crate) fn command_line(&self) -> String {
        let program = match self.program {
            Program::Redis => "redis-server",
            Program::GoRedis => "goredis",
        };
        let quoted = |option: &String| if option.is_empty() { "''".to_owned() } else { option.clone() };
        let options: Vec<String> = self.options.iter().map(quoted).collect();
        format!("{program} {}", options.join(" "))
    }
}

/// A running server; killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    contender: Contender,
    program: PathBuf,
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Server {
    /// Starts `contender` in a new folder inside `parent`, and waits until it serves.
    pub(crate) fn start(
        programs: &Programs,
        contender: &Contender,
        parent: &Path,
    ) -> Result<Self, BenchError> {
        let mut tried = 1;
        loop {
            let mut server = Self::spawn(programs, contender, parent)?;
            if server.serves()? {
                return Ok(server);
            }
            // Why again: between the system's choice of a port and the server's bind, anybody may take it.
            if tried == PORTS_TRIED || is_free(server.port) {
                return Err(server.did_not_start());
            }
            tried += 1;
        }
    }

    /// What it runs as.
    pub(crate) fn contender(&self) -> &Contender {
        &self.contender
    }

    /// As the report calls it.
    pub(crate) fn name(&self) -> &str {
        &self.contender.name
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A new connection for questions.
    pub(crate) fn control(&self) -> Result<Control, BenchError> {
        Control::connect(self.name(), self.port)
    }

    /// Processor time since its start.
    pub(crate) fn cpu_time(&self) -> Result<Duration, BenchError> {
        figures::cpu_time(self.child.id())
    }

    /// Its resident memory now.
    pub(crate) fn memory(&self) -> Result<Memory, BenchError> {
        figures::memory(self.child.id())
    }

    /// Kills it as `kill -9` does, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        // Why: an error says that it has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again after [`Server::kill`], with the files that it left, and tells how long it took to serve.
    pub(crate) fn restart(&mut self) -> Result<Duration, BenchError> {
        let started = Instant::now();
        self.child = run(&self.program, &self.contender, self.port, self.folder.path())?;
        if self.serves()? { Ok(started.elapsed()) } else { Err(self.did_not_start()) }
    }

    fn spawn(programs: &Programs, contender: &Contender, parent: &Path) -> Result<Self, BenchError> {
        let folder = tempfile::Builder::new().prefix("server-").tempdir_in(parent);
        let folder = folder.map_err(BenchError::file("make a folder in", parent))?;
        let program = programs.path(contender.program).to_owned();
        let port = free_port().map_err(BenchError::connection(&contender.name))?;
        let child = run(&program, contender, port, folder.path())?;
        Ok(Self { contender: contender.clone(), program, child, port, folder })
    }

    /// Waits until it serves (true) or has ended (false).
    fn serves(&mut self) -> Result<bool, BenchError> {
        let started = Instant::now();
        while started.elapsed() < START_PATIENCE {
            if self.has_ended()? {
                return Ok(false);
            }
            if self.answers() {
                return Ok(true);
            }
            interrupt::sleep(Duration::from_millis(2))?;
        }
        Err(BenchError::TooLong { what: "a server's start", seconds: START_PATIENCE.as_secs() })
    }

    fn has_ended(&mut self) -> Result<bool, BenchError> {
        let state = self.child.try_wait();
        Ok(state.map_err(BenchError::file("watch", &self.program))?.is_some())
    }

    /// Whether this very process answers, and has its data. A server that still loads answers with an error.
    fn answers(&self) -> bool {
        let ask = || -> Result<bool, BenchError> {
            let mut control = self.control()?;
            let pong = control.try_ask(&["PING"], Duration::from_secs(1))?;
            // Why: another program may have got the port in between.
            let process = control.info("server", "process_id")?;
            Ok(pong == Value::Simple("PONG".to_owned()) && process == self.child.id().to_string())
        };
        ask().unwrap_or(false)
    }

    fn did_not_start(&self) -> BenchError {
        let last_line = |name: &str| {
            let text = fs::read(self.folder.path().join(name)).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            text.lines().rev().find(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned())
        };
        let reason = last_line("stderr").or_else(|| last_line("stdout"));
        let reason = reason.unwrap_or_else(|| "it ended without a word".to_owned());
        BenchError::DidNotStart { server: self.contender.name.clone(), reason }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn run(program: &Path, contender: &Contender, port: u16, folder: &Path) -> Result<Child, BenchError> {
    let file = |name: &str| {
        let path = folder.join(name);
        File::create(&path).map_err(BenchError::file("make", path))
    };
    let mut command = Command::new(program);
    command
        .args(&contender.options)
        .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(file("stdout")?)
        .stderr(file("stderr")?)
        // Why: Ctrl-C is for this program, which ends its servers when it has stopped to talk to them.
        .process_group(0);
    // SAFETY: between fork and exec the closure makes one system call and touches no memory of others.
    unsafe {
        command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
    }
    command.spawn().map_err(|source| BenchError::NoProgram {
        program: program.to_owned(),
        help: "is it there and executable?",
        source,
    })
}

fn owned(options: &[&str]) -> Vec<String> {
    options.iter().map(|&option| option.to_owned()).collect()
}

/// A port that was free a moment ago.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
