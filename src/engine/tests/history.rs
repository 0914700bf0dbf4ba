//! What is recorded of a concurrent run, and the check that the log's order explains it.
//!
//! Every transaction leaves an [`Event`]: what it read and wrote, when it was called and when it returned, and its
//! record. [`check`] asks three things:
//!
//! 1. the writers, run one after the other in the order of their records, read what they read;
//! 2. that order agrees with real time: who returned before another was called comes before it;
//! 3. what a read-only transaction read was all there at one moment between its call and its return, after a set of
//!    writers in which none lacks one that it depends on;
//! 4. no two of them saw two keys change in different orders: what one saw is part of what the other saw.
//!
//! That is strict serializability with the log as the witness: stronger than looking for some order, and cheap.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Millis;
use crate::engine::{DbIndex, Engine, Txn};
use crate::lsn::Lsn;
use crate::store::version::{Value, canonical_int};

/// One of a few keys.
pub(super) type Key = u8;
/// What a key holds, if it does.
pub(super) type Content = Option<Vec<u8>>;
/// What all keys hold.
pub(super) type State = BTreeMap<(DbIndex, Key), Vec<u8>>;

/// The name of a key.
pub(super) fn name(key: Key) -> [u8; 1] {
    [b'a' + key]
}

/// Something that a transaction did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Read(DbIndex, Key, Content),
    Write(DbIndex, Key, Content),
    Flush(DbIndex),
    Swap(DbIndex, DbIndex),
}

/// A transaction that took effect.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) called: u64,
    pub(super) returned: u64,
    /// Its record, if it wrote; else the latest that it saw.
    pub(super) lsn: Lsn,
    pub(super) acts: Vec<Act>,
}

impl Event {
    fn writes(&self) -> bool {
        self.acts.iter().any(|act| !matches!(act, Act::Read(..)))
    }
}

/// The order of calls and returns.
#[derive(Debug, Default)]
pub(super) struct Ticks(AtomicU64);

impl Ticks {
    fn next(&self) -> u64 {
        // SeqCst: one order for all threads.
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// An attempt that is recorded.
pub(super) struct Tape<'t, 'g> {
    txn: &'t mut Txn<'g>,
    acts: Vec<Act>,
}

impl Tape<'_, '_> {
    pub(super) fn get(&mut self, db: DbIndex, key: Key) -> Content {
        let live = self.txn.get(db, &name(key));
        let found =
            live.map(|live| live.value.string().expect("a string").bytes(&mut itoa::Buffer::new()).to_vec());
        self.acts.push(Act::Read(db, key, found.clone()));
        found
    }

    pub(super) fn put(&mut self, db: DbIndex, key: Key, value: &[u8]) {
        self.txn.put(db, &name(key), Value::Str(value), None);
        self.acts.push(Act::Write(db, key, Some(value.to_vec())));
    }

    pub(super) fn delete(&mut self, db: DbIndex, key: Key) {
        if self.get(db, key).is_some() {
            assert!(self.txn.delete(db, &name(key)));
            self.acts.push(Act::Write(db, key, None));
        }
    }

    pub(super) fn append(&mut self, db: DbIndex, key: Key, suffix: &[u8]) {
        let mut value = self.get(db, key).unwrap_or_default();
        value.extend_from_slice(suffix);
        assert_eq!(self.txn.append(db, &name(key), suffix), Ok(value.len()));
        self.acts.push(Act::Write(db, key, Some(value)));
    }

    /// The number in a key: 0 where there is none.
    pub(super) fn number(&mut self, db: DbIndex, key: Key) -> i64 {
        self.get(db, key).and_then(|value| canonical_int(&value)).unwrap_or(0)
    }

    pub(super) fn set_number(&mut self, db: DbIndex, key: Key, number: i64) {
        self.put(db, key, number.to_string().as_bytes());
    }

    pub(super) fn increment(&mut self, db: DbIndex, key: Key) {
        let number = self.number(db, key);
        self.set_number(db, key, number + 1);
    }

    pub(super) fn flush(&mut self, db: DbIndex) {
        self.txn.flush(Some(db));
        self.acts.push(Act::Flush(db));
    }

    pub(super) fn swap(&mut self, a: DbIndex, b: DbIndex) {
        self.txn.swap(a, b);
        self.acts.push(Act::Swap(a, b));
    }
}

/// Runs a transaction and records it.
pub(super) fn run(
    engine: &Engine,
    ticks: &Ticks,
    alone: bool,
    mut body: impl FnMut(&mut Tape<'_, '_>),
) -> Event {
    let called = ticks.next();
    let mut batch = engine.batch(Millis(1000), true);
    let mut f = |txn: &mut Txn<'_>| {
        let mut tape = Tape { txn, acts: Vec::new() };
        body(&mut tape);
        Ok::<_, Infallible>(tape.acts)
    };
    let result = if alone { batch.run_alone(&mut f) } else { batch.run(&mut f) };
    let Ok(acts) = result.expect("the log takes writes");
    let lsn = batch.seen();
    drop(batch);
    Event { called, returned: ticks.next(), lsn, acts }
}

/// Lets `acts` happen to `state`; gives the first read that finds something else.
fn apply<'a>(state: &mut State, acts: &'a [Act]) -> Option<&'a Act> {
    for act in acts {
        match act {
            Act::Read(db, key, found) if state.get(&(*db, *key)) != found.as_ref() => return Some(act),
            Act::Read(..) => {}
            Act::Write(db, key, Some(value)) => drop(state.insert((*db, *key), value.clone())),
            Act::Write(db, key, None) => drop(state.remove(&(*db, *key))),
            Act::Flush(gone) => state.retain(|(db, _), _| db != gone),
            Act::Swap(a, b) => {
                let moved = |db| {
                    if db == *a {
                        *b
                    } else if db == *b {
                        *a
                    } else {
                        db
                    }
                };
                *state =
                    std::mem::take(state).into_iter().map(|((db, key), v)| ((moved(db), key), v)).collect();
            }
        }
    }
    None
}

