//! Links that lead nowhere good: to oneself, in a loop, past a wrong password, through a line that loses bytes or changes
//! them. Both sides serve what they can, say what is wrong, and hold the same when it is over.

use super::pair::{contents, field, follow, in_step, is_up, replica_of, write_some};
use crate::harness::{Cable, Launch, Server, Wire, until};

/// Why a server does not follow whom it is told to.
fn refusal(server: &Server) -> String {
    let mut wire = server.connect();
    until("a refusal", || wire.ask("INFO replication").text().contains("master_link_refused:"));
    field(&mut wire, "replication", "master_link_refused")
}

/// A replica reads and does not write.
fn serves_reads(server: &Server, key: &str, value: &str) {
    server.connect().talk(&[
        (&format!("GET {key}"), &format!("${}\r\n{value}\r\n", value.len())),
        ("SET other 1", "-READONLY You can't write against a read only replica.\r\n"),
    ]);
}

#[test]
fn a_server_does_not_follow_itself_and_writes_again_when_it_is_told_to() {
    let server = Launch::persistent(&[]).start();
    server.connect().talk(&[("SET a 1", "+OK\r\n")]);
    follow(&server, server.port());
    let refused = refusal(&server);
    assert!(refused.contains("is this server itself"), "{refused}");
    serves_reads(&server, "a", "1");
    assert_eq!(server.messages().matches("not following: ").count(), 1, "{}", server.messages());
    server.connect().talk(&[("REPLICAOF NO ONE", "+OK\r\n"), ("SET a 2", "+OK\r\n")]);
}

#[test]
fn a_loop_of_two_is_not_closed_and_goes_on_as_it_was_when_it_is_opened() {
    let primary = Launch::persistent(&[]).start();
    let replica = replica_of(primary.port(), &[]).start();
    in_step(&primary, &replica, "both");
    follow(&primary, replica.port());
    let refused = refusal(&primary);
    assert!(refused.contains("follows this server"), "{refused}");
    assert!(is_up(&mut replica.connect()));
    serves_reads(&primary, "marker", "both");
    serves_reads(&replica, "marker", "both");
    primary.connect().talk(&[("REPLICAOF NO ONE", "+OK\r\n")]);
    in_step(&primary, &replica, "opened");
    assert_eq!(field(&mut primary.connect(), "stats", "sync_partial_err"), "0");
}

#[test]
fn a_loop_of_three_is_found_by_who_would_close_it_though_the_chain_was_made_later() {
    let first = Launch::persistent(&[]).start();
    let second = replica_of(first.port(), &[]).start();
    let third = replica_of(second.port(), &[]).start();
    in_step(&first, &third, "chain");
    // The third hears of whom it follows over the second only when that comes back to it.
    second.connect().talk(&[("REPLICAOF NO ONE", "+OK\r\n")]);
    follow(&second, first.port());
    in_step(&first, &third, "again");
    follow(&first, third.port());
    let refused = refusal(&first);
    assert!(refused.contains("follows this server"), "{refused}");
    for server in [&first, &second, &third] {
        serves_reads(server, "marker", "again");
    }
    first.connect().talk(&[("REPLICAOF NO ONE", "+OK\r\n")]);
    in_step(&first, &third, "opened");
}

#[test]
fn a_wrong_password_is_told_and_a_right_one_taken_without_a_restart() {
    let primary = Launch::persistent(&["-requirepass", "right"]).start();
    let replica = replica_of(primary.port(), &["-masterauth", "wrong"]).start();
    let mut wire = primary.connect();
    wire.talk(&[("AUTH right", "+OK\r\n"), ("SET a 1", "+OK\r\n")]);
    let refused = refusal(&replica);
    assert!(refused.contains("AUTH (masteruser, masterauth) with: WRONGPASS"), "{refused}");
    let mut reader = replica.connect();
    reader.talk(&[("GET a", "$-1\r\n"), ("CONFIG SET masterauth right", "+OK\r\n")]);
    until("the replica to follow", || is_up(&mut reader));
    assert!(!reader.ask("INFO replication").text().contains("master_link_refused"));
    wire.talk(&[("SET a 2", "+OK\r\n"), ("WAIT 1 0", ":1\r\n")]);
    reader.talk(&[("GET a", "$1\r\n2\r\n")]);
    assert_eq!(replica.messages().matches("WRONGPASS").count(), 1, "{}", replica.messages());
}

