//! Payloads too large for one record: how their pieces are named, and what keeps the pieces from being deleted.
//!
//! The pieces go ahead as blob records; the record that counts holds their names. Between the first piece and the
//! decision about that record, a *floor* is registered: no segment at or above it is deleted.
//!
//! | operation | progress | linearization |
//! |---|---|---|
//! | `claim` | lock-free | the exchange that fills a slot |
//! | release | wait-free | the store that empties it |
//! | `lowest`, `start_and_floor` | lock-free | the reads between two equal values of `releases` |

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::lsn::Lsn;
use super::record::RECORD_HEADER_BYTES;
use crate::sync::{AtomicU64, Ordering, spin_wait};

/// How many large payloads may be on their way at once.
pub(super) const SPILLS_MAX: usize = 64;
/// A copied blob that nothing has named for so many bytes belongs to a payload that was given up.
const COPIED_SPAN_MAX: u64 = 2 << 30;
const NAMES_HEADER: u64 = 16;
const NAME: u64 = 16;

/// The name of one blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobName {
    /// Where its record lies.
    pub lsn: Lsn,
    /// How many bytes of payload it holds.
    pub bytes: u32,
}

impl BlobName {
    /// Bytes of its record.
    pub fn record_bytes(&self) -> usize {
        RECORD_HEADER_BYTES as usize + self.bytes as usize
    }

    /// Its piece of payload in the bytes of its record.
    ///
    /// # Panics
    /// When they are fewer than [`BlobName::record_bytes`].
    pub fn payload_in<'b>(&self, record: &'b [u8]) -> &'b [u8] {
        &record[RECORD_HEADER_BYTES as usize..self.record_bytes()]
    }
}

/// The largest payload that blobs of `blob_bytes` can hold, when their names must fit one more record of that size.
pub(super) const fn payload_bytes_max(blob_bytes: u64) -> u64 {
    (blob_bytes - NAMES_HEADER) / NAME * blob_bytes
}

/// Size of the payload that names `blobs` blobs.
pub(super) const fn names_bytes(blobs: u64) -> u64 {
    NAMES_HEADER + blobs * NAME
}

/// Writes the names into `out`, whose length is that of [`names_bytes`].
pub(super) fn encode_names(names: &[BlobName], out: &mut [u8]) {
    let total: u64 = names.iter().map(|name| u64::from(name.bytes)).sum();
    out[..8].copy_from_slice(&total.to_le_bytes());
    out[8..16].copy_from_slice(&(names.len() as u64).to_le_bytes());
    for (name, place) in names.iter().zip(out[16..].chunks_exact_mut(NAME as usize)) {
        place[..8].copy_from_slice(&name.lsn.get().to_le_bytes());
        place[8..16].copy_from_slice(&u64::from(name.bytes).to_le_bytes());
    }
}

/// Reads the names of blobs that a spilled record's payload holds; `None` when it is none.
pub fn decode_names(payload: &[u8]) -> Option<Vec<BlobName>> {
    let word = |at: usize| Some(u64::from_le_bytes(payload.get(at..at + 8)?.try_into().ok()?));
    let (total, count) = (word(0)?, word(8)?);
    if count.checked_mul(NAME)?.checked_add(NAMES_HEADER)? != payload.len() as u64 {
        return None;
    }
    let names: Option<Vec<BlobName>> = (0..count as usize)
        .map(|index| {
            let at = (NAMES_HEADER + index as u64 * NAME) as usize;
            Some(BlobName { lsn: Lsn::new(word(at)?), bytes: u32::try_from(word(at + 8)?).ok()? })
        })
        .collect();
    names.filter(|names| names.iter().map(|name| u64::from(name.bytes)).sum::<u64>() == total)
}

/// The floors of the payloads that are on their way.
#[derive(Debug)]
pub(super) struct SpillFloors {
    /// 0 is an empty slot.
    slots: [AtomicU64; SPILLS_MAX],
    /// The lowest blob that was copied from another's log and that no record has named yet; 0: none.
    copied: AtomicU64,
    /// All of them. Only who copies locks it.
    unnamed: Mutex<BTreeSet<u64>>,
    /// Counts slots about to be emptied.
    releases: AtomicU64,
    /// The largest distance between a floor and the record that named its blobs.
    span_max: AtomicU64,
}

