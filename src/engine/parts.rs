//! Large collections in a snapshot: in parts, and of several moments.
//!
//! A copy of a whole collection would take as much memory again, and hold up what everybody frees meanwhile for as long
//! as it takes. So a snapshot takes a large hash, set or sorted set in parts, each under a guard of its own; writers go on
//! between them. What the parts hold together is the collection at no moment, and yet recovery is exact:
//!
//! * The parts carry the LSN of the version that the first was taken of. Whatever changed the key afterwards is a record
//!   above it, which is replayed.
//! * A change of such a collection says what an entry is now, or that it is gone; not how it differs from before. So
//!   replayed in order, the last change of each entry decides, whatever the part had of it.
//! * A record that puts another value in the key's place, or removes it, decides over all entries.
//! * On the way, replay may see a collection lose its last entry that never did, and an entry come to it after. So below
//!   the end of the snapshot an edit of an absent key begins with an empty collection of the edit's type, and with the
//!   expiry that the key was last given. Where the key
//!   was absent indeed when the snapshot came by, a record above has removed it, which is replayed as well.
//!
//! A list changes by positions, which mean something on one state only: it is copied whole, in parts that can be written one
//! by one.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crossbeam_epoch::Guard;

use crate::clock::Millis;
use crate::engine::effect::{Effect, EffectError};
use crate::engine::{DbIndex, Engine};
use crate::lsn::Lsn;
use crate::store::keyspace::Keyspace;
use crate::store::value::block::{Block, BlockBuf};
use crate::store::value::collection::{Collection, Type};
use crate::store::version::{ValueRef, VersionPtr};

/// Bytes of a part; collections of more are taken in parts. In tests few, or else they would need large ones.
pub(super) const PART_BYTES: usize = if cfg!(test) { 256 } else { 1024 * 1024 };

/// A collection of which a snapshot takes one part after the other.
pub(super) struct Copying<'k> {
    engine: &'k Engine,
    keyspace: &'k Keyspace,
    db: DbIndex,
    key: Vec<u8>,
    of: Type,
    /// Of the version of which the first part was taken.
    lsn: Lsn,
    expiry: Option<Millis>,
    number: u64,
    /// The key behind which the next part begins.
    after: Option<Vec<u8>>,
    is_over: bool,
}

impl<'k> Copying<'k> {
    /// Begins with a version that a walk has come to, if that is to be taken in parts.
    pub(super) fn begin(
        engine: &'k Engine,
        (db, keyspace): (DbIndex, &'k Keyspace),
        version: VersionPtr,
        _guard: &Guard,
    ) -> Option<Self> {
        // SAFETY: used at once, under the guard.
        let (key, value) = unsafe { (version.key(), version.value()?) };
        let ValueRef::Collection(collection) = value else { return None };
        let collection = collection.read();
        if collection.bytes_in_parts()? <= PART_BYTES as u64 {
            return None;
        }
        let (key, of) = (key.to_vec(), collection.type_of());
        let (lsn, expiry) = (version.lsn(), version.expiry());
        let (number, after, is_over) = (0, None, false);
        Some(Self { engine, keyspace, db, key, of, lsn, expiry, number, after, is_over })
    }

    /// The next part, as it is written; none behind the last.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        if self.is_over {
            return None;
        }
        let mut entries = BlockBuf::default();
        self.after = self.take(&mut entries);
        self.is_over = self.after.is_none();
        let number = self.number;
        self.number += 1;
        let part = Part { db: self.db, key: &self.key, of: self.of, lsn: self.lsn, expiry: self.expiry };
        Some(part.encoded(number, self.is_over, &entries.to_bytes()))
    }

    fn take(&self, entries: &mut BlockBuf) -> Option<Vec<u8>> {
        let guard = crossbeam_epoch::pin();
        let hash = self.keyspace.seed().hash(&self.key);
        let version = self.keyspace.find(hash, &self.key, &guard)?.look(&guard).version;
        self.engine.settle(version, &guard);
        // SAFETY: used under the guard.
        let ValueRef::Collection(collection) = (unsafe { version.value() })? else { return None };
        let collection = collection.read();
        // Why the end where it is another's: the record that put that here is replayed, so the rest does not matter.
        if collection.type_of() != self.of {
            return None;
        }
        collection.part(self.after.as_deref(), PART_BYTES, entries)
    }
}

