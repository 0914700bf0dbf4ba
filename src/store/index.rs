//! The hash index: an open-addressed, lock-free table from a key's hash to its cell.
//!
//! A slot is one word: 48 bits of cell address and 16 bits of hash. A key's home slot is given by the *high* bits of
//! its hash, so that a walk over the slots is a walk in hash order (that is SCAN), whatever the table's size. Collisions
//! go to the next slot (linear probing). A slot goes through
//!
//! ```text
//! EMPTY -> cell -> REMOVED          in a table at rest
//! EMPTY -> CLOSED                   while the table moves into its successor
//! cell | REMOVED -> MOVED           likewise; a live cell is inserted into the successor first
//! ```
//!
//! and never back, so a probe that passed a slot needs not look at it again. REMOVED slots are shed by moving into a
//! successor (of the same size, or a smaller one). A move is done a few slots at a time by those who insert, and by the
//! sweeper; readers look through the table and its successors, and wait for nobody.
//!
//! | operation | progress | linearization point |
//! |---|---|---|
//! | [`Index::find`] | wait-free (bounded by the probe) | the load of the matching slot, or of the slot that ends the last probe |
//! | [`Index::insert`] | lock-free | the CAS of an EMPTY slot |
//! | [`Index::remove`] | lock-free | the CAS of the slot |
//!
//! Who may insert and remove: a cell is inserted by writers that found it alive under the guard that they hold, and
//! removed once, by the sweeper, a grace period after it was sealed. So nobody inserts it after that, and a cell that
//! the index still names is not freed. The mover obeys the same rule: it leaves dead cells behind.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};

use crossbeam_epoch::{Atomic, Guard, Owned, Shared};

use crate::prefetch::prefetch;
use crate::store::cell::{Cell, Look};
use crate::store::hash::{HashSeed, KeyHash};
use crate::sync::{AtomicU64, AtomicUsize, Ordering, schedule_point};

const EMPTY: u64 = 0;
const REMOVED: u64 = 1;
const MOVED: u64 = 2;
const CLOSED: u64 = 3;
const MARKS_END: u64 = 4;

const ADDRESS: u64 = (1 << 48) - 1;

const BITS_MIN: u32 = 8;
/// Slots that an insert moves while the table grows: with half of the successor free, a move is over in time. Also
/// those that are fetched at once.
const MOVE_SLOTS: usize = 32;

/// The index of one keyspace.
pub struct Index {
    current: Atomic<Table>,
    seed: HashSeed,
}

struct Table {
    /// The number of slots is two to this power.
    bits: u32,
    slots: *mut AtomicU64,
    /// Slots that are not EMPTY.
    used: AtomicUsize,
    /// Of those, the REMOVED ones.
    removed: AtomicUsize,
    /// The first slot that nobody has claimed to move.
    claimed: AtomicUsize,
    /// Slots that have been moved.
    moved: AtomicUsize,
    /// Where this table moves into, once it does.
    next: Atomic<Table>,
}

// SAFETY: the slots are atomics owned by the table; cells are only followed under a guard.
unsafe impl Send for Table {}
// SAFETY: as above.
unsafe impl Sync for Table {}

impl Table {
    fn layout(bits: u32) -> Layout {
        Layout::array::<AtomicU64>(1 << bits).expect("an index fits the address space")
    }

    fn new(bits: u32) -> Self {
        let layout = Self::layout(bits);
        #[expect(clippy::cast_ptr_alignment, reason = "the layout is that of an array of these")]
        // SAFETY: the layout is not empty, and a zeroed AtomicU64 is an EMPTY slot. Zeroed pages of a large table come
        // from the kernel as they are touched, so this does not take time proportional to the size.
        let slots = unsafe { alloc_zeroed(layout) }.cast::<AtomicU64>();
        if slots.is_null() {
            handle_alloc_error(layout);
        }
        Self {
            bits,
            slots,
            used: AtomicUsize::new(0),
            removed: AtomicUsize::new(0),
            claimed: AtomicUsize::new(0),
            moved: AtomicUsize::new(0),
            next: Atomic::null(),
        }
    }

    #[inline]
    fn capacity(&self) -> usize {
        1 << self.bits
    }

    #[inline]
    fn home(&self, hash: KeyHash) -> usize {
        (hash.0 >> (64 - self.bits)) as usize
    }

    #[inline]
    fn slot(&self, at: usize) -> &AtomicU64 {
        // SAFETY: the mask keeps the offset inside the allocation.
        unsafe { &*self.slots.add(at & (self.capacity() - 1)) }
    }

