//! The longest common subsequence of two strings of bytes: the algorithm of LCS, without the command.
//!
//! The classic table: cell (i, j) is the length for the first `i` bytes of one and the first `j` of the other. Where
//! several subsequences are longest, the way back through the table decides, and it takes the same turns as Redis
//! does, so that both answer the same bytes and ranges. Callers bound the size of the table before they ask for it.

use std::collections::TryReserveError;

/// Bytes that a table for strings of these lengths takes. Saturates.
pub fn table_bytes(a_len: usize, b_len: usize) -> u64 {
    let cells = (a_len as u64 + 1).saturating_mul(b_len as u64 + 1);
    cells.saturating_mul(size_of::<u32>() as u64)
}

/// The length alone, which needs two rows of the table only.
///
/// # Errors
/// Where there is no memory.
pub fn length(a: &[u8], b: &[u8]) -> Result<u32, TryReserveError> {
    let width = b.len() + 1;
    let (mut above, mut row) = (zeros(width)?, zeros(width)?);
    for byte in a {
        fill_row(*byte, b, &above, &mut row);
        std::mem::swap(&mut above, &mut row);
    }
    Ok(above[b.len()])
}

/// Part of both strings that is the same, and that no byte of the subsequence lies next to on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// Where it starts in the first string.
    pub a_start: usize,
    /// Where it starts in the second string.
    pub b_start: usize,
    /// Bytes.
    pub len: usize,
}

/// The whole table of two strings, which the subsequence itself can be read from.
pub struct Table<'s> {
    a: &'s [u8],
    b: &'s [u8],
    cells: Vec<u32>,
}

impl<'s> Table<'s> {
    /// Fills the table: time and memory in proportion to the product of the lengths, each below 2^32.
    ///
    /// # Errors
    /// Where there is no memory.
    pub fn new(a: &'s [u8], b: &'s [u8]) -> Result<Self, TryReserveError> {
        let width = b.len() + 1;
        let mut cells = zeros((a.len() + 1) * width)?;
        for (i, byte) in a.iter().enumerate() {
            let (above, row) = cells[i * width..(i + 2) * width].split_at_mut(width);
            fill_row(*byte, b, above, row);
        }
        Ok(Self { a, b, cells })
    }

    fn cell(&self, i: usize, j: usize) -> u32 {
        self.cells[i * (self.b.len() + 1) + j]
    }

    /// Length of the subsequence.
    pub fn length(&self) -> u32 {
        self.cell(self.a.len(), self.b.len())
    }

    /// The parts that the subsequence consists of, the last one first.
    pub fn matches(&self) -> impl Iterator<Item = Match> {
        let (mut i, mut j) = (self.a.len(), self.b.len());
        std::iter::from_fn(move || {
            let mut len = 0;
            while i > 0 && j > 0 {
                if self.a[i - 1] == self.b[j - 1] {
                    (i, j, len) = (i - 1, j - 1, len + 1);
                } else if len > 0 {
                    break;
                } else if self.cell(i - 1, j) > self.cell(i, j - 1) {
                    i -= 1;
                } else {
                    j -= 1;
                }
            }
            (len > 0).then_some(Match { a_start: i, b_start: j, len })
        })
    }

    /// The subsequence.
    pub fn text(&self) -> Vec<u8> {
        let mut text = vec![0; self.length() as usize];
        let mut end = text.len();
        for found in self.matches() {
            let part = &self.a[found.a_start..found.a_start + found.len];
            text[end - found.len..end].copy_from_slice(part);
            end -= found.len;
        }
        text
    }
}

fn zeros(len: usize) -> Result<Vec<u32>, TryReserveError> {
    let mut cells = Vec::new();
    cells.try_reserve_exact(len)?;
    cells.resize(len, 0);
    Ok(cells)
}

/// The row of the table below `above`, for one byte more of the first string. The first cell of both is 0.
fn fill_row(byte: u8, b: &[u8], above: &[u32], row: &mut [u32]) {
    let mut left = 0;
    for ((other, corner), (up, cell)) in b.iter().zip(above).zip(above[1..].iter().zip(&mut row[1..])) {
        left = if byte == *other { corner + 1 } else { left.max(*up) };
        *cell = left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::{Arbitrary, Gen, quickcheck};

    /// A short string of few different bytes, so that much is common.
    #[derive(Clone, Debug)]
    struct Few(Vec<u8>);

    impl Arbitrary for Few {
        fn arbitrary(g: &mut Gen) -> Self {
            let len = usize::arbitrary(g) % 9;
            Self((0..len).map(|_| *g.choose(b"abc").unwrap_or(&b'a')).collect())
        }
    }

    /// The definition: the longest of all subsequences of `a` that are subsequences of `b`.
    fn naive_length(a: &[u8], b: &[u8]) -> usize {
        let chosen = |mask: u32| -> Vec<u8> {
            a.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1).map(|(_, byte)| *byte).collect()
        };
        let subsequences = (0..1_u32 << a.len()).map(chosen);
        subsequences.filter(|s| is_subsequence(s, b)).map(|s| s.len()).max().unwrap_or(0)
    }

    fn is_subsequence(short: &[u8], long: &[u8]) -> bool {
        let mut rest = long.iter();
        short.iter().all(|byte| rest.any(|other| other == byte))
    }

    fn table<'s>(a: &'s [u8], b: &'s [u8]) -> Table<'s> {
        Table::new(a, b).expect("memory")
    }

    #[test]
    fn matches_are_listed_from_the_end_with_the_turns_that_redis_takes() {
        let table = table(b"ohmytext", b"mynewtext");
        assert_eq!(table.text(), b"mytext");
        assert_eq!(
            table.matches().collect::<Vec<_>>(),
            [Match { a_start: 4, b_start: 5, len: 4 }, Match { a_start: 2, b_start: 0, len: 2 }]
        );
    }

    #[test]
    fn the_table_of_two_long_strings_is_priced_without_overflow() {
        assert_eq!(table_bytes(0, 0), 4);
        assert_eq!(table_bytes(10, 20), 4 * 11 * 21);
        assert_eq!(table_bytes(usize::MAX / 2, usize::MAX / 2), u64::MAX);
    }

    quickcheck! {
        fn the_length_is_the_longest_there_is(a: Few, b: Few) -> bool {
            let expected = naive_length(&a.0, &b.0);
            table(&a.0, &b.0).length() as usize == expected && length(&a.0, &b.0) == Ok(expected as u32)
        }

        fn the_text_is_a_subsequence_of_both(a: Few, b: Few) -> bool {
            let table = table(&a.0, &b.0);
            let text = table.text();
            text.len() == table.length() as usize && is_subsequence(&text, &a.0) && is_subsequence(&text, &b.0)
        }

        fn matches_are_equal_parts_in_descending_order_that_make_up_the_length(a: Few, b: Few) -> bool {
            let table = table(&a.0, &b.0);
            let (mut a_end, mut b_end, mut total) = (a.0.len(), b.0.len(), 0);
            for Match { a_start, b_start, len } in table.matches() {
                let equal = a.0[a_start..a_start + len] == b.0[b_start..b_start + len];
                if !equal || a_start + len > a_end || b_start + len > b_end {
                    return false;
                }
                (a_end, b_end, total) = (a_start, b_start, total + len);
            }
            total == table.length() as usize
        }
    }
}
