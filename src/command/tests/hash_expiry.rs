//! When the fields of hashes end.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::script::{Client, run};

#[test]
fn fields_are_given_an_end_and_lose_it() {
    run(&[
        ("HSET h a 1 b 2 c 3", ":3"),
        ("OBJECT ENCODING h", "$8 listpack"),
        ("HEXPIRE h 100 FIELDS 2 a x", "*2 :1 :-2"),
        ("OBJECT ENCODING h", "$10 listpackex"),
        ("HTTL h FIELDS 3 a b x", "*3 :100 :-1 :-2"),
        ("HEXPIREAT h 33177117420 FIELDS 1 b", "*1 :1"),
        ("HEXPIRETIME h FIELDS 1 b", "*1 :33177117420"),
        ("HPEXPIREAT h 33177117420501 FIELDS 1 b", "*1 :1"),
        ("HPEXPIRETIME h FIELDS 1 b", "*1 :33177117420501"),
        ("HEXPIRETIME h FIELDS 1 b", "*1 :33177117421"),
        ("HPEXPIRE h 90000 FIELDS 1 c", "*1 :1"),
        ("HTTL h FIELDS 1 c", "*1 :90"),
        ("HPERSIST h FIELDS 4 a a b x", "*4 :1 :-1 :1 :-2"),
        ("HPTTL h FIELDS 2 a b", "*2 :-1 :-1"),
        ("HGETALL h", "*6 $1 a $1 1 $1 b $1 2 $1 c $1 3"),
        ("HEXPIRE nokey 100 FIELDS 2 a b", "*2 :-2 :-2"),
        ("HTTL nokey FIELDS 1 a", "*1 :-2"),
        ("HPERSIST nokey FIELDS 1 a", "*1 :-2"),
        ("EXISTS nokey", ":0"),
    ]);
}

#[test]
fn conditions_hold_for_each_field() {
    run(&[
        ("HSET h a 1 b 2", ":2"),
        ("HEXPIRE h 100 XX FIELDS 1 a", "*1 :0"),
        ("HEXPIRE h 100 GT FIELDS 1 a", "*1 :0"),
        ("HEXPIRE h 100 NX FIELDS 3 a a b", "*3 :1 :0 :1"),
        ("HEXPIRE h 200 gt FIELDS 1 a", "*1 :1"),
        ("HEXPIRE h 150 lt FIELDS 2 a b", "*2 :1 :0"),
        ("HTTL h FIELDS 2 a b", "*2 :150 :100"),
        ("HEXPIRE h 0 GT FIELDS 1 a", "*1 :0"),
        ("HPERSIST h FIELDS 1 a", "*1 :1"),
        ("HEXPIRE h 50 LT FIELDS 1 a", "*1 :1"),
    ]);
}

#[test]
fn a_time_in_the_past_deletes_the_field() {
    run(&[
        ("HSET h a 1 b 2", ":2"),
        ("HEXPIRE h 0 FIELDS 3 a a x", "*3 :2 :-2 :-2"),
        ("HLEN h", ":1"),
        ("HPEXPIREAT h 1 FIELDS 1 b", "*1 :2"),
        ("EXISTS h", ":0"),
    ]);
}

#[test]
fn arguments_are_checked_with_redis_sentences() {
    let mandatory = "-ERR Mandatory argument FIELDS is missing or not at the right position";
    let mismatch = "-ERR The `numfields` parameter must match the number of arguments";
    let positive = "-ERR Number of fields must be a positive integer";
    run(&[
        ("HEXPIRE h x FIELDS 1 a", "-ERR value is not an integer or out of range"),
        ("HEXPIRE h -1 FIELDS 1 a", "-ERR invalid expire time, must be >= 0"),
        ("HEXPIRE h 70368744178 FIELDS 1 a", "-ERR invalid expire time in 'hexpire' command"),
        ("HPEXPIREAT h 70368744177664 FIELDS 1 a", "-ERR invalid expire time in 'hpexpireat' command"),
        ("HEXPIRE h 1 NX XX 1 a", mandatory),
        ("HEXPIRE h 1 ZZ FIELDS 1 a", mandatory),
        ("HEXPIRE h 1 FIELDS 0 a", "-ERR Parameter `numFields` should be greater than 0"),
        ("HEXPIRE h 1 FIELDS 2 a", mismatch),
        ("HEXPIRE h 1 NX FIELDS 1", mismatch),
        ("HTTL h FIELD 1 a", mandatory),
        ("HTTL h FIELDS -1 a", positive),
        ("HTTL h FIELDS 2 a", mismatch),
        ("HPERSIST h FIELDS x a", positive),
        ("HGETDEL h FIELDS 1 a b", mismatch),
        ("HGETDEL h FIELDS 0 a", positive),
        ("HGETEX h EX 1 PX 1 a", mandatory),
        ("HGETEX h EX 1 FIELDS 2 a", mismatch),
        ("HGETEX h EX 0 FIELDS", positive),
        ("HGETEX h PX -1 FIELDS 1 a", "-ERR invalid expire time, must be >= 0"),
    ]);
}

#[test]
fn what_sets_a_field_ends_its_end_and_what_adds_to_it_does_not() {
    run(&[
        ("HSET h a 1 b 1 c 1 d 1", ":4"),
        ("HEXPIRE h 100 FIELDS 4 a b c d", "*4 :1 :1 :1 :1"),
        ("HSET h a 2", ":0"),
        ("HSETNX h b 2", ":0"),
        ("HINCRBY h c 2", ":3"),
        ("HINCRBYFLOAT h d 2", "$1 3"),
        ("HTTL h FIELDS 4 a b c d", "*4 :-1 :100 :100 :100"),
        ("HMSET h b 2", "+OK"),
        ("HTTL h FIELDS 1 b", "*1 :-1"),
    ]);
}

