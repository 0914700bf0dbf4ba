//! Every row of the table of recovery, with files; and recoveries that are interrupted.

use super::*;

/// A log with two records, an undecided one between them, stopped by a kill.
fn with_pending(lab: &Lab) -> Lsn {
    let opened = lab.open();
    append(&opened.log, b"before");
    let pending = leave_pending(&opened.log, b"undecided");
    append(&opened.log, b"after");
    lab.kill(opened, &[pending]);
    pending
}

/// As [`with_pending`], but the head of the one between was not stored either.
fn with_gap(lab: &Lab) -> Lsn {
    let pending = with_pending(lab);
    let mut image = lab.image();
    let at = pending.get() as usize;
    image[0].1[at..at + 40].fill(0);
    lab.restore(&image);
    pending
}

fn reopen(lab: &Lab) -> Result<Opened, OpenError> {
    lab.try_open(&lab.options(), None)
}

#[test]
fn after_a_kill_a_pending_record_becomes_void() {
    let lab = Lab::new();
    with_pending(&lab);
    let opened = reopen(&lab).unwrap();
    assert_eq!(opened.payloads(), [b"before".to_vec(), b"after".to_vec()]);
    assert_eq!((opened.report.last_life, opened.report.voided), (Some(LastLife::Killed), 1));
    assert!(opened.report.cut.is_none() && opened.report.previous_history.is_none());
    drop(opened);
    let again = lab.open();
    assert_eq!((again.records.len(), again.report.voided), (2, 0));
}

#[test]
fn after_a_kill_zeros_before_a_head_become_a_pad() {
    let lab = Lab::new();
    with_gap(&lab);
    let opened = reopen(&lab).unwrap();
    assert_eq!(opened.payloads(), [b"before".to_vec(), b"after".to_vec()]);
    assert_eq!((opened.report.voided, opened.report.padded_bytes), (0, 40));
    drop(opened);
    let again = lab.open();
    assert_eq!((again.records.len(), again.report.padded_bytes), (2, 0));
}

#[test]
fn a_gap_over_the_end_of_a_segment_becomes_a_pad_in_each() {
    let lab = Lab::new();
    let opened = lab.open();
    lab.storage.sync_waits.store(true, Ordering::Relaxed);
    let mut lsns = Vec::new();
    for n in 0..9 {
        lsns.push(append(&opened.log, &payload(n, 900)).get());
    }
    lab.kill(opened, &[]);
    let mut image = lab.image();
    // Records 3 and 4 lie on both sides of the first border, with a pad between them.
    let (from, until) = (lsns[3], lsns[5]);
    assert!(from < 8192 && until > 8192 && lsns[4] == 8192);
    image[0].1[from as usize..].fill(0);
    image[1].1[4096..4096 + (until - 8192) as usize].fill(0);
    lab.restore(&image);
    let opened = lab.open();
    assert_eq!(opened.records.iter().map(|(lsn, _)| *lsn).collect::<Vec<_>>()[2..4], [lsns[2], lsns[5]]);
    assert_eq!(opened.report.padded_bytes, until - from);
    drop(opened);
    assert_eq!(lab.open().records.len(), 7);
}

#[test]
fn after_a_kill_bad_bytes_are_refused_with_file_offset_and_tool() {
    let lab = Lab::new();
    let pending = with_pending(&lab);
    let mut image = lab.image();
    image[0].1[pending.get() as usize] ^= 1;
    lab.restore(&image);
    let text = reopen(&lab).err().unwrap().to_string();
    assert!(text.contains("data.db.log.00000000000000004096 is damaged at offset"), "{text}");
    assert!(text.contains(&format!("offset {}", pending.get())), "{text}");
    assert!(text.contains("goredis-log repair"), "{text}");
    assert_eq!(lab.image(), image, "a refusal changes nothing");
}

#[test]
fn after_a_lost_machine_the_log_ends_at_a_pending_record() {
    let lab = Lab::new();
    let pending = with_pending(&lab);
    lab.storage.lose_machine();
    let opened = reopen(&lab).unwrap();
    assert_eq!(opened.payloads(), [b"before".to_vec()]);
    let cut = opened.report.cut.clone().unwrap();
    assert_eq!((cut.lsn, cut.reason), (pending, CutReason::Pending));
    assert!(cut.bytes > 60, "{cut:?}");
    assert_eq!(opened.log.head(), pending);
    let text = opened.report.to_string();
    assert!(
        text.contains("cut") && text.contains("undecided record") && text.contains("new history"),
        "{text}"
    );
}

