//! A packed block: a row of byte strings, the *entries*, one behind the other.
//!
//! A small collection is one block inside its version; a leaf of a large one's tree is one too. What an entry means is
//! not known here ([`super::form`]).
//!
//! ```text
//! offset  bytes
//!      0      4  entries (31 bits); bit 31: wide
//!     +4  2n, 4n  where each entry ends, counted from the start of the data; 2 bytes each, wide: 4
//!      …         data
//! ```
//!
//! Little-endian. It is wide at least when its data is longer than 65,535 bytes.

use smallvec::SmallVec;

const HEAD_BYTES: usize = 4;
const WIDE: u32 = 1 << 31;
/// Longer entries get no room for others beside them.
const ROOM_BYTES_MAX: usize = 256;
const NARROW_DATA_BYTES_MAX: usize = u16::MAX as usize;

/// A block to be read.
#[derive(Clone, Copy, Debug)]
pub struct Block<'b> {
    ends: &'b [u8],
    data: &'b [u8],
    is_wide: bool,
}

impl<'b> Block<'b> {
    /// A block without entries.
    pub const EMPTY: Self = Self { ends: &[], data: &[], is_wide: false };

    /// Reads what [`write()`] wrote; bytes behind it are not looked at.
    ///
    /// # Panics
    /// May panic on other bytes.
    #[inline]
    pub fn of(bytes: &'b [u8]) -> Self {
        let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>().expect("a block has a head");
        let head = u32::from_le_bytes(*head);
        let is_wide = head & WIDE != 0;
        let (ends, data) = rest.split_at((head & !WIDE) as usize * end_bytes(is_wide));
        Self { ends, data, is_wide }
    }

    /// Reads a block that may be damaged; it fills `bytes`.
    pub fn parse(bytes: &'b [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
        let head = u32::from_le_bytes(*head);
        let is_wide = head & WIDE != 0;
        let (ends, data) =
            rest.split_at_checked(((head & !WIDE) as usize).checked_mul(end_bytes(is_wide))?)?;
        let block = Self { ends, data, is_wide };
        let ordered = (1..block.len()).all(|at| block.end(at - 1) <= block.end(at));
        (ordered && block.data_bytes() == data.len()).then_some(block)
    }

    /// How many entries there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.ends.len() / end_bytes(self.is_wide)
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of all entries.
    #[inline]
    pub fn data_bytes(&self) -> usize {
        self.len().checked_sub(1).map_or(0, |last| self.end(last))
    }

    #[inline]
    fn end(&self, at: usize) -> usize {
        if self.is_wide {
            let bytes = self.ends[at * 4..].first_chunk().expect("an end has 4 bytes");
            u32::from_le_bytes(*bytes) as usize
        } else {
            let bytes = self.ends[at * 2..].first_chunk().expect("an end has 2 bytes");
            usize::from(u16::from_le_bytes(*bytes))
        }
    }

