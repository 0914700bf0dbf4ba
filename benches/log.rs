//! What the log costs: appending one record, and replaying many.
//!
//! Times are processor time of the measured threads, so that a busy machine measures the same.

#![expect(missing_docs, reason = "criterion_group! makes functions without any")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use goredis::log::{FsyncPolicy, Location, Log, LogOptions, open};

const PAYLOAD: [u8; 100] = [7; 100];

/// Processor time of the calling thread.
fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a live timespec, which the call fills.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn append(log: &Log, payload: &[u8], guard: &crossbeam_epoch::Guard) {
    let mut reservation = log.reserve(payload.len(), 1_700_000_000_000, guard).unwrap();
    reservation.payload_mut().copy_from_slice(payload);
    reservation.seal().unwrap();
    black_box(reservation.lsn());
    reservation.commit().unwrap();
}

/// Appends in batches of 64 under one guard, as a connection with pipelining does.
fn append_many(log: &Log, count: u64) -> Duration {
    let began = cpu_time();
    let mut left = count;
    while left > 0 {
        let guard = crossbeam_epoch::pin();
        let batch = left.min(64);
        for _ in 0..batch {
            append(log, black_box(&PAYLOAD), &guard);
        }
        left -= batch;
        if left % 65_536 < 64 {
            // Stands for the compaction that keeps the log short.
            drop(guard);
            log.drop_below(log.durable()).unwrap();
        }
    }
    cpu_time().saturating_sub(began)
}

fn open_log(location: Location) -> Log {
    let options = LogOptions { fsync: FsyncPolicy::EverySecond, ..LogOptions::new(location) };
    open(options, None).unwrap().replay(&mut |_| Ok(()), &mut |_| ()).unwrap().0
}

fn bench_append(c: &mut Criterion) {
    let mut group = c.benchmark_group("log-append-100-bytes");
    group.throughput(Throughput::Elements(1));
    let memory = open_log(Location::Memory);
    group.bench_function("memory", |b| b.iter_custom(|count| append_many(&memory, count)));
    let dir = tempfile::tempdir().unwrap();
    let files = open_log(Location::Files { dbfile: dir.path().join("data.db") });
    group.bench_function("files", |b| b.iter_custom(|count| append_many(&files, count)));
    group.bench_function(BenchmarkId::new("files-threads", 2), |b| {
        b.iter_custom(|count| {
            std::thread::scope(|scope| {
                let threads = [(); 2].map(|()| scope.spawn(|| append_many(&files, count / 2)));
                threads.map(|thread| thread.join().unwrap()).iter().sum()
            })
        });
    });
    group.finish();
}

fn bench_replay(c: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let location = Location::Files { dbfile: dir.path().join("data.db") };
    let log = open_log(location.clone());
    let records = 1_000_000;
    for _ in 0..records / 64 {
        let guard = crossbeam_epoch::pin();
        for _ in 0..64 {
            append(&log, &PAYLOAD, &guard);
        }
    }
    drop(log);
    let mut group = c.benchmark_group("log-replay");
    group.sample_size(10).throughput(Throughput::Elements(records));
    group.bench_function("1M-records", |b| {
        b.iter_custom(|rounds| (0..rounds).map(|_| replay(&location)).sum());
    });
    group.finish();
}

/// Opens the log, replays it, and closes it.
fn replay(location: &Location) -> Duration {
    let began = cpu_time();
    let mut sum = 0_u64;
    let opening = open(LogOptions::new(location.clone()), None).unwrap();
    let mut apply = |record: goredis::log::Record<'_>| {
        sum += record.payload.len() as u64;
        Ok(())
    };
    let opened = opening.replay(&mut apply, &mut |_| ()).unwrap();
    let took = cpu_time().saturating_sub(began);
    black_box((opened, sum));
    took
}

criterion_group!(benches, bench_append, bench_replay);
criterion_main!(benches);
