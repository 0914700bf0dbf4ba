//! The thread that removes keys, and fields of hashes, whose time has come, by ordinary logged writes.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::clock::Millis;
use crate::engine::timers::Timers;
use crate::engine::{Batch, DbIndex, Engine};
use crate::store::hash::KeyHash;
use crate::store::keyspace::Keyspace;
use crate::sync::Ordering;

/// How often the thread looks for new timers and for those whose time has come.
const TICK: Duration = Duration::from_millis(50);
/// Keys that are looked at under one guard.
const SLICE_KEYS: usize = 256;

/// One keyspace's timers.
pub(super) struct Clockwork {
    keyspace: Weak<Keyspace>,
    timers: Timers,
}

/// Runs until the engine stops.
pub(super) fn run(engine: &Weak<Engine>) {
    let mut clockworks = HashMap::new();
    while let Some(engine) = engine.upgrade() {
        if engine.is_stopping() {
            return;
        }
        tick(&engine, &mut clockworks, Millis::now());
        engine.nap(TICK);
    }
}

/// Removes the keys whose time has come.
pub(super) fn tick(engine: &Engine, clockworks: &mut HashMap<usize, Clockwork>, now: Millis) {
    clockworks.retain(|_, clockwork| clockwork.keyspace.strong_count() > 0);
    let (keyspaces, follows) = {
        let guard = crossbeam_epoch::pin();
        let root = engine.root.load(&guard);
        (root.keyspaces.clone(), root.follows)
    };
    for (place, keyspace) in keyspaces.iter().enumerate() {
        let clockwork = clockworks
            .entry(Arc::as_ptr(keyspace) as usize)
            .or_insert_with(|| Clockwork { keyspace: Arc::downgrade(keyspace), timers: Timers::default() });
        while let Some((deadline, hash)) = keyspace.timers.pop() {
            clockwork.timers.set(deadline, hash, now);
        }
        // Relaxed: a switch for tests; it takes effect at the next tick.
        // Why not where it follows another's log: what is removed there is removed here, and nothing else is.
        if engine.expires_actively.load(Ordering::Relaxed) && !follows {
            go_off(engine, engine.layout.number(place), keyspace, &mut clockwork.timers, now);
        }
    }
}

fn go_off(engine: &Engine, db: DbIndex, keyspace: &Arc<Keyspace>, timers: &mut Timers, now: Millis) {
    while let Some(due) = timers.due(now) {
        for (at, slice) in due.chunks(SLICE_KEYS).enumerate() {
            if !expire_slice(engine, db, keyspace, timers, slice, now) {
                // Paused, or the log takes no writes: all of it comes up again.
                for &hash in &due[at * SLICE_KEYS..] {
                    timers.set(Millis(now.0 + 1000), hash, now);
                }
                return;
            }
        }
    }
}

/// Looks at some keys; tells whether writes are possible.
fn expire_slice(
    engine: &Engine,
    db: DbIndex,
    keyspace: &Arc<Keyspace>,
    timers: &mut Timers,
    hashes: &[KeyHash],
    now: Millis,
) -> bool {
    let (mut expired, mut hashes_with_fields) = (Vec::new(), Vec::new());
    let guard = crossbeam_epoch::pin();
    for &hash in hashes {
        keyspace.for_each_under(hash, &guard, |cell| {
            let look = cell.look(&guard);
            if look.version.has_field_expiry() {
                hashes_with_fields.push((hash, cell.key(&guard).to_vec()));
            }
            match look.version.expiry() {
                Some(end) if end <= now => expired.push((hash, cell.key(&guard).to_vec())),
                Some(end) => timers.set(end, hash, now),
                // A failure means that the key has just been written: whoever did saw the mark, and a look at it
                // costs nothing, so the timer is kept.
                None if look.word.is_armed()
                    && !look.word.is_descriptor()
                    && !cell.replace(look.word, look.word.with_armed(false)) =>
                {
                    timers.set(Millis(now.0 + 1), hash, now);
                }
                None => {}
            }
        });
    }
    drop(guard);
    let mut batch = engine.batch(now, false);
    for (hash, key) in expired {
        match batch.run(|txn| Ok::<_, std::convert::Infallible>(txn.expire(db, &key))) {
            Ok(Ok(true)) => {
                engine.stats.expired.add(1);
                if let Some(witness) = engine.witness.get() {
                    witness.expired(db, &key, batch.seen(), now);
                }
            }
            // Somebody was faster. Whoever wrote the key again saw it armed, and relies on this timer; or its database
            // has another number now.
            Ok(_) => timers.set(Millis(now.0 + 1), hash, now),
            Err(_) => return false,
        }
    }
    let expire =
        |(hash, key): (KeyHash, Vec<u8>)| expire_fields(engine, db, &mut batch, timers, (hash, &key), now);
    hashes_with_fields.into_iter().all(expire)
}

/// Removes fields of a hash whose time has come, and sets a timer for the next; tells whether writes are possible.
fn expire_fields(
    engine: &Engine,
    db: DbIndex,
    batch: &mut Batch<'_>,
    timers: &mut Timers,
    (hash, key): (KeyHash, &[u8]),
    now: Millis,
) -> bool {
    let (mut removed, mut is_gone) = (0, false);
    let possible = loop {
        let Ok(Ok(expired)) = batch.run(|txn| Ok::<_, std::convert::Infallible>(txn.expire_fields(db, key)))
        else {
            break false;
        };
        removed += expired.removed;
        is_gone = expired.is_gone;
        match expired.next {
            Some(next) if expired.removed > 0 && next <= now => batch.repin(),
            Some(next) => {
                timers.set(next, hash, now);
                break true;
            }
            None if expired.removed == 0 => {
                // Somebody was faster; or the hash's database has another number now, and its fields still wait.
                timers.set(Millis(now.0 + 1), hash, now);
                break true;
            }
            None => break true,
        }
    };
    engine.stats.expired_fields.add(removed as i64);
    // Why once: whoever listens wants to know of the hash, however many writes it took.
    if let Some(witness) = engine.witness.get()
        && removed > 0
    {
        witness.fields_expired(db, key, is_gone, batch.seen(), now);
    }
    possible
}
