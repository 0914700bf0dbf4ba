//! Many threads append at once.

use super::*;
use std::sync::Barrier;

const THREADS: usize = 4;
const RECORDS: usize = 400;

/// Appends from several threads, each giving up every fifth reservation; returns what was committed, by LSN.
fn hammer(log: &Log) -> Vec<(u64, Vec<u8>)> {
    let start = Barrier::new(THREADS);
    let mut committed: Vec<(u64, Vec<u8>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    (0..RECORDS).filter_map(|n| write(log, thread * RECORDS + n)).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    committed.sort();
    committed
}

fn write(log: &Log, number: usize) -> Option<(u64, Vec<u8>)> {
    let bytes = payload(number, if number % 50 == 0 { 2000 } else { number % 300 });
    if number % 5 == 4 {
        let guard = crossbeam_epoch::pin();
        let mut reservation = log.reserve(bytes.len().min(1000), 1, &guard).unwrap();
        reservation.payload_mut().fill(0xEE);
        return None;
    }
    Some((append(log, &bytes).get(), bytes))
}

#[test]
fn what_threads_committed_at_once_is_recovered_in_order_and_nothing_else() {
    for lost in [false, true] {
        let lab = Lab::new();
        let opened = lab.open();
        let committed = hammer(&opened.log);
        assert_eq!(opened.log.resolved(), opened.log.head());
        if lost {
            opened.log.sync_now().unwrap();
        }
        lab.kill(opened, &[]);
        if lost {
            lab.storage.lose_machine();
        }
        assert_eq!(lab.open().records, committed);
    }
}

#[test]
fn readers_of_the_watermarks_see_them_grow_in_their_order() {
    let lab = Lab::new();
    let options = LogOptions { fsync: FsyncPolicy::Always, ..lab.options() };
    let opened = lab.try_open(&options, None).unwrap();
    let log = &opened.log;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut last = [0; 3];
            while !done.load(Ordering::Relaxed) {
                // Read upwards: what is read later has had time to grow.
                let now = [log.durable().get(), log.resolved().get(), log.head().get()];
                assert!(now.is_sorted(), "{now:?}");
                assert!(now.iter().zip(&last).all(|(now, last)| now >= last));
                last = now;
            }
        });
        hammer(log);
        done.store(true, Ordering::Relaxed);
        watcher.join().unwrap();
    });
}

#[test]
fn waiting_tasks_are_served_together() {
    let lab = Lab::new();
    let options = LogOptions { fsync: FsyncPolicy::Always, ..lab.options() };
    let opened = lab.try_open(&options, None).unwrap();
    let log = Arc::new(opened.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    lab.storage.sync_waits.store(true, Ordering::Relaxed);
    let tasks: Vec<_> = (0..100)
        .map(|n| {
            let log = Arc::clone(&log);
            runtime.spawn(async move {
                let lsn = append(&log, &payload(n, 20));
                log.wait_durable(lsn).await.map(|()| log.durable() > lsn)
            })
        })
        .collect();
    std::thread::sleep(Duration::from_millis(20));
    lab.storage.sync_waits.store(false, Ordering::Relaxed);
    for task in tasks {
        assert_eq!(runtime.block_on(task).unwrap(), Ok(true));
    }
    assert!(log.status().syncs < 50, "one sync serves all who wait: {}", log.status().syncs);
}

#[test]
fn segments_leave_the_window_while_helpers_look_old_records_up() {
    let lab = Lab::new();
    let opened = lab.open();
    let log = &opened.log;
    log.set_fsync(FsyncPolicy::Always);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut at = Lsn::FIRST.get();
                while !done.load(Ordering::Relaxed) {
                    at = if at < log.resolved().get() { at + 8192 } else { Lsn::FIRST.get() };
                    // Every record starts with one at a segment's start: those are asked for.
                    let guard = crossbeam_epoch::pin();
                    log.mark_committed(Lsn::new(at - (at - 4096) % 4096), &guard);
                }
            });
        }
        for n in 0..400 {
            let lsn = append(log, &payload(n, 500));
            if n % 20 == 0 {
                log.wait_durable_blocking(lsn).unwrap();
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    log.sync_now().unwrap();
    for _ in 0..2000 {
        if log.status().mapped_segments <= 3 {
            return;
        }
        append(log, b"move");
        log.sync_now().unwrap();
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("segments stay mapped: {}", log.status().mapped_segments);
}
