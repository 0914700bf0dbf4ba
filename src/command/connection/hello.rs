//! HELLO: chooses the protocol, and may authenticate and name the connection on the way.

use super::auth::{authenticate, password_required};
use super::labels::CLIENT_NAME;
use crate::command::args::{Options, is};
use crate::command::call::{Call, CommandError};
use crate::command::clients::Labels;
use crate::command::context::REDIS_VERSION;
use crate::resp::number::parse_i64;
use crate::resp::{Args, Protocol, ReplyBuf};
use std::borrow::Cow;

const NOT_AUTHENTICATED: &str = "NOAUTH HELLO must be called with the client already authenticated, otherwise the \
                                 HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and \
                                 select the RESP protocol version at the same time";

/// What HELLO asks for.
#[derive(Default)]
struct Wishes<'a> {
    protocol: Option<Protocol>,
    credentials: Option<(&'a [u8], &'a [u8])>,
    name: Option<String>,
}

/// `HELLO [2|3 [AUTH username password] [SETNAME name]]`
pub fn hello(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let wishes = parse(call.args)?;
    if let Some((user, password)) = wishes.credentials {
        authenticate(call.session, call.context, user, password)?;
    }
    if !call.session.authenticated && password_required(&call.context.settings) {
        return Err(CommandError::Text(Cow::Borrowed(NOT_AUTHENTICATED)));
    }
    if let Some(name) = wishes.name {
        call.session.client.relabel(|labels| labels.name = name);
    }
    if let Some(protocol) = wishes.protocol {
        call.session.protocol = protocol;
        call.reply.set_protocol(protocol);
    }
    describe(call.reply, call.session.protocol, call.session.client.id());
    Ok(())
}

fn parse(args: Args<'_>) -> Result<Wishes<'_>, CommandError> {
    let mut wishes = Wishes::default();
    if let Some(version) = args.get(1) {
        wishes.protocol = Some(protocol(version)?);
    }
    let mut options = Options::new(args, 2);
    while let Some(option) = options.next() {
        if is(option, "AUTH") {
            let (user, password) = (options.next(), options.next());
            let both = user.zip(password);
            wishes.credentials = Some(both.ok_or_else(|| bad_option(option))?);
        } else if is(option, "SETNAME") {
            let name = options.next().ok_or_else(|| bad_option(option))?;
            wishes.name = Some(Labels::check(CLIENT_NAME, name)?);
        } else {
            return Err(bad_option(option));
        }
    }
    Ok(wishes)
}

fn protocol(version: &[u8]) -> Result<Protocol, CommandError> {
    match parse_i64(version) {
        Some(2) => Ok(Protocol::Resp2),
        Some(3) => Ok(Protocol::Resp3),
        Some(_) => Err(CommandError::Text(Cow::Borrowed("NOPROTO unsupported protocol version"))),
        None => {
            Err(CommandError::Text(Cow::Borrowed("ERR Protocol version is not an integer or out of range")))
        }
    }
}

fn bad_option(option: &[u8]) -> CommandError {
    let option = String::from_utf8_lossy(option);
    CommandError::Text(format!("ERR Syntax error in HELLO option '{option}'").into())
}

fn describe(reply: &mut ReplyBuf, protocol: Protocol, id: u64) {
    reply.map(7);
    for (field, text) in [("server", "redis"), ("version", REDIS_VERSION)] {
        reply.bulk(field.as_bytes());
        reply.bulk(text.as_bytes());
    }
    reply.bulk(b"proto");
    reply.int(if protocol == Protocol::Resp3 { 3 } else { 2 });
    reply.bulk(b"id");
    reply.int(id as i64);
    for (field, text) in [("mode", "standalone"), ("role", "master")] {
        reply.bulk(field.as_bytes());
        reply.bulk(text.as_bytes());
    }
    reply.bulk(b"modules");
    reply.array(0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::context::fixture::Fixture;

    const RESP3: &str = "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.4\r\n$5\r\nproto\r\n:3\r\n\
                         $2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n\
                         $7\r\nmodules\r\n*0\r\n";

    #[test]
    fn the_dialect_of_the_reply_is_the_one_chosen() {
        let mut fixture = Fixture::new();
        assert!(fixture.run(hello, "HELLO").starts_with("*14\r\n"));
        assert_eq!(fixture.run(hello, "HELLO 3 SETNAME me"), RESP3);
        assert_eq!(fixture.session.client.labels().name, "me");
        assert_eq!(fixture.run(hello, "HELLO"), RESP3);
        assert!(fixture.run(hello, "HELLO 2").starts_with("*14\r\n"));
    }

    #[test]
    fn refusals_change_nothing_and_have_redis_texts() {
        let mut fixture = Fixture::new();
        for (line, expected) in [
            ("HELLO x", "ERR Protocol version is not an integer or out of range"),
            ("HELLO 4", "NOPROTO unsupported protocol version"),
            ("HELLO 1", "NOPROTO unsupported protocol version"),
            ("HELLO 3 foo", "ERR Syntax error in HELLO option 'foo'"),
            ("HELLO 3 AUTH a", "ERR Syntax error in HELLO option 'AUTH'"),
            ("HELLO 3 SETNAME", "ERR Syntax error in HELLO option 'SETNAME'"),
            (
                "HELLO 3 SETNAME a\u{e9}",
                "ERR Client names cannot contain spaces, newlines or special characters.",
            ),
            ("HELLO 3 AUTH a b", "WRONGPASS invalid username-password pair or user is disabled."),
        ] {
            assert_eq!(fixture.error(hello, line), expected);
        }
        assert_eq!(fixture.session.protocol, Protocol::Resp2);
    }

    #[test]
    fn who_has_not_authenticated_must_do_it_here() {
        let mut fixture = Fixture::with(&[("requirepass", "secret")]);
        fixture.session.authenticated = false;
        assert_eq!(fixture.error(hello, "HELLO 3 SETNAME me"), NOT_AUTHENTICATED);
        assert_eq!(fixture.session.client.labels().name, "");
        assert_eq!(fixture.run(hello, "HELLO 3 AUTH default secret"), RESP3);
        assert!(fixture.session.authenticated);
    }
}
