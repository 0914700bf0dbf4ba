//! A database that follows another's log: its records, copied and applied, under the eyes of readers.
//!
//! Each record takes effect as it did where it was written first: its versions become visible in one instant, with the
//! same LSN, by the same steps (`commit.rs`), except that its place in the log is given. Nobody else writes (the root says
//! that the databases follow), so an attempt is lost only to those who keep house (the sweeper, the timers), and is tried
//! again under the same reservation: what was committed there is never void here.
//!
//! What is wrong with a record is found before anything is reserved for it.

use crossbeam_epoch::Guard;

use crate::clock::Millis;
use crate::engine::commit::Outcome;
use crate::engine::effect::{Effect, EffectError};
use crate::engine::remake::{Maker, Old};
use crate::engine::txn::{Change, Misses, Terms, Txn};
use crate::engine::{DbIndex, Engine, EngineError};
use crate::log::{
    Ancestor, Cause, CopyError, Fork, History, Image, Kind, LogReader, Sequel, State, blob_names,
};
use crate::lsn::Lsn;
use crate::store::value::limits::Limits;
use crate::store::version::OwnedVersion;
use crate::sync::spin_wait;

/// Why a record of another's log was not applied. Nothing of it was done.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// Its bytes are not what was written, or this log does not take them.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The engine does not take it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// It means nothing to this version.
    #[error("the record at LSN {lsn} means nothing to this version: {reason}")]
    Unknown {
        /// Its place.
        lsn: Lsn,
        /// Why.
        reason: EffectError,
    },
    /// It changes a value that is not what it was made on: the two databases differ.
    #[error("the record at LSN {lsn} does not go with what is here: the two databases differ")]
    Differs {
        /// Its place.
        lsn: Lsn,
    },
    /// It belongs to a database that this server does not have.
    #[error("the primary has keys in database {found}, but `databases` is {databases}; raise it to at least {}", found + 1)]
    Databases {
        /// The database.
        found: DbIndex,
        /// How many there are.
        databases: DbIndex,
    },
    /// A part of its payload is not in the log.
    #[error("a part of the payload of the record at LSN {lsn} is missing")]
    Blob {
        /// Its place.
        lsn: Lsn,
    },
}

impl From<crate::log::LogError> for FollowError {
    fn from(error: crate::log::LogError) -> Self {
        Self::Copy(error.into())
    }
}

/// Bytes of another's log, applied by one thread. Short-lived: it keeps memory from being freed.
pub struct Follower<'e> {
    engine: &'e Engine,
    guard: Guard,
    limits: Limits,
    misses: Misses,
    reader: LogReader,
    payload: Vec<u8>,
}

impl Engine {
    /// Begins to apply bytes of the log that this database follows. One at a time.
    pub fn follower(&self) -> Follower<'_> {
        Follower {
            engine: self,
            guard: crossbeam_epoch::pin(),
            limits: self.limits.load(),
            misses: Misses::default(),
            reader: LogReader::default(),
            payload: Vec::new(),
        }
    }
}

/// A segment of the log that this one follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignSegment {
    /// Its first position.
    pub first: Lsn,
    /// Where it ends.
    pub end: Lsn,
    /// Data bytes of those to come.
    pub capacity: u64,
    /// What it belongs to.
    pub history: History,
    /// What led to that, newest first.
    pub lineage: Vec<Ancestor>,
}

impl Engine {
    /// Sees to it that this log's end lies in a segment like that of the log that it follows: of the same history, with
    /// the same end. May wait for the disk.
    ///
    /// # Errors
    /// When there is no room for a segment, or the log has failed; nothing was changed.
    pub fn enter_segment(&self, segment: &ForeignSegment) -> Result<(), EngineError> {
        let tail = self.log.tail_segment();
        let bytes = segment.end.get() - segment.first.get();
        // Why also where there is none yet: the next one is made as large as it should be.
        let is_next = tail.end == tail.at && segment.first == tail.at && bytes == tail.capacity;
        if tail.history == segment.history && (tail.end == segment.end || is_next) {
            return Ok(());
        }
        // Why all that end here: the segments before are of one of them, and say so to recovery.
        let ended = tail.lineage.iter().filter(|ancestor| ancestor.fork == tail.at);
        let ended = std::iter::once(tail.history).chain(ended.map(|ancestor| ancestor.history));
        let is_known = |history| segment.lineage.iter().any(|it| it.history == history && it.fork == tail.at);
        let adopted = ended.filter(|history| !is_known(*history));
        let adopted = adopted.map(|history| Ancestor { history, fork: tail.at, cause: Cause::Adoption });
        let lineage = adopted.chain(segment.lineage.iter().copied()).collect();
        let Fork { at, .. } = tail;
        let (end, capacity, history) = (segment.end, segment.capacity, segment.history);
        Ok(self.log.fork(&Fork { at, end, capacity, history, lineage })?)
    }

