//! What a server says about its own commands: the answer to COMMAND DOCS.
//!
//! Nothing is built in, so names, hints and help are those of the server at hand, whichever it is.

use std::collections::BTreeMap;

use crate::resp::Value;

/// All commands of a server by their name in capitals, subcommands as `CONFIG GET`.
#[derive(Debug, Clone, Default)]
pub struct CommandDocs {
    commands: BTreeMap<String, CommandDoc>,
}

/// What is known about one command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandDoc {
    /// One sentence.
    pub summary: String,
    /// The version that introduced it.
    pub since: String,
    /// The group of commands that it belongs to.
    pub group: String,
    /// Its arguments in order.
    pub arguments: Vec<Argument>,
}

/// One argument, or several that belong together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the flags that a server sends, each independent of the others"
)]
pub struct Argument {
    /// What stands for its value.
    pub text: String,
    /// A word that introduces it.
    pub token: Option<String>,
    /// Whether the token is all there is.
    pub is_token_only: bool,
    /// Whether it can be left out.
    pub is_optional: bool,
    /// Whether it can be repeated.
    pub is_multiple: bool,
    /// Whether the token is repeated with it.
    pub repeats_token: bool,
    /// Whether one of the parts is to be chosen; if not, all go together.
    pub is_choice: bool,
    /// What it consists of.
    pub parts: Vec<Argument>,
}

impl CommandDocs {
    /// Reads the answer to COMMAND DOCS, in either dialect. What is not understood is left out.
    pub fn from_reply(reply: &Value) -> Self {
        let mut docs = Self::default();
        docs.add_all(reply);
        docs
    }

    fn add_all(&mut self, commands: &Value) {
        for (name, fields) in pairs(commands) {
            let name = text(name).to_ascii_uppercase().replace('|', " ");
            let mut doc = CommandDoc::default();
            for (field, value) in pairs(fields) {
                match text(field).as_str() {
                    "summary" => doc.summary = text(value),
                    "since" => doc.since = text(value),
                    "group" => doc.group = text(value),
                    "arguments" => doc.arguments = arguments(value),
                    "subcommands" => self.add_all(value),
                    _ => {}
                }
            }
            self.commands.insert(name, doc);
        }
    }

    /// There is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// All commands, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &CommandDoc)> {
        self.commands.iter().map(|(name, doc)| (name.as_str(), doc))
    }

    /// The command that a line starts with, and how many of its words are the name.
    pub fn find(&self, words: &[String]) -> Option<(usize, &CommandDoc)> {
        (1..=words.len().min(2)).rev().find_map(|count| {
            let name = words[..count].join(" ").to_ascii_uppercase();
            self.commands.get(&name).map(|doc| (count, doc))
        })
    }
}

impl CommandDoc {
    /// All arguments, as in `key value [NX|XX]`.
    pub fn usage(&self) -> String {
        self.arguments.iter().map(Argument::usage).collect::<Vec<_>>().join(" ")
    }
}

impl Argument {
    /// How to write this argument.
    pub fn usage(&self) -> String {
        let once = self.once();
        let all = if !self.is_multiple {
            self.with_token(&once)
        } else if self.repeats_token {
            let once = self.with_token(&once);
            format!("{once} [{once} ...]")
        } else {
            format!("{} [{once} ...]", self.with_token(&once))
        };
        if self.is_optional { format!("[{all}]") } else { all }
    }

    /// A single one, without its token.
    pub fn once(&self) -> String {
        if self.parts.is_empty() {
            return self.text.clone();
        }
        let parts: Vec<_> = self.parts.iter().map(Argument::usage).collect();
        parts.join(if self.is_choice { "|" } else { " " })
    }

    fn with_token(&self, once: &str) -> String {
        match &self.token {
            Some(token) if self.is_token_only => token.clone(),
            Some(token) => format!("{token} {once}"),
            None => once.to_owned(),
        }
    }
}

fn arguments(value: &Value) -> Vec<Argument> {
    items(value).iter().map(argument).collect()
}