#[test]
fn hgetdel_and_hgetex_answer_and_change() {
    run(&[
        ("HSET h a 1 b 2 c 3", ":3"),
        ("HGETEX h FIELDS 2 a x", "*2 $1 1 $-1"),
        ("HTTL h FIELDS 1 a", "*1 :-1"),
        ("HGETEX h EX 100 FIELDS 2 a x", "*2 $1 1 $-1"),
        ("HGETEX h FIELDS 1 a", "*1 $1 1"),
        ("HTTL h FIELDS 2 a b", "*2 :100 :-1"),
        ("HGETEX h PXAT 33177117420501 FIELDS 1 b", "*1 $1 2"),
        ("HPEXPIRETIME h FIELDS 1 b", "*1 :33177117420501"),
        ("HGETEX h PERSIST FIELDS 2 a c", "*2 $1 1 $1 3"),
        ("HTTL h FIELDS 1 a", "*1 :-1"),
        ("HGETEX h EXAT 1 FIELDS 2 a a", "*2 $1 1 $-1"),
        ("HGETDEL h FIELDS 3 b b x", "*3 $1 2 $-1 $-1"),
        ("HGETALL h", "*2 $1 c $1 3"),
        ("HGETDEL h FIELDS 1 c", "*1 $1 3"),
        ("EXISTS h", ":0"),
        ("HGETDEL h FIELDS 1 c", "*1 $-1"),
        ("HGETEX h PERSIST FIELDS 1 c", "*1 $-1"),
        ("EXISTS h", ":0"),
    ]);
}

#[test]
fn hsetex_sets_all_or_nothing() {
    run(&[
        ("HSETEX h FXX FIELDS 1 a 1", ":0"),
        ("EXISTS h", ":0"),
        ("HSETEX h FNX EX 100 FIELDS 2 a 1 b 2", ":1"),
        ("HTTL h FIELDS 2 a b", "*2 :100 :100"),
        ("HSETEX h FNX FIELDS 2 a 9 c 9", ":0"),
        ("HSETEX h FXX FIELDS 2 a 9 c 9", ":0"),
        ("HGETALL h", "*4 $1 a $1 1 $1 b $1 2"),
        ("HSETEX h KEEPTTL FIELDS 2 a 3 c 4", ":1"),
        ("HTTL h FIELDS 2 a c", "*2 :100 :-1"),
        ("HSETEX h FIELDS 1 a 4", ":1"),
        ("HTTL h FIELDS 1 a", "*1 :-1"),
        ("HSETEX h FXX PXAT 1 FIELDS 2 a 5 b 6", ":1"),
        ("HGETALL h", "*2 $1 c $1 4"),
        ("HSETEX new PXAT 1 FIELDS 1 a 5", ":1"),
        ("EXISTS new", ":0"),
    ]);
}

#[test]
fn rename_and_copy_keep_the_ends_of_fields() {
    run(&[
        ("HSETEX h PXAT 33177117420501 FIELDS 1 a 1", ":1"),
        ("HSET h b 2", ":1"),
        ("RENAME h g", "+OK"),
        ("COPY g f", ":1"),
        ("MOVE g 1", ":1"),
        ("HPEXPIRETIME f FIELDS 2 a b", "*2 :33177117420501 :-1"),
        ("SELECT 1", "+OK"),
        ("HPEXPIRETIME g FIELDS 2 a b", "*2 :33177117420501 :-1"),
    ]);
}

/// Waits until a reply is the expected one, for what the engine does by itself.
fn wait_for(client: &mut Client, request: &str, expected: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while client.ask(request) != expected {
        assert!(Instant::now() < deadline, "{request} does not come to answer {expected}");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_field_that_is_over_is_hidden_before_it_is_removed() {
    let mut client = Client::new();
    client.engine().set_active_expiry(false);
    for request in ["HSET h a 1 b 2 c 3", "HPEXPIRE h 30 FIELDS 2 a b"] {
        client.ask(request);
    }
    sleep(Duration::from_millis(60));
    for (request, reply) in [
        ("HGETALL h", "*2 $1 c $1 3"),
        ("HKEYS h", "*1 $1 c"),
        ("HVALS h", "*1 $1 3"),
        ("HSCAN h 0", "*2 $1 0 *2 $1 c $1 3"),
        ("HMGET h a c", "*2 $-1 $1 3"),
        ("HEXISTS h a", ":0"),
        ("HSTRLEN h a", ":0"),
        ("HTTL h FIELDS 1 a", "*1 :-2"),
        ("HEXPIRE h 10 FIELDS 1 a", "*1 :-2"),
        ("HPERSIST h FIELDS 1 a", "*1 :-2"),
        ("HDEL h a", ":0"),
        ("HRANDFIELD h 5", "*1 $1 c"),
        ("HLEN h", ":3"),
        ("HINCRBY h a 5", ":5"),
        ("HSETNX h b 7", ":1"),
        ("HTTL h FIELDS 2 a b", "*2 :-1 :-1"),
        ("HLEN h", ":3"),
    ] {
        assert_eq!(client.ask(request), reply, "{request}");
    }
}

#[test]
fn fields_are_removed_in_time_and_the_hash_with_the_last() {
    let mut client = Client::new();
    for at in 0..1000 {
        client.ask(&format!("HSET h f{at} {at}"));
    }
    for at in 0..1000 {
        client.ask(&format!("HPEXPIRE h {} FIELDS 1 f{at}", if at < 700 { 50 } else { 600 }));
    }
    wait_for(&mut client, "HLEN h", ":300");
    wait_for(&mut client, "EXISTS h", ":0");
    assert_eq!(client.ask("DBSIZE"), ":0");
}
