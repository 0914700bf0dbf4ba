//! CONFIG SET: all of several changes or none, with Redis's refusals.

use super::error::{Refusal, SetError, printable};
use super::kind::{Kind, Value};
use super::lists::List;
use super::setting::{Change, Setting, find};
use super::table::{REPLICAOF, SETTINGS};
use super::values::Settings;
use std::sync::PoisonError;

/// Where a request to change settings comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A client of this machine: a loopback address or the Unix socket.
    Local,
    /// Any other client.
    Remote,
}

/// What a CONFIG SET changed, for those who must act on it, and the way back.
#[derive(Debug)]
#[must_use = "the server has to act on the changes"]
pub struct Changed {
    changes: Vec<(usize, String, Value)>,
}

impl Changed {
    /// The settings that have another value now.
    pub fn settings(&self) -> impl Iterator<Item = &'static Setting> {
        self.changes.iter().map(|(at, ..)| &SETTINGS[*at])
    }

    /// Takes everything back, because the server could not act on the setting called `name`.
    ///
    /// Returns the error to answer with: `CONFIG SET failed (possibly related to argument 'port') - <reason>`.
    pub fn undo(self, settings: &Settings, name: &str, reason: impl Into<String>) -> SetError {
        let _changing = settings.changing.lock().unwrap_or_else(PoisonError::into_inner);
        for (at, _, old) in &self.changes {
            settings.put(*at, old);
        }
        let given = self.changes.into_iter().find(|(at, ..)| SETTINGS[*at].name == name);
        let name = given.map_or_else(|| name.to_owned(), |(_, given, _)| given);
        SetError::Failed { name, cause: Refusal::NotApplied(reason.into()) }
    }
}

impl Settings {
    /// Changes all the settings named, or none.
    ///
    /// # Errors
    /// The first that cannot be, with the error reply that Redis gives.
    pub fn set(&self, pairs: &[(&[u8], &[u8])], caller: Caller) -> Result<Changed, SetError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let places = self.admit(pairs, caller)?;
        let mut values = Vec::with_capacity(pairs.len());
        for (&at, (name, text)) in places.iter().zip(pairs) {
            // Why in lower case, here and below: Redis names the setting then, and what was sent where it is refused.
            let value = self.checked(at, text).map_err(|cause| failed(&name.to_ascii_lowercase(), cause));
            values.push(value?);
        }
        let mut changes = Vec::new();
        for ((at, value), (name, _)) in places.into_iter().zip(values).zip(pairs) {
            let old = self.value(at);
            if old != value {
                self.put(at, &value);
                changes.push((at, printable(&name.to_ascii_lowercase()), old));
            }
        }
        Ok(Changed { changes })
    }

    /// Makes `replicaof` say whom the server follows now, which is REPLICAOF's to change, and Sentinel's: for CONFIG
    /// GET, CONFIG REWRITE, and the next start.
    pub fn set_replicaof(&self, primary: Option<(&str, u16)>) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let text = primary.map_or_else(String::new, |(host, port)| format!("{host} {port}"));
        self.put(REPLICAOF, &Value::Text(text.as_bytes().into()));
    }

    /// The places of the settings named, when this caller may change each of them.
    fn admit(&self, pairs: &[(&[u8], &[u8])], caller: Caller) -> Result<Vec<usize>, SetError> {
        let protected_too = self.enable_protected_configs().allows(caller == Caller::Local);
        let mut places = Vec::with_capacity(pairs.len());
        for (name, _) in pairs {
            let at = find(name).ok_or_else(|| SetError::Unknown { name: printable(name) })?;
            if SETTINGS[at].change == Change::AtStart {
                return Err(failed(name, Refusal::Immutable));
            }
            if SETTINGS[at].protected && !protected_too {
                return Err(failed(name, Refusal::Protected));
            }
            if places.contains(&at) {
                return Err(failed(name, Refusal::Duplicate));
            }
            places.push(at);
        }
        Ok(places)
    }

    /// The value that `text` gives to the setting at a place, when it may have it now.
    fn checked(&self, at: usize, text: &[u8]) -> Result<Value, Refusal> {
        let setting = &SETTINGS[at];
        let current = self.value(at);
        // Why: in a file `save` adds up; here it replaces. The classes of output limits merge in both.
        let base = if matches!(setting.kind, Kind::List(List::Save)) { &Value::empty() } else { &current };
        let value = setting.parse(text, base)?;
        if setting.change == Change::Pinned && value != current {
            return Err(Refusal::Pinned);
        }
        Ok(value)
    }
}

