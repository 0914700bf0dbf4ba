//! Changing a tree by copying the path to what changes.
//!
//! One operation does it all: a *splice* replaces a run of entries by others. It copies the leaves at the run's edges
//! and the inner nodes above them, and drops what lies between whole. Nodes that this edit has made already are
//! changed in place: nobody else has seen them.
//!
//! Leaves and inner nodes that a splice leaves small are merged with a neighbour where both fit into one node. So of two
//! neighbours one at least is a quarter full, and the height stays O(log n).

use smallvec::{SmallVec, smallvec};

use crate::store::value::block::{Block, block_bytes, write, write_spliced};
use crate::store::value::form::Form;
use crate::store::value::ledger::Ledger;
use crate::store::value::node::{HEADER_BYTES, NodePtr, ROUNDED_BYTES_MAX, SLOTS_MAX, Slot};
use crate::store::value::tree::{Tree, TreeRef};

/// A leaf's block is at most so long, unless it holds a single entry: with the node's header it fills an allocation.
pub(super) const LEAF_BYTES_MAX: usize = ROUNDED_BYTES_MAX - HEADER_BYTES;
/// A leaf has at most so many entries.
pub(super) const LEAF_ENTRIES_MAX: usize = 128;
/// A smaller leaf is merged with a neighbour, if both together are not larger than [`LEAF_BYTES_MERGED`].
const LEAF_BYTES_MIN: usize = LEAF_BYTES_MAX / 4;
const LEAF_BYTES_MERGED: usize = LEAF_BYTES_MAX / 4 * 3;
/// The same of inner nodes.
const SLOTS_MIN: usize = SLOTS_MAX / 4;
const SLOTS_MERGED: usize = SLOTS_MAX / 4 * 3;

type Slots = SmallVec<[Slot; 4]>;
type Entries<'e> = SmallVec<[&'e [u8]; 160]>;

/// Where an overfull leaf is cut.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// Into equal parts.
    Evenly,
    /// The first parts full: what comes next will be behind.
    AtEnd,
    /// The last parts full: what comes next will be before.
    AtStart,
}

/// A tree at work.
#[derive(Debug)]
pub struct TreeEdit {
    form: Form,
    tree: Option<Tree>,
    mark: usize,
}

impl TreeEdit {
    /// Begins to change `tree`, or one without entries.
    pub fn new(form: Form, tree: Option<Tree>, ledger: &Ledger) -> Self {
        Self { form, tree, mark: ledger.mark() }
    }

    /// How many entries there are.
    pub fn len(&self) -> u64 {
        self.tree.map_or(0, |tree| tree.len)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tree.is_none()
    }

    /// The tree as it is now; none without entries.
    pub fn read(&self) -> Option<TreeRef<'_>> {
        // SAFETY: the edit owns its nodes or has them from a version that its attempt keeps; they change only
        // through `&mut self`.
        self.tree.map(|tree| unsafe { tree.read() })
    }

    /// Ends the edit: the tree never changes again.
    pub fn finish(self, ledger: &mut Ledger) -> Option<Tree> {
        ledger.freeze(self.mark);
        self.tree
    }

    /// Replaces `remove` entries from `index` on by others.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn splice(&mut self, index: u64, remove: u64, insert: &[&[u8]], ledger: &mut Ledger) {
        assert!(index + remove <= self.len(), "a run of entries");
        if remove == 0 && insert.is_empty() {
            return;
        }
        let mut work = Splice { form: self.form, ledger };
        let mut slots = match self.tree {
            None => work.leaves(insert, Cut::Evenly),
            Some(tree) if remove == tree.len && insert.is_empty() => {
                work.ledger.drop_below(tree.root);
                Slots::new()
            }
            Some(tree) => {
                // Why no prefix: a root's is never asked for.
                let root = Slot { child: tree.root, len: tree.len, prefix: 0, bytes: tree.bytes };
                work.node(root, index, remove, insert)
            }
        };
        while slots.len() > 1 {
            slots = inner_nodes(&slots, self.form, work.ledger);
        }
        self.tree = slots.pop().map(|slot| work.without_chain(slot));
    }
}

struct Splice<'l> {
    form: Form,
    ledger: &'l mut Ledger,
}

