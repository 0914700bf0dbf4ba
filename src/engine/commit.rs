//! How an attempt takes effect: reserve, fill, publish, commit.
//!
//! One key:
//!
//! 1. the cell's word and version were loaded when the command read the key;
//! 2. reserve log space: the offset is the LSN; fill and seal the record, which is pending;
//! 3. look at the root again; CAS the cell from the old word to the new version;
//! 4. mark the record committed, then the version; retire the old version.
//!
//! Order: 1 before 2, or else two writers publish in another order than that of their records. 2 before 3, or else
//! what a reader sees may be missing after a crash. The root after the reservation, or else whoever closes it does not
//! know of us. Record before version in 4, or else a helper takes a pending record for a committed one.
//!
//! Several keys: the same with a [`Descriptor`] that is installed in every cell that the attempt read or wrote, sorted
//! by address; its status is the commit point. Where the attempt only reads, versions are compared, not words, so a
//! transaction that only passed through does no harm. Where it writes, one that was committed meanwhile has read what
//! is to be replaced, by a record behind ours: then the attempt is lost, or else the log's order is none of theirs.
//!
//! A record that is not committed is void: the reservation voids it when it is dropped.

use std::ops::Range;

use crossbeam_epoch::{Guard, Owned, Shared};

use crate::clock::Millis;
use crate::engine::effect::{Effect, Parts, encode_edits};
use crate::engine::root::Closed;
use crate::engine::txn::{Access, Change, Found, StructureChange, Txn, Write, retire};
use crate::engine::{DbIndex, Engine, EngineError};
use crate::log::{LogError, Reservation};
use crate::lsn::Lsn;
use crate::store::cell::{Cell, Look};
use crate::store::descriptor::{Descriptor, Entry, Status};
use crate::store::keyspace::{Post, Wanted};
use crate::store::version::{StringRef, ValueRef, VersionPtr};
use crate::store::word::Word;
use crate::sync::spin_wait;

/// How long a writer waits for an undecided transaction before it aborts it. Under the model checker hardly at all, or
/// else its schedules would hardly ever get there.
const PATIENCE_ROUNDS: u32 = if cfg!(feature = "shuttle") { 1 } else { 5 };

/// What became of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// It wrote nothing; its reply must not be sent before this record is as durable as the policy wants.
    Read(Lsn),
    /// It took effect as this record; the same holds of its reply.
    Wrote(Lsn),
    /// Somebody else was faster: nothing happened.
    Lost,
}

/// A cell in which the attempt's descriptor is installed.
struct Installed<'g> {
    cell: &'g Cell,
    word: Word,
    seen: VersionPtr,
    /// The access whose write goes there.
    access: usize,
}

impl<'g> Txn<'g> {
    /// Lets the attempt take effect.
    pub(super) fn commit(&mut self) -> Result<Outcome, EngineError> {
        if self.group.is_some() && !self.end_group() {
            return Ok(Outcome::Lost);
        }
        if !self.writes() {
            return Ok(self.validate());
        }
        self.may_write()?;
        if self.root.closing && !self.is_alone() {
            return Ok(Outcome::Lost);
        }
        if self.accesses.len() == 1 { self.commit_one() } else { self.commit_several() }
    }

    /// Ends an attempt that wrote nothing: was what it saw there at one moment?
    pub(super) fn validate(&self) -> Outcome {
        // Why one look suffices for one key: its load is the linearization point.
        let same = self.accesses.len() < 2
            || self.accesses.iter().all(|access| access.is_unchanged(&self.missing, self.guard));
        if same && self.engine.root.is_current(self.root, self.guard) {
            Outcome::Read(self.seen_lsn())
        } else {
            Outcome::Lost
        }
    }

