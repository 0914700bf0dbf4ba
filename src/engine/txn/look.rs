//! Looking at keys: what an attempt sees of them, its own writes included.

use std::cell::RefCell;

use crate::clock::Millis;
use crate::engine::txn::Txn;
use crate::engine::usage::Usage;
use crate::engine::{DbIndex, Engine};
use crate::lsn::Lsn;
use crate::store::keyspace::Keyspace;
use crate::store::version::{StringRef, ValueRef};

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
pub(in crate::engine) struct Misses {
    pub wanted: bool,
    pub keys: RefCell<Missed>,
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

impl<'g> Txn<'g> {
    /// Reads a key and counts the use.
    #[inline]
    pub fn get(&mut self, db: DbIndex, key: &[u8]) -> Option<Live<'g>> {
        let at = self.access(db, key);
        let live = self.looked_for(at)?;
        if self.terms.touch
            && let Some(found) = self.accesses[at].found
        {
            self.engine.usage.touch(found.version, self.terms.clock);
        }
        Some(live)
    }

    #[inline]
    pub(in crate::engine) fn looked_for(&mut self, at: usize) -> Option<Live<'g>> {
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
        let key = access.key(&self.missing, self.guard);
        self.misses.keys.borrow_mut().push((access.db, key.into()));
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
                if version.is_absent(self.terms.now) {
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
    pub(in crate::engine) fn live(&mut self, at: usize) -> Option<Live<'g>> {
        let access = &mut self.accesses[at];
        let version = match &mut *access.write {
            Some(write) => {
                write.shown = true;
                write.version.as_ptr()
            }
            None => access.found?.version,
        };
        Engine::live(version, self.terms.now, self.guard)
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
            idle_seconds: Usage::idle_seconds(version, self.terms.now),
            frequency: self.engine.usage.frequency(version, self.terms.now),
            memory_bytes: Keyspace::key_memory_bytes(version),
        })
    }

    /// The record that made a live key's version; none where the key is absent. For WATCH.
    pub fn watch(&mut self, db: DbIndex, key: &[u8]) -> Option<Lsn> {
        let at = self.access(db, key);
        self.live(at).map(|live| live.lsn)
    }
}
