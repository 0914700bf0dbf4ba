//! One client, from its first byte to its last: read, parse, execute, reply, and again.
//!
//! A batch is what one read brought, cut at [`REQUESTS_MAX`] requests. Its replies are on their way before more is
//! executed, and all of them are written before more is read: a client that does not read its replies is not read
//! from, so what it can make the server hold is one read and one batch of replies. While it has nothing to say it
//! owns no buffers (see [`super::work`]).
//!
//! The task ends, and the socket closes, when the client goes, when somebody kills it (CLIENT KILL, the idle
//! timeout, the server's stop), after QUIT, and after bytes that are no request. Every wait ends when the client
//! is killed; a wait for something that a reply depends on goes on for [`LINGER`] where the kill is to take effect
//! after the reply.

use super::STOP_LOOK_EVERY;
use super::stream::Stream;
use super::work::{Remnant, Scan, Work};
use crate::clock::Millis;
use crate::command::call::{Later, Shutdown};
use crate::command::clients::{Blocked, Buffers, ClientFlags, ClientHandle, KillState, Registration};
use crate::command::context::Context;
use crate::command::dispatch::{self, Flow};
use crate::command::session::Session;
use crate::command::stats::Counter;
use crate::resp::{Limits, ProtocolError, ReplyBuf, RequestParser};
use crate::settings::ClientClass;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

/// Most requests that run before their replies are sent and other connections of the thread get their turn.
const REQUESTS_MAX: usize = 1024;

/// How long a client that is to be closed may take for the replies that are still due to it.
const LINGER: Duration = Duration::from_secs(5);