#[test]
fn after_a_lost_machine_the_log_ends_at_zeros() {
    let lab = Lab::new();
    let gap = with_gap(&lab);
    lab.storage.lose_machine();
    let opened = reopen(&lab).unwrap();
    assert_eq!(opened.payloads(), [b"before".to_vec()]);
    assert_eq!(opened.report.cut.unwrap().reason, CutReason::Gap);
    assert_eq!(opened.log.head(), gap);
}

#[test]
fn after_a_lost_machine_the_log_ends_at_bad_bytes_and_a_new_history_begins_there() {
    let lab = Lab::new();
    let pending = with_pending(&lab);
    let mut image = lab.image();
    image[0].1[pending.get() as usize] ^= 1;
    lab.restore(&image);
    lab.storage.lose_machine();
    let opened = reopen(&lab).unwrap();
    assert_eq!(opened.payloads(), [b"before".to_vec()]);
    assert_eq!(opened.report.cut.as_ref().unwrap().reason, CutReason::Damage(Damage::Head));
    let old = opened.report.previous_history.unwrap();
    assert_ne!(opened.log.history(), old);
    append(&opened.log, b"new");
    drop(opened);
    let again = lab.open();
    assert_eq!(again.payloads(), [b"before".to_vec(), b"new".to_vec()]);
    assert_eq!(again.report.last_life, Some(LastLife::Killed));
    let disk = DiskLog::discover(&lab.dbfile, 2).unwrap();
    assert_eq!(
        disk.segments()[1].header().lineage,
        [Ancestor { history: old, fork: pending, cause: Cause::Recovery }]
    );
    assert!(disk.is_of_history(old, pending));
    assert!(!disk.is_of_history(old, Lsn::new(pending.get() + 1)));
}

#[test]
fn files_of_another_boot_start_a_new_history_though_nothing_is_cut() {
    let lab = Lab::new();
    let opened = lab.open();
    append(&opened.log, b"one");
    drop(opened);
    for _ in 0..70 {
        lab.storage.lose_machine();
        let opened = lab.open();
        assert_eq!(opened.payloads(), [b"one".to_vec()]);
        assert!(opened.report.cut.is_none());
        assert_ne!(opened.report.previous_history, Some(opened.log.history()));
        settle(&opened.log);
    }
    assert_eq!(lab.segments().len(), 3, "the first, the one at the end, and the one made ahead");
    let disk = DiskLog::discover(&lab.dbfile, 0).unwrap();
    assert_eq!(disk.segments()[1].header().lineage.len(), 1, "empty histories leave no trace");
}

/// Once, a history without a record was forgotten though a snapshot had been taken in it: the snapshot did not fit the
/// log any more from the second start after that on.
#[test]
fn a_history_without_a_record_is_remembered_for_the_snapshot_that_is_of_it() {
    let lab = Lab::new();
    drop(lab.open());
    lab.storage.lose_machine();
    let opened = lab.open();
    let (end, history) = (opened.log.head(), opened.log.history());
    drop(opened);
    let bounds = SnapshotBounds { start: end, end, history };
    let restart = || {
        lab.storage.lose_machine();
        lab.try_open(&lab.options(), Some(bounds)).unwrap();
        DiskLog::discover(&lab.dbfile, 0).unwrap().segments()[0].header().lineage.clone()
    };
    let lineage = restart();
    assert_eq!(lineage.first().map(|newest| newest.history), Some(history));
    assert_eq!(
        [restart(), restart()],
        [lineage.clone(), lineage],
        "histories without a record or a snapshot leave no trace"
    );
}

/// Once, a history without a record in its newest segment was taken for one without any record, and the new one then
/// did not name it as its ancestor: the log was refused from then on.
#[test]
fn a_log_that_ends_exactly_with_a_segment_is_continued_by_its_new_history() {
    let lab = Lab::new();
    let opened = lab.open();
    for n in 0..4 {
        append(&opened.log, &payload(n, 1000));
    }
    assert_eq!(opened.log.head(), Lsn::new(8192));
    settle(&opened.log);
    drop(opened);
    for _ in 0..2 {
        lab.storage.lose_machine();
        assert_eq!(lab.open().records.len(), 4);
    }
}

#[test]
fn copied_files_are_not_taken_for_a_killed_process() {
    let lab = Lab::new();
    with_pending(&lab);
    for (path, bytes) in lab.image() {
        let copy = path.with_extension("copy");
        std::fs::write(&copy, bytes).unwrap();
        std::fs::rename(copy, path).unwrap();
    }
    let opened = reopen(&lab).unwrap();
    assert_eq!(opened.report.last_life, Some(LastLife::MachineLost));
    assert_eq!(opened.payloads(), [b"before".to_vec()]);
}

