//! What packed collections hold: integers and strings, which the formats tell apart and commands do not.

use super::error::Fault;
use super::{Bytes, EXPIRY_MAX};
use crate::clock::Millis;

/// An element of a listpack or a ziplist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    /// An integer, which stands for its decimal digits.
    Int(i64),
    /// A string.
    Bytes(Bytes<'a>),
}

impl<'a> Entry<'a> {
    /// The element as commands see it.
    pub(super) fn into_bytes(self) -> Bytes<'a> {
        match self {
            Self::Int(number) => digits(number),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// The element, with no tie to what it was read from.
    pub(super) fn into_owned(self) -> Entry<'static> {
        match self {
            Self::Int(number) => Entry::Int(number),
            Self::Bytes(bytes) => Entry::Bytes(Bytes::Owned(bytes.into_owned())),
        }
    }

    /// The element as a score.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn score(&self) -> Result<f64, Fault> {
        match self {
            Self::Int(number) => Ok(*number as f64),
            Self::Bytes(text) => parse_score(text),
        }
    }

    /// The element as the end of a field, of which 0 means none.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn expiry(&self) -> Result<Option<Millis>, Fault> {
        match self {
            Self::Int(number) => u64::try_from(*number).map_or(Err(Fault::Expiry), expiry),
            Self::Bytes(_) => Err(Fault::Expiry),
        }
    }
}

/// An integer's decimal digits.
pub(super) fn digits(number: i64) -> Bytes<'static> {
    Bytes::Owned(itoa::Buffer::new().format(number).as_bytes().to_vec())
}

/// A score told in decimal; `inf` and `-inf` are scores.
///
/// # Errors
/// It is no number.
pub(super) fn parse_score(text: &[u8]) -> Result<f64, Fault> {
    let text = std::str::from_utf8(text).map_err(|_| Fault::Score)?;
    text.parse().map_err(|_| Fault::Score).and_then(number)
}

/// A score that is a number.
///
/// # Errors
/// It is none.
pub(super) fn number(score: f64) -> Result<f64, Fault> {
    if score.is_nan() { Err(Fault::Score) } else { Ok(score) }
}

/// The end of a field in Unix milliseconds, of which 0 means none.
///
/// # Errors
/// It is later than Redis can tell.
pub(super) fn expiry(unix_ms: u64) -> Result<Option<Millis>, Fault> {
    match Millis(unix_ms) {
        Millis(0) => Ok(None),
        at if at <= EXPIRY_MAX => Ok(Some(at)),
        _ => Err(Fault::Expiry),
    }
}
