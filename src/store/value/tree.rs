//! A large collection: a counted B+tree of packed leaves, which writers change by copying paths.
//!
//! All leaves are at one level, none is empty. Inner nodes know how many entries are below each child, so an entry is
//! found by its position in O(log n), and an entry's position by a search. Every reader sees one whole state: that of
//! the root it has.
//!
//! A [`Tree`] is a handle to a root, as it lies in a version; a [`TreeRef`] one that may be read.

use std::marker::PhantomData;

use smallvec::SmallVec;

use crate::store::value::block::Block;
use crate::store::value::node::NodePtr;

/// Children of nodes up to this level are fetched whole before they are searched: those of the levels above are few, and
/// so in the cache.
const PREFETCHED_BELOW: u8 = 2;

/// The root of a tree, and what is known of it. Who owns the nodes is said by [`super::ledger`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tree {
    /// Its root.
    pub(crate) root: NodePtr,
    /// Entries: at least one.
    pub(crate) len: u64,
    /// Bytes of all nodes.
    pub(crate) bytes: u64,
}

impl Tree {
    /// The tree, to be read.
    ///
    /// # Safety
    /// Its nodes stay allocated and unchanged for `'g`.
    #[inline]
    pub unsafe fn read<'g>(self) -> TreeRef<'g> {
        TreeRef { tree: self, life: PhantomData }
    }

    /// Bytes of all nodes.
    pub fn bytes(self) -> u64 {
        self.bytes
    }
}

/// A tree that stays as it is for `'g`.
#[derive(Clone, Copy, Debug)]
pub struct TreeRef<'g> {
    tree: Tree,
    life: PhantomData<&'g ()>,
}

impl<'g> TreeRef<'g> {
    /// How many entries there are.
    #[inline]
    pub fn len(&self) -> u64 {
        self.tree.len
    }

    /// Never: an empty collection has no key.
    pub fn is_empty(&self) -> bool {
        self.tree.len == 0
    }

    /// The handle.
    pub(crate) fn handle(&self) -> Tree {
        self.tree
    }

    /// The place before the entry at `index`, or behind the last.
    ///
    /// # Panics
    /// When there are fewer entries.
    pub fn at(&self, index: u64) -> Cursor<'g> {
        assert!(index <= self.len(), "a place in the tree");
        let mut path = Path::new();
        let (mut node, mut left) = (self.tree.root, index);
        // SAFETY: `'g` keeps all nodes below the root, and levels above 0 are inner nodes.
        unsafe {
            while node.level() > 0 {
                let slots = node.slots();
                let mut at = 0;
                while left >= slots[at].len && at + 1 < slots.len() {
                    left -= slots[at].len;
                    at += 1;
                }
                path.push((node, at as u16));
                node = slots[at].child;
            }
            Cursor { path, block: node.block(), at: left as usize, life: PhantomData }
        }
    }

    /// How many entries there are before the first for which `is_before` is false, and the place before that. It is
    /// false of all behind; true of all whose prefix ([`super::form::Form::prefix`]) is smaller than `prefix`, and false
    /// of all whose prefix is larger.
    pub fn search(&self, prefix: u64, is_before: impl Fn(&[u8]) -> bool) -> (u64, Cursor<'g>) {
        let mut path = Path::new();
        let (mut node, mut index) = (self.tree.root, 0);
        // SAFETY: as in `at`.
        unsafe {
            while node.level() > 0 {
                let slots = node.slots();
                // The last child whose first entry is before, or the first child.
                let before = slots[1..].partition_point(|slot| {
                    slot.prefix < prefix || slot.prefix == prefix && is_before(slot.child.first())
                });
                index += slots[..before].iter().map(|slot| slot.len).sum::<u64>();
                path.push((node, before as u16));
                if node.level() <= PREFETCHED_BELOW {
                    slots[before].prefetch();
                }
                node = slots[before].child;
            }
            let block = node.block();
            let at = block.partition(&is_before);
            let mut cursor = Cursor { path, block, at, life: PhantomData };
            cursor.settle();
            (index + at as u64, cursor)
        }
    }

    /// Brings near what searches for entries with these prefixes will look at, a level of the tree after the other: all at
    /// once, where each search by itself waits at each level. Worth it where the tree is not near already.
    pub(super) fn fetch(&self, prefixes: &[u64]) {
        let root = self.tree.root;
        if root.level() < PREFETCHED_BELOW {
            return;
        }
        let mut nodes: SmallVec<[NodePtr; 32]> = SmallVec::from_elem(root, prefixes.len());
        for level in (1..=root.level()).rev() {
            for (node, &prefix) in nodes.iter_mut().zip(prefixes) {
                // SAFETY: as in `at`.
                let slots = unsafe { node.slots() };
                let next = &slots[slots[1..].partition_point(|slot| slot.prefix <= prefix)];
                if level <= PREFETCHED_BELOW {
                    next.prefetch();
                }
                *node = next.child;
            }
        }
    }

    /// The leaves, in order.
    pub(super) fn leaves(&self) -> impl Iterator<Item = Block<'g>> + use<'g> {
        let mut next = Some(self.at(0));
        std::iter::from_fn(move || {
            let cursor = next.as_mut()?;
            let block = cursor.block;
            if !cursor.next_leaf() {
                next = None;
            }
            Some(block)
        })
    }

    /// The entry at `index`.
    pub fn get(&self, index: u64) -> Option<&'g [u8]> {
        (index < self.len()).then(|| self.at(index).next()).flatten()
    }
}

