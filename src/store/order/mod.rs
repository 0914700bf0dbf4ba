//! The cells of a keyspace in key order: a skiplist of small leaves.
//!
//! A leaf covers the keys from its `low` up to the next leaf's; there is always one that begins with the empty key. Its
//! cells lie in an array: a *base* in key order, which does not change, and a few slots for *fresh* cells, which fill
//! one after the other, in no order. So most insertions are a search and one CAS, and copy nothing; a key costs 16 bytes
//! here instead of a skiplist node, and a walk finds its cells side by side. Beside each cell of the base the array has
//! a *window* of its key (`window.rs`); beside each fresh cell a fingerprint of the key. Only where these are equal are the
//! keys themselves compared, which lie far away. The leaf of a key is found by *signposts*, which are a hint, or by the
//! skiplist.
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
//! | [`Order::survey`] | one caller at a time; waits for a grace period | none: a hint changes |

mod cells;
mod leaf;
mod signposts;
#[cfg(test)]
mod tests;
mod window;

use std::ops::Bound;
use std::sync::atomic::Ordering;

use crossbeam_epoch::{Atomic, Guard, Owned, Shared, default_collector};
use crossbeam_skiplist::base::{Entry, SkipList};
use smallvec::SmallVec;

use crate::store::cell::Cell;
use crate::store::grace;
use crate::store::order::cells::{
    Added, Array, BASE_CELLS_MAX, CONDEMNED, Cells, FRESH, GONE, HALVED, LIVE, Slot, TAILED, VACANT, build,
    cell_at, fetch_array, fetch_cells, fetch_versions, fingerprint, part, words,
};
use crate::store::order::leaf::Leaf;
pub use crate::store::order::signposts::Post;
use crate::store::order::signposts::Signposts;
use crate::sync::schedule_point;

/// Fewer leaves than this get no signposts. Under the model checker a few are enough, or else it would need many keys.
const SIGNPOSTED_LEAVES_MIN: usize = if cfg!(feature = "shuttle") { 3 } else { 16 };

/// The cells of a keyspace in key order. It owns the cells that are in it.
pub struct Order {
    /// Why boxed: the signposts refer to it.
    leaves: Box<SkipList<Leaf, ()>>,
    /// Null where there are few leaves.
    signposts: Atomic<Signposts>,
}

type LeafEntry<'g> = Entry<'g, 'g, Leaf, ()>;

/// Where a key is, or would be.
struct Located<'g> {
    /// The leaf that covers it.
    leaf: &'g Leaf,
    /// That leaf's array: it takes insertions and removals, and can be replaced once it is sealed.
    array: Shared<'g, Array>,
    /// As [`Cells::place`].
    place: Result<usize, usize>,
}

/// A leaf that a walk comes to.
struct Stop<'g> {
    entry: LeafEntry<'g>,
    leaf: &'g Leaf,
    cells: Cells<'g>,
}

impl<'g> Stop<'g> {
    fn new(entry: LeafEntry<'g>, guard: &'g Guard) -> Self {
        let leaf = entry.key();
        let cells = Cells::of(leaf.load(guard));
        fetch_cells(cells.all());
        Self { entry, leaf, cells }
    }

    /// The one behind it. Order: the array was loaded before, or else a split in between hides its upper part.
    fn next(&self, guard: &'g Guard) -> Option<Self> {
        self.entry.next().map(|entry| Self::new(entry, guard))
    }
}

impl Default for Order {
    fn default() -> Self {
        let leaves = Box::new(SkipList::new(default_collector().clone()));
        let guard = crossbeam_epoch::pin();
        leaves.get_or_insert(Leaf::new(b"", build(0, &[], VACANT)), (), &guard).release(&guard);
        Self { leaves, signposts: Atomic::null() }
    }
}

impl Order {
    fn entry<'g>(&'g self, key: &[u8], guard: &'g Guard) -> LeafEntry<'g> {
        let found = self.leaves.upper_bound(Bound::Included(key), guard);
        found.expect("the first leaf begins with the empty key and stays")
    }

