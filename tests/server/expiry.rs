//! Keys that end: exactly when they should for those who look, and soon after for the memory.

use crate::harness::{Server, until};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64
}

#[test]
fn a_key_is_there_until_its_time_and_not_after() {
    let server = Server::start(&[]);
    let mut wire = server.connect();
    let end = now_ms() + 300;
    wire.talk(&[("SET a 1", "+OK\r\n")]);
    assert_eq!(wire.ask(&format!("PEXPIREAT a {end}")).int(), 1);
    loop {
        let before = now_ms();
        let there = wire.ask("EXISTS a").int();
        let after = now_ms();
        assert!(there == 1 || after >= end, "gone {} ms too early", end - after);
        assert!(there == 0 || before < end, "still there {} ms too late", before - end);
        if there == 0 {
            break;
        }
    }
    wire.talk(&[("TTL a", ":-2\r\n"), ("GET a", "$-1\r\n"), ("INCR a", ":1\r\n"), ("TTL a", ":-1\r\n")]);
}

#[test]
fn the_memory_of_keys_that_nobody_asks_for_comes_back_within_a_second_or_so() {
    let server = Server::start(&[]);
    let mut wire = server.connect();
    for key in 0..1000 {
        wire.send(format!("SET key:{key} 1 PX 200\r\n").as_bytes());
    }
    for _ in 0..1000 {
        wire.expect("+OK\r\n");
    }
    wire.ask("SET stays 1");
    let started = Instant::now();
    until("expired keys to be removed", || wire.ask("DBSIZE").int() == 1);
    assert!(started.elapsed() < Duration::from_secs(10), "took {:?}", started.elapsed());
    let info = wire.ask("INFO stats").text();
    assert!(info.contains("expired_keys:1000"), "{info}");
}

#[test]
fn expiry_options_and_times_are_exact() {
    let server = Server::start(&[]);
    let mut wire = server.connect();
    wire.talk(&[
        ("SET a 1 EX 100", "+OK\r\n"),
        ("EXPIRE a 50 GT", ":0\r\n"),
        ("EXPIRE a 50 LT", ":1\r\n"),
        ("EXPIRE a 70 NX", ":0\r\n"),
        ("EXPIRE a 70 XX", ":1\r\n"),
        ("TTL a", ":70\r\n"),
        ("PERSIST a", ":1\r\n"),
        ("PERSIST a", ":0\r\n"),
        ("EXPIREAT a 4000000000", ":1\r\n"),
        ("EXPIRETIME a", ":4000000000\r\n"),
        ("PEXPIRETIME a", ":4000000000000\r\n"),
        ("GETEX a PERSIST", "$1\r\n1\r\n"),
        ("TTL a", ":-1\r\n"),
        ("SET a 2 EXAT 4000000001", "+OK\r\n"),
        ("SET a 3 KEEPTTL", "+OK\r\n"),
        ("EXPIRETIME a", ":4000000001\r\n"),
        ("SET a 4", "+OK\r\n"),
        ("EXPIRETIME a", ":-1\r\n"),
        ("EXPIRE a -1", ":1\r\n"),
        ("EXISTS a", ":0\r\n"),
    ]);
}
