//! A peer that serves its log: one task per replica, all reading the one log.
//!
//! What is sent is what is resolved, as it lies in the log. A replica that does not read what is sent stops its own task
//! and nothing else; what it still needs is on disk, not in a buffer, for as long as `keeper` has it kept.

use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::clock::Millis;
use crate::command::clients::ClientHandle;
use crate::command::context::Context;
use crate::command::lineup::{CHAIN_MAX, ServerId};
use crate::command::replicas::{Attached, Feeding, Introduction};
use crate::command::stats::Counter;
use crate::engine::{Engine, SnapshotFailure};
use crate::log::snapshot::SnapshotError;
use crate::log::{Chunk, LogReader, ReadError};
use crate::lsn::Lsn;
use crate::replication::decide::Line;
use crate::replication::frame::{self, Frame, FrameError, HEADER_BYTES, SnapshotId};
use crate::replication::greeting::{Greeting, NoLine, Wish};
use crate::replication::keeper;
use crate::replication::source::OpenSnapshot;

/// Bytes of the log or the snapshot in one frame.
const PIECE_BYTES: usize = 256 << 10;
/// While much is written, what comes within so long goes out together, unless somebody waits for replicas: a piece costs
/// both sides about the same, whether it has one record or a hundred.
const GATHERED: Duration = Duration::from_millis(1);
/// How often a replica is told that its primary lives, at least.
const ALIVE_EVERY_MAX: Duration = Duration::from_secs(1);
/// The longest line of the greeting.
const LINE_BYTES_MAX: u64 = 1024;

/// Why a replica is not fed any longer.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Connection(#[from] io::Error),
    /// It said nothing, or took nothing, for too long.
    #[error("the replica was silent for longer than repl-timeout")]
    Silent,
    /// What it sent is none of the protocol.
    #[error(transparent)]
    Line(#[from] NoLine),
    /// The same, later.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// What it needs is not there any more.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// There is no snapshot to send.
    #[error(transparent)]
    Snapshot(#[from] SnapshotFailure),
    /// The snapshot cannot be read.
    #[error(transparent)]
    SnapshotFile(#[from] SnapshotError),
    /// This server has another database now.
    #[error("this server's database was replaced")]
    Replaced,
    /// It has another connection now.
    #[error("the replica has come again on another connection")]
    CameAgain,
    /// It was told to take over.
    #[error("the replica takes over")]
    TakenOver,
}

/// The place of the log that a replica gets next.
struct Outlet<'c, W> {
    writer: W,
    client: &'c ClientHandle,
    engine: Arc<Engine>,
    context: Arc<Context>,
    timeout: Duration,
    reader: LogReader,
    at: Lsn,
    /// The segment that the replica has been told of. Why all of it: one without a record may be given up for another
    /// history's, which begins where it did.
    told: Option<Chunk>,
    /// The servers above this one.
    above: watch::Receiver<Arc<[ServerId]>>,
    out: Vec<u8>,
}

/// Feeds the replica at the other end until either end goes. The caller counts it among the clients, as `client`.
///
/// # Errors
/// Why it ended.
pub async fn serve<R, W>(
    context: Arc<Context>,
    client: &ClientHandle,
    (reader, mut writer): (R, W),
    introduction: Introduction,
) -> Result<(), FeedError>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let engine = context.database();
    let silence = Duration::from_secs(u64::from(context.settings.repl_timeout()));
    let mut reader = BufReader::new(reader);
    let mut above = context.above.watch();
    let servers = servers(&context, &above.borrow_and_update());
    let line = format!("{}\r\n", greeting(&engine, servers).encode());
    timeout(silence, writer.write_all(line.as_bytes())).await.map_err(|_| FeedError::Silent)??;
    let mut wish = String::new();
    let mut line = (&mut reader).take(LINE_BYTES_MAX);
    if timeout(silence, line.read_line(&mut wish)).await.map_err(|_| FeedError::Silent)?? == 0 {
        return Ok(());
    }
    let wish = Wish::decode(wish.trim_end())?;
    let attached = context.replicas.attach(introduction, Millis::now());
    let mut outlet = Outlet {
        writer,
        client,
        engine,
        context: Arc::clone(&context),
        timeout: silence,
        reader: LogReader::default(),
        at: Lsn::ZERO,
        told: None,
        above,
        out: Vec::new(),
    };
    let acknowledged = acknowledgements(&mut reader, (&context, client), &attached, silence);
    let fed = async {
        match wish {
            Wish::Continue { at, is_sequel } => {
                attached.replica().set_needs(at);
                if !is_sequel {
                    context.replicas.count_partial();
                }
                outlet.at = at;
            }
            Wish::Snapshot { offset, id, is_instead } => {
                outlet.snapshot(&attached, (offset, id), is_instead).await?;
            }
        }
        outlet.log(&attached).await
    };
    tokio::select! {
        ended = fed => ended,
        ended = acknowledged => ended,
        () = attached.replica().superseded() => Err(FeedError::CameAgain),
    }
}

