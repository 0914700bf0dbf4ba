//! Reading configuration files: redis.conf's syntax, with `include`.
//!
//! A line is a directive and its words; `#` at its start makes it a comment. Later directives win, `save` and the
//! classes of `client-output-buffer-limit` add up. `include` reads other files in place, `*` and the like in its
//! path stand for every file that matches, none included.

use super::draft::Draft;
use super::error::{Place, SettingsError};
use super::kind::Kind;
use super::lists::List;
use super::setting::find;
use super::table::SETTINGS;
use super::words;
use crate::glob::{self, Case};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// How long a configuration file may be.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// How deep files may include others.
const INCLUDE_DEPTH_MAX: usize = 16;

/// Where a text comes from, for the places in errors.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'a> {
    /// A file.
    File(&'a Path),
    /// Standard input.
    Stdin,
}

impl Source<'_> {
    fn place(self, line: usize) -> Place {
        match self {
            Self::File(path) => Place::File { path: path.to_owned(), line },
            Self::Stdin => Place::Stdin { line },
        }
    }
}

/// What one line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Directive {
    /// A comment or nothing.
    Blank,
    /// `include` of these files.
    Include(Vec<Vec<u8>>),
    /// Values for a setting; words of several are joined by one blank.
    Assign { at: usize, name: Vec<u8>, value: Vec<u8> },
}

/// Reads one line.
///
/// # Errors
/// Quotes that do not close, a name that is unknown or refused, too many or too few values.
pub(super) fn parse_line(line: &[u8], place: &Place) -> Result<Directive, SettingsError> {
    let line = line.trim_ascii();
    if line.is_empty() || line[0] == b'#' {
        return Ok(Directive::Blank);
    }
    let mut words =
        words::split(line).map_err(|_| SettingsError::Unbalanced { place: place.clone() })?.into_iter();
    let name = words.next().unwrap_or_default();
    let values: Vec<Vec<u8>> = words.collect();
    if name.eq_ignore_ascii_case(b"include") && !values.is_empty() {
        return Ok(Directive::Include(values));
    }
    let at = find(&name).ok_or_else(|| super::draft::not_a_setting(&name, place))?;
    Ok(Directive::Assign { at, name, value: one_value(at, &values, place)? })
}

/// The text of a setting's value from the words that follow its name.
fn one_value(at: usize, values: &[Vec<u8>], place: &Place) -> Result<Vec<u8>, SettingsError> {
    let setting = &SETTINGS[at];
    let (place, name) = (place.clone(), setting.name);
    match values {
        _ if setting.kind.takes_words() && !values.is_empty() => Ok(values.join(&b' ')),
        // Why: as in Redis, a bare `save` is `save ""`.
        [] if matches!(setting.kind, Kind::List(List::Save)) => Ok(Vec::new()),
        [value] => Ok(value.clone()),
        [] => Err(SettingsError::MissingValue { place, name, kind: Box::new(setting.kind) }),
        [_, extra, ..] => {
            Err(SettingsError::ExtraValue { place, name, extra: super::error::printable(extra) })
        }
    }
}

/// Reads the file at `path` into `draft`.
///
/// # Errors
/// The first thing that is wrong, with file and line.
pub(super) fn load(path: &Path, draft: &mut Draft) -> Result<(), SettingsError> {
    load_nested(path, draft, None, 0)
}

fn load_nested(
    path: &Path,
    draft: &mut Draft,
    included_at: Option<&Place>,
    depth: usize,
) -> Result<(), SettingsError> {
    let unreadable =
        |source| SettingsError::Read { place: included_at.cloned(), path: path.to_owned(), source };
    let text = read_bounded(std::fs::File::open(path).map_err(unreadable)?, path, unreadable)?;
    load_text(&text, Source::File(path), draft, depth)
}

