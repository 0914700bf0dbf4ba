//! What there is to say about one command, as data.
//!
//! A [`CommandSpec`] holds everything that is known about a command besides the code that runs it: its name, how
//! many arguments it takes, what it may do, where its keys are, and what people want to read about it. The specs
//! stand in [`crate::command::table`]; dispatch, COMMAND, ACL categories, help and completion are derived from
//! them, so that nothing about a command is written down twice.
//!
//! Specs are built by constant functions and live in static memory. The words (flags, categories, key specs,
//! arguments) are those in which Redis describes its commands, because clients read them through COMMAND.

pub mod argument;
pub mod bits;
pub mod keys;
pub mod positions;

pub use argument::{Argument, ArgumentKind};
pub use bits::{ArgumentFlags, Categories, Flags, KeyFlags};
pub use keys::{BeginSearch, FindKeys, KeyRange, KeySpec};
pub use positions::{KeyAt, KeyError, KeyFinder, KeyPositions, key_positions};

/// The chapter of the documentation that a command belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Keys of any type.
    Generic,
    /// Strings and numbers.
    String,
    /// Hashes.
    Hash,
    /// Lists.
    List,
    /// Sets.
    Set,
    /// Sorted sets.
    SortedSet,
    /// The connection itself.
    Connection,
    /// The server as a whole.
    Server,
    /// Transactions.
    Transactions,
    /// Scripts and functions.
    Scripting,
    /// Publish and subscribe.
    Pubsub,
}

impl Group {
    /// The name that COMMAND DOCS shows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::String => "string",
            Self::Hash => "hash",
            Self::List => "list",
            Self::Set => "set",
            Self::SortedSet => "sorted-set",
            Self::Connection => "connection",
            Self::Server => "server",
            Self::Transactions => "transactions",
            Self::Scripting => "scripting",
            Self::Pubsub => "pubsub",
        }
    }
}

/// Since when a command is out of favour, and what to use instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deprecation {
    /// The version that first advised against it.
    pub since: &'static str,
    /// What does the same today.
    pub replaced_by: &'static str,
}

/// Everything about one command, or one subcommand, but its code.
#[derive(Debug, Clone, Copy)]
pub struct CommandSpec {
    /// Lower-case name; of a subcommand, the part behind the bar.
    pub name: &'static str,
    /// Lower-case name as errors and COMMAND show it: `get`, `client|kill`.
    pub full_name: &'static str,
    /// Number of arguments, names included; `-n` stands for `n` or more. Of a subcommand, both names count.
    pub arity: i32,
    /// What the command may do, and where it may be called.
    pub flags: Flags,
    /// ACL categories, with those that follow from the flags.
    pub categories: Categories,
    /// Where the keys are.
    pub keys: &'static [KeySpec],
    /// What finds the keys of a call in which the key specs do not.
    pub key_finder: Option<KeyFinder>,
    /// First, last and step of the keys, as far as one such triple can tell: see [`KeyRange`].
    pub key_range: KeyRange,
    /// Chapter of the documentation.
    pub group: Group,
    /// Version that brought the command: Redis's, or Valkey's above 7.2.
    pub since: &'static str,
    /// One sentence on what it does.
    pub summary: &'static str,
    /// What it costs.
    pub complexity: Option<&'static str>,
    /// What changed, as (version, change).
    pub history: &'static [(&'static str, &'static str)],
    /// Hints for proxies and cluster clients.
    pub tips: &'static [&'static str],
    /// The arguments, in order.
    pub arguments: &'static [Argument],
    /// The subcommands, if this is a container.
    pub subcommands: &'static [CommandSpec],
    /// Set where another command should be used.
    pub deprecated: Option<Deprecation>,
    /// For the server's own use or its developers', not for applications.
    pub system: bool,
    /// Dense number; see [`CommandSpec::index`].
    index: u16,
}

impl CommandSpec {
    /// A command of which only the name, arity, group and age are known.
    ///
    /// `full_name` is in lower case, with a bar between container and subcommand.
    pub const fn new(full_name: &'static str, arity: i32, group: Group, since: &'static str) -> Self {
        Self {
            name: behind_bar(full_name),
            full_name,
            arity,
            flags: Flags::NONE,
            categories: Categories::NONE,
            keys: &[],
            key_finder: None,
            key_range: KeyRange::NONE,
            group,
            since,
            summary: "",
            complexity: None,
            history: &[],
            tips: &[],
            arguments: &[],
            subcommands: &[],
            deprecated: None,
            system: false,
            index: 0,
        }
    }

    /// Says what the command does.
    pub const fn summary(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    /// Says what it costs.
    pub const fn complexity(mut self, complexity: &'static str) -> Self {
        self.complexity = Some(complexity);
        self
    }

    /// Adds flags.
    pub const fn flags(mut self, flags: &[Flags]) -> Self {
        self.flags = self.flags.union(Flags::of(flags));
        self
    }

    /// Adds ACL categories beyond those that follow from the flags.
    pub const fn categories(mut self, categories: &[Categories]) -> Self {
        self.categories = self.categories.union(Categories::of(categories));
        self
    }

    /// Says where the keys are.
    pub const fn keys(mut self, keys: &'static [KeySpec]) -> Self {
        self.keys = keys;
        self
    }

    /// Says what finds the keys of a call in which the key specs do not.
    pub const fn keys_found_by(mut self, finder: KeyFinder) -> Self {
        self.key_finder = Some(finder);
        self
    }

    /// Names the arguments.
    pub const fn arguments(mut self, arguments: &'static [Argument]) -> Self {
        self.arguments = arguments;
        self
    }

    /// Tells what changed, as (version, change).
    pub const fn history(mut self, history: &'static [(&'static str, &'static str)]) -> Self {
        self.history = history;
        self
    }

    /// Gives hints for proxies and cluster clients.
    pub const fn tips(mut self, tips: &'static [&'static str]) -> Self {
        self.tips = tips;
        self
    }

