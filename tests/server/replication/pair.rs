//! A primary and its replica, as the scenarios see them.

use crate::harness::{Launch, Reply, Server, Wire, until};

/// How a server is started that keeps its data and follows another.
pub fn replica_of(port: u16, args: &[&str]) -> Launch {
    Launch::persistent(&["-replicaof", &format!("127.0.0.1:{port}")]).with(args)
}

/// Has a server follow another.
pub fn follow(replica: &Server, port: u16) {
    let reply = replica.connect().ask(&format!("REPLICAOF 127.0.0.1 {port}")).text();
    assert!(reply.starts_with("OK"), "{reply}");
}

/// A field of a section of INFO.
pub fn field(wire: &mut Wire, section: &str, name: &str) -> String {
    let text = wire.ask(&format!("INFO {section}")).text();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).trim().to_owned()
}

/// Whether a replica has its primary's log.
pub fn is_up(wire: &mut Wire) -> bool {
    field(wire, "replication", "master_link_status") == "up"
}

/// Writes a marker and waits until the replica has it.
pub fn in_step(primary: &Server, replica: &Server, marker: &str) {
    let (mut to, mut from) = (primary.connect(), replica.connect());
    to.talk(&[(&format!("SET marker {marker}"), "+OK\r\n")]);
    let expected = Reply::Bulk(marker.as_bytes().to_vec());
    until("the replica has the marker", || from.ask("GET marker") == expected);
}

/// Everything that is in database 0, sorted: key, then what it holds.
pub fn contents(server: &Server) -> Vec<(String, String)> {
    let mut wire = server.connect();
    let Reply::Array(keys) = wire.ask("KEYS *") else { panic!("no keys") };
    let mut keys: Vec<_> = keys.iter().map(Reply::text).collect();
    keys.sort();
    let mut found = Vec::new();
    for key in keys {
        let value = match &*wire.ask(&format!("TYPE {key}")).text() {
            "hash" => sorted_pairs(&wire.ask(&format!("HGETALL {key}"))),
            "list" => format!("{:?}", wire.ask(&format!("LRANGE {key} 0 -1"))),
            "set" => sorted(&wire.ask(&format!("SMEMBERS {key}"))),
            "zset" => format!("{:?}", wire.ask(&format!("ZRANGE {key} 0 -1 WITHSCORES"))),
            _ => format!("{:?}", wire.ask(&format!("GET {key}"))),
        };
        found.push((key, value));
    }
    found
}

fn sorted(reply: &Reply) -> String {
    sorted_chunks(reply, 1)
}

fn sorted_pairs(reply: &Reply) -> String {
    sorted_chunks(reply, 2)
}

fn sorted_chunks(reply: &Reply, of: usize) -> String {
    let Reply::Array(items) = reply else { panic!("no elements: {reply:?}") };
    let mut chunks: Vec<_> = items.chunks(of).map(|chunk| format!("{chunk:?}")).collect();
    chunks.sort();
    chunks.concat()
}

/// Writes keys of several types, over and over.
pub fn write_some(wire: &mut Wire, seed: u64, round: usize) {
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