    /// One entry.
    ///
    /// # Panics
    /// When there are not so many.
    #[inline]
    pub fn get(&self, at: usize) -> &'b [u8] {
        let start = if at == 0 { 0 } else { self.end(at - 1) };
        &self.data[start..self.end(at)]
    }

    /// All entries.
    #[inline]
    pub fn iter(self) -> impl DoubleEndedIterator<Item = &'b [u8]> + ExactSizeIterator {
        (0..self.len()).map(move |at| self.get(at))
    }

    /// How many entries there are before the first for which `is_before` is false; it is true of none behind it.
    #[inline]
    pub fn partition(&self, mut is_before: impl FnMut(&'b [u8]) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if is_before(self.get(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

#[inline]
fn end_bytes(is_wide: bool) -> usize {
    if is_wide { 4 } else { 2 }
}

/// Bytes of a block with so many entries of so many bytes together.
#[inline]
pub fn block_bytes(entries: usize, data_bytes: usize) -> usize {
    HEAD_BYTES + entries * end_bytes(data_bytes > NARROW_DATA_BYTES_MAX) + data_bytes
}

/// Writes a block of `entries`, whose bytes together are `data_bytes`, to `out`, which it fills.
///
/// # Panics
/// When `out` is not as long as [`block_bytes`] says.
#[inline]
pub fn write(entries: &[&[u8]], data_bytes: usize, out: &mut [u8]) {
    let is_wide = data_bytes > NARROW_DATA_BYTES_MAX;
    let head = entries.len() as u32 | if is_wide { WIDE } else { 0 };
    let (head_out, rest) = out.split_at_mut(HEAD_BYTES);
    head_out.copy_from_slice(&head.to_le_bytes());
    let (ends, mut data) = rest.split_at_mut(entries.len() * end_bytes(is_wide));
    let mut end = 0;
    for (entry, end_out) in entries.iter().zip(ends.chunks_exact_mut(end_bytes(is_wide))) {
        end += entry.len();
        if is_wide {
            end_out.copy_from_slice(&(end as u32).to_le_bytes());
        } else {
            end_out.copy_from_slice(&(end as u16).to_le_bytes());
        }
        let (here, behind) = data.split_at_mut(entry.len());
        here.copy_from_slice(entry);
        data = behind;
    }
    assert!(data.is_empty(), "the block fills its room");
}

/// Writes `old` with `remove` entries from `at` on replaced by others to `out`, which it fills. As [`write()`] of all of
/// them, but what stays is copied in two runs.
///
/// # Panics
/// When there are not so many, and when `out` is not as long as [`block_bytes`] says.
pub fn write_spliced(old: Block<'_>, at: usize, remove: usize, insert: &[&[u8]], out: &mut [u8]) {
    let start = if at == 0 { 0 } else { old.end(at - 1) };
    let end = if remove == 0 { start } else { old.end(at + remove - 1) };
    let inserted: usize = insert.iter().map(|entry| entry.len()).sum();
    let data_bytes = old.data_bytes();
    if old.is_wide || data_bytes + inserted > NARROW_DATA_BYTES_MAX {
        let behind = (at + remove..old.len()).map(|at| old.get(at));
        let all: Vec<&[u8]> =
            (0..at).map(|at| old.get(at)).chain(insert.iter().copied()).chain(behind).collect();
        return write(&all, data_bytes - (end - start) + inserted, out);
    }
    let count = old.len() - remove + insert.len();
    let (head_out, rest) = out.split_at_mut(HEAD_BYTES);
    head_out.copy_from_slice(&(count as u32).to_le_bytes());
    let (ends, data) = rest.split_at_mut(count * 2);
    ends[..at * 2].copy_from_slice(&old.ends[..at * 2]);
    let (ends, ends_behind) = ends[at * 2..].split_at_mut(insert.len() * 2);
    let mut sum = start;
    for (entry, end_out) in insert.iter().zip(ends.chunks_exact_mut(2)) {
        data[sum..sum + entry.len()].copy_from_slice(entry);
        sum += entry.len();
        end_out.copy_from_slice(&(sum as u16).to_le_bytes());
    }
    let shift = (sum as u16).wrapping_sub(end as u16);
    for (end, end_out) in old.ends[(at + remove) * 2..].chunks_exact(2).zip(ends_behind.chunks_exact_mut(2)) {
        let end = u16::from_le_bytes([end[0], end[1]]).wrapping_add(shift);
        end_out.copy_from_slice(&end.to_le_bytes());
    }
    data[..start].copy_from_slice(&old.data[..start]);
    data[sum..].copy_from_slice(&old.data[end..data_bytes]);
}

/// A wide block of the entries of all `blocks`, which are `entries`, of at most `data_bytes_max` together. Looks at each
/// block once.
pub(super) fn join<'b>(
    blocks: impl Iterator<Item = Block<'b>>,
    entries: usize,
    data_bytes_max: usize,
) -> Vec<u8> {
    let data_start = HEAD_BYTES + entries * end_bytes(true);
    let mut out = Vec::with_capacity(data_start + data_bytes_max);
    out.extend_from_slice(&(entries as u32 | WIDE).to_le_bytes());
    out.resize(data_start, 0);
    let mut at = HEAD_BYTES;
    for block in blocks {
        let before = out.len() - data_start;
        out.extend_from_slice(&block.data[..block.data_bytes()]);
        for entry in 0..block.len() {
            let end = (before + block.end(entry)) as u32;
            out[at..at + end_bytes(true)].copy_from_slice(&end.to_le_bytes());
            at += end_bytes(true);
        }
    }
    assert_eq!(at, data_start, "the blocks have so many entries");
    out
}

/// A block that can be changed, in a form that makes it easy.
#[derive(Clone, Debug, Default)]
pub struct BlockBuf {
    ends: Vec<u32>,
    data: Vec<u8>,
}

impl From<Block<'_>> for BlockBuf {
    fn from(block: Block<'_>) -> Self {
        let ends = (0..block.len()).map(|at| block.end(at) as u32).collect();
        Self { ends, data: block.data[..block.data_bytes()].to_vec() }
    }
}

