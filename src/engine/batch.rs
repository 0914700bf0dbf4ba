//! A run of commands on one thread: one guard, one look at the clock.

use crossbeam_epoch::Guard;

use crate::clock::Millis;
use crate::engine::commit::Outcome;
use crate::engine::txn::{Lookups, Misses, Terms, Txn};
use crate::engine::{DbIndex, Engine, EngineError};
use crate::lsn::Lsn;
use crate::store::keyspace::{Post, Wanted};
use crate::sync::spin_wait;

/// An attempt that has lost so often runs alone.
const LOSSES_MAX: u32 = 24;

/// Commands that one thread runs one after the other. Short-lived: it keeps memory from being freed.
pub struct Batch<'e> {
    engine: &'e Engine,
    guard: Guard,
    now: Millis,
    touch: bool,
    applies: bool,
    seen: Lsn,
    written: Lsn,
    lookups: Lookups,
    misses: Misses,
}

impl Engine {
    /// Begins a batch at `now`. `touch` tells whether reads count as uses of their keys.
    #[inline]
    pub fn batch(&self, now: Millis, touch: bool) -> Batch<'_> {
        Batch {
            engine: self,
            guard: crossbeam_epoch::pin(),
            now,
            touch,
            applies: false,
            seen: Lsn::ZERO,
            written: Lsn::ZERO,
            lookups: Lookups::default(),
            misses: Misses::default(),
        }
    }

    /// Begins a batch that repeats at `now` what another server did. It writes though the database follows; nothing
    /// is over for it until it is removed, and [`Txn::now`] is before any time.
    pub fn batch_as_follower(&self, now: Millis) -> Batch<'_> {
        Batch { applies: true, ..self.batch(now, false) }
    }
}

