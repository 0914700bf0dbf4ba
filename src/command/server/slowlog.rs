//! SLOWLOG: reading and emptying the slow log.

use super::{help, text};
use crate::command::call::{Call, CommandError};
use crate::resp::ReplyBuf;
use crate::resp::number::parse_i64;

/// Entries that SLOWLOG GET shows when it is not told how many.
const SHOWN: usize = 10;

/// `SLOWLOG GET [count]`
pub fn slowlog_get(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let count = match call.args.get(2) {
        None => SHOWN,
        Some(_) if call.args.len() > 3 => return Err(CommandError::misused("SLOWLOG", &call.args[1])),
        Some(count) => parse_count(count)?,
    };
    write_entries(call, count);
    Ok(())
}

/// A count of entries; -1 is all.
fn parse_count(count: &[u8]) -> Result<usize, CommandError> {
    match parse_i64(count) {
        Some(-1) => Ok(usize::MAX),
        Some(count) if count >= 0 => Ok(count as usize),
        _ => Err(text("ERR count should be greater than or equal to -1")),
    }
}

fn write_entries(call: &mut Call<'_, '_>, count: usize) {
    let entries = call.context.slowlog.latest(count);
    let reply: &mut ReplyBuf = call.reply;
    reply.array(entries.len());
    for entry in entries {
        reply.array(6);
        reply.int(entry.id as i64);
        reply.int(entry.at.seconds() as i64);
        reply.int(entry.elapsed.as_micros() as i64);
        reply.array(entry.args.len());
        for arg in &entry.args {
            reply.bulk(arg);
        }
        reply.bulk(entry.peer.as_bytes());
        reply.bulk(entry.name.as_bytes());
    }
}

/// SLOWLOG LEN
pub fn slowlog_len(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    call.reply.int(call.context.slowlog.len() as i64);
    Ok(())
}

/// SLOWLOG RESET
pub fn slowlog_reset(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    call.context.slowlog.reset();
    call.reply.ok();
    Ok(())
}

/// SLOWLOG HELP
pub fn slowlog_help(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    help("slowlog", call.reply)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;
    use crate::command::context::fixture::Fixture;
    use crate::resp::OwnedRequest;
    use std::time::Duration;

    fn fixture(entries: usize) -> Fixture {
        let fixture = Fixture::new();
        fixture.session.client.relabel(|labels| labels.name = "me".to_owned());
        for _ in 0..entries {
            let request: OwnedRequest = ["get", "k"].into_iter().collect();
            let (elapsed, now) = (Duration::from_micros(1_500), Millis(9_000));
            fixture.context.slowlog.add(request.as_args(), elapsed, now, &fixture.session.client, 100);
        }
        fixture
    }

    #[test]
    fn an_entry_has_six_fields() {
        let mut fixture = fixture(1);
        let expected = "*1\r\n*6\r\n:0\r\n:9\r\n:1500\r\n*2\r\n$3\r\nget\r\n$1\r\nk\r\n$14\r\n127.0.0.1:5000\r\n\
                        $2\r\nme\r\n";
        assert_eq!(fixture.run(slowlog_get, "SLOWLOG GET"), expected);
    }

    #[test]
    fn the_count_limits_and_minus_one_is_all() {
        let mut fixture = fixture(12);
        for (line, head) in [
            ("SLOWLOG GET", "*10\r\n"),
            ("SLOWLOG GET 5", "*5\r\n"),
            ("SLOWLOG GET -1", "*12\r\n"),
            ("SLOWLOG GET 20", "*12\r\n"),
            ("SLOWLOG GET 0", "*0\r\n"),
        ] {
            assert!(fixture.run(slowlog_get, line).starts_with(head), "{line}");
        }
        for bad in ["SLOWLOG GET -2", "SLOWLOG GET x"] {
            assert_eq!(fixture.error(slowlog_get, bad), "ERR count should be greater than or equal to -1");
        }
        assert_eq!(
            fixture.error(slowlog_get, "SLOWLOG get 1 2"),
            "ERR unknown subcommand or wrong number of arguments for 'get'. Try SLOWLOG HELP."
        );
        assert_eq!(fixture.run(slowlog_len, "SLOWLOG LEN"), ":12\r\n");
        assert_eq!(fixture.run(slowlog_reset, "SLOWLOG RESET"), "+OK\r\n");
        assert_eq!(fixture.run(slowlog_len, "SLOWLOG LEN"), ":0\r\n");
    }
}
