//! A redis-server of Debian's, on a port of its own, without files.

use goredis::client::{Client, Command};
use goredis::resp::Value;
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

pub(crate) struct Redis {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Redis {
    /// Starts one that answers.
    pub(crate) async fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|door| door.local_addr()).expect("a port").port();
        let child = std::process::Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--repl-diskless-sync-delay", "0", "--enable-debug-command", "yes", "--dir"])
            .arg(folder.path())
            .args(options)
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("redis-server does not run ({error}); tools/test installs it"));
        let redis = Self { child, port, folder };
        let until = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "redis-server does not answer");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        redis
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// A client that has selected a database.
    pub(crate) async fn client(&self, db: u32) -> Client {
        let builder = Client::builder(&format!("127.0.0.1:{}", self.port)).expect("an address");
        builder.db(db).connect().await.expect("a connection")
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("its end");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // Why not looked at: it may have been killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a line of words.
pub(crate) async fn run(client: &Client, line: &str) -> Value {
    let words: Vec<_> = line.split(' ').collect();
    client.command(&words).await.unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// Bytes of its history that a primary has written.
pub(crate) async fn offset(client: &Client) -> u64 {
    let text: String = client.query(&Command::new("INFO").arg("replication")).await.expect("INFO");
    let line = text.lines().find_map(|line| line.strip_prefix("master_repl_offset:"));
    line.expect("an offset").trim().parse().expect("a number")
}
