//! A set that is being changed.

use crate::store::value::collection::{Collection, SetRef, Type};
use crate::store::value::draft::{
    Body, Damaged, DeltaRef, Desk, Draft, Outcome, packed_bytes, place, place_packed,
};
use crate::store::value::form::Form;
use crate::store::version::canonical_int;

/// A set that is being changed.
#[derive(Debug)]
pub struct SetDraft<'l> {
    draft: Draft<'l>,
    /// All members are integers, in their order, in one block.
    is_ints: bool,
}

impl<'l> SetDraft<'l> {
    /// Begins with `old`, or an empty set.
    pub fn new(old: Option<SetRef<'_>>, desk: Desk<'l>) -> Self {
        let is_ints = old.is_none_or(|old| old.is_ints);
        Self { draft: Draft::new(old.map(Collection::Set), Form::Member, Form::Member, desk), is_ints }
    }

    /// How many members there are.
    pub fn len(&self) -> u64 {
        self.draft.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A member by its position, which means nothing.
    pub fn at(&self, index: u64) -> Option<&[u8]> {
        self.draft.get(index)
    }

    fn place(&self, member: &[u8]) -> Result<u64, u64> {
        match &self.draft.body {
            Body::Trees { main, .. } => place(main, Form::Member, member),
            Body::Packed(block) if self.is_ints => {
                let Some(number) = canonical_int(member) else { return Err(block.len() as u64) };
                let at = block.partition(|other| canonical_int(other).is_some_and(|other| other < number));
                if at < block.len() && block.get(at) == member { Ok(at as u64) } else { Err(at as u64) }
            }
            Body::Packed(block) => place_packed(block, Form::Member, member),
        }
    }

    /// Whether it is a member.
    pub fn contains(&self, member: &[u8]) -> bool {
        self.place(member).is_ok()
    }

    /// Adds a member; tells whether it was none. O(log n).
    pub fn add(&mut self, member: &[u8]) -> bool {
        let Err(at) = self.place(member) else { return false };
        if self.is_ints && canonical_int(member).is_none() {
            self.is_ints = false;
        }
        self.draft.splice(at, 0, &[member]);
        self.draft.note_upsert(member);
        self.fit(member.len());
        true
    }

    /// Removes a member; tells whether it was one. O(log n).
    pub fn remove(&mut self, member: &[u8]) -> bool {
        let Ok(at) = self.place(member) else { return false };
        self.draft.splice(at, 1, &[]);
        self.draft.note_remove(member);
        true
    }

    fn fit(&mut self, added_bytes: usize) {
        let limits = &self.draft.limits;
        let Body::Packed(block) = &self.draft.body else { return };
        let fits = if self.is_ints {
            block.len() <= limits.ints
        } else {
            limits.set.allows(block.len(), added_bytes, packed_bytes(block))
        };
        if !fits {
            self.is_ints = false;
            self.draft.grow(Form::Member);
        }
    }

    /// Repeats a change that was logged.
    pub(super) fn replay(&mut self, delta: DeltaRef<'_>) -> Result<(), Damaged> {
        match delta {
            DeltaRef::Upsert(members) => members.iter().for_each(|member| _ = self.add(member)),
            DeltaRef::Remove(members) => members.iter().for_each(|member| _ = self.remove(member)),
            DeltaRef::Splice { .. } => return Err(Damaged),
        }
        Ok(())
    }

    /// Ends the draft.
    pub fn finish(self) -> Outcome {
        self.draft.finish(Type::Set, self.is_ints, false)
    }
}
