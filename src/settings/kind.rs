//! The kinds of values: how each is read from text, which texts are refused and why, and how it is shown.
//!
//! A value is one word (flags, numbers, choices) or one canonical text (everything else). The sentences of
//! [`BadValue`] are those of Redis 7.2, because clients and test suites know them.

use super::events::EventClass;
use super::lists::List;
use super::memory;
use std::borrow::Cow;
use std::sync::Arc;

/// What a setting may hold.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `yes` or `no`; on the command line alone it means `yes`.
    Flag,
    /// A whole number.
    Int {
        /// The least that is allowed.
        min: i64,
        /// The most that is allowed.
        max: i64,
    },
    /// A number that is taken as given up to `i32::MAX`, then moved into a range.
    Clamped {
        /// The least that it becomes.
        low: i64,
        /// The most that it becomes.
        high: i64,
    },
    /// Permission bits, in octal.
    Octal {
        /// The most that is allowed.
        max: i64,
    },
    /// A size in bytes, with the units of Redis: `1k` is 1000, `1kb` is 1024.
    Memory {
        /// The least that is allowed.
        min: i64,
        /// The most that is allowed.
        max: i64,
    },
    /// A size in bytes that is rounded up to whole pages of a file.
    Pages {
        /// The least that is allowed.
        min: i64,
        /// The most that is allowed.
        max: i64,
    },
    /// A size in bytes, or a percentage (kept as a negative word).
    MemoryOrPercent,
    /// One of several names (kept as its position).
    Choice(&'static [&'static str]),
    /// Classes of keyspace events (kept as bits).
    Events,
    /// Any bytes that the check lets pass.
    Text(fn(&[u8]) -> Result<(), BadValue>),
    /// Several words with a meaning of their own (kept as canonical text).
    List(List),
}

/// What [`Kind::Pages`] rounds to.
const PAGE_BYTES: u64 = 4096;

/// The value of one setting, whose [`Kind`] says what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A flag, number, choice or set of bits.
    Word(i64),
    /// A text, or the canonical text of a list.
    Text(Arc<[u8]>),
}

impl Value {
    /// The text of nothing.
    pub(super) fn empty() -> Self {
        Self::Text(Arc::from(&b""[..]))
    }

    /// The bytes of a text; none for a word.
    pub fn text(&self) -> &[u8] {
        match self {
            Self::Word(_) => b"",
            Self::Text(text) => text,
        }
    }

    /// The word; 0 for a text.
    pub fn word(&self) -> i64 {
        match self {
            Self::Word(word) => *word,
            Self::Text(_) => 0,
        }
    }
}

