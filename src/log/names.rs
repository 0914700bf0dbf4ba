//! The names of a database's log files.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::lsn::Lsn;

const DIGITS: usize = 20;
const INFIX: &[u8] = b".log.";
const UNFINISHED: &[u8] = b".new";
const SPARE: &[u8] = b".spare";

/// `<dbfile>.log.<first position, 20 digits>`.
pub fn segment_path(dbfile: &Path, first: Lsn) -> PathBuf {
    let mut name = dbfile.as_os_str().to_owned();
    name.push(format!(".log.{:0width$}", first.get(), width = DIGITS));
    PathBuf::from(name)
}

/// The name of a segment file that is being made.
pub(super) fn unfinished_path(segment: &Path) -> PathBuf {
    let mut name = segment.as_os_str().to_owned();
    name.push(OsStr::from_bytes(UNFINISHED));
    PathBuf::from(name)
}

/// The name of the file of a segment that is gone, kept to be made into another.
pub(super) fn spare_path(segment: &Path) -> PathBuf {
    let mut name = segment.as_os_str().to_owned();
    name.push(OsStr::from_bytes(SPARE));
    PathBuf::from(name)
}

/// The folder that holds the database.
pub(super) fn folder(dbfile: &Path) -> PathBuf {
    match dbfile.parent() {
        Some(dir) if dir != Path::new("") => dir.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// What lies beside a database.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Segments by name, oldest first.
    pub(super) segments: Vec<(Lsn, PathBuf)>,
    /// Segments whose making was interrupted.
    pub(super) unfinished: Vec<PathBuf>,
    /// Files kept to be made into segments.
    pub(super) spares: Vec<PathBuf>,
}

/// Lists the log files of `dbfile`.
pub(super) fn list(dbfile: &Path) -> io::Result<Listing> {
    let mut prefix = dbfile.file_name().unwrap_or_default().as_bytes().to_vec();
    prefix.extend_from_slice(INFIX);
    let mut listing = Listing::default();
    for entry in std::fs::read_dir(folder(dbfile))? {
        let name = entry?.file_name();
        let Some(suffix) = name.as_bytes().strip_prefix(&prefix[..]) else { continue };
        let path = dbfile.with_file_name(&name);
        if let Some(first) = parse_position(suffix) {
            listing.segments.push((first, path));
        } else if suffix.strip_suffix(UNFINISHED).and_then(parse_position).is_some() {
            listing.unfinished.push(path);
        } else if suffix.strip_suffix(SPARE).and_then(parse_position).is_some() {
            listing.spares.push(path);
        }
    }
    listing.segments.sort();
    Ok(listing)
}

fn parse_position(digits: &[u8]) -> Option<Lsn> {
    if digits.len() != DIGITS || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok().map(Lsn::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_databases_own_segments_are_listed_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let dbfile = dir.path().join("data.db");
        let mine = [4096_u64, 1 << 40, 77].map(|first| segment_path(&dbfile, Lsn::new(first)));
        for path in &mine {
            std::fs::write(path, "").unwrap();
        }
        for other in [
            "data.db",
            "data.db.lock",
            "data.db.log.12",
            "data.db.log.0000000000000004096x",
            "x.log.00000000000000004096",
        ] {
            std::fs::write(dir.path().join(other), "").unwrap();
        }
        let unfinished = unfinished_path(&mine[0]);
        let spare = spare_path(&mine[1]);
        for useless in [&unfinished, &spare] {
            std::fs::write(useless, "").unwrap();
        }
        let listing = list(&dbfile).unwrap();
        assert_eq!(
            listing.segments.iter().map(|(first, _)| first.get()).collect::<Vec<_>>(),
            [77, 4096, 1 << 40]
        );
        assert_eq!(listing.unfinished, [unfinished]);
        assert_eq!(listing.spares, [spare]);
    }

    #[test]
    fn a_bare_name_lies_in_the_working_folder() {
        assert_eq!(folder(Path::new("data.db")), Path::new("."));
        assert_eq!(
            segment_path(Path::new("data.db"), Lsn::FIRST),
            Path::new("data.db.log.00000000000000004096")
        );
    }
}
