//! Commands on lists.
//!
//! | file | owns |
//! |---|---|
//! | this one | the ends of a list, positions counted from either end |
//! | `push` | LPUSH, RPUSH, LPUSHX, RPUSHX |
//! | `pop` | LPOP, RPOP, LMPOP |
//! | `moves` | LMOVE, RPOPLPUSH |
//! | `read` | LLEN, LINDEX, LRANGE |
//! | `search` | LPOS |
//! | `change` | LSET, LINSERT, LREM, LTRIM |
//! | `blocking` | BLPOP, BRPOP, BLMPOP, BLMOVE, BRPOPLPUSH |

mod blocking;
mod change;
mod moves;
mod pop;
mod push;
mod read;
mod search;

use std::ops::Range;

use crate::command::args::is;
use crate::command::bind::{Binding, plain};
use crate::command::call::CommandError;
use crate::resp::number::parse_i64;

/// The functions of the commands of this group.
pub(super) const BINDINGS: &[(&str, Binding)] = &[
    ("lpush", plain(push::lpush)),
    ("rpush", plain(push::rpush)),
    ("lpushx", plain(push::lpushx)),
    ("rpushx", plain(push::rpushx)),
    ("lpop", plain(pop::lpop)),
    ("rpop", plain(pop::rpop)),
    ("lmpop", plain(pop::lmpop)),
    ("lmove", plain(moves::lmove)),
    ("rpoplpush", plain(moves::rpoplpush)),
    ("llen", plain(read::llen)),
    ("lindex", plain(read::lindex)),
    ("lrange", plain(read::lrange)),
    ("lpos", plain(search::lpos)),
    ("lset", plain(change::lset)),
    ("linsert", plain(change::linsert)),
    ("lrem", plain(change::lrem)),
    ("ltrim", plain(change::ltrim)),
    ("blpop", plain(blocking::blpop)),
    ("brpop", plain(blocking::brpop)),
    ("blmpop", plain(blocking::blmpop)),
    ("blmove", plain(blocking::blmove)),
    ("brpoplpush", plain(blocking::brpoplpush)),
];

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The head.
    Left,
    /// The tail.
    Right,
}

impl End {
    /// Reads LEFT or RIGHT.
    fn parse(word: &[u8]) -> Result<Self, CommandError> {
        if is(word, "LEFT") {
            Ok(Self::Left)
        } else if is(word, "RIGHT") {
            Ok(Self::Right)
        } else {
            Err(CommandError::Syntax)
        }
    }

    /// The event of an element that is added.
    fn push_event(self) -> &'static str {
        if self == Self::Left { "lpush" } else { "rpush" }
    }

    /// The event of an element that is taken.
    fn pop_event(self) -> &'static str {
        if self == Self::Left { "lpop" } else { "rpop" }
    }
}

/// Reads an integer that is not below `min`; whatever is none fails with `text`.
fn at_least(argument: &[u8], min: u64, text: &'static str) -> Result<u64, CommandError> {
    let number = parse_i64(argument).and_then(|number| u64::try_from(number).ok());
    number.filter(|number| *number >= min).ok_or(CommandError::Text(text.into()))
}

/// Reads an integer of which the opposite is one too.
fn symmetric(argument: &[u8]) -> Result<i64, CommandError> {
    /// What Redis answers to the only integer without an opposite.
    const NO_OPPOSITE: &str =
        "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
    match crate::command::args::integer(argument)? {
        i64::MIN => Err(CommandError::Text(NO_OPPOSITE.into())),
        number => Ok(number),
    }
}

/// The position that an index means in a list of `len` elements: from the tail if it is negative.
fn position(index: i64, len: u64) -> Option<u64> {
    let at = if index < 0 { len.checked_sub(index.unsigned_abs())? } else { index.unsigned_abs() };
    (at < len).then_some(at)
}

/// The positions from `start` to `stop`, both included, as far as a list of `len` elements has them.
fn span(start: i64, stop: i64, len: u64) -> Range<u64> {
    let count_from_head = |index: i64| {
        if index < 0 { len.saturating_sub(index.unsigned_abs()) } else { index.unsigned_abs() }
    };
    // Why apart: what lies before the head ends a span before it begins.
    let end = if stop < 0 && stop.unsigned_abs() > len { 0 } else { count_from_head(stop).saturating_add(1) };
    let (start, end) = (count_from_head(start).min(len), end.min(len));
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    quickcheck! {
        fn a_span_is_what_the_positions_are_between(start: i8, stop: i8, len: u8) -> bool {
            let (from, to) = (i64::from(start), i64::from(stop));
            let count = |index: i64| if index < 0 { index + i64::from(len) } else { index };
            let naive: Vec<u64> = (0..i64::from(len))
                .filter(|at| (count(from)..=count(to)).contains(at))
                .map(i64::unsigned_abs)
                .collect();
            span(from, to, u64::from(len)).collect::<Vec<_>>() == naive
        }
    }

    #[test]
    fn extreme_indices_are_no_positions() {
        assert_eq!(span(i64::MIN, i64::MAX, 3), 0..3);
        assert!(span(i64::MAX, i64::MIN, 3).is_empty());
        assert!(span(0, i64::MIN, 3).is_empty());
        assert_eq!(position(i64::MIN, 3), None);
        assert_eq!(position(-3, 3), Some(0));
        assert_eq!(position(-4, 3), None);
        assert_eq!(position(3, 3), None);
        assert_eq!(position(2, 3), Some(2));
    }

    #[test]
    fn numbers_are_checked_against_their_bounds() {
        let text = "ERR no";
        assert_eq!(at_least(b"0", 0, text), Ok(0));
        for bad in ["0", "-1", "x", "9223372036854775808"] {
            assert_eq!(at_least(bad.as_bytes(), 1, text), Err(CommandError::Text(text.into())), "{bad}");
        }
        assert_eq!(symmetric(b"-9223372036854775807"), Ok(-i64::MAX));
        assert!(symmetric(b"-9223372036854775808").is_err());
        assert_eq!(symmetric(b"x"), Err(CommandError::NotInteger));
    }
}
