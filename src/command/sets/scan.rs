//! SSCAN: the members of a set, a few at a time.
//!
//! A small set is answered whole. The cursor of a large one is the hash to go on from, so that nothing is remembered
//! and what stays is never missed.

use crate::command::args::{Options, integer, is};
use crate::command::call::{Call, CommandError};
use crate::command::keys::filter::{Found, Pattern};
use crate::command::keys::scan::parse_cursor;
use crate::resp::Args;

/// Members visited where nothing is said.
const COUNT_DEFAULT: u64 = 10;

/// Members visited at most, so that no reply takes too long to make.
const COUNT_MAX: u64 = 100_000;

/// `SSCAN key cursor [MATCH pattern] [COUNT count]`
///
/// # Errors
/// A cursor that is none, a key of another type; unknown options, unless the key is absent.
pub fn sscan(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let cursor = parse_cursor(&args[2])?;
    let (mut found, mut next) = (Found::default(), 0);
    if let Some(set) = call.txn.get_set(db, &args[1])? {
        let (pattern, count) = options(args.from(3))?;
        next = set.scan(cursor, count, &mut |member| {
            if pattern.matches(member) {
                found.add(member);
            }
        });
    }
    call.reply.array(2);
    call.reply.bulk(itoa::Buffer::new().format(next).as_bytes());
    found.answer(call.reply);
    Ok(())
}

/// Reads the options: which members to answer, and how many to visit.
fn options(args: Args<'_>) -> Result<(Pattern<'_>, u64), CommandError> {
    let (mut pattern, mut count) = (Pattern::ANY, COUNT_DEFAULT);
    let mut options = Options::new(args, 0);
    while let Some(word) = options.next() {
        if is(word, "COUNT") {
            let given = u64::try_from(integer(options.value()?)?).ok().filter(|count| *count > 0);
            count = given.ok_or(CommandError::Syntax)?.min(COUNT_MAX);
        } else if is(word, "MATCH") {
            pattern = Pattern::new(options.value()?);
        } else {
            return Err(CommandError::Syntax);
        }
    }
    Ok((pattern, count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    #[test]
    fn options_are_checked() {
        let count = |words: &str| {
            let request: OwnedRequest = words.split_whitespace().collect();
            options(request.as_args()).map(|(_, count)| count)
        };
        assert_eq!(count(""), Ok(COUNT_DEFAULT));
        assert_eq!(count("MATCH x COUNT 7"), Ok(7));
        assert_eq!(count("COUNT 9223372036854775807"), Ok(COUNT_MAX));
        assert_eq!(count("COUNT x"), Err(CommandError::NotInteger));
        for words in ["COUNT 0", "COUNT -1", "COUNT", "MATCH", "NOVALUES", "TYPE set"] {
            assert_eq!(count(words), Err(CommandError::Syntax), "{words}");
        }
    }
}
