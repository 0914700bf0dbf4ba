//! `goredis-cli` as people run it: the built program against a server that speaks literal bytes.

mod batch;
mod terminal;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

/// What one connection of the server expects and answers, in turn. Afterwards it hangs up.
type Script = &'static [(&'static str, &'static str)];

/// In the place of a request: the program hangs up, and not before.
const HANGS_UP: &str = "(hangs up)";

/// A server for as many connections as there are scripts.
struct Server {
    address: String,
    thread: JoinHandle<()>,
}

impl Server {
    fn start(scripts: &'static [Script]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound").to_string();
        let thread = std::thread::spawn(move || {
            for script in scripts {
                let (stream, _) = listener.accept().expect("a connection");
                play(stream, script);
            }
        });
        Self { address, thread }
    }

    /// Waits for the end of the last script.
    fn join(self) {
        self.thread.join().expect("the program sent what the scripts expect");
    }
}

fn play(mut stream: TcpStream, script: Script) {
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    for (request, reply) in script {
        if *request == HANGS_UP {
            assert_eq!(stream.read(&mut [0]).expect("a clean close"), 0);
            return;
        }
        let mut read = vec![0; request.len()];
        stream.read_exact(&mut read).unwrap_or_else(|error| panic!("waiting for {request:?}: {error}"));
        assert_eq!(String::from_utf8_lossy(&read), *request);
        stream.write_all(reply.as_bytes()).expect("the program reads");
    }
}
