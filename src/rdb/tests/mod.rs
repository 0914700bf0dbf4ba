//! Payloads of other servers, payloads of ours, and what is none.

mod by_hand;
mod file;
mod hostile;
mod limits;
mod refusals;
mod round_trips;
mod written;

use super::trailer::seal;
use super::*;
use by_hand::BY_HAND;
use written::WRITTEN;

/// A payload and what it holds.
struct Fixture {
    name: &'static str,
    payload: &'static [u8],
    held: Held,
}

/// A value that can be told in a table.
enum Held {
    Text(&'static [u8]),
    Repeated(&'static [u8], usize),
    List(&'static [&'static [u8]]),
    Set(&'static [&'static [u8]]),
    Hash(&'static [(&'static [u8], &'static [u8])]),
    ExpiringHash(&'static [(&'static [u8], &'static [u8], Option<u64>)]),
    SortedSet(&'static [(&'static [u8], f64)]),
}

impl Held {
    fn value(&self) -> Value<'static> {
        let entry = |field: &'static [u8], value: &'static [u8], at: Option<u64>| HashEntry {
            field: field.into(),
            value: value.into(),
            expiry: at.map(Millis),
        };
        match *self {
            Self::Text(text) => Value::String(text.into()),
            Self::Repeated(text, times) => Value::String(text.repeat(times).into()),
            Self::List(list) => Value::List(list.iter().copied().map(Into::into).collect()),
            Self::Set(members) => Value::Set(members.iter().copied().map(Into::into).collect()),
            Self::Hash(entries) => {
                Value::Hash(entries.iter().map(|(field, value)| entry(field, value, None)).collect())
            }
            Self::ExpiringHash(entries) => {
                Value::Hash(entries.iter().map(|(field, value, at)| entry(field, value, *at)).collect())
            }
            Self::SortedSet(members) => {
                Value::SortedSet(members.iter().map(|(member, score)| ((*member).into(), *score)).collect())
            }
        }
    }
}

const ROOMY: Limits = Limits { string_bytes_max: 1 << 20, unpacked_bytes_max: 1 << 22 };

const TRAILER_BYTES: usize = 10;

fn fixtures() -> impl Iterator<Item = &'static Fixture> {
    WRITTEN.iter().chain(BY_HAND)
}

/// The payload of `body` in a version of Redis.
fn sealed(body: &[u8]) -> Vec<u8> {
    sealed_as(body, 12)
}

fn sealed_as(body: &[u8], version: u16) -> Vec<u8> {
    let mut payload = body.to_vec();
    seal(&mut payload, version);
    payload
}

/// A payload's body and version.
fn opened(payload: &[u8]) -> (&[u8], u16) {
    let (body, trailer) = payload.split_at(payload.len() - TRAILER_BYTES);
    (body, u16::from_le_bytes([trailer[0], trailer[1]]))
}

/// The value with what has no order in some order.
fn in_order(mut value: Value<'_>) -> Value<'_> {
    match &mut value {
        Value::String(_) | Value::List(_) => {}
        Value::Set(members) => members.sort(),
        Value::Hash(entries) => entries.sort_by(|a, b| a.field.cmp(&b.field)),
        Value::SortedSet(members) => members.sort_by(|a, b| a.0.cmp(&b.0)),
    }
    value
}

#[test]
fn payloads_of_other_servers_hold_what_was_put_into_them() {
    for Fixture { name, payload, held } in fixtures() {
        let value = restore(payload, &ROOMY).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(in_order(value), in_order(held.value()), "{name}");
    }
}

#[test]
fn payloads_of_other_servers_survive_ours() {
    for Fixture { name, payload, .. } in fixtures() {
        let value = restore(payload, &ROOMY).unwrap();
        assert_eq!(restore(&dump(&value), &ROOMY), Ok(value), "{name}");
    }
}

#[test]
fn what_the_payload_has_as_it_is_is_borrowed() {
    let borrowed = |bytes: &Bytes<'_>| matches!(bytes, Bytes::Borrowed(_));
    let payload = sealed(b"\x00\x03abc");
    assert!(matches!(restore(&payload, &ROOMY), Ok(Value::String(Bytes::Borrowed(b"abc")))));
    let pack = WRITTEN.iter().find(|fixture| fixture.name == "a hash in a listpack").unwrap();
    let Ok(Value::Hash(entries)) = restore(pack.payload, &ROOMY) else { panic!("no hash") };
    assert!(entries.iter().all(|entry| borrowed(&entry.field) || *entry.field == *b"1"));
}
