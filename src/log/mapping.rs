//! A piece of memory that holds log bytes: a mapped segment file, or anonymous memory.
//!
//! Here addresses are computed, and, inside a record whose bounds were checked here, in `space.rs`; the rest of the log
//! does no pointer arithmetic.
//!
//! Many threads touch one mapping at once. What keeps them apart is the log's protocol: words that several threads
//! touch (heads, states) are atomics; every other byte belongs to the one reservation that covers it.

use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::Arc;

use crossbeam_queue::ArrayQueue;
use memmap2::{Advice, MmapMut, MmapOptions, MmapRaw, UncheckedAdvice};

use crate::sync::{AtomicU32, AtomicU64, Ordering};

const PAGE: usize = 4096;

/// Where memory of a log without files goes when it is not needed any more, to be used again.
pub(super) type Recycler = Arc<ArrayQueue<MmapRaw>>;

/// Mapped memory, with the place in it where the log's bytes start.
#[derive(Debug)]
pub(super) struct Mapping {
    raw: ManuallyDrop<MmapRaw>,
    /// Offset of the data: behind the header page of a file.
    data: usize,
    recycler: Option<Recycler>,
}

impl Mapping {
    /// Maps `bytes` bytes of `file`, whose data starts at `data`.
    pub(super) fn of_file(file: &File, bytes: u64, data: u64) -> io::Result<Self> {
        let raw = MmapOptions::new().len(bytes as usize).map_raw(file)?;
        Ok(Self { raw: ManuallyDrop::new(raw), data: data as usize, recycler: None })
    }

    /// Zeroed memory that goes to `recycler` in the end, and comes from there if there is some.
    pub(super) fn anonymous(bytes: u64, recycler: &Recycler) -> io::Result<Self> {
        let raw = match recycler.pop() {
            Some(used) if used.len() == bytes as usize => zeroed(used),
            _ => MmapMut::map_anon(bytes as usize)?.into(),
        };
        Ok(Self { raw: ManuallyDrop::new(raw), data: 0, recycler: Some(Arc::clone(recycler)) })
    }

    /// The whole mapping, for the system calls that work on ranges of it.
    pub(super) fn raw(&self) -> &MmapRaw {
        &self.raw
    }

    /// The address of `len` data bytes at `offset`.
    #[inline]
    fn address(&self, offset: u64, len: usize) -> *mut u8 {
        let start = self.data + offset as usize;
        assert!(start.checked_add(len).is_some_and(|end| end <= self.raw.len()), "outside the mapping");
        // SAFETY: `start + len` is within the mapping, as checked above, so the sum stays inside one allocation.
        unsafe { self.raw.as_mut_ptr().add(start) }
    }

    /// The shared 64-bit word at data offset `offset`, a multiple of 8.
    #[inline]
    #[expect(clippy::cast_ptr_alignment, reason = "checked by the assertion")]
    pub(super) fn word64(&self, offset: u64) -> &AtomicU64 {
        assert!(offset % 8 == 0, "unaligned word");
        // SAFETY: in bounds (`address`); aligned, as mapping and data start at a page and `offset` is a multiple
        // of 8; the type is transparent over a u64, for which any bytes are valid. The log accesses such a word
        // through this function and `Space` only, so there are no mixed accesses that race.
        unsafe { &*self.address(offset, 8).cast::<AtomicU64>() }
    }

    /// The shared 32-bit word at data offset `offset`, a multiple of 4.
    #[inline]
    #[expect(clippy::cast_ptr_alignment, reason = "checked by the assertion")]
    pub(super) fn word32(&self, offset: u64) -> &AtomicU32 {
        assert!(offset % 4 == 0, "unaligned word");
        // SAFETY: as in `word64`.
        unsafe { &*self.address(offset, 4).cast::<AtomicU32>() }
    }

