//! A log cut, or with a byte changed, at every offset: what is found again is a prefix of what was committed, or the
//! log is refused; never a record that was not, and never a hole.

use super::*;

/// A small log that has everything: plain records, void ones, a spill, pads, two segments and more; all of it above
/// the durable mark.
fn build(lab: &Lab) -> Vec<Vec<u8>> {
    let opened = lab.open();
    lab.storage.sync_waits.store(true, Ordering::Relaxed);
    let mut committed = Vec::new();
    for n in 0..30 {
        let bytes = payload(n, if n == 11 { 2500 } else { 40 + n * 13 });
        append(&opened.log, &bytes);
        committed.push(bytes);
        if n % 7 == 3 {
            drop(opened.log.reserve(64, 1, &crossbeam_epoch::pin()).unwrap());
        }
    }
    lab.kill(opened, &[]);
    committed
}

/// Opens a damaged log; `Err` is a refusal.
fn reopen(lab: &Lab) -> Result<Vec<Vec<u8>>, OpenError> {
    lab.try_open(&lab.options(), None).map(|opened| {
        // The log must be fit for use.
        append(&opened.log, b"after");
        opened.payloads()
    })
}

/// Reads a damaged log as recovery does, without changing it: fast enough for every offset.
fn read(lab: &Lab, boot: u128) -> Result<Vec<Vec<u8>>, OpenError> {
    let mut found = Vec::new();
    let mut apply = |record: Record<'_>| {
        found.push(record.payload.to_vec());
        Ok(())
    };
    let disk = DiskLog::discover(&lab.dbfile, boot)?;
    recovery::read(&disk, None, &mut apply, &mut |_| ())?;
    Ok(found)
}

type Outcome = Result<Vec<Vec<u8>>, OpenError>;

/// Calls `check` with the result of recovery after `damage` was done to byte `at` of a segment, for every such byte.
/// Every 97th damaged log is also really opened and written to.
fn at_every_offset(
    lost: bool,
    damage: impl Fn(&mut Vec<u8>, usize),
    check: impl Fn(Outcome, &[Vec<u8>], &str),
) {
    let lab = Lab::new();
    let committed = build(&lab);
    let boot = if lost { 2 } else { 1 };
    let image = lab.image();
    assert!(image.len() >= 3 && image.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() < 100_000);
    for (index, (path, bytes)) in image.iter().enumerate() {
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damage(&mut damaged, at);
            if damaged == *bytes {
                continue;
            }
            let what = format!("segment {index}, offset {at}, lost {lost}");
            overwrite(path, &damaged);
            check(read(&lab, boot), &committed, &what);
            if at % 97 == 0 {
                lab.storage.boot.store(boot as u64, Ordering::Relaxed);
                check(reopen(&lab), &committed, &what);
                lab.restore(&image);
            }
            overwrite(path, bytes);
        }
    }
}

/// Changes a file's bytes in place.
fn overwrite(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
    file.write_all_at(bytes, 0).unwrap();
}

fn assert_prefix(found: &[Vec<u8>], committed: &[Vec<u8>], what: &str) {
    assert!(found.len() <= committed.len() && found == &committed[..found.len()], "{what}");
}

fn prefix_or_refusal(result: Outcome, committed: &[Vec<u8>], what: &str) {
    match result {
        Ok(found) => assert_prefix(&found, committed, what),
        Err(
            OpenError::Damaged { .. } | OpenError::NewerVersion { .. } | OpenError::SegmentMissing { .. },
        ) => {}
        Err(error) => panic!("{what}: {error}"),
    }
}

#[test]
fn undamaged_the_log_is_found_whole_in_both_rows_of_the_table() {
    let lab = Lab::new();
    let committed = build(&lab);
    assert_eq!(reopen(&lab).unwrap(), committed);
    lab.storage.lose_machine();
    assert_eq!(reopen(&lab).unwrap()[..committed.len()], committed);
}