/// Reads the text of a configuration into `draft`.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub(super) fn load_text(
    text: &[u8],
    source: Source<'_>,
    draft: &mut Draft,
    depth: usize,
) -> Result<(), SettingsError> {
    for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let place = source.place(index + 1);
        match parse_line(line, &place)? {
            Directive::Blank => {}
            Directive::Include(patterns) => include(&patterns, &place, draft, depth)?,
            Directive::Assign { at, value, .. } => draft
                .assign(at, &value)
                .map_err(|cause| SettingsError::bad_value(&place, &SETTINGS[at], &value, cause))?,
        }
    }
    Ok(())
}

fn include(
    patterns: &[Vec<u8>],
    place: &Place,
    draft: &mut Draft,
    depth: usize,
) -> Result<(), SettingsError> {
    if depth == INCLUDE_DEPTH_MAX {
        return Err(SettingsError::IncludeDepth { place: place.clone(), max: INCLUDE_DEPTH_MAX });
    }
    for pattern in patterns {
        for path in expand(pattern) {
            load_nested(&path, draft, Some(place), depth + 1)?;
        }
    }
    Ok(())
}

/// Reads standard input, or any other stream, as a configuration.
///
/// # Errors
/// As for a file.
pub(super) fn load_stream(stream: impl Read, draft: &mut Draft) -> Result<(), SettingsError> {
    let path = Path::new("standard input");
    let unreadable = |source| SettingsError::Read { place: None, path: path.to_owned(), source };
    let text = read_bounded(stream, path, unreadable)?;
    load_text(&text, Source::Stdin, draft, 0)
}

fn read_bounded(
    stream: impl Read,
    path: &Path,
    unreadable: impl Fn(io::Error) -> SettingsError,
) -> Result<Vec<u8>, SettingsError> {
    let mut text = Vec::new();
    stream.take(FILE_BYTES_MAX + 1).read_to_end(&mut text).map_err(unreadable)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(SettingsError::TooLong { path: path.to_owned(), max: FILE_BYTES_MAX });
    }
    Ok(text)
}

/// The files that the path of an `include` stands for, in the order of their names.
///
/// A path without special bytes is itself, there or not; one with them may stand for nothing.
fn expand(pattern: &[u8]) -> Vec<PathBuf> {
    let path = Path::new(std::ffi::OsStr::from_bytes(pattern));
    let mut found = vec![PathBuf::new()];
    for component in path.components() {
        found = match component {
            Component::Normal(name) if !glob::is_literal(name.as_bytes()) => {
                found.iter().flat_map(|folder| entries(folder, name.as_bytes())).collect()
            }
            plain => found.into_iter().map(|folder| folder.join(plain)).collect(),
        };
    }
    found
}

