//! CLIENT KILL: ends connections, picked by address or by filters.

use crate::clock::Millis;
use crate::command::args::{Options, is};
use crate::command::call::{Call, CommandError, Later};
use crate::command::clients::{ClientHandle, ClientRegistry, ClientType, KillState};
use crate::resp::Args;
use crate::resp::number::parse_i64;
use std::borrow::Cow;
use std::sync::Arc;

/// With more connections than this, looking through them is left to a thread that may take its time.
const INLINE_CLIENTS_MAX: usize = 1024;

/// Which connections end: those that pass every filter that is set.
#[derive(Debug, Default)]
struct Filter {
    id: Option<u64>,
    peer: Option<Vec<u8>>,
    local: Option<Vec<u8>>,
    /// Seconds that the connection has been there at least.
    age_min: Option<u64>,
    /// The type that the connection is of.
    client_type: Option<ClientType>,
    /// The connection that asks is spared.
    skip_me: bool,
}

/// CLIENT KILL ip:port
/// `CLIENT KILL [ID id] [ADDR ip:port] [LADDR ip:port] [TYPE type] [USER name] [SKIPME yes|no] [MAXAGE seconds]`
pub fn client_kill(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    if call.args.len() == 3 {
        return kill_address(call);
    }
    let filter = Filter::parse(call.args)?;
    let (me, now) = (Arc::clone(&call.session.client), call.txn.now());
    // Why later inside MULTI: who is to be closed because of a change of role must not come back before it.
    if !call.session.in_exec() && call.context.clients.count() <= INLINE_CLIENTS_MAX {
        call.reply.int(filter.kill(&call.context.clients, &me, now));
    } else {
        call.later = Some(Later::Blocking(Box::new(move |context, reply| {
            reply.int(filter.kill(&context.clients, &me, now));
        })));
    }
    Ok(())
}

/// The old form, which ends one connection, the one that asks included.
fn kill_address(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let filter = Filter { peer: Some(call.args[2].to_vec()), ..Filter::default() };
    if filter.kill(&call.context.clients, &call.session.client, call.txn.now()) == 0 {
        return Err(text("ERR No such client"));
    }
    call.reply.ok();
    Ok(())
}

impl Filter {
    fn parse(args: Args<'_>) -> Result<Self, CommandError> {
        let mut filter = Self { skip_me: true, ..Self::default() };
        let mut options = Options::new(args, 2);
        while let Some(option) = options.next() {
            filter.set(option, options.value()?)?;
        }
        Ok(filter)
    }

    fn set(&mut self, option: &[u8], value: &[u8]) -> Result<(), CommandError> {
        match option.to_ascii_lowercase().as_slice() {
            b"id" => self.id = Some(positive(value).ok_or(text("ERR client-id should be greater than 0"))?),
            b"addr" => self.peer = Some(value.to_vec()),
            b"laddr" => self.local = Some(value.to_vec()),
            b"type" => self.client_type = Some(parse_type(value)?),
            b"user" => known_user(value)?,
            b"skipme" if is(value, "yes") => self.skip_me = true,
            b"skipme" if is(value, "no") => self.skip_me = false,
            b"maxage" => {
                parse_i64(value).ok_or(text("ERR maxage is not an integer or out of range"))?;
                self.age_min = Some(positive(value).ok_or(text("ERR maxage should be greater than 0"))?);
            }
            _ => return Err(CommandError::Syntax),
        }
        Ok(())
    }

    /// Ends the connections that pass; tells how many.
    fn kill(&self, clients: &ClientRegistry, me: &ClientHandle, now: Millis) -> i64 {
        let candidates = match self.id {
            Some(id) => clients.find(id).into_iter().collect(),
            None => clients.list(),
        };
        let mut killed = 0;
        for client in candidates.iter().filter(|client| self.passes(client, me, now)) {
            // Why: the connection that asks is still owed its reply.
            client.kill(if client.id() == me.id() { KillState::AfterReply } else { KillState::Now });
            killed += 1;
        }
        killed
    }

    fn passes(&self, client: &ClientHandle, me: &ClientHandle, now: Millis) -> bool {
        let endpoint = client.endpoint();
        let age = client.connected_at().until(now) / 1000;
        self.peer.as_ref().is_none_or(|peer| peer == endpoint.peer.as_bytes())
            && self.local.as_ref().is_none_or(|local| local == endpoint.local.as_bytes())
            && self.client_type.is_none_or(|wanted| wanted == client.client_type())
            && self.age_min.is_none_or(|least| age >= least)
            && !(self.skip_me && client.id() == me.id())
    }
}

