//! Values being gathered from the defaults, the configuration file and the command line, before the server runs.

use super::compat::REFUSED;
use super::error::{Place, SettingsError, printable};
use super::kind::{BadValue, Kind, Value};
use super::lists::List;
use super::setting::{Setting, find};
use super::table::{DBFILE, DIR, PERSIST, PORT, SETTINGS, UNIXSOCKET};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A value for each setting, and whether anyone gave it.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    values: Vec<Value>,
    given: Vec<bool>,
}

impl Draft {
    /// The defaults.
    pub(super) fn new() -> Self {
        Self {
            values: SETTINGS.iter().map(Setting::default_value).collect(),
            given: vec![false; SETTINGS.len()],
        }
    }

    /// The value of the setting at a place of the table.
    pub(super) fn value(&self, at: usize) -> &Value {
        &self.values[at]
    }

    /// Whether a file or the command line gave it.
    pub(super) fn is_given(&self, at: usize) -> bool {
        self.given[at]
    }

    /// Takes one directive: in a file or on the command line, `save` adds to what was given before.
    ///
    /// # Errors
    /// The text is no value of the setting.
    pub(super) fn assign(&mut self, at: usize, text: &[u8]) -> Result<(), BadValue> {
        let fresh = matches!(SETTINGS[at].kind, Kind::List(List::Save)) && !self.given[at];
        let base = if fresh { &Value::empty() } else { &self.values[at] };
        self.values[at] = SETTINGS[at].parse(text, base)?;
        self.given[at] = true;
        Ok(())
    }

    /// Takes one directive by name.
    ///
    /// # Errors
    /// The name is unknown or refused, or the text is no value of the setting.
    pub(super) fn assign_named(
        &mut self,
        name: &[u8],
        text: &[u8],
        place: &Place,
    ) -> Result<(), SettingsError> {
        let Some(at) = find(name) else {
            return Err(not_a_setting(name, place));
        };
        self.assign(at, text).map_err(|cause| SettingsError::bad_value(place, &SETTINGS[at], text, cause))
    }

    /// Looks for bad combinations, and makes `dir` absolute.
    ///
    /// # Errors
    /// The combination that cannot work.
    pub(super) fn finish(&mut self) -> Result<(), SettingsError> {
        if self.values[PORT].word() == 0 && self.values[UNIXSOCKET].text().is_empty() {
            return Err(SettingsError::NoListener);
        }
        if self.given[DBFILE] && !self.given[PERSIST] {
            return Err(SettingsError::DbfileWithoutPersist);
        }
        let dbfile = self.values[DBFILE].text();
        if dbfile.ends_with(b"/") || Path::new(OsStr::from_bytes(dbfile)).file_name().is_none() {
            return Err(SettingsError::DbfileIsFolder { dbfile: printable(dbfile) });
        }
        self.make_dir_absolute();
        Ok(())
    }

    /// Makes `dir` absolute, so that it means the same whatever the process's folder becomes.
    pub(super) fn make_dir_absolute(&mut self) {
        let dir = PathBuf::from(OsStr::from_bytes(self.values[DIR].text()));
        // Why: a folder that is not there is found where it is opened; here its name is enough.
        let absolute = dir.canonicalize().or_else(|_| std::path::absolute(&dir)).unwrap_or(dir);
        self.values[DIR] = Value::Text(absolute.as_os_str().as_bytes().into());
    }
}

/// What to say of a name that no setting has.
pub(super) fn not_a_setting(name: &[u8], place: &Place) -> SettingsError {
    let refused = REFUSED.iter().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name));
    match refused {
        Some(&(name, why)) => SettingsError::Unsupported { place: place.clone(), name, why },
        None => SettingsError::unknown(place, name),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;

    fn refusal(values: &[(&str, &str)]) -> String {
        Settings::with(values).unwrap_err().to_string()
    }

    #[test]
    fn combinations_that_cannot_work_are_refused() {
        assert!(refusal(&[("port", "0")]).starts_with("nothing to listen on"));
        assert!(refusal(&[("dbfile", "x.db")]).contains("add -persist"));
        assert!(refusal(&[("persist", "yes"), ("dbfile", "folder/")]).contains("name of a folder"));
        assert!(refusal(&[("persist", "yes"), ("dbfile", "..")]).contains("name of a folder"));
        assert!(Settings::with(&[("port", "0"), ("unixsocket", "/tmp/s")]).is_ok());
        assert!(Settings::with(&[("dbfile", "x.db"), ("appendonly", "no")]).is_ok());
        assert!(Settings::with(&[("dbfile", "x.db"), ("persist", "yes")]).is_ok());
    }

    #[test]
    fn values_whose_missing_effect_would_hurt_are_refused_with_the_reason() {
        for (name, value, why) in [
            ("daemonize", "yes", "stays in the foreground"),
            ("cluster-enabled", "yes", "no cluster mode"),
            ("tls-port", "6380", "does not speak TLS"),
            ("aclfile", "users.acl", "no ACL files"),
            ("replica-read-only", "no", "byte for byte"),
            ("rename-command", "FLUSHALL ''", "does not rename"),
            ("loadmodule", "x.so", "no modules"),
        ] {
            assert!(refusal(&[(name, value)]).contains(why), "{name}");
        }
        assert!(Settings::with(&[("daemonize", "no"), ("tls-port", "0"), ("replicaof", "no one")]).is_ok());
    }

    #[test]
    fn the_folder_becomes_absolute() {
        assert!(Settings::default().dir().is_absolute());
        assert!(Settings::with(&[("dir", "not/there")]).unwrap().dir().ends_with("not/there"));
    }
}
