//! Ranges of a sorted set: by rank, by score, by member.
//!
//! Whatever a range is told by, it is a run of ranks, which two searches find.

use crate::command::args::integer;
use crate::command::call::CommandError;
use crate::command::sorted_sets::score;
use crate::store::value::collection::SortedRef;

/// A run of ranks, counted from the lowest score: from the first up to, not including, the second.
pub type Span = std::ops::Range<u64>;

/// What a range is told by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Ranks; negative ones count from the end.
    Rank,
    /// Scores.
    Score,
    /// Members, where all scores are equal.
    Member,
}

/// An end of a range of scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreEnd {
    score: f64,
    excluded: bool,
}

/// An end of a range of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberEnd<'a> {
    /// `-`: before all.
    First,
    /// `+`: behind all.
    Last,
    /// `[member`
    Included(&'a [u8]),
    /// `(member`
    Excluded(&'a [u8]),
}

/// A range, from its lower to its upper end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range<'a> {
    /// From a rank up to and including another.
    Ranks(i64, i64),
    /// Between scores.
    Scores(ScoreEnd, ScoreEnd),
    /// Between members.
    Members(MemberEnd<'a>, MemberEnd<'a>),
}

impl<'a> Range<'a> {
    /// Reads a range from its two ends, the lower one first.
    ///
    /// # Errors
    /// Ends that are none.
    pub fn parse(by: By, low: &'a [u8], high: &'a [u8]) -> Result<Self, CommandError> {
        Ok(match by {
            By::Rank => Self::Ranks(integer(low)?, integer(high)?),
            By::Score => Self::Scores(score_end(low)?, score_end(high)?),
            By::Member => Self::Members(member_end(low)?, member_end(high)?),
        })
    }

    /// The ranks in the range; ranks are counted from the highest score if `reverse`.
    pub fn span(&self, set: &SortedRef<'_>, reverse: bool) -> Span {
        let (start, end) = match *self {
            Self::Ranks(first, last) => return ranks(first, last, set.len(), reverse),
            Self::Scores(low, high) => {
                (set.count_below(low.score, low.excluded), set.count_below(high.score, !high.excluded))
            }
            Self::Members(low, high) => (low.count_before(set, false), high.count_before(set, true)),
        };
        start..end.max(start)
    }
}

/// The ranks from `first` up to and including `last`.
fn ranks(first: i64, last: i64, len: u64, reverse: bool) -> Span {
    let from_start = |rank: i64| if rank < 0 { rank.saturating_add_unsigned(len) } else { rank };
    let start = u64::try_from(from_start(first)).unwrap_or(0).min(len);
    let end = u64::try_from(from_start(last)).map_or(0, |last| last.saturating_add(1)).min(len).max(start);
    if reverse { len - end..len - start } else { start..end }
}

fn score_end(text: &[u8]) -> Result<ScoreEnd, CommandError> {
    let (excluded, text) = text.strip_prefix(b"(").map_or((false, text), |text| (true, text));
    let score = score::bound(text).ok_or(CommandError::Text("ERR min or max is not a float".into()))?;
    Ok(ScoreEnd { score, excluded })
}

fn member_end(text: &[u8]) -> Result<MemberEnd<'_>, CommandError> {
    match text {
        b"-" => Ok(MemberEnd::First),
        b"+" => Ok(MemberEnd::Last),
        [b'[', member @ ..] => Ok(MemberEnd::Included(member)),
        [b'(', member @ ..] => Ok(MemberEnd::Excluded(member)),
        _ => Err(CommandError::Text("ERR min or max not valid string range item".into())),
    }
}

impl MemberEnd<'_> {
    /// How many members are before the end, where it is an upper one itself included if it is so.
    fn count_before(self, set: &SortedRef<'_>, is_upper: bool) -> u64 {
        match self {
            Self::First => 0,
            Self::Last => set.len(),
            Self::Included(member) => set.count_before(member, is_upper),
            Self::Excluded(member) => set.count_before(member, !is_upper),
        }
    }
}

/// Which members of a range are taken, counted from where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// So many are left out.
    pub offset: i64,
    /// So many are taken, if negative all.
    pub count: i64,
}

impl Limit {
    /// Everything.
    pub const NONE: Self = Self { offset: 0, count: -1 };

    /// What is taken of a span, beginning at its upper end if `reverse`.
    pub fn of(self, span: Span, reverse: bool) -> Span {
        let len = span.end - span.start;
        // Why: a negative offset leaves out everything.
        let skip = u64::try_from(self.offset).unwrap_or(u64::MAX).min(len);
        let take = u64::try_from(self.count).unwrap_or(u64::MAX).min(len - skip);
        if reverse {
            span.end - skip - take..span.end - skip
        } else {
            span.start + skip..span.start + skip + take
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_count_from_either_end() {
        assert_eq!(ranks(0, -1, 5, false), 0..5);
        assert_eq!(ranks(1, 3, 5, false), 1..4);
        assert_eq!(ranks(1, 3, 5, true), 1..4);
        assert_eq!(ranks(0, 1, 5, true), 3..5);
        assert_eq!(ranks(-2, -1, 5, true), 0..2);
        assert_eq!(ranks(-100, 100, 5, false), 0..5);
        assert_eq!(ranks(i64::MIN, i64::MAX, 5, true), 0..5);
        for (first, last) in [(3, 1), (5, 9), (0, -6), (-1, -2), (i64::MAX, i64::MIN)] {
            assert!(ranks(first, last, 5, false).is_empty(), "{first} {last}");
            assert!(ranks(first, last, 5, true).is_empty(), "{first} {last}");
        }
    }

    #[test]
    fn limits_begin_where_the_range_begins() {
        let of = |offset, count, reverse| Limit { offset, count }.of(10..20, reverse);
        assert_eq!(Limit::NONE.of(10..20, true), 10..20);
        assert_eq!(of(2, 3, false), 12..15);
        assert_eq!(of(2, 3, true), 15..18);
        assert_eq!(of(8, i64::MAX, false), 18..20);
        assert_eq!(of(8, -7, true), 10..12);
        for (offset, count) in [(0, 0), (-1, 5), (10, 1), (i64::MAX, i64::MAX)] {
            assert!(of(offset, count, false).is_empty(), "{offset} {count}");
            assert!(of(offset, count, true).is_empty(), "{offset} {count}");
        }
    }

    #[test]
    fn ends_of_ranges_are_checked() {
        let scores = |low: &str, high: &str| Range::parse(By::Score, low.as_bytes(), high.as_bytes()).is_ok();
        assert!(scores("(1", "+inf") && scores("(", "") && scores("( 1", "1e999"));
        assert!(!scores("[1", "2") && !scores("((1", "2") && !scores("1", "nan") && !scores("1", "2x"));
        let members =
            |low: &str, high: &str| Range::parse(By::Member, low.as_bytes(), high.as_bytes()).is_ok();
        assert!(members("-", "+") && members("+", "-") && members("[", "(") && members("[+", "(-"));
        assert!(!members("", "+") && !members("-x", "+") && !members("a", "+") && !members("-", "++"));
    }
}
