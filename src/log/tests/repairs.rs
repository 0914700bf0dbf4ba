//! A damaged log is cut, and what was cut is kept.

use super::*;

/// Forty records over several segments, all durable.
fn build(lab: &Lab) -> Vec<(u64, Vec<u8>)> {
    let opened = lab.open();
    let records = (0..40).map(|n| {
        let bytes = payload(n, 500);
        (append(&opened.log, &bytes).get(), bytes)
    });
    records.collect()
}

fn mend(lab: &Lab) -> Option<Repaired> {
    let lock = LockFile::take(&lab.dbfile).unwrap();
    repair(&lock, None, lab.storage.as_ref()).unwrap()
}

/// Where in the files a position lies.
fn locate(lab: &Lab, lsn: u64) -> (PathBuf, usize) {
    let disk = DiskLog::discover(&lab.dbfile, 1).unwrap();
    let segment = &disk.segments()[disk.index_of(Lsn::new(lsn)).unwrap()];
    (segment.path().to_path_buf(), segment.offset(Lsn::new(lsn)) as usize)
}

fn damage(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 0x55;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_whole_log_is_left_alone() {
    let lab = Lab::new();
    let records = build(&lab);
    let image = lab.image();
    assert_eq!(mend(&lab), None);
    assert_eq!(lab.image(), image);
    assert_eq!(lab.open().records, records);
}

#[test]
fn a_damaged_record_and_all_behind_it_are_cut_and_kept_beside() {
    let lab = Lab::new();
    let records = build(&lab);
    let (lsn, _) = records[20];
    let (path, at) = locate(&lab, lsn);
    damage(&path, at + 100);
    let behind = std::fs::read(&path).unwrap()[at..].to_vec();
    let error = lab.try_open(&lab.options(), None).err().unwrap();
    assert!(matches!(error, OpenError::Damaged { damage: Damage::Checksum, .. }), "{error}");
    let repaired = mend(&lab).unwrap();
    assert_eq!((repaired.end.get(), repaired.records_kept, repaired.below_mark), (lsn, 20, true));
    assert!(repaired.kept_as.len() > 1 && repaired.bytes_cut > 20 * 500);
    assert_eq!(std::fs::read(repaired.kept_as.last().unwrap()).unwrap(), behind);
    let opened = lab.open();
    assert_eq!(opened.records, records[..20]);
    assert!(opened.report.previous_history.is_some());
    drop(opened);
    assert_eq!(mend(&lab), None);
}

#[test]
fn a_damaged_header_costs_its_segment_and_those_behind() {
    let lab = Lab::new();
    let records = build(&lab);
    let path = lab.segments()[2].clone();
    damage(&path, 20);
    let repaired = mend(&lab).unwrap();
    assert!(repaired.kept_as.iter().any(|kept| kept.to_str().unwrap().ends_with("12288.cut")));
    let kept = lab.open().records;
    assert!(kept.len() > 10 && kept == records[..kept.len()]);
    assert!(kept.last().unwrap().0 < 12288);
}

#[test]
fn damage_at_the_very_start_leaves_an_empty_log() {
    let lab = Lab::new();
    build(&lab);
    let (path, at) = locate(&lab, 4096);
    damage(&path, at);
    assert_eq!(mend(&lab).unwrap().records_kept, 0);
    assert!(lab.open().records.is_empty());
}