/// A primary and its replica, with a cable in between.
fn joined(args: &[&str]) -> (Server, Cable, Server) {
    let primary = Launch::persistent(args).start();
    let cable = Cable::to(primary.port());
    let replica = replica_of(cable.port(), args).start();
    in_step(&primary, &replica, "joined");
    (primary, cable, replica)
}

/// Waits until the replica has a write.
fn confirmed(wire: &mut Wire) {
    wire.talk(&[("SET confirmed 1", "+OK\r\n")]);
    until("a write that the replica has", || wire.ask("WAIT 1 100").int() == 1);
}

#[test]
fn bytes_that_were_changed_on_the_way_change_nothing() {
    let (primary, cable, replica) = joined(&[]);
    let mut wire = primary.connect();
    for change in 0..16_u64 {
        write_some(&mut wire, change, 0);
        cable.change_a_byte((change % 2) | (change << 8) | ((change * 37) << 32));
        until("a byte that is changed", || {
            wire.ask("INCR counter:0");
            cable.has_changed_it()
        });
        confirmed(&mut wire);
    }
    in_step(&primary, &replica, "over");
    assert_eq!(contents(&primary), contents(&replica));
    for side in [&primary, &replica] {
        assert!(side.messages().contains("a frame came damaged"), "{}", side.messages());
    }
    assert_eq!(field(&mut wire, "stats", "sync_partial_err"), "0");
}

#[test]
fn a_wrong_length_is_not_waited_for_on_a_link_on_which_little_comes() {
    let (primary, cable, replica) = joined(&[]);
    let mut wire = primary.connect();
    // The third byte of a sign of life: as if 64 KiB came.
    cable.change_a_byte(1 | (2 << 8) | (1 << 32));
    until("a byte that is changed", || cable.has_changed_it());
    until("a link that is made again", || replica.messages().contains("a frame came damaged"));
    wire.talk(&[("SET a 1", "+OK\r\n")]);
    confirmed(&mut wire);
}

#[test]
fn a_line_that_swallows_everything_is_noticed_on_both_sides() {
    let (primary, cable, replica) = joined(&["-repl-timeout", "1"]);
    cable.set_dead(true);
    let (mut wire, mut reader) = (primary.connect(), replica.connect());
    wire.talk(&[("SET alone 1", "+OK\r\n")]);
    until("a replica that is not there", || field(&mut wire, "replication", "connected_slaves") == "0");
    until("a primary that is not there", || !is_up(&mut reader));
    wire.talk(&[("SET alone 2", "+OK\r\n"), ("WAIT 1 10", ":0\r\n")]);
    reader.talk(&[("GET marker", "$6\r\njoined\r\n")]);
    let says = |server: &Server, what: &str| until(what, || server.messages().contains(what));
    says(&replica, "nothing came from the primary for 1 s (repl-timeout)");
    says(&primary, "the replica was silent for longer than repl-timeout");
    cable.set_dead(false);
    in_step(&primary, &replica, "back");
    reader.talk(&[("GET alone", "$1\r\n2\r\n")]);
    assert_eq!(field(&mut wire, "stats", "sync_partial_err"), "0");
}

/// A replica whose link was dead came again before the primary had noticed, and counted twice.
#[test]
fn a_replica_that_comes_again_counts_once() {
    let (primary, cable, replica) = joined(&["-repl-timeout", "3600"]);
    cable.silence();
    // What cuts the link at one end only.
    replica.connect().talk(&[("CONFIG SET repl-timeout 1", "+OK\r\n")]);
    follow(&replica, primary.port());
    let mut wire = primary.connect();
    until("the replica", || wire.ask("WAIT 1 100").int() == 1);
    wire.talk(&[("SET a 1", "+OK\r\n"), ("WAIT 2 100", ":1\r\n")]);
    assert_eq!(field(&mut wire, "replication", "connected_slaves"), "1");
}