    /// Makes this a container.
    pub const fn subcommands(mut self, subcommands: &'static [CommandSpec]) -> Self {
        self.subcommands = subcommands;
        self
    }

    /// Advises against the command.
    pub const fn deprecated(mut self, since: &'static str, replaced_by: &'static str) -> Self {
        self.deprecated = Some(Deprecation { since, replaced_by });
        self
    }

    /// Marks the command as not meant for applications.
    pub const fn system(mut self) -> Self {
        self.system = true;
        self
    }

    /// The spec as the table shows it: numbered, and with all that follows from what it says.
    pub(super) const fn finished(mut self, index: u16) -> Self {
        self.index = index;
        (self.key_range, self.flags) = match KeyRange::covering(self.keys) {
            (range, true) => (range, self.flags),
            (range, false) => (range, self.flags.union(Flags::MOVABLE_KEYS)),
        };
        self.categories = self.categories.union(implied_categories(self.flags, self.categories));
        self
    }

    /// A number below [`crate::command::table::COUNT`], another for every command and subcommand.
    ///
    /// Meant for arrays of counters. It says nothing about age or order, and changes between builds.
    #[inline]
    pub const fn index(&self) -> usize {
        self.index as usize
    }

    /// Whether `count` arguments, names included, are as many as the command takes.
    #[inline]
    pub const fn accepts(&self, count: usize) -> bool {
        let wanted = self.arity.unsigned_abs() as usize;
        if self.arity < 0 { count >= wanted } else { count == wanted }
    }

    /// The subcommand of this name, in any case of letters.
    pub fn subcommand(&self, name: &[u8]) -> Option<&'static CommandSpec> {
        self.subcommands.iter().find(|spec| spec.name.as_bytes().eq_ignore_ascii_case(name))
    }

    /// Whether there are subcommands.
    pub const fn is_container(&self) -> bool {
        !self.subcommands.is_empty()
    }

    /// Whether some argument may be a key.
    pub fn has_keys(&self) -> bool {
        self.keys.iter().any(|spec| !spec.flags.contains(KeyFlags::NOT_KEY))
    }
}

/// Specs are the same when they are the same entry of the table.
impl PartialEq for CommandSpec {
    fn eq(&self, other: &Self) -> bool {
        self.full_name == other.full_name
    }
}

impl Eq for CommandSpec {}

/// The categories that a command has because of its flags.
const fn implied_categories(flags: Flags, explicit: Categories) -> Categories {
    let mut implied = Categories::NONE;
    if flags.contains(Flags::WRITE) {
        implied = implied.union(Categories::WRITE);
    }
    // Why: a script that promises to read only is still not what people grant with @read.
    if flags.contains(Flags::READONLY) && !explicit.contains(Categories::SCRIPTING) {
        implied = implied.union(Categories::READ);
    }
    if flags.contains(Flags::ADMIN) {
        implied = implied.union(Categories::ADMIN).union(Categories::DANGEROUS);
    }
    if flags.contains(Flags::PUBSUB) {
        implied = implied.union(Categories::PUBSUB);
    }
    if flags.contains(Flags::BLOCKING) {
        implied = implied.union(Categories::BLOCKING);
    }
    implied.union(if flags.contains(Flags::FAST) { Categories::FAST } else { Categories::SLOW })
}

/// What stands behind the bar of a full name, or all of it.
const fn behind_bar(full_name: &'static str) -> &'static str {
    let mut rest = full_name.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first == b'|' {
            return match std::str::from_utf8(rest) {
                Ok(name) => name,
                Err(_) => panic!("names are ASCII"),
            };
        }
    }
    full_name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_subcommand_is_what_stands_behind_the_bar() {
        let spec = CommandSpec::new("client|no-evict", 3, Group::Connection, "7.0.0");
        assert_eq!((spec.name, spec.full_name), ("no-evict", "client|no-evict"));
        assert_eq!(CommandSpec::new("get", 2, Group::String, "1.0.0").name, "get");
    }

    #[test]
    fn a_negative_arity_is_a_lower_bound() {
        let exact = CommandSpec::new("get", 2, Group::String, "1.0.0");
        assert_eq!([1, 2, 3].map(|count| exact.accepts(count)), [false, true, false]);
        let open = CommandSpec::new("mget", -2, Group::String, "1.0.0");
        assert_eq!([1, 2, 900].map(|count| open.accepts(count)), [false, true, true]);
    }

    #[test]
    fn categories_follow_from_flags() {
        let new = || CommandSpec::new("x", 1, Group::Server, "1.0.0");
        let names = |spec: CommandSpec| spec.finished(0).categories.names().collect::<Vec<_>>();
        assert_eq!(names(new()), ["slow"]);
        assert_eq!(names(new().flags(&[Flags::WRITE, Flags::FAST])), ["write", "fast"]);
        assert_eq!(names(new().flags(&[Flags::ADMIN])), ["admin", "slow", "dangerous"]);
        let script = new().flags(&[Flags::READONLY]).categories(&[Categories::SCRIPTING]);
        assert_eq!(names(script), ["slow", "scripting"]);
    }
}
