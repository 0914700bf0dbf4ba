//! Who waits for a list or a sorted set to appear: the seats of blocked commands.
//!
//! A blocked command takes a [`Seat`]: a place in the queue of each key that it waits for. Whoever publishes a list or a
//! sorted set under such a key *calls* the oldest that waits for that type there, and no other. Who is called looks at
//! its keys with an ordinary attempt. If it finds something it leaves, and calls the next where something is left; if it
//! finds nothing it keeps its place. Who leaves otherwise (its time is up, its client is gone) hands a call that it has
//! not followed to the next. So elements go to those who wait in the order in which they came, and nobody is served
//! twice.
//!
//! | operation | who | progress |
//! |---|---|---|
//! | [`Waits::published`] | every write of a list or a sorted set | one load, and a fence where the key was none before; takes a lock where somebody waits for a key of the same shard |
//! | [`Waits::is_waited_for`] | a blocking command that found something | one load; takes a lock as above |
//! | [`Waits::sit`], [`Seat::look`], leaving | a blocked command | a lock, one key at a time |
//! | [`Waits::call_everyone`] | whoever changed the databases themselves | a lock, one shard at a time |
//!
//! No wake is lost. The waiter counts itself in its key's shard (1), fences (2) and then looks for the key (3); the
//! writer publishes (4), fences (5) and then loads the count (6). If the look misses what was published, 3 comes before 4
//! in the order of the key's cell (or of the index that leads to it, or of the root, or of the transaction's status), so
//! the fence 2 precedes 5; and if the load misses the count, 6 comes before 1, so 5 precedes 2. Both at once cannot be.
//! Where the writer finds the count but not yet the place, it has held the shard's lock before the place was taken, so
//! the look, which comes after, finds what was published.
//!
//! Invariant: where a key that is waited for has elements, the oldest in its queue is called or about to look. It is
//! established by the above when the elements appear, and kept by whoever leaves. So a write that adds to a list that is
//! there already needs no fence: were it to miss a waiter, another would have told it. And only the oldest need look:
//! who comes later waits until it is called.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use atomic_waker::AtomicWaker;
use crossbeam_utils::CachePadded;
use smallvec::SmallVec;

use crate::engine::DbIndex;
use crate::store::hash::{HashSeed, KeyHash};
use crate::store::value::collection::Type;
use crate::store::version::VersionPtr;
use crate::sync::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};

/// Number of shards; a power of two.
const SHARDS: usize = 64;

thread_local! {
    static CALLED: Cell<bool> = const { Cell::new(false) };
}

/// Whether what this thread wrote since it last asked has called somebody, who should run before others are told of the
/// write.
#[inline]
pub fn has_called() -> bool {
    CALLED.replace(false)
}

/// The queues of all keys that somebody waits for.
#[derive(Debug)]
pub(super) struct Waits {
    shards: Box<[CachePadded<Shard>]>,
    tickets: AtomicU64,
    /// Keys with queues.
    keys: AtomicUsize,
}

#[derive(Debug, Default)]
struct Shard {
    /// Places in the queues of this shard.
    places: AtomicUsize,
    queues: Mutex<Queues>,
}

/// The queues of a key, by its name: one for each database and type.
type Queues = HashMap<Box<[u8]>, SmallVec<[Queue; 1]>>;

#[derive(Debug)]
struct Queue {
    db: DbIndex,
    of: Type,
    /// By ticket, so the oldest first. Invariant: not empty.
    places: BTreeMap<u64, Place>,
}

#[derive(Debug)]
struct Place {
    waiter: Arc<Waiter>,
    /// Called, and has not looked since. Invariant: only the oldest is.
    is_called: bool,
}

/// Whom to tell of a call.
#[derive(Debug, Default)]
struct Waiter {
    is_called: AtomicBool,
    task: AtomicWaker,
}

impl Waiter {
    fn call(&self) {
        // Release: pairs with the Acquire in `Seat::poll_called`. Order: before the waker, or else the task looks, sees
        // nothing, and is not told.
        self.is_called.store(true, Ordering::Release);
        self.task.wake();
    }
}