/// The type of a client by its name.
///
/// # Errors
/// The type is unknown.
pub(super) fn parse_type(kind: &[u8]) -> Result<ClientType, CommandError> {
    match kind.to_ascii_lowercase().as_slice() {
        b"normal" => Ok(ClientType::Normal),
        b"pubsub" => Ok(ClientType::Pubsub),
        b"master" | b"primary" => Ok(ClientType::Primary),
        b"replica" | b"slave" => Ok(ClientType::Replica),
        _ => {
            let kind = String::from_utf8_lossy(kind);
            Err(CommandError::Text(format!("ERR Unknown client type '{kind}'").into()))
        }
    }
}

/// There is one user, as whom all connections pass.
fn known_user(name: &[u8]) -> Result<(), CommandError> {
    if name == b"default" {
        return Ok(());
    }
    let name = String::from_utf8_lossy(name);
    Err(CommandError::Text(format!("ERR No such user '{name}'").into()))
}

fn positive(value: &[u8]) -> Option<u64> {
    parse_i64(value).filter(|number| *number > 0).map(i64::unsigned_abs)
}

fn text(error: &'static str) -> CommandError {
    CommandError::Text(Cow::Borrowed(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::clients::{Endpoint, Registration};
    use crate::command::context::fixture::Fixture;

    /// Besides the fixture's own connection 1: 2 and 3, made long ago.
    fn fixture() -> (Fixture, Vec<Registration>) {
        let fixture = Fixture::new();
        let register = |port: u16| {
            let (peer, local) = (format!("10.0.0.1:{port}"), "10.0.0.9:6379".to_owned());
            let endpoint = Endpoint { peer, local, ..Endpoint::default() };
            fixture.context.clients.register(endpoint, Millis(0), 10).expect("there is room")
        };
        let others = vec![register(2), register(3)];
        (fixture, others)
    }

    #[test]
    fn filters_all_have_to_pass() {
        for (filters, expected) in [
            ("ID 2", 1),
            ("ID 1", 0),
            ("ID 1 SKIPME no", 1),
            ("ID 9", 0),
            ("ADDR 10.0.0.1:3", 1),
            ("LADDR 10.0.0.9:6379", 2),
            ("LADDR 10.0.0.9:6379 ADDR 10.0.0.1:2", 1),
            ("LADDR 10.0.0.9:6379 ID 1 SKIPME no", 0),
            ("TYPE normal", 2),
            ("TYPE pubsub", 0),
            ("TYPE replica", 0),
            ("TYPE master", 0),
            ("USER default SKIPME NO", 3),
            ("MAXAGE 100 SKIPME no", 2),
        ] {
            let (mut fixture, _others) = fixture();
            let reply = fixture.run(client_kill, &format!("CLIENT KILL {filters}"));
            assert_eq!(reply, format!(":{expected}\r\n"), "{filters}");
        }
    }

    #[test]
    fn others_end_at_once_and_the_asking_one_after_its_reply() {
        let (mut fixture, others) = fixture();
        fixture.run(client_kill, "CLIENT KILL SKIPME no");
        assert_eq!(others[0].kill_state(), KillState::Now);
        assert_eq!(fixture.session.client.kill_state(), KillState::AfterReply);
    }

    #[test]
    fn the_old_form_takes_one_address() {
        let (mut fixture, others) = fixture();
        assert_eq!(fixture.run(client_kill, "CLIENT KILL 10.0.0.1:3"), "+OK\r\n");
        assert_eq!(others[0].kill_state(), KillState::Alive);
        assert_eq!(others[1].kill_state(), KillState::Now);
        assert_eq!(fixture.error(client_kill, "CLIENT KILL 127.0.0.1:"), "ERR No such client");
    }

    #[test]
    fn bad_filters_have_redis_texts() {
        let mut fixture = Fixture::new();
        for (filters, expected) in [
            ("id 10 wrong_arg", "ERR syntax error"),
            ("id str", "ERR client-id should be greater than 0"),
            ("id -1", "ERR client-id should be greater than 0"),
            ("id 0", "ERR client-id should be greater than 0"),
            ("type wrong_type", "ERR Unknown client type 'wrong_type'"),
            ("user wrong_user", "ERR No such user 'wrong_user'"),
            ("skipme yes_or_no", "ERR syntax error"),
            ("maxage str", "ERR maxage is not an integer or out of range"),
            ("maxage -1", "ERR maxage should be greater than 0"),
            ("color red", "ERR syntax error"),
        ] {
            assert_eq!(fixture.error(client_kill, &format!("CLIENT KILL {filters}")), expected);
        }
    }
}