    /// Begins a history of its own at the log's end: what was followed ends there.
    ///
    /// # Errors
    /// When there is no room for a segment, or the log has failed; nothing was changed.
    pub fn begin_history(&self) -> Result<(), EngineError> {
        let tail = self.log.tail_segment();
        let history = History::random().map_err(|source| EngineError::Random(source.to_string()))?;
        let mut lineage = tail.lineage;
        lineage.insert(0, Ancestor { history: tail.history, fork: tail.at, cause: Cause::Promotion });
        let end = Lsn::new(tail.at.get() + tail.capacity);
        Ok(self.log.fork(&Fork { end, history, lineage, at: tail.at, capacity: tail.capacity })?)
    }
}

impl Follower<'_> {
    /// Copies and applies the records at the front of `bytes`, which lie at this log's end in the log that it follows.
    /// Gives how many bytes were taken; and how many the next record needs, if that is known, else 0.
    ///
    /// A pad may be longer than what is there: what is taken of it is then all of it, and the rest of its bytes are to be
    /// passed over, as the log's head says.
    ///
    /// # Errors
    /// [`FollowError`]; what lies before the record that it is about was applied.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(usize, usize), FollowError> {
        let mut taken = 0;
        loop {
            if taken == bytes.len() {
                return Ok((taken, 0));
            }
            match self.engine.log.sequel(&bytes[taken..])? {
                Sequel::Incomplete { want } => return Ok((taken, want)),
                Sequel::Pad { bytes: space, here } => {
                    if (here as u64) < space {
                        return Ok((taken, space as usize));
                    }
                    self.engine.log.copy_pad(space)?;
                    taken += here;
                }
                Sequel::Record(image) => {
                    self.record(&image)?;
                    // Why bounded: a void record at the end of what came may lack the padding behind it.
                    taken = (taken + image.space as usize).min(bytes.len());
                }
            }
        }
    }

    fn record(&mut self, image: &Image<'_>) -> Result<(), FollowError> {
        match (image.state, image.kind) {
            (State::Committed, Some(Kind::Plain)) => self.apply(image, image.payload()),
            (State::Committed, Some(Kind::Spilled)) => {
                let mut payload = std::mem::take(&mut self.payload);
                let assembled = self.assemble(image, &mut payload);
                let applied = assembled.and_then(|()| self.apply(image, &payload));
                // Why not kept: it may be large, and hardly ever is there another.
                drop(payload);
                applied
            }
            (State::Committed, _) => Ok(self.engine.log.reserve_copy(image, &self.guard)?.commit()?),
            (State::Void | State::Pending, _) => {
                drop(self.engine.log.reserve_copy(image, &self.guard)?);
                Ok(())
            }
        }
    }

    /// Puts a payload together from its blobs, which lie before it in the log.
    fn assemble(&mut self, image: &Image<'_>, payload: &mut Vec<u8>) -> Result<(), FollowError> {
        let lsn = self.engine.log.head();
        let missing = || FollowError::Blob { lsn };
        let mut bytes = Vec::new();
        for name in blob_names(image.payload()).ok_or_else(missing)? {
            bytes.clear();
            let wanted = name.record_bytes();
            let mut at = name.lsn;
            while bytes.len() < wanted {
                let before = bytes.len();
                let read = self.reader.read(&self.engine.log, at, wanted - before, &mut bytes);
                if !matches!(read, Ok(Some(_))) || bytes.len() == before {
                    return Err(missing());
                }
                at = Lsn::new(name.lsn.get() + bytes.len() as u64);
            }
            payload.extend_from_slice(name.payload_in(&bytes));
        }
        Ok(())
    }

    fn apply(&mut self, image: &Image<'_>, payload: &[u8]) -> Result<(), FollowError> {
        let lsn = self.engine.log.head();
        let layout = self.engine.layout;
        let mut effects = Vec::new();
        for effect in Effect::decode_all(payload) {
            let effect = effect.map_err(|reason| FollowError::Unknown { lsn, reason })?;
            if let Some(found) = effect.database().filter(|found| layout.place(*found) >= layout.total()) {
                let databases = layout.databases();
                return Err(FollowError::Databases { found, databases });
            }
            effects.push(effect);
        }
        let mut reservation = None;
        let is_structural = effects.iter().any(Effect::is_structural);
        let mut closed = is_structural.then(|| self.engine.root.close());
        let mut losses = 0;
        loop {
            let root = self.engine.root.load(&self.guard);
            let time = Millis(image.time());
            let alone = is_structural;
            let terms = Terms { now: time, clock: time, touch: false, alone, applies: false, wanted: None };
            let mut txn = Txn::new(self.engine, &self.guard, root, terms, &self.misses);
            txn.remake_all(&effects, &self.limits, lsn)?;
            if reservation.is_none() {
                reservation = Some(self.engine.log.reserve_copy(image, &self.guard)?);
            }
            let outcome = match &mut closed {
                _ if !txn.writes() => {
                    reservation.take().map_or(Ok(()), crate::log::Reservation::commit)?;
                    Outcome::Wrote(lsn)
                }
                Some(closed) => match txn.settle_all() {
                    Some(order) => txn.publish_structure(closed, &order, &mut reservation)?,
                    None => Outcome::Lost,
                },
                None if txn.accesses.len() == 1 => txn.publish_one(&mut reservation)?,
                None => match txn.settle_all() {
                    Some(order) => txn.publish_several(&order, &mut reservation)?,
                    None => Outcome::Lost,
                },
            };
            drop(txn);
            if outcome != Outcome::Lost {
                return Ok(());
            }
            losses += 1;
            spin_wait(losses);
        }
    }
}

