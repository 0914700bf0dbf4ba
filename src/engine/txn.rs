//! One attempt at a command or transaction: what it saw and what it means to write.
//!
//! Every command, alone or inside MULTI, runs against a `Txn`. Reads record what they saw, writes go to a private
//! overlay; nothing is shared before `commit`. An attempt that lost to another is thrown away whole, and the command
//! runs again on a fresh one. An attempt costs what its keys cost: one that touches a single key publishes with a
//! single CAS, one that only reads publishes nothing.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Bound;
use std::sync::Arc;

use crossbeam_epoch::Guard;
use smallvec::SmallVec;

use crate::clock::Millis;
use crate::engine::effect::overwritten;
use crate::engine::group::GroupState;
use crate::engine::root::Root;
use crate::engine::usage::{Usage, Use};
use crate::engine::{DbIndex, Engine};
use crate::lsn::Lsn;
use crate::store::cell::Cell;
use crate::store::hash::KeyHash;
use crate::store::keyspace::Keyspace;
use crate::store::retired;
use crate::store::value::draft::Delta;
use crate::store::value::ledger::Ledger;
use crate::store::version::{Kind, OwnedVersion, StringRef, Value, ValueRef, VersionPtr};
use crate::store::word::Word;

/// Accesses beyond this number are found through a map instead of by looking at each.
const ACCESSES_LINEAR_MAX: usize = 12;
/// The longest string whose encoding Redis calls `embstr`.
const EMBSTR_BYTES_MAX: usize = 44;

/// One look at a live (present, unexpired) key. Valid as long as the attempt's guard.
#[derive(Clone, Copy, Debug)]
pub struct Live<'g> {
    /// The value.
    pub value: ValueRef<'g>,
    /// When it ends to be.
    pub expiry: Option<Millis>,
    /// The record that made it; zero inside the attempt that writes it.
    pub lsn: Lsn,
}

/// A key that is there holds another type than the command is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the key holds another type of value")]
pub struct WrongType;

/// One look at a live key that holds a string.
#[derive(Clone, Copy, Debug)]
pub struct LiveString<'g> {
    /// The string.
    pub value: StringRef<'g>,
    /// When it ends to be.
    pub expiry: Option<Millis>,
}

impl<'g> Live<'g> {
    /// The string that it is.
    ///
    /// # Errors
    /// [`WrongType`].
    #[inline]
    pub fn string(self) -> Result<LiveString<'g>, WrongType> {
        let value = self.value.string().ok_or(WrongType)?;
        Ok(LiveString { value, expiry: self.expiry })
    }
}

/// What a key looks like from outside, for OBJECT and MEMORY.
#[derive(Clone, Copy, Debug)]
pub struct KeyInfo {
    /// Redis's name of the encoding.
    pub encoding: &'static str,
    /// Seconds since the last use (of an LRU policy).
    pub idle_seconds: u64,
    /// Logarithmic counter of uses (of an LFU policy).
    pub frequency: u8,
    /// Bytes that key, value and their share of the structures occupy.
    pub memory_bytes: usize,
}

/// What a key was before an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Was {
    /// Not there.
    Absent,
    /// Its time had come, and it was not yet removed.
    Expired,
    /// There.
    Live,
}

/// What becomes of a key in an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    /// What it was before.
    pub was: Was,
    /// Whether it is there now.
    pub is_live: bool,
}

/// Keys that were looked for in vain, in order.
pub type Missed = Vec<(DbIndex, Box<[u8]>)>;

/// Where the attempts of a batch note the keys that they look for in vain, if that is wanted.
///
/// Why apart from the attempt: an attempt comes and goes with each command, and hardly ever has any.
#[derive(Debug, Default)]
pub(super) struct Misses {
    pub wanted: bool,
    keys: RefCell<Missed>,
}

/// Keys that were looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lookups {
    /// And found.
    pub hits: u64,
    /// And not found.
    pub misses: u64,
}

impl Lookups {
    /// Those that came after `before`.
    #[inline]
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self { hits: self.hits - before.hits, misses: self.misses - before.misses }
    }
}

/// How the attempt's write of a key is logged.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Put,
    Delete,
    Expire,
    /// The last so many bytes of the new string are new.
    Append {
        suffix_len: usize,
    },
    Overwrite {
        offset: usize,
        len: usize,
    },
    /// Changes of a collection, in order.
    Edit {
        deltas: Vec<Delta>,
        /// Whether the expiry is another.
        expires: bool,
    },
}

/// What the attempt puts in a key's place.
#[derive(Debug)]
pub(super) struct Write {
    pub version: OwnedVersion,
    pub change: Change,
    /// Whether a `Live` may point into it.
    pub(super) shown: bool,
}

