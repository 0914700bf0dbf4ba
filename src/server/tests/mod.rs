//! A server in this process, talked to with literal bytes over real sockets.

mod blocking;
mod doors;
mod ending;
mod limits;
mod pause;
mod protocol;
mod replication;

use super::*;
use crate::settings::Settings;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longest that anything in these tests may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server.
struct Running {
    address: SocketAddr,
    context: Arc<Context>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Running {
    fn start(settings: &[(&str, &str)]) -> Self {
        let settings = Arc::new(Settings::with(settings).expect("settings"));
        let engine = database::open(&settings, crate::replication::OpenWish::default()).expect("an engine");
        let context = Arc::new(Context::new(engine, settings));
        let bound = Bound::tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("an address");
        let listeners = bound.listen(511).expect("listening");
        let address = listeners.addresses()[0];
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(run(listeners, Arc::clone(&context), async move {
            // Why: a test that drops the sender wants the server to go on until its runtime ends.
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
        }));
        Self { address, context, stop, served }
    }

    async fn client(&self) -> Client {
        let socket = TcpStream::connect(self.address).await.expect("connected");
        socket.set_nodelay(true).expect("no delay");
        Client { socket }
    }

    /// Waits until so many clients are connected.
    async fn until_connected(&self, clients: usize) {
        let reached = async {
            while self.context.clients.count() != clients {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, reached).await.expect("the number of clients");
    }

    /// Asks the server to stop and waits until it has.
    async fn stop(self) {
        self.stop.send(()).expect("the server runs");
        timeout(PATIENCE, self.served).await.expect("stopped in time").expect("stopped");
    }
}

/// A client that knows no protocol.
struct Client {
    socket: TcpStream,
}

impl Client {
    async fn send(&mut self, bytes: &[u8]) {
        timeout(PATIENCE, self.socket.write_all(bytes)).await.expect("in time").expect("sent");
    }

    /// Reads exactly what is expected.
    #[track_caller]
    fn expect(&mut self, expected: &[u8]) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let mut got = vec![0; expected.len()];
            let read = timeout(PATIENCE, self.socket.read_exact(&mut got)).await;
            read.unwrap_or_else(|_| panic!("no reply in time, at {caller}"))
                .unwrap_or_else(|error| panic!("{error}, at {caller}"));
            let (got, expected) = (String::from_utf8_lossy(&got), String::from_utf8_lossy(expected));
            assert_eq!(got, expected, "at {caller}");
        }
    }

    /// Everything until the server closes.
    async fn rest(&mut self) -> String {
        let mut got = Vec::new();
        let read = timeout(PATIENCE, self.socket.read_to_end(&mut got)).await;
        read.expect("closed in time").expect("closed in order");
        String::from_utf8(got).expect("text")
    }

    /// Waits until the server has closed, in whatever way.
    async fn gone(&mut self) {
        let read = timeout(PATIENCE, self.socket.read(&mut [0])).await.expect("closed in time");
        assert!(matches!(read, Ok(0) | Err(_)), "the server still talks");
    }

    /// Sends requests and reads no replies, until the server does not read any more.
    async fn ask_until_stalled(&mut self) {
        let request = format!("ECHO {}\r\n", "v".repeat(60_000)).into_bytes();
        let asking = async {
            loop {
                self.socket.write_all(&request).await.expect("written");
            }
        };
        timeout(Duration::from_millis(500), asking).await.expect_err("the server stops reading");
    }

    async fn ping(&mut self) {
        self.send(b"*1\r\n$4\r\nPING\r\n").await;
        self.expect(b"+PONG\r\n").await;
    }
}
