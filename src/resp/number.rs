//! Numbers as Redis reads and prints them: one spelling each, so that text and number can stand for one another.

/// Longest text that [`parse_i64`] accepts: `-9223372036854775808`.
const I64_TEXT_BYTES_MAX: usize = 20;

/// Reads a decimal integer in its only accepted spelling: no sign but `-`, no leading zero, no blank, no `-0`.
/// What it accepts prints back as the same bytes, so a value stored as an integer is not changed by it.
#[inline]
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let first = digits.first()?;
    if text.len() > I64_TEXT_BYTES_MAX || (*first == b'0' && text.len() > 1) {
        return None;
    }
    let mut magnitude = 0_u64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        magnitude = magnitude.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// Appends `value` as Redis prints a double: the shortest digits that read back as the same number; plain where
/// that is short, with an exponent where it is not; `inf`, `-inf`, `nan`.
pub fn write_f64(out: &mut Vec<u8>, value: f64) {
    // Why: integers up to here are exact and printed in full, larger ones only if their digits say so.
    const INTEGER_MAX: f64 = (i64::MAX / 2) as f64;
    if value.is_nan() {
        out.extend_from_slice(b"nan");
    } else if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"inf" } else { b"-inf" });
    } else if value == 0.0 {
        out.extend_from_slice(if value.is_sign_negative() { b"-0" } else { b"0" });
    } else if value.abs() <= INTEGER_MAX && value.fract() == 0.0 {
        out.extend_from_slice(itoa::Buffer::new().format(value as i64).as_bytes());
    } else {
        write_shortest(out, value);
    }
}

/// Appends a finite, non-zero `value` by its shortest digits.
fn write_shortest(out: &mut Vec<u8>, value: f64) {
    let text = format!("{:e}", value.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits: Vec<u8> = mantissa.bytes().filter(|byte| *byte != b'.').collect();
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // The value is `digits` x 10^`shift`.
    let shift = exponent - (digits.len() as i32 - 1);
    if value < 0.0 {
        out.push(b'-');
    }
    if shift >= 0 && exponent < digits.len() as i32 + 7 {
        out.extend_from_slice(&digits);
        out.resize(out.len() + shift as usize, b'0');
    } else if shift < 0 && (shift > -7 || exponent.abs() < 4) {
        write_plain_fraction(out, &digits, -shift as usize);
    } else {
        write_with_exponent(out, &digits, exponent);
    }
}

/// `digits` with the point before the last `fraction_len` of them.
fn write_plain_fraction(out: &mut Vec<u8>, digits: &[u8], fraction_len: usize) {
    if let Some(whole_len) = digits.len().checked_sub(fraction_len).filter(|len| *len > 0) {
        out.extend_from_slice(&digits[..whole_len]);
        out.push(b'.');
        out.extend_from_slice(&digits[whole_len..]);
    } else {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + fraction_len - digits.len(), b'0');
        out.extend_from_slice(digits);
    }
}

fn write_with_exponent(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    out.push(digits[0]);
    if digits.len() > 1 {
        out.push(b'.');
        out.extend_from_slice(&digits[1..]);
    }
    out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
    out.extend_from_slice(itoa::Buffer::new().format(exponent.unsigned_abs()).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    fn printed(value: f64) -> String {
        let mut out = Vec::new();
        write_f64(&mut out, value);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn integers_have_one_spelling() {
        for (text, value) in [("0", 0), ("7", 7), ("-1", -1), ("9223372036854775807", i64::MAX)] {
            assert_eq!(parse_i64(text.as_bytes()), Some(value), "{text}");
        }
        assert_eq!(parse_i64(b"-9223372036854775808"), Some(i64::MIN));
        for text in ["", "-", "+1", "01", "-0", "-01", " 1", "1 ", "1.0", "0x1", "9223372036854775808"] {
            assert_eq!(parse_i64(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(parse_i64(b"-9223372036854775809"), None);
        assert_eq!(parse_i64(b"111111111111111111111111"), None);
    }

    #[test]
    fn doubles_print_as_redis_prints_them() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (3.0, "3"),
            (-3.1, "-3.1"),
            (0.1, "0.1"),
            (0.001_23, "0.00123"),
            (1e-7, "1e-7"),
            (1.5e-10, "1.5e-10"),
            (1e17, "100000000000000000"),
            (1e20, "1e+20"),
            (1.234_567_890_123e25, "1.234567890123e+25"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(printed(value), text);
        }
    }

    quickcheck! {
        fn every_integer_reads_back(value: i64) -> bool {
            parse_i64(value.to_string().as_bytes()) == Some(value)
        }

        fn what_reads_as_an_integer_prints_as_the_same_text(text: String) -> bool {
            parse_i64(text.as_bytes()).is_none_or(|value| value.to_string() == text)
        }

        fn every_double_reads_back(bits: u64) -> bool {
            let value = f64::from_bits(bits);
            let read: f64 = printed(value).parse().expect("a number");
            read.to_bits() == bits || value.is_nan() && read.is_nan()
        }
    }
}
