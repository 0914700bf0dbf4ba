//! Giving members scores: ZADD, ZINCRBY.

use smallvec::SmallVec;

use crate::command::args::is;
use crate::command::call::{Call, CommandError};
use crate::command::sorted_sets::score::{kept, score};
use crate::resp::Args;
use crate::settings::EventClass;

/// What ZADD was told beside scores and members.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option that is given or not")]
struct Options {
    /// NX: only members that are not there.
    absent: bool,
    /// XX: only members that are there.
    present: bool,
    /// GT: only higher scores, of members that are there.
    higher: bool,
    /// LT: only lower ones.
    lower: bool,
    /// CH: answers how many have changed, not how many are new.
    changed: bool,
    /// INCR: adds to the score.
    increment: bool,
}

impl Options {
    /// Takes an argument if it is an option.
    fn take(&mut self, word: &[u8]) -> bool {
        let options = [
            ("NX", &mut self.absent),
            ("XX", &mut self.present),
            ("GT", &mut self.higher),
            ("LT", &mut self.lower),
            ("CH", &mut self.changed),
            ("INCR", &mut self.increment),
        ];
        let named = options.into_iter().find(|(name, _)| is(word, name));
        named.map(|(_, option)| *option = true).is_some()
    }

    fn check(self, pairs: Args<'_>) -> Result<(), CommandError> {
        let error = if pairs.is_empty() || pairs.len() % 2 != 0 {
            return Err(CommandError::Syntax);
        } else if self.absent && self.present {
            "ERR XX and NX options at the same time are not compatible"
        } else if self.absent && (self.higher || self.lower) || self.higher && self.lower {
            "ERR GT, LT, and/or NX options at the same time are not compatible"
        } else if self.increment && pairs.len() > 2 {
            "ERR INCR option supports a single increment-element pair"
        } else {
            return Ok(());
        };
        Err(CommandError::Text(error.into()))
    }

    /// The score that a member has afterwards, if anything is done with it.
    fn decide(self, old: Option<f64>, given: f64) -> Option<f64> {
        let Some(old) = old else { return (!self.present).then_some(given) };
        let new = if self.increment { old + given } else { given };
        let fails = self.absent || self.higher && new <= old || self.lower && new >= old;
        (!fails).then_some(new)
    }
}

/// `ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]`
///
/// # Errors
/// Options that do not go together, scores that are none, a sum that is none.
pub fn zadd(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    add(call, Options::default())
}

/// `ZINCRBY key increment member`
///
/// # Errors
/// An increment that is none, a sum that is none.
pub fn zincrby(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    // Why as ZADD: Redis takes options here too, and then misses a score.
    add(call, Options { increment: true, ..Options::default() })
}

/// What has become of the members.
#[derive(Default)]
struct Outcome {
    added: i64,
    updated: i64,
    /// The score of the last one, if anything was done with it.
    score: Option<f64>,
}

fn add(call: &mut Call<'_, '_>, mut options: Options) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let words = args.iter().skip(2).take_while(|word| options.take(word)).count();
    let (key, pairs) = (&args[1], args.from(2 + words));
    options.check(pairs)?;
    let scores = pairs.iter().step_by(2).map(score).collect::<Result<SmallVec<[f64; 8]>, _>>()?;
    let outcome = call.txn.edit_sorted_set(db, key, |draft| {
        let mut outcome = Outcome::default();
        for (&given, member) in scores.iter().zip(pairs.iter().skip(1).step_by(2)) {
            let mut sum_is_none = false;
            draft.update(member, |old| {
                outcome.score = options.decide(old, given);
                sum_is_none = outcome.score.is_some_and(f64::is_nan);
                // Why NaN first: it is unequal to everything.
                let new = outcome.score.filter(|new| !new.is_nan() && Some(*new) != old)?;
                *(if old.is_some() { &mut outcome.updated } else { &mut outcome.added }) += 1;
                Some(kept(new))
            });
            if sum_is_none {
                return Err(CommandError::Text("ERR resulting score is not a number (NaN)".into()));
            }
        }
        Ok(outcome)
    })?;
    if outcome.added + outcome.updated > 0 {
        call.notify(EventClass::ZSET, if options.increment { "zincr" } else { "zadd" }, key);
    }
    match outcome.score {
        _ if !options.increment => {
            call.reply.int(outcome.added + if options.changed { outcome.updated } else { 0 });
        }
        Some(score) => call.reply.double(score),
        None => call.reply.null(),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_decide_what_becomes_of_a_score() {
        let none = Options::default();
        assert_eq!(none.decide(None, 1.0), Some(1.0));
        assert_eq!(none.decide(Some(3.0), 1.0), Some(1.0));
        let absent = Options { absent: true, ..none };
        assert_eq!((absent.decide(None, 1.0), absent.decide(Some(0.0), 1.0)), (Some(1.0), None));
        let present = Options { present: true, ..none };
        assert_eq!((present.decide(None, 1.0), present.decide(Some(0.0), 1.0)), (None, Some(1.0)));
        let higher = Options { higher: true, ..none };
        assert_eq!(higher.decide(None, 1.0), Some(1.0));
        assert_eq!([0.0, 1.0, 2.0].map(|old| higher.decide(Some(old), 1.0)), [Some(1.0), None, None]);
        let lower = Options { lower: true, increment: true, ..none };
        assert_eq!([-1.0, 0.0, 1.0].map(|by| lower.decide(Some(5.0), by)), [Some(4.0), None, None]);
        let increment = Options { increment: true, ..none };
        let sum = increment.decide(Some(f64::INFINITY), f64::NEG_INFINITY);
        assert!(sum.is_some_and(f64::is_nan));
    }
}
