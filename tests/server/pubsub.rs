//! SUBSCRIBE, PUBLISH and their kin, byte for byte, in both protocols; and subscribers who do not read.

use crate::harness::{Reply, Server, Wire, request, until};
use std::fmt::Write as _;
use std::io::Read;

/// A push as a RESP2 client sees it.
fn message(parts: &[&str]) -> String {
    frame('*', parts)
}

/// A push as a RESP3 client sees it.
fn push(parts: &[&str]) -> String {
    frame('>', parts)
}

fn frame(sigil: char, parts: &[&str]) -> String {
    let mut text = format!("{sigil}{}\r\n", parts.len());
    for part in parts {
        // Why: writing to a string does not fail.
        let _ = write!(text, "${}\r\n{part}\r\n", part.len());
    }
    text
}

/// The confirmation of a change of subscriptions.
fn confirmed(sigil: char, verb: &str, name: &str, count: usize) -> String {
    format!("{sigil}3\r\n${}\r\n{verb}\r\n${}\r\n{name}\r\n:{count}\r\n", verb.len(), name.len())
}

fn send_line(wire: &mut Wire, line: &str) {
    wire.send(format!("{line}\r\n").as_bytes());
}

fn hello3(wire: &mut Wire) {
    wire.send(b"HELLO 3\r\n");
    let mut got = Vec::new();
    // Why: the last of the greeting's seven pairs is the empty list of modules.
    while !got.ends_with(b"modules\r\n*0\r\n") {
        let mut byte = [0];
        wire.bytes().read_exact(&mut byte).expect("the greeting");
        got.push(byte[0]);
    }
}

fn info(wire: &mut Wire, field: &str) -> String {
    let text = wire.ask("INFO everything").text();
    let found = text.lines().find_map(|line| line.strip_prefix(&format!("{field}:")));
    found.unwrap_or_else(|| panic!("no {field}")).to_owned()
}

#[test]
fn messages_reach_subscribers_of_channels_patterns_and_shard_channels() {
    let server = Server::start(&[]);
    let (mut a, mut b, mut publisher) = (server.connect(), server.connect(), server.connect());
    publisher.talk(&[("PUBLISH news nobody", ":0\r\n"), ("SPUBLISH news nobody", ":0\r\n")]);
    send_line(&mut a, "SUBSCRIBE news other news");
    a.expect(&confirmed('*', "subscribe", "news", 1));
    a.expect(&confirmed('*', "subscribe", "other", 2));
    a.expect(&confirmed('*', "subscribe", "news", 2));
    send_line(&mut a, "PSUBSCRIBE n?ws *");
    a.expect(&confirmed('*', "psubscribe", "n?ws", 3));
    a.expect(&confirmed('*', "psubscribe", "*", 4));
    hello3(&mut b);
    b.talk(&[
        ("SSUBSCRIBE news", &confirmed('>', "ssubscribe", "news", 1)),
        ("SUBSCRIBE news", &confirmed('>', "subscribe", "news", 1)),
    ]);
    publisher.talk(&[("PUBLISH news hi", ":4\r\n"), ("SPUBLISH news shard", ":1\r\n")]);
    publisher.talk(&[("PUBLISH else x", ":1\r\n"), ("PUBLISH other y", ":2\r\n")]);
    a.expect(&message(&["message", "news", "hi"]));
    let mut by_patterns = [String::new(), String::new()];
    for got in &mut by_patterns {
        let Reply::Array(parts) = a.reply().expect("a message") else { panic!("no array") };
        *got = parts.iter().map(Reply::text).collect::<Vec<_>>().join(" ");
    }
    by_patterns.sort();
    assert_eq!(by_patterns, ["pmessage * news hi", "pmessage n?ws news hi"]);
    a.expect(&message(&["pmessage", "*", "else", "x"]));
    a.expect(&message(&["message", "other", "y"]));
    a.expect(&message(&["pmessage", "*", "other", "y"]));
    b.expect(&push(&["message", "news", "hi"]));
    b.expect(&push(&["smessage", "news", "shard"]));
    publisher.talk(&[
        (
            "PUBSUB NUMSUB news other none",
            "*6\r\n$4\r\nnews\r\n:2\r\n$5\r\nother\r\n:1\r\n$4\r\nnone\r\n:0\r\n",
        ),
        ("PUBSUB CHANNELS n*", "*1\r\n$4\r\nnews\r\n"),
        ("PUBSUB NUMPAT", ":2\r\n"),
        ("PUBSUB SHARDCHANNELS", "*1\r\n$4\r\nnews\r\n"),
        ("PUBSUB SHARDNUMSUB news", "*2\r\n$4\r\nnews\r\n:1\r\n"),
    ]);
    for (field, expected) in [
        ("pubsub_channels", "2"),
        ("pubsub_patterns", "2"),
        ("pubsubshard_channels", "1"),
        ("pubsub_clients", "2"),
    ] {
        assert_eq!(info(&mut publisher, field), expected, "{field}");
    }
    drop((a, b));
    until("the subscribers to be gone", || info(&mut publisher, "pubsub_clients") == "0");
    publisher.talk(&[("PUBSUB CHANNELS", "*0\r\n"), ("PUBLISH news hi", ":0\r\n")]);
}

