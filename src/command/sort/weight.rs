//! Numbers to sort by, read as C's `strtod` reads them.

use crate::command::call::CommandError;
use crate::store::version::StringRef;

/// The number that a value is.
///
/// # Errors
/// One that is none, or that no double comes near.
pub(super) fn of(value: StringRef<'_>) -> Result<f64, CommandError> {
    let number = match value {
        StringRef::Int(number) => Some(number as f64),
        StringRef::Str(bytes) | StringRef::Raw(bytes) => read(bytes),
        StringRef::Shared(bytes) => read(bytes),
    };
    number.ok_or_else(|| CommandError::Text("ERR One or more scores can't be converted into double".into()))
}

/// Reads a number or an infinity; blanks may be in front of it, and no text at all is 0.
fn read(text: &[u8]) -> Option<f64> {
    if text.is_empty() {
        return Some(0.0);
    }
    let start = text.iter().position(|byte| !byte.is_ascii_whitespace() && *byte != 0x0B)?;
    let text = std::str::from_utf8(&text[start..]).ok()?;
    let magnitude = text.strip_prefix(['+', '-']).unwrap_or(text);
    if let Some(digits) = magnitude.strip_prefix("0x").or_else(|| magnitude.strip_prefix("0X")) {
        let number = hexadecimal(digits)?;
        return Some(if text.starts_with('-') { -number } else { number });
    }
    let number: f64 = text.parse().ok()?;
    let is_infinity = magnitude.starts_with(['i', 'I']);
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let is_zero = !mantissa.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    let is_in_range = if is_infinity || is_zero { !number.is_nan() } else { number.is_normal() };
    is_in_range.then_some(number)
}

/// Reads `digits[.digits][p[+-]exponent of 2]`, the digits to base 16; exact up to 13 of them.
fn hexadecimal(text: &str) -> Option<f64> {
    let (digits, exponent) = match text.split_once(['p', 'P']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut number = 0.0;
    for digit in whole.chars().chain(fraction.chars()) {
        number = number * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let shift = exponent.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
    let number = number * 2_f64.powi(shift);
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_c_reads_them() {
        for (text, number) in [
            ("", 0.0),
            ("0", 0.0),
            ("-0.0e9", 0.0),
            (" \t\x0B-1.5", -1.5),
            ("+2", 2.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e3", 1000.0),
            ("inf", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            ("0x40", 64.0),
            ("-0XfF.8p-1", -127.75),
        ] {
            assert_eq!(read(text.as_bytes()), Some(number), "{text:?}");
        }
        for text in [
            " ", "x", "1x", "1 ", "nan", "1e400", "1e-400", "1e-320", "--1", "e5", ".", "0x", "0x.", "0xg",
            "0x1p",
        ] {
            assert_eq!(read(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(read(b"\xFF"), None);
    }
}
