//! Payloads in forms that today's servers read and no longer write, made by hand from their description. Redis 7.0,
//! and 7.4's successor those of version 12, restored all of them to what is told here; but for the last, the format of
//! which is that of Valkey 9.

use super::Fixture;
use super::Held::{ExpiringHash, Hash, List, SortedSet};

pub(super) static BY_HAND: &[Fixture] = &[
    Fixture {
        name: "a list",
        payload: b"\x01\x03\x01a\xc0\x07\x00\x06\x00\xd6\xcf66\xd47\xc5`",
        held: List(&[b"a", b"7", b""]),
    },
    Fixture {
        name: "a sorted set with scores as text",
        payload: b"\x03\x05\x01a\xff\x01b\xfe\x01c\x031.5\x01d\x02-0\x01e\x163.0000000000000001e-05\x06\x00\
            \x14\x92\xe6e(u\xcf'",
        held: SortedSet(&[
            (b"a", f64::NEG_INFINITY),
            (b"d", 0.0),
            (b"e", 3e-05),
            (b"c", 1.5),
            (b"b", f64::INFINITY),
        ]),
    },
    Fixture {
        name: "a list in a ziplist",
        payload: b"\x0aB\x0c\x0c\x02\x00\x00\x04\x02\x00\x00\x14\x00\x00\xf1\x02\xfd\x02\xfe\x0d\x03\xfe\xff\
            \x03\xfe\x80\x03\xfe\x7f\x03\xc0\x80\x00\x04\xc0\x00\x80\x04\xf0\x00\x80\x00\x05\xf0\x00\
            \x00\x80\x05\xd0\x00\x00\x80\x00\x06\xd0\xff\xff\xff\x7f\x06\xe0\xff\xff\xff\x7f\xff\xff\
            \xff\xff\x0a\xe0\xff\xff\xff\xff\xff\xff\xff\x7f\x0a\x00\x02\x01x\x03?yyyyyyyyyyyyyyyyyy\
            yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyA@@yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\
            yyyyyyyyyyyyyyyyyyyyyyyyCA,zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\
            zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\
            zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\
            zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\xfe/\x01\x00\x00\x01w\xff\
            \x06\x00\x9at\xcd0\x15 lw",
        held: List(&[
            b"0",
            b"12",
            b"13",
            b"-1",
            b"-128",
            b"127",
            b"128",
            b"-32768",
            b"32768",
            b"-8388608",
            b"8388608",
            b"2147483647",
            b"-2147483649",
            b"9223372036854775807",
            b"",
            b"x",
            &[b'y'; 63],
            &[b'y'; 64],
            &[b'z'; 300],
            b"w",
        ]),
    },
    Fixture {
        name: "a ziplist with long lengths and an unknown number of elements",
        payload: b"\x0a\x1b\x1b\x00\x00\x00\x13\x00\x00\x00\xff\xff\x00\x01a\xfe\x03\x00\x00\x00\xf3\xfe\x06\
            \x00\x00\x00\x01c\xff\x06\x00V\xdc\x05\xd6\xc2\xc2\x90I",
        held: List(&[b"a", b"2", b"c"]),
    },
    Fixture {
        name: "a ziplist with a string length of 4 bytes",
        payload: b"\x0a\x15\x15\x00\x00\x00\x11\x00\x00\x00\x02\x00\x00\x80\x00\x00\x00\x01a\x07\x01b\xff\
            \x06\x00s(\xe9\x1f\xe3\xa1\xad\xba",
        held: List(&[b"a", b"b"]),
    },
    Fixture {
        name: "a list of ziplists, one of them empty",
        payload: b"\x0e\x03\x10\x10\x00\x00\x00\x0d\x00\x00\x00\x02\x00\x00\x01a\x03\xf2\xff\x0b\x0b\x00\x00\
            \x00\x0a\x00\x00\x00\x00\x00\xff\x0e\x0e\x00\x00\x00\x0a\x00\x00\x00\x01\x00\x00\x01b\xff\
            \x07\x00\xe9P\x91?\x8d\x88 \xb9",
        held: List(&[b"a", b"1", b"b"]),
    },
    Fixture {
        name: "a sorted set in a ziplist",
        payload: b"\x0c**\x00\x00\x00$\x00\x00\x00\x08\x00\x00\x01a\x03\x04-inf\x06\x01b\x03\xfe\xfd\x03\x01\
            c\x03\x030.5\x05\x01d\x03\x03inf\xff\x06\x00\xf9\xa3_\xa5\xe6\xb3\xfa\xa1",
        held: SortedSet(&[(b"a", f64::NEG_INFINITY), (b"b", -3.0), (b"c", 0.5), (b"d", f64::INFINITY)]),
    },
    Fixture {
        name: "a hash in a ziplist",
        payload: b"\x0d\x15\x15\x00\x00\x00\x11\x00\x00\x00\x04\x00\x00\x01a\x03\xf2\x02\xf3\x02\x01b\xff\
            \x06\x00\xd3\xc3\x9c\xcd;,os",
        held: Hash(&[(b"2", b"b"), (b"a", b"1")]),
    },
    Fixture {
        name: "a hash in a zipmap",
        payload: b"\x09AA\x03\x01a\x01\x001\x00\x00\x00\x04long\xfe,\x01\x00\x00\x00vvvvvvvvvvvvvvvvvvvvv\
            vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv\
            vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv\
            vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv\
            vvvvvvvvvvvvvvv\xff\x06\x00@\xa2\xe8\x02\xda%\xb5\xeb",
        held: Hash(&[(b"", b""), (b"a", b"1"), (b"long", &[b'v'; 300])]),
    },
    Fixture {
        name: "a zipmap with unused bytes and an unknown number of fields",
        payload: b"\x09\x12\xfe\x01a\x01\x031\x00\x00\x00\x01b\x01\x032\x00\x00\x00\xff\x06\x00\xd9\x10\xce\
            \xe91\x8e\x8d\x19",
        held: Hash(&[(b"a", b"1"), (b"b", b"2")]),
    },
    Fixture {
        name: "a length of 4 bytes and one of 8",
        payload: b"\x01\x80\x00\x00\x00\x02\x81\x00\x00\x00\x00\x00\x00\x00\x01a@\x01b\x09\x00\xfa\xe38q0\
            \xba\x7f\\",
        held: List(&[b"a", b"b"]),
    },
    Fixture {
        name: "a hash of the release candidates",
        payload: b"\x16\x02\x81\x00\x00\x03\xbb,\xc3\xd8\x09\x01f\x01v\x00\x01g\x01w\x0c\x00\x04\xab]l\x03\
            \xda\xfe?",
        held: ExpiringHash(&[(b"f", b"v", Some(4_102_444_800_009)), (b"g", b"w", None)]),
    },
    Fixture {
        name: "a hash of the release candidates in a listpack",
        payload: b"\x17\x1f\x1f\x00\x00\x00\x06\x00\x81f\x02\x81v\x02\xf4\x09\xd8\xc3,\xbb\x03\x00\x00\x09\
            \x81g\x02\x81w\x02\x00\x01\xff\x0c\x00\x89\xbb\x09\xac\xc8\x06\xaf\xa2",
        held: ExpiringHash(&[(b"f", b"v", Some(4_102_444_800_009)), (b"g", b"w", None)]),
    },
    Fixture {
        name: "a listpack with a number of elements that is not known",
        payload: b"\x10\x0d\x0d\x00\x00\x00\xff\xff\x81f\x02\x81v\x02\xff\x0a\x00\x8bmR\x95\x8aT\xe2,",
        held: Hash(&[(b"f", b"v")]),
    },
    Fixture {
        name: "Valkey 9's hash with expiring fields",
        payload: b"\x16\x02\x01f\x01v\x09\xd8\xc3,\xbb\x03\x00\x00\x01g\x01w\xff\xff\xff\xff\xff\xff\xff\xff\
            P\x00\xa5\xb1UD:\x09o\xf0",
        held: ExpiringHash(&[(b"f", b"v", Some(4_102_444_800_009)), (b"g", b"w", None)]),
    },
];
