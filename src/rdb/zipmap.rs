//! Zipmaps: small hashes in one run of bytes, as Redis packed them before 2.6.
//!
//! ```text
//! offset  bytes
//!      0      1  number of fields; 254 and above: not known
//!      1      …  fields: length, name, length of the value, number of unused bytes (1 byte), value, unused bytes
//!     -1      1  0xff
//! ```
//!
//! A length is one byte below 0xfe, or 0xfe and four bytes, little-endian.

use super::input::Input;

const END: u8 = 0xff;
/// The length is in the next four bytes; a number of fields from here on is not known.
const LONG: u8 = 0xfe;

/// Names and values of a zipmap; `None` if it is none.
pub(super) fn pairs(pack: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let (body, &[END]) = pack.split_last_chunk()? else { return None };
    let mut input = Input::new(body);
    let count = input.byte()?;
    let mut pairs = Vec::new();
    while input.left() > 0 {
        let field_len = length(&mut input)?;
        let field = input.take(field_len)?;
        let value_len = length(&mut input)?;
        let unused = input.byte()?;
        pairs.push((field, input.take(value_len)?));
        input.take(usize::from(unused))?;
    }
    (count >= LONG || usize::from(count) == pairs.len()).then_some(pairs)
}

fn length(input: &mut Input<'_>) -> Option<usize> {
    match input.byte()? {
        LONG => input.u32(),
        END => None,
        short => Some(usize::from(short)),
    }
}
