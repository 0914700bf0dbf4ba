//! Members in a range: ZRANGE with the older commands that it comprises, and ZRANGESTORE.

use crate::command::args::{Options, integer, is};
use crate::command::call::{Call, CommandError};
use crate::command::sorted_sets::answer::Row;
use crate::command::sorted_sets::range::{By, Limit, Range, Span};
use crate::command::sorted_sets::store;
use crate::resp::Args;
use crate::store::value::collection::SortedRef;

/// What the name of a command says of its range; what it does not say, options do.
#[derive(Clone, Copy, Debug, Default)]
struct Given {
    by: Option<By>,
    reverse: Option<bool>,
    /// The result is stored, scores and all.
    stores: bool,
}

impl Given {
    const fn of(by: By, reverse: bool) -> Self {
        Self { by: Some(by), reverse: Some(reverse), stores: false }
    }
}

/// What a command asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Query<'a> {
    range: Range<'a>,
    reverse: bool,
    limit: Limit,
    with_scores: bool,
}

impl<'a> Query<'a> {
    /// Reads the arguments from the range on, which begins at `first`.
    fn parse(args: Args<'a>, first: usize, given: Given) -> Result<Self, CommandError> {
        let Given { mut by, mut reverse, stores } = given;
        let (mut limit, mut with_scores) = (Limit::NONE, false);
        let mut options = Options::new(args, first + 2);
        while let Some(word) = options.next() {
            if !stores && is(word, "WITHSCORES") {
                with_scores = true;
            } else if is(word, "LIMIT") {
                let (offset, count) = (options.value()?, options.value()?);
                limit = Limit { offset: integer(offset)?, count: integer(count)? };
            } else if reverse.is_none() && is(word, "REV") {
                reverse = Some(true);
            } else if by.is_none() && is(word, "BYLEX") {
                by = Some(By::Member);
            } else if by.is_none() && is(word, "BYSCORE") {
                by = Some(By::Score);
            } else {
                return Err(CommandError::Syntax);
            }
        }
        let (by, reverse) = (by.unwrap_or(By::Rank), reverse.unwrap_or(false));
        if limit.count != -1 && by == By::Rank {
            let text =
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX";
            return Err(CommandError::Text(text.into()));
        }
        if with_scores && by == By::Member {
            let text = "ERR syntax error, WITHSCORES not supported in combination with BYLEX";
            return Err(CommandError::Text(text.into()));
        }
        if by == By::Rank {
            // Why: Redis takes a LIMIT of -1 and does nothing with its offset.
            limit = Limit::NONE;
        }
        let (low, high) = if reverse && by != By::Rank { (first + 1, first) } else { (first, first + 1) };
        let end = |at| args.get(at).unwrap_or_default();
        let range = Range::parse(by, end(low), end(high))?;
        Ok(Self { range, reverse, limit, with_scores })
    }

    fn span(&self, set: &SortedRef<'_>) -> Span {
        self.limit.of(self.range.span(set, self.reverse), self.reverse)
    }
}

/// `ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]`
///
/// # Errors
/// Options that do not go together, ends that are none.
pub fn zrange(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    answer_range(call, Given::default())
}

/// `ZREVRANGE key start stop [WITHSCORES]`
///
/// # Errors
/// As [`zrange`].
pub fn zrevrange(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    answer_range(call, Given::of(By::Rank, true))
}

/// `ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]`
///
/// # Errors
/// As [`zrange`].
pub fn zrangebyscore(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    answer_range(call, Given::of(By::Score, false))
}

/// `ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]`
///
/// # Errors
/// As [`zrange`].
pub fn zrevrangebyscore(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    answer_range(call, Given::of(By::Score, true))
}

/// `ZRANGEBYLEX key min max [LIMIT offset count]`
///
/// # Errors
/// As [`zrange`].
pub fn zrangebylex(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    answer_range(call, Given::of(By::Member, false))
}

/// `ZREVRANGEBYLEX key max min [LIMIT offset count]`
///
/// # Errors
/// As [`zrange`].
pub fn zrevrangebylex(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    answer_range(call, Given::of(By::Member, true))
}

fn answer_range(call: &mut Call<'_, '_>, given: Given) -> Result<(), CommandError> {
    let query = Query::parse(call.args, 2, given)?;
    let Some(set) = call.txn.get_sorted_set(call.session.db, &call.args[1])? else {
        call.reply.array(0);
        return Ok(());
    };
    let span = query.span(&set);
    let count = span.end - span.start;
    let row = Row::of(call.reply, query.with_scores);
    if query.reverse {
        row.members(call.reply, count, set.backward(span.end).take(count as usize));
    } else {
        row.members(call.reply, count, set.forward(span.start).take(count as usize));
    }
    Ok(())
}

/// `ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]`
///
/// # Errors
/// As [`zrange`].
pub fn zrangestore(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let args = call.args;
    let query = Query::parse(args, 3, Given { stores: true, ..Given::default() })?;
    let set = call.txn.get_sorted_set(call.session.db, &args[2])?;
    let members = set.into_iter().flat_map(|set| {
        let span = query.span(&set);
        set.forward(span.start).take((span.end - span.start) as usize)
    });
    store::store(call, &args[1], "zrangestore", members);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    fn parsed(given: Given, words: &str) -> Result<(bool, Limit, bool), String> {
        let request: OwnedRequest = words.split_whitespace().collect();
        let query = Query::parse(request.as_args(), 0, given);
        query.map(|query| (query.reverse, query.limit, query.with_scores)).map_err(|error| error.to_string())
    }

    #[test]
    fn options_stand_in_any_order() {
        let given = Given::default();
        let limit = Limit { offset: 1, count: 2 };
        assert_eq!(parsed(given, "0 1"), Ok((false, Limit::NONE, false)));
        assert_eq!(parsed(given, "0 1 limit 1 2 rev withscores byscore"), Ok((true, limit, true)));
        assert_eq!(parsed(given, "+ - REV BYLEX LIMIT 1 2"), Ok((true, limit, false)));
        assert_eq!(parsed(given, "0 1 LIMIT 5 -1"), Ok((false, Limit::NONE, false)));
        assert_eq!(parsed(given, "0 1 BYSCORE LIMIT 9 9 LIMIT 1 2"), Ok((false, limit, false)));
    }

    #[test]
    fn options_that_do_not_go_together_are_refused() {
        let syntax = Err("ERR syntax error".to_owned());
        for words in [
            "0 1 BYSCORE BYSCORE",
            "0 1 BYSCORE BYLEX",
            "0 1 REV REV",
            "0 1 LIMIT 1",
            "0 1 LIMIT",
            "0 1 nonsense",
        ] {
            assert_eq!(parsed(Given::default(), words), syntax, "{words}");
        }
        assert_eq!(parsed(Given::of(By::Rank, true), "0 1 REV"), syntax);
        assert_eq!(parsed(Given::of(By::Score, false), "0 1 BYSCORE"), syntax);
        assert_eq!(parsed(Given { stores: true, ..Given::default() }, "0 1 WITHSCORES"), syntax);
    }
}
