//! The state of one connection, as far as commands know it.
//!
//! The connection's task owns it and lends it to each command. Nobody else sees it: what others may see is
//! published to the [`ClientHandle`].

use crate::command::clients::{ClientFlags, ClientHandle, SessionFigures};
use crate::command::pubsub::{Outgoing, Subscriptions};
use crate::command::replication::Token;
use crate::command::spec::CommandSpec;
use crate::engine::{DbIndex, Engine};
use crate::log::HistoryName;
use crate::lsn::Lsn;
use crate::resp::{OwnedRequest, Protocol};
use std::sync::Arc;

/// Whether the client wants replies (CLIENT REPLY).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplyMode {
    /// Every command is answered.
    #[default]
    On,
    /// No command is answered.
    Off,
    /// CLIENT REPLY SKIP is running: neither it nor the command after it is answered.
    SkipNext,
    /// The command after CLIENT REPLY SKIP is running.
    Skip,
}

/// The commands between MULTI and EXEC.
#[derive(Debug, Default)]
pub struct Queue {
    /// What EXEC will run, in order.
    pub requests: Vec<(&'static CommandSpec, OwnedRequest)>,
    /// A command could not be queued: EXEC will refuse.
    pub broken: bool,
    /// Bytes that the requests hold on the heap.
    pub bytes: usize,
}

impl Queue {
    /// Adds a request.
    pub fn push(&mut self, spec: &'static CommandSpec, request: OwnedRequest) {
        self.bytes += request.heap_bytes();
        self.requests.push((spec, request));
    }
}

/// A watched key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Its database.
    pub db: DbIndex,
    /// The key.
    pub key: Box<[u8]>,
    /// What was there when it was watched: the version's record, or nothing.
    pub seen: Option<Lsn>,
}

/// The last record that a connection has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    record: Lsn,
    /// Which database it is in: its address, only to be compared.
    database: usize,
}

/// The state of one connection.
#[expect(clippy::struct_excessive_bools, reason = "independent switches that clients set one by one")]
#[derive(Debug)]
pub struct Session {
    /// Selected database.
    pub db: DbIndex,
    /// What others see of this connection.
    pub client: Arc<ClientHandle>,
    /// The client has given the password, or needed none when it connected.
    pub authenticated: bool,
    /// Whether the client wants replies.
    pub reply_mode: ReplyMode,
    /// Reads do not count as uses of a key (CLIENT NO-TOUCH).
    pub no_touch: bool,
    /// The connection is spared when memory is short (CLIENT NO-EVICT).
    pub no_evict: bool,
    /// MULTI's queue, while there is one.
    pub multi: Option<Queue>,
    /// Keys that must not change before EXEC.
    pub watches: Vec<Watch>,
    /// The dialect that HELLO chose; a copy of what the reply buffer has.
    pub protocol: Protocol,
    /// The last command that ran.
    pub last_command: Option<&'static CommandSpec>,
    /// Commands that have ended, those inside transactions included.
    pub commands: u64,
    /// The latest record that the commands of the last batch saw or made; their replies wait for it under
    /// `fsync always`.
    pub seen: Lsn,
    /// The last thing that this connection has written, if anything: what WAIT waits for.
    pub written: Option<Written>,
    /// The client is told of the token of what it writes (CLIENT TRACKLSN).
    pub tracks_lsn: bool,
    /// What the connection is subscribed to, if it ever was to anything.
    pub subscriptions: Option<Box<Subscriptions>>,
    /// What the attempt at hand publishes, if anything.
    pub outgoing: Option<Box<Outgoing>>,
    /// EXEC is running the queue.
    in_exec: bool,
}

impl Session {
    /// The session of a new connection; `authenticated` where no password is asked for.
    pub fn new(client: Arc<ClientHandle>, authenticated: bool) -> Self {
        Self {
            db: 0,
            client,
            authenticated,
            reply_mode: ReplyMode::On,
            no_touch: false,
            no_evict: false,
            multi: None,
            watches: Vec::new(),
            protocol: Protocol::Resp2,
            last_command: None,
            commands: 0,
            seen: Lsn::ZERO,
            written: None,
            tracks_lsn: false,
            subscriptions: None,
            outgoing: None,
            in_exec: false,
        }
    }

    /// Puts everything back as it was when the client connected (RESET). The library's name stays: it says what
    /// is behind the connection, not what it does.
    pub fn reset(&mut self, authenticated: bool) {
        self.client.relabel(|labels| labels.name.clear());
        self.unsubscribe_from_all();
        self.monitor_no_more();
        self.db = 0;
        self.authenticated = authenticated;
        self.reply_mode = ReplyMode::On;
        self.no_touch = false;
        self.no_evict = false;
        self.tracks_lsn = false;
        self.multi = None;
        self.watches = Vec::new();
        self.protocol = Protocol::Resp2;
    }

    /// Notes the last record that a batch has made; zero where it made none.
    #[inline]
    pub fn note_written(&mut self, engine: &Engine, record: Lsn) {
        if record > Lsn::ZERO {
            // Why no token yet: to name the history costs more than a small write.
            self.written = Some(Written { record, database: std::ptr::from_ref(engine) as usize });
        }
    }

