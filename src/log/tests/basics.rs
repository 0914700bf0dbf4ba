//! A log is written, closed, opened: what is found again.

use super::*;

#[test]
fn what_was_committed_is_found_again_in_order_across_segments_and_spills() {
    let lab = Lab::new();
    let first = lab.open();
    assert!(first.report.last_life.is_none() && first.records.is_empty());
    let payloads: Vec<Vec<u8>> =
        (0..60).map(|n| payload(n, if n % 10 == 9 { 3000 } else { n * 7 })).collect();
    let lsns: Vec<u64> = payloads.iter().map(|payload| append(&first.log, payload).get()).collect();
    assert!(lsns.is_sorted());
    assert!(lab.segments().len() > 2);
    let history = first.log.history();
    drop(first);
    let second = lab.open();
    assert_eq!(second.payloads(), payloads);
    assert_eq!(second.records.iter().map(|(lsn, _)| *lsn).collect::<Vec<_>>(), lsns);
    assert_eq!(second.report.last_life, Some(LastLife::Killed));
    assert_eq!(second.log.history(), history);
    append(&second.log, b"more");
    drop(second);
    assert_eq!(lab.open().payloads().last().unwrap(), b"more");
}

#[test]
fn a_dropped_reservation_is_void_and_a_panic_drops_it() {
    let lab = Lab::new();
    let opened = lab.open();
    append(&opened.log, b"one");
    let guard = crossbeam_epoch::pin();
    drop(opened.log.reserve(100, 1, &guard).unwrap());
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _reservation = opened.log.reserve(50, 1, &guard).unwrap();
        panic!("the writer dies");
    }));
    assert!(panicked.is_err());
    append(&opened.log, b"two");
    assert_eq!(opened.log.resolved(), opened.log.head());
    drop(guard);
    drop(opened);
    assert_eq!(lab.open().payloads(), [b"one".to_vec(), b"two".to_vec()]);
}

#[test]
fn helping_commits_a_record_and_the_owner_may_commit_it_again() {
    let lab = Lab::new();
    let opened = lab.open();
    let guard = crossbeam_epoch::pin();
    let mut reservation = opened.log.reserve(3, 1, &guard).unwrap();
    reservation.payload_mut().copy_from_slice(b"abc");
    reservation.seal().unwrap();
    let lsn = reservation.lsn();
    assert!(opened.log.resolved() <= lsn);
    opened.log.mark_committed(lsn, &guard);
    assert_eq!(opened.log.resolved(), opened.log.head());
    opened.log.mark_committed(lsn, &guard);
    reservation.commit().unwrap();
    opened.log.mark_committed(Lsn::new(8), &guard);
    drop(guard);
    drop(opened);
    assert_eq!(lab.open().payloads(), [b"abc".to_vec()]);
}

#[test]
fn sync_now_and_waiting_make_durable_what_was_written() {
    let lab = Lab::new();
    let opened = lab.open();
    let log = &opened.log;
    let lsn = append(log, b"one");
    assert!(log.durable() <= lsn);
    assert_eq!(log.sync_now().unwrap(), log.head());
    log.set_fsync(FsyncPolicy::Always);
    for n in 0..50 {
        let lsn = append(log, &payload(n, 300));
        log.wait_durable_blocking(lsn).unwrap();
        assert!(log.durable() > lsn);
    }
    log.wait_durable_blocking(log.head()).unwrap();
    let lsn = append(log, b"async");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(log.wait_durable(lsn)).unwrap();
    assert!(log.status().syncs > 50);
}

#[test]
fn after_shutdown_nothing_is_reserved_and_what_was_is_durable() {
    let lab = Lab::new();
    let opened = lab.open();
    append(&opened.log, b"one");
    opened.log.shutdown().unwrap();
    assert_eq!(opened.log.durable(), opened.log.head());
    let guard = crossbeam_epoch::pin();
    assert_eq!(opened.log.reserve(1, 1, &guard).unwrap_err(), LogError::Closed);
    opened.log.shutdown().unwrap();
    let disk = DiskLog::discover(&lab.dbfile, 1).unwrap();
    assert!(disk.segments()[0].mark().clean);
    assert_eq!(disk.durable_mark(), opened.log.head());
}