/// Time between two looks at whether writes go on, where nobody tells.
const PAUSE_LOOK_EVERY: Duration = Duration::from_millis(1);

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client went, or its socket failed.
    Gone,
    /// Somebody wants it to be closed at once.
    Killed,
    /// Everything due was sent, and nothing more will be.
    Finished,
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
        let end = loop {
            if let Err(end) = self.turn().await {
                break end;
            }
        };
        tracing::debug!(client = self.client.id(), ?end, "connection ends");
        if end == End::Finished {
            // Why: what was sent last is to arrive even though the client may have sent more.
            let _ = tokio::time::timeout(LINGER, poll_fn(|cx| self.stream.poll_shutdown(cx))).await;
        }
    }

    /// Reads once, and executes what has come.
    async fn turn(&mut self) -> Result<(), End> {
        self.receive().await?;
        loop {
            let scan = self.scan();
            while self.busy().has_requests() {
                self.batch().await?;
            }
            match scan {
                Scan::Full => tokio::task::yield_now().await,
                Scan::Drained { want } => {
                    self.busy().finish();
                    self.want = want;
                    return Ok(());
                }
                Scan::Broken(error) => return Err(self.refuse(error).await),
            }
        }
    }

    /// The buffers. Taken by `receive`, which alone gives them back.
    fn busy(&mut self) -> &mut Work {
        let (remnant, protocol) = (&mut self.remnant, self.session.protocol);
        self.work.get_or_insert_with(|| Work::take(remnant, protocol))
    }

    /// Waits for bytes; meanwhile the connection owns no more than it must.
    async fn receive(&mut self) -> Result<(), End> {
        let client = Arc::clone(&self.client);
        let count = unless_killed(&client, poll_fn(|cx| self.poll_receive(cx))).await??;
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

    fn poll_receive(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Result<usize, End>> {
        let want = self.want;
        let input = &mut self.busy().input;
        if let Err(no_room) = input.make_room(want) {
            tracing::warn!(client = self.client.id(), "{no_room}");
            return Poll::Ready(Err(End::Gone));
        }
        let Some(mut work) = self.work.take() else { return Poll::Ready(Err(End::Gone)) };
        let polled = self.stream.poll_read(cx, work.input.tail_mut());
        if polled.is_pending() {
            self.work = work.give_back(&mut self.remnant);
            self.publish_buffers();
        } else {
            self.work = Some(work);
        }
        polled.map_err(|error| self.failed(&error))
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

    /// Executes what was parsed, as far as it goes, and sends the replies.
    async fn batch(&mut self) -> Result<(), End> {
        let flow = self.execute();
        self.settle().await?;
        match flow {
            Flow::Continue => {}
            Flow::Later(later) => self.follow(later).await?,
            Flow::Paused => self.sit_out_pause().await?,
            Flow::Delay(time) => self.hold(tokio::time::sleep(time)).await?,
        }
        match self.client.kill_state() {
            KillState::Alive => Ok(()),
            KillState::AfterReply => Err(End::Finished),
            KillState::Now => Err(End::Killed),
        }
    }

    fn execute(&mut self) -> Flow {
        // Why: a client that lists itself is to see the request it is in.
        self.publish_buffers();
        let (context, session) = (&self.context, &mut self.session);
        let Some(work) = self.work.as_mut() else { return Flow::Continue };
        work.run(|requests, reply| dispatch::execute_batch(context, session, requests, reply))
    }

    /// Waits until the replies may be known, and sends them.
    async fn settle(&mut self) -> Result<(), End> {
        if let Some(lsn) = dispatch::durability(&self.context, &mut self.session) {
            let (client, context) = (Arc::clone(&self.client), Arc::clone(&self.context));
            if let Err(error) = until_replied(&client, context.engine.wait_durable(lsn)).await? {
                return Err(self.last_word(&error.to_string()).await);
            }
        }
        self.flush().await
    }

    /// Sends all replies.
    async fn flush(&mut self) -> Result<(), End> {
        self.session.publish();
        if self.busy().reply.is_empty() {
            return Ok(());
        }
        self.check_output_limit()?;
        let client = Arc::clone(&self.client);
        until_replied(&client, poll_fn(|cx| self.poll_flush(cx))).await?
    }

    fn poll_flush(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Result<(), End>> {
        loop {
            let Some(work) = self.work.as_mut() else { return Poll::Ready(Ok(())) };
            if work.reply.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let polled = self.stream.poll_write(cx, &mut work.reply);
            if polled.is_pending() {
                self.publish_buffers();
            }
            match ready!(polled) {
                Ok(0) => return Poll::Ready(Err(End::Gone)),
                Ok(count) => self.count_written(count as u64),
                Err(error) => return Poll::Ready(Err(self.failed(&error))),
            }
        }
    }

    fn count_written(&mut self, count: u64) {
        self.net_output_bytes += count;
        let stats = self.context.stats.local();
        stats.add(Counter::NetOutputBytes, count);
        stats.add(Counter::Writes, 1);
    }

    /// Closes the connection when one reply is larger than the client may leave unread.
    fn check_output_limit(&mut self) -> Result<(), End> {
        let limit = self.context.settings.output_limit(ClientClass::Normal).hard_bytes;
        let output_bytes = self.busy().reply.len() as u64;
        if limit == 0 || output_bytes <= limit {
            return Ok(());
        }
        self.context.stats.local().add(Counter::OutputBufferDisconnections, 1);
        tracing::warn!(client = self.client.id(), output_bytes, limit, "closed: output buffer limit reached");
        Err(End::Killed)
    }

    /// Does what a command left to its connection.
    async fn follow(&mut self, later: Later) -> Result<(), End> {
        match later {
            Later::Blocking(job) => self.run_blocking(job).await?,
            Later::Sleep(time) => {
                self.hold(tokio::time::sleep(time)).await?;
                self.busy().reply.ok();
            }
            Later::Close => return Err(End::Finished),
            Later::Shutdown(how) => self.ask_to_stop(how).await?,
        }
        self.settle().await
    }

    /// Waits for something that is not the client, and that no reply depends on.
    async fn hold(&self, wait: impl Future<Output = ()>) -> Result<(), End> {
        let _blocked = self.block();
        unless_killed(&self.client, wait).await
    }

    /// Shows the connection as blocked, until it publishes again; the count of such is right for as long as the
    /// result is kept.
    fn block(&self) -> Blocked {
        let mut figures = self.client.session();
        figures.flags = figures.flags.with(ClientFlags::BLOCKED, true);
        self.client.publish_session(&figures);
        self.context.clients.block()
    }

    /// Has the server stopped, which ends this connection unanswered; the answer is that it could not be.
    async fn ask_to_stop(&mut self, how: Shutdown) -> Result<(), End> {
        let context = Arc::clone(&self.context);
        context.stop.request(how);
        let withdrawn = async {
            while context.stop.requested().is_some() {
                tokio::time::sleep(STOP_LOOK_EVERY).await;
            }
        };
        unless_killed(&self.client, withdrawn).await?;
        self.busy().reply.error("ERR Errors trying to SHUTDOWN. Check logs.");
        Ok(())
    }

    /// Runs what may take long on a thread that serves nobody else.
    async fn run_blocking(
        &mut self,
        job: impl FnOnce(&Context, &mut ReplyBuf) + Send + 'static,
    ) -> Result<(), End> {
        let _blocked = self.block();
        let (context, mut reply) =
            (Arc::clone(&self.context), ReplyBuf::with_protocol(self.session.protocol));
        let done = tokio::task::spawn_blocking(move || {
            job(&context, &mut reply);
            reply
        });
        match until_replied(&self.client, done).await? {
            // Invariant: the replies before it were sent by `settle`, so nothing is overwritten.
            Ok(reply) => self.busy().reply = reply,
            Err(error) => {
                tracing::error!(client = self.client.id(), %error, "a command failed unexpectedly");
                self.busy().reply.error("ERR internal error; the server's messages say more");
            }
        }
        Ok(())
    }

    /// Waits out CLIENT PAUSE; the request that it holds up runs after it.
    async fn sit_out_pause(&mut self) -> Result<(), End> {
        match self.context.pause.check(true) {
            Some(pause) => self.hold(pause).await,
            // Why: the databases know the pause by another clock, which may be a little behind.
            None => self.hold(tokio::time::sleep(PAUSE_LOOK_EVERY)).await,
        }
    }

    /// Answers bytes that are no request, after everything that came before them.
    async fn refuse(&mut self, error: ProtocolError) -> End {
        let counter = match error {
            ProtocolError::RequestTooBig => Counter::QueryBufferDisconnections,
            _ => Counter::ProtocolErrors,
        };
        self.context.stats.local().add(counter, 1);
        tracing::debug!(client = self.client.id(), %error, "closing");
        self.last_word(&format!("ERR {error}")).await
    }

    /// Sends an error in place of all replies that have not been sent, and ends.
    async fn last_word(&mut self, error: &str) -> End {
        let work = self.busy();
        work.abandon();
        work.reply.clear();
        work.reply.error(error);
        self.flush().await.err().unwrap_or(End::Finished)
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

/// Waits for something that no reply depends on; a kill of either kind ends the connection.
async fn unless_killed<T>(client: &ClientHandle, wait: impl Future<Output = T>) -> Result<T, End> {
    tokio::select! {
        biased;
        done = wait => Ok(done),
        _ = client.killed() => Err(End::Killed),
    }
}

/// Waits for something that a reply depends on; a kill that is to take effect after the reply bounds the wait.
async fn until_replied<T>(client: &ClientHandle, wait: impl Future<Output = T>) -> Result<T, End> {
    let mut wait = std::pin::pin!(wait);
    tokio::select! {
        biased;
        done = &mut wait => return Ok(done),
        state = client.killed() => {
            if state == KillState::Now {
                return Err(End::Killed);
            }
        }
    }
    tokio::time::timeout(LINGER, wait).await.map_err(|_| End::Killed)
}
