//! The cells of a keyspace in key order: a skiplist of small sorted leaves.
//!
//! A leaf covers the keys from its `low` up to the next leaf's; there is always one that begins with the empty key. Its
//! cells lie in an immutable sorted array, replaced as a whole by a CAS. So a key costs 16 bytes here instead of a
//! skiplist node, a walk finds its cells side by side, and a search meets few nodes that are not in the cache. Beside
//! each cell the array has a *window*: the eight bytes of the key behind what all keys of the leaf have in common. Only
//! where windows are equal are the keys themselves compared, which lie far away.
//!
//! The pointer to a leaf's array is tagged:
//!
//! | tag | meaning | what follows |
//! |---|---|---|
//! | LIVE | takes insertions and removals | any |
//! | HALVED, TAILED | full, to be split in the middle or before its last cell; does not change | LIVE, with the lower part |
//! | CONDEMNED | empty; may be revived by an insertion | LIVE or GONE |
//! | GONE | covers nothing any more; to be unlinked | |
//!
//! A split: tag the array; link a leaf with the upper part; replace the array by the lower part. Whoever meets a tagged
//! array finishes it. Order: the upper leaf before the lower part, or else keys are in neither.
//!
//! A leaf is unlinked a grace period after it was condemned. Why: somebody who still finishes the split that made it
//! would link it, and its long gone cells, a second time; whoever does that was pinned before the leaf came to be.
//!
//! | operation | progress | linearization point |
//! |---|---|---|
//! | [`Order::find_or_insert`], [`Order::remove`] | lock-free | the CAS of the leaf's array |
//! | [`Order::walk`] | lock-free | none: weakly consistent; what is there all the while is met, once |

use std::mem::MaybeUninit;
use std::ops::Bound;

use crossbeam_epoch::{Atomic, Guard, Owned, Shared, default_collector};
use crossbeam_skiplist::base::{Entry, SkipList};
use smallvec::SmallVec;
use std::sync::atomic::Ordering;

use crate::store::cell::Cell;
use crate::store::prefetch::prefetch;
use crate::sync::schedule_point;

/// Cells of a leaf. Larger leaves make the skiplist smaller and an insertion's copy longer.
const LEAF_CELLS_MAX: usize = 32;

const LIVE: usize = 0;
const HALVED: usize = 1;
const TAILED: usize = 2;
const CONDEMNED: usize = 3;
const GONE: usize = 4;

/// The cells of a keyspace in key order. It owns the cells that are in it.
pub struct Order {
    leaves: SkipList<Leaf, ()>,
}

type LeafEntry<'g> = Entry<'g, 'g, Leaf, ()>;

/// A cell and its window. The first slot of an array has no cell: its window is the number of bytes that are skipped.
#[derive(Clone, Copy)]
struct Slot {
    window: u64,
    cell: *const Cell,
}

type Array = [MaybeUninit<Slot>];

struct Leaf {
    low: SmallVec<[u8; 24]>,
    /// Invariant: never null; one slot at least, all of them initialised. Every key in it shares as many bytes with
    /// `low` as the first slot says.
    array: Atomic<Array>,
}

// SAFETY: the cells are shared atomics; the arrays that point to them are immutable.
unsafe impl Send for Leaf {}
// SAFETY: as above.
unsafe impl Sync for Leaf {}

impl Ord for Leaf {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.low.cmp(&other.low)
    }
}
impl PartialOrd for Leaf {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Leaf {
    fn eq(&self, other: &Self) -> bool {
        self.low == other.low
    }
}
impl Eq for Leaf {}
impl std::borrow::Borrow<[u8]> for Leaf {
    fn borrow(&self) -> &[u8] {
        &self.low
    }
}

/// Where a key is in a leaf, or would be.
enum Place {
    Found(usize),
    Vacant(usize),
}

/// The eight bytes of a key from `skip` on, so that they compare like the bytes; zeros where the key ends.
#[inline]
fn window(key: &[u8], skip: usize) -> u64 {
    let rest = key.get(skip..).unwrap_or_default();
    if let Some(bytes) = rest.first_chunk::<8>() {
        return u64::from_be_bytes(*bytes);
    }
    let mut bytes = [0; 8];
    bytes[..rest.len()].copy_from_slice(rest);
    u64::from_be_bytes(bytes)
}

fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// All slots of an array, the first included.
#[inline]
fn slots(array: Shared<'_, Array>) -> &[Slot] {
    // SAFETY: never null; loaded under the guard and retired only once replaced.
    let array = unsafe { array.with_tag(LIVE).deref() };
    // SAFETY: `build` initialised every slot, and MaybeUninit<T> is laid out as T.
    unsafe { std::slice::from_raw_parts(array.as_ptr().cast::<Slot>(), array.len()) }
}

#[inline]
fn cell_of<'g>(slot: &Slot, _guard: &'g Guard) -> &'g Cell {
    // SAFETY: a cell is freed a grace period after it was taken out of its leaf; the array was loaded under the guard.
    unsafe { &*slot.cell }
}