/// One key that the attempt read or wrote.
pub(super) struct Access<'g> {
    pub db: DbIndex,
    pub hash: KeyHash,
    pub keyspace: &'g Keyspace,
    /// Absent where the key has no cell.
    pub found: Option<Found<'g>>,
    pub write: Option<Write>,
    /// Whether the attempt made the cell, and has put nothing in it.
    pub created: bool,
    /// The key, where neither a cell nor a write holds it.
    pub missing: SmallVec<[u8; 32]>,
}

/// A key's cell and what was in it.
#[derive(Clone, Copy)]
pub(super) struct Found<'g> {
    pub cell: &'g Cell,
    pub word: Word,
    pub version: VersionPtr,
}

/// What a transaction that runs alone does to the databases themselves.
pub(super) struct Structure {
    pub keyspaces: Vec<Arc<Keyspace>>,
    pub changes: Vec<StructureChange>,
    /// Databases that were emptied, to be freed in the background.
    pub dropped: Vec<Arc<Keyspace>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum StructureChange {
    Flush(DbIndex),
    FlushAll,
    Swap(DbIndex, DbIndex),
}

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
    pub(super) structure: Option<Box<Structure>>,
    /// What was done to trees.
    pub(super) ledger: Option<Box<Ledger>>,
    /// Whether it is an attempt at several commands, and how that goes.
    pub(super) group: Option<GroupState>,
    lookup: Option<AccessesByHash>,
    now: Millis,
    touch: bool,
    /// The latest record of what was visited without being recorded as an access.
    pub(super) visited_lsn: Lsn,
    pub(super) lookups: Lookups,
    misses: &'g Misses,
    alone: bool,
}

impl<'g> Txn<'g> {
    #[inline]
    pub(super) fn new(
        engine: &'g Engine,
        guard: &'g Guard,
        root: &'g Root,
        (now, touch, alone): (Millis, bool, bool),
        misses: &'g Misses,
    ) -> Self {
        Self {
            engine,
            guard,
            root,
            accesses: SmallVec::new(),
            structure: None,
            ledger: None,
            group: None,
            lookup: None,
            now,
            touch,
            visited_lsn: Lsn::ZERO,
            lookups: Lookups::default(),
            misses,
            alone,
        }
    }

    /// The attempt's time.
    #[inline]
    pub fn now(&self) -> Millis {
        self.now
    }

    /// A pseudo-random number; not for secrets.
    pub fn random(&mut self) -> u64 {
        self.engine.random()
    }

    /// How many databases there are.
    pub fn databases(&self) -> DbIndex {
        self.root.keyspaces.len() as DbIndex
    }

    /// Whether this attempt runs alone.
    pub fn is_alone(&self) -> bool {
        self.alone
    }

    /// Uses of keys are not counted from here on (or are again).
    pub fn set_touch(&mut self, touch: bool) {
        self.touch = touch;
    }

