//! The options of SET and GETEX: under which condition, until when, and what to answer.

use crate::clock::Millis;
use crate::command::args::{Options, TimeForm, is};
use crate::command::call::CommandError;
use crate::command::strings::value::equals;
use crate::engine::WrongType;
use crate::resp::Args;
use crate::store::version::ValueRef;

/// When SET sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition<'a> {
    /// In any case.
    Always,
    /// `NX`: only where there is no value.
    Absent,
    /// `XX`: only where there is a value.
    Present,
    /// `IFEQ`: only where the value is this one.
    Equals(&'a [u8]),
}

impl Condition<'_> {
    /// Whether what the key holds lets SET set.
    ///
    /// # Errors
    /// [`WrongType`] where it is to be compared and is no string.
    pub fn allows(self, value: Option<ValueRef<'_>>) -> Result<bool, WrongType> {
        Ok(match (self, value) {
            (Self::Always, _) => true,
            (Self::Absent, value) => value.is_none(),
            (Self::Present, value) => value.is_some(),
            (Self::Equals(wanted), Some(value)) => equals(value.string().ok_or(WrongType)?, wanted),
            (Self::Equals(_), None) => false,
        })
    }
}

/// What becomes of a key's expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryChange<'a> {
    /// Nothing was said: SET clears it, GETEX leaves it.
    Unsaid,
    /// `KEEPTTL`.
    Keep,
    /// `PERSIST`.
    Clear,
    /// `EX`, `PX`, `EXAT` or `PXAT`, with the time as it was sent.
    To(TimeForm, &'a [u8]),
}

impl<'a> ExpiryChange<'a> {
    /// The time to come, if one was named.
    ///
    /// # Errors
    /// As [`TimeForm::expiry`].
    #[inline]
    pub fn time(self, now: Millis, command: &str) -> Result<Option<Millis>, CommandError> {
        match self {
            Self::To(form, amount) => form.expiry(amount, now, command).map(Some),
            Self::Unsaid | Self::Keep | Self::Clear => Ok(None),
        }
    }

    /// Adds what one more option says. As in Redis, the same option may come again and the last one counts, but
    /// no two kinds go together.
    fn say(&mut self, other: Self) -> Result<(), CommandError> {
        let agree = match (*self, other) {
            (Self::Unsaid, _) | (Self::Keep, Self::Keep) | (Self::Clear, Self::Clear) => true,
            (Self::To(form, _), Self::To(again, _)) => form == again,
            _ => false,
        };
        *self = other;
        if agree { Ok(()) } else { Err(CommandError::Syntax) }
    }

    /// Takes `word` if it names a time, with the time behind it; tells whether it did.
    fn take_time(&mut self, word: &[u8], options: &mut Options<'a>) -> Result<bool, CommandError> {
        let Some(form) = TimeForm::of_option(word) else { return Ok(false) };
        self.say(Self::To(form, options.value()?))?;
        Ok(true)
    }
}

/// Everything that may follow SET's key and value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetOptions<'a> {
    /// When to set.
    pub condition: Condition<'a>,
    /// Until when.
    pub expiry: ExpiryChange<'a>,
    /// Whether to answer the old value.
    pub get: bool,
}

