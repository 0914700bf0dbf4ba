//! A sorted set that is being changed.

use crate::store::value::collection::{Collection, SortedRef, Type};
use crate::store::value::draft::{Body, Damaged, DeltaRef, Desk, Draft, Outcome, build, packed_bytes, place};
use crate::store::value::edit::TreeEdit;
use crate::store::value::form::{Form, compare_scored, score_rank, scored, write_scored};

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
        match &self.draft.body {
            Body::Packed(block) => block.iter().map(scored).find(|one| one.1 == member).map(|one| one.0),
            Body::Trees { second, .. } => {
                let tree = second.as_ref()?;
                let at = place(tree, Form::Scored, member).ok()?;
                tree.read()?.get(at).map(|entry| scored(entry).0)
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
        let old = self.score(member);
        let changed = |new: &f64| old.is_none_or(|old| old.to_bits() != new.to_bits());
        let Some(score) = decide(old).filter(changed) else { return old };
        if let Some(old) = old {
            self.draft.splice(self.rank(old, member), 1, &[]);
        }
        let mut entry = std::mem::take(&mut self.entry);
        write_scored(score, member, &mut entry);
        self.draft.splice(self.rank(score, member), 0, &[&entry]);
        if let Body::Trees { second: Some(second), .. } = &mut self.draft.body {
            let (at, remove) = place(second, Form::Scored, member).map_or_else(|at| (at, 0), |at| (at, 1));
            second.splice(at, remove, &[&entry], self.draft.ledger);
        }
        self.draft.note_upsert(&entry);
        self.entry = entry;
        self.fit(member.len());
        old
    }

    /// Removes a member; gives the score that it had. O(log n).
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let score = self.score(member)?;
        self.draft.splice(self.rank(score, member), 1, &[]);
        self.forget(member);
        Some(score)
    }

    /// Removes `count` members from a rank on. O(log n) each.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn remove_ranks(&mut self, rank: u64, count: u64) {
        let members: Vec<Vec<u8>> =
            (rank..rank + count).filter_map(|rank| self.at(rank)).map(|one| one.1.to_vec()).collect();
        self.draft.splice(rank, count, &[]);
        for member in &members {
            self.forget(member);
        }
    }

    /// Takes a member out of the second tree, and notes that it is gone.
    fn forget(&mut self, member: &[u8]) {
        if let Body::Trees { second: Some(second), .. } = &mut self.draft.body
            && let Ok(at) = place(second, Form::Scored, member)
        {
            second.splice(at, 1, &[], self.draft.ledger);
        }
        self.draft.note_remove(member);
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
