//! Unions, intersections and differences of sorted sets, answered and stored.

use super::script::{run, run_resp3};

#[test]
fn unions_have_what_any_has() {
    run(&[
        ("ZADD a 1 x 2 y", ":2"),
        ("ZADD b 10 y 20 z", ":2"),
        ("ZUNION 2 a b", "*3 $1 x $1 y $1 z"),
        ("ZUNION 2 a b WITHSCORES", "*6 $1 x $1 1 $1 y $2 12 $1 z $2 20"),
        ("ZUNION 3 a b nokey WEIGHTS 2 -1 5 WITHSCORES", "*6 $1 z $3 -20 $1 y $2 -6 $1 x $1 2"),
        ("ZUNION 2 a b AGGREGATE MIN WITHSCORES", "*6 $1 x $1 1 $1 y $1 2 $1 z $2 20"),
        ("ZUNION 2 a b AGGREGATE MAX WITHSCORES", "*6 $1 x $1 1 $1 y $2 10 $1 z $2 20"),
        ("ZUNION 2 a b WEIGHTS inf -inf WITHSCORES", "*6 $1 z $4 -inf $1 y $1 0 $1 x $3 inf"),
        ("ZUNION 2 a a WITHSCORES", "*4 $1 x $1 2 $1 y $1 4"),
    ]);
    run_resp3(&[("ZADD a 1 x", ":1"), ("ZUNION 1 a WITHSCORES", "*1 *2 $1 x ,1"), ("ZUNION 1 a", "*1 $1 x")]);
}

#[test]
fn intersections_have_what_all_have() {
    run(&[
        ("ZADD a 1 x 2 y 3 z", ":3"),
        ("ZADD b 10 y 20 z 30 w", ":3"),
        ("ZINTER 2 a b WITHSCORES", "*4 $1 y $2 12 $1 z $2 23"),
        ("ZINTER 2 a b WEIGHTS 0 1 AGGREGATE MAX WITHSCORES", "*4 $1 y $2 10 $1 z $2 20"),
        ("ZINTER 2 a nokey", "*0"),
        ("ZINTERCARD 2 a b", ":2"),
        ("ZINTERCARD 2 a b LIMIT 1", ":1"),
        ("ZINTERCARD 2 a b LIMIT 0", ":2"),
        ("ZINTERCARD 2 a b LIMIT -1", "-ERR LIMIT can't be negative"),
    ]);
}

#[test]
fn differences_have_what_only_the_first_has() {
    run(&[
        ("ZADD a 1 x 2 y 3 z", ":3"),
        ("ZADD b 10 y", ":1"),
        ("ZADD c 1 z 1 p 1 q 1 r", ":4"),
        ("ZDIFF 2 a b WITHSCORES", "*4 $1 x $1 1 $1 z $1 3"),
        ("ZDIFF 3 a b c", "*1 $1 x"),
        ("ZDIFF 1 a", "*3 $1 x $1 y $1 z"),
        ("ZDIFF 2 a a", "*0"),
        ("ZDIFF 2 nokey a", "*0"),
        ("ZDIFF 2 a b WEIGHTS 1 2", "-ERR syntax error"),
    ]);
}

#[test]
fn members_of_a_set_count_as_having_the_score_1() {
    run(&[
        ("ZADD a 1 x 2 y 3 z", ":3"),
        ("SADD s x y w", ":3"),
        ("ZUNION 2 a s WITHSCORES", "*8 $1 w $1 1 $1 x $1 2 $1 y $1 3 $1 z $1 3"),
        ("ZINTER 2 s a WEIGHTS 10 1 WITHSCORES", "*4 $1 x $2 11 $1 y $2 12"),
        ("ZDIFF 2 a s WITHSCORES", "*2 $1 z $1 3"),
        ("ZDIFF 2 s a WITHSCORES", "*2 $1 w $1 1"),
        ("ZINTERCARD 2 a s", ":2"),
        ("ZUNIONSTORE s 1 s WEIGHTS 5", ":3"),
        ("ZRANGE s 0 -1 WITHSCORES", "*6 $1 w $1 5 $1 x $1 5 $1 y $1 5"),
    ]);
}

#[test]
fn results_are_stored() {
    run(&[
        ("ZADD a 1 x 2 y", ":2"),
        ("ZADD b 10 y 20 z", ":2"),
        ("SET d x EX 100", "+OK"),
        ("ZUNIONSTORE d 2 a b", ":3"),
        ("ZRANGE d 0 -1 WITHSCORES", "*6 $1 x $1 1 $1 y $2 12 $1 z $2 20"),
        ("TTL d", ":-1"),
        ("ZINTERSTORE d 2 a b AGGREGATE MIN", ":1"),
        ("ZRANGE d 0 -1 WITHSCORES", "*2 $1 y $1 2"),
        ("ZDIFFSTORE a 2 a b", ":1"),
        ("ZRANGE a 0 -1 WITHSCORES", "*2 $1 x $1 1"),
        ("ZINTERSTORE d 2 a b", ":0"),
        ("EXISTS d", ":0"),
        ("ZUNIONSTORE d 1 a WITHSCORES", "-ERR syntax error"),
    ]);
}

#[test]
fn requests_are_checked_in_this_order_keys_then_options() {
    run(&[
        ("SET s x", "+OK"),
        ("ZUNION 2 s", "-ERR syntax error"),
        ("ZUNION 1 s nonsense", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("ZUNION 1 nokey nonsense", "-ERR syntax error"),
        ("ZUNION x nokey", "-ERR value is not an integer or out of range"),
        ("ZUNION 0 nokey", "-ERR at least 1 input key is needed for 'zunion' command"),
        ("ZINTER 0 nokey", "-ERR at least 1 input key is needed for 'zinter' command"),
        ("ZDIFF 0 nokey", "-ERR at least 1 input key is needed for 'zdiff' command"),
        ("ZINTERCARD 0 nokey", "-ERR at least 1 input key is needed for 'zintercard' command"),
        ("ZUNIONSTORE d 0 nokey", "-ERR at least 1 input key is needed for 'zunionstore' command"),
        ("ZUNIONSTORE d 1 nokey WEIGHTS x", "-ERR weight value is not a float"),
        ("ZUNIONSTORE d 1 nokey WEIGHTS 1 AGGREGATE avg", "-ERR syntax error"),
    ]);
}
