//! Waiting for keys to appear: who is called, and that no call is lost.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use crate::clock::Millis;
use crate::engine::{Engine, Seat, Txn, WrongType};
use crate::store::value::collection::Type;
use crate::store::version::Value;

/// Wakes a thread.
struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn run<R>(engine: &Engine, mut f: impl FnMut(&mut Txn<'_>) -> R) -> R {
    let ran = engine.batch(Millis::now(), true).run(|txn| Ok::<_, Infallible>(f(txn)));
    let Ok(result) = ran.expect("the log in memory takes writes");
    result
}

fn push(engine: &Engine, key: &str, element: &str) {
    run(engine, |txn| push_in(txn, key, element));
}

fn push_in(txn: &mut Txn<'_>, key: &str, element: &str) {
    let pushed = txn.edit_list(0, key.as_bytes(), |list| {
        list.push_back(&[element.as_bytes()]);
        Ok::<_, WrongType>(())
    });
    pushed.expect("a list or nothing");
}

/// Takes the first element; tells what it was, and whether there are more.
fn pop(engine: &Engine, key: &str) -> Option<(String, bool)> {
    run(engine, |txn| {
        let popped = txn.edit_list(0, key.as_bytes(), |list| {
            let first = list.get(0).map(|first| String::from_utf8_lossy(first).into_owned());
            if first.is_some() {
                list.splice(0, 1, &[]);
            }
            Ok::<_, WrongType>(first.map(|first| (first, !list.is_empty())))
        });
        popped.unwrap_or(None)
    })
}

fn sit<'e>(engine: &'e Engine, keys: &[&str]) -> Seat<'e> {
    let keys: Vec<Box<[u8]>> = keys.iter().map(|key| Box::from(key.as_bytes())).collect();
    engine.wait_for(0, Type::List, &keys)
}

/// A seat that has looked and found nothing.
fn settled<'e>(engine: &'e Engine, keys: &[&str]) -> Seat<'e> {
    let mut seat = sit(engine, keys);
    if seat.look().is_some() {
        seat.found_nothing();
    }
    seat
}

