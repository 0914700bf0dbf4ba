//! Replicas: they hold what their primary holds, and never start over.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::harness::{Launch, Reply, Server, Wire, until};

/// Restarts of either side, with writes going on, and no link cut but by them.
const ROUNDS: usize = 12;

fn replica_of(port: u16, args: &[&str]) -> Launch {
    Launch::persistent(&["-replicaof", &format!("127.0.0.1:{port}")]).with(args)
}

/// Servers come back on other ports.
fn follow(replica: &Server, primary: &Server) {
    let reply = replica.connect().ask(&format!("REPLICAOF 127.0.0.1 {}", primary.port())).text();
    assert!(reply.starts_with("OK"), "{reply}");
}

fn field(wire: &mut Wire, section: &str, name: &str) -> String {
    let text = wire.ask(&format!("INFO {section}")).text();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).trim().to_owned()
}

fn is_up(wire: &mut Wire) -> bool {
    field(wire, "replication", "master_link_status") == "up"
}

/// Writes a marker and waits until the replica has it.
fn in_step(primary: &Server, replica: &Server, marker: &str) {
    let (mut to, mut from) = (primary.connect(), replica.connect());
    to.talk(&[(&format!("SET marker {marker}"), "+OK\r\n")]);
    let expected = Reply::Bulk(marker.as_bytes().to_vec());
    until("the replica has the marker", || from.ask("GET marker") == expected);
}

/// Everything that is in database 0, sorted: key, then what it holds.
fn contents(server: &Server) -> Vec<(String, String)> {
    let mut wire = server.connect();
    let Reply::Array(keys) = wire.ask("KEYS *") else { panic!("no keys") };
    let mut keys: Vec<_> = keys.iter().map(Reply::text).collect();
    keys.sort();
    let mut found = Vec::new();
    for key in keys {
        let value = match &*wire.ask(&format!("TYPE {key}")).text() {
            "hash" => sorted_pairs(&wire.ask(&format!("HGETALL {key}"))),
            "list" => format!("{:?}", wire.ask(&format!("LRANGE {key} 0 -1"))),
            "zset" => format!("{:?}", wire.ask(&format!("ZRANGE {key} 0 -1 WITHSCORES"))),
            _ => format!("{:?}", wire.ask(&format!("GET {key}"))),
        };
        found.push((key, value));
    }
    found
}

fn sorted_pairs(reply: &Reply) -> String {
    let Reply::Array(items) = reply else { panic!("no fields: {reply:?}") };
    let mut pairs: Vec<_> = items.chunks(2).map(|pair| format!("{pair:?}")).collect();
    pairs.sort();
    pairs.concat()
}

fn write_some(wire: &mut Wire, seed: u64, round: usize) {
    for n in 0..200 {
        let key = (seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(n * 7 + round as u64)) % 97;
        wire.ask(&format!("SET string:{key} {round}:{n}"));
        wire.ask(&format!("HSET hash:{} field:{n} {round}", key % 7));
        wire.ask(&format!("RPUSH list:{} {n}", key % 5));
        wire.ask(&format!("ZADD sorted:{} {n} member:{key}", key % 3));
        wire.ask(&format!("INCR counter:{}", key % 11));
        if n % 50 == 0 {
            wire.ask(&format!("DEL string:{}", (key + 1) % 97));
            wire.ask(&format!("LTRIM list:{} -100 -1", key % 5));
        }
    }
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
fn a_replica_goes_on_where_it_was_whoever_is_killed() {
    let seed = std::env::var("GOREDIS_TEST_SEED").map_or_else(
        |_| SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as u64,
        |text| text.parse().expect("a number"),
    );
    println!("to repeat: GOREDIS_TEST_SEED={seed}");
    let mut primary = Launch::persistent(&[]).start();
    let mut replica = replica_of(primary.port(), &[]).start();
    in_step(&primary, &replica, "first");
    let mut full = 0;
    for round in 0..ROUNDS {
        write_some(&mut primary.connect(), seed, round);
        let full_now = field(&mut primary.connect(), "stats", "sync_full").parse::<u32>().expect("a number");
        match (seed >> round) % 3 {
            0 => {
                replica = replica.killed_and_restarted();
                follow(&replica, &primary);
            }
            1 => {
                full += full_now;
                primary = primary.killed_and_restarted();
                follow(&replica, &primary);
            }
            _ => {
                let mut wire = primary.connect();
                assert_eq!(wire.ask("CLIENT KILL TYPE replica").int(), 1, "round {round}");
            }
        }
        write_some(&mut primary.connect(), seed ^ 1, round);
        in_step(&primary, &replica, &format!("round-{round}"));
    }
    full += field(&mut primary.connect(), "stats", "sync_full").parse::<u32>().expect("a number");
    assert!(full <= 1, "{full} snapshots: at most the first start takes one");
    assert_eq!(contents(&primary), contents(&replica));
    replica.connect().talk(&[("SET a 1", "-READONLY You can't write against a read only replica.\r\n")]);
}

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
