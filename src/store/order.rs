//! The cells of a keyspace in key order: a skiplist of small leaves.
//!
//! A leaf covers the keys from its `low` up to the next leaf's; there is always one that begins with the empty key. Its
//! cells lie in an array: a *base* in key order, which does not change, and a few slots for *fresh* cells, which fill
//! one after the other, in no order. So most insertions are a search and one CAS, and copy nothing; a key costs 16 bytes
//! here instead of a skiplist node, a walk finds its cells side by side, and a search meets few nodes that are not in
//! the cache. Beside each cell of the base the array has a *window*: the eight bytes of the key behind what all keys of
//! the base have in common; beside each fresh cell a fingerprint of the key. Only where these are equal are the keys
//! themselves compared, which lie far away.
//!
//! ```text
//! word    0          skip: bytes before the windows
//!    1 ..= FRESH     fresh cells: 48 bits of address, 16 of fingerprint; or VACANT; or SEALED
//!       + base       windows, big-endian, so that they compare like the keys
//!       + base       addresses of the cells
//! ```
//!
//! An array without a vacant slot is *sealed*: nothing in it changes any more. Invariant: only a sealed array is tagged
//! or replaced. Whoever wants to and meets vacant slots seals them. The pointer to a leaf's array is tagged:
//!
//! | tag | meaning | what follows |
//! |---|---|---|
//! | LIVE | takes insertions and removals | any |
//! | HALVED, TAILED | full, to be split in the middle or before its last cell | LIVE, with the lower part |
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
//! | [`Order::find_or_insert`] | lock-free | the CAS of a vacant slot, or of the leaf's array |
//! | [`Order::remove`] | lock-free | the CAS of the leaf's array |
//! | [`Order::walk`] | lock-free | none: weakly consistent; what is there all the while is met, once |

use std::mem::MaybeUninit;
use std::ops::Bound;

use crossbeam_epoch::{Atomic, Guard, Owned, Shared, default_collector};
use crossbeam_skiplist::base::{Entry, SkipList};
use smallvec::SmallVec;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::prefetch::prefetch;
use crate::store::cell::Cell;
use crate::sync::schedule_point;

/// Cells in the base of an array. Larger ones make the skiplist smaller, and merging and removing dearer.
const BASE_CELLS_MAX: usize = 64;
/// Slots for fresh cells: with the word before them two cache lines.
const FRESH: usize = 15;
/// Windows are made anew at a split where so many of their bytes have become the same in all of them.
const IDLE_WINDOW_BYTES_MAX: u32 = 3;

const VACANT: u64 = 0;
const SEALED: u64 = 1;
const ADDRESS: u64 = (1 << 48) - 1;

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

type Array = [MaybeUninit<AtomicU64>];

/// A cell of a base, and its window.
#[derive(Clone, Copy)]
struct Slot {
    window: u64,
    cell: *const Cell,
}

type Slots = SmallVec<[Slot; BASE_CELLS_MAX + FRESH]>;

struct Leaf {
    low: SmallVec<[u8; 24]>,
    /// Invariant: never null; laid out as the module's head says, all words initialised. Every key of the base shares
    /// as many bytes with `low` as the array skips.
    array: Atomic<Array>,
}

// SAFETY: the cells are shared atomics; of the arrays that point to them only atomics change.
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

/// Where a key is in a base, or would be.
enum Place {
    Found(usize),
    Vacant(usize),
}

/// What came of putting a cell among the fresh ones.
enum Added<'g> {
    Done,
    /// The key has this cell already.
    Present(&'g Cell),
    /// There is no vacant slot.
    Full,
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

/// Sixteen bits that keys rarely share: of their last bytes and their length, in the place for them in a fresh slot.
#[inline]
fn fingerprint(key: &[u8]) -> u64 {
    let tail = window(key, key.len().saturating_sub(8)) ^ key.len() as u64;
    tail.wrapping_mul(0x9E37_79B9_7F4A_7C15) & !ADDRESS
}

fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[inline]
fn cell_at(address: u64, _guard: &Guard) -> &Cell {
    // SAFETY: a cell is freed a grace period after it was taken out of its leaf; the array was loaded under the guard.
    unsafe { &*((address & ADDRESS) as *const Cell) }
}

/// The words of an array.
#[inline]
fn words(array: &Array) -> &[AtomicU64] {
    // SAFETY: `build` initialised every word, and MaybeUninit<T> is laid out as T.
    unsafe { std::slice::from_raw_parts(array.as_ptr().cast(), array.len()) }
}

/// An array that was loaded under a guard.
#[derive(Clone, Copy)]
struct Cells<'g> {
    words: &'g [AtomicU64],
}

