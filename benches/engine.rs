//! The engine without sockets: reading, writing, counting, transactions, and recovery, with files and without.

mod support;

use std::convert::Infallible;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput};
use goredis::Db;
use goredis::clock::Millis;
use goredis::engine::{Batch, Txn, WrongType};
use goredis::store::version::{StringRef, Value, ValueRef};
use support::{key, scattered};

const KEYS: u64 = 100_000;
const VALUE: [u8; 64] = [b'x'; 64];

fn filled(db: &Db) {
    for n in 0..KEYS {
        db.set(&key(n), &VALUE).expect("there is room");
    }
}

fn run<R>(batch: &mut Batch<'_>, mut f: impl FnMut(&mut Txn<'_>) -> R) -> R {
    let Ok(result) = batch.run(|txn| Ok::<_, Infallible>(f(txn))).expect("the log takes writes");
    result
}

fn commands(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let with_files = Db::open(folder.path().join("data.db")).expect("a fresh database opens");
    let in_memory = Db::in_memory().expect("a database in memory opens");
    for (name, db) in [("memory", &in_memory), ("files", &with_files)] {
        filled(db);
        let mut group = c.benchmark_group(format!("engine/{name}"));
        group.throughput(Throughput::Elements(1)).measurement_time(Duration::from_secs(3));
        let mut next = scattered(0, KEYS);
        let engine = db.engine();
        let batch = || engine.batch(Millis::now(), true);
        group.bench_function("get", |b| {
            b.iter_batched_ref(
                batch,
                |batch| {
                    let key = key(next());
                    run(batch, |txn| black_box(txn.get(0, &key)).is_some())
                },
                BatchSize::NumIterations(64),
            );
        });
        let mut next = scattered(0, KEYS);
        group.bench_function("set", |b| {
            b.iter_batched_ref(
                batch,
                |batch| {
                    let key = key(next());
                    run(batch, |txn| txn.put(0, &key, Value::Str(&VALUE), None));
                },
                BatchSize::NumIterations(64),
            );
        });
        group.bench_function("incr", |b| {
            b.iter_batched_ref(
                batch,
                |batch| {
                    run(batch, |txn| {
                        let count = match txn.get(0, b"counter").map(|live| live.value) {
                            Some(ValueRef::String(StringRef::Int(count))) => count,
                            _ => 0,
                        };
                        txn.put(0, b"counter", Value::Int(count + 1), None);
                    });
                },
                BatchSize::NumIterations(64),
            );
        });
        let mut next = scattered(0, KEYS);
        group.bench_function("transaction of two reads and two writes", |b| {
            b.iter_batched_ref(
                batch,
                |batch| {
                    let (from, to) = (key(next()), key(next()));
                    run(batch, |txn| {
                        let seen = (txn.get(0, &from).is_some(), txn.get(0, &to).is_some());
                        txn.put(0, &from, Value::Raw(&VALUE), None);
                        txn.put(0, &to, Value::Raw(&VALUE), None);
                        seen
                    });
                },
                BatchSize::NumIterations(64),
            );
        });
        group.finish();
    }
}

/// Writes of one entry to a collection that has many.
fn collections(c: &mut Criterion) {
    let db = Db::in_memory().expect("a database in memory opens");
    let engine = db.engine();
    let mut group = c.benchmark_group("engine/collections");
    group.throughput(Throughput::Elements(1)).measurement_time(Duration::from_secs(3));
    let mut next = scattered(0, KEYS);
    let mut bench = |name: &str, write: &dyn Fn(&mut Txn<'_>, u64) -> Result<(), WrongType>| {
        let mut batch = engine.batch(Millis::now(), true);
        for n in 0..KEYS {
            run(&mut batch, |txn| write(txn, n)).expect("a collection of the type");
            batch.repin();
        }
        drop(batch);
        group.bench_function(name, |b| {
            b.iter_batched_ref(
                || engine.batch(Millis::now(), true),
                |batch| run(batch, |txn| write(txn, next())).expect("a collection of the type"),
                BatchSize::NumIterations(64),
            );
        });
    };
    bench("field of a hash", &|txn, n| {
        txn.edit_hash(0, b"hash", |hash| {
            hash.set(&key(n), &VALUE, None);
            Ok(())
        })
    });
    bench("score of a sorted set", &|txn, n| {
        txn.edit_sorted_set(0, b"sorted set", |set| {
            set.put(&key(n), (n.wrapping_mul(7919) % KEYS) as f64 + set.len() as f64);
            Ok(())
        })
    });
    bench("push to a list", &|txn, n| {
        txn.edit_list(0, b"list", |list| {
            list.push_back(&[&key(n)]);
            Ok(())
        })
    });
    group.finish();
}

fn recovery(c: &mut Criterion) {
    let mut group = c.benchmark_group("recovery");
    group.sample_size(10).throughput(Throughput::Elements(KEYS));
    for (name, compact) in [("from the log", false), ("from a snapshot", true)] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("data.db");
        let db = Db::open(&path).expect("a fresh database opens");
        filled(&db);
        if compact {
            db.engine().snapshot_blocking().expect("there is room");
        }
        db.close().expect("the last sync succeeds");
        group.bench_function(name, |b| {
            b.iter(|| Db::open(&path).expect("the files are whole"));
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    commands(&mut criterion);
    collections(&mut criterion);
    recovery(&mut criterion);
    criterion.final_summary();
}