/// Makes an array.
fn build(skip: usize, cells: impl ExactSizeIterator<Item = Slot>) -> Owned<Array> {
    let mut array = Owned::<Array>::init(cells.len() + 1);
    array[0].write(Slot { window: skip as u64, cell: std::ptr::null() });
    for (slot, cell) in array[1..].iter_mut().zip(cells) {
        slot.write(cell);
    }
    array
}

impl Leaf {
    fn new(low: &[u8], array: Owned<Array>) -> Self {
        Self { low: SmallVec::from_slice(low), array: Atomic::from(array) }
    }

    #[inline]
    fn load<'g>(&self, guard: &'g Guard) -> Shared<'g, Array> {
        schedule_point();
        // Acquire: pairs with the AcqRel in `replace`: the array is initialised.
        self.array.load(Ordering::Acquire, guard)
    }

    /// Replaces an array by another; tells whether it did. The old one is retired.
    fn replace(&self, old: Shared<'_, Array>, new: Owned<Array>, guard: &Guard) -> bool {
        schedule_point();
        // AcqRel: Release publishes the array to the Acquire in `load`; Acquire orders the retirement.
        let done = self.array.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire, guard).is_ok();
        if done {
            // SAFETY: just taken out of the only place from which it is reached.
            unsafe { guard.defer_destroy(old.with_tag(LIVE)) };
        }
        done
    }

    /// Changes the tag of an array; tells whether it did.
    fn tag(&self, array: Shared<'_, Array>, tag: usize, guard: &Guard) -> bool {
        schedule_point();
        let tagged = array.with_tag(tag);
        // AcqRel: as in `replace`; nothing is retired.
        self.array.compare_exchange(array, tagged, Ordering::AcqRel, Ordering::Acquire, guard).is_ok()
    }

    #[inline]
    fn place(&self, slots: &[Slot], key: &[u8], guard: &Guard) -> Place {
        let skip = slots[0].window as usize;
        let cells = &slots[1..];
        let mut at = if key.len() >= skip && key[..skip] == self.low[..skip] {
            let window = window(key, skip);
            let first = cells.partition_point(|slot| slot.window < window);
            let ties = cells[first..].partition_point(|slot| slot.window == window);
            first + cells[first..first + ties].partition_point(|slot| cell_of(slot, guard).key(guard) < key)
        } else {
            // It is not below `low`, and differs from it in what all others have in common: it is behind them.
            cells.len()
        };
        at += 1;
        match slots.get(at) {
            Some(slot) if cell_of(slot, guard).key(guard) == key => Place::Found(at),
            _ => Place::Vacant(at),
        }
    }

    /// The array with a cell more.
    fn with(&self, slots: &[Slot], at: usize, key: &[u8], cell: *const Cell, guard: &Guard) -> Owned<Array> {
        let old_skip = slots[0].window as usize;
        let skip = old_skip.min(common_prefix(&self.low, key));
        let rewindow = |slot: &Slot| {
            if skip == old_skip {
                return *slot;
            }
            Slot { window: window(cell_of(slot, guard).key(guard), skip), cell: slot.cell }
        };
        let new = Slot { window: window(key, skip), cell };
        let mut cells: SmallVec<[Slot; LEAF_CELLS_MAX + 1]> = slots[1..at].iter().map(rewindow).collect();
        cells.push(new);
        cells.extend(slots[at..].iter().map(rewindow));
        build(skip, cells.into_iter())
    }
}

impl Drop for Leaf {
    fn drop(&mut self) {
        // SAFETY: dropped by the skiplist a grace period after its unlinking, or before it was linked, or with the
        // whole order: nobody else reaches the array.
        unsafe {
            let array = self.array.load(Ordering::Relaxed, crossbeam_epoch::unprotected());
            drop(array.with_tag(LIVE).into_owned());
        }
    }
}