impl<'a> SetOptions<'a> {
    /// Reads the options in `args` from the one numbered `first` on.
    ///
    /// # Errors
    /// [`CommandError::Syntax`] where they are unknown or do not go together.
    pub fn parse(args: Args<'a>, first: usize) -> Result<Self, CommandError> {
        let mut parsed = Self { condition: Condition::Always, expiry: ExpiryChange::Unsaid, get: false };
        let mut options = Options::new(args, first);
        while let Some(word) = options.next() {
            if parsed.expiry.take_time(word, &mut options)? {
                continue;
            }
            if is(word, "NX") {
                parsed.require(Condition::Absent)?;
            } else if is(word, "XX") {
                parsed.require(Condition::Present)?;
            } else if is(word, "IFEQ") {
                parsed.require(Condition::Equals(options.value()?))?;
            } else if is(word, "GET") {
                parsed.get = true;
            } else if is(word, "KEEPTTL") {
                parsed.expiry.say(ExpiryChange::Keep)?;
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(parsed)
    }

    /// Adds a condition. NX and XX may be repeated, IFEQ may not.
    fn require(&mut self, condition: Condition<'a>) -> Result<(), CommandError> {
        let repeated = self.condition == condition && !matches!(condition, Condition::Equals(_));
        if self.condition != Condition::Always && !repeated {
            return Err(CommandError::Syntax);
        }
        self.condition = condition;
        Ok(())
    }
}

/// Reads the options of GETEX: at most one of PERSIST and the four times.
///
/// # Errors
/// [`CommandError::Syntax`] where they are unknown or do not go together.
pub fn parse_getex(args: Args<'_>, first: usize) -> Result<ExpiryChange<'_>, CommandError> {
    let mut expiry = ExpiryChange::Unsaid;
    let mut options = Options::new(args, first);
    while let Some(word) = options.next() {
        if expiry.take_time(word, &mut options)? {
            continue;
        }
        if !is(word, "PERSIST") {
            return Err(CommandError::Syntax);
        }
        expiry.say(ExpiryChange::Clear)?;
    }
    Ok(expiry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;
    use crate::store::version::StringRef;

    fn request(words: &str) -> OwnedRequest {
        words.split_whitespace().collect()
    }

    #[test]
    fn options_of_set_come_in_any_order_and_case() {
        let request = request("xx get eX 10");
        let options = SetOptions::parse(request.as_args(), 0).expect("valid");
        assert_eq!(options.condition, Condition::Present);
        assert_eq!(options.expiry, ExpiryChange::To(TimeForm::Seconds, b"10"));
        assert!(options.get);
    }

    #[test]
    fn the_same_option_may_be_repeated_and_the_last_one_counts() {
        let request = request("EX 10 NX NX EX 20 GET GET");
        let options = SetOptions::parse(request.as_args(), 0).expect("valid");
        assert_eq!(options.condition, Condition::Absent);
        assert_eq!(options.expiry, ExpiryChange::To(TimeForm::Seconds, b"20"));
    }

    #[test]
    fn options_of_set_that_do_not_go_together_are_refused() {
        for words in [
            "NX XX",
            "XX NX",
            "NX IFEQ a",
            "IFEQ a XX",
            "IFEQ a IFEQ a",
            "IFEQ",
            "EX 1 PX 1",
            "EX 1 KEEPTTL",
            "KEEPTTL PXAT 1",
            "EXAT 1 PXAT 1",
            "EX",
            "PERSIST",
            "nonsense",
            "GET GETS",
        ] {
            let request = request(words);
            assert_eq!(SetOptions::parse(request.as_args(), 0), Err(CommandError::Syntax), "{words}");
        }
    }

    #[test]
    fn getex_takes_one_kind_of_expiry() {
        let parsed = |words: &str| {
            let request = request(words);
            let parsed = parse_getex(request.as_args(), 0);
            parsed.map(|change| matches!(change, ExpiryChange::Clear | ExpiryChange::To(..)))
        };
        assert_eq!(parsed(""), Ok(false));
        assert_eq!(parsed("persist"), Ok(true));
        assert_eq!(parsed("PXAT 5"), Ok(true));
        for words in ["PERSIST EX 1", "EX 1 PERSIST", "KEEPTTL", "NX", "GET", "EX", "EX 1 PX 1"] {
            assert_eq!(parsed(words), Err(CommandError::Syntax), "{words}");
        }
    }

    #[test]
    fn conditions_look_at_the_value() {
        let (some, none) = (Some(ValueRef::String(StringRef::Int(7))), None);
        for (condition, with_some, with_none) in [
            (Condition::Always, true, true),
            (Condition::Absent, false, true),
            (Condition::Present, true, false),
            (Condition::Equals(b"7"), true, false),
            (Condition::Equals(b"8"), false, false),
        ] {
            assert_eq!(condition.allows(some), Ok(with_some), "{condition:?}");
            assert_eq!(condition.allows(none), Ok(with_none), "{condition:?}");
        }
    }
}
