//! The task behind a [`Client`](super::Client): it owns the connection, sends calls and hands replies out.
//!
//! Calls come through a queue and are written in its order; a server answers in order, so replies belong to the
//! oldest call that lacks some. While nothing is connected nothing is done: the next call connects.
//!
//! A call is sent at most once. Who takes its [`Claim`] first, the task to send it or the caller to give it up, decides.
//! When the connection breaks, calls whose first byte had not left are told so, all others that they may have been
//! executed.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::builder::Builder;
use super::connection::{Connection, closed_by_server};
use super::error::{Error, Executed};
use crate::resp::{ReplyParser, Value};
use crate::sync::{AtomicBool, Ordering};

/// Bytes not written yet above which no further call is taken from the queue.
const OUTPUT_BYTES_MAX: usize = 1 << 20;

/// Calls without a reply above which no further call is taken from the queue.
const PENDING_MAX: usize = 16 * 1024;

/// Room made for each read.
const READ_BYTES: usize = 64 * 1024;

/// The right to decide a call's fate, taken once.
#[derive(Debug, Clone, Default)]
pub(super) struct Claim(Arc<AtomicBool>);

impl Claim {
    /// Takes it; false if the other side did before.
    pub(super) fn take(&self) -> bool {
        // Relaxed: the flag carries no data, only the order of these swaps on itself matters.
        !self.0.swap(true, Ordering::Relaxed)
    }
}

/// Requests in one piece, and who waits for the replies.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) request: Vec<u8>,
    /// Replies to expect; at least one.
    pub(super) replies: usize,
    pub(super) answer: oneshot::Sender<Result<Vec<Value>, Error>>,
    pub(super) claim: Claim,
}

impl Call {
    fn fail(self, error: &Error) {
        // Why: a caller that is gone needs no answer.
        let _ = self.answer.send(Err(error.clone()));
    }
}

/// A call that was put into the output.
struct Pending {
    answer: oneshot::Sender<Result<Vec<Value>, Error>>,
    /// Replies that have come.
    values: Vec<Value>,
    /// Invariant: more than `values.len()`.
    replies: usize,
    /// Bytes put into the output of this connection before this call's.
    start: u64,
}

/// See the [module](self).
pub(super) struct Driver {
    settings: Builder,
    calls: mpsc::Receiver<Call>,
}

impl Driver {
    pub(super) fn new(settings: Builder, calls: mpsc::Receiver<Call>) -> Self {
        Self { settings, calls }
    }

    /// Serves calls until no handle is left.
    pub(super) async fn run(mut self, connection: Connection) {
        Session::new(&self.settings, connection).run(&mut self.calls).await;
        while let Some(first) = self.calls.recv().await {
            match self.reconnect().await {
                Ok(connection) => {
                    let mut session = Session::new(&self.settings, connection);
                    session.send(first);
                    session.run(&mut self.calls).await;
                }
                Err(error) => {
                    first.fail(&error);
                    while let Ok(call) = self.calls.try_recv() {
                        call.fail(&error);
                    }
                }
            }
        }
    }

    async fn reconnect(&self) -> Result<Connection, Error> {
        let mut attempt = 0;
        loop {
            let error = match Connection::open(&self.settings).await {
                Ok(connection) => return Ok(connection),
                // Why: a server that answers and refuses will refuse again.
                Err(error @ (Error::Server(_) | Error::Protocol { .. })) => return Err(error),
                Err(error) => error,
            };
            let Some(pause) = self.settings.reconnect.pause_after(attempt) else {
                return Err(error);
            };
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }
}

/// The life of one connection.
struct Session<'a> {
    settings: &'a Builder,
    connection: Option<Connection>,
    output: BytesMut,
    /// Bytes ever put into the output.
    queued: u64,
    /// Bytes ever written to the socket.
    written: u64,
    /// Calls that lack replies, oldest first.
    pending: VecDeque<Pending>,
    /// When something last moved: a read, or the first call after a pause.
    moved: Instant,
}

impl<'a> Session<'a> {
    fn new(settings: &'a Builder, connection: Connection) -> Self {
        Self {
            settings,
            connection: Some(connection),
            output: BytesMut::new(),
            queued: 0,
            written: 0,
            pending: VecDeque::new(),
            moved: Instant::now(),
        }
    }