impl<'g> Cells<'g> {
    #[inline]
    fn of(array: Shared<'g, Array>) -> Self {
        // SAFETY: never null; loaded under the guard and retired only once replaced.
        Self { words: words(unsafe { array.with_tag(LIVE).deref() }) }
    }

    /// Words behind the fresh slots: they never change.
    #[inline]
    fn fixed(self) -> &'g [u64] {
        let fixed = &self.words[1 + FRESH..];
        // SAFETY: an AtomicU64 is laid out as a u64, and nobody stores into these once the array is shared.
        unsafe { std::slice::from_raw_parts(fixed.as_ptr().cast(), fixed.len()) }
    }

    #[inline]
    fn skip(self) -> usize {
        // Relaxed: never changes; the Acquire load of the array's pointer made it visible.
        self.words[0].load(Ordering::Relaxed) as usize
    }

    #[inline]
    fn windows(self) -> &'g [u64] {
        let fixed = self.fixed();
        &fixed[..fixed.len() / 2]
    }

    #[inline]
    fn base(self) -> &'g [u64] {
        let fixed = self.fixed();
        &fixed[fixed.len() / 2..]
    }

    #[inline]
    fn fresh_slots(self) -> &'g [AtomicU64] {
        &self.words[1..=FRESH]
    }

    /// The addresses of the fresh cells.
    #[inline]
    fn fresh(self) -> impl Iterator<Item = u64> + 'g {
        // Acquire: pairs with the AcqRel in `add`: the cell is initialised.
        let slots = self.fresh_slots().iter().map(|slot| slot.load(Ordering::Acquire));
        slots.take_while(|&slot| slot > SEALED).map(|slot| slot & ADDRESS)
    }

    /// Where a key is in the base of the leaf that begins with `low`.
    #[inline]
    fn place(self, low: &[u8], key: &[u8], guard: &Guard) -> Place {
        let skip = self.skip();
        let (windows, base) = (self.windows(), self.base());
        if key.len() < skip || key[..skip] != low[..skip] {
            // It is not below `low`, and differs from it in what all others have in common: it is behind them.
            return Place::Vacant(base.len());
        }
        let wanted = window(key, skip);
        let mut at = windows.partition_point(|&window| window < wanted);
        while windows.get(at) == Some(&wanted) {
            match cell_at(base[at], guard).key(guard).cmp(key) {
                std::cmp::Ordering::Less => at += 1,
                std::cmp::Ordering::Equal => return Place::Found(at),
                std::cmp::Ordering::Greater => break,
            }
        }
        Place::Vacant(at)
    }

    /// Puts the cell that `make` makes into the first vacant slot, unless the key is in one before it.
    #[inline]
    fn add(self, key: &[u8], guard: &'g Guard, make: &mut impl FnMut() -> *const Cell) -> Added<'g> {
        let mark = fingerprint(key);
        for slot in self.fresh_slots() {
            schedule_point();
            // Acquire: pairs with the AcqRel below: the cell is initialised.
            let mut found = slot.load(Ordering::Acquire);
            if found == VACANT {
                let wanted = make() as u64 | mark;
                schedule_point();
                // AcqRel: Release publishes the cell to the Acquire loads here and in `fresh`; Acquire as above.
                match slot.compare_exchange(VACANT, wanted, Ordering::AcqRel, Ordering::Acquire) {
                    Ok(_) => return Added::Done,
                    Err(other) => found = other,
                }
            }
            if found == SEALED {
                break;
            }
            if found & !ADDRESS == mark && cell_at(found, guard).key(guard) == key {
                return Added::Present(cell_at(found, guard));
            }
        }
        Added::Full
    }

    /// Sees to it that nothing in the array changes any more.
    fn seal(self) {
        for slot in self.fresh_slots() {
            schedule_point();
            // Acquire: a cell that came first is initialised; nothing is published.
            let _ = slot.compare_exchange(VACANT, SEALED, Ordering::Acquire, Ordering::Acquire);
        }
    }

    /// All cells in key order, with windows, and what these skip.
    fn merged(self, low: &[u8], guard: &'g Guard) -> (usize, Slots) {
        let fresh: SmallVec<[u64; FRESH]> = self.fresh().collect();
        fetch(&fresh, guard);
        let mut fresh: SmallVec<[(&[u8], u64); FRESH]> =
            fresh.into_iter().map(|cell| (cell_at(cell, guard).key(guard), cell)).collect();
        fresh.sort_unstable();
        let old_skip = self.skip();
        let skip = fresh.last().map_or(old_skip, |(last, _)| old_skip.min(common_prefix(low, last)));
        let mut base = self.windows().iter().zip(self.base()).map(|(&old, &cell)| Slot {
            window: if skip == old_skip { old } else { window(cell_at(cell, guard).key(guard), skip) },
            cell: cell as *const Cell,
        });
        let mut slots = Slots::new();
        let mut next = base.next();
        for (key, cell) in fresh {
            let window = window(key, skip);
            while let Some(slot) = next
                && (slot.window < window
                    || slot.window == window && cell_at(slot.cell as u64, guard).key(guard) < key)
            {
                slots.push(slot);
                next = base.next();
            }
            slots.push(Slot { window, cell: cell as *const Cell });
        }
        slots.extend(next);
        slots.extend(base);
        (skip, slots)
    }
}

