//! The largest value there may be.

use crate::harness::{Launch, Server, Wire};
use std::io::{Read, Write};

const LENGTH: usize = 512 << 20;
const PIECE: usize = 1 << 20;

/// One piece of the value, different at each place.
fn piece(number: usize) -> Vec<u8> {
    let mut bytes = vec![(number % 251) as u8; PIECE];
    bytes[..8].copy_from_slice(&(number as u64).to_le_bytes());
    bytes
}

fn set(wire: &mut Wire) {
    wire.send(format!("*3\r\n$3\r\nSET\r\n$5\r\nlarge\r\n${LENGTH}\r\n").as_bytes());
    let mut sender = wire.sender();
    for number in 0..LENGTH / PIECE {
        sender.write_all(&piece(number)).expect("sent");
    }
    wire.send(b"\r\n");
    wire.expect("+OK\r\n");
}

fn check(server: &Server) {
    let mut wire = server.connect();
    wire.send(b"GET large\r\n");
    wire.expect(&format!("${LENGTH}\r\n"));
    let mut got = vec![0; PIECE];
    for number in 0..LENGTH / PIECE {
        wire.bytes().read_exact(&mut got).expect("read");
        assert!(got == piece(number), "piece {number} differs");
    }
    wire.expect("\r\n");
    assert_eq!(wire.ask("STRLEN large").int() as usize, LENGTH);
}

#[test]
fn half_a_gigabyte_is_set_read_and_found_again() {
    let server = Launch::persistent(&[]).start();
    let mut wire = server.connect();
    set(&mut wire);
    check(&server);
    wire.talk(&[("APPEND large x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n")]);
    let server = server.killed_and_restarted();
    check(&server);
    server.connect().talk(&[("DEL large", ":1\r\n"), ("DBSIZE", ":0\r\n")]);
}
