//! Sorted sets: scores and members in, out, by rank, and at the ends.

use super::script::{Client, run, run_resp3};

#[test]
fn zadd_adds_and_updates_members() {
    run(&[
        ("ZADD k 1 a 2 b 1 a", ":2"),
        ("ZADD k 5 a 3 c", ":1"),
        ("ZADD k CH 5 a 6 b 7 d", ":2"),
        ("ZRANGE k 0 -1 WITHSCORES", "*8 $1 c $1 3 $1 a $1 5 $1 b $1 6 $1 d $1 7"),
        ("ZADD k -0 z inf i -inf j 0x10 x 1.5e3 e", ":5"),
        ("ZMSCORE k z i j x e nope", "*6 $1 0 $3 inf $4 -inf $2 16 $4 1500 $-1"),
        ("ZCARD k", ":9"),
        ("ZCARD nokey", ":0"),
        ("TYPE k", "+zset"),
        ("OBJECT ENCODING k", "$8 listpack"),
    ]);
}

#[test]
fn zadd_obeys_its_conditions() {
    run(&[
        ("ZADD k XX 1 a", ":0"),
        ("EXISTS k", ":0"),
        ("ZADD k XX INCR 1 a", "$-1"),
        ("ZADD k NX 1 a 2 b", ":2"),
        ("ZADD k NX CH 5 a 3 c", ":1"),
        ("ZADD k XX CH 5 a 4 d", ":1"),
        ("ZADD k GT CH 4 a 3 b 1 e", ":2"),
        ("ZADD k LT CH 4 a 4 b 2 f", ":2"),
        ("ZRANGE k 0 -1 WITHSCORES", "*10 $1 e $1 1 $1 f $1 2 $1 b $1 3 $1 c $1 3 $1 a $1 4"),
        ("ZADD k XX GT CH 9 a 9 nope", ":1"),
        ("ZADD k NX INCR 1 a", "$-1"),
        ("ZADD k GT INCR -1 a", "$-1"),
        ("ZADD k GT INCR 1 a", "$2 10"),
        ("ZADD k INCR 0 a", "$2 10"),
        ("ZADD k LT INCR -0.5 new", "$4 -0.5"),
    ]);
}