#[test]
fn a_subscribed_connection_may_do_little_in_resp2() {
    let server = Server::start(&[]);
    let mut wire = server.connect();
    let refused = |name: &str| {
        format!(
            "-ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed \
             in this context\r\n"
        )
    };
    wire.talk(&[
        ("PING", "+PONG\r\n"),
        ("UNSUBSCRIBE", "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n"),
        ("PUNSUBSCRIBE", "*3\r\n$12\r\npunsubscribe\r\n$-1\r\n:0\r\n"),
        ("SUNSUBSCRIBE", "*3\r\n$12\r\nsunsubscribe\r\n$-1\r\n:0\r\n"),
        ("UNSUBSCRIBE none", &confirmed('*', "unsubscribe", "none", 0)),
        ("GET a", "$-1\r\n"),
        ("SUBSCRIBE a", &confirmed('*', "subscribe", "a", 1)),
        ("PING", "*2\r\n$4\r\npong\r\n$0\r\n\r\n"),
        ("PING hey", "*2\r\n$4\r\npong\r\n$3\r\nhey\r\n"),
        ("GET a", &refused("get")),
        ("CONFIG GET port", &refused("config|get")),
        ("HELLO 3", &refused("hello")),
        ("MULTI", &refused("multi")),
        ("PUBLISH a x", &refused("publish")),
        ("GET", "-ERR wrong number of arguments for 'get' command\r\n"),
        ("SSUBSCRIBE s", &confirmed('*', "ssubscribe", "s", 1)),
        ("UNSUBSCRIBE a", &confirmed('*', "unsubscribe", "a", 0)),
        ("GET a", &refused("get")),
        ("SUNSUBSCRIBE", &confirmed('*', "sunsubscribe", "s", 0)),
        ("GET a", "$-1\r\n"),
        ("PSUBSCRIBE p*", &confirmed('*', "psubscribe", "p*", 1)),
        ("RESET", "+RESET\r\n"),
        ("GET a", "$-1\r\n"),
        ("PUBLISH pa x", ":0\r\n"),
        ("SUBSCRIBE a", &confirmed('*', "subscribe", "a", 1)),
        ("QUIT", "+OK\r\n"),
    ]);
    assert_eq!(wire.rest(), "");
}