impl Queue {
    /// Notes a call of the oldest; gives whom to tell, unless it is called already.
    fn call(&mut self) -> Option<Arc<Waiter>> {
        let mut oldest = self.places.first_entry()?;
        let was_called = std::mem::replace(&mut oldest.get_mut().is_called, true);
        (!was_called).then(|| Arc::clone(&oldest.get().waiter))
    }
}

impl Shard {
    /// A lock stays usable when a thread panicked while it held it: no operation leaves what it guards half done.
    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find<'q>(queues: &'q mut Queues, db: DbIndex, of: Type, key: &[u8]) -> Option<&'q mut Queue> {
    queues.get_mut(key)?.iter_mut().find(|queue| queue.db == db && queue.of == of)
}

impl Waits {
    pub(super) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| CachePadded::default()).collect(),
            tickets: AtomicU64::new(0),
            keys: AtomicUsize::new(0),
        }
    }

    fn shard(&self, hash: KeyHash) -> &Shard {
        &self.shards[hash.0 as usize % SHARDS]
    }

    /// Calls the oldest that waits for what was published, if anybody does: `new` in the place of `old`.
    #[inline]
    pub(super) fn published(&self, db: DbIndex, hash: KeyHash, new: VersionPtr, old: VersionPtr) {
        let Some(of @ (Type::List | Type::SortedSet)) = new.kind().type_of() else { return };
        if old.kind().type_of() != Some(of) || old.expiry().is_some() {
            // SeqCst: 5 in the module's argument.
            fence(Ordering::SeqCst);
        }
        // SeqCst: 6 in the module's argument.
        if self.shard(hash).places.load(Ordering::SeqCst) != 0 {
            // SAFETY: just published by the caller, whose guard keeps it.
            self.call(db, hash, unsafe { new.key() }, of);
        }
    }

    #[cold]
    fn call(&self, db: DbIndex, hash: KeyHash, key: &[u8], of: Type) {
        let called = find(&mut self.shard(hash).lock(), db, of, key).and_then(Queue::call);
        if let Some(waiter) = called {
            CALLED.set(true);
            waiter.call();
        }
    }

    /// Calls the oldest in each queue: any key may have appeared.
    pub(super) fn call_everyone(&self) {
        // SeqCst: 5 in the module's argument.
        fence(Ordering::SeqCst);
        for shard in &self.shards {
            // SeqCst: 6 in the module's argument.
            if shard.places.load(Ordering::SeqCst) != 0 {
                let called: Vec<_> = shard.lock().values_mut().flatten().filter_map(Queue::call).collect();
                for waiter in &called {
                    waiter.call();
                }
                CALLED.set(true);
            }
        }
    }

    /// Whether anybody waits for the key to hold a value of this type.
    pub(super) fn is_waited_for(&self, db: DbIndex, hash: KeyHash, key: &[u8], of: Type) -> bool {
        let shard = self.shard(hash);
        // Relaxed: who is not seen yet has not waited for longer.
        shard.places.load(Ordering::Relaxed) != 0 && find(&mut shard.lock(), db, of, key).is_some()
    }

    /// Keys that somebody waits for.
    pub(super) fn keys(&self) -> usize {
        // Relaxed: a figure to show.
        self.keys.load(Ordering::Relaxed)
    }

    /// Takes a place at the end of the queue of each key.
    pub(super) fn sit(&self, seed: HashSeed, db: DbIndex, of: Type, keys: &[Box<[u8]>]) -> Seat<'_> {
        let waiter = Arc::<Waiter>::default();
        // Relaxed: tickets need to be different and, in each queue, to grow, which its lock sees to below.
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        let rows: SmallVec<[Row; 1]> =
            keys.iter().map(|key| Row { hash: seed.hash(key), key: key.clone(), is_due: true }).collect();
        for row in &rows {
            let shard = self.shard(row.hash);
            let mut queues = shard.lock();
            let queues = queues.entry(row.key.clone()).or_default();
            let at = queues.iter().position(|queue| queue.db == db && queue.of == of).unwrap_or_else(|| {
                if queues.iter().all(|queue| queue.db != db) {
                    // Relaxed: a figure to show.
                    self.keys.fetch_add(1, Ordering::Relaxed);
                }
                queues.push(Queue { db, of, places: BTreeMap::new() });
                queues.len() - 1
            });
            let place = Place { waiter: Arc::clone(&waiter), is_called: false };
            // Why a key that is named twice is none: it has one place.
            if queues[at].places.insert(ticket, place).is_none() {
                // SeqCst: 1 in the module's argument.
                shard.places.fetch_add(1, Ordering::SeqCst);
            }
        }
        // SeqCst: 2 in the module's argument.
        fence(Ordering::SeqCst);
        Seat { waits: self, db, of, rows, ticket, waiter }
    }
}

