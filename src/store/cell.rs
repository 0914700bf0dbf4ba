//! The cell: the one mutable word of a key, and how its logical version is told.
//!
//! The order and the index of a keyspace point at it; its key is that of its version. Life: born with a tombstone,
//! linked into order and index, takes versions and descriptors by CAS,
//! is sealed (dead) when it has been a tombstone for a grace period, unlinked a grace period later, then freed.
//!
//! | operation | progress | linearization point |
//! |---|---|---|
//! | [`Cell::look`] | wait-free | the load of the word, or of the descriptor's status |
//! | [`Cell::replace`] | one CAS | the CAS |

use crossbeam_epoch::Guard;

use crate::prefetch::prefetch;
use crate::store::descriptor::{Descriptor, Status};
use crate::store::version::{OwnedVersion, VersionPtr};
use crate::store::word::Word;
use crate::sync::{AtomicU64, Ordering};

/// The word of one key.
///
/// Invariant: the address in the word is that of a version, or (DESCRIPTOR) of a descriptor, that is not freed before
/// every guard under which it was loaded is gone. `Cell::new` and whoever CASes the word establish it.
#[derive(Debug)]
pub struct Cell {
    word: AtomicU64,
}

/// What a cell holds at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The word that was loaded.
    pub word: Word,
    /// The key's current version.
    pub version: VersionPtr,
}

impl Cell {
    /// Makes a cell whose key is absent: its tombstone belongs to no record.
    pub fn new(key: &[u8]) -> Self {
        let tombstone = OwnedVersion::new(key, None, None, 0);
        tombstone.as_ptr().set_committed();
        Self { word: AtomicU64::new(Word::of_version(tombstone.into_ptr().address()).0) }
    }

    /// Makes a cell that holds a version, which it owns from now on.
    pub fn holding(version: VersionPtr) -> Self {
        Self { word: AtomicU64::new(Word::of_version(version.address()).0) }
    }

    /// Loads the word.
    #[inline]
    pub fn load(&self, _guard: &Guard) -> Word {
        // Acquire: pairs with the Release half of `replace`: what the version or descriptor points to is initialised.
        Word(self.word.load(Ordering::Acquire))
    }

    /// The version or descriptor in a word of this cell.
    #[inline]
    fn content(word: Word, _guard: &Guard) -> Content<'_> {
        if word.is_descriptor() {
            // SAFETY: the type's invariant: loaded under the guard, so not freed before it is gone.
            Content::Descriptor(unsafe { &*(word.address() as *const Descriptor) })
        } else {
            // SAFETY: as above.
            Content::Version(unsafe { VersionPtr::from_address(word.address()) })
        }
    }

    /// The current version, as a reader sees it: never waits.
    #[inline]
    pub fn look(&self, guard: &Guard) -> Look {
        let word = self.load(guard);
        match Self::content(word, guard) {
            Content::Version(version) => Look { word, version },
            Content::Descriptor(descriptor) => Look { word, version: self.outcome(descriptor) },
        }
    }

    #[cold]
    fn outcome(&self, descriptor: &Descriptor) -> VersionPtr {
        let entry = descriptor.entry(self);
        if descriptor.status() == Status::Committed { entry.new } else { entry.seen }
    }

    /// The descriptor in `word`, if it holds one.
    #[inline]
    pub fn descriptor(word: Word, guard: &Guard) -> Option<&Descriptor> {
        match Self::content(word, guard) {
            Content::Descriptor(descriptor) => Some(descriptor),
            Content::Version(_) => None,
        }
    }

    /// Puts `new` in the place of `old`; tells whether it did.
    #[inline]
    pub fn replace(&self, old: Word, new: Word) -> bool {
        // AcqRel: Release pairs with the Acquire in `load`, publishing what `new` points to; Acquire orders what the
        // winner does to the replaced version after whatever its publisher did.
        self.word.compare_exchange(old.0, new.0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Brings the version near: as much of it as most have.
    #[inline]
    pub fn prefetch_version(&self, guard: &Guard) {
        const LINE_BYTES: usize = 64;
        let version = self.load(guard).address() as *const u8;
        prefetch(version);
        prefetch(version.wrapping_add(LINE_BYTES));
    }

    /// The key's bytes.
    #[inline]
    pub fn key<'g>(&self, guard: &'g Guard) -> &'g [u8] {
        let version = match Self::content(self.load(guard), guard) {
            Content::Version(version) => version,
            Content::Descriptor(descriptor) => descriptor.entry(self).seen,
        };
        // SAFETY: reachable from the cell under the guard (a descriptor's `seen` is retired only after it).
        unsafe { version.key() }
    }
}

enum Content<'g> {
    Version(VersionPtr),
    Descriptor(&'g Descriptor),
}

impl Drop for Cell {
    fn drop(&mut self) {
        let word = Word(*self.word.get_mut());
        debug_assert!(!word.is_descriptor(), "a transaction's owner tidies before it unpins");
        // SAFETY: dropped by the sweeper a grace period after it was unlinked, or with the whole keyspace:
        // nobody reads the version any more, and the cell owned it.
        unsafe { VersionPtr::from_address(word.address()).free_whole() }
    }
}
