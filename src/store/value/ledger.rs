//! Who owns the nodes of trees, and frees them.
//!
//! Nodes are not counted. A published tree belongs to one version: the current one of one cell. A writer changes it by
//! making nodes that share others with it, and notes in a ledger what it *made*, what it *replaced* (nodes that its
//! tree no longer has), and which whole trees or parts it *dropped*. Fresh leaves that it replaces are *spare*: the
//! edits at work use them again, so that a command of many changes makes no more leaves than the tree has. So at any
//! moment each node is in exactly one of: a tree that some version of the attempt holds, `replaced`, `spare`, or below
//! `dropped`.
//!
//! What an edit made is *fresh* until the edit ends: it changes in place. Where one attempt runs several commands on a
//! key ([`Ledger::keep_open`]), it stays fresh from one edit to the next, until the ledger is sealed: before the attempt
//! takes effect, or before an edit of what somebody may be looking at.
//!
//! | the attempt | what happens |
//! |---|---|
//! | took effect ([`Ledger::settle_won`]) | what was replaced or dropped is freed, a grace period later: nobody finds it any more |
//! | was lost ([`Ledger::settle_lost`]) | what was made is freed, a grace period later: only the attempt's own reads have seen it |
//!
//! A version that is freed by itself never frees its nodes. Invariant: whoever takes a version with a tree out of its
//! cell has handed the tree's nodes on, to the next version or to the ledger.

use crate::store::retired;
use crate::store::value::collection::Trees;
use crate::store::value::node::{NodePtr, ROUNDED_BYTES_MAX, leaf_bytes};
use crate::store::value::tree::Tree;

/// What an attempt has done to trees.
#[derive(Debug, Default)]
pub struct Ledger {
    made: Vec<NodePtr>,
    replaced: Vec<NodePtr>,
    dropped: Vec<NodePtr>,
    /// By their bytes, in steps of [`SPARE_STEP`]. Invariant: made since the first of the edits at work began, and seen
    /// by nobody; when an edit ends there are none, unless the ledger is open.
    spare: Vec<Vec<NodePtr>>,
    /// Whether what is made stays fresh beyond the edit.
    is_open: bool,
}

const SPARE_STEP: usize = 64;

impl Ledger {
    /// Notes a new node.
    pub(super) fn make(&mut self, node: NodePtr) -> NodePtr {
        self.made.push(node);
        node
    }

    /// Makes a leaf, which is noted; see [`NodePtr::leaf`].
    pub(super) fn make_leaf(&mut self, body: usize, write: impl FnOnce(&mut [u8])) -> NodePtr {
        let size = leaf_bytes(body) / SPARE_STEP;
        // Why not for longer ones: each is of its own size.
        if leaf_bytes(body) <= ROUNDED_BYTES_MAX
            && let Some(node) = self.spare.get_mut(size).and_then(Vec::pop)
        {
            // SAFETY: of this size; what is spare is seen by nobody.
            unsafe { node.refill(body, write) };
            return node;
        }
        self.make(NodePtr::leaf(body, write))
    }

    /// Notes a node that its tree no longer has, and that is read no more if it is fresh.
    pub(super) fn replace(&mut self, node: NodePtr) {
        if node.is_fresh() && node.level() == 0 && node.bytes() <= ROUNDED_BYTES_MAX {
            let size = node.bytes() / SPARE_STEP;
            if self.spare.len() <= size {
                self.spare.resize_with(ROUNDED_BYTES_MAX / SPARE_STEP + 1, Vec::new);
            }
            self.spare[size].push(node);
        } else {
            self.replaced.push(node);
        }
    }

    /// Notes a node that its tree no longer has, with all below it.
    pub(super) fn drop_below(&mut self, node: NodePtr) {
        self.dropped.push(node);
    }

    /// Notes a tree that no version has any more.
    pub fn drop_tree(&mut self, tree: Tree) {
        self.dropped.push(tree.root);
    }

    /// Notes the trees of a collection that no version has any more.
    pub fn drop_trees(&mut self, trees: Trees) {
        self.drop_tree(trees.main);
        if let Some(second) = trees.second {
            self.drop_tree(second);
        }
    }

    /// How many nodes were made so far: a mark for [`Ledger::freeze`].
    pub(super) fn mark(&self) -> usize {
        self.made.len()
    }

    /// From here on, what edits make stays fresh until [`Ledger::seal`]. There is no way back ([`Ledger::roll_back`])
    /// from what changes in place: an attempt that would need it is given up.
    pub fn keep_open(&mut self) {
        self.is_open = true;
    }

    /// Says that nothing that was made so far ever changes again.
    pub fn seal(&mut self) {
        if self.is_open {
            self.freeze_all(0);
        }
    }

