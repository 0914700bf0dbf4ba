//! One database: the order that holds the cells by key, the hash index beside it, and its counters.
//!
//! | operation | progress | linearization point |
//! |---|---|---|
//! | [`Keyspace::find`], [`Keyspace::look_up`] | wait-free | as [`Index::find`] |
//! | [`Keyspace::find_or_create`] | lock-free | the order's insertion |
//! | [`Keyspace::sweep`] | one sweeper at a time; waits for two grace periods | the CAS that seals |
//!
//! Invariant: at most one cell of a key is alive. The order sees to it (it has a key once), and a sealed cell is taken
//! out of it before another can be made.
//!
//! Invariant: a cell is named by order and index before its first version is published; so a key that the index
//! does not find is absent.

use crossbeam_epoch::Guard;
use crossbeam_queue::SegQueue;
use smallvec::SmallVec;
use std::ops::Bound;

use crate::clock::Millis;
use crate::lsn::Lsn;
use crate::store::cell::{Cell, Look};
use crate::store::counter::Counter;
use crate::store::grace;
use crate::store::hash::{HashSeed, KeyHash};
use crate::store::index::Index;
use crate::store::order::Order;
pub use crate::store::order::Post;
use crate::store::version::{OwnedVersion, VersionPtr};

/// Bytes of an index slot per key, on average: the table is between three and six eighths full.
const INDEX_BYTES_PER_KEY: usize = 16;

/// A key that is about to be looked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'k> {
    /// Its hash.
    pub hash: KeyHash,
    /// The key.
    pub key: &'k [u8],
    /// Whether it may be written.
    pub is_written: bool,
    /// Where the order has it, or would have it, if that was looked for.
    pub post: Post,
}

/// One database.
pub struct Keyspace {
    order: Order,
    index: Index,
    seed: HashSeed,
    /// Keys that are present, expired ones that nobody removed yet included.
    pub keys: Counter,
    /// Of those, the ones that have an expiry.
    pub expiring: Counter,
    /// Sum of the expiry times, for the average that INFO tells.
    pub expiry_sum: Counter,
    /// Bytes of the current versions.
    pub version_bytes: Counter,
    /// Keys whose deletion left a tombstone: candidates of the sweeper.
    pub tombs: SegQueue<KeyHash>,
    /// Keys to look at when their time comes.
    pub timers: SegQueue<(Millis, KeyHash)>,
    /// Leaves of the order that were left empty.
    condemned: SegQueue<Vec<u8>>,
}

impl Keyspace {
    /// Makes an empty keyspace.
    pub fn new(seed: HashSeed) -> Self {
        Self::with_room(seed, 0)
    }

    /// Makes an empty keyspace whose index takes `keys` keys without growing.
    pub fn with_room(seed: HashSeed, keys: usize) -> Self {
        Self {
            order: Order::default(),
            index: Index::with_room(seed, keys),
            seed,
            keys: Counter::default(),
            expiring: Counter::default(),
            expiry_sum: Counter::default(),
            version_bytes: Counter::default(),
            tombs: SegQueue::new(),
            timers: SegQueue::new(),
            condemned: SegQueue::new(),
        }
    }

    /// The seed of the key hashes.
    pub fn seed(&self) -> HashSeed {
        self.seed
    }

    /// Finds the live cell of a key.
    #[inline]
    pub fn find<'g>(&'g self, hash: KeyHash, key: &[u8], guard: &'g Guard) -> Option<&'g Cell> {
        self.index.find(hash, key, guard)
    }

