//! Lists, sets, hashes and sorted sets through `kill -9`, against the clients' own records.
//!
//! Each client owns a database and changes collections of all types in it, small ones and large ones, alone and in
//! transactions, while snapshots are taken. After each death the database must be what a prefix of the client's
//! commands makes, and no shorter one than was acknowledged; of SPOP, exactly what it answered is gone.
//!
//! `GOREDIS_TEST_SEED` repeats the choices.

mod client;
mod model;

use crate::harness::{Launch, Server, until};
use crate::kill_rounds::random::Random;
use crate::kill_rounds::{fresh_seed, variable};
use client::Client;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const CLIENTS: usize = 3;
const ROUNDS: usize = 6;

#[test]
fn collections_survive_kills() {
    let seed = variable("GOREDIS_TEST_SEED").unwrap_or_else(fresh_seed);
    println!("collections: GOREDIS_TEST_SEED={seed}");
    let mut random = Random::new(seed);
    // Small segments and an eager compaction, so that deaths meet every part of the log's life.
    let launch = Launch::persistent(&[
        "-fsync",
        "everysec",
        "-segment-bytes",
        "4mb",
        "-auto-compaction-min-size",
        "6mb",
    ]);
    let mut clients: Vec<Client> = (1..=CLIENTS).map(|db| Client::new(db, random.next())).collect();
    for _ in 0..ROUNDS {
        let mut server = launch.start();
        check(&server, &mut clients);
        let life = Duration::from_millis(100 + random.below(400));
        live_and_die(&mut server, life, &mut clients);
    }
    let server = launch.start();
    check(&server, &mut clients);
    save(&server);
    let server = server.killed_and_restarted();
    check(&server, &mut clients);
    let steps: usize = clients.iter().map(Client::acknowledged).sum();
    println!("{ROUNDS} deaths: {steps} acknowledged steps are all there");
    assert!(steps > 100, "too little happened to show anything");
    assert!(server.stop().success());
}

#[test]
#[should_panic(expected = "nothing that was sent explains it")]
fn the_check_of_collections_notices_a_member_too_many() {
    let (mut clients, launch) = ([Client::new(1, 7)], Launch::persistent(&[]));
    live_and_die(&mut launch.start(), Duration::from_millis(300), &mut clients);
    let server = launch.start();
    check(&server, &mut clients);
    let mut wire = server.connect();
    for line in ["SELECT 1", "SADD set:0 stranger"] {
        wire.ask(line);
    }
    check(&server, &mut clients);
}

fn check(server: &Server, clients: &mut [Client]) {
    for client in clients {
        client.check(server);
    }
}

/// Takes a snapshot and waits for it.
fn save(server: &Server) {
    let mut wire = server.connect();
    wire.ask("BGSAVE");
    until("the snapshot", || wire.ask("INFO persistence").text().contains("rdb_bgsave_in_progress:0"));
}

/// Lets all clients at the server, takes snapshots, and kills it when its time has come.
fn live_and_die(server: &mut Server, life: Duration, clients: &mut [Client]) {
    let dying = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for client in clients.iter_mut() {
            let wire = server.connect();
            scope.spawn(|| client.work(wire));
        }
        let (mut wire, dying) = (server.connect(), &dying);
        scope.spawn(move || {
            while !dying.load(Ordering::Relaxed)
                && wire.try_send(b"BGSAVE\r\n").is_ok()
                && wire.reply().is_ok()
            {
                std::thread::sleep(Duration::from_millis(90));
            }
        });
        std::thread::sleep(life);
        server.kill();
        dying.store(true, Ordering::Relaxed);
    });
}
