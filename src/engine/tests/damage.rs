//! Files that were damaged: recovery finds a state that was, or refuses; it never makes one up.
//!
//! Every place of a small log and its snapshot is damaged in turn: a byte is changed, the file is cut, everything from
//! there on is lost. The files are opened as after a kill (same boot, same files) and as after the loss of the machine.
//! And a value that holds, at its very place in the log, what would be valid records, is a value whatever happens.

use std::path::Path;

use super::history::{State, Tape, Ticks, check, dump, run};
use super::lab::{Image, Lab, zero_from};
use crate::engine::{DbIndex, Engine};
use crate::lsn::Lsn;

const DATABASES: DbIndex = 3;
const HEADER_BYTES: usize = 4096;
/// The state word's place in a record, and its codes (`FORMAT.md`).
const STATE_AT: u64 = 12;
const PENDING: [u8; 2] = [0, 0];
const VOID: [u8; 2] = [0x3C, 0x5A];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Killed,
    MachineLost,
}

/// What is found in `image`; none if it is refused.
fn found(lab: &Lab, image: &Image, life: Life) -> Option<State> {
    lab.restore(image);
    match life {
        Life::Killed => lab.find_machine(),
        Life::MachineLost => lab.lose_machine(),
    }
    let (engine, _) = Engine::recover(lab.options(), &|_| {}).ok()?;
    let state = dump(&engine, DATABASES);
    engine.stop().unwrap();
    Some(state)
}

/// A database with a snapshot and a short log: the states after each record from the snapshot on, and its files.
struct Past {
    lab: Lab,
    states: Vec<(Lsn, State)>,
    image: Image,
}

impl Past {
    /// `synced` tells whether the durable mark is at the end or at the snapshot.
    fn new(synced: bool) -> Self {
        let lab = Lab::new();
        let (engine, _) = Engine::recover(lab.options(), &|_| {}).unwrap();
        let mut past = Self { lab, states: Vec::new(), image: Image::new() };
        past.does(&engine, false, |tape| tape.put(0, 0, b"before"));
        past.does(&engine, false, |tape| tape.increment(1, 1));
        engine.snapshot_blocking().unwrap();
        past.states = vec![(engine.log.head(), dump(&engine, DATABASES))];
        past.does(&engine, false, |tape| tape.append(0, 0, b" and after"));
        past.does(&engine, false, |tape| tape.put(0, 2, b"2"));
        past.does(&engine, false, |tape| {
            tape.increment(0, 2);
            tape.increment(1, 1);
            tape.delete(0, 0);
        });
        past.does(&engine, true, |tape| tape.swap(0, 1));
        past.does(&engine, false, |tape| tape.put(2, 3, b""));
        past.does(&engine, true, |tape| tape.flush(1));
        past.does(&engine, false, |tape| tape.put(1, 0, b"last"));
        if synced {
            assert_eq!(engine.log.sync_now().unwrap(), engine.log.head());
            past.states.drain(..past.states.len() - 1);
        }
        past.image = past.lab.image();
        engine.stop().unwrap();
        past
    }

    fn does(&mut self, engine: &Engine, alone: bool, body: impl FnMut(&mut Tape<'_, '_>)) {
        run(engine, &Ticks::default(), alone, body);
        self.states.push((engine.log.head(), dump(engine, DATABASES)));
    }

    fn end(&self) -> Lsn {
        self.states.last().unwrap().0
    }

    /// Looks at what is found in `image`; tells whether something was.
    fn judge(&self, image: &Image, life: Life, what: &dyn std::fmt::Debug) -> bool {
        let Some(state) = found(&self.lab, image, life) else { return false };
        let known = self.states.iter().any(|(_, known)| *known == state);
        assert!(known, "{what:?}, {life:?}: a state that never was: {state:?}");
        true
    }
}

const LIVES: [Life; 2] = [Life::Killed, Life::MachineLost];