    fn keyspace(&self, db: DbIndex) -> &'g Keyspace {
        match &self.structure {
            None => self.root.keyspace(db),
            // SAFETY: the structure's keyspaces are dropped through the guard or handed to the next root, so they
            // outlive `'g`.
            Some(structure) => unsafe { &*Arc::as_ptr(&structure.keyspaces[usize::from(db)]) },
        }
    }

    #[inline]
    pub(super) fn access(&mut self, db: DbIndex, key: &[u8]) -> usize {
        let keyspace = self.keyspace(db);
        let hash = keyspace.seed().hash(key);
        if !self.accesses.is_empty()
            && let Some(at) = self.known(db, hash, key)
        {
            return at;
        }
        let found = keyspace.look_up(hash, key, self.guard).map(|(cell, look)| {
            self.engine.settle(look.version, self.guard);
            Found { cell, word: look.word, version: look.version }
        });
        let missing = if found.is_none() { SmallVec::from_slice(key) } else { SmallVec::new() };
        self.accesses.push(Access { db, hash, keyspace, found, write: None, created: false, missing });
        self.remember(self.accesses.len() - 1);
        self.accesses.len() - 1
    }

    #[inline]
    fn known(&self, db: DbIndex, hash: KeyHash, key: &[u8]) -> Option<usize> {
        let same =
            |access: &Access<'_>| access.db == db && access.hash == hash && access.key(self.guard) == key;
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
        self.lookup = Some(map);
    }

    /// Reads a key and counts the use.
    #[inline]
    pub fn get(&mut self, db: DbIndex, key: &[u8]) -> Option<Live<'g>> {
        let at = self.access(db, key);
        let live = self.looked_for(at)?;
        if self.touch
            && let Some(found) = self.accesses[at].found
        {
            self.engine.usage.touch(found.version, self.now);
        }
        Some(live)
    }

    #[inline]
    pub(super) fn looked_for(&mut self, at: usize) -> Option<Live<'g>> {
        let live = self.live(at);
        if live.is_some() {
            self.lookups.hits += 1;
        } else {
            self.lookups.misses += 1;
            if self.misses.wanted {
                self.note_miss(at);
            }
        }
        live
    }

    #[cold]
    fn note_miss(&mut self, at: usize) {
        let access = &self.accesses[at];
        self.misses.keys.borrow_mut().push((access.db, access.key(self.guard).into()));
    }

    /// Whether the keys that are looked for in vain are noted.
    #[inline]
    pub fn notes_misses(&self) -> bool {
        self.misses.wanted
    }

    /// The keys that were looked for in vain since this was last asked, if they are noted.
    pub fn take_misses(&mut self) -> Missed {
        self.misses.keys.take()
    }

    /// What a key was before this attempt, and whether it is there with what the attempt has written.
    pub fn fate(&mut self, db: DbIndex, key: &[u8]) -> Fate {
        let at = self.access(db, key);
        let was = match self.accesses[at].found.map(|found| found.version) {
            Some(version) if !version.is_tombstone() => {
                if version.is_absent(self.now) {
                    Was::Expired
                } else {
                    Was::Live
                }
            }
            _ => Was::Absent,
        };
        Fate { was, is_live: self.live(at).is_some() }
    }

    /// Reads a key without counting the use.
    pub fn peek(&mut self, db: DbIndex, key: &[u8]) -> Option<Live<'g>> {
        let at = self.access(db, key);
        self.looked_for(at)
    }

    #[inline]
    pub(super) fn live(&mut self, at: usize) -> Option<Live<'g>> {
        let access = &mut self.accesses[at];
        let version = match &mut access.write {
            Some(write) => {
                write.shown = true;
                write.version.as_ptr()
            }
            None => access.found?.version,
        };
        Engine::live(version, self.now, self.guard)
    }

    /// Reads a string and counts the use.
    ///
    /// # Errors
    /// [`WrongType`].
    #[inline]
    pub fn get_string(&mut self, db: DbIndex, key: &[u8]) -> Result<Option<LiveString<'g>>, WrongType> {
        self.get(db, key).map(Live::string).transpose()
    }

    /// Reads a string without counting the use.
    ///
    /// # Errors
    /// [`WrongType`].
    #[inline]
    pub fn peek_string(&mut self, db: DbIndex, key: &[u8]) -> Result<Option<LiveString<'g>>, WrongType> {
        self.peek(db, key).map(Live::string).transpose()
    }

    /// Sets a key.
    #[inline]
    pub fn put(&mut self, db: DbIndex, key: &[u8], value: Value<'_>, expiry: Option<Millis>) {
        let at = self.access(db, key);
        let version = OwnedVersion::new(key, Some(value), expiry, self.fresh_use(at));
        self.write(at, version, Change::Put);
    }

    /// Appends to a string, or makes it; the expiry stays. Gives the new length in bytes.
    ///
    /// # Errors
    /// [`WrongType`].
    pub fn append(&mut self, db: DbIndex, key: &[u8], suffix: &[u8]) -> Result<usize, WrongType> {
        let at = self.access(db, key);
        let Some(live) = self.live(at).map(Live::string).transpose()? else {
            self.put(db, key, Value::Str(suffix), None);
            return Ok(suffix.len());
        };
        let mut digits = itoa::Buffer::new();
        let mut bytes = Vec::with_capacity(live.value.len() + suffix.len());
        bytes.extend_from_slice(live.value.bytes(&mut digits));
        bytes.extend_from_slice(suffix);
        let len = bytes.len();
        self.edit(at, key, bytes, live.expiry, Change::Append { suffix_len: suffix.len() });
        Ok(len)
    }

    /// Overwrites part of a string, or makes it; zeros fill a gap, the expiry stays. Gives the new length in bytes.
    ///
    /// # Errors
    /// [`WrongType`].
    pub fn set_range(
        &mut self,
        db: DbIndex,
        key: &[u8],
        offset: usize,
        bytes: &[u8],
    ) -> Result<usize, WrongType> {
        let at = self.access(db, key);
        let live = self.live(at).map(Live::string).transpose()?;
        let mut digits = itoa::Buffer::new();
        let base = live.as_ref().map_or(&[][..], |live| live.value.bytes(&mut digits));
        let result = overwritten(base, offset, bytes);
        let len = result.len();
        let expiry = live.and_then(|live| live.expiry);
        let change =
            if live.is_some() { Change::Overwrite { offset, len: bytes.len() } } else { Change::Put };
        self.edit(at, key, result, expiry, change);
        Ok(len)
    }

    fn edit(&mut self, at: usize, key: &[u8], bytes: Vec<u8>, expiry: Option<Millis>, change: Change) {
        let value = if bytes.len() > crate::store::version::SHARED_MIN_BYTES {
            Value::Shared(bytes.into())
        } else {
            Value::Raw(&bytes)
        };
        let version = OwnedVersion::new(key, Some(value), expiry, self.fresh_use(at));
        self.write(at, version, change);
    }

    /// Removes a key; tells whether it was there.
    pub fn delete(&mut self, db: DbIndex, key: &[u8]) -> bool {
        let at = self.access(db, key);
        if self.live(at).is_none() {
            return false;
        }
        self.write(at, OwnedVersion::new(key, None, None, 0), Change::Delete);
        true
    }

    /// Changes only the expiry of a key; tells whether it was there. A time that is not to come deletes the key.
    pub fn set_expiry(&mut self, db: DbIndex, key: &[u8], expiry: Option<Millis>) -> bool {
        let at = self.access(db, key);
        let Some(live) = self.live(at) else { return false };
        if expiry.is_some_and(|end| end <= self.now) {
            return self.delete(db, key);
        }
        match live.value {
            ValueRef::String(string) => {
                let version = OwnedVersion::new(key, Some(string.to_value()), expiry, self.fresh_use(at));
                self.write(at, version, Change::Expire);
            }
            ValueRef::Collection(collection) => self.set_collection_expiry(at, key, collection, expiry),
        }
        true
    }

    /// Removes a key whose time has come; tells whether there was one.
    pub(super) fn expire(&mut self, db: DbIndex, key: &[u8]) -> bool {
        let at = self.access(db, key);
        let Some(found) = self.accesses[at].found else { return false };
        if found.version.is_tombstone() || !found.version.is_absent(self.now) {
            return false;
        }
        self.write(at, OwnedVersion::new(key, None, None, 0), Change::Delete);
        true
    }

    #[inline]
    pub(super) fn fresh_use(&self, at: usize) -> u32 {
        let old = self.accesses[at].found.filter(|found| !found.version.is_tombstone());
        let word = old.map(|found| found.version.access().load(crate::sync::Ordering::Relaxed));
        self.engine.usage.fresh(word, self.now)
    }

    /// Puts a version in the place of what the attempt has of a key, which ends with it.
    #[inline]
    pub(super) fn write(&mut self, at: usize, version: OwnedVersion, change: Change) {
        if let Some(trees) = self.accesses[at].current().and_then(VersionPtr::trees) {
            self.drop_trees(trees);
        }
        // Why a second write of a key is logged whole: its delta would refer to the first, which is not logged.
        let change = match (&self.accesses[at].write, version.as_ptr().kind()) {
            (None, _) => change,
            (Some(_), Kind::Tombstone) => Change::Delete,
            (Some(_), _) => Change::Put,
        };
        self.hand_on(at, version, change);
    }

    /// Puts a version in the place of what the attempt has of a key, whose trees have got another owner.
    #[inline]
    pub(super) fn hand_on(&mut self, at: usize, version: OwnedVersion, change: Change) {
        if let Some(group) = &mut self.group {
            group.writes += 1;
        }
        if let Some(replaced) = self.accesses[at].write.replace(Write { version, change, shown: false }) {
            replaced.discard();
        }
    }

    /// Says how a key that the attempt has written was used before, where that is what is counted.
    pub fn set_use(&mut self, db: DbIndex, key: &[u8], used: Use) {
        let at = self.access(db, key);
        if let Some(write) = &self.accesses[at].write
            && let Some(word) = self.engine.usage.known(used, self.now)
        {
            // Relaxed: nobody else sees the version yet.
            write.version.as_ptr().access().store(word, crate::sync::Ordering::Relaxed);
        }
    }

    /// What OBJECT and MEMORY USAGE tell of a live key.
    pub fn key_info(&mut self, db: DbIndex, key: &[u8]) -> Option<KeyInfo> {
        let at = self.access(db, key);
        let live = self.live(at)?;
        let access = &self.accesses[at];
        let version = access
            .write
            .as_ref()
            .map_or_else(|| access.found.map(|f| f.version), |w| Some(w.version.as_ptr()))?;
        Some(KeyInfo {
            encoding: match live.value {
                ValueRef::String(StringRef::Int(_)) => "int",
                ValueRef::String(StringRef::Str(s)) if s.len() <= EMBSTR_BYTES_MAX => "embstr",
                ValueRef::String(_) => "raw",
                ValueRef::Collection(collection) => collection.read().encoding(),
            },
            idle_seconds: Usage::idle_seconds(version, self.now),
            frequency: self.engine.usage.frequency(version, self.now),
            memory_bytes: Keyspace::key_memory_bytes(version),
        })
    }

    /// The record that made a live key's version; none where the key is absent. For WATCH.
    pub fn watch(&mut self, db: DbIndex, key: &[u8]) -> Option<Lsn> {
        let at = self.access(db, key);
        self.live(at).map(|live| live.lsn)
    }

    /// Keys in a database, expired ones that nobody removed yet included.
    pub fn len(&mut self, db: DbIndex) -> u64 {
        let mut count = self.keyspace(db).keys.sum();
        for access in self.accesses.iter().filter(|access| access.db == db) {
            if let Some(write) = &access.write {
                let before = access.found.is_some_and(|found| !found.version.is_tombstone());
                count += i64::from(!write.version.as_ptr().is_tombstone()) - i64::from(before);
            }
        }
        u64::try_from(count).unwrap_or(0)
    }

    fn structure(&mut self) -> &mut Structure {
        assert!(self.alone, "the databases change only in a transaction that runs alone");
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
        let databases = self.databases();
        let seed = self.engine.seed;
        let structure = self.structure();
        structure.changes.push(db.map_or(StructureChange::FlushAll, StructureChange::Flush));
        for index in db.map_or(0..databases, |db| db..db + 1) {
            let slot = &mut structure.keyspaces[usize::from(index)];
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
        let structure = self.structure();
        structure.changes.push(StructureChange::Swap(a, b));
        structure.keyspaces.swap(usize::from(a), usize::from(b));
        for access in &mut self.accesses {
            match access.db {
                db if db == a => access.db = b,
                db if db == b => access.db = a,
                _ => {}
            }
        }
        self.index_accesses();
    }

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
                let key = access.key(self.guard).to_vec();
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
        Engine::live(version, self.now, guard).map(|live| visit(key, live)).is_some()
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

    /// The latest record that this attempt has seen.
    pub(super) fn seen_lsn(&self) -> Lsn {
        let seen = self.accesses.iter().filter_map(|access| access.found).map(|found| found.version.lsn());
        seen.fold(self.visited_lsn.max(self.root.lsn), Lsn::max)
    }

    #[inline]
    pub(super) fn writes(&self) -> bool {
        self.structure.is_some() || self.accesses.iter().any(|access| access.write.is_some())
    }
}