    fn commit_one(&mut self) -> Result<Outcome, EngineError> {
        let (engine, guard) = (self.engine, self.guard);
        let Some(found) = self.accesses[0].settle(engine, self.terms.wanted, &self.missing, guard) else {
            return Ok(Outcome::Lost);
        };
        // Why look again: where many write one key, most losers are found here, before they reserve.
        if found.cell.load(guard) != found.word {
            return Ok(Outcome::Lost);
        }
        let (time, root) = (self.clock().0, self.root);
        let access = &mut self.accesses[0];
        let Some(write) = &mut *access.write else { return Ok(Outcome::Lost) };
        let reservation = match write.string_parts(access.db) {
            Some(parts) => engine.reserve_one(&parts, time, guard),
            None => engine.reserve_effect(&write.effect(access.db), time, guard),
        }?;
        let lsn = reservation.lsn();
        write.version.stamp(lsn);
        let next = write.word_after(found.word);
        if !engine.root.is_current(root, guard) || !found.cell.replace(found.word, next) {
            // Why it stays the attempt's: somebody may be looking at it through a `Live`; dropping the attempt sees to that.
            return Ok(Outcome::Lost);
        }
        let committed = reservation.commit();
        access.published(engine, found.version, found.word);
        engine.stats.changes.add(self.changes(1));
        self.settle_trees();
        committed?;
        Ok(Outcome::Wrote(lsn))
    }

    fn commit_several(&mut self) -> Result<Outcome, EngineError> {
        let (engine, guard) = (self.engine, self.guard);
        let Some(order) = self.settle_all() else { return Ok(Outcome::Lost) };
        let mut reservation = Some(self.reserve_all()?);
        if !engine.root.is_current(self.root, guard) {
            return Ok(Outcome::Lost);
        }
        self.publish_several(&order, &mut reservation)
    }

    /// Publishes several keys under a record, which is taken if that succeeds.
    pub(super) fn publish_several(
        &mut self,
        order: &[usize],
        reservation: &mut Option<Reservation<'g>>,
    ) -> Result<Outcome, EngineError> {
        let (engine, guard) = (self.engine, self.guard);
        let Some(lsn) = reservation.as_ref().map(Reservation::lsn) else { return Ok(Outcome::Lost) };
        let writes = self.accesses.iter().filter(|access| access.write.is_some()).count();
        self.stamp_all(lsn);
        let descriptor = Owned::new(Descriptor::new(lsn, self.entries(order), None)).into_shared(guard);
        let (installed, complete) = self.install(order, descriptor);
        // SAFETY: just made, and retired only below.
        let committed = complete && unsafe { descriptor.deref() }.commit();
        let mut recorded = Ok(());
        if committed {
            recorded = reservation.take().map_or(Ok(()), Reservation::commit);
            self.publish(&installed);
            self.settle_trees();
            engine.stats.changes.add(self.changes(writes));
        } else {
            // SAFETY: as above.
            unsafe { descriptor.deref() }.abort_own();
            withdraw(&installed);
        }
        // SAFETY: taken out of every cell by `publish` or `withdraw`, or by whoever replaced it there.
        unsafe { guard.defer_destroy(descriptor) };
        recorded?;
        Ok(if committed { Outcome::Wrote(lsn) } else { Outcome::Lost })
    }

    /// Lets an attempt that changes the databases themselves take effect; it runs alone, behind `closed`.
    ///
    /// Keys in databases that stay get their new versions through a descriptor whose gate is the new root; databases
    /// that begin with this attempt are nobody else's yet and are written directly.
    pub(super) fn commit_structure(&mut self, closed: &mut Closed<'_>) -> Result<Outcome, EngineError> {
        let Some(order) = self.settle_all() else { return Ok(Outcome::Lost) };
        let mut reservation = Some(self.reserve_all()?);
        self.publish_structure(closed, &order, &mut reservation)
    }

    /// Publishes what [`Txn::commit_structure`] does under a record, which is taken if that succeeds.
    pub(super) fn publish_structure(
        &mut self,
        closed: &mut Closed<'_>,
        order: &[usize],
        reservation: &mut Option<Reservation<'g>>,
    ) -> Result<Outcome, EngineError> {
        let (engine, guard) = (self.engine, self.guard);
        let Some(lsn) = reservation.as_ref().map(Reservation::lsn) else { return Ok(Outcome::Lost) };
        self.stamp_all(lsn);
        let (mut root, gate) = closed.successor();
        root.lsn = lsn;
        let (fresh, kept) = self.split_writes(order);
        let descriptor = Descriptor::new(lsn, self.entries(&kept), Some(gate));
        let descriptor = Owned::new(descriptor).into_shared(guard);
        let (installed, complete) = self.install(&kept, descriptor);
        let recorded = if complete { reservation.take().map(Reservation::commit) } else { None };
        if let Some(Ok(())) = recorded {
            engine.stats.changes.add(order.len() as i64 + 1);
            self.publish_fresh(&fresh);
            if let Some(structure) = self.structure.take() {
                root.keyspaces = structure.keyspaces.into();
                structure.dropped.into_iter().for_each(|keyspace| engine.reclaim.push(keyspace));
            }
            closed.install(root);
            self.publish(&installed);
            self.settle_trees();
            // Order: after the root is installed, or else who waits in another database looks too early.
            engine.waits.call_everyone();
        } else {
            // SAFETY: just made, and retired only below.
            unsafe { descriptor.deref() }.abort_own();
            withdraw(&installed);
        }
        // SAFETY: taken out of every cell by `publish` or `withdraw`, or by whoever replaced it there.
        unsafe { guard.defer_destroy(descriptor) };
        match recorded {
            Some(recorded) => Ok(recorded.map(|()| Outcome::Wrote(lsn))?),
            None => Ok(Outcome::Lost),
        }
    }