impl Default for Order {
    fn default() -> Self {
        let leaves = SkipList::new(default_collector().clone());
        let guard = crossbeam_epoch::pin();
        leaves.get_or_insert(Leaf::new(b"", build(0, std::iter::empty())), (), &guard).release(&guard);
        Self { leaves }
    }
}

impl Order {
    /// The leaf that covers a key.
    #[inline]
    fn leaf<'g>(&'g self, key: &[u8], guard: &'g Guard) -> LeafEntry<'g> {
        let found = self.leaves.upper_bound(Bound::Included(key), guard);
        found.expect("the first leaf begins with the empty key and stays")
    }

    /// Whether a leaf found for `key` has been split since, so that the key belongs to a later one.
    fn is_passed(leaf: &LeafEntry<'_>, key: &[u8]) -> bool {
        leaf.next().is_some_and(|next| next.key().low[..] <= *key)
    }

    /// Finds the cell of a key, or puts in the one that `make` makes.
    pub fn find_or_insert<'g>(
        &'g self,
        key: &[u8],
        guard: &'g Guard,
        make: impl FnOnce() -> Box<Cell>,
    ) -> &'g Cell {
        let mut make = Some(make);
        let mut unplaced: *const Cell = std::ptr::null();
        loop {
            let entry = self.leaf(key, guard);
            let Some((leaf, array)) = self.stable(&entry, guard) else { continue };
            let slots = slots(array);
            let at = match leaf.place(slots, key, guard) {
                Place::Found(at) => {
                    if !unplaced.is_null() {
                        // SAFETY: made below, and never in an array that was put in place.
                        drop(unsafe { Box::from_raw(unplaced.cast_mut()) });
                    }
                    return cell_of(&slots[at], guard);
                }
                Place::Vacant(at) => at,
            };
            if at == slots.len() && Self::is_passed(&entry, key) {
                continue;
            }
            if slots.len() > LEAF_CELLS_MAX {
                // Why before the last cell where keys come in order: so the leaves that stay behind are full.
                let tag = if at == slots.len() { TAILED } else { HALVED };
                leaf.tag(array, tag, guard);
                continue;
            }
            if let Some(make) = make.take() {
                unplaced = Box::into_raw(make());
            }
            if leaf.replace(array, leaf.with(slots, at, key, unplaced, guard), guard) {
                // SAFETY: in the order from now on, which frees cells a grace period after their removal.
                return unsafe { &*unplaced };
            }
        }
    }

    /// The array of a leaf when it can be replaced; otherwise helps with what is under way.
    #[inline]
    fn stable<'g>(
        &'g self,
        entry: &LeafEntry<'g>,
        guard: &'g Guard,
    ) -> Option<(&'g Leaf, Shared<'g, Array>)> {
        let leaf = entry.key();
        let array = leaf.load(guard);
        match array.tag() {
            LIVE | CONDEMNED => Some((leaf, array)),
            GONE => {
                entry.remove();
                None
            }
            _ => {
                self.finish_split(leaf, array, guard);
                None
            }
        }
    }

    #[cold]
    fn finish_split(&self, leaf: &Leaf, array: Shared<'_, Array>, guard: &Guard) {
        let cells = &slots(array)[1..];
        let middle = if array.tag() == TAILED { cells.len() - 1 } else { cells.len() / 2 };
        let (lower, upper) = cells.split_at(middle);
        let low = cell_of(&upper[0], guard).key(guard);
        let upper = Leaf::new(low, Self::rebuilt(low, upper, guard));
        self.leaves.get_or_insert(upper, (), guard).release(guard);
        leaf.replace(array, Self::rebuilt(&leaf.low, lower, guard), guard);
    }

    /// An array of some cells of a leaf that begins with `low`, skipping as much as it can.
    fn rebuilt(low: &[u8], cells: &[Slot], guard: &Guard) -> Owned<Array> {
        let last = cells.last().map_or(low, |slot| cell_of(slot, guard).key(guard));
        let skip = common_prefix(low, last);
        let rewindow =
            |slot: &Slot| Slot { window: window(cell_of(slot, guard).key(guard), skip), cell: slot.cell };
        build(skip, cells.iter().map(rewindow))
    }

    /// Takes a cell out. If that leaves its leaf empty, the leaf is condemned, and its lower bound given, for
    /// [`Order::unlink`] a grace period later. The cell is not freed.
    pub fn remove(&self, cell: &Cell, guard: &Guard) -> Option<Vec<u8>> {
        let key = cell.key(guard);
        loop {
            let entry = self.leaf(key, guard);
            let Some((leaf, array)) = self.stable(&entry, guard) else { continue };
            let slots = slots(array);
            match leaf.place(slots, key, guard) {
                Place::Found(at) if std::ptr::eq(slots[at].cell, cell) => {
                    let rest = slots[1..at].iter().chain(&slots[at + 1..]).copied();
                    let rest: SmallVec<[Slot; LEAF_CELLS_MAX]> = rest.collect();
                    let empty = rest.is_empty() && !leaf.low.is_empty();
                    let skip = slots[0].window as usize;
                    let rest = build(skip, rest.into_iter()).with_tag(if empty { CONDEMNED } else { LIVE });
                    if leaf.replace(array, rest, guard) {
                        return empty.then(|| leaf.low.to_vec());
                    }
                }
                Place::Vacant(at) if at == slots.len() && Self::is_passed(&entry, key) => {}
                _ => return None,
            }
        }
    }

    /// Unlinks the leaf that begins with `low` if it still is condemned. A grace period has passed since it was.
    pub fn unlink(&self, low: &[u8], guard: &Guard) {
        let Some(entry) = self.leaves.get(low, guard) else { return };
        let array = entry.key().load(guard);
        if array.tag() == CONDEMNED && entry.key().tag(array, GONE, guard) {
            entry.remove();
        }
    }

    /// Visits the cells from `from` on in key order until `visit` says false.
    pub fn walk<'g>(
        &'g self,
        from: Bound<&[u8]>,
        guard: &'g Guard,
        visit: &mut impl FnMut(&'g Cell) -> bool,
    ) {
        let first = match from {
            Bound::Included(key) | Bound::Excluded(key) => key,
            Bound::Unbounded => b"",
        };
        let mut at = Some(self.leaf(first, guard));
        while let Some(entry) = at {
            let array = slots(entry.key().load(guard));
            // Order: the array before the next leaf, or else a split in between hides its upper part.
            at = entry.next();
            let high = at.as_ref().map(|next| &next.key().low[..]);
            if !Self::walk_leaf(&array[1..], from, high, guard, visit) {
                return;
            }
        }
    }

    fn walk_leaf<'g>(
        cells: &[Slot],
        from: Bound<&[u8]>,
        high: Option<&[u8]>,
        guard: &'g Guard,
        visit: &mut impl FnMut(&'g Cell) -> bool,
    ) -> bool {
        for slot in cells {
            prefetch(slot.cell);
        }
        for slot in cells {
            let version = cell_of(slot, guard).load(guard).address() as *const u8;
            prefetch(version);
            prefetch(version.wrapping_add(64));
        }
        for slot in cells {
            let cell = cell_of(slot, guard);
            let key = cell.key(guard);
            // Why: the upper part of an array that is being split is also in the next leaf.
            if high.is_some_and(|high| key >= high) {
                break;
            }
            let before = match from {
                Bound::Included(from) => key < from,
                Bound::Excluded(from) => key <= from,
                Bound::Unbounded => false,
            };
            if !before && !visit(cell) {
                return false;
            }
        }
        true
    }

    /// How many leaves there are, roughly.
    pub fn leaves(&self) -> usize {
        self.leaves.len()
    }

    /// Bytes that a leaf occupies apart from its slots, on average: node, array header, allocator's rounding.
    pub const LEAF_BYTES: usize = 128;
    /// Bytes that a key occupies: its slot and its cell.
    pub const KEY_BYTES: usize = size_of::<Slot>() + size_of::<Cell>();
}