    /// The first of `len` bytes at data offset `offset`, a multiple of 8, all of which are mapped.
    #[inline]
    pub(super) fn record(&self, offset: u64, len: usize) -> NonNull<u8> {
        assert!(offset % 8 == 0, "unaligned record");
        // SAFETY: within the mapping (`address`), so not null.
        unsafe { NonNull::new_unchecked(self.address(offset, len)) }
    }

    /// The first of `len` data bytes at `offset`, to be read.
    pub(super) fn bytes(&self, offset: u64, len: usize) -> *const u8 {
        self.address(offset, len)
    }

    /// Makes the pages of a range of the data ready to be written without a fault.
    pub(super) fn prefault(&self, offset: u64, len: u64) {
        let len = (len as usize).min(self.raw.len() - self.data - offset as usize);
        let start = self.data + offset as usize;
        if self.raw.advise_range(Advice::PopulateWrite, start, len).is_err() {
            self.touch(start, len);
        }
    }

    /// As [`Self::prefault`], for kernels that know no `MADV_POPULATE_WRITE`.
    #[cold]
    fn touch(&self, start: usize, len: usize) {
        let mut at = start.next_multiple_of(PAGE);
        while at + 8 <= start + len {
            // Relaxed: adds nothing to the word; only the page's presence is wanted.
            self.word64((at - self.data) as u64).fetch_or(0, Ordering::Relaxed);
            at += PAGE;
        }
    }

    /// Takes the pages of a range of the data out of this process; the file's contents stay as they are.
    ///
    /// Both ends are rounded inwards to whole pages.
    pub(super) fn release(&self, offset: u64, len: u64) {
        let start = (self.data + offset as usize).next_multiple_of(PAGE);
        let end = (self.data + (offset + len) as usize) / PAGE * PAGE;
        if start < end && self.recycler.is_none() {
            // SAFETY: the mapping is shared with a file, so the pages come back from it unchanged when they are
            // touched again; anonymous memory, which would be lost, is excluded above.
            let advised =
                unsafe { self.raw.unchecked_advise_range(UncheckedAdvice::DontNeed, start, end - start) };
            debug_assert!(advised.is_ok());
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `raw` is not used after this, as `self` is gone.
        let raw = unsafe { ManuallyDrop::take(&mut self.raw) };
        if let Some(recycler) = &self.recycler {
            // A full recycler hands the memory back, and it is unmapped here.
            let _ = recycler.push(raw);
        }
    }
}

/// Used memory, as good as new.
fn zeroed(used: MmapRaw) -> MmapRaw {
    // SAFETY: the mapping is owned here alone, is writable, and is as long as it says.
    unsafe { used.as_mut_ptr().write_bytes(0, used.len()) };
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recycled_memory_is_zero_again() {
        let recycler: Recycler = Arc::new(ArrayQueue::new(1));
        let first = Mapping::anonymous(8192, &recycler).unwrap();
        first.word64(8).store(7, Ordering::Relaxed);
        drop(first);
        assert_eq!(recycler.len(), 1);
        let second = Mapping::anonymous(8192, &recycler).unwrap();
        assert_eq!(second.word64(8).load(Ordering::Relaxed), 0);
    }

    #[test]
    fn touching_and_releasing_pages_changes_no_byte() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(5 * 4096).unwrap();
        let mapping = Mapping::of_file(&file, 5 * 4096, 4096).unwrap();
        mapping.word64(4096).store(42, Ordering::Relaxed);
        mapping.prefault(0, 4 * 4096);
        mapping.touch(4096, 4 * 4096);
        mapping.release(0, 4 * 4096);
        assert_eq!(mapping.word64(4096).load(Ordering::Relaxed), 42);
        assert_eq!(mapping.word64(0).load(Ordering::Relaxed), 0);
    }

    #[test]
    #[should_panic(expected = "outside the mapping")]
    fn a_word_outside_is_refused() {
        let recycler: Recycler = Arc::new(ArrayQueue::new(1));
        Mapping::anonymous(4096, &recycler).unwrap().word64(4096);
    }
}
