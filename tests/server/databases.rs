//! Sixteen databases that know nothing of each other, and the commands that cross them.

use crate::harness::Server;

#[test]
fn databases_are_apart_and_keys_move_between_them() {
    let server = Server::start(&[]);
    let mut wire = server.connect();
    wire.talk(&[
        ("SET a 0", "+OK\r\n"),
        ("SELECT 15", "+OK\r\n"),
        ("GET a", "$-1\r\n"),
        ("SET a 15", "+OK\r\n"),
        ("MOVE a 0", ":0\r\n"),
        ("RENAME a b", "+OK\r\n"),
        ("MOVE b 0", ":1\r\n"),
        ("DBSIZE", ":0\r\n"),
        ("SELECT 0", "+OK\r\n"),
        ("MGET a b", "*2\r\n$1\r\n0\r\n$2\r\n15\r\n"),
        ("COPY a a DB 3", ":1\r\n"),
        ("SWAPDB 0 3", "+OK\r\n"),
        ("DBSIZE", ":1\r\n"),
        ("FLUSHDB", "+OK\r\n"),
        ("SWAPDB 0 3", "+OK\r\n"),
        ("DBSIZE", ":2\r\n"),
        ("MOVE a 0", "-ERR source and destination objects are the same\r\n"),
        ("SWAPDB 0 16", "-ERR DB index is out of range\r\n"),
        ("FLUSHALL", "+OK\r\n"),
        ("DBSIZE", ":0\r\n"),
    ]);
}

#[test]
fn their_number_is_a_setting() {
    let server = Server::start(&["-databases", "2"]);
    let mut wire = server.connect();
    wire.talk(&[("SELECT 1", "+OK\r\n"), ("SELECT 2", "-ERR DB index is out of range\r\n")]);
}
