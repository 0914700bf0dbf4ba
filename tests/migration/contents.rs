//! What a server holds, as values that can be compared, however each encodes them.

use crate::redis::Redis;
use goredis::client::{Command, Pipeline};
use goredis::clock::Millis;
use goredis::command::transfer::portable::export;
use goredis::engine::Engine;
use goredis::rdb::{self, Limits, Value};
use std::collections::BTreeMap;
use std::convert::Infallible;

/// Database and key; the value in a form that compares, and the expiry.
pub(crate) type Contents = BTreeMap<(u16, Vec<u8>), (String, Option<Millis>)>;

pub(crate) const DATABASES: u16 = 16;
pub(crate) const LIMITS: Limits = Limits { string_bytes_max: 1 << 30, unpacked_bytes_max: 1 << 30 };

/// A value with what has no order in some order, as text.
pub(crate) fn comparable(mut value: Value<'_>) -> String {
    match &mut value {
        Value::String(_) | Value::List(_) => {}
        Value::Set(members) => members.sort(),
        Value::Hash(entries) => entries.sort_by(|a, b| a.field.cmp(&b.field)),
        Value::SortedSet(members) => members.sort_by(|a, b| a.0.cmp(&b.0)),
    }
    format!("{value:?}")
}

/// What a Redis holds, by its DUMPs.
pub(crate) async fn of_redis(redis: &Redis) -> Contents {
    let mut contents = Contents::new();
    for db in 0..DATABASES {
        let client = redis.client(u32::from(db)).await;
        let keys: Vec<bytes::Bytes> = client.query(&Command::new("KEYS").arg("*")).await.expect("KEYS");
        for keys in keys.chunks(500) {
            let ask = |asked: Pipeline, key: &bytes::Bytes| {
                asked.command(&[&b"DUMP"[..], key]).command(&[&b"PEXPIRETIME"[..], key])
            };
            let asked = keys.iter().fold(Pipeline::new(), ask);
            let mut replies = client.run(asked).await.expect("replies");
            for key in keys {
                let payload: Option<bytes::Bytes> = replies.next().expect("a payload");
                let expiry: i64 = replies.next().expect("a time");
                let Some(payload) = payload else { continue };
                let value = rdb::restore(&payload, &LIMITS).expect("Redis's payload");
                let expiry = u64::try_from(expiry).ok().map(Millis);
                contents.insert((db, key.to_vec()), (comparable(value), expiry));
            }
        }
    }
    contents
}

/// What of the engine a client sees.
pub(crate) fn of_engine(engine: &Engine) -> Contents {
    let now = Millis::now();
    let mut contents = Contents::new();
    for db in 0..DATABASES {
        let mut cursor = 0;
        loop {
            let mut batch = engine.batch(now, false);
            let scanned = batch.run(|txn| {
                let mut found = Vec::new();
                let next = txn.scan(db, cursor, 1000, &mut |key, live| {
                    if let Some(value) = export(live.value, now) {
                        found.push(((db, key.to_vec()), (comparable(value), live.expiry)));
                    }
                });
                Ok::<_, Infallible>((next, found))
            });
            let Ok(Ok((next, found))) = scanned else { panic!("the engine reads") };
            contents.extend(found);
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
    }
    contents
}

/// Fails with the first few keys that differ.
#[track_caller]
pub(crate) fn assert_same(theirs: &Contents, ours: &Contents) {
    let short = |entry: Option<&(String, Option<Millis>)>| {
        entry.map(|(value, expiry)| format!("{} {expiry:?}", value.chars().take(300).collect::<String>()))
    };
    let keys = theirs.keys().chain(ours.keys().filter(|key| !theirs.contains_key(key)));
    let differ: Vec<_> = keys.filter(|key| theirs.get(key) != ours.get(key)).collect();
    let told: Vec<_> = differ
        .iter()
        .take(5)
        .map(|key| (key.0, key.1.escape_ascii().to_string(), short(theirs.get(key)), short(ours.get(key))))
        .collect();
    assert!(differ.is_empty(), "{} of {} keys differ (there, here): {told:#?}", differ.len(), theirs.len());
}
