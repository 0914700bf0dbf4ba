//! How long a blocking command waits.

use std::time::Duration;

use crate::command::call::CommandError;

/// Longest text that is read as a number: no finite double needs more.
const TEXT_BYTES_MAX: usize = 5 * 1024;

/// Reads a time in seconds, of which there may be fractions; none for 0, which is for ever. It is rounded up to
/// milliseconds.
pub(in crate::command) fn parse(text: &[u8]) -> Result<Option<Duration>, CommandError> {
    let error = |text: &'static str| CommandError::Text(text.into());
    let seconds = seconds(text).ok_or(error("ERR timeout is not a float or out of range"))?;
    let millis = (seconds * 1000.0).ceil();
    // Why compared as floats: the largest integer is none of them, so the bound is the one above it.
    if millis >= i64::MAX as f64 {
        return Err(error("ERR timeout is out of range"));
    }
    if millis < 0.0 || seconds < 0.0 {
        return Err(error("ERR timeout is negative"));
    }
    Ok((millis > 0.0).then(|| Duration::from_millis(millis as u64)))
}

/// Reads a number as C does: decimal, hexadecimal, or an infinity.
fn seconds(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= TEXT_BYTES_MAX)?;
    let magnitude = text.strip_prefix(['+', '-']).unwrap_or(text);
    if let Some(digits) = magnitude.strip_prefix("0x").or(magnitude.strip_prefix("0X")) {
        let value = hexadecimal(digits)?;
        return Some(if text.starts_with('-') { -value } else { value });
    }
    text.parse().ok().filter(|seconds: &f64| !seconds.is_nan())
}

/// Reads `digits[.digits][p[+-]exponent]`, where the exponent is a power of two.
fn hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let exponent: i32 = exponent.parse().ok()?;
    let add = |sum: f64, digit: char| Some(sum * 16.0 + f64::from(digit.to_digit(16)?));
    let digits = whole.chars().chain(fraction.chars()).try_fold(0.0, add)?;
    Some(digits * 2_f64.powi(exponent.saturating_sub(4 * fraction.len() as i32)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_may_have_fractions_and_zero_is_for_ever() {
        for (text, millis) in [
            ("0", None),
            ("0.0", None),
            ("1", Some(1_000)),
            ("0.1", Some(100)),
            ("0.0001", Some(1)),
            ("1e-3", Some(1)),
            ("0x10", Some(16_000)),
            ("0x1.8p-1", Some(750)),
            ("+2", Some(2_000)),
            ("9000000000000000", Some(9_000_000_000_000_000_000)),
        ] {
            assert_eq!(parse(text.as_bytes()), Ok(millis.map(Duration::from_millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_has_redis_texts() {
        for (text, expected) in [
            ("", "ERR timeout is not a float or out of range"),
            ("abc", "ERR timeout is not a float or out of range"),
            ("nan", "ERR timeout is not a float or out of range"),
            (" 1", "ERR timeout is not a float or out of range"),
            ("0x", "ERR timeout is not a float or out of range"),
            ("0x1p", "ERR timeout is not a float or out of range"),
            ("-1", "ERR timeout is negative"),
            ("-0.0001", "ERR timeout is negative"),
            ("-inf", "ERR timeout is negative"),
            ("inf", "ERR timeout is out of range"),
            ("1e300", "ERR timeout is out of range"),
            ("0x7FFFFFFFFFFFFF", "ERR timeout is out of range"),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(CommandError::Text(expected.into())), "{text}");
        }
    }
}