/// A key that is waited for.
#[derive(Debug)]
struct Row {
    hash: KeyHash,
    key: Box<[u8]>,
    /// There may be something: the key is to be looked at, or the call to be handed on.
    is_due: bool,
}

/// The places of one blocked command. Dropped, it leaves all queues, and hands on every call that it has not followed.
#[derive(Debug)]
pub struct Seat<'w> {
    waits: &'w Waits,
    db: DbIndex,
    of: Type,
    rows: SmallVec<[Row; 1]>,
    ticket: u64,
    waiter: Arc<Waiter>,
}

/// At which of its keys a seat is the oldest and may take what there is; by their positions.
pub type Turns = SmallVec<[bool; 1]>;

impl Seat<'_> {
    /// Waits for a call. It may be for nothing.
    pub fn poll_called(&self, cx: &Context<'_>) -> Poll<()> {
        // Order: listens, then looks, or else what comes in between is not told.
        self.waiter.task.register(cx.waker());
        // Acquire: pairs with the Release in `Waiter::call`.
        if self.waiter.is_called.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Follows the calls until now: tells at which keys it is this seat's turn. None: at no key that may have got
    /// anything. An attempt follows, and after it [`Seat::found_nothing`] or [`Seat::served`].
    pub fn look(&mut self) -> Option<Turns> {
        // Order: before the queues are looked at, or else a call that comes in between is forgotten.
        self.waiter.is_called.swap(false, Ordering::AcqRel);
        let mut turns = Turns::new();
        let mut is_due = false;
        for row in &mut self.rows {
            let mut queues = self.waits.shard(row.hash).lock();
            let queue = find(&mut queues, self.db, self.of, &row.key);
            let oldest = queue.and_then(|queue| queue.places.first_entry());
            let mine = oldest.filter(|oldest| *oldest.key() == self.ticket);
            turns.push(mine.is_some());
            // Why only the oldest: the others are called when it has left.
            row.is_due &= mine.is_some();
            if let Some(mut mine) = mine {
                row.is_due |= std::mem::take(&mut mine.get_mut().is_called);
            }
            is_due |= row.is_due;
        }
        is_due.then_some(turns)
    }

    /// There was nothing at the keys whose turn it was.
    pub fn found_nothing(&mut self) {
        for row in &mut self.rows {
            row.is_due = false;
        }
    }

    /// Leaves with something from the key at a position, where `is_left` tells whether there is more.
    pub fn served(mut self, at: usize, is_left: bool) {
        self.rows[at].is_due = is_left;
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        for row in &self.rows {
            let shard = self.waits.shard(row.hash);
            let mut queues = shard.lock();
            let Some(of_key) = queues.get_mut(&row.key) else { continue };
            let Some(at) = of_key.iter().position(|queue| queue.db == self.db && queue.of == self.of) else {
                continue;
            };
            // Why there may be none: the key was named twice.
            let Some(place) = of_key[at].places.remove(&self.ticket) else { continue };
            // Relaxed: who still counts it finds nobody in the queue.
            shard.places.fetch_sub(1, Ordering::Relaxed);
            let next = if place.is_called || row.is_due { of_key[at].call() } else { None };
            if of_key[at].places.is_empty() {
                of_key.swap_remove(at);
                if of_key.iter().all(|queue| queue.db != self.db) {
                    self.waits.keys.fetch_sub(1, Ordering::Relaxed);
                }
                if of_key.is_empty() {
                    queues.remove(&row.key);
                }
            }
            drop(queues);
            if let Some(next) = next {
                next.call();
            }
        }
    }
}
