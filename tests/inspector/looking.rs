//! `info` and `dump`: what is in the files.

use std::process::{Command, Stdio};

use goredis::log::Lsn;

use crate::lab::{Lab, SPILLED_BYTES, append, flip, payload};

#[test]
fn info_tells_segments_marks_and_counts() {
    let lab = Lab::with_records(20);
    let said = lab.run(&["info", "--json"]);
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    let info = said.json();
    let segments = info["log"]["segments"].as_array().expect("segments");
    assert_eq!(segments.len(), lab.segments().len());
    let sum = |field: &str| {
        segments.iter().map(|segment| segment["counts"][field].as_u64().expect(field)).sum::<u64>()
    };
    assert_eq!((sum("plain"), sum("spilled"), sum("blob")), (18, 2, 6));
    assert_eq!((sum("committed"), sum("void"), sum("pending")), (26, 0, 0));
    assert_eq!(segments[0]["first_lsn"], 4096);
    assert_eq!(segments[0]["counts"]["first_time"], "2023-11-14T22:13:20.000Z");
    assert_eq!(segments[0]["history"], segments[1]["history"]);
    assert_eq!(info["snapshot"], serde_json::Value::Null);
}

#[test]
fn info_as_text_shows_the_snapshot_and_every_segment() {
    let lab = Lab::with_records(20);
    let log = lab.open(None).expect("opened").log;
    lab.write_snapshot(log.history(), Lsn::FIRST, log.head());
    drop(log);
    let said = lab.run(&["info"]);
    assert_eq!(said.status, 0);
    for wanted in
        ["entries          3 in 2 blocks, 212 bytes", "hash seed        0x0000000000000007", "created"]
    {
        assert!(said.out.contains(wanted), "{wanted} is missing in:\n{}", said.out);
    }
    for path in lab.segments() {
        assert!(said.out.contains(&format!("segment {}", path.display())), "{}", said.out);
    }
}

#[test]
fn dump_prints_every_record_with_its_payload_put_together() {
    let lab = Lab::with_records(12);
    let said = lab.run(&["dump", "--json", "--payload-bytes", "0"]);
    assert_eq!(said.status, 0);
    let lines = said.json_lines();
    let shown = |line: &&serde_json::Value| line["item"] == "record" && line["kind"] != "blob";
    let payloads: Vec<&str> =
        lines.iter().filter(shown).map(|line| line["payload"].as_str().expect("text")).collect();
    let written: Vec<String> =
        (0..12).map(|number| String::from_utf8(payload(number)).expect("ASCII")).collect();
    assert_eq!(payloads, written);
    assert!(lines.iter().any(|line| line["item"] == "pad"), "the first segment's end is padded");
    let spilled = lines.iter().find(|line| line["kind"] == "spilled").expect("a spilled record");
    assert_eq!(spilled["payload_bytes"], SPILLED_BYTES);
    assert_eq!(
        (&spilled["state"], &spilled["time_unix_ms"]),
        (&"committed".into(), &1_700_000_000_000_u64.into())
    );
}

#[test]
fn dump_from_and_to_choose_records_by_lsn() {
    let lab = Lab::with_records(40);
    let all: Vec<u64> = lab
        .run(&["dump", "--json"])
        .json_lines()
        .iter()
        .map(|line| line["lsn"].as_u64().expect("LSN"))
        .collect();
    for (from, to) in [(all[3], all[7]), (all[2] + 1, all[20] + 1), (0, all[1]), (all[30], u64::MAX)] {
        let (from_text, to_text) = (from.to_string(), to.to_string());
        let said = lab.run(&["dump", "--json", "--from", &from_text, "--to", &to_text]);
        let lsns: Vec<u64> =
            said.json_lines().iter().map(|line| line["lsn"].as_u64().expect("LSN")).collect();
        let wanted: Vec<u64> = all.iter().copied().filter(|lsn| (from..to).contains(lsn)).collect();
        assert_eq!(lsns, wanted);
    }
    assert_eq!(lab.run(&["dump", "--from", "99999999"]).out, "");
}

#[test]
fn dump_escapes_bytes_and_cuts_long_payloads() {
    let lab = Lab::new();
    let log = lab.open(None).expect("opened").log;
    append(&log, b"\x00\xff\nabc");
    let said = lab.run(&["dump", "--payload-bytes", "4"]);
    assert_eq!(
        said.out,
        "4096  2023-11-14T22:13:20.000Z  committed plain  6 bytes  \\x00\\xff\\na... 2 more bytes\n"
    );
}

#[test]
fn dump_ends_at_damage_and_says_so() {
    let lab = Lab::with_records(3);
    // The second record's payload: records of 324 bytes begin at the first LSN, and take 328.
    flip(&lab.segments()[0], 4096 + 328 + 100);
    let said = lab.run(&["dump"]);
    assert_eq!(said.status, 1);
    let last = said.out.lines().last().expect("a line");
    assert!(last.contains("at offset 4424 (LSN 4424): the record's checksum does not match"), "{last}");
    assert_eq!(said.out.lines().count(), 2);
}

#[test]
fn dump_snapshot_prints_its_entries() {
    let lab = Lab::with_records(1);
    assert_eq!(lab.run(&["dump", "--snapshot"]).status, 2, "there is none yet");
    let log = lab.open(None).expect("opened").log;
    lab.write_snapshot(log.history(), Lsn::FIRST, log.head());
    let said = lab.run(&["dump", "--snapshot", "--payload-bytes", "10"]);
    let lines: Vec<&str> = said.out.lines().collect();
    let wanted =
        ["0.0  6 bytes  first\\x00", "0.1  6 bytes  second", "1.0  200 bytes  xxxxxxxxxx... 190 more bytes"];
    assert_eq!((said.status, lines), (0, wanted.to_vec()));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let lab = Lab::with_records(400);
    let mut program = Command::new(env!("CARGO_BIN_EXE_goredis-log"))
        .args(["dump", "--payload-bytes", "0"])
        .arg(&lab.dbfile)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    drop(program.stdout.take());
    let ended = program.wait_with_output().expect("ended");
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn a_name_without_a_database_is_refused_and_nothing_is_made() {
    let lab = Lab::new();
    for command in ["info", "verify", "dump", "repair"] {
        let said = lab.run(&[command]);
        assert_eq!(said.status, 2);
        assert!(said.err.starts_with("goredis-log: there is no database "), "{}", said.err);
    }
    assert!(lab.files().is_empty());
}
