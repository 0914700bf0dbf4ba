//! Decimal numbers, added exactly: the arithmetic of INCRBYFLOAT.
//!
//! Redis adds in C's `long double`, which differs between machines and shows its binary rounding (1000 and 0.3
//! make 1000.29999999999999999), and prints up to 17 digits behind the point without an exponent. Here numbers are
//! kept in base ten, so a sum is exact and is rounded once, when it is printed, to the same 17 digits.
//!
//! The range is about that of an x86 `long double`: a number below 10^-4950 or from 10^4932 on is none. That bounds
//! the digits of a sum to some fifteen thousand, whatever is sent.

use std::cmp::Ordering;
use std::fmt;

/// Longest text that is read as a number, as in Redis.
const TEXT_BYTES_MAX: usize = 5 * 1024 - 1;

/// Every number is below ten to this power.
const MAGNITUDE_MAX: i64 = 4932;

/// Every number but zero is at least ten to this power.
const MAGNITUDE_MIN: i64 = -4950;

/// Digits behind the point that are printed.
const FRACTION_DIGITS_MAX: i64 = 17;

/// Why a text or a sum is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// The text spells no number, or one out of range.
    #[error("not a number")]
    NotANumber,
    /// The sum is infinite or out of range.
    #[error("the sum is out of range")]
    OutOfRange,
}

/// A number as text spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Number {
    /// Plus or minus infinity, which can be sent but not stored.
    Infinite,
    /// Any other.
    Finite(Decimal),
}

/// A finite number: a sign, and digits times a power of ten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// Values 0 to 9, lowest place first. Invariant: neither end is 0; zero has no digits and is not negative.
    digits: Vec<u8>,
    /// The power of ten that `digits[0]` counts.
    exponent: i64,
}

impl Number {
    /// Nothing.
    pub const ZERO: Self = Self::Finite(Decimal { negative: false, digits: Vec::new(), exponent: 0 });

    /// Reads `[+-]digits[.digits][e[+-]digits]`, with digits on at least one side of the point, or an infinity.
    ///
    /// # Errors
    /// [`NumberError::NotANumber`].
    pub fn parse(text: &[u8]) -> Result<Self, NumberError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(NumberError::NotANumber);
        }
        let (negative, magnitude) = split_sign(text);
        if magnitude.eq_ignore_ascii_case(b"inf") || magnitude.eq_ignore_ascii_case(b"infinity") {
            return Ok(Self::Infinite);
        }
        let decimal = Decimal::parse_magnitude(magnitude, negative).ok_or(NumberError::NotANumber)?;
        if decimal.is_in_range() { Ok(Self::Finite(decimal)) } else { Err(NumberError::NotANumber) }
    }

    /// The exact sum.
    ///
    /// # Errors
    /// [`NumberError::OutOfRange`].
    pub fn plus(&self, other: &Self) -> Result<Decimal, NumberError> {
        let (Self::Finite(a), Self::Finite(b)) = (self, other) else {
            return Err(NumberError::OutOfRange);
        };
        let sum = a.plus(b);
        if sum.magnitude() <= MAGNITUDE_MAX { Ok(sum) } else { Err(NumberError::OutOfRange) }
    }
}

fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

impl Decimal {
    /// Brings digits (lowest place first) into the one form that the invariant allows.
    fn new(negative: bool, mut digits: Vec<u8>, exponent: i64) -> Self {
        let high_end = digits.iter().rposition(|digit| *digit != 0).map_or(0, |at| at + 1);
        digits.truncate(high_end);
        let low_end = digits.iter().position(|digit| *digit != 0).unwrap_or(0);
        digits.drain(..low_end);
        if digits.is_empty() {
            return Self { negative: false, digits, exponent: 0 };
        }
        Self { negative, digits, exponent: exponent + low_end as i64 }
    }

    /// Reads a number behind its sign.
    fn parse_magnitude(text: &[u8], negative: bool) -> Option<Self> {
        let mantissa_len = text.iter().position(|byte| matches!(byte, b'e' | b'E'));
        let (mantissa, exponent) = match mantissa_len {
            Some(len) => (&text[..len], parse_exponent(&text[len + 1..])?),
            None => (text, 0),
        };
        let point = mantissa.iter().position(|byte| *byte == b'.');
        let fraction_len = point.map_or(0, |at| mantissa.len() - at - 1);
        let mut digits = Vec::with_capacity(mantissa.len());
        for (at, byte) in mantissa.iter().enumerate().rev().filter(|(at, _)| Some(*at) != point) {
            digits.push(byte.is_ascii_digit().then(|| mantissa[at] - b'0')?);
        }
        if digits.is_empty() {
            return None;
        }
        Some(Self::new(negative, digits, exponent - fraction_len as i64))
    }

