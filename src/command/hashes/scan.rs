//! HSCAN: the fields of a hash, a few at a time.
//!
//! A small hash is answered whole. The cursor of a large one is the hash value to go on from, so nothing is
//! remembered, and what stays is never missed.

use crate::command::args::{Options, integer, is};
use crate::command::call::{Call, CommandError};
use crate::command::keys::filter::{Found, Pattern};
use crate::command::keys::scan::parse_cursor;
use crate::resp::{Args, ReplyBuf};

/// Fields visited where nothing is said.
const COUNT_DEFAULT: u64 = 10;

/// Fields visited at most, so that no reply takes too long to make.
const COUNT_MAX: u64 = 100_000;

/// What may follow HSCAN's cursor.
#[derive(Clone, Copy, Debug)]
struct Query<'a> {
    count: u64,
    pattern: Pattern<'a>,
    values: bool,
}

impl<'a> Query<'a> {
    fn parse(args: Args<'a>, first: usize) -> Result<Self, CommandError> {
        let mut query = Self { count: COUNT_DEFAULT, pattern: Pattern::ANY, values: true };
        let mut options = Options::new(args, first);
        while let Some(word) = options.next() {
            if is(word, "COUNT") {
                let count = u64::try_from(integer(options.value()?)?).ok().filter(|count| *count > 0);
                query.count = count.ok_or(CommandError::Syntax)?.min(COUNT_MAX);
            } else if is(word, "MATCH") {
                query.pattern = Pattern::new(options.value()?);
            } else if is(word, "NOVALUES") {
                query.values = false;
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(query)
    }
}

/// `HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]`
///
/// # Errors
/// A cursor that is none; unknown options, of which a missing key knows nothing.
pub fn hscan(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db, now) = (call.args, call.db(), call.txn.now());
    let cursor = parse_cursor(&args[2])?;
    let Some(hash) = call.txn.get_hash(db, &args[1])? else {
        answer(call.reply, 0, &Found::default());
        return Ok(());
    };
    let query = Query::parse(args, 3)?;
    let mut found = Found::default();
    let next = hash.scan(cursor, query.count, now, &mut |field| {
        if query.pattern.matches(field.field) {
            found.add(field.field);
            if query.values {
                found.add(field.value);
            }
        }
    });
    answer(call.reply, next, &found);
    Ok(())
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
    fn options_are_checked() {
        let parsed = |words: &str| {
            let request: OwnedRequest = words.split_whitespace().collect();
            Query::parse(request.as_args(), 0).map(|query| (query.count, query.values))
        };
        assert_eq!(parsed(""), Ok((COUNT_DEFAULT, true)));
        assert_eq!(parsed("match x novalues COUNT 7"), Ok((7, false)));
        assert_eq!(parsed("COUNT 9223372036854775807"), Ok((COUNT_MAX, true)));
        assert_eq!(parsed("COUNT x"), Err(CommandError::NotInteger));
        for words in ["COUNT 0", "COUNT -1", "COUNT", "MATCH", "TYPE hash", "x"] {
            assert_eq!(parsed(words), Err(CommandError::Syntax), "{words}");
        }
    }
}