    /// The accesses that write, split into those in databases that begin with this attempt and those in others.
    fn split_writes(&self, order: &[usize]) -> (Vec<usize>, Vec<usize>) {
        let writes = order.iter().copied().filter(|&at| self.accesses[at].write.is_some());
        writes.partition(|&at| {
            let keyspace = std::ptr::from_ref(self.accesses[at].keyspace);
            !self.root.keyspaces.iter().any(|kept| std::ptr::eq(std::sync::Arc::as_ptr(kept), keyspace))
        })
    }

    fn publish_fresh(&mut self, fresh: &[usize]) {
        for &at in fresh {
            let access = &mut self.accesses[at];
            if let (Some(found), Some(write)) = (access.found, &*access.write) {
                let replaced = found.cell.replace(found.word, write.word_after(found.word));
                debug_assert!(replaced, "nobody else has this database yet");
                access.published(self.engine, found.version, found.word);
            }
        }
    }

    /// Makes sure that every access has a cell, and sorts them by it.
    pub(super) fn settle_all(&mut self) -> Option<Vec<usize>> {
        for access in &mut self.accesses {
            access.settle(self.engine, self.terms.wanted, &self.missing, self.guard)?;
        }
        let mut order: Vec<usize> = (0..self.accesses.len()).collect();
        order.sort_unstable_by_key(|&at| self.accesses[at].cell_address());
        Some(order)
    }

    fn effects(&self) -> Vec<Effect<'_>> {
        let structure = self.structure.iter().flat_map(|structure| &structure.changes);
        let mut effects: Vec<_> = structure
            .map(|change| match *change {
                StructureChange::Flush(db) => Effect::Flush { db },
                StructureChange::FlushAll => Effect::FlushAll,
                StructureChange::Swap(a, b) => Effect::Swap { a, b },
            })
            .collect();
        let writes = self.accesses.iter().filter_map(|access| Some((access.db, access.write.as_ref()?)));
        effects.extend(writes.map(|(db, write)| write.effect(db)));
        effects
    }

    fn reserve_all(&self) -> Result<Reservation<'g>, EngineError> {
        let effects = self.effects();
        if let [effect] = &effects[..] {
            return Ok(self.engine.reserve_effect(effect, self.clock().0, self.guard)?);
        }
        let parts: Vec<_> = effects.iter().map(Effect::parts).collect();
        let bytes = parts.iter().map(Parts::bytes).sum();
        let encode = |out: &mut [u8]| {
            let mut rest = out;
            for parts in &parts {
                rest = parts.write(rest);
            }
        };
        Ok(self.engine.reserve(bytes, encode, self.clock().0, self.guard)?)
    }

    fn stamp_all(&mut self, lsn: Lsn) {
        for write in self.accesses.iter_mut().filter_map(|access| access.write.as_mut()) {
            write.version.stamp(lsn);
        }
    }

    fn entries(&self, order: &[usize]) -> Box<[Entry]> {
        let entry = |&at: &usize| {
            let access = &self.accesses[at];
            let found = access.found?;
            let new = access.write.as_ref().map_or(found.version, |write| write.version.as_ptr());
            Some(Entry { cell: found.cell, seen: found.version, new })
        };
        order.iter().filter_map(entry).collect()
    }

    /// Installs the descriptor in every cell of `order`, as far as they still hold what was seen.
    fn install(&self, order: &[usize], descriptor: Shared<'g, Descriptor>) -> (Vec<Installed<'g>>, bool) {
        let address = descriptor.as_raw() as u64;
        // SAFETY: just made by the caller, who retires it later.
        let lsn = unsafe { descriptor.deref() }.lsn();
        let mut installed = Vec::with_capacity(order.len());
        for &at in order {
            let Some(found) = self.accesses[at].found else { return (installed, false) };
            loop {
                let Some(look) = self.engine.decided(found.cell, self.guard) else {
                    return (installed, false);
                };
                let writes = self.accesses[at].write.is_some();
                let disturbed = writes && was_read_behind(lsn, found.word, look.word, self.guard);
                if look.version != found.version || look.word.is_dead() || disturbed {
                    return (installed, false);
                }
                let word = look.word.with_descriptor(address);
                if found.cell.replace(look.word, word) {
                    installed.push(Installed { cell: found.cell, word, seen: found.version, access: at });
                    break;
                }
            }
        }
        (installed, true)
    }

    /// Puts the new versions in the place of the committed descriptor.
    fn publish(&mut self, installed: &[Installed<'g>]) {
        for slot in installed {
            let access = &mut self.accesses[slot.access];
            if let Some(write) = &*access.write {
                // A failure means that a later writer has replaced the descriptor, and retires our version as the old.
                slot.cell.replace(slot.word, write.word_after(slot.word));
                access.published(self.engine, slot.seen, slot.word);
            } else {
                // Why even where nothing changes: the word's count rises, so that nobody who loaded the cell before
                // publishes a lower LSN now.
                slot.cell.replace(slot.word, slot.word.with_version(slot.seen.address()));
            }
        }
    }
}

