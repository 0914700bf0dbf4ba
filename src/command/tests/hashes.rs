//! Hashes, but for the ends of their fields.

use super::script::{Client, run, run_resp3};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";

#[test]
fn hset_tells_how_many_fields_are_new() {
    run(&[
        ("HSET h a 1 b 2", ":2"),
        ("HSET h a 3 c 4 c 5", ":1"),
        ("HMGET h a b c d", "*4 $1 3 $1 2 $1 5 $-1"),
        ("HMSET h a 9 d 8", "+OK"),
        ("HLEN h", ":4"),
        ("HGET h a", "$1 9"),
        ("HGET h nofield", "$-1"),
        ("HGET nokey a", "$-1"),
        ("HMGET nokey a b", "*2 $-1 $-1"),
        ("TYPE h", "+hash"),
        ("OBJECT ENCODING h", "$8 listpack"),
        ("HSET h a", "-ERR wrong number of arguments for 'hset' command"),
        ("HSET h a 1 b", "-ERR wrong number of arguments for 'hset' command"),
        ("HMSET h a 1 b", "-ERR wrong number of arguments for 'hmset' command"),
        ("HSET h", "-ERR wrong number of arguments for 'hset' command"),
        ("HLEN h", ":4"),
    ]);
}

#[test]
fn hsetnx_sets_what_is_not_there() {
    run(&[
        ("HSETNX h a 1", ":1"),
        ("HSETNX h a 2", ":0"),
        ("HGET h a", "$1 1"),
        ("HSETNX h '' empty", ":1"),
        ("HGET h ''", "$5 empty"),
    ]);
}

#[test]
fn hdel_deletes_fields_and_with_the_last_the_key() {
    run(&[
        ("HSET h a 1 b 2 c 3", ":3"),
        ("EXPIRE h 100", ":1"),
        ("HDEL h x", ":0"),
        ("HDEL h a a x b", ":2"),
        ("HGETALL h", "*2 $1 c $1 3"),
        ("TTL h", ":100"),
        ("HDEL h c d", ":1"),
        ("EXISTS h", ":0"),
        ("HDEL h c", ":0"),
        ("HSET h a 1", ":1"),
        ("TTL h", ":-1"),
    ]);
}

#[test]
fn lengths_and_presence_are_told() {
    run(&[
        ("HSET h a hello n 12345 e ''", ":3"),
        ("HSTRLEN h a", ":5"),
        ("HSTRLEN h n", ":5"),
        ("HSTRLEN h e", ":0"),
        ("HSTRLEN h nofield", ":0"),
        ("HSTRLEN nokey a", ":0"),
        ("HEXISTS h e", ":1"),
        ("HEXISTS h nofield", ":0"),
        ("HEXISTS nokey a", ":0"),
        ("HLEN nokey", ":0"),
    ]);
}

#[test]
fn whole_hashes_are_maps_in_resp3_and_their_halves_arrays() {
    let ask =
        ["HSET h a 1 b 2", "HGETALL h", "HKEYS h", "HVALS h", "HGETALL nokey", "HKEYS nokey", "HVALS nokey"];
    let resp2 = [":2", "*4 $1 a $1 1 $1 b $1 2", "*2 $1 a $1 b", "*2 $1 1 $1 2", "*0", "*0", "*0"];
    let resp3 = [":2", "%2 $1 a $1 1 $1 b $1 2", "*2 $1 a $1 b", "*2 $1 1 $1 2", "%0", "*0", "*0"];
    run(&ask.into_iter().zip(resp2).collect::<Vec<_>>());
    run_resp3(&ask.into_iter().zip(resp3).collect::<Vec<_>>());
    run_resp3(&[("HGET nokey a", "_"), ("HMGET nokey a", "*1 _"), ("HRANDFIELD nokey", "_")]);
}

#[test]
fn hincrby_adds_and_refuses_as_redis_does() {
    run(&[
        ("HINCRBY h n 5", ":5"),
        ("HINCRBY h n -7", ":-2"),
        ("HGET h n", "$2 -2"),
        ("HSET h max 9223372036854775807 text x space ' 1' float 1.5", ":4"),
        ("HINCRBY h max 1", "-ERR increment or decrement would overflow"),
        ("HINCRBY h text 1", "-ERR hash value is not an integer"),
        ("HINCRBY h space 1", "-ERR hash value is not an integer"),
        ("HINCRBY h float 1", "-ERR hash value is not an integer"),
        ("HINCRBY h n 1.5", "-ERR value is not an integer or out of range"),
        ("HINCRBY h n 9223372036854775808", "-ERR value is not an integer or out of range"),
        ("HINCRBY new n 9x", "-ERR value is not an integer or out of range"),
        ("EXISTS new", ":0"),
    ]);
}

#[test]
fn hincrbyfloat_adds_and_refuses_as_redis_does() {
    run(&[
        ("HINCRBYFLOAT h n 10.5", "$4 10.5"),
        ("HINCRBYFLOAT h n 0.1", "$4 10.6"),
        ("HINCRBYFLOAT h n 5e3", "$6 5010.6"),
        ("HSET h text x space '1 '", ":2"),
        ("HINCRBYFLOAT h text 1", "-ERR hash value is not a float"),
        ("HINCRBYFLOAT h space 1", "-ERR hash value is not a float"),
        ("HINCRBYFLOAT h n x", "-ERR value is not a valid float"),
        ("HINCRBYFLOAT h n nan", "-ERR value is not a valid float"),
        ("HINCRBYFLOAT h n inf", "-ERR value is NaN or Infinity"),
        ("HINCRBYFLOAT new n -inf", "-ERR value is NaN or Infinity"),
        ("EXISTS new", ":0"),
        ("HGET h n", "$6 5010.6"),
    ]);
}