/// A registered floor, until dropped.
#[derive(Debug)]
pub(super) struct SpillFloor<'g> {
    floors: &'g SpillFloors,
    slot: &'g AtomicU64,
    floor: u64,
}

impl SpillFloors {
    pub(super) fn new() -> Self {
        Self {
            slots: [const { AtomicU64::new(0) }; SPILLS_MAX],
            copied: AtomicU64::new(0),
            unnamed: Mutex::default(),
            releases: AtomicU64::new(0),
            span_max: AtomicU64::new(0),
        }
    }

    /// Registers that blobs at `head` or above are about to be written; `None` when all slots are taken.
    pub(super) fn claim(&self, head: Lsn) -> Option<SpillFloor<'_>> {
        let floor = head.get();
        // AcqRel: the slot is filled before the tail moves over the first blob, which carries it to `lowest`.
        let slot = self
            .slots
            .iter()
            .find(|slot| slot.compare_exchange(0, floor, Ordering::AcqRel, Ordering::Relaxed).is_ok())?;
        Some(SpillFloor { floors: self, slot, floor })
    }

    /// The lowest registered floor, or `otherwise` when that is lower.
    pub(super) fn lowest(&self, otherwise: u64) -> u64 {
        // Acquire: pairs with the Release that empties a slot; what its owner counted before is seen.
        let slots = self.slots.iter().chain([&self.copied]);
        let floors = slots.map(|slot| slot.load(Ordering::Acquire)).filter(|floor| *floor != 0);
        floors.fold(otherwise, u64::min)
    }

    /// Registers that a blob is about to be copied to `lsn`, to be named by a record that is yet to come.
    ///
    /// Why: a log that follows another may be compacted between the two, and then needs the blob.
    pub(super) fn copy_blob(&self, lsn: Lsn) {
        self.change_copied(|unnamed| {
            unnamed.insert(lsn.get());
        });
    }

    /// Says that the record at `lsn`, whose place is taken, names these blobs, whether it counts or not.
    pub(super) fn copied_names(&self, names: &[BlobName], lsn: Lsn) {
        let lowest = names.iter().map(|name| name.lsn.get()).min().unwrap_or(lsn.get());
        // Release: carried to `conservative_floor` as in `SpillFloor::named_at`.
        self.span_max.fetch_max(lsn.get().saturating_sub(lowest), Ordering::Release);
        self.change_copied(|unnamed| {
            for name in names {
                unnamed.remove(&name.lsn.get());
            }
            *unnamed = unnamed.split_off(&lsn.get().saturating_sub(COPIED_SPAN_MAX));
        });
    }

    /// Forgets what was copied: nobody will name it any more.
    pub(super) fn forget_copied(&self) {
        self.change_copied(BTreeSet::clear);
    }

    fn change_copied(&self, change: impl FnOnce(&mut BTreeSet<u64>)) {
        let mut unnamed = self.unnamed.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut unnamed);
        let lowest = unnamed.first().copied().unwrap_or(0);
        // Relaxed: only who holds the lock stores it.
        if lowest != self.copied.load(Ordering::Relaxed) {
            // Order: as in `SpillFloor::drop`, and with the same partners.
            self.releases.fetch_add(1, Ordering::AcqRel);
            self.copied.store(lowest, Ordering::Release);
        }
    }

    /// Takes the log's head by `head`, and the floor below which nothing belongs to a record at or above it.
    ///
    /// Why it is right, for a payload with a blob below the head that was taken and its record at or above: the slot
    /// was filled before the tail moved over the blob, and `head` (an Acquire of the tail) saw the tail moved, so the
    /// look sees the slot filled, or emptied again. If emptied, it also sees `releases` raised, so the second load
    /// differs from the first: the first cannot have seen that raise, or else `head` had come after the record.
    pub(super) fn start_and_floor(&self, head: impl Fn() -> u64) -> (u64, u64) {
        let mut round = 0;
        loop {
            // Acquire: pairs with the AcqRel in `SpillFloor::drop`.
            let before = self.releases.load(Ordering::Acquire);
            let start = head();
            let floor = self.lowest(start);
            if self.releases.load(Ordering::Acquire) == before {
                return (start, floor);
            }
            spin_wait(round);
            round += 1;
        }
    }

    /// A floor that holds for any record at or above `start` of this run of the log, past ones included.
    pub(super) fn conservative_floor(&self, start: u64) -> u64 {
        // Order: 1 the slots, 2 the span, which its owner notes before it empties its slot; or else one is missed.
        let lowest = self.lowest(start);
        lowest.min(start.saturating_sub(self.span_max.load(Ordering::Acquire)))
    }
}

