//! COMMAND DOCS: commands as people read about them.

use super::info::statuses;
use super::named;
use crate::command::spec::{Argument, CommandSpec};
use crate::command::table::COMMANDS;
use crate::resp::{Args, ReplyBuf};

/// `COMMAND DOCS [name ...]`
pub fn docs(arguments: Args<'_>, reply: &mut ReplyBuf) {
    let names = arguments.from(2);
    if names.is_empty() {
        return entries(COMMANDS.iter().collect(), reply);
    }
    entries(named(names).flatten().collect(), reply);
}

/// Writes a map from full names to documentation.
fn entries(specs: Vec<&CommandSpec>, reply: &mut ReplyBuf) {
    reply.map(specs.len());
    for spec in specs {
        reply.bulk(spec.full_name.as_bytes());
        describe(spec, reply);
    }
}

/// Writes what there is to read about one command.
fn describe(spec: &CommandSpec, reply: &mut ReplyBuf) {
    reply.map(fields(spec));
    text("summary", spec.summary, reply);
    text("since", spec.since, reply);
    text("group", spec.group.name(), reply);
    optional("complexity", spec.complexity, reply);
    doc_flags(spec, reply);
    optional("deprecated_since", spec.deprecated.map(|deprecation| deprecation.since), reply);
    optional("replaced_by", spec.deprecated.map(|deprecation| deprecation.replaced_by), reply);
    history(spec, reply);
    if !spec.arguments.is_empty() {
        reply.bulk(b"arguments");
        arguments(spec.arguments, reply);
    }
    if spec.is_container() {
        reply.bulk(b"subcommands");
        entries(spec.subcommands.iter().collect(), reply);
    }
}

/// How many fields [`describe`] writes.
fn fields(spec: &CommandSpec) -> usize {
    let optional = [
        spec.complexity.is_some(),
        spec.system || spec.deprecated.is_some(),
        spec.deprecated.is_some(),
        spec.deprecated.is_some(),
        !spec.history.is_empty(),
        !spec.arguments.is_empty(),
        spec.is_container(),
    ];
    3 + optional.into_iter().filter(|stands| *stands).count()
}

/// Writes what kind of command to be wary of this is.
fn doc_flags(spec: &CommandSpec, reply: &mut ReplyBuf) {
    let deprecated = spec.deprecated.map(|_| "deprecated");
    let system = spec.system.then_some("syscmd");
    if deprecated.or(system).is_some() {
        reply.bulk(b"doc_flags");
        statuses(deprecated.into_iter().chain(system), reply);
    }
}

/// Writes what changed in which version.
fn history(spec: &CommandSpec, reply: &mut ReplyBuf) {
    if spec.history.is_empty() {
        return;
    }
    reply.bulk(b"history");
    reply.set(spec.history.len());
    for (version, change) in spec.history {
        reply.array(2);
        reply.bulk(version.as_bytes());
        reply.bulk(change.as_bytes());
    }
}

/// Writes a list of arguments.
fn arguments(list: &[Argument], reply: &mut ReplyBuf) {
    reply.array(list.len());
    for one in list {
        argument(one, reply);
    }
}

/// Writes one argument, with those that it is made of.
fn argument(argument: &Argument, reply: &mut ReplyBuf) {
    reply.map(argument_fields(argument));
    text("name", argument.name, reply);
    text("type", argument.kind.name(), reply);
    if !argument.kind.is_nested() {
        text("display_text", argument.shown_name(), reply);
    }
    if let Some(index) = argument.key_spec_index {
        reply.bulk(b"key_spec_index");
        reply.int(i64::from(index));
    }
    optional("token", argument.token, reply);
    optional("since", argument.since, reply);
    optional("deprecated_since", argument.deprecated_since, reply);
    if !argument.flags.is_empty() {
        reply.bulk(b"flags");
        statuses(argument.flags.names(), reply);
    }
    if argument.kind.is_nested() {
        reply.bulk(b"arguments");
        arguments(argument.arguments, reply);
    }
}

/// How many fields [`argument`] writes: name, type, and either the text shown or the arguments inside, always.
fn argument_fields(argument: &Argument) -> usize {
    let optional = [
        argument.key_spec_index.is_some(),
        argument.token.is_some(),
        argument.since.is_some(),
        argument.deprecated_since.is_some(),
        !argument.flags.is_empty(),
    ];
    3 + optional.into_iter().filter(|stands| *stands).count()
}

/// Writes a text under its name.
fn text(name: &str, value: &str, reply: &mut ReplyBuf) {
    reply.bulk(name.as_bytes());
    reply.bulk(value.as_bytes());
}

/// Writes a text under its name, if there is one.
fn optional(name: &str, value: Option<&str>, reply: &mut ReplyBuf) {
    if let Some(value) = value {
        text(name, value, reply);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::reply;
    use super::*;
    use crate::resp::Protocol;

    #[test]
    fn arguments_are_described_down_to_the_innermost() {
        let pause = reply(docs, Protocol::Resp3, "command docs nosuch CLIENT|PAUSE");
        let expected = "%1 $12 client|pause %6 \
            $7 summary $71 Holds back the commands, or only the writes, of all clients for a time. \
            $5 since $5 3.0.0 $5 group $10 connection $10 complexity $4 O(1) \
            $7 history ~1 *2 $5 6.2.0 $18 `WRITE` and `ALL`. \
            $9 arguments *2 %3 $4 name $7 timeout $4 type $7 integer $12 display_text $7 timeout \
            %5 $4 name $4 mode $4 type $5 oneof $5 since $5 6.2.0 $5 flags ~1 +optional $9 arguments *2 \
            %4 $4 name $5 write $4 type $10 pure-token $12 display_text $5 write $5 token $5 WRITE \
            %4 $4 name $3 all $4 type $10 pure-token $12 display_text $3 all $5 token $3 ALL";
        assert_eq!(pause, expected);
    }

    #[test]
    fn deprecation_and_system_use_are_told() {
        let getset = reply(docs, Protocol::Resp3, "command docs getset");
        let deprecation = " $9 doc_flags ~1 +deprecated $16 deprecated_since $5 6.2.0 $11 replaced_by $16 `SET` with `GET` ";
        assert!(getset.contains(deprecation), "{getset}");
        let debug = reply(docs, Protocol::Resp3, "command docs debug");
        assert!(
            debug.starts_with("%1 $5 debug %5 ") && debug.ends_with(" $9 doc_flags ~1 +syscmd"),
            "{debug}"
        );
    }

    #[test]
    fn every_map_has_as_many_fields_as_it_says() {
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let everything = reply(docs, protocol, "command docs");
            let mut words = Words(&everything);
            words.skip_value();
            assert_eq!(words.0, "", "something stands behind the reply");
        }
    }

    /// What is left of a reply with blanks for line ends.
    struct Words<'a>(&'a str);

    impl Words<'_> {
        /// Takes one value off the front.
        fn skip_value(&mut self) {
            let (head, rest) = self.0.split_once(' ').unwrap_or((self.0, ""));
            self.0 = rest;
            let (kind, length) = head.split_at(1);
            let inside = match (kind, length.parse::<usize>()) {
                ("$", Ok(length)) => {
                    self.0 = rest.get(length..).expect("a whole string").trim_start();
                    0
                }
                ("*" | "~", Ok(length)) => length,
                ("%", Ok(length)) => 2 * length,
                (":" | "+", _) => 0,
                _ => panic!("no value: {head}"),
            };
            (0..inside).for_each(|_| self.skip_value());
        }
    }
}
