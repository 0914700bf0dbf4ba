//! Databases in the making: what is to take the place of the databases all at once is put together beside them.
//!
//! To each database belongs a *staged* one that no client can name. It is written by ordinary transactions, so what is
//! put together is in the log, and with it at whoever follows that; [`Txn::install_staged`] then exchanges all pairs
//! and empties what the databases held before, in one record: readers see the old state or the new.
//!
//! Staged databases are numbered from the greatest number downwards, so that their numbers in a log mean the same when
//! the number of databases is changed, and are never taken for those of databases.
//!
//! What a process that died had staged is there again at the next start, where only [`Txn::discard_staged`] removes it:
//! whoever stages begins with that.

use crate::engine::{DbIndex, Engine, Txn};

/// How the databases and the staged ones lie in a row: the databases first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    databases: usize,
    staged: usize,
}

impl Layout {
    /// A staged one for each of so many databases, as long as there are numbers for them.
    pub(super) fn new(databases: DbIndex) -> Self {
        let numbers_left = usize::from(DbIndex::MAX) + 1 - usize::from(databases);
        Self { databases: usize::from(databases), staged: usize::from(databases).min(numbers_left) }
    }

    /// How many there are in all.
    pub(super) fn total(self) -> usize {
        self.databases + self.staged
    }

    /// How many there are without the staged ones.
    pub(super) fn databases(self) -> DbIndex {
        self.databases as DbIndex
    }

    /// Where a database is in the row; behind its end if there is none of this number.
    #[inline]
    pub(super) fn place(self, db: DbIndex) -> usize {
        let db = usize::from(db);
        if db < self.databases { db } else { self.staged_place(db) }
    }

    #[cold]
    fn staged_place(self, db: usize) -> usize {
        let place = usize::from(DbIndex::MAX) - db;
        if place < self.staged { self.databases + place } else { self.total() }
    }

    /// The number of the one at `place`.
    pub(super) fn number(self, place: usize) -> DbIndex {
        if place < self.databases {
            place as DbIndex
        } else {
            DbIndex::MAX - (place - self.databases) as DbIndex
        }
    }

    /// The number of the one in which the next content of a database is put together.
    pub(super) fn staged(self, db: DbIndex) -> Option<DbIndex> {
        (usize::from(db) < self.staged).then(|| DbIndex::MAX - db)
    }

    /// Databases, each with its staged one.
    fn pairs(self) -> impl Iterator<Item = (DbIndex, DbIndex)> {
        (0..self.databases()).filter_map(move |db| Some((db, self.staged(db)?)))
    }
}

impl Engine {
    /// The number under which the next content of a database is put together; none if there is no such database, or
    /// one of so many that there are no numbers left.
    pub fn staged(&self, db: DbIndex) -> Option<DbIndex> {
        self.layout.staged(db)
    }

    /// How many databases there are.
    pub fn databases(&self) -> DbIndex {
        self.layout.databases()
    }
}

impl Txn<'_> {
    /// Empties the staged databases.
    ///
    /// # Panics
    /// Unless the attempt runs alone.
    pub fn discard_staged(&mut self) {
        for (_, staged) in self.engine.layout.pairs() {
            self.flush(Some(staged));
        }
    }

    /// Puts what is staged in the place of what the databases hold, all of them at once.
    ///
    /// # Panics
    /// Unless the attempt runs alone.
    pub fn install_staged(&mut self) {
        for (db, staged) in self.engine.layout.pairs() {
            self.swap(db, staged);
            self.flush(Some(staged));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;
    use crate::store::version::Value;
    use std::convert::Infallible;

    #[test]
    fn every_number_has_one_place_and_every_place_one_number() {
        for databases in [1, 2, 16, 255, 32_767, 32_768, 32_769, 65_534, 65_535] {
            let layout = Layout::new(databases);
            assert!(layout.total() <= usize::from(DbIndex::MAX) + 1, "{databases}");
            for place in 0..layout.total() {
                assert_eq!(layout.place(layout.number(place)), place, "{databases}");
            }
            let known = (0..=DbIndex::MAX).filter(|db| layout.place(*db) < layout.total()).count();
            assert_eq!(known, layout.total(), "{databases}");
        }
    }

    #[test]
    fn numbers_of_staged_databases_do_not_depend_on_how_many_there_are() {
        assert_eq!(Layout::new(1).staged(0), Layout::new(1000).staged(0));
        assert_eq!(Layout::new(16).staged(15), Layout::new(17).staged(15));
        assert_eq!(Layout::new(16).staged(16), None);
        assert_eq!(Layout::new(DbIndex::MAX).staged(0), Some(DbIndex::MAX));
        assert_eq!(Layout::new(DbIndex::MAX).staged(1), None);
    }

    #[test]
    fn what_is_staged_takes_the_place_of_all_databases_at_once() {
        let engine = Engine::for_tests();
        let staged = engine.staged(3).expect("there is a database 3");
        let mut batch = engine.batch(Millis::now(), false);
        let put = batch.run(|txn| {
            txn.put(0, b"old", Value::Str(b"1"), None);
            txn.put(3, b"old", Value::Str(b"1"), None);
            txn.put(staged, b"new", Value::Str(b"2"), None);
            Ok::<_, Infallible>(())
        });
        assert!(put.is_ok());
        let keys = |batch: &mut crate::engine::Batch<'_>| {
            let counted = batch.run(|txn| Ok::<_, Infallible>((txn.len(0), txn.len(3), txn.len(staged))));
            counted.expect("an engine in memory reads").unwrap_or_default()
        };
        assert_eq!(keys(&mut batch), (1, 1, 1));
        let installed = batch.run_alone(|txn| {
            txn.install_staged();
            Ok::<_, Infallible>(())
        });
        assert!(installed.is_ok());
        assert_eq!(keys(&mut batch), (0, 1, 0));
        let found = batch.run(|txn| Ok::<_, Infallible>(txn.peek(3, b"new").is_some()));
        assert!(matches!(found, Ok(Ok(true))));
        assert_eq!(engine.info().databases.len(), 1, "staged databases are not told of");
    }
}
