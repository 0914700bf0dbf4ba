//! Whole files: every fixture's value in one, in pieces of every size, cut at every byte, and with every bit changed.

use super::*;
use crate::rdb::crc64::crc64;
use crate::rdb::file::{FileError, FileReader, Found, Ignored, Item, Key, Used};
use quickcheck::quickcheck;

/// Items of a file, told as text or as a key.
type Told = Vec<(Vec<u8>, u64, Option<Millis>, Option<Used>, Value<'static>)>;

fn file(version: u16, items: &[u8]) -> Vec<u8> {
    let magic = if version < 80 { format!("REDIS{version:04}") } else { format!("VALKEY{version:03}") };
    let mut file = [magic.as_bytes(), items, b"\xff"].concat();
    if version >= 5 {
        let checksum = crc64(&file);
        file.extend_from_slice(&checksum.to_le_bytes());
    }
    file
}

/// A key of a payload's value.
fn item(key: &[u8], body: &[u8]) -> Vec<u8> {
    [&body[..1], &[key.len() as u8], key, &body[1..]].concat()
}

fn own(value: &Value<'_>) -> Value<'static> {
    restore(&dump(value), &ROOMY).map(into_static).expect("our own payload")
}

fn into_static(value: Value<'_>) -> Value<'static> {
    let own = |bytes: Bytes<'_>| Bytes::Owned(bytes.into_owned());
    match value {
        Value::String(string) => Value::String(own(string)),
        Value::List(list) => Value::List(list.into_iter().map(own).collect()),
        Value::Set(set) => Value::Set(set.into_iter().map(own).collect()),
        Value::SortedSet(set) => Value::SortedSet(set.into_iter().map(|(m, s)| (own(m), s)).collect()),
        Value::Hash(fields) => Value::Hash(
            fields
                .into_iter()
                .map(|entry| HashEntry {
                    field: own(entry.field),
                    value: own(entry.value),
                    expiry: entry.expiry,
                })
                .collect(),
        ),
    }
}

/// Reads a file in pieces of `piece` bytes; gives its keys, and how it ended.
fn read(file: &[u8], piece: usize) -> Result<Told, FileError> {
    let mut reader = FileReader::new(ROOMY, 1 << 22);
    let (mut told, mut start, mut end) = (Vec::new(), 0, 0);
    loop {
        match reader.next(&file[start..end])? {
            Found::Incomplete(wants) => {
                assert!(wants > 0);
                if end == file.len() {
                    return Err(FileError::Truncated(reader.offset()));
                }
                end = (end + piece).min(file.len());
            }
            Found::Item(item, len) => {
                start += len;
                assert_eq!(reader.offset(), start as u64);
                match item {
                    Item::End => return Ok(told),
                    Item::Key(Key { db, key, value, expiry, used }) => {
                        told.push((key.into_owned(), db, expiry, used, in_order(own(&value))));
                    }
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn every_value_of_a_payload_is_read_from_a_file_in_pieces_of_any_size() {
    for Fixture { name, payload, held } in fixtures() {
        let (body, version) = opened(payload);
        let file = file(version, &item(b"key", body));
        let expected = vec![(b"key".to_vec(), 0, None, None, in_order(held.value()))];
        let sizes = [1, 2, 3, 7, 64, file.len()];
        for piece in if file.len() > 4000 { &sizes[4..] } else { &sizes[..] } {
            assert_eq!(read(&file, *piece).as_ref(), Ok(&expected), "{name}, by {piece}");
        }
    }
}

/// One file with every kind of item.
fn motley() -> Vec<u8> {
    let items = [
        &b"\xfa\x09redis-ver\x057.4.0"[..],
        b"\xfa\x0aredis-bits\xc0\x40",
        b"\xf7\x81\x00\x00\x00\x00\x00\x00\x00\x09\x02\x02\x01\x05\x05\x02hi\x03\x00\x00\x80\x3f\x04\x00\x00\x00\x00\x00\x00\xf0\x3f\x00",
        b"\xf5\x03lib",
        b"\xfe\x03\xfb\x02\x01",
        b"\xfc\x10\x27\x00\x00\x00\x00\x00\x00\xf8\x07\x00\x01a\x011",
        b"\xfd\x10\x00\x00\x00\xf9\x09\x00\x01b\xc0\x02",
        b"\xfe\x40\x80\xf4\x01\x02\x03\x01\x01l\x02\x01x\x01y",
    ];
    file(12, &items.concat())
}

#[test]
fn what_is_said_of_a_key_is_told_with_it_and_of_no_other() {
    let told = read(&motley(), 5).expect("a file");
    let text = |text: &'static [u8]| Value::String(text.into());
    assert_eq!(
        told,
        [
            (b"a".to_vec(), 3, Some(Millis(10_000)), Some(Used::IdleSeconds(7)), text(b"1")),
            (b"b".to_vec(), 3, Some(Millis(16_000)), Some(Used::Frequency(9)), text(b"2")),
            (b"l".to_vec(), 128, None, None, Value::List(vec![b"x"[..].into(), b"y"[..].into()])),
        ]
    );
}

#[test]
fn what_only_redis_understands_is_told_as_left_out() {
    let file = motley();
    let mut reader = FileReader::new(ROOMY, 1 << 20);
    let (mut at, mut ignored) = (0, Vec::new());
    loop {
        match reader.next(&file[at..]).expect("an item") {
            Found::Item(Item::End, _) => break,
            Found::Item(item, len) => {
                at += len;
                if let Item::Ignored(what) = item {
                    ignored.push(what);
                }
            }
            Found::Incomplete(_) => panic!("the file is whole"),
        }
    }
    assert_eq!(ignored, [Ignored::Module, Ignored::Functions]);
}

#[test]
fn a_file_that_is_cut_at_any_byte_has_no_end() {
    let file = motley();
    for len in 0..file.len() {
        let cut = read(&file[..len], 3);
        assert!(matches!(cut, Err(FileError::Truncated(at)) if at <= len as u64), "{len}: {cut:?}");
    }
}

#[test]
fn any_changed_bit_is_noticed() {
    let file = motley();
    // Why but for one: it makes the version 2, which has no checksum.
    for bit in (0..8 * file.len()).filter(|bit| *bit != 8 * 7) {
        let mut changed = file.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&changed, file.len()).is_err(), "bit {bit}");
    }
}

#[test]
fn a_type_that_is_not_there_is_told_with_its_key() {
    for (kind, what) in
        [(15, "a stream"), (19, "a stream"), (21, "a stream"), (7, "the value of a module"), (99, "unknown")]
    {
        let items = [&b"\xfe\x05"[..], &[kind], b"\x06my key\x01\x02"].concat();
        let error = read(&file(11, &items), 1).expect_err("a type that is not known");
        assert_eq!(error, FileError::Unsupported { db: 5, key: b"my key"[..].into(), kind });
        let told = error.to_string();
        assert!(told.starts_with(&format!("key \"my key\" of database 5 holds {what}")), "{told}");
    }
}

#[test]
fn versions_that_are_not_known_and_other_files_are_told_at_once() {
    assert_eq!(read(&file(15, b""), 1), Err(FileError::Version(15)));
    assert_eq!(read(b"PK\x03\x04 and more", 1), Err(FileError::NotRdb(b"P"[..].into())));
    assert!(read(&file(80, b"\x00\x01k\x01v"), 1).is_ok());
    assert!(read(&file(4, b"\x00\x01k\x01v"), 1).is_ok(), "old files have no checksum");
}

#[test]
fn a_length_is_never_trusted() {
    for items in [
        &b"\x00\x01k\x81\xff\xff\xff\xff\xff\xff\xff\xff"[..],
        b"\x00\x01k\x80\x7f\xff\xff\xff",
        b"\x00\x01k\xc3\x05\x80\x7f\xff\xff\xffabcde",
        b"\xfa\x80\x7f\xff\xff\xff",
    ] {
        let error = read(&file(11, items), 1).expect_err("too long");
        assert!(matches!(error, FileError::Item { fault: Fault::TooLong(_), .. }), "{error}");
    }
    // So many entries that they never end are wanted one by one, up to the limit.
    let endless = [&b"\x01\x01k\x81\x7f\xff\xff\xff\xff\xff\xff\xff"[..], &[0; 5000]].concat();
    let mut reader = FileReader::new(ROOMY, 4096);
    reader.next(b"REDIS0011").expect("a head");
    let error = reader.next(&endless).expect_err("longer than any item may be");
    assert!(matches!(error, FileError::Item { fault: Fault::TooLong(_), .. }), "{error}");
}

#[test]
fn an_empty_collection_is_no_key() {
    let items = [&b"\x01\x01e\x00"[..], b"\x00\x01k\x01v"].concat();
    assert_eq!(read(&file(11, &items), 2).expect("a file").len(), 1);
}

quickcheck! {
    fn any_bytes_end_somehow(bytes: Vec<u8>, version: u8, piece: u8) -> bool {
        let head = format!("REDIS{:04}", 1 + version % 14);
        let file = [head.as_bytes(), &bytes].concat();
        let _ = read(&file, usize::from(piece).max(1));
        true
    }
}