    /// The token of the last thing that this connection has written. What was written to a database that has been replaced
    /// is in no history that is here.
    pub fn token(&self, engine: &Engine) -> Option<Token> {
        self.written.map(|written| {
            let is_here = written.database == std::ptr::from_ref(engine) as usize;
            let history = if is_here { engine.history() } else { HistoryName::default() };
            Token::behind(history, written.record)
        })
    }

    /// EXEC is running the queue, so a command must not wait for anything.
    #[inline]
    pub fn in_exec(&self) -> bool {
        self.in_exec
    }

    /// Says that EXEC starts or has ended running the queue.
    pub fn set_in_exec(&mut self, in_exec: bool) {
        self.in_exec = in_exec;
    }

    /// Notes which command is about to run.
    #[inline]
    pub fn begin_command(&mut self, spec: &'static CommandSpec) {
        self.last_command = Some(spec);
    }

    /// Counts commands that have run to their end: one that waits does not count before it has its reply.
    #[inline]
    pub fn count_commands(&mut self, count: usize) {
        self.commands += count as u64;
    }

    /// Whether what the command at hand answers is to be thrown away. Asked after the command has run.
    #[inline]
    pub fn mutes_reply(&self) -> bool {
        self.reply_mode != ReplyMode::On
    }

    /// Moves CLIENT REPLY SKIP on. Called after each command, whether it succeeded or not.
    #[inline]
    pub fn end_command(&mut self) {
        self.reply_mode = match self.reply_mode {
            ReplyMode::SkipNext => ReplyMode::Skip,
            ReplyMode::Skip => ReplyMode::On,
            unchanged => unchanged,
        };
    }

    /// Makes the present state visible to others: once per batch, and before the connection lists itself.
    pub fn publish(&self) {
        let queue = self.multi.as_ref();
        self.client.publish_session(&SessionFigures {
            db: self.db,
            flags: self.flags(),
            protocol: self.protocol,
            last_command: self.last_command.map(CommandSpec::index),
            commands: self.commands,
            queued: queue.map(|queue| queue.requests.len() as u32),
            queued_bytes: queue.map_or(0, |queue| queue.bytes as u64),
            watched: self.watches.len() as u32,
        });
    }

    fn flags(&self) -> ClientFlags {
        ClientFlags::NORMAL
            .with(ClientFlags::MULTI, self.multi.is_some() || self.in_exec)
            .with(ClientFlags::MONITOR, self.monitors())
            .with(ClientFlags::UNIX_SOCKET, self.client.endpoint().unix)
            .with(ClientFlags::NO_EVICT, self.no_evict)
            .with(ClientFlags::NO_TOUCH, self.no_touch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;
    use crate::command::clients::Endpoint;
    use crate::command::table;

    fn session() -> Session {
        Session::new(Arc::new(ClientHandle::new(1, Endpoint::default(), Millis(0))), true)
    }

    #[test]
    fn skip_mutes_itself_and_one_command_more() {
        let mut session = session();
        let mut muted = Vec::new();
        for at in 0..4 {
            if at == 0 {
                session.reply_mode = ReplyMode::SkipNext;
            }
            muted.push(session.mutes_reply());
            session.end_command();
        }
        assert_eq!(muted, [true, true, false, false]);
    }

    #[test]
    fn off_mutes_until_it_is_on_again() {
        let mut session = session();
        session.reply_mode = ReplyMode::Off;
        session.end_command();
        session.end_command();
        assert!(session.mutes_reply());
    }

    #[test]
    fn reset_restores_everything_but_the_librarys_name() {
        let mut session = session();
        session.client.relabel(|labels| {
            labels.name = "me".to_owned();
            labels.lib_name = "lib".to_owned();
        });
        session.db = 3;
        session.multi = Some(Queue::default());
        session.watches.push(Watch { db: 0, key: b"k"[..].into(), seen: None });
        session.reply_mode = ReplyMode::Off;
        session.protocol = Protocol::Resp3;
        session.reset(false);
        session.publish();
        let expected = SessionFigures::default();
        assert_eq!(session.client.session(), expected);
        assert!(!session.authenticated && !session.mutes_reply());
        assert_eq!(session.client.labels().name, "");
        assert_eq!(session.client.labels().lib_name, "lib");
    }

    #[test]
    fn what_is_published_follows_the_session() {
        let mut session = session();
        let spec = table::lookup(b"get").expect("GET is in the table");
        session.begin_command(spec);
        session.count_commands(1);
        let mut queue = Queue::default();
        queue.push(spec, ["get", "key"].into_iter().collect());
        session.multi = Some(queue);
        session.db = 2;
        session.publish();
        let figures = session.client.session();
        assert_eq!((figures.db, figures.queued, figures.commands), (2, Some(1), 1));
        assert_eq!(figures.last_command, Some(spec.index()));
        assert_eq!(figures.flags.letters(), "x");
        assert!(figures.queued_bytes >= 6);
    }
}
