//! Large collections: the tree that readers see whole at any moment, beside the standard library's, which changes in place
//! for one thread; and finding by position at a million elements.

mod support;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput};
use goredis::Db;
use goredis::clock::Millis;
use goredis::engine::{Batch, Txn, WrongType};
use support::{key, scattered};

const ELEMENTS: u64 = 1_000_000;
const VALUE: [u8; 16] = [b'x'; 16];
/// Elements that one transaction adds while the collections are filled.
const FILLED_AT_ONCE: u64 = 1000;

fn score(n: u64) -> f64 {
    (n.wrapping_mul(7919) % ELEMENTS) as f64
}

fn run<R>(batch: &mut Batch<'_>, mut f: impl FnMut(&mut Txn<'_>) -> Result<R, WrongType>) -> R {
    let result = batch.run(|txn| Ok::<_, Infallible>(f(txn))).expect("the log takes writes");
    let Ok(result) = result;
    result.expect("a collection of the type")
}

fn filled(db: &Db) {
    let mut batch = db.engine().batch(Millis::now(), true);
    for first in (0..ELEMENTS).step_by(FILLED_AT_ONCE as usize) {
        run(&mut batch, |txn| {
            txn.edit_hash(0, b"hash", |hash| {
                (first..first + FILLED_AT_ONCE).for_each(|n| _ = hash.set(&key(n), &VALUE, None));
                Ok(())
            })?;
            txn.edit_sorted_set(0, b"sorted set", |set| {
                (first..first + FILLED_AT_ONCE).for_each(|n| _ = set.put(&key(n), score(n)));
                Ok(())
            })?;
            txn.edit_list(0, b"list", |list| {
                (first..first + FILLED_AT_ONCE).for_each(|n| list.push_back(&[&key(n)]));
                Ok(())
            })
        });
        batch.repin();
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let db = Db::in_memory().expect("a database in memory opens");
    filled(&db);
    let mut group = criterion.benchmark_group("a million elements");
    group.throughput(Throughput::Elements(1)).measurement_time(Duration::from_secs(3));
    let engine = db.engine();
    let mut next = scattered(0, ELEMENTS);
    let mut bench = |what: &str, command: &dyn Fn(&mut Txn<'_>, u64) -> Result<u64, WrongType>| {
        group.bench_function(what, |b| {
            b.iter_batched_ref(
                || engine.batch(Millis::now(), true),
                |batch| black_box(run(batch, |txn| command(txn, next()))),
                BatchSize::NumIterations(64),
            );
        });
    };
    bench("HGET", &|txn, n| {
        let hash = txn.get_hash(0, b"hash")?.expect("it was filled");
        Ok(hash.get(&key(n), Millis(1)).map_or(0, |field| field.value.len() as u64))
    });
    bench("HSET", &|txn, n| {
        txn.edit_hash(0, b"hash", |hash| {
            hash.set(&key(n), &VALUE, None);
            Ok(0)
        })
    });
    bench("ZRANK", &|txn, n| {
        let set = txn.get_sorted_set(0, b"sorted set")?.expect("it was filled");
        Ok(set.rank(&key(n)).expect("a member").0)
    });
    bench("LINDEX", &|txn, n| {
        let list = txn.get_list(0, b"list")?.expect("it was filled");
        Ok(list.get(n).expect("an element").len() as u64)
    });
    let mut map: BTreeMap<[u8; 16], [u8; 16]> = (0..ELEMENTS).map(|n| (key(n), VALUE)).collect();
    let mut next = scattered(0, ELEMENTS);
    group.bench_function("BTreeMap::get", |b| b.iter(|| black_box(map.get(&key(next())).copied())));
    group.bench_function("BTreeMap::insert", |b| b.iter(|| black_box(map.insert(key(next()), VALUE))));
    group.finish();
    criterion.final_summary();
}