fn argument(value: &Value) -> Argument {
    let mut argument = Argument::default();
    let mut name = String::new();
    for (field, value) in pairs(value) {
        match text(field).as_str() {
            "name" => name = text(value),
            "display_text" => argument.text = text(value),
            "type" => {
                argument.is_token_only = text(value) == "pure-token";
                argument.is_choice = text(value) == "oneof";
            }
            "token" => argument.token = Some(text(value)),
            "flags" => {
                let flags: Vec<String> = items(value).iter().map(text).collect();
                argument.is_optional = flags.iter().any(|flag| flag == "optional");
                argument.is_multiple = flags.iter().any(|flag| flag.starts_with("multiple"));
                argument.repeats_token = flags.iter().any(|flag| flag == "multiple_token");
            }
            "arguments" => argument.parts = arguments(value),
            _ => {}
        }
    }
    if argument.text.is_empty() {
        argument.text = name;
    }
    argument
}

fn text(value: &Value) -> String {
    String::from_utf8_lossy(value.as_bytes().unwrap_or_default()).into_owned()
}

fn items(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) | Value::Set(values) => values,
        _ => &[],
    }
}

/// The pairs of a map, or of RESP2's array in its place.
fn pairs(value: &Value) -> Vec<(&Value, &Value)> {
    match value {
        Value::Map(pairs) => pairs.iter().map(|(key, value)| (key, value)).collect(),
        other => items(other).chunks_exact(2).map(|pair| (&pair[0], &pair[1])).collect(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::resp::{ReplyParser, Value};
    use bytes::BytesMut;

    /// Writes a nested list of words as a RESP2 reply: `(a (b c))`.
    fn reply(text: &str) -> Value {
        let mut stack = vec![Vec::new()];
        for token in text.replace('(', " ( ").replace(')', " ) ").split_whitespace() {
            match token {
                "(" => stack.push(Vec::new()),
                ")" => {
                    let list = stack.pop().expect("balanced");
                    stack.last_mut().expect("balanced").push(Value::Array(list));
                }
                word => {
                    let word = word.replace('~', " ").into_bytes();
                    stack.last_mut().expect("balanced").push(Value::Bulk(word.into()));
                }
            }
        }
        stack.pop().expect("balanced").pop().expect("one list")
    }

    /// Some commands as Redis documents them.
    pub(in crate::cli) fn sample() -> CommandDocs {
        CommandDocs::from_reply(&reply(
            "(get (summary Returns~a~value. since 1.0.0 group string arguments ((name key type key)))
              set (summary Sets~a~value. since 1.0.0 group string arguments (
                (name key type key) (name value type string)
                (name condition type oneof flags (optional) arguments (
                  (name nx type pure-token token NX) (name xx type pure-token token XX)))
                (name get type pure-token token GET flags (optional))
                (name expiration type oneof flags (optional) arguments (
                  (name seconds type integer token EX) (name keepttl type pure-token token KEEPTTL)))))
              del (arguments ((name key type key flags (multiple))))
              mset (arguments ((name data type block flags (multiple) arguments (
                (name key type key) (name value type string)))))
              ping (arguments ((name message type string flags (optional))))
              config (summary Container. subcommands (
                config|get (arguments ((name parameter display_text pattern type string flags (multiple))))
                config|rewrite ())))",
        ))
    }

    #[test]
    fn usage_reads_like_the_manual() {
        let docs = sample();
        let usage = |name: &str| docs.commands[name].usage();
        assert_eq!(usage("SET"), "key value [NX|XX] [GET] [EX seconds|KEEPTTL]");
        assert_eq!(usage("DEL"), "key [key ...]");
        assert_eq!(usage("MSET"), "key value [key value ...]");
        assert_eq!(usage("CONFIG GET"), "pattern [pattern ...]");
        assert_eq!(usage("CONFIG"), "");
    }

    #[test]
    fn a_subcommand_is_found_before_its_container() {
        let docs = sample();
        let find = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            docs.find(&words).map(|(count, doc)| (count, doc.usage()))
        };
        assert_eq!(find("config get max"), Some((2, "pattern [pattern ...]".into())));
        assert_eq!(find("config nothing"), Some((1, String::new())));
        assert_eq!(find("nothing"), None);
    }

    #[test]
    fn maps_and_nonsense_are_read_too() {
        let mut input = BytesMut::from("%1\r\n$4\r\nping\r\n%1\r\n$7\r\nsummary\r\n$5\r\nPong.\r\n");
        let reply = ReplyParser::default().parse(&mut input).expect("valid").expect("whole");
        assert_eq!(CommandDocs::from_reply(&reply).commands["PING"].summary, "Pong.");
        assert!(CommandDocs::from_reply(&Value::Error("ERR unknown subcommand".into())).is_empty());
        assert!(CommandDocs::from_reply(&Value::Array(vec![Value::Int(1)])).is_empty());
    }
}
