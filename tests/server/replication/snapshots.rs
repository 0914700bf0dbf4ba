//! A snapshot that is cut by the death of either side: what was there before is served until all has come, and what has
//! come is not sent again.

use super::pair::{contents, field, follow, in_step, replica_of};
use crate::harness::{Cable, Launch, Server, until};
use std::time::Duration;

/// A replica that is being sent a snapshot, slowly, in the place of what it has.
struct Sync {
    primary: Server,
    cable: Cable,
    replica: Server,
}

fn sync_begun() -> Sync {
    let small = ["-segment-bytes", "4mb", "-repl-backlog-size", "1mb", "-repl-backlog-ttl", "0"];
    let primary = Launch::persistent(&small).start();
    let cable = Cable::to(primary.port());
    let mut replica = replica_of(cable.port(), &[]).start();
    in_step(&primary, &replica, "old");
    replica.kill();
    let mut wire = primary.connect();
    wire.talk(&[("CONFIG SET repl-backlog-size 1", "+OK\r\n")]);
    for key in 0..80 {
        wire.call(&["SET", &format!("key:{key}"), &format!("{key}:").repeat(40_000)]);
    }
    until("a log that has no room for what the replica had", || {
        wire.talk(&[("SET marker new", "+OK\r\n"), ("SAVE", "+OK\r\n")]);
        field(&mut wire, "replication", "repl_backlog_first_byte_offset") != "4096"
    });
    cable.delay(Duration::from_millis(20));
    let replica = replica.killed_and_restarted();
    let sync = Sync { primary, cable, replica };
    sync.is_under_way();
    sync
}

impl Sync {
    /// Waits for a part to be there; what was before is still served.
    fn is_under_way(&self) {
        let mut wire = self.replica.connect();
        until("a part of the snapshot", || {
            let info = wire.ask("INFO replication").text();
            let done = info.lines().find_map(|line| line.strip_prefix("master_sync_read_bytes:"));
            done.is_some_and(|done| done.trim().parse::<u64>().expect("a number") > 1 << 20)
        });
        wire.talk(&[("GET marker", "$3\r\nold\r\n"), ("DBSIZE", ":1\r\n")]);
    }

    /// Waits for all to be there.
    fn ends(&self) {
        self.cable.delay(Duration::ZERO);
        in_step(&self.primary, &self.replica, "over");
        assert_eq!(contents(&self.primary), contents(&self.replica));
        let messages = self.replica.messages();
        let gone_on = messages
            .lines()
            .any(|line| line.contains("taking the primary's snapshot") && !line.contains("from=0"));
        assert!(gone_on, "{messages}");
    }
}

#[test]
fn a_snapshot_goes_on_after_the_death_of_the_primary() {
    let mut sync = sync_begun();
    let mut wire = sync.primary.connect();
    assert_eq!(field(&mut wire, "stats", "sync_partial_err"), "1");
    sync.primary = sync.primary.killed_and_restarted();
    sync.cable.lead_to(sync.primary.port());
    sync.cable.cut();
    sync.ends();
    assert_eq!(field(&mut sync.primary.connect(), "stats", "sync_full"), "0", "it was sent before");
}

#[test]
fn a_snapshot_goes_on_after_the_death_of_the_replica() {
    let mut sync = sync_begun();
    sync.replica = sync.replica.killed_and_restarted();
    sync.is_under_way();
    sync.ends();
    let mut wire = sync.primary.connect();
    let counts = ["sync_full", "sync_partial_err"].map(|name| field(&mut wire, "stats", name));
    assert_eq!(counts, ["2", "1"], "the first start, and the one snapshot");
}

#[test]
fn what_has_come_of_a_snapshot_is_no_use_to_who_is_promoted() {
    let mut sync = sync_begun();
    sync.replica.connect().talk(&[("REPLICAOF NO ONE", "+OK\r\n"), ("SET own 1", "+OK\r\n")]);
    let files = |server: &Server| {
        let folder = std::fs::read_dir(format!("/proc/{}/cwd", server.id())).expect("its folder");
        let names = folder.map(|entry| entry.expect("a file").file_name().into_string().expect("text"));
        names.filter(|name| name.contains(".sync")).collect::<Vec<_>>()
    };
    assert_eq!(files(&sync.replica), [""; 0]);
    sync.replica = sync.replica.killed_and_restarted();
    // What it has written alone is not dropped for a snapshot.
    follow(&sync.replica, sync.cable.port());
    let mut wire = sync.replica.connect();
    until("a refusal", || wire.ask("INFO replication").text().contains("master_link_refused:"));
    wire.talk(&[("GET own", "$1\r\n1\r\n"), ("GET marker", "$3\r\nold\r\n")]);
}
