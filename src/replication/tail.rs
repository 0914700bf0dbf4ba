//! A peer that follows another's log: one thread, from the first word to the last record.
//!
//! It connects, finds out where to go on (`decide.rs`), copies and applies what comes, says how far it is, and tries again
//! when the link is cut. What it holds of the primary's bytes is bounded by a frame and a record.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::command::context::Context;
use crate::command::stats::Counter;
use crate::command::upstream::{Link, SyncProgress};
use crate::engine::{Engine, EngineError, FollowError, ForeignSegment};
use crate::log::CopyError;
use crate::lsn::Lsn;
use crate::replication::decide::{Decision, Line, Own, Refusal, decide};
use crate::replication::feed::FRAME_BYTES_MAX;
use crate::replication::frame::{self, Frame, FrameError, SnapshotId};
use crate::replication::greeting::{Greeting, NoLine, VERSION, Wish};
use crate::replication::install::{self, Incoming, InstallError};
use crate::replication::{Following, Opener};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often the primary hears of this replica, at least.
const SAY_EVERY: Duration = Duration::from_secs(1);
/// Bytes that are read at once.
const READ_BYTES: usize = 512 << 10;
/// The longest line of the greeting.
const LINE_BYTES_MAX: usize = 64 << 10;

/// Why a link ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum TailError {
    /// There is no such host, or it does not answer.
    #[error("cannot connect to {0}: {1}")]
    Connect(String, io::Error),
    /// The connection failed.
    #[error("the connection to the primary failed: {0}")]
    Connection(#[from] io::Error),
    /// The primary closed it.
    #[error("the primary closed the connection")]
    Closed,
    /// Nothing came for too long.
    #[error("nothing came from the primary for {} s (repl-timeout)", .0.as_secs())]
    Silent(Duration),
    /// The primary refuses.
    #[error("the primary answered: {0}")]
    Refused(String),
    /// The primary is a server of another kind, which does not know FOLLOW.
    #[error("the primary is a server of another kind")]
    OtherKind,
    /// What it says is none of the protocol.
    #[error(transparent)]
    Line(#[from] NoLine),
    /// The same, later.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// What came does not go on where this log ends.
    #[error("the primary sent the log from {found} on, where {expected} was next")]
    Order {
        /// Where it lies.
        found: Lsn,
        /// Where the log ends.
        expected: Lsn,
    },
    /// A record could not be applied.
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// The log takes nothing.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The primary's data is none of ours.
    #[error("{0}")]
    NotOurs(String),
    /// What was received could not be put in place.
    #[error(transparent)]
    Install(#[from] InstallError),
}

/// How a link ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// As it was asked to.
    Stopped,
    /// The database was replaced: another link is to go on with it.
    Installed,
    /// The primary has told this replica to take over.
    TakesOver,
}

/// One connection to the primary.
struct Wire {
    context: Arc<Context>,
    stream: TcpStream,
    input: Vec<u8>,
    silence: Duration,
    heard: Instant,
    said: Instant,
}

impl Wire {
    /// Reads more; gives false when nothing came within a moment, so that something can be said meanwhile.
    fn read(&mut self) -> Result<bool, TailError> {
        let start = self.input.len();
        self.input.resize(start + READ_BYTES, 0);
        let read = self.stream.read(&mut self.input[start..]);
        self.input.truncate(start + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Err(TailError::Closed),
            Ok(count) => {
                self.context.stats.local().add(Counter::ReplicationInputBytes, count as u64);
                self.heard = Instant::now();
                Ok(true)
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
                ) =>
            {
                if self.heard.elapsed() > self.silence {
                    Err(TailError::Silent(self.silence))
                } else {
                    Ok(false)
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    fn ask(&mut self, words: &[&[u8]]) -> Result<String, TailError> {
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            request.extend_from_slice(word);
            request.extend_from_slice(b"\r\n");
        }
        self.stream.write_all(&request)?;
        loop {
            if let Some(end) = self.input.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.input.drain(..end + 2).take(end).collect();
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            if self.input.len() > LINE_BYTES_MAX {
                return Err(NoLine("a line that does not end".to_owned()).into());
            }
            self.read()?;
        }
    }

    fn say(&mut self, engine: &Engine) -> Result<(), TailError> {
        let durable = if engine.is_persistent() { engine.log().durable() } else { Lsn::ZERO };
        let mut out = Vec::with_capacity(32);
        Frame::Applied { applied: engine.log().resolved(), durable }.encode(&mut out);
        self.said = Instant::now();
        self.stream.write_all(&out)?;
        self.context.stats.local().add(Counter::NetOutputBytes, out.len() as u64);
        Ok(())
    }
}

/// One attempt to follow.
pub(super) struct Tail<'t> {
    pub context: &'t Arc<Context>,
    pub following: &'t Following,
    pub opener: &'t Opener,
    /// What has come of a snapshot on earlier links.
    pub incoming: &'t mut Option<Incoming>,
    /// The database was just replaced: to go on is nothing new.
    pub is_sequel: bool,
}

impl Tail<'_> {
    /// Follows until the link ends.
    pub(super) fn run(&mut self) -> Result<Ended, TailError> {
        let mut wire = self.connect()?;
        self.following.set_link(Link::Handshake);
        let greeting = self.introduce(&mut wire)?;
        let engine = self.context.database();
        let own = own(&engine);
        let accepted = self.following.target.accept;
        let decision = decide(&own, &greeting.line, greeting.start, accepted);
        tracing::debug!(?decision, ?own, primary = ?greeting.line, "where to go on");
        match decision {
            Decision::Continue => self.go_on(&mut wire, &engine),
            Decision::Snapshot => self.take_snapshot(&mut wire, &greeting),
            Decision::Rewind(to) => {
                let lost = own.line.end.get() - to.get();
                install::rewind(self.context, self.opener, to)?;
                tracing::warn!(
                    %to, bytes = lost,
                    "rewound to where the new primary goes on; what was never replicated is kept in the .cut files"
                );
                Ok(Ended::Installed)
            }
            Decision::Refuse(refusal) => {
                Err(TailError::NotOurs(refusal_text(refusal, &own.line, &greeting, &self.following.target)))
            }
        }
    }

    fn connect(&self) -> Result<Wire, TailError> {
        let target = &self.following.target;
        let name = format!("{}:{}", target.host, target.port);
        let failed = |source| TailError::Connect(name.clone(), source);
        let addresses = (target.host.as_str(), target.port).to_socket_addrs().map_err(failed)?;
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in addresses {
            match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
                Ok(stream) => return self.wire(stream).map_err(failed),
                Err(error) => last = error,
            }
        }
        Err(failed(last))
    }

    fn wire(&self, stream: TcpStream) -> io::Result<Wire> {
        let silence = Duration::from_secs(u64::from(self.context.settings.repl_timeout()));
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SAY_EVERY.min(silence)))?;
        stream.set_write_timeout(Some(silence))?;
        self.following.hold(stream.try_clone()?);
        let now = Instant::now();
        let context = Arc::clone(self.context);
        Ok(Wire { context, stream, input: Vec::new(), silence, heard: now, said: now })
    }

    fn introduce(&self, wire: &mut Wire) -> Result<Greeting, TailError> {
        let settings = &self.context.settings;
        let (user, password) = (settings.masteruser(), settings.masterauth());
        if !password.is_empty() {
            let answer = if user.is_empty() {
                wire.ask(&[b"AUTH", &password])?
            } else {
                wire.ask(&[b"AUTH", &user, &password])?
            };
            if answer != "+OK" {
                return Err(TailError::Refused(answer));
            }
        }
        let announced = settings.replica_announce_port();
        let port = if announced == 0 { settings.port() } else { announced };
        let ip = settings.replica_announce_ip();
        let (version, port) = (VERSION.to_string(), port.to_string());
        let line = wire.ask(&[b"FOLLOW", version.as_bytes(), port.as_bytes(), &ip])?;
        if line.starts_with("-ERR unknown command") {
            return Err(TailError::OtherKind);
        }
        if let Some(refused) = line.strip_prefix('-') {
            return Err(TailError::Refused(refused.to_owned()));
        }
        Ok(Greeting::decode(&line)?)
    }

    /// Copies and applies the log from this log's end on.
    fn go_on(&mut self, wire: &mut Wire, engine: &Arc<Engine>) -> Result<Ended, TailError> {
        let wish = Wish::Continue { at: engine.log().head(), is_sequel: self.is_sequel };
        wire.stream.write_all(format!("{}\r\n", wish.encode()).as_bytes())?;
        *self.incoming = None;
        self.following.set_link(Link::Log);
        tracing::info!(at = %engine.log().head(), primary = %self.following.target.host, "following the primary's log");
        let mut pending = Vec::new();
        wire.say(engine)?;
        loop {
            if self.following.is_stopped() {
                return Ok(Ended::Stopped);
            }
            let mut taken = 0;
            while let Some((frame, len)) = frame::decode(&wire.input[taken..])? {
                taken += len;
                match frame {
                    Frame::Segment { first, end, capacity, history, lineage } => {
                        enter(engine, &ForeignSegment { first, end, capacity, history, lineage })?;
                    }
                    Frame::Log { at, bytes } => {
                        let expected = Lsn::new(engine.log().head().get() + pending.len() as u64);
                        if at != expected {
                            return Err(TailError::Order { found: at, expected });
                        }
                        apply(engine, &mut pending, bytes)?;
                    }
                    Frame::Alive { .. } => {}
                    Frame::TakeOver { at } if at == engine.log().head() && pending.is_empty() => {
                        return Ok(Ended::TakesOver);
                    }
                    other => return Err(unexpected(&other)),
                }
            }
            wire.input.drain(..taken);
            if taken > 0 {
                self.following.heard();
                engine.tell_progress();
            }
            // Why not for each frame: one word serves all that has come.
            if taken > 0 || wire.said.elapsed() >= SAY_EVERY {
                wire.say(engine)?;
            }
            wire.read()?;
        }
    }

    /// Receives the snapshot, and the log that it needs, and puts them in place.
    fn take_snapshot(&mut self, wire: &mut Wire, greeting: &Greeting) -> Result<Ended, TailError> {
        self.following.set_link(Link::Snapshot);
        let (offset, id) = self.incoming.as_ref().map_or((0, SnapshotId::default()), Incoming::progress);
        wire.stream.write_all(format!("{}\r\n", Wish::Snapshot { offset, id }.encode()).as_bytes())?;
        tracing::info!(primary = %self.following.target.host, from = offset, "taking the primary's snapshot");
        let engine = self.context.database();
        loop {
            if self.following.is_stopped() {
                return Ok(Ended::Stopped);
            }
            let mut taken = 0;
            while let Some((frame, len)) = frame::decode(&wire.input[taken..])? {
                taken += len;
                match frame {
                    Frame::Snapshot { id, bytes, offset, from, until } => {
                        let begun = self.incoming.take().filter(|it| it.goes_on(id, offset));
                        let mut incoming = match begun {
                            Some(incoming) => incoming,
                            None => Incoming::begin(&engine, id, bytes)?,
                        };
                        incoming.log_begins(from, until)?;
                        *self.incoming = Some(incoming);
                    }
                    Frame::SnapshotBytes(bytes) => self.incoming()?.snapshot_bytes(bytes)?,
                    Frame::Segment { first, end, history, lineage, .. } => {
                        self.incoming()?.segment(first, end, history, lineage)?;
                    }
                    Frame::Log { at, bytes } => self.incoming()?.log_bytes(at, bytes)?,
                    Frame::Alive { .. } => {}
                    other => return Err(unexpected(&other)),
                }
            }
            wire.input.drain(..taken);
            if taken > 0 {
                self.following.heard();
            }
            if let Some(incoming) = self.incoming.as_ref() {
                let (done, total) = incoming.bytes();
                self.following.set_sync(SyncProgress { done, total });
                if incoming.is_whole() {
                    break;
                }
            }
            if wire.said.elapsed() >= SAY_EVERY {
                wire.say(&engine)?;
            }
            wire.read()?;
        }
        drop(engine);
        if let Some(incoming) = self.incoming.take() {
            let (bytes, _) = incoming.bytes();
            install::install(self.context, self.opener, incoming, greeting.hash_seed)?;
            tracing::info!(bytes, "the primary's snapshot is in place");
        }
        Ok(Ended::Installed)
    }

    fn incoming(&mut self) -> Result<&mut Incoming, TailError> {
        self.incoming.as_mut().ok_or_else(|| NoLine("a snapshot without a beginning".to_owned()).into())
    }
}

