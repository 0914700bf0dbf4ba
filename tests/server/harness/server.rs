//! A server process: started on a free port, ended by its own id.

use super::wire::Wire;
use super::{PATIENCE, until};
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How a server is started, any number of times in the same folder.
#[derive(Clone, Debug)]
pub struct Launch {
    folder: Arc<TempDir>,
    args: Vec<String>,
}

/// How a server that did not start ended.
#[derive(Debug)]
pub struct Refusal {
    pub status: ExitStatus,
    /// What it wrote to standard error.
    pub complaint: String,
}

impl Launch {
    /// A server in a new folder, with these options besides its port.
    pub fn new(args: &[&str]) -> Self {
        let folder = Arc::new(TempDir::new().expect("a temporary folder"));
        Self { folder, args: args.iter().map(|&arg| arg.to_owned()).collect() }
    }

    /// A server that keeps its data in `data.db` in a new folder, and compacts only when asked.
    pub fn persistent(args: &[&str]) -> Self {
        Self::new(&["-persist", "-dbfile", "data.db", "-save", ""]).with(args)
    }

    /// The same with more options.
    pub fn with(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(|&arg| arg.to_owned()));
        self
    }

    /// The folder in which it runs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The database file of [`Launch::persistent`].
    pub fn dbfile(&self) -> PathBuf {
        self.folder().join("data.db")
    }

    /// The files of the log, oldest first.
    pub fn segments(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder()).expect("the folder");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        // Why not by a part of the name: a segment that is being made has a longer one.
        let is_segment =
            |name: &str| name.strip_prefix("data.db.log.").is_some_and(|at| at.parse::<u64>().is_ok());
        paths.retain(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_segment));
        paths.sort();
        paths
    }

    /// Starts it and waits until it serves.
    #[track_caller]
    pub fn start(&self) -> Server {
        // Why: between the kernel's choice of a port and the server's bind, anybody may take it.
        for _ in 0..20 {
            let mut server = self.spawn(free_port());
            if server.serves() {
                return server;
            }
            let complaint = server.complaint();
            assert!(complaint.contains("another program does already"), "did not start: {complaint}");
        }
        panic!("no port stays free");
    }

    /// Starts it on `port` where it must not get far, and waits for its end.
    #[track_caller]
    pub fn refusal_on(&self, port: u16) -> Refusal {
        let mut server = self.spawn(port);
        let status = server.wait();
        Refusal { status, complaint: server.complaint() }
    }

    /// Starts it where it must not get far, and waits for its end.
    #[track_caller]
    pub fn refusal(&self) -> Refusal {
        self.refusal_on(free_port())
    }

    fn spawn(&self, port: u16) -> Server {
        let file = |name: &str| File::create(self.folder().join(name)).expect("a file for messages");
        let child = Command::new(env!("CARGO_BIN_EXE_goredis"))
            .args(&self.args)
            .args(["-port", &port.to_string()])
            .current_dir(self.folder())
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .expect("the server's program");
        Server { child, port, launch: self.clone() }
    }
}

impl Refusal {
    /// Checks that it ended by itself with a status of failure and one line that holds all of `parts`.
    #[track_caller]
    pub fn says(&self, parts: &[&str]) {
        assert_eq!(self.status.code(), Some(1), "{self:?}");
        assert_eq!(self.complaint.lines().count(), 1, "one line: {}", self.complaint);
        for part in parts {
            assert!(self.complaint.contains(part), "no {part:?} in: {}", self.complaint);
        }
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    port: u16,
    launch: Launch,
}

impl Server {
    /// Starts a server that keeps nothing.
    #[track_caller]
    pub fn start(args: &[&str]) -> Self {
        Launch::new(args).start()
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A new connection.
    #[track_caller]
    pub fn connect(&self) -> Wire {
        self.try_connect().expect("a connection")
    }

    /// A new connection, if the server takes it.
    pub fn try_connect(&self) -> std::io::Result<Wire> {
        Ok(Wire::new(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?))
    }

    /// Kills it as `kill -9` does, and waits until it is gone.
    pub fn kill(&mut self) {
        // Why: an error says that it has ended already, which the wait tells again.
        let _ = self.child.kill();
        self.child.wait().expect("the server's end");
    }

    /// Kills it and starts it again.
    #[track_caller]
    pub fn killed_and_restarted(mut self) -> Self {
        self.kill();
        self.launch.start()
    }

    /// Asks it to stop, and waits until it has.
    #[track_caller]
    pub fn stop(mut self) -> ExitStatus {
        let id = libc::pid_t::try_from(self.child.id()).expect("a process id");
        // SAFETY: the call touches no memory; the child is not waited for yet, so the id is still its own.
        assert_eq!(unsafe { libc::kill(id, libc::SIGTERM) }, 0);
        self.wait()
    }

    /// Waits until it has ended by itself.
    #[track_caller]
    pub fn ended(mut self) -> ExitStatus {
        self.wait()
    }

    /// What it wrote to standard output.
    pub fn messages(&self) -> String {
        fs::read_to_string(self.launch.folder().join("stdout")).unwrap_or_default()
    }

    /// What it wrote to standard error.
    pub fn complaint(&self) -> String {
        fs::read_to_string(self.launch.folder().join("stderr")).unwrap_or_default()
    }

    #[track_caller]
    fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        until("the server's end", || {
            status = self.child.try_wait().expect("the server's state");
            status.is_some()
        });
        status.expect("it ended")
    }

    /// Waits until it serves clients (true) or has ended (false).
    fn serves(&mut self) -> bool {
        let started = Instant::now();
        loop {
            if self.child.try_wait().expect("the server's state").is_some() {
                return false;
            }
            // Why: by its message, not by a connection, which another program might have answered.
            if self.messages().contains("Ready to accept connections") {
                return true;
            }
            assert!(started.elapsed() < PATIENCE, "did not start in time: {}", self.messages());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let complaint = self.complaint();
        if !complaint.is_empty() && std::thread::panicking() {
            eprintln!("the server wrote: {complaint}");
        }
    }
}
