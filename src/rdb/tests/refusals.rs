//! What is no value, and why.

use super::*;

/// The fault that the payload of `body` has, and where.
fn refused(body: &[u8]) -> (usize, Fault) {
    match restore(&sealed(body), &ROOMY) {
        Err(Error::Malformed { at, fault }) => (at, fault),
        other => panic!("{body:x?} gave {other:?}"),
    }
}

#[test]
fn version_and_checksum_are_told_from_malformed_values() {
    let mut payload = sealed(b"\x00\x01a");
    let last = payload.len() - 1;
    payload[last] ^= 1;
    assert!(matches!(restore(&payload, &ROOMY), Err(Error::Trailer(TrailerError::Checksum { .. }))));
    let newer = sealed_as(b"\x00\x01a", 15);
    assert_eq!(restore(&newer, &ROOMY), Err(Error::Trailer(TrailerError::Version(15))));
    assert_eq!(restore(b"", &ROOMY), Err(Error::Trailer(TrailerError::Short(0))));
    assert_eq!(refused(b""), (0, Fault::Truncated));
}

#[test]
fn streams_modules_and_unknown_types_are_not_supported() {
    for kind in [6, 7, 8, 15, 19, 21, 26, 247, 255] {
        assert_eq!(restore(&sealed(&[kind]), &ROOMY), Err(Error::Unsupported { kind }));
    }
    let told = |kind| Error::Unsupported { kind }.to_string();
    assert_eq!(told(15), "values of type 15 are not supported: a stream");
    assert_eq!(told(7), "values of type 7 are not supported: the value of a module");
    assert_eq!(told(99), "values of type 99 are not supported: unknown");
}

#[test]
fn types_of_redis_are_not_looked_for_in_payloads_of_valkey() {
    for kind in [23, 24, 25] {
        assert_eq!(restore(&sealed_as(&[kind], 80), &ROOMY), Err(Error::Unsupported { kind }));
    }
}

#[test]
fn lengths_and_strings_are_checked() {
    for (body, at, fault) in [
        (&b"\x00"[..], 1, Fault::Truncated),
        (b"\x00\x02a", 1, Fault::Truncated),
        (b"\x00\x01ab", 3, Fault::TrailingBytes),
        (b"\x00\x80\x00\x00\x01", 1, Fault::Truncated),
        (b"\x00\x81\x00\x00\x00\x00\x00\x00\x01", 1, Fault::Truncated),
        (b"\x00\x82", 1, Fault::Length),
        (b"\x00\xc4", 1, Fault::Length),
        (b"\x00\xc2abc", 1, Fault::Truncated),
        (b"\x01\xc0\x01", 1, Fault::Length),
        (b"\x01\xc3\x01\x01a", 1, Fault::Length),
        (b"\x00\xc3\xc0\x01\x01a", 1, Fault::Length),
    ] {
        assert_eq!(refused(body), (at, fault), "{body:x?}");
    }
}

#[test]
fn counts_are_compared_with_what_is_there() {
    for (body, at, fault) in [
        (&b"\x01\x00"[..], 1, Fault::Empty),
        (b"\x01\x02\x00", 1, Fault::Truncated),
        (b"\x01\x81\xff\xff\xff\xff\xff\xff\xff\xff\x00", 1, Fault::Truncated),
        (b"\x02\x80\xff\xff\xff\xff\x00", 1, Fault::Truncated),
        (b"\x04\x02\x00\x00\x00", 1, Fault::Truncated),
        (b"\x04\x01\x00", 1, Fault::Truncated),
        (b"\x05\x01\x00\x00\x00\x00\x00\x00\x00\x00", 1, Fault::Truncated),
        (b"\x03\x02\x00\xff\x00", 1, Fault::Truncated),
        (b"\x12\x00", 1, Fault::Empty),
        (b"\x18\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00", 9, Fault::Truncated),
    ] {
        assert_eq!(refused(body), (at, fault), "{body:x?}");
    }
}

#[test]
fn compressed_strings_are_checked() {
    for (body, fault) in [
        // Two bytes cannot become 177.
        (&b"\x00\xc3\x02\x40\xb1\x00a"[..], Fault::Compressed),
        // Longer and shorter than told.
        (b"\x00\xc3\x03\x01\x01ab", Fault::Compressed),
        (b"\x00\xc3\x03\x03\x01ab", Fault::Compressed),
        // A reference to before the start, one without its offset, a literal without its end.
        (b"\x00\xc3\x04\x04\x00a\x20\x01", Fault::Compressed),
        (b"\x00\xc3\x03\x04\x00a\x20", Fault::Compressed),
        (b"\x00\xc3\x03\x04\x03ab", Fault::Compressed),
        // The same with the most that can be told: nothing of it is allocated.
        (b"\x00\xc3\x04\x80\xff\xff\xff\xff\x00a\xe0\xff", Fault::TooLong(0xffff_ffff)),
        (b"\x00\xc3\x00\x01", Fault::Compressed),
    ] {
        assert_eq!(refused(body), (1, fault), "{body:x?}");
    }
    let whole = sealed(b"\x00\xc3\x04\x04\x00a\x20\x00");
    assert_eq!(restore(&whole, &ROOMY), Ok(Value::String(Bytes::Borrowed(b"aaaa"))));
}

#[test]
fn members_and_fields_are_there_once() {
    for body in [
        &b"\x02\x02\x01a\x01a"[..],
        // The same member as an integer and as digits.
        b"\x02\x02\x017\xc0\x07",
        b"\x04\x02\x01a\x00\x01a\x00",
        b"\x03\x02\x01a\xff\x01a\xfe",
        b"\x14\x00\x00\x00\x00\x00\x02\x00\x817\x02\x07\x01\xff",
        b"\x09\x00\x02\x01a\x00\x00\x01a\x00\x00\xff",
    ] {
        let body = patched(body);
        assert_eq!(refused(&body), (body.len(), Fault::Duplicate), "{body:x?}");
    }
}