/// This server, and those above it.
fn servers(context: &Context, above: &[ServerId]) -> Vec<ServerId> {
    std::iter::once(context.identity.server()).chain(above.iter().copied()).take(CHAIN_MAX).collect()
}

fn greeting(engine: &Engine, servers: Vec<ServerId>) -> Greeting {
    let log = engine.log();
    let line = Line { history: log.history(), end: log.resolved(), lineage: log.lineage() };
    let (databases, hash_seed) = (engine.databases(), engine.hash_seed());
    Greeting { line, start: log.start(), databases, hash_seed, servers }
}

/// Takes what the replica says of itself.
async fn acknowledgements(
    reader: &mut (impl AsyncRead + Unpin),
    (context, client): (&Context, &ClientHandle),
    attached: &Attached,
    silence: Duration,
) -> Result<(), FeedError> {
    let mut input = Vec::with_capacity(4096);
    loop {
        let mut taken = 0;
        while let Some((frame, len)) = frame::decode(&input[taken..])? {
            if let Frame::Applied { applied, durable } = frame {
                attached.acknowledged(applied, durable, Millis::now());
                if attached.replica().feeding() == Feeding::Log {
                    attached.replica().set_needs(applied);
                }
            }
            taken += len;
        }
        input.drain(..taken);
        let read = timeout(silence, reader.read_buf(&mut input)).await.map_err(|_| FeedError::Silent)??;
        if read == 0 {
            return Ok(());
        }
        client.count_traffic(read as u64, 0);
        context.stats.local().add(Counter::NetInputBytes, read as u64);
    }
}

