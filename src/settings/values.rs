//! The values of a running server, and how the rest of it reads them.
//!
//! Every setting has a slot with a word and a text, of which it uses one. Words are read with one relaxed load
//! and no lock, from any thread, on the hot path; texts sit behind a lock that is held for the copy of a pointer,
//! and are for cold paths. Only CONFIG SET writes, one at a time (see [`super::change`]).
//!
//! A reader of two settings may see one before and one after a change of both: no setting's meaning hangs on
//! another's in a way that this could break.

use super::choice::{EvictionPolicy, FsyncPolicy, LogFormat, LogLevel, Permission};
use super::draft::Draft;
use super::error::SettingsError;
use super::events::EventClass;
use super::kind::{Kind, Value};
use super::lists::{self, BindAddress, ClientClass, OutputLimit, Primary, SavePoint};
use super::setting::find;
use super::table::{COUNT, OUTPUT_LIMITS, SETTINGS};
use crate::glob::{self, Case};
use crate::sync::{AtomicI64, AtomicU64, Ordering};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Where one setting's value is.
#[derive(Debug)]
pub(super) struct Slot {
    word: AtomicI64,
    text: RwLock<Arc<[u8]>>,
}

impl Slot {
    fn new(value: &Value) -> Self {
        Self { word: AtomicI64::new(value.word()), text: RwLock::new(value.text().into()) }
    }

    /// The word.
    #[inline]
    fn word(&self) -> i64 {
        // Relaxed: a value stands for itself; nothing is published through it.
        self.word.load(Ordering::Relaxed)
    }

    /// The text.
    fn text(&self) -> Arc<[u8]> {
        // Why: nothing panics while holding the lock, and the pointer in it is whole at any moment.
        self.text.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn store(&self, value: &Value) {
        match value {
            // Relaxed: see `word`.
            Value::Word(word) => self.word.store(*word, Ordering::Relaxed),
            Value::Text(text) => {
                *self.text.write().unwrap_or_else(PoisonError::into_inner) = text.clone();
            }
        }
    }
}

/// Types that a setting can be read as.
pub(super) trait FromSlot {
    /// Reads the slot.
    fn from_slot(slot: &Slot) -> Self;
}

macro_rules! from_word {
    ($($int:ty),+) => {
        $(impl FromSlot for $int {
            #[inline]
            fn from_slot(slot: &Slot) -> Self {
                // Invariant: the setting's range fits its type; the test of the ranges holds that.
                slot.word() as $int
            }
        })+
    };
}

macro_rules! from_choice {
    ($($choice:ty),+) => {
        $(impl FromSlot for $choice {
            #[inline]
            fn from_slot(slot: &Slot) -> Self {
                Self::from_word(slot.word())
            }
        })+
    };
}

macro_rules! from_text {
    ($($type:ty = $read:expr),+ $(,)?) => {
        $(impl FromSlot for $type {
            fn from_slot(slot: &Slot) -> Self {
                $read(&slot.text())
            }
        })+
    };
}

from_word!(u16, u32, u64, i64, usize);
from_choice!(EvictionPolicy, FsyncPolicy, LogFormat, LogLevel, Permission);
from_text!(
    PathBuf = |text: &[u8]| PathBuf::from(OsStr::from_bytes(text)),
    Vec<BindAddress> = lists::bind_addresses,
    Vec<SavePoint> = lists::save_points,
    Vec<f64> = lists::percentiles,
    Option<Primary> = lists::primary,
);

impl FromSlot for bool {
    #[inline]
    fn from_slot(slot: &Slot) -> Self {
        slot.word() != 0
    }
}

impl FromSlot for EventClass {
    #[inline]
    fn from_slot(slot: &Slot) -> Self {
        Self::from_bits(slot.word() as u32)
    }
}

impl FromSlot for Arc<[u8]> {
    fn from_slot(slot: &Slot) -> Self {
        slot.text()
    }
}

/// The settings of one server.
#[derive(Debug)]
pub struct Settings {
    pub(super) slots: Box<[Slot; COUNT]>,
    /// `client-output-buffer-limit` as numbers, because it is looked at after every batch of replies.
    output_limits: [[AtomicU64; 3]; 3],
    /// The absolute path of the configuration file, if one was read.
    pub(super) file: Option<PathBuf>,
    /// Held while values change or the file is rewritten.
    pub(super) changing: Mutex<()>,
}

impl Settings {
    pub(super) fn from_draft(draft: &Draft, file: Option<PathBuf>) -> Self {
        let settings = Self {
            slots: Box::new(std::array::from_fn(|at| Slot::new(draft.value(at)))),
            output_limits: Default::default(),
            file,
            changing: Mutex::new(()),
        };
        settings.copy_output_limits();
        settings
    }

