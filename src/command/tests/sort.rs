//! SORT and `SORT_RO`.

use super::script::{Client, run, run_resp3};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const NO_NUMBER: &str = "-ERR One or more scores can't be converted into double";

#[test]
fn numbers_are_sorted_as_numbers_and_else_by_their_bytes() {
    run(&[
        ("SADD s 10 9 -1 3.5 3.50", ":5"),
        ("SORT s", "*5 $2 -1 $3 3.5 $4 3.50 $1 9 $2 10"),
        ("SORT s DESC", "*5 $2 10 $1 9 $4 3.50 $3 3.5 $2 -1"),
        ("SORT s ALPHA", "*5 $2 -1 $2 10 $3 3.5 $4 3.50 $1 9"),
        ("SORT_RO s ALPHA DESC LIMIT 1 2", "*2 $4 3.50 $3 3.5"),
        ("SORT s LIMIT 0 2", "*2 $2 -1 $3 3.5"),
        ("SORT s LIMIT 4 10", "*1 $2 10"),
        ("SORT s LIMIT 5 1", "*0"),
        ("SORT s LIMIT 1 0", "*0"),
        ("SORT s LIMIT -3 1", "*1 $2 -1"),
        ("SADD s x", ":1"),
        ("SORT s", NO_NUMBER),
        ("SORT s LIMIT 0 0", NO_NUMBER),
        ("SORT nokey", "*0"),
        ("SET str x", "+OK"),
        ("SORT str", WRONG_TYPE),
        ("SORT str FOO", "-ERR syntax error"),
        ("SORT s LIMIT x 1", "-ERR value is not an integer or out of range"),
        ("SORT_RO s STORE d", "-ERR syntax error"),
    ]);
}

#[test]
fn weights_and_values_are_those_of_other_keys() {
    run(&[
        ("SADD s 1 2 3", ":3"),
        ("MSET w1 30 w2 20 w3 10 v1 a v3 c", "+OK"),
        ("SORT s BY w*", "*3 $1 3 $1 2 $1 1"),
        ("SORT s BY w* GET v* GET #", "*6 $1 c $1 3 $-1 $1 2 $1 a $1 1"),
        ("SORT s GET nostar GET v*x->", "*6 $-1 $-1 $-1 $-1 $-1 $-1"),
        ("SORT s BY nokey* DESC", "*3 $1 3 $1 2 $1 1"),
        ("SORT s BY v*", NO_NUMBER),
        ("SORT s BY v* ALPHA", "*3 $1 2 $1 1 $1 3"),
        ("SORT s BY v* ALPHA DESC", "*3 $1 3 $1 1 $1 2"),
        ("SORT s BY s*", "*3 $1 1 $1 2 $1 3"),
        ("SET w1 5e", "+OK"),
        ("SORT s BY w*", NO_NUMBER),
        (r#"SET w1 """#, "+OK"),
        ("SORT s BY w*", "*3 $1 1 $1 3 $1 2"),
    ]);
    run_resp3(&[("SADD s 1", ":1"), ("SORT s GET v*", "*1 _")]);
}

#[test]
fn what_is_sorted_may_be_stored_as_a_list() {
    run(&[
        ("SADD s 3 1 2", ":3"),
        ("SET v1 a", "+OK"),
        ("SORT s STORE d", ":3"),
        ("TYPE d", "+list"),
        ("SORT d BY nosort", "*3 $1 1 $1 2 $1 3"),
        ("SORT d BY nosort DESC LIMIT 0 2", "*2 $1 3 $1 2"),
        ("SORT d BY nosort LIMIT 1 5", "*2 $1 2 $1 3"),
        ("SORT s GET v* STORE d", ":3"),
        ("SORT d BY nosort", "*3 $1 a $0  $0"),
        ("EXPIRE s 100", ":1"),
        ("SORT s DESC STORE s", ":3"),
        ("TTL s", ":-1"),
        ("SORT s BY nosort", "*3 $1 3 $1 2 $1 1"),
        ("SORT s LIMIT 9 1 STORE d", ":0"),
        ("EXISTS d", ":0"),
        ("SORT nokey STORE s", ":0"),
        ("EXISTS s", ":0"),
        ("SADD s b c a", ":3"),
        ("SORT s BY nosort STORE d", ":3"),
        ("SORT d BY nosort", "*3 $1 a $1 b $1 c"),
    ]);
}

#[test]
fn a_part_of_many_is_what_the_whole_has_there() {
    let mut client = Client::new();
    for number in 0..700_u32 {
        client.ask(&format!("SADD s {}", number.wrapping_mul(2_654_435_761) % 100_000));
    }
    for order in ["", "DESC", "ALPHA"] {
        let all = client.ask(&format!("SORT s {order}"));
        let all: Vec<&str> = all.split(' ').skip(2).step_by(2).collect();
        for (offset, count) in [(0, 10), (5, 100), (690, 10), (699, 5)] {
            let part = client.ask(&format!("SORT s {order} LIMIT {offset} {count}"));
            let part: Vec<&str> = part.split(' ').skip(2).step_by(2).collect();
            assert_eq!(part, all[offset..all.len().min(offset + count)], "{order} {offset} {count}");
        }
    }
}

#[test]
fn lists_and_sorted_sets_have_an_order_of_their_own() {
    run(&[
        ("RPUSH l 3 1 2 10 1", ":5"),
        ("SORT l", "*5 $1 1 $1 1 $1 2 $1 3 $2 10"),
        ("SORT l BY nosort DESC LIMIT 1 2", "*2 $2 10 $1 2"),
        ("SORT l BY nosort LIMIT 3 10", "*2 $2 10 $1 1"),
        ("SORT l STORE l", ":5"),
        ("LRANGE l 0 -1", "*5 $1 1 $1 1 $1 2 $1 3 $2 10"),
        ("ZADD z 1 c 3 a 2 b 4 d", ":4"),
        ("SORT z ALPHA DESC", "*4 $1 d $1 c $1 b $1 a"),
        ("SORT z BY nosort", "*4 $1 c $1 b $1 a $1 d"),
        ("SORT z BY nosort DESC LIMIT 1 2", "*2 $1 a $1 b"),
        ("SORT z BY nosort LIMIT 1 1 STORE l", ":1"),
        ("LRANGE l 0 -1", "*1 $1 b"),
        ("HSET h f v", ":1"),
        ("SORT h", WRONG_TYPE),
    ]);
}

#[test]
fn weights_and_values_may_be_fields_of_hashes() {
    run(&[
        ("RPUSH l 3 1 2", ":3"),
        ("HSET h1 w 30 n one", ":2"),
        ("HSET h2 w 20", ":1"),
        ("HSET h3 w 10 n three", ":2"),
        ("SORT l BY h*->w", "*3 $1 3 $1 2 $1 1"),
        ("SORT l BY h*->w GET h*->n GET #", "*6 $5 three $1 3 $-1 $1 2 $3 one $1 1"),
        ("SORT l BY h*->n ALPHA", "*3 $1 2 $1 1 $1 3"),
        ("SORT l BY h*->n", NO_NUMBER),
        ("SORT l GET h*", "*3 $-1 $-1 $-1"),
        ("SORT l GET h*->", "*3 $-1 $-1 $-1"),
        ("SORT l BY h*->w GET h*->n STORE d", ":3"),
        ("LRANGE d 0 -1", "*3 $5 three $0  $3 one"),
    ]);
}