/// A body in which the lengths of a packed collection are what they should be.
fn patched(body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    let bytes = (body.len() - 2) as u8;
    if body[0] >= 9 {
        body[1] = bytes;
    }
    if body[0] > 9 {
        body[2..6].copy_from_slice(&u32::from(bytes).to_le_bytes());
    }
    body
}

#[test]
fn scores_are_numbers() {
    let nan = f64::NAN.to_le_bytes();
    let binary = [&b"\x05\x01\x01a"[..], &nan].concat();
    assert_eq!(refused(&binary), (binary.len(), Fault::Score));
    assert_eq!(refused(b"\x03\x01\x01a\xfd"), (5, Fault::Score));
    for text in [&b"\x03nan"[..], b"\x00", b"\x01x", b"\x03 1 ", b"\x02\xc3\xa4"] {
        let body = [&b"\x03\x01\x01a"[..], text].concat();
        assert_eq!(refused(&body), (body.len(), Fault::Score), "{text:x?}");
    }
    let packed = patched(b"\x11\x00\x00\x00\x00\x00\x02\x00\x81a\x02\x83nan\x04\xff");
    assert_eq!(refused(&packed), (1, Fault::Score));
}

#[test]
fn entries_of_packed_collections_are_whole() {
    for kind in [0x10, 0x11] {
        let body = patched(&[kind, 0, 0, 0, 0, 0, 1, 0, 0x81, b'a', 2, 0xff]);
        assert_eq!(refused(&body), (1, Fault::Incomplete));
    }
    let empty = patched(b"\x10\x00\x00\x00\x00\x00\x00\x00\xff");
    assert_eq!(refused(&empty), (empty.len(), Fault::Empty));
}

#[test]
fn packed_collections_keep_to_their_formats() {
    for (body, fault) in [
        // Listpacks: a wrong count, a wrong length behind an element, an unknown element, no end.
        (&b"\x14\x00\x00\x00\x00\x00\x02\x00\x01\x01\xff"[..], Fault::Listpack),
        (b"\x14\x00\x00\x00\x00\x00\x01\x00\x01\x02\xff", Fault::Listpack),
        (b"\x14\x00\x00\x00\x00\x00\x01\x00\xf5\x01\xff", Fault::Listpack),
        (b"\x14\x00\x00\x00\x00\x00\x01\x00\x01\x01\x00", Fault::Listpack),
        // Ziplists: a wrong count, a wrong length before an element, a wrong offset of the last, an unknown element.
        (b"\x0a\x00\x00\x00\x00\x0a\x00\x00\x00\x02\x00\x00\xf1\xff", Fault::Ziplist),
        (b"\x0a\x00\x00\x00\x00\x0a\x00\x00\x00\x01\x00\x01\xf1\xff", Fault::Ziplist),
        (b"\x0a\x00\x00\x00\x00\x0b\x00\x00\x00\x01\x00\x00\xf1\xff", Fault::Ziplist),
        (b"\x0a\x00\x00\x00\x00\x0a\x00\x00\x00\x01\x00\x00\xff\xff", Fault::Ziplist),
    ] {
        assert_eq!(refused(&patched(body)), (1, fault), "{body:x?}");
    }
    for (body, fault) in [
        // Intsets: a width that does not exist, a wrong count, integers that do not ascend.
        (&b"\x0b\x0a\x03\x00\x00\x00\x01\x00\x00\x00\x01\x00"[..], Fault::Intset),
        (b"\x0b\x0a\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00", Fault::Intset),
        (b"\x0b\x0c\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\x01\x00", Fault::Intset),
        (b"\x0b\x0a\x02\x00\x00\x00\xff\xff\xff\xff\x01\x00", Fault::Intset),
        // Zipmaps: a wrong count, a field without its value, a length that does not exist.
        (b"\x09\x07\x02\x01a\x01\x00b\xff", Fault::Zipmap),
        (b"\x09\x04\x01\x01a\xff", Fault::Zipmap),
        (b"\x09\x04\x01\xff\x00\xff", Fault::Zipmap),
        // Listpacks: no header, a length that is not that of the string.
        (b"\x14\x03\x00\x00\xff", Fault::Listpack),
        (b"\x14\x09\x0a\x00\x00\x00\x01\x00\x01\x01\xff", Fault::Listpack),
    ] {
        assert_eq!(refused(body), (1, fault), "{body:x?}");
    }
    assert_eq!(refused(b"\x12\x01\x03\x01a"), (2, Fault::Node));
}

#[test]
fn ends_of_fields_are_within_what_can_be_told() {
    let late = [&b"\x18"[..], &((1_u64 << 48) - 1).to_le_bytes(), b"\x01\x02\x01f\x01v"].concat();
    assert_eq!(refused(&late), (11, Fault::Expiry));
    let overflowing = [&b"\x18"[..], &[0xff; 8], b"\x01\x02\x01f\x01v"].concat();
    assert_eq!(refused(&overflowing), (11, Fault::Expiry));
    let negative = [&b"\x16\x01\x01f\x01v"[..], &(-2_i64).to_le_bytes()].concat();
    let malformed = Error::Malformed { at: negative.len(), fault: Fault::Expiry };
    assert_eq!(restore(&sealed_as(&negative, 80), &ROOMY), Err(malformed));
}
