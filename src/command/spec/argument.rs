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
    /// The key spec that finds it, or the keys that it is the pattern of.
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
    /// The keys named after this are those of the key spec of this index.
    pub const fn found_by(mut self, key_spec_index: u8) -> Self {
        self.key_spec_index = Some(key_spec_index);
        self
    }

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

    /// This argument, standing exactly once.
    const fn once(self) -> Self {
        Self { flags: ArgumentFlags::NONE, ..self }
    }

    /// Writes the argument without its token.
    fn write_value(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ArgumentKind::PureToken => Ok(()),
            ArgumentKind::Block => write!(out, "{}", Syntax(self.arguments)),
            // Why: the brackets of an option are enough to hold a choice together.
            ArgumentKind::OneOf if self.is_optional() && self.token.is_none() => self.write_choice(out),
            ArgumentKind::OneOf => {
                out.write_str("<")?;
                self.write_choice(out)?;
                out.write_str(">")
            }
            _ => out.write_str(self.shown_name()),
        }
    }

    /// Writes the members of a choice.
    fn write_choice(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, argument) in self.arguments.iter().enumerate() {
            let bar = if at > 0 { "|" } else { "" };
            write!(
                out,
                "{bar}{}",
                Argument { flags: argument.flags.without(ArgumentFlags::OPTIONAL), ..*argument }
            )?;
        }
        Ok(())
    }

    /// Writes that the argument may be repeated, with its token only if that is repeated too.
    fn write_repetition(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = if self.flags.contains(ArgumentFlags::MULTIPLE_TOKEN) {
            self.once()
        } else {
            Argument { token: None, ..self.once() }
        };
        match again.kind {
            ArgumentKind::OneOf => out.write_str(" ..."),
            _ => write!(out, " [{again} ...]"),
        }
    }

    /// Whether it may be left out.
    const fn is_optional(&self) -> bool {
        self.flags.contains(ArgumentFlags::OPTIONAL)
    }
}

/// Shows an argument as help does: `key`, `[EX seconds|PX milliseconds]`, `key value [key value ...]`.
impl fmt::Display for Argument {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, close) = if self.is_optional() { ("[", "]") } else { ("", "") };
        out.write_str(open)?;
        if let Some(token) = self.token {
            out.write_str(token)?;
            if self.kind != ArgumentKind::PureToken {
                out.write_str(" ")?;
            }
        }
        self.write_value(out)?;
        if self.flags.contains(ArgumentFlags::MULTIPLE) {
            self.write_repetition(out)?;
        }
        out.write_str(close)
    }
}

/// Shows arguments in a row, as help does.
#[derive(Debug, Clone, Copy)]
pub struct Syntax(pub &'static [Argument]);

impl fmt::Display for Syntax {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, argument) in self.0.iter().enumerate() {
            let blank = if at > 0 { " " } else { "" };
            write!(out, "{blank}{argument}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(argument: Argument) -> String {
        argument.to_string()
    }

    #[test]
    fn options_stand_in_brackets_with_their_tokens() {
        assert_eq!(shown(token("get", "GET").optional()), "[GET]");
        assert_eq!(shown(integer("seconds").after("EX").optional()), "[EX seconds]");
        assert_eq!(shown(string("addr").display("ip:port")), "ip:port");
    }

    #[test]
    fn choices_are_held_together_by_one_pair_of_brackets() {
        const ON_OFF: &[Argument] = &[token("on", "ON"), token("off", "OFF").optional()];
        assert_eq!(shown(one_of("enabled", ON_OFF)), "<ON|OFF>");
        assert_eq!(shown(one_of("enabled", ON_OFF).optional()), "[ON|OFF]");
        assert_eq!(shown(one_of("enabled", ON_OFF).after("MODE").optional()), "[MODE <ON|OFF>]");
        assert_eq!(shown(one_of("enabled", ON_OFF).multiple()), "<ON|OFF> ...");
    }

    #[test]
    fn repetition_shows_the_token_only_where_it_is_repeated() {
        const PAIR: &[Argument] = &[key("key", 0), string("value")];
        assert_eq!(shown(block("data", PAIR).multiple()), "key value [key value ...]");
        assert_eq!(shown(key("key", 0).optional().multiple()), "[key [key ...]]");
        assert_eq!(shown(integer("id").after("ID").multiple()), "ID id [id ...]");
        assert_eq!(shown(integer("id").after("ID").multiple_token()), "ID id [ID id ...]");
    }
}
