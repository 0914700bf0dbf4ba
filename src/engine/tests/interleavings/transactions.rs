//! Transactions of several keys: descriptors.

use super::*;

/// Reads one key, writes another.
fn derive(scene: &Scene, from: Key, to: Key) {
    scene.run(|tape| {
        let seen = tape.number(0, from);
        tape.set_number(0, to, seen + 1);
    });
}

fn write_skew() {
    let scene = Scene::new(&[(0, 0, 10), (0, 1, 20)]);
    let parts = vec![
        scene.part(|scene| derive(scene, 0, 1)),
        scene.part(|scene| derive(scene, 1, 0)),
        scene.part(|scene| scene.run(|tape| drop((tape.get(0, 0), tape.get(0, 1))))),
    ];
    scene.play(parts);
}

#[test]
fn two_transactions_that_read_what_the_other_writes_come_one_after_the_other() {
    explore(1600, write_skew);
}

fn skew_between_absent_keys() {
    let scene = Scene::new(&[]);
    let claim = |scene: &Scene, watched: Key, mine: Key| {
        scene.run(|tape| {
            if tape.get(0, watched).is_none() {
                tape.put(0, mine, b"1");
            }
        });
    };
    let parts =
        vec![scene.part(move |scene| claim(scene, 0, 1)), scene.part(move |scene| claim(scene, 1, 0))];
    scene.play(parts);
}

#[test]
fn what_is_not_there_is_read_like_anything_else() {
    explore(1600, skew_between_absent_keys);
}

fn reader_of_two() {
    let scene = Scene::new(&[(0, 0, 1), (0, 1, 1)]);
    let both = |scene: &Scene| {
        scene.run(|tape| {
            tape.increment(0, 0);
            tape.increment(0, 1);
        });
    };
    let read = |scene: &Scene| {
        scene.run(|tape| drop((tape.get(0, 0), tape.get(0, 1))));
        scene.run(|tape| drop(tape.get(0, 1)));
        scene.run(|tape| drop(tape.get(0, 0)));
    };
    let single = |scene: &Scene| scene.run(|tape| tape.put(0, 1, b"9"));
    let parts = vec![scene.part(both), scene.part(read), scene.part(single)];
    scene.play(parts);
}

#[test]
fn a_reader_of_two_keys_sees_a_transaction_whole_or_not_at_all() {
    explore(1600, reader_of_two);
}

fn ring_of_three() {
    let scene = Scene::new(&[(0, 0, 10), (0, 1, 20), (0, 2, 30)]);
    let parts = vec![
        scene.part(|scene| derive(scene, 0, 1)),
        scene.part(|scene| derive(scene, 1, 2)),
        scene.part(|scene| derive(scene, 2, 0)),
    ];
    scene.play(parts);
}

#[test]
fn three_transactions_in_a_ring_have_an_order_and_the_log_has_it() {
    explore(1600, ring_of_three);
}

fn writer_behind_a_reader() {
    // What `derive` read is written by a transaction that reserved its record before: it must not publish it after.
    let scene = Scene::new(&[(0, 0, 10)]);
    let parts = vec![
        scene.part(|scene| derive(scene, 0, 1)),
        scene.part(|scene| {
            scene.run(|tape| {
                tape.put(0, 0, b"1");
                tape.put(0, 2, b"1");
            });
        }),
    ];
    scene.play(parts);
}

#[test]
fn what_a_transaction_read_is_not_overwritten_by_an_earlier_record_of_several_keys() {
    explore(3000, writer_behind_a_reader);
}

fn single_writer_behind_a_reader() {
    let scene = Scene::new(&[(0, 0, 10)]);
    let parts = vec![
        scene.part(|scene| derive(scene, 0, 1)),
        scene.part(|scene| scene.run(|tape| tape.put(0, 0, b"1"))),
        scene.part(|scene| scene.run(|tape| drop((tape.get(0, 1), tape.get(0, 0))))),
    ];
    scene.play(parts);
}

#[test]
fn what_a_transaction_read_is_not_overwritten_by_an_earlier_record_of_one_key() {
    explore(1600, single_writer_behind_a_reader);
}
