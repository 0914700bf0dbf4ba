//! Bytes that are read from front to back. Whatever asks for more than is left gets `None`.

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    /// The next `len` bytes.
    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*taken)
    }

    /// The next byte.
    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    /// A signed little-endian integer of up to eight bytes.
    pub(super) fn int(&mut self, bytes: usize) -> Option<i64> {
        let raw = self.take(bytes)?;
        let sign = if raw.last()? & 0x80 == 0 { 0 } else { 0xff };
        let mut wide = [sign; 8];
        wide.get_mut(..bytes)?.copy_from_slice(raw);
        Some(i64::from_le_bytes(wide))
    }

    /// A little-endian length of two bytes.
    pub(super) fn u16(&mut self) -> Option<usize> {
        self.array().map(|bytes| usize::from(u16::from_le_bytes(bytes)))
    }

    /// A little-endian length of four bytes.
    pub(super) fn u32(&mut self) -> Option<usize> {
        self.array().map(|bytes| u32::from_le_bytes(bytes) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_any_width_keep_their_sign() {
        for (bytes, expected) in [
            (&b"\x7f"[..], 127),
            (b"\x80", -128),
            (b"\x00\x80", -32768),
            (b"\xff\xff\x7f", 8_388_607),
            (b"\x00\x00\x80", -8_388_608),
            (b"\xfe\xff\xff\xff", -2),
            (b"\xff\xff\xff\xff\xff\xff\xff\x7f", i64::MAX),
        ] {
            assert_eq!(Input::new(bytes).int(bytes.len()), Some(expected));
        }
    }

    #[test]
    fn what_is_not_there_is_not_read() {
        let mut input = Input::new(b"abc");
        assert_eq!(input.take(4), None);
        assert_eq!(input.u32(), None);
        assert_eq!(input.int(9), None);
        assert_eq!(input.take(3), Some(&b"abc"[..]));
        assert_eq!(input.byte(), None);
    }
}
