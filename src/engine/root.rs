//! The root: one atomic pointer to everything that is not a write to a key.
//!
//! Flushing and swapping databases, pausing writes, and running a transaction alone change the root:
//!
//! 1. close it (a copy that says so takes its place): no new write gets past its second look at the root;
//! 2. wait until every record below the head is resolved: no write is in flight any more;
//! 3. do the work, commit its record;
//! 4. install an open root.
//!
//! Order: 1 before 2, or else a write that began meanwhile is published into a database that is no longer there; 3
//! before 4, or else somebody sees, and is told, what a crash takes back.
//!
//! Readers never wait: they load the root before and after. A write waits for 1 to 4 only, which is as long as the
//! writes in flight take.
//!
//! A root is installed in two stores: the pointer, then `installed`. Until the latter everybody takes its predecessor;
//! the latter also commits the descriptors that name it as their gate, so a transaction that changes the root and keys
//! besides becomes visible in one instant.

use std::sync::Arc;

use crossbeam_epoch::{Atomic, Guard, Owned, Shared};

use crate::clock::Millis;
use crate::engine::DbIndex;
use crate::engine::staging::Layout;
use crate::lsn::Lsn;
use crate::store::descriptor::Gate;
use crate::store::keyspace::Keyspace;
use crate::sync::{AtomicBool, AtomicU64, Ordering, schedule_point, spin_wait};

/// What the root points to.
#[derive(Debug)]
pub struct Root {
    /// The databases, and behind them the staged ones; where, the layout tells.
    pub keyspaces: Box<[Arc<Keyspace>]>,
    pub(super) layout: Layout,
    /// The record that made this root; zero for the first.
    pub lsn: Lsn,
    /// Writes wait until then.
    pub paused_until: Millis,
    /// Whether the databases follow another's log: then nobody writes but who applies it.
    pub follows: bool,
    /// Whether somebody is at work on the root: writes start over.
    pub closing: bool,
    installed: Gate,
    previous: Atomic<Root>,
}

impl Root {
    /// Makes the root of a fresh or recovered database.
    pub(super) fn new(keyspaces: Box<[Arc<Keyspace>]>, layout: Layout) -> Self {
        Self {
            keyspaces,
            layout,
            lsn: Lsn::ZERO,
            paused_until: Millis(0),
            follows: false,
            closing: false,
            installed: Arc::new(AtomicBool::new(true)),
            previous: Atomic::null(),
        }
    }

    /// A successor with the same databases.
    fn successor(&self) -> Self {
        Self {
            keyspaces: self.keyspaces.clone(),
            layout: self.layout,
            lsn: self.lsn,
            paused_until: self.paused_until,
            follows: self.follows,
            closing: false,
            installed: Arc::new(AtomicBool::new(false)),
            previous: Atomic::null(),
        }
    }

    /// A database.
    ///
    /// # Panics
    /// When there is no such database: the command layer checks numbers.
    #[inline]
    pub fn keyspace(&self, db: DbIndex) -> &Keyspace {
        &self.keyspaces[self.layout.place(db)]
    }
}

/// The pointer to the root.
#[derive(Debug)]
pub struct RootCell {
    current: Atomic<Root>,
    /// How often a write waited for a closed root.
    waits: AtomicU64,
}

/// The right to change the root: it is closed, and this is the only one who may open it.
///
/// Dropped without [`Closed::install`], it opens the root as it was.
pub struct Closed<'r> {
    cell: &'r RootCell,
    root: *const Root,
    opened: bool,
}

impl RootCell {
    /// Starts with `root`.
    pub fn new(root: Root) -> Self {
        Self { current: Atomic::new(root), waits: AtomicU64::new(0) }
    }