type Path = SmallVec<[(NodePtr, u16); 8]>;

/// A place between two entries of a tree, or before the first, or behind the last.
#[derive(Clone, Debug)]
pub struct Cursor<'g> {
    /// From the root down: inner nodes, and which child was taken.
    path: Path,
    block: Block<'g>,
    at: usize,
    life: PhantomData<&'g ()>,
}

impl<'g> Cursor<'g> {
    /// The entry behind the place.
    #[inline]
    pub fn peek(&mut self) -> Option<&'g [u8]> {
        self.settle();
        (self.at < self.block.len()).then(|| self.block.get(self.at))
    }

    /// The entry behind the place; goes past it.
    #[inline]
    #[expect(
        clippy::should_implement_trait,
        reason = "a cursor goes both ways; see `Forward` and `Backward`"
    )]
    pub fn next(&mut self) -> Option<&'g [u8]> {
        let entry = self.peek()?;
        self.at += 1;
        Some(entry)
    }

    /// The entry before the place; goes before it.
    #[inline]
    pub fn prev(&mut self) -> Option<&'g [u8]> {
        if self.at == 0 && !self.turn(|_, at| at.checked_sub(1), |len| len - 1) {
            return None;
        }
        self.at -= 1;
        Some(self.block.get(self.at))
    }

    /// From behind the last entry of a leaf to before the first of the next.
    #[inline]
    fn settle(&mut self) {
        if self.at == self.block.len() {
            self.next_leaf();
        }
    }

    /// Goes before the first entry of the next leaf; tells whether there is one.
    fn next_leaf(&mut self) -> bool {
        let turned = self.turn(|len, at| Some(at + 1).filter(|&at| at < len), |_| 0);
        if turned {
            self.at = 0;
        }
        turned
    }

    /// Goes to a neighbouring leaf, behind its last entry; tells whether there is one. `step` gives the child to take
    /// instead of the one taken so far, `edge` the one to take below that.
    #[cold]
    fn turn(&mut self, step: impl Fn(usize, usize) -> Option<usize>, edge: impl Fn(usize) -> usize) -> bool {
        // SAFETY: `'g` keeps all nodes of the tree; the path has inner nodes only.
        unsafe {
            let turning =
                self.path.iter().rposition(|&(node, at)| step(node.slots().len(), usize::from(at)).is_some());
            let Some(depth) = turning else { return false };
            self.path.truncate(depth + 1);
            let (node, at) = self.path[depth];
            let Some(next) = step(node.slots().len(), usize::from(at)) else { return false };
            self.path[depth].1 = next as u16;
            let mut node = node.slots()[next].child;
            while node.level() > 0 {
                let at = edge(node.slots().len());
                self.path.push((node, at as u16));
                node = node.slots()[at].child;
            }
            self.block = node.block();
            self.at = self.block.len();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::builder::Builder;
    use super::super::form::Form;
    use super::super::ledger::Ledger;

    fn numbers(count: u64) -> Vec<[u8; 8]> {
        (0..count).map(u64::to_be_bytes).collect()
    }

    #[test]
    fn every_entry_is_found_by_position_and_by_search_and_on_the_way() {
        for count in [1, 2, 40, 1000, 50_000] {
            let entries = numbers(count);
            let mut ledger = Ledger::default();
            let mut builder = Builder::new(Form::Element);
            for entry in &entries {
                builder.push(entry, &mut ledger);
            }
            let tree = builder.finish(&mut ledger).unwrap();
            // SAFETY: freed below.
            let read = unsafe { tree.read() };
            assert_eq!(read.len(), count);
            let (mut forth, mut back) = (read.at(0), read.at(count));
            for (at, entry) in (0_u64..).zip(&entries) {
                assert_eq!(read.get(at), Some(&entry[..]));
                assert_eq!(forth.next(), Some(&entry[..]));
                assert_eq!(back.prev(), Some(&entries[(count - 1 - at) as usize][..]));
                let (index, mut cursor) = read.search(0, |other| other < &entry[..]);
                assert_eq!((index, cursor.peek()), (at, Some(&entry[..])));
                assert_eq!(cursor.prev(), at.checked_sub(1).map(|before| &entries[before as usize][..]));
            }
            assert_eq!((forth.next(), back.prev(), read.get(count)), (None, None, None));
            let joined = super::super::seq::Seq::Tree(read).to_block();
            let joined = super::super::block::Block::parse(&joined).unwrap();
            assert!(joined.iter().eq(entries.iter().map(|entry| &entry[..])));
            assert_eq!(read.search(0, |_| true).0, count);
            // SAFETY: nobody else has the tree.
            unsafe {
                ledger.settle_unseen();
                tree.root.free_whole();
            }
        }
    }
}
