//! What the reply buffer writes, in both dialects, and that splices come out where they belong.

use super::*;
use bytes::Buf;
use quickcheck::{Arbitrary, Gen, quickcheck};
use std::io::IoSlice;

fn written(protocol: Protocol, fill: impl FnOnce(&mut ReplyBuf)) -> String {
    let mut replies = ReplyBuf::with_protocol(protocol);
    fill(&mut replies);
    String::from_utf8(replies.to_vec()).expect("text")
}

#[track_caller]
fn assert_written(resp2: &str, resp3: &str, fill: impl Fn(&mut ReplyBuf)) {
    assert_eq!(written(Protocol::Resp2, &fill), resp2);
    assert_eq!(written(Protocol::Resp3, &fill), resp3);
}

#[track_caller]
fn assert_both(expected: &str, fill: impl Fn(&mut ReplyBuf)) {
    assert_written(expected, expected, fill);
}

#[test]
fn plain_replies_are_the_same_in_both_dialects() {
    assert_both("+OK\r\n+QUEUED\r\n+PONG\r\n", |to| {
        to.ok();
        to.queued();
        to.simple("PONG");
    });
    assert_both(":0\r\n:1\r\n:-42\r\n:9223372036854775807\r\n", |to| {
        for value in [0, 1, -42, i64::MAX] {
            to.int(value);
        }
    });
    assert_both("$0\r\n\r\n$3\r\na\r\n\r\n$2\r\n-7\r\n$4\r\nabcd\r\n", |to| {
        to.bulk(b"");
        to.bulk(b"a\r\n");
        to.bulk_int(-7);
        to.bulk_parts(4, [&b"ab"[..], b"", b"cd"]);
    });
    assert_both("*0\r\n*42\r\n*100\r\n", |to| {
        for len in [0, 42, 100] {
            to.array(len);
        }
    });
}

#[test]
fn an_error_stays_one_line() {
    assert_both("-ERR bad  thing\r\n", |to| to.error("ERR bad\r\nthing"));
    assert_both("-ERR no such option x\r\n", |to| to.error("ERR no such option x\r\n\n"));
}

#[test]
fn typed_replies_fall_back_to_what_resp2_knows() {
    assert_written("$-1\r\n", "_\r\n", ReplyBuf::null);
    assert_written("*-1\r\n", "_\r\n", ReplyBuf::null_array);
    assert_written("*4\r\n", "%2\r\n", |to| to.map(2));
    assert_written("*2\r\n", "~2\r\n", |to| to.set(2));
    assert_written("*3\r\n", ">3\r\n", |to| to.push(3));
    assert_written("$3\r\n3.1\r\n", ",3.1\r\n", |to| to.double(3.1));
    assert_written("$4\r\n-inf\r\n", ",-inf\r\n", |to| to.double(f64::NEG_INFINITY));
    assert_written(":1\r\n:0\r\n", "#t\r\n#f\r\n", |to| {
        to.boolean(true);
        to.boolean(false);
    });
    assert_written("$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n", |to| to.verbatim(*b"txt", "hi"));
    assert_written("$3\r\n123\r\n", "(123\r\n", |to| to.big_number("123"));
    assert_written("", "|1\r\n+k\r\n+v\r\n", |to| {
        if to.attribute(1) {
            to.simple("k");
            to.simple("v");
        }
    });
}

#[test]
fn a_long_shared_value_is_not_copied() {
    let value = Bytes::from(vec![b'v'; SHARED_BYTES_MIN]);
    let mut replies = ReplyBuf::new();
    replies.ok();
    replies.bulk_shared(value.clone());
    replies.bulk_shared(Bytes::from_static(b"short"));
    let mut slices = [IoSlice::new(&[]); 8];
    assert_eq!(replies.chunks_vectored(&mut slices), 3);
    assert_eq!(&*slices[0], b"+OK\r\n$16384\r\n");
    assert_eq!(slices[1].as_ptr(), value.as_ptr());
    assert_eq!(&*slices[2], b"\r\n$5\r\nshort\r\n");
}

#[test]
fn truncating_to_a_mark_takes_back_copied_and_shared_replies() {
    let shared = Bytes::from(vec![b'v'; SHARED_BYTES_MIN]);
    let mut replies = ReplyBuf::new();
    replies.bulk_shared(shared.clone());
    let (before, mark) = (replies.to_vec(), replies.mark());
    replies.int(5);
    replies.bulk_shared(shared);
    replies.truncate(mark);
    assert_eq!(replies.to_vec(), before);
    assert_eq!(replies.len(), before.len());
}

#[test]
fn a_buffer_that_is_written_slowly_while_it_is_filled_stays_small() {
    let mut replies = ReplyBuf::new();
    replies.bulk(&[b'x'; 1000]);
    for _ in 0..10_000 {
        replies.bulk(&[b'x'; 1000]);
        replies.advance(1008);
    }
    assert!(replies.heap_bytes() < 4 * KEPT_BYTES_MAX, "{}", replies.heap_bytes());
}

/// One reply to append: its length, and whether it is shared.
#[derive(Clone, Debug)]
struct Appended(usize, bool);

impl Arbitrary for Appended {
    fn arbitrary(g: &mut Gen) -> Self {
        let shared = bool::arbitrary(g);
        let len = usize::from(u8::arbitrary(g));
        Self(if shared { SHARED_BYTES_MIN + len } else { len }, shared)
    }
}

fn filled(appended: &[Appended]) -> (ReplyBuf, Vec<u8>) {
    let (mut replies, mut expected) = (ReplyBuf::new(), Vec::new());
    for (index, Appended(len, shared)) in appended.iter().enumerate() {
        let value = vec![index as u8; *len];
        expected.extend_from_slice(format!("${len}\r\n").as_bytes());
        expected.extend_from_slice(&value);
        expected.extend_from_slice(b"\r\n");
        if *shared { replies.bulk_shared(value.into()) } else { replies.bulk(&value) }
    }
    (replies, expected)
}

quickcheck! {
    fn any_sequence_of_partial_writes_writes_everything_once(appended: Vec<Appended>, steps: Vec<u16>) -> bool {
        let (mut replies, expected) = filled(&appended);
        let (mut out, mut steps) = (Vec::new(), steps.into_iter().cycle());
        while replies.has_remaining() {
            let chunk = replies.chunk();
            let count = chunk.len().min(usize::from(steps.next().unwrap_or(999)) + 1);
            out.extend_from_slice(&chunk[..count]);
            replies.advance(count);
        }
        out == expected && replies.heap_bytes() <= 2 * KEPT_BYTES_MAX
    }

    fn an_advance_over_several_runs_is_the_same_as_over_each(appended: Vec<Appended>, count: usize) -> bool {
        let (mut replies, expected) = filled(&appended);
        let count = count % (expected.len() + 1);
        replies.advance(count);
        replies.to_vec() == expected[count..] && replies.len() == expected.len() - count
    }

    fn appending_a_buffer_appends_its_bytes(front: Vec<Appended>, back: Vec<Appended>, count: usize) -> bool {
        let ((mut front, mut expected), (mut back, back_bytes)) = (filled(&front), filled(&back));
        let count = count % (back_bytes.len() + 1);
        back.advance(count);
        front.append(&back);
        expected.extend_from_slice(&back_bytes[count..]);
        front.to_vec() == expected && front.len() == expected.len()
    }
}
