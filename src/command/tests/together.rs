//! Pipelines whose commands are about one key: each reply, event and count is what it is without company.

use super::script::Client;

/// Asks the same of a client in one pipeline and of another one by one; what both are told must be the same.
fn alike(lines: &[&str]) -> Vec<String> {
    let (mut together, mut alone) = (Client::new(), Client::new());
    let replies = together.ask_together(lines);
    let expected: Vec<_> = lines.iter().map(|line| alone.ask(line)).collect();
    assert_eq!(replies, expected.join(" "));
    let counted = ["INFO commandstats", "INFO errorstats", "INFO stats"];
    for line in counted {
        assert_eq!(figures(&together.ask(line)), figures(&alone.ask(line)), "{line}");
    }
    expected
}

/// The figures that do not depend on time.
fn figures(info: &str) -> Vec<String> {
    let told = |line: &&str| {
        ["cmdstat_", "errorstat_", "keyspace_", "total_commands", "total_error"]
            .iter()
            .any(|name| line.starts_with(name))
    };
    let timeless = |line: &str| {
        let kept = line.split(',').filter(|part| !part.starts_with("usec"));
        kept.collect::<Vec<_>>().join(",")
    };
    info.split(' ').filter(told).map(timeless).collect()
}

#[test]
fn replies_and_counts_are_those_of_single_commands() {
    let replies = alike(&[
        "HSET h a 1 b 2",
        "HSET h a",
        "HSET h a 3",
        "HINCRBY h b 5",
        "HINCRBY h b text",
        "HSETNX h a 4",
        "HGET h a",
        "HGET h none",
        "LPUSH h x",
        "HDEL h a b",
        "HLEN h",
        "HSET h c 1",
        "HMGET h a c",
    ]);
    assert_eq!(replies[8], "-WRONGTYPE Operation against a key holding the wrong kind of value");
    assert_eq!(replies[12], "*2 $-1 $1 1");
}

#[test]
fn lists_sets_sorted_sets_and_counters_go_together_too() {
    alike(&[
        "RPUSH l a b",
        "LPUSH l c",
        "LPOP l",
        "RPOP l",
        "LLEN l",
        "LSET l 7 x",
        "LSET l 0 y",
        "LINDEX l 0",
    ]);
    alike(&["LPUSHX none a", "LPUSHX none b", "LPOP none", "RPUSH none a", "LPOP none 5", "LLEN none"]);
    alike(&["SADD s 1 2 3", "SADD s 3 a", "SISMEMBER s a", "SREM s 1", "SCARD s", "SREM s 2 3 a", "SCARD s"]);
    alike(&[
        "ZADD z 1 a 2 b",
        "ZADD z nan c",
        "ZINCRBY z inf a",
        "ZINCRBY z -inf a",
        "ZRANK z b",
        "ZSCORE z a",
    ]);
    alike(&["INCR n", "INCRBY n 9", "DECR n", "LPUSH n x", "INCRBY n 9223372036854775807", "DECRBY n 4"]);
}

#[test]
fn what_is_between_is_done_between() {
    alike(&[
        "SADD k a",
        "SADD k b",
        "DEL k",
        "SADD k c",
        "EXPIRE k 100",
        "SADD k d",
        "SCARD k",
        "SADD other x",
        "SADD other y",
        "RENAME other k",
        "SADD k z",
        "SCARD k",
        "MULTI",
        "SADD k 1",
        "SADD k 2",
        "EXEC",
        "SADD k 3",
        "SADD k 4",
        "SELECT 1",
        "SADD k 5",
        "SCARD k",
        "EXEC k",
        "SADD k",
        "FLUSHALL",
        "SADD k 6",
        "SCARD k",
    ]);
}

#[test]
fn a_large_collection_is_changed_by_many_pipelines() {
    let mut client = Client::new();
    for round in 0..40 {
        let lines: Vec<_> = (0..64)
            .flat_map(|number| {
                let member = (round * 64 + number) * 7919 % 2000;
                [
                    (0, format!("HSET h f{member} {round}")),
                    (1, format!("ZADD z {number} m{member}")),
                    (2, format!("SADD s m{member}")),
                    (3, format!("LPUSH l e{member}")),
                ]
            })
            .collect();
        for key in 0..4 {
            let lines: Vec<_> =
                lines.iter().filter(|line| line.0 == key).map(|line| line.1.as_str()).collect();
            client.ask_together(&lines);
        }
    }
    let sizes = ["HLEN h", "ZCARD z", "SCARD s", "LLEN l"].map(|line| client.ask(line));
    assert_eq!(sizes, [":2000", ":2000", ":2000", ":2560"]);
    assert_eq!(client.ask("HGET h f0"), "$2 31");
    let last = format!("e{}", (39 * 64 + 63) * 7919 % 2000);
    assert_eq!(client.ask("LINDEX l 0"), format!("${} {last}", last.len()));
}

#[test]
fn replies_that_are_not_wanted_are_not_sent() {
    let mut client = Client::new();
    let lines = ["LPUSH l a", "CLIENT REPLY SKIP", "LPUSH l b", "LPUSH l c", "CLIENT REPLY OFF", "LPUSH l d"];
    assert_eq!(client.ask_together(&lines), ":1 :3");
    assert_eq!(client.ask_together(&["LPUSH l e", "CLIENT REPLY ON", "LLEN l", "LLEN l"]), "+OK :5 :5");
}

#[test]
fn full_memory_refuses_each_command_that_may_grow() {
    let mut client = Client::new();
    client.ask("RPUSH l a b c");
    client.set("maxmemory", "1");
    let full = "-OOM command not allowed when used memory > 'maxmemory'.";
    let replies = client.ask_together(&["RPUSH l d", "LPOP l", "LPOP l", "RPUSH l e", "LLEN l"]);
    assert_eq!(replies, format!("{full} $1 a $1 b {full} :1"));
}

#[test]
fn the_slow_log_has_each_command() {
    let mut client = Client::new();
    client.set("slowlog-log-slower-than", "0");
    client.ask_together(&["SLOWLOG RESET", "INCR n", "INCR n", "INCRBY n 5"]);
    let slow = client.ask("SLOWLOG GET -1");
    assert_eq!(slow.matches("$4 INCR $1 n").count(), 2, "{slow}");
    assert_eq!(slow.matches("$6 INCRBY").count(), 1, "{slow}");
}