impl SpillFloor<'_> {
    /// Says where the record that names the blobs was reserved.
    pub(super) fn named_at(&self, lsn: u64) {
        // Release: carried to `conservative_floor` by the store that empties the slot.
        self.floors.span_max.fetch_max(lsn - self.floor, Ordering::Release);
    }
}

impl Drop for SpillFloor<'_> {
    fn drop(&mut self) {
        // Order: 1 count, 2 empty the slot; or else `start_and_floor` misses a floor and does not know.
        // AcqRel, Release: pair with the Acquires there.
        self.floors.releases.fetch_add(1, Ordering::AcqRel);
        self.slot.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    quickcheck! {
        fn names_are_read_as_written(list: Vec<(u64, u32)>) -> bool {
            let names: Vec<BlobName> =
                list.iter().map(|(lsn, bytes)| BlobName { lsn: Lsn::new(*lsn), bytes: *bytes }).collect();
            let mut payload = vec![0; names_bytes(names.len() as u64) as usize];
            encode_names(&names, &mut payload);
            decode_names(&payload) == Some(names)
        }

        fn garbage_is_no_names_and_no_panic(payload: Vec<u8>) -> bool {
            decode_names(&payload).is_none_or(|names| names_bytes(names.len() as u64) == payload.len() as u64)
        }
    }

    #[test]
    fn the_lowest_floor_counts_until_it_is_dropped() {
        let floors = SpillFloors::new();
        let high = floors.claim(Lsn::new(900)).unwrap();
        let low = floors.claim(Lsn::new(500)).unwrap();
        assert_eq!(floors.start_and_floor(|| 1000), (1000, 500));
        low.named_at(700);
        drop(low);
        assert_eq!(floors.lowest(1000), 900);
        assert_eq!(floors.conservative_floor(1000), 800, "a record named its blobs from 200 bytes away");
        drop(high);
        assert_eq!(floors.start_and_floor(|| 1000), (1000, 1000));
    }

    #[test]
    fn a_floor_given_up_during_the_look_makes_it_look_again() {
        let floors = SpillFloors::new();
        let held = std::cell::Cell::new(floors.claim(Lsn::new(10)));
        let looks = std::cell::Cell::new(0);
        let (start, floor) = floors.start_and_floor(|| {
            looks.set(looks.get() + 1);
            drop(held.take());
            100 + looks.get()
        });
        assert_eq!((start, floor, looks.get()), (102, 102, 2));
    }

    #[test]
    fn a_blob_that_was_copied_counts_until_it_is_named() {
        let floors = SpillFloors::new();
        for lsn in [400, 500, 600] {
            floors.copy_blob(Lsn::new(lsn));
        }
        assert_eq!(floors.start_and_floor(|| 1000), (1000, 400));
        let name = |lsn| BlobName { lsn: Lsn::new(lsn), bytes: 1 };
        floors.copied_names(&[name(400), name(600)], Lsn::new(700));
        assert_eq!(floors.start_and_floor(|| 1000), (1000, 500));
        assert_eq!(floors.conservative_floor(600), 300);
        floors.copied_names(&[], Lsn::new(500 + COPIED_SPAN_MAX + 1));
        assert_eq!(floors.lowest(1000), 1000, "its payload was given up");
        floors.copy_blob(Lsn::new(900));
        floors.forget_copied();
        assert_eq!(floors.lowest(1000), 1000);
    }

    #[test]
    fn slots_run_out_and_come_back() {
        let floors = SpillFloors::new();
        let mut held: Vec<_> = (0..SPILLS_MAX).map(|_| floors.claim(Lsn::FIRST).unwrap()).collect();
        assert!(floors.claim(Lsn::FIRST).is_none());
        held.pop();
        assert!(floors.claim(Lsn::FIRST).is_some());
    }
}