    /// Serves calls until the connection breaks or there are none left and never will be.
    async fn run(mut self, calls: &mut mpsc::Receiver<Call>) {
        let Some(connection) = self.connection.take() else { return };
        let (stream, input, parser) = connection.into_parts();
        let (read, write) = tokio::io::split(stream);
        if let Err(error) = self.pump(read, write, input, parser, calls).await {
            self.fail(&error);
        }
    }

    /// Moves bytes both ways and calls in, whichever is possible.
    async fn pump(
        &mut self,
        mut read: impl tokio::io::AsyncRead + Unpin,
        mut write: impl tokio::io::AsyncWrite + Unpin,
        mut input: BytesMut,
        mut parser: ReplyParser,
        calls: &mut mpsc::Receiver<Call>,
    ) -> Result<(), Error> {
        let mut open = true;
        while open || !self.pending.is_empty() {
            input.reserve(READ_BYTES);
            let silent_at = self.silent_at();
            tokio::select! {
                // Order: reading comes first, so that an end of the connection that is already here is seen before
                // another call is sent into it.
                biased;
                count = read.read_buf(&mut input) => {
                    self.received(count, &mut input, &mut parser)?;
                }
                count = write.write_buf(&mut self.output), if self.output.has_remaining() => {
                    self.written += count.map_err(|error| self.lost(error))? as u64;
                }
                call = calls.recv(), if open && self.has_room() => match call {
                    Some(call) => {
                        self.send(call);
                        while self.has_room() && let Ok(call) = calls.try_recv() {
                            self.send(call);
                        }
                    }
                    None => open = false,
                },
                limit = silence(silent_at) => {
                    let text = format!("no sign of life within {limit:?}");
                    return Err(self.lost(io::Error::new(io::ErrorKind::TimedOut, text)));
                }
            }
        }
        Ok(())
    }

    fn has_room(&self) -> bool {
        self.output.len() < OUTPUT_BYTES_MAX && self.pending.len() < PENDING_MAX
    }

    /// Puts a call into the output, unless its caller has given up.
    fn send(&mut self, call: Call) {
        if call.answer.is_closed() || !call.claim.take() {
            return;
        }
        if self.pending.is_empty() {
            self.moved = Instant::now();
        }
        self.pending.push_back(Pending {
            answer: call.answer,
            values: Vec::with_capacity(call.replies),
            replies: call.replies,
            start: self.queued,
        });
        self.queued += call.request.len() as u64;
        self.output.extend_from_slice(&call.request);
    }

    fn received(
        &mut self,
        count: io::Result<usize>,
        input: &mut BytesMut,
        parser: &mut ReplyParser,
    ) -> Result<(), Error> {
        match count {
            Ok(0) => return Err(self.lost(closed_by_server())),
            Ok(_) => self.moved = Instant::now(),
            Err(error) => return Err(self.lost(error)),
        }
        let address = &self.settings.address;
        let protocol = |source| Error::Protocol { address: address.clone(), source };
        while let Some(value) = parser.parse(input).map_err(protocol)? {
            if !matches!(value, Value::Push(_)) {
                self.reply(value);
            }
        }
        Ok(())
    }

    /// Gives a reply to the oldest call; one that nobody asked for is dropped.
    fn reply(&mut self, value: Value) {
        let Some(oldest) = self.pending.front_mut() else { return };
        oldest.values.push(value);
        if oldest.values.len() == oldest.replies
            && let Some(done) = self.pending.pop_front()
        {
            let _ = done.answer.send(Ok(done.values));
        }
    }

    /// When the connection counts as dead, and after which silence; never while no reply is due.
    fn silent_at(&self) -> Option<(Instant, Duration)> {
        let limit = self.settings.request_timeout.filter(|_| !self.pending.is_empty())?;
        Some((self.moved + limit, limit))
    }

    fn lost(&self, error: io::Error) -> Error {
        Error::ConnectionLost {
            address: self.settings.address.clone(),
            source: Arc::new(error),
            executed: Executed::Maybe,
        }
    }

    /// Tells every call that lacks a reply what became of it.
    fn fail(&mut self, error: &Error) {
        for call in self.pending.drain(..) {
            let sent = call.start < self.written;
            let error = if sent { error.clone() } else { error.clone().not_executed() };
            let _ = call.answer.send(Err(error));
        }
    }
}

/// Ends at the given time, or never.
async fn silence(at: Option<(Instant, Duration)>) -> Duration {
    match at {
        Some((at, limit)) => {
            tokio::time::sleep_until(at).await;
            limit
        }
        None => std::future::pending().await,
    }
}