    /// The number is below ten to this power, and not below the next lower one.
    fn magnitude(&self) -> i64 {
        self.digits.len() as i64 + self.exponent
    }

    fn is_in_range(&self) -> bool {
        self.digits.is_empty() || (MAGNITUDE_MIN + 1..=MAGNITUDE_MAX).contains(&self.magnitude())
    }

    /// The digit that counts ten to the power of `place`.
    fn digit(&self, place: i64) -> u8 {
        usize::try_from(place - self.exponent).ok().and_then(|at| self.digits.get(at)).copied().unwrap_or(0)
    }

    fn plus(&self, other: &Self) -> Self {
        if self.negative == other.negative {
            return self.combined(other, self.negative, |a, b| a + b);
        }
        match self.cmp_magnitude(other) {
            Ordering::Less => other.combined(self, other.negative, |a, b| a - b),
            _ => self.combined(other, self.negative, |a, b| a - b),
        }
    }

    /// Adds or subtracts place by place, carrying; what is subtracted is not the larger.
    fn combined(&self, other: &Self, negative: bool, at_place: impl Fn(i8, i8) -> i8) -> Self {
        let lowest = self.exponent.min(other.exponent);
        let highest = self.magnitude().max(other.magnitude());
        let mut digits = Vec::with_capacity((highest - lowest + 1) as usize);
        let mut carry = 0;
        for place in lowest..=highest {
            let digit = at_place(self.digit(place) as i8, other.digit(place) as i8) + carry;
            digits.push(digit.rem_euclid(10) as u8);
            carry = digit.div_euclid(10);
        }
        Self::new(negative, digits, lowest)
    }

    fn cmp_magnitude(&self, other: &Self) -> Ordering {
        // Why: zero has no highest place, and is below whatever has one.
        let by_zero = other.digits.is_empty().cmp(&self.digits.is_empty());
        let by_highest = by_zero.then_with(|| self.magnitude().cmp(&other.magnitude()));
        let lowest = self.exponent.min(other.exponent);
        let mut places = (lowest..self.magnitude()).rev();
        by_highest.then_with(|| {
            places
                .find_map(|at| Some(self.digit(at).cmp(&other.digit(at))).filter(|o| o.is_ne()))
                .unwrap_or(Ordering::Equal)
        })
    }

    /// The nearest number with no digit below `place`; of two equally near, the one that ends in an even digit.
    fn rounded(&self, place: i64) -> Self {
        let dropped = usize::try_from(place - self.exponent).unwrap_or(0);
        if dropped == 0 || self.digits.is_empty() {
            return self.clone();
        }
        let kept = self.digits.get(dropped..).unwrap_or_default().to_vec();
        let half =
            self.digit(place - 1).cmp(&5).then(if dropped > 1 { Ordering::Greater } else { Ordering::Equal });
        let up = half.is_gt() || (half.is_eq() && self.digit(place) % 2 == 1);
        let below = Self::new(self.negative, kept, place);
        if up {
            below.plus(&Self { negative: self.negative, digits: vec![1], exponent: place })
        } else {
            below
        }
    }
}

