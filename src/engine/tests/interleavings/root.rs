//! What goes through the root: flushing, swapping, running alone.

use super::*;

fn flush_against_writers() {
    let scene = Scene::new(&[(0, 0, 5)]);
    let write = |scene: &Scene| {
        scene.run(|tape| tape.increment(0, 0));
        scene.run(|tape| drop(tape.get(0, 0)));
    };
    let flush = |scene: &Scene| scene.alone(|tape| tape.flush(0));
    let parts = vec![scene.part(write), scene.part(write), scene.part(flush)];
    scene.play(parts);
}

#[test]
fn a_write_comes_before_a_flush_or_stays() {
    explore(1600, flush_against_writers);
}

fn swap_against_transactions() {
    let scene = Scene::new(&[(0, 0, 10), (1, 0, 20), (1, 1, 30)]);
    let across = |scene: &Scene| {
        scene.run(|tape| {
            let seen = tape.number(0, 0);
            tape.set_number(1, 1, seen + 1);
        });
    };
    let read = |scene: &Scene| scene.run(|tape| drop((tape.get(0, 0), tape.get(1, 0), tape.get(0, 1))));
    let swap = |scene: &Scene| scene.alone(|tape| tape.swap(0, 1));
    let parts = vec![scene.part(across), scene.part(read), scene.part(swap)];
    scene.play(parts);
}

#[test]
fn databases_that_change_places_do_so_between_transactions() {
    explore(1600, swap_against_transactions);
}

fn structure_with_keys() {
    let scene = Scene::new(&[(0, 0, 10), (1, 0, 20)]);
    let change = |scene: &Scene| {
        scene.alone(|tape| {
            tape.increment(0, 0);
            tape.flush(1);
            tape.put(1, 1, b"7");
            tape.swap(0, 1);
            tape.increment(1, 2);
        });
    };
    let read = |scene: &Scene| {
        scene.run(|tape| drop((tape.get(0, 0), tape.get(1, 0), tape.get(0, 1))));
        scene.run(|tape| drop(tape.get(1, 0)));
    };
    let write = |scene: &Scene| scene.run(|tape| tape.increment(1, 0));
    let parts = vec![scene.part(change), scene.part(read), scene.part(write)];
    scene.play(parts);
}

#[test]
fn keys_and_databases_change_in_one_instant() {
    explore(1600, structure_with_keys);
}

fn alone_against_writers() {
    let scene = Scene::new(&[(0, 0, 10), (0, 1, 20)]);
    let both = |scene: &Scene| {
        scene.alone(|tape| {
            let seen = tape.number(0, 0);
            tape.set_number(0, 1, seen + 1);
            tape.increment(1, 0);
        });
    };
    let write = |scene: &Scene| scene.run(|tape| tape.increment(0, 0));
    let pair = |scene: &Scene| {
        scene.run(|tape| {
            tape.increment(0, 0);
            tape.increment(0, 1);
        });
    };
    let parts = vec![scene.part(both), scene.part(write), scene.part(pair)];
    scene.play(parts);
}

#[test]
fn who_runs_alone_is_alone() {
    explore(1600, alone_against_writers);
}

fn two_at_the_root() {
    let scene = Scene::new(&[(0, 0, 10)]);
    let swap = |scene: &Scene| scene.alone(|tape| tape.swap(0, 1));
    let flush = |scene: &Scene| {
        scene.alone(|tape| {
            tape.flush(1);
            tape.increment(1, 1);
        });
    };
    let write = |scene: &Scene| scene.run(|tape| tape.increment(0, 0));
    let parts = vec![scene.part(swap), scene.part(flush), scene.part(write)];
    scene.play(parts);
}

#[test]
fn two_that_change_the_root_come_one_after_the_other() {
    explore(1200, two_at_the_root);
}
