//! Redis's own Sentinel, three of it and unchanged, over a primary and two replicas: the primary is killed, a replica
//! takes its place, the other follows that one, and the old primary is made a replica when it comes back. redis-py's
//! Sentinel client follows all the while.
//!
//! `GOREDIS_TEST_SENTINEL_SERVER` names another server program, such as redis-server, to show that the drill itself is
//! right. A tool that is missing fails the test: `tools/test` installs them.

use crate::harness::{Reply, Wire, until};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// What the sentinels call the group of servers.
const GROUP: &str = "drill";

/// A server or a sentinel in a folder of its own; killed when dropped.
struct Node {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Node {
    /// Starts `program` on the configuration file in the folder.
    fn start(program: &str, port: u16, folder: TempDir) -> Self {
        let child = spawn(program, folder.path());
        let node = Self { child, port, folder };
        until("a node that answers", || node.try_ask("PING").is_some_and(|reply| reply.text() == "PONG"));
        node
    }

    /// Kills it as `kill -9` does; gives the folder back.
    fn kill(mut self) -> (u16, TempDir) {
        end(&mut self.child);
        let port = self.port;
        let other = TempDir::new().expect("a folder");
        (port, std::mem::replace(&mut self.folder, other))
    }

    fn try_ask(&self, line: &str) -> Option<Reply> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok()?;
        let mut wire = Wire::new(stream);
        wire.try_send(format!("{line}\r\n").as_bytes()).ok()?;
        wire.reply().ok()
    }

    /// A field of INFO replication; empty where there is none.
    fn field(&self, name: &str) -> String {
        let info = self.try_ask("INFO replication").map(|reply| reply.text()).unwrap_or_default();
        let found =
            info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::to_owned));
        found.unwrap_or_default()
    }

    /// Whether it follows the server on a port, and has all that there is.
    fn follows(&self, port: u16) -> bool {
        self.field("role") == "slave"
            && self.field("master_port") == port.to_string()
            && self.field("master_link_status") == "up"
    }

    fn messages(&self) -> String {
        fs::read_to_string(self.folder.path().join("stdout")).unwrap_or_default()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        end(&mut self.child);
        if std::thread::panicking() {
            eprintln!("on port {}: {}", self.port, self.messages());
        }
    }
}

fn end(child: &mut Child) {
    // Why: an error says that it has ended already, which the wait tells again.
    let _ = child.kill();
    let _ = child.wait();
}

fn spawn(program: &str, folder: &Path) -> Child {
    let messages = || File::options().create(true).append(true).open(folder.join("stdout")).expect("a file");
    let spawned = Command::new(program)
        .arg(folder.join("node.conf"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(messages())
        .stderr(messages())
        .spawn();
    spawned.unwrap_or_else(|error| panic!("{program} does not run ({error}); tools/test installs it"))
}

/// As many ports as asked for, all free a moment ago.
fn free_ports(count: usize) -> Vec<u16> {
    let bind = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let listeners: Vec<_> = (0..count).map(bind).collect();
    listeners.iter().map(|listener| listener.local_addr().expect("its address").port()).collect()
}

fn server_program() -> String {
    let named = std::env::var("GOREDIS_TEST_SENTINEL_SERVER");
    named.unwrap_or_else(|_| env!("CARGO_BIN_EXE_goredis").to_owned())
}

/// A server that keeps its data, and follows the server on `primary` if that is named.
fn server(port: u16, primary: Option<u16>) -> Node {
    let folder = TempDir::new().expect("a folder");
    let follows = primary.map_or_else(String::new, |port| format!("replicaof 127.0.0.1 {port}\n"));
    let text = format!(
        "port {port}\nbind 127.0.0.1\ndir {}\nappendonly yes\nappendfsync everysec\nsave \"\"\n{follows}",
        folder.path().display()
    );
    fs::write(folder.path().join("node.conf"), text).expect("a configuration");
    Node::start(&server_program(), port, folder)
}

fn sentinel(port: u16, primary: u16) -> Node {
    let folder = TempDir::new().expect("a folder");
    let text = format!(
        "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor {GROUP} 127.0.0.1 {primary} 2\n\
         sentinel down-after-milliseconds {GROUP} 1000\nsentinel failover-timeout {GROUP} 6000\n\
         sentinel parallel-syncs {GROUP} 1\n",
        folder.path().display()
    );
    fs::write(folder.path().join("node.conf"), text).expect("a configuration");
    Node::start("redis-sentinel", port, folder)
}

/// A number that a sentinel tells of the group.
fn told(sentinel: &Node, name: &str) -> Option<u64> {
    let Reply::Array(fields) = sentinel.try_ask(&format!("SENTINEL MASTER {GROUP}"))? else { return None };
    let mut words = fields.iter().map(Reply::text);
    words.find(|word| word == name)?;
    words.next()?.parse().ok()
}

/// redis-py's Sentinel client at work.
struct Application {
    child: Child,
    said: BufReader<std::process::ChildStdout>,
}

impl Application {
    fn start(sentinels: &[Node]) -> Self {
        let python = std::env::var("GOREDIS_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/server/sentinel.py");
        let ports = sentinels.iter().map(|sentinel| sentinel.port.to_string());
        let mut child = Command::new(python)
            .args([script, GROUP])
            .args(ports)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python runs");
        let said = BufReader::new(child.stdout.take().expect("an output"));
        Self { child, said }
    }

    fn tell(&mut self, word: &str) {
        let input = self.child.stdin.as_mut().expect("an input");
        input.write_all(format!("{word}\n").as_bytes()).expect("the application listens");
    }

    #[track_caller]
    fn says(&mut self, expected: &str) {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("the application speaks");
        assert_eq!(line.trim_end(), expected);
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

#[test]
fn sentinels_fail_over_a_killed_primary_and_take_it_back_as_a_replica() {
    let ports = free_ports(6);
    let primary = server(ports[0], None);
    let replicas = [server(ports[1], Some(ports[0])), server(ports[2], Some(ports[0]))];
    for replica in &replicas {
        until("a replica that follows", || replica.follows(ports[0]));
    }
    let sentinels: Vec<Node> = ports[3..].iter().map(|&port| sentinel(port, ports[0])).collect();
    for sentinel in &sentinels {
        until("sentinels and replicas that know of each other", || {
            told(sentinel, "num-slaves") == Some(2) && told(sentinel, "num-other-sentinels") == Some(2)
        });
    }
    let mut application = Application::start(&sentinels);
    application.says("wrote before");

    let (old_port, folder) = primary.kill();
    application.tell("killed");
    let promoted = || replicas.iter().position(|replica| replica.field("role") == "master");
    until("a promoted replica", || promoted().is_some());
    let promoted = promoted().expect("it stays promoted");
    let new_port = replicas[promoted].port;
    let other = &replicas[1 - promoted];
    until("the other replica, which follows the new primary", || other.follows(new_port));
    application.says("wrote after");

    let returned = Node::start(&server_program(), old_port, folder);
    until("the old primary as a replica", || returned.follows(new_port));
    application.tell("returned");
    application.says("read after from every replica");
    for replica in [other, &returned] {
        let text = |key: &str| replica.try_ask(&format!("GET {key}")).expect("an answer").text();
        until("what was written last", || text("after") == "2");
        assert_eq!(text("before"), "1", "on port {}", replica.port);
    }
    let conf = fs::read_to_string(returned.folder.path().join("node.conf")).expect("its configuration");
    assert!(conf.contains(&format!("replicaof 127.0.0.1 {new_port}")), "{conf}");
}
