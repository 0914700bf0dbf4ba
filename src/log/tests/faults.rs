//! The system refuses: no space, a failed sync, a lost page.

use super::*;

const SEGMENT: u64 = 8192;

/// Appends until the log refuses; returns how many records it took, and why it stopped.
fn fill(log: &Log) -> (usize, LogError) {
    for n in 0..10_000 {
        let guard = crossbeam_epoch::pin();
        match log.reserve(500, 1, &guard) {
            Ok(mut reservation) => {
                reservation.payload_mut().copy_from_slice(&payload(n, 500));
                reservation.seal().unwrap();
                reservation.commit().unwrap();
            }
            Err(error) => return (n, error),
        }
    }
    panic!("the log never refuses");
}

#[test]
fn without_space_nothing_is_reserved_and_writes_resume_by_themselves() {
    let lab = Lab::new();
    lab.storage.space.store(2 * SEGMENT, Ordering::Relaxed);
    let opened = lab.open();
    let (written, error) = fill(&opened.log);
    assert!(written >= 14, "two segments of 4096 bytes: {written}");
    let LogError::NoSpace { path, reason } = &error else { panic!("{error}") };
    assert!(path.ends_with("data.db.log.00000000000000012288"), "{error}");
    assert!(reason.contains("No space left"), "{error}");
    assert_eq!(opened.log.status().no_space, Some(error));
    let head = opened.log.head();
    fill(&opened.log);
    assert_eq!(opened.log.head(), head, "nothing is reserved");
    // A smaller record still fits the rest of the segment.
    append(&opened.log, b"small");
    assert_eq!(opened.log.sync_now().unwrap(), opened.log.head());
    lab.storage.space.store(u64::MAX, Ordering::Relaxed);
    let until = std::time::Instant::now() + Duration::from_secs(10);
    while opened.log.status().no_space.is_some() {
        assert!(std::time::Instant::now() < until, "writes do not resume");
        std::thread::sleep(Duration::from_millis(5));
    }
    append(&opened.log, &payload(1, 900));
    drop(opened);
    assert_eq!(lab.open().records.len(), written + 2);
    assert!(names::list(&lab.dbfile).unwrap().unfinished.is_empty());
}

#[test]
fn a_failed_sync_poisons_and_is_never_retried() {
    let lab = Lab::new();
    let options = LogOptions { fsync: FsyncPolicy::Always, ..lab.options() };
    let opened = lab.try_open(&options, None).unwrap();
    let log = &opened.log;
    let before = append(log, b"durable");
    log.wait_durable_blocking(before).unwrap();
    settle(log);
    lab.storage.sync_fails.store(true, Ordering::Relaxed);
    let lost = append(log, b"lost");
    let error = log.wait_durable_blocking(lost).unwrap_err();
    assert!(matches!(&error, LogError::Poisoned { fault: Fault::Sync { .. } }), "{error}");
    lab.storage.sync_fails.store(false, Ordering::Relaxed);
    assert_eq!(log.wait_durable_blocking(lost).unwrap_err(), error);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(log.wait_durable(lost)).unwrap_err(), error);
    assert_eq!(log.reserve(1, 1, &crossbeam_epoch::pin()).unwrap_err(), error);
    assert_eq!(log.sync_now().unwrap_err(), error);
    log.wait_durable_blocking(before).unwrap();
    assert!(log.durable() > before && log.durable() <= lost);
    assert!(log.status().fault.is_some());
    assert_eq!(log.shutdown().unwrap_err(), error);
    let durable = log.durable();
    drop(opened);
    assert_eq!(DiskLog::discover(&lab.dbfile, 1).unwrap().durable_mark(), durable, "the mark did not move");
}

#[test]
fn a_failed_sync_of_a_new_segment_poisons_too() {
    let lab = Lab::new();
    let opened = lab.open();
    settle(&opened.log);
    lab.storage.sync_fails.store(true, Ordering::Relaxed);
    let (_, error) = fill(&opened.log);
    assert!(matches!(error, LogError::Poisoned { fault: Fault::Sync { .. } }), "{error}");
}

