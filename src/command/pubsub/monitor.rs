//! MONITOR: what every client asks for, line by line, to whoever wants to look on.
//!
//! A connection that monitors has an outbox, as a subscriber has, and a place among the [`Monitors`]. Who runs commands
//! asks once per batch whether there is anybody. If so, each command that has run, or begins to wait, is written down
//! once and put into all outboxes; the limit of subscribers holds for them. Commands for administrators are not shown,
//! nor are secrets.
//!
//! | operation | progress |
//! |---|---|
//! | [`Monitors::are_there`] | wait-free |
//! | [`Monitors::tell`] | shares a lock |
//! | [`Monitors::join`], dropping a [`Monitoring`] | blocking |
//!
//! Order: what one connection asks for is shown in that order, a transaction's commands before its EXEC; what two ask for
//! may be in either. What is shown was asked for, and says nothing of how safely it is stored.

use super::subscriber::Push;
use crate::clock::Millis;
use crate::command::call::{Call, CommandError};
use crate::command::clients::{ClientHandle, Endpoint, KillState};
use crate::command::session::Session;
use crate::command::slowlog::is_secret;
use crate::command::spec::{CommandSpec, Flags};
use crate::engine::DbIndex;
use crate::lsn::Lsn;
use crate::resp::{Args, PushFrame};
use crate::settings::OutputLimit;
use crate::sync::{AtomicUsize, Ordering};
use std::fmt::Write as _;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Bytes of arguments that a line shows; of what is left out, it tells how much that was.
const SHOWN_BYTES_MAX: usize = 64 * 1024;

/// Who monitors.
#[derive(Debug, Default)]
pub struct Monitors {
    /// How many there are.
    count: AtomicUsize,
    clients: RwLock<Vec<Arc<ClientHandle>>>,
}

/// A connection's place among those who monitor; dropping it gives the place up, and afterwards no line comes.
#[derive(Debug)]
pub struct Monitoring {
    monitors: Arc<Monitors>,
    client: Arc<ClientHandle>,
}

impl Monitors {
    /// Whether anybody monitors. Asked once per batch.
    #[inline]
    pub fn are_there(&self) -> bool {
        // Relaxed: who has just begun sees the batches that begin later; the lock orders the list.
        self.count.load(Ordering::Relaxed) > 0
    }

    /// Lets a connection monitor.
    pub(super) fn join(self: &Arc<Self>, client: &Arc<ClientHandle>) -> Monitoring {
        client.subscribe();
        let mut clients = self.clients.write().unwrap_or_else(PoisonError::into_inner);
        clients.push(Arc::clone(client));
        // Relaxed: see `are_there`.
        self.count.store(clients.len(), Ordering::Relaxed);
        Monitoring { monitors: Arc::clone(self), client: Arc::clone(client) }
    }

    /// Shows a command that `session`'s connection has asked for in database `db`, unless it is not to be shown.
    #[cold]
    pub fn tell(
        &self,
        (session, db): (&Session, DbIndex),
        spec: &CommandSpec,
        args: Args<'_>,
        limit: OutputLimit,
    ) {
        if spec.flags.intersects(Flags::of(&[Flags::ADMIN, Flags::SKIP_MONITOR])) {
            return;
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let frame = PushFrame::status(&line(since, db, session.client.endpoint(), args));
        let now = Millis(since.as_millis() as u64);
        for client in &*self.clients.read().unwrap_or_else(PoisonError::into_inner) {
            let Some(subscriber) = client.subscriber() else { continue };
            let push = Push { frame: frame.clone(), lsn: Lsn::ZERO };
            if subscriber.send(push, limit, now).is_err() {
                client.kill(KillState::Now);
            }
        }
    }
}

impl Drop for Monitoring {
    fn drop(&mut self) {
        let mut clients = self.monitors.clients.write().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|client| !Arc::ptr_eq(client, &self.client));
        // Relaxed: see `Monitors::are_there`.
        self.monitors.count.store(clients.len(), Ordering::Relaxed);
    }
}

/// MONITOR
///
/// # Errors
/// Inside a transaction.
pub fn monitor(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    if call.session.in_exec() {
        return Err(CommandError::Text("ERR MONITOR isn't allowed for DENY BLOCKING client".into()));
    }
    call.session.monitor(&call.context.hub, &call.context.monitors);
    call.reply.ok();
    Ok(())
}