/// Checks a history that began with `state`; gives the state at its end.
///
/// # Errors
/// What does not fit.
pub(super) fn check(mut state: State, events: &[Event]) -> Result<State, String> {
    let (mut writers, readers): (Vec<_>, Vec<_>) = events.iter().partition(|event| event.writes());
    writers.sort_by_key(|event| event.lsn);
    let mut states = vec![state.clone()];
    let mut latest_call = 0;
    for event in &writers {
        if let Some(act) = apply(&mut state, &event.acts) {
            return Err(format!("the log's order does not explain {act:?} of {event:?}; all: {events:#?}"));
        }
        if event.returned < latest_call {
            return Err(format!(
                "{event:?} returned before one with an earlier record was called: {events:#?}"
            ));
        }
        latest_call = latest_call.max(event.called);
        states.push(state.clone());
    }
    for event in &readers {
        if !is_explained(event, &writers, &states) {
            return Err(format!("no moment explains {event:?}; all: {events:#?}"));
        }
    }
    if let Some((a, b)) = forked(&readers, &states) {
        return Err(format!(
            "keys {a:?} and {b:?} changed in one order for some, in another for others: {events:#?}"
        ));
    }
    Ok(state)
}

/// How many changes of one key came before what a reader saw of it; only contents that the key had once count.
type Ages = BTreeMap<(DbIndex, Key), usize>;

/// Two keys that some readers saw change in one order and others in the other.
///
/// Why on top of a moment for each reader: of two writers that are under way at once, one reader may see the one, and
/// another the other, each at a moment of its own that the clock of calls and returns allows.
fn forked(readers: &[&Event], states: &[State]) -> Option<((DbIndex, Key), (DbIndex, Key))> {
    let ages: Vec<Ages> = readers.iter().map(|reader| ages(reader, states)).collect();
    let keys: Vec<_> =
        ages.iter().flat_map(Ages::keys).copied().collect::<BTreeSet<_>>().into_iter().collect();
    let pairs = keys.iter().enumerate().flat_map(|(at, a)| keys[at + 1..].iter().map(move |b| (*a, *b)));
    pairs.into_iter().find(|(a, b)| {
        let mut both: Vec<_> = ages.iter().filter_map(|ages| Some((*ages.get(a)?, *ages.get(b)?))).collect();
        both.sort_unstable();
        // In the order of the one key, with equals in that of the other, the other must not fall.
        both.windows(2).any(|pair| pair[0].0 < pair[1].0 && pair[0].1 > pair[1].1)
    })
}

fn ages(reader: &Event, states: &[State]) -> Ages {
    let seen = reader.acts.iter().filter_map(|act| match act {
        Act::Read(db, key, found) => Some(((*db, *key), found.as_ref())),
        _ => None,
    });
    let age = |(place, found): ((DbIndex, Key), Option<&Vec<u8>>)| {
        let mut contents: Vec<_> = states.iter().map(|state| state.get(&place)).collect();
        contents.dedup();
        let mut at = contents.iter().enumerate().filter(|(_, content)| **content == found).map(|(at, _)| at);
        let age = at.next()?;
        at.next().is_none().then_some((place, age))
    };
    seen.filter_map(age).collect()
}

