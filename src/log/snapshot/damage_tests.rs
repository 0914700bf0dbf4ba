//! A snapshot with any byte changed, missing or added never passes for a whole one.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::format::Header;
use super::tests::{SMALL, dbfile, read_all, write};
use super::*;

/// A small snapshot of several blocks, one of them a single large entry.
fn sample() -> (TempDir, PathBuf, Vec<u8>) {
    let (dir, path) = dbfile();
    let entries: Vec<Vec<u8>> = [5_usize, 30, 0, 200, 17, 40].iter().map(|size| vec![0xa5; *size]).collect();
    write(&path, SMALL, &entries);
    let bytes = fs::read(&path).expect("read");
    (dir, path, bytes)
}

fn read_bytes(path: &Path, bytes: &[u8]) -> Result<Vec<Vec<u8>>, SnapshotError> {
    fs::write(path, bytes).expect("written");
    read_file(path)
}

fn read_file(path: &Path) -> Result<Vec<Vec<u8>>, SnapshotError> {
    read_all(&SnapshotReader::open(path)?.expect("there"))
}

/// Where an error says that the damage is, if it is one of damage.
fn damage_at(error: &SnapshotError) -> u64 {
    match error {
        SnapshotError::Damaged { offset, .. } => *offset,
        SnapshotError::Foreign { .. } => 0,
        other => panic!("not an error of damage: {other}"),
    }
}

/// The offset at which the part that holds `offset` begins.
fn part_of(offset: u64, places: &[BlockPlace], file_bytes: u64) -> u64 {
    let index_at = file_bytes - FOOTER_BYTES - 24 * places.len() as u64;
    if offset < HEADER_BYTES {
        0
    } else if offset >= file_bytes - FOOTER_BYTES {
        file_bytes - FOOTER_BYTES
    } else if offset >= index_at {
        index_at
    } else {
        places.iter().rev().find(|place| place.offset <= offset).expect("a block").offset
    }
}

#[test]
fn every_changed_byte_is_found_in_the_part_that_holds_it() {
    let (_dir, path, bytes) = sample();
    let places = SnapshotReader::open(&path).expect("whole").expect("there").places().to_vec();
    assert!(places.len() > 2);
    let file = OpenOptions::new().write(true).open(&path).expect("opened");
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            file.write_all_at(&[bytes[at] ^ flip], at as u64).expect("changed");
            let error = read_file(&path).expect_err("damage passed for a whole file");
            let part = part_of(at as u64, &places, bytes.len() as u64);
            assert_eq!(damage_at(&error), part, "byte {at}: {error}");
            assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        }
        file.write_all_at(&bytes[at..=at], at as u64).expect("put back");
    }
    read_file(&path).expect("whole again");
}

#[test]
fn every_truncation_is_found_when_the_file_is_opened() {
    let (_dir, path, bytes) = sample();
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).expect("written");
        let error = SnapshotReader::open(&path).expect_err("a cut file passed for a whole one");
        assert!(matches!(error, SnapshotError::Damaged { .. }), "cut to {length}: {error}");
    }
}

#[test]
fn anything_behind_the_footer_is_found_when_the_file_is_opened() {
    let (_dir, path, bytes) = sample();
    for surplus in 1..300 {
        let mut longer = bytes.clone();
        // The worst case: what follows repeats the file's own end.
        longer.extend_from_slice(&bytes[bytes.len() - surplus..]);
        fs::write(&path, &longer).expect("written");
        let error = SnapshotReader::open(&path).expect_err("a longer file passed for a whole one");
        assert!(matches!(error, SnapshotError::Damaged { .. }), "{surplus} more: {error}");
    }
}

#[test]
fn a_piece_taken_out_of_the_middle_is_found() {
    let (_dir, path, bytes) = sample();
    for at in 0..bytes.len() - 24 {
        let shorter = [&bytes[..at], &bytes[at + 24..]].concat();
        let error = read_bytes(&path, &shorter).expect_err("damage passed for a whole file");
        damage_at(&error);
    }
}

#[test]
fn a_newer_version_is_called_newer_and_not_damaged() {
    let (_dir, path, mut bytes) = sample();
    let header = Header { version: 9, block_bytes: 64 }.encode();
    bytes[..header.len()].copy_from_slice(&header);
    let error = read_bytes(&path, &bytes).expect_err("refused");
    assert!(matches!(error, SnapshotError::NewerVersion { found: 9, supported: VERSION, .. }), "{error}");
}

#[test]
fn another_program_s_file_is_called_foreign() {
    let (_dir, path, _) = sample();
    for other in [&b"REDIS0011\xfa\x09redis-ver\x057.2.4"[..], &[0; 4096]] {
        let error = read_bytes(&path, other).expect_err("refused");
        assert!(matches!(error, SnapshotError::Foreign { .. }), "{error}");
    }
}

#[test]
fn an_index_that_lies_with_a_right_checksum_is_refused_before_anything_is_read() {
    let (_dir, path, bytes) = sample();
    let blocks = SnapshotReader::open(&path).expect("whole").expect("there").block_count();
    let footer_at = bytes.len() - FOOTER_BYTES as usize;
    let index_at = footer_at - 24 * blocks;
    for (at, width) in [(0, 8), (8, 8), (16, 4)] {
        for lie in [0_u64, 1, 3, 1 << 20, u64::MAX] {
            let mut forged = bytes.clone();
            forged[index_at + at..index_at + at + width].copy_from_slice(&lie.to_le_bytes()[..width]);
            if forged[index_at..footer_at] == bytes[index_at..footer_at] {
                continue;
            }
            let index_crc = crc32fast::hash(&forged[index_at..footer_at]);
            forged[footer_at + 12..footer_at + 16].copy_from_slice(&index_crc.to_le_bytes());
            let footer_crc = crc32fast::hash(&forged[footer_at..footer_at + 124]);
            forged[footer_at + 124..].copy_from_slice(&footer_crc.to_le_bytes());
            fs::write(&path, &forged).expect("written");
            let error = SnapshotReader::open(&path).expect_err("a lie passed");
            let SnapshotError::Damaged { reason, .. } = &error else { panic!("{error}") };
            assert!(matches!(reason, Damage::IndexField { .. } | Damage::FooterField { .. }), "{error}");
        }
    }
}