fn unexpected(frame: &Frame<'_>) -> TailError {
    let text: String = format!("{frame:?}").chars().take(60).collect();
    NoLine(text).into()
}

fn enter(engine: &Engine, segment: &ForeignSegment) -> Result<(), TailError> {
    let head = engine.log().head();
    if head < segment.first || head > segment.end {
        return Err(TailError::Order { found: segment.first, expected: head });
    }
    Ok(engine.enter_segment(segment)?)
}

/// Applies what is whole of `pending` and `bytes`, and keeps the rest.
fn apply(engine: &Engine, pending: &mut Vec<u8>, bytes: &[u8]) -> Result<(), TailError> {
    if pending.is_empty() {
        let (taken, _) = engine.follower().take(bytes)?;
        pending.extend_from_slice(&bytes[taken..]);
        return Ok(());
    }
    pending.extend_from_slice(bytes);
    let (taken, _) = engine.follower().take(pending)?;
    pending.drain(..taken);
    // Why: a record is never longer than this, so something is wrong with what comes.
    if pending.len() > FRAME_BYTES_MAX + (2 << 28) {
        let what = "it does not end";
        return Err(FollowError::Copy(CopyError::Damaged { lsn: engine.log().head(), what }).into());
    }
    Ok(())
}

/// What this server knows of itself.
pub(super) fn own(engine: &Engine) -> Own {
    let log = engine.log();
    let line = Line { history: log.history(), end: log.head(), lineage: log.lineage() };
    let is_empty = engine.info().databases.iter().all(|database| database.keys == 0);
    let rewinds_to = engine.is_persistent().then(|| engine.snapshot_bounds().0.max(log.start()));
    Own { line, is_empty, rewinds_to }
}

fn refusal_text(
    refusal: Refusal,
    own: &Line,
    greeting: &Greeting,
    target: &crate::command::upstream::Target,
) -> String {
    let (host, port) = (&target.host, target.port);
    let theirs = greeting.line.history.name();
    let what = match refusal {
        Refusal::Behind => format!(
            "the primary {host}:{port} is behind: its log ends at {} and this one at {}; it was emptied, or an older \
             state of it was restored",
            greeting.line.end, own.end
        ),
        Refusal::Restored => format!(
            "the primary {host}:{port} has lost what is here, up to {}, and has gone on without it: it was restored, or \
             recovered from the loss of its machine",
            own.end
        ),
        Refusal::Unrelated => {
            format!("the data of the primary {host}:{port} has nothing to do with what is here")
        }
    };
    format!(
        "{what}; nothing here is touched. To drop what is here and follow it all the same: \
         REPLICAOF {host} {port} HISTORY {theirs}"
    )
}
