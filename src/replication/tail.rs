//! A peer that follows another's log: one thread, from the first word to the last record.
//!
//! It connects, finds out where to go on (`decide.rs`), copies and applies what comes, says how far it is, and tries again
//! when the link is cut. What it holds of the primary's bytes is bounded by a frame and a record.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use crate::command::context::Context;
use crate::command::lineup::ServerId;
use crate::command::upstream::{Link, SyncProgress};
use crate::engine::{Engine, EngineError, FollowError};
use crate::log::CopyError;
use crate::lsn::Lsn;
use crate::replication::broken::LinkError;
use crate::replication::copy::{place, take_log, unexpected};
use crate::replication::decide::{Decision, Line, Own, decide};
use crate::replication::frame::{Frame, FrameError, SnapshotId};
use crate::replication::greeting::{Greeting, NoLine, VERSION, Wish};
use crate::replication::incoming::{self, Incoming, IncomingError};
use crate::replication::install::{self, InstallError, Unopened};
use crate::replication::refusal;
use crate::replication::wire::Wire;
use crate::replication::{Following, Opener};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Why an attempt to follow ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum TailError {
    /// The link broke.
    #[error(transparent)]
    Link(#[from] LinkError),
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
    /// The primary follows this server, perhaps over others.
    #[error("{0}")]
    Loop(String),
    /// What was received could not be kept.
    #[error(transparent)]
    Incoming(#[from] IncomingError),
    /// It could not be put in place.
    #[error(transparent)]
    Install(#[from] InstallError),
}

impl TailError {
    /// Whether it is this server's own trouble, of which another connection is no cure.
    pub(super) fn is_own(&self) -> bool {
        match self {
            Self::Follow(FollowError::Copy(CopyError::Damaged { .. })) => false,
            Self::Follow(_) | Self::Engine(_) | Self::Incoming(_) | Self::Install(_) => true,
            _ => false,
        }
    }
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
    /// The snapshot, and the log that it needs, are here.
    Received,
}

/// What is coming.
enum Course {
    /// The log, with the beginning of a record that is not all there.
    Log { pending: Vec<u8> },
    /// The snapshot, and the log that it needs.
    Snapshot,
}

/// What one attempt leaves to the next.
#[derive(Debug, Default)]
pub(super) struct Carried {
    /// What has come of a snapshot.
    pub incoming: Option<Incoming>,
    /// The database was just replaced: to go on is nothing new.
    pub is_sequel: bool,
    /// The database is closed, and what its files hold is to be opened first.
    pub unopened: Unopened,
}

/// One attempt to follow.
pub(super) struct Tail<'t> {
    pub context: &'t Arc<Context>,
    pub following: &'t Following,
    pub opener: &'t Opener,
    pub carried: &'t mut Carried,
}

impl Tail<'_> {
    /// Follows until the link ends.
    pub(super) fn run(&mut self) -> Result<Ended, TailError> {
        install::reopen(self.context, self.opener, &mut self.carried.unopened)?;
        let mut wire = self.connect()?;
        self.following.set_link(Link::Handshake);
        let greeting = self.introduce(&mut wire)?;
        self.see(&greeting.servers)?;
        let engine = self.context.database();
        let own = own(&engine);
        let target = &self.following.target;
        let decision = decide(&own, &greeting.line, greeting.start, target.accept);
        tracing::debug!(?decision, ?own, primary = ?greeting.line, "where to go on");
        if decision != Decision::Snapshot && std::mem::take(&mut self.carried.incoming).is_some() {
            incoming::put_away(&engine).map_err(IncomingError::from)?;
        }
        match decision {
            Decision::Continue => self.go_on(&mut wire, &engine),
            Decision::Snapshot => self.take_snapshot(&mut wire, &engine, &greeting, !own.is_empty),
            Decision::Rewind(to) => {
                let lost = own.line.end.get() - to.get();
                install::rewind((self.context, self.opener), to, &mut self.carried.unopened)?;
                tracing::warn!(
                    %to, bytes = lost,
                    "rewound to where the new primary goes on; what was never replicated is kept in the .cut files"
                );
                Ok(Ended::Installed)
            }
            Decision::Refuse(why) => {
                Err(TailError::NotOurs(refusal::not_ours(why, &own.line, &greeting.line, target)))
            }
        }
    }

    fn connect(&self) -> Result<Wire, LinkError> {
        let target = &self.following.target;
        let failed = |source| LinkError::Connect(format!("{}:{}", target.host, target.port), source);
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
        let wire = Wire::new(Arc::clone(self.context), stream, silence)?;
        self.following.hold(wire.handle()?);
        Ok(wire)
    }

    fn introduce(&self, wire: &mut Wire) -> Result<Greeting, TailError> {
        let settings = &self.context.settings;
        let (user, password) = (settings.masteruser(), settings.masterauth());
        let refused = |command, answer: &str| {
            let answer = answer.trim_start_matches('-').to_owned();
            TailError::from(LinkError::Refused { command, answer })
        };
        if !password.is_empty() {
            let answer = if user.is_empty() {
                wire.ask(&[b"AUTH", &password])?
            } else {
                wire.ask(&[b"AUTH", &user, &password])?
            };
            if answer != "+OK" {
                return Err(refused("AUTH (masteruser, masterauth)", &answer));
            }
        }
        let announced = settings.replica_announce_port();
        let port = if announced == 0 { settings.port() } else { announced };
        let ip = settings.replica_announce_ip();
        let id = self.context.identity.server().to_string();
        let (version, port) = (VERSION.to_string(), port.to_string());
        let line = wire.ask(&[b"FOLLOW", version.as_bytes(), port.as_bytes(), &ip, id.as_bytes()])?;
        if line.starts_with("-ERR unknown command") {
            return Err(TailError::OtherKind);
        }
        if line.starts_with('-') {
            return Err(refused("FOLLOW", &line));
        }
        Ok(Greeting::decode(&line)?)
    }

    /// Takes note of the servers above; a loop, if this one is among them.
    fn see(&self, servers: &[ServerId]) -> Result<(), TailError> {
        if servers.contains(&self.context.identity.server()) {
            return Err(TailError::Loop(refusal::loops(servers.len(), &self.following.target)));
        }
        self.context.above.set(servers);
        Ok(())
    }

    /// Copies and applies the log from this log's end on.
    fn go_on(&mut self, wire: &mut Wire, engine: &Engine) -> Result<Ended, TailError> {
        let at = engine.log().head();
        let wish = Wish::Continue { at, is_sequel: self.carried.is_sequel };
        wire.send(format!("{}\r\n", wish.encode()).as_bytes())?;
        self.following.set_link(Link::Log);
        if self.following.is_news_to_go_on(at) {
            tracing::info!(%at, primary = %self.following.target.host, "following the primary's log");
        }
        wire.tell(place(engine))?;
        self.listen(wire, engine, &mut Course::Log { pending: Vec::new() })
    }

    /// Receives the snapshot, and the log that it needs, and puts them in place.
    fn take_snapshot(
        &mut self,
        wire: &mut Wire,
        engine: &Engine,
        greeting: &Greeting,
        is_instead: bool,
    ) -> Result<Ended, TailError> {
        self.following.set_link(Link::Snapshot);
        let (offset, id) =
            self.carried.incoming.as_ref().map_or((0, SnapshotId::default()), Incoming::progress);
        wire.send(format!("{}\r\n", Wish::Snapshot { offset, id, is_instead }.encode()).as_bytes())?;
        tracing::info!(primary = %self.following.target.host, from = offset, "taking the primary's snapshot");
        let ended = self.listen(wire, engine, &mut Course::Snapshot)?;
        let Some(incoming) = self.carried.incoming.take_if(|_| ended == Ended::Received) else {
            return Ok(ended);
        };
        let (bytes, _) = incoming.bytes();
        let here = (&**self.context, self.opener);
        install::install(here, incoming, greeting.hash_seed, &mut self.carried.unopened)?;
        tracing::info!(bytes, "the primary's snapshot is in place");
        Ok(Ended::Installed)
    }

    /// Takes what comes until something ends it.
    fn listen(&mut self, wire: &mut Wire, engine: &Engine, course: &mut Course) -> Result<Ended, TailError> {
        loop {
            if self.following.is_stopped() {
                return Ok(Ended::Stopped);
            }
            let (ended, has_come) = wire.frames(|frame| match (frame, &mut *course) {
                (Frame::Alive { .. }, _) => Ok(None),
                (Frame::Servers(servers), _) => self.see(&servers).map(|()| None),
                (frame, Course::Log { pending }) => take_log(engine, pending, frame),
                (frame, Course::Snapshot) => self.take_piece(engine, frame),
            })?;
            if let Some(ended) = ended {
                return Ok(ended);
            }
            if has_come {
                self.following.heard();
                engine.tell_progress();
            }
            let is_log = matches!(course, Course::Log { .. });
            // Why not for each frame: one word serves all that has come.
            if (has_come && is_log) || wire.has_been_quiet() {
                // Why nothing of what is here before the snapshot: it may have nothing to do with the primary's.
                wire.tell(if is_log { place(engine) } else { (Lsn::ZERO, Lsn::ZERO) })?;
            }
            wire.read()?;
        }
    }

    fn take_piece(&mut self, engine: &Engine, frame: Frame<'_>) -> Result<Option<Ended>, TailError> {
        if let Frame::Snapshot { id, bytes, offset, from, until } = frame {
            let begun = self.carried.incoming.take().filter(|it| it.goes_on(id, offset));
            let mut incoming = match begun {
                Some(incoming) => incoming,
                None => Incoming::begin(engine, id, bytes)?,
            };
            incoming.log_begins(from, until)?;
            self.carried.incoming = Some(incoming);
            return Ok(None);
        }
        let begun = self.carried.incoming.as_mut();
        let incoming = begun.ok_or_else(|| NoLine("a snapshot without a beginning".to_owned()))?;
        match frame {
            Frame::SnapshotBytes(bytes) => incoming.snapshot_bytes(bytes)?,
            Frame::Segment { first, end, history, lineage, .. } => {
                incoming.segment(first, end, history, lineage)?;
            }
            Frame::Log { at, bytes } => incoming.log_bytes(at, bytes)?,
            other => return Err(unexpected(&other)),
        }
        let (done, total) = incoming.bytes();
        self.following.set_sync(SyncProgress { done, total });
        Ok(incoming.is_whole().then_some(Ended::Received))
    }
}

/// What this server knows of itself.
pub(super) fn own(engine: &Engine) -> Own {
    let log = engine.log();
    let line = Line { history: log.history(), end: log.head(), lineage: log.lineage() };
    let is_empty = engine.info().databases.iter().all(|database| database.keys == 0);
    let rewinds_to = engine.is_persistent().then(|| engine.snapshot_bounds().0.max(log.start()));
    Own { line, is_empty, rewinds_to }
}
