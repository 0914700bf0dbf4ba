//! A list that is being changed.

use crate::store::value::block::BlockBuf;
use crate::store::value::collection::{Collection, ListRef, Type};
use crate::store::value::draft::{Body, Damaged, DeltaRef, Desk, Draft, Outcome, packed_bytes};
use crate::store::value::form::Form;

/// A list that is being changed.
#[derive(Debug)]
pub struct ListDraft<'l>(Draft<'l>);

impl<'l> ListDraft<'l> {
    /// Begins with `old`, or an empty list.
    pub fn new(old: Option<ListRef<'_>>, desk: Desk<'l>) -> Self {
        Self(Draft::new(old.map(Collection::List), Form::Element, Form::Element, desk))
    }

    /// How many elements there are.
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An element.
    pub fn get(&self, index: u64) -> Option<&[u8]> {
        self.0.get(index)
    }

    /// Replaces `remove` elements from `index` on by others. O(log n + m).
    ///
    /// # Panics
    /// When there are not so many.
    pub fn splice(&mut self, index: u64, remove: u64, insert: &[&[u8]]) {
        if remove == 0 && insert.is_empty() {
            return;
        }
        self.0.splice(index, remove, insert);
        self.0.note_splice(index, remove, insert);
        self.fit();
    }

    /// Appends elements.
    pub fn push_back(&mut self, elements: &[&[u8]]) {
        self.splice(self.len(), 0, elements);
    }

    /// Puts elements before the first, each before the one that it follows here.
    pub fn push_front(&mut self, elements: &[&[u8]]) {
        let reversed: Vec<&[u8]> = elements.iter().rev().copied().collect();
        self.splice(0, 0, &reversed);
    }

    /// Takes the form that suits the size.
    fn fit(&mut self) {
        let limit = self.0.limits.list;
        match &self.0.body {
            Body::Packed(block) if !limit.allows(block.len(), packed_bytes(block), 1) => {
                self.0.grow(Form::Element);
            }
            Body::Packed(_) => {}
            Body::Trees { main, .. } => {
                let Some(tree) = main.read() else { return };
                // Why half: a list at the limit would change its form with each command.
                if !limit.allows(tree.len() as usize, tree.handle().bytes() as usize, 2) {
                    return;
                }
                let mut block = BlockBuf::default();
                let mut place = tree.at(0);
                while let Some(element) = place.next() {
                    block.push(element);
                }
                self.0.ledger.drop_tree(tree.handle());
                self.0.body = Body::Packed(block);
            }
        }
    }

    /// Repeats a change that was logged.
    pub(super) fn replay(&mut self, delta: DeltaRef<'_>) -> Result<(), Damaged> {
        let DeltaRef::Splice { index, remove, insert } = delta else { return Err(Damaged) };
        if index.checked_add(remove).is_none_or(|end| end > self.len()) {
            return Err(Damaged);
        }
        let insert: Vec<&[u8]> = insert.iter().collect();
        self.splice(index, remove, &insert);
        Ok(())
    }

    /// Ends the draft.
    pub fn finish(self) -> Outcome {
        self.0.finish(Type::List, false, false)
    }
}