/// Brings cells and the versions in them near.
fn fetch(cells: &[u64], guard: &Guard) {
    for &cell in cells {
        prefetch(cell as *const Cell);
    }
    for &cell in cells {
        let version = cell_at(cell, guard).load(guard).address() as *const u8;
        prefetch(version);
        prefetch(version.wrapping_add(64));
    }
}

/// Makes an array whose first slot for fresh cells holds `fresh`.
fn build(skip: usize, base: &[Slot], fresh: u64) -> Owned<Array> {
    let mut array = Owned::<Array>::init(1 + FRESH + 2 * base.len());
    let windows = base.iter().map(|slot| slot.window);
    let cells = base.iter().map(|slot| slot.cell as u64);
    let slots = std::iter::once(fresh).chain(std::iter::repeat_n(VACANT, FRESH - 1));
    let words = std::iter::once(skip as u64).chain(slots).chain(windows).chain(cells);
    for (to, word) in array.iter_mut().zip(words) {
        to.write(AtomicU64::new(word));
    }
    array
}

/// Makes the array of a leaf that begins with `low`, out of one part of a leaf that skipped `skip` bytes.
fn part(low: &[u8], skip: usize, slots: &[Slot], guard: &Guard) -> Owned<Array> {
    let (Some(first), Some(last)) = (slots.first(), slots.last()) else {
        return build(low.len(), slots, VACANT);
    };
    let idle = (first.window ^ last.window).leading_zeros() / 8;
    if idle <= IDLE_WINDOW_BYTES_MAX {
        return build(skip, slots, VACANT);
    }
    let key = |slot: &Slot| cell_at(slot.cell as u64, guard).key(guard);
    let skip = common_prefix(low, key(last));
    let anew: Slots = slots.iter().map(|slot| Slot { window: window(key(slot), skip), ..*slot }).collect();
    build(skip, &anew, VACANT)
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

    /// Replaces a sealed array by another; tells whether it did. The old one is retired.
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

    /// Changes the tag of a sealed array; tells whether it did.
    fn tag(&self, array: Shared<'_, Array>, tag: usize, guard: &Guard) -> bool {
        schedule_point();
        let tagged = array.with_tag(tag);
        // AcqRel: as in `replace`; nothing is retired.
        self.array.compare_exchange(array, tagged, Ordering::AcqRel, Ordering::Acquire, guard).is_ok()
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
        leaves.get_or_insert(Leaf::new(b"", build(0, &[], VACANT)), (), &guard).release(&guard);
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
        let mut owned: *const Cell = std::ptr::null();
        let mut cell = || {
            if let Some(make) = make.take() {
                owned = Box::into_raw(make());
            }
            owned
        };
        let found = loop {
            let entry = self.leaf(key, guard);
            let Some((leaf, array)) = self.stable(&entry, guard) else { continue };
            let cells = Cells::of(array);
            let is_last = match cells.place(&leaf.low, key, guard) {
                Place::Found(at) => break cell_at(cells.base()[at], guard),
                Place::Vacant(at) => at == cells.base().len(),
            };
            // Order: the array before the next leaf, or else a split in between is not seen.
            if is_last && Self::is_passed(&entry, key) {
                continue;
            }
            match cells.add(key, guard, &mut cell) {
                Added::Done => return cell_at(cell() as u64, guard),
                Added::Present(other) => break other,
                Added::Full => {}
            }
            let (skip, slots) = cells.merged(&leaf.low, guard);
            if slots.len() > BASE_CELLS_MAX {
                // Why before the last cell where keys come in order: so the leaves that stay behind are full.
                let last = slots.last().map(|slot| cell_at(slot.cell as u64, guard).key(guard));
                leaf.tag(array, if last < Some(key) { TAILED } else { HALVED }, guard);
                continue;
            }
            let new = build(skip, &slots, cell() as u64 | fingerprint(key));
            if leaf.replace(array, new, guard) {
                return cell_at(cell() as u64, guard);
            }
        };
        if !owned.is_null() {
            // SAFETY: owned above, and never in an array that was put in place.
            drop(unsafe { Box::from_raw(owned.cast_mut()) });
        }
        found
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
        let (skip, slots) = Cells::of(array).merged(&leaf.low, guard);
        let middle = if array.tag() == TAILED { slots.len() - 1 } else { slots.len() / 2 };
        let (lower, upper) = slots.split_at(middle);
        let low = cell_at(upper[0].cell as u64, guard).key(guard);
        let upper = Leaf::new(low, part(low, skip, upper, guard));
        self.leaves.get_or_insert(upper, (), guard).release(guard);
        leaf.replace(array, part(&leaf.low, skip, lower, guard), guard);
    }

    /// Takes a cell out. If that leaves its leaf empty, the leaf is condemned, and its lower bound given, for
    /// [`Order::unlink`] a grace period later. The cell is not freed.
    pub fn remove(&self, cell: &Cell, guard: &Guard) -> Option<Vec<u8>> {
        let key = cell.key(guard);
        let address = std::ptr::from_ref(cell);
        loop {
            let entry = self.leaf(key, guard);
            let Some((leaf, array)) = self.stable(&entry, guard) else { continue };
            let cells = Cells::of(array);
            let is_here = match cells.place(&leaf.low, key, guard) {
                Place::Found(at) => cells.base()[at] == address as u64,
                Place::Vacant(at) if at == cells.base().len() && Self::is_passed(&entry, key) => continue,
                Place::Vacant(_) => cells.fresh().any(|fresh| fresh == address as u64),
            };
            if !is_here {
                return None;
            }
            cells.seal();
            let (skip, mut slots) = cells.merged(&leaf.low, guard);
            slots.retain(|slot| !std::ptr::eq(slot.cell, address));
            let empty = slots.is_empty() && !leaf.low.is_empty();
            let rest = build(if slots.is_empty() { leaf.low.len() } else { skip }, &slots, VACANT);
            if empty {
                // Why sealed: an insertion must replace this array to revive the leaf, or else it is lost to `unlink`.
                Cells { words: words(&rest) }.seal();
            }
            if leaf.replace(array, rest.with_tag(if empty { CONDEMNED } else { LIVE }), guard) {
                return empty.then(|| leaf.low.to_vec());
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
            let leaf = entry.key();
            let cells = Cells::of(leaf.load(guard));
            // Order: the array before the next leaf, or else a split in between hides its upper part.
            at = entry.next();
            fetch(cells.base(), guard);
            let (_, slots) = cells.merged(&leaf.low, guard);
            let cell = |slot: &Slot| cell_at(slot.cell as u64, guard);
            let mut visited = &slots[..];
            // Why: the upper part of an array that is being split is also in the next leaf.
            if let Some(next) = &at
                && let Some(last) = visited.last()
                && *cell(last).key(guard) >= next.key().low[..]
            {
                let end = visited.partition_point(|slot| *cell(slot).key(guard) < next.key().low[..]);
                visited = &visited[..end];
            }
            if leaf.low[..] <= *first {
                let is_before = |slot: &Slot| match from {
                    Bound::Included(from) => cell(slot).key(guard) < from,
                    Bound::Excluded(from) => cell(slot).key(guard) <= from,
                    Bound::Unbounded => false,
                };
                visited = &visited[visited.partition_point(is_before)..];
            }
            if !visited.iter().all(|slot| visit(cell(slot))) {
                return;
            }
        }
    }

    /// How many leaves there are, roughly.
    pub fn leaves(&self) -> usize {
        self.leaves.len()
    }

    /// Bytes that a leaf occupies apart from its base, on average: node, fresh slots, allocator's rounding.
    pub const LEAF_BYTES: usize = 96 + 8 * (1 + FRESH);
    /// Bytes that a key occupies: its place in a base and its cell.
    pub const KEY_BYTES: usize = 16 + size_of::<Cell>();
}

impl Drop for Order {
    fn drop(&mut self) {
        let guard = crossbeam_epoch::pin();
        let mut at = self.leaves.front(&guard);
        while let Some(entry) = at {
            let array = entry.key().load(&guard);
            debug_assert!(matches!(array.tag(), LIVE | CONDEMNED), "every split is finished by who began it");
            let cells = Cells::of(array);
            for cell in cells.base().iter().copied().chain(cells.fresh()) {
                // SAFETY: nobody else is inside, and a cell is in one leaf only.
                drop(unsafe { Box::from_raw(cell as *mut Cell) });
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
        assert!(order.leaves() <= 10_000 / (BASE_CELLS_MAX - 1) + 2, "{}", order.leaves());
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
