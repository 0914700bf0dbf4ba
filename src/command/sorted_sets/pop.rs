//! Taking members from an end: ZPOPMIN, ZPOPMAX, ZMPOP.

use crate::command::args::{Options, integer, is};
use crate::command::call::{Call, CommandError};
use crate::command::sorted_sets::answer::Row;
use crate::command::sorted_sets::remove::remove_span;
use crate::resp::Args;
use crate::store::value::collection::SortedRef;

/// Which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The lowest scores.
    Min,
    /// The highest.
    Max,
}

impl End {
    fn event(self) -> &'static str {
        match self {
            Self::Min => "zpopmin",
            Self::Max => "zpopmax",
        }
    }
}

/// `ZPOPMIN key [count]`
///
/// # Errors
/// A count that is none.
pub fn zpopmin(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    pop(call, End::Min)
}

/// `ZPOPMAX key [count]`
///
/// # Errors
/// A count that is none.
pub fn zpopmax(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    pop(call, End::Max)
}

fn pop(call: &mut Call<'_, '_>, end: End) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    if args.len() > 3 {
        return Err(CommandError::Syntax);
    }
    let count = args.get(2).map(count).transpose()?;
    let Some(set) = call.txn.peek_sorted_set(db, &args[1])? else {
        call.reply.array(0);
        return Ok(());
    };
    // Why not pairs without a count: then there is one member, whose score follows it.
    let row = if count.is_some() { Row::of(call.reply, true) } else { Row::Flat };
    take(call, row, &args[1], &set, (end, count.unwrap_or(1)))
}

fn count(text: &[u8]) -> Result<u64, CommandError> {
    let count = integer(text).ok().and_then(|count| u64::try_from(count).ok());
    count.ok_or(CommandError::Text("ERR value is out of range, must be positive".into()))
}

/// Answers and removes the members at one end, at most `count`.
fn take(
    call: &mut Call<'_, '_>,
    row: Row,
    key: &[u8],
    set: &SortedRef<'_>,
    (end, count): (End, u64),
) -> Result<(), CommandError> {
    let len = set.len();
    let count = count.min(len);
    let span = match end {
        End::Min => {
            row.members(call.reply, count, set.forward(0).take(count as usize));
            0..count
        }
        End::Max => {
            row.members(call.reply, count, set.backward(len).take(count as usize));
            len - count..len
        }
    };
    remove_span(call, end.event(), key, span)
}

/// What ZMPOP was told.
#[derive(Clone, Copy)]
struct Request<'a> {
    /// How many arguments, from the third on, are keys.
    keys: usize,
    args: Args<'a>,
    end: End,
    count: u64,
}

impl<'a> Request<'a> {
    fn parse(args: Args<'a>) -> Result<Self, CommandError> {
        let keys = positive(&args[1], "ERR numkeys should be greater than 0")?;
        let keys = usize::try_from(keys).map_err(|_| CommandError::Syntax)?;
        let mut options = Options::new(args, keys.saturating_add(2));
        let end = options.value()?;
        let end = if is(end, "MIN") {
            End::Min
        } else if is(end, "MAX") {
            End::Max
        } else {
            return Err(CommandError::Syntax);
        };
        let mut count = None;
        while let Some(word) = options.next() {
            if count.is_some() || !is(word, "COUNT") {
                return Err(CommandError::Syntax);
            }
            count = Some(positive(options.value()?, "ERR count should be greater than 0")?);
        }
        Ok(Self { keys, args, end, count: count.unwrap_or(1) })
    }
}

fn positive(text: &[u8], error: &'static str) -> Result<u64, CommandError> {
    let number = integer(text).ok().and_then(|number| u64::try_from(number).ok());
    number.filter(|number| *number > 0).ok_or(CommandError::Text(error.into()))
}

/// `ZMPOP numkeys key [key ...] MIN | MAX [COUNT count]`
///
/// # Errors
/// Numbers that are not positive, unknown options.
pub fn zmpop(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let request = Request::parse(call.args)?;
    let db = call.db();
    for key in request.args.iter().skip(2).take(request.keys) {
        if let Some(set) = call.txn.peek_sorted_set(db, key)? {
            call.reply.array(2);
            call.reply.bulk(key);
            return take(call, Row::Pairs, key, &set, (request.end, request.count));
        }
    }
    call.reply.null_array();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    #[test]
    fn requests_are_checked() {
        let parsed = |words: &str| {
            let request: OwnedRequest = words.split_whitespace().collect();
            let parsed = Request::parse(request.as_args());
            parsed.map(|parsed| (parsed.keys, parsed.end, parsed.count)).map_err(|error| error.to_string())
        };
        assert_eq!(parsed("ZMPOP 2 a b MIN"), Ok((2, End::Min, 1)));
        assert_eq!(parsed("ZMPOP 1 MIN max count 7"), Ok((1, End::Max, 7)));
        for words in [
            "ZMPOP 1 a",
            "ZMPOP 3 a b MIN",
            "ZMPOP 9223372036854775807 a MIN",
            "ZMPOP 1 a x",
            "ZMPOP 1 a MIN COUNT",
            "ZMPOP 1 a MIN COUNT 1 COUNT 1",
            "ZMPOP 1 a MIN MIN",
        ] {
            assert_eq!(parsed(words), Err("ERR syntax error".to_owned()), "{words}");
        }
        for words in ["ZMPOP 0 a MIN", "ZMPOP -1 a MIN", "ZMPOP x a MIN"] {
            assert_eq!(parsed(words), Err("ERR numkeys should be greater than 0".to_owned()), "{words}");
        }
        for words in ["ZMPOP 1 a MIN COUNT 0", "ZMPOP 1 a MIN COUNT x"] {
            assert_eq!(parsed(words), Err("ERR count should be greater than 0".to_owned()), "{words}");
        }
    }
}