/// The bytes of `file` that mean something: of a segment, those up to the log's end and a few behind.
fn meaningful(path: &Path, bytes: &[u8], end: Lsn) -> usize {
    match Lab::first_lsn(path) {
        Some(first) if first > end.get() => 0,
        Some(first) => HEADER_BYTES + (end.get() - first) as usize + 16,
        None => bytes.len(),
    }
}

/// Every place worth damaging: all of records and snapshot, and a header page more coarsely where it is zero.
fn places(past: &Past) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    for (file, (path, bytes)) in past.image.iter().enumerate() {
        let is_segment = Lab::first_lsn(path).is_some();
        let worth = |at: &usize| !is_segment || *at >= HEADER_BYTES || bytes[*at] != 0 || at % 97 == 0;
        places.extend((0..meaningful(path, bytes, past.end())).filter(worth).map(|at| (file, at)));
    }
    places
}

fn a_changed_byte(synced: bool) {
    let past = Past::new(synced);
    let places = places(&past);
    let mut refused = 0;
    for (file, at) in &places {
        for life in LIVES {
            let mut image = past.image.clone();
            image[*file].1[*at] ^= if at % 2 == 0 { 0xFF } else { 1 << (at % 8) };
            let what = (past.image[*file].0.file_name(), at);
            refused += usize::from(!past.judge(&image, life, &what));
        }
    }
    assert!(refused > places.len() / 4, "{refused} of {} were refused", 2 * places.len());
}

#[test]
fn a_byte_changed_anywhere_in_durable_files_is_refused_or_does_no_harm() {
    a_changed_byte(true);
}

#[test]
fn a_byte_changed_anywhere_above_the_mark_costs_a_tail_at_most() {
    a_changed_byte(false);
}

fn a_cut(synced: bool) {
    let past = Past::new(synced);
    let (mut found, mut cuts) = (0, 0);
    let first = past.image.iter().filter_map(|(path, _)| Lab::first_lsn(path)).min().unwrap();
    for cut in first..past.end().get() {
        let mut zeroed = past.image.clone();
        zero_from(&mut zeroed, Lsn::new(cut));
        let mut short = past.image.clone();
        for (path, bytes) in &mut short {
            if let Some(first) = Lab::first_lsn(path) {
                bytes.truncate((HEADER_BYTES as u64 + cut.saturating_sub(first)) as usize);
            }
        }
        for life in LIVES {
            for (image, how) in [(&zeroed, "zeroed"), (&short, "cut short")] {
                cuts += 1;
                found += usize::from(past.judge(image, life, &(how, cut)));
            }
        }
    }
    // Behind the last record a few bytes are zero anyway.
    let expected = if synced { 1..29 } else { cuts / 4..cuts };
    assert!(expected.contains(&found), "{found} of {cuts} cuts were taken");
}

#[test]
fn a_log_cut_anywhere_below_its_mark_is_refused() {
    a_cut(true);
}

#[test]
fn a_log_cut_anywhere_above_its_mark_ends_after_some_record() {
    a_cut(false);
}

/// The bytes of the log from one position to another, all in one segment.
fn log_bytes(image: &mut Image, from: u64, until: u64) -> &mut [u8] {
    let holds = |path: &Path| Lab::first_lsn(path).filter(|first| *first <= from);
    let (path, bytes) = image.iter_mut().rev().find(|(path, _)| holds(path).is_some()).unwrap();
    let at = |lsn: u64| HEADER_BYTES + (lsn - Lab::first_lsn(path).unwrap()) as usize;
    &mut bytes[at(from)..at(until)]
}

/// A database with two keys, and one whose value, from some byte on, reads as valid records of its very place that
/// would empty everything.
struct Forgery {
    lab: Lab,
    /// Where the value's record begins, and where the forged ones do.
    outer: u64,
    inner: u64,
    without: State,
    with: State,
    image: Image,
}

/// What of a put lies in its record before the value: the record's header, the effect's, and a key of one byte.
const BEFORE_VALUE: u64 = 24 + 12 + 1;

