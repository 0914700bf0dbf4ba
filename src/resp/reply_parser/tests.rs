//! The reply parser against literal bytes, at every split, and against noise.

use super::*;
use crate::resp::{Protocol, ReplyBuf};
use quickcheck::{Arbitrary, Gen, quickcheck};

/// All replies in `input`, given in pieces, until the end or an error.
fn parse_pieces<'a>(
    limits: ReplyLimits,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Value>, Option<ReplyError>) {
    let (mut parser, mut input, mut values) = (ReplyParser::with_limits(limits), BytesMut::new(), Vec::new());
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            match parser.parse(&mut input) {
                Ok(Some(value)) => values.push(value),
                Ok(None) => break,
                Err(error) => return (values, Some(error)),
            }
        }
    }
    (values, None)
}

fn parse(input: &[u8]) -> (Vec<Value>, Option<ReplyError>) {
    parse_pieces(ReplyLimits::default(), [input])
}

#[track_caller]
fn one(input: &str) -> Value {
    let (values, error) = parse(input.as_bytes());
    assert_eq!(error, None);
    assert_eq!(values.len(), 1);
    values.into_iter().next().expect("one value")
}

fn bulk(text: &'static str) -> Value {
    Value::Bulk(Bytes::from_static(text.as_bytes()))
}

#[test]
fn scalars_of_both_dialects_are_read() {
    assert_eq!(one("+OK\r\n"), Value::Simple("OK".into()));
    assert_eq!(one("-ERR no\r\n"), Value::Error("ERR no".into()));
    assert_eq!(one(":-42\r\n"), Value::Int(-42));
    assert_eq!(one("$5\r\na\r\nbc\r\n"), bulk("a\r\nbc"));
    assert_eq!(one("$-1\r\n"), Value::Null);
    assert_eq!(one("*-1\r\n"), Value::Null);
    assert_eq!(one("_\r\n"), Value::Null);
    assert_eq!(one(",3.25\r\n"), Value::Double(3.25));
    assert_eq!(one(",-inf\r\n"), Value::Double(f64::NEG_INFINITY));
    assert_eq!(one("#t\r\n"), Value::Boolean(true));
    assert_eq!(one("(-123456789012345678901\r\n"), Value::BigNumber("-123456789012345678901".into()));
    assert_eq!(one("!7\r\nERR abc\r\n"), Value::Error("ERR abc".into()));
    let text = Bytes::from_static(b"hi");
    assert_eq!(one("=6\r\ntxt:hi\r\n"), Value::Verbatim { format: *b"txt", text });
}

#[test]
fn aggregates_nest() {
    let expected = Value::Array(vec![
        Value::Map(vec![(bulk("k"), Value::Set(vec![Value::Int(1)]))]),
        Value::Array(vec![]),
        Value::Push(vec![Value::Null]),
    ]);
    assert_eq!(one("*3\r\n%1\r\n$1\r\nk\r\n~1\r\n:1\r\n*0\r\n>1\r\n_\r\n"), expected);
}

#[test]
fn attributes_belong_to_the_value_behind_them() {
    let attributes = vec![(bulk("ttl"), Value::Int(5))];
    let described = Value::Attributed { attributes, value: Box::new(Value::Int(7)) };
    assert_eq!(
        one("*2\r\n|1\r\n$3\r\nttl\r\n:5\r\n:7\r\n:8\r\n"),
        Value::Array(vec![described.clone(), Value::Int(8)])
    );
    assert_eq!(described.into_plain(), Value::Int(7));
}

#[test]
fn malformed_replies_are_told_apart() {
    for (input, error) in [
        ("?1\r\n", ReplyError::UnknownType(b'?')),
        ("\r\n", ReplyError::UnknownType(b'\r')),
        ("$-2\r\n", ReplyError::InvalidLength),
        ("*x\r\n", ReplyError::InvalidLength),
        ("%-1\r\n", ReplyError::InvalidLength),
        (":1x\r\n", ReplyError::InvalidNumber),
        ("#y\r\n", ReplyError::InvalidNumber),
        ("(1.5\r\n", ReplyError::InvalidNumber),
        ("$1\r\nabc", ReplyError::MissingTerminator),
        ("+OK\rX", ReplyError::MissingTerminator),
        ("=2\r\nhi\r\n", ReplyError::InvalidVerbatim),
    ] {
        assert_eq!(parse(input.as_bytes()), (vec![], Some(error)), "{input:?}");
    }
}

