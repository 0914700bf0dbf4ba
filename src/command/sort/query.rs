//! What SORT is asked for.

use std::ops::Range;

use super::pattern::Pattern;
use crate::command::args::{Options, integer, is};
use crate::command::call::CommandError;
use crate::resp::Args;

/// The options of a call.
#[derive(Clone, Debug, Default)]
pub(super) struct Query<'a> {
    /// BY: what to compare in place of the elements.
    pub by: Option<Pattern<'a>>,
    /// BY something that is the same for all: the order stays.
    pub is_unsorted: bool,
    /// DESC.
    pub is_descending: bool,
    /// ALPHA: by bytes and not by numbers.
    pub is_alpha: bool,
    /// GET: what to answer in place of the elements.
    pub gets: Vec<Pattern<'a>>,
    /// STORE: where to put it.
    pub store: Option<&'a [u8]>,
    /// LIMIT: how many to leave out at first, and how many to take; negative: none, all.
    limit: Option<(i64, i64)>,
}

impl<'a> Query<'a> {
    /// Reads the options behind the key.
    pub(super) fn parse(args: Args<'a>, may_store: bool) -> Result<Self, CommandError> {
        let mut query = Self::default();
        let mut options = Options::new(args, 2);
        while let Some(word) = options.next() {
            if is(word, "ASC") {
                query.is_descending = false;
            } else if is(word, "DESC") {
                query.is_descending = true;
            } else if is(word, "ALPHA") {
                query.is_alpha = true;
            } else if is(word, "LIMIT") {
                let (offset, count) = (options.value()?, options.value()?);
                query.limit = Some((integer(offset)?, integer(count)?));
            } else if is(word, "STORE") && may_store {
                query.store = Some(options.value()?);
            } else if is(word, "BY") {
                let pattern = Pattern::new(options.value()?);
                query.is_unsorted |= pattern.is_constant();
                query.by = Some(pattern);
            } else if is(word, "GET") {
                query.gets.push(Pattern::new(options.value()?));
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(query)
    }

    /// Which of `len` elements in order are wanted.
    pub(super) fn window(&self, len: u64) -> Range<u64> {
        let (offset, count) = self.limit.unwrap_or((0, -1));
        let start = u64::try_from(offset).unwrap_or(0).min(len);
        let count = u64::try_from(count).unwrap_or(u64::MAX).min(len - start);
        start..start + count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    fn with_parsed<R>(words: &str, check: impl FnOnce(Result<Query<'_>, CommandError>) -> R) -> R {
        let request: OwnedRequest = words.split_whitespace().collect();
        check(Query::parse(request.as_args(), true))
    }

    #[test]
    fn limits_are_within_what_there_is() {
        let window = |limit: &str| {
            with_parsed(&format!("SORT k LIMIT {limit}"), |query| query.expect("valid").window(10))
        };
        assert_eq!(window("2 3"), 2..5);
        assert_eq!(window("-1 3"), 0..3);
        assert_eq!(window("8 -1"), 8..10);
        assert_eq!(window("9223372036854775807 9223372036854775807"), 10..10);
        assert_eq!(window("1 9223372036854775807"), 1..10);
        assert_eq!(window("3 0"), 3..3);
        assert_eq!(with_parsed("SORT k", |query| query.expect("valid").window(10)), 0..10);
    }

    #[test]
    fn options_are_checked() {
        for words in ["SORT k x", "SORT k LIMIT 1", "SORT k BY", "SORT k GET", "SORT k STORE"] {
            with_parsed(words, |query| assert_eq!(query.err(), Some(CommandError::Syntax), "{words}"));
        }
        for words in ["SORT k LIMIT a 1", "SORT k LIMIT 1 a"] {
            with_parsed(words, |query| assert_eq!(query.err(), Some(CommandError::NotInteger), "{words}"));
        }
        let request: OwnedRequest = ["SORT_RO", "k", "STORE", "d"].into_iter().collect();
        assert_eq!(Query::parse(request.as_args(), false).err(), Some(CommandError::Syntax));
    }

    #[test]
    fn an_order_once_given_up_stays_given_up() {
        with_parsed("SORT k BY nosort BY weight:* DESC asc", |query| {
            let query = query.expect("valid");
            assert!(query.is_unsorted && !query.is_descending);
        });
        with_parsed("SORT k BY weight:*", |query| assert!(!query.expect("valid").is_unsorted));
    }
}
