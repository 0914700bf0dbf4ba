//! What can be wrong with settings: at start ([`SettingsError`]), at CONFIG SET ([`SetError`]) and at CONFIG
//! REWRITE ([`RewriteError`]). Each is one line, names the setting and says what would be right.

use super::kind::{BadValue, Kind};
use super::setting::{Setting, nearest};
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Where a setting was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// An option of the command line.
    CommandLine,
    /// A line of a configuration file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// A line of standard input.
    Stdin {
        /// The line, counted from 1.
        line: usize,
    },
    /// The program that embeds the server.
    Program,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => f.write_str("command line"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Stdin { line } => write!(f, "standard input:{line}"),
            Self::Program => f.write_str("settings"),
        }
    }
}

/// Why a server cannot start with the settings that it was given.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// No setting has that name.
    #[error("{place}: unknown setting '{name}'{}", suggestion(.nearest.as_deref()))]
    Unknown {
        /// Where.
        place: Place,
        /// The name given.
        name: String,
        /// The most similar name there is.
        nearest: Option<&'static str>,
    },
    /// The setting cannot have that value.
    #[error("{place}: bad value '{value}' for '{name}': {}", explain(.kind, .cause))]
    BadValue {
        /// Where.
        place: Place,
        /// The setting.
        name: &'static str,
        /// The value given.
        value: String,
        /// What the setting takes.
        kind: Box<Kind>,
        /// What is wrong.
        cause: BadValue,
    },
    /// An option without its value.
    #[error("{place}: '{name}' needs a value: {}", .kind.allowed())]
    MissingValue {
        /// Where.
        place: Place,
        /// The setting.
        name: &'static str,
        /// What it takes.
        kind: Box<Kind>,
    },
    /// More values than the setting takes.
    #[error("{place}: '{name}' takes one value, but '{extra}' follows it")]
    ExtraValue {
        /// Where.
        place: Place,
        /// The setting.
        name: &'static str,
        /// What follows.
        extra: String,
    },
    /// A word that belongs to no option.
    #[error(
        "command line: '{word}' belongs to no option; only a configuration file may stand before the options"
    )]
    Stray {
        /// The word.
        word: String,
    },
    /// A directive of Redis that would be dangerous to pass over.
    #[error("{place}: '{name}' is not supported: {why}")]
    Unsupported {
        /// Where.
        place: Place,
        /// The directive.
        name: &'static str,
        /// The reason.
        why: &'static str,
    },
    /// A quote that is not closed.
    #[error("{place}: unbalanced quotes")]
    Unbalanced {
        /// Where.
        place: Place,
    },
    /// A configuration file that cannot be read.
    #[error("{}can't read the configuration file {}: {source}", before(.place.as_ref()), .path.display())]
    Read {
        /// The `include` that names it; none for the main file.
        place: Option<Place>,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A configuration file that is far too long.
    #[error("{} is too long for a configuration file: more than {max} bytes", .path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The most that is read.
        max: u64,
    },
    /// Files that include each other, or nest too deep.
    #[error("{place}: include goes deeper than {max} files")]
    IncludeDepth {
        /// The `include`.
        place: Place,
        /// The deepest that is read.
        max: usize,
    },
    /// Nothing to listen on.
    #[error("nothing to listen on: port is 0 and unixsocket is empty; set one of them")]
    NoListener,
    /// A database file, but no durability.
    #[error("dbfile is set but persist is off, so nothing would be kept; add -persist, or say -persist no")]
    DbfileWithoutPersist,
    /// A database file that is the name of a folder.
    #[error("bad value '{dbfile}' for 'dbfile': it is the name of a folder, not of a file")]
    DbfileIsFolder {
        /// The value.
        dbfile: String,
    },
}

fn suggestion(nearest: Option<&str>) -> String {
    match nearest {
        Some(name) => format!("; did you mean '{name}'?"),
        None => "; goredis --help lists them".to_owned(),
    }
}

fn before(place: Option<&Place>) -> String {
    place.map(|place| format!("{place}: ")).unwrap_or_default()
}

/// What is wrong with a value, and what is right, without saying the same twice.
fn explain(kind: &Kind, cause: &BadValue) -> String {
    match cause {
        BadValue::Unsupported(why) => (*why).to_owned(),
        BadValue::NotFlag
        | BadValue::NotAmong(_)
        | BadValue::OutOfRange { .. }
        | BadValue::NotInteger
        | BadValue::NotMemory
        | BadValue::NotEvents => format!("it takes {}", kind.allowed()),
        _ => format!("{cause}; it takes {}", kind.allowed()),
    }
}

impl SettingsError {
    pub(super) fn unknown(place: &Place, name: &[u8]) -> Self {
        Self::Unknown { place: place.clone(), name: printable(name), nearest: nearest(name) }
    }

    pub(super) fn bad_value(place: &Place, setting: &Setting, value: &[u8], cause: BadValue) -> Self {
        let (name, kind) = (setting.name, Box::new(setting.kind));
        Self::BadValue { place: place.clone(), name, value: printable(value), kind, cause }
    }
}

/// Bytes from outside on one line of a message: cut when long, control characters escaped.
pub(super) fn printable(bytes: &[u8]) -> String {
    const SHOWN_MAX: usize = 120;
    let text = String::from_utf8_lossy(bytes);
    let mut shown: String = text.chars().take(SHOWN_MAX).flat_map(escape_control).collect();
    if text.chars().nth(SHOWN_MAX).is_some() {
        shown.push_str("...");
    }
    shown
}

fn escape_control(shown: char) -> impl Iterator<Item = char> {
    let escaped = shown.is_control().then(|| shown.escape_default());
    let plain = (!shown.is_control()).then_some(shown);
    escaped.into_iter().flatten().chain(plain)
}

/// Why CONFIG SET changed nothing. The text is the error reply, as Redis 7.2 gives it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// No setting has that name.
    #[error("ERR Unknown option or number of arguments for CONFIG SET - '{name}'")]
    Unknown {
        /// The name given.
        name: String,
    },
    /// A setting cannot be what was asked for.
    #[error("ERR CONFIG SET failed (possibly related to argument '{name}') - {cause}")]
    Failed {
        /// The name given.
        name: String,
        /// The reason.
        cause: Refusal,
    },
}

/// Why one setting cannot be what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is set at start only.
    #[error("can't set immutable config")]
    Immutable,
    /// It has another value, and keeps it until the next start.
    #[error("can't be changed while the server runs; restart it with the new value")]
    Pinned,
    /// It is protected from this client.
    #[error("can't set protected config")]
    Protected,
    /// It was named twice.
    #[error("duplicate parameter")]
    Duplicate,
    /// The value is not one of its values.
    #[error(transparent)]
    BadValue(#[from] BadValue),
    /// The server could not act on it.
    #[error("{0}")]
    NotApplied(String),
}

/// Why CONFIG REWRITE did not rewrite. The text is the error reply, as Redis 7.2 gives it.
#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    /// There is no file.
    #[error("ERR The server is running without a config file")]
    NoFile,
    /// The file could not be read or written.
    #[error("ERR Rewriting config file: {0}")]
    Io(#[from] io::Error),
}