    /// The defaults, but for the settings named, with `dir` the current folder. For tests and embedded use.
    ///
    /// # Errors
    /// As for the command line.
    pub fn with(values: &[(&str, &str)]) -> Result<Self, SettingsError> {
        let mut draft = Draft::new();
        for (name, value) in values {
            draft.assign_named(name.as_bytes(), value.as_bytes(), &super::error::Place::Program)?;
        }
        draft.finish()?;
        Ok(Self::from_draft(&draft, None))
    }

    pub(super) fn value(&self, at: usize) -> Value {
        match SETTINGS[at].kind {
            Kind::Text(_) | Kind::List(_) => Value::Text(self.slots[at].text()),
            _ => Value::Word(self.slots[at].word()),
        }
    }

    /// Puts a checked value in place. The caller holds `changing`.
    pub(super) fn put(&self, at: usize, value: &Value) {
        self.slots[at].store(value);
        if at == OUTPUT_LIMITS {
            self.copy_output_limits();
        }
    }

    fn copy_output_limits(&self) {
        let limits = lists::output_limits(&self.slots[OUTPUT_LIMITS].text());
        for (word, number) in self.output_limits.iter().flatten().zip(limits.into_iter().flatten()) {
            // Relaxed: a client meets the old limit or the new one.
            word.store(number, Ordering::Relaxed);
        }
    }

    /// How much unread output clients of `class` may have. Takes no lock.
    pub fn output_limit(&self, class: ClientClass) -> OutputLimit {
        // Relaxed: as where they are stored.
        let [hard_bytes, soft_bytes, soft_seconds] =
            self.output_limits[class as usize].each_ref().map(|word| word.load(Ordering::Relaxed));
        OutputLimit { hard_bytes, soft_bytes, soft_seconds }
    }

    /// The configuration file that was read, as an absolute path.
    pub fn config_file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The database file, as an absolute path: `dbfile` in `dir`.
    pub fn db_path(&self) -> PathBuf {
        self.dir().join(self.dbfile())
    }

    /// The Unix socket to listen on, if any, as an absolute path.
    pub fn unixsocket_path(&self) -> Option<PathBuf> {
        self.in_dir(self.unixsocket())
    }

    /// The file for messages, if any, as an absolute path.
    pub fn logfile_path(&self) -> Option<PathBuf> {
        self.in_dir(self.logfile())
    }

    /// The file for the process id, if any, as an absolute path.
    pub fn pidfile_path(&self) -> Option<PathBuf> {
        self.in_dir(self.pidfile())
    }

    fn in_dir(&self, path: PathBuf) -> Option<PathBuf> {
        (!path.as_os_str().is_empty()).then(|| self.dir().join(path))
    }

    /// What CONFIG GET answers: the settings that match any of the patterns, each name once.
    ///
    /// A name without special bytes finds hidden settings too, and comes back as it was written.
    pub fn get(&self, patterns: &[&[u8]]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut found: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for pattern in patterns {
            for (name, at) in matching(pattern) {
                if !found.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                    found.push((name.to_vec(), SETTINGS[at].kind.render(&self.value(at))));
                }
            }
        }
        found
    }
}

impl Default for Settings {
    fn default() -> Self {
        let mut draft = Draft::new();
        draft.make_dir_absolute();
        Self::from_draft(&draft, None)
    }
}