#[test]
fn a_disk_that_takes_long_to_remove_a_file_holds_nobody_up() {
    let lab = Lab::new();
    let opened = lab.try_open(&LogOptions { spare_segments_max: 0, ..lab.options() }, None).unwrap();
    let log = &opened.log;
    for n in 0..40 {
        append(log, &payload(n, 500));
    }
    let end = log.sync_now().unwrap();
    lab.storage.removal_waits.store(true, Ordering::Relaxed);
    std::thread::scope(|scope| {
        let removing = scope.spawn(|| log.drop_below(end));
        while lab.storage.removals.load(Ordering::Relaxed) == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        // Each takes several segments that the allocator has to make, after those that it has to close.
        for n in 0..40 {
            append(log, &payload(n, 500));
            log.sync_now().unwrap();
        }
        crate::store::grace::wait();
        assert!(log.start() > Lsn::FIRST, "what is being removed may be gone already, for who reads the log");
        lab.storage.removal_waits.store(false, Ordering::Relaxed);
        assert!(removing.join().unwrap().unwrap() >= 4096);
    });
    assert!(log.start() > Lsn::FIRST);
}

#[test]
fn segments_below_a_snapshot_are_dropped_and_replay_starts_at_it() {
    let lab = Lab::new();
    let opened = lab.open();
    let log = &opened.log;
    for n in 0..40 {
        append(log, &payload(n, 500));
    }
    let start = log.snapshot_start();
    assert_eq!(start.floor, start.start);
    let after: Vec<Vec<u8>> = (40..60).map(|n| payload(n, 500)).collect();
    for payload in &after {
        append(log, payload);
    }
    let end = log.sync_now().unwrap();
    // The allocator takes durable segments out of the table in its own time.
    let mut freed = 0;
    for _ in 0..1000 {
        freed += log.drop_below(start.floor).unwrap();
        if log.start() > Lsn::new(start.start.get() - 4096) {
            break;
        }
        append(log, b"more");
        log.sync_now().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert!(freed > 10_000, "{freed}");
    assert!(log.start() <= start.start);
    let history = log.history();
    drop(opened);
    let error = lab.try_open(&lab.options(), None).err().unwrap();
    assert!(matches!(error, OpenError::SnapshotMissing { .. }), "{error}");
    let bounds = SnapshotBounds { start: start.start, end, history };
    let again = lab.try_open(&lab.options(), Some(bounds)).unwrap();
    assert_eq!(again.payloads()[..after.len()], after);
    drop(again);
    let foreign = SnapshotBounds { history: History::new(5), ..bounds };
    assert!(matches!(
        lab.try_open(&lab.options(), Some(foreign)).err().unwrap(),
        OpenError::ForeignSnapshot { .. }
    ));
    let beyond = SnapshotBounds { end: Lsn::new(1 << 30), ..bounds };
    assert!(matches!(
        lab.try_open(&lab.options(), Some(beyond)).err().unwrap(),
        OpenError::EndsBeforeSnapshot { .. }
    ));
}

#[test]
fn a_log_in_memory_bounds_itself_and_takes_spills() {
    let options = LogOptions {
        memory_segment_bytes: 8192,
        memory_retained_bytes: 16384,
        blob_bytes: 1024,
        payload_bytes_max: 16 * 1024,
        ..LogOptions::new(Location::Memory)
    };
    let (log, _) = open(options, None).unwrap().replay(&mut |_| Ok(()), &mut |_| ()).unwrap();
    for n in 0..2000 {
        append(&log, &payload(n, n % 3000));
    }
    assert_eq!(log.resolved(), log.head());
    assert!(log.start() > Lsn::FIRST);
    assert!(log.head().get() - log.start().get() <= 3 * 8192);
    log.sync_now().unwrap();
}

#[test]
fn every_second_what_was_written_becomes_durable_by_itself() {
    let lab = Lab::new();
    let options = LogOptions { fsync: FsyncPolicy::EverySecond, ..lab.options() };
    let opened = lab.try_open(&options, None).unwrap();
    let lsn = append(&opened.log, b"one");
    let began = std::time::Instant::now();
    opened.log.wait_durable_blocking(lsn).unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(opened.log.write_delay().is_none());
}