#[test]
fn another_type_is_refused() {
    let mut client = Client::new();
    client.ask("SET s x");
    for request in [
        "HSET s a 1",
        "HSETNX s a 1",
        "HMSET s a 1",
        "HGET s a",
        "HMGET s a",
        "HGETALL s",
        "HKEYS s",
        "HVALS s",
        "HDEL s a",
        "HLEN s",
        "HSTRLEN s a",
        "HEXISTS s a",
        "HINCRBY s a 1",
        "HINCRBYFLOAT s a 1",
        "HSCAN s 0",
        "HRANDFIELD s",
        "HRANDFIELD s 1",
        "HGETDEL s FIELDS 1 a",
        "HGETDEL s x 1 a",
        "HGETEX s FIELDS 1 a",
        "HSETEX s FIELDS 1 a 1",
        "HEXPIRE s 1 FIELDS 1 a",
        "HPEXPIREAT s x FIELDS 1 a",
        "HPERSIST s FIELDS 1 a",
        "HTTL s FIELDS 1 a",
        "HPEXPIRETIME s x 0 a",
    ] {
        assert_eq!(client.ask(request), WRONG_TYPE, "{request}");
    }
    assert_eq!(client.ask("GET s"), "$1 x");
}

#[test]
fn hscan_answers_a_small_hash_whole() {
    run(&[
        ("HSCAN nokey 0", "*2 $1 0 *0"),
        ("HSCAN nokey 0 nonsense", "*2 $1 0 *0"),
        ("HSCAN nokey x", "-ERR invalid cursor"),
        ("HSET h a1 1 a2 2 b1 3", ":3"),
        ("HSCAN h 0 COUNT 1", "*2 $1 0 *6 $2 a1 $1 1 $2 a2 $1 2 $2 b1 $1 3"),
        ("HSCAN h 0 MATCH a*", "*2 $1 0 *4 $2 a1 $1 1 $2 a2 $1 2"),
        ("HSCAN h 0 MATCH a* NOVALUES", "*2 $1 0 *2 $2 a1 $2 a2"),
        ("HSCAN h 0 COUNT 0", "-ERR syntax error"),
        ("HSCAN h 0 COUNT", "-ERR syntax error"),
        ("HSCAN h 0 TYPE hash", "-ERR syntax error"),
        ("HSCAN h 0 COUNT x", "-ERR value is not an integer or out of range"),
    ]);
}

/// A client with a hash of fields `f0` to `f<count - 1>`.
fn with_fields(count: usize) -> Client {
    let mut client = Client::new();
    for at in 0..count {
        client.ask(&format!("HSET h f{at} {at}"));
    }
    client
}

#[test]
fn hscan_walks_a_large_hash_and_misses_nothing() {
    let mut client = with_fields(2000);
    assert_eq!(client.ask("OBJECT ENCODING h"), "$9 hashtable");
    let (mut cursor, mut seen) = ("0".to_owned(), std::collections::BTreeSet::new());
    loop {
        let reply = client.ask(&format!("HSCAN h {cursor} COUNT 50 NOVALUES"));
        let words: Vec<&str> = reply.split_whitespace().collect();
        assert!(words.len() < 2 * 60, "{reply}");
        seen.extend(words[5..].iter().step_by(2).map(|&field| field.to_owned()));
        cursor = words[2].to_owned();
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(seen.len(), 2000);
}

#[test]
fn hrandfield_draws_as_the_sign_says() {
    let mut client = with_fields(1000);
    let mut fields = |request: &str| {
        let reply = client.ask(request);
        let words = reply.split_whitespace().filter(|word| word.starts_with('f'));
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(fields("HRANDFIELD h").len(), 1);
    for (count, expected) in [(0, 0), (1, 1), (10, 10), (600, 600), (999, 999), (1000, 1000), (5000, 1000)] {
        let mut drawn = fields(&format!("HRANDFIELD h {count}"));
        assert_eq!(drawn.len(), expected, "{count}");
        drawn.sort();
        drawn.dedup();
        assert_eq!(drawn.len(), expected, "{count}");
    }
    assert_eq!(fields("HRANDFIELD h -3000").len(), 3000);
    assert_eq!(fields("HRANDFIELD h -5 WITHVALUES").len(), 5);
}

#[test]
fn hrandfield_answers_pairs_by_the_protocol() {
    let script = |values: &'static str| {
        [
            ("HSET h a 1", ":1"),
            ("HRANDFIELD h 5 withvalues", values),
            ("HRANDFIELD h -1 WITHVALUES", values),
            ("HRANDFIELD h 1", "*1 $1 a"),
            ("HRANDFIELD h 0", "*0"),
            ("HRANDFIELD nokey 5", "*0"),
            ("HRANDFIELD h 5 x", "-ERR syntax error"),
            ("HRANDFIELD h x x", "-ERR value is not an integer or out of range"),
        ]
    };
    run(&script("*2 $1 a $1 1"));
    run_resp3(&script("*1 *2 $1 a $1 1"));
}

#[test]
fn a_transaction_sees_its_own_fields() {
    run(&[
        ("MULTI", "+OK"),
        ("HSET h a 1 b 2", "+QUEUED"),
        ("HDEL h a", "+QUEUED"),
        ("HINCRBY h b 5", "+QUEUED"),
        ("HGETALL h", "+QUEUED"),
        ("HDEL h b", "+QUEUED"),
        ("EXISTS h", "+QUEUED"),
        ("EXEC", "*6 :2 :1 :7 *2 $1 b $1 7 :1 :0"),
    ]);
}