impl Splice<'_> {
    /// Splices below a node; gives the nodes of the same level that take its place.
    fn node(&mut self, slot: Slot, index: u64, remove: u64, insert: &[&[u8]]) -> Slots {
        if slot.child.level() == 0 {
            self.leaf(slot, index, remove, insert)
        } else {
            self.inner(slot, index, remove, insert)
        }
    }

    fn leaf(&mut self, old: Slot, index: u64, remove: u64, insert: &[&[u8]]) -> Slots {
        let node = old.child;
        // SAFETY: the node is of the edit's tree; what it had is freed only when the attempt has ended.
        let block = unsafe { node.block() };
        let (start, end) = (index as usize, (index + remove) as usize);
        if let Some(slot) = self.whole_leaf(old.prefix, block, start, remove as usize, insert) {
            self.ledger.replace(node);
            return smallvec![slot];
        }
        let mut entries = Entries::with_capacity(block.len() + insert.len() - remove as usize);
        entries.extend((0..start).map(|at| block.get(at)));
        entries.extend_from_slice(insert);
        entries.extend((end..block.len()).map(|at| block.get(at)));
        let cut = match (start, end == block.len()) {
            (_, true) if start > 0 => Cut::AtEnd,
            (0, false) if remove == 0 => Cut::AtStart,
            _ => Cut::Evenly,
        };
        let slots = self.leaves(&entries, cut);
        self.ledger.replace(node);
        slots
    }

    /// The one leaf that a splice of a leaf with this prefix and block makes, if it makes one.
    fn whole_leaf(
        &mut self,
        prefix: u64,
        block: Block<'_>,
        at: usize,
        remove: usize,
        insert: &[&[u8]],
    ) -> Option<Slot> {
        let count = block.len() - remove + insert.len();
        let removed: usize = (at..at + remove).map(|at| block.get(at).len()).sum();
        let inserted: usize = insert.iter().map(|entry| entry.len()).sum();
        let bytes = block_bytes(count, block.data_bytes() - removed + inserted);
        if count == 0 || count > 1 && (bytes > LEAF_BYTES_MAX || count > LEAF_ENTRIES_MAX) {
            return None;
        }
        let child = self.ledger.make_leaf(bytes, |out| write_spliced(block, at, remove, insert, out));
        if at == 0 {
            // SAFETY: just made.
            return Some(unsafe { child.as_slot(self.form) });
        }
        Some(Slot { child, len: count as u64, prefix, bytes: child.bytes() as u64 })
    }

    /// Makes leaves of `entries`.
    fn leaves(&mut self, entries: &[&[u8]], cut: Cut) -> Slots {
        let data: usize = entries.iter().map(|entry| entry.len()).sum();
        let bytes = block_bytes(entries.len(), data);
        if entries.is_empty() {
            return Slots::new();
        }
        if entries.len() == 1 || bytes <= LEAF_BYTES_MAX && entries.len() <= LEAF_ENTRIES_MAX {
            return smallvec![self.new_leaf(entries, data)];
        }
        let parts = bytes.div_ceil(LEAF_BYTES_MAX).max(entries.len().div_ceil(LEAF_ENTRIES_MAX));
        let (bytes_max, entries_max) = match cut {
            Cut::Evenly => (bytes.div_ceil(parts).min(LEAF_BYTES_MAX), entries.len().div_ceil(parts)),
            Cut::AtEnd | Cut::AtStart => (LEAF_BYTES_MAX, LEAF_ENTRIES_MAX),
        };
        let mut slots = Slots::new();
        let mut rest = entries;
        while !rest.is_empty() {
            let part;
            if cut == Cut::AtStart {
                let take = fitting(rest.iter().rev(), bytes_max, entries_max);
                (rest, part) = rest.split_at(rest.len() - take);
            } else {
                let take = fitting(rest.iter(), bytes_max, entries_max);
                (part, rest) = rest.split_at(take);
            }
            slots.push(self.new_leaf(part, part.iter().map(|entry| entry.len()).sum()));
        }
        if cut == Cut::AtStart {
            slots.reverse();
        }
        slots
    }

    fn new_leaf(&mut self, entries: &[&[u8]], data_bytes: usize) -> Slot {
        let bytes = block_bytes(entries.len(), data_bytes);
        let node = self.ledger.make_leaf(bytes, |out| write(entries, data_bytes, out));
        // SAFETY: just made.
        unsafe { node.as_slot(self.form) }
    }

    fn inner(&mut self, old: Slot, index: u64, remove: u64, insert: &[&[u8]]) -> Slots {
        let node = old.child;
        // SAFETY: as in `leaf`; the slots are copied before they change.
        let slots = unsafe { node.slots() };
        let (first, local) = child_at(slots, index, remove);
        let (fresh, end) = self.children(slots, first, local, remove, insert);
        // Why only of these: what is beside them has not become smaller, and to look at it means to wait for it.
        let may_merge = fresh.is_empty() || fresh.iter().any(is_small);
        if let [one] = fresh[..]
            && end == first + 1
            && !may_merge
        {
            let was = slots[first];
            // SAFETY: of the edit's tree; a fresh node was made by this attempt, and the slots above are not used any
            // more.
            let child = unsafe {
                if node.is_fresh() {
                    node.set_slot(first, one);
                    node
                } else {
                    self.ledger.replace(node);
                    self.ledger.make(node.with_slot(first, one))
                }
            };
            let prefix = if first == 0 { one.prefix } else { old.prefix };
            let (len, bytes) = (old.len - was.len + one.len, old.bytes - was.bytes + one.bytes);
            return smallvec![Slot { child, len, prefix, bytes }];
        }
        let mut all: SmallVec<[Slot; SLOTS_MAX + 4]> = SmallVec::with_capacity(slots.len() + fresh.len());
        all.extend_from_slice(&slots[..first]);
        all.extend_from_slice(&fresh);
        all.extend_from_slice(&slots[end..]);
        if may_merge {
            self.merge_small(&mut all, first.saturating_sub(1), first + fresh.len());
        }
        self.ledger.replace(node);
        if all.is_empty() { Slots::new() } else { inner_nodes(&all, self.form, self.ledger) }
    }

    /// Splices the children from `first` on; gives those that take their place, and the index of the first that stays.
    fn children(
        &mut self,
        slots: &[Slot],
        first: usize,
        local: u64,
        remove: u64,
        insert: &[&[u8]],
    ) -> (Slots, usize) {
        let here = remove.min(slots[first].len - local);
        let mut fresh = if here == slots[first].len && insert.is_empty() {
            self.ledger.drop_below(slots[first].child);
            Slots::new()
        } else {
            self.node(slots[first], local, here, insert)
        };
        let mut left = remove - here;
        let mut end = first + 1;
        while left > 0 {
            let slot = slots[end];
            if left >= slot.len {
                self.ledger.drop_below(slot.child);
                left -= slot.len;
            } else {
                fresh.extend(self.node(slot, 0, left, &[]));
                left = 0;
            }
            end += 1;
        }
        (fresh, end)
    }

    /// Merges small nodes between `from` and `to` (and one behind) with their neighbours.
    fn merge_small(&mut self, slots: &mut SmallVec<[Slot; SLOTS_MAX + 4]>, from: usize, to: usize) {
        let mut at = from;
        let mut to = to;
        while at < to && at + 1 < slots.len() {
            let pair = [slots[at], slots[at + 1]];
            let merged = if pair.iter().any(is_small) { self.merged(pair) } else { None };
            if let Some(merged) = merged {
                slots[at] = merged;
                slots.remove(at + 1);
                to -= 1;
            } else {
                at += 1;
            }
        }
    }

    /// One node instead of two neighbours, if it does not become too large.
    fn merged(&mut self, [a, b]: [Slot; 2]) -> Option<Slot> {
        // SAFETY: both are of the edit's tree, and freed only when the attempt has ended.
        let node = unsafe {
            if a.child.level() == 0 {
                let (left, right) = (a.child.block(), b.child.block());
                let data = left.data_bytes() + right.data_bytes();
                let count = left.len() + right.len();
                if block_bytes(count, data) > LEAF_BYTES_MERGED || count > LEAF_ENTRIES_MAX {
                    return None;
                }
                let entries: Entries<'_> = left.iter().chain(right.iter()).collect();
                self.ledger.make_leaf(block_bytes(count, data), |out| write(&entries, data, out))
            } else {
                let (left, right) = (a.child.slots(), b.child.slots());
                if left.len() + right.len() > SLOTS_MERGED {
                    return None;
                }
                let slots: SmallVec<[Slot; SLOTS_MAX]> = left.iter().chain(right).copied().collect();
                self.ledger.make(NodePtr::inner(&slots))
            }
        };
        self.ledger.replace(a.child);
        self.ledger.replace(b.child);
        // SAFETY: just made of nodes of the tree.
        Some(unsafe { node.as_slot(self.form) })
    }

    /// The tree below a root; inner nodes with a single child are left out.
    fn without_chain(&mut self, root: Slot) -> Tree {
        let mut root = root;
        while root.child.level() > 0
            // SAFETY: a node of the edit's tree.
            && let [only] = unsafe { root.child.slots() }
        {
            self.ledger.replace(root.child);
            root = *only;
        }
        Tree { root: root.child, len: root.len, bytes: root.bytes }
    }
}

