//! Lists.

use super::script::{Client, run, run_resp3};

#[test]
fn elements_are_added_and_taken_at_both_ends() {
    run(&[
        ("LPUSH l a b c", ":3"),
        ("RPUSH l d", ":4"),
        ("LRANGE l 0 -1", "*4 $1 c $1 b $1 a $1 d"),
        ("LLEN l", ":4"),
        ("LPOP l", "$1 c"),
        ("RPOP l", "$1 d"),
        ("LPOP l 0", "*0"),
        ("RPOP l 5", "*2 $1 a $1 b"),
        ("EXISTS l", ":0"),
        ("LPOP l", "$-1"),
        ("LPOP l 1", "*-1"),
        ("LPOP l 0", "*-1"),
        ("RPUSHX l x", ":0"),
        ("LPUSHX l x", ":0"),
        ("EXISTS l", ":0"),
        ("RPUSH l a", ":1"),
        ("RPUSHX l b c", ":3"),
        ("LPUSHX l z y", ":5"),
        ("LRANGE l 0 -1", "*5 $1 y $1 z $1 a $1 b $1 c"),
        ("LPOP l 2", "*2 $1 y $1 z"),
        ("LPOP l -1", "-ERR value is out of range, must be positive"),
        ("LPOP l x", "-ERR value is out of range, must be positive"),
        ("LPOP l 1 2", "-ERR wrong number of arguments for 'lpop' command"),
        ("RPOP l 9223372036854775807", "*3 $1 c $1 b $1 a"),
        ("TYPE l", "+none"),
    ]);
}

#[test]
fn absence_is_the_one_null_of_resp3() {
    run_resp3(&[
        ("LPOP l", "_"),
        ("LPOP l 1", "_"),
        ("LMPOP 1 l LEFT", "_"),
        ("LMOVE l l LEFT RIGHT", "_"),
        ("LPOS l x", "_"),
        ("LINDEX l x", "_"),
        ("LRANGE l 0 1", "*0"),
        ("LPOS l x COUNT 0", "*0"),
    ]);
}

#[test]
fn positions_count_from_either_end() {
    run(&[
        ("RPUSH l a b c", ":3"),
        ("LINDEX l 0", "$1 a"),
        ("LINDEX l -1", "$1 c"),
        ("LINDEX l 3", "$-1"),
        ("LINDEX l -4", "$-1"),
        ("LINDEX l x", "-ERR value is not an integer or out of range"),
        ("LINDEX nokey x", "$-1"),
        ("LRANGE l 1 1", "*1 $1 b"),
        ("LRANGE l -2 -1", "*2 $1 b $1 c"),
        ("LRANGE l -100 0", "*1 $1 a"),
        ("LRANGE l 2 1", "*0"),
        ("LRANGE l 3 100", "*0"),
        ("LRANGE l 0 -9", "*0"),
        ("LRANGE nokey x 1", "-ERR value is not an integer or out of range"),
        ("LSET l 1 B", "+OK"),
        ("LSET l -1 C", "+OK"),
        ("LSET l 3 D", "-ERR index out of range"),
        ("LSET l x D", "-ERR value is not an integer or out of range"),
        ("LSET nokey x D", "-ERR no such key"),
        ("LRANGE l 0 -1", "*3 $1 a $1 B $1 C"),
    ]);
}

#[test]
fn lists_are_changed_in_the_middle() {
    run(&[
        ("RPUSH l a b a c a a", ":6"),
        ("LINSERT l before b x", ":7"),
        ("LINSERT l AFTER c y", ":8"),
        ("LINSERT l AFTER nothing y", ":-1"),
        ("LINSERT l beside c y", "-ERR syntax error"),
        ("LINSERT nokey AFTER c y", ":0"),
        ("LRANGE l 0 -1", "*8 $1 a $1 x $1 b $1 a $1 c $1 y $1 a $1 a"),
        ("LREM l -2 a", ":2"),
        ("LRANGE l 0 -1", "*6 $1 a $1 x $1 b $1 a $1 c $1 y"),
        ("LREM l 1 a", ":1"),
        ("LRANGE l 0 -1", "*5 $1 x $1 b $1 a $1 c $1 y"),
        ("LREM l 0 nothing", ":0"),
        ("LREM l x a", "-ERR value is not an integer or out of range"),
        ("LREM nokey 0 a", ":0"),
        ("LTRIM l 1 -2", "+OK"),
        ("LRANGE l 0 -1", "*3 $1 b $1 a $1 c"),
        ("LTRIM nokey 0 1", "+OK"),
        ("LTRIM l 0 x", "-ERR value is not an integer or out of range"),
        ("LTRIM l 5 9", "+OK"),
        ("EXISTS l", ":0"),
        ("RPUSH l a a a", ":3"),
        ("LREM l 0 a", ":3"),
        ("EXISTS l", ":0"),
    ]);
}

