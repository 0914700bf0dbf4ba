//! COMMAND and COMMAND INFO: commands as programs see them.

use super::named;
use crate::command::spec::{BeginSearch, CommandSpec, FindKeys, KeySpec};
use crate::command::table::COMMANDS;
use crate::resp::{Args, ReplyBuf};

/// COMMAND
pub fn all(_arguments: Args<'_>, reply: &mut ReplyBuf) {
    reply.array(COMMANDS.len());
    for spec in COMMANDS {
        describe(spec, reply);
    }
}

/// `COMMAND INFO [name ...]`
pub fn info(arguments: Args<'_>, reply: &mut ReplyBuf) {
    let names = arguments.from(2);
    if names.is_empty() {
        return all(arguments, reply);
    }
    reply.array(names.len());
    for spec in named(names) {
        match spec {
            Some(spec) => describe(spec, reply),
            None => reply.null(),
        }
    }
}

/// Writes the ten fields of one command.
fn describe(spec: &CommandSpec, reply: &mut ReplyBuf) {
    reply.array(10);
    reply.bulk(spec.full_name.as_bytes());
    reply.int(i64::from(spec.arity));
    statuses(spec.flags.names(), reply);
    for place in [spec.key_range.first, spec.key_range.last, spec.key_range.step] {
        reply.int(i64::from(place));
    }
    categories(spec, reply);
    reply.set(spec.tips.len());
    for tip in spec.tips {
        reply.bulk(tip.as_bytes());
    }
    reply.set(spec.keys.len());
    for keys in spec.keys {
        key_spec(keys, reply);
    }
    subcommands(spec, reply);
}

/// Writes the ACL categories.
fn categories(spec: &CommandSpec, reply: &mut ReplyBuf) {
    reply.set(spec.categories.names().count());
    for name in spec.categories.names() {
        reply.simple(&format!("@{name}"));
    }
}

/// Writes the subcommands, each like a command.
fn subcommands(spec: &CommandSpec, reply: &mut ReplyBuf) {
    if !spec.is_container() {
        // Why: without subcommands Redis answers an empty set, with some an array.
        return reply.set(0);
    }
    reply.array(spec.subcommands.len());
    for subcommand in spec.subcommands {
        describe(subcommand, reply);
    }
}

/// Writes a set of names as statuses.
pub(super) fn statuses(names: impl Iterator<Item = &'static str>, reply: &mut ReplyBuf) {
    let names: smallvec::SmallVec<[&str; 16]> = names.collect();
    reply.set(names.len());
    for name in names {
        reply.simple(name);
    }
}

/// Writes one key spec.
fn key_spec(spec: &KeySpec, reply: &mut ReplyBuf) {
    reply.map(if spec.notes.is_some() { 4 } else { 3 });
    if let Some(notes) = spec.notes {
        reply.bulk(b"notes");
        reply.bulk(notes.as_bytes());
    }
    reply.bulk(b"flags");
    statuses(spec.flags.names(), reply);
    reply.bulk(b"begin_search");
    begin_search(spec.begin, reply);
    reply.bulk(b"find_keys");
    find_keys(spec.find, reply);
}

/// Writes where the search begins.
fn begin_search(begin: BeginSearch, reply: &mut ReplyBuf) {
    match begin {
        BeginSearch::Index(index) => part("index", &[("index", index)], reply),
        BeginSearch::Keyword { keyword, start_from } => {
            heading("keyword", 2, reply);
            reply.bulk(b"keyword");
            reply.bulk(keyword.as_bytes());
            field("startfrom", start_from, reply);
        }
        BeginSearch::Unknown => part("unknown", &[], reply),
    }
}

/// Writes how the search goes on.
fn find_keys(find: FindKeys, reply: &mut ReplyBuf) {
    match find {
        FindKeys::Range { last, step, limit } => {
            part("range", &[("lastkey", last), ("keystep", step), ("limit", limit)], reply);
        }
        FindKeys::KeyNum { count_at, first, step } => {
            part("keynum", &[("keynumidx", count_at), ("firstkey", first), ("keystep", step)], reply);
        }
        FindKeys::Unknown => part("unknown", &[], reply),
    }
}

/// Writes one half of a key spec: its type and its numbers.
fn part(kind: &str, fields: &[(&str, i32)], reply: &mut ReplyBuf) {
    heading(kind, fields.len(), reply);
    for (name, value) in fields {
        field(name, *value, reply);
    }
}

/// Writes the type, and the start of a map of `fields`.
fn heading(kind: &str, fields: usize, reply: &mut ReplyBuf) {
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(kind.as_bytes());
    reply.bulk(b"spec");
    reply.map(fields);
}

/// Writes one number under its name.
fn field(name: &str, value: i32, reply: &mut ReplyBuf) {
    reply.bulk(name.as_bytes());
    reply.int(i64::from(value));
}

#[cfg(test)]
mod tests {
    use super::super::tests::reply;
    use super::*;
    use crate::resp::Protocol;

    /// The reply to COMMAND INFO for one name, without the outer array.
    fn info_of(name: &str, protocol: Protocol) -> String {
        let reply = reply(info, protocol, &format!("command info {name}"));
        reply.strip_prefix("*1 ").expect("one name, one answer").to_owned()
    }

    #[test]
    fn replies_are_those_of_redis_byte_for_byte() {
        let fixtures = include_str!("info.fixtures").lines().filter(|line| !line.starts_with('#'));
        for fixture in fixtures {
            let name = fixture.split(' ').nth(2).expect("the name comes third");
            assert_eq!(info_of(name, Protocol::Resp2), fixture);
        }
    }

    #[test]
    fn sets_and_maps_are_such_in_resp3() {
        let strlen = "*10 $6 strlen :2 ~2 +readonly +fast :1 :1 :1 ~3 +@read +@string +@fast ~0 \
            ~1 %3 $5 flags ~1 +RO $12 begin_search %2 $4 type $5 index $4 spec %1 $5 index :1 \
            $9 find_keys %2 $4 type $5 range $4 spec %3 $7 lastkey :0 $7 keystep :1 $5 limit :0 ~0";
        assert_eq!(info_of("STRLEN", Protocol::Resp3), strlen);
    }

    #[test]
    fn unknown_names_are_null() {
        for name in ["nosuch", "client|", "|", "object|nosuch", "object|freq|x", "get|x"] {
            assert_eq!(info_of(name, Protocol::Resp2), "$-1", "{name}");
        }
        assert_eq!(info_of("nosuch", Protocol::Resp3), "_");
    }

    #[test]
    fn containers_show_their_subcommands() {
        let container = info_of("slowlog", Protocol::Resp3);
        let start = "*10 $7 slowlog :-2 ~0 :0 :0 :0 ~1 +@slow ~0 ~0 *4 *10 $11 slowlog|get ";
        assert!(container.starts_with(start), "{container}");
    }

    #[test]
    fn without_names_all_commands_are_shown() {
        let everything = reply(all, Protocol::Resp2, "command");
        assert_eq!(reply(info, Protocol::Resp2, "command info"), everything);
        assert!(everything.starts_with(&format!("*{} *10 ", COMMANDS.len())));
    }
}
