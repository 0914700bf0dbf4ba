//! What more threads bring: GET and SET of scattered keys, 16 at a time, by 1, 2, 4 and 8 threads, as far as the machine
//! has processors; without sockets, with the log in memory.
//!
//! The throughput that is shown is that of all threads together. On a machine with few processors the counts of
//! `instructions` say more: that a command takes no more instructions where two threads run them than where one does.

mod support;

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use goredis::Db;
use goredis::clock::Millis;
use goredis::engine::{Batch, Txn};
use goredis::store::version::Value;
use std::convert::Infallible;
use std::hint::black_box;
use support::{key, scattered};

const KEYS: u64 = 1_000_000;
const VALUE: [u8; 64] = [b'x'; 64];
const BATCH: u64 = 16;
const THREADS: [usize; 4] = [1, 2, 4, 8];

fn run<R>(batch: &mut Batch<'_>, mut f: impl FnMut(&mut Txn<'_>) -> R) -> R {
    let Ok(result) = batch.run(|txn| Ok::<_, Infallible>(f(txn))).expect("the log takes writes");
    result
}

type Command = fn(&mut Txn<'_>, &[u8]);

fn get(txn: &mut Txn<'_>, key: &[u8]) {
    black_box(txn.get(0, key).is_some());
}

fn set(txn: &mut Txn<'_>, key: &[u8]) {
    txn.put(0, key, Value::Str(&VALUE), None);
}

/// How long so many threads take for `count` commands each.
fn timed(db: &Db, threads: usize, count: u64, command: Command) -> Duration {
    let start = Arc::new(Barrier::new(threads + 1));
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads as u64)
            .map(|seed| {
                let start = Arc::clone(&start);
                scope.spawn(move || {
                    let mut next = scattered(seed, KEYS);
                    start.wait();
                    for _ in 0..count.div_ceil(BATCH) {
                        let mut batch = db.engine().batch(Millis::now(), true);
                        for _ in 0..BATCH {
                            let key = key(next());
                            run(&mut batch, |txn| command(txn, &key));
                        }
                    }
                })
            })
            .collect();
        start.wait();
        let started = Instant::now();
        for worker in workers {
            worker.join().expect("no command panics");
        }
        started.elapsed()
    })
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let db = Db::in_memory().expect("a database in memory opens");
    for n in 0..KEYS {
        db.set(&key(n), &VALUE).expect("there is room");
    }
    for (name, command) in [("get", get as Command), ("set", set)] {
        let mut group = criterion.benchmark_group(format!("scaling/{name}"));
        for threads in THREADS.into_iter().filter(|&threads| threads <= processors) {
            group.throughput(Throughput::Elements(threads as u64));
            group.bench_function(BenchmarkId::from_parameter(threads), |b| {
                b.iter_custom(|count| timed(&db, threads, count, command));
            });
        }
        group.finish();
    }
    criterion.final_summary();
}
