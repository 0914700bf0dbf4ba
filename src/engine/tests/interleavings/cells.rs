//! The life of cells: sealing and unlinking against writers and readers; timers against writers.

use std::collections::HashMap;

use super::*;
use crate::clock::Millis;
use crate::engine::tests::history::name;
use crate::engine::{expirer, sweeper};
use crate::store::version::Value;

impl Scene {
    fn sweep(&self) {
        sweeper::sweep(&self.engine, &self.keyspace(0), &mut Vec::new());
    }

    /// Sweeps until nothing is left to do; then exactly the keys that are there have cells.
    fn sweep_clean(&self, keys: Key) {
        let keyspace = self.keyspace(0);
        while !keyspace.tombs.is_empty() {
            self.sweep();
        }
        let guard = crossbeam_epoch::pin();
        for key in 0..keys {
            let mut cells = 0;
            keyspace.for_each_under(keyspace.seed().hash(&name(key)), &guard, |cell| {
                assert!(!cell.load(&guard).is_dead(), "the index names a dead cell");
                cells += 1;
            });
            let there = keyspace
                .find(keyspace.seed().hash(&name(key)), &name(key), &guard)
                .is_some_and(|cell| !cell.look(&guard).version.is_tombstone());
            assert_eq!(cells, usize::from(there), "cells of key {key}");
        }
    }
}

/// A scene in which key 0 was deleted, and waits for the sweeper.
fn with_a_tombstone(numbers: &[(DbIndex, Key, i64)]) -> Scene {
    let mut scene = Scene::new(numbers);
    scene.run(|tape| tape.put(0, 0, b"0"));
    scene.run(|tape| tape.delete(0, 0));
    scene.events.lock().unwrap().clear();
    scene.start = dump(&scene.engine, DATABASES);
    scene
}

fn sweeping_against_a_writer() {
    let scene = with_a_tombstone(&[]);
    let parts = vec![
        scene.part(Scene::sweep),
        scene.part(|scene| {
            scene.run(|tape| tape.put(0, 0, b"1"));
            scene.run(|tape| drop(tape.get(0, 0)));
        }),
        scene.part(|scene| scene.run(|tape| drop(tape.get(0, 0)))),
    ];
    let kept = scene.clone();
    scene.play(parts);
    kept.sweep_clean(1);
}

#[test]
fn a_write_to_a_cell_that_is_being_swept_is_not_lost() {
    explore(3000, sweeping_against_a_writer);
}

fn sweeping_against_two_writers() {
    let scene = with_a_tombstone(&[]);
    let come_and_go = |scene: &Scene| {
        scene.run(|tape| tape.increment(0, 0));
        scene.run(|tape| tape.delete(0, 0));
    };
    let parts = vec![scene.part(Scene::sweep), scene.part(come_and_go), scene.part(come_and_go)];
    let kept = scene.clone();
    scene.play(parts);
    kept.sweep_clean(1);
}

#[test]
fn a_key_that_comes_and_goes_has_one_cell_or_none() {
    explore(1600, sweeping_against_two_writers);
}

fn sweeping_against_a_look_twice() {
    let scene = with_a_tombstone(&[(0, 1, 5)]);
    let parts = vec![
        scene.part(Scene::sweep),
        scene.part(|scene| {
            scene.run(|tape| {
                tape.put(0, 0, b"1");
                tape.put(0, 1, b"6");
            });
        }),
        scene.part(|scene| scene.run(|tape| drop((tape.get(0, 0), tape.get(0, 1))))),
    ];
    let kept = scene.clone();
    scene.play(parts);
    kept.sweep_clean(2);
}

#[test]
fn a_reader_that_looks_twice_does_not_take_a_dead_cell_for_an_absent_key() {
    explore(6000, sweeping_against_a_look_twice);
}

fn sweeping_against_a_key_that_came_and_went() {
    let scene = Scene::new(&[(0, 1, 5)]);
    let parts = vec![
        scene.part(Scene::sweep),
        scene.part(|scene| {
            // The key is there exactly while the other has 6.
            scene.run(|tape| {
                tape.put(0, 0, b"1");
                tape.put(0, 1, b"6");
            });
            scene.run(|tape| {
                tape.delete(0, 0);
                tape.put(0, 1, b"7");
            });
            scene.sweep();
        }),
        scene.part(|scene| scene.run(|tape| drop((tape.get(0, 0), tape.get(0, 1))))),
    ];
    let kept = scene.clone();
    scene.play(parts);
    kept.sweep_clean(2);
}

#[test]
fn a_key_that_came_and_went_between_two_looks_is_noticed() {
    explore(1600, sweeping_against_a_key_that_came_and_went);
}

fn sweeping_against_a_transaction_that_passes() {
    let scene = with_a_tombstone(&[(0, 1, 5)]);
    let passing = |scene: &Scene| {
        scene.run(|tape| {
            drop(tape.get(0, 0));
            tape.increment(0, 1);
        });
    };
    let parts = vec![scene.part(Scene::sweep), scene.part(passing), scene.part(passing)];
    let kept = scene.clone();
    scene.play(parts);
    kept.sweep_clean(2);
}

#[test]
fn a_cell_that_a_transaction_passed_through_is_swept_later() {
    explore(1600, sweeping_against_a_transaction_that_passes);
}

fn put_until(engine: &Engine, now: u64, end: u64) {
    let mut batch = engine.batch(Millis(now), false);
    let put = batch.run(|txn| {
        txn.put(0, &name(0), Value::Int(1), Some(Millis(end)));
        Ok::<_, std::convert::Infallible>(())
    });
    assert!(matches!(put, Ok(Ok(()))));
}

fn timers_against_a_writer() {
    let scene = Scene::new(&[]);
    put_until(&scene.engine, 1000, 2000);
    let clockworks = Arc::new(Mutex::new(HashMap::new()));
    let ticking = Arc::clone(&clockworks);
    let tick = move |scene: &Scene| {
        expirer::tick(&scene.engine, &mut ticking.lock().unwrap(), Millis(5000));
    };
    let write = |scene: &Scene| put_until(&scene.engine, 5000, 9000);
    play(vec![scene.part(tick), scene.part(write)]);
    for now in [9100, 9200, 9300] {
        expirer::tick(&scene.engine, &mut clockworks.lock().unwrap(), Millis(now));
    }
    assert_eq!(scene.keyspace(0).keys.sum(), 0, "the key's timer was lost");
}

#[test]
fn a_key_that_is_set_again_when_its_time_has_come_is_removed_when_that_has() {
    explore(1600, timers_against_a_writer);
}

fn timers_against_a_swap() {
    let scene = Scene::new(&[]);
    put_until(&scene.engine, 1000, 2000);
    let clockworks = Arc::new(Mutex::new(HashMap::new()));
    let ticking = Arc::clone(&clockworks);
    let tick = move |scene: &Scene| {
        expirer::tick(&scene.engine, &mut ticking.lock().unwrap(), Millis(5000));
    };
    let swap = |scene: &Scene| scene.alone(|tape| tape.swap(0, 1));
    play(vec![scene.part(tick), scene.part(swap)]);
    for now in [5100, 5200, 5300] {
        expirer::tick(&scene.engine, &mut clockworks.lock().unwrap(), Millis(now));
    }
    assert_eq!(scene.keyspace(1).keys.sum(), 0, "the key's timer was lost");
}

#[test]
fn a_key_whose_time_comes_while_its_database_moves_is_removed() {
    explore(1600, timers_against_a_swap);
}
