//! What commands that combine sets are asked for: keys, weights, how scores are made one.

use std::ops::Range;

use crate::command::args::{Options, integer, is};
use crate::command::call::CommandError;
use crate::command::sorted_sets::score::score;
use crate::resp::Args;

/// What is made of the sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// What any of them has.
    Union,
    /// What all of them have.
    Intersection,
    /// How many members that are.
    Cardinality,
    /// What only the first has.
    Difference,
}

/// What becomes of the scores of a member of several sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// Their sum.
    Sum,
    /// The lowest.
    Min,
    /// The highest.
    Max,
}

impl Aggregate {
    fn parse(word: &[u8]) -> Result<Self, CommandError> {
        let words = [("SUM", Self::Sum), ("MIN", Self::Min), ("MAX", Self::Max)];
        let named = words.into_iter().find(|(name, _)| is(word, name));
        named.map(|(_, aggregate)| aggregate).ok_or(CommandError::Syntax)
    }

    /// The score of two; opposite infinities make 0.
    pub fn of(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Sum => {
                let sum = a + b;
                if sum.is_nan() { 0.0 } else { sum }
            }
            Self::Min => {
                if b < a {
                    b
                } else {
                    a
                }
            }
            Self::Max => {
                if b > a {
                    b
                } else {
                    a
                }
            }
        }
    }
}

/// The options of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// One for each key, or none: then all are 1.
    pub weights: Vec<f64>,
    /// How scores are made one.
    pub aggregate: Aggregate,
    /// Scores are answered.
    pub with_scores: bool,
    /// Members counted at most; 0: all.
    pub limit: u64,
}

impl Request {
    /// Where the keys are among the arguments, whose number is the argument `first`.
    ///
    /// # Errors
    /// A number that is none, or is not that of the keys.
    pub fn keys(args: Args<'_>, first: usize, command: &str) -> Result<Range<usize>, CommandError> {
        let count = integer(args.get(first).unwrap_or_default())?;
        if count < 1 {
            let text = format!("ERR at least 1 input key is needed for '{command}' command");
            return Err(CommandError::Text(text.into()));
        }
        let count = usize::try_from(count).map_err(|_| CommandError::Syntax)?;
        let start = first + 1;
        if count > args.len() - start {
            return Err(CommandError::Syntax);
        }
        Ok(start..start + count)
    }

    /// Reads what follows the keys.
    ///
    /// # Errors
    /// Options that are not of the operation, weights that are none.
    pub fn parse(
        args: Args<'_>,
        keys: Range<usize>,
        operation: Operation,
        stores: bool,
    ) -> Result<Self, CommandError> {
        let mut request =
            Self { weights: Vec::new(), aggregate: Aggregate::Sum, with_scores: false, limit: 0 };
        let combines = matches!(operation, Operation::Union | Operation::Intersection);
        let counts = operation == Operation::Cardinality;
        let mut options = Options::new(args, keys.end);
        while let Some(word) = options.next() {
            if combines && is(word, "WEIGHTS") {
                request.weights.clear();
                // Why first all: too few are a wrong syntax, whatever they are.
                let texts = keys.clone().map(|_| options.value()).collect::<Result<Vec<_>, _>>()?;
                for text in texts {
                    let weight = score(text);
                    let error = CommandError::Text("ERR weight value is not a float".into());
                    request.weights.push(weight.map_err(|_| error)?);
                }
            } else if combines && is(word, "AGGREGATE") {
                request.aggregate = Aggregate::parse(options.value()?)?;
            } else if !stores && !counts && is(word, "WITHSCORES") {
                request.with_scores = true;
            } else if counts && is(word, "LIMIT") {
                let limit = integer(options.value()?).ok().and_then(|limit| u64::try_from(limit).ok());
                let error = CommandError::Text("ERR LIMIT can't be negative".into());
                request.limit = limit.ok_or(error)?;
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    fn parsed(operation: Operation, words: &str) -> Result<Request, String> {
        let request: OwnedRequest = words.split_whitespace().collect();
        let args = request.as_args();
        let keys = Request::keys(args, 1, "zunion").map_err(|error| error.to_string())?;
        Request::parse(args, keys, operation, false).map_err(|error| error.to_string())
    }

    #[test]
    fn options_are_those_of_the_operation() {
        let plain = Request { weights: Vec::new(), aggregate: Aggregate::Sum, with_scores: false, limit: 0 };
        assert_eq!(parsed(Operation::Union, "Z 2 a b"), Ok(plain.clone()));
        let full = "Z 2 a b weights 2 -inf aggregate max withscores";
        let weights = vec![2.0, f64::NEG_INFINITY];
        let given = Request { weights, aggregate: Aggregate::Max, with_scores: true, ..plain.clone() };
        assert_eq!(parsed(Operation::Intersection, full), Ok(given));
        let limited = Request { limit: 5, ..plain };
        assert_eq!(parsed(Operation::Cardinality, "Z 1 a LIMIT 5"), Ok(limited));
        for (operation, words) in [
            (Operation::Union, "Z 3 a b"),
            (Operation::Union, "Z 9223372036854775807 a b"),
            (Operation::Union, "Z 2 a b WEIGHTS 1"),
            (Operation::Union, "Z 2 a b AGGREGATE"),
            (Operation::Union, "Z 2 a b AGGREGATE avg"),
            (Operation::Union, "Z 2 a b LIMIT 1"),
            (Operation::Difference, "Z 2 a b WEIGHTS 1 2"),
            (Operation::Difference, "Z 2 a b AGGREGATE MIN"),
            (Operation::Cardinality, "Z 2 a b WITHSCORES"),
            (Operation::Cardinality, "Z 2 a b LIMIT"),
        ] {
            assert_eq!(parsed(operation, words), Err("ERR syntax error".to_owned()), "{words}");
        }
        for (operation, words, error) in [
            (Operation::Union, "Z 0 a", "ERR at least 1 input key is needed for 'zunion' command"),
            (Operation::Union, "Z x a", "ERR value is not an integer or out of range"),
            (Operation::Union, "Z 1 a WEIGHTS x", "ERR weight value is not a float"),
            (Operation::Cardinality, "Z 1 a LIMIT -1", "ERR LIMIT can't be negative"),
            (Operation::Cardinality, "Z 1 a LIMIT x", "ERR LIMIT can't be negative"),
        ] {
            assert_eq!(parsed(operation, words), Err(error.to_owned()), "{words}");
        }
    }

    #[test]
    fn scores_are_made_one() {
        let infinity = f64::INFINITY;
        assert_eq!(Aggregate::Sum.of(infinity, -infinity).to_bits(), 0);
        assert_eq!(Aggregate::Min.of(2.0, -1.0).to_bits(), (-1_f64).to_bits());
        assert_eq!(Aggregate::Max.of(2.0, infinity).to_bits(), infinity.to_bits());
    }
}
