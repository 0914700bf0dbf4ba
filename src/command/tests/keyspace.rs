//! Keys and databases.

use super::script::run;

#[test]
fn keys_are_counted_touched_and_deleted() {
    run(&[
        ("MSET x 1 y 2 z 3", "+OK"),
        ("EXISTS x y z nokey x", ":4"),
        ("TOUCH x nokey", ":1"),
        ("DBSIZE", ":3"),
        ("TYPE x", "+string"),
        ("TYPE nokey", "+none"),
        ("DEL x nokey x", ":1"),
        ("UNLINK y z", ":2"),
        ("DBSIZE", ":0"),
        ("DEL", "-ERR wrong number of arguments for 'del' command"),
        ("EXISTS ''", ":0"),
        ("SET '' empty", "+OK"),
        ("EXISTS ''", ":1"),
        ("RANDOMKEY", "$0 "),
    ]);
}

#[test]
fn rename_hands_value_and_expiry_over() {
    run(&[
        ("RENAME nokey x", "-ERR no such key"),
        ("RENAME nokey nokey", "-ERR no such key"),
        ("SET x hello EX 100", "+OK"),
        ("RENAME x y", "+OK"),
        ("EXISTS x", ":0"),
        ("TTL y", ":100"),
        ("SET z world", "+OK"),
        ("RENAME z y", "+OK"),
        ("GET y", "$5 world"),
        ("TTL y", ":-1"),
        ("RENAME y y", "+OK"),
        ("GET y", "$5 world"),
        ("RENAMENX y y", ":0"),
        ("SET x taken", "+OK"),
        ("RENAMENX y x", ":0"),
        ("MGET x y", "*2 $5 taken $5 world"),
        ("RENAMENX y w", ":1"),
        ("MGET y w", "*2 $-1 $5 world"),
        ("RENAMENX nokey w", "-ERR no such key"),
    ]);
}

#[test]
fn copy_leaves_the_source_and_minds_the_destination() {
    run(&[
        ("COPY nokey x", ":0"),
        ("SET x foo EX 100", "+OK"),
        ("COPY x y", ":1"),
        ("MGET x y", "*2 $3 foo $3 foo"),
        ("TTL y", ":100"),
        ("SET z bar", "+OK"),
        ("COPY z y", ":0"),
        ("COPY z y replace", ":1"),
        ("GET y", "$3 bar"),
        ("TTL y", ":-1"),
        ("APPEND y 2", ":4"),
        ("GET z", "$3 bar"),
        ("COPY x x", "-ERR source and destination objects are the same"),
        ("COPY nokey nokey", "-ERR source and destination objects are the same"),
        ("COPY x x DB 3", ":1"),
        ("COPY x x DB 99", "-ERR DB index is out of range"),
        ("COPY x x DB -1", "-ERR DB index is out of range"),
        ("COPY x x DB three", "-ERR value is not an integer or out of range"),
        ("COPY x y DB", "-ERR syntax error"),
        ("COPY x y nonsense", "-ERR syntax error"),
        ("SELECT 3", "+OK"),
        ("GET x", "$3 foo"),
        ("TTL x", ":100"),
        ("DBSIZE", ":1"),
    ]);
}

#[test]
fn move_takes_a_key_to_a_database_where_it_is_not() {
    run(&[
        ("SET x foo EX 100", "+OK"),
        ("MOVE x 0", "-ERR source and destination objects are the same"),
        ("MOVE x 99", "-ERR DB index is out of range"),
        ("MOVE x nine", "-ERR value is not an integer or out of range"),
        ("MOVE nokey 9", ":0"),
        ("MOVE x 9", ":1"),
        ("EXISTS x", ":0"),
        ("SET x bar", "+OK"),
        ("MOVE x 9", ":0"),
        ("GET x", "$3 bar"),
        ("SELECT 9", "+OK"),
        ("GET x", "$3 foo"),
        ("TTL x", ":100"),
    ]);
}

