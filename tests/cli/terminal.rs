//! The prompt, at a real pseudo-terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::{HANGS_UP, Server};

/// How long anything may take. Keys must not be typed before the prompt is there: the terminal would treat them as its
/// own.
const PATIENCE: Duration = Duration::from_secs(20);

/// The program at a terminal, and what it has shown.
struct Terminal {
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    /// What was shown since the last expectation.
    seen: String,
    child: Child,
    home: tempfile::TempDir,
}

impl Terminal {
    fn open(address: &str) -> Self {
        let (master, slave) = open_pty();
        let home = tempfile::tempdir().expect("a folder");
        let input = || slave.try_clone().expect("a descriptor");
        let mut command = Command::new(env!("CARGO_BIN_EXE_goredis-cli"));
        command
            .args(["-addr", address])
            .env("HOME", home.path())
            .env("TERM", "xterm")
            .env_remove("REDISCLI_AUTH");
        command.stdin(input()).stdout(input()).stderr(input());
        // SAFETY: between fork and exec only these two system calls are made, which are async-signal-safe.
        unsafe {
            command.pre_exec(|| {
                libc::setsid();
                libc::ioctl(0, libc::TIOCSCTTY, 0);
                Ok(())
            });
        }
        let child = command.spawn().expect("the program starts");
        let keyboard = File::from(master);
        let mut output = keyboard.try_clone().expect("a descriptor");
        let (shown, screen) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                if shown.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { keyboard, screen, seen: String::new(), child, home }
    }

