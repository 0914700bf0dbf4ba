//! One client, from its first byte to its last: read, parse, execute, reply, and again.
//!
//! A batch is what one read brought, cut at [`REQUESTS_MAX`] requests. Its replies are on their way before more is
//! executed, and all of them are written before more is read: a client that does not read its replies is not read
//! from, so what it can make the server hold is one read and one batch of replies. While it has nothing to say it
//! owns no buffers (see [`super::work`]).
//!
//! A subscriber's task waits for messages as well. They go out between replies, a bounded part at a time: before a
//! batch is executed, and while no request comes.
//!
//! The task ends, and the socket closes, when the client goes, when somebody kills it (CLIENT KILL, the idle
//! timeout, the server's stop), after QUIT, and after bytes that are no request. Every wait ends when the client
//! is killed; a wait for something that a reply depends on goes on for a while where the kill is to take effect
//! after the reply (see [`kill`]).
//!
//! | file | owns |
//! |---|---|
//! | this one | the turn: receive, parse, execute |
//! | [`reply`] | replies on their way to the client, and the last one |
//! | [`later`] | what a command leaves to its connection |
//! | [`wait`] | waiting for a key |
//! | [`patience`] | waiting for a position |
//! | [`kill`] | waiting |
//! | `feed` | a client that is a replica |

mod feed;
mod kill;
mod later;
mod patience;
mod reply;
mod wait;

use super::stream::Stream;
use super::work::{Remnant, Scan, Work};
use crate::clock::Millis;
use crate::command::clients::{Buffers, ClientHandle, KillState, Registration};
use crate::command::context::Context;
use crate::command::dispatch::{self, Flow};
use crate::command::replicas::Introduction;
use crate::command::session::Session;
use crate::command::stats::Counter;
use crate::resp::{Limits, RequestParser};
use kill::KillSwitch;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;

/// Most requests that run before their replies are sent and other connections of the thread get their turn.
const REQUESTS_MAX: usize = 1024;

/// Reads that a connection may make without a wait before other connections of the thread get their turn.
const READS_MAX: u32 = 32;

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client went, or its socket failed.
    Gone,
    /// Somebody wants it to be closed at once.
    Killed,
    /// It left more unread than it may, which has been counted.
    OverLimit,
    /// Everything due was sent, and nothing more will be.
    Finished,
    /// The client is a replica, to be fed from now on.
    Feeds,
}

/// What a connection waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrival {
    /// So many bytes from the client; 0 is the end.
    Bytes(usize),
    /// Pushes for it.
    Pushes,
}

/// One client's connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    context: Arc<Context>,
    client: Arc<ClientHandle>,
    session: Session,
    parser: RequestParser,
    /// Bytes that the parser is known to lack.
    want: usize,
    /// Reads since the connection last waited for bytes or yielded.
    reads: u32,
    /// Who the replica is that the client has turned out to be.
    replica: Option<Introduction>,
    /// Bytes have come while a command waited, and were not parsed yet.
    has_unscanned: bool,
    /// The buffers, while the connection is busy.
    work: Option<Box<Work>>,
    /// The start of a request, while it is not.
    remnant: Remnant,
    net_input_bytes: u64,
    net_output_bytes: u64,
    last_active: Millis,
    /// The place among the clients, given back at the end.
    _registration: Registration,
}

impl Connection {
    /// A connection that has sent nothing yet.
    pub(super) fn new(stream: Stream, context: Arc<Context>, registration: Registration) -> Self {
        let client = registration.handle();
        let authenticated = context.settings.requirepass().is_empty();
        Self {
            stream,
            context,
            session: Session::new(Arc::clone(&client), authenticated),
            parser: RequestParser::new(),
            want: 0,
            reads: 0,
            replica: None,
            has_unscanned: false,
            work: None,
            remnant: Remnant::default(),
            net_input_bytes: 0,
            net_output_bytes: 0,
            last_active: client.connected_at(),
            client,
            _registration: registration,
        }
    }

    /// Serves the client until it or somebody else ends it.
    pub(super) async fn serve(mut self) {
        let client = Arc::clone(&self.client);
        let mut kill = KillSwitch::new(&client);
        let end = loop {
            if let Err(end) = self.turn(&mut kill).await {
                break end;
            }
        };
        if end == End::Killed {
            self.note_cut_off();
        }
        tracing::debug!(client = client.id(), ?end, "connection ends");
        if end == End::Finished {
            self.hang_up(&mut kill).await;
        }
        if end == End::Feeds {
            drop(kill);
            // Why boxed: every connection would have room for it.
            Box::pin(self.feed()).await;
        }
    }

    /// Reads once, and executes what has come; or sends on what came for a subscriber meanwhile.
    async fn turn(&mut self, kill: &mut KillSwitch<'_>) -> Result<(), End> {
        if self.receive(kill).await? == Arrival::Pushes {
            return self.send_pushes(kill).await;
        }
        let mut fresh = Some(self.last_active);
        loop {
            let scan = self.scan();
            while self.busy().has_requests() {
                self.batch(fresh.take().unwrap_or_else(Millis::now), kill).await?;
            }
            match scan {
                Scan::Full => tokio::task::yield_now().await,
                Scan::Drained { want } => {
                    self.busy().finish();
                    self.want = want;
                    if !std::mem::take(&mut self.has_unscanned) {
                        return Ok(());
                    }
                }
                Scan::Broken(error) => return Err(self.refuse(error, kill).await),
            }
        }
    }

    /// The buffers, which [`Connection::poll_receive`] gives back when there is nothing to do.
    #[inline]
    fn busy(&mut self) -> &mut Work {
        let (remnant, protocol) = (&mut self.remnant, self.session.protocol);
        self.work.get_or_insert_with(|| Work::take(remnant, protocol))
    }