#[test]
fn elements_are_found_by_value() {
    run(&[
        ("RPUSH l a b c 1 2 3 c c", ":8"),
        ("LPOS l a", ":0"),
        ("LPOS l c", ":2"),
        ("LPOS l x", "$-1"),
        ("LPOS l c RANK 2", ":6"),
        ("LPOS l c RANK -1", ":7"),
        ("LPOS l c RANK 4", "$-1"),
        ("LPOS l c COUNT 0", "*3 :2 :6 :7"),
        ("LPOS l c COUNT 2", "*2 :2 :6"),
        ("LPOS l c COUNT 2 RANK -1", "*2 :7 :6"),
        ("LPOS l c COUNT 0 RANK 2", "*2 :6 :7"),
        ("LPOS l c COUNT 0 MAXLEN 3", "*1 :2"),
        ("LPOS l c COUNT 0 MAXLEN 2", "*0"),
        ("LPOS l c MAXLEN 2", "$-1"),
        ("LPOS l c RANK -1 MAXLEN 2 COUNT 0", "*2 :7 :6"),
        ("LPOS nokey c COUNT 1", "*0"),
        ("LPOS nokey c", "$-1"),
    ]);
}

#[test]
fn elements_move_between_lists_and_round_one() {
    run(&[
        ("RPUSH a 1 2 3", ":3"),
        ("LMOVE a b left right", "$1 1"),
        ("LMOVE a b RIGHT LEFT", "$1 3"),
        ("LRANGE b 0 -1", "*2 $1 3 $1 1"),
        ("RPOPLPUSH a b", "$1 2"),
        ("EXISTS a", ":0"),
        ("RPOPLPUSH a b", "$-1"),
        ("LMOVE b b LEFT RIGHT", "$1 2"),
        ("LRANGE b 0 -1", "*3 $1 3 $1 1 $1 2"),
        ("LMOVE b b LEFT LEFT", "$1 3"),
        ("LRANGE b 0 -1", "*3 $1 3 $1 1 $1 2"),
        ("RPUSH one x", ":1"),
        ("LMOVE one one LEFT RIGHT", "$1 x"),
        ("LLEN one", ":1"),
        ("LMOVE b b LEFT up", "-ERR syntax error"),
        ("SET s x", "+OK"),
        ("LMOVE b s LEFT LEFT", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("LMOVE nokey s LEFT LEFT", "$-1"),
        ("LLEN b", ":3"),
    ]);
}

#[test]
fn the_first_list_of_several_is_taken_from() {
    run(&[
        ("LMPOP 2 a b LEFT", "*-1"),
        ("RPUSH b 1 2 3 4", ":4"),
        ("LMPOP 2 a b left", "*2 $1 b *1 $1 1"),
        ("LMPOP 2 a b RIGHT COUNT 2", "*2 $1 b *2 $1 4 $1 3"),
        ("LMPOP 1 b RIGHT COUNT 9", "*2 $1 b *1 $1 2"),
        ("EXISTS b", ":0"),
        ("LMPOP 0 a LEFT", "-ERR numkeys should be greater than 0"),
        ("LMPOP 1 a b LEFT", "-ERR syntax error"),
        ("LMPOP 1 a LEFT COUNT 0", "-ERR count should be greater than 0"),
    ]);
}

#[test]
fn other_types_are_refused_and_stay() {
    const WRONG: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
    let mut client = Client::new();
    assert_eq!(client.ask("SET s x"), "+OK");
    for request in [
        "LPUSH s a",
        "RPUSH s a",
        "LPUSHX s a",
        "RPUSHX s a",
        "LPOP s",
        "RPOP s 0",
        "LLEN s",
        "LINDEX s 0",
        "LSET s 0 a",
        "LINSERT s BEFORE a b",
        "LRANGE s 0 1",
        "LTRIM s 0 1",
        "LREM s 0 a",
        "LPOS s a",
        "LMOVE s t LEFT LEFT",
        "RPOPLPUSH s t",
        "LMPOP 2 nokey s LEFT",
    ] {
        assert_eq!(client.ask(request), WRONG, "{request}");
    }
    assert_eq!(client.ask("GET s"), "$1 x");
}

#[test]
fn large_lists_keep_their_order() {
    let mut client = Client::new();
    let mut naive = std::collections::VecDeque::new();
    for number in 0..3_000 {
        let end = if number % 3 == 0 { "LPUSH" } else { "RPUSH" };
        if number % 3 == 0 {
            naive.push_front(number);
        } else {
            naive.push_back(number);
        }
        assert_eq!(client.ask(&format!("{end} l {number}")), format!(":{}", naive.len()));
    }
    assert_eq!(client.ask("OBJECT ENCODING l"), "$9 quicklist");
    for at in [0_i64, 1, 999, 1_000, 1_001, 2_999, -1] {
        let element = naive[at.rem_euclid(3_000) as usize].to_string();
        assert_eq!(client.ask(&format!("LINDEX l {at}")), format!("${} {element}", element.len()));
    }
    assert_eq!(client.ask("LTRIM l 1000 1001"), "+OK");
    assert_eq!(client.ask("LRANGE l 0 -1"), "*2 $1 1 $1 2");
    assert_eq!(client.ask("OBJECT ENCODING l"), "$8 listpack");
}

#[test]
fn blocking_commands_take_what_is_there() {
    run(&[
        ("RPUSH l 1 2 3 4 5 6", ":6"),
        ("BLPOP nokey l 0", "*2 $1 l $1 1"),
        ("BRPOP l l 1.5", "*2 $1 l $1 6"),
        ("BLMPOP 0 2 nokey l RIGHT COUNT 2", "*2 $1 l *2 $1 5 $1 4"),
        ("BLMOVE l m LEFT RIGHT 0", "$1 2"),
        ("BRPOPLPUSH l m 0", "$1 3"),
        ("LRANGE m 0 -1", "*2 $1 3 $1 2"),
        ("SET s x", "+OK"),
        ("BLPOP s m 0", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("BLMOVE m s LEFT LEFT 0", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("BLPOP m x", "-ERR timeout is not a float or out of range"),
        ("BLPOP m -1", "-ERR timeout is negative"),
        ("BLMPOP x 1 m LEFT", "-ERR timeout is not a float or out of range"),
        ("BLMPOP x 0 m LEFT", "-ERR numkeys should be greater than 0"),
        ("BLMPOP 0 0 m LEFT", "-ERR numkeys should be greater than 0"),
        ("BLMOVE m m up LEFT x", "-ERR syntax error"),
        ("BLMOVE m m LEFT LEFT x", "-ERR timeout is not a float or out of range"),
        ("LLEN m", ":2"),
    ]);
}

#[test]
fn blocking_commands_do_not_wait_in_a_transaction() {
    const SCRIPT: &[(&str, &str)] = &[
        ("RPUSH l 1", ":1"),
        ("MULTI", "+OK"),
        ("BLPOP l 0", "+QUEUED"),
        ("BLPOP l 0", "+QUEUED"),
        ("BLMPOP 0 1 l LEFT", "+QUEUED"),
        ("BLMOVE l m LEFT LEFT 0", "+QUEUED"),
        ("BZPOPMIN z 0", "+QUEUED"),
        ("BZMPOP 0 1 z MIN", "+QUEUED"),
    ];
    let mut client = Client::new();
    for (request, reply) in SCRIPT {
        assert_eq!(client.ask(request), *reply, "{request}");
    }
    assert_eq!(client.ask("EXEC"), "*6 *2 $1 l $1 1 *-1 *-1 $-1 *-1 *-1");
}

#[test]
fn unblocking_checks_its_words() {
    run(&[
        ("CLIENT UNBLOCK 7", ":0"),
        ("CLIENT UNBLOCK 7 ERROR", ":0"),
        ("CLIENT UNBLOCK x", "-ERR value is not an integer or out of range"),
        ("CLIENT UNBLOCK 7 now", "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"),
        (
            "CLIENT UNBLOCK 7 ERROR 1",
            "-ERR unknown subcommand or wrong number of arguments for 'UNBLOCK'. Try CLIENT HELP.",
        ),
    ]);
}
