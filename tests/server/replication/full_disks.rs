//! No room on either side: both serve what they can, and go on where they were when there is room.

use super::pair::{field, in_step, is_up, replica_of};
use crate::full_disk::{SmallDisk, write_until_refused};
use crate::harness::{Launch, Server, until};
use std::fs;

const VALUE_BYTES: usize = 10_000;

/// A server on a small disk, with so much of it taken already; none where that is not allowed.
fn on_small_disk(ballast_bytes: usize, args: &[&str]) -> Option<(SmallDisk, Launch)> {
    let launch = Launch::new(&["-persist", "-dbfile", "small/data.db", "-save", "", "-segment-bytes", "4mb"])
        .with(args);
    let Some(disk) = SmallDisk::mount(launch.folder().join("small")) else {
        // Why: only root can make a disk of known size.
        eprintln!("not allowed to mount a small disk; this shows nothing");
        return None;
    };
    fs::write(disk.folder.join("ballast"), vec![1; ballast_bytes]).expect("written");
    Some((disk, launch))
}

fn make_room(disk: &SmallDisk) {
    fs::remove_file(disk.folder.join("ballast")).expect("removed");
}

fn fill(server: &Server, keys: usize) {
    let (mut wire, value) = (server.connect(), "v".repeat(VALUE_BYTES));
    for key in 0..keys {
        assert_eq!(wire.call(&["SET", &format!("key:{key}"), &value]).text(), "OK");
    }
}

fn keys(server: &Server) -> i64 {
    server.connect().ask("DBSIZE").int()
}

#[test]
fn a_replica_without_room_serves_what_it_has_and_goes_on_when_there_is_some() {
    // Why small segments: a replica's are as large.
    let primary = Launch::persistent(&["-segment-bytes", "4mb"]).start();
    let follows = format!("127.0.0.1:{}", primary.port());
    let Some((disk, launch)) = on_small_disk(14 << 20, &["-replicaof", &follows]) else { return };
    let replica = launch.start();
    in_step(&primary, &replica, "both");
    fill(&primary, 2000);
    let mut reader = replica.connect();
    until("a replica that is stuck", || !is_up(&mut reader) && replica.messages().contains("no room"));
    assert!(keys(&replica) > 100 && keys(&replica) < 2000, "{} keys", keys(&replica));
    assert_eq!(reader.ask("STRLEN key:0").int(), VALUE_BYTES as i64);
    primary.connect().talk(&[("SET meanwhile 1", "+OK\r\n")]);
    make_room(&disk);
    in_step(&primary, &replica, "room");
    assert_eq!(keys(&primary), keys(&replica));
    reader.talk(&[("GET meanwhile", "$1\r\n1\r\n")]);
    assert_eq!(field(&mut primary.connect(), "stats", "sync_partial_err"), "0");
    let said = replica.messages().matches("no room").count();
    assert!(said < 20, "{said} times");
}

#[test]
fn a_primary_without_room_keeps_its_replica_and_both_go_on_when_there_is_some() {
    let Some((disk, launch)) = on_small_disk(12 << 20, &[]) else { return };
    let primary = launch.start();
    let replica = replica_of(primary.port(), &["-segment-bytes", "4mb"]).start();
    in_step(&primary, &replica, "both");
    let mut wire = primary.connect();
    let (written, error) = write_until_refused(&mut wire, 0);
    assert!(error.contains("no room"), "{error}");
    until("the replica to have the rest", || keys(&replica) as usize == written + 1);
    assert!(is_up(&mut replica.connect()));
    make_room(&disk);
    until("writes to be taken again", || {
        wire.ask("SET again 1").eq(&crate::harness::Reply::Status("OK".into()))
    });
    in_step(&primary, &replica, "room");
    assert_eq!(keys(&primary), keys(&replica));
}

#[test]
fn a_snapshot_that_finds_no_room_is_gone_on_with_when_there_is_some() {
    let small = ["-segment-bytes", "4mb", "-repl-backlog-size", "1mb", "-repl-backlog-ttl", "0"];
    let primary = Launch::persistent(&small).start();
    fill(&primary, 1000);
    primary.connect().talk(&[("SAVE", "+OK\r\n")]);
    let follows = format!("127.0.0.1:{}", primary.port());
    let Some((disk, launch)) = on_small_disk(18 << 20, &["-replicaof", &follows]) else { return };
    let replica = launch.start();
    let mut reader = replica.connect();
    until("a replica that is stuck", || replica.messages().contains("cannot be written"));
    assert_eq!(keys(&replica), 0);
    make_room(&disk);
    in_step(&primary, &replica, "room");
    assert_eq!(keys(&primary), keys(&replica));
    assert_eq!(reader.ask("STRLEN key:999").int(), VALUE_BYTES as i64);
    assert_eq!(field(&mut primary.connect(), "stats", "sync_full"), "1", "what had come was not sent again");
    let again = replica.killed_and_restarted();
    in_step(&primary, &again, "again");
}
