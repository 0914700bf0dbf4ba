//! `verify`: the exit status is the answer, and the first damage is named.

use std::fs;
use std::os::unix::fs::FileExt;

use goredis::log::{HEADER_BYTES, Lsn};

use crate::lab::{Lab, TIME, append, flip, payload};

#[test]
fn a_whole_database_is_called_whole() {
    let lab = Lab::with_records(25);
    let said = lab.run(&["verify"]);
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    assert!(said.out.starts_with("whole: "), "{}", said.out);
    assert!(said.out.contains("25 records replayed from 4096 on"), "{}", said.out);
    let json = lab.run(&["verify", "--json"]).json();
    assert_eq!((&json["whole"], &json["damage"]), (&true.into(), &serde_json::json!([])));
}

#[test]
fn the_first_damage_is_named_by_file_offset_lsn_and_reason() {
    let lab = Lab::with_records(25);
    let second = &lab.segments()[1];
    flip(second, HEADER_BYTES + 200);
    let said = lab.run(&["verify", "--json"]);
    assert_eq!(said.status, 1);
    let damage = &said.json()["damage"][0];
    assert_eq!(damage["file"], second.display().to_string());
    assert_eq!(damage["offset"], HEADER_BYTES);
    assert_eq!(damage["lsn"], 8192);
    assert_eq!(damage["reason"], "the record's checksum does not match");
}

#[test]
fn a_damaged_snapshot_block_is_found() {
    let lab = Lab::with_records(5);
    let log = lab.open(None).expect("opened").log;
    lab.write_snapshot(log.history(), Lsn::FIRST, log.head());
    drop(log);
    assert_eq!(lab.run(&["verify"]).status, 0);
    flip(&lab.dbfile, 70);
    let said = lab.run(&["verify"]);
    assert_eq!(said.status, 1);
    assert!(said.out.contains("data.db at offset 64: the checksum of block 0"), "{}", said.out);
}

#[test]
fn damage_below_the_snapshot_is_named_as_what_no_start_needs() {
    let lab = Lab::with_records(25);
    let log = lab.open(None).expect("opened").log;
    let (history, head) = (log.history(), log.head());
    drop(log);
    let bounds = lab.write_snapshot(history, head, head);
    flip(&lab.segments()[0], HEADER_BYTES + 100);
    let said = lab.run(&["verify"]);
    assert_eq!(said.status, 1);
    assert!(said.out.contains("the server starts without it"), "{}", said.out);
    assert!(lab.open(Some(bounds)).expect("the server does start").payloads.is_empty());
}

#[test]
fn undecided_records_of_a_running_server_are_no_damage() {
    let lab = Lab::new();
    let log = lab.open(None).expect("opened").log;
    append(&log, &payload(0));
    let guard = crossbeam_epoch::pin();
    let undecided = log.reserve(10, TIME, &guard).expect("reserved");
    append(&log, &payload(1));
    let said = lab.run(&["verify"]);
    assert_eq!(said.status, 0, "{}", said.out);
    assert!(said.out.contains("2 records replayed"), "{}", said.out);
    assert!(said.out.contains("the next start makes 1 undecided records void"), "{}", said.out);
    drop(undecided);
}

#[test]
fn what_the_next_start_will_cut_is_told_and_is_no_damage() {
    let lab = Lab::new();
    let log = lab.open(None).expect("opened").log;
    append(&log, &payload(0));
    let durable = log.sync_now().expect("synced");
    let marked = lab.image();
    append(&log, &payload(1));
    let mut image = lab.image();
    drop(log);
    // Why the earlier header: the log syncs by itself, too, and may have marked more as durable by now.
    image[0].1[..HEADER_BYTES as usize].copy_from_slice(&marked[0].1[..HEADER_BYTES as usize]);
    lab.restore(&image);
    lab.move_files();
    flip(&lab.segments()[0], HEADER_BYTES + durable.get() - 4096 + 50);
    let said = lab.run(&["verify", "--json"]);
    assert_eq!(said.status, 0, "{}", said.out);
    let log = &said.json()["log"];
    assert_eq!((&log["records"], &log["cut"]["lsn"]), (&1.into(), &durable.get().into()));
    assert_eq!(lab.open(None).expect("opened").payloads, [payload(0)]);
}

#[test]
fn files_of_a_newer_version_are_not_called_damaged() {
    let lab = Lab::with_records(1);
    let file = fs::OpenOptions::new().write(true).open(&lab.segments()[0]).expect("opened");
    file.write_all_at(&[9], 8).expect("written");
    let said = lab.run(&["verify"]);
    assert_eq!(said.status, 2);
    assert!(said.err.contains("version 9"), "{}", said.err);
}
