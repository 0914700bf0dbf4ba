//! What the commands on the expiry of fields have in common: `FIELDS numfields field ...`, and times.

use crate::clock::Millis;
use crate::command::args::{TimeForm, integer, is};
use crate::command::call::CommandError;
use crate::resp::Args;
use crate::resp::number::parse_i64;

/// The latest time at which a field can end, in Unix milliseconds: as in Redis, some 2200 years after 1970.
const END_MAX: u64 = (1 << 46) - 1;

fn text(message: &'static str) -> CommandError {
    CommandError::Text(message.into())
}

/// What is said of a number of fields that is none, by all but HEXPIRE and its kin.
pub const NO_NUMBER: &str = "ERR Number of fields must be a positive integer";

/// The fields of a request that has the word FIELDS and their number at `at`, and ends with them.
///
/// # Errors
/// No such word there, `no_number` for no positive number, a number that is not that of the fields.
pub fn named<'a>(args: Args<'a>, at: usize, no_number: &'static str) -> Result<Args<'a>, CommandError> {
    if !args.get(at).is_some_and(|word| is(word, "FIELDS")) {
        return Err(text("ERR Mandatory argument FIELDS is missing or not at the right position"));
    }
    let number = args.get(at + 1).and_then(parse_i64).filter(|number| *number > 0);
    let number = number.ok_or(text(no_number))?;
    let fields = args.from(at + 2);
    if fields.len() as u64 != number.unsigned_abs() {
        return Err(text("ERR The `numfields` parameter must match the number of arguments"));
    }
    Ok(fields)
}

/// Reads when fields are to end, which may be past.
///
/// # Errors
/// What is no integer, or negative, or too late: that of `command`.
pub fn end(argument: &[u8], form: TimeForm, now: Millis, command: &str) -> Result<Millis, CommandError> {
    let amount = integer(argument)?;
    if amount < 0 {
        return Err(text("ERR invalid expire time, must be >= 0"));
    }
    let end = form.unix_millis(amount, now).map(i64::unsigned_abs).filter(|end| *end <= END_MAX);
    end.map(Millis).ok_or_else(|| CommandError::InvalidExpire(command.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    #[test]
    fn fields_stand_behind_their_number() {
        let parsed = |words: &str| {
            let request: OwnedRequest = words.split_whitespace().collect();
            let fields = named(request.as_args(), 0, "ERR no number");
            fields.map(Args::len).map_err(|error| error.to_string())
        };
        assert_eq!(parsed("fields 2 a b"), Ok(2));
        let mandatory = "ERR Mandatory argument FIELDS is missing or not at the right position";
        let mismatch = "ERR The `numfields` parameter must match the number of arguments";
        for (words, error) in [
            ("", mandatory),
            ("NX 1 a", mandatory),
            ("FIELDS", "ERR no number"),
            ("FIELDS x a", "ERR no number"),
            ("FIELDS 0 a", "ERR no number"),
            ("FIELDS -1 a", "ERR no number"),
            ("FIELDS 1", mismatch),
            ("FIELDS 3 a b", mismatch),
            ("FIELDS 9223372036854775807 a b", mismatch),
        ] {
            assert_eq!(parsed(words), Err(error.to_owned()), "{words}");
        }
    }

    #[test]
    fn ends_are_not_negative_and_not_too_late() {
        let now = Millis(1_700_000_000_000);
        let read = |form, argument: &str| end(argument.as_bytes(), form, now, "hexpire");
        let invalid = Err(CommandError::InvalidExpire("hexpire".to_owned()));
        assert_eq!(read(TimeForm::Seconds, "2"), Ok(Millis(now.0 + 2000)));
        assert_eq!(read(TimeForm::UnixMillis, "0"), Ok(Millis(0)));
        assert_eq!(read(TimeForm::UnixMillis, "70368744177663"), Ok(Millis(END_MAX)));
        assert_eq!(read(TimeForm::UnixMillis, "70368744177664"), invalid);
        assert_eq!(read(TimeForm::Seconds, "9223372036854775807"), invalid);
        assert_eq!(read(TimeForm::Millis, "70368744177663"), invalid);
        assert_eq!(read(TimeForm::Millis, "1.5"), Err(CommandError::NotInteger));
        assert!(read(TimeForm::Millis, "-1").is_err_and(|error| error.to_string().ends_with("must be >= 0")));
    }
}