    /// Says that what was made since `mark` never changes again, unless it is to stay fresh.
    pub(super) fn freeze(&mut self, mark: usize) {
        if !self.is_open {
            self.freeze_all(mark);
        }
    }

    fn freeze_all(&mut self, mark: usize) {
        self.spare.drain(..).for_each(|mut nodes| self.replaced.append(&mut nodes));
        for node in &self.made[mark..] {
            // SAFETY: made by this attempt, which has published nothing yet.
            unsafe { node.freeze() };
        }
    }

    /// The state to which [`Ledger::roll_back`] goes back.
    pub fn savepoint(&self) -> Savepoint {
        Savepoint { made: self.made.len(), replaced: self.replaced.len(), dropped: self.dropped.len() }
    }

    /// Takes back what was done since `savepoint`: whatever tree was made is not used.
    pub fn roll_back(&mut self, savepoint: Savepoint) {
        debug_assert!(!self.is_open, "what changed in place cannot be taken back");
        // Why not kept: each is among those that were made.
        self.spare.clear();
        self.replaced.truncate(savepoint.replaced);
        self.dropped.truncate(savepoint.dropped);
        // Why kept: they are freed when the attempt ends, however it does.
        self.replaced.extend_from_slice(&self.made[savepoint.made..]);
    }

    /// Takes back everything: whatever trees were made are not used, and none is replaced or dropped.
    pub fn restart(&mut self) {
        self.roll_back(Savepoint { made: 0, replaced: 0, dropped: 0 });
    }

    /// The attempt has taken effect: frees what it took out of the published trees. Gives the trees that are to be freed
    /// whole, which may take long: [`Dropped::free`] does it, after a grace period.
    ///
    /// # Safety
    /// The versions that had these nodes were just replaced in their cells by those of the attempt.
    #[must_use]
    pub unsafe fn settle_won(&mut self) -> Vec<Dropped> {
        self.made.clear();
        for node in self.replaced.drain(..) {
            let (start, layout) = node.allocation();
            // SAFETY: nobody who pins from now on finds the node, as the caller says; it is in the ledger once.
            unsafe { retired::retire_allocation(start, layout) };
        }
        self.dropped.drain(..).map(Dropped).collect()
    }

    /// Frees at once what was replaced or dropped.
    ///
    /// # Safety
    /// Nobody but the caller has seen the trees.
    pub unsafe fn settle_unseen(&mut self) {
        self.made.clear();
        // SAFETY: as the caller says; each is in the ledger once.
        unsafe {
            self.replaced.drain(..).for_each(|node| node.free());
            self.dropped.drain(..).for_each(|node| node.free_whole());
        }
    }

    /// The attempt is lost: frees what it made.
    pub fn settle_lost(&mut self) {
        self.spare.clear();
        self.replaced.clear();
        self.dropped.clear();
        for node in self.made.drain(..) {
            let (start, layout) = node.allocation();
            // SAFETY: nothing of the attempt was published, so only its own reads have seen the node; those are pinned.
            unsafe { retired::retire_allocation(start, layout) };
        }
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.settle_lost();
    }
}

/// A state of a ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Savepoint {
    made: usize,
    replaced: usize,
    dropped: usize,
}

/// A tree or a part of one that nobody finds any more.
#[derive(Debug)]
pub struct Dropped(NodePtr);

impl Dropped {
    /// Frees it; takes time proportional to its size.
    ///
    /// # Safety
    /// A grace period has passed since [`Ledger::settle_won`] gave it.
    pub unsafe fn free(self) {
        // SAFETY: nobody finds it any more, and whoever had found it is gone.
        unsafe { self.0.free_whole() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;
    use crate::store::value::draft::{Built, Desk, SortedDraft};
    use crate::store::value::limits::Limits;

    #[test]
    fn many_changes_at_once_make_few_nodes() {
        let mut ledger = Ledger::default();
        let desk = Desk::new(Millis(0), Limits::default(), &mut ledger);
        let mut draft = SortedDraft::new(None, desk);
        for step in 0..20_000_u32 {
            draft.put(format!("member:{:05}", step % 2000).as_bytes(), f64::from(step * 7919 % 1000));
        }
        let built = draft.finish().built;
        let made = ledger.mark();
        assert!(made < 1000, "{made} nodes were made for some two hundred");
        let Some(Built::Trees { trees, .. }) = built else { panic!("2000 members are not packed") };
        // SAFETY: nobody else has the trees.
        unsafe {
            ledger.settle_unseen();
            trees.main.root.free_whole();
            trees.second.expect("a tree of members").root.free_whole();
        }
    }
}
