//! A sorted set that is being changed.

use crate::store::value::block::BlockBuf;
use crate::store::value::builder::Builder;
use crate::store::value::collection::{Collection, SortedRef, Type, is_before};
use crate::store::value::draft::{Body, Damaged, DeltaRef, Desk, Draft, Outcome, build, packed_bytes, place};
use crate::store::value::edit::TreeEdit;
use crate::store::value::form::{Form, compare_scored, key_hash, score_rank, scored, write_scored};
use crate::store::value::tree::Cursor;

/// Where more than one in so many members go at once, the second tree is made anew: nearly every leaf would be.
const REBUILT_PART: u64 = 32;

/// A sorted set that is being changed.
#[derive(Debug)]
pub struct SortedDraft<'l> {
    draft: Draft<'l>,
    entry: Vec<u8>,
}

impl<'l> SortedDraft<'l> {
    /// Begins with `old`, or an empty set.
    pub fn new(old: Option<SortedRef<'_>>, desk: Desk<'l>) -> Self {
        let draft = Draft::new(old.map(Collection::SortedSet), Form::Ranked, Form::Scored, desk);
        Self { draft, entry: Vec::new() }
    }

    /// How many members there are.
    pub fn len(&self) -> u64 {
        self.draft.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Score and member at a rank.
    pub fn at(&self, rank: u64) -> Option<(f64, &[u8])> {
        self.draft.get(rank).map(scored)
    }

    /// A member's score. O(log n), or of a packed set O(n).
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.find(member).0
    }

    /// A member's score, and its index, or where it belongs, in the second tree.
    fn find(&self, member: &[u8]) -> (Option<f64>, u64) {
        match &self.draft.body {
            Body::Packed(block) => {
                let found = block.iter().map(scored).find(|one| one.1 == member);
                (found.map(|one| one.0), 0)
            }
            Body::Trees { second, .. } => {
                let Some(tree) = second.as_ref().and_then(TreeEdit::read) else { return (None, 0) };
                let hash = key_hash(member);
                let (index, mut cursor) =
                    tree.search(hash, |entry| is_before(Form::Scored, entry, hash, member));
                (cursor.peek().map(scored).filter(|one| one.1 == member).map(|one| one.0), index)
            }
        }
    }

    /// How many members come before this score and member.
    fn rank(&self, score: f64, member: &[u8]) -> u64 {
        let is_before = |entry: &[u8]| compare_scored(scored(entry), (score, member)).is_lt();
        match &self.draft.body {
            Body::Packed(block) => block.partition(is_before) as u64,
            Body::Trees { main, .. } => {
                main.read().map_or(0, |tree| tree.search(score_rank(score), is_before).0)
            }
        }
    }

    /// Gives a member a score; gives the score that it had. O(log n).
    pub fn put(&mut self, member: &[u8], score: f64) -> Option<f64> {
        self.update(member, |_| Some(score))
    }

    /// Gives a member the score that `decide` makes of the one that it has, or leaves it as it is; gives the score that
    /// it had. O(log n).
    pub fn update(&mut self, member: &[u8], decide: impl FnOnce(Option<f64>) -> Option<f64>) -> Option<f64> {
        let (old, index) = self.find(member);
        let changed = |new: &f64| old.is_none_or(|old| old.to_bits() != new.to_bits());
        let Some(score) = decide(old).filter(changed) else { return old };
        let mut entry = std::mem::take(&mut self.entry);
        write_scored(score, member, &mut entry);
        self.rank_anew(old, score, member, &entry);
        if let Body::Trees { second: Some(second), .. } = &mut self.draft.body {
            second.splice(index, u64::from(old.is_some()), &[&entry], self.draft.ledger);
        }
        self.draft.note_upsert(&entry);
        self.entry = entry;
        self.fit(member.len());
        old
    }

    /// Puts a member's entry where its score belongs, and takes it from where the old one did.
    fn rank_anew(&mut self, old: Option<f64>, score: f64, member: &[u8], entry: &[u8]) {
        let to = self.rank(score, member);
        let Some(from) = old.map(|old| self.rank(old, member)) else {
            return self.draft.splice(to, 0, &[entry]);
        };
        if to == from || to == from + 1 {
            // Why: it stays between the same neighbours, so one path is copied and not two.
            return self.draft.splice(from, 1, &[entry]);
        }
        self.draft.splice(from, 1, &[]);
        self.draft.splice(if to > from { to - 1 } else { to }, 0, &[entry]);
    }

