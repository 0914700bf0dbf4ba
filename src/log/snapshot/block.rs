//! One block in memory: entries, each behind a 32-bit length.
//!
//! A [`Block`] is made by the reader only, after its checksum and every frame in it have been looked at, so
//! walking it cannot fail. It borrows the caller's buffer.

use super::error::Damage;
use super::format::{BlockPlace, FRAME_BYTES};

const FRAME: usize = FRAME_BYTES as usize;

/// A block whose bytes are known to be those that were written.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    bytes: &'a [u8],
    entries: u32,
}

impl<'a> Block<'a> {
    /// Accepts `bytes` as the block that `place` describes.
    pub(super) fn check(bytes: &'a [u8], block: u64, place: &BlockPlace) -> Result<Self, Damage> {
        let expected = crc32fast::hash(bytes);
        if place.crc != expected {
            return Err(Damage::BlockChecksum { block, found: place.crc, expected });
        }
        if count_entries(bytes) != Some(place.entries) {
            return Err(Damage::BlockFrames { block });
        }
        // Invariant: the frames fill `bytes` exactly; `Entries` relies on it.
        Ok(Self { bytes, entries: place.entries })
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries as usize
    }

    /// Whether there is no entry. A writer makes no such block.
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// The entries, in the order in which they were written.
    pub fn entries(&self) -> Entries<'a> {
        Entries { rest: self.bytes, left: self.entries as usize }
    }
}

impl<'a> IntoIterator for Block<'a> {
    type Item = &'a [u8];
    type IntoIter = Entries<'a>;

    fn into_iter(self) -> Entries<'a> {
        self.entries()
    }
}

/// The entries of a [`Block`].
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Iterator for Entries<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (entry, rest) = split_entry(self.rest)?;
        self.rest = rest;
        self.left -= 1;
        Some(entry)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Entries<'_> {}

/// Counts the entries of a block; `None` when they do not fill it exactly.
fn count_entries(mut bytes: &[u8]) -> Option<u32> {
    let mut count = 0_u32;
    while !bytes.is_empty() {
        bytes = split_entry(bytes)?.1;
        count = count.checked_add(1)?;
    }
    Some(count)
}

/// Takes the first entry off; `None` when there is no whole one.
fn split_entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (frame, rest) = bytes.split_first_chunk::<FRAME>()?;
    rest.split_at_checked(u32::from_le_bytes(*frame) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(bytes: &[u8], entries: u32) -> BlockPlace {
        BlockPlace { offset: 64, bytes: bytes.len() as u64, entries, crc: crc32fast::hash(bytes) }
    }

    #[test]
    fn entries_come_back_in_order_with_their_count() {
        let bytes = b"\x01\0\0\0a\0\0\0\0\x02\0\0\0bc";
        let block = Block::check(bytes, 0, &place(bytes, 3)).expect("whole");
        assert_eq!(block.entries().len(), 3);
        assert_eq!(block.into_iter().collect::<Vec<_>>(), [&b"a"[..], b"", b"bc"]);
    }

    #[test]
    fn frames_that_do_not_add_up_are_refused_although_the_checksum_is_right() {
        let cases: [(&[u8], u32); 4] =
            [(b"\x01\0\0\0a", 2), (b"\x02\0\0\0a", 1), (b"\x01\0\0\0a\0\0", 1), (b"\xff\xff\xff\xff", 1)];
        for (bytes, entries) in cases {
            let refused = Block::check(bytes, 7, &place(bytes, entries)).expect_err("wrong frames");
            assert_eq!(refused, Damage::BlockFrames { block: 7 });
        }
    }
}
