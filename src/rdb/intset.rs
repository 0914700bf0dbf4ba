//! Intsets: sets of integers.
//!
//! ```text
//! offset  bytes
//!      0      4  bytes of an integer: 2, 4 or 8, little-endian
//!      4      4  number of integers, little-endian
//!      8      …  the integers, little-endian, signed, ascending
//! ```

use super::input::Input;

/// The integers of an intset; `None` if it is none, or they do not ascend.
pub(super) fn integers(pack: &[u8]) -> Option<Vec<i64>> {
    let mut input = Input::new(pack);
    let (width @ (2 | 4 | 8), count) = (input.u32()?, input.u32()?) else { return None };
    if count.checked_mul(width)? != input.left() {
        return None;
    }
    let integers: Vec<i64> = (0..count).map(|_| input.int(width)).collect::<Option<_>>()?;
    integers.is_sorted_by(|a, b| a < b).then_some(integers)
}