/// Reads an exponent. One that no number of the text's length can need is cut to where it is out of range.
fn parse_exponent(text: &[u8]) -> Option<i64> {
    const EXPONENT_MAX: i64 = 1_000_000;
    let (negative, digits) = split_sign(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let magnitude =
        digits.iter().fold(0, |sum: i64, digit| (sum * 10 + i64::from(digit - b'0')).min(EXPONENT_MAX));
    Some(if negative { -magnitude } else { magnitude })
}

/// Plain digits, up to 17 of them behind the point, no zero at their end.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounded = self.rounded(-FRACTION_DIGITS_MAX);
        let mut text = String::with_capacity(rounded.digits.len() + FRACTION_DIGITS_MAX as usize);
        if rounded.negative {
            text.push('-');
        }
        let places = rounded.exponent.min(0)..rounded.magnitude().max(1);
        for place in places.rev() {
            if place == -1 {
                text.push('.');
            }
            text.push(char::from(b'0' + rounded.digit(place)));
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    fn sum(a: &str, b: &str) -> Result<String, NumberError> {
        let sum = Number::parse(a.as_bytes())?.plus(&Number::parse(b.as_bytes())?)?;
        Ok(sum.to_string())
    }

    #[test]
    fn sums_are_exact_and_printed_plainly() {
        for (a, b, expected) in [
            ("0.1", "0.2", "0.3"),
            ("10.50", "0.1", "10.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("1000", "0.3", "1000.3"),
            ("17179869184", "1.5", "17179869185.5"),
            ("9223372036854775807", "1", "9223372036854775808"),
            ("1", "-1.1", "-0.1"),
            ("0.024390243902439025", "-0.024390243902439025", "0"),
            ("-0", "0", "0"),
            ("1.", ".5", "1.5"),
            ("+3.0e3", "0", "3000"),
            ("100", "-0.001", "99.999"),
            ("999", "1", "1000"),
            ("-5", "-7e1", "-75"),
            ("1E-3", "0e999999999999999999999", "0.001"),
            ("00012", "000.50", "12.5"),
        ] {
            assert_eq!(sum(a, b).as_deref(), Ok(expected), "{a} + {b}");
            assert_eq!(sum(b, a).as_deref(), Ok(expected), "{b} + {a}");
        }
    }

    #[test]
    fn what_is_below_the_seventeenth_digit_is_rounded_to_even() {
        for (text, expected) in [
            ("1e-17", "0.00000000000000001"),
            ("1.4e-17", "0.00000000000000001"),
            ("1.5e-17", "0.00000000000000002"),
            ("2.5e-17", "0.00000000000000002"),
            ("2.50000000000000000000001e-17", "0.00000000000000003"),
            ("5e-18", "0"),
            ("-5.1e-18", "-0.00000000000000001"),
            ("-1e-30", "0"),
            ("0.999999999999999999", "1"),
            ("-9.999999999999999996", "-10"),
            ("123456789012.1234567", "123456789012.1234567"),
        ] {
            assert_eq!(sum(text, "0").as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let long = "1".repeat(TEXT_BYTES_MAX + 1);
        for text in [
            "",
            "-",
            "+",
            ".",
            "-.",
            "e5",
            ".e5",
            "1e",
            "1e+",
            "1e1.5",
            " 1",
            "1 ",
            "1\x002",
            "nan",
            "0x10",
            "1.2.3",
            "--1",
            "1,5",
            "1e4932",
            "-1e4932",
            "1e-4951",
            "1e99999999999999999999",
            "infinit",
            &long,
        ] {
            assert_eq!(Number::parse(text.as_bytes()), Err(NumberError::NotANumber), "{text}");
        }
    }

    #[test]
    fn sums_out_of_range_are_refused_and_nothing_is_lost_within() {
        for text in ["inf", "-inf", "+Infinity"] {
            assert_eq!(sum("1", text), Err(NumberError::OutOfRange), "{text}");
        }
        assert_eq!(sum("9e4931", "1e4931"), Err(NumberError::OutOfRange));
        let large = sum("8e4931", "1e4931").expect("in range");
        assert_eq!(large, format!("9{}", "0".repeat(4931)));
        let spread = sum("9e4931", "0.5").expect("in range");
        assert_eq!(spread, format!("9{}.5", "0".repeat(4931)));
        assert_eq!(sum("1e-4950", "0").as_deref(), Ok("0"));
    }

    /// `mantissa` / 10^`scale` as text.
    fn text(mantissa: i64, scale: u32) -> String {
        let unit = 10_i128.pow(scale);
        let sign = if mantissa < 0 { "-" } else { "" };
        let magnitude = i128::from(mantissa).abs();
        format!("{sign}{}.{:0width$}", magnitude / unit, magnitude % unit, width = scale as usize)
    }

    quickcheck! {
        fn sums_agree_with_integer_arithmetic(a: (i64, u32), b: (i64, u32)) -> bool {
            let (a, b) = ((a.0, a.1 % 17 + 1), (b.0, b.1 % 17 + 1));
            let scaled = |(mantissa, scale): (i64, u32)| i128::from(mantissa) * 10_i128.pow(17 - scale);
            let expected = scaled(a) + scaled(b);
            let printed = sum(&text(a.0, a.1), &text(b.0, b.1)).expect("in range");
            let (whole, fraction) = printed.split_once('.').unwrap_or((&printed, ""));
            let digits = format!("{whole}{fraction:0<17}");
            digits.parse::<i128>() == Ok(expected)
        }

        fn printed_numbers_read_back_as_themselves(mantissa: i64, scale: u32) -> bool {
            let printed = sum(&text(mantissa, scale % 17 + 1), "0").expect("in range");
            let canonical = !printed.contains('.') || !printed.ends_with(['0', '.']);
            canonical && sum(&printed, "0") == Ok(printed)
        }

        fn any_text_is_read_or_refused(bytes: Vec<u8>, picks: Vec<u8>) -> bool {
            let alphabet = b"0123456789+-.eE";
            let likely: Vec<u8> = picks.iter().map(|at| alphabet[usize::from(*at) % alphabet.len()]).collect();
            [bytes, likely].iter().all(|text| match Number::parse(text) {
                Ok(Number::Finite(decimal)) => {
                    let printed = decimal.to_string();
                    Number::parse(printed.as_bytes()).is_ok()
                }
                Ok(Number::Infinite) | Err(_) => true,
            })
        }
    }
}
