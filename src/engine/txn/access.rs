//! One key in an attempt: what was found, and what is to take its place.
//!
//! An access owns the attempt's write of its key until that is published, and undoes what an attempt that did not take
//! effect has done for the key.

use std::mem::ManuallyDrop;
use std::ops::Range;

use crossbeam_epoch::Guard;

use crate::engine::DbIndex;
use crate::store::cell::Cell;
use crate::store::hash::KeyHash;
use crate::store::keyspace::Keyspace;
use crate::store::retired;
use crate::store::value::draft::Delta;
use crate::store::version::{OwnedVersion, VersionPtr};
use crate::store::word::Word;

/// How the attempt's write of a key is logged.
///
/// Why what is rare is boxed: so the usual ones are handed around in registers.
#[derive(Debug)]
pub(in crate::engine) enum Change {
    Put,
    Delete,
    Expire,
    /// The last so many bytes of the new string are new.
    Append {
        suffix_len: usize,
    },
    /// These bytes of the new string are new.
    Overwrite(Box<Range<usize>>),
    Edit(Box<Edits>),
}

/// Changes of a collection.
#[derive(Debug)]
pub(in crate::engine) struct Edits {
    /// In order.
    pub deltas: Vec<Delta>,
    /// Whether the expiry is another.
    pub expires: bool,
}

/// What the attempt puts in a key's place.
#[derive(Debug)]
pub(in crate::engine) struct Write {
    pub version: OwnedVersion,
    pub change: Change,
    /// Whether a `Live` may point into it.
    pub shown: bool,
}

/// One key that the attempt read or wrote.
pub(in crate::engine) struct Access<'g> {
    pub db: DbIndex,
    pub hash: KeyHash,
    pub keyspace: &'g Keyspace,
    /// Absent where the key has no cell.
    pub found: Option<Found<'g>>,
    /// Why it is not dropped by itself: the access sees to it, at one look.
    pub write: ManuallyDrop<Option<Write>>,
    /// Whether the attempt made the cell, and has put nothing in it.
    pub created: bool,
    /// Where among the attempt's [`Txn::missing`] the key lies, if no cell holds it.
    pub missing: Range<u32>,
}

/// A key's cell and what was in it.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Found<'g> {
    pub cell: &'g Cell,
    pub word: Word,
    pub version: VersionPtr,
}

impl Drop for Access<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.write.is_some() || self.created {
            self.abandon();
        }
    }
}

impl Write {
    /// Puts a version in the place of the one that it has.
    pub(in crate::engine) fn replace_version(&mut self, version: OwnedVersion) {
        let shown = std::mem::take(&mut self.shown);
        let replaced = std::mem::replace(&mut self.version, version);
        Self { version: replaced, change: Change::Put, shown }.discard();
    }

    /// Frees a write that was not published, now or, if somebody may be looking at it, after the guard.
    #[inline]
    pub(in crate::engine) fn discard(self) {
        if self.shown {
            retire(self.version.into_ptr());
        }
    }
}

impl<'g> Access<'g> {
    /// Undoes what an attempt that did not take effect has done for the key.
    #[cold]
    fn abandon(&mut self) {
        if let Some(write) = self.write.take() {
            write.discard();
        }
        if self.created {
            // Why: nobody else may ever come by to free the cell.
            self.keyspace.tombs.push(self.hash);
        }
    }

    /// What the attempt has of the key: its own write, or what it found; expired or not.
    #[inline]
    pub(in crate::engine) fn current(&self) -> Option<VersionPtr> {
        match &*self.write {
            Some(write) => Some(write.version.as_ptr()),
            None => self.found.map(|found| found.version),
        }
    }

    /// The key; `missing` are the attempt's.
    #[inline]
    pub fn key<'a>(&self, missing: &'a [u8], guard: &'a Guard) -> &'a [u8]
    where
        'g: 'a,
    {
        match self.found {
            Some(found) => found.cell.key(guard),
            None => &missing[self.missing.start as usize..self.missing.end as usize],
        }
    }
}

/// Frees a version once nobody can be looking at it any more.
#[inline]
pub(in crate::engine) fn retire(version: VersionPtr) {
    // SAFETY: the caller has just taken the version out of the only place from which it could be reached, or it never
    // was in one; it is retired once, by whoever took it out. What looks at versions is pinned.
    unsafe { retired::retire(version) }
}