/// The entries of a folder whose names match; dot files only when the pattern names the dot.
fn entries(folder: &Path, pattern: &[u8]) -> Vec<PathBuf> {
    let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(listing) = std::fs::read_dir(listed) else { return Vec::new() };
    let names = listing.flatten().map(|entry| entry.file_name());
    let wanted = |name: &std::ffi::OsString| {
        let name = name.as_bytes();
        (name[0] != b'.' || pattern[0] == b'.') && glob::matches(pattern, name, Case::Sensitive)
    };
    let mut found: Vec<PathBuf> = names.filter(wanted).map(|name| folder.join(name)).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;
    use std::fs;

    fn read(text: &str) -> Result<Draft, String> {
        let mut draft = Draft::new();
        let outcome = load_text(text.as_bytes(), Source::File(Path::new("/etc/x.conf")), &mut draft, 0);
        outcome.map(|()| draft).map_err(|wrong| wrong.to_string())
    }

    fn shown(draft: &Draft, name: &str) -> String {
        let at = find(name.as_bytes()).unwrap();
        String::from_utf8_lossy(&SETTINGS[at].kind.render(draft.value(at))).into_owned()
    }

    #[test]
    fn directives_are_read_as_in_redis_conf() {
        let draft = read(
            "# comment\r\n\n  PORT 7000  \r\nlogfile ''\nsave 900 1\nsave \"60 5\"\nappendfsync \"always\"\n\
             client-output-buffer-limit replica 1mb 2mb 3\nclient-output-buffer-limit pubsub 4 5 6\n\
             maxmemory 1gb\nmaxmemory 2gb\nnotify-keyspace-events KEA\nslave-priority 5",
        )
        .unwrap();
        for (name, expected) in [
            ("port", "7000"),
            ("logfile", ""),
            ("save", "900 1 60 5"),
            ("fsync", "always"),
            ("client-output-buffer-limit", "normal 0 0 0 slave 1048576 2097152 3 pubsub 4 5 6"),
            ("maxmemory", "2147483648"),
            ("notify-keyspace-events", "AKE"),
            ("replica-priority", "5"),
        ] {
            assert_eq!(shown(&draft, name), expected, "{name}");
        }
        assert_eq!(shown(&read("save 1 1\nsave \"\"\n").unwrap(), "save"), "");
        assert_eq!(shown(&read("save 1 1\nsave\n").unwrap(), "save"), "");
    }

    #[test]
    fn what_is_wrong_is_named_with_file_and_line() {
        for (text, expected) in [
            ("\nprot 1", "/etc/x.conf:2: unknown setting 'prot'; did you mean 'port'?"),
            ("port", "/etc/x.conf:1: 'port' needs a value: a whole number from 0 to 65535"),
            ("port 1 2", "/etc/x.conf:1: 'port' takes one value, but '2' follows it"),
            ("port x", "/etc/x.conf:1: bad value 'x' for 'port': it takes a whole number from 0 to 65535"),
            ("logfile \"x", "/etc/x.conf:1: unbalanced quotes"),
            ("rename-command A B", {
                "/etc/x.conf:1: 'rename-command' is not supported: this server does not rename commands"
            }),
            ("include /no/such", {
                "/etc/x.conf:1: can't read the configuration file /no/such: No such file or directory (os error 2)"
            }),
        ] {
            assert_eq!(read(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn includes_are_read_in_place_and_patterns_in_the_order_of_names() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("d1")).unwrap();
        fs::write(at("d1/b.conf"), "timeout 2\nhz 20").unwrap();
        fs::write(at("d1/a.conf"), "timeout 1\nmaxclients 5").unwrap();
        fs::write(at("d1/.hidden.conf"), "timeout 9").unwrap();
        fs::write(at("d1/c.txt"), "timeout 8").unwrap();
        fs::write(
            at("main.conf"),
            format!("hz 30\ninclude {0}/d?/*.conf {0}/none*\nport 1", at("").display()),
        )
        .unwrap();
        let mut draft = Draft::new();
        load(&at("main.conf"), &mut draft).unwrap();
        let values = ["timeout", "hz", "maxclients", "port"].map(|name| shown(&draft, name));
        assert_eq!(values, ["2", "20", "5", "1"]);
    }

    #[test]
    fn a_file_that_includes_itself_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loop.conf");
        fs::write(&path, format!("include {}", path.display())).unwrap();
        let wrong = load(&path, &mut Draft::new()).unwrap_err().to_string();
        assert!(wrong.ends_with("loop.conf:1: include goes deeper than 16 files"), "{wrong}");
    }

    #[test]
    fn an_endless_file_is_refused() {
        let wrong = load_stream(io::repeat(b'#'), &mut Draft::new()).unwrap_err().to_string();
        assert_eq!(wrong, "standard input is too long for a configuration file: more than 16777216 bytes");
    }

    #[test]
    fn a_folder_in_the_place_of_a_file_is_an_error_that_names_it() {
        let wrong = load(Path::new("/"), &mut Draft::new()).unwrap_err().to_string();
        assert!(wrong.starts_with("can't read the configuration file /: "), "{wrong}");
    }

    quickcheck! {
        fn any_line_is_taken_or_refused_in_one_line(name: usize, values: Vec<Vec<u8>>, raw: Vec<u8>) -> bool {
            let mut line = SETTINGS[name % SETTINGS.len()].name.as_bytes().to_vec();
            for value in &values {
                line.extend([b" ".as_slice(), &words::quote(value)].concat());
            }
            [line, raw].iter().all(|text| {
                let outcome = load_text(text, Source::Stdin, &mut Draft::new(), 0);
                outcome.map_or_else(|wrong| !wrong.to_string().contains('\n'), |()| true)
            })
        }
    }
}
