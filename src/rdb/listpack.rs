//! Listpacks: small collections in one run of bytes, as Redis packs them since 7.0.
//!
//! ```text
//! offset  bytes
//!      0      4  length of the whole in bytes, little-endian
//!      4      2  number of elements, little-endian; 65535: not known
//!      6      …  elements
//!     -1      1  0xff
//! ```
//!
//! An element is its first byte, what that asks for, and the length of both again, by which the elements are read
//! backwards: groups of seven bits, the highest first, all but the first with bit 7 set.
//!
//! ```text
//! first byte  element
//! 0nnnnnnn    integer 0 to 127
//! 10nnnnnn    string of n bytes
//! 110nnnnn    integer of 13 bits, signed; the low 8 follow
//! 1110nnnn    string; the low 8 of the 12 bits of its length follow, then it
//! 0xf0        string; 4 bytes of length follow, little-endian, then it
//! 0xf1 - f4   integer of 2, 3, 4, 8 bytes, little-endian
//! ```

use super::Bytes;
use super::entry::Entry;
use super::input::Input;

/// A number of elements that is not known.
const UNKNOWN: usize = 0xffff;
const END: u8 = 0xff;
/// Fewest bytes of an element.
const ELEMENT_BYTES_MIN: usize = 2;

/// The elements of a listpack; `None` if it is none.
pub(super) fn entries(pack: &[u8]) -> Option<Vec<Entry<'_>>> {
    let (body, &[END]) = pack.split_last_chunk()? else { return None };
    let mut input = Input::new(body);
    let (bytes, count) = (input.u32()?, input.u16()?);
    if bytes != pack.len() {
        return None;
    }
    let mut entries = Vec::with_capacity(count.min(input.left() / ELEMENT_BYTES_MIN));
    while input.left() > 0 {
        let before = input.left();
        entries.push(element(&mut input)?);
        let len = before - input.left();
        check_length_behind(&mut input, len)?;
    }
    (count == UNKNOWN || count == entries.len()).then_some(entries)
}

fn element<'a>(input: &mut Input<'a>) -> Option<Entry<'a>> {
    let first = input.byte()?;
    let low = usize::from(first);
    match first {
        0..0x80 => Some(Entry::Int(i64::from(first))),
        0x80..0xc0 => string(input, low & 0x3f),
        0xc0..0xe0 => {
            let bits = (i64::from(first & 0x1f) << 8) | i64::from(input.byte()?);
            Some(Entry::Int(if bits < 1 << 12 { bits } else { bits - (1 << 13) }))
        }
        0xe0..0xf0 => {
            let len = ((low & 0x0f) << 8) | usize::from(input.byte()?);
            string(input, len)
        }
        0xf0 => {
            let len = input.u32()?;
            string(input, len)
        }
        0xf1 => input.int(2).map(Entry::Int),
        0xf2 => input.int(3).map(Entry::Int),
        0xf3 => input.int(4).map(Entry::Int),
        0xf4 => input.int(8).map(Entry::Int),
        _ => None,
    }
}

fn string<'a>(input: &mut Input<'a>, len: usize) -> Option<Entry<'a>> {
    input.take(len).map(|bytes| Entry::Bytes(Bytes::Borrowed(bytes)))
}

/// Reads the length behind an element of `len` bytes; `None` if it is another.
fn check_length_behind(input: &mut Input<'_>, len: usize) -> Option<()> {
    let groups = (usize::BITS - len.leading_zeros()).div_ceil(7);
    for group in (0..groups).rev() {
        let more = if group + 1 == groups { 0 } else { 0x80 };
        let expected = more | (len >> (7 * group)) as u8 & 0x7f;
        (input.byte()? == expected).then_some(())?;
    }
    Some(())
}
