//! What a request costs to parse and a reply to write, per pipelined batch: the floor under every command.

use criterion::{BatchSize, Criterion, Throughput};
use goredis::resp::request::write_request;
use goredis::resp::{Limits, Parsed, ReplyBuf, RequestParser, Span};
use std::hint::black_box;

/// Requests per batch, as a client with a pipeline of 64 sends them.
const BATCH: usize = 64;

fn batch_of(args: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..BATCH {
        write_request(&mut bytes, args);
    }
    bytes
}

/// Parses all requests in `bytes` and returns how many arguments they had.
fn parse_all(parser: &mut RequestParser, bytes: &[u8], limits: &Limits, spans: &mut Vec<Span>) -> usize {
    let (mut at, mut args) = (0, 0);
    while let Ok(Parsed::Request { consumed }) = parser.parse(&bytes[at..], limits, spans) {
        at += consumed;
        args += spans.len();
        spans.clear();
    }
    args
}

fn parse(c: &mut Criterion) {
    let mut group = c.benchmark_group("parse");
    group.throughput(Throughput::Elements(BATCH as u64));
    let value = [b'v'; 64];
    for (name, args) in [
        ("get", &[&b"GET"[..], b"key:000000012345"][..]),
        ("set", &[b"SET", b"key:000000012345", &value]),
        ("mset-16", &[&value[..]; 33]),
    ] {
        let bytes = batch_of(args);
        let (mut parser, limits, mut spans) = (RequestParser::new(), Limits::default(), Vec::new());
        assert_eq!(parse_all(&mut parser, &bytes, &limits, &mut spans), args.len() * BATCH);
        group.bench_function(name, |b| {
            b.iter(|| parse_all(&mut parser, black_box(&bytes), &limits, &mut spans));
        });
    }
    group.finish();
}

fn reply(c: &mut Criterion) {
    let mut group = c.benchmark_group("reply");
    group.throughput(Throughput::Elements(BATCH as u64));
    let value = [b'v'; 64];
    let mut replies = ReplyBuf::new();
    group.bench_function("ok", |b| {
        b.iter(|| {
            (0..BATCH).for_each(|_| black_box(&mut replies).ok());
            replies.clear();
        });
    });
    group.bench_function("bulk-64", |b| {
        b.iter(|| {
            (0..BATCH).for_each(|_| black_box(&mut replies).bulk(&value));
            replies.clear();
        });
    });
    group.bench_function("int", |b| {
        b.iter(|| {
            (0..BATCH).for_each(|n| black_box(&mut replies).int(n as i64 * 1000));
            replies.clear();
        });
    });
    group.finish();
}

/// One argument of 1 MiB that arrives in reads of 16 KiB: resuming must cost per read, not per byte.
fn trickle(c: &mut Criterion) {
    let mut bytes = Vec::new();
    write_request(&mut bytes, &[&b"SET"[..], b"key", &vec![b'v'; 1 << 20]]);
    c.bench_function("parse/1MiB-in-16KiB-reads", |b| {
        b.iter_batched_ref(
            || (RequestParser::new(), Vec::new()),
            |(parser, spans)| {
                for end in (16 << 10..bytes.len()).step_by(16 << 10).chain([bytes.len()]) {
                    black_box(parser.parse(&bytes[..end], &Limits::default(), spans)).ok();
                }
            },
            BatchSize::SmallInput,
        );
    });
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    parse(&mut criterion);
    reply(&mut criterion);
    trickle(&mut criterion);
    criterion.final_summary();
}