fn is_called(seat: &Seat<'_>) -> bool {
    seat.poll_called(&Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn the_oldest_is_called_and_no_other() {
    let engine = Engine::for_tests();
    let (mut first, second) = (settled(&engine, &["a", "b"]), settled(&engine, &["b"]));
    assert_eq!(engine.waited_keys(), 2);
    push(&engine, "c", "1");
    assert!(!is_called(&first) && !is_called(&second));
    push(&engine, "b", "1");
    assert!(is_called(&first) && !is_called(&second));
    push(&engine, "b", "2");
    assert!(!is_called(&second));
    assert_eq!(first.look().expect("something may be there").as_slice(), [true, true]);
    assert_eq!(pop(&engine, "b"), Some(("1".to_owned(), true)));
    first.served(1, true);
    assert!(is_called(&second), "there is more");
    assert_eq!(engine.waited_keys(), 1);
    drop(second);
    assert_eq!(engine.waited_keys(), 0);
    assert!(!engine.is_waited_for(0, Type::List, b"b"));
}

#[test]
fn who_found_nothing_keeps_its_place() {
    let engine = Engine::for_tests();
    let (mut first, second) = (settled(&engine, &["a"]), settled(&engine, &["a"]));
    push(&engine, "a", "1");
    assert!(pop(&engine, "a").is_some(), "somebody who does not wait was faster");
    assert!(first.look().is_some());
    first.found_nothing();
    assert!(first.look().is_none() && !is_called(&first));
    push(&engine, "a", "2");
    assert!(is_called(&first) && !is_called(&second));
}

#[test]
fn who_leaves_hands_its_call_on() {
    let engine = Engine::for_tests();
    let (first, second, third) =
        (settled(&engine, &["a"]), settled(&engine, &["a"]), settled(&engine, &["a"]));
    drop(second);
    assert!(!is_called(&first) && !is_called(&third));
    push(&engine, "a", "1");
    drop(first);
    assert!(is_called(&third));
}

#[test]
fn who_leaves_before_it_has_looked_has_the_next_look() {
    let engine = Engine::for_tests();
    push(&engine, "a", "1");
    let (first, mut second) = (sit(&engine, &["a"]), sit(&engine, &["a"]));
    assert!(second.look().is_none(), "it is not its turn");
    drop(first);
    assert!(is_called(&second) && second.look().is_some());
}

#[test]
fn a_key_that_is_named_twice_has_one_place() {
    let engine = Engine::for_tests();
    let mut twice = settled(&engine, &["a", "b", "b", "a"]);
    assert_eq!(engine.waited_keys(), 2);
    push(&engine, "b", "1");
    assert_eq!(twice.look().expect("called").len(), 4);
    twice.served(1, false);
    assert_eq!(engine.waited_keys(), 0);
}

#[test]
fn only_values_of_the_type_call() {
    let engine = Engine::for_tests();
    let seat = settled(&engine, &["a"]);
    run(&engine, |txn| txn.put(0, b"a", Value::Str(b"x"), None));
    run(&engine, |txn| txn.delete(0, b"a"));
    let put = |of, entries: Vec<&[u8]>| {
        run(&engine, |txn| txn.put_collection(0, b"a", of, entries.clone(), None).is_ok());
    };
    put(Type::Set, vec![b"x"]);
    assert!(!is_called(&seat));
    put(Type::List, vec![b"x"]);
    assert!(is_called(&seat));
}

#[test]
fn whatever_brings_a_list_calls() {
    let engine = Engine::for_tests();
    for bring in ["rename", "copy", "move", "transaction", "swap", "flush"] {
        run(&engine, |txn| {
            txn.delete(0, b"a");
            txn.delete(0, b"from");
        });
        push(&engine, "from", "1");
        let mut seat = settled(&engine, &["a"]);
        let _ = match bring {
            "rename" => run(&engine, |txn| txn.rename(0, b"from", (0, b"a"))),
            "copy" => run(&engine, |txn| txn.copy(0, b"from", (0, b"a"))),
            "move" => {
                run(&engine, |txn| txn.rename(0, b"from", (1, b"a")));
                run(&engine, |txn| txn.rename(1, b"a", (0, b"a")))
            }
            "transaction" => run(&engine, |txn| {
                push_in(txn, "other", "1");
                push_in(txn, "a", "1");
                true
            }),
            "swap" => {
                run(&engine, |txn| txn.rename(0, b"from", (1, b"a")));
                let swapped = engine.batch(Millis::now(), true).run_alone(|txn| {
                    txn.swap(0, 1);
                    Ok::<_, Infallible>(true)
                });
                swapped.is_ok()
            }
            _ => {
                let flushed = engine.batch(Millis::now(), true).run_alone(|txn| {
                    txn.flush(None);
                    push_in(txn, "a", "1");
                    Ok::<_, Infallible>(true)
                });
                flushed.is_ok()
            }
        };
        assert!(is_called(&seat) && seat.look().is_some(), "{bring}");
        assert!(pop(&engine, "a").is_some(), "{bring}");
    }
}

/// Waiters and pushers on a few keys under real threads. Every element is taken by a waiter, so if a call were lost, a
/// waiter would sit in front of an element for ever, and the test would not end.
#[test]
fn no_call_is_lost_among_threads() {
    const KEYS: [&str; 2] = ["a", "b"];
    const WAITERS: usize = 4;
    const ROUNDS: usize = 3_000;
    let engine = Engine::for_tests();
    let (taken, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..WAITERS)
            .map(|number| {
                let (engine, taken, over) = (&engine, &taken, &over);
                scope.spawn(move || {
                    // Why of one key or both: then a waiter is the oldest here and not there.
                    let keys = if number == 0 { &KEYS[..] } else { &KEYS[number % 2..=number % 2] };
                    while !over.load(Ordering::SeqCst) {
                        taken.fetch_add(
                            usize::from(wait_and_pop(engine, keys, over, number)),
                            Ordering::SeqCst,
                        );
                    }
                })
            })
            .collect();
        for round in 0..ROUNDS {
            push(&engine, KEYS[round % 2], "1");
            if round % 3 == 0 {
                continue;
            }
            let patience = std::time::Instant::now();
            while taken.load(Ordering::SeqCst) <= round {
                assert!(patience.elapsed() < Duration::from_secs(60), "a call was lost in round {round}");
                thread::yield_now();
            }
        }
        over.store(true, Ordering::SeqCst);
        for waiter in &waiters {
            waiter.thread().unpark();
        }
    });
    assert_eq!(taken.load(Ordering::SeqCst), ROUNDS);
    assert_eq!(engine.waited_keys(), 0);
}

/// Waits for an element as a blocked command does; now and then leaves as if its time were up. Tells whether it got one.
fn wait_and_pop(engine: &Engine, keys: &[&str], over: &AtomicBool, number: usize) -> bool {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut seat = sit(engine, keys);
    for patience in 0.. {
        if let Some(turns) = seat.look() {
            let mine = keys.iter().enumerate().filter(|(at, _)| turns[*at]);
            let popped = mine.map(|(at, key)| (at, pop(engine, key))).find(|(_, popped)| popped.is_some());
            if let Some((at, Some((_, is_left)))) = popped {
                seat.served(at, is_left);
                return true;
            }
            seat.found_nothing();
        }
        while seat.poll_called(&Context::from_waker(&waker)) == Poll::Pending {
            if over.load(Ordering::SeqCst) || (patience > 0 && patience % 5 == number) {
                return false;
            }
            thread::park_timeout(Duration::from_secs(70));
        }
    }
    false
}
