//! ZSCAN: the members of a sorted set, a few at a time.

use crate::command::args::{Options, integer, is};
use crate::command::call::{Call, CommandError};
use crate::command::keys::filter::{Found, Pattern};
use crate::command::keys::scan::parse_cursor;
use crate::resp::number::write_f64;
use crate::resp::{Args, ReplyBuf};

/// Members visited where nothing is said.
const COUNT_DEFAULT: u64 = 10;

/// What ZSCAN was asked for beside the cursor.
struct Filter<'a> {
    count: u64,
    pattern: Pattern<'a>,
    scores: bool,
}

impl<'a> Filter<'a> {
    fn parse(args: Args<'a>) -> Result<Self, CommandError> {
        let mut filter = Self { count: COUNT_DEFAULT, pattern: Pattern::ANY, scores: true };
        let mut options = Options::new(args, 3);
        while let Some(word) = options.next() {
            if is(word, "COUNT") {
                let count = u64::try_from(integer(options.value()?)?).ok().filter(|count| *count > 0);
                filter.count = count.ok_or(CommandError::Syntax)?;
            } else if is(word, "MATCH") {
                filter.pattern = Pattern::new(options.value()?);
            } else if is(word, "NOSCORES") {
                filter.scores = false;
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(filter)
    }
}

/// `ZSCAN key cursor [MATCH pattern] [COUNT count] [NOSCORES]`
///
/// # Errors
/// A cursor that is none, unknown options.
pub fn zscan(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let cursor = parse_cursor(&call.args[2])?;
    let Some(set) = call.txn.get_sorted_set(call.session.db, &call.args[1])? else {
        // Why before the options: Redis does not look at them where there is no key.
        answer(call.reply, 0, &Found::default());
        return Ok(());
    };
    let filter = Filter::parse(call.args)?;
    let (mut found, mut text) = (Found::default(), Vec::new());
    let next = set.scan(cursor, filter.count, &mut |score, member| {
        if filter.pattern.matches(member) {
            found.add(member);
            if filter.scores {
                text.clear();
                write_f64(&mut text, score);
                found.add(&text);
            }
        }
    });
    answer(call.reply, next, &found);
    Ok(())
}

/// Answers the next cursor, and what was found: scores are strings in either protocol.
fn answer(reply: &mut ReplyBuf, cursor: u64, found: &Found) {
    reply.array(2);
    reply.bulk(itoa::Buffer::new().format(cursor).as_bytes());
    found.answer(reply);
}
