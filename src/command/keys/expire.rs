//! Changing when keys end: EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT, PERSIST.

use crate::clock::Millis;
use crate::command::args::{Options, TimeForm, integer, is};
use crate::command::call::{Call, CommandError};
use crate::resp::Args;
use crate::settings::EventClass;

/// Under which conditions an expiry is changed.
#[expect(
    clippy::struct_excessive_bools,
    reason = "four options, each there or not, in any combination until checked"
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Conditions {
    /// `NX`: only where there is none.
    absent: bool,
    /// `XX`: only where there is one.
    present: bool,
    /// `GT`: only to a later time.
    greater: bool,
    /// `LT`: only to an earlier time.
    less: bool,
}

impl Conditions {
    fn parse(args: Args<'_>, first: usize) -> Result<Self, CommandError> {
        let mut parsed = Self::default();
        for word in Options::new(args, first) {
            let flag = if is(word, "NX") {
                &mut parsed.absent
            } else if is(word, "XX") {
                &mut parsed.present
            } else if is(word, "GT") {
                &mut parsed.greater
            } else if is(word, "LT") {
                &mut parsed.less
            } else {
                let word = String::from_utf8_lossy(word);
                return Err(CommandError::Text(format!("ERR Unsupported option {word}").into()));
            };
            *flag = true;
        }
        parsed.check()
    }

    fn check(self) -> Result<Self, CommandError> {
        let text = if self.absent && (self.present || self.greater || self.less) {
            "ERR NX and XX, GT or LT options at the same time are not compatible"
        } else if self.greater && self.less {
            "ERR GT and LT options at the same time are not compatible"
        } else {
            return Ok(self);
        };
        Err(CommandError::Text(text.into()))
    }

    /// Whether an expiry may become `new` (Unix milliseconds). A key without one ends later than any other.
    fn allow(self, current: Option<Millis>, new: i64) -> bool {
        let current = current.map(|at| i64::try_from(at.0).unwrap_or(i64::MAX));
        !(self.absent && current.is_some()
            || self.present && current.is_none()
            || self.greater && current.is_none_or(|at| new <= at)
            || self.less && current.is_some_and(|at| new >= at))
    }
}

/// `EXPIRE key seconds [NX | XX | GT | LT]`
///
/// # Errors
/// Conditions that do not go together, a time that is no integer or overflows.
pub fn expire(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    change(call, TimeForm::Seconds, "expire")
}

/// `PEXPIRE key milliseconds [NX | XX | GT | LT]`
///
/// # Errors
/// As [`expire`].
pub fn pexpire(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    change(call, TimeForm::Millis, "pexpire")
}

/// `EXPIREAT key unix-seconds [NX | XX | GT | LT]`
///
/// # Errors
/// As [`expire`].
pub fn expireat(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    change(call, TimeForm::UnixSeconds, "expireat")
}

/// `PEXPIREAT key unix-milliseconds [NX | XX | GT | LT]`
///
/// # Errors
/// As [`expire`].
pub fn pexpireat(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    change(call, TimeForm::UnixMillis, "pexpireat")
}

/// Sets the expiry to a time told in `form`; one that is past, or before 1970, deletes the key.
fn change(call: &mut Call<'_, '_>, form: TimeForm, command: &str) -> Result<(), CommandError> {
    let (args, db, now) = (call.args, call.db(), call.txn.now());
    let conditions = Conditions::parse(args, 3)?;
    let new = form
        .unix_millis(integer(&args[2])?, now)
        .ok_or_else(|| CommandError::InvalidExpire(command.to_owned()))?;
    let live = call.txn.peek(db, &args[1]);
    let changes = live.is_some_and(|live| conditions.allow(live.expiry, new));
    if changes {
        let event = match u64::try_from(new).map(Millis) {
            Ok(at) if at > now => {
                call.txn.set_expiry(db, &args[1], Some(at));
                "expire"
            }
            _ => {
                call.txn.delete(db, &args[1]);
                "del"
            }
        };
        call.notify(EventClass::GENERIC, event, &args[1]);
    }
    call.reply.int(i64::from(changes));
    Ok(())
}

/// `PERSIST key`
///
/// # Errors
/// None.
pub fn persist(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let ends = call.txn.peek(db, &args[1]).is_some_and(|live| live.expiry.is_some());
    if ends {
        call.txn.set_expiry(db, &args[1], None);
        call.notify(EventClass::GENERIC, "persist", &args[1]);
    }
    call.reply.int(i64::from(ends));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    fn parsed(words: &str) -> Result<Conditions, CommandError> {
        let request: OwnedRequest = words.split_whitespace().collect();
        Conditions::parse(request.as_args(), 0)
    }

    #[test]
    fn conditions_that_contradict_are_refused_with_redis_sentences() {
        let nx = "ERR NX and XX, GT or LT options at the same time are not compatible";
        let gt_lt = "ERR GT and LT options at the same time are not compatible";
        for (words, expected) in [
            ("NX XX", nx),
            ("gt nx", nx),
            ("NX LT", nx),
            ("LT GT", gt_lt),
            ("XX AB", "ERR Unsupported option AB"),
            ("NX XX AB", "ERR Unsupported option AB"),
        ] {
            assert_eq!(parsed(words).expect_err(words).to_string(), expected, "{words}");
        }
        for words in ["", "NX", "NX NX", "XX GT", "lt xx"] {
            assert!(parsed(words).is_ok(), "{words}");
        }
    }

    #[test]
    fn a_key_without_expiry_ends_later_than_any_other() {
        for (words, current, new, expected) in [
            ("", None, -5, true),
            ("NX", Some(100), 200, false),
            ("NX", None, 200, true),
            ("XX", Some(100), 200, true),
            ("XX", None, 200, false),
            ("GT", Some(100), 200, true),
            ("GT", Some(100), 100, false),
            ("GT", None, 200, false),
            ("LT", Some(100), 99, true),
            ("LT", Some(100), 100, false),
            ("LT", None, -10, true),
            ("LT XX", None, 99, false),
        ] {
            let conditions = parsed(words).expect(words);
            assert_eq!(conditions.allow(current.map(Millis), new), expected, "{words} {current:?} {new}");
        }
    }
}