    fn next<'g>(&self, guard: &'g Guard) -> Option<&'g Self> {
        schedule_point();
        // SAFETY: a successor is retired only after its predecessor, from which it was loaded under the guard.
        // Acquire: pairs with the Release that installed it.
        unsafe { self.next.load(std::sync::atomic::Ordering::Acquire, guard).as_ref() }
    }

    fn is_crowded(&self) -> bool {
        // Relaxed: a hint; a late answer only moves the start of the move.
        self.used.load(Ordering::Relaxed) * 4 > self.capacity() * 3
    }

    fn live(&self) -> usize {
        self.used.load(Ordering::Relaxed).saturating_sub(self.removed.load(Ordering::Relaxed))
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // SAFETY: made by `Table::new` with this layout; dropped by the epoch or with the index.
        unsafe { dealloc(self.slots.cast(), Self::layout(self.bits)) }
    }
}

#[inline]
fn tag(hash: KeyHash) -> u64 {
    hash.0 << 48
}

#[inline]
fn slot_of(cell: *const Cell, hash: KeyHash) -> u64 {
    cell as u64 | tag(hash)
}

#[inline]
fn is_cell(slot: u64) -> bool {
    slot >= MARKS_END
}

/// The cell in a slot.
#[inline]
fn cell_in(slot: u64, _guard: &Guard) -> &Cell {
    // SAFETY: the slot was loaded under the guard, and a cell that the index names is freed only a grace period after
    // it was removed from the index (see the module's head).
    unsafe { &*((slot & ADDRESS) as *const Cell) }
}

enum Inserted {
    Done,
    Crowded,
    MovedOn,
}

impl Index {
    /// Makes an empty index.
    pub fn new(seed: HashSeed) -> Self {
        Self::with_room(seed, 0)
    }

    /// Makes an empty index that takes `keys` keys without growing.
    pub fn with_room(seed: HashSeed, keys: usize) -> Self {
        let slots = (keys * 3 / 2).next_power_of_two();
        Self { current: Atomic::new(Table::new(slots.trailing_zeros().max(BITS_MIN))), seed }
    }

