//! LZF: how strings in a payload are compressed. This is the way back; [`compress`](super::compress) is the way there.
//!
//! Marc Lehmann's format, a sequence of literals and of references to what is already there:
//!
//! ```text
//! first byte  then
//! 000nnnnn    n + 1 bytes as they are
//! lllooooo    1 byte: with o the 13 bits of an offset; l + 2 bytes from offset + 1 bytes back; l is 1 to 6
//! 111ooooo    2 bytes: more length, then the rest of the offset; 9 + more bytes from there
//! ```
//!
//! A reference may reach into what it makes itself, and so repeat it.

use super::input::Input;

/// Longest literal.
pub(super) const LITERAL_BYTES_MAX: usize = 32;
/// Farthest that a reference goes back.
pub(super) const DISTANCE_MAX: usize = 1 << 13;
/// Shortest and longest that a reference gives.
pub(super) const REFERENCE_BYTES_MIN: usize = 3;
pub(super) const REFERENCE_BYTES_MAX: usize = 264;

/// The most that `len` compressed bytes can become: three of them give the longest reference.
pub(super) fn unpacked_bytes_max(len: usize) -> usize {
    len.saturating_mul(REFERENCE_BYTES_MAX / 3)
}

/// Decompresses `packed`, which must become `len` bytes; `None` if it does not.
///
/// Allocates `len` bytes, which the caller has compared with [`unpacked_bytes_max`].
pub(super) fn decompress(packed: &[u8], len: usize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(len);
    let mut input = Input::new(packed);
    while input.left() > 0 {
        let first = usize::from(input.byte()?);
        if first < LITERAL_BYTES_MAX {
            let literal = input.take(first + 1)?;
            fits(&out, literal.len(), len)?;
            out.extend_from_slice(literal);
        } else {
            let more = if first >> 5 == 7 { usize::from(input.byte()?) } else { 0 };
            let count = (first >> 5) + 2 + more;
            let distance = ((first & 0x1f) << 8) + usize::from(input.byte()?) + 1;
            fits(&out, count, len)?;
            repeat(&mut out, distance, count)?;
        }
    }
    (out.len() == len).then_some(out)
}

fn fits(out: &[u8], more: usize, len: usize) -> Option<()> {
    (more <= len - out.len()).then_some(())
}

/// Appends `count` bytes from `distance` bytes back on; `None` if that is before the start.
fn repeat(out: &mut Vec<u8>, distance: usize, count: usize) -> Option<()> {
    let from = out.len().checked_sub(distance)?;
    let end = out.len() + count;
    // Why: what is there behind `from` repeats itself, so with each round there is twice as much to take.
    while out.len() < end {
        let here = (out.len() - from).min(end - out.len());
        out.extend_from_within(from..from + here);
    }
    Some(())
}
