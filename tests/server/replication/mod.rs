//! Replicas: they hold what their primary holds, and never start over.
//!
//! What goes wrong between them, and on either side, is in `bad_links`, `full_disks` and `snapshots`; a hundred kills and cuts in `replica_rounds`.

mod bad_links;
mod full_disks;
pub mod pair;
mod snapshots;

use crate::harness::{Launch, Server, Wire, until};
use pair::{contents, field, in_step, is_up, replica_of, write_some};

#[test]
fn a_replica_that_is_too_far_behind_takes_the_snapshot_and_shows_one_state_or_the_other() {
    let primary = Launch::persistent(&["-repl-backlog-size", "1mb", "-repl-backlog-ttl", "0"]).start();
    let mut wire = primary.connect();
    write_some(&mut wire, 5, 0);
    wire.talk(&[("MSET a 1 b 1", "+OK\r\n"), ("SAVE", "+OK\r\n")]);
    let replica = replica_of(primary.port(), &[]).start();
    in_step(&primary, &replica, "snapshot");
    assert_eq!(contents(&primary), contents(&replica));
    assert_eq!(field(&mut wire, "stats", "sync_full"), "1");
    let chained = replica_of(replica.port(), &[]).start();
    in_step(&primary, &chained, "chained");
    assert_eq!(contents(&primary), contents(&chained));
    let in_memory = Launch::new(&["-replicaof", &format!("127.0.0.1:{}", primary.port())]).start();
    in_step(&primary, &in_memory, "in-memory");
    assert_eq!(contents(&primary), contents(&in_memory));
    wire.talk(&[("FLUSHALL", "+OK\r\n")]);
    in_step(&primary, &chained, "flushed");
    assert_eq!(contents(&primary), contents(&chained));
    // A restart of who has taken a snapshot is as any other.
    let replica = replica.killed_and_restarted();
    in_step(&primary, &replica, "again");
    assert_eq!(contents(&primary), contents(&replica));
}

#[test]
fn what_goes_between_primary_and_replica_is_counted_at_both_ends() {
    const VALUE_BYTES: u64 = 10_000;
    let primary = Launch::persistent(&[]).start();
    let replica = replica_of(primary.port(), &[]).start();
    in_step(&primary, &replica, "first");
    let (mut to, mut from) = (primary.connect(), replica.connect());
    let figures = |to: &mut Wire, from: &mut Wire| {
        let number = |text: &str| text.parse::<u64>().expect("a number");
        let list = to.ask("CLIENT LIST TYPE replica").text();
        let sent = list.split_once("tot-net-out=").expect("a replica").1;
        [
            number(&field(to, "stats", "total_net_repl_output_bytes")),
            number(sent.split(' ').next().expect("the figure")),
            number(&field(from, "stats", "total_net_repl_input_bytes")),
        ]
    };
    // Why: what the replica is sent of the log while it puts the snapshot in place comes once more over its next connection.
    until("the first connection to be gone", || {
        is_up(&mut from) && to.ask("CLIENT LIST TYPE replica").text().lines().count() == 1
    });
    until("the first records to be counted", || !figures(&mut to, &mut from).contains(&0));
    let before = figures(&mut to, &mut from);
    to.ask(&format!("SET large {}", "x".repeat(VALUE_BYTES as usize)));
    let grown = |to: &mut Wire, from: &mut Wire| {
        let after = figures(to, from);
        [0, 1, 2].map(|at| after[at] - before[at])
    };
    // Why waited for: a replica may have what its primary has not yet counted.
    until("the value to be counted", || grown(&mut to, &mut from).iter().all(|bytes| *bytes >= VALUE_BYTES));
    let grown = grown(&mut to, &mut from);
    assert!(grown.iter().all(|bytes| *bytes < 2 * VALUE_BYTES), "counted more than once: {grown:?}");
}

#[test]
fn servers_in_memory_replicate() {
    let primary = Server::start(&[]);
    write_some(&mut primary.connect(), 9, 0);
    let replica = Server::start(&["-replicaof", &format!("127.0.0.1:{}", primary.port())]);
    in_step(&primary, &replica, "one");
    write_some(&mut primary.connect(), 9, 1);
    in_step(&primary, &replica, "two");
    assert_eq!(contents(&primary), contents(&replica));
}

