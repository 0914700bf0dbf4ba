//! Sizes as people read them.

/// A size in the largest unit that it fills, as Redis prints it: `894.74K`, `0B`.
pub(super) fn bytes(size: u64) -> String {
    const UNITS: [&str; 5] = ["K", "M", "G", "T", "P"];
    if size < 1024 {
        return format!("{size}B");
    }
    let unit = (size.ilog2() / 10).min(UNITS.len() as u32);
    let amount = size as f64 / 2_f64.powi(10 * unit as i32);
    format!("{amount:.2}{}", UNITS[unit as usize - 1])
}

/// `part` of `whole` in percent, 0 of nothing.
pub(super) fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// How many times `part` is in `whole`, 0 times nothing.
pub(super) fn ratio(whole: u64, part: u64) -> f64 {
    percent(whole, part) / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_in_the_largest_unit_they_fill() {
        for (size, shown) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1.00K"),
            (916_216, "894.74K"),
            (25_276_514_304, "23.54G"),
            (1 << 20, "1.00M"),
            (3 << 40, "3.00T"),
            (u64::MAX, "16384.00P"),
        ] {
            assert_eq!(bytes(size), shown);
        }
    }

    #[test]
    fn nothing_divides_by_nothing() {
        assert!(percent(5, 0) == 0.0 && ratio(5, 0) == 0.0);
        assert!((percent(1, 4) - 25.0).abs() < 1e-9 && (ratio(6, 4) - 1.5).abs() < 1e-9);
    }
}