    /// Removes a member; gives the score that it had. O(log n).
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let (score, index) = self.find(member);
        self.draft.splice(self.rank(score?, member), 1, &[]);
        if let Body::Trees { second: Some(second), .. } = &mut self.draft.body {
            second.splice(index, 1, &[], self.draft.ledger);
        }
        self.draft.note_remove(member);
        score
    }

    /// Removes `count` members from a rank on. O(log n) each, and never more than O(n log n) together.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn remove_ranks(&mut self, rank: u64, count: u64) {
        if count == 0 {
            return;
        }
        let mut gone = BlockBuf::default();
        match &self.draft.body {
            Body::Packed(block) => (rank..rank + count).for_each(|at| gone.push(block.get(at as usize))),
            Body::Trees { main, .. } => {
                let mut place = main.read().map(|tree| tree.at(rank));
                let entries = std::iter::from_fn(|| place.as_mut().and_then(Cursor::next));
                entries.take(count as usize).for_each(|entry| gone.push(entry));
            }
        }
        self.draft.splice(rank, count, &[]);
        let mut gone: Vec<&[u8]> = gone.iter().map(|entry| scored(entry).1).collect();
        for member in &gone {
            self.draft.note_remove(member);
        }
        self.forget(&mut gone);
    }

    /// Takes members out of the second tree, where the first has lost them.
    fn forget(&mut self, gone: &mut [&[u8]]) {
        let Body::Trees { main, second: Some(second) } = &mut self.draft.body else { return };
        let ledger = &mut *self.draft.ledger;
        if main.is_empty() {
            return second.splice(0, second.len(), &[], ledger);
        }
        // Why in order: neighbours share the path that is copied for them.
        gone.sort_by_cached_key(|member| (key_hash(member), *member));
        if (gone.len() as u64) < second.len() / REBUILT_PART {
            for member in gone {
                if let Ok(at) = place(second, Form::Scored, member) {
                    second.splice(at, 1, &[], ledger);
                }
            }
            return;
        }
        let Some(old) = second.read() else { return };
        let mut builder = Builder::new(Form::Scored);
        let (mut entries, mut gone) = (old.at(0), gone.iter().peekable());
        while let Some(entry) = entries.next() {
            if gone.next_if(|gone| **gone == scored(entry).1).is_none() {
                builder.push(entry, ledger);
            }
        }
        ledger.drop_tree(old.handle());
        let tree = builder.finish(ledger);
        *second = TreeEdit::new(Form::Scored, tree, ledger);
    }

    fn fit(&mut self, added_bytes: usize) {
        let Body::Packed(block) = &self.draft.body else { return };
        if self.draft.limits.sorted_set.allows(block.len(), added_bytes, packed_bytes(block)) {
            return;
        }
        let mut entries: Vec<&[u8]> = block.iter().collect();
        let members = build(&mut entries, Form::Scored, self.draft.ledger);
        self.draft.grow(Form::Ranked);
        if let Body::Trees { second, .. } = &mut self.draft.body {
            *second = Some(TreeEdit::new(Form::Scored, members, self.draft.ledger));
        }
    }

    /// Repeats a change that was logged.
    pub(super) fn replay(&mut self, delta: DeltaRef<'_>) -> Result<(), Damaged> {
        match delta {
            DeltaRef::Upsert(entries) => {
                for entry in entries.iter() {
                    if entry.len() < size_of::<f64>() || scored(entry).0.is_nan() {
                        return Err(Damaged);
                    }
                    let (score, member) = scored(entry);
                    self.put(member, score);
                }
            }
            DeltaRef::Remove(members) => members.iter().for_each(|member| _ = self.remove(member)),
            DeltaRef::Splice { .. } => return Err(Damaged),
        }
        Ok(())
    }

    /// Ends the draft.
    pub fn finish(self) -> Outcome {
        self.draft.finish(Type::SortedSet, false, false)
    }
}