#[test]
fn a_promoted_replica_is_followed_by_the_old_primary_which_puts_aside_what_it_had_alone() {
    let primary = Launch::persistent(&[]).start();
    let replica = replica_of(primary.port(), &[]).start();
    write_some(&mut primary.connect(), 3, 0);
    in_step(&primary, &replica, "both");
    let mut promoted = replica.connect();
    promoted.talk(&[("REPLICAOF NO ONE", "+OK\r\n"), ("SET only-here 1", "+OK\r\n")]);
    primary.connect().talk(&[("SET never-replicated 1", "+OK\r\n")]);
    let follow = format!("REPLICAOF 127.0.0.1 {}", replica.port());
    primary.connect().talk(&[(&follow, "+OK\r\n")]);
    in_step(&replica, &primary, "rewound");
    assert_eq!(contents(&replica), contents(&primary));
    primary.connect().talk(&[("EXISTS never-replicated", ":0\r\n"), ("GET only-here", "$1\r\n1\r\n")]);
    assert_eq!(field(&mut promoted, "stats", "sync_full"), "0");
    assert!(
        primary.messages().contains("rewound to where the new primary goes on"),
        "{}",
        primary.messages()
    );
}

#[test]
fn a_primary_that_was_emptied_wipes_nobody_until_it_is_named() {
    let primary = Launch::persistent(&[]).start();
    let replica = replica_of(primary.port(), &[]).start();
    write_some(&mut primary.connect(), 4, 0);
    in_step(&primary, &replica, "kept");
    let before = contents(&replica);
    let emptied = Launch::persistent(&[]).start();
    let follow = format!("REPLICAOF 127.0.0.1 {}", emptied.port());
    let mut wire = replica.connect();
    wire.talk(&[(&follow, "+OK\r\n")]);
    until("it is refused", || wire.ask("INFO replication").text().contains("master_link_refused:"));
    assert_eq!(contents(&replica), before);
    let reason = field(&mut wire, "replication", "master_link_refused");
    let named = reason.rsplit_once("REPLICAOF ").expect("what to say").1.trim().to_owned();
    wire.talk(&[(&format!("REPLICAOF {named}"), "+OK\r\n")]);
    in_step(&emptied, &replica, "accepted");
    assert_eq!(contents(&emptied), contents(&replica));
}

#[test]
fn a_failover_loses_nothing() {
    let primary = Launch::persistent(&[]).start();
    let replica = replica_of(primary.port(), &[]).start();
    in_step(&primary, &replica, "attached");
    let mut writer = primary.connect();
    write_some(&mut writer, 8, 0);
    let mut wire = primary.connect();
    wire.talk(&[("FAILOVER TIMEOUT 10000", "+OK\r\n")]);
    until("the roles are exchanged", || {
        field(&mut replica.connect(), "replication", "role") == "master"
            && field(&mut primary.connect(), "replication", "role") == "slave"
            && is_up(&mut primary.connect())
    });
    in_step(&replica, &primary, "exchanged");
    assert_eq!(contents(&primary), contents(&replica));
    assert_eq!(field(&mut replica.connect(), "stats", "sync_full"), "0");
}

#[test]
fn who_waits_is_told_when_replicas_have_what_was_written() {
    let primary = Launch::persistent(&[]).start();
    let replica = replica_of(primary.port(), &[]).start();
    in_step(&primary, &replica, "attached");
    let mut wire = primary.connect();
    wire.talk(&[("SET a 1", "+OK\r\n"), ("WAIT 1 0", ":1\r\n"), ("WAITAOF 1 1 0", "*2\r\n:1\r\n:1\r\n")]);
    let token = wire.ask("LSN").text();
    let mut reader = replica.connect();
    reader.talk(&[(&*format!("WAITLSN {token} 10000"), ":1\r\n"), ("GET a", "$1\r\n1\r\n")]);
}