/// Why a text is no value of its setting. The sentences are Redis's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's sentence says what it is")]
pub enum BadValue {
    #[error("argument must be 'yes' or 'no'")]
    NotFlag,
    #[error("argument couldn't be parsed into an integer")]
    NotInteger,
    #[error("argument must be a memory value")]
    NotMemory,
    #[error("argument must be a memory or percent value")]
    NotMemoryOrPercent,
    #[error("percentage argument must be less or equal to 100")]
    PercentTooLarge,
    #[error("argument must be between {min} and {max} inclusive")]
    OutOfRange { min: i64, max: i64 },
    #[error("argument must be between {min:o} and {max:o} inclusive")]
    OutOfOctalRange { min: i64, max: i64 },
    #[error("argument(s) must be one of the following: {}", .0.join(", "))]
    NotAmong(&'static [&'static str]),
    #[error("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")]
    NotEvents,
    #[error("Invalid save parameters")]
    NotSave,
    #[error("Wrong number of arguments in buffer limit configuration.")]
    LimitCount,
    #[error("Invalid client class specified in buffer limit configuration.")]
    LimitClass,
    #[error("Error in hard, soft or soft_seconds setting in buffer limit configuration.")]
    LimitNumber,
    #[error("Too many bind addresses specified.")]
    TooManyAddresses,
    #[error("Failed to bind to specified addresses.")]
    NotAddress,
    #[error("Invalid {0} parameters")]
    NotPercentiles(&'static str),
    #[error("{0} parameters should sit between [0.0,100.0]")]
    PercentileRange(&'static str),
    #[error("wrong number of arguments")]
    WordCount,
    #[error("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")]
    OomRange,
    #[error("Invalid master port")]
    PrimaryPort,
    #[error("shutdown options SAVE and NOSAVE can't be used simultaneously")]
    SaveAndNosave,
    #[error("template format is invalid or contains unknown variables")]
    Template,
    #[error("{0} can't be a path, just a {1}")]
    IsPath(&'static str, &'static str),
    #[error("argument can't contain a NUL byte")]
    Nul,
    #[error("argument can't be empty")]
    Empty,
    #[error("{0}")]
    Unsupported(&'static str),
}

impl Kind {
    /// Reads a value from text; `base` is what a list adds to.
    ///
    /// # Errors
    /// The text is not a value of this kind.
    pub fn parse(&self, text: &[u8], base: &Value) -> Result<Value, BadValue> {
        let word = match *self {
            Self::Text(check) => {
                check(text)?;
                return Ok(Value::Text(text.into()));
            }
            Self::List(list) => return Ok(Value::Text(list.parse(text, base.text())?.into())),
            Self::Flag => i64::from(position(&["no", "yes"], text).ok_or(BadValue::NotFlag)?),
            Self::Int { min, max } => in_range(integer(text)?, min, max)?,
            Self::Clamped { low, high } => in_range(integer(text)?, 0, i64::from(i32::MAX))?.clamp(low, high),
            Self::Octal { max } => octal(text, max)?,
            Self::Memory { min, max } => {
                in_range(memory::parse(text).ok_or(BadValue::NotMemory)? as i64, min, max)?
            }
            Self::Pages { min, max } => {
                let bytes = in_range(memory::parse(text).ok_or(BadValue::NotMemory)? as i64, min, max)?;
                (bytes as u64).next_multiple_of(PAGE_BYTES) as i64
            }
            Self::MemoryOrPercent => memory_or_percent(text)?,
            Self::Choice(names) => i64::from(position(names, text).ok_or(BadValue::NotAmong(names))?),
            Self::Events => i64::from(EventClass::parse(text).ok_or(BadValue::NotEvents)?.bits()),
        };
        Ok(Value::Word(word))
    }

    /// Shows a value as CONFIG GET does: sizes as plain numbers, flags as `yes` and `no`.
    pub fn render(&self, value: &Value) -> Vec<u8> {
        let word = value.word();
        match *self {
            Self::Text(_) | Self::List(_) => value.text().to_vec(),
            Self::Flag => if word == 0 { "no" } else { "yes" }.into(),
            Self::Octal { .. } => format!("{word:o}").into(),
            Self::MemoryOrPercent if word < 0 => format!("{}%", -word).into(),
            Self::Int { .. }
            | Self::Clamped { .. }
            | Self::Memory { .. }
            | Self::Pages { .. }
            | Self::MemoryOrPercent => word.to_string().into(),
            Self::Choice(names) => names.get(word as usize).copied().unwrap_or_default().into(),
            Self::Events => EventClass::from_bits(word as u32).render().into(),
        }
    }

    /// Whether several words on a line or after an option belong to one value.
    pub fn takes_words(&self) -> bool {
        matches!(self, Self::List(_))
    }

    /// What is allowed, for an error or the help: `a whole number from 0 to 65535`.
    pub fn allowed(&self) -> Cow<'static, str> {
        let number = |min: i64, max: i64| match (min, max) {
            (i64::MIN, i64::MAX) => "a whole number".into(),
            (min, i64::MAX) => format!("a whole number, at least {min}"),
            (min, max) => format!("a whole number from {min} to {max}"),
        };
        match *self {
            Self::Flag => "yes or no".into(),
            Self::Int { min, max } => number(min, max).into(),
            Self::Clamped { low, high } => number(low, high).into(),
            Self::Octal { max } => format!("an octal number from 0 to {max:o}").into(),
            Self::Memory { min: 0, max: i64::MAX } => "a size in bytes, such as 64mb".into(),
            Self::Memory { min, max: i64::MAX } => {
                format!("a size in bytes, at least {}", memory::render(min as u64)).into()
            }
            Self::Memory { min, max } | Self::Pages { min, max } => {
                let (min, max) = (memory::render(min as u64), memory::render(max as u64));
                format!("a size in bytes from {min} to {max}").into()
            }
            Self::MemoryOrPercent => "a size in bytes, or a percentage such as 5%".into(),
            Self::Choice(names) => format!("one of {}", names.join(", ")).into(),
            Self::Events => "letters out of Ag$lshzxeKEtmdn".into(),
            Self::Text(_) => "text".into(),
            Self::List(list) => list.allowed().into(),
        }
    }
}

/// The position of `text` among `names`, letters in either case.
fn position(names: &[&str], text: &[u8]) -> Option<u32> {
    let found = names.iter().position(|name| name.as_bytes().eq_ignore_ascii_case(text))?;
    Some(found as u32)
}

/// A number exactly as it would be written: no blanks, no `+`, no leading zeros.
pub(super) fn integer(text: &[u8]) -> Result<i64, BadValue> {
    let parsed = std::str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok());
    parsed.filter(|number| number.to_string().as_bytes() == text).ok_or(BadValue::NotInteger)
}

