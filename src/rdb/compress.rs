//! LZF: how strings in a payload are compressed, see [`lzf`](super::lzf) for the format.
//!
//! Greedy: for every three bytes, the place where bytes with the same hash were last seen is tried. Nothing is promised
//! about the ratio; the result is the same for the same strings in the same order.

use super::lzf::{DISTANCE_MAX, LITERAL_BYTES_MAX, REFERENCE_BYTES_MAX, REFERENCE_BYTES_MIN};

const PLACES: usize = 1 << 12;
/// How many bytes must be saved: as many as it takes to say that a string is compressed.
const SAVED_BYTES_MIN: usize = 4;
/// After so many bytes without a reference, one byte more is passed over each time.
const PATIENCE_BYTES: usize = 128;
/// Most bytes that are passed over, so that what repeats behind a long stretch that does not is found.
const STRIDE_BYTES_MAX: usize = 16;

/// Compresses one string after the other.
pub(super) struct Compressor {
    /// Where three bytes with this hash were last seen. What is left of earlier strings does no harm: places are only
    /// tried, and wrong ones do not match.
    places: Box<[u32; PLACES]>,
}

impl Compressor {
    /// Shorter strings are not worth the try.
    pub(super) const STRING_BYTES_MIN: usize = 21;

    pub(super) fn new() -> Self {
        Self { places: Box::new([0; PLACES]) }
    }

    /// The string compressed, if that makes it shorter.
    pub(super) fn compress(&mut self, string: &[u8]) -> Option<Vec<u8>> {
        let len_max = string.len().checked_sub(SAVED_BYTES_MIN)?;
        let mut out = Vec::new();
        let (mut at, mut literal) = (0, 0);
        while let Some(&next) = string.get(at..).and_then(<[u8]>::first_chunk::<REFERENCE_BYTES_MIN>) {
            let Some(distance) = self.seen(string, at, next) else {
                at += (1 + (at - literal) / PATIENCE_BYTES).min(STRIDE_BYTES_MAX);
                continue;
            };
            let len = matching(&string[at - distance..], &string[at..]);
            push_literals(&mut out, &string[literal..at]);
            push_reference(&mut out, distance, len);
            at += len;
            literal = at;
            if out.len() > len_max {
                return None;
            }
        }
        // Why: without this, incompressible strings were copied, only to be thrown away.
        if out.len() + (string.len() - literal) > len_max {
            return None;
        }
        push_literals(&mut out, &string[literal..]);
        (out.len() <= len_max).then_some(out)
    }

    /// How far before `at` the same three bytes are, if that is known; remembers that they are here.
    fn seen(&mut self, string: &[u8], at: usize, next: [u8; REFERENCE_BYTES_MIN]) -> Option<usize> {
        let [a, b, c] = next.map(u32::from);
        let hash = (a | b << 8 | c << 16).wrapping_mul(0x9e37_79b1) >> (32 - PLACES.ilog2());
        // Why: modulo 2^32, which is right for all distances that can be told, however long the string.
        let place = std::mem::replace(&mut self.places[hash as usize], at as u32);
        let distance = (at as u32).wrapping_sub(place) as usize;
        let from = at.checked_sub(distance).filter(|_| (1..=DISTANCE_MAX).contains(&distance))?;
        string[from..].starts_with(&next).then_some(distance)
    }
}

/// How many bytes two strings have in common at their starts, up to the most that a reference can tell.
fn matching(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take(REFERENCE_BYTES_MAX).take_while(|(a, b)| a == b).count()
}

fn push_literals(out: &mut Vec<u8>, bytes: &[u8]) {
    for literal in bytes.chunks(LITERAL_BYTES_MAX) {
        out.push((literal.len() - 1) as u8);
        out.extend_from_slice(literal);
    }
}

fn push_reference(out: &mut Vec<u8>, distance: usize, len: usize) {
    let [high, low] = ((distance - 1) as u16).to_be_bytes();
    match len - 2 {
        short @ 0..7 => out.extend_from_slice(&[(short as u8) << 5 | high, low]),
        long => out.extend_from_slice(&[7 << 5 | high, (long - 7) as u8, low]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rdb::lzf::{decompress, unpacked_bytes_max};
    use quickcheck::quickcheck;

    /// Compresses all strings with one compressor, and back; tells which became shorter.
    fn shortened(strings: &[Vec<u8>]) -> Vec<bool> {
        let mut compressor = Compressor::new();
        let mut survives = |string: &Vec<u8>| {
            let packed = compressor.compress(string);
            if let Some(packed) = &packed {
                assert!(packed.len() + SAVED_BYTES_MIN <= string.len());
                assert!(string.len() <= unpacked_bytes_max(packed.len()));
                assert_eq!(decompress(packed, string.len()).as_ref(), Some(string));
                assert_eq!(decompress(packed, string.len() - 1), None);
                assert_eq!(decompress(packed, string.len() + 1), None);
            }
            packed.is_some()
        };
        strings.iter().map(&mut survives).collect()
    }

    quickcheck! {
        fn strings_survive(strings: Vec<(Vec<u8>, u8)>) -> bool {
            let strings: Vec<_> = strings.iter().map(|(s, times)| s.repeat(usize::from(*times))).collect();
            shortened(&strings).len() == strings.len()
        }

        fn strings_of_two_letters_survive(letters: Vec<bool>, times: u8) -> bool {
            let string: Vec<u8> = letters.iter().map(|b| if *b { b'a' } else { b'b' }).collect();
            shortened(&[string.repeat(usize::from(times)), string]).len() == 2
        }
    }

    #[test]
    fn what_repeats_becomes_shorter_and_what_does_not_stays() {
        let repeating = b"so on and so forth, ".repeat(1000);
        let different: Vec<u8> =
            (0_u32..3000).flat_map(|n| n.wrapping_mul(0x9e37_79b1).to_be_bytes()).collect();
        let far: Vec<u8> = [&different[..DISTANCE_MAX], &different[..DISTANCE_MAX]].concat();
        let too_far: Vec<u8> = [&different[..=DISTANCE_MAX], &different[..DISTANCE_MAX]].concat();
        let short = b"ab".repeat(10);
        let strings = [repeating, different, far, too_far, vec![0; 100_000], short, Vec::new()];
        assert_eq!(shortened(&strings)[..5], [true, false, true, false, true]);
    }

    #[test]
    fn what_repeats_is_found_behind_what_does_not() {
        let different = (0_u32..100_000).flat_map(|n| n.wrapping_mul(0x9e37_79b1).to_be_bytes());
        let string: Vec<u8> = different.chain(b"so on and so forth, ".repeat(1000)).collect();
        let packed = Compressor::new().compress(&string).expect("shorter");
        assert!(packed.len() < string.len() - 4000, "{} of {} bytes", packed.len(), string.len());
    }

    #[test]
    fn the_longest_literals_and_references_are_told_in_full() {
        let mut compressor = Compressor::new();
        let literal: Vec<u8> = (0..=63).collect();
        let string = [&literal[..], &[7; 1 + REFERENCE_BYTES_MAX]].concat();
        let packed = compressor.compress(&string).expect("shorter");
        assert_eq!(packed[0], 31);
        assert_eq!(packed[33], 31);
        assert_eq!(packed[66..], [0, 7, 0xe0, 255, 0]);
    }
}
