//! Keys that move from one server to another.

use std::time::Instant;

use crate::harness::Server;

#[test]
fn keys_move_with_their_times_while_others_go_on() {
    let (here, there) = (Server::start(&[]), Server::start(&["-requirepass", "word"]));
    let (mut wire, mut other) = (here.connect(), here.connect());
    wire.talk(&[
        ("SET text value PXAT 4000000000000", "+OK\r\n"),
        ("HSET hash a 1 b 2", ":2\r\n"),
        ("HPEXPIREAT hash 4000000000001 FIELDS 1 a", "*1\r\n:1\r\n"),
        ("SET stays 1", "+OK\r\n"),
    ]);
    let port = there.port();
    let begun = Instant::now();
    wire.talk(&[(
        &format!("MIGRATE 127.0.0.1 {port} \"\" 3 5000 AUTH word KEYS text hash missing"),
        "+OK\r\n",
    )]);
    wire.talk(&[("DBSIZE", ":1\r\n")]);
    let took_ms = i64::try_from(begun.elapsed().as_millis()).expect("a short time") + 1;
    let mut target = there.connect();
    target.talk(&[
        ("AUTH word", "+OK\r\n"),
        ("SELECT 3", "+OK\r\n"),
        ("GET text", "$5\r\nvalue\r\n"),
        ("HPEXPIRETIME hash FIELDS 2 a b", "*2\r\n:4000000000001\r\n:-1\r\n"),
    ]);
    // A key's time travels as what is left of it: clocks of two machines differ. Here there is one clock, so the end
    // moves by the time on the way and by no more.
    let moved_ms = target.ask("PEXPIRETIME text").int() - 4_000_000_000_000;
    assert!((0..=took_ms).contains(&moved_ms), "moved by {moved_ms} ms in {took_ms} ms");
    // A target that never answers holds up nobody but who asked.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    wire.send(format!("MIGRATE 127.0.0.1 {port} stays 0 1000\r\n").as_bytes());
    for count in 1..=100 {
        other.talk(&[("INCR counter", &format!(":{count}\r\n"))]);
    }
    wire.expect("-IOERR error or timeout reading to target instance\r\n");
    wire.talk(&[("GET stays", "$1\r\n1\r\n")]);
}