    fn type_keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal is open");
    }

    /// Waits until all of `texts` were shown, in this order.
    #[track_caller]
    fn expect(&mut self, texts: &[&str]) {
        let deadline = Instant::now() + PATIENCE;
        for text in texts {
            while !self.seen.contains(text) {
                let left = deadline.saturating_duration_since(Instant::now());
                let Ok(shown) = self.screen.recv_timeout(left) else {
                    panic!("waiting for {text:?}, saw {:?}", self.seen);
                };
                self.seen.push_str(&String::from_utf8_lossy(&shown));
            }
            let end = self.seen.find(text).map_or(0, |at| at + text.len());
            self.seen.drain(..end);
        }
    }

    #[track_caller]
    fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the program does not end");
    }

    fn history(&self) -> String {
        std::fs::read_to_string(self.home.path().join(".goredis_cli_history")).expect("a history")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Why: after a failed expectation nobody else ends the program; one that has ended needs no killing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn open_pty() -> (OwnedFd, OwnedFd) {
    let (mut master, mut slave) = (-1, -1);
    let none = std::ptr::null_mut();
    // SAFETY: both descriptors are valid places to write to, and null stands for "no name, no settings".
    let opened = unsafe { libc::openpty(&raw mut master, &raw mut slave, none, none.cast(), none.cast()) };
    assert_eq!(opened, 0, "{}", std::io::Error::last_os_error());
    // SAFETY: openpty succeeded, so both are open and belong to nobody else.
    let pair = unsafe { (OwnedFd::from_raw_fd(master), OwnedFd::from_raw_fd(slave)) };
    // SAFETY: the descriptor is open; the flag keeps the master out of the program, so that closing it ends the terminal.
    unsafe { libc::fcntl(pair.0.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) };
    pair
}

const ASK_DOCS: &str = "*2\r\n$7\r\nCOMMAND\r\n$4\r\nDOCS\r\n";
const DOCS: &str = "*2\r\n$3\r\nget\r\n*4\r\n$7\r\nsummary\r\n$8\r\nReturns.\r\n$9\r\narguments\r\n*1\r\n*2\r\n\
                    $4\r\nname\r\n$3\r\nkey\r\n";
const SELECT_1: &str = "*2\r\n$6\r\nselect\r\n$1\r\n1\r\n";
const PING: &str = "*1\r\n$4\r\nping\r\n";

#[test]
fn the_prompt_shows_address_database_and_transaction_and_survives_a_lost_connection() {
    let server = Server::start(&[
        &[
            (ASK_DOCS, DOCS),
            ("*3\r\n$3\r\nset\r\n$4\r\nname\r\n$8\r\nJohn Doe\r\n", "+OK\r\n"),
            (SELECT_1, "+OK\r\n"),
            ("*1\r\n$5\r\nmulti\r\n", "+OK\r\n"),
            ("*2\r\n$3\r\nget\r\n$1\r\na\r\n", "+QUEUED\r\n"),
            ("*1\r\n$4\r\nexec\r\n", "*1\r\n$3\r\nx\"y\r\n"),
            (PING, ""),
        ],
        &[("*2\r\n$6\r\nSELECT\r\n$1\r\n1\r\n", "+OK\r\n"), (PING, "+PONG\r\n")],
    ]);
    let address = server.address.clone();
    let prompt = |state: &str| format!("{address}{state}> ");
    let mut terminal = Terminal::open(&address);
    terminal.expect(&[&prompt("")]);
    terminal.type_keys("set name \"John Doe\"\r");
    terminal.expect(&["OK\r\n", &prompt("")]);
    terminal.type_keys("select 1\r");
    terminal.expect(&["OK\r\n", &prompt("[1]")]);
    terminal.type_keys("multi\r");
    terminal.expect(&["OK\r\n", &prompt("[1](TX)")]);
    terminal.type_keys("get a\r");
    terminal.expect(&["QUEUED\r\n", &prompt("[1](TX)")]);
    terminal.type_keys("exec\r");
    terminal.expect(&["1) \"x\\\"y\"\r\n", &prompt("[1]")]);
    terminal.type_keys("ping\r");
    let reconnected = format!("Reconnected to {address}.");
    terminal.expect(&["the command may have been executed", &reconnected, &prompt("[1]")]);
    terminal.type_keys("ping\r");
    terminal.expect(&["PONG\r\n", &prompt("[1]")]);
    terminal.type_keys("exit\r");
    assert!(terminal.wait().success());
    server.join();
    assert!(
        terminal.history().contains("set name \"John Doe\"\nselect 1\nmulti\n"),
        "{}",
        terminal.history()
    );
}

#[test]
fn commands_are_completed_hinted_at_and_explained_and_passwords_stay_out_of_the_history() {
    let server = Server::start(&[&[
        (ASK_DOCS, DOCS),
        ("*2\r\n$3\r\nget\r\n$1\r\na\r\n", "$-1\r\n"),
        ("*2\r\n$4\r\nauth\r\n$6\r\nsecret\r\n", "+OK\r\n"),
    ]]);
    let mut terminal = Terminal::open(&server.address);
    terminal.expect(&["> "]);
    terminal.type_keys("g\t");
    terminal.expect(&["get", "key"]);
    terminal.type_keys(" a\r");
    terminal.expect(&["(nil)\r\n", "> "]);
    terminal.type_keys("help get\r");
    terminal.expect(&["GET key\r\n", "summary: Returns.\r\n", "> "]);
    terminal.type_keys("auth secret\r");
    terminal.expect(&["OK\r\n", "> "]);
    terminal.type_keys("\x04");
    assert!(terminal.wait().success());
    server.join();
    assert!(terminal.history().contains("help get") && !terminal.history().contains("secret"));
}

#[test]
fn a_command_of_a_lost_transaction_is_not_run_by_itself() {
    let server =
        Server::start(&[&[(ASK_DOCS, DOCS), ("*1\r\n$5\r\nmulti\r\n", "+OK\r\n")], &[(PING, "+PONG\r\n")]]);
    let mut terminal = Terminal::open(&server.address);
    terminal.expect(&["> "]);
    terminal.type_keys("multi\r");
    terminal.expect(&["OK\r\n", "(TX)> "]);
    terminal.type_keys("set a 1\r");
    terminal.expect(&["The transaction is lost.", "executed", "Reconnected to", "> "]);
    terminal.type_keys("ping\r");
    terminal.expect(&["PONG\r\n", "> "]);
    terminal.type_keys("\x04");
    assert!(terminal.wait().success());
    server.join();
}

#[test]
fn ctrl_c_takes_the_place_of_a_reply_and_twice_at_the_prompt_ends_it() {
    let server = Server::start(&[
        &[(ASK_DOCS, DOCS), ("*3\r\n$5\r\nblpop\r\n$1\r\nq\r\n$1\r\n0\r\n", ""), (HANGS_UP, "")],
        &[(PING, "+PONG\r\n")],
    ]);
    let mut terminal = Terminal::open(&server.address);
    terminal.expect(&["> "]);
    terminal.type_keys("blpop q 0\r");
    terminal.expect(&["\n"]);
    std::thread::sleep(Duration::from_millis(300));
    terminal.type_keys("\x03");
    terminal.expect(&["Reconnected to", "> "]);
    terminal.type_keys("ping\r");
    terminal.expect(&["PONG\r\n", "> "]);
    terminal.type_keys("\x03");
    terminal.expect(&["press Ctrl-C again", "> "]);
    terminal.type_keys("\x03");
    assert!(terminal.wait().success());
    server.join();
}
