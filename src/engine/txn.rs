//! One attempt at a command or transaction: what it saw and what it means to write.
//!
//! Every command, alone or inside MULTI, runs against a `Txn`. Reads record what they saw, writes go to a private
//! overlay; nothing is shared before `commit`. An attempt that lost to another is thrown away whole, and the command
//! runs again on a fresh one. An attempt costs what its keys cost: one that touches a single key publishes with a
//! single CAS, one that only reads publishes nothing.
//!
//! | file | owns |
//! |---|---|
//! | this one | the attempt; finding what it has of a key |
//! | `access` | one key of it, and what is to take its place |
//! | `look` | reading |
//! | `write` | writing strings, deleting, expiry |
//! | `databases`, `scan` | what concerns databases, and keys that nobody has named |

mod access;
mod databases;
mod look;
mod scan;
mod write;

use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::ops::Range;
use std::sync::Arc;

use crossbeam_epoch::Guard;
use smallvec::SmallVec;

use crate::clock::Millis;
use crate::engine::group::GroupState;
use crate::engine::root::Root;
use crate::engine::{DbIndex, Engine, EngineError};
use crate::lsn::Lsn;
use crate::store::hash::KeyHash;
use crate::store::keyspace::{Keyspace, Wanted};
use crate::store::value::ledger::Ledger;

pub(super) use access::{Access, Change, Edits, Found, Write, retire};
use databases::Structure;
pub(super) use databases::StructureChange;
pub(super) use look::Misses;
pub use look::{Fate, KeyInfo, Live, LiveString, Lookups, Missed, Was, WrongType};

/// Accesses beyond this number are found through a map instead of by looking at each.
const ACCESSES_LINEAR_MAX: usize = 12;

/// Finds the accesses to a key by its hash, where there are many.
type AccessesByHash = HashMap<(DbIndex, KeyHash), SmallVec<[u32; 1]>, std::hash::BuildHasherDefault<Folded>>;

/// One attempt: reads see one state and the attempt's own writes.
///
/// The closure that is given a `Txn` may run several times; only its last run takes effect.
pub struct Txn<'g> {
    pub(super) engine: &'g Engine,
    pub(super) guard: &'g Guard,
    pub(super) root: &'g Root,
    pub(super) accesses: SmallVec<[Access<'g>; 1]>,
    /// The keys of accesses without a cell, one behind the other.
    pub(super) missing: SmallVec<[u8; 32]>,
    pub(super) structure: Option<Box<Structure>>,
    /// What was done to trees.
    pub(super) ledger: Option<Box<Ledger>>,
    /// Whether it is an attempt at several commands, and how that goes.
    pub(super) group: Option<GroupState>,
    lookup: Option<Box<AccessesByHash>>,
    pub(super) terms: Terms<'g>,
    /// The latest record of what was visited without being recorded as an access.
    pub(super) visited_lsn: Lsn,
    pub(super) lookups: Lookups,
    misses: &'g Misses,
}

/// What an attempt is told when it begins.
#[derive(Clone, Copy)]
pub(super) struct Terms<'g> {
    /// The attempt's time. Before any other where it repeats what another server did.
    pub now: Millis,
    /// The time that its record and the uses of its keys get.
    pub clock: Millis,
    /// Whether uses of keys are counted.
    pub touch: bool,
    /// Whether it runs alone.
    pub alone: bool,
    /// Whether it repeats what another server did: it may write where others may not.
    pub applies: bool,
    /// A key of which something is known already: the one that the command names first.
    pub wanted: Option<&'g Wanted<'g>>,
}

impl<'g> Txn<'g> {
    #[inline]
    pub(super) fn new(
        engine: &'g Engine,
        guard: &'g Guard,
        root: &'g Root,
        terms: Terms<'g>,
        misses: &'g Misses,
    ) -> Self {
        Self {
            engine,
            guard,
            root,
            accesses: SmallVec::new(),
            missing: SmallVec::new(),
            structure: None,
            ledger: None,
            group: None,
            lookup: None,
            terms,
            visited_lsn: Lsn::ZERO,
            lookups: Lookups::default(),
            misses,
        }
    }

    /// The attempt's time.
    #[inline]
    pub fn now(&self) -> Millis {
        self.terms.now
    }

    /// The time that the attempt's record gets.
    #[inline]
    pub(super) fn clock(&self) -> Millis {
        self.terms.clock
    }

    /// Whether the attempt may write.
    #[inline]
    pub(super) fn may_write(&self) -> Result<(), EngineError> {
        if self.terms.applies {
            return Ok(());
        }
        if self.root.paused_until > self.terms.clock {
            return Err(EngineError::Paused);
        }
        if self.root.follows { Err(EngineError::Follows) } else { Ok(()) }
    }