#[test]
fn in_resp3_a_subscriber_goes_on_as_before_and_hears_itself_after_its_reply() {
    let server = Server::start(&[]);
    let mut wire = server.connect();
    hello3(&mut wire);
    wire.talk(&[
        ("SUBSCRIBE a", &confirmed('>', "subscribe", "a", 1)),
        ("PING", "+PONG\r\n"),
        ("SET k v", "+OK\r\n"),
        ("UNSUBSCRIBE none", &confirmed('>', "unsubscribe", "none", 1)),
    ]);
    // One read: the message comes before the confirmation of what it came for, and after its own reply.
    wire.send(
        b"PUBLISH a one\r\nGET k\r\nPUBLISH a two\r\nUNSUBSCRIBE a\r\nPUBLISH a three\r\nUNSUBSCRIBE\r\n",
    );
    wire.expect(&format!(":1\r\n{}$1\r\nv\r\n", push(&["message", "a", "one"])));
    wire.expect(&format!(":1\r\n{}", push(&["message", "a", "two"])));
    wire.expect(&format!(
        "{}:0\r\n>3\r\n$11\r\nunsubscribe\r\n_\r\n:0\r\n",
        confirmed('>', "unsubscribe", "a", 0)
    ));
    wire.talk(&[("SUBSCRIBE a", &confirmed('>', "subscribe", "a", 1))]);
    send_line(&mut wire, "HELLO 2");
    let Reply::Array(greeting) = wire.reply().expect("the greeting") else { panic!("no array") };
    assert_eq!(greeting.len(), 14);
    let mut other = server.connect();
    other.talk(&[("PUBLISH a x", ":1\r\n")]);
    wire.expect(&message(&["message", "a", "x"]));
    assert!(matches!(wire.ask("GET k"), Reply::Error(text) if text.starts_with("ERR Can't execute 'get'")));
}

#[test]
fn messages_of_a_transaction_come_when_it_takes_effect() {
    let server = Server::start(&[]);
    let (mut subscriber, mut wire, mut other) = (server.connect(), server.connect(), server.connect());
    subscriber.talk(&[("SUBSCRIBE a", &confirmed('*', "subscribe", "a", 1))]);
    wire.talk(&[
        ("MULTI", "+OK\r\n"),
        ("PUBLISH a one", "+QUEUED\r\n"),
        ("INCR n", "+QUEUED\r\n"),
        ("PUBLISH a two", "+QUEUED\r\n"),
        ("PUBLISH b three", "+QUEUED\r\n"),
    ]);
    other.talk(&[("PUBLISH a before", ":1\r\n")]);
    wire.talk(&[("EXEC", "*4\r\n:1\r\n:1\r\n:1\r\n:0\r\n")]);
    for payload in ["before", "one", "two"] {
        subscriber.expect(&message(&["message", "a", payload]));
    }
    wire.talk(&[("WATCH n", "+OK\r\n"), ("MULTI", "+OK\r\n"), ("PUBLISH a lost", "+QUEUED\r\n")]);
    other.talk(&[("INCR n", ":2\r\n")]);
    wire.talk(&[("EXEC", "*-1\r\n"), ("MULTI", "+OK\r\n"), ("PUBLISH a lost", "+QUEUED\r\n")]);
    wire.talk(&[("DISCARD", "+OK\r\n"), ("PUBLISH a after", ":1\r\n")]);
    subscriber.expect(&message(&["message", "a", "after"]));
}

#[test]
fn one_may_subscribe_inside_a_transaction() {
    let server = Server::start(&[]);
    let mut wire = server.connect();
    wire.talk(&[
        ("MULTI", "+OK\r\n"),
        ("SUBSCRIBE a", "+QUEUED\r\n"),
        ("PUBLISH a x", "+QUEUED\r\n"),
        ("SSUBSCRIBE s", "+QUEUED\r\n"),
        ("SET k v", "+QUEUED\r\n"),
    ]);
    send_line(&mut wire, "EXEC");
    wire.expect(&format!("*4\r\n{}:1\r\n", confirmed('*', "subscribe", "a", 1)));
    wire.expect("-ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client\r\n+OK\r\n");
    wire.expect(&message(&["message", "a", "x"]));
    wire.talk(&[("UNSUBSCRIBE", &confirmed('*', "unsubscribe", "a", 0)), ("GET k", "$1\r\nv\r\n")]);
}