/// Whether what a reader saw was all there at one moment between its call and its return.
fn is_explained(reader: &Event, writers: &[&Event], states: &[State]) -> bool {
    let first = writers.iter().rposition(|writer| writer.returned < reader.called).map_or(0, |at| at + 1);
    let last = writers.iter().position(|writer| writer.called > reader.returned).unwrap_or(writers.len());
    let is_behind_a_record = (first..=last).any(|at| apply(&mut states[at].clone(), &reader.acts).is_none());
    is_behind_a_record
        || (reader.called..=reader.returned).any(|moment| is_explained_at(moment, reader, writers, states))
}

/// Whether a reader saw all writers that were over at a moment, and some of those that were under way.
///
/// Why not the state behind some record: a record's place is reserved before its transaction takes effect, so one with
/// a later record may take effect, and return, earlier. Where two conflict, the later in the log has seen the earlier.
fn is_explained_at(moment: u64, reader: &Event, writers: &[&Event], states: &[State]) -> bool {
    let is_over = |writer: &Event| writer.returned < moment;
    let is_under_way = |writer: &Event| writer.returned >= moment && writer.called <= moment;
    let first = writers.iter().take_while(|writer| is_over(writer)).count();
    let end = writers.iter().rposition(|writer| writer.called <= moment).map_or(first, |at| at + 1);
    let rest = &writers[first..end.max(first)];
    let under_way = rest.iter().filter(|writer| is_under_way(writer)).count();
    assert!(under_way < 16, "each thread has one transaction under way at a moment");
    (0_u32..1 << under_way).any(|chosen| {
        let mut state = states[first].clone();
        let mut open = 0;
        let possible = rest.iter().all(|writer| {
            let mut applies = is_over(writer);
            if is_under_way(writer) {
                applies = chosen & (1 << open) != 0;
                open += 1;
            }
            !applies || apply(&mut state, &writer.acts).is_none()
        });
        possible && apply(&mut state, &reader.acts).is_none()
    })
}

/// What the engine holds in `databases` databases.
pub(super) fn dump(engine: &Engine, databases: DbIndex) -> State {
    let mut batch = engine.batch(Millis(1000), false);
    let read = batch.run(|txn| {
        let mut state = State::new();
        for db in 0..databases {
            txn.keys(db, b"", usize::MAX, &mut |key, live| {
                let value = live.value.string().expect("a string").bytes(&mut itoa::Buffer::new()).to_vec();
                state.insert((db, key[0] - b'a'), value);
                true
            });
        }
        Ok::<_, Infallible>(state)
    });
    let Ok(state) = read.expect("nothing refuses a read");
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(called: u64, returned: u64, lsn: u64, acts: &[Act]) -> Event {
        Event { called, returned, lsn: Lsn::new(lsn), acts: acts.to_vec() }
    }

    fn write(value: u8) -> Act {
        Act::Write(0, 0, Some(vec![value]))
    }

    fn read(value: Option<u8>) -> Act {
        Act::Read(0, 0, value.map(|value| vec![value]))
    }

    #[test]
    fn a_history_that_the_log_explains_is_taken() {
        let events = [
            event(0, 9, 20, &[read(Some(1)), write(2)]),
            event(1, 2, 10, &[read(None), write(1)]),
            event(3, 8, 0, &[read(Some(1))]),
            event(4, 7, 0, &[read(Some(2))]),
        ];
        assert_eq!(check(State::new(), &events).unwrap(), State::from([((0, 0), vec![2])]));
    }

    #[test]
    fn lost_updates_stale_reads_and_turned_orders_are_found() {
        let lost = [event(0, 3, 10, &[read(None), write(1)]), event(1, 2, 20, &[read(None), write(1)])];
        assert!(check(State::new(), &lost).is_err());
        let stale = [event(0, 1, 10, &[write(1)]), event(2, 3, 0, &[read(None)])];
        assert!(check(State::new(), &stale).is_err());
        let turned = [event(0, 1, 20, &[write(1)]), event(2, 3, 10, &[write(2)])];
        assert!(check(State::new(), &turned).is_err());
        let early = [event(2, 3, 10, &[write(1)]), event(0, 1, 0, &[read(Some(1))])];
        assert!(check(State::new(), &early).is_err());
    }

    #[test]
    fn readers_that_see_two_writers_in_different_orders_are_found() {
        let other = |value: Option<u8>| Act::Read(0, 1, value.map(|value| vec![value]));
        let writers = [event(0, 8, 10, &[write(1)]), event(1, 9, 20, &[Act::Write(0, 1, Some(vec![1]))])];
        let one = event(2, 4, 0, &[read(Some(1)), other(None)]);
        let two = event(3, 5, 0, &[read(None), other(Some(1))]);
        let with = |readers: &[&Event]| {
            check(State::new(), &writers.iter().chain(readers.iter().copied()).cloned().collect::<Vec<_>>())
        };
        assert!(with(&[&one]).is_ok() && with(&[&two]).is_ok());
        assert!(with(&[&one, &two]).unwrap_err().contains("in another for others"));
    }
}
