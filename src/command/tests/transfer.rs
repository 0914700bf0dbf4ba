//! DUMP and RESTORE. The payloads are Redis 7.0's.

use std::thread::sleep;
use std::time::Duration;

use super::script::{Client, run};
use crate::resp::OwnedRequest;

const STRING: &str = r#""\x00\x05hello\x0a\x00\x63\x72\xdf\x76\x65\x34\x20\x0a""#;
const INTEGER: &str = r#""\x00\xc1\x39\x30\x0a\x00\x9d\x94\xea\x27\x93\xfc\x08\xb9""#;
const LIST: &str = concat!(
    r#""\x12\x01\x02\x10\x10\x00\x00\x00\x03\x00\x81\x61\x02\x01\x01\x82\x62\x62\x03\xff"#,
    r#"\x0a\x00\xdf\x0a\xf3\x10\xbe\x9d\x9e\x9d""#
);
const INTSET: &str = concat!(
    r#""\x0b\x0e\x02\x00\x00\x00\x03\x00\x00\x00\x01\x00\x02\x00\x2c\x01"#,
    r#"\x0a\x00\xe5\x10\xb2\x8e\x7b\x95\x29\xaa""#
);
const SET: &str = r#""\x02\x01\x01x\x0a\x00\xff\xe8\x80\xba\x76\x0c\x2f\x09""#;
const HASH: &str = concat!(
    r#""\x10\x12\x12\x00\x00\x00\x04\x00\x81\x66\x02\x81\x76\x02\x81\x6e\x02\x07\x01\xff"#,
    r#"\x0a\x00\xb8\x2a\xde\xa8\x40\x7f\xfa\xa8""#
);
const SORTED_SET: &str = concat!(
    r#""\x11\x14\x14\x00\x00\x00\x04\x00\x81\x61\x02\x01\x01\x81\x62\x02\x83\x32\x2e\x35\x04\xff"#,
    r#"\x0a\x00\xd4\x4c\x6e\xa4\xf6\x44\xd9\xd7""#
);

/// A whole payload of a type that this server does not have.
const STREAM: &[u8] =
    b"\x13\x01\x10\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x1c\x1c\x00\
    \x00\x00\x0a\x00\x01\x01\x00\x01\x01\x01\x81\x61\x02\x00\x01\x02\x01\x00\x01\x00\x01\x01\
    \x01\x04\x01\xff\x01\x01\x01\x01\x01\x00\x00\x01\x00\x0a\x00\x29\x7d\x78\x0f\xd8\x8a\xa6\
    \x2c";

#[test]
fn values_of_redis_are_restored() {
    let mut client = Client::new();
    for (key, payload, kind, encoding) in [
        ("string", STRING, "string", "embstr"),
        ("integer", INTEGER, "string", "int"),
        ("list", LIST, "list", "listpack"),
        ("intset", INTSET, "set", "intset"),
        ("set", SET, "set", "listpack"),
        ("hash", HASH, "hash", "listpack"),
        ("zset", SORTED_SET, "zset", "listpack"),
    ] {
        assert_eq!(client.ask(&format!("RESTORE {key} 0 {payload}")), "+OK");
        assert_eq!(client.ask(&format!("TYPE {key}")), format!("+{kind}"));
        let told = client.ask(&format!("OBJECT ENCODING {key}"));
        assert_eq!(told, format!("${} {encoding}", encoding.len()), "{key}");
        assert_eq!(client.ask(&format!("PTTL {key}")), ":-1");
    }
    assert_eq!(client.ask("GET string"), "$5 hello");
    assert_eq!(client.ask("GET integer"), "$5 12345");
    assert_eq!(client.ask("HGETALL hash"), "*4 $1 f $1 v $1 n $1 7");
}

/// The payload of a key.
fn dump(client: &mut Client, key: &str) -> Vec<u8> {
    let request: OwnedRequest = ["DUMP", key].into_iter().collect();
    let reply = client.call(request.as_args());
    let start = reply.iter().position(|byte| *byte == b'\n').expect("a head") + 1;
    reply[start..reply.len() - 2].to_vec()
}

