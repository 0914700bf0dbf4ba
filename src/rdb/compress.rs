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
                at += 1 + (at - literal) / PATIENCE_BYTES;
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
