//! When keys end.

use super::script::run;

#[test]
fn expire_sets_and_persist_clears() {
    run(&[
        ("EXPIRE nokey 10", ":0"),
        ("PERSIST nokey", ":0"),
        ("SET x foobar", "+OK"),
        ("PERSIST x", ":0"),
        ("EXPIRE x 5", ":1"),
        ("TTL x", ":5"),
        ("EXPIRE x 10", ":1"),
        ("TTL x", ":10"),
        ("PEXPIRE x 20000", ":1"),
        ("TTL x", ":20"),
        ("PERSIST x", ":1"),
        ("TTL x", ":-1"),
        ("GET x", "$6 foobar"),
    ]);
}

#[test]
fn times_are_told_in_four_ways() {
    run(&[
        ("TTL x", ":-2"),
        ("PTTL x", ":-2"),
        ("EXPIRETIME x", ":-2"),
        ("PEXPIRETIME x", ":-2"),
        ("SET x 1", "+OK"),
        ("TTL x", ":-1"),
        ("PTTL x", ":-1"),
        ("EXPIRETIME x", ":-1"),
        ("PEXPIRETIME x", ":-1"),
        ("EXPIREAT x 33177117420", ":1"),
        ("EXPIRETIME x", ":33177117420"),
        ("PEXPIRETIME x", ":33177117420000"),
        ("PEXPIREAT x 33177117420501", ":1"),
        ("EXPIRETIME x", ":33177117421"),
        ("PEXPIRETIME x", ":33177117420501"),
        ("PEXPIREAT x 9223372036854770000", ":1"),
        ("PEXPIRETIME x", ":9223372036854770000"),
    ]);
}

#[test]
fn a_time_in_the_past_deletes_the_key() {
    run(&[
        ("SET x 1", "+OK"),
        ("EXPIRE x -1", ":1"),
        ("EXISTS x", ":0"),
        ("SET x 1", "+OK"),
        ("EXPIREAT x 1", ":1"),
        ("TTL x", ":-2"),
        ("SET x 1", "+OK"),
        ("PEXPIREAT x -9223372036854770000", ":1"),
        ("TTL x", ":-2"),
        ("SET x 1", "+OK"),
        ("PEXPIRE x 0", ":1"),
        ("DBSIZE", ":0"),
        ("SET x 1 EX 100", "+OK"),
        ("EXPIRE x -10 LT", ":1"),
        ("EXISTS x", ":0"),
        ("SET x 1", "+OK"),
        ("EXPIRE x -10 GT", ":0"),
        ("EXISTS x", ":1"),
    ]);
}

#[test]
fn times_that_overflow_are_refused() {
    let invalid = "-ERR invalid expire time in 'expire' command";
    run(&[
        ("SET x 1", "+OK"),
        ("EXPIRE x 9223370399119966", invalid),
        ("EXPIRE x 9223372036854776", invalid),
        ("EXPIRE x 10000000000000000", invalid),
        ("EXPIRE x -9223372036854776", invalid),
        ("EXPIRE x -9999999999999999", invalid),
        ("EXPIREAT x 9223372036854776", "-ERR invalid expire time in 'expireat' command"),
        ("PEXPIRE x 9223372036854770000", "-ERR invalid expire time in 'pexpire' command"),
        ("EXPIRE x ''", "-ERR value is not an integer or out of range"),
        ("EXPIRE nokey x", "-ERR value is not an integer or out of range"),
        ("TTL x", ":-1"),
    ]);
}

#[test]
fn expire_obeys_its_conditions() {
    run(&[
        ("SET x 1 EX 100", "+OK"),
        ("EXPIRE x 200 NX", ":0"),
        ("EXPIRE x 50 GT", ":0"),
        ("EXPIRE x 200 LT", ":0"),
        ("TTL x", ":100"),
        ("EXPIRE x 200 XX", ":1"),
        ("EXPIRE x 300 gt", ":1"),
        ("EXPIRE x 150 lt xx", ":1"),
        ("TTL x", ":150"),
        ("PERSIST x", ":1"),
        ("EXPIRE x 100 XX", ":0"),
        ("EXPIRE x 100 GT", ":0"),
        ("EXPIRE x 100 LT XX", ":0"),
        ("TTL x", ":-1"),
        ("EXPIRE x 100 LT", ":1"),
        ("PERSIST x", ":1"),
        ("EXPIRE x 100 NX", ":1"),
        ("EXPIRE nokey 100 NX", ":0"),
        ("EXPIRE x 1 LT GT", "-ERR GT and LT options at the same time are not compatible"),
        ("EXPIRE x 1 NX GT", "-ERR NX and XX, GT or LT options at the same time are not compatible"),
        ("EXPIRE x 1 XX AB", "-ERR Unsupported option AB"),
        ("EXPIRE x one AB", "-ERR Unsupported option AB"),
        ("TTL x", ":100"),
    ]);
}