    /// The root in force.
    #[inline]
    pub fn load<'g>(&self, guard: &'g Guard) -> &'g Root {
        schedule_point();
        // Acquire: pairs with the Release half of the CAS and stores that put a root there.
        let shared = self.current.load(std::sync::atomic::Ordering::Acquire, guard);
        // SAFETY: never null; a replaced root is retired through the epoch.
        let root = unsafe { shared.deref() };
        // Acquire: pairs with the Release in `install`: all that was published before it is seen.
        if root.installed.load(Ordering::Acquire) { root } else { Self::previous(root, guard) }
    }

    #[cold]
    fn previous<'g>(root: &'g Root, guard: &'g Guard) -> &'g Root {
        // SAFETY: set before the root was put in place, and retired only after `installed`, which we saw unset under
        // the guard.
        unsafe { root.previous.load(std::sync::atomic::Ordering::Acquire, guard).deref() }
    }

    /// Whether `root` is still the one in force.
    #[inline]
    pub fn is_current(&self, root: &Root, guard: &Guard) -> bool {
        std::ptr::eq(self.load(guard), root)
    }

    /// Blocks until the root is open.
    #[cold]
    pub fn wait_open(&self) {
        // Relaxed: a figure.
        self.waits.fetch_add(1, Ordering::Relaxed);
        let mut round = 0;
        while self.load(&crossbeam_epoch::pin()).closing {
            spin_wait(round);
            round += 1;
        }
    }

    /// How often a write waited for a closed root.
    pub fn waits(&self) -> u64 {
        self.waits.load(Ordering::Relaxed)
    }

    /// Closes the root, waiting for whoever has closed it.
    pub fn close(&self) -> Closed<'_> {
        loop {
            let guard = crossbeam_epoch::pin();
            let open = self.load(&guard);
            if open.closing {
                drop(guard);
                self.wait_open();
                continue;
            }
            let mut closed = open.successor();
            closed.closing = true;
            closed.installed = Arc::new(AtomicBool::new(true));
            let expected = Shared::from(std::ptr::from_ref(open));
            schedule_point();
            // AcqRel: Release publishes the closed root to `load`; Acquire orders what we read of the open one.
            let swapped = self.current.compare_exchange(
                expected,
                Owned::new(closed),
                std::sync::atomic::Ordering::AcqRel,
                std::sync::atomic::Ordering::Acquire,
                &guard,
            );
            if let Ok(closed) = swapped {
                // SAFETY: no longer reachable from `current`; those who loaded it are pinned.
                unsafe { guard.defer_destroy(expected) };
                return Closed { cell: self, root: closed.as_raw(), opened: false };
            }
        }
    }
}

impl Closed<'_> {
    /// The closed root.
    pub fn root(&self) -> &Root {
        assert!(!self.opened, "the root is closed until it is installed");
        // SAFETY: in place until we replace it, which sets `opened`.
        unsafe { &*self.root }
    }

    /// A root like the closed one, but open and not yet in force, with the gate that puts it in force.
    pub fn successor(&self) -> (Root, Gate) {
        let root = self.root().successor();
        let gate = Arc::clone(&root.installed);
        (root, gate)
    }

    /// Puts `root`, a [`Closed::successor`], in force.
    ///
    /// # Panics
    /// When it is called twice.
    pub fn install(&mut self, root: Root) {
        assert!(!self.opened, "a closed root is opened once");
        self.opened = true;
        self.swap(root);
    }

    fn swap(&self, root: Root) {
        let guard = crossbeam_epoch::pin();
        let old = Shared::from(self.root);
        let gate = Arc::clone(&root.installed);
        // Relaxed: published by the store below.
        root.previous.store(old, std::sync::atomic::Ordering::Relaxed);
        schedule_point();
        // Release: pairs with the Acquire in `load`.
        self.cell.current.store(Owned::new(root), std::sync::atomic::Ordering::Release);
        // Release: pairs with the Acquire in `load` and in `Descriptor::status`. The linearization point.
        gate.store(true, Ordering::Release);
        // SAFETY: nobody reaches it from now on: the new root is installed.
        unsafe { guard.defer_destroy(old) };
    }
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        if !self.opened {
            self.swap(self.root().successor());
        }
    }
}

impl Drop for RootCell {
    fn drop(&mut self) {
        // SAFETY: exclusive access; the current root is owned by the cell, its `previous` was retired.
        unsafe {
            let guard = crossbeam_epoch::unprotected();
            drop(self.current.load(std::sync::atomic::Ordering::Relaxed, guard).into_owned());
        }
    }
}
