//! Every way in which bytes may come, byte for byte.

use crate::harness::{Server, request};
use std::time::Duration;

#[test]
fn both_protocol_versions_answer_with_their_own_types() {
    let server = Server::start(&[]);
    let mut wire = server.connect();
    wire.talk(&[
        ("GET none", "$-1\r\n"),
        ("MGET none none", "*2\r\n$-1\r\n$-1\r\n"),
        ("HELLO 4", "-NOPROTO unsupported protocol version\r\n"),
        ("HELLO x", "-ERR Protocol version is not an integer or out of range\r\n"),
    ]);
    wire.send(b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n");
    wire.expect("%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n");
    let mut again = server.connect();
    again
        .send(b"HELLO 3\r\nGET none\r\nMGET none none\r\nCONFIG GET port\r\nHELLO 2\r\nGET none\r\nQUIT\r\n");
    let all = again.rest();
    let port = server.port().to_string();
    let map = format!("%1\r\n$4\r\nport\r\n${}\r\n{port}\r\n", port.len());
    assert!(all.contains(&format!("_\r\n*2\r\n_\r\n_\r\n{map}*14\r\n")), "{all}");
    assert!(all.ends_with("*0\r\n$-1\r\n+OK\r\n"), "{all}");
}

#[test]
fn inline_commands_are_split_like_a_shell_does() {
    let server = Server::start(&[]);
    let mut wire = server.connect();
    wire.talk(&[
        ("PING", "+PONG\r\n"),
        ("  ping   hello  ", "$5\r\nhello\r\n"),
        ("SET 'a b' \"c\\x41\\n\"", "+OK\r\n"),
        ("GET \"a b\"", "$3\r\ncA\n\r\n"),
        ("ECHO ''", "$0\r\n\r\n"),
    ]);
    wire.send(b"\r\n\r\n*0\r\n*-1\r\nPING\n");
    wire.expect("+PONG\r\n");
    wire.send(b"ECHO \"no end\r\n");
    assert_eq!(wire.rest(), "-ERR Protocol error: unbalanced quotes in request\r\n");
}

#[test]
fn a_pipeline_of_a_hundred_thousand_is_answered_in_order() {
    let server = Server::start(&[]);
    let mut wire = server.connect();
    let mut reading = server.connect();
    wire.send(&request(&["SET", "counter", "0"]));
    wire.expect("+OK\r\n");
    let increments = request(&["INCR", "counter"]).repeat(100_000);
    std::thread::scope(|scope| {
        // Why: with one thread, server and client might each wait for the other to read.
        let mut sending = wire.sender();
        scope.spawn(move || std::io::Write::write_all(&mut sending, &increments).expect("sent"));
        for expected in 1..=100_000 {
            wire.expect(&format!(":{expected}\r\n"));
        }
    });
    assert_eq!(reading.ask("GET counter").text(), "100000");
}

#[test]
fn a_request_may_come_in_any_two_pieces() {
    let server = Server::start(&[]);
    let mut wire = server.connect();
    let whole =
        [request(&["SET", "key", "a\r\nb"]), b"GET key\r\n".to_vec(), request(&["GET", "key"])].concat();
    for at in 1..whole.len() {
        wire.send(&whole[..at]);
        if at % 8 == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        wire.send(&whole[at..]);
        wire.expect("+OK\r\n$4\r\na\r\nb\r\n$4\r\na\r\nb\r\n");
    }
}

#[test]
fn a_half_sent_command_changes_nothing_and_blocks_nobody() {
    let server = Server::start(&[]);
    let mut half = server.connect();
    half.send(b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$1000\r\nthe beginning");
    let mut other = server.connect();
    other.talk(&[("GET key", "$-1\r\n"), ("SET key 1", "+OK\r\n")]);
    half.finish_sending();
    assert_eq!(half.rest(), "");
    other.talk(&[("GET key", "$1\r\n1\r\n")]);
}

#[test]
fn garbage_gets_an_error_and_a_close() {
    let server = Server::start(&[]);
    for (bytes, error) in [
        (&b"*x\r\n"[..], "invalid multibulk length"),
        (b"*1048577\r\n", "invalid multibulk length"),
        (b"*1\r\n:4\r\nPING\r\n", "expected '$', got ':'"),
        (b"*1\r\n$-5\r\n", "invalid bulk length"),
        (b"*1\r\n$x\r\n", "invalid bulk length"),
        (b"*1\r\n$536870913\r\n", "invalid bulk length"),
        (b"*1\r\n$99999999999999999999\r\n", "invalid bulk length"),
        (b"'\r\n", "unbalanced quotes in request"),
    ] {
        let mut wire = server.connect();
        wire.send(b"PING\r\n");
        wire.expect("+PONG\r\n");
        wire.send(bytes);
        assert_eq!(wire.rest(), format!("-ERR Protocol error: {error}\r\n"), "{bytes:?}");
    }
    server.connect().talk(&[("PING", "+PONG\r\n")]);
}

#[test]
fn a_line_that_never_ends_is_refused_at_its_limit() {
    let server = Server::start(&[]);
    for (start, error) in [
        (&b""[..], "too big inline request"),
        (b"*", "too big mbulk count string"),
        (b"*1\r\n$", "too big bulk count string"),
    ] {
        let mut wire = server.connect();
        wire.send(start);
        // Why: a byte more than the limit, and not one that is left unread, which would reset the connection.
        wire.send(&vec![b'1'; 65_537 - usize::from(!start.is_empty())]);
        assert_eq!(wire.rest(), format!("-ERR Protocol error: {error}\r\n"));
    }
}

#[test]
fn what_came_before_garbage_is_done_and_answered() {
    let server = Server::start(&[]);
    let mut wire = server.connect();
    wire.send(b"SET key 1\r\nINCR key\r\n*1\r\nX");
    wire.finish_sending();
    assert_eq!(wire.rest(), "+OK\r\n:2\r\n-ERR Protocol error: expected '$', got 'X'\r\n");
    server.connect().talk(&[("GET key", "$1\r\n2\r\n")]);
}

#[test]
fn random_bytes_kill_a_connection_at_most() {
    let server = Server::start(&[]);
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..200 {
        let bytes: Vec<u8> = (0..500)
            .map(|_| {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // Why: lengths and line ends often enough that the parser gets deep.
                match random >> 60 {
                    0..4 => b"*$\r\n"[(random >> 50) as usize % 4],
                    4..8 => b'0' + (random >> 50) as u8 % 10,
                    _ => (random >> 40) as u8,
                }
            })
            .collect();
        let mut wire = server.connect();
        // Why: the server may close in the middle.
        let _ = wire.try_send(&bytes);
    }
    server.connect().talk(&[("PING", "+PONG\r\n"), ("SET key 1", "+OK\r\n")]);
    assert!(!server.complaint().contains("panicked"), "{}", server.complaint());
}

#[test]
fn limits_are_settings() {
    let limits = ["-proto-max-bulk-len", "1mb", "-proto-max-args", "16", "-proto-inline-max-len", "1024"];
    let server = Server::start(&limits);
    for (bytes, error) in [
        (b"*2\r\n$4\r\nECHO\r\n$1048577\r\n".to_vec(), "invalid bulk length"),
        (b"*17\r\n".to_vec(), "invalid multibulk length"),
        (vec![b'x'; 1025], "too big inline request"),
    ] {
        let mut wire = server.connect();
        wire.send(&bytes);
        assert_eq!(wire.rest(), format!("-ERR Protocol error: {error}\r\n"));
    }
    let mut wire = server.connect();
    let large = "x".repeat(1 << 20);
    assert_eq!(wire.call(&["SET", "key", &large]).text(), "OK");
    assert_eq!(wire.call(&["STRLEN", "key"]).int(), 1 << 20);
}
