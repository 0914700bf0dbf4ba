//! What is written is read back, and is written as every reader knows it.

use quickcheck::{Arbitrary, Gen, quickcheck};

use super::*;

/// A string of a kind that the format treats by itself.
#[derive(Clone, Debug)]
struct Text(Vec<u8>);

impl Arbitrary for Text {
    fn arbitrary(g: &mut Gen) -> Self {
        let bytes = Vec::<u8>::arbitrary(g);
        Self(match u8::arbitrary(g) % 5 {
            0 => i8::arbitrary(g).to_string().into(),
            1 => i64::arbitrary(g).to_string().into(),
            2 => format!("{:012}", u32::arbitrary(g)).into(),
            3 => bytes.repeat(1 + usize::arbitrary(g) % 20),
            _ => bytes,
        })
    }
}

impl Text {
    fn bytes(self) -> Bytes<'static> {
        Bytes::Owned(self.0)
    }
}

#[derive(Clone, Debug)]
struct Sample(Value<'static>);

impl Arbitrary for Sample {
    fn arbitrary(g: &mut Gen) -> Self {
        let text = |g: &mut Gen| Text::arbitrary(g).bytes();
        // Why: something that differs, in a collection of things that must.
        let distinct = |g: &mut Gen, at: usize| [&text(g)[..], at.to_string().as_bytes()].concat().into();
        let len = 1 + usize::arbitrary(g) % 40;
        Self(match u8::arbitrary(g) % 5 {
            0 => Value::String(text(g)),
            1 => Value::List((0..len).map(|_| text(g)).collect()),
            2 => Value::Set((0..len).map(|at| distinct(g, 10 + at)).collect()),
            3 => Value::SortedSet((0..len).map(|at| (distinct(g, 10 + at), score(g))).collect()),
            _ => {
                let expires = bool::arbitrary(g);
                let entry = |at| HashEntry {
                    field: distinct(g, 10 + at),
                    value: text(g),
                    expiry: Option::arbitrary(g).filter(|_| expires).map(|at: u64| Millis((at >> 16).max(1))),
                };
                Value::Hash((0..len).map(entry).collect())
            }
        })
    }
}

fn score(g: &mut Gen) -> f64 {
    let score = f64::arbitrary(g);
    if score.is_nan() { f64::NEG_INFINITY } else { score }
}

quickcheck! {
    fn what_is_dumped_is_restored(sample: Sample) -> bool {
        restore(&dump(&sample.0), &ROOMY) == Ok(sample.0)
    }

    fn a_list_of_integers_survives(list: Vec<i64>) -> bool {
        let list = list.iter().chain(&[7]).map(|n| n.to_string().into_bytes().into()).collect();
        let value = Value::List(list);
        restore(&dump(&value), &ROOMY) == Ok(value)
    }
}

fn body(value: &Value<'_>) -> (Vec<u8>, u16) {
    let payload = dump(value);
    let (body, version) = opened(&payload);
    (body.to_vec(), version)
}

fn text(text: &'static [u8]) -> Bytes<'static> {
    Bytes::Borrowed(text)
}

#[test]
fn integers_are_written_in_as_few_bytes_as_hold_them() {
    for (string, expected) in [
        (&b"0"[..], &b"\x00\xc0\x00"[..]),
        (b"-128", b"\x00\xc0\x80"),
        (b"128", b"\x00\xc1\x80\x00"),
        (b"-32769", b"\x00\xc2\xff\x7f\xff\xff"),
        (b"-2147483648", b"\x00\xc2\x00\x00\x00\x80"),
        (b"2147483648", b"\x00\x0a2147483648"),
        (b"-0", b"\x00\x02-0"),
        (b"+1", b"\x00\x02+1"),
        (b"01", b"\x00\x0201"),
        (b"", b"\x00\x00"),
    ] {
        assert_eq!(body(&Value::String(text(string))), (expected.to_vec(), 6));
    }
}

#[test]
fn lengths_take_one_two_or_five_bytes() {
    for (len, expected) in [
        (63, &b"\x00\x3f"[..]),
        (64, b"\x00\x40\x40"),
        (16383, b"\x00\x7f\xff"),
        (16384, b"\x00\x80\x00\x00\x40\x00"),
    ] {
        // Why: no three bytes of it are the same, so it is not compressed.
        let string: Vec<u8> = (0_u16..).flat_map(u16::to_be_bytes).take(len).collect();
        let (body, _) = body(&Value::String(string.into()));
        assert!(body.starts_with(expected), "{:?} for {len}", &body[..6]);
        assert_eq!(body.len(), expected.len() + len);
    }
}

#[test]
fn collections_are_written_plainly() {
    let list = vec![text(b"a"), text(b"7")];
    assert_eq!(body(&Value::List(list.clone())), (b"\x01\x02\x01a\xc0\x07".to_vec(), 6));
    assert_eq!(body(&Value::Set(list)), (b"\x02\x02\x01a\xc0\x07".to_vec(), 6));
    let scored = vec![(text(b"m"), 1.5), (text(b"n"), f64::NEG_INFINITY)];
    let expected = b"\x05\x02\x01m\x00\x00\x00\x00\x00\x00\xf8\x3f\x01n\x00\x00\x00\x00\x00\x00\xf0\xff";
    assert_eq!(body(&Value::SortedSet(scored)), (expected.to_vec(), 8));
    let entry = HashEntry { field: text(b"f"), value: text(b"v"), expiry: None };
    assert_eq!(body(&Value::Hash(vec![entry])), (b"\x04\x01\x01f\x01v".to_vec(), 6));
}

#[test]
fn ends_of_fields_are_relative_to_the_first() {
    let entry = |field, at: Option<u64>| HashEntry { field, value: text(b"v"), expiry: at.map(Millis) };
    let hash = vec![entry(text(b"f"), Some(1029)), entry(text(b"g"), None), entry(text(b"h"), Some(1024))];
    let expected = b"\x18\x00\x04\x00\x00\x00\x00\x00\x00\x03\x06\x01f\x01v\x00\x01g\x01v\x01\x01h\x01v";
    assert_eq!(body(&Value::Hash(hash)), (expected.to_vec(), 12));
}

#[test]
fn ends_of_fields_that_cannot_be_told_become_the_nearest_that_can() {
    let entry = |field, at| HashEntry { field, value: text(b"v"), expiry: Some(Millis(at)) };
    let hash = |first, last| Value::Hash(vec![entry(text(b"f"), first), entry(text(b"g"), last)]);
    let payload = dump(&hash(0, u64::MAX));
    assert_eq!(restore(&payload, &ROOMY), Ok(hash(1, (1 << 48) - 1)));
}