impl Drop for Txn<'_> {
    #[inline]
    fn drop(&mut self) {
        for access in &mut self.accesses {
            if let Some(write) = access.write.take() {
                write.discard();
            }
            if access.created {
                // Why: nobody else may ever come by to free the cell.
                access.keyspace.tombs.push(access.hash);
            }
        }
        if let Some(structure) = self.structure.take() {
            // Why through the guard: a `Live` may point into a keyspace that nobody else has.
            self.guard.defer(move || drop(structure));
        }
    }
}

impl Write {
    /// Puts a version in the place of the one that it has.
    pub(super) fn replace_version(&mut self, version: OwnedVersion) {
        let change = std::mem::replace(&mut self.change, Change::Put);
        let shown = std::mem::take(&mut self.shown);
        let replaced = std::mem::replace(&mut self.version, version);
        Self { version: replaced, change: change.clone(), shown }.discard();
        self.change = change;
    }

    /// Frees a write that was not published, now or, if somebody may be looking at it, after the guard.
    #[inline]
    fn discard(self) {
        if self.shown {
            retire(self.version.into_ptr());
        }
    }
}

impl<'g> Access<'g> {
    /// What the attempt has of the key: its own write, or what it found; expired or not.
    #[inline]
    pub(super) fn current(&self) -> Option<VersionPtr> {
        match &self.write {
            Some(write) => Some(write.version.as_ptr()),
            None => self.found.map(|found| found.version),
        }
    }

    #[inline]
    pub fn key(&self, guard: &'g Guard) -> &[u8] {
        match (&self.found, &self.write) {
            (Some(found), _) => found.cell.key(guard),
            (None, _) => &self.missing,
        }
    }
}

/// Frees a version once nobody can be looking at it any more.
#[inline]
pub(super) fn retire(version: VersionPtr) {
    // SAFETY: the caller has just taken the version out of the only place from which it could be reached, or it never
    // was in one; it is retired once, by whoever took it out. What looks at versions is pinned.
    unsafe { retired::retire(version) }
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