#[test]
fn more_undecided_records_than_a_kill_leaves_are_those_of_a_lost_machine() {
    let lab = Lab::new();
    let options = LogOptions { in_flight_records_max: 2, ..lab.options() };
    let opened = lab.try_open(&options, None).unwrap();
    append(&opened.log, b"before");
    let a = leave_pending(&opened.log, b"a");
    let b = leave_pending(&opened.log, b"b");
    let guard = crossbeam_epoch::pin();
    let refused = opened.log.reserve(1, 1, &guard).unwrap_err();
    assert_eq!(refused, LogError::TooManyInFlight { records_max: 2 });
    drop(guard);
    lab.kill(opened, &[a, b]);
    let mut image = lab.image();
    let recovered = reopen(&lab).unwrap();
    assert_eq!((recovered.report.last_life, recovered.report.voided), (Some(LastLife::Killed), 2));
    drop(recovered);
    // A third: the record before them, whose state is taken back.
    image[0].1[4096 + 12..4096 + 14].fill(0);
    lab.restore(&image);
    let recovered = lab.open();
    assert_eq!(recovered.report.last_life, Some(LastLife::MachineLost));
    assert!(recovered.records.is_empty() && recovered.log.head() < a);
}

#[test]
fn an_interrupted_recovery_is_finished_by_the_next_one() {
    // Every step of making files whole is a call of the storage or a write between two calls: stop at the n-th.
    for lost in [false, true] {
        for stop_at in 0..12 {
            let lab = Lab::new();
            with_pending(&lab);
            if lost {
                lab.storage.lose_machine();
            }
            let history = DiskLog::discover(&lab.dbfile, 0).unwrap().segments()[0].header().history;
            lab.storage.fail_after(stop_at);
            let _ = lab.try_open(&lab.options(), None);
            lab.storage.fail_after(u64::MAX);
            let opened = lab.open();
            let expected: &[&[u8]] = if lost { &[b"before"] } else { &[b"before", b"after"] };
            assert_eq!(opened.payloads(), expected, "lost {lost}, stopped at {stop_at}");
            assert_eq!(opened.log.history() != history, lost, "stopped at {stop_at}");
        }
    }
}

#[test]
fn a_new_format_version_is_refused_by_name() {
    let lab = Lab::new();
    drop(lab.open());
    let mut image = lab.image();
    image[0].1[8] = 9;
    lab.restore(&image);
    let error = lab.try_open(&lab.options(), None).err().unwrap();
    assert!(matches!(error, OpenError::NewerVersion { found: 9, known: 1, .. }), "{error}");
}

#[test]
fn a_missing_segment_is_refused_and_older_ones_behind_a_gap_are_swept() {
    let lab = Lab::new();
    let opened = lab.open();
    for n in 0..40 {
        append(&opened.log, &payload(n, 500));
    }
    let history = opened.log.history();
    drop(opened);
    let segments = lab.segments();
    std::fs::remove_file(&segments[2]).unwrap();
    let error = lab.try_open(&lab.options(), None).err().unwrap();
    assert!(matches!(error, OpenError::SnapshotMissing { .. }), "{error}");
    let disk = DiskLog::discover(&lab.dbfile, 1).unwrap();
    let start = disk.start().unwrap();
    assert_eq!(disk.useless().count(), 2);
    let bounds = SnapshotBounds { start: Lsn::FIRST, end: start, history };
    let error = lab.try_open(&lab.options(), Some(bounds)).err().unwrap();
    assert!(matches!(error, OpenError::SegmentMissing { .. }), "{error}");
    let opened = lab.try_open(&lab.options(), Some(SnapshotBounds { start, ..bounds })).unwrap();
    assert_eq!(opened.report.deleted.len(), 2);
}

#[test]
fn a_snapshot_without_a_log_is_whole_only_if_nothing_was_written_meanwhile() {
    let lab = Lab::new();
    let at = Lsn::new(40_960);
    let bounds = SnapshotBounds { start: at, end: at, history: History::new(5) };
    let error = lab.try_open(&lab.options(), Some(SnapshotBounds { end: Lsn::new(50_000), ..bounds }));
    assert!(matches!(error.err().unwrap(), OpenError::SegmentMissing { .. }));
    let opened = lab.try_open(&lab.options(), Some(bounds)).unwrap();
    assert_eq!(opened.log.head(), at);
    append(&opened.log, b"one");
    drop(opened);
    assert_eq!(lab.try_open(&lab.options(), Some(bounds)).unwrap().payloads(), [b"one".to_vec()]);
}
