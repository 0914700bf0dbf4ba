//! Strings as numbers.

use super::script::run;

#[test]
fn counters_start_at_nothing_and_stay_integers() {
    run(&[
        ("INCR x", ":1"),
        ("GET x", "$1 1"),
        ("INCR x", ":2"),
        ("DECR x", ":1"),
        ("DECR y", ":-1"),
        ("INCR y", ":0"),
        ("SET x 17179869184", "+OK"),
        ("INCR x", ":17179869185"),
        ("DECRBY x 17179869186", ":-1"),
        ("INCRBY x 17179869184", ":17179869183"),
        ("DECRBY z 1", ":-1"),
        ("OBJECT ENCODING x", "$3 int"),
    ]);
}

#[test]
fn counters_keep_the_expiry() {
    run(&[
        ("SET x 1 EX 100", "+OK"),
        ("INCR x", ":2"),
        ("TTL x", ":100"),
        ("INCRBYFLOAT x 0.5", "$3 2.5"),
        ("TTL x", ":100"),
    ]);
}

#[test]
fn what_is_no_integer_is_not_counted() {
    let not_integer = "-ERR value is not an integer or out of range";
    run(&[
        ("SET x '    11'", "+OK"),
        ("INCR x", not_integer),
        ("SET x '11    '", "+OK"),
        ("INCR x", not_integer),
        ("SET x 011", "+OK"),
        ("DECR x", not_integer),
        ("SET x 9223372036854775808", "+OK"),
        ("INCR x", not_integer),
        ("INCRBY y 1.5", not_integer),
        ("DECRBY y v", not_integer),
        ("EXISTS y", ":0"),
        ("INCR y 5", "-ERR wrong number of arguments for 'incr' command"),
    ]);
}

#[test]
fn counters_do_not_overflow() {
    run(&[
        ("SET x 9223372036854775807", "+OK"),
        ("INCR x", "-ERR increment or decrement would overflow"),
        ("DECRBY x -1", "-ERR increment or decrement would overflow"),
        ("GET x", "$19 9223372036854775807"),
        ("SET x -9223372036854775808", "+OK"),
        ("DECR x", "-ERR increment or decrement would overflow"),
        ("SET x 0", "+OK"),
        ("DECRBY x -9223372036854775808", "-ERR decrement would overflow"),
        ("INCRBY x -9223372036854775808", ":-9223372036854775808"),
    ]);
}

#[test]
fn incrbyfloat_adds_decimals() {
    run(&[
        ("INCRBYFLOAT x 1", "$1 1"),
        ("INCRBYFLOAT x 0.25", "$4 1.25"),
        ("GET x", "$4 1.25"),
        ("SET x 0.1", "+OK"),
        ("INCRBYFLOAT x 0.2", "$3 0.3"),
        ("SET x 3.0e3", "+OK"),
        ("INCRBYFLOAT x 200", "$4 3200"),
        ("INCR x", ":3201"),
        ("SET x 1", "+OK"),
        ("INCRBYFLOAT x -1.1", "$4 -0.1"),
        ("INCRBYFLOAT x 0.1", "$1 0"),
        ("SET x 17179869184", "+OK"),
        ("INCRBYFLOAT x 1.5", "$13 17179869185.5"),
    ]);
}

#[test]
fn what_is_no_number_is_not_added() {
    let not_float = "-ERR value is not a valid float";
    run(&[
        ("SET x '    11'", "+OK"),
        ("INCRBYFLOAT x 1.0", not_float),
        ("SET x '11 '", "+OK"),
        ("INCRBYFLOAT x 1.0", not_float),
        ("SET x 1", "+OK"),
        ("SETRANGE x 2 2", ":3"),
        ("INCRBYFLOAT x 1", not_float),
        ("SET x 0", "+OK"),
        ("INCRBYFLOAT x v", not_float),
        ("INCRBYFLOAT x nan", not_float),
        ("INCRBYFLOAT x ''", not_float),
        ("INCRBYFLOAT x 1e5000", not_float),
        ("INCRBYFLOAT x +inf", "-ERR increment would produce NaN or Infinity"),
        ("INCRBYFLOAT x -inf", "-ERR increment would produce NaN or Infinity"),
        ("GET x", "$1 0"),
    ]);
}
