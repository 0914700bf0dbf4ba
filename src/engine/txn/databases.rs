//! What concerns a database as a whole: its size, emptying it, exchanging two.

use std::sync::Arc;

use crate::engine::DbIndex;
use crate::engine::txn::Txn;
use crate::store::keyspace::Keyspace;

/// What a transaction that runs alone does to the databases themselves.
pub(in crate::engine) struct Structure {
    pub keyspaces: Vec<Arc<Keyspace>>,
    pub changes: Vec<StructureChange>,
    /// Databases that were emptied, to be freed in the background.
    pub dropped: Vec<Arc<Keyspace>>,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::engine) enum StructureChange {
    Flush(DbIndex),
    FlushAll,
    Swap(DbIndex, DbIndex),
}

impl Txn<'_> {
    /// Keys in a database, expired ones that nobody removed yet included.
    pub fn len(&mut self, db: DbIndex) -> u64 {
        let mut count = self.keyspace(db).keys.sum();
        for access in self.accesses.iter().filter(|access| access.db == db) {
            if let Some(write) = &*access.write {
                let before = access.found.is_some_and(|found| !found.version.is_tombstone());
                count += i64::from(!write.version.as_ptr().is_tombstone()) - i64::from(before);
            }
        }
        u64::try_from(count).unwrap_or(0)
    }

    fn structure(&mut self) -> &mut Structure {
        assert!(self.terms.alone, "the databases change only in a transaction that runs alone");
        self.structure.get_or_insert_with(|| {
            Box::new(Structure {
                keyspaces: self.root.keyspaces.to_vec(),
                changes: Vec::new(),
                dropped: Vec::new(),
            })
        })
    }

    /// Empties one database, or all.
    ///
    /// # Panics
    /// Unless the attempt runs alone.
    pub fn flush(&mut self, db: Option<DbIndex>) {
        let (layout, seed) = (self.root.layout, self.engine.seed);
        let structure = self.structure();
        structure.changes.push(db.map_or(StructureChange::FlushAll, StructureChange::Flush));
        for place in db.map_or(0..layout.total(), |db| layout.place(db)..layout.place(db) + 1) {
            let slot = &mut structure.keyspaces[place];
            structure.dropped.push(std::mem::replace(slot, Arc::new(Keyspace::new(seed))));
        }
        self.part_from_flushed(db);
        self.accesses.retain_mut(|access| {
            let gone = db.is_none_or(|db| access.db == db);
            if gone && let Some(write) = access.write.take() {
                write.discard();
            }
            !gone
        });
        self.index_accesses();
    }

    /// Exchanges two databases.
    ///
    /// # Panics
    /// Unless the attempt runs alone.
    pub fn swap(&mut self, a: DbIndex, b: DbIndex) {
        let layout = self.root.layout;
        let structure = self.structure();
        structure.changes.push(StructureChange::Swap(a, b));
        structure.keyspaces.swap(layout.place(a), layout.place(b));
        for access in &mut self.accesses {
            match access.db {
                db if db == a => access.db = b,
                db if db == b => access.db = a,
                _ => {}
            }
        }
        self.index_accesses();
    }
}