    #[inline]
    fn current<'g>(&self, guard: &'g Guard) -> &'g Table {
        schedule_point();
        // SAFETY: never null; retired under the epoch once replaced.
        // Acquire: pairs with the Release in `finish_move` and with the table's making.
        unsafe { self.current.load(std::sync::atomic::Ordering::Acquire, guard).deref() }
    }

    /// Brings the home slot of `hash` near.
    #[inline]
    pub fn prefetch_slot(&self, hash: KeyHash, guard: &Guard) {
        let table = self.current(guard);
        prefetch(table.slot(table.home(hash)));
    }

    /// Brings near what the slots of `hash` point to; gives the first cell that may be the one.
    #[inline]
    pub fn prefetch_cell<'g>(&self, hash: KeyHash, guard: &'g Guard) -> Option<&'g Cell> {
        let table = self.current(guard);
        let home = table.home(hash);
        for at in home..home + 4 {
            // Acquire: pairs with the AcqRel in `insert_into`.
            let slot = table.slot(at).load(Ordering::Acquire);
            if slot == EMPTY {
                return None;
            }
            if is_cell(slot) && slot & !ADDRESS == tag(hash) {
                let cell = cell_in(slot, guard);
                prefetch(cell);
                return Some(cell);
            }
        }
        None
    }

    /// Finds the live cell of a key.
    #[inline]
    pub fn find<'g>(&self, hash: KeyHash, key: &[u8], guard: &'g Guard) -> Option<&'g Cell> {
        self.find_where(hash, guard, |cell| {
            let word = cell.load(guard);
            !word.is_dead() && cell.key(guard) == key
        })
    }

    /// Finds the live cell of a key, with what it held when it was found to be alive.
    ///
    /// Why both at once: a cell that is looked at again may have been sealed in between, and who then puts a version
    /// into it loses that version to the sweeper.
    #[inline]
    pub fn look_up<'g>(&self, hash: KeyHash, key: &[u8], guard: &'g Guard) -> Option<(&'g Cell, Look)> {
        let mut alive = None;
        let cell = self.find_where(hash, guard, |cell| {
            let look = cell.look(guard);
            // SAFETY: loaded under the guard just now, so not freed before it is gone.
            let hit = !look.word.is_dead() && unsafe { look.version.key() } == key;
            if hit {
                alive = Some(look);
            }
            hit
        })?;
        alive.map(|look| (cell, look))
    }

    /// Finds the first cell under `hash` that `accept` takes.
    #[inline]
    pub fn find_where<'g>(
        &self,
        hash: KeyHash,
        guard: &'g Guard,
        mut accept: impl FnMut(&'g Cell) -> bool,
    ) -> Option<&'g Cell> {
        let mut table = self.current(guard);
        loop {
            if let Some(cell) = Self::probe(table, hash, guard, &mut accept) {
                return Some(cell);
            }
            // Order: the table before its successor, or else a cell that moves meanwhile is missed in both.
            table = table.next(guard)?;
        }
    }

    #[inline]
    fn probe<'g>(
        table: &Table,
        hash: KeyHash,
        guard: &'g Guard,
        accept: &mut impl FnMut(&'g Cell) -> bool,
    ) -> Option<&'g Cell> {
        let home = table.home(hash);
        for at in home..home + table.capacity() {
            // Acquire: pairs with the AcqRel in `insert_into`, so that the cell is initialised, and with the one that
            // wrote MOVED, so that the successor has the cell.
            let slot = table.slot(at).load(Ordering::Acquire);
            match slot {
                EMPTY | CLOSED => return None,
                _ if is_cell(slot) && slot & !ADDRESS == tag(hash) => {
                    let cell = cell_in(slot, guard);
                    if accept(cell) {
                        return Some(cell);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// Makes the index name a cell. The caller found it alive under `guard`; naming it twice does nothing.
    ///
    /// # Panics
    /// Never: whoever finds a table closed or full has seen to its successor.
    pub fn insert(&self, hash: KeyHash, cell: &Cell, guard: &Guard) {
        let mut table = self.current(guard);
        if table.next(guard).is_some() {
            self.help_move(table, MOVE_SLOTS, guard);
            table = self.current(guard);
        }
        let wanted = slot_of(cell, hash);
        loop {
            match Self::insert_into(table, hash, wanted, guard) {
                Inserted::Done => break,
                Inserted::Crowded => Self::start_move(table, guard),
                Inserted::MovedOn => {}
            }
            table = table.next(guard).expect("a closed or full table has a successor");
        }
        if table.is_crowded() {
            Self::start_move(table, guard);
        }
    }

    fn insert_into(table: &Table, hash: KeyHash, wanted: u64, guard: &Guard) -> Inserted {
        let home = table.home(hash);
        let mut at = home;
        while at < home + table.capacity() {
            // Acquire: as in `probe`.
            let slot = table.slot(at).load(Ordering::Acquire);
            match slot {
                _ if slot == wanted => return Inserted::Done,
                CLOSED => return Inserted::MovedOn,
                EMPTY if table.next(guard).is_some() => return Inserted::MovedOn,
                EMPTY => {
                    // AcqRel: Release publishes the cell to the Acquire loads in `probe`; Acquire as a probe's.
                    if table
                        .slot(at)
                        .compare_exchange(EMPTY, wanted, Ordering::AcqRel, Ordering::Acquire)
                        .is_ok()
                    {
                        table.used.fetch_add(1, Ordering::Relaxed);
                        return Inserted::Done;
                    }
                }
                _ => at += 1,
            }
        }
        Inserted::Crowded
    }

    /// Makes the index forget a cell that was sealed a grace period ago.
    pub fn remove(&self, hash: KeyHash, cell: &Cell, guard: &Guard) {
        let wanted = slot_of(cell, hash);
        let mut table = Some(self.current(guard));
        while let Some(here) = table {
            Self::remove_from(here, hash, wanted);
            table = here.next(guard);
        }
    }

    fn remove_from(table: &Table, hash: KeyHash, wanted: u64) {
        let home = table.home(hash);
        for at in home..home + table.capacity() {
            let slot = table.slot(at);
            // Acquire: as in `probe`.
            match slot.load(Ordering::Acquire) {
                EMPTY | CLOSED => return,
                found if found == wanted => {
                    // AcqRel: nothing is published; ordered like the other changes of a slot. A failure means that the
                    // mover was here: it left the dead cell behind.
                    if slot.compare_exchange(wanted, REMOVED, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                        table.removed.fetch_add(1, Ordering::Relaxed);
                    }
                    return;
                }
                _ => {}
            }
        }
    }

    /// Gives the table a successor with room for twice its live cells, unless it has one.
    #[cold]
    fn start_move(table: &Table, guard: &Guard) {
        if table.next(guard).is_some() {
            return;
        }
        let room = (table.live() * 2).next_power_of_two();
        let bits = room.trailing_zeros().clamp(BITS_MIN, table.bits + 1);
        let successor = Owned::new(Table::new(bits));
        // Release: pairs with the Acquire in `next`. A loser's table is dropped.
        let _ = table.next.compare_exchange(
            Shared::null(),
            successor,
            std::sync::atomic::Ordering::AcqRel,
            std::sync::atomic::Ordering::Acquire,
            guard,
        );
    }

    /// Moves up to `count` slots of `table` into its successor; whoever moves the last installs the successor.
    #[cold]
    fn help_move(&self, table: &Table, count: usize, guard: &Guard) {
        let Some(next) = table.next(guard) else { return };
        // Acquire: pairs with the AcqRel below.
        if table.moved.load(Ordering::Acquire) == table.capacity() {
            self.finish_move(table, guard);
            return;
        }
        // Relaxed: only shares out the work; moving a slot twice is harmless.
        if table.claimed.load(Ordering::Relaxed) >= table.capacity() {
            return;
        }
        let from = table.claimed.fetch_add(count, Ordering::Relaxed);
        let until = (from + count).min(table.capacity());
        for start in (from..until).step_by(MOVE_SLOTS) {
            let slots = start..until.min(start + MOVE_SLOTS);
            Self::fetch(table, slots.clone(), guard);
            for at in slots {
                self.move_slot(table, at, next, guard);
            }
        }
        if from < until {
            // AcqRel: the last to arrive sees all that the others moved before it installs the successor.
            let before = table.moved.fetch_add(until - from, Ordering::AcqRel);
            if before + (until - from) == table.capacity() {
                self.finish_move(table, guard);
            }
        }
    }

    /// Brings near what it takes to hash the keys in a stretch of slots again.
    fn fetch(table: &Table, slots: std::ops::Range<usize>, guard: &Guard) {
        let mut cells = smallvec::SmallVec::<[&Cell; MOVE_SLOTS]>::new();
        for at in slots {
            // Acquire: as in `probe`.
            let slot = table.slot(at).load(Ordering::Acquire);
            if is_cell(slot) {
                let cell = cell_in(slot, guard);
                prefetch(cell);
                cells.push(cell);
            }
        }
        for cell in cells {
            cell.prefetch_version(guard);
        }
    }

    fn move_slot(&self, table: &Table, at: usize, next: &Table, guard: &Guard) {
        let slot = table.slot(at);
        loop {
            // Acquire: as in `probe`.
            let found = slot.load(Ordering::Acquire);
            let mark = match found {
                MOVED | CLOSED => return,
                EMPTY => CLOSED,
                REMOVED => MOVED,
                _ => {
                    let cell = cell_in(found, guard);
                    // Why: a dead cell stays behind, or else it would be named again after its removal.
                    if !cell.load(guard).is_dead() {
                        self.insert_chain(next, cell, guard);
                    }
                    MOVED
                }
            };
            // AcqRel: Release pairs with the Acquire of a probe that sees the mark and goes on to the successor.
            if slot.compare_exchange(found, mark, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                return;
            }
        }
    }

    fn insert_chain(&self, first: &Table, cell: &Cell, guard: &Guard) {
        let hash = self.seed.hash(cell.key(guard));
        let mut table = Some(first);
        while let Some(here) = table {
            if matches!(Self::insert_into(here, hash, slot_of(cell, hash), guard), Inserted::Done) {
                return;
            }
            if here.next(guard).is_none() {
                Self::start_move(here, guard);
            }
            table = here.next(guard);
        }
    }

    fn finish_move(&self, table: &Table, guard: &Guard) {
        let old = Shared::from(std::ptr::from_ref(table));
        // Acquire: pairs with the Release that installed the successor.
        let next = table.next.load(std::sync::atomic::Ordering::Acquire, guard);
        schedule_point();
        // AcqRel: Release pairs with the Acquire in `current`.
        // A failure means that its own predecessor is still current, or that somebody else was first; in the former
        // case whoever helps next, once this table is current, finds it moved and comes here again.
        let installed = self.current.compare_exchange(
            old,
            next,
            std::sync::atomic::Ordering::AcqRel,
            std::sync::atomic::Ordering::Acquire,
            guard,
        );
        if installed.is_ok() {
            // SAFETY: no longer reachable from `current` (a predecessor is retired before its successor is installed
            // there), so only those pinned now can still see it.
            unsafe { guard.defer_destroy(old) };
        }
    }

    /// Does some of the housekeeping that inserts alone may never get to: finishes moves, sheds removed slots,
    /// shrinks. Visits about `slots` slots; tells whether more is left to do.
    pub fn tidy(&self, slots: usize, guard: &Guard) -> bool {
        let table = self.current(guard);
        if table.next(guard).is_none() {
            let removed = table.removed.load(Ordering::Relaxed);
            let roomy = table.bits > BITS_MIN && table.live() * 16 < table.capacity();
            if removed * 4 < table.capacity() && !(roomy && removed * 32 > table.capacity()) {
                return false;
            }
            Self::start_move(table, guard);
        }
        self.help_move(table, slots, guard);
        self.current(guard).next(guard).is_some()
    }

    /// Visits every cell whose hash is in the first slot's range from `cursor` on, at least; gives where to go on, or
    /// none at the end. A cell that is there from the first call to the last is visited; one may be visited twice.
    pub fn scan<'g>(
        &self,
        cursor: KeyHash,
        guard: &'g Guard,
        visit: &mut impl FnMut(&'g Cell),
    ) -> Option<KeyHash> {
        let mut table = self.current(guard);
        let shift = 64 - table.bits;
        let last = cursor.0 | ((1 << shift) - 1);
        let mut seen = smallvec::SmallVec::<[*const Cell; 16]>::new();
        loop {
            self.scan_table(table, (cursor.0, last), guard, &mut |cell| {
                if !seen.contains(&std::ptr::from_ref(cell)) {
                    seen.push(cell);
                    visit(cell);
                }
            });
            // Order: as in `find_where`.
            let Some(next) = table.next(guard) else { break };
            table = next;
        }
        last.checked_add(1).map(KeyHash)
    }

    fn scan_table<'g>(
        &self,
        table: &Table,
        (first, last): (u64, u64),
        guard: &'g Guard,
        visit: &mut impl FnMut(&'g Cell),
    ) {
        let from = table.home(KeyHash(first));
        let until = table.home(KeyHash(last));
        let mut at = from;
        // Why beyond `until`: a cell lies at its home or behind it, up to the first slot that ends a probe.
        while at < from + table.capacity() {
            // Acquire: as in `probe`.
            let slot = table.slot(at).load(Ordering::Acquire);
            if is_cell(slot) {
                let cell = cell_in(slot, guard);
                let hash = self.seed.hash(cell.key(guard)).0;
                if (first..=last).contains(&hash) {
                    visit(cell);
                }
            } else if at >= until && matches!(slot, EMPTY | CLOSED) {
                return;
            }
            at += 1;
        }
    }

    /// Bytes of memory that the tables occupy.
    pub fn memory_bytes(&self, guard: &Guard) -> usize {
        let mut table = Some(self.current(guard));
        let mut bytes = 0;
        while let Some(here) = table {
            bytes += here.capacity() * size_of::<AtomicU64>();
            table = here.next(guard);
        }
        bytes
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        // SAFETY: exclusive access: nobody else is inside.
        let guard = unsafe { crossbeam_epoch::unprotected() };
        let mut table = self.current.load(std::sync::atomic::Ordering::Relaxed, guard);
        while !table.is_null() {
            // SAFETY: each table of the chain is owned by it alone.
            let owned = unsafe { table.into_owned() };
            table = owned.next.load(std::sync::atomic::Ordering::Relaxed, guard);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;
    use std::collections::{HashMap, HashSet};
    use std::sync::atomic::{AtomicBool, Ordering as Std};

    const SEED: HashSeed = HashSeed(7);

    fn key(n: u32) -> Vec<u8> {
        format!("key:{n}").into_bytes()
    }

    fn scan_all(index: &Index, guard: &Guard) -> Vec<Vec<u8>> {
        let mut keys = Vec::new();
        let mut at = Some(KeyHash(0));
        while let Some(cursor) = at {
            at = index.scan(cursor, guard, &mut |cell| keys.push(cell.key(guard).to_vec()));
        }
        keys
    }

    quickcheck! {
        fn behaves_like_a_map(steps: Vec<(bool, u8)>) -> bool {
            let index = Index::new(SEED);
            let cells: HashMap<u8, Cell> = (0..=255).map(|n| (n, Cell::new(&key(u32::from(n))))).collect();
            let mut model = HashSet::new();
            let guard = crossbeam_epoch::pin();
            for (insert, n) in steps {
                let hash = SEED.hash(&key(u32::from(n)));
                if insert {
                    index.insert(hash, &cells[&n], &guard);
                    model.insert(n);
                } else {
                    index.remove(hash, &cells[&n], &guard);
                    model.remove(&n);
                }
            }
            let found = |n: u8| index.find(SEED.hash(&key(u32::from(n))), &key(u32::from(n)), &guard).is_some();
            let scanned = scan_all(&index, &guard);
            (0..=255).all(|n| found(n) == model.contains(&n)) && scanned.len() == model.len()
        }
    }

    #[test]
    fn grows_sheds_removed_slots_and_shrinks_while_everything_stays_findable() {
        let index = Index::new(SEED);
        let cells: Vec<Cell> = (0..20_000).map(|n| Cell::new(&key(n))).collect();
        let guard = crossbeam_epoch::pin();
        for (n, cell) in (0..).zip(&cells) {
            index.insert(SEED.hash(&key(n)), cell, &guard);
            let some = n / 2;
            assert!(index.find(SEED.hash(&key(some)), &key(some), &guard).is_some(), "{some} after {n}");
        }
        assert_eq!(scan_all(&index, &guard).len(), cells.len());
        for (n, cell) in (0..).zip(&cells).skip(100) {
            index.remove(SEED.hash(&key(n)), cell, &guard);
        }
        while index.tidy(1024, &guard) {}
        assert!(index.memory_bytes(&guard) <= 8 * 1024, "{}", index.memory_bytes(&guard));
        assert_eq!(scan_all(&index, &guard).len(), 100);
        assert!((0..100).all(|n| index.find(SEED.hash(&key(n)), &key(n), &guard).is_some()));
    }

    #[test]
    fn a_scan_meets_every_key_that_stays_while_the_table_grows_and_shrinks() {
        let index = Index::new(SEED);
        let staying: Vec<Cell> = (0..500).map(|n| Cell::new(&key(n))).collect();
        let passing: Vec<Cell> = (500..20_500).map(|n| Cell::new(&key(n))).collect();
        let guard = crossbeam_epoch::pin();
        for (n, cell) in (0..).zip(&staying) {
            index.insert(SEED.hash(&key(n)), cell, &guard);
        }
        let mut met = HashSet::new();
        let (mut at, mut step) = (Some(KeyHash(0)), 0_usize);
        while let Some(cursor) = at {
            at = index.scan(cursor, &guard, &mut |cell| {
                met.insert(cell.key(&guard).to_vec());
            });
            step += 1;
            for (n, cell) in (500..).zip(&passing).skip(step * 40 % passing.len()).take(40) {
                if step < 400 {
                    index.insert(SEED.hash(&key(n)), cell, &guard);
                } else {
                    index.remove(SEED.hash(&key(n)), cell, &guard);
                }
            }
            index.tidy(64, &guard);
        }
        assert!((0..500).all(|n| met.contains(&key(n))));
    }

    #[test]
    fn threads_that_insert_find_and_remove_lose_nothing() {
        let index = Index::new(SEED);
        let cells: Vec<Cell> = (0..40_000).map(|n| Cell::new(&key(n))).collect();
        let done = AtomicBool::new(false);
        let (staying, churning) = cells.split_at(20_000);
        std::thread::scope(|scope| {
            let insert = scope.spawn(|| {
                for (n, cell) in (0..).zip(staying) {
                    let guard = crossbeam_epoch::pin();
                    index.insert(SEED.hash(&key(n)), cell, &guard);
                    assert!(index.find(SEED.hash(&key(n)), &key(n), &guard).is_some());
                }
            });
            let churn = scope.spawn(|| {
                for round in 0..3 {
                    for (n, cell) in (20_000..).zip(churning) {
                        let guard = crossbeam_epoch::pin();
                        let hash = SEED.hash(&key(n));
                        index.insert(hash, cell, &guard);
                        assert!(index.find(hash, &key(n), &guard).is_some(), "{n} in round {round}");
                        index.remove(hash, cell, &guard);
                    }
                }
            });
            scope.spawn(|| {
                while !done.load(Std::Relaxed) {
                    index.tidy(512, &crossbeam_epoch::pin());
                }
            });
            insert.join().unwrap();
            churn.join().unwrap();
            done.store(true, Std::Relaxed);
        });
        let guard = crossbeam_epoch::pin();
        for n in 0..20_000 {
            assert!(index.find(SEED.hash(&key(n)), &key(n), &guard).is_some(), "{n}");
        }
        assert_eq!(scan_all(&index, &guard).len(), 20_000);
    }
}