#[test]
fn a_byte_changed_anywhere_after_a_kill_is_refused_or_harmless() {
    at_every_offset(
        false,
        |bytes, at| bytes[at] ^= 0x21,
        |result, committed, what| {
            // After a kill nothing may be missing: the whole log, or a refusal.
            if let Ok(found) = &result {
                assert_eq!(found.len(), committed.len(), "{what}");
            }
            prefix_or_refusal(result, committed, what);
        },
    );
}

#[test]
fn a_byte_changed_anywhere_after_a_lost_machine_leaves_a_prefix() {
    at_every_offset(true, |bytes, at| bytes[at] ^= 0xA5, prefix_or_refusal);
}

#[test]
fn a_byte_zeroed_anywhere_leaves_a_prefix() {
    at_every_offset(true, |bytes, at| bytes[at] = 0, prefix_or_refusal);
}

#[test]
fn a_file_cut_anywhere_after_a_lost_machine_leaves_a_prefix() {
    at_every_offset(true, Vec::truncate, prefix_or_refusal);
}

#[test]
fn a_file_cut_anywhere_after_a_kill_is_refused_or_whole() {
    at_every_offset(false, Vec::truncate, prefix_or_refusal);
}

#[test]
fn zeros_from_anywhere_to_the_end_of_a_file_leave_a_prefix() {
    at_every_offset(true, |bytes, at| bytes[at..].fill(0), prefix_or_refusal);
}

#[test]
fn below_the_durable_mark_any_change_of_a_record_is_refused() {
    let lab = Lab::new();
    let opened = lab.open();
    for n in 0..10 {
        append(&opened.log, &payload(n, 50));
    }
    let end = opened.log.sync_now().unwrap();
    drop(opened);
    let image = lab.image();
    for boot in [1, 2] {
        for at in 4096..4096 + (end.get() - 4096) as usize {
            let mut damaged = image.clone();
            damaged[0].1[at] ^= 0x10;
            lab.restore(&damaged);
            match read(&lab, boot) {
                Err(OpenError::Damaged { offset, .. }) => assert!(offset <= at as u64),
                // The bytes that fill a record up to its alignment, and what no checksum covers of no record.
                Ok(found) => assert_eq!(found.len(), 10, "offset {at}"),
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[test]
fn a_payload_full_of_forged_records_is_never_executed() {
    let lab = Lab::new();
    let opened = lab.open();
    // The attacker knows the history, and guesses where the payload will lie: the strongest position possible.
    let seal = record::Seal::new(opened.log.history());
    let base = opened.log.head().get() + record::RECORD_HEADER_BYTES;
    let mut forged = Vec::new();
    while forged.len() < 900 {
        let lsn = base + forged.len() as u64;
        let mut body = 9_u64.to_le_bytes().to_vec();
        body.extend_from_slice(b"forgery!");
        forged.extend_from_slice(&seal.record_head(lsn, 32).to_ne_bytes());
        forged.extend_from_slice(&seal.checksum(lsn, Kind::Plain, &body).to_le_bytes());
        forged.extend_from_slice(&record::state_word(State::Committed, Kind::Plain).to_le_bytes());
        forged.extend_from_slice(&body);
    }
    let lsn = append(&opened.log, &forged);
    append(&opened.log, b"behind");
    lab.kill(opened, &[]);
    let image = lab.image();
    assert_eq!(lab.open().payloads(), [forged.clone(), b"behind".to_vec()]);
    // With its own head gone, the record's inside must not be looked into, in either row.
    for damage in [0_u8, 0x77] {
        let mut damaged = image.clone();
        let at = (4096 + lsn.get() - 4096) as usize;
        damaged[0].1[at..at + 8].fill(damage);
        for boot in [2, 1] {
            lab.restore(&damaged);
            lab.storage.boot.store(boot, Ordering::Relaxed);
            if let Ok(found) = reopen(&lab) {
                assert!(found.is_empty(), "{found:?}");
            }
        }
    }
}
