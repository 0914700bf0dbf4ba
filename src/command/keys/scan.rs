//! SCAN: the keys of a database, a few at a time.
//!
//! A walk goes through the database in the order of the keys' hashes; its cursor is the hash to go on from, so the
//! server remembers nothing, and what stays is never missed. A walk that starts with a pattern whose matches are few
//! and begin alike is over with the first reply: it seeks to them in key order. A reply of that kind may hold more
//! keys than COUNT says, which is a hint.

use crate::command::args::{Options, integer, is};
use crate::command::call::{Call, CommandError};
use crate::command::keys::filter::{Found, Pattern};
use crate::command::keys::types;
use crate::engine::Live;
use crate::resp::{Args, ReplyBuf};

/// Keys visited where nothing is said.
const COUNT_DEFAULT: usize = 10;

/// Keys visited at most, so that no call holds memory back for long.
const COUNT_MAX: usize = 100_000;

/// Matches with a common prefix that are answered in one reply, whatever COUNT says.
const SEEK_MATCHES_MIN: usize = 100;

/// Keys visited for each of those matches, at most, before the walk is taken instead.
const SEEK_VISITS_PER_MATCH: usize = 10;

/// What SCAN was asked for.
#[derive(Clone, Copy, Debug)]
struct Query<'a> {
    cursor: u64,
    count: usize,
    pattern: Pattern<'a>,
    type_name: Option<&'a [u8]>,
}

impl<'a> Query<'a> {
    fn parse(args: Args<'a>) -> Result<Self, CommandError> {
        let cursor = parse_cursor(args.get(1).unwrap_or_default())?;
        let mut query = Self { cursor, count: COUNT_DEFAULT, pattern: Pattern::ANY, type_name: None };
        let mut options = Options::new(args, 2);
        while let Some(word) = options.next() {
            if is(word, "COUNT") {
                let count = usize::try_from(integer(options.value()?)?).ok().filter(|count| *count > 0);
                query.count = count.ok_or(CommandError::Syntax)?.min(COUNT_MAX);
            } else if is(word, "MATCH") {
                query.pattern = Pattern::new(options.value()?);
            } else if is(word, "TYPE") {
                query.type_name = Some(options.value()?);
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(query)
    }

    #[inline]
    fn matches(&self, key: &[u8], live: Live<'_>) -> bool {
        self.pattern.matches(key) && self.type_name.is_none_or(|name| is(name, types::name(live.value)))
    }
}

/// Reads a cursor: an unsigned 64-bit number.
///
/// # Errors
/// Redis's, for anything else.
pub fn parse_cursor(text: &[u8]) -> Result<u64, CommandError> {
    let add = |sum: u64, byte: &u8| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    };
    text.iter().try_fold(0, add).ok_or(CommandError::Text("ERR invalid cursor".into()))
}

/// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`
///
/// # Errors
/// A cursor that is none, unknown options.
pub fn scan(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let query = Query::parse(call.args)?;
    if let Some(found) = seek(call, &query) {
        answer(call.reply, 0, &found);
        return Ok(());
    }
    let (db, mut found) = (call.db(), Found::default());
    let cursor = call.txn.scan(db, query.cursor, query.count, &mut |key, live| {
        if query.matches(key, live) {
            found.add(key);
        }
    });
    answer(call.reply, cursor, &found);
    Ok(())
}

/// All matches, if this is a walk's first call and they can be had by looking at few keys.
fn seek(call: &mut Call<'_, '_>, query: &Query<'_>) -> Option<Found> {
    let (db, mut found) = (call.db(), Found::default());
    if query.cursor != 0 {
        return None;
    }
    if let Some(key) = query.pattern.only_match() {
        if call.txn.peek(db, key).is_some_and(|live| query.matches(key, live)) {
            found.add(key);
        }
        return Some(found);
    }
    let prefix = query.pattern.prefix();
    if prefix.is_empty() {
        return None;
    }
    let matches_max = query.count.max(SEEK_MATCHES_MIN);
    let visits_max = matches_max.saturating_mul(SEEK_VISITS_PER_MATCH);
    let complete = call.txn.keys(db, &prefix, visits_max, &mut |key, live| {
        if query.matches(key, live) {
            if found.count() == matches_max {
                return false;
            }
            found.add(key);
        }
        true
    });
    complete.then_some(found)
}

fn answer(reply: &mut ReplyBuf, cursor: u64, found: &Found) {
    reply.array(2);
    reply.bulk(itoa::Buffer::new().format(cursor).as_bytes());
    found.answer(reply);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    #[test]
    fn cursors_are_unsigned_64_bit_numbers() {
        assert_eq!(parse_cursor(b"0"), Ok(0));
        assert_eq!(parse_cursor(b"007"), Ok(7));
        assert_eq!(parse_cursor(b"18446744073709551615"), Ok(u64::MAX));
        for text in ["18446744073709551616", "-1", "1 ", " 1", "abc", "1.0"] {
            let error = parse_cursor(text.as_bytes()).expect_err(text);
            assert_eq!(error.to_string(), "ERR invalid cursor", "{text}");
        }
    }

    #[test]
    fn options_are_checked() {
        let parsed = |words: &str| {
            let request: OwnedRequest = words.split_whitespace().collect();
            Query::parse(request.as_args()).map(|query| (query.cursor, query.count))
        };
        assert_eq!(parsed("SCAN 3"), Ok((3, COUNT_DEFAULT)));
        assert_eq!(parsed("SCAN 3 TYPE string MATCH x COUNT 7"), Ok((3, 7)));
        assert_eq!(parsed("SCAN 3 COUNT 9223372036854775807"), Ok((3, COUNT_MAX)));
        assert_eq!(parsed("SCAN 3 COUNT x"), Err(CommandError::NotInteger));
        for words in [
            "SCAN 0 COUNT 0",
            "SCAN 0 COUNT 0 COUNT 5",
            "SCAN 0 COUNT 0 COUNT x",
            "SCAN 0 COUNT -1",
            "SCAN 0 COUNT",
            "SCAN 0 MATCH",
            "SCAN 0 x",
        ] {
            assert_eq!(parsed(words), Err(CommandError::Syntax), "{words}");
        }
    }
}