fn in_range(number: i64, min: i64, max: i64) -> Result<i64, BadValue> {
    if (min..=max).contains(&number) { Ok(number) } else { Err(BadValue::OutOfRange { min, max }) }
}

fn octal(text: &[u8], max: i64) -> Result<i64, BadValue> {
    let text = std::str::from_utf8(text).map_err(|_| BadValue::NotInteger)?;
    if text.is_empty() || !text.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(BadValue::NotInteger);
    }
    let number = i64::from_str_radix(text, 8).map_err(|_| BadValue::NotInteger)?;
    if number <= max { Ok(number) } else { Err(BadValue::OutOfOctalRange { min: 0, max }) }
}

fn memory_or_percent(text: &[u8]) -> Result<i64, BadValue> {
    let Some(percent) = text.strip_suffix(b"%") else {
        return memory::parse(text).map(|bytes| bytes as i64).ok_or(BadValue::NotMemoryOrPercent);
    };
    match integer(percent) {
        Ok(percent @ 0..=100) => Ok(-percent),
        Ok(101..) => Err(BadValue::PercentTooLarge),
        _ => Err(BadValue::NotMemoryOrPercent),
    }
}

/// The checks that a [`Kind::Text`] may carry.
pub(super) mod check {
    use super::BadValue;

    /// Lets anything pass that can be a C string, which paths and names of the system are.
    pub(in super::super) fn any(text: &[u8]) -> Result<(), BadValue> {
        if text.contains(&0) { Err(BadValue::Nul) } else { Ok(()) }
    }

    /// Lets any bytes pass: a password need not be text.
    #[expect(clippy::unnecessary_wraps, reason = "other checks may refuse")]
    pub(in super::super) fn bytes(_: &[u8]) -> Result<(), BadValue> {
        Ok(())
    }

    /// Refuses the empty text.
    pub(in super::super) fn not_empty(text: &[u8]) -> Result<(), BadValue> {
        if text.is_empty() { Err(BadValue::Empty) } else { any(text) }
    }

    /// Refuses what could name a file in another folder.
    pub(in super::super) fn dbfilename(text: &[u8]) -> Result<(), BadValue> {
        base_name(text, "dbfilename", "filename")
    }

    /// Refuses what could name a file in another folder.
    pub(in super::super) fn appendfilename(text: &[u8]) -> Result<(), BadValue> {
        base_name(text, "appendfilename", "filename")
    }

    /// Refuses what could name a folder elsewhere.
    pub(in super::super) fn appenddirname(text: &[u8]) -> Result<(), BadValue> {
        base_name(text, "appenddirname", "dirname")
    }

    fn base_name(text: &[u8], setting: &'static str, what: &'static str) -> Result<(), BadValue> {
        if text.contains(&b'/') { Err(BadValue::IsPath(setting, what)) } else { any(text) }
    }