impl<W: AsyncWrite + Unpin> Outlet<'_, W> {
    async fn send(&mut self) -> Result<(), FeedError> {
        timeout(self.timeout, self.writer.write_all(&self.out)).await.map_err(|_| FeedError::Silent)??;
        let sent = self.out.len() as u64;
        self.client.count_traffic(0, sent);
        self.context.stats.local().add(Counter::ReplicationOutputBytes, sent);
        self.out.clear();
        Ok(())
    }

    fn alive_every(&self) -> Duration {
        let period = self.context.settings.repl_ping_replica_period();
        Duration::from_secs(u64::from(period)).min(ALIVE_EVERY_MAX)
    }

    /// Sends the log from `at` on, for as long as there is somebody to send it to.
    async fn log(&mut self, attached: &Attached) -> Result<(), FeedError> {
        attached.replica().set_feeding(Feeding::Log);
        let mut handover = attached.replica().handover();
        let mut bytes = Vec::with_capacity(PIECE_BYTES);
        let mut said_at = Instant::now();
        let mut gathers = false;
        loop {
            if std::mem::take(&mut gathers) {
                tokio::select! {
                    () = tokio::time::sleep_until(said_at + GATHERED) => {}
                    () = self.context.replicas.are_awaited() => {}
                }
            }
            bytes.clear();
            let chunk = self.read(&mut bytes).await?;
            // Why also without bytes: a replica of a log without a record is in step with it.
            if let Some(chunk) = chunk.filter(|chunk| !bytes.is_empty() || self.told != Some(*chunk)) {
                self.tell_segment(&chunk);
                if !bytes.is_empty() {
                    Frame::Log { at: self.at, bytes: &bytes }.encode(&mut self.out);
                    self.at = Lsn::new(self.at.get() + bytes.len() as u64);
                }
                self.send().await?;
                said_at = Instant::now();
                gathers = bytes.len() < PIECE_BYTES && handover.borrow().is_none();
                continue;
            }
            if !Arc::ptr_eq(&self.context.engine(), &self.engine) {
                return Err(FeedError::Replaced);
            }
            let until = *handover.borrow_and_update();
            if until.is_some_and(|until| self.at >= until && attached.replica().applied() >= until) {
                Frame::TakeOver { at: self.at }.encode(&mut self.out);
                // Order: it counts as told before it is, or else both are primaries, or none is.
                attached.replica().set_told();
                self.send().await?;
                return Err(FeedError::TakenOver);
            }
            let idle = self.alive_every().saturating_sub(said_at.elapsed());
            // Why shorter: the replica's word is waited for.
            let idle = if until.is_some() { Duration::from_millis(1) } else { idle };
            tokio::select! {
                resolved = self.engine.wait_progress(self.at, idle) => {
                    if resolved <= self.at && said_at.elapsed() >= self.alive_every() {
                        Frame::Alive { resolved }.encode(&mut self.out);
                        self.send().await?;
                        said_at = Instant::now();
                    }
                }
                changed = handover.changed() => {
                    changed.map_err(|_| FeedError::Replaced)?;
                }
                changed = self.above.changed() => {
                    changed.map_err(|_| FeedError::Replaced)?;
                    let servers = servers(&self.context, &self.above.borrow_and_update());
                    Frame::Servers(servers).encode(&mut self.out);
                    self.send().await?;
                }
            }
        }
    }

    /// Reads what is next, on this thread where it is in memory.
    async fn read(&mut self, bytes: &mut Vec<u8>) -> Result<Option<Chunk>, FeedError> {
        if self.engine.log().is_mapped(self.at) {
            return Ok(self.reader.read(self.engine.log(), self.at, PIECE_BYTES, bytes)?);
        }
        let (engine, at) = (Arc::clone(&self.engine), self.at);
        let (mut reader, mut taken) = (std::mem::take(&mut self.reader), std::mem::take(bytes));
        let read = tokio::task::spawn_blocking(move || {
            let chunk = reader.read(engine.log(), at, PIECE_BYTES, &mut taken);
            (reader, taken, chunk)
        });
        let read = read.await.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()));
        let chunk;
        (self.reader, *bytes, chunk) = read;
        Ok(chunk?)
    }

    /// Tells the replica of a segment that it has not heard of.
    fn tell_segment(&mut self, chunk: &Chunk) {
        if self.told == Some(*chunk) {
            return;
        }
        self.told = Some(*chunk);
        let log = self.engine.log();
        let segment = Frame::Segment {
            first: chunk.first,
            end: chunk.end,
            capacity: log.tail_segment().capacity,
            history: chunk.history,
            lineage: log.lineage_of(chunk.history),
        };
        segment.encode(&mut self.out);
    }

    /// Sends the snapshot from `offset` on, if it still is the one of `id`; else the one that there is. Then `at` is where
    /// the log must go on.
    async fn snapshot(
        &mut self,
        attached: &Attached,
        (offset, id): (u64, SnapshotId),
        is_instead: bool,
    ) -> Result<(), FeedError> {
        // Order: 1 the whole log is kept, 2 the snapshot is opened; or else what it needs is dropped in between.
        attached.replica().set_needs(Lsn::FIRST);
        keeper::tend(&self.context);
        let Some(file) = self.open_snapshot().await? else {
            self.context.replicas.count_full(is_instead);
            self.at = Lsn::FIRST;
            let (id, from) = (SnapshotId::default(), self.at);
            Frame::Snapshot { id, bytes: 0, offset: 0, from, until: from }.encode(&mut self.out);
            return self.send().await;
        };
        self.at = file.floor;
        let mut probe = Vec::new();
        let chunk =
            self.read(&mut probe).await?.ok_or(ReadError::Gone { start: self.engine.log().start() })?;
        self.at = chunk.first;
        attached.replica().set_needs(self.at);
        let mut offset = if id == file.id { offset.min(file.bytes) } else { 0 };
        // Why not again: it is the same one, which was cut.
        if offset == 0 {
            self.context.replicas.count_full(is_instead);
        }
        let begins =
            Frame::Snapshot { id: file.id, bytes: file.bytes, offset, from: self.at, until: file.until };
        begins.encode(&mut self.out);
        let file = Arc::new(file);
        while offset < file.bytes {
            let (opened, piece) = (Arc::clone(&file), PIECE_BYTES.min((file.bytes - offset) as usize));
            let read = tokio::task::spawn_blocking(move || {
                let mut bytes = vec![0; piece];
                opened.file.read_exact_at(&mut bytes, offset).map(|()| bytes)
            });
            let bytes = read.await.unwrap_or_else(|it| std::panic::resume_unwind(it.into_panic()))?;
            Frame::SnapshotBytes(&bytes).encode(&mut self.out);
            offset += piece as u64;
            self.send().await?;
        }
        self.send().await
    }

    /// The newest snapshot; none where the log goes back to the beginning.
    async fn open_snapshot(&self) -> Result<Option<OpenSnapshot>, FeedError> {
        let log = self.engine.log();
        if log.start() == Lsn::FIRST && self.engine.snapshot_bounds().0 == Lsn::ZERO {
            return Ok(None);
        }
        let engine = Arc::clone(&self.engine);
        let opened = tokio::task::spawn_blocking(move || match engine.log().dbfile() {
            Some(dbfile) => OpenSnapshot::open(dbfile),
            None => OpenSnapshot::take(&engine),
        });
        opened.await.unwrap_or_else(|it| std::panic::resume_unwind(it.into_panic())).map(Some)
    }
}

/// A frame is never longer than this.
pub(super) const FRAME_BYTES_MAX: usize = HEADER_BYTES + frame::BODY_BYTES_MAX;