/// Whether a transaction with a record behind `lsn` may have read a cell whose version stayed the same, between the
/// looks that found `before` (before `lsn` was reserved) and `now`.
fn was_read_behind(lsn: Lsn, before: Word, now: Word, guard: &Guard) -> bool {
    if !now.is_as_old_as(before) {
        return true;
    }
    let passing = Cell::descriptor(now, guard);
    passing.is_some_and(|passing| passing.status() == Status::Committed && passing.lsn() > lsn)
}

/// Takes an aborted descriptor out of the cells.
fn withdraw(installed: &[Installed<'_>]) {
    for slot in installed {
        // A failure means that somebody has replaced the aborted descriptor.
        slot.cell.replace(slot.word, slot.word.with_version(slot.seen.address()));
    }
}

impl Write {
    /// What is logged, where that is a whole string.
    #[inline]
    fn string_parts(&self, db: DbIndex) -> Option<Parts<'_>> {
        match (&self.change, self.version.value()) {
            (Change::Put, Some(ValueRef::String(value))) => {
                let expiry = self.version.as_ptr().expiry();
                Some(Parts::put_string(db, self.version.key(), value, expiry))
            }
            _ => None,
        }
    }

    /// The effect to log.
    pub(super) fn effect(&self, db: DbIndex) -> Effect<'_> {
        let key = self.version.key();
        let expiry = self.version.as_ptr().expiry();
        let Some(value) = self.version.value() else { return Effect::Delete { db, key } };
        let edited = match value {
            ValueRef::String(StringRef::Str(s) | StringRef::Raw(s)) => s,
            ValueRef::String(StringRef::Shared(s)) => s,
            _ => &[],
        };
        match &self.change {
            Change::Put | Change::Delete => Effect::Put { db, key, value: value.into(), expiry },
            Change::Expire => Effect::Expire { db, key, expiry },
            Change::Append { suffix_len } => {
                Effect::Append { db, key, suffix: &edited[edited.len() - suffix_len..] }
            }
            Change::Overwrite(part) => {
                Effect::Overwrite { db, key, offset: part.start as u64, bytes: &edited[Range::clone(part)] }
            }
            Change::Edit(edited) => {
                let edits = encode_edits(&edited.deltas).into();
                let of = self.version.as_ptr().kind().type_of();
                Effect::Edit { db, key, of, edits, expiry: edited.expires.then_some(expiry) }
            }
        }
    }

    /// The word that puts the new version in the place of `word`.
    #[inline]
    pub(super) fn word_after(&self, word: Word) -> Word {
        let version = self.version.as_ptr();
        let next = word.with_version(version.address());
        if version.expiry().is_some() { next.with_armed(true) } else { next }
    }
}