#[test]
fn every_limit_has_its_error() {
    let limits = ReplyLimits {
        bulk_bytes_max: 10,
        line_bytes_max: 20,
        values_max: 4,
        depth_max: 2,
        reply_bytes_max: 60,
    };
    let error = |input: &str| parse_pieces(limits, [input.as_bytes()]).1;
    assert_eq!(error("$11\r\n"), Some(ReplyError::BulkTooBig { len: 11, max: 10 }));
    assert_eq!(error("+aaaaaaaaaaaaaaaaaaaaaa"), Some(ReplyError::LineTooBig { max: 20 }));
    assert_eq!(error("*5\r\n"), Some(ReplyError::TooManyValues { max: 4 }));
    assert_eq!(error("*2\r\n*3\r\n"), Some(ReplyError::TooManyValues { max: 4 }));
    assert_eq!(error("*1\r\n*1\r\n*1\r\n"), Some(ReplyError::TooDeep { max: 2 }));
    let bulks = "$10\r\n0123456789\r\n".repeat(4);
    assert_eq!(error(&format!("*4\r\n{bulks}")), Some(ReplyError::TooBig { max: 60 }));
    assert_eq!(error(&bulks), None);
}

#[test]
fn a_huge_announced_count_reserves_nothing_much() {
    let mut parser = ReplyParser::default();
    assert_eq!(parser.parse(&mut BytesMut::from("*60000000\r\n")), Ok(None));
    assert!(parser.open[0].values.capacity() <= VALUES_RESERVED_MAX);
}

#[test]
fn deep_nesting_costs_no_stack() {
    let limits = ReplyLimits { depth_max: usize::MAX, ..ReplyLimits::default() };
    let input = b"*1\r\n".repeat(100_000);
    assert_eq!(parse_pieces(limits, [&input[..]]).1, Some(ReplyError::TooDeep { max: DEPTH_MAX }));
}

/// Any reply, nested a few levels.
#[derive(Clone, Debug)]
struct AnyValue(Value);

fn text(g: &mut Gen) -> String {
    String::arbitrary(g).replace(['\r', '\n'], " ")
}

fn scalar_of(g: &mut Gen) -> Value {
    match u8::arbitrary(g) % 9 {
        0 => Value::Simple(text(g)),
        1 => Value::Error(text(g)),
        2 => Value::Int(i64::arbitrary(g)),
        3 => Value::Bulk(Vec::arbitrary(g).into()),
        4 => Value::Null,
        5 => Value::Double(f64::from(i32::arbitrary(g)) / 8.0),
        6 => Value::Boolean(bool::arbitrary(g)),
        7 => Value::Verbatim { format: *b"mkd", text: text(g).into() },
        _ => Value::BigNumber(u128::arbitrary(g).to_string()),
    }
}

fn value_of(g: &mut Gen, depth: usize) -> Value {
    if depth == 0 || u8::arbitrary(g) % 3 == 0 {
        return scalar_of(g);
    }
    let len = usize::from(u8::arbitrary(g) % 4);
    let kind = u8::arbitrary(g) % 5;
    let mut values = |count: usize| (0..count).map(|_| value_of(g, depth - 1)).collect::<Vec<_>>();
    match kind {
        0 => Value::Array(values(len)),
        1 => Value::Set(values(len)),
        2 => Value::Push(values(len)),
        3 => Value::Map(pairs(values(2 * len))),
        _ => Value::Attributed {
            attributes: pairs(values(2 * len)),
            value: Box::new(values(1).remove(0).into_plain()),
        },
    }
}

impl Arbitrary for AnyValue {
    fn arbitrary(_: &mut Gen) -> Self {
        Self(value_of(&mut Gen::new(12), 3))
    }
}

quickcheck! {
    fn every_value_is_read_back_at_every_split(value: AnyValue) -> bool {
        let mut replies = ReplyBuf::with_protocol(Protocol::Resp3);
        value.0.write_to(&mut replies);
        let (bytes, expected) = (replies.to_vec(), (vec![value.0], None));
        parse_pieces(ReplyLimits::default(), bytes.chunks(1)) == expected
            && (0..=bytes.len()).all(|at| {
                let (front, back) = bytes.split_at(at);
                parse_pieces(ReplyLimits::default(), [front, back]) == expected
            })
    }

    fn garbage_never_panics(bytes: Vec<u8>, sigils: Vec<u8>) -> bool {
        const SIGILS: &[u8] = b"+-:$*_,#(!=%~>|0123\r\n";
        let noise: Vec<u8> = sigils.iter().map(|at| SIGILS[usize::from(*at) % SIGILS.len()]).chain(bytes).collect();
        parse_pieces(ReplyLimits::default(), noise.chunks(1)) == parse(&noise)
    }
}