/// The names that a pattern of CONFIG GET finds, with the places of their settings.
fn matching(pattern: &[u8]) -> Vec<(&[u8], usize)> {
    if glob::is_literal(pattern) {
        return find(pattern).map(|at| (pattern, at)).into_iter().collect();
    }
    let visible = SETTINGS.iter().enumerate().filter(|(_, setting)| !setting.hidden);
    visible
        .flat_map(|(at, setting)| setting.names().map(move |name| (name.as_bytes(), at)))
        .filter(|(name, _)| glob::matches(pattern, name, Case::Insensitive))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(settings: &Settings, patterns: &[&str]) -> Vec<(String, String)> {
        let patterns: Vec<&[u8]> = patterns.iter().map(|pattern| pattern.as_bytes()).collect();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        settings.get(&patterns).into_iter().map(|(name, value)| (text(name), text(value))).collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn values_are_read_as_their_types() {
        let settings = Settings::with(&[
            ("port", "7000"),
            ("appendfsync", "always"),
            ("maxmemory", "64mb"),
            ("save", "3600 1 300 100"),
            ("client-output-buffer-limit", "pubsub 32mb 8mb 60"),
            ("dir", "/data"),
            ("unixsocket", "s.sock"),
        ])
        .unwrap();
        assert_eq!(settings.port(), 7000);
        assert_eq!(settings.fsync(), FsyncPolicy::Always);
        assert_eq!(settings.maxmemory(), 64 << 20);
        assert_eq!(settings.save().len(), 2);
        assert!(settings.protected_mode());
        assert!(!settings.persist());
        assert_eq!(settings.slowlog_log_slower_than(), 10_000);
        assert_eq!(settings.output_limit(ClientClass::Pubsub).soft_seconds, 60);
        assert_eq!(settings.output_limit(ClientClass::Replica).hard_bytes, 256 << 20);
        assert_eq!(settings.db_path(), Path::new("/data/data.db"));
        assert_eq!(settings.unixsocket_path().as_deref(), Some(Path::new("/data/s.sock")));
        assert_eq!(settings.pidfile_path(), None);
    }

    #[test]
    fn ranges_fit_the_types_that_read_them() {
        let read_as_signed = ["slowlog-log-slower-than", "list-max-listpack-size"];
        let settings = Settings::default();
        for (at, setting) in SETTINGS.iter().enumerate() {
            if let Kind::Int { min, max } = setting.kind {
                settings.put(at, &Value::Word(max));
                assert!(min >= 0 || read_as_signed.contains(&setting.name) || setting.help.is_empty());
            }
        }
        assert_eq!(settings.port(), u16::MAX);
        assert_eq!(settings.maxclients(), u32::MAX);
        assert_eq!(settings.timeout(), i32::MAX as u32);
        assert_eq!(settings.databases(), 65_536);
        assert_eq!(settings.slowlog_log_slower_than(), i64::MAX);
        assert_eq!(settings.list_max_listpack_size(), i64::from(i32::MAX));
        settings.put(find(b"list-max-listpack-size").unwrap(), &Value::Word(-5));
        assert_eq!(settings.list_max_listpack_size(), -5);
    }

    #[test]
    fn config_get_shows_plain_values_by_name_alias_and_pattern() {
        let settings = Settings::with(&[("maxmemory", "1kb"), ("hash-max-ziplist-entries", "20")]).unwrap();
        assert_eq!(get(&settings, &["MaxMemory"]), [pair("MaxMemory", "1024")]);
        assert_eq!(
            get(&settings, &["appendonly", "persist"]),
            [pair("appendonly", "no"), pair("persist", "no")]
        );
        assert_eq!(
            get(&settings, &["hash-max-*-entries"]),
            [pair("hash-max-listpack-entries", "20"), pair("hash-max-ziplist-entries", "20")]
        );
        assert_eq!(get(&settings, &["nothing", "save"]), [pair("save", "")]);
    }

    #[test]
    fn patterns_that_overlap_give_each_name_once() {
        let names: Vec<String> = get(&Settings::default(), &["maxmemory", "MAXMEM*", "*of"])
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(
            names,
            [
                "maxmemory",
                "maxmemory-policy",
                "maxmemory-samples",
                "maxmemory-clients",
                "maxmemory-eviction-tenacity",
                "replicaof",
                "slaveof"
            ]
        );
    }

    #[test]
    fn hidden_settings_show_only_by_name() {
        let settings = Settings::default();
        assert!(!get(&settings, &["*"]).iter().any(|(name, _)| name == "key-load-delay"));
        assert_eq!(get(&settings, &["key-load-delay"]), [pair("key-load-delay", "0")]);
    }
}