fn failed(name: &[u8], cause: Refusal) -> SetError {
    SetError::Failed { name: printable(name), cause }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    fn set(settings: &Settings, pairs: &[(&str, &str)]) -> Result<Vec<&'static str>, String> {
        let pairs: Vec<(&[u8], &[u8])> =
            pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let changed = settings.set(&pairs, Caller::Local).map_err(|refused| refused.to_string())?;
        Ok(changed.settings().map(|setting| setting.name).collect())
    }

    fn get(settings: &Settings, name: &str) -> String {
        let found = settings.get(&[name.as_bytes()]);
        String::from_utf8_lossy(&found[0].1).into_owned()
    }

    #[test]
    fn changes_are_visible_and_reported() {
        let settings = Settings::default();
        let changed = set(&settings, &[("maxmemory", "2kb"), ("SAVE", "5 5"), ("hz", "10")]);
        assert_eq!(changed, Ok(vec!["maxmemory", "save"]));
        assert_eq!(settings.maxmemory(), 2048);
        assert_eq!(get(&settings, "save"), "5 5");
        assert_eq!(set(&settings, &[("save", "")]), Ok(vec!["save"]));
        assert_eq!(get(&settings, "save"), "");
        assert_eq!(set(&settings, &[("client-output-buffer-limit", "normal 1 2 3")]).unwrap().len(), 1);
        assert_eq!(settings.output_limit(super::super::ClientClass::Normal).soft_bytes, 2);
        assert_eq!(set(&settings, &[("hz", "1000")]), Ok(vec!["hz"]));
        assert_eq!(settings.hz(), 500);
    }

    #[test]
    fn refusals_have_the_texts_of_redis() {
        let settings = Settings::default();
        let related = "ERR CONFIG SET failed (possibly related to argument ";
        for (pairs, expected) in [
            (
                &[("foo", "bar")][..],
                "ERR Unknown option or number of arguments for CONFIG SET - 'foo'".to_owned(),
            ),
            (&[("maxmemory", "1"), ("foo", "2")], {
                "ERR Unknown option or number of arguments for CONFIG SET - 'foo'".to_owned()
            }),
            (&[("maxmemory", "bla")], format!("{related}'maxmemory') - argument must be a memory value")),
            (
                &[("maxmemory", "1"), ("maxmemory", "2")],
                format!("{related}'maxmemory') - duplicate parameter"),
            ),
            (
                &[("persist", "no"), ("appendonly", "no")],
                format!("{related}'appendonly') - duplicate parameter"),
            ),
            (&[("daemonize", "yes")], format!("{related}'daemonize') - can't set immutable config")),
            (&[("databases", "3")], format!("{related}'databases') - can't set immutable config")),
            (&[("dir", "/")], format!("{related}'dir') - can't set protected config")),
            (&[("appendonly", "yes")], {
                format!(
                    "{related}'appendonly') - can't be changed while the server runs; restart it with the new value"
                )
            }),
            (
                &[("port", "99999")],
                format!("{related}'port') - argument must be between 0 and 65535 inclusive"),
            ),
            (&[("appendfsync", "foo")], {
                format!(
                    "{related}'appendfsync') - argument(s) must be one of the following: everysec, always, no"
                )
            }),
            (&[("appendonly", "foo")], format!("{related}'appendonly') - argument must be 'yes' or 'no'")),
            (&[("maxmemory-clients", "200%")], {
                format!("{related}'maxmemory-clients') - percentage argument must be less or equal to 100")
            }),
        ] {
            assert_eq!(set(&settings, pairs), Err(expected));
        }
    }

    #[test]
    fn one_bad_pair_changes_nothing() {
        let settings = Settings::with(&[("maxmemory", "10000002")]).unwrap();
        let pairs =
            [("maxmemory", "10000001"), ("maxmemory-clients", "200%"), ("client-query-buffer-limit", "x")];
        assert!(set(&settings, &pairs).unwrap_err().contains("'maxmemory-clients'"));
        assert_eq!(settings.maxmemory(), 10_000_002);
        assert!(set(&settings, &[("MAXMEMORY", "x")]).unwrap_err().contains("'maxmemory'"));
        assert!(set(&settings, &[("PIDFILE", "x")]).unwrap_err().contains("'PIDFILE'"));
    }

    #[test]
    fn what_could_not_be_acted_on_is_undone() {
        let settings = Settings::default();
        let pairs: [(&[u8], &[u8]); 2] = [(b"maxmemory", b"5"), (b"PORT", b"7001")];
        let changed = settings.set(&pairs, Caller::Local).unwrap();
        let error = changed.undo(&settings, "port", "Unable to listen on this port. Check server logs.");
        assert_eq!(error.to_string(), {
            "ERR CONFIG SET failed (possibly related to argument 'port') - \
             Unable to listen on this port. Check server logs."
        });
        assert_eq!((settings.maxmemory(), settings.port()), (0, 6379));
    }

    #[test]
    fn protected_settings_open_to_local_clients_alone_when_so_set() {
        let settings = Settings::with(&[("enable-protected-configs", "local")]).unwrap();
        let pair: [(&[u8], &[u8]); 1] = [(b"dbfilename", b"somename")];
        assert!(settings.set(&pair, Caller::Remote).unwrap_err().to_string().contains("protected"));
        assert!(settings.set(&pair, Caller::Local).is_ok());
    }

    #[test]
    fn every_live_setting_takes_back_the_value_that_it_shows() {
        let settings = Settings::with(&[("enable-protected-configs", "yes")]).unwrap();
        for (at, setting) in SETTINGS.iter().enumerate() {
            let shown = setting.kind.render(&settings.value(at));
            let outcome = settings.set(&[(setting.name.as_bytes(), &shown)], Caller::Remote);
            match setting.change {
                Change::AtStart => assert!(outcome.is_err(), "{}", setting.name),
                _ => assert_eq!(outcome.unwrap().settings().count(), 0, "{}", setting.name),
            }
        }
    }

    quickcheck! {
        fn any_bytes_change_a_setting_or_are_refused_without_a_panic(name: Vec<u8>, value: Vec<u8>) -> bool {
            let settings = Settings::default();
            let refused = settings.set(&[(&name, &value)], Caller::Local).is_err();
            let taken = settings.set(&[(b"requirepass", &value)], Caller::Local).is_ok();
            refused && taken && settings.requirepass()[..] == value[..]
        }
    }
}
