//! One row of the table of settings, and finding rows by name.

use super::kind::{BadValue, Kind, Value};
use super::table::SETTINGS;

/// When a setting may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// By CONFIG SET while the server runs.
    Live,
    /// Only at start; CONFIG SET is refused, as in Redis.
    AtStart,
    /// Only at start, though Redis changes it live: CONFIG SET takes the value that it has, and refuses others.
    Pinned,
}

/// Where a setting stands in the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Listening and connections.
    Network,
    /// The process.
    Server,
    /// Bounds on what clients may send and leave unread.
    Limits,
    /// What is published by itself.
    Notifications,
    /// Memory and eviction.
    Memory,
    /// Files.
    Persistence,
    /// Following others, and being followed.
    Replication,
    /// Messages and measurements.
    Diagnostics,
    /// Accepted and kept for tools that expect them; no effect.
    Compatibility,
}

impl Section {
    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Network => "Network",
            Self::Server => "Server",
            Self::Limits => "Limits",
            Self::Notifications => "Notifications",
            Self::Memory => "Memory",
            Self::Persistence => "Persistence",
            Self::Replication => "Replication",
            Self::Diagnostics => "Diagnostics",
            Self::Compatibility => "Compatibility",
        }
    }
}

/// What the command line, the configuration file, CONFIG and the help know of one setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The name.
    pub name: &'static str,
    /// Other names, Redis's own among them.
    pub aliases: &'static [&'static str],
    /// What it may hold.
    pub kind: Kind,
    /// Its value when nobody says otherwise, as text.
    pub default: &'static str,
    /// When it may change.
    pub change: Change,
    /// Where it stands in the help.
    pub section: Section,
    /// One line for the help.
    pub help: &'static str,
    /// CONFIG SET needs `enable-protected-configs`.
    pub protected: bool,
    /// CONFIG GET shows it only when asked by name.
    pub hidden: bool,
    /// The only value that works here, and what to say of any other.
    pub only: Option<(&'static str, &'static str)>,
}

impl Setting {
    /// A row.
    pub(super) const fn new(
        section: Section,
        name: &'static str,
        aliases: &'static [&'static str],
        kind: Kind,
        default: &'static str,
        change: Change,
    ) -> Self {
        let (protected, hidden, only, help) = (false, false, None, "");
        Self { name, aliases, kind, default, change, section, help, protected, hidden, only }
    }

    /// Adds the line for the help.
    pub(super) const fn help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    /// Asks for `enable-protected-configs` before a change.
    pub(super) const fn protected(mut self) -> Self {
        self.protected = true;
        self
    }

    /// Leaves it out of patterns of CONFIG GET.
    pub(super) const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// Refuses every value but one.
    pub(super) const fn only(mut self, value: &'static str, why_not_others: &'static str) -> Self {
        self.only = Some((value, why_not_others));
        self
    }

    /// The name and the aliases.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// Reads a value of this setting; `base` is what a list adds to.
    ///
    /// # Errors
    /// The text is no value of this setting, or one that does not work here.
    pub(super) fn parse(&self, text: &[u8], base: &Value) -> Result<Value, BadValue> {
        let value = self.kind.parse(text, base)?;
        match self.only {
            Some((only, why)) if self.kind.render(&value) != only.as_bytes() => {
                Err(BadValue::Unsupported(why))
            }
            _ => Ok(value),
        }
    }

    /// Its value when nobody says otherwise.
    pub(super) fn default_value(&self) -> Value {
        // Invariant: every default parses; the test of the table looks at each.
        self.kind.parse(self.default.as_bytes(), &Value::empty()).unwrap_or_else(|_| Value::empty())
    }
}

/// The place in the table of the setting called `name`, letters in either case.
pub(super) fn find(name: &[u8]) -> Option<usize> {
    SETTINGS
        .iter()
        .position(|setting| setting.names().any(|known| known.as_bytes().eq_ignore_ascii_case(name)))
}

/// The name most like `name`, if any is like it.
pub(super) fn nearest(name: &[u8]) -> Option<&'static str> {
    const ALIKE: f64 = 0.8;
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    let visible = SETTINGS.iter().filter(|setting| !setting.hidden).flat_map(Setting::names);
    let scored = visible.map(|known| (strsim::jaro_winkler(known, &name), known));
    scored.filter(|(score, _)| *score >= ALIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_either_case_and_by_alias() {
        let name = |name: &str| find(name.as_bytes()).map(|at| SETTINGS[at].name);
        assert_eq!(name("port"), Some("port"));
        assert_eq!(name("AppendOnly"), Some("persist"));
        assert_eq!(name("slave-priority"), Some("replica-priority"));
        assert_eq!(name("prot"), None);
    }

    #[test]
    fn the_nearest_name_is_offered_only_when_it_is_near() {
        for (wrong, near) in [
            ("prot", Some("port")),
            ("maxmemry", Some("maxmemory")),
            ("appendfsnc", Some("appendfsync")),
            ("DBFILES", Some("dbfile")),
            ("qqq", None),
        ] {
            assert_eq!(nearest(wrong.as_bytes()), near, "{wrong}");
        }
    }
}
