//! Scores as requests spell them: what C's `strtod` reads, hexadecimal included.

use crate::command::call::CommandError;

/// Reads a score, a weight or an increment: a number in range or an infinity, and nothing else.
///
/// # Errors
/// [`CommandError::NotFloat`].
pub fn score(text: &[u8]) -> Result<f64, CommandError> {
    match read(text) {
        Some(Read { value, in_range: true }) if !value.is_nan() => Ok(value),
        _ => Err(CommandError::NotFloat),
    }
}

/// Reads what a range of scores ends at. More leniently than a score, as in Redis: blanks may lead, nothing is 0, what is
/// too large is infinite, and a zero byte ends it.
pub fn bound(text: &[u8]) -> Option<f64> {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Some(0.0);
    }
    let blanks = text.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x0B).count();
    read(&text[blanks..]).map(|read| read.value).filter(|value| !value.is_nan())
}

/// The score that is kept for `score`: both zeros are one.
pub fn kept(score: f64) -> f64 {
    // Why: an addition turns the negative zero into the other and leaves all else as it is.
    score + 0.0
}

/// A number that was read.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Read {
    value: f64,
    /// It is neither too large nor, without being 0, too small.
    in_range: bool,
}

fn read(text: &[u8]) -> Option<Read> {
    let (sign, magnitude) = match text {
        [b'-', rest @ ..] => (-1.0, rest),
        [b'+', rest @ ..] | rest => (1.0, rest),
    };
    if let [b'0', b'x' | b'X', digits @ ..] = magnitude {
        return read_hex(digits).map(|read| Read { value: read.value * sign, ..read });
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let names_infinity = magnitude.first().is_some_and(|first| first.eq_ignore_ascii_case(&b'i'));
    let mantissa = magnitude.split(|byte| byte.eq_ignore_ascii_case(&b'e')).next().unwrap_or_default();
    let is_zero = mantissa.iter().all(|byte| matches!(byte, b'0' | b'.'));
    let in_range = if value == 0.0 { is_zero } else { value.is_finite() || names_infinity || value.is_nan() };
    Some(Read { value, in_range })
}

/// Bits that a double keeps of a number.
const MANTISSA_BITS: i64 = 53;
/// The place of the lowest bit that a double can have.
const EXPONENT_MIN: i64 = -1074;
/// What an exponent is cut to: far beyond all that make a difference, whatever the digits.
const EXPONENT_CUT: i64 = 1 << 40;

/// Reads `digits[.digits][p[+-]decimal digits]`, with a hexadecimal digit on at least one side of the point.
fn read_hex(text: &[u8]) -> Option<Read> {
    let (mut mantissa, mut exponent) = (0_u64, 0_i64);
    let (mut digits, mut behind_point) = (0, false);
    let mut rest = text;
    while let [byte, behind @ ..] = rest {
        if *byte == b'.' && !behind_point {
            behind_point = true;
        } else if let Some(digit) = char::from(*byte).to_digit(16) {
            digits += 1;
            if mantissa >> 60 == 0 {
                mantissa = mantissa << 4 | u64::from(digit);
                exponent -= if behind_point { 4 } else { 0 };
            } else {
                // Why: what does not fit can only break a tie.
                mantissa |= u64::from(digit != 0);
                exponent += if behind_point { 0 } else { 4 };
            }
        } else {
            break;
        }
        rest = behind;
    }
    if digits == 0 {
        return None;
    }
    match rest {
        [] => {}
        [b'p' | b'P', power @ ..] => exponent += power_of_two(power)?,
        _ => return None,
    }
    Some(scaled(mantissa, exponent))
}

fn power_of_two(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |sum: i64, byte: &u8| (sum * 10 + i64::from(byte - b'0')).min(EXPONENT_CUT);
    let power = digits.iter().fold(0, add);
    Some(if negative { -power } else { power })
}

/// `mantissa` times two to the power of `exponent`, rounded to the nearest double, of two the even one.
fn scaled(mantissa: u64, exponent: i64) -> Read {
    if mantissa == 0 {
        return Read { value: 0.0, in_range: true };
    }
    let bits = 64 - i64::from(mantissa.leading_zeros());
    let drop = (bits - MANTISSA_BITS).max(EXPONENT_MIN - exponent).max(0);
    if drop > 64 {
        return Read { value: 0.0, in_range: false };
    }
    let wide = u128::from(mantissa);
    let (mut kept, lost, half) = (wide >> drop, wide & ((1 << drop) - 1), (1 << drop) >> 1);
    if lost > half || lost == half && lost > 0 && kept & 1 == 1 {
        kept += 1;
    }
    let power = exponent + drop;
    if kept == 0 {
        return Read { value: 0.0, in_range: false };
    }
    if power > 1023 {
        return Read { value: f64::INFINITY, in_range: false };
    }
    // Why in two steps: the power alone may be out of range where the product is not.
    let (first, second) = (power / 2, power - power / 2);
    let value = kept as f64 * 2_f64.powi(first as i32) * 2_f64.powi(second as i32);
    Read { value, in_range: value.is_finite() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    #[test]
    fn scores_are_numbers_in_range() {
        for (text, value) in [
            ("0", 0.0),
            ("-1.5", -1.5),
            ("+5", 5.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e3", 1000.0),
            ("inf", f64::INFINITY),
            ("-INF", f64::NEG_INFINITY),
            ("+Infinity", f64::INFINITY),
            ("4e-320", 4e-320),
            ("0e999", 0.0),
            ("0x10", 16.0),
            ("-0X1.8p-1", -0.75),
            ("0x.8", 0.5),
            ("0x1p1023", 2_f64.powi(1023)),
            ("0x1p-1074", 5e-324),
        ] {
            assert_eq!(score(text.as_bytes()), Ok(value), "{text}");
        }
        for text in [
            "",
            " 1",
            "1 ",
            "x",
            "-",
            "+",
            ".",
            "e5",
            "1e",
            "+-5",
            "--5",
            "nan",
            "-nan",
            "1e400",
            "-1e400",
            "1e-400",
            "0x",
            "0x.",
            "0x1p",
            "0x1p+",
            "0x1.8.8",
            "0x1p1024",
            "0x1p-1076",
            "1,5",
            "infi",
        ] {
            assert_eq!(score(text.as_bytes()), Err(CommandError::NotFloat), "{text:?}");
        }
    }

    #[test]
    fn bounds_are_read_more_leniently() {
        for (text, value) in [
            ("", 0.0),
            (" \t1", 1.0),
            ("1\0x", 1.0),
            ("1e400", f64::INFINITY),
            ("-1e400", f64::NEG_INFINITY),
            ("1e-400", 0.0),
        ] {
            assert_eq!(bound(text.as_bytes()), Some(value), "{text:?}");
        }
        for text in ["nan", "1 ", " ", "x"] {
            assert_eq!(bound(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn hexadecimal_ties_go_to_the_even_number() {
        let read = |text: &str| score(text.as_bytes()).expect(text).to_bits();
        assert_eq!(read("0x1.00000000000008p0"), 1_f64.to_bits());
        assert_eq!(read("0x1.00000000000008000000000000001p0"), 1_f64.to_bits() + 1);
        assert_eq!(read("0x1.00000000000018p0"), 1_f64.to_bits() + 2);
        assert_eq!(read("0x1.fffffffffffff8p0"), 2_f64.to_bits());
        assert_eq!(read("0x1.8p-1074"), 2);
    }

    quickcheck! {
        fn every_score_reads_back(bits: u64) -> bool {
            let value = f64::from_bits(bits);
            value.is_nan() || score(format!("{value:e}").as_bytes()) == Ok(value)
        }

        fn hexadecimal_integers_are_rounded_as_others(number: u64) -> bool {
            score(format!("{number:#x}").as_bytes()) == Ok(number as f64)
        }
    }

    #[test]
    fn both_zeros_are_kept_as_one() {
        assert_eq!(kept(-0.0).to_bits(), 0);
        assert_eq!(kept(-1.5).to_bits(), (-1.5_f64).to_bits());
    }
}
