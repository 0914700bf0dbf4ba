//! Times from now on as times: primaries before version 7 send some of them as clients did, and their replicas count
//! from when they come. Here they are made times when they come, since to a primary's command it is before any time.

use crate::clock::Millis;
use crate::resp::{Args, OwnedRequest};

/// The request in a form that tells when instead of how long; none where it already does, or tells no time.
pub(super) fn rewritten(args: Args<'_>, now: Millis) -> Option<OwnedRequest> {
    let name = args.name();
    let is = |word: &[u8]| name.eq_ignore_ascii_case(word);
    // Why by length first: nearly all commands are none of these, and this is asked of each.
    match name.len() {
        3 if args.len() > 4 && is(b"set") => option(args, 3, now),
        5 if args.len() > 3 && is(b"getex") => option(args, 2, now),
        5 if args.len() == 4 && is(b"setex") => set(args, 1000, now),
        6 if args.len() == 4 && is(b"psetex") => set(args, 1, now),
        6 if args.len() > 2 && is(b"expire") => expire(args, 1000, now),
        7 if args.len() > 2 && is(b"pexpire") => expire(args, 1, now),
        7 if args.len() > 3 && is(b"restore") => restore(args, now),
        _ => None,
    }
}

/// The time in so many units of milliseconds; none where that is no time, which the command tells.
fn end(amount: &[u8], unit_ms: i64, now: Millis) -> Option<String> {
    let amount: i64 = std::str::from_utf8(amount).ok()?.parse().ok()?;
    let end = amount.checked_mul(unit_ms)?.checked_add(i64::try_from(now.0).ok()?)?;
    // Why at least 1: one that has passed is as good as another, and 0 is none.
    Some(end.max(1).to_string())
}

fn expire(args: Args<'_>, unit_ms: i64, now: Millis) -> Option<OwnedRequest> {
    let end = end(&args[2], unit_ms, now)?;
    let conditions = args.from(3);
    Some([&b"PEXPIREAT"[..], &args[1], end.as_bytes()].into_iter().chain(conditions.iter()).collect())
}

fn set(args: Args<'_>, unit_ms: i64, now: Millis) -> Option<OwnedRequest> {
    let end = end(&args[2], unit_ms, now)?;
    Some([&b"SET"[..], &args[1], &args[3], b"PXAT", end.as_bytes()].into_iter().collect())
}

/// EX or PX among the options from `first` on.
fn option(args: Args<'_>, first: usize, now: Millis) -> Option<OwnedRequest> {
    let names = |word: &[u8]| {
        [(&b"EX"[..], 1000), (b"PX", 1)].into_iter().find(|(name, _)| word.eq_ignore_ascii_case(name))
    };
    let (at, (_, unit_ms)) = (first..args.len() - 1).find_map(|at| Some((at, names(&args[at])?)))?;
    let end = end(&args[at + 1], unit_ms, now)?;
    let word = |(place, word)| match place {
        _ if place == at => b"PXAT",
        _ if place == at + 1 => end.as_bytes(),
        _ => word,
    };
    Some(args.iter().enumerate().map(word).collect())
}

fn restore(args: Args<'_>, now: Millis) -> Option<OwnedRequest> {
    let is_absolute = args.from(4).iter().any(|word| word.eq_ignore_ascii_case(b"ABSTTL"));
    if is_absolute || &args[2] == b"0" {
        return None;
    }
    let end = end(&args[2], 1, now)?;
    let start = [&args[0], &args[1], end.as_bytes()];
    Some(start.into_iter().chain(args.from(3).iter()).chain([&b"ABSTTL"[..]]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_become_times_and_the_rest_stays() {
        for (request, expected) in [
            ("EXPIRE k 2", Some("PEXPIREAT k 3000")),
            ("expire k 2 NX", Some("PEXPIREAT k 3000 NX")),
            ("PEXPIRE k 2", Some("PEXPIREAT k 1002")),
            ("PEXPIRE k -5000", Some("PEXPIREAT k 1")),
            ("EXPIRE k x", None),
            ("EXPIRE k 9223372036854775807", None),
            ("PEXPIREAT k 2", None),
            ("SETEX k 2 v", Some("SET k v PXAT 3000")),
            ("PSETEX k 2 v", Some("SET k v PXAT 1002")),
            ("SET k EX", None),
            ("SET k v PXAT 7", None),
            ("SET k EX ex 2", Some("SET k EX PXAT 3000")),
            ("SET k v NX PX 2 GET", Some("SET k v NX PXAT 1002 GET")),
            ("GETEX k EX 2", Some("GETEX k PXAT 3000")),
            ("GETEX k PERSIST", None),
            ("RESTORE k 0 payload", None),
            ("RESTORE k 2 payload REPLACE", Some("RESTORE k 1002 payload REPLACE ABSTTL")),
            ("RESTORE k 2 payload absttl", None),
            ("PING", None),
        ] {
            let request: OwnedRequest = request.split(' ').collect();
            let expected: Option<OwnedRequest> = expected.map(|words| words.split(' ').collect());
            assert_eq!(rewritten(request.as_args(), Millis(1000)), expected);
        }
    }
}