/// Makes inner nodes above `slots`, as few as can be, equally full.
pub(super) fn inner_nodes(slots: &[Slot], form: Form, ledger: &mut Ledger) -> Slots {
    let parts = slots.len().div_ceil(SLOTS_MAX).max(1);
    let each = slots.len().div_ceil(parts);
    let node = |part: &[Slot]| {
        let node = ledger.make(NodePtr::inner(part));
        // SAFETY: just made.
        unsafe { node.as_slot(form) }
    };
    slots.chunks(each).map(node).collect()
}

/// The child in which a splice begins, and the index in it. What is only inserted goes behind what is there.
fn child_at(slots: &[Slot], index: u64, remove: u64) -> (usize, u64) {
    let mut local = index;
    for (at, slot) in slots.iter().enumerate() {
        if local < slot.len || local == slot.len && (remove == 0 || at + 1 == slots.len()) {
            return (at, local);
        }
        local -= slot.len;
    }
    unreachable!("the index is inside")
}

/// How many of the entries fit a leaf: at least one.
fn fitting<'e>(entries: impl Iterator<Item = &'e &'e [u8]>, bytes_max: usize, entries_max: usize) -> usize {
    let (mut count, mut data) = (0, 0);
    for entry in entries.take(entries_max) {
        data += entry.len();
        if count > 0 && block_bytes(count + 1, data) > bytes_max {
            break;
        }
        count += 1;
    }
    count
}

fn is_small(slot: &Slot) -> bool {
    if slot.child.level() == 0 {
        slot.child.bytes() < LEAF_BYTES_MIN
    } else {
        slot.child.bytes() < SLOTS_MIN * size_of::<Slot>()
    }
}
