//! CLIENT INFO and CLIENT LIST: connections as lines of text.
//!
//! The fields are Redis's, in its order, with `watch` and the `tot-*` totals of later versions, which Valkey's
//! tests and tools read too.

use super::kill::parse_type;
use crate::clock::Millis;
use crate::command::args::is;
use crate::command::call::{Call, CommandError, Later};
use crate::command::clients::{ClientFlags, ClientHandle, ClientRegistry, ClientType};
use crate::command::pubsub::Kind;
use crate::command::table;
use crate::resp::number::parse_i64;
use crate::resp::{Args, Protocol};
use std::borrow::Cow;
use std::fmt::Write as _;

/// With more connections than this, a list is made on a thread that may take its time.
const INLINE_CLIENTS_MAX: usize = 256;

/// CLIENT INFO
pub fn client_info(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    call.session.publish();
    let mut text = String::new();
    write_line(&mut text, &call.session.client, call.txn.now());
    call.reply.verbatim(*b"txt", &text);
    Ok(())
}

/// `CLIENT LIST [TYPE type | ID id [id ...]]`
pub fn client_list(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let choice = Choice::parse(call.args)?;
    call.session.publish();
    let now = call.txn.now();
    if call.session.in_exec() || choice.cost(&call.context.clients) <= INLINE_CLIENTS_MAX {
        call.reply.verbatim(*b"txt", &choice.lines(&call.context.clients, now));
    } else {
        call.later = Some(Later::Blocking(Box::new(move |context, reply| {
            reply.verbatim(*b"txt", &choice.lines(&context.clients, now));
        })));
    }
    Ok(())
}

/// Which connections are listed.
enum Choice {
    All,
    /// Those of a type.
    Type(ClientType),
    Ids(Vec<u64>),
}

impl Choice {
    fn parse(args: Args<'_>) -> Result<Self, CommandError> {
        match args.get(2) {
            None => Ok(Self::All),
            Some(word) if is(word, "type") && args.len() == 4 => Ok(Self::Type(parse_type(&args[3])?)),
            Some(word) if is(word, "id") && args.len() > 3 => {
                // Why 0 for what is below: nobody has that id, and Redis takes any number here.
                let id = |arg| parse_i64(arg).map(|id| u64::try_from(id).unwrap_or(0));
                let ids: Option<Vec<u64>> = args.from(3).iter().map(id).collect();
                ids.map(Self::Ids).ok_or(CommandError::Text(Cow::Borrowed("ERR Invalid client ID")))
            }
            Some(_) => Err(CommandError::Syntax),
        }
    }

    /// How many lines there may be.
    fn cost(&self, clients: &ClientRegistry) -> usize {
        match self {
            Self::All | Self::Type(_) => clients.count(),
            Self::Ids(ids) => ids.len(),
        }
    }

    fn lines(&self, clients: &ClientRegistry, now: Millis) -> String {
        let handles = match self {
            Self::All => clients.list(),
            Self::Type(wanted) => {
                let mut handles = clients.list();
                handles.retain(|handle| handle.client_type() == *wanted);
                handles
            }
            Self::Ids(ids) => ids.iter().filter_map(|id| clients.find(*id)).collect(),
        };
        let mut text = String::with_capacity(handles.len() * 384);
        for handle in handles {
            write_line(&mut text, &handle, now);
        }
        text
    }
}

