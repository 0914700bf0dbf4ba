//! Ziplists: small collections in one run of bytes, as Redis packed them before 7.0.
//!
//! ```text
//! offset  bytes
//!      0      4  length of the whole in bytes, little-endian
//!      4      4  offset of the last element (without elements: of the end), little-endian
//!      8      2  number of elements, little-endian; 65535: not known
//!     10      …  elements
//!     -1      1  0xff
//! ```
//!
//! An element starts with the length of the one before it (0 for the first): one byte below 0xfe, or 0xfe and four
//! bytes, little-endian, which may also hold a small length. Then a byte, and what that asks for:
//!
//! ```text
//! the byte    element
//! 00nnnnnn    string of n bytes
//! 01nnnnnn    string; the low 8 of the 14 bits of its length follow, then it
//! 0x80        string; 4 bytes of length follow, big-endian, then it
//! 0xc0        integer of 2 bytes, little-endian
//! 0xd0        integer of 4 bytes
//! 0xe0        integer of 8 bytes
//! 0xf0        integer of 3 bytes
//! 0xfe        integer of 1 byte
//! 0xf1 - fd   integer 0 to 12
//! ```

use super::Bytes;
use super::entry::Entry;
use super::input::Input;

/// A number of elements that is not known.
const UNKNOWN: usize = 0xffff;
const END: u8 = 0xff;
const HEADER_BYTES: usize = 10;
/// Fewest bytes of an element.
const ELEMENT_BYTES_MIN: usize = 2;
/// The length before an element is in the next four bytes.
const LONG: u8 = 0xfe;

/// The elements of a ziplist; `None` if it is none.
pub(super) fn entries(pack: &[u8]) -> Option<Vec<Entry<'_>>> {
    let (body, &[END]) = pack.split_last_chunk()? else { return None };
    let mut input = Input::new(body);
    let (bytes, last, count) = (input.u32()?, input.u32()?, input.u16()?);
    if bytes != pack.len() {
        return None;
    }
    let mut entries = Vec::with_capacity(count.min(input.left() / ELEMENT_BYTES_MIN));
    let (mut before, mut start) = (0, HEADER_BYTES);
    while input.left() > 0 {
        start = body.len() - input.left();
        if length_before(&mut input)? != before {
            return None;
        }
        entries.push(element(&mut input)?);
        before = body.len() - input.left() - start;
    }
    (last == start && (count == UNKNOWN || count == entries.len())).then_some(entries)
}

fn length_before(input: &mut Input<'_>) -> Option<usize> {
    match input.byte()? {
        LONG => input.u32(),
        END => None,
        short => Some(usize::from(short)),
    }
}

fn element<'a>(input: &mut Input<'a>) -> Option<Entry<'a>> {
    let first = input.byte()?;
    match first {
        0..0x40 => string(input, usize::from(first)),
        0x40..0x80 => {
            let len = (usize::from(first & 0x3f) << 8) | usize::from(input.byte()?);
            string(input, len)
        }
        0x80 => {
            let len = u32::from_be_bytes(input.array()?) as usize;
            string(input, len)
        }
        0xc0 => input.int(2).map(Entry::Int),
        0xd0 => input.int(4).map(Entry::Int),
        0xe0 => input.int(8).map(Entry::Int),
        0xf0 => input.int(3).map(Entry::Int),
        0xfe => input.int(1).map(Entry::Int),
        0xf1..=0xfd => Some(Entry::Int(i64::from(first - 0xf1))),
        _ => None,
    }
}

fn string<'a>(input: &mut Input<'a>, len: usize) -> Option<Entry<'a>> {
    input.take(len).map(|bytes| Entry::Bytes(Bytes::Borrowed(bytes)))
}