#[test]
fn a_dump_is_restored_and_dumps_alike() {
    let mut client = Client::new();
    client.ask(&format!("RESTORE list 0 {LIST}"));
    client.ask(&format!("RESTORE zset 0 {SORTED_SET}"));
    client.ask(
        "SET string 'some text that is repeated, some text that is repeated, some text that is repeated'",
    );
    client.ask("SET integer -7");
    for at in 0..600 {
        client.ask(&format!("HSET hash field:{at} {at}"));
    }
    client.ask("HPEXPIREAT hash 33177117420501 FIELDS 1 field:7");
    for key in ["list", "zset", "string", "integer", "hash"] {
        let payload = dump(&mut client, key);
        let request: OwnedRequest =
            [b"RESTORE".as_slice(), b"copy", b"0", &payload, b"REPLACE"].into_iter().collect();
        assert_eq!(client.call(request.as_args()), b"+OK\r\n", "{key}");
        assert_eq!(dump(&mut client, "copy"), payload, "{key}");
    }
    assert_eq!(client.ask("HLEN copy"), ":600");
    assert_eq!(client.ask("HPEXPIRETIME copy FIELDS 2 field:7 field:8"), "*2 :33177117420501 :-1");
    assert_eq!(client.ask("DUMP nokey"), "$-1");
}

#[test]
fn a_key_that_is_there_is_replaced_only_if_asked() {
    run(&[
        ("SET k old", "+OK"),
        (&format!("RESTORE k 0 {STRING}"), "-BUSYKEY Target key name already exists."),
        (&format!("RESTORE k x {STRING}"), "-BUSYKEY Target key name already exists."),
        (&format!("RESTORE k x {STRING} XX"), "-ERR syntax error"),
        ("GET k", "$3 old"),
        (&format!("RESTORE k 100000 {STRING} replace"), "+OK"),
        ("GET k", "$5 hello"),
        ("TTL k", ":100"),
        (&format!("RESTORE k 33177117420501 {INTEGER} ABSTTL REPLACE"), "+OK"),
        ("PEXPIRETIME k", ":33177117420501"),
        (&format!("RESTORE k 0 {INTEGER} REPLACE"), "+OK"),
        ("PTTL k", ":-1"),
        (&format!("RESTORE k 1 {INTEGER} ABSTTL REPLACE"), "+OK"),
        ("EXISTS k", ":0"),
        (&format!("RESTORE k 1 {INTEGER} ABSTTL"), "+OK"),
        ("EXISTS k", ":0"),
        (&format!("RESTORE k -1 {INTEGER}"), "-ERR Invalid TTL value, must be >= 0"),
        (&format!("RESTORE k x {INTEGER}"), "-ERR value is not an integer or out of range"),
    ]);
}

#[test]
fn how_a_key_was_used_is_restored_where_that_is_counted() {
    let mut client = Client::new();
    client.ask(&format!("RESTORE k 0 {STRING} IDLETIME 1000 FREQ 1"));
    assert_eq!(client.ask("EXISTS k"), ":0");
    client.ask(&format!("RESTORE k 0 {STRING} IDLETIME 1000"));
    let idle = client.ask("OBJECT IDLETIME k");
    assert!([":1000", ":1001", ":1002"].contains(&&*idle), "{idle}");
    client.ask(&format!("RESTORE k 0 {STRING} REPLACE FREQ 100"));
    assert_eq!(client.ask("GET k"), "$5 hello");
}

#[test]
fn damaged_payloads_are_refused_and_change_nothing() {
    let wrong = "-ERR DUMP payload version or checksum are wrong";
    let mut client = Client::new();
    client.ask("SET k old");
    let payload = {
        client.ask(&format!("RESTORE hash 0 {HASH}"));
        dump(&mut client, "hash")
    };
    let mut restore = |payload: &[u8]| {
        let request: OwnedRequest =
            [b"RESTORE".as_slice(), b"k", b"0", payload, b"REPLACE"].into_iter().collect();
        String::from_utf8_lossy(&client.call(request.as_args())).trim_end().to_owned()
    };
    for at in 0..payload.len() {
        let mut damaged = payload.clone();
        damaged[at] ^= 0x10;
        assert_eq!(restore(&damaged), wrong, "byte {at}");
        assert_eq!(restore(&payload[..at]), wrong, "{at} bytes");
    }
    assert_eq!(restore(STREAM), "-ERR Bad data format");
    assert_eq!(client.ask("GET k"), "$3 old");
}

#[test]
fn fields_that_are_over_are_not_dumped() {
    let mut client = Client::new();
    client.engine().set_active_expiry(false);
    client.ask("HSET h a 1 b 2");
    client.ask("HPEXPIRE h 20 FIELDS 1 a");
    sleep(Duration::from_millis(50));
    let payload = dump(&mut client, "h");
    let request: OwnedRequest = [b"RESTORE".as_slice(), b"copy", b"0", &payload].into_iter().collect();
    assert_eq!(client.call(request.as_args()), b"+OK\r\n");
    assert_eq!(client.ask("HLEN copy"), ":1");
    client.ask("HPEXPIRE h 20 FIELDS 1 b");
    sleep(Duration::from_millis(50));
    assert_eq!(client.ask("DUMP h"), "$-1");
}
