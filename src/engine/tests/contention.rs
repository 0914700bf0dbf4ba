//! Threads that hammer the same few keys.
//!
//! What every transaction read and wrote is recorded. Afterwards the log's order must explain it (`history`), each
//! key's history must be linearizable by itself (`register`), and the files, opened again, must hold what the history
//! ends with: the order of publication is that of the log.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::history::{Event, Key, State, Tape, Ticks, check, dump, run};
use super::lab::{Lab, seed};
use super::register;
use crate::Db;
use crate::engine::{DbIndex, Engine};

const THREADS: u64 = 4;
const KEYS: Key = 4;
const DATABASES: DbIndex = 2;
/// How long a test lasts at most; slow machines run fewer operations.
const TIME_MAX: Duration = Duration::from_secs(4);

/// A small generator of random numbers (xorshift).
struct Dice(u64);

impl Dice {
    fn new(seed: u64, thread: u64) -> Self {
        Self((seed ^ thread.wrapping_mul(0x9E37_79B9_7F4A_7C15)) | 1)
    }

    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % below
    }

    fn key(&mut self) -> (DbIndex, Key) {
        (self.next(u64::from(DATABASES)) as DbIndex, self.next(u64::from(KEYS)) as Key)
    }
}

/// One transaction on a key or a few, drawn at random.
fn ordinary(engine: &Engine, ticks: &Ticks, dice: &mut Dice) -> Event {
    let (db, key) = dice.key();
    let kind = dice.next(20);
    let number = dice.next(1000).to_string();
    let others = [dice.key(), dice.key()];
    let body = |tape: &mut Tape<'_, '_>| match kind {
        0..4 => drop(tape.get(db, key)),
        4..7 => tape.put(db, key, number.as_bytes()),
        7..11 => tape.delete(db, key),
        11 => tape.append(db, key, b"7"),
        12..15 => tape.increment(db, key),
        // A read that looks twice.
        15 | 16 => others.into_iter().chain([(db, key)]).for_each(|(db, key)| drop(tape.get(db, key))),
        // Moves one key's content to another, over a third.
        17 => {
            if let Some(value) = tape.get(db, key) {
                tape.delete(db, key);
                tape.put(others[0].0, others[0].1, &value);
            }
        }
        18 => {
            let sum = others.map(|(db, key)| tape.number(db, key) % 1000).iter().sum();
            tape.set_number(db, key, sum);
        }
        // Reads one, writes another that was not read.
        _ => {
            let seen = tape.number(others[0].0, others[0].1) % 1000;
            tape.set_number(db, key, seen + 1);
        }
    };
    run(engine, ticks, kind == 18 && number.ends_with("77"), body)
}

/// A change of the databases themselves, and of a key besides.
fn structural(engine: &Engine, ticks: &Ticks, dice: &mut Dice) -> Event {
    let (db, key) = dice.key();
    let kind = dice.next(4);
    run(engine, ticks, true, |tape| match kind {
        0 => tape.flush(db),
        1 => {
            tape.increment(db, key);
            tape.flush(1 - db);
            tape.increment(1 - db, key);
        }
        2 => tape.swap(0, 1),
        _ => {
            tape.increment(db, key);
            tape.swap(0, 1);
            tape.get(db, key);
        }
    })
}

/// Runs `step` in several threads; gives what happened.
fn hammer(
    engine: &Engine,
    seed: u64,
    steps: u64,
    step: impl Fn(&Engine, &Ticks, &mut Dice) -> Event + Sync,
) -> Vec<Event> {
    let ticks = Ticks::default();
    let events = Mutex::new(Vec::new());
    let end = Instant::now() + TIME_MAX;
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (ticks, events, step) = (&ticks, &events, &step);
            scope.spawn(move || {
                let mut dice = Dice::new(seed, thread);
                let mut mine = Vec::new();
                for _ in 0..steps {
                    if Instant::now() > end {
                        break;
                    }
                    mine.push(step(engine, ticks, &mut dice));
                }
                events.lock().unwrap().extend(mine);
            });
        }
    });
    events.into_inner().unwrap()
}

/// The files hold `expected`, before and after they are closed.
fn check_files(lab: &Lab, db: Db, expected: &State) {
    assert_eq!(dump(db.engine(), DATABASES), *expected);
    db.close().unwrap();
    assert_eq!(dump(lab.open().engine(), DATABASES), *expected, "after a restart");
}

#[test]
fn a_few_keys_under_contention_are_linearizable_and_the_log_agrees() {
    let lab = Lab::new();
    let db = lab.open();
    let events = hammer(db.engine(), seed(), 2500, ordinary);
    let end = check(State::new(), &events).unwrap();
    assert_eq!(register::first_unexplained(&events, DATABASES, KEYS), None);
    check_files(&lab, db, &end);
}