    /// Checks the variables in braces of a process title.
    pub(in super::super) fn title(text: &[u8]) -> Result<(), BadValue> {
        const KNOWN: [&[u8]; 7] =
            [b"title", b"listen-addr", b"server-mode", b"port", b"tls-port", b"unixsocket", b"config-file"];
        let mut rest = text;
        while let Some(open) = rest.iter().position(|&byte| byte == b'{') {
            let variable = &rest[open + 1..];
            let close = variable.iter().position(|&byte| byte == b'}').ok_or(BadValue::Template)?;
            if !KNOWN.contains(&&variable[..close]) {
                return Err(BadValue::Template);
            }
            rest = &variable[close + 1..];
        }
        any(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    fn shown(kind: Kind, text: &str) -> Result<String, String> {
        let value = kind.parse(text.as_bytes(), &Value::empty()).map_err(|bad| bad.to_string())?;
        Ok(String::from_utf8_lossy(&kind.render(&value)).into_owned())
    }

    #[test]
    fn each_kind_reads_and_shows_its_values_as_redis_does() {
        let small = Kind::Int { min: -1, max: 10 };
        let memory = Kind::Memory { min: 1024, max: i64::MAX };
        for (kind, text, expected) in [
            (Kind::Flag, "YES", "yes"),
            (Kind::Flag, "no", "no"),
            (small, "-1", "-1"),
            (Kind::Clamped { low: 1, high: 500 }, "0", "1"),
            (Kind::Clamped { low: 1, high: 500 }, "1000", "500"),
            (Kind::Octal { max: 0o777 }, "755", "755"),
            (memory, "64mb", "67108864"),
            (Kind::Pages { min: 1, max: 1 << 30 }, "4097", "8192"),
            (Kind::MemoryOrPercent, "5%", "5%"),
            (Kind::MemoryOrPercent, "1k", "1000"),
            (Kind::Choice(&["one", "two"]), "TWO", "two"),
            (Kind::Text(check::any), "as Is", "as Is"),
            (Kind::Text(check::title), "TEST {title} {port}", "TEST {title} {port}"),
        ] {
            assert_eq!(shown(kind, text).as_deref(), Ok(expected), "{kind:?} {text}");
        }
    }

    #[test]
    fn each_kind_refuses_with_the_sentence_of_redis() {
        let small = Kind::Int { min: -1, max: 10 };
        for (kind, text, expected) in [
            (Kind::Flag, "1", "argument must be 'yes' or 'no'"),
            (small, "", "argument couldn't be parsed into an integer"),
            (small, "007", "argument couldn't be parsed into an integer"),
            (small, "+1", "argument couldn't be parsed into an integer"),
            (small, "11", "argument must be between -1 and 10 inclusive"),
            (Kind::Clamped { low: 1, high: 5 }, "-1", "argument must be between 0 and 2147483647 inclusive"),
            (Kind::Octal { max: 0o777 }, "1000", "argument must be between 0 and 777 inclusive"),
            (Kind::Octal { max: 0o777 }, "8", "argument couldn't be parsed into an integer"),
            (Kind::Memory { min: 0, max: 9 }, "x", "argument must be a memory value"),
            (Kind::Memory { min: 0, max: 9 }, "10", "argument must be between 0 and 9 inclusive"),
            (Kind::MemoryOrPercent, "-5", "argument must be a memory or percent value"),
            (Kind::MemoryOrPercent, "200%", "percentage argument must be less or equal to 100"),
            (Kind::Choice(&["one", "two"]), "x", "argument(s) must be one of the following: one, two"),
            (Kind::Events, "K1", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."),
            (Kind::Text(check::dbfilename), "a/b", "dbfilename can't be a path, just a filename"),
            (Kind::Text(check::title), "{x}", "template format is invalid or contains unknown variables"),
            (Kind::Text(check::title), "{title", "template format is invalid or contains unknown variables"),
            (Kind::Text(check::any), "a\0b", "argument can't contain a NUL byte"),
        ] {
            assert_eq!(shown(kind, text), Err(expected.to_owned()), "{kind:?} {text}");
        }
    }

    quickcheck! {
        fn words_survive_showing_and_reading(number: i64) -> bool {
            let whole = Kind::Int { min: i64::MIN, max: i64::MAX };
            let memory = Kind::Memory { min: 0, max: i64::MAX };
            let size = number & i64::MAX;
            let percent = -(size % 101);
            [
                (whole, number),
                (memory, size),
                (Kind::MemoryOrPercent, size),
                (Kind::MemoryOrPercent, percent),
                (Kind::Octal { max: 0o777 }, size & 0o777),
                (Kind::Flag, number & 1),
                (Kind::Choice(&["a", "b", "c", "d"]), number & 3),
            ]
            .iter()
            .all(|&(kind, word)| {
                let shown = kind.render(&Value::Word(word));
                kind.parse(&shown, &Value::empty()) == Ok(Value::Word(word))
            })
        }

        fn any_bytes_parse_or_are_refused_without_a_panic(text: Vec<u8>) -> bool {
            let kinds = super::super::SETTINGS.iter().map(|setting| setting.kind);
            kinds.flat_map(|kind| kind.parse(&text, &Value::empty())).count() > 0
        }
    }
}
