//! The descriptor of a transaction at work: what it saw and what it means to put in each cell.
//!
//! Its owner installs it in the word of every cell that the transaction read or wrote, in the order of their
//! addresses, and then decides it with one CAS of the status. From installation to tidying:
//!
//! | who | meets an undecided one | meets a decided one |
//! |---|---|---|
//! | reader | takes `seen` (wait-free) | takes `new` if committed, else `seen` |
//! | writer | aborts it, after a short bounded wait | replaces it by its own version |
//! | owner | decides it | replaces it by the outcome (tidies) |
//!
//! A descriptor made by whoever runs alone (see the engine's root) is decided by a `Gate` instead: it commits in the
//! same instant in which the gate's root is installed. Nobody aborts it: all other writers are kept out meanwhile.

use std::sync::Arc;

use crate::lsn::Lsn;
use crate::store::cell::Cell;
use crate::store::version::VersionPtr;
use crate::sync::{AtomicBool, AtomicU8, Ordering};

const UNDECIDED: u8 = 0;
const COMMITTED: u8 = 1;
const ABORTED: u8 = 2;

/// A flag that commits several things in one instant.
pub type Gate = Arc<AtomicBool>;

/// What became of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Its owner is still installing it.
    Undecided,
    /// Its new versions are the current ones.
    Committed,
    /// It changed nothing.
    Aborted,
}

/// One cell of a transaction.
#[derive(Debug)]
pub struct Entry {
    /// The cell.
    pub cell: *const Cell,
    /// The version that the transaction saw.
    pub seen: VersionPtr,
    /// What it puts there; `seen` itself where it only read.
    pub new: VersionPtr,
}

/// A transaction at work.
pub struct Descriptor {
    status: AtomicU8,
    gate: Option<Gate>,
    lsn: Lsn,
    entries: Box<[Entry]>,
}

// SAFETY: the raw cells are only followed by those who are pinned since before the transaction ended (they found the
// descriptor in a cell's word), and a cell outlives every guard under which it was reachable.
unsafe impl Send for Descriptor {}
// SAFETY: as above; everything but the status is immutable.
unsafe impl Sync for Descriptor {}

impl Descriptor {
    /// Makes an undecided descriptor. `entries` are sorted by cell and name each cell once.
    pub fn new(lsn: Lsn, entries: Box<[Entry]>, gate: Option<Gate>) -> Self {
        debug_assert!(entries.is_sorted_by_key(|entry| entry.cell), "installed in one order by everybody");
        Self { status: AtomicU8::new(UNDECIDED), gate, lsn, entries }
    }

    /// The entries, sorted by cell.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The transaction's record.
    pub fn lsn(&self) -> Lsn {
        self.lsn
    }

    /// What became of it so far.
    #[inline]
    pub fn status(&self) -> Status {
        // Acquire: pairs with the AcqRel in `decide`, so that what was installed before is seen.
        match self.status.load(Ordering::Acquire) {
            UNDECIDED => match &self.gate {
                // Acquire: pairs with the Release by which the engine opens the gate.
                Some(gate) if gate.load(Ordering::Acquire) => Status::Committed,
                _ => Status::Undecided,
            },
            COMMITTED => Status::Committed,
            _ => Status::Aborted,
        }
    }

    /// Commits it: the linearization point of the transaction. Tells whether it is committed now.
    pub fn commit(&self) -> bool {
        self.decide(COMMITTED)
    }

    /// Aborts it if it is undecided; afterwards it is decided. A gated one is left to its gate.
    pub fn abort(&self) {
        if self.gate.is_none() {
            self.decide(ABORTED);
        }
    }

    /// Aborts it on behalf of its owner, gate or not.
    pub fn abort_own(&self) {
        self.decide(ABORTED);
    }

    fn decide(&self, outcome: u8) -> bool {
        // AcqRel: Release pairs with the Acquire in `status`; Acquire so that a loser sees what the winner installed.
        match self.status.compare_exchange(UNDECIDED, outcome, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => true,
            Err(found) => found == outcome,
        }
    }

    /// The entry of a cell that holds this descriptor.
    ///
    /// # Panics
    /// When the descriptor has no entry for the cell: it was never installed there.
    #[inline]
    pub fn entry(&self, cell: *const Cell) -> &Entry {
        let found = if self.entries.len() <= 16 {
            self.entries.iter().find(|entry| entry.cell == cell)
        } else {
            self.entries.binary_search_by_key(&cell, |entry| entry.cell).ok().map(|at| &self.entries[at])
        };
        found.expect("a descriptor is installed only in its own cells")
    }
}
