//! What goes in comes out; what is not finished leaves no trace.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use quickcheck::quickcheck;
use tempfile::TempDir;

use super::*;
use crate::log::lsn::{History, Lsn};

pub(super) const SMALL: SnapshotOptions<'static> =
    SnapshotOptions { block_bytes: 64, writeback_bytes: 64 << 10, keep_going: &|| true };

pub(super) const FOOTER: SnapshotFooter = SnapshotFooter {
    start: Lsn::new(0x1000),
    end: Lsn::new(0x2000),
    retention_floor: Lsn::new(0x800),
    history: History::new(0x0123_4567_89ab_cdef_0011_2233_4455_6677),
    hash_seed: 0xfeed,
    created_unix_ms: 1_700_000_000_000,
};

pub(super) fn dbfile() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("data.db");
    (dir, path)
}

/// Writes and publishes a snapshot of `entries`, each in one part.
pub(super) fn write(dbfile: &Path, options: SnapshotOptions<'_>, entries: &[Vec<u8>]) -> SnapshotInfo {
    let mut writer = SnapshotWriter::create(dbfile, options).expect("created");
    for entry in entries {
        writer.push(&[entry]).expect("pushed");
    }
    writer.finish(FOOTER).expect("finished").publish().expect("published")
}

pub(super) fn read_all(reader: &SnapshotReader) -> Result<Vec<Vec<u8>>, SnapshotError> {
    let mut buffer = Vec::new();
    let mut entries = Vec::new();
    for block in 0..reader.block_count() {
        entries.extend(reader.read_block(block, &mut buffer)?.entries().map(<[u8]>::to_vec));
    }
    Ok(entries)
}

fn open(dbfile: &Path) -> SnapshotReader {
    SnapshotReader::open(dbfile).expect("whole").expect("there")
}

fn names(dir: &TempDir) -> Vec<String> {
    let listed = fs::read_dir(dir.path()).expect("listed");
    listed.map(|entry| entry.expect("entry").file_name().into_string().expect("UTF-8")).collect()
}

quickcheck! {
    fn entries_in_any_parts_come_back_whole_and_in_order(entries: Vec<Vec<Vec<u8>>>, block_bytes: u8) -> bool {
        let (_dir, path) = dbfile();
        let options = SnapshotOptions { block_bytes: 64 + u32::from(block_bytes), ..SMALL };
        let mut writer = SnapshotWriter::create(&path, options).expect("created");
        for entry in &entries {
            let parts: Vec<&[u8]> = entry.iter().map(Vec::as_slice).collect();
            writer.push(&parts).expect("pushed");
        }
        let info = writer.finish(FOOTER).expect("finished").publish().expect("published");
        let reader = open(&path);
        let whole: Vec<Vec<u8>> = entries.iter().map(|entry| entry.concat()).collect();
        read_all(&reader).expect("whole") == whole
            && *reader.totals() == info.totals
            && info.totals.entries == whole.len() as u64
            && info.totals.entry_bytes == whole.iter().map(|entry| entry.len() as u64).sum::<u64>()
            && info.totals.file_bytes == fs::metadata(&path).expect("there").len()
    }
}

#[test]
fn no_file_is_no_snapshot_and_no_error() {
    let (_dir, path) = dbfile();
    assert!(SnapshotReader::open(&path).expect("no error").is_none());
}

#[test]
fn an_empty_snapshot_keeps_its_footer() {
    let (_dir, path) = dbfile();
    let info = write(&path, SMALL, &[]);
    let reader = open(&path);
    assert_eq!((reader.block_count(), *reader.footer()), (0, FOOTER));
    assert_eq!(info.totals.file_bytes, HEADER_BYTES + FOOTER_BYTES);
}

#[test]
fn an_entry_larger_than_a_block_is_alone_in_one() {
    let (_dir, path) = dbfile();
    let sizes = [10_usize, 5000, 10, 20, 60, 61, 10];
    let entries: Vec<Vec<u8>> = sizes.iter().map(|size| vec![*size as u8; *size]).collect();
    write(&path, SMALL, &entries);
    let reader = open(&path);
    let counts: Vec<u32> = reader.places().iter().map(|place| place.entries).collect();
    assert_eq!(counts, [1, 1, 2, 1, 1, 1]);
    assert_eq!(read_all(&reader).expect("whole"), entries);
}

