//! Commands on scripts and functions: so far those by which tools tidy up before they start.

use crate::command::spec::argument::{one_of, string, token};
use crate::command::spec::bits::flag::{ALLOW_BUSY, LOADING, NOSCRIPT, STALE, WRITE};
use crate::command::spec::{Categories, CommandSpec, Group};

/// The commands of this file.
pub(super) const COMMANDS: &[CommandSpec] = &[CommandSpec::new("function", -2, Group::Scripting, "7.0.0")
    .summary("Groups the commands about stored functions.")
    .complexity("Depends on the subcommand")
    .subcommands(FUNCTION)];

/// What FUNCTION groups.
const FUNCTION: &[CommandSpec] = &[
    command("function|flush", -2, "7.0.0")
        .summary("Deletes all function libraries.")
        .complexity("O(N) for N functions")
        .flags(&[WRITE, NOSCRIPT])
        .arguments(&[one_of("flush-type", &[token("async", "ASYNC"), token("sync", "SYNC")]).optional()])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    command("function|list", -2, "7.0.0")
        .summary("Lists the function libraries.")
        .complexity("O(N) for N functions")
        .flags(&[NOSCRIPT])
        .arguments(&[
            string("library-name-pattern").after("LIBRARYNAME").optional(),
            token("withcode", "WITHCODE").optional(),
        ])
        .tips(&["nondeterministic_output_order"]),
    command("function|stats", 2, "7.0.0")
        .summary("Answers which function runs now and which engines there are.")
        .complexity("O(1)")
        .flags(&[NOSCRIPT, ALLOW_BUSY])
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
    help("function|help", "7.0.0"),
];

/// A command of this group, in its category.
const fn command(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Scripting, since).categories(&[Categories::SCRIPTING])
}

/// The subcommand that lists the others of its container.
const fn help(name: &'static str, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, 2, Group::Scripting, since)
        .categories(&[Categories::SCRIPTING])
        .summary("Lists the subcommands.")
        .complexity("O(1)")
        .flags(&[LOADING, STALE])
}