    /// A pseudo-random number; not for secrets.
    pub fn random(&mut self) -> u64 {
        self.engine.random()
    }

    /// How many databases there are.
    pub fn databases(&self) -> DbIndex {
        self.root.layout.databases()
    }

    /// Whether this attempt runs alone.
    pub fn is_alone(&self) -> bool {
        self.terms.alone
    }

    /// Uses of keys are not counted from here on (or are again).
    pub fn set_touch(&mut self, touch: bool) {
        self.terms.touch = touch;
    }

    fn keyspace(&self, db: DbIndex) -> &'g Keyspace {
        match &self.structure {
            None => self.root.keyspace(db),
            // SAFETY: the structure's keyspaces are dropped through the guard or handed to the next root, so they
            // outlive `'g`.
            Some(structure) => unsafe { &*Arc::as_ptr(&structure.keyspaces[self.root.layout.place(db)]) },
        }
    }

    #[inline]
    pub(super) fn access(&mut self, db: DbIndex, key: &[u8]) -> usize {
        let keyspace = self.keyspace(db);
        let hash = match self.terms.wanted {
            // Why by address: the command names the very bytes that were hashed, and to compare them costs as much as to
            // hash them again.
            Some(wanted) if std::ptr::eq(wanted.key, key) => wanted.hash,
            _ => keyspace.seed().hash(key),
        };
        if !self.accesses.is_empty()
            && let Some(at) = self.known(db, hash, key)
        {
            return at;
        }
        let found = keyspace.look_up(hash, key, self.guard).map(|(cell, look)| {
            self.engine.settle(look.version, self.guard);
            Found { cell, word: look.word, version: look.version }
        });
        let missing = if found.is_none() { self.keep_missing(key) } else { 0..0 };
        let at = self.accesses.len();
        self.accesses.push(Access {
            db,
            hash,
            keyspace,
            found,
            write: ManuallyDrop::new(None),
            created: false,
            missing,
        });
        self.remember(at);
        at
    }

    /// Keeps a key that has no cell.
    #[inline]
    fn keep_missing(&mut self, key: &[u8]) -> Range<u32> {
        let from = self.missing.len() as u32;
        self.missing.extend_from_slice(key);
        from..self.missing.len() as u32
    }

    #[inline]
    fn known(&self, db: DbIndex, hash: KeyHash, key: &[u8]) -> Option<usize> {
        let same = |access: &Access<'_>| {
            access.db == db && access.hash == hash && access.key(&self.missing, self.guard) == key
        };
        match &self.lookup {
            None => self.accesses.iter().position(same),
            Some(map) => {
                let candidates = map.get(&(db, hash))?;
                candidates.iter().map(|&at| at as usize).find(|&at| same(&self.accesses[at]))
            }
        }
    }

    #[inline]
    fn remember(&mut self, at: usize) {
        if let Some(map) = &mut self.lookup {
            let access = &self.accesses[at];
            map.entry((access.db, access.hash)).or_default().push(at as u32);
        } else if at >= ACCESSES_LINEAR_MAX {
            self.index_accesses();
        }
    }

    #[cold]
    fn index_accesses(&mut self) {
        let mut map = HashMap::default();
        for (at, access) in self.accesses.iter().enumerate() {
            map.entry((access.db, access.hash)).or_insert_with(SmallVec::new).push(at as u32);
        }
        self.lookup = Some(Box::new(map));
    }

    /// The latest record that this attempt has seen.
    pub(super) fn seen_lsn(&self) -> Lsn {
        let seen = self.accesses.iter().filter_map(|access| access.found).map(|found| found.version.lsn());
        seen.fold(self.visited_lsn.max(self.root.lsn), Lsn::max)
    }

    /// Whether it changes anything.
    #[inline]
    pub(super) fn writes(&self) -> bool {
        self.structure.is_some() || self.accesses.iter().any(|access| access.write.is_some())
    }
}

impl Drop for Txn<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(structure) = self.structure.take() {
            // Why through the guard: a `Live` may point into a keyspace that nobody else has.
            self.guard.defer(move || drop(structure));
        }
    }
}

/// A hasher for keys that are hashes already.
#[derive(Default)]
pub(super) struct Folded(u64);

impl std::hash::Hasher for Folded {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u16(&mut self, n: u16) {
        self.0 = self.0.rotate_left(16) ^ u64::from(n);
    }

    fn write_u64(&mut self, n: u64) {
        self.0 ^= n;
    }
}
