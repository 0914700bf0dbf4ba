//! Fields of hashes that end, across restarts.

use crate::harness::{Launch, Wire, until};
use std::time::{SystemTime, UNIX_EPOCH};

/// Unix milliseconds, so long from now.
fn after_ms(millis: u128) -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() + millis
}

/// Leaves a small and a large hash behind, each with a field that stays, one that ends late and one that ends soon.
fn write_hashes(wire: &mut Wire) {
    for at in 0..1000 {
        wire.ask(&format!("HSET large f{at} value"));
    }
    let soon = after_ms(1500);
    for hash in ["small", "large"] {
        wire.ask(&format!("HSET {hash} stays 1 late 2 soon 3"));
        wire.talk(&[
            (&format!("HPEXPIREAT {hash} 4000000000001 FIELDS 1 late"), "*1\r\n:1\r\n"),
            (&format!("HPEXPIREAT {hash} {soon} FIELDS 1 soon"), "*1\r\n:1\r\n"),
        ]);
    }
    wire.ask(&format!("HSETEX gone PXAT {soon} FIELDS 1 soon 1"));
}

fn check_hashes(wire: &mut Wire) {
    for hash in ["small", "large"] {
        wire.talk(&[
            (&format!("HPEXPIRETIME {hash} FIELDS 2 late stays"), "*2\r\n:4000000000001\r\n:-1\r\n"),
            (&format!("HGET {hash} late"), "$1\r\n2\r\n"),
        ]);
    }
    until("the fields to be removed", || {
        wire.ask("HLEN small").int() == 2 && wire.ask("HLEN large").int() == 1002
    });
    until("the hash to be removed", || wire.ask("DBSIZE").int() == 2);
}

#[test]
fn fields_end_after_a_kill() {
    let server = Launch::persistent(&["-fsync", "always"]).start();
    write_hashes(&mut server.connect());
    let server = server.killed_and_restarted();
    check_hashes(&mut server.connect());
}

#[test]
fn fields_end_after_a_snapshot() {
    let server = Launch::persistent(&["-fsync", "always"]).start();
    let mut wire = server.connect();
    write_hashes(&mut wire);
    wire.talk(&[("SAVE", "+OK\r\n")]);
    let server = server.killed_and_restarted();
    check_hashes(&mut server.connect());
}

#[test]
fn whoever_listens_is_told_of_fields_that_ended_and_of_the_hash_that_went_with_the_last() {
    let server = Launch::new(&["-notify-keyspace-events", "Eghx"]).start();
    let (mut wire, mut listener) = (server.connect(), server.connect());
    let subscribed = |channel: &str, count| {
        format!("*3\r\n$9\r\nsubscribe\r\n${}\r\n{channel}\r\n:{count}\r\n", channel.len())
    };
    let (hexpired, del) = ("__keyevent@0__:hexpired", "__keyevent@0__:del");
    listener.send(format!("SUBSCRIBE {hexpired} {del}\r\n").as_bytes());
    listener.expect(&[subscribed(hexpired, 1), subscribed(del, 2)].concat());
    let message =
        |channel: &str| format!("*3\r\n$7\r\nmessage\r\n${}\r\n{channel}\r\n$1\r\nh\r\n", channel.len());
    wire.ask("HSET h a 1 b 2 c 3");
    wire.ask("HPEXPIRE h 50 FIELDS 2 a b");
    listener.expect(&message(hexpired));
    wire.talk(&[("HGETALL h", "*2\r\n$1\r\nc\r\n$1\r\n3\r\n")]);
    wire.ask("HPEXPIRE h 50 FIELDS 1 c");
    listener.expect(&[message(hexpired), message(del)].concat());
    wire.talk(&[("EXISTS h", ":0\r\n")]);
    let info = wire.ask("INFO stats").text();
    assert!(info.contains("expired_subkeys:3\r\n"), "{info}");
}