#[test]
fn a_cut_file_poisons_the_log_instead_of_killing_the_process() {
    let lab = Lab::new();
    let options = LogOptions { segment_bytes: 1 << 20, ..lab.options() };
    let opened = lab.try_open(&options, None).unwrap();
    let log = &opened.log;
    append(log, b"one");
    settle(log);
    let path = lab.segments().remove(0);
    std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(4096 + 100).unwrap();
    let guard = crossbeam_epoch::pin();
    let mut sealed_badly = 0;
    for n in 0..1000 {
        let Ok(mut reservation) = log.reserve(1000, 1, &guard) else { break };
        reservation.payload_mut().copy_from_slice(&payload(n, 1000));
        sealed_badly += usize::from(reservation.seal().is_err());
    }
    assert_eq!(sealed_badly, 1, "who met the lost page is told before it publishes");
    let poisoned = LogError::Poisoned { fault: Fault::PageLost };
    assert_eq!(log.reserve(1, 1, &guard).unwrap_err(), poisoned);
    drop(guard);
    assert_eq!(log.wait_durable_blocking(Lsn::FIRST).unwrap_err(), poisoned);
    assert_eq!(log.shutdown().unwrap_err(), poisoned);
}

#[test]
fn too_large_and_too_many_are_refused_with_their_limits() {
    let lab = Lab::new();
    let opened = lab.open();
    let guard = crossbeam_epoch::pin();
    let error = opened.log.reserve(1025, 1, &guard).unwrap_err();
    assert_eq!(error, LogError::PayloadTooLarge { bytes: 1025, bytes_max: 1024 });
    let error = opened.log.reserve_spilled(&[&vec![0; 16 * 1024 + 1]], 1, &guard).unwrap_err();
    assert_eq!(error, LogError::PayloadTooLarge { bytes: 16 * 1024 + 1, bytes_max: 16 * 1024 });
    let held: Vec<_> =
        (0..64).map(|_| opened.log.reserve_spilled(&[&[1; 2000]], 1, &guard).unwrap()).collect();
    let error = opened.log.reserve_spilled(&[&[1; 2000]], 1, &guard).unwrap_err();
    assert_eq!(error, LogError::TooManySpills { spills_max: 64 });
    drop(held);
    drop(opened.log.reserve_spilled(&[b"a", b"", b"b"], 1, &guard).unwrap());
}

#[test]
fn blobs_of_a_payload_on_its_way_are_not_dropped() {
    let lab = Lab::new();
    let opened = lab.open();
    let log = &opened.log;
    let big = payload(1, 3000);
    let guard = crossbeam_epoch::pin();
    let mut spilled = log.reserve_spilled(&[&big], 1, &guard).unwrap();
    for n in 0..30 {
        append(log, &payload(n, 700));
    }
    let start = log.snapshot_start();
    assert_eq!(start.floor, Lsn::FIRST);
    assert!(log.retention_floor(start.start) <= Lsn::FIRST);
    assert_eq!(log.drop_below(log.head()).unwrap(), 0);
    spilled.seal().unwrap();
    spilled.commit().unwrap();
    drop(guard);
    assert_eq!(log.snapshot_start().floor, log.head());
    drop(opened);
    assert_eq!(lab.open().records[0].1, big);
}

#[test]
fn a_log_that_cannot_be_made_names_the_file() {
    let lab = Lab::new();
    lab.storage.space.store(100, Ordering::Relaxed);
    let error = lab.try_open(&lab.options(), None).err().unwrap().to_string();
    assert!(error.contains("cannot make the log segment") && error.contains("No space left"), "{error}");
    let second = lab.try_open(&lab.options(), None).err().unwrap().to_string();
    assert_eq!(second, error, "the lock is free again");
}