    /// As [`Index::look_up`].
    #[inline]
    pub fn look_up<'g>(&'g self, hash: KeyHash, key: &[u8], guard: &'g Guard) -> Option<(&'g Cell, Look)> {
        self.index.look_up(hash, key, guard)
    }

    /// Finds the live cell of a key that the index was lately asked for in vain, or makes one that holds a tombstone. It
    /// is linked everywhere. `post` is what [`Keyspace::prefetch`] has noted for this key, or the default.
    pub fn find_or_create<'g>(&'g self, hash: KeyHash, key: &[u8], post: Post, guard: &'g Guard) -> &'g Cell {
        loop {
            // Why not the index first: it hardly ever has a cell by now, and the order has every one.
            let cell = self.order.find_or_insert(key, post, guard, || Box::new(Cell::new(key)));
            if cell.load(guard).is_dead() {
                // Why: a sealed cell that is still in the order would be found here again and again.
                self.take_out(cell, guard);
                continue;
            }
            self.index.insert(hash, cell, guard);
            // Why look again: sealed since the look above, the sweeper's unlinking may have come before our insertion;
            // it comes again before we unpin only if we undo it ourselves.
            if cell.load(guard).is_dead() {
                self.index.remove(hash, cell, guard);
                continue;
            }
            return cell;
        }
    }

    /// Puts a committed version of a key in place during recovery, when nobody else writes that key.
    ///
    /// # Panics
    /// When somebody else does.
    pub fn load(&self, hash: KeyHash, key: &[u8], version: OwnedVersion, guard: &Guard) {
        let version = version.into_ptr();
        let Some(cell) = self.index.find(hash, key, guard) else {
            let make = || Box::new(Cell::holding(version));
            let cell = self.order.find_or_insert(key, Post::default(), guard, make);
            self.index.insert(hash, cell, guard);
            self.loaded(hash, version, None);
            return;
        };
        let look = cell.look(guard);
        let replaced = cell.replace(look.word, look.word.with_version(version.address()));
        assert!(replaced, "recovery is the only writer of a key");
        self.loaded(hash, version, Some(look.version));
        // SAFETY: taken out of its cell just now, and only recovery looks at this key.
        unsafe { guard.defer_unchecked(move || look.version.free()) };
    }

    fn loaded(&self, hash: KeyHash, new: VersionPtr, old: Option<VersionPtr>) {
        let old = old.filter(|old| !old.is_tombstone());
        let count = |version: Option<VersionPtr>| i64::from(version.is_some());
        let now = Some(new).filter(|new| !new.is_tombstone());
        self.keys.add(count(now) - count(old));
        let bytes = |version: Option<VersionPtr>| version.map_or(0, |version| version.memory_bytes() as i64);
        self.version_bytes.add(bytes(now) - bytes(old));
        let end = |version: Option<VersionPtr>| version.and_then(VersionPtr::expiry);
        let sum = |version: Option<VersionPtr>| end(version).map_or(0, |at| at.0 as i64);
        self.expiring.add(i64::from(end(now).is_some()) - i64::from(end(old).is_some()));
        self.expiry_sum.add(sum(now) - sum(old));
        // SAFETY: it has just been put in its cell, and only recovery writes this key.
        let fields_end = now.and_then(|version| unsafe { version.next_field_expiry() });
        let ends = [end(now), fields_end];
        ends.into_iter().flatten().for_each(|end| self.timers.push((end, hash)));
        if now.is_none() {
            self.tombs.push(hash);
        }
    }

    /// Brings the index slot of a key near: the first of two steps.
    #[inline]
    pub fn prefetch_slot(&self, hash: KeyHash, guard: &Guard) {
        self.index.prefetch_slot(hash, guard);
    }

    /// Brings near what keys lead to: the second step, for at most 64 keys. What is missing may be made, where it is
    /// said so; where it goes then is noted.
    #[inline]
    pub fn prefetch(&self, keys: &mut [Wanted<'_>], guard: &Guard) {
        let mut cells = SmallVec::<[_; 64]>::new();
        let mut missing = SmallVec::<[_; 64]>::new();
        for wanted in keys {
            match self.index.prefetch_cell(wanted.hash, guard) {
                Some(cell) => cells.push(cell),
                None if wanted.is_written => missing.push((wanted.key, &mut wanted.post)),
                None => {}
            }
        }
        if !missing.is_empty() {
            self.order.prefetch(&mut missing, guard);
        }
        for cell in cells {
            cell.prefetch_version(guard);
        }
    }

    /// Visits cells under `hash` (more than one only when hashes collide).
    pub fn for_each_under<'g>(&'g self, hash: KeyHash, guard: &'g Guard, mut visit: impl FnMut(&'g Cell)) {
        self.index.find_where(hash, guard, |cell| {
            if self.seed.hash(cell.key(guard)) == hash {
                visit(cell);
            }
            false
        });
    }

    /// As [`Index::scan`].
    pub fn scan<'g>(
        &'g self,
        cursor: KeyHash,
        guard: &'g Guard,
        visit: &mut impl FnMut(&'g Cell),
    ) -> Option<KeyHash> {
        self.index.scan(cursor, guard, visit)
    }

    /// As [`Order::walk`].
    pub fn walk<'g>(
        &'g self,
        from: Bound<&[u8]>,
        guard: &'g Guard,
        visit: &mut impl FnMut(&'g Cell) -> bool,
    ) {
        self.order.walk(from, guard, visit);
    }

    /// Whether a sweep would find something to do besides the keys that it is given.
    pub fn wants_sweep(&self) -> bool {
        !self.condemned.is_empty()
    }

    /// Takes a sealed cell out of the order.
    fn take_out(&self, cell: &Cell, guard: &Guard) {
        if let Some(low) = self.order.remove(cell, guard) {
            self.condemned.push(low);
        }
    }

    /// Bytes that the keyspace occupies: versions, nodes and the index.
    pub fn memory_bytes(&self, guard: &Guard) -> u64 {
        let order = self.order.leaves() * Order::LEAF_BYTES + self.keys.count() as usize * Order::KEY_BYTES;
        self.version_bytes.count() + (order + self.index.memory_bytes(guard)) as u64
    }

    /// Bytes that one key occupies, with its share of the structures.
    pub fn key_memory_bytes(version: VersionPtr) -> usize {
        version.memory_bytes() + Order::KEY_BYTES + INDEX_BYTES_PER_KEY
    }

    /// Does some of the index's housekeeping; tells whether more is left.
    pub fn tidy_index(&self, slots: usize, guard: &Guard) -> bool {
        self.index.tidy(slots, guard)
    }

    /// The cell that the order has for a key.
    #[cfg(all(test, feature = "shuttle"))]
    pub fn ordered<'g>(&'g self, key: &[u8], guard: &'g Guard) -> Option<&'g Cell> {
        let mut missing = false;
        let cell = self.order.find_or_insert(key, Post::default(), guard, || {
            missing = true;
            Box::new(Cell::new(key))
        });
        (!missing).then_some(cell)
    }

    /// As [`Order::survey`].
    pub fn survey(&self) {
        self.order.survey();
    }

    /// Seals and frees the cells of `hashes` that still hold the tombstone that they held when this was called, of
    /// those that `may_seal` lets go; the others become candidates again. Blocks for two grace periods, holding nothing
    /// meanwhile. One caller at a time.
    pub fn sweep(&self, hashes: &[KeyHash], may_seal: &dyn Fn(VersionPtr) -> bool) -> usize {
        let condemned: Vec<_> = std::iter::from_fn(|| self.condemned.pop()).collect();
        let mut seen = Vec::with_capacity(hashes.len());
        {
            let guard = crossbeam_epoch::pin();
            for &hash in hashes {
                self.for_each_under(hash, &guard, |cell| {
                    let look = cell.look(&guard);
                    if look.version.is_tombstone() && look.word.is_descriptor() {
                        self.tombs.push(hash);
                    } else if look.version.is_tombstone() && !look.word.is_dead() {
                        // SAFETY: copied at once, under the guard.
                        seen.push((hash, unsafe { look.version.key() }.to_vec(), look.version.lsn()));
                    }
                });
            }
        }
        if seen.is_empty() && condemned.is_empty() {
            return 0;
        }
        // Why: a tombstone must stay for a grace period, or else a read that looks twice takes a key that came and
        // went between its looks for one that was never there.
        grace::wait();
        for low in &condemned {
            self.order.unlink(low, &crossbeam_epoch::pin());
        }
        let sealed: Vec<_> =
            seen.iter().filter_map(|(hash, key, lsn)| self.seal(*hash, key, *lsn, may_seal)).collect();
        // Why: whoever found a cell alive may still link it; after this all of them are gone.
        grace::wait();
        let guard = crossbeam_epoch::pin();
        for &(hash, cell) in &sealed {
            // SAFETY: sealed above, and freed only below.
            let live = unsafe { &*cell };
            self.index.remove(hash, live, &guard);
            self.take_out(live, &guard);
            let address = cell as usize;
            // SAFETY: neither order nor index leads to it any more, and nobody links it again; only the one sweeper
            // frees cells.
            unsafe { guard.defer_unchecked(move || drop(Box::from_raw(address as *mut Cell))) };
        }
        guard.flush();
        sealed.len()
    }

    /// Seals the cell of `key` if it still holds the tombstone of `lsn`; gives the cell, which nobody but the caller
    /// frees.
    fn seal(
        &self,
        hash: KeyHash,
        key: &[u8],
        lsn: Lsn,
        may_seal: &dyn Fn(VersionPtr) -> bool,
    ) -> Option<(KeyHash, *const Cell)> {
        let guard = crossbeam_epoch::pin();
        let cell = self.index.find(hash, key, &guard)?;
        let look = cell.look(&guard);
        // Why by LSN: the guard under which the tombstone was seen is gone, so its address proves nothing.
        let same = look.version.is_tombstone() && look.version.lsn() == lsn;
        let settled = !look.word.is_descriptor() && !look.word.is_dead() && look.version.is_committed();
        if same && settled && may_seal(look.version) && cell.replace(look.word, look.word.sealed()) {
            return Some((hash, cell));
        }
        if same && !look.word.is_dead() {
            // Why: a transaction passed through, and nobody else may ever come by to free the cell.
            self.tombs.push(hash);
        }
        None
    }
}