/// Appends the line of one connection.
fn write_line(text: &mut String, handle: &ClientHandle, now: Millis) {
    let (session, buffers, labels) = (handle.session(), handle.buffers(), handle.labels());
    let endpoint = handle.endpoint();
    let last_command = session.last_command.and_then(|index| table::all().nth(index));
    let mut field = |name: &str, value: &dyn std::fmt::Display| {
        let separator = if name == "id" { "" } else { " " };
        // Why: writing to a string does not fail.
        let _ = write!(text, "{separator}{name}={value}");
    };
    field("id", &handle.id());
    field("addr", &endpoint.peer);
    field("laddr", &endpoint.local);
    field("fd", &endpoint.fd);
    field("name", &labels.name);
    field("age", &(handle.connected_at().until(now) / 1000));
    field("idle", &(buffers.last_active.until(now) / 1000));
    let client_type = handle.client_type();
    let flags = session.flags.with(ClientFlags::PUBSUB, client_type == ClientType::Pubsub);
    let flags = flags.with(ClientFlags::REPLICA, client_type == ClientType::Replica);
    field("flags", &flags.with(ClientFlags::PRIMARY, client_type == ClientType::Primary).letters());
    field("db", &session.db);
    for (name, kind) in [("sub", Kind::Channel), ("psub", Kind::Pattern), ("ssub", Kind::Shard)] {
        field(name, &handle.subscriber().map_or(0, |subscriber| subscriber.count(kind)));
    }
    field("multi", &session.queued.map_or(-1, i64::from));
    field("watch", &session.watched);
    field("qbuf", &buffers.query_bytes);
    field("qbuf-free", &buffers.query_free_bytes);
    field("argv-mem", &buffers.request_bytes);
    field("multi-mem", &session.queued_bytes);
    field("rbs", &buffers.output_capacity_bytes);
    field("rbp", &buffers.output_capacity_bytes);
    field("obl", &buffers.output_bytes);
    field("oll", &0);
    field("omem", &handle.unread_bytes());
    field("tot-mem", &handle.memory_bytes());
    field("events", &if buffers.output_bytes == 0 { "r" } else { "w" });
    field("cmd", &last_command.map_or("NULL", |spec| spec.full_name));
    field("user", &"default");
    field("redir", &-1);
    field("resp", &if session.protocol == Protocol::Resp3 { 3 } else { 2 });
    field("lib-name", &labels.lib_name);
    field("lib-ver", &labels.lib_ver);
    field("tot-net-in", &buffers.net_input_bytes);
    field("tot-net-out", &buffers.net_output_bytes);
    field("tot-cmds", &session.commands);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::clients::{Buffers, Endpoint};
    use crate::command::context::fixture::Fixture;

    /// The line without the lengths that a bulk string starts with.
    fn lines(reply: &str) -> Vec<&str> {
        reply.lines().filter(|line| line.starts_with("id=")).collect()
    }

    #[test]
    fn a_connection_describes_its_present_state() {
        let mut fixture = Fixture::new();
        fixture.session.db = 9;
        fixture.session.client.relabel(|labels| labels.name = "me".to_owned());
        fixture.session.client.publish_buffers(&Buffers { net_input_bytes: 14, ..Buffers::default() });
        let info = fixture.run(client_info, "CLIENT INFO");
        let line = lines(&info)[0];
        let size = size_of::<ClientHandle>();
        assert!(
            line.starts_with("id=1 addr=127.0.0.1:5000 laddr=127.0.0.1:6379 fd=8 name=me age="),
            "{line}"
        );
        let rest = line.split_once(" flags=").expect("the flags are shown").1;
        let expected = format!(
            "N db=9 sub=0 psub=0 ssub=0 multi=-1 watch=0 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 \
             obl=0 oll=0 omem=0 tot-mem={size} events=r cmd=client|info user=default redir=-1 resp=2 lib-name= \
             lib-ver= tot-net-in=14 tot-net-out=0 tot-cmds=0"
        );
        assert_eq!(rest, expected);
    }

    #[test]
    fn lists_are_chosen_by_id_and_type() {
        let mut fixture = Fixture::new();
        let register =
            |_| fixture.context.clients.register(Endpoint::default(), Millis(0), 10).expect("room");
        let _others: Vec<_> = (0..2).map(register).collect();
        assert_eq!(lines(&fixture.run(client_list, "CLIENT LIST")).len(), 3);
        assert_eq!(lines(&fixture.run(client_list, "CLIENT LIST TYPE normal")).len(), 3);
        assert_eq!(fixture.run(client_list, "CLIENT LIST TYPE replica"), "$0\r\n\r\n");
        let chosen = fixture.run(client_list, "CLIENT LIST ID 3 99 1");
        assert!(lines(&chosen)[0].starts_with("id=3 ") && lines(&chosen)[1].starts_with("id=1 "));
        assert_eq!(lines(&chosen).len(), 2);
    }

    #[test]
    fn ids_that_nobody_has_are_passed_over() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.run(client_list, "CLIENT LIST ID -1 0 9223372036854775807"), "$0\r\n\r\n");
    }

    #[test]
    fn bad_lists_have_redis_texts() {
        let mut fixture = Fixture::new();
        for (line, expected) in [
            ("CLIENT LIST foo", "ERR syntax error"),
            ("CLIENT LIST ID", "ERR syntax error"),
            ("CLIENT LIST TYPE normal foo", "ERR syntax error"),
            ("CLIENT LIST ID 1 x", "ERR Invalid client ID"),
            ("CLIENT LIST TYPE foo", "ERR Unknown client type 'foo'"),
        ] {
            assert_eq!(fixture.error(client_list, line), expected);
        }
    }

    #[test]
    fn a_long_list_is_made_elsewhere() {
        let mut fixture = Fixture::new();
        let register =
            |_| fixture.context.clients.register(Endpoint::default(), Millis(0), 1_000).expect("room");
        let _others: Vec<_> = (0..INLINE_CLIENTS_MAX).map(register).collect();
        assert_eq!(fixture.run(client_list, "CLIENT LIST"), "");
        assert_eq!(lines(&fixture.finish_later()).len(), INLINE_CLIENTS_MAX + 1);
        fixture.session.set_in_exec(true);
        assert_eq!(lines(&fixture.run(client_list, "CLIENT LIST")).len(), INLINE_CLIENTS_MAX + 1);
    }
}