#[test]
fn zadd_checks_its_arguments_before_it_does_anything() {
    let pair = "-ERR INCR option supports a single increment-element pair";
    let compared = "-ERR GT, LT, and/or NX options at the same time are not compatible";
    run(&[
        ("ZADD k 1", "-ERR wrong number of arguments for 'zadd' command"),
        ("ZADD k NX XX", "-ERR syntax error"),
        ("ZADD k 1 a 2", "-ERR syntax error"),
        ("ZADD k NX XX 1 a", "-ERR XX and NX options at the same time are not compatible"),
        ("ZADD k NX GT 1 a", compared),
        ("ZADD k LT NX 1 a", compared),
        ("ZADD k LT GT 1 a", compared),
        ("ZADD k INCR 1 a 2 b", pair),
        ("ZADD k 1 a nan b", "-ERR value is not a valid float"),
        ("ZADD k 1 a 1e400 b", "-ERR value is not a valid float"),
        (r#"ZADD k "" a"#, "-ERR value is not a valid float"),
        ("EXISTS k", ":0"),
        ("SET s x", "+OK"),
        ("ZADD s x a", "-ERR value is not a valid float"),
        ("ZADD s 1 a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ]);
}

#[test]
fn zincrby_adds_to_a_score() {
    run(&[
        ("ZINCRBY k 2.5 a", "$3 2.5"),
        ("ZINCRBY k -1 a", "$3 1.5"),
        ("ZINCRBY k inf a", "$3 inf"),
        ("ZINCRBY k -inf a", "-ERR resulting score is not a number (NaN)"),
        ("ZINCRBY k x a", "-ERR value is not a valid float"),
        ("ZINCRBY k nx a", "-ERR syntax error"),
        ("ZSCORE k a", "$3 inf"),
    ]);
    run_resp3(&[("ZINCRBY k 1.5 a", ",1.5"), ("ZADD k NX INCR 1 a", "_"), ("ZADD k INCR 1 a", ",2.5")]);
}

#[test]
fn zrem_removes_members_and_with_the_last_one_the_key() {
    run(&[
        ("ZADD k 1 a 2 b 3 c", ":3"),
        ("ZREM k a nope a", ":1"),
        ("ZREM nokey a", ":0"),
        ("ZREM k b c", ":2"),
        ("EXISTS k", ":0"),
        ("SET s x", "+OK"),
        ("ZREM s a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ]);
}

#[test]
fn scores_and_ranks_are_looked_up() {
    run(&[
        ("ZADD k 1.1 a 2 b 3 c", ":3"),
        ("ZSCORE k a", "$3 1.1"),
        ("ZSCORE k nope", "$-1"),
        ("ZSCORE nokey a", "$-1"),
        ("ZMSCORE k a nope", "*2 $3 1.1 $-1"),
        ("ZMSCORE nokey a b", "*2 $-1 $-1"),
        ("ZRANK k b", ":1"),
        ("ZRANK k c WITHSCORE", "*2 :2 $1 3"),
        ("ZREVRANK k c withscore", "*2 :0 $1 3"),
        ("ZREVRANK k a", ":2"),
        ("ZRANK k nope", "$-1"),
        ("ZRANK k nope WITHSCORE", "*-1"),
        ("ZRANK k a x", "-ERR syntax error"),
        ("ZRANK k a WITHSCORE x", "-ERR wrong number of arguments for 'zrank' command"),
        ("ZREVRANK k a WITHSCORE x", "-ERR wrong number of arguments for 'zrevrank' command"),
    ]);
    run_resp3(&[
        ("ZADD k 1.1 a", ":1"),
        ("ZSCORE k a", ",1.1"),
        ("ZSCORE k nope", "_"),
        ("ZMSCORE k a nope", "*2 ,1.1 _"),
        ("ZRANK k a WITHSCORE", "*2 :0 ,1.1"),
        ("ZRANK k nope WITHSCORE", "_"),
    ]);
}

#[test]
fn ranges_are_counted() {
    run(&[
        ("ZADD k 1 a 2 b 3 c", ":3"),
        ("ZCOUNT k -inf +inf", ":3"),
        ("ZCOUNT k (1 2", ":1"),
        ("ZCOUNT k 2 (2", ":0"),
        ("ZCOUNT k 3 1", ":0"),
        ("ZCOUNT nokey 1 2", ":0"),
        ("ZCOUNT k x 2", "-ERR min or max is not a float"),
        ("ZCOUNT k 1 nan", "-ERR min or max is not a float"),
        ("ZADD l 0 a 0 b 0 c", ":3"),
        ("ZLEXCOUNT l - +", ":3"),
        ("ZLEXCOUNT l (a [c", ":2"),
        ("ZLEXCOUNT l + -", ":0"),
        ("ZLEXCOUNT l a +", "-ERR min or max not valid string range item"),
    ]);
}

#[test]
fn zrange_goes_by_rank_score_or_member() {
    run(&[
        ("ZADD k 1 a 2 b 3 c 4 d", ":4"),
        ("ZRANGE k 1 -2", "*2 $1 b $1 c"),
        ("ZRANGE k 0 1 REV WITHSCORES", "*4 $1 d $1 4 $1 c $1 3"),
        ("ZREVRANGE k 2 100", "*2 $1 b $1 a"),
        ("ZRANGE k 3 1", "*0"),
        ("ZRANGE nokey 0 -1", "*0"),
        ("ZRANGE k (1 3 BYSCORE", "*2 $1 b $1 c"),
        ("ZRANGE k +inf (1 BYSCORE REV LIMIT 1 1 WITHSCORES", "*2 $1 c $1 3"),
        ("ZRANGEBYSCORE k -inf +inf LIMIT 1 2", "*2 $1 b $1 c"),
        ("ZRANGEBYSCORE k -inf +inf LIMIT -1 2", "*0"),
        ("ZREVRANGEBYSCORE k 3 2 WITHSCORES", "*4 $1 c $1 3 $1 b $1 2"),
        ("ZADD l 0 a 0 b 0 c", ":3"),
        ("ZRANGE l [b + BYLEX", "*2 $1 b $1 c"),
        ("ZRANGEBYLEX l - (c", "*2 $1 a $1 b"),
        ("ZRANGE l + (a BYLEX REV LIMIT 0 1", "*1 $1 c"),
        ("ZREVRANGEBYLEX l [b -", "*2 $1 b $1 a"),
        ("ZRANGE k 0 1 BYLEX BYSCORE", "-ERR syntax error"),
        (
            "ZRANGE k 0 1 LIMIT 0 1",
            "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
        ),
        (
            "ZRANGEBYLEX l - + WITHSCORES",
            "-ERR syntax error, WITHSCORES not supported in combination with BYLEX",
        ),
        ("ZRANGE k 0 x", "-ERR value is not an integer or out of range"),
        ("ZRANGE k 0 x BYSCORE", "-ERR min or max is not a float"),
    ]);
    run_resp3(&[
        ("ZADD k 1 a 2.5 b", ":2"),
        ("ZRANGE k 0 -1", "*2 $1 a $1 b"),
        ("ZRANGE k 0 -1 WITHSCORES", "*2 *2 $1 a ,1 *2 $1 b ,2.5"),
        ("ZREVRANGEBYSCORE k 2 1 WITHSCORES", "*1 *2 $1 a ,1"),
    ]);
}

#[test]
fn zrangestore_puts_the_range_in_the_place_of_a_key() {
    run(&[
        ("ZADD k 1 a 2 b 3 c", ":3"),
        ("SET d x EX 100", "+OK"),
        ("ZRANGESTORE d k 1 -1", ":2"),
        ("ZRANGE d 0 -1 WITHSCORES", "*4 $1 b $1 2 $1 c $1 3"),
        ("TTL d", ":-1"),
        ("ZRANGESTORE d k +inf -inf BYSCORE REV LIMIT 0 1", ":1"),
        ("ZRANGE d 0 -1", "*1 $1 c"),
        ("ZRANGESTORE d k 0 -1 WITHSCORES", "-ERR syntax error"),
        ("ZRANGESTORE k k 0 0", ":1"),
        ("ZRANGE k 0 -1", "*1 $1 a"),
        ("ZRANGESTORE d nokey 0 -1", ":0"),
        ("EXISTS d", ":0"),
    ]);
}

#[test]
fn ranges_are_removed() {
    run(&[
        ("ZADD k 1 a 2 b 3 c 4 d 5 e 6 f", ":6"),
        ("ZREMRANGEBYRANK k 0 1", ":2"),
        ("ZREMRANGEBYRANK k 5 9", ":0"),
        ("ZREMRANGEBYSCORE k (3 4", ":1"),
        ("ZRANGE k 0 -1", "*3 $1 c $1 e $1 f"),
        ("ZREMRANGEBYSCORE k -inf inf", ":3"),
        ("EXISTS k", ":0"),
        ("ZADD l 0 a 0 b 0 c", ":3"),
        ("ZREMRANGEBYLEX l (a +", ":2"),
        ("ZRANGE l 0 -1", "*1 $1 a"),
        ("ZREMRANGEBYLEX nokey a +", "-ERR min or max not valid string range item"),
        ("ZREMRANGEBYSCORE nokey a 1", "-ERR min or max is not a float"),
        ("ZREMRANGEBYRANK nokey a 1", "-ERR value is not an integer or out of range"),
        ("ZREMRANGEBYRANK nokey 0 1", ":0"),
    ]);
}

#[test]
fn members_are_popped_from_either_end() {
    run(&[
        ("ZADD k 1 a 2 b 3 c 4 d 5 e", ":5"),
        ("ZPOPMIN k", "*2 $1 a $1 1"),
        ("ZPOPMAX k 2", "*4 $1 e $1 5 $1 d $1 4"),
        ("ZPOPMIN k 0", "*0"),
        ("ZPOPMIN k 9223372036854775807", "*4 $1 b $1 2 $1 c $1 3"),
        ("EXISTS k", ":0"),
        ("ZPOPMIN k", "*0"),
        ("ZPOPMIN k -1", "-ERR value is out of range, must be positive"),
        ("ZPOPMIN k 1 1", "-ERR syntax error"),
        ("ZADD k 1 a 2 b 3 c", ":3"),
        ("ZMPOP 2 nokey k MIN", "*2 $1 k *1 *2 $1 a $1 1"),
        ("ZMPOP 1 k MAX COUNT 5", "*2 $1 k *2 *2 $1 c $1 3 *2 $1 b $1 2"),
        ("ZMPOP 1 k MAX", "*-1"),
        ("ZMPOP 0 k MAX", "-ERR numkeys should be greater than 0"),
        ("ZMPOP 1 k MAX COUNT 0", "-ERR count should be greater than 0"),
        ("ZMPOP 2 k MAX", "-ERR syntax error"),
    ]);
    run_resp3(&[
        ("ZADD k 1 a 2 b 3 c 4 d", ":4"),
        ("ZPOPMIN k", "*2 $1 a ,1"),
        ("ZPOPMAX k 1", "*1 *2 $1 d ,4"),
        ("ZMPOP 1 k MIN", "*2 $1 k *1 *2 $1 b ,2"),
        ("ZMPOP 1 nokey MIN", "_"),
    ]);
}

#[test]
fn random_members_are_drawn() {
    run(&[
        ("ZADD k 1 a", ":1"),
        ("ZRANDMEMBER k", "$1 a"),
        ("ZRANDMEMBER k 9223372036854775807", "*1 $1 a"),
        ("ZRANDMEMBER k -2 WITHSCORES", "*4 $1 a $1 1 $1 a $1 1"),
        ("ZRANDMEMBER k 0", "*0"),
        ("ZRANDMEMBER nokey", "$-1"),
        ("ZRANDMEMBER nokey 5", "*0"),
    ]);
    run_resp3(&[("ZADD k 1 a", ":1"), ("ZRANDMEMBER k 1 WITHSCORES", "*1 *2 $1 a ,1")]);
}

#[test]
fn different_random_members_are_different() {
    let mut client = Client::new();
    for number in 0..40 {
        assert_eq!(client.ask(&format!("ZADD k {number} {}", number + 10)), ":1");
    }
    for count in [1, 5, 20, 21, 39, 40, 41] {
        let reply = client.ask(&format!("ZRANDMEMBER k {count}"));
        let mut members: Vec<&str> = reply.split(' ').skip(1).filter(|part| *part != "$2").collect();
        members.sort_unstable();
        members.dedup();
        assert_eq!(members.len(), count.min(40), "{reply}");
    }
}

#[test]
fn zscan_visits_every_member() {
    run(&[
        ("ZADD k 1 a 2.5 b", ":2"),
        ("ZSCAN k 0", "*2 $1 0 *4 $1 a $1 1 $1 b $3 2.5"),
        ("ZSCAN k 0 MATCH b COUNT 1", "*2 $1 0 *2 $1 b $3 2.5"),
        ("ZSCAN k 0 NOSCORES", "*2 $1 0 *2 $1 a $1 b"),
        ("ZSCAN k 0 noscores MATCH b", "*2 $1 0 *1 $1 b"),
        ("ZSCAN nokey 0 nonsense", "*2 $1 0 *0"),
        ("ZSCAN k 0 nonsense", "-ERR syntax error"),
        ("ZSCAN k 0 COUNT 0", "-ERR syntax error"),
        ("ZSCAN nokey x", "-ERR invalid cursor"),
    ]);
    run_resp3(&[("ZADD k 1.5 a", ":1"), ("ZSCAN k 0", "*2 $1 0 *2 $1 a $3 1.5")]);
    let mut client = Client::new();
    for number in 0..500 {
        client.ask(&format!("ZADD k {number} m{number}"));
    }
    let (mut cursor, mut seen) = ("0".to_owned(), 0);
    loop {
        let reply = client.ask(&format!("ZSCAN k {cursor} COUNT 20"));
        let parts: Vec<&str> = reply.split(' ').collect();
        seen += (parts.len() - 4) / 4;
        cursor = parts[2].to_owned();
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(seen, 500);
}

#[test]
fn large_sets_answer_as_small_ones() {
    let mut client = Client::new();
    for number in (0..1000).rev() {
        assert_eq!(client.ask(&format!("ZADD k {} m{number:03}", number / 2)), ":1");
    }
    for (request, reply) in [
        ("OBJECT ENCODING k", "$8 skiplist"),
        ("ZRANK k m500", ":500"),
        ("ZREVRANK k m998", ":1"),
        ("ZRANGE k 998 -1 WITHSCORES", "*4 $4 m998 $3 499 $4 m999 $3 499"),
        ("ZRANGE k (9 10 BYSCORE", "*2 $4 m020 $4 m021"),
        ("ZCOUNT k 100 (200", ":200"),
        ("ZINCRBY k 1000 m500", "$4 1250"),
        ("ZRANK k m500", ":999"),
        ("ZREMRANGEBYSCORE k -inf 399", ":799"),
        ("ZSCORE k m100", "$-1"),
        ("ZSCORE k m900", "$3 450"),
        ("ZPOPMAX k 2", "*4 $4 m500 $4 1250 $4 m999 $3 499"),
        ("ZREM k m999 m998 m997", ":2"),
        ("ZREMRANGEBYRANK k 0 -3", ":195"),
        ("ZRANGE k 0 -1", "*2 $4 m995 $4 m996"),
        ("ZREMRANGEBYRANK k 0 -1", ":2"),
        ("EXISTS k", ":0"),
    ] {
        assert_eq!(client.ask(request), reply, "{request}");
    }
}
