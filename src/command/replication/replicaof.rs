//! REPLICAOF and SLAVEOF: whom to follow from now on.

use crate::command::args::is;
use crate::command::call::{Call, CommandError, Later};
use crate::command::context::Context;
use crate::command::upstream::Target;
use crate::log::HistoryName;
use crate::resp::Args;
use crate::resp::ReplyBuf;
use crate::resp::number::parse_i64;

/// What is wanted.
#[derive(Debug, PartialEq, Eq)]
enum Wish {
    Follow(Target),
    Promote,
}

/// `REPLICAOF host port [HISTORY id]`, `REPLICAOF NO ONE`
///
/// With HISTORY, a primary of that history may replace what is here though the two have nothing in common.
pub(super) fn replicaof(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let wish = parse(call.args)?;
    call.later = Some(Later::Blocking(Box::new(move |context, reply| {
        if let Err(reason) = fulfil(context, wish, reply) {
            reply.error(&format!("ERR {reason}"));
        }
    })));
    Ok(())
}

fn parse(args: Args<'_>) -> Result<Wish, CommandError> {
    if args.len() == 3 && is(&args[1], "no") && is(&args[2], "one") {
        return Ok(Wish::Promote);
    }
    let text = |text: &'static str| CommandError::Text(text.into());
    let port = parse_i64(&args[2]).and_then(|port| u16::try_from(port).ok());
    let port = port.ok_or(text("ERR Invalid master port"))?;
    let host = std::str::from_utf8(&args[1]).ok().filter(|host| is_host(host));
    let host = host.ok_or(text("ERR Invalid master host"))?.to_owned();
    let accept = match args.len() {
        3 => None,
        4 => return Err(CommandError::Arity("replicaof".into())),
        5 if is(&args[3], "history") => Some(history(&args[4])?),
        _ => return Err(CommandError::Syntax),
    };
    Ok(Wish::Follow(Target { host, port, accept }))
}

/// Whether it can be written into a configuration file and be read there as one word.
fn is_host(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:%-_".contains(&byte))
}

/// Reads the id of a history.
fn history(digits: &[u8]) -> Result<HistoryName, CommandError> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.len() == 32);
    let id = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    let id = id.and_then(|digits| u128::from_str_radix(digits, 16).ok());
    id.map(HistoryName::new)
        .ok_or(CommandError::Text("ERR a history is named by 32 hexadecimal digits".into()))
}

fn fulfil(context: &Context, wish: Wish, reply: &mut ReplyBuf) -> Result<(), String> {
    let upstream = context.upstream().ok_or("this server has no replication: nobody set it up")?;
    if upstream.failover_state() != "no-failover" {
        return Err("REPLICAOF not allowed while failing over.".into());
    }
    let present = upstream.status();
    match wish {
        Wish::Promote => {
            if present.is_some() {
                upstream.promote()?;
            }
            remember(context, None);
        }
        Wish::Follow(target) => {
            let is_present = present.is_some_and(|primary| {
                primary.host.eq_ignore_ascii_case(&target.host) && primary.port == target.port
            });
            // Why not with a history: it is what the link may be waiting for.
            if is_present && target.accept.is_none() {
                reply.simple("OK Already connected to specified master");
                return Ok(());
            }
            upstream.follow(target.clone())?;
            remember(context, Some((&target.host, target.port)));
        }
    }
    reply.ok();
    Ok(())
}

/// Notes whom the server follows now, for CONFIG GET and CONFIG REWRITE: for whoever changes it.
pub fn remember(context: &Context, primary: Option<(&str, u16)>) {
    context.settings.set_replicaof(primary);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    fn parsed(line: &str) -> Result<Wish, String> {
        let request: OwnedRequest = line.split(' ').collect();
        parse(request.as_args()).map_err(|error| error.to_string())
    }

    fn follow(host: &str, port: u16, accept: Option<u128>) -> Wish {
        Wish::Follow(Target { host: host.into(), port, accept: accept.map(HistoryName::new) })
    }

    #[test]
    fn a_target_may_name_the_history_that_may_replace_ours() {
        assert_eq!(parsed("REPLICAOF no ONE"), Ok(Wish::Promote));
        assert_eq!(parsed("REPLICAOF 127.0.0.1 7000"), Ok(follow("127.0.0.1", 7000, None)));
        assert_eq!(parsed("SLAVEOF ::1 0"), Ok(follow("::1", 0, None)));
        let line = "REPLICAOF h 1 history 000102030405060708090a0B0c0D0e0f";
        assert_eq!(parsed(line), Ok(follow("h", 1, Some(0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f))));
    }

    #[test]
    fn bad_targets_are_refused() {
        let no_history = "ERR a history is named by 32 hexadecimal digits";
        for (line, expected) in [
            ("REPLICAOF h 65536", "ERR Invalid master port"),
            ("REPLICAOF h -1", "ERR Invalid master port"),
            ("REPLICAOF no two", "ERR Invalid master port"),
            ("REPLICAOF h\n 1", "ERR Invalid master host"),
            ("REPLICAOF h 1 2", "ERR wrong number of arguments for 'replicaof' command"),
            ("REPLICAOF h 1 epoch 2", "ERR syntax error"),
            ("REPLICAOF h 1 HISTORY 2", no_history),
            ("REPLICAOF h 1 HISTORY +0010203040506070809a0b0c0d0e0f00", no_history),
        ] {
            assert_eq!(parsed(line), Err(expected.to_owned()), "{line}");
        }
    }
}