    /// Waits for bytes or pushes; meanwhile the connection owns no more than it must.
    async fn receive(&mut self, kill: &mut KillSwitch<'_>) -> Result<Arrival, End> {
        // Why here: the socket is asked past the runtime's own means against a task that always finds it ready.
        if self.reads == READS_MAX {
            self.reads = 0;
            tokio::task::yield_now().await;
        }
        let arrival = kill.unless_killed(poll_fn(|cx| self.poll_receive(cx))).await??;
        self.reads += 1;
        if let Arrival::Bytes(count) = arrival {
            self.count_read(count)?;
        }
        Ok(arrival)
    }

    fn count_read(&mut self, count: usize) -> Result<(), End> {
        if count == 0 {
            return Err(End::Gone);
        }
        self.net_input_bytes += count as u64;
        self.last_active = Millis::now();
        let stats = self.context.stats.local();
        stats.add(Counter::NetInputBytes, count as u64);
        stats.add(Counter::Reads, 1);
        Ok(())
    }

    /// Bytes come first: their batch takes pushes along, so neither keeps the other waiting for long.
    fn poll_receive(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Result<Arrival, End>> {
        let want = self.want;
        if let Err(no_room) = self.busy().input.make_room(want) {
            tracing::warn!(client = self.client.id(), "{no_room}");
            return Poll::Ready(Err(End::Gone));
        }
        let Some(mut work) = self.work.take() else { return Poll::Ready(Err(End::Gone)) };
        let polled = self.stream.poll_read(cx, work.input.tail_mut());
        if polled.is_pending() {
            if self.session.hears(cx.waker()) {
                self.work = Some(work);
                return Poll::Ready(Ok(Arrival::Pushes));
            }
            self.reads = 0;
            // Why not with requests: their command waits.
            self.work = if work.has_requests() { Some(work) } else { work.give_back(&mut self.remnant) };
            self.publish_buffers();
        } else {
            self.work = Some(work);
        }
        polled.map_ok(Arrival::Bytes).map_err(|error| self.failed(&error))
    }

    fn scan(&mut self) -> Scan {
        let limits = self.limits();
        // Why: what AUTH changes must hold for the request that follows it in the same read.
        let requests_max = if limits.unauthenticated { 1 } else { REQUESTS_MAX };
        let mut parser = std::mem::take(&mut self.parser);
        let scan = self.busy().scan(&mut parser, &limits, requests_max);
        self.parser = parser;
        scan
    }

    fn limits(&self) -> Limits {
        let settings = &self.context.settings;
        Limits {
            bulk_bytes_max: settings.proto_max_bulk_len() as usize,
            args_max: settings.proto_max_args() as usize,
            inline_bytes_max: settings.proto_inline_max_len() as usize,
            query_buffer_bytes_max: settings.client_query_buffer_limit() as usize,
            unauthenticated: !self.session.authenticated && !settings.requirepass().is_empty(),
        }
    }

    /// Executes what was parsed at `now`, as far as it goes, and sends the replies.
    async fn batch(&mut self, now: Millis, kill: &mut KillSwitch<'_>) -> Result<(), End> {
        let flow = self.execute(now);
        if matches!(flow, Flow::Called) {
            // Why: who was called runs on this thread before this task does again.
            tokio::task::yield_now().await;
        }
        // Why tried first: nearly always there is nothing to wait for, and each wait costs its layers of futures.
        if !self.settle_at_once() {
            self.settle(kill).await?;
        }
        if !matches!(flow, Flow::Continue) {
            self.follow(flow, kill).await?;
        }
        unless_ended(kill)
    }

    fn execute(&mut self, now: Millis) -> Flow {
        // Why: a client that lists itself is to see the request it is in.
        self.publish_buffers();
        let (context, session) = (&self.context, &mut self.session);
        let Some(work) = self.work.as_mut() else { return Flow::Continue };
        work.run(|requests, reply| dispatch::execute_batch(context, session, now, requests, reply))
    }

    /// Sends pushes on, as many as are sent at a time.
    async fn send_pushes(&mut self, kill: &mut KillSwitch<'_>) -> Result<(), End> {
        // Why taken apart: the session fills the buffer, and both are the connection's.
        let mut work =
            self.work.take().unwrap_or_else(|| Work::take(&mut self.remnant, self.session.protocol));
        self.session.take_pushes(&mut work.reply);
        self.work = Some(work);
        if !self.settle_at_once() {
            self.settle(kill).await?;
        }
        unless_ended(kill)
    }

    fn failed(&self, error: &io::Error) -> End {
        tracing::debug!(client = self.client.id(), %error, "socket failed");
        End::Gone
    }

    fn publish_buffers(&self) {
        let work = self.work.as_deref();
        self.client.publish_buffers(&Buffers {
            query_bytes: work.map_or(self.remnant.len(), |work| work.input.unread().len()) as u64,
            query_free_bytes: work.map_or(0, |work| work.input.free()) as u64,
            // Why: arguments are where the socket put them, so they are counted with the input.
            request_bytes: 0,
            output_bytes: work.map_or(0, |work| work.reply.len()) as u64,
            output_capacity_bytes: work.map_or(0, |work| work.reply.heap_bytes()) as u64,
            net_input_bytes: self.net_input_bytes,
            net_output_bytes: self.net_output_bytes,
            last_active: self.last_active,
        });
    }
}

/// Goes on, unless the connection is to end when its replies are sent.
fn unless_ended(kill: &KillSwitch<'_>) -> Result<(), End> {
    match kill.state() {
        KillState::Alive => Ok(()),
        KillState::AfterReply => Err(End::Finished),
        KillState::Now => Err(End::Killed),
    }
}
