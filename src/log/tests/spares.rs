//! Segments made of files that others had before.

use std::os::unix::fs::MetadataExt;

use super::*;

/// None if the file has got another name meanwhile.
fn inode(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|metadata| metadata.ino())
}

fn spares(lab: &Lab) -> Vec<PathBuf> {
    names::list(&lab.dbfile).unwrap().spares
}

/// Appends and drops what lies behind, until a segment that holds records lies in a file that another had. Returns
/// the bounds of the snapshot that would be there, and the records from there on.
fn use_a_spare(lab: &Lab, log: &Log) -> (SnapshotBounds, Vec<Vec<u8>>) {
    let mut kept = Vec::new();
    loop {
        for n in 0..8 {
            append(log, &payload(n, 500));
        }
        let end = log.sync_now().unwrap();
        log.drop_below(end).unwrap();
        kept.extend(spares(lab).iter().filter_map(|path| inode(path)));
        let snapshot = SnapshotBounds { start: end, end, history: log.history() };
        let after: Vec<_> = (0..3).map(|n| payload(n, 300)).collect();
        for payload in &after {
            append(log, payload);
        }
        settle(log);
        let segments = lab.segments();
        // The last one lies ahead of the tail.
        if segments[..segments.len() - 1]
            .last()
            .and_then(|path| inode(path))
            .is_some_and(|inode| kept.contains(&inode))
        {
            return (snapshot, after);
        }
    }
}

#[test]
fn what_a_used_file_held_is_gone_when_a_segment_is_made_of_it() {
    let lab = Lab::new();
    let opened = lab.open();
    use_a_spare(&lab, &opened.log);
    let head = opened.log.head();
    let disk = DiskLog::discover(&lab.dbfile, 0).unwrap();
    for segment in &disk.segments()[disk.segments().len() - 2..] {
        let bytes = std::fs::read(segment.path()).unwrap();
        assert_eq!(bytes.len(), 8192);
        let behind = segment.offset(head.max(segment.first())) as usize;
        assert!(bytes[behind..].iter().all(|byte| *byte == 0));
    }
}

#[test]
fn a_log_in_used_files_survives_a_kill() {
    let lab = Lab::new();
    let opened = lab.open();
    let (snapshot, after) = use_a_spare(&lab, &opened.log);
    let history = opened.log.history();
    let pending = leave_pending(&opened.log, b"pending");
    lab.kill(opened, &[pending]);
    let again = lab.try_open(&lab.options(), Some(snapshot)).unwrap();
    assert_eq!(again.payloads(), after);
    assert_eq!(again.report.voided, 1);
    assert_eq!(again.log.history(), history, "the files are taken for this machine's own");
}

#[test]
fn spares_are_of_no_use_to_another_life() {
    let lab = Lab::new();
    let opened = lab.open();
    let (mut snapshot, _) = use_a_spare(&lab, &opened.log);
    while spares(&lab).is_empty() {
        append(&opened.log, &payload(0, 500));
        let end = opened.log.sync_now().unwrap();
        opened.log.drop_below(end).unwrap();
        snapshot = SnapshotBounds { start: end, end, ..snapshot };
    }
    let left = spares(&lab).pop().unwrap();
    drop(opened);
    assert!(spares(&lab).is_empty(), "an orderly end removes them");
    std::fs::write(&left, "left by a kill").unwrap();
    drop(lab.try_open(&lab.options(), Some(snapshot)).unwrap());
    assert!(spares(&lab).is_empty());
}

#[test]
fn a_spare_that_cannot_be_used_is_replaced_by_a_new_file() {
    let lab = Lab::new();
    let opened = lab.open();
    let log = &opened.log;
    use_a_spare(&lab, log);
    while spares(&lab).is_empty() {
        append(log, &payload(0, 500));
        log.drop_below(log.sync_now().unwrap()).unwrap();
    }
    for spare in spares(&lab) {
        std::fs::remove_file(spare).unwrap();
    }
    for n in 0..40 {
        while log.reserve(500, 7, &crossbeam_epoch::pin()).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
        settle(log);
        append(log, &payload(n, 100));
    }
    assert!(log.fault().is_none());
}