    #[inline]
    fn signposts<'g>(&self, guard: &'g Guard) -> Option<&'g Signposts> {
        // SAFETY: freed a grace period after they were replaced.
        // Acquire: pairs with the AcqRel in `survey`: they are initialised.
        unsafe { self.signposts.load(Ordering::Acquire, guard).as_ref() }
    }

    /// Finds the leaf that covers a key, which may have been led to `post` before; on the way, helps with what is under
    /// way there.
    #[inline]
    fn locate<'g>(&'g self, key: &[u8], post: Post, guard: &'g Guard) -> Located<'g> {
        // Why not behind the last cell: whether the key belongs to a later leaf, a signpost cannot tell.
        if let Some(signposts) = self.signposts(guard)
            && let Some(leaf) = signposts.lead(key, post)
            && let Some(array) = self.stable(leaf, guard)
            && let cells = Cells::of(array)
            && let place = cells.place(&leaf.low, key, guard)
            && place != Err(cells.base().len())
        {
            return Located { leaf, array, place };
        }
        loop {
            let entry = self.entry(key, guard);
            let leaf = entry.key();
            let Some(array) = self.stable(leaf, guard) else {
                if leaf.load(guard).tag() == GONE {
                    entry.remove();
                }
                continue;
            };
            let cells = Cells::of(array);
            let place = cells.place(&leaf.low, key, guard);
            // Order: the array before the next leaf, or else a split in between is not seen.
            let is_passed = || entry.next().is_some_and(|next| next.key().low[..] <= *key);
            if place != Err(cells.base().len()) || !is_passed() {
                return Located { leaf, array, place };
            }
        }
    }

    /// Brings near what inserting some keys will look at, and notes the posts that lead there. At most 64 keys.
    #[inline]
    pub fn prefetch<'k>(&self, keys: &mut [(&'k [u8], &'k mut Post)], guard: &Guard) {
        let Some(signposts) = self.signposts(guard) else { return };
        let mut groups = SmallVec::<[_; 64]>::new();
        groups.extend(keys.iter().map(|(key, _)| signposts.group(key)));
        let mut leaves = SmallVec::<[_; 64]>::new();
        for ((key, post), group) in keys.iter_mut().zip(groups) {
            **post = group.and_then(|group| signposts.post(group, key)).unwrap_or_default();
            leaves.extend(signposts.leaf(**post));
        }
        for leaf in &leaves {
            leaf.fetch();
        }
        for leaf in leaves {
            fetch_array(leaf.load(guard));
        }
    }

    /// Finds the cell of a key, or puts in the one that `make` makes. `post` is where [`Order::prefetch`] has led to for
    /// the same key, or the default.
    pub fn find_or_insert<'g>(
        &'g self,
        key: &[u8],
        post: Post,
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
            let Located { leaf, array, place } = self.locate(key, post, guard);
            let cells = Cells::of(array);
            if let Ok(at) = place {
                break cell_at(cells.base()[at], guard);
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
    fn stable<'g>(&'g self, leaf: &'g Leaf, guard: &'g Guard) -> Option<Shared<'g, Array>> {
        let array = leaf.load(guard);
        fetch_array(array);
        match array.tag() {
            LIVE | CONDEMNED => return Some(array),
            GONE => {}
            _ => self.finish_split(leaf, array, guard),
        }
        None
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
            let Located { leaf, array, place } = self.locate(key, Post::default(), guard);
            let cells = Cells::of(array);
            let is_here = match place {
                Ok(at) => cells.base()[at] == address as u64,
                Err(_) => cells.fresh().any(|fresh| fresh == address as u64),
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
        let mut at = Some(Stop::new(self.entry(first, guard), guard));
        let mut ahead = at.as_ref().and_then(|at| at.next(guard));
        while let Some(Stop { leaf, cells, .. }) = at {
            // Why so far ahead: array, cells and versions lie behind one another, far apart. While one leaf is visited, the
            // cells of the next but one are on their way, and the versions of the next.
            let farther = ahead.as_ref().and_then(|ahead| ahead.next(guard));
            if let Some(ahead) = &ahead {
                fetch_versions(ahead.cells.all(), guard);
            }
            (at, ahead) = (ahead, farther);
            let (_, slots) = cells.merged(&leaf.low, guard);
            let cell = |slot: &Slot| cell_at(slot.cell as u64, guard);
            let mut visited = &slots[..];
            // Why: the upper part of an array that is being split is also in the next leaf.
            if let Some(next) = &at
                && let Some(last) = visited.last()
                && *cell(last).key(guard) >= next.leaf.low[..]
            {
                let end = visited.partition_point(|slot| *cell(slot).key(guard) < next.leaf.low[..]);
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

    /// Puts up signposts anew if many leaves came or went. One caller at a time; it then blocks for a grace period.
    pub fn survey(&self) {
        let leaves = self.leaves.len();
        let wanted = if leaves < SIGNPOSTED_LEAVES_MIN { 0 } else { leaves };
        let posts = self.signposts(&crossbeam_epoch::pin()).map_or(0, Signposts::len);
        if wanted.abs_diff(posts) <= posts / 8 {
            return;
        }
        // SAFETY: boxed, and dropped after the signposts, which are the only ones to keep this.
        let list: &'static SkipList<Leaf, ()> = unsafe { &*std::ptr::from_ref(&*self.leaves) };
        let new = (wanted > 0).then(|| Owned::new(Signposts::survey(list)));
        let old = {
            let guard = crossbeam_epoch::pin();
            let new = new.map_or(Shared::null(), |new| new.into_shared(&guard));
            schedule_point();
            // AcqRel: Release publishes them to the Acquire in `signposts`; Acquire pairs with it for the old ones.
            self.signposts.swap(new, Ordering::AcqRel, &guard).as_raw() as usize
        };
        if old != 0 {
            grace::wait();
            // SAFETY: made by `Owned`, taken out of the only place that leads there, and all who saw them there are gone.
            Signposts::release(*unsafe { Owned::from_raw(old as *mut Signposts) }.into_box());
        }
    }

    /// How many leaves there are, roughly.
    pub fn leaves(&self) -> usize {
        self.leaves.len()
    }

    /// Bytes that a leaf occupies apart from its base, on average: node, fresh slots, allocator's rounding, signpost.
    pub const LEAF_BYTES: usize = 96 + 8 * (1 + FRESH) + Signposts::POST_BYTES;
    /// Bytes that a key occupies: its place in a base and its cell.
    pub const KEY_BYTES: usize = 16 + size_of::<Cell>();
}

impl Drop for Order {
    fn drop(&mut self) {
        // SAFETY: nobody else is inside, and they are freed only where they are replaced.
        if let Some(signposts) = unsafe { std::mem::take(&mut self.signposts).try_into_owned() } {
            signposts.into_box().release();
        }
        let guard = crossbeam_epoch::pin();
        let mut at = self.leaves.front(&guard);
        while let Some(entry) = at {
            let array = entry.key().load(&guard);
            debug_assert!(matches!(array.tag(), LIVE | CONDEMNED), "every split is finished by who began it");
            let cells = Cells::of(array);
            for cell in cells.all() {
                // SAFETY: nobody else is inside, and a cell is in one leaf only.
                drop(unsafe { Box::from_raw(cell as *mut Cell) });
            }
            at = entry.next();
        }
    }
}
