//! A hash that is being changed.

use crate::clock::Millis;
use crate::store::value::block::BlockBuf;
use crate::store::value::collection::{Collection, HashRef, Type};
use crate::store::value::draft::{
    Body, Damaged, DeltaRef, Desk, Draft, Outcome, build, packed_bytes, place, place_packed,
};
use crate::store::value::edit::TreeEdit;
use crate::store::value::form::{Due, FieldRef, Form};

/// A hash that is being changed. A field whose time has come is not there.
#[derive(Debug)]
pub struct HashDraft<'l> {
    draft: Draft<'l>,
    now: Millis,
    may_expire: bool,
    entry: Vec<u8>,
}

/// What setting a field did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldSet {
    /// It is new.
    Added,
    /// It was there.
    Replaced,
}

impl<'l> HashDraft<'l> {
    /// Begins with `old`, or an empty hash.
    pub fn new(old: Option<HashRef<'_>>, desk: Desk<'l>) -> Self {
        let may_expire = old.is_some_and(|old| old.may_expire);
        let now = desk.now;
        let draft = Draft::new(old.map(Collection::Hash), Form::Field, Form::Due, desk);
        Self { draft, now, may_expire, entry: Vec::new() }
    }

    /// How many fields there are, those included whose time has come but that nobody removed yet.
    pub fn len(&self) -> u64 {
        self.draft.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn place(&self, field: &[u8]) -> Result<u64, u64> {
        match &self.draft.body {
            Body::Trees { main, .. } => place(main, Form::Field, field),
            Body::Packed(block) => place_packed(block, Form::Field, field),
        }
    }

    /// A field. O(log n), or of a packed hash O(n).
    pub fn get(&self, field: &[u8]) -> Option<FieldRef<'_>> {
        let at = self.place(field).ok()?;
        self.draft.get(at).map(FieldRef::of).filter(|field| !field.is_over(self.now))
    }

    /// Sets a field, and when it ends to be. O(log n).
    pub fn set(&mut self, field: &[u8], value: &[u8], expiry: Option<Millis>) -> FieldSet {
        let place = self.place(field);
        let old = place.ok().and_then(|at| self.draft.get(at)).map(FieldRef::of);
        let (old_expiry, was_there) =
            (old.and_then(|old| old.expiry), old.is_some_and(|old| !old.is_over(self.now)));
        let mut entry = std::mem::take(&mut self.entry);
        FieldRef { field, value, expiry }.write(&mut entry);
        let (at, remove) = place.map_or_else(|at| (at, 0), |at| (at, 1));
        self.draft.splice(at, remove, &[&entry]);
        self.draft.note_upsert(&entry);
        self.entry = entry;
        self.may_expire |= expiry.is_some();
        self.plan(field, old_expiry, expiry);
        self.fit(field.len().max(value.len()));
        if was_there { FieldSet::Replaced } else { FieldSet::Added }
    }

    /// Changes when a field ends to be; tells whether it is there. O(log n).
    pub fn set_expiry(&mut self, field: &[u8], expiry: Option<Millis>) -> bool {
        let Some(value) = self.get(field).map(|found| found.value.to_vec()) else { return false };
        self.set(field, &value, expiry);
        true
    }

    /// Deletes a field that is there; tells whether it was. One whose time has come stays for the thread that removes
    /// such, which tells of it. O(log n).
    pub fn delete(&mut self, field: &[u8]) -> bool {
        self.take_out(field, false)
    }

    /// Removes a field, also one whose time has come; tells whether it was there. O(log n).
    pub fn remove(&mut self, field: &[u8]) -> bool {
        self.take_out(field, true)
    }

    fn take_out(&mut self, field: &[u8], over_too: bool) -> bool {
        let Ok(at) = self.place(field) else { return false };
        let Some(old) = self.draft.get(at).map(FieldRef::of) else { return false };
        let (expiry, was_there) = (old.expiry, !old.is_over(self.now));
        if !was_there && !over_too {
            return false;
        }
        self.draft.splice(at, 1, &[]);
        self.draft.note_remove(field);
        self.plan(field, expiry, None);
        was_there
    }

    /// Keeps the tree of what expires.
    fn plan(&mut self, field: &[u8], old: Option<Millis>, new: Option<Millis>) {
        let Body::Trees { second, .. } = &mut self.draft.body else { return };
        if old == new {
            return;
        }
        let ledger = &mut *self.draft.ledger;
        let tree = second.get_or_insert_with(|| TreeEdit::new(Form::Due, None, ledger));
        let place = |tree: &TreeEdit, due: Due<'_>| {
            tree.read().map_or(0, |read| read.search(due.at.0, |entry| Due::of(entry) < due).0)
        };
        if let Some(at) = old {
            let index = place(tree, Due { at, field });
            tree.splice(index, 1, &[], ledger);
        }
        if let Some(at) = new {
            let due = Due { at, field };
            let index = place(tree, due);
            due.write(&mut self.entry);
            tree.splice(index, 0, &[&self.entry], ledger);
        }
    }

    fn fit(&mut self, longest: usize) {
        let Body::Packed(block) = &self.draft.body else { return };
        if self.draft.limits.hash.allows(block.len(), longest, packed_bytes(block)) {
            return;
        }
        let due = self.may_expire.then(|| due_entries(block.iter()));
        self.draft.grow(Form::Field);
        if let (Some(due), Body::Trees { second, .. }) = (due, &mut self.draft.body) {
            let mut entries: Vec<&[u8]> = due.iter().collect();
            let tree = build(&mut entries, Form::Due, self.draft.ledger);
            *second = tree.map(|tree| TreeEdit::new(Form::Due, Some(tree), self.draft.ledger));
        }
    }

    /// Repeats a change that was logged.
    pub(super) fn replay(&mut self, delta: DeltaRef<'_>) -> Result<(), Damaged> {
        // Why: what the change found is not told by the time at which it is repeated.
        self.now = Millis(0);
        match delta {
            DeltaRef::Upsert(entries) => {
                for entry in entries.iter() {
                    let FieldRef { field, value, expiry } = FieldRef::parse(entry).ok_or(Damaged)?;
                    self.set(field, value, expiry);
                }
            }
            DeltaRef::Remove(fields) => fields.iter().for_each(|field| _ = self.remove(field)),
            DeltaRef::Splice { .. } => return Err(Damaged),
        }
        Ok(())
    }

    /// Ends the draft.
    pub fn finish(self) -> Outcome {
        let may_expire = match &self.draft.body {
            Body::Packed(block) => {
                self.may_expire && block.iter().any(|entry| FieldRef::of(entry).expiry.is_some())
            }
            Body::Trees { .. } => false,
        };
        self.draft.finish(Type::Hash, false, may_expire)
    }
}

/// What of these fields expires, as entries of their tree.
pub(super) fn due_entries<'e>(fields: impl Iterator<Item = &'e [u8]>) -> BlockBuf {
    let mut due = BlockBuf::default();
    let mut entry = Vec::new();
    for FieldRef { field, expiry, .. } in fields.map(FieldRef::of) {
        if let Some(at) = expiry {
            Due { at, field }.write(&mut entry);
            due.push(&entry);
        }
    }
    due
}