impl std::fmt::Debug for Keyspace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyspace").field("keys", &self.keys.sum()).finish_non_exhaustive()
    }
}

impl Drop for Keyspace {
    fn drop(&mut self) {
        // The order frees the cells, and they their versions; nobody can be inside any more. It takes time proportional
        // to the keys, so the last owner is a background thread.
        tracing::trace!(keys = self.keys.sum(), "a keyspace is freed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Writers once looked a cell up, looked at it again, and put their version into it though it had been sealed in
    /// between: the key was acknowledged, and gone with the sweeper's next steps.
    #[test]
    fn a_cell_that_is_looked_up_is_alive_as_it_was_seen() {
        const SEALS: usize = 200;
        let keyspace = Keyspace::new(HashSeed(7));
        let hash = keyspace.seed().hash(b"key");
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let looker = scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let guard = crossbeam_epoch::pin();
                    keyspace.find_or_create(hash, b"key", Post::default(), &guard);
                    for _ in 0..100 {
                        let found = keyspace.look_up(hash, b"key", &guard);
                        assert!(found.is_none_or(|(_, look)| !look.word.is_dead()));
                    }
                }
            });
            let mut sealed = 0;
            while sealed < SEALS && !looker.is_finished() {
                sealed += keyspace.sweep(&[hash], &|_| true);
            }
            done.store(true, Ordering::Relaxed);
        });
    }
}