impl Forgery {
    /// `tail` more bytes follow in the value.
    fn new(tail: usize) -> Self {
        let lab = Lab::new();
        let ticks = Ticks::default();
        let open = || Engine::recover(lab.options(), &|_| {}).unwrap().0;
        let engine = open();
        run(&engine, &ticks, false, |tape| tape.put(0, 0, b"here"));
        run(&engine, &ticks, false, |tape| tape.put(1, 1, b"there"));
        let (outer, without, before) = (engine.log.head().get(), dump(&engine, DATABASES), lab.image());
        // What the records would be is found by writing them, and taking that back.
        run(&engine, &ticks, false, |tape| tape.put(0, 2, &[b'f'; 40]));
        let inner = engine.log.head().get();
        run(&engine, &ticks, true, |tape| (0..DATABASES).for_each(|db| tape.flush(db)));
        run(&engine, &ticks, false, |tape| tape.put(0, 3, b"owned"));
        let end = engine.log.head().get();
        let forged = log_bytes(&mut lab.image(), inner, end).to_vec();
        engine.stop().unwrap();
        drop(engine);
        lab.restore(&before);
        let engine = open();
        assert_eq!((engine.log.head().get(), dump(&engine, DATABASES)), (outer, without.clone()));
        let mut value = vec![b'f'; (inner - outer - BEFORE_VALUE) as usize];
        value.extend_from_slice(&forged);
        value.resize(value.len() + tail, b'f');
        let put = run(&engine, &ticks, false, |tape| tape.put(0, 2, &value));
        let with = check(without.clone(), &[put]).unwrap();
        let mut image = lab.image();
        assert_eq!(log_bytes(&mut image, inner, end), forged, "the forged records lie at their place");
        engine.stop().unwrap();
        drop(engine);
        Self { lab, outer, inner, without, with, image }
    }

    /// What is found when the files were changed by `damage`; it must not be what the forged records say.
    fn after(&self, life: Life, damage: impl FnOnce(&mut Image)) -> Option<State> {
        let mut image = self.image.clone();
        damage(&mut image);
        let state = found(&self.lab, &image, life)?;
        assert!(state == self.with || state == self.without, "{life:?}: {state:?}");
        Some(state)
    }

    fn with_state(&self, life: Life, state: [u8; 2]) -> Option<State> {
        let at = self.outer + STATE_AT;
        self.after(life, |image| log_bytes(image, at, at + 2).copy_from_slice(&state))
    }
}

fn forged_records_stay_a_value(forgery: &Forgery) {
    for life in LIVES {
        assert_eq!(forgery.after(life, |_| ()).as_ref(), Some(&forgery.with));
        for at in forgery.outer..forgery.inner + 64 {
            for mask in [0xFF, 1, 0x80] {
                forgery.after(life, |image| log_bytes(image, at, at + 1)[0] ^= mask);
            }
        }
    }
}

#[test]
fn forged_records_in_a_value_are_never_executed() {
    let forgery = Forgery::new(0);
    forged_records_stay_a_value(&forgery);
    for life in LIVES {
        assert_eq!(forgery.with_state(life, PENDING).as_ref(), Some(&forgery.without), "{life:?}");
        assert_eq!(forgery.with_state(life, VOID).as_ref(), Some(&forgery.without), "{life:?}");
    }
    // They are well forged: with all before them wiped out, which no kill does, they count.
    let mut image = forgery.image.clone();
    log_bytes(&mut image, forgery.outer, forgery.inner).fill(0);
    let state = found(&forgery.lab, &image, Life::Killed).unwrap();
    assert_eq!(state, State::from([((0, 3), b"owned".to_vec())]));
}

#[test]
fn forged_records_in_a_spilled_value_are_never_executed() {
    let forgery = Forgery::new(10_000);
    forged_records_stay_a_value(&forgery);
    for life in LIVES {
        for state in [PENDING, VOID] {
            assert_ne!(forgery.with_state(life, state).as_ref(), Some(&forgery.with), "a blob is missing");
        }
    }
}
