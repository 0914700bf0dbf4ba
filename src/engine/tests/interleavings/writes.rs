//! Writes to one key, and readers that help.

use super::*;

fn increments() {
    let scene = Scene::new(&[(0, 0, 5)]);
    let write = |scene: &Scene| scene.run(|tape| tape.increment(0, 0));
    let read = |scene: &Scene| {
        scene.run(|tape| drop(tape.get(0, 0)));
        scene.run(|tape| drop(tape.get(0, 0)));
    };
    let parts = vec![scene.part(write), scene.part(write), scene.part(read)];
    scene.play(parts);
}

#[test]
fn increments_are_not_lost_and_what_is_read_is_committed() {
    explore(1200, increments);
}

fn comings_and_goings() {
    let scene = Scene::new(&[]);
    let first = |scene: &Scene| {
        scene.run(|tape| tape.put(0, 0, b"1"));
        scene.run(|tape| tape.delete(0, 0));
    };
    let second = |scene: &Scene| {
        scene.run(|tape| tape.append(0, 0, b"2"));
        scene.run(|tape| drop(tape.get(0, 0)));
    };
    let reader = |scene: &Scene| {
        scene.run(|tape| drop(tape.get(0, 0)));
        scene.run(|tape| drop(tape.get(0, 0)));
    };
    let parts = vec![scene.part(first), scene.part(second), scene.part(reader)];
    scene.play(parts);
}

#[test]
fn a_key_that_comes_and_goes_is_told_only_when_that_is_committed() {
    explore(1200, comings_and_goings);
}
