//! What a subscribed connection may do: in RESP2, where a message looks like a reply, next to nothing. One that monitors
//! leaves the keys alone.

use crate::command::call::CommandError;
use crate::command::session::Session;
use crate::command::spec::{CommandSpec, Flags};
use crate::resp::Protocol;

/// Commands that a subscribed connection may call in RESP2.
const ALLOWED: [&str; 9] = [
    "subscribe",
    "unsubscribe",
    "psubscribe",
    "punsubscribe",
    "ssubscribe",
    "sunsubscribe",
    "ping",
    "quit",
    "reset",
];

/// What touches keys, or goes to replicas as if it did.
const OF_KEYS: Flags = Flags::of(&[Flags::READONLY, Flags::WRITE, Flags::MAY_REPLICATE]);

/// Whether a connection that is or was subscribed, or monitors, may call the command now.
///
/// # Errors
/// It may not.
#[cold]
pub fn check(session: &Session, spec: &CommandSpec) -> Result<(), CommandError> {
    if session.monitors() && spec.flags.intersects(OF_KEYS) {
        return Err(CommandError::Text("ERR Replica can't interact with the keyspace".into()));
    }
    if !session.is_in_subscribed_mode() || ALLOWED.contains(&spec.full_name) {
        return Ok(());
    }
    let text = format!(
        "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
        spec.full_name
    );
    Err(CommandError::Text(text.into()))
}

impl Session {
    /// Whether messages would be taken for replies: the connection is subscribed to something, and speaks RESP2.
    pub fn is_in_subscribed_mode(&self) -> bool {
        self.protocol == Protocol::Resp2 && self.subscriptions.as_ref().is_some_and(|names| names.total() > 0)
    }
}
