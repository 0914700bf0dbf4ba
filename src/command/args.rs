//! Reading the arguments of commands: words, numbers, times, database numbers.
//!
//! Called by the commands' own parsers. Everything here borrows from the request and allocates only for an error.

use super::call::CommandError;
use crate::clock::Millis;
use crate::engine::DbIndex;
use crate::resp::Args;
use crate::resp::number::parse_i64;

/// Whether an argument is the given word, in any case of letters.
#[inline]
pub fn is(argument: &[u8], word: &str) -> bool {
    argument.eq_ignore_ascii_case(word.as_bytes())
}

/// Reads a 64-bit integer in Redis's one spelling of it.
///
/// # Errors
/// [`CommandError::NotInteger`].
#[inline]
pub fn integer(argument: &[u8]) -> Result<i64, CommandError> {
    parse_i64(argument).ok_or(CommandError::NotInteger)
}

/// What Redis answers to an integer of more than 32 bits where it wants one of those.
const NO_INT: &str = "ERR value is out of range, value must between -2147483648 and 2147483647";

/// Reads the number of a database, of which there are `databases`.
///
/// # Errors
/// [`CommandError::NotInteger`], a text of its own beyond 32 bits, as in Redis, and [`CommandError::DbIndex`] within.
pub fn database(argument: &[u8], databases: DbIndex) -> Result<DbIndex, CommandError> {
    let number = i32::try_from(integer(argument)?).map_err(|_| CommandError::Text(NO_INT.into()))?;
    DbIndex::try_from(number).ok().filter(|db| *db < databases).ok_or(CommandError::DbIndex)
}

/// The optional arguments of a command, taken one after the other.
pub struct Options<'a> {
    args: Args<'a>,
    next: usize,
}

impl<'a> Options<'a> {
    /// The arguments of `args` from `first` on.
    #[inline]
    pub fn new(args: Args<'a>, first: usize) -> Self {
        Self { args, next: first }
    }

    /// What an option needs behind its name.
    ///
    /// # Errors
    /// [`CommandError::Syntax`] at the end of the arguments.
    #[inline]
    pub fn value(&mut self) -> Result<&'a [u8], CommandError> {
        self.next().ok_or(CommandError::Syntax)
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let argument = self.args.get(self.next);
        self.next += 1;
        argument
    }
}

/// How an argument tells a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeForm {
    /// `EX`: seconds from now.
    Seconds,
    /// `PX`: milliseconds from now.
    Millis,
    /// `EXAT`: seconds since the Unix epoch.
    UnixSeconds,
    /// `PXAT`: milliseconds since the Unix epoch.
    UnixMillis,
}

impl TimeForm {
    /// The form that an option of SET or GETEX stands for.
    #[inline]
    pub fn of_option(option: &[u8]) -> Option<Self> {
        [("EX", Self::Seconds), ("PX", Self::Millis), ("EXAT", Self::UnixSeconds), ("PXAT", Self::UnixMillis)]
            .into_iter()
            .find_map(|(word, form)| is(option, word).then_some(form))
    }

    /// Unix milliseconds of the time told, before the epoch or in the past included; none where 64 bits overflow.
    #[inline]
    pub fn unix_millis(self, amount: i64, now: Millis) -> Option<i64> {
        let millis = match self {
            Self::Seconds | Self::UnixSeconds => amount.checked_mul(1000)?,
            Self::Millis | Self::UnixMillis => amount,
        };
        match self {
            Self::Seconds | Self::Millis => millis.checked_add_unsigned(now.0),
            Self::UnixSeconds | Self::UnixMillis => Some(millis),
        }
    }

    /// Reads the expiry of a value that is being set, which must be positive; it may be past.
    ///
    /// # Errors
    /// [`CommandError::NotInteger`]; [`CommandError::InvalidExpire`], which names `command`.
    #[inline]
    pub fn expiry(self, argument: &[u8], now: Millis, command: &str) -> Result<Millis, CommandError> {
        let amount = integer(argument)?;
        let millis = if amount > 0 { self.unix_millis(amount, now) } else { None };
        match millis {
            Some(millis) => Ok(Millis(millis.unsigned_abs())),
            None => Err(CommandError::InvalidExpire(command.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    const NOW: Millis = Millis(1_700_000_000_000);

    #[test]
    fn database_numbers_are_checked_against_how_many_there_are() {
        assert_eq!(database(b"15", 16), Ok(15));
        assert_eq!(database(b"16", 16), Err(CommandError::DbIndex));
        assert_eq!(database(b"-1", 16), Err(CommandError::DbIndex));
        assert_eq!(database(b"65536", 16), Err(CommandError::DbIndex));
        assert_eq!(database(b"2147483648", 16), Err(CommandError::Text(NO_INT.into())));
        assert_eq!(database(b"9223372036854775808", 16), Err(CommandError::NotInteger));
        assert_eq!(database(b"x", 16), Err(CommandError::NotInteger));
    }

    #[test]
    fn options_end_where_the_request_ends() {
        let request: OwnedRequest = ["SCAN", "0", "COUNT", "5", "MATCH"].into_iter().collect();
        let mut options = Options::new(request.as_args(), 2);
        assert!(is(options.next().expect("COUNT"), "count"));
        assert_eq!(options.value(), Ok(&b"5"[..]));
        assert!(is(options.next().expect("MATCH"), "match"));
        assert_eq!(options.value(), Err(CommandError::Syntax));
        assert_eq!(options.next(), None);
    }

    #[test]
    fn expiries_are_positive_and_fit_in_64_bits() {
        let expiry = |form: TimeForm, text: &str| form.expiry(text.as_bytes(), NOW, "set");
        let invalid = Err(CommandError::InvalidExpire("set".to_owned()));
        assert_eq!(expiry(TimeForm::Seconds, "10"), Ok(Millis(NOW.0 + 10_000)));
        assert_eq!(expiry(TimeForm::Millis, "10"), Ok(Millis(NOW.0 + 10)));
        assert_eq!(expiry(TimeForm::UnixSeconds, "10"), Ok(Millis(10_000)));
        assert_eq!(expiry(TimeForm::UnixMillis, "9223372036854775807"), Ok(Millis(i64::MAX.unsigned_abs())));
        for text in ["0", "-1", "9223372036854776", "9223370399119966"] {
            assert_eq!(expiry(TimeForm::Seconds, text), invalid, "{text}");
        }
        assert_eq!(expiry(TimeForm::Millis, "9223372036854775807"), invalid);
        assert_eq!(expiry(TimeForm::Millis, "1.5"), Err(CommandError::NotInteger));
    }

    #[test]
    fn options_of_time_are_known_in_any_case() {
        assert_eq!(TimeForm::of_option(b"ex"), Some(TimeForm::Seconds));
        assert_eq!(TimeForm::of_option(b"Px"), Some(TimeForm::Millis));
        assert_eq!(TimeForm::of_option(b"EXAT"), Some(TimeForm::UnixSeconds));
        assert_eq!(TimeForm::of_option(b"pxat"), Some(TimeForm::UnixMillis));
        assert_eq!(TimeForm::of_option(b"E"), None);
    }
}
