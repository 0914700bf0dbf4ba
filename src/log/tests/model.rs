//! The append protocol under the model checker: every interleaving that shuttle finds, in memory.

use super::*;
use crate::sync::with_model;

const ROUNDS: usize = 6000;

fn check(body: impl Fn() + Send + Sync + 'static) {
    let body = Arc::new(body);
    let again = Arc::clone(&body);
    with_model(|| {
        shuttle::check_random(move || body(), ROUNDS);
        shuttle::check_pct(move || again(), ROUNDS, 3);
    });
}

/// A log whose segments take two or three records, so that borders are met all the time.
fn small_log() -> Arc<Log> {
    let options = LogOptions {
        memory_segment_bytes: 4096,
        memory_retained_bytes: 8192,
        blob_bytes: 1024,
        payload_bytes_max: 16 * 1024,
        ..LogOptions::new(Location::Memory)
    };
    let (log, _) = open(options, None).unwrap().replay(&mut |_| Ok(()), &mut |_| ()).unwrap();
    Arc::new(log)
}

/// The heads and states of everything in the window, as recovery would find them.
fn states(log: &Log) -> Vec<(u64, State)> {
    let guard = crossbeam_epoch::pin();
    let mut found = Vec::new();
    for segment in log.window(&guard) {
        let mut at = segment.first();
        while at < segment.end() {
            match record::jump(segment.head(at).load(Ordering::Relaxed)) {
                record::Jump::Nothing => break,
                record::Jump::Pad(bytes) => at += bytes,
                record::Jump::Record(bytes) => {
                    let word = segment.state(at).load(Ordering::Relaxed);
                    found.push((at, record::decode_state(word).expect("a state").0));
                    at += bytes;
                }
            }
        }
    }
    found
}

#[test]
fn reserved_records_never_overlap_and_all_become_resolved() {
    check(|| {
        let log = small_log();
        let threads: Vec<_> = (0..3)
            .map(|thread| {
                let log = Arc::clone(&log);
                shuttle::thread::spawn(move || {
                    for n in 0..2 {
                        let guard = crossbeam_epoch::pin();
                        let mut reservation = log.reserve(700 + thread, 1, &guard).unwrap();
                        reservation.payload_mut().fill(thread as u8 + 1);
                        if n == thread % 2 {
                            reservation.seal().unwrap();
                            reservation.commit().unwrap();
                        }
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(log.resolved(), log.head());
        let found = states(&log);
        assert_eq!(found.len(), 6);
        assert_eq!(found.iter().filter(|(_, state)| *state == State::Committed).count(), 3);
        assert_eq!(log.status().in_flight, 0);
    });
}

#[test]
fn a_published_record_is_committed_whoever_looks_first() {
    check(|| {
        let log = small_log();
        // 0: nothing published; else the LSN of a version that is not marked committed.
        let cell = Arc::new(crate::sync::AtomicU64::new(0));
        let writer = {
            let (log, cell) = (Arc::clone(&log), Arc::clone(&cell));
            shuttle::thread::spawn(move || {
                let guard = crossbeam_epoch::pin();
                let mut reservation = log.reserve(8, 1, &guard).unwrap();
                reservation.payload_mut().copy_from_slice(b"12345678");
                reservation.seal().unwrap();
                let lsn = reservation.lsn();
                cell.store(lsn.get(), Ordering::Release);
                reservation.commit().unwrap();
            })
        };
        let reader = {
            let (log, cell) = (Arc::clone(&log), Arc::clone(&cell));
            shuttle::thread::spawn(move || {
                let mut lsn = cell.load(Ordering::Acquire);
                while lsn == 0 {
                    crate::sync::spin_wait(0);
                    lsn = cell.load(Ordering::Acquire);
                }
                let guard = crossbeam_epoch::pin();
                log.mark_committed(Lsn::new(lsn), &guard);
                // A kill here must find what was seen.
                assert!(states(&log).contains(&(lsn, State::Committed)));
            })
        };
        writer.join().unwrap();
        reader.join().unwrap();
        assert_eq!(states(&log), [(Lsn::FIRST.get(), State::Committed)]);
    });
}

#[test]
fn resolved_never_passes_an_undecided_record() {
    check(|| {
        let log = small_log();
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let log = Arc::clone(&log);
                shuttle::thread::spawn(move || {
                    for _ in 0..2 {
                        let guard = crossbeam_epoch::pin();
                        let mut reservation = log.reserve(1000, 1, &guard).unwrap();
                        assert!(log.resolved() <= reservation.lsn());
                        reservation.seal().unwrap();
                        let end = reservation.end();
                        reservation.commit().unwrap();
                        assert!(end <= log.head());
                    }
                })
            })
            .collect();
        let watcher = {
            let log = Arc::clone(&log);
            shuttle::thread::spawn(move || {
                for _ in 0..3 {
                    let resolved = log.resolved();
                    let undecided = states(&log).into_iter().find(|(_, state)| *state == State::Pending);
                    // Records are decided once: one that is undecided now was so when the watermark was read.
                    assert!(undecided.is_none_or(|(lsn, _)| resolved.get() <= lsn));
                }
                let head = log.head();
                log.wait_resolved(head).unwrap();
                assert!(log.resolved() >= head);
            })
        };
        for thread in writers {
            thread.join().unwrap();
        }
        watcher.join().unwrap();
    });
}

#[test]
fn a_snapshots_floor_covers_the_blobs_of_every_later_record() {
    check(|| {
        let log = small_log();
        let spiller = {
            let log = Arc::clone(&log);
            shuttle::thread::spawn(move || {
                let guard = crossbeam_epoch::pin();
                let first_blob_at_least = log.head();
                let mut reservation = log.reserve_spilled(&[&[1; 1500]], 1, &guard).unwrap();
                reservation.seal().unwrap();
                let lsn = reservation.lsn();
                reservation.commit().unwrap();
                (first_blob_at_least, lsn)
            })
        };
        let snapshot = {
            let log = Arc::clone(&log);
            shuttle::thread::spawn(move || {
                // Not before the spill has begun: the interesting moments are few.
                while log.head() == Lsn::FIRST {
                    crate::sync::spin_wait(0);
                }
                let taken = log.snapshot_start();
                log.wait_resolved(taken.start).unwrap();
                (taken, log.retention_floor(taken.start))
            })
        };
        let (first, named_at) = spiller.join().unwrap();
        let (taken, conservative) = snapshot.join().unwrap();
        if named_at >= taken.start && first < taken.start {
            assert!(taken.floor <= first, "{taken:?} {first} {named_at}");
        }
        assert!(conservative <= taken.start);
    });
}
