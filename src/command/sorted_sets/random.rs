//! ZRANDMEMBER.

use std::collections::HashSet;

use crate::command::args::{integer, is};
use crate::command::call::{Call, CommandError};
use crate::command::sorted_sets::answer::Row;
use crate::engine::Txn;
use crate::resp::Args;
use crate::store::value::collection::SortedRef;

/// A reply with members more than once ends in an error when it has grown to so many bytes.
const REPLY_BYTES_MAX: usize = 512 * 1024 * 1024;

/// `ZRANDMEMBER key [count [WITHSCORES]]`; a negative count draws members that may be the same.
///
/// # Errors
/// A count that is none, unknown options, a reply that would be too large.
pub fn zrandmember(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let wanted = Wanted::parse(call.args)?;
    let set = call.txn.get_sorted_set(call.session.db, &call.args[1])?;
    match (wanted, set) {
        (Wanted::One, None) => call.reply.null(),
        (Wanted::One, Some(set)) => call.reply.bulk(draw(call.txn, &set).1),
        (_, None) => call.reply.array(0),
        (Wanted::Distinct { count, with_scores }, Some(set)) => distinct(call, &set, count, with_scores),
        (Wanted::Any { count, with_scores }, Some(set)) => return any(call, &set, count, with_scores),
    }
    Ok(())
}

/// What is to be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// One member, answered by itself.
    One,
    /// Different members.
    Distinct { count: u64, with_scores: bool },
    /// Members that may be the same.
    Any { count: u64, with_scores: bool },
}

impl Wanted {
    fn parse(args: Args<'_>) -> Result<Self, CommandError> {
        let Some(count) = args.get(2) else { return Ok(Self::One) };
        let count = integer(count)?;
        if count == i64::MIN {
            let text =
                "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
            return Err(CommandError::Text(text.into()));
        }
        let option = args.get(3);
        if args.len() > 4 || option.is_some_and(|option| !is(option, "WITHSCORES")) {
            return Err(CommandError::Syntax);
        }
        let (magnitude, with_scores) = (count.unsigned_abs(), option.is_some());
        if with_scores && magnitude > i64::MAX.unsigned_abs() / 2 {
            return Err(out_of_range());
        }
        Ok(if count < 0 {
            Self::Any { count: magnitude, with_scores }
        } else {
            Self::Distinct { count: magnitude, with_scores }
        })
    }
}

fn out_of_range() -> CommandError {
    CommandError::Text("ERR value is out of range".into())
}

/// A number below `below`.
fn number(txn: &mut Txn<'_>, below: u64) -> u64 {
    // Why not the remainder: the high half of the product is as even, and costs no division.
    ((u128::from(txn.random()) * u128::from(below)) >> 64) as u64
}

fn draw<'g>(txn: &mut Txn<'_>, set: &SortedRef<'g>) -> (f64, &'g [u8]) {
    let rank = number(txn, set.len());
    set.at(rank).expect("the rank is below the length")
}

/// Different ranks below `len`.
fn ranks(txn: &mut Txn<'_>, count: u64, len: u64) -> HashSet<u64> {
    let mut ranks = HashSet::with_capacity(count as usize);
    while (ranks.len() as u64) < count {
        ranks.insert(number(txn, len));
    }
    ranks
}

fn distinct(call: &mut Call<'_, '_>, set: &SortedRef<'_>, count: u64, with_scores: bool) {
    let len = set.len();
    let count = count.min(len);
    let row = Row::of(call.reply, with_scores);
    // Why: of more than half of all, most ranks that are drawn have been drawn before.
    if count > len / 2 {
        let without = ranks(call.txn, len - count, len);
        let members = (0..).zip(set.forward(0)).filter(|(rank, _)| !without.contains(rank));
        row.members(call.reply, count, members.map(|(_, member)| member));
    } else {
        let ranks = ranks(call.txn, count, len);
        row.members(call.reply, count, ranks.iter().filter_map(|rank| set.at(*rank)));
    }
}

fn any(
    call: &mut Call<'_, '_>,
    set: &SortedRef<'_>,
    count: u64,
    with_scores: bool,
) -> Result<(), CommandError> {
    let row = Row::of(call.reply, with_scores);
    let start = call.reply.len();
    row.head(call.reply, count);
    for _ in 0..count {
        let (score, member) = draw(call.txn, set);
        row.member(call.reply, score, member);
        if call.reply.len() - start > REPLY_BYTES_MAX {
            return Err(out_of_range());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    #[test]
    fn counts_and_options_are_checked() {
        let parsed = |words: &str| {
            let request: OwnedRequest = words.split_whitespace().collect();
            Wanted::parse(request.as_args()).map_err(|error| error.to_string())
        };
        assert_eq!(parsed("ZRANDMEMBER k"), Ok(Wanted::One));
        assert_eq!(parsed("ZRANDMEMBER k 3"), Ok(Wanted::Distinct { count: 3, with_scores: false }));
        assert_eq!(parsed("ZRANDMEMBER k -3 withscores"), Ok(Wanted::Any { count: 3, with_scores: true }));
        for (words, error) in [
            ("ZRANDMEMBER k x", "ERR value is not an integer or out of range"),
            ("ZRANDMEMBER k 1 x", "ERR syntax error"),
            ("ZRANDMEMBER k 1 WITHSCORES x", "ERR syntax error"),
            ("ZRANDMEMBER k -9223372036854770000 WITHSCORES", "ERR value is out of range"),
            ("ZRANDMEMBER k 9223372036854770000 WITHSCORES", "ERR value is out of range"),
            (
                "ZRANDMEMBER k -9223372036854775808",
                "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
            ),
        ] {
            assert_eq!(parsed(words), Err(error.to_owned()), "{words}");
        }
    }
}