/// The parts of a list, all of one version.
pub(super) fn parts_of_list(db: DbIndex, version: VersionPtr, _guard: &Guard) -> Option<Vec<Vec<u8>>> {
    // SAFETY: used at once, under the guard.
    let (key, value) = unsafe { (version.key(), version.value()?) };
    let ValueRef::Collection(collection) = value else { return None };
    let Collection::List(list) = collection.read() else { return None };
    if version.trees()?.bytes() <= PART_BYTES as u64 {
        return None;
    }
    let part = Part { db, key, of: Type::List, lsn: version.lsn(), expiry: version.expiry() };
    let mut parts = Vec::new();
    let mut entries = BlockBuf::default();
    for element in list.forward(0) {
        if entries.data_bytes() >= PART_BYTES {
            parts.push(part.encoded(parts.len() as u64, false, &entries.to_bytes()));
            entries.clear();
        }
        entries.push(element);
    }
    parts.push(part.encoded(parts.len() as u64, true, &entries.to_bytes()));
    Some(parts)
}

/// What all parts of a collection say.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Part<'k> {
    db: DbIndex,
    key: &'k [u8],
    of: Type,
    lsn: Lsn,
    expiry: Option<Millis>,
}

impl Part<'_> {
    fn encoded(self, number: u64, is_last: bool, entries: &[u8]) -> Vec<u8> {
        let Self { db, key, of, lsn, expiry } = self;
        let effect = Effect::Part { db, key, of, number, is_last, entries: entries.into(), expiry };
        let parts = effect.parts();
        let mut out = Vec::with_capacity(size_of::<u64>() + parts.bytes());
        out.extend_from_slice(&lsn.get().to_le_bytes());
        parts.slices().iter().for_each(|slice| out.extend_from_slice(slice));
        out
    }
}

/// Collections of a snapshot of which some parts are loaded: the threads that load find them in any order.
#[derive(Default)]
pub(super) struct Gathering(Mutex<HashMap<(DbIndex, Vec<u8>), Gathered>>);

/// The parts of a collection that are there.
pub(super) struct Gathered {
    pub of: Type,
    pub lsn: Lsn,
    pub expiry: Option<Millis>,
    blocks: BTreeMap<u64, Vec<u8>>,
    /// The number of the last, once that was seen.
    last: Option<u64>,
}

impl Gathering {
    /// A panic elsewhere leaves the map whole: each change is one call.
    fn lock(&self) -> MutexGuard<'_, HashMap<(DbIndex, Vec<u8>), Gathered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a part; gives the whole with the last one that was missing.
    ///
    /// # Errors
    /// What is no part, or none of the collection that the others are of.
    pub(super) fn add(&self, lsn: Lsn, effect: Effect<'_>) -> Result<Option<Gathered>, EffectError> {
        let Effect::Part { db, key, of, number, is_last, entries, expiry } = effect else {
            return Err(EffectError::Malformed(0));
        };
        let name = (db, key.to_vec());
        let mut gathering = self.lock();
        let new = Gathered { of, lsn, expiry, blocks: BTreeMap::new(), last: None };
        let gathered = gathering.entry(name.clone()).or_insert(new);
        if is_last && gathered.last.replace(number).is_some() {
            return Err(EffectError::Malformed(0));
        }
        let is_same = (gathered.of, gathered.lsn, gathered.expiry) == (of, lsn, expiry);
        if !is_same || gathered.blocks.insert(number, entries.into_owned()).is_some() {
            return Err(EffectError::Malformed(0));
        }
        if gathered.is_whole() { Ok(gathering.remove(&name)) } else { Ok(None) }
    }

    /// A key of whose collection a part is missing.
    pub(super) fn incomplete(self) -> Option<(DbIndex, Vec<u8>)> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).into_keys().next()
    }
}

impl Gathered {
    fn is_whole(&self) -> bool {
        self.last.is_some_and(|last| {
            self.blocks.len() as u64 == last + 1
                && self.blocks.last_key_value().is_some_and(|(&at, _)| at == last)
        })
    }

    /// All entries, in the order of the parts.
    pub(super) fn entries(&self) -> Vec<&[u8]> {
        self.blocks.values().flat_map(|block| Block::of(block).iter()).collect()
    }
}
