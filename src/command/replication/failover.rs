//! FAILOVER: hands the role of the primary over to a replica.

use crate::command::args::{integer, is};
use crate::command::call::{Call, CommandError, Later};
use crate::command::context::Context;
use crate::command::replicas::Feeding;
use crate::command::upstream::{Failover, Upstream};
use crate::resp::Args;

/// What is wanted.
#[derive(Debug, PartialEq, Eq)]
enum Wish {
    Start(Failover),
    Abort,
}

/// `FAILOVER [TO host port [FORCE]] [TIMEOUT milliseconds]`, `FAILOVER ABORT`
///
/// The reply says that it has begun; INFO tells the rest.
pub(super) fn failover(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let wish = parse(call.args)?;
    call.later = Some(Later::Blocking(Box::new(move |context, reply| match fulfil(context, wish) {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(&error),
    })));
    Ok(())
}

fn parse(args: Args<'_>) -> Result<Wish, CommandError> {
    if args.len() == 2 && is(&args[1], "abort") {
        return Ok(Wish::Abort);
    }
    let mut how = Failover::default();
    let mut at = 1;
    while let Some(word) = args.get(at) {
        let behind = args.len() - at - 1;
        if is(word, "timeout") && behind >= 1 && how.timeout_ms.is_none() {
            let time = integer(&args[at + 1])?;
            let time = u64::try_from(time).ok().filter(|time| *time > 0);
            let text = "ERR FAILOVER timeout must be greater than 0";
            how.timeout_ms = Some(time.ok_or(CommandError::Text(text.into()))?);
            at += 2;
        } else if is(word, "to") && behind >= 2 && how.to.is_none() {
            let port = integer(&args[at + 2])?;
            let host = String::from_utf8_lossy(&args[at + 1]).into_owned();
            // Why 0 for what is no port: no replica has it, and that is the answer.
            how.to = Some((host, u16::try_from(port).unwrap_or(0)));
            at += 3;
        } else if is(word, "force") && !how.force {
            how.force = true;
            at += 1;
        } else {
            return Err(CommandError::Syntax);
        }
    }
    Ok(Wish::Start(how))
}

fn fulfil(context: &Context, wish: Wish) -> Result<(), String> {
    let upstream = context.upstream().ok_or("ERR this server has no replication: nobody set it up")?;
    match wish {
        Wish::Abort if upstream.failover_state() == "no-failover" => {
            Err("ERR No failover in progress.".into())
        }
        Wish::Abort => upstream.abort_failover(),
        Wish::Start(how) => {
            check(context, upstream, &how).map_err(str::to_owned)?;
            upstream.start_failover(how)
        }
    }
}

/// Looks, in Redis's order, for what stands against a failover.
fn check(context: &Context, upstream: &dyn Upstream, how: &Failover) -> Result<(), &'static str> {
    if upstream.failover_state() != "no-failover" {
        return Err("ERR FAILOVER already in progress.");
    }
    if upstream.status().is_some() {
        return Err("ERR FAILOVER is not valid when server is a replica.");
    }
    let replicas = context.replicas.list();
    if replicas.is_empty() {
        return Err("ERR FAILOVER requires connected replicas.");
    }
    let Some((host, port)) = &how.to else {
        let text =
            "ERR FAILOVER with force option requires both a timeout and target HOST and IP to be specified.";
        return if how.force { Err(text) } else { Ok(()) };
    };
    if how.force && how.timeout_ms.is_none() {
        return Err(
            "ERR FAILOVER with force option requires both a timeout and target HOST and IP to be specified.",
        );
    }
    let is_target = |ip: &str, its: u16| ip.eq_ignore_ascii_case(host) && its == *port;
    let mut targets = replicas.iter().map(|replica| (replica.introduction(), replica.feeding()));
    match targets.find(|(introduction, _)| is_target(&introduction.ip, introduction.port)) {
        None => Err("ERR FAILOVER target HOST and PORT is not a replica."),
        Some((_, Feeding::Snapshot)) => Err("ERR FAILOVER target replica is not online."),
        Some((_, Feeding::Log)) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    fn parsed(line: &str) -> Result<Wish, String> {
        let request: OwnedRequest = line.split(' ').collect();
        parse(request.as_args()).map_err(|error| error.to_string())
    }

    #[test]
    fn options_come_in_any_order_and_once() {
        let all = Failover { to: Some(("h".into(), 7001)), timeout_ms: Some(9), force: true };
        assert_eq!(parsed("FAILOVER TIMEOUT 9 TO h 7001 FORCE"), Ok(Wish::Start(all.clone())));
        assert_eq!(parsed("FAILOVER to h 7001 force timeout 9"), Ok(Wish::Start(all)));
        assert_eq!(parsed("FAILOVER"), Ok(Wish::Start(Failover::default())));
        assert_eq!(parsed("FAILOVER abort"), Ok(Wish::Abort));
        for (line, expected) in [
            ("FAILOVER ABORT TIMEOUT 5", "ERR syntax error"),
            ("FAILOVER TO h", "ERR syntax error"),
            ("FAILOVER TO h 1 TO h 2", "ERR syntax error"),
            ("FAILOVER FORCE FORCE", "ERR syntax error"),
            ("FAILOVER TIMEOUT 0", "ERR FAILOVER timeout must be greater than 0"),
            ("FAILOVER TIMEOUT x", "ERR value is not an integer or out of range"),
            ("FAILOVER TO h x", "ERR value is not an integer or out of range"),
        ] {
            assert_eq!(parsed(line), Err(expected.to_owned()), "{line}");
        }
    }
}
