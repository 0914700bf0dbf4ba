//! `repair`: after it the server starts, with everything before the damage, and what was cut is still there.

use std::fs;
use std::path::PathBuf;

use goredis::log::{HEADER_BYTES, Lsn, OpenError};

use crate::lab::{Lab, append, flip, payload};

fn payloads(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(payload).collect()
}

fn named(path: &std::path::Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

#[test]
fn the_log_is_cut_at_the_damage_and_the_rest_is_kept_beside_it() {
    let lab = Lab::with_records(40);
    let (before, segments) = (lab.files(), lab.segments());
    assert!(segments.len() > 4);
    // The first record of the second segment, and the third record of the first.
    flip(&segments[1], HEADER_BYTES + 100);
    let bad = HEADER_BYTES + 2 * 328;
    flip(&segments[0], bad + 100);
    let damaged = fs::read(&segments[0]).expect("read");
    let said = lab.run(&["repair"]);
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    let lsn = bad;
    assert!(said.out.contains(&format!("(LSN {lsn}): the record's checksum does not match")), "{}", said.out);

    let tail = fs::read(named(&segments[0], &format!(".cut.{lsn}"))).expect("the tail is kept");
    assert!(damaged[bad as usize..].starts_with(&tail));
    assert!(damaged[bad as usize + tail.len()..].iter().all(|byte| *byte == 0));
    for (path, bytes) in before.iter().filter(|(path, _)| segments[2..].contains(path)) {
        let first = path.to_str().and_then(|name| name.rsplit('.').next()).expect("digits");
        let kept = named(path, &format!(".cut.{}", first.trim_start_matches('0')));
        assert_eq!(fs::read(kept).expect("the segment is kept"), *bytes);
    }

    assert_eq!(lab.run(&["verify"]).status, 0);
    let opened = lab.open(None).expect("the server starts");
    assert_eq!(opened.payloads, payloads(2));
    assert!(opened.report.previous_history.is_some(), "what replicas may have seen is gone: a new history");
}

/// Recovery looks above the durable mark first, and so names the later of two damaged places.
#[test]
fn the_cut_is_at_the_first_damage_even_where_recovery_names_a_later_one() {
    let lab = Lab::new();
    let log = lab.open(None).expect("opened").log;
    for number in 0..5 {
        append(&log, &payload(number));
    }
    log.sync_now().expect("synced");
    let segment = lab.segments()[0].clone();
    let marked = fs::read(&segment).expect("read");
    for number in 5..9 {
        append(&log, &payload(number));
    }
    let mut killed = lab.image();
    drop(log);
    // Why the earlier header: the log syncs by itself, too, and may have marked more as durable by now.
    let (_, bytes) = killed.iter_mut().find(|(path, _)| *path == segment).expect("the segment");
    let header = HEADER_BYTES as usize;
    bytes[..header].copy_from_slice(&marked[..header]);
    lab.restore(&killed);
    let record = |number: u64| HEADER_BYTES + number * 328;
    flip(&segment, record(7) + 50);
    flip(&segment, record(2) + 50);
    let Err(refused) = lab.open(None) else { panic!("a damaged log was opened") };
    let OpenError::Damaged { offset, .. } = refused else { panic!("{refused}") };
    assert_eq!(offset, record(7), "else this test shows nothing");
    let said = lab.run(&["repair"]);
    assert!(said.out.contains(&format!("the log was cut at LSN {}", record(2))), "{}", said.out);
    assert_eq!(lab.open(None).expect("the server starts").payloads, payloads(2));
}

#[test]
fn it_says_how_much_was_lost() {
    let lab = Lab::with_records(40);
    let end = lab.open(None).expect("opened").log.head();
    flip(&lab.segments()[1], HEADER_BYTES + 100);
    let lost = &lab.run(&["repair", "--json"]).json()["repair"]["lost"];
    assert_eq!((&lost["from_lsn"], &lost["durable_to_lsn"]), (&8192.into(), &end.get().into()));
    // The damaged record is the only one of those behind the cut that cannot be read any more.
    let read = lab.open(None).expect("opened").payloads.len() as u64;
    assert_eq!(lost["readable_records"], 40 - read - 1);
}

#[test]
fn a_dry_run_says_the_same_and_changes_nothing() {
    let lab = Lab::with_records(40);
    flip(&lab.segments()[1], HEADER_BYTES + 100);
    fs::remove_file(named(&lab.dbfile, ".lock")).expect("removed");
    let before = lab.files();
    let dry = lab.run(&["repair", "--dry-run", "--json"]);
    assert_eq!(dry.status, 1);
    assert!(lab.files() == before);
    let real = lab.run(&["repair", "--json"]);
    assert_eq!(real.status, 0);
    let sorted = |said: &crate::lab::Said| {
        let mut kept = said.json()["repair"]["kept"].as_array().expect("files").clone();
        kept.sort_by_key(ToString::to_string);
        kept
    };
    assert_eq!(sorted(&dry), sorted(&real));
    for field in ["damage", "cut_lsn", "lost"] {
        assert_eq!(dry.json()["repair"][field], real.json()["repair"][field]);
    }
}

#[test]
fn a_whole_log_is_left_alone() {
    let lab = Lab::with_records(12);
    let before = lab.files();
    let said = lab.run(&["repair"]);
    assert_eq!(said.status, 0);
    assert!(said.out.starts_with("nothing to repair"), "{}", said.out);
    let after = lab.files();
    for (old, new) in before.iter().zip(&after).filter(|(old, _)| old.0 != named(&lab.dbfile, ".lock")) {
        assert!(old == new, "{} was changed", old.0.display());
    }
    assert_eq!(before.len(), after.len());
}

#[test]
fn a_running_server_keeps_repair_away() {
    let lab = Lab::with_records(12);
    let opened = lab.open(None).expect("opened");
    let said = lab.run_once(&["repair"]);
    assert_eq!(said.status, 2);
    assert!(said.err.contains(&format!("(process {})", std::process::id())), "{}", said.err);
    assert_eq!(opened.payloads.len(), 12);
}

#[test]
fn a_segment_with_a_damaged_header_goes_with_all_behind_it() {
    let lab = Lab::with_records(40);
    let segments = lab.segments();
    flip(&segments[2], 40);
    let whole = lab.run(&["repair"]);
    assert_eq!(whole.status, 0, "{}", whole.err);
    assert!(segments[0].exists() && segments[1].exists() && !segments[2].exists());
    let opened = lab.open(None).expect("the server starts");
    assert_eq!(opened.payloads, payloads(opened.payloads.len()));
    assert!(opened.payloads.len() > 10);
}

#[test]
fn when_a_segment_is_missing_what_lies_before_it_is_saved() {
    let lab = Lab::with_records(40);
    let segments = lab.segments();
    fs::remove_file(&segments[2]).expect("removed");
    let Err(refused) = lab.open(None) else { panic!("a log with a hole was opened") };
    assert!(matches!(refused, OpenError::SnapshotMissing { .. }), "{refused}");
    let said = lab.run(&["repair"]);
    assert_eq!(said.status, 0, "{}", said.err);
    let opened = lab.open(None).expect("the server starts");
    assert_eq!(opened.payloads, payloads(opened.payloads.len()));
    assert!(opened.payloads.len() > 10);
}

#[test]
fn what_the_snapshot_needs_is_not_cut() {
    let lab = Lab::with_records(40);
    let log = lab.open(None).expect("opened").log;
    let (history, head) = (log.history(), log.head());
    drop(log);
    lab.write_snapshot(history, Lsn::FIRST, head);
    flip(&lab.segments()[1], HEADER_BYTES + 100);
    let before = lab.files();
    let said = lab.run(&["repair"]);
    assert_eq!(said.status, 2);
    assert!(said.err.contains("cannot be repaired by cutting"), "{}", said.err);
    assert_eq!(before.len(), lab.files().len());
    flip(&lab.segments()[1], HEADER_BYTES + 100);
    assert_eq!(lab.run(&["verify"]).status, 0, "nothing else was changed");
}

#[test]
fn a_damaged_snapshot_cannot_be_repaired() {
    let lab = Lab::with_records(4);
    let log = lab.open(None).expect("opened").log;
    lab.write_snapshot(log.history(), Lsn::FIRST, log.head());
    drop(log);
    flip(&lab.dbfile, 70);
    let said = lab.run(&["repair"]);
    assert_eq!(said.status, 2);
    assert!(said.err.contains("a snapshot cannot be repaired"), "{}", said.err);
}

#[test]
fn a_second_repair_keeps_what_the_first_one_kept() {
    let lab = Lab::with_records(12);
    let first = lab.segments()[0].clone();
    let whole = lab.files();
    let cut = named(&first, ".cut.4096");
    for round in [cut.clone(), named(&cut, ".1")] {
        let kept: Vec<_> = lab
            .files()
            .into_iter()
            .filter(|(path, _)| path.to_str().is_some_and(|it| it.contains(".cut.")))
            .collect();
        lab.restore(&[whole.clone(), kept].concat());
        flip(&first, HEADER_BYTES + 100);
        assert_eq!(lab.run(&["repair"]).status, 0);
        assert!(round.exists(), "{}", round.display());
    }
}

/// Wherever a byte is wrong: `verify` calls damaged what the server refuses, and after `repair` the server starts
/// with the records before the damage.
#[test]
fn any_wrong_byte_is_judged_as_the_server_does_and_repaired() {
    let lab = Lab::with_records(24);
    let whole = lab.files();
    let mut repaired = 0;
    for path in lab.segments() {
        let (_, bytes) = whole.iter().find(|(name, _)| *name == path).expect("a segment");
        for offset in (0..bytes.len() as u64).step_by(311) {
            lab.restore(&whole);
            flip(&path, offset);
            let place = format!("offset {offset} of {}", path.display());
            // Opening changes files when it succeeds, so the program looks first.
            let verified = lab.run(&["verify"]);
            if verified.status == 0 {
                let opened = lab.open(None).unwrap_or_else(|error| panic!("{place}: {error}"));
                assert_eq!(opened.payloads, payloads(24), "{place}");
                continue;
            }
            assert_eq!(verified.status, 1, "{place}: {}", verified.err);
            assert!(lab.open(None).is_err(), "{place}: {}", verified.out);
            let said = lab.run(&["repair"]);
            assert_eq!(said.status, 0, "{place}: {}", said.err);
            let opened = lab.open(None).unwrap_or_else(|error| panic!("{place}: {error}"));
            assert_eq!(opened.payloads, payloads(opened.payloads.len()), "{place}");
            repaired += 1;
        }
    }
    assert!(repaired > 50, "{repaired}");
}
