//! The table of mapped segments: which segment holds an LSN.
//!
//! An immutable sorted list behind one epoch-protected pointer. Readers load it under a guard and need no other
//! protection: a segment taken out of the table stays mapped as long as anyone pinned can hold it.
//!
//! | operation | progress | linearization |
//! |---|---|---|
//! | `load` | wait-free | the load of the pointer |
//! | `push`, `retire`, `withdraw`, `fork` | lock-free | the exchange of the pointer |
//!
//! Invariant: the segments of one list follow each other without a gap.
//! Invariant: everything below the first segment's start (the floor) is resolved; `retire` is told by how much.

use std::sync::Arc;

use crossbeam_epoch::{Atomic, Guard, Owned, Shared};

use super::segment::Segment;
use crate::sync::{Ordering, schedule_point};

/// The list that is current.
#[derive(Debug)]
pub(super) struct SegmentTable {
    current: Atomic<SegmentList>,
}

/// Segments in order, oldest first; at least one.
#[derive(Debug)]
pub(super) struct SegmentList {
    segments: Vec<Arc<Segment>>,
}

/// Where a record of some size can go when the tail is at some place.
pub(super) enum Place<'g> {
    /// At the tail, in this segment.
    Fits(&'g Segment),
    /// In the next segment, after the rest of this one is padded.
    NeedsPad { segment: &'g Segment, rest: u64 },
    /// Nowhere: the allocated end is reached. The next segment must start at `end`.
    Full { end: u64 },
    /// The tail and the list were not read at the same time: look again.
    Stale,
}

impl SegmentTable {
    pub(super) fn new(segments: Vec<Arc<Segment>>) -> Self {
        assert!(!segments.is_empty(), "a table holds the segment of the tail");
        Self { current: Atomic::new(SegmentList { segments }) }
    }

    /// The current list.
    #[inline]
    pub(super) fn load<'g>(&self, guard: &'g Guard) -> &'g SegmentList {
        schedule_point();
        // Acquire: pairs with the Release of the exchange in `replace`; the list's contents are seen.
        let shared = self.current.load(Ordering::Acquire, guard);
        // SAFETY: never null; the list was replaced at the earliest after this thread was pinned, and is freed only
        // when no thread that was pinned then is left (`replace` defers it).
        unsafe { shared.deref() }
    }

    /// Appends a segment that starts where the list ends; hands it back if the list has moved on.
    pub(super) fn push(&self, segment: Arc<Segment>, guard: &Guard) -> Result<(), Arc<Segment>> {
        loop {
            let (shared, list) = self.load_shared(guard);
            if list.end() != segment.first() {
                return Err(segment);
            }
            let mut segments = list.segments.clone();
            segments.push(Arc::clone(&segment));
            if self.replace(shared, segments, guard) {
                return Ok(());
            }
        }
    }

    /// Takes the segments that end at or below `below` out of the list, but never its last one. Returns them.
    pub(super) fn retire(&self, below: u64, guard: &Guard) -> Vec<Arc<Segment>> {
        loop {
            let (shared, list) = self.load_shared(guard);
            let newest = list.segments.len() - 1;
            let gone = list.segments[..newest].iter().take_while(|segment| segment.end() <= below).count();
            if gone == 0 {
                return Vec::new();
            }
            let retired = list.segments[..gone].to_vec();
            if self.replace(shared, list.segments[gone..].to_vec(), guard) {
                return retired;
            }
        }
    }

    /// Takes the unused segments that begin behind `at` out of the list, and those that begin at it unless nothing is
    /// left then. Returns them, oldest first. Nobody reserves meanwhile.
    pub(super) fn withdraw(&self, at: u64, guard: &Guard) -> Vec<Arc<Segment>> {
        loop {
            let (shared, list) = self.load_shared(guard);
            let kept = list.segments.iter().take_while(|segment| segment.first() < at).count().max(1);
            if kept == list.segments.len() {
                return Vec::new();
            }
            let gone = list.segments[kept..].to_vec();
            if self.replace(shared, list.segments[..kept].to_vec(), guard) {
                return gone;
            }
        }
    }

    /// Puts `segment` behind all that begin before it; the last of those ends where it begins. Nobody reserves
    /// meanwhile, and everything that is in the log lies before it.
    pub(super) fn fork(&self, segment: &Arc<Segment>, guard: &Guard) {
        loop {
            let (shared, list) = self.load_shared(guard);
            let first = segment.first();
            let kept = list.segments.iter().take_while(|other| other.first() < first).count();
            let mut segments = list.segments[..kept].to_vec();
            if let Some(last) = segments.last() {
                last.shorten(first);
            }
            segments.push(Arc::clone(segment));
            if self.replace(shared, segments, guard) {
                return;
            }
        }
    }

    fn load_shared<'g>(&self, guard: &'g Guard) -> (Shared<'g, SegmentList>, &'g SegmentList) {
        schedule_point();
        // Acquire: pairs with the Release of the exchange in `replace`.
        let shared = self.current.load(Ordering::Acquire, guard);
        // SAFETY: as in `load`.
        (shared, unsafe { shared.deref() })
    }

    fn replace(&self, old: Shared<'_, SegmentList>, segments: Vec<Arc<Segment>>, guard: &Guard) -> bool {
        schedule_point();
        let new = Owned::new(SegmentList { segments });
        // Release: the new list's contents are seen by whoever loads it. Acquire on failure is not needed, as the
        // value found is not used.
        let exchanged = self.current.compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed, guard);
        if exchanged.is_err() {
            return false;
        }
        // SAFETY: `old` was just taken out of the only place that leads to it, by this thread alone.
        unsafe { guard.defer_destroy(old) };
        // Why: a list holds mappings of many megabytes; they must not wait for this thread's bag to fill.
        guard.flush();
        true
    }
}