#[test]
fn flushes_and_swaps_between_writes_lose_nothing_in_memory() {
    let db = Db::in_memory().unwrap();
    let step = |engine: &Engine, ticks: &Ticks, dice: &mut Dice| {
        if dice.next(20) == 0 { structural(engine, ticks, dice) } else { ordinary(engine, ticks, dice) }
    };
    let events = hammer(db.engine(), seed(), 2500, step);
    let end = check(State::new(), &events).unwrap();
    assert_eq!(dump(db.engine(), DATABASES), end);
}

#[test]
fn snapshots_during_writes_flushes_and_swaps_find_the_same_state_again() {
    let lab = Lab::new();
    let db = lab.open();
    let seed = seed();
    let mut state = State::new();
    let (mut db, rounds) = (db, 6);
    for round in 0..rounds {
        let done = AtomicBool::new(false);
        let events = std::thread::scope(|scope| {
            let saving = scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    db.engine().snapshot_blocking().unwrap();
                }
            });
            let step = |engine: &Engine, ticks: &Ticks, dice: &mut Dice| {
                if dice.next(6) == 0 {
                    structural(engine, ticks, dice)
                } else {
                    ordinary(engine, ticks, dice)
                }
            };
            let events = hammer(db.engine(), seed + round, 150, step);
            done.store(true, Ordering::Relaxed);
            saving.join().unwrap();
            events
        });
        state = check(state, &events).unwrap();
        check_files(&lab, db, &state);
        db = lab.open();
    }
}

#[test]
fn a_swap_while_a_snapshot_begins_is_not_done_twice_after_a_restart() {
    let lab = Lab::new();
    let mut db = lab.open();
    run(db.engine(), &Ticks::default(), false, |tape| tape.put(0, 0, b"here"));
    for _ in 0..40 {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let engine = db.engine();
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    run(engine, &Ticks::default(), true, |tape| tape.swap(0, 1));
                }
            });
            engine.snapshot_blocking().unwrap();
            done.store(true, Ordering::Relaxed);
        });
        let state = dump(db.engine(), DATABASES);
        check_files(&lab, db, &state);
        db = lab.open();
    }
}

/// A bank: what all accounts hold together never changes.
const BALANCE: i64 = 100;

fn transfer(engine: &Engine, ticks: &Ticks, dice: &mut Dice) -> Event {
    let (from, to, fee) = (dice.key(), dice.key(), dice.key());
    let amount = dice.next(7) as i64;
    run(engine, ticks, false, |tape| {
        for (account, change) in [(from, -amount - 1), (to, amount), (fee, 1)] {
            let balance = tape.number(account.0, account.1);
            tape.set_number(account.0, account.1, balance + change);
        }
    })
}

fn audit(engine: &Engine, ticks: &Ticks) -> (Event, i64) {
    let mut sum = 0;
    let event = run(engine, ticks, false, |tape| {
        let accounts = (0..DATABASES).flat_map(|db| (0..KEYS).map(move |key| (db, key)));
        sum = accounts.map(|(db, key)| tape.number(db, key)).sum();
    });
    (event, sum)
}

#[test]
fn nobody_sees_money_made_or_lost_whenever_the_bank_burns_down() {
    const TOTAL: i64 = BALANCE * DATABASES as i64 * KEYS as i64;
    let lab = Lab::new();
    let db = lab.open();
    let opening = run(db.engine(), &Ticks::default(), false, |tape| {
        for db in 0..DATABASES {
            (0..KEYS).for_each(|key| tape.set_number(db, key, BALANCE));
        }
    });
    assert!(opening.lsn > crate::lsn::Lsn::ZERO);
    let state = dump(db.engine(), DATABASES);
    db.engine().log.sync_now().unwrap();
    let step = |engine: &Engine, ticks: &Ticks, dice: &mut Dice| {
        if dice.next(4) > 0 {
            return transfer(engine, ticks, dice);
        }
        let (event, sum) = audit(engine, ticks);
        assert_eq!(sum, TOTAL);
        event
    };
    let done = AtomicBool::new(false);
    let mut images = Vec::new();
    let events = std::thread::scope(|scope| {
        let copying = scope.spawn(|| {
            let mut images = Vec::new();
            while !done.load(Ordering::Relaxed) && images.len() < 12 {
                db.engine().snapshot_blocking().unwrap();
                images.push(lab.image());
                std::thread::sleep(Duration::from_millis(10));
                images.push(lab.image());
            }
            images
        });
        let events = hammer(db.engine(), seed(), 2000, step);
        done.store(true, Ordering::Relaxed);
        images = copying.join().unwrap();
        events
    });
    let end = check(state, &events).unwrap();
    assert_eq!(dump(db.engine(), DATABASES), end);
    db.close().unwrap();
    // A copy made while writes went on is what another machine may get: some prefix, and so the same sum.
    for image in images {
        lab.restore(&image);
        lab.lose_machine();
        let db = lab.open();
        assert_eq!(audit(db.engine(), &Ticks::default()).1, TOTAL);
    }
}