#[test]
fn transactions_that_lose_again_and_again_publish_each_message_once() {
    const CLIENTS: usize = 4;
    const ROUNDS: usize = 200;
    let server = Server::start(&[]);
    let mut subscriber = server.connect();
    subscriber.talk(&[("SUBSCRIBE a", &confirmed('*', "subscribe", "a", 1))]);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let mut wire = server.connect();
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let publish = format!("{client} {round}");
                    wire.send(&request(&["MULTI"]));
                    wire.send(&[request(&["INCR", "x"]), request(&["PUBLISH", "a", &publish])].concat());
                    wire.send(&[request(&["INCR", "y"]), request(&["EXEC"])].concat());
                    for _ in 0..4 {
                        wire.reply().expect("queued");
                    }
                    let Reply::Array(replies) = wire.reply().expect("a reply") else { panic!("no array") };
                    assert_eq!(replies[1], Reply::Int(1));
                }
            });
        }
    });
    let mut next = [0; CLIENTS];
    for _ in 0..CLIENTS * ROUNDS {
        let Reply::Array(parts) = subscriber.reply().expect("a message") else { panic!("no array") };
        let text = parts[2].text();
        let (client, round) = text.split_once(' ').expect("two numbers");
        let client: usize = client.parse().expect("a number");
        assert_eq!(round.parse(), Ok(next[client]), "of client {client}");
        next[client] += 1;
    }
    let mut wire = server.connect();
    wire.talk(&[("PUBLISH a end", ":1\r\n")]);
    subscriber.expect(&message(&["message", "a", "end"]));
}

#[test]
fn who_wants_no_replies_still_gets_messages_and_confirmations() {
    let server = Server::start(&[]);
    let (mut wire, mut other) = (server.connect(), server.connect());
    wire.send(b"CLIENT REPLY OFF\r\nSET k v\r\nSUBSCRIBE a\r\n");
    wire.expect(&confirmed('*', "subscribe", "a", 1));
    other.talk(&[("PUBLISH a x", ":1\r\n")]);
    wire.expect(&message(&["message", "a", "x"]));
    wire.send(b"PING\r\nUNSUBSCRIBE\r\n");
    wire.expect(&confirmed('*', "unsubscribe", "a", 0));
    wire.talk(&[("CLIENT REPLY ON", "+OK\r\n"), ("GET k", "$1\r\nv\r\n")]);
}

#[test]
fn subscribers_are_told_apart_in_lists_and_killed_by_type() {
    let server = Server::start(&["-timeout", "1"]);
    let (mut subscriber, mut wire) = (server.connect(), server.connect());
    subscriber.send(b"CLIENT SETNAME sub\r\nSUBSCRIBE a b\r\nPSUBSCRIBE p\r\nSSUBSCRIBE s\r\n");
    subscriber.expect("+OK\r\n");
    for _ in 0..4 {
        subscriber.reply().expect("a confirmation");
    }
    let listed = wire.ask("CLIENT LIST TYPE pubsub").text();
    assert_eq!(listed.lines().count(), 1, "{listed}");
    assert!(listed.contains(" name=sub ") && listed.contains(" flags=P "), "{listed}");
    assert!(listed.contains(" sub=2 psub=1 ssub=1 "), "{listed}");
    let normal = wire.ask("CLIENT LIST TYPE normal").text();
    assert!(normal.lines().count() == 1 && !normal.contains("name=sub"), "{normal}");
    // Why so long: a subscriber has nothing to send, so it is not closed for being idle.
    for _ in 0..30 {
        std::thread::sleep(std::time::Duration::from_millis(100));
        wire.talk(&[("PUBLISH a x", ":1\r\n")]);
        subscriber.expect(&message(&["message", "a", "x"]));
    }
    assert_eq!(wire.ask("CLIENT KILL TYPE pubsub"), Reply::Int(1));
    assert_eq!(subscriber.rest(), "");
    until("its subscriptions to be gone", || wire.ask("PUBLISH a x") == Reply::Int(0));
}