/// Time, database, client and request, as Redis writes them.
fn line(since: Duration, db: DbIndex, endpoint: &Endpoint, args: Args<'_>) -> String {
    let client = match endpoint.peer.strip_suffix(":0") {
        Some(path) if endpoint.unix => format!("unix:{path}"),
        _ => endpoint.peer.clone(),
    };
    let mut text = format!("{}.{:06} [{db} {client}]", since.as_secs(), since.subsec_micros());
    let mut room = SHOWN_BYTES_MAX;
    for (at, arg) in args.iter().enumerate() {
        if room == 0 {
            // Why: writing to a string does not fail; here and below.
            let _ = write!(text, " \"... ({} more arguments)\"", args.len() - at);
            break;
        }
        let arg = if is_secret(args, at) { b"(redacted)" } else { arg };
        let shown = &arg[..arg.len().min(room)];
        room -= shown.len();
        text.push_str(" \"");
        quote(&mut text, shown);
        if shown.len() < arg.len() {
            let _ = write!(text, "... ({} more bytes)", arg.len() - shown.len());
        }
        text.push('"');
    }
    text
}

/// Appends bytes as they stand between quotation marks: what is no visible ASCII is escaped.
fn quote(text: &mut String, bytes: &[u8]) {
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(byte)]),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            0x07 => text.push_str("\\a"),
            0x08 => text.push_str("\\b"),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => {
                let _ = write!(text, "\\x{byte:02x}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::context::fixture::Fixture;
    use crate::command::table;
    use crate::resp::{OwnedRequest, ReplyBuf};
    use crate::settings::ClientClass;

    const AT: Duration = Duration::from_micros(1_700_000_000_000_042);

    fn written(words: &[&[u8]]) -> String {
        let request: OwnedRequest = words.iter().collect();
        let endpoint = Endpoint { peer: "127.0.0.1:5000".to_owned(), ..Endpoint::default() };
        line(AT, 9, &endpoint, request.as_args())
    }

    /// Asks for something, and gives what those who monitor are sent.
    fn told(fixture: &mut Fixture, words: &str) -> String {
        let request: OwnedRequest = words.split(' ').collect();
        let spec = table::resolve(request.as_args()).expect("a command");
        let limit = fixture.context.settings.output_limit(ClientClass::Pubsub);
        fixture.context.monitors.tell((&fixture.session, 3), spec, request.as_args(), limit);
        let mut reply = ReplyBuf::new();
        fixture.session.take_pushes(&mut reply);
        String::from_utf8(reply.to_vec()).expect("a line is ASCII")
    }

    #[test]
    fn a_line_tells_when_where_who_and_what() {
        assert_eq!(
            written(&[b"SET", b"a \"key\"\r\n\t\\", b"\x00\x07\x08\xff~"]),
            r#"1700000000.000042 [9 127.0.0.1:5000] "SET" "a \"key\"\r\n\t\\" "\x00\a\b\xff~""#
        );
        let request: OwnedRequest = ["PING"].into_iter().collect();
        let unix = Endpoint { peer: "/run/s.sock:0".to_owned(), unix: true, ..Endpoint::default() };
        assert_eq!(line(AT, 0, &unix, request.as_args()), r#"1700000000.000042 [0 unix:/run/s.sock] "PING""#);
    }

    #[test]
    fn a_long_request_is_cut_and_says_by_how_much() {
        let long = vec![b'x'; SHOWN_BYTES_MAX];
        let text = written(&[b"SET", &long, b"a", b"b"]);
        assert!(text.ends_with(r#"xxx... (3 more bytes)" "... (2 more arguments)""#));
        assert!(text.len() < SHOWN_BYTES_MAX + 128);
    }

    #[test]
    fn who_monitors_is_shown_what_is_asked_for_but_no_secrets_and_nothing_of_administrators() {
        let mut fixture = Fixture::new();
        assert!(!fixture.context.monitors.are_there());
        assert_eq!(fixture.run(monitor, "MONITOR"), "+OK\r\n");
        assert_eq!(fixture.run(monitor, "MONITOR"), "+OK\r\n");
        let text = told(&mut fixture, "GET a");
        assert!(text.starts_with('+') && text.ends_with(" [3 127.0.0.1:5000] \"GET\" \"a\"\r\n"), "{text}");
        let secret = told(&mut fixture, "AUTH me secret");
        assert!(secret.ends_with("\"AUTH\" \"(redacted)\" \"(redacted)\"\r\n"), "{secret}");
        assert_eq!(told(&mut fixture, "CONFIG GET port"), "");
        fixture.session.monitor_no_more();
        assert!(!fixture.context.monitors.are_there());
        assert_eq!(told(&mut fixture, "GET a"), "");
    }

    #[test]
    fn who_does_not_read_is_cut_off() {
        let mut fixture = Fixture::with(&[("client-output-buffer-limit", "pubsub 200 0 0")]);
        fixture.run(monitor, "MONITOR");
        let limit = fixture.context.settings.output_limit(ClientClass::Pubsub);
        let request: OwnedRequest = ["ECHO", &"x".repeat(200)].into_iter().collect();
        let spec = table::resolve(request.as_args()).expect("a command");
        fixture.context.monitors.tell((&fixture.session, 0), spec, request.as_args(), limit);
        assert_eq!(fixture.session.client.kill_state(), KillState::Now);
    }
}