impl<'g> Txn<'g> {
    /// Writes what the effects make of their keys.
    fn remake_all(&mut self, effects: &[Effect<'_>], limits: &Limits, lsn: Lsn) -> Result<(), FollowError> {
        for effect in effects {
            match *effect {
                Effect::Flush { db } => self.flush(Some(db)),
                Effect::FlushAll => self.flush(None),
                Effect::Swap { a, b } => self.swap(a, b),
                _ => self.remake(effect, limits, lsn)?,
            }
        }
        Ok(())
    }

    fn remake(&mut self, effect: &Effect<'_>, limits: &Limits, lsn: Lsn) -> Result<(), FollowError> {
        let Some((db, key)) = effect.target() else { return Ok(()) };
        let at = self.access(db, key);
        let is_absent =
            self.accesses[at].current().is_none_or(crate::store::version::VersionPtr::is_tombstone);
        if is_absent && matches!(effect, Effect::Delete { .. }) {
            return Ok(());
        }
        let absent = OwnedVersion::new(key, None, None, 0);
        let old = self.accesses[at].current().unwrap_or(absent.as_ptr());
        let mut ledger = self.ledger.take().unwrap_or_default();
        let maker = Maker { limits, usage: &self.engine.usage, mends: false };
        // SAFETY: kept by the attempt's guard, or by `absent`.
        let made = maker.remake(effect, unsafe { Old::new(old) }, self.now(), &mut ledger);
        self.ledger = Some(ledger);
        let version = made.ok_or(FollowError::Differs { lsn })?;
        self.hand_on(at, version, Change::Put);
        Ok(())
    }

    /// Publishes one key under a record, which is taken if that succeeds.
    fn publish_one(
        &mut self,
        reservation: &mut Option<crate::log::Reservation<'g>>,
    ) -> Result<Outcome, EngineError> {
        let (engine, guard) = (self.engine, self.guard);
        let Some(found) = self.accesses[0].settle(engine, None, &self.missing, guard) else {
            return Ok(Outcome::Lost);
        };
        let access = &mut self.accesses[0];
        let (Some(lsn), Some(write)) =
            (reservation.as_ref().map(crate::log::Reservation::lsn), &mut *access.write)
        else {
            return Ok(Outcome::Lost);
        };
        write.version.stamp(lsn);
        if !found.cell.replace(found.word, write.word_after(found.word)) {
            return Ok(Outcome::Lost);
        }
        let committed = reservation.take().map_or(Ok(()), crate::log::Reservation::commit);
        access.published(engine, found.version, found.word);
        self.settle_trees();
        engine.stats.changes.add(1);
        committed?;
        Ok(Outcome::Wrote(lsn))
    }
}
