//! The commands that everything else builds on, and what they answer to bad requests.

use crate::harness::Server;

const SYNTAX: &str = "-ERR syntax error\r\n";
const NOT_INT: &str = "-ERR value is not an integer or out of range\r\n";

#[test]
fn the_ten_commands_of_the_first_day_work() {
    let server = Server::start(&[]);
    let mut wire = server.connect();
    wire.talk(&[
        ("PING", "+PONG\r\n"),
        ("SET name \"John Doe\"", "+OK\r\n"),
        ("GET name", "$8\r\nJohn Doe\r\n"),
        ("GET none", "$-1\r\n"),
        ("EXISTS name none name", ":2\r\n"),
        ("INCR visits", ":1\r\n"),
        ("INCR visits", ":2\r\n"),
        ("DECR visits", ":1\r\n"),
        ("TTL name", ":-1\r\n"),
        ("TTL none", ":-2\r\n"),
        ("EXPIRE name 100", ":1\r\n"),
        ("TTL name", ":100\r\n"),
        ("EXPIRE none 100", ":0\r\n"),
        ("DEL name none", ":1\r\n"),
        ("DEL name", ":0\r\n"),
        ("GET name", "$-1\r\n"),
    ]);
    let info = wire.ask("INFO").text();
    for line in ["# Server", "redis_version:7.", "# Keyspace", "db0:keys=1,expires=0"] {
        assert!(info.contains(line), "no {line} in {info}");
    }
}

#[test]
fn wrong_arity_type_integer_and_option_change_nothing() {
    let server = Server::start(&[]);
    let mut wire = server.connect();
    wire.talk(&[
        ("SET text hello", "+OK\r\n"),
        ("SET top 9223372036854775807", "+OK\r\n"),
        ("SET bottom -9223372036854775808", "+OK\r\n"),
        ("GET", "-ERR wrong number of arguments for 'get' command\r\n"),
        ("SET text", "-ERR wrong number of arguments for 'set' command\r\n"),
        ("NOSUCH a b", "-ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' \r\n"),
        ("INCR text", NOT_INT),
        ("INCR top", "-ERR increment or decrement would overflow\r\n"),
        ("DECR bottom", "-ERR increment or decrement would overflow\r\n"),
        ("INCRBY text 1.5", NOT_INT),
        ("SET text x EX", SYNTAX),
        ("SET text x EX 10 PX 10", SYNTAX),
        ("SET text x NX XX", SYNTAX),
        ("SET text x EX 0", "-ERR invalid expire time in 'set' command\r\n"),
        ("SET text x EX abc", NOT_INT),
        ("SET text x EX 9223372036854775807", "-ERR invalid expire time in 'set' command\r\n"),
        ("SET text x NOSUCH", SYNTAX),
        ("EXPIRE text abc", NOT_INT),
        ("EXPIRE text 10 NX XX", "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n"),
        ("EXPIRE text 9223372036854775807", "-ERR invalid expire time in 'expire' command\r\n"),
        ("SETRANGE text -1 x", "-ERR offset is out of range\r\n"),
        ("SETRANGE text 536870912 x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n"),
        ("SELECT 16", "-ERR DB index is out of range\r\n"),
        ("SELECT x", "-ERR value is not an integer or out of range\r\n"),
        ("GET text", "$5\r\nhello\r\n"),
        ("TTL text", ":-1\r\n"),
        ("GET top", "$19\r\n9223372036854775807\r\n"),
        ("GET bottom", "$20\r\n-9223372036854775808\r\n"),
        ("DBSIZE", ":3\r\n"),
    ]);
}

#[test]
fn strings_are_cut_joined_and_counted() {
    let server = Server::start(&[]);
    let mut wire = server.connect();
    wire.talk(&[
        ("APPEND s Hello", ":5\r\n"),
        ("APPEND s \" World\"", ":11\r\n"),
        ("STRLEN s", ":11\r\n"),
        ("GETRANGE s -5 -1", "$5\r\nWorld\r\n"),
        ("SETRANGE s 6 Redis", ":11\r\n"),
        ("GET s", "$11\r\nHello Redis\r\n"),
        ("SETRANGE padded 3 x", ":4\r\n"),
        ("GET padded", "$4\r\n\0\0\0x\r\n"),
        ("MSET a 1 b 2 c 3", "+OK\r\n"),
        ("MGET a b nope c", "*4\r\n$1\r\n1\r\n$1\r\n2\r\n$-1\r\n$1\r\n3\r\n"),
        ("MSETNX d 4 a 5", ":0\r\n"),
        ("EXISTS d", ":0\r\n"),
        ("INCRBYFLOAT a 0.5", "$3\r\n1.5\r\n"),
        ("GETDEL a", "$3\r\n1.5\r\n"),
        ("SET b 9 GET", "$1\r\n2\r\n"),
        ("SETNX b 1", ":0\r\n"),
        ("GETSET b 10", "$1\r\n9\r\n"),
        ("SET b 11 IFEQ 10", "+OK\r\n"),
        ("SET b 12 IFEQ 10", "$-1\r\n"),
        ("DELIFEQ b 10", ":0\r\n"),
        ("DELIFEQ b 11", ":1\r\n"),
        ("SET one ohmytext", "+OK\r\n"),
        ("SET two mynewtext", "+OK\r\n"),
        ("LCS one two", "$6\r\nmytext\r\n"),
    ]);
}

#[test]
fn keys_are_found_renamed_copied_and_typed() {
    let server = Server::start(&[]);
    let mut wire = server.connect();
    wire.talk(&[
        ("MSET user:1 a user:2 b other c", "+OK\r\n"),
        ("TYPE user:1", "+string\r\n"),
        ("TYPE none", "+none\r\n"),
        ("RENAME user:2 user:3", "+OK\r\n"),
        ("RENAME user:2 x", "-ERR no such key\r\n"),
        ("RENAMENX user:3 user:1", ":0\r\n"),
        ("COPY user:1 user:4", ":1\r\n"),
        ("COPY user:1 user:4", ":0\r\n"),
        ("COPY other user:4 REPLACE", ":1\r\n"),
        ("MGET user:1 user:3 user:4", "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"),
        ("OBJECT ENCODING user:1", "$6\r\nembstr\r\n"),
        ("TOUCH user:1 none", ":1\r\n"),
        ("UNLINK user:1 user:3", ":2\r\n"),
        ("KEYS user:*", "*1\r\n$6\r\nuser:4\r\n"),
        ("DBSIZE", ":2\r\n"),
    ]);
}

#[test]
fn a_scan_finds_each_of_many_keys() {
    let server = Server::start(&[]);
    let mut wire = server.connect();
    for number in 0..2000 {
        wire.send(format!("SET key:{number} {number}\r\n").as_bytes());
    }
    for _ in 0..2000 {
        wire.expect("+OK\r\n");
    }
    let mut found = std::collections::BTreeSet::new();
    let mut cursor = "0".to_owned();
    loop {
        let crate::harness::Reply::Array(parts) = wire.ask(&format!("SCAN {cursor} COUNT 100")) else {
            panic!("not an array");
        };
        let crate::harness::Reply::Array(keys) = &parts[1] else { panic!("no keys") };
        found.extend(keys.iter().map(crate::harness::Reply::text));
        cursor = parts[0].text();
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(found.len(), 2000);
    assert!(found.contains("key:0") && found.contains("key:1999"));
}