#[test]
fn databases_are_flushed_and_swapped_whole() {
    run(&[
        ("SET x zero", "+OK"),
        ("SELECT 1", "+OK"),
        ("SET x one", "+OK"),
        ("SWAPDB 0 1", "+OK"),
        ("GET x", "$4 zero"),
        ("SWAPDB 1 1", "+OK"),
        ("SWAPDB one 1", "-ERR invalid first DB index"),
        ("SWAPDB 1 one", "-ERR invalid second DB index"),
        ("SWAPDB 0 99", "-ERR DB index is out of range"),
        ("SELECT 2147483648", "-ERR value is out of range, value must between -2147483648 and 2147483647"),
        ("MOVE x 2147483648", "-ERR value is out of range, value must between -2147483648 and 2147483647"),
        ("FLUSHDB SYNC ASYNC", "-ERR syntax error"),
        ("FLUSHDB never", "-ERR syntax error"),
        ("FLUSHDB", "+OK"),
        ("DBSIZE", ":0"),
        ("SELECT 0", "+OK"),
        ("GET x", "$3 one"),
        ("SET y 1", "+OK"),
        ("FLUSHALL async", "+OK"),
        ("DBSIZE", ":0"),
        ("SET y 2", "+OK"),
        ("GET y", "$1 2"),
    ]);
}

#[test]
fn keys_lists_what_matches() {
    run(&[
        ("KEYS *", "*0"),
        ("MSET one 1 two 2 three 3 'four[' 4", "+OK"),
        ("KEYS one", "*1 $3 one"),
        ("KEYS nokey", "*0"),
        ("KEYS on?", "*1 $3 one"),
        ("KEYS o*", "*1 $3 one"),
        ("KEYS *w*", "*1 $3 two"),
        ("KEYS [o]??", "*1 $3 one"),
        (r#"KEYS "four\\[""#, "*1 $5 four["),
        ("EXPIRE one -1", ":1"),
        ("KEYS o*", "*0"),
    ]);
}

#[test]
fn object_tells_how_values_are_kept() {
    run(&[
        ("OBJECT ENCODING nokey", "$-1"),
        ("OBJECT FREQ nokey", "$-1"),
        ("OBJECT IDLETIME nokey", "$-1"),
        ("OBJECT REFCOUNT nokey", "$-1"),
        ("SET x 9999", "+OK"),
        ("OBJECT REFCOUNT x", ":2147483647"),
        ("SET x 10000", "+OK"),
        ("OBJECT REFCOUNT x", ":1"),
        ("OBJECT IDLETIME x", ":0"),
        (
            "OBJECT FREQ x",
            "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when \
             switching between policies at runtime LRU and LFU data will take some time to adjust.",
        ),
        ("OBJECT nonsense x", "-ERR unknown subcommand 'nonsense'. Try OBJECT HELP."),
        ("OBJECT ENCODING", "-ERR wrong number of arguments for 'object|encoding' command"),
        ("SET x 44444444444444444444444444444444444444444444", "+OK"),
        ("OBJECT ENCODING x", "$6 embstr"),
        ("SET x 555555555555555555555555555555555555555555555", "+OK"),
        ("OBJECT ENCODING x", "$3 raw"),
        ("COPY x y", ":1"),
        ("OBJECT ENCODING y", "$3 raw"),
    ]);
}

#[test]
fn a_transaction_lists_its_own_writes_once_and_its_deletions_not_at_all() {
    run(&[
        ("MSET k:2 2 k:3 3", "+OK"),
        ("MULTI", "+OK"),
        ("SET k:1 1", "+QUEUED"),
        ("SET k:4 new", "+QUEUED"),
        ("DEL k:2 k:3", "+QUEUED"),
        ("DEL k:4", "+QUEUED"),
        ("KEYS k:*", "+QUEUED"),
        ("KEYS *", "+QUEUED"),
        ("SCAN 0 MATCH k:*", "+QUEUED"),
        ("SCAN 0 COUNT 100", "+QUEUED"),
        ("DBSIZE", "+QUEUED"),
        ("EXEC", "*9 +OK +OK :2 :1 *1 $3 k:1 *1 $3 k:1 *2 $1 0 *1 $3 k:1 *2 $1 0 *1 $3 k:1 :1"),
    ]);
}

#[test]
fn a_transaction_may_flush_and_swap_between_its_writes() {
    run(&[
        ("SET x old", "+OK"),
        ("MULTI", "+OK"),
        ("SET x new", "+QUEUED"),
        ("FLUSHDB", "+QUEUED"),
        ("SET y 1", "+QUEUED"),
        ("SWAPDB 0 1", "+QUEUED"),
        ("GET y", "+QUEUED"),
        ("SET z 2", "+QUEUED"),
        ("KEYS *", "+QUEUED"),
        ("EXEC", "*7 +OK +OK +OK +OK $-1 +OK *1 $1 z"),
        ("SELECT 1", "+OK"),
        ("MGET x y z", "*3 $-1 $1 1 $-1"),
        ("DBSIZE", ":1"),
    ]);
}
