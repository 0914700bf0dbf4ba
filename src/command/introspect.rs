//! COMMAND: the table of commands, as clients ask for it.
//!
//! One function per subcommand, each from a full request (names included, arity checked) to its reply. The shapes
//! are Redis's: maps and sets in RESP3, flat arrays in RESP2, which [`ReplyBuf`] sees to.

mod docs;
mod help;
mod info;

use super::spec::{Categories, CommandSpec, KeyAt, key_positions};
use super::table::{self, COMMANDS, by_full_name};
use crate::glob;
use crate::resp::{Args, ReplyBuf};
use std::iter;

pub use docs::docs;
pub use help::{help, help_lines};
pub use info::{all, info};

/// COMMAND COUNT
pub fn count(_arguments: Args<'_>, reply: &mut ReplyBuf) {
    reply.int(COMMANDS.len() as i64);
}

/// `COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern]`
pub fn list(arguments: Args<'_>, reply: &mut ReplyBuf) {
    let Some(filter) = Filter::parse(arguments.from(2)) else {
        return reply.error("ERR syntax error");
    };
    let all = COMMANDS.iter().flat_map(|spec| iter::once(spec).chain(spec.subcommands));
    let found: Vec<_> = all.filter(|spec| filter.passes(spec)).collect();
    reply.array(found.len());
    for spec in found {
        reply.bulk(spec.full_name.as_bytes());
    }
}

/// `COMMAND GETKEYS command [argument ...]`
pub fn get_keys(arguments: Args<'_>, reply: &mut ReplyBuf) {
    keys_of(arguments.from(2), reply, |_, name, reply| reply.bulk(name));
}

/// `COMMAND GETKEYSANDFLAGS command [argument ...]`
pub fn get_keys_and_flags(arguments: Args<'_>, reply: &mut ReplyBuf) {
    keys_of(arguments.from(2), reply, |key, name, reply| {
        reply.array(2);
        reply.bulk(name);
        info::statuses(key.flags.names(), reply);
    });
}

/// Replies with the keys of a call, each written by `write`.
fn keys_of(call: Args<'_>, reply: &mut ReplyBuf, write: impl Fn(&KeyAt, &[u8], &mut ReplyBuf)) {
    let Some(spec) = table::resolve(call) else {
        return reply.error("ERR Invalid command specified");
    };
    match key_positions(spec, call) {
        Ok(keys) => {
            reply.array(keys.len());
            for key in &keys {
                write(key, &call[key.index], reply);
            }
        }
        Err(error) => reply.error(&format!("ERR {error}")),
    }
}

/// What COMMAND LIST leaves out.
enum Filter<'a> {
    /// Nothing.
    None,
    /// All that is not in the category; everything, if there is no such category.
    Category(Option<Categories>),
    /// All that does not match.
    Pattern(&'a [u8]),
    /// Everything: there are no modules.
    Module,
}

impl<'a> Filter<'a> {
    /// The filter that the arguments behind COMMAND LIST ask for.
    fn parse(arguments: Args<'a>) -> Option<Self> {
        let (word, kind, value) = match arguments.len() {
            0 => return Some(Self::None),
            3 => (arguments.get(0)?, arguments.get(1)?, arguments.get(2)?),
            _ => return None,
        };
        match kind.to_ascii_lowercase().as_slice() {
            _ if !word.eq_ignore_ascii_case(b"filterby") => None,
            b"aclcat" => Some(Self::Category(Categories::named(value))),
            b"pattern" => Some(Self::Pattern(value)),
            b"module" => Some(Self::Module),
            _ => None,
        }
    }

    /// Whether a command is listed.
    fn passes(&self, spec: &CommandSpec) -> bool {
        match self {
            Self::None => true,
            Self::Category(category) => category.is_some_and(|category| spec.categories.contains(category)),
            Self::Pattern(pattern) => {
                glob::matches(pattern, spec.full_name.as_bytes(), glob::Case::Insensitive)
            }
            Self::Module => false,
        }
    }
}

