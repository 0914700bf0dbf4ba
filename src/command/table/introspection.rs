//! Commands that look into the server and set it: its commands, settings, memory, modules and slow log.

use crate::command::spec::argument::{block, integer, key, one_of, pattern, string};
use crate::command::spec::bits::flag::{ADMIN, LOADING, NOSCRIPT, READONLY, STALE};
use crate::command::spec::bits::key::RO;
use crate::command::spec::{Categories, CommandSpec, Group, KeySpec};

/// The commands of this file: containers.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("command", -1, "2.8.13")
        .summary("Describes every command; groups the commands about commands.")
        .complexity("O(N) for N commands")
        .flags(&[LOADING, STALE])
        .categories(&[Categories::CONNECTION])
        .tips(&["nondeterministic_output_order"])
        .subcommands(COMMAND),
    command("config", -2, "2.0.0")
        .summary("Groups the commands about settings.")
        .complexity("Depends on the subcommand")
        .subcommands(CONFIG),
    command("memory", -2, "4.0.0")
        .summary("Groups the commands about memory.")
        .complexity("Depends on the subcommand")
        .subcommands(MEMORY),
    command("module", -2, "4.0.0")
        .summary("Groups the commands about modules.")
        .complexity("Depends on the subcommand")
        .subcommands(MODULE),
    command("slowlog", -2, "2.2.12")
        .summary("Groups the commands about the slow log.")
        .complexity("Depends on the subcommand")
        .subcommands(SLOWLOG),
];

/// What COMMAND groups.
const COMMAND: &[CommandSpec] = &[
    command("command|count", 2, "2.8.13")
        .summary("Answers how many commands there are.")
        .complexity("O(1)")
        .flags(&[LOADING, STALE])
        .categories(&[Categories::CONNECTION]),
    command("command|info", -2, "2.8.13")
        .summary("Describes the named commands, or all of them, for programs.")
        .complexity("O(N) for N names")
        .flags(&[LOADING, STALE])
        .categories(&[Categories::CONNECTION])
        .arguments(&[string("command-name").optional().multiple()])
        .history(&[("7.0.0", "Without names: all commands.")])
        .tips(&["nondeterministic_output_order"]),
    command("command|docs", -2, "7.0.0")
        .summary("Describes the named commands, or all of them, for people.")
        .complexity("O(N) for N names")
        .flags(&[LOADING, STALE])
        .categories(&[Categories::CONNECTION])
        .arguments(&[string("command-name").optional().multiple()])
        .tips(&["nondeterministic_output_order"]),
    command("command|list", -2, "7.0.0")
        .summary("Lists command names, filtered if asked.")
        .complexity("O(N) for N commands")
        .flags(&[LOADING, STALE])
        .categories(&[Categories::CONNECTION])
        .arguments(&[one_of(
            "filterby",
            &[
                string("module-name").after("MODULE"),
                string("category").after("ACLCAT"),
                pattern("pattern").after("PATTERN"),
            ],
        )
        .after("FILTERBY")
        .optional()])
        .tips(&["nondeterministic_output_order"]),
    command("command|getkeys", -3, "2.8.13")
        .summary("Picks the key names out of a full command.")
        .complexity("O(N) for N arguments")
        .flags(&[LOADING, STALE])
        .categories(&[Categories::CONNECTION])
        .arguments(&[string("command"), string("arg").optional().multiple()]),
    command("command|getkeysandflags", -3, "7.0.0")
        .summary("Picks the key names out of a full command, with how each is used.")
        .complexity("O(N) for N arguments")
        .flags(&[LOADING, STALE])
        .categories(&[Categories::CONNECTION])
        .arguments(&[string("command"), string("arg").optional().multiple()]),
    help("command|help", "5.0.0").categories(&[Categories::CONNECTION]),
];

/// What CONFIG groups.
const CONFIG: &[CommandSpec] = &[
    command("config|get", -3, "2.0.0")
        .summary("Answers the settings whose names match the patterns.")
        .complexity("O(N) for N patterns")
        .flags(&[ADMIN, NOSCRIPT, LOADING, STALE])
        .arguments(&[string("parameter").multiple()])
        .history(&[("7.0.0", "Several patterns at once.")]),
    command("config|set", -4, "2.0.0")
        .summary("Changes settings while the server runs: all of them or none.")
        .complexity("O(N) for N settings")
        .flags(&[ADMIN, NOSCRIPT, LOADING, STALE])
        .arguments(&[block("data", &[string("parameter"), string("value")]).multiple()])
        .history(&[("7.0.0", "Several settings at once.")])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    command("config|rewrite", 2, "2.8.0")
        .summary("Writes the settings in force to the configuration file.")
        .complexity("O(1)")
        .flags(&[ADMIN, NOSCRIPT, LOADING, STALE])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    command("config|resetstat", 2, "2.0.0")
        .summary("Sets the counters shown by INFO back to zero.")
        .complexity("O(1)")
        .flags(&[ADMIN, NOSCRIPT, LOADING, STALE])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    help("config|help", "5.0.0"),
];

/// What MEMORY groups.
const MEMORY: &[CommandSpec] = &[
    command("memory|usage", -3, "4.0.0")
        .summary("Estimates how many bytes a key and its value take.")
        .complexity("O(N) for N samples")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(2, &[RO])])
        .arguments(&[key("key", 0), integer("count").after("SAMPLES").optional()]),
    command("memory|doctor", 2, "4.0.0")
        .summary("Looks for problems in how memory is used and reports them.")
        .complexity("O(1)")
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
    command("memory|stats", 2, "4.0.0")
        .summary("Breaks down where memory goes: data, buffers, clients, overhead.")
        .complexity("O(1)")
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
    command("memory|malloc-stats", 2, "4.0.0")
        .summary("Answers the allocator's own report.")
        .complexity("Grows with the memory in use; may be slow")
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
    command("memory|purge", 2, "4.0.0")
        .summary("Asks the allocator to give unused memory back to the system.")
        .complexity("Grows with the memory in use; may be slow")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    help("memory|help", "4.0.0"),
];

/// What MODULE groups.
const MODULE: &[CommandSpec] = &[
    command("module|list", 2, "4.0.0")
        .summary("Lists the modules that are loaded.")
        .complexity("O(N) for N modules")
        .flags(&[ADMIN, NOSCRIPT])
        .tips(&["nondeterministic_output_order"]),
    help("module|help", "5.0.0"),
];

/// What SLOWLOG groups.
const SLOWLOG: &[CommandSpec] = &[
    command("slowlog|get", -2, "2.2.12")
        .summary("Answers the latest entries of the slow log.")
        .complexity("O(N) for N entries returned")
        .flags(&[ADMIN, LOADING, STALE])
        .arguments(&[integer("count").optional()])
        .history(&[("4.0.0", "Address and name of the client.")])
        .tips(&["request_policy:all_nodes", "nondeterministic_output"]),
    command("slowlog|len", 2, "2.2.12")
        .summary("Answers how many entries the slow log has.")
        .complexity("O(1)")
        .flags(&[ADMIN, LOADING, STALE])
        .tips(&["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"]),
    command("slowlog|reset", 2, "2.2.12")
        .summary("Empties the slow log.")
        .complexity("O(N) for N entries")
        .flags(&[ADMIN, LOADING, STALE])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    help("slowlog|help", "6.2.0"),
];

/// A command of this group.
const fn command(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Server, since)
}

/// The subcommand that lists the others of its container.
const fn help(name: &'static str, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, 2, Group::Server, since)
        .summary("Lists the subcommands.")
        .complexity("O(1)")
        .flags(&[LOADING, STALE])
}