impl Batch<'_> {
    /// The batch's time.
    pub fn now(&self) -> Millis {
        self.now
    }

    /// Tells a command's own time from here on.
    pub fn set_now(&mut self, now: Millis) {
        self.now = now;
    }

    /// Tells whether reads count as uses from here on.
    pub fn set_touch(&mut self, touch: bool) {
        self.touch = touch;
    }

    /// Notes the keys that attempts look for in vain from here on; see [`Txn::take_misses`].
    #[cold]
    pub fn note_misses(&mut self) {
        self.misses.wanted = true;
    }

    /// Keys that were looked for since this was last asked.
    pub fn take_lookups(&mut self) -> Lookups {
        std::mem::take(&mut self.lookups)
    }

    /// Whether the database follows another's log, and takes no writes.
    #[inline]
    pub fn follows(&self) -> bool {
        self.engine.root.load(&self.guard).follows
    }

    /// The latest record that anything in this batch saw or made: with `fsync always`, replies wait for it.
    pub fn seen(&self) -> Lsn {
        self.seen
    }

    /// The last record that anything in this batch made; zero where nothing was written.
    #[inline]
    pub fn written(&self) -> Lsn {
        self.written
    }

    /// Tells of a key that is about to be looked for, and has its index slot fetched: the first of two steps.
    #[inline]
    pub fn prefetch_slot<'k>(&self, db: DbIndex, key: &'k [u8], is_written: bool) -> Wanted<'k> {
        let keyspace = self.engine.root.load(&self.guard).keyspace(db);
        let hash = keyspace.seed().hash(key);
        keyspace.prefetch_slot(hash, &self.guard);
        Wanted { hash, key, is_written, post: Post::default() }
    }

    /// What up to 64 keys lead to, on the way to the cache: the second step.
    #[inline]
    pub fn prefetch(&self, db: DbIndex, keys: &mut [Wanted<'_>]) {
        self.engine.root.load(&self.guard).keyspace(db).prefetch(keys, &self.guard);
    }

    /// Runs one command or transaction until it takes effect. `f` may run several times; a failure of its own ends it
    /// with nothing written.
    ///
    /// # Errors
    /// [`EngineError`] when nothing was written and nothing must be told of what was read.
    #[inline]
    pub fn run<R, E>(
        &mut self,
        f: impl FnMut(&mut Txn<'_>) -> Result<R, E>,
    ) -> Result<Result<R, E>, EngineError> {
        self.run_for(None, f)
    }

    /// As [`Batch::run`]; tells of a key of which it is known already what [`Batch::prefetch_slot`] and
    /// [`Batch::prefetch`] have found out.
    ///
    /// # Errors
    /// As [`Batch::run`].
    #[inline]
    pub fn run_for<R, E>(
        &mut self,
        wanted: Option<&Wanted<'_>>,
        mut f: impl FnMut(&mut Txn<'_>) -> Result<R, E>,
    ) -> Result<Result<R, E>, EngineError> {
        let mut losses = 0;
        loop {
            let root = self.engine.root.load(&self.guard);
            let terms = self.terms(false, wanted);
            // Why a block: to drop the attempt by a call would move it first.
            let (result, outcome, lookups) = {
                let mut txn = Txn::new(self.engine, &self.guard, root, terms, &self.misses);
                let result = f(&mut txn);
                let outcome = if result.is_ok() { txn.commit()? } else { txn.validate() };
                if outcome == Outcome::Lost {
                    self.engine.stats.wasted.add(txn.commands());
                }
                (result, outcome, txn.lookups)
            };
            if outcome != Outcome::Lost {
                self.done(outcome, lookups)?;
                return Ok(result);
            }
            losses += 1;
            self.lost(losses);
            if losses > LOSSES_MAX {
                return self.run_alone(f);
            }
        }
    }

    /// What an attempt of this batch is told.
    #[inline]
    fn terms<'t>(&self, alone: bool, wanted: Option<&'t Wanted<'t>>) -> Terms<'t> {
        let clock = self.now;
        // Why: what the other server had not removed yet was seen there, whatever the time is here.
        let now = if self.applies { Millis(0) } else { clock };
        Terms { now, clock, touch: self.touch, alone, applies: self.applies, wanted }
    }

    #[inline]
    fn done(&mut self, outcome: Outcome, lookups: Lookups) -> Result<(), EngineError> {
        let lsn = match outcome {
            Outcome::Wrote(lsn) => {
                self.written = self.written.max(lsn);
                lsn
            }
            Outcome::Read(lsn) => lsn,
            Outcome::Lost => return Ok(()),
        };
        self.engine.log.check_readable(lsn)?;
        self.lookups.hits += lookups.hits;
        self.lookups.misses += lookups.misses;
        self.seen = self.seen.max(lsn);
        Ok(())
    }

    #[cold]
    fn lost(&mut self, losses: u32) {
        self.engine.stats.lost.add(1);
        if self.engine.root.load(&self.guard).closing {
            self.engine.root.wait_open();
        } else {
            spin_wait(losses.min(12));
        }
        self.guard.repin();
    }

    /// Runs a transaction while no other write is under way: one that changes the databases, must see all keys at one
    /// moment, or has lost too often.
    ///
    /// # Errors
    /// As [`Batch::run`].
    pub fn run_alone<R, E>(
        &mut self,
        mut f: impl FnMut(&mut Txn<'_>) -> Result<R, E>,
    ) -> Result<Result<R, E>, EngineError> {
        self.engine.stats.alone.add(1);
        let mut closed = self.engine.root.close();
        // Order: the root is closed before the head is read, or else a write that began in between is missed.
        self.engine.log.wait_resolved(self.engine.log.head_behind_stores())?;
        let mut losses = 0;
        loop {
            let root = self.engine.root.load(&self.guard);
            let terms = self.terms(true, None);
            let mut txn = Txn::new(self.engine, &self.guard, root, terms, &self.misses);
            let result = f(&mut txn);
            let outcome = match &result {
                Ok(_) if txn.structure.is_some() => {
                    txn.may_write()?;
                    txn.commit_structure(&mut closed)?
                }
                Ok(_) => txn.commit()?,
                Err(_) => txn.validate(),
            };
            let lookups = txn.lookups;
            drop(txn);
            if outcome != Outcome::Lost {
                self.done(outcome, lookups)?;
                return Ok(result);
            }
            // Only the sweeper and the timers touch cells now, and they come by once.
            losses += 1;
            spin_wait(losses);
        }
    }

    /// Lets others free memory while a long command goes on.
    pub fn repin(&mut self) {
        self.guard.repin();
    }
}
