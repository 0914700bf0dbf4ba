//! Building a tree from its entries in order.

use smallvec::SmallVec;

use crate::store::value::block::{BlockBuf, block_bytes, write};
use crate::store::value::edit::{LEAF_BYTES_MAX, LEAF_ENTRIES_MAX, inner_nodes};
use crate::store::value::form::Form;
use crate::store::value::ledger::Ledger;
use crate::store::value::node::{NodePtr, Slot};
use crate::store::value::tree::Tree;

/// A tree that grows at its end.
#[derive(Debug)]
pub struct Builder {
    form: Form,
    mark: Option<usize>,
    leaf: BlockBuf,
    leaves: Vec<Slot>,
}

impl Builder {
    /// A tree without entries.
    pub fn new(form: Form) -> Self {
        Self { form, mark: None, leaf: BlockBuf::default(), leaves: Vec::new() }
    }

    /// Appends an entry, which belongs behind all others.
    pub fn push(&mut self, entry: &[u8], ledger: &mut Ledger) {
        let bytes = block_bytes(self.leaf.len() + 1, self.leaf.data_bytes() + entry.len());
        if !self.leaf.is_empty() && (bytes > LEAF_BYTES_MAX || self.leaf.len() == LEAF_ENTRIES_MAX) {
            self.end_leaf(ledger);
        }
        self.leaf.push(entry);
    }

    fn end_leaf(&mut self, ledger: &mut Ledger) {
        self.mark.get_or_insert(ledger.mark());
        let node = {
            let entries: SmallVec<[&[u8]; 64]> = self.leaf.iter().collect();
            let data_bytes = self.leaf.data_bytes();
            let body = block_bytes(entries.len(), data_bytes);
            ledger.make(NodePtr::leaf(body, |out| write(&entries, data_bytes, out)))
        };
        // SAFETY: just made.
        self.leaves.push(unsafe { node.as_slot(self.form) });
        self.leaf.clear();
    }

    /// The tree; none without entries.
    pub fn finish(mut self, ledger: &mut Ledger) -> Option<Tree> {
        if !self.leaf.is_empty() {
            self.end_leaf(ledger);
        }
        let mut slots = self.leaves;
        while slots.len() > 1 {
            slots = inner_nodes(&slots, self.form, ledger).into_vec();
        }
        ledger.freeze(self.mark?);
        slots.pop().map(|root| Tree { root: root.child, len: root.len, bytes: root.bytes })
    }
}
