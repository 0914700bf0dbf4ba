//! Visiting keys that nobody has named: SCAN, KEYS, RANDOMKEY.

use std::ops::Bound;

use crate::engine::txn::{Live, Txn};
use crate::engine::{DbIndex, Engine};
use crate::store::cell::Cell;
use crate::store::hash::KeyHash;
use crate::store::keyspace::Keyspace;

impl<'g> Txn<'g> {
    /// A random live key, or none if a bounded search finds none.
    pub fn random_key(&mut self, db: DbIndex) -> Option<Vec<u8>> {
        const TRIES: usize = 100;
        let keyspace = self.keyspace(db);
        let mut own = Vec::new();
        self.visit_unpublished(db, &mut |key, _| own.push(key.to_vec()));
        let published = self.keyspace(db).keys.count();
        if !own.is_empty() && self.engine.random() % (published + own.len() as u64) < own.len() as u64 {
            let at = self.engine.random() as usize % own.len();
            return Some(own.swap_remove(at));
        }
        let mut picked = own.pop();
        let mut cursor = self.engine.random();
        for _ in 0..TRIES {
            let mut keys = Vec::new();
            // Why a whole stretch of the hash space: near the next key alone, keys behind a gap would win more often.
            let next = self.scan_slice(keyspace, db, cursor, 16, &mut |key, _| keys.push(key.to_vec()));
            if !keys.is_empty() {
                let at = self.engine.random() as usize % keys.len();
                picked = Some(keys.swap_remove(at));
                break;
            }
            cursor = next;
        }
        picked
    }

    /// Visits about `count` live keys in hash order from `cursor`; gives the next cursor, 0 at the end.
    ///
    /// # Consistency
    /// A key that is there from the call with cursor 0 to the call that gives 0 is visited.
    pub fn scan(
        &mut self,
        db: DbIndex,
        cursor: u64,
        count: usize,
        visit: &mut dyn FnMut(&[u8], Live<'g>),
    ) -> u64 {
        let keyspace = self.keyspace(db);
        if cursor == 0 {
            self.visit_unpublished(db, visit);
        }
        self.scan_slice(keyspace, db, cursor, count, visit)
    }

    /// Visits the keys that only this attempt has written.
    fn visit_unpublished(&mut self, db: DbIndex, visit: &mut dyn FnMut(&[u8], Live<'g>)) {
        for at in 0..self.accesses.len() {
            let access = &self.accesses[at];
            // Why only without a cell: the walk comes by the others.
            if access.db == db && access.found.is_none() && access.write.is_some() {
                let key = access.key(&self.missing, self.guard).to_vec();
                if let Some(live) = self.live(at) {
                    visit(&key, live);
                }
            }
        }
    }

    fn scan_slice(
        &mut self,
        keyspace: &'g Keyspace,
        db: DbIndex,
        cursor: u64,
        count: usize,
        visit: &mut dyn FnMut(&[u8], Live<'g>),
    ) -> u64 {
        /// Slots that one call looks at for each key that it wants, so that an almost empty table costs little.
        const SLOTS_PER_KEY: usize = 16;
        let guard = self.guard;
        let mut at = KeyHash(cursor);
        let mut cells = 0;
        for _ in 0..count.saturating_mul(SLOTS_PER_KEY) {
            let next = keyspace.scan(at, guard, &mut |cell| {
                cells += 1;
                self.visit_cell(db, cell, visit);
            });
            match next {
                None => return 0,
                Some(next) => at = next,
            }
            if cells >= count {
                break;
            }
        }
        at.0
    }

    fn visit_cell(&mut self, db: DbIndex, cell: &'g Cell, visit: &mut dyn FnMut(&[u8], Live<'g>)) -> bool {
        let guard = self.guard;
        let key = cell.key(guard);
        if !self.accesses.is_empty() {
            let hash = self.keyspace(db).seed().hash(key);
            if let Some(at) = self.known(db, hash, key) {
                return self.live(at).map(|live| visit(key, live)).is_some();
            }
        }
        let version = cell.look(guard).version;
        self.engine.settle(version, guard);
        self.visited_lsn = self.visited_lsn.max(version.lsn());
        Engine::live(version, self.terms.now, guard).map(|live| visit(key, live)).is_some()
    }

    /// Visits live keys that start with `prefix`, in key order, until `visit` says false; tells whether it came to the
    /// end. At most `cells_max` cells are looked at, those of absent keys included.
    pub fn keys(
        &mut self,
        db: DbIndex,
        prefix: &[u8],
        cells_max: usize,
        visit: &mut dyn FnMut(&[u8], Live<'g>) -> bool,
    ) -> bool {
        let keyspace = self.keyspace(db);
        let guard = self.guard;
        let mut complete = true;
        self.visit_unpublished(db, &mut |key, live| {
            if complete && key.starts_with(prefix) {
                complete = visit(key, live);
            }
        });
        let mut cells = 0;
        keyspace.walk(Bound::Included(prefix), guard, &mut |cell| {
            if !complete || !cell.key(guard).starts_with(prefix) {
                return false;
            }
            cells += 1;
            complete = cells <= cells_max;
            if complete {
                self.visit_cell(db, cell, &mut |key, live| complete = visit(key, live));
            }
            complete
        });
        complete
    }
}
