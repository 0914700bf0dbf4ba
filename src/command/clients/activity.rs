//! What a connection tells about itself while it runs, in words that others may read at any time.
//!
//! Only the connection's own task writes (once per batch, or just before it lists itself); anyone reads. Each
//! word is right by itself; two words may come from different batches.

use crate::clock::Millis;
use crate::resp::Protocol;
use crate::sync::{AtomicU8, AtomicU32, AtomicU64, Ordering};

/// Flags that CLIENT LIST shows as letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientFlags(u32);

impl ClientFlags {
    /// An ordinary connection.
    pub const NORMAL: Self = Self(0);
    /// Inside MULTI.
    pub const MULTI: Self = Self(1);
    /// Waiting inside a command.
    pub const BLOCKED: Self = Self(1 << 1);
    /// A watched key has changed: EXEC will fail.
    pub const WATCH_BROKEN: Self = Self(1 << 2);
    /// To be closed when all replies are written.
    pub const CLOSE_AFTER_REPLY: Self = Self(1 << 3);
    /// To be closed as soon as possible.
    pub const CLOSE_NOW: Self = Self(1 << 4);
    /// Connected through a Unix socket.
    pub const UNIX_SOCKET: Self = Self(1 << 5);
    /// Never chosen when connections are closed to free memory.
    pub const NO_EVICT: Self = Self(1 << 6);
    /// Its reads do not count as uses of a key.
    pub const NO_TOUCH: Self = Self(1 << 7);

    /// Subscribed to something.
    pub const PUBSUB: Self = Self(1 << 8);
    /// A replica.
    pub const REPLICA: Self = Self(1 << 9);
    /// The primary.
    pub const PRIMARY: Self = Self(1 << 10);
    /// Shown what all clients ask for.
    pub const MONITOR: Self = Self(1 << 11);

    /// Redis's letters, in Redis's order.
    const LETTERS: [(Self, char); 12] = [
        (Self::MONITOR, 'O'),
        (Self::REPLICA, 'S'),
        (Self::PRIMARY, 'M'),
        (Self::PUBSUB, 'P'),
        (Self::MULTI, 'x'),
        (Self::BLOCKED, 'b'),
        (Self::WATCH_BROKEN, 'd'),
        (Self::CLOSE_AFTER_REPLY, 'c'),
        (Self::CLOSE_NOW, 'A'),
        (Self::UNIX_SOCKET, 'U'),
        (Self::NO_EVICT, 'e'),
        (Self::NO_TOUCH, 'T'),
    ];

    /// These flags and, if `on`, those of `other`.
    pub const fn with(self, other: Self, on: bool) -> Self {
        if on { Self(self.0 | other.0) } else { self }
    }

    /// Whether all of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The letters that CLIENT LIST shows; `N` stands for none.
    pub fn letters(self) -> String {
        let letters: String = Self::LETTERS
            .iter()
            .filter(|(flag, _)| self.contains(*flag))
            .map(|(_, letter)| *letter)
            .collect();
        if letters.is_empty() { "N".to_owned() } else { letters }
    }
}

/// What the session knows of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SessionFigures {
    /// Selected database.
    pub db: u16,
    /// State flags.
    pub flags: ClientFlags,
    /// Dialect that HELLO chose.
    pub protocol: Protocol,
    /// [`crate::command::spec::CommandSpec::index`] of the last command.
    pub last_command: Option<usize>,
    /// Commands that have ended.
    pub commands: u64,
    /// Requests in MULTI's queue, if there is one.
    pub queued: Option<u32>,
    /// Bytes that the queue holds.
    pub queued_bytes: u64,
    /// Watched keys.
    pub watched: u32,
}

/// What the connection knows of its buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Buffers {
    /// Bytes read and not executed yet.
    pub query_bytes: u64,
    /// Room left in the read buffer.
    pub query_free_bytes: u64,
    /// Bytes of the request at hand.
    pub request_bytes: u64,
    /// Bytes of replies not written yet.
    pub output_bytes: u64,
    /// Bytes that the reply buffer occupies.
    pub output_capacity_bytes: u64,
    /// Bytes read since the connection was made.
    pub net_input_bytes: u64,
    /// Bytes written since the connection was made.
    pub net_output_bytes: u64,
    /// When the client last sent anything.
    pub last_active: Millis,
}

impl Buffers {
    /// Bytes that the connection occupies because of its buffers.
    pub const fn memory_bytes(&self) -> u64 {
        self.query_bytes + self.query_free_bytes + self.request_bytes + self.output_capacity_bytes
    }
}

const NO_COMMAND: u32 = u32::MAX;
const NO_QUEUE: u32 = u32::MAX;

/// The published words. All accesses are Relaxed: they are figures, and nothing is decided by them that another
/// word must agree with.
#[derive(Debug)]
pub(super) struct Activity {
    db: AtomicU32,
    flags: AtomicU32,
    resp3: AtomicU8,
    last_command: AtomicU32,
    commands: AtomicU64,
    queued: AtomicU32,
    queued_bytes: AtomicU64,
    watched: AtomicU32,
    query_bytes: AtomicU64,
    query_free_bytes: AtomicU64,
    request_bytes: AtomicU64,
    output_bytes: AtomicU64,
    output_capacity_bytes: AtomicU64,
    net_input_bytes: AtomicU64,
    net_output_bytes: AtomicU64,
    last_active: AtomicU64,
}

