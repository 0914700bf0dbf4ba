//! SET and its relatives, ranges, several keys at once.

use super::script::{run, run_resp3};

#[test]
fn set_and_get_keep_any_bytes() {
    run(&[
        ("SET x foobar", "+OK"),
        ("GET x", "$6 foobar"),
        (r#"SET x """#, "+OK"),
        ("GET x", "$0 "),
        (r#"SET x "\x00\xff y""#, "+OK"),
        ("STRLEN x", ":4"),
        ("GET nokey", "$-1"),
        ("STRLEN nokey", ":0"),
        ("SET n -555", "+OK"),
        ("STRLEN n", ":4"),
        ("GET n", "$4 -555"),
        ("OBJECT ENCODING n", "$3 int"),
        ("SET n 0042", "+OK"),
        ("GET n", "$4 0042"),
        ("OBJECT ENCODING n", "$6 embstr"),
    ]);
}

#[test]
fn set_checks_its_options_before_it_does_anything() {
    run(&[
        ("SET x old", "+OK"),
        ("SET x new NX XX", "-ERR syntax error"),
        ("SET x new EX 10 PX 10", "-ERR syntax error"),
        ("SET x new EX 10 KEEPTTL", "-ERR syntax error"),
        ("SET x new EX", "-ERR syntax error"),
        ("SET x new PERSIST", "-ERR syntax error"),
        ("SET x new nonsense", "-ERR syntax error"),
        ("SET x new EX ten", "-ERR value is not an integer or out of range"),
        ("SET x new EX 0", "-ERR invalid expire time in 'set' command"),
        ("SET x new PX -1", "-ERR invalid expire time in 'set' command"),
        ("SET x new EX 10000000000000000", "-ERR invalid expire time in 'set' command"),
        ("SET x new EX -9999999999999999", "-ERR invalid expire time in 'set' command"),
        ("SET x new PX 9223372036854775807", "-ERR invalid expire time in 'set' command"),
        ("SETEX x 0 new", "-ERR invalid expire time in 'setex' command"),
        ("PSETEX x -10 new", "-ERR invalid expire time in 'psetex' command"),
        ("SETEX x 1.5 new", "-ERR value is not an integer or out of range"),
        ("GET x", "$3 old"),
        ("TTL x", ":-1"),
    ]);
}

#[test]
fn set_obeys_its_conditions() {
    run(&[
        ("SET x 1 XX", "$-1"),
        ("GET x", "$-1"),
        ("SET x 1 NX", "+OK"),
        ("SET x 2 nx", "$-1"),
        ("GET x", "$1 1"),
        ("SET x 2 XX", "+OK"),
        ("GET x", "$1 2"),
        ("SETNX x 3", ":0"),
        ("SETNX y 3", ":1"),
        ("MGET x y", "*2 $1 2 $1 3"),
    ]);
}

#[test]
fn set_with_get_answers_the_old_value_whether_it_sets_or_not() {
    run(&[
        ("SET x new GET", "$-1"),
        ("SET x newer GET", "$3 new"),
        ("SET x newest GET XX", "$5 newer"),
        ("SET x never GET NX", "$6 newest"),
        ("GET x", "$6 newest"),
        ("SET y first GET NX", "$-1"),
        ("GET y", "$5 first"),
        ("SET z never XX GET", "$-1"),
        ("EXISTS z", ":0"),
        ("GETSET x 7", "$6 newest"),
        ("GETSET x 8", "$1 7"),
        ("GETSET w 1", "$-1"),
        ("SET x 9 EX 100", "+OK"),
        ("GETSET x 10", "$1 9"),
        ("TTL x", ":-1"),
    ]);
}

#[test]
fn ifeq_compares_the_value_before_it_sets_or_deletes() {
    run(&[
        ("SET x new IFEQ old", "$-1"),
        ("EXISTS x", ":0"),
        ("SET x old", "+OK"),
        ("SET x new IFEQ other", "$-1"),
        ("SET x new IFEQ other GET", "$3 old"),
        ("SET x new ifeq old GET", "$3 old"),
        ("SET x 12 IFEQ new EX 100", "+OK"),
        ("TTL x", ":100"),
        ("SET x 13 IFEQ 12 KEEPTTL", "+OK"),
        ("TTL x", ":100"),
        ("SET x 14 IFEQ 13 NX", "-ERR syntax error"),
        ("DELIFEQ x 12", ":0"),
        ("DELIFEQ x 13", ":1"),
        ("DELIFEQ x 13", ":0"),
        ("EXISTS x", ":0"),
    ]);
}

#[test]
fn set_replaces_or_keeps_the_expiry() {
    run(&[
        ("SET x 1 EX 100", "+OK"),
        ("TTL x", ":100"),
        ("SET x 2 KEEPTTL", "+OK"),
        ("TTL x", ":100"),
        ("SET x 3", "+OK"),
        ("TTL x", ":-1"),
        ("SET x 4 KEEPTTL", "+OK"),
        ("TTL x", ":-1"),
        ("SET x 5 PXAT 9223372036854775807", "+OK"),
        ("PEXPIRETIME x", ":9223372036854775807"),
        ("SETEX x 12 test", "+OK"),
        ("TTL x", ":12"),
        ("PSETEX x 12000 test", "+OK"),
        ("TTL x", ":12"),
        ("SET x 6 EX 10 EX 20", "+OK"),
        ("TTL x", ":20"),
    ]);
}

#[test]
fn a_value_that_is_set_to_end_in_the_past_is_gone_at_once() {
    run(&[
        ("SET x 1", "+OK"),
        ("SET x 2 EXAT 1", "+OK"),
        ("GET x", "$-1"),
        ("SET x 1", "+OK"),
        ("SET x 2 PXAT 1 GET", "$1 1"),
        ("EXISTS x", ":0"),
        ("SET x 2 PXAT 1", "+OK"),
        ("DBSIZE", ":0"),
        ("SET x 1 PXAT 1 XX", "$-1"),
    ]);
}

#[test]
fn getdel_and_getex_read_and_change_in_one_step() {
    run(&[
        ("SET x bar", "+OK"),
        ("GETDEL x", "$3 bar"),
        ("GETDEL x", "$-1"),
        ("SET x bar", "+OK"),
        ("GETEX x EX 10", "$3 bar"),
        ("TTL x", ":10"),
        ("GETEX x", "$3 bar"),
        ("TTL x", ":10"),
        ("GETEX x PERSIST", "$3 bar"),
        ("TTL x", ":-1"),
        ("GETEX x px 10000", "$3 bar"),
        ("TTL x", ":10"),
        ("GETEX x EXAT 1", "$3 bar"),
        ("GETEX x EX 10", "$-1"),
        ("GETEX nokey EX ten", "$-1"),
        ("SET x bar", "+OK"),
        ("GETEX x EX ten", "-ERR value is not an integer or out of range"),
        ("GETEX x EX 0", "-ERR invalid expire time in 'getex' command"),
        ("GETEX x EX 10000000000000000", "-ERR invalid expire time in 'getex' command"),
        ("GETEX x PERSIST EX 10", "-ERR syntax error"),
        ("GETEX x KEEPTTL", "-ERR syntax error"),
        ("GETEX x NX", "-ERR syntax error"),
        ("TTL x", ":-1"),
        ("GETEX", "-ERR wrong number of arguments for 'getex' command"),
    ]);
}

#[test]
fn several_strings_are_set_together_or_not_at_all() {
    run(&[
        ("MSET x 10 y 'foo bar' z ''", "+OK"),
        ("MGET x nokey y z", "*4 $2 10 $-1 $7 foo bar $0 "),
        ("MSET x 10 y", "-ERR wrong number of arguments for 'mset' command"),
        ("MSETNX x 20 w", "-ERR wrong number of arguments for 'msetnx' command"),
        ("MSET x xxx x yyy", "+OK"),
        ("GET x", "$3 yyy"),
        ("MSETNX a 1 b 2 x 20", ":0"),
        ("EXISTS a b", ":0"),
        ("MSETNX a 1 b 2", ":1"),
        ("MGET a b x", "*3 $1 1 $1 2 $3 yyy"),
        ("MSETNX c 1 c 2", ":1"),
        ("GET c", "$1 2"),
        ("MSETNX c 3 c 4", ":0"),
        ("EXPIRE a 100", ":1"),
        ("MSET a 5", "+OK"),
        ("TTL a", ":-1"),
    ]);
}

#[test]
fn append_makes_a_key_or_a_raw_string() {
    run(&[
        ("APPEND x 1", ":1"),
        ("OBJECT ENCODING x", "$3 int"),
        ("APPEND x 2", ":2"),
        ("OBJECT ENCODING x", "$3 raw"),
        ("GET x", "$2 12"),
        ("INCR x", ":13"),
        ("OBJECT ENCODING x", "$3 int"),
        ("EXPIRE x 100", ":1"),
        ("APPEND x ab", ":4"),
        ("APPEND x ''", ":4"),
        ("GET x", "$4 13ab"),
        ("TTL x", ":100"),
    ]);
}

#[test]
fn setrange_overwrites_and_pads() {
    run(&[
        ("SETRANGE x 0 ''", ":0"),
        ("EXISTS x", ":0"),
        ("SETRANGE x 0 foo", ":3"),
        ("GET x", "$3 foo"),
        ("SETRANGE x 0 b", ":3"),
        ("GET x", "$3 boo"),
        ("SETRANGE x 1 ''", ":3"),
        ("SETRANGE x 4 bar", ":7"),
        (r#"SET y "boo\x00bar""#, "+OK"),
        ("LCS x y LEN", ":7"),
        ("SETRANGE z 1 foo", ":4"),
        ("STRLEN z", ":4"),
        ("GETRANGE z 1 -1", "$3 foo"),
        ("SET n 1234", "+OK"),
        ("SETRANGE n 0 ''", ":4"),
        ("OBJECT ENCODING n", "$3 int"),
        ("SETRANGE n 1 3", ":4"),
        ("OBJECT ENCODING n", "$3 raw"),
        ("GET n", "$4 1334"),
        ("EXPIRE n 100", ":1"),
        ("SETRANGE n 4 5", ":5"),
        ("TTL n", ":100"),
    ]);
}

#[test]
fn strings_beyond_the_limit_are_refused() {
    run(&[
        ("SETRANGE x -1 world", "-ERR offset is out of range"),
        ("SETRANGE x one world", "-ERR value is not an integer or out of range"),
        ("SETRANGE x 536870908 world", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
        ("RPUSH list a", ":1"),
        (
            "SETRANGE list 536870908 world",
            "-WRONGTYPE Operation against a key holding the wrong kind of value",
        ),
        (
            "SETRANGE x 9223372036854775807 world",
            "-ERR string exceeds maximum allowed size (proto-max-bulk-len)",
        ),
        ("SETRANGE x 9223372036854775807 ''", ":0"),
        ("EXISTS x", ":0"),
        ("SET x hello", "+OK"),
        ("SETRANGE x 536870908 world", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
        ("GET x", "$5 hello"),
    ]);
}

#[test]
fn getrange_counts_from_either_end() {
    run(&[
        ("GETRANGE nokey 0 -1", "$0 "),
        ("SET x 'Hello World'", "+OK"),
        ("GETRANGE x 0 3", "$4 Hell"),
        ("GETRANGE x -4 -1", "$4 orld"),
        ("GETRANGE x 5 3", "$0 "),
        ("GETRANGE x 5 5000", "$6  World"),
        ("GETRANGE x -5000 10000", "$11 Hello World"),
        ("GETRANGE x 0 4294967297", "$11 Hello World"),
        ("GETRANGE x a 1", "-ERR value is not an integer or out of range"),
        ("SET n 1234", "+OK"),
        ("GETRANGE n -3 -1", "$3 234"),
        ("SUBSTR n 0 1", "$2 12"),
    ]);
}

#[test]
fn lcs_answers_text_length_or_matches() {
    run(&[
        ("MSET x ohmytext y mynewtext", "+OK"),
        ("LCS x y", "$6 mytext"),
        ("LCS x y LEN", ":6"),
        ("LCS x y IDX", "*4 $7 matches *2 *2 *2 :4 :7 *2 :5 :8 *2 *2 :2 :3 *2 :0 :1 $3 len :6"),
        ("LCS x y IDX MINMATCHLEN 4 WITHMATCHLEN", "*4 $7 matches *1 *3 *2 :4 :7 *2 :5 :8 :4 $3 len :6"),
        ("LCS x nokey", "$0 "),
        ("LCS nokey other IDX", "*4 $7 matches *0 $3 len :0"),
        ("LCS x y LEN IDX", "-ERR If you want both the length and indexes, please just use IDX."),
        ("LCS x y MINMATCHLEN", "-ERR syntax error"),
        ("RPUSH list a", ":1"),
        ("LCS x list LEN IDX", "-ERR The specified keys must contain string values"),
        ("SETRANGE big 20000 x", ":20001"),
        ("LCS big big LEN", "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"),
        ("SETRANGE big2 3000 x", ":3001"),
        ("LCS big2 big2 LEN", ":3001"),
    ]);
}

#[test]
fn resp3_has_its_own_nulls_and_maps() {
    run_resp3(&[
        ("GET nokey", "_"),
        ("MGET nokey", "*1 _"),
        ("SET x 1 XX", "_"),
        ("RANDOMKEY", "_"),
        ("MSET x ab y ab", "+OK"),
        ("LCS x y IDX", "%2 $7 matches *1 *2 *2 :0 :1 *2 :0 :1 $3 len :2"),
    ]);
}
