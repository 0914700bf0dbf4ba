//! `kill -9` under load, again and again on the same files, against the clients' own records.
//!
//! Four workers each own a database, so each knows what it must hold; two bankers move money between the accounts of
//! another; a nuisance takes snapshots. At a random moment the server is killed. After the restart each worker's
//! database must be exactly what a prefix of its commands makes, and no shorter prefix than was acknowledged;
//! transactions are there whole or not at all. Then everything goes on with what was found.
//!
//! `GOREDIS_TEST_SEED` repeats the choices (the moments of death stay the machine's), `GOREDIS_TEST_KILL_SECONDS`
//! sets how long each policy is tried.

mod bank;
mod model;
pub mod random;
mod worker;

use crate::harness::{Launch, Server};
use bank::Bank;
use random::Random;
use std::env;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use worker::Worker;

const WORKERS: usize = 4;
const SECONDS_DEFAULT: u64 = 20;

/// A number from the environment.
pub fn variable(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// A seed that no run had before.
pub fn fresh_seed() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as u64
}

#[test]
fn nothing_acknowledged_is_lost_under_fsync_always() {
    kill_rounds("always");
}

#[test]
fn nothing_acknowledged_is_lost_under_fsync_everysec() {
    kill_rounds("everysec");
}

#[test]
fn nothing_acknowledged_is_lost_under_fsync_no() {
    kill_rounds("no");
}

/// One life and a check that finds all well; then `tampering` behind the clients' backs, and a second check.
fn check_after(tampering: &[&str]) {
    let (mut workers, mut bank) = ([Worker::new(1, 7)], Bank::open(7));
    let launch = Launch::persistent(&[]);
    live_and_die(&mut launch.start(), Duration::from_millis(300), &mut workers, &mut bank);
    let server = launch.start();
    check(&server, &mut workers, &mut bank);
    let mut wire = server.connect();
    for line in tampering {
        wire.ask(line);
    }
    check(&server, &mut workers, &mut bank);
}

#[test]
#[should_panic(expected = "nothing that was sent explains it")]
fn the_check_notices_a_wrong_value() {
    check_after(&["SELECT 1", "SET text:0 tampered"]);
}

#[test]
#[should_panic(expected = "transactions are there in part")]
fn the_check_notices_half_a_transfer() {
    check_after(&["DECRBY account:0 1"]);
}

#[test]
#[should_panic(expected = "were acknowledged")]
fn the_check_notices_a_lost_transfer() {
    check_after(&["DECR teller:0"]);
}

fn kill_rounds(policy: &str) {
    let seed = variable("GOREDIS_TEST_SEED").unwrap_or_else(fresh_seed);
    let time = Duration::from_secs(variable("GOREDIS_TEST_KILL_SECONDS").unwrap_or(SECONDS_DEFAULT));
    println!("kill rounds with fsync {policy} for {time:?}: GOREDIS_TEST_SEED={seed}");
    let mut random = Random::new(seed);
    // Small segments and an eager compaction, so that deaths meet every part of the log's life.
    let small = ["-fsync", policy, "-segment-bytes", "4mb", "-auto-compaction-min-size", "6mb"];
    let launch = Launch::persistent(&small);
    let mut workers: Vec<Worker> = (1..=WORKERS).map(|db| Worker::new(db, random.next())).collect();
    let mut bank = Bank::open(random.next());
    let (started, mut rounds) = (Instant::now(), 0);
    while started.elapsed() < time || rounds < 3 {
        let mut server = launch.start();
        check(&server, &mut workers, &mut bank);
        let life = Duration::from_millis(50 + random.below(600));
        live_and_die(&mut server, life, &mut workers, &mut bank);
        rounds += 1;
    }
    let server = launch.start();
    check(&server, &mut workers, &mut bank);
    let steps: usize = workers.iter().map(Worker::acknowledged).sum();
    println!(
        "{rounds} deaths with fsync {policy}: {steps} acknowledged steps and {} transfers are all there",
        bank.acknowledged()
    );
    assert!(steps > 100 && bank.acknowledged() > 10, "too little happened to show anything");
    assert!(server.stop().success());
}

fn check(server: &Server, workers: &mut [Worker], bank: &mut Bank) {
    for worker in workers {
        worker.check(server);
    }
    bank.check(server);
}

/// Lets everybody at the server and kills it when its time has come.
fn live_and_die(server: &mut Server, life: Duration, workers: &mut [Worker], bank: &mut Bank) {
    let dying = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for worker in workers.iter_mut() {
            let wire = server.connect();
            scope.spawn(|| worker.work(wire));
        }
        for teller in bank.tellers() {
            let wire = server.connect();
            scope.spawn(|| teller.work(wire));
        }
        let mut wire = server.connect();
        let dying = &dying;
        scope.spawn(move || {
            while !dying.load(Ordering::Relaxed)
                && wire.try_send(b"BGSAVE\r\n").is_ok()
                && wire.reply().is_ok()
            {
                std::thread::sleep(Duration::from_millis(120));
            }
        });
        std::thread::sleep(life);
        server.kill();
        dying.store(true, Ordering::Relaxed);
    });
}
