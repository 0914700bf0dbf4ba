//! What redis-cli 7 prints for the same replies, in all four forms.

use super::*;

fn bulk(text: &str) -> Value {
    Value::Bulk(text.as_bytes().to_vec().into())
}

fn ints(numbers: impl IntoIterator<Item = i64>) -> Vec<Value> {
    numbers.into_iter().map(Value::Int).collect()
}

#[track_caller]
fn assert_forms(value: &Value, terminal: &str, raw: &str, csv: &str, json: &str) {
    let forms = [(Format::Terminal, terminal), (Format::Raw, raw), (Format::Csv, csv), (Format::Json, json)];
    for (format, expected) in forms {
        let printed = Style::new(format).render(value, false);
        assert_eq!(String::from_utf8_lossy(&printed), format!("{expected}\n"), "{format:?}");
    }
}

#[test]
fn scalars_have_their_form_in_each_format() {
    assert_forms(&Value::Simple("OK".into()), "OK", "OK", "\"OK\"", "\"OK\"");
    assert_forms(&bulk("John Doe"), "\"John Doe\"", "John Doe", "\"John Doe\"", "\"John Doe\"");
    assert_forms(&Value::Int(12345), "(integer) 12345", "12345", "12345", "12345");
    assert_forms(&Value::Double(3.1), "(double) 3.1", "3.1", "3.1", "3.1");
    assert_forms(&Value::Null, "(nil)", "", "NULL", "null");
    assert_forms(&Value::Boolean(true), "(true)", "(true)", "true", "true");
    assert_forms(&Value::Boolean(false), "(false)", "(false)", "false", "false");
    let text = Value::Verbatim { format: *b"txt", text: "two\nlines".into() };
    assert_forms(&text, "two\nlines", "two\nlines", "\"two\\nlines\"", "\"two\\nlines\"");
}

#[test]
fn errors_are_marked_and_raw_ones_get_a_line_of_their_own() {
    let error = Value::Error("ERR no \"x\"".into());
    assert_forms(
        &error,
        "(error) ERR no \"x\"",
        "ERR no \"x\"\n",
        "ERROR,\"ERR no \\\"x\\\"\"",
        "error:\"ERR no \\\"x\\\"\"",
    );
    let nested = Value::Array(vec![Value::Error("x".into()), bulk("a")]);
    assert_forms(&nested, "1) (error) x\n2) \"a\"", "x\n\na", "ERROR,\"x\",\"a\"", "[error:\"x\",\"a\"]");
}

#[test]
fn bytes_that_do_not_print_are_escaped() {
    let value = bulk("\0\n\"q\\\x7fé");
    assert_forms(
        &value,
        r#""\x00\n\"q\\\x7f\xc3\xa9""#,
        "\0\n\"q\\\x7fé",
        r#""\x00\n\"q\\\x7f\xc3\xa9""#,
        "\"\\u0000\\n\\\"q\\\\\x7fé\"",
    );
}

#[test]
fn nested_arrays_are_aligned_under_their_number() {
    let inner = Value::Array(vec![Value::Int(3), Value::Array(vec![Value::Int(4), bulk("x")])]);
    let middle = Value::Array(vec![Value::Int(2), inner, Value::Int(5)]);
    let outer = Value::Array(vec![Value::Int(1), middle, Value::Array(vec![])]);
    assert_forms(
        &outer,
        "1) (integer) 1\n2) 1) (integer) 2\n   2) 1) (integer) 3\n      2) 1) (integer) 4\n         2) \"x\"\n   \
         3) (integer) 5\n3) (empty array)",
        "1\n2\n3\n4\nx\n5\n",
        "1,2,3,4,\"x\",5,",
        "[1,[2,[3,[4,\"x\"]],5],[]]",
    );
}

#[test]
fn numbers_of_ten_and_more_items_are_right_aligned() {
    let mut values = ints(1..=9);
    values.push(Value::Array(ints([10, 11])));
    let printed = Style::new(Format::Terminal).render(&Value::Array(values), false);
    let printed = String::from_utf8(printed).expect("text");
    assert!(printed.starts_with(" 1) (integer) 1\n 2) (integer) 2\n"));
    assert!(printed.ends_with(" 9) (integer) 9\n10) 1) (integer) 10\n    2) (integer) 11\n"));
}

#[test]
fn maps_and_sets_have_signs_of_their_own() {
    let map = Value::Map(vec![(Value::Int(0), Value::Boolean(false)), (bulk("k"), Value::Set(ints([1, 2])))]);
    assert_forms(
        &map,
        "1# (integer) 0 => (false)\n2# \"k\" => \n   1~ (integer) 1\n   2~ (integer) 2",
        "0 (false)\nk 1\n2",
        "0,false,\"k\",1,2",
        "{\"0\":false,\"k\":[1,2]}",
    );
}

#[test]
fn the_value_of_a_key_starts_on_a_line_of_its_own_where_it_branches() {
    let map = |value: Value| Value::Map(vec![(bulk("a"), value)]);
    for (value, printed) in [
        (Value::Array(ints([1])), "1# \"a\" => 1) (integer) 1\n"),
        (Value::Array(ints([1, 2])), "1# \"a\" => \n   1) (integer) 1\n   2) (integer) 2\n"),
        (map(Value::Int(1)), "1# \"a\" => 1# \"a\" => (integer) 1\n"),
        (
            Value::Array(vec![Value::Array(ints([1, 2]))]),
            "1# \"a\" => \n   1) 1) (integer) 1\n      2) (integer) 2\n",
        ),
        (
            map(Value::Array(ints([1, 2]))),
            "1# \"a\" => \n   1# \"a\" => \n      1) (integer) 1\n      2) (integer) 2\n",
        ),
    ] {
        let terminal = Style::new(Format::Terminal).render(&map(value), false);
        assert_eq!(String::from_utf8_lossy(&terminal), printed);
    }
}

#[test]
fn empty_aggregates_are_named() {
    assert_forms(&Value::Array(vec![]), "(empty array)", "", "", "[]");
    assert_forms(&Value::Map(vec![]), "(empty hash)", "", "", "{}");
    assert_forms(&Value::Set(vec![]), "(empty set)", "", "", "[]");
}

#[test]
fn reports_are_shown_as_they_are_in_every_format() {
    let report = bulk("# Server\r\na:1\r\n");
    for format in [Format::Terminal, Format::Raw, Format::Csv, Format::Json] {
        assert_eq!(Style::new(format).render(&report, true), b"# Server\r\na:1\r\n");
    }
    let words = |line: &str| line.split(' ').map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
    assert!(answers_with_text(&words("info")) && answers_with_text(&words("Client List")));
    assert!(!answers_with_text(&words("client id")) && !answers_with_text(&words("get info")));
}

#[test]
fn raw_delimiters_can_be_chosen() {
    let style =
        Style { format: Format::Raw, value_delimiter: b", ".to_vec(), reply_delimiter: b";".to_vec() };
    assert_eq!(style.render(&Value::Array(ints([1, 2])), false), b"1, 2;");
}