impl Drop for SegmentTable {
    fn drop(&mut self) {
        // SAFETY: exclusive access, and reservations borrow the log: nobody can reach the list any more.
        drop(unsafe { std::mem::take(&mut self.current).into_owned() });
    }
}

impl SegmentList {
    /// The segments, oldest first.
    pub(super) fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    /// The first position that is still mapped.
    pub(super) fn floor(&self) -> u64 {
        self.segments[0].first()
    }

    /// The allocated end.
    pub(super) fn end(&self) -> u64 {
        self.segments[self.segments.len() - 1].end()
    }

    /// Bytes of all segments.
    pub(super) fn bytes(&self) -> u64 {
        self.end() - self.floor()
    }

    /// The segment that holds `lsn`; the newest are looked at first, as nearly all lookups are there.
    #[inline]
    pub(super) fn find(&self, lsn: u64) -> Option<&Segment> {
        let segment = self.segments.iter().rev().find(|segment| segment.first() <= lsn)?;
        (lsn < segment.end()).then_some(segment)
    }

    /// Where a record of `size` bytes goes when the tail is at `tail`.
    #[inline]
    pub(super) fn place(&self, tail: u64, size: u64) -> Place<'_> {
        let Some(index) = self.segments.iter().rposition(|segment| segment.first() <= tail) else {
            return Place::Stale;
        };
        let segment = &self.segments[index];
        if tail > segment.end() {
            Place::Stale
        } else if tail + size <= segment.end() {
            Place::Fits(segment)
        } else if index + 1 == self.segments.len() {
            Place::Full { end: segment.end() }
        } else {
            Place::NeedsPad { segment, rest: segment.end() - tail }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{History, Lsn};
    use crossbeam_queue::ArrayQueue;

    fn segment(first: u64) -> Arc<Segment> {
        let recycler = Arc::new(ArrayQueue::new(1));
        Arc::new(Segment::in_memory(Lsn::new(first), 4096, History::new(1), &recycler).unwrap())
    }

    #[test]
    fn a_position_is_found_in_its_segment_and_nowhere_else() {
        let table = SegmentTable::new(vec![segment(4096), segment(8192)]);
        let guard = crossbeam_epoch::pin();
        let list = table.load(&guard);
        assert_eq!(list.find(4096).unwrap().first(), 4096);
        assert_eq!(list.find(8191).unwrap().first(), 4096);
        assert_eq!(list.find(8192).unwrap().first(), 8192);
        assert!(list.find(4095).is_none() && list.find(12288).is_none());
    }

    #[test]
    fn a_record_is_placed_padded_or_refused_at_the_allocated_end() {
        let table = SegmentTable::new(vec![segment(4096), segment(8192)]);
        let guard = crossbeam_epoch::pin();
        let list = table.load(&guard);
        assert!(matches!(list.place(4096, 4096), Place::Fits(s) if s.first() == 4096));
        assert!(matches!(list.place(4104, 4096), Place::NeedsPad { rest: 4088, .. }));
        assert!(matches!(list.place(8192, 8), Place::Fits(s) if s.first() == 8192));
        assert!(matches!(list.place(12280, 16), Place::Full { end: 12288 }));
        assert!(matches!(list.place(12288, 8), Place::Full { end: 12288 }));
        assert!(matches!(list.place(12296, 8), Place::Stale));
        assert!(matches!(list.place(8, 8), Place::Stale));
    }

    #[test]
    fn only_the_segment_that_continues_the_list_is_taken() {
        let table = SegmentTable::new(vec![segment(4096)]);
        let guard = crossbeam_epoch::pin();
        assert!(table.push(segment(12288), &guard).is_err());
        table.push(segment(8192), &guard).unwrap();
        assert!(table.push(segment(8192), &guard).is_err(), "the second of two racing allocations");
        assert_eq!(table.load(&guard).end(), 12288);
    }

    #[test]
    fn retiring_keeps_what_is_above_and_always_the_last() {
        let table = SegmentTable::new(vec![segment(4096), segment(8192), segment(12288)]);
        let guard = crossbeam_epoch::pin();
        assert!(table.retire(8191, &guard).is_empty());
        assert_eq!(table.retire(8192, &guard).len(), 1);
        assert_eq!(table.load(&guard).floor(), 8192);
        assert_eq!(table.retire(u64::MAX, &guard).len(), 1);
        assert_eq!(table.load(&guard).floor(), 12288);
    }
}
