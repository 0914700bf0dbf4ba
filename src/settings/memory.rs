//! Sizes in bytes with Redis's units: `1k` is 1000, `1kb` is 1024, and so on to `g` and `gb`, in either case.

/// The units, longest first, so that a suffix is tried before its own tail.
const UNITS: [(&str, u64); 7] = [
    ("kb", 1 << 10),
    ("mb", 1 << 20),
    ("gb", 1 << 30),
    ("k", 1000),
    ("m", 1_000_000),
    ("g", 1_000_000_000),
    ("b", 1),
];

/// Reads a size such as `64mb`. As in Redis, the empty text is 0.
pub fn parse(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?.to_ascii_lowercase();
    if text.is_empty() {
        return Some(0);
    }
    let (digits, unit) = UNITS
        .iter()
        .find_map(|&(suffix, unit)| text.strip_suffix(suffix).map(|digits| (digits, unit)))
        .unwrap_or((&text, 1));
    // Why: `u64::from_str` takes a leading `+`, which no size has.
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(unit).filter(|&bytes| i64::try_from(bytes).is_ok())
}

/// Writes a size with the largest unit that divides it, for people and for configuration files.
pub fn render(bytes: u64) -> String {
    for (suffix, unit) in [("gb", 1 << 30), ("mb", 1 << 20), ("kb", 1 << 10)] {
        if bytes != 0 && bytes % unit == 0 {
            return format!("{}{suffix}", bytes / unit);
        }
    }
    bytes.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    #[test]
    fn sizes_read_with_redis_units() {
        for (text, expected) in [
            ("", Some(0)),
            ("0", Some(0)),
            ("100", Some(100)),
            ("1b", Some(1)),
            ("1k", Some(1000)),
            ("1kb", Some(1024)),
            ("64MB", Some(64 << 20)),
            ("2g", Some(2_000_000_000)),
            ("2Gb", Some(2 << 30)),
            ("-1", None),
            ("+1", None),
            ("kb", None),
            ("1.5gb", None),
            ("1tb", None),
            ("2KiB", None),
            ("99999999999gb", None),
            ("9223372036854775808", None),
        ] {
            assert_eq!(parse(text.as_bytes()), expected, "{text}");
        }
    }

    quickcheck! {
        fn rendered_sizes_read_back(bytes: u64) -> bool {
            let bytes = bytes >> 1;
            parse(render(bytes).as_bytes()) == Some(bytes)
        }
        fn rendered_multiples_read_back(count: u32, shift: u8) -> bool {
            let bytes = u64::from(count) << (shift % 31);
            parse(render(bytes).as_bytes()) == Some(bytes)
        }
    }
}