#[test]
fn a_subscriber_who_does_not_read_is_cut_off_and_slows_nobody() {
    let server = Server::start(&["-client-output-buffer-limit", "pubsub 4mb 0 0"]);
    let (mut slow, mut quick, mut publisher) = (server.connect(), server.connect(), server.connect());
    for wire in [&mut slow, &mut quick] {
        wire.talk(&[("SUBSCRIBE a", &confirmed('*', "subscribe", "a", 1))]);
    }
    let payload = "x".repeat(64 * 1024);
    let mut sent = 0;
    while publisher.call(&["PUBLISH", "a", &payload]) == Reply::Int(2) {
        quick.expect(&message(&["message", "a", &payload]));
        sent += 1;
        if sent == 64 {
            let listed = publisher.ask("CLIENT LIST TYPE pubsub").text();
            let largest = listed.lines().filter_map(|line| {
                line.split(' ').find_map(|field| field.strip_prefix("omem="))?.parse::<u64>().ok()
            });
            // Why so few: the sockets' own buffers may hold the rest.
            assert!(largest.max() > Some(0), "{listed}");
        }
        assert!(sent < 2_000, "the limit does not hold");
    }
    quick.expect(&message(&["message", "a", &payload]));
    let disconnections = "client_output_buffer_limit_disconnections";
    until("the disconnection to be counted", || info(&mut publisher, disconnections) == "1");
    assert!(server.messages().contains("output buffer limit reached"));
}

#[test]
fn a_subscriber_above_the_soft_limit_is_cut_off_in_time() {
    let server = Server::start(&["-client-output-buffer-limit", "pubsub 0 1mb 1"]);
    let (mut slow, mut publisher) = (server.connect(), server.connect());
    slow.talk(&[("SUBSCRIBE a", &confirmed('*', "subscribe", "a", 1))]);
    let payload = "x".repeat(1 << 20);
    for _ in 0..16 {
        assert_eq!(publisher.call(&["PUBLISH", "a", &payload]), Reply::Int(1));
    }
    let nobody = Reply::Array(vec![Reply::Bulk(b"a".to_vec()), Reply::Int(0)]);
    until("the slow subscriber to be gone", || publisher.ask("PUBSUB NUMSUB a") == nobody);
    assert_eq!(info(&mut publisher, "client_output_buffer_limit_disconnections"), "1");
}

#[test]
fn large_messages_arrive_whole_beside_the_replies() {
    let server = Server::start(&["-client-output-buffer-limit", "pubsub 0 0 0"]);
    let (mut wire, mut publisher) = (server.connect(), server.connect());
    hello3(&mut wire);
    wire.talk(&[("SUBSCRIBE a", &confirmed('>', "subscribe", "a", 1))]);
    let payload = "0123456789abcdef".repeat(1 << 16);
    for _ in 0..8 {
        assert_eq!(publisher.call(&["PUBLISH", "a", &payload]), Reply::Int(1));
        wire.send(b"ECHO hello\r\n");
    }
    let (expected, mut messages, mut echoes) = (push(&["message", "a", &payload]), 0, 0);
    while messages < 8 || echoes < 8 {
        let mut sigil = [0];
        wire.bytes().read_exact(&mut sigil).expect("a frame");
        if sigil == *b">" {
            wire.expect(&expected[1..]);
            messages += 1;
        } else {
            wire.expect("5\r\nhello\r\n");
            echoes += 1;
        }
    }
}

#[test]
fn with_fsync_always_a_message_comes_when_its_write_is_durable() {
    let server = crate::harness::Launch::persistent(&["-fsync", "always"]).start();
    let (mut subscriber, mut wire) = (server.connect(), server.connect());
    subscriber.talk(&[("SUBSCRIBE a", &confirmed('*', "subscribe", "a", 1))]);
    for round in 0..50 {
        let payload = round.to_string();
        wire.send(&[request(&["SET", "k", &payload]), request(&["PUBLISH", "a", &payload])].concat());
        wire.expect("+OK\r\n:1\r\n");
        subscriber.expect(&message(&["message", "a", &payload]));
    }
}

#[test]
fn publications_wait_for_the_end_of_a_pause() {
    let server = Server::start(&[]);
    let (mut subscriber, mut wire, mut other) = (server.connect(), server.connect(), server.connect());
    subscriber.talk(&[("SUBSCRIBE a", &confirmed('*', "subscribe", "a", 1))]);
    other.talk(&[("CLIENT PAUSE 100000 WRITE", "+OK\r\n")]);
    send_line(&mut wire, "PUBLISH a x");
    until("the publisher to be held up", || info(&mut other, "blocked_clients") == "1");
    other.talk(&[("CLIENT UNPAUSE", "+OK\r\n")]);
    wire.expect(":1\r\n");
    subscriber.expect(&message(&["message", "a", "x"]));
}