#[test]
fn a_large_value_between_small_parts_comes_back() {
    let (_dir, path) = dbfile();
    let value: Vec<u8> = (0..5_000_000_u32).map(|i| (i % 251) as u8).collect();
    let mut writer = SnapshotWriter::create(&path, SnapshotOptions::default()).expect("created");
    writer.push(&[b"key", b"head", &value, b"tail"]).expect("pushed");
    writer.push(&[b"next"]).expect("pushed");
    let _info = writer.finish(FOOTER).expect("finished").publish().expect("published");
    let expected = [[&b"keyhead"[..], &value, b"tail"].concat(), b"next".to_vec()];
    assert!(read_all(&open(&path)).expect("whole") == expected);
}

#[test]
fn several_threads_read_blocks_at_once() {
    let (_dir, path) = dbfile();
    let entries: Vec<Vec<u8>> = (0..2000_u32).map(|i| i.to_le_bytes().to_vec()).collect();
    write(&path, SMALL, &entries);
    let reader = open(&path);
    let read = |from: usize| {
        let mut buffer = Vec::new();
        let blocks = (from..reader.block_count()).step_by(4);
        blocks.map(|block| reader.read_block(block, &mut buffer).expect("whole").len()).sum::<usize>()
    };
    let total: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|from| scope.spawn(move || read(from))).collect();
        threads.into_iter().map(|thread| thread.join().expect("joined")).sum()
    });
    assert_eq!(total, entries.len());
}

#[test]
fn until_it_is_published_the_earlier_snapshot_stands() {
    let (dir, path) = dbfile();
    write(&path, SMALL, &[b"old".to_vec()]);
    let mut writer = SnapshotWriter::create(&path, SMALL).expect("created");
    writer.push(&[b"new"]).expect("pushed");
    let finished = writer.finish(FOOTER).expect("finished");
    assert_eq!(read_all(&open(&path)).expect("whole"), [b"old".to_vec()]);
    drop(finished);
    assert_eq!(names(&dir), ["data.db"]);
    write(&path, SMALL, &[b"new".to_vec()]);
    assert_eq!(read_all(&open(&path)).expect("whole"), [b"new".to_vec()]);
    assert_eq!(names(&dir), ["data.db"]);
}

#[test]
fn an_open_reader_keeps_reading_the_snapshot_that_was_replaced() {
    let (_dir, path) = dbfile();
    write(&path, SMALL, &[b"old".to_vec()]);
    let reader = open(&path);
    write(&path, SMALL, &[b"new".to_vec()]);
    assert_eq!(read_all(&reader).expect("whole"), [b"old".to_vec()]);
}

#[test]
fn what_a_crash_left_is_ignored_and_can_be_removed() {
    let (dir, path) = dbfile();
    fs::write(temporary_path(&path), b"half a snapshot").expect("written");
    assert!(SnapshotReader::open(&path).expect("no error").is_none());
    assert!(SnapshotReader::remove_leftover(&path).expect("removed"));
    assert!(!SnapshotReader::remove_leftover(&path).expect("nothing to do"));
    assert!(names(&dir).is_empty());
}

#[test]
fn a_leftover_that_is_longer_than_the_next_snapshot_does_not_show_through() {
    let (_dir, path) = dbfile();
    fs::write(temporary_path(&path), vec![7; 10_000]).expect("written");
    write(&path, SMALL, &[b"new".to_vec()]);
    assert_eq!(read_all(&open(&path)).expect("whole"), [b"new".to_vec()]);
}

#[test]
fn a_shutdown_stops_the_writer_in_the_middle_of_a_value() {
    let (dir, path) = dbfile();
    let asked = AtomicU32::new(0);
    let keep_going = || asked.fetch_add(1, Ordering::Relaxed) < 3;
    let options = SnapshotOptions { keep_going: &keep_going, ..SnapshotOptions::default() };
    let mut writer = SnapshotWriter::create(&path, options).expect("created");
    let stopped = writer.push(&[&vec![0; 8 << 20]]).expect_err("cancelled");
    assert!(matches!(stopped, SnapshotError::Cancelled { .. }), "{stopped}");
    assert!(writer.written_bytes() < 4 << 20);
    // What failed once stays failed, although the hook would now have to be asked again.
    assert!(matches!(writer.push(&[b"small"]), Err(SnapshotError::Abandoned { .. })));
    assert!(matches!(writer.finish(FOOTER), Err(SnapshotError::Abandoned { .. })));
    assert!(names(&dir).is_empty());
}

