//! What was acknowledged is there again: after a kill, after a stop, with and without a snapshot.

use crate::harness::{Launch, Server, Wire};

const POLICIES: [&str; 3] = ["always", "everysec", "no"];

/// Leaves something of every kind behind.
fn write_everything(wire: &mut Wire) {
    wire.talk(&[
        ("SET text \"a\\x00b\\r\\n\"", "+OK\r\n"),
        ("SET empty \"\"", "+OK\r\n"),
        ("SET number 41", "+OK\r\n"),
        ("INCR number", ":42\r\n"),
        ("APPEND text !", ":6\r\n"),
        ("SET ends x PXAT 4000000000000", "+OK\r\n"),
        ("SET gone x", "+OK\r\n"),
        ("DEL gone", ":1\r\n"),
        ("MULTI", "+OK\r\n"),
        ("SET both:1 1", "+QUEUED\r\n"),
        ("SET both:2 2", "+QUEUED\r\n"),
        ("EXEC", "*2\r\n+OK\r\n+OK\r\n"),
        ("RENAME both:2 both:3", "+OK\r\n"),
        ("SELECT 7", "+OK\r\n"),
        ("SET other 7", "+OK\r\n"),
        ("SELECT 8", "+OK\r\n"),
        ("SET flushed 8", "+OK\r\n"),
        ("FLUSHDB", "+OK\r\n"),
        ("SELECT 9", "+OK\r\n"),
        ("SET swapped 9", "+OK\r\n"),
        ("SWAPDB 9 10", "+OK\r\n"),
    ]);
}

#[track_caller]
fn check_everything(server: &Server) {
    server.connect().talk(&[
        ("GET text", "$6\r\na\0b\r\n!\r\n"),
        ("GET empty", "$0\r\n\r\n"),
        ("GET number", "$2\r\n42\r\n"),
        ("PEXPIRETIME ends", ":4000000000000\r\n"),
        ("EXISTS gone both:2", ":0\r\n"),
        ("MGET both:1 both:3", "*2\r\n$1\r\n1\r\n$1\r\n2\r\n"),
        ("DBSIZE", ":6\r\n"),
        ("SELECT 7", "+OK\r\n"),
        ("GET other", "$1\r\n7\r\n"),
        ("SELECT 8", "+OK\r\n"),
        ("DBSIZE", ":0\r\n"),
        ("SELECT 9", "+OK\r\n"),
        ("DBSIZE", ":0\r\n"),
        ("SELECT 10", "+OK\r\n"),
        ("GET swapped", "$1\r\n9\r\n"),
    ]);
}

#[test]
fn acknowledged_writes_survive_kills_under_every_policy() {
    for policy in POLICIES {
        let server = Launch::persistent(&["-fsync", policy]).start();
        write_everything(&mut server.connect());
        let server = server.killed_and_restarted();
        check_everything(&server);
        check_everything(&server.killed_and_restarted());
    }
}

#[test]
fn an_orderly_stop_keeps_everything_too() {
    let launch = Launch::persistent(&[]);
    let server = launch.start();
    write_everything(&mut server.connect());
    assert!(server.stop().success());
    check_everything(&launch.start());
}

#[test]
fn a_snapshot_and_the_log_behind_it_make_the_whole() {
    for command in ["SAVE", "BGSAVE", "BGREWRITEAOF"] {
        let server = Launch::persistent(&[]).start();
        let mut wire = server.connect();
        wire.ask("SET number overwritten");
        wire.ask("SET gone too");
        let before = wire.ask("LASTSAVE").int();
        wire.ask(command);
        crate::harness::until("the snapshot", || {
            let info = wire.ask("INFO persistence").text();
            !info.contains("rdb_bgsave_in_progress:1") && !info.contains("aof_rewrite_in_progress:1")
        });
        assert!(wire.ask("LASTSAVE").int() >= before);
        write_everything(&mut wire);
        check_everything(&server.killed_and_restarted());
    }
}

#[test]
fn a_snapshot_lets_go_of_the_log_before_it() {
    let launch = Launch::persistent(&["-segment-bytes", "4mb"]);
    let server = launch.start();
    let mut wire = server.connect();
    let value = "v".repeat(100_000);
    for round in 0..200 {
        assert_eq!(wire.call(&["SET", &format!("key:{}", round % 10), &value]).text(), "OK");
    }
    assert!(launch.segments().len() > 4);
    assert_eq!(wire.ask("SAVE").text(), "OK");
    crate::harness::until("old segments to go", || launch.segments().len() <= 3);
    assert!(launch.dbfile().metadata().expect("a snapshot").len() < 1_100_000);
    let server = server.killed_and_restarted();
    for key in 0..10 {
        assert_eq!(server.connect().ask(&format!("GET key:{key}")).text(), value);
    }
}

#[test]
fn a_key_that_ended_while_nobody_served_is_absent() {
    let mut server = Launch::persistent(&[]).start();
    server.connect().talk(&[("SET short x PX 100", "+OK\r\n"), ("SET long x EX 1000", "+OK\r\n")]);
    server.kill();
    std::thread::sleep(std::time::Duration::from_millis(150));
    let server = server.killed_and_restarted();
    server.connect().talk(&[("GET short", "$-1\r\n"), ("EXISTS long", ":1\r\n")]);
}

#[test]
fn a_value_full_of_what_a_log_is_made_of_stays_a_value() {
    let launch = Launch::persistent(&["-fsync", "always", "-segment-bytes", "4mb"]);
    let server = launch.start();
    let mut wire = server.connect();
    wire.ask("SET real 1");
    // Why: the bytes of true records, set as values again and again, are the best forgery there is.
    for round in 0..5 {
        let log = std::fs::read(launch.segments().remove(0)).expect("read");
        assert_eq!(
            wire.call(&[&b"SET"[..], format!("forged:{round}").as_bytes(), &log[..40_000]]).text(),
            "OK"
        );
    }
    wire.ask("SET real 2");
    let mut server = server.killed_and_restarted();
    server.connect().talk(&[("GET real", "$1\r\n2\r\n"), ("DBSIZE", ":6\r\n")]);
    server.kill();
}

#[test]
fn without_persist_there_are_no_files() {
    let launch = Launch::new(&[]);
    let server = launch.start();
    server.connect().talk(&[("SET a 1", "+OK\r\n")]);
    let server = server.killed_and_restarted();
    server.connect().talk(&[("GET a", "$-1\r\n")]);
    assert!(launch.segments().is_empty() && !launch.dbfile().exists());
}