impl<'g> Access<'g> {
    fn cell_address(&self) -> *const Cell {
        self.found.map_or(std::ptr::null(), |found| std::ptr::from_ref(found.cell))
    }

    /// Whether the key still is as it was seen.
    fn is_unchanged(&self, missing: &[u8], guard: &'g Guard) -> bool {
        match self.found {
            Some(found) => {
                let look = found.cell.look(guard);
                // Why: the key of a dead cell may have another already, and a version in it.
                look.version == found.version && !look.word.is_dead()
            }
            // A cell with a tombstone of no record was made by somebody who has not published anything yet.
            None => self.keyspace.find(self.hash, self.key(missing, guard), guard).is_none_or(|cell| {
                let version = cell.look(guard).version;
                version.is_tombstone() && version.lsn() == Lsn::ZERO
            }),
        }
    }

    /// Makes sure that the key has a cell whose word holds the version that was seen; gives none if it changed.
    #[inline]
    pub(super) fn settle(
        &mut self,
        engine: &Engine,
        wanted: Option<&Wanted<'_>>,
        missing: &[u8],
        guard: &'g Guard,
    ) -> Option<Found<'g>> {
        match self.found {
            // Why: a dead cell takes no version any more; the next attempt makes another.
            Some(found) if found.word.is_dead() => None,
            Some(found) if !found.word.is_descriptor() => Some(found),
            Some(found) => {
                let look = engine.decided(found.cell, guard)?;
                let same = look.version == found.version && !look.word.is_dead();
                same.then(|| self.keep(found.cell, look))
            }
            None => self.create(engine, wanted, missing, guard),
        }
    }

    #[cold]
    fn create(
        &mut self,
        engine: &Engine,
        wanted: Option<&Wanted<'_>>,
        missing: &[u8],
        guard: &'g Guard,
    ) -> Option<Found<'g>> {
        let key = self.key(missing, guard);
        // Why compared: another key may have the same hash. A post of another database is none of this one's.
        let post = wanted.filter(|wanted| wanted.key == key).map_or(Post::default(), |wanted| wanted.post);
        let cell = self.keyspace.find_or_create(self.hash, key, post, guard);
        self.created = true;
        let look = engine.decided(cell, guard)?;
        (look.version.is_tombstone() && !look.word.is_dead()).then(|| self.keep(cell, look))
    }

    fn keep(&mut self, cell: &'g Cell, look: Look) -> Found<'g> {
        let found = Found { cell, word: look.word, version: look.version };
        self.found = Some(found);
        found
    }

    /// Ends a publication: the record is committed and the version in its place. Counts it, retires the old version,
    /// and sees to the key's future: a timer, or the sweeper. `word` is the one that was replaced.
    #[inline]
    pub(super) fn published(&mut self, engine: &Engine, old: VersionPtr, word: Word) {
        let Some(write) = self.write.take() else { return };
        let new = write.version.into_ptr();
        new.set_committed();
        let (is, was) = (!new.is_tombstone(), !old.is_tombstone());
        let keyspace = self.keyspace;
        if is != was {
            keyspace.keys.add(if is { 1 } else { -1 });
        }
        let bytes = counted_bytes(new) - counted_bytes(old);
        if bytes != 0 {
            keyspace.version_bytes.add(bytes);
        }
        let (end, old_end) = (new.expiry(), old.expiry());
        if end.is_some() || old_end.is_some() {
            let told = word.is_armed() && old_end.is_some_and(|old_end| end.is_none_or(|end| old_end <= end));
            self.count_expiry(end, old_end, told);
        }
        if new.is_collection() {
            self.collection_published(engine, new, old);
        }
        if !is {
            keyspace.tombs.push(self.hash);
        }
        self.created = false;
        retire(old);
    }

    /// Sees to what only collections have: fields that expire, and those who wait for one to appear.
    fn collection_published(&self, engine: &Engine, new: VersionPtr, old: VersionPtr) {
        if new.has_field_expiry() {
            self.plan_fields(new, old);
        }
        engine.waits.published(self.db, self.hash, new, old);
    }

    /// Sets a timer for the first field that expires. Why not where the old version had one as early: its timer goes
    /// off first, and whoever it wakes sets the next.
    #[cold]
    fn plan_fields(&self, new: VersionPtr, old: VersionPtr) {
        // SAFETY: the new version is the attempt's own, the old one it has just replaced, under its guard.
        let (end, old_end) = unsafe { (new.next_field_expiry(), old.next_field_expiry()) };
        if let Some(end) = end
            && old_end.is_none_or(|old_end| end < old_end)
        {
            self.keyspace.timers.push((end, self.hash));
        }
    }

    #[cold]
    fn count_expiry(&self, end: Option<Millis>, old_end: Option<Millis>, told: bool) {
        let keyspace = self.keyspace;
        keyspace.expiring.add(i64::from(end.is_some()) - i64::from(old_end.is_some()));
        keyspace.expiry_sum.add(end.map_or(0, |at| at.0 as i64) - old_end.map_or(0, |at| at.0 as i64));
        // Why not always: an armed timer goes off no later than the old version's end, and then looks again.
        if let Some(end) = end
            && !told
        {
            keyspace.timers.push((end, self.hash));
        }
    }
}