impl Activity {
    pub(super) fn new(now: Millis) -> Self {
        Self {
            db: AtomicU32::new(0),
            flags: AtomicU32::new(0),
            resp3: AtomicU8::new(0),
            last_command: AtomicU32::new(NO_COMMAND),
            commands: AtomicU64::new(0),
            queued: AtomicU32::new(NO_QUEUE),
            queued_bytes: AtomicU64::new(0),
            watched: AtomicU32::new(0),
            query_bytes: AtomicU64::new(0),
            query_free_bytes: AtomicU64::new(0),
            request_bytes: AtomicU64::new(0),
            output_bytes: AtomicU64::new(0),
            output_capacity_bytes: AtomicU64::new(0),
            net_input_bytes: AtomicU64::new(0),
            net_output_bytes: AtomicU64::new(0),
            last_active: AtomicU64::new(now.0),
        }
    }

    pub(super) fn publish_session(&self, figures: &SessionFigures) {
        self.db.store(u32::from(figures.db), Ordering::Relaxed);
        self.flags.store(figures.flags.0, Ordering::Relaxed);
        self.resp3.store(u8::from(figures.protocol == Protocol::Resp3), Ordering::Relaxed);
        self.last_command
            .store(figures.last_command.map_or(NO_COMMAND, |index| index as u32), Ordering::Relaxed);
        self.commands.store(figures.commands, Ordering::Relaxed);
        self.queued.store(figures.queued.unwrap_or(NO_QUEUE), Ordering::Relaxed);
        self.queued_bytes.store(figures.queued_bytes, Ordering::Relaxed);
        self.watched.store(figures.watched, Ordering::Relaxed);
    }

    pub(super) fn session(&self) -> SessionFigures {
        let resp3 = self.resp3.load(Ordering::Relaxed) == 1;
        let last_command = self.last_command.load(Ordering::Relaxed);
        let queued = self.queued.load(Ordering::Relaxed);
        SessionFigures {
            db: self.db.load(Ordering::Relaxed) as u16,
            flags: ClientFlags(self.flags.load(Ordering::Relaxed)),
            protocol: if resp3 { Protocol::Resp3 } else { Protocol::Resp2 },
            last_command: (last_command != NO_COMMAND).then_some(last_command as usize),
            commands: self.commands.load(Ordering::Relaxed),
            queued: (queued != NO_QUEUE).then_some(queued),
            queued_bytes: self.queued_bytes.load(Ordering::Relaxed),
            watched: self.watched.load(Ordering::Relaxed),
        }
    }

    pub(super) fn publish_buffers(&self, buffers: &Buffers) {
        self.query_bytes.store(buffers.query_bytes, Ordering::Relaxed);
        self.query_free_bytes.store(buffers.query_free_bytes, Ordering::Relaxed);
        self.request_bytes.store(buffers.request_bytes, Ordering::Relaxed);
        self.output_bytes.store(buffers.output_bytes, Ordering::Relaxed);
        self.output_capacity_bytes.store(buffers.output_capacity_bytes, Ordering::Relaxed);
        self.net_input_bytes.store(buffers.net_input_bytes, Ordering::Relaxed);
        self.net_output_bytes.store(buffers.net_output_bytes, Ordering::Relaxed);
        self.last_active.store(buffers.last_active.0, Ordering::Relaxed);
    }

    /// Adds to what has gone over the connection, where whoever publishes the buffers has handed it on.
    pub(super) fn count_traffic(&self, read: u64, written: u64) {
        let (input, output) = (&self.net_input_bytes, &self.net_output_bytes);
        input.store(input.load(Ordering::Relaxed).wrapping_add(read), Ordering::Relaxed);
        output.store(output.load(Ordering::Relaxed).wrapping_add(written), Ordering::Relaxed);
    }

    pub(super) fn buffers(&self) -> Buffers {
        Buffers {
            query_bytes: self.query_bytes.load(Ordering::Relaxed),
            query_free_bytes: self.query_free_bytes.load(Ordering::Relaxed),
            request_bytes: self.request_bytes.load(Ordering::Relaxed),
            output_bytes: self.output_bytes.load(Ordering::Relaxed),
            output_capacity_bytes: self.output_capacity_bytes.load(Ordering::Relaxed),
            net_input_bytes: self.net_input_bytes.load(Ordering::Relaxed),
            net_output_bytes: self.net_output_bytes.load(Ordering::Relaxed),
            last_active: Millis(self.last_active.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_flag_shows_as_n_and_several_in_redis_order() {
        assert_eq!(ClientFlags::NORMAL.letters(), "N");
        let flags = ClientFlags::NO_TOUCH.with(ClientFlags::MULTI, true).with(ClientFlags::BLOCKED, false);
        assert_eq!(flags.letters(), "xT");
    }

    #[test]
    fn what_is_published_is_read_back() {
        let activity = Activity::new(Millis(7));
        assert_eq!(activity.session(), SessionFigures::default());
        let session = SessionFigures {
            db: 9,
            flags: ClientFlags::MULTI,
            protocol: Protocol::Resp3,
            last_command: Some(12),
            commands: 3,
            queued: Some(0),
            queued_bytes: 4,
            watched: 5,
        };
        activity.publish_session(&session);
        assert_eq!(activity.session(), session);
        let buffers =
            Buffers { query_bytes: 1, last_active: Millis(8), net_output_bytes: 2, ..Buffers::default() };
        activity.publish_buffers(&buffers);
        assert_eq!(activity.buffers(), buffers);
        activity.count_traffic(5, 6);
        assert_eq!(activity.buffers(), Buffers { net_input_bytes: 5, net_output_bytes: 8, ..buffers });
    }
}
