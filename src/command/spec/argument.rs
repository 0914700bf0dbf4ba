//! What the arguments of a command are: for COMMAND DOCS, for help, and for completion at the prompt.
//!
//! These say how to read a command, not how to parse one: the code of each command parses its own options.

use super::bits::ArgumentFlags;
use std::fmt;

/// What stands in an argument's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentKind {
    /// Any bytes.
    String,
    /// A whole number.
    Integer,
    /// A decimal number.
    Double,
    /// The name of a key.
    Key,
    /// A glob pattern.
    Pattern,
    /// A Unix time.
    UnixTime,
    /// The argument's token and nothing else.
    PureToken,
    /// One of several.
    OneOf,
    /// Several in a row.
    Block,
}

impl ArgumentKind {
    /// The name that COMMAND DOCS shows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Double => "double",
            Self::Key => "key",
            Self::Pattern => "pattern",
            Self::UnixTime => "unix-time",
            Self::PureToken => "pure-token",
            Self::OneOf => "oneof",
            Self::Block => "block",
        }
    }

    /// Whether arguments of this kind are made of others.
    pub const fn is_nested(self) -> bool {
        matches!(self, Self::OneOf | Self::Block)
    }
}

/// One argument, or one group of them.
#[derive(Debug, Clone, Copy)]
pub struct Argument {
    /// Its name in the documentation, unique among its siblings.
    pub name: &'static str,
    /// What stands in its place.
    pub kind: ArgumentKind,
    /// The word that announces it.
    pub token: Option<&'static str>,
    /// How often it stands.
    pub flags: ArgumentFlags,
    /// What to show for it where that is not its name.
    pub display_text: Option<&'static str>,
    /// The key spec that finds it, if it is a key.
    pub key_spec_index: Option<u8>,
    /// The version that brought it, if the command is older.
    pub since: Option<&'static str>,
    /// The version that first advised against it.
    pub deprecated_since: Option<&'static str>,
    /// What it is made of.
    pub arguments: &'static [Argument],
}

/// An argument of which only the kind and name are known.
const fn plain(kind: ArgumentKind, name: &'static str) -> Argument {
    Argument {
        name,
        kind,
        token: None,
        flags: ArgumentFlags::NONE,
        display_text: None,
        key_spec_index: None,
        since: None,
        deprecated_since: None,
        arguments: &[],
    }
}

/// A key, found by the key spec of this index.
pub const fn key(name: &'static str, key_spec_index: u8) -> Argument {
    Argument { key_spec_index: Some(key_spec_index), ..plain(ArgumentKind::Key, name) }
}

/// Any bytes.
pub const fn string(name: &'static str) -> Argument {
    plain(ArgumentKind::String, name)
}

/// A whole number.
pub const fn integer(name: &'static str) -> Argument {
    plain(ArgumentKind::Integer, name)
}

/// A decimal number.
pub const fn double(name: &'static str) -> Argument {
    plain(ArgumentKind::Double, name)
}

/// A glob pattern.
pub const fn pattern(name: &'static str) -> Argument {
    plain(ArgumentKind::Pattern, name)
}

/// A Unix time.
pub const fn unix_time(name: &'static str) -> Argument {
    plain(ArgumentKind::UnixTime, name)
}

/// A word that stands for itself.
pub const fn token(name: &'static str, token: &'static str) -> Argument {
    plain(ArgumentKind::PureToken, name).after(token)
}

/// One of several.
pub const fn one_of(name: &'static str, arguments: &'static [Argument]) -> Argument {
    Argument { arguments, ..plain(ArgumentKind::OneOf, name) }
}

/// Several in a row.
pub const fn block(name: &'static str, arguments: &'static [Argument]) -> Argument {
    Argument { arguments, ..plain(ArgumentKind::Block, name) }
}

impl Argument {
    /// Announced by `token`.
    pub const fn after(mut self, token: &'static str) -> Self {
        self.token = Some(token);
        self
    }

    /// May be left out.
    pub const fn optional(mut self) -> Self {
        self.flags = self.flags.union(ArgumentFlags::OPTIONAL);
        self
    }

    /// May be repeated.
    pub const fn multiple(mut self) -> Self {
        self.flags = self.flags.union(ArgumentFlags::MULTIPLE);
        self
    }

    /// May be repeated together with its token.
    pub const fn multiple_token(mut self) -> Self {
        self.flags = self.flags.union(ArgumentFlags::MULTIPLE).union(ArgumentFlags::MULTIPLE_TOKEN);
        self
    }

    /// Shown as `text` in place of its name.
    pub const fn display(mut self, text: &'static str) -> Self {
        self.display_text = Some(text);
        self
    }

    /// Brought by this version.
    pub const fn since(mut self, version: &'static str) -> Self {
        self.since = Some(version);
        self
    }

    /// Advised against from this version on.
    pub const fn deprecated(mut self, version: &'static str) -> Self {
        self.deprecated_since = Some(version);
        self
    }

    /// The text that stands for the argument in help.
    pub const fn shown_name(&self) -> &'static str {
        match self.display_text {
            Some(text) => text,
            None => self.name,
        }
    }

    /// Writes the argument once, without what its flags add.
    fn write_once(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.token, self.kind) {
            (Some(token), ArgumentKind::PureToken) => return out.write_str(token),
            (Some(token), _) => write!(out, "{token} ")?,
            (None, _) => {}
        }
        match self.kind {
            ArgumentKind::Block => write!(out, "{}", Syntax(self.arguments)),
            ArgumentKind::OneOf => write_alternatives(self.arguments, out),
            _ => out.write_str(self.shown_name()),
        }
    }
}

/// Shows an argument as help does: `[EX seconds]`, `key [key ...]`, `A|B`.
impl fmt::Display for Argument {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let optional = self.flags.contains(ArgumentFlags::OPTIONAL);
        let choice = self.kind == ArgumentKind::OneOf && !optional;
        out.write_str(match (optional, choice) {
            (true, _) => "[",
            (false, true) => "<",
            (false, false) => "",
        })?;
        self.write_once(out)?;
        if self.flags.contains(ArgumentFlags::MULTIPLE) {
            self.write_repetition(out)?;
        }
        out.write_str(match (optional, choice) {
            (true, _) => "]",
            (false, true) => ">",
            (false, false) => "",
        })
    }
}

impl Argument {
    /// Writes that the argument may be repeated.
    fn write_repetition(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = Argument { flags: ArgumentFlags::NONE, ..*self };
        if self.token.is_some() && !self.flags.contains(ArgumentFlags::MULTIPLE_TOKEN) {
            let again = Argument { token: None, ..again };
            return write!(out, " [{again} ...]");
        }
        write!(out, " [{again} ...]")
    }
}

/// Writes the members of a choice.
fn write_alternatives(arguments: &[Argument], out: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, argument) in arguments.iter().enumerate() {
        if at > 0 {
            out.write_str(" | ")?;
        }
        write!(out, "{argument}")?;
    }
    Ok(())
}

/// Shows arguments in a row, as help does.
#[derive(Debug, Clone, Copy)]
pub struct Syntax(pub &'static [Argument]);

impl fmt::Display for Syntax {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, argument) in self.0.iter().enumerate() {
            if at > 0 {
                out.write_str(" ")?;
            }
            write!(out, "{argument}")?;
        }
        Ok(())
    }
}
