//! One attempt at several commands that a connection sent together.
//!
//! Commands that one read of a connection brought are answered together, so nobody is told what lies between them. Where
//! several in a row are about one key, they run in one attempt: the key is looked up once, gets one new version, and the
//! log one record with what all of them changed. A large collection is changed in place meanwhile, as far as the attempt
//! itself has made its nodes; so it costs a path that commands have in common once. And where several connections write
//! one key, they are in each other's way once for each batch, and not for each command.
//!
//! | | |
//! |---|---|
//! | a command fails, with nothing changed | its reply is an error, the group goes on |
//! | a command fails, and has changed something | the group is *spoiled*: nothing takes effect, and the caller runs it again in parts |
//! | another writer was faster | nothing takes effect; the group runs again |
//!
//! What a command has read of the attempt's own version would change under it. So each runs in a closure of its own
//! that gets the attempt for a lifetime that it does not choose ([`Group::command`]): nothing that it read outlives it.
//! What it reads itself is not changed in place until it has ended: an edit seals first what has been shown.

use crate::engine::batch::Batch;
use crate::engine::txn::{Change, Live, Lookups, Txn};
use crate::engine::{DbIndex, Engine, EngineError};
use crate::store::keyspace::Wanted;
use crate::store::value::draft::{Delta, Outcome};
use crate::store::value::ledger::{Ledger, Savepoint};
use crate::store::version::ValueRef;

/// How an attempt at several commands goes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct GroupState {
    /// Versions that it put in the place of another, of its own or of one with trees.
    pub rewrites: u32,
    /// Commands that wrote.
    pub changes: i64,
    /// What a command changed cannot be taken back.
    is_spoiled: bool,
    /// Another writer was seen to be faster.
    is_lost: bool,
}

/// An attempt at several commands about one key.
pub struct Group<'t, 'g> {
    txn: &'t mut Txn<'g>,
}

/// A command changed something and failed.
struct Spoiled;

impl Batch<'_> {
    /// Runs several commands about one key until they take effect together. `f` runs each with [`Group::command`], and
    /// may run several times. None if nothing took effect, because one of them failed and had changed something.
    /// `wanted` is what is known of the key already, as the first command names it.
    ///
    /// # Errors
    /// As [`Batch::run`].
    pub fn run_group<R>(
        &mut self,
        wanted: Option<&Wanted<'_>>,
        mut f: impl FnMut(&mut Group<'_, '_>) -> R,
    ) -> Result<Option<R>, EngineError> {
        let result = self.run_for(wanted, |txn| {
            txn.group = Some(GroupState::default());
            let result = f(&mut Group { txn });
            if txn.group.is_some_and(|group| group.is_spoiled) { Err(Spoiled) } else { Ok(result) }
        })?;
        Ok(result.ok())
    }
}

impl Group<'_, '_> {
    /// Runs one of the commands. If it fails it has changed nothing, or the group is spoiled.
    ///
    /// # Errors
    /// The command's own.
    #[inline]
    pub fn command<R, E>(&mut self, f: impl FnOnce(&mut Txn<'_>) -> Result<R, E>) -> Result<R, E> {
        let before = self.writes();
        let result = f(self.txn);
        // Why: whatever was shown, `f` was good for any lifetime, so nothing of that is left.
        for write in self.txn.accesses.iter_mut().filter_map(|access| access.write.as_mut()) {
            write.shown = false;
        }
        let wrote = self.writes() != before;
        if let Some(group) = &mut self.txn.group
            && wrote
        {
            group.changes += 1;
            group.is_spoiled |= result.is_err();
        }
        result
    }

    /// Brings near what commands about these fields or members of a key's collection will look at.
    pub fn fetch<'k>(&mut self, db: DbIndex, key: &[u8], members: impl Iterator<Item = &'k [u8]>) {
        let at = self.txn.access(db, key);
        let live = self.txn.accesses[at].current();
        if let Some(live) = live.and_then(|version| Engine::live(version, self.txn.now(), self.txn.guard))
            && let ValueRef::Collection(collection) = live.value
        {
            collection.read().fetch(members);
        }
    }

    /// What is another after each write. Why so: a plain write of a key that the attempt has not written counts nothing.
    fn writes(&self) -> (usize, u32) {
        let written = self.txn.accesses.iter().filter(|access| access.write.is_some()).count();
        (written, self.txn.group.map_or(0, |group| group.rewrites))
    }

    /// Whether to go on: not where nothing will take effect, because the group is spoiled, or another writer was faster.
    #[inline]
    pub fn goes_on(&mut self) -> bool {
        let [access] = &self.txn.accesses[..] else { return !self.is_spoiled() };
        let changed = access.found.is_some_and(|found| found.cell.load(self.txn.guard) != found.word);
        if changed && let Some(group) = &mut self.txn.group {
            group.is_lost = true;
            return false;
        }
        !self.is_spoiled()
    }

    /// Whether nothing takes effect, because the last command failed and had changed something.
    pub fn is_spoiled(&self) -> bool {
        self.txn.group.is_some_and(|group| group.is_spoiled)
    }

    /// Keys that were looked for so far.
    pub fn lookups(&self) -> Lookups {
        self.txn.lookups
    }
}

impl<'g> Txn<'g> {
    /// Looks at a key for an edit, which ends to look before it writes.
    #[inline]
    pub(super) fn edited_live(&mut self, at: usize) -> Option<Live<'g>> {
        if self.group.is_none() {
            return self.live(at);
        }
        Engine::live(self.accesses[at].current()?, self.now(), self.guard)
    }

    /// Begins to change a collection; gives what the attempt has changed of it before, where that is logged together.
    #[inline]
    pub(super) fn begin_edit(&mut self, at: usize, is_there: bool, ledger: &mut Ledger) -> Vec<Delta> {
        if self.group.is_none() {
            return Vec::new();
        }
        ledger.keep_open();
        let Some(write) = &mut *self.accesses[at].write else { return Vec::new() };
        if write.shown {
            ledger.seal();
        }
        match &mut write.change {
            Change::Edit(edits) if is_there => std::mem::take(&mut edits.deltas),
            _ => Vec::new(),
        }
    }

    /// Ends a change of a collection of which nothing is to be left.
    pub(super) fn leave_edit(&mut self, at: usize, outcome: Outcome, ledger: &mut Ledger, mark: Savepoint) {
        let Some(group) = &mut self.group else { return ledger.roll_back(mark) };
        group.is_spoiled |= outcome.is_changed || ledger.savepoint() != mark;
        if let Some(Change::Edit(edits)) = self.accesses[at].write.as_mut().map(|write| &mut write.change)
            && edits.deltas.is_empty()
        {
            edits.deltas = outcome.deltas;
        }
    }

    /// Changes that it counts for if it takes effect with `writes` keys written.
    #[inline]
    pub(super) fn changes(&self, writes: usize) -> i64 {
        self.group.map_or(writes as i64, |group| group.changes)
    }

    /// Commands that ran in vain if it is lost.
    #[cold]
    pub(super) fn commands(&self) -> i64 {
        self.group.map_or(1, |group| group.changes.max(1))
    }

    /// Ends the group, before it takes effect; tells whether it may.
    pub(super) fn end_group(&mut self) -> bool {
        if let Some(ledger) = &mut self.ledger {
            ledger.seal();
        }
        self.group.is_none_or(|group| !group.is_lost)
    }
}