/// What a version adds to the bytes that its keyspace counts: a tombstone's are on loan.
#[inline]
fn counted_bytes(version: VersionPtr) -> i64 {
    if version.is_tombstone() { 0 } else { version.memory_bytes() as i64 }
}

impl Engine {
    /// Looks at a cell as a writer does: an undecided transaction is given a moment, then aborted. None if the
    /// transaction is one that runs alone: the writer must wait for the root.
    #[inline]
    pub(super) fn decided(&self, cell: &Cell, guard: &Guard) -> Option<Look> {
        let look = cell.look(guard);
        if look.word.is_descriptor() {
            return self.decide(cell, guard);
        }
        self.settle(look.version, guard);
        Some(look)
    }

    #[cold]
    fn decide(&self, cell: &Cell, guard: &Guard) -> Option<Look> {
        let mut round = 0;
        loop {
            let word = cell.load(guard);
            let Some(descriptor) = Cell::descriptor(word, guard) else {
                let look = cell.look(guard);
                if look.word.is_descriptor() {
                    continue;
                }
                self.settle(look.version, guard);
                return Some(look);
            };
            if descriptor.status() == Status::Undecided {
                if round < PATIENCE_ROUNDS {
                    spin_wait(round);
                    round += 1;
                    continue;
                }
                descriptor.abort();
            }
            let entry = descriptor.entry(cell);
            let version = match descriptor.status() {
                Status::Undecided => return None,
                Status::Committed => entry.new,
                Status::Aborted => entry.seen,
            };
            self.settle(version, guard);
            return Some(Look { word, version });
        }
    }

    /// Reserves and fills a record of one effect.
    #[cold]
    fn reserve_effect<'g>(
        &'g self,
        effect: &Effect<'_>,
        time: u64,
        guard: &'g Guard,
    ) -> Result<Reservation<'g>, LogError> {
        self.reserve_one(&effect.parts(), time, guard)
    }

    #[inline]
    fn reserve_one<'g>(
        &'g self,
        parts: &Parts<'_>,
        time: u64,
        guard: &'g Guard,
    ) -> Result<Reservation<'g>, LogError> {
        let bytes = parts.bytes();
        if bytes > self.spill_bytes {
            let mut reservation = self.log.reserve_spilled(&parts.slices(), time, guard)?;
            reservation.seal()?;
            return Ok(reservation);
        }
        let mut reservation = self.log.reserve(bytes, time, guard)?;
        parts.write(reservation.payload_mut());
        reservation.seal()?;
        Ok(reservation)
    }

    fn reserve<'g>(
        &'g self,
        bytes: usize,
        encode: impl FnOnce(&mut [u8]),
        time: u64,
        guard: &'g Guard,
    ) -> Result<Reservation<'g>, LogError> {
        if bytes > self.spill_bytes {
            let mut payload = vec![0; bytes];
            encode(&mut payload);
            let mut reservation = self.log.reserve_spilled(&[&payload], time, guard)?;
            reservation.seal()?;
            return Ok(reservation);
        }
        let mut reservation = self.log.reserve(bytes, time, guard)?;
        encode(reservation.payload_mut());
        reservation.seal()?;
        Ok(reservation)
    }
}