/// The specs that names stand for, in their order; `None` for an unknown name.
fn named(names: Args<'_>) -> impl ExactSizeIterator<Item = Option<&'static CommandSpec>> {
    names.iter().map(by_full_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::{OwnedRequest, Protocol};
    use bytes::Buf;

    /// A function of this module.
    pub(super) type Handler = fn(Args<'_>, &mut ReplyBuf);

    /// The reply to a request given as words, with blanks for line ends.
    pub(super) fn reply(handler: Handler, protocol: Protocol, request: &str) -> String {
        let request: OwnedRequest = request.split(' ').collect();
        let mut reply = ReplyBuf::with_protocol(protocol);
        handler(request.as_args(), &mut reply);
        let bytes = reply.copy_to_bytes(reply.remaining());
        let text = std::str::from_utf8(&bytes).expect("the table is ASCII");
        text.replace("\r\n", " ").trim_end().to_owned()
    }

    /// The reply in RESP2.
    fn reply2(handler: Handler, request: &str) -> String {
        reply(handler, Protocol::Resp2, request)
    }

    #[test]
    fn count_counts_commands_but_not_subcommands() {
        assert_eq!(reply2(count, "command count"), format!(":{}", COMMANDS.len()));
    }

    #[test]
    fn list_names_commands_and_subcommands() {
        let all = reply2(list, "command list");
        assert!(all.starts_with(&format!("*{} ", table::COUNT)), "{all}");
        assert!(all.contains(" $3 get ") && all.contains(" $11 client|kill "), "{all}");
    }

    #[test]
    fn list_is_filtered_by_category_pattern_or_module() {
        let filtered = |filter: &str| reply2(list, &format!("command list {filter}"));
        assert_eq!(filtered("filterby pattern GETE*"), "*1 $5 getex");
        assert_eq!(filtered("FilterBy Pattern client|k*"), "*1 $11 client|kill");
        assert_eq!(
            filtered("filterby aclcat Scripting"),
            "*4 $14 function|flush $13 function|list $14 function|stats $13 function|help"
        );
        assert_eq!(filtered("filterby aclcat nosuch"), "*0");
        assert_eq!(filtered("filterby module any"), "*0");
        for wrong in
            ["filterby", "filterby pattern", "filterby size 3", "pattern filterby x", "filterby pattern a b"]
        {
            assert_eq!(filtered(wrong), "-ERR syntax error", "{wrong}");
        }
    }

    #[test]
    fn get_keys_answers_the_keys_of_a_call() {
        let keys = |call: &str| reply2(get_keys, &format!("command getkeys {call}"));
        assert_eq!(keys("mset a 1 b 2"), "*2 $1 a $1 b");
        assert_eq!(keys("mset a 1 b"), "*2 $1 a $1 b");
        assert_eq!(keys("OBJECT freq a"), "*1 $1 a");
        assert_eq!(keys("blmove a b left right 0"), "*2 $1 a $1 b");
        assert_eq!(keys("zunionstore a 2 b c weights 1 2"), "*3 $1 a $1 b $1 c");
        assert_eq!(keys("mset a"), "-ERR Invalid number of arguments specified for command");
        assert_eq!(keys("get a b"), "-ERR Invalid number of arguments specified for command");
        assert_eq!(keys("ping"), "-ERR The command has no key arguments");
        assert_eq!(keys("client kill"), "-ERR The command has no key arguments");
        assert_eq!(keys("nosuch a"), "-ERR Invalid command specified");
        assert_eq!(keys("client nosuch a"), "-ERR Invalid command specified");
    }

    #[test]
    fn get_keys_knows_the_options_of_sort_and_migrate() {
        let keys = |call: &str| reply2(get_keys, &format!("command getkeys {call}"));
        assert_eq!(keys("sort a"), "*1 $1 a");
        assert_eq!(keys("sort a by store get store limit store 1 Store b store c"), "*2 $1 a $1 c");
        assert_eq!(keys("sort a store store"), "*2 $1 a $5 store");
        assert_eq!(keys("sort a alpha store"), "*1 $1 a");
        assert_eq!(keys("sort_ro a get b"), "*1 $1 a");
        assert_eq!(keys("migrate host 1 a 0 9 copy auth keys"), "*1 $1 a");
        assert_eq!(keys("migrate host 1  0 9 auth2 keys keys Keys b c"), "*2 $1 b $1 c");
        assert_eq!(keys("migrate host 1 a 0 9 keys b"), "-ERR Invalid arguments specified for command");
    }

    #[test]
    fn get_keys_and_flags_tells_what_happens_to_each_key() {
        let keys = |call: &str| reply2(get_keys_and_flags, &format!("command getkeysandflags {call}"));
        assert_eq!(keys("set a b"), "*1 *2 $1 a *2 +OW +update");
        assert_eq!(keys("set a b get"), "*1 *2 $1 a *3 +RW +access +update");
        assert_eq!(keys("copy a b"), "*2 *2 $1 a *2 +RO +access *2 $1 b *2 +OW +update");
        let in_resp3 = reply(get_keys_and_flags, Protocol::Resp3, "command getkeysandflags set a b");
        assert_eq!(in_resp3, "*1 *2 $1 a ~2 +OW +update");
    }
}