impl Drop for Order {
    fn drop(&mut self) {
        let guard = crossbeam_epoch::pin();
        let mut at = self.leaves.front(&guard);
        while let Some(entry) = at {
            let array = entry.key().load(&guard);
            debug_assert!(matches!(array.tag(), LIVE | CONDEMNED), "every split is finished by who began it");
            for slot in &slots(array)[1..] {
                // SAFETY: nobody else is inside, and a cell is in one leaf only.
                drop(unsafe { Box::from_raw(slot.cell.cast_mut()) });
            }
            at = entry.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;
    use std::collections::BTreeSet;

    fn walked(order: &Order, from: Bound<&[u8]>, guard: &Guard) -> Vec<Vec<u8>> {
        let mut keys = Vec::new();
        order.walk(from, guard, &mut |cell| {
            keys.push(cell.key(guard).to_vec());
            true
        });
        keys
    }

    fn insert<'g>(order: &'g Order, key: &[u8], guard: &'g Guard) -> &'g Cell {
        order.find_or_insert(key, guard, || Box::new(Cell::new(key)))
    }

    /// Takes a key out and frees its cell, as the sweeper does, but at once: the test is alone.
    fn remove(order: &Order, key: &[u8], guard: &Guard) {
        let cell = insert(order, key, guard);
        if let Some(low) = order.remove(cell, guard) {
            order.unlink(&low, guard);
        }
        let cell = std::ptr::from_ref(cell).cast_mut() as usize;
        // SAFETY: out of the order, and only this thread has it.
        unsafe { guard.defer_unchecked(move || drop(Box::from_raw(cell as *mut Cell))) };
    }

    quickcheck! {
        fn behaves_like_a_sorted_set(steps: Vec<(bool, Vec<u8>)>, prefix: Vec<u8>, from: Vec<u8>) -> bool {
            let order = Order::default();
            let guard = crossbeam_epoch::pin();
            let mut model = BTreeSet::new();
            for (inserted, key) in steps {
                let key = [&prefix[..], &key].concat();
                if inserted {
                    insert(&order, &key, &guard);
                    model.insert(key);
                } else {
                    remove(&order, &key, &guard);
                    model.remove(&key);
                }
            }
            let all: Vec<_> = model.iter().cloned().collect();
            let behind: Vec<_> = model.iter().filter(|key| **key > from).cloned().collect();
            walked(&order, Bound::Unbounded, &guard) == all
                && walked(&order, Bound::Excluded(&from), &guard) == behind
        }

        fn windows_compare_like_keys(a: Vec<u8>, b: Vec<u8>, skip: usize) -> bool {
            let skip = skip % (common_prefix(&a, &b) + 1);
            match window(&a, skip).cmp(&window(&b, skip)) {
                std::cmp::Ordering::Equal => true,
                unequal => a.cmp(&b) == unequal,
            }
        }
    }

    #[test]
    fn keys_in_order_fill_their_leaves() {
        let order = Order::default();
        let guard = crossbeam_epoch::pin();
        for n in 0..10_000_u32 {
            insert(&order, format!("key:{n:012}").as_bytes(), &guard);
        }
        assert!(order.leaves() <= 10_000 / (LEAF_CELLS_MAX - 1) + 2, "{}", order.leaves());
        assert_eq!(walked(&order, Bound::Unbounded, &guard).len(), 10_000);
    }

    #[test]
    fn emptied_leaves_go_and_the_order_works_on() {
        let order = Order::default();
        for round in 0..3_u32 {
            for n in 0..5_000_u32 {
                insert(&order, &(round * 5_000 + n).to_be_bytes(), &crossbeam_epoch::pin());
            }
            for n in 0..5_000_u32 {
                remove(&order, &(round * 5_000 + n).to_be_bytes(), &crossbeam_epoch::pin());
            }
            assert!(order.leaves() <= 2, "{}", order.leaves());
        }
        let guard = crossbeam_epoch::pin();
        assert!(walked(&order, Bound::Unbounded, &guard).is_empty());
    }

    #[test]
    fn threads_that_insert_the_same_keys_agree_on_the_cells() {
        let order = Order::default();
        let cells = |step: u64| {
            let mut cells = Vec::new();
            for n in 0..20_000_u64 {
                let key = (n * step % 20_011).to_be_bytes();
                let guard = crossbeam_epoch::pin();
                cells.push((key, std::ptr::from_ref(insert(&order, &key, &guard)) as usize));
            }
            cells.sort_unstable();
            cells
        };
        let (one, other) = std::thread::scope(|scope| {
            let one = scope.spawn(|| cells(7919));
            let other = scope.spawn(|| cells(104_729 % 20_011));
            (one.join().unwrap(), other.join().unwrap())
        });
        let mut all: Vec<_> = one.iter().chain(&other).copied().collect();
        all.sort_unstable();
        all.dedup();
        let guard = crossbeam_epoch::pin();
        let keys = walked(&order, Bound::Unbounded, &guard);
        assert!(keys.is_sorted() && keys.len() == all.len());
    }
}