#[test]
fn an_entry_beyond_the_limit_is_refused_and_the_rest_goes_on() {
    let (_dir, path) = dbfile();
    let mut writer = SnapshotWriter::create(&path, SMALL).expect("created");
    let mebibyte = vec![0; 1 << 20];
    let parts: Vec<&[u8]> = vec![&mebibyte; 4096];
    let refused = writer.push(&parts).expect_err("2^32 bytes");
    assert!(matches!(refused, SnapshotError::EntryTooLarge { bytes: 0x1_0000_0000, .. }), "{refused}");
    writer.push(&[b"fits"]).expect("pushed");
    let _info = writer.finish(FOOTER).expect("finished").publish().expect("published");
    assert_eq!(read_all(&open(&path)).expect("whole"), [b"fits".to_vec()]);
}

#[test]
fn options_and_footers_out_of_order_are_refused_by_name() {
    let (dir, path) = dbfile();
    let refused = SnapshotWriter::create(&path, SnapshotOptions { block_bytes: 63, ..SMALL }).err();
    let sentence = refused.expect("refused").to_string();
    assert_eq!(sentence, "the snapshot block size is 63, and must be between 64 and 16777216");
    for (floor, start, end) in [(2, 1, 3), (1, 3, 2)] {
        let writer = SnapshotWriter::create(&path, SMALL).expect("created");
        let footer = SnapshotFooter {
            retention_floor: Lsn::new(floor),
            start: Lsn::new(start),
            end: Lsn::new(end),
            ..FOOTER
        };
        assert!(matches!(writer.finish(footer), Err(SnapshotError::FooterOrder { .. })));
    }
    assert!(names(&dir).is_empty());
}

#[test]
fn a_folder_that_is_missing_is_named() {
    let (dir, _) = dbfile();
    let path = dir.path().join("missing").join("data.db");
    let sentence = SnapshotWriter::create(&path, SMALL).err().expect("refused").to_string();
    assert!(sentence.starts_with("cannot create ") && sentence.contains("missing/data.db.tmp"), "{sentence}");
}

#[test]
fn a_full_disk_is_named_and_nothing_is_left_behind() {
    let (dir, path) = dbfile();
    std::os::unix::fs::symlink("/dev/full", temporary_path(&path)).expect("linked");
    let error = SnapshotWriter::create(&path, SMALL).err().expect("no room for the header");
    let SnapshotError::Io { action: "write", source, .. } = &error else { panic!("{error}") };
    assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
    assert!(names(&dir).is_empty());
}

#[test]
fn the_file_of_version_1_is_what_the_format_page_says() {
    let (_dir, path) = dbfile();
    write(&path, SMALL, &[b"key".to_vec(), Vec::new()]);
    let bytes = fs::read(&path).expect("read");
    let zeros = |count: usize| vec![0_u8; count];
    let crc = |bytes: &[u8]| crc32fast::hash(bytes).to_le_bytes().to_vec();

    let mut header = [&b"GoRedSn\n"[..], &[1, 0, 0, 0], &[64, 0, 0, 0], &zeros(44)].concat();
    header.extend(crc(&header));
    let block = b"\x03\0\0\0key\0\0\0\0".to_vec();
    let mut index = [&[64, 0, 0, 0, 0, 0, 0, 0][..], &[11, 0, 0, 0, 0, 0, 0, 0], &[2, 0, 0, 0]].concat();
    index.extend(crc(&block));
    let mut footer = [&b"GoRedEn\n"[..], &[1, 0, 0, 0], &crc(&index)].concat();
    footer.extend(b"\0\x10\0\0\0\0\0\0\0\x20\0\0\0\0\0\0\0\x08\0\0\0\0\0\0");
    footer.extend(b"\x77\x66\x55\x44\x33\x22\x11\x00\xef\xcd\xab\x89\x67\x45\x23\x01");
    footer.extend(b"\xed\xfe\0\0\0\0\0\0\x00\x68\xe5\xcf\x8b\x01\0\0");
    footer.extend([
        75, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0,
    ]);
    footer.extend(zeros(20));
    footer.extend(crc(&footer));
    assert_eq!(bytes, [header, block, index, footer].concat());
    // The checksum itself, so that a change of its kind shows: the standard check value of CRC-32.
    assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
}
