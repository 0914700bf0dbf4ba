//! Keys that move from one server to another.

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
    wire.talk(&[(
        &format!("MIGRATE 127.0.0.1 {port} \"\" 3 5000 AUTH word KEYS text hash missing"),
        "+OK\r\n",
    )]);
    wire.talk(&[("DBSIZE", ":1\r\n")]);
    there.connect().talk(&[
        ("AUTH word", "+OK\r\n"),
        ("SELECT 3", "+OK\r\n"),
        ("GET text", "$5\r\nvalue\r\n"),
        ("PEXPIRETIME text", ":4000000000000\r\n"),
        ("HPEXPIRETIME hash FIELDS 2 a b", "*2\r\n:4000000000001\r\n:-1\r\n"),
    ]);
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
