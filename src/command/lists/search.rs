//! Finding elements by their value: LPOS.

use super::{at_least, symmetric};
use crate::command::args::{Options, is};
use crate::command::call::{Call, CommandError};
use crate::resp::Args;
use crate::store::value::collection::ListRef;

/// What Redis answers to a rank of 0.
const RANK_ZERO: &str = "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... \
    or use negative to start from the end of the list";

/// What is looked for.
struct Query<'a> {
    element: &'a [u8],
    /// The match that counts first; negative: from the tail.
    rank: i64,
    /// How many matches are wanted, 0 for all; none: one, and not as an array.
    count: Option<u64>,
    /// How many elements are compared at most; 0: all.
    compared_max: u64,
}

impl<'a> Query<'a> {
    fn parse(args: Args<'a>) -> Result<Self, CommandError> {
        let mut query =
            Self { element: args.get(2).unwrap_or_default(), rank: 1, count: None, compared_max: 0 };
        let mut options = Options::new(args, 3);
        while let Some(word) = options.next() {
            if is(word, "RANK") {
                query.rank = symmetric(options.value()?)?;
                if query.rank == 0 {
                    return Err(CommandError::Text(RANK_ZERO.into()));
                }
            } else if is(word, "COUNT") {
                query.count = Some(at_least(options.value()?, 0, "ERR COUNT can't be negative")?);
            } else if is(word, "MAXLEN") {
                query.compared_max = at_least(options.value()?, 0, "ERR MAXLEN can't be negative")?;
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(query)
    }

    /// The positions of the matches that are wanted, in the order in which they are looked for.
    fn positions(&self, list: ListRef<'_>) -> Vec<u64> {
        let bound =
            |count: u64| if count == 0 { usize::MAX } else { usize::try_from(count).unwrap_or(usize::MAX) };
        let compared = bound(self.compared_max);
        let skipped = usize::try_from(self.rank.unsigned_abs() - 1).unwrap_or(usize::MAX);
        let wanted = bound(self.count.unwrap_or(1));
        let is_match = |(_, element): &(u64, &[u8])| *element == self.element;
        if self.rank > 0 {
            let matches = (0..).zip(list.forward(0)).take(compared).filter(is_match);
            matches.map(|(at, _)| at).skip(skipped).take(wanted).collect()
        } else {
            let matches =
                (0..list.len()).rev().zip(list.backward(list.len())).take(compared).filter(is_match);
            matches.map(|(at, _)| at).skip(skipped).take(wanted).collect()
        }
    }
}

/// `LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]`
///
/// # Errors
/// A key of another type, options that are none.
pub fn lpos(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let query = Query::parse(args)?;
    let list = call.txn.get_list(db, &args[1])?;
    let positions = list.map_or(Vec::new(), |list| query.positions(list));
    match (query.count, positions.first()) {
        (Some(_), _) => {
            call.reply.array(positions.len());
            for at in &positions {
                call.reply.int(*at as i64);
            }
        }
        (None, Some(at)) => call.reply.int(*at as i64),
        (None, None) => call.reply.null(),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    #[test]
    fn options_are_checked() {
        let parsed = |words: &str| {
            let request: OwnedRequest = format!("LPOS key x {words}").split_whitespace().collect();
            Query::parse(request.as_args()).map(|query| (query.rank, query.count, query.compared_max))
        };
        assert_eq!(parsed(""), Ok((1, None, 0)));
        assert_eq!(parsed("maxlen 3 count 0 rank -2"), Ok((-2, Some(0), 3)));
        let text = |text: &'static str| Err(CommandError::Text(text.into()));
        assert_eq!(parsed("RANK 0"), text(RANK_ZERO));
        assert_eq!(parsed("RANK x"), Err(CommandError::NotInteger));
        assert_eq!(parsed("COUNT -1"), text("ERR COUNT can't be negative"));
        assert_eq!(parsed("COUNT x"), text("ERR COUNT can't be negative"));
        assert_eq!(parsed("MAXLEN -1"), text("ERR MAXLEN can't be negative"));
        for words in ["RANK", "COUNT", "MAXLEN", "x", "x 1"] {
            assert_eq!(parsed(words), Err(CommandError::Syntax), "{words}");
        }
        assert!(parsed("RANK -9223372036854775808").is_err());
    }
}