impl BlockBuf {
    /// A block of one entry, with room for a few like it.
    pub fn of(entry: &[u8]) -> Self {
        const ROOM: usize = 4;
        let mut block = Self {
            ends: Vec::with_capacity(ROOM),
            data: Vec::with_capacity(ROOM * entry.len().min(ROOM_BYTES_MAX)),
        };
        block.push(entry);
        block
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of all entries.
    pub fn data_bytes(&self) -> usize {
        self.data.len()
    }

    fn start(&self, at: usize) -> usize {
        if at == 0 { 0 } else { self.ends[at - 1] as usize }
    }

    /// One entry.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn get(&self, at: usize) -> &[u8] {
        &self.data[self.start(at)..self.ends[at] as usize]
    }

    /// All entries.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &[u8]> + ExactSizeIterator {
        (0..self.len()).map(|at| self.get(at))
    }

    /// As [`Block::partition`].
    pub fn partition(&self, is_before: impl Fn(&[u8]) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if is_before(self.get(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Replaces `remove` entries from `at` on by others.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn splice(&mut self, at: usize, remove: usize, insert: &[&[u8]]) {
        let (start, end) = (self.start(at), self.start(at + remove));
        let inserted: usize = insert.iter().map(|entry| entry.len()).sum();
        let len = self.data.len();
        let after = len - (end - start) + inserted;
        self.data.resize(len.max(after), 0);
        self.data.copy_within(end..len, start + inserted);
        self.data.truncate(after);
        let mut room = &mut self.data[start..start + inserted];
        for entry in insert {
            let (here, behind) = room.split_at_mut(entry.len());
            here.copy_from_slice(entry);
            room = behind;
        }
        for behind in &mut self.ends[at + remove..] {
            *behind = (*behind as usize - (end - start) + inserted) as u32;
        }
        let mut sum = start;
        let ends = insert.iter().map(|entry| {
            sum += entry.len();
            sum as u32
        });
        self.ends.splice(at..at + remove, ends);
    }

    /// Appends an entry.
    pub fn push(&mut self, entry: &[u8]) {
        self.data.extend_from_slice(entry);
        self.ends.push(self.data.len() as u32);
    }

    /// Removes all entries; keeps the room.
    pub fn clear(&mut self) {
        self.ends.clear();
        self.data.clear();
    }

    /// How long [`BlockBuf::to_bytes`] is.
    pub fn block_bytes(&self) -> usize {
        block_bytes(self.len(), self.data.len())
    }

    /// Appends the block's bytes.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        let is_wide = self.data.len() > NARROW_DATA_BYTES_MAX;
        let head = self.len() as u32 | if is_wide { WIDE } else { 0 };
        out.extend_from_slice(&head.to_le_bytes());
        if is_wide {
            out.extend(self.ends.iter().flat_map(|end| end.to_le_bytes()));
        } else {
            out.extend(self.ends.iter().flat_map(|&end| (end as u16).to_le_bytes()));
        }
        out.extend_from_slice(&self.data);
    }

    /// The block's bytes, as [`Block::of`] reads them.
    pub fn to_bytes(&self) -> SmallVec<[u8; 256]> {
        let entries: SmallVec<[&[u8]; 64]> = self.iter().collect();
        let mut out = SmallVec::from_elem(0, block_bytes(self.len(), self.data.len()));
        write(&entries, self.data.len(), &mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    fn entries(block: Block<'_>) -> Vec<Vec<u8>> {
        block.iter().map(<[u8]>::to_vec).collect()
    }

    quickcheck! {
        fn what_goes_in_comes_out(given: Vec<Vec<u8>>) -> bool {
            let mut buf = BlockBuf::default();
            for entry in &given {
                buf.push(entry);
            }
            let bytes = buf.to_bytes();
            let block = Block::of(&bytes);
            block.data_bytes() == given.concat().len()
                && entries(block) == given
                && entries(Block::of(&BlockBuf::from(block).to_bytes())) == given
                && Block::parse(&bytes).is_some_and(|parsed| entries(parsed) == given)
        }

        fn damaged_blocks_never_panic(bytes: Vec<u8>) -> bool {
            Block::parse(&bytes).is_none_or(|block| block.iter().map(<[u8]>::len).sum::<usize>() < bytes.len())
        }

        fn a_block_is_written_with_entries_replaced(
            given: Vec<Vec<u8>>,
            at: usize,
            remove: usize,
            insert: Vec<Vec<u8>>,
            stretch: u8
        ) -> bool {
            let mut given = given;
            let long = if stretch % 8 == 0 { 9000 } else { 1 };
            for entry in &mut given {
                *entry = entry.repeat(long);
            }
            let at = at % (given.len() + 1);
            let remove = remove % (given.len() - at + 1);
            let mut buf = BlockBuf::default();
            for entry in &given {
                buf.push(entry);
            }
            let bytes = buf.to_bytes();
            let borrowed: Vec<&[u8]> = insert.iter().map(Vec::as_slice).collect();
            buf.splice(at, remove, &borrowed);
            let mut out = vec![7; block_bytes(buf.len(), buf.data_bytes())];
            write_spliced(Block::of(&bytes), at, remove, &borrowed, &mut out);
            out == buf.to_bytes().to_vec()
        }

        fn splicing_is_like_that_of_a_vector(given: Vec<Vec<u8>>, steps: Vec<(usize, usize, Vec<Vec<u8>>)>) -> bool {
            let mut buf = BlockBuf::default();
            let mut naive = given;
            for entry in &naive {
                buf.push(entry);
            }
            steps.into_iter().all(|(at, remove, insert)| {
                let at = at % (naive.len() + 1);
                let remove = remove % (naive.len() - at + 1);
                let borrowed: Vec<&[u8]> = insert.iter().map(Vec::as_slice).collect();
                buf.splice(at, remove, &borrowed);
                naive.splice(at..at + remove, insert.iter().cloned());
                buf.iter().eq(naive.iter().map(Vec::as_slice))
            })
        }
    }

    #[test]
    fn a_wide_block_holds_long_entries() {
        let long = vec![7; 70_000];
        let mut buf = BlockBuf::default();
        for entry in [&b"a"[..], &long, b"", b"z"] {
            buf.push(entry);
        }
        let bytes = buf.to_bytes();
        assert_eq!(bytes.len(), block_bytes(4, 70_002));
        assert_eq!(entries(Block::of(&bytes)), [b"a".to_vec(), long, vec![], b"z".to_vec()]);
    }
}
