//! Commands on keys of any type, but for their expiry.

use crate::command::spec::argument::{integer, key, pattern, string, token};
use crate::command::spec::bits::flag::{
    DENYOOM, FAST, LOADING, READONLY, STALE, TOUCHES_ARBITRARY_KEYS, WRITE,
};
use crate::command::spec::bits::key::{ACCESS, DELETE, INSERT, OW, RM, RO, RW, UPDATE};
use crate::command::spec::{Categories, CommandSpec, Group, KeySpec};

/// The commands of this file.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("del", -2, "1.0.0")
        .summary("Deletes keys.")
        .complexity("O(N) for N keys, whatever their sizes")
        .flags(&[WRITE])
        .keys(&[KeySpec::range(1, -1, 1, &[RM, DELETE])])
        .arguments(&[key("key", 0).multiple()])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"]),
    command("unlink", -2, "4.0.0")
        .summary("Deletes keys and gives their memory back in the background.")
        .complexity("O(N) for N keys, whatever their sizes")
        .flags(&[WRITE, FAST])
        .keys(&[KeySpec::range(1, -1, 1, &[RM, DELETE])])
        .arguments(&[key("key", 0).multiple()])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"]),
    command("exists", -2, "1.0.0")
        .summary("Counts how many of the named keys exist.")
        .complexity("O(N) for N keys")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::range(1, -1, 1, &[RO])])
        .arguments(&[key("key", 0).multiple()])
        .history(&[("3.0.3", "More than one key.")])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"]),
    command("type", 2, "1.0.0")
        .summary("Tells what kind of value a key holds.")
        .complexity("O(1)")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO])])
        .arguments(&[key("key", 0)]),
    command("touch", -2, "3.2.1")
        .summary("Marks keys as just used and counts those that exist.")
        .complexity("O(N) for N keys")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::range(1, -1, 1, &[RO])])
        .arguments(&[key("key", 0).multiple()])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"]),
    command("keys", 2, "1.0.0")
        .summary("Lists every key that matches a glob pattern.")
        .complexity("O(N) for N keys that share the pattern's literal prefix")
        .flags(&[READONLY])
        .categories(&[Categories::DANGEROUS])
        .arguments(&[pattern("pattern")])
        .tips(&["request_policy:all_shards", "nondeterministic_output_order"]),
    command("scan", -2, "2.8.0")
        .summary("Walks the keys of the database in steps, driven by a cursor.")
        .complexity("O(1) per call; O(N) for a whole walk over N keys")
        .flags(&[READONLY, TOUCHES_ARBITRARY_KEYS])
        .arguments(&[
            integer("cursor"),
            pattern("pattern").after("MATCH").optional(),
            integer("count").after("COUNT").optional(),
            string("type").after("TYPE").optional().since("6.0.0"),
        ])
        .history(&[("6.0.0", "`TYPE`.")])
        .tips(&["nondeterministic_output", "request_policy:special", "response_policy:special"]),
    command("randomkey", 1, "1.0.0")
        .summary("Picks a key at random.")
        .complexity("O(1)")
        .flags(&[READONLY, TOUCHES_ARBITRARY_KEYS])
        .tips(&["request_policy:all_shards", "response_policy:special", "nondeterministic_output"]),
    command("rename", 3, "1.0.0")
        .summary("Gives a key a new name, replacing what had it.")
        .complexity("O(1)")
        .flags(&[WRITE])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, DELETE]), KeySpec::at(2, &[OW, UPDATE])])
        .arguments(&[key("key", 0), key("newkey", 1)]),
    command("renamenx", 3, "1.0.0")
        .summary("Gives a key a new name that is not taken yet.")
        .complexity("O(1)")
        .flags(&[WRITE, FAST])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, DELETE]), KeySpec::at(2, &[OW, INSERT])])
        .arguments(&[key("key", 0), key("newkey", 1)])
        .history(&[("3.2.0", "Equal names are no error any more.")]),
    command("copy", -3, "6.2.0")
        .summary("Copies the value of one key to another, in this database or a different one.")
        .complexity("O(N) for a value of N elements; O(1) for strings")
        .flags(&[WRITE, DENYOOM])
        .keys(&[KeySpec::at(1, &[RO, ACCESS]), KeySpec::at(2, &[OW, UPDATE])])
        .arguments(&[
            key("source", 0),
            key("destination", 1),
            integer("destination-db").after("DB").optional(),
            token("replace", "REPLACE").optional(),
        ]),
    command("move", 3, "1.0.0")
        .summary("Moves a key to another database.")
        .complexity("O(1)")
        .flags(&[WRITE, FAST])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, UPDATE])])
        .arguments(&[key("key", 0), integer("db")]),
    CommandSpec::new("object", -2, Group::Generic, "2.2.3")
        .summary("Groups the commands that look inside stored values.")
        .complexity("Depends on the subcommand")
        .subcommands(OBJECT),
];

/// What OBJECT groups.
const OBJECT: &[CommandSpec] = &[
    command("object|encoding", 3, "2.2.3")
        .summary("Names the representation in which a value is kept.")
        .complexity("O(1)")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(2, &[RO])])
        .arguments(&[key("key", 0)])
        .tips(&["nondeterministic_output"]),
    command("object|freq", 3, "4.0.0")
        .summary("Answers how often a key is used, as a logarithmic counter.")
        .complexity("O(1)")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(2, &[RO])])
        .arguments(&[key("key", 0)])
        .tips(&["nondeterministic_output"]),
    command("object|idletime", 3, "2.2.3")
        .summary("Answers how many seconds ago a key was last used.")
        .complexity("O(1)")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(2, &[RO])])
        .arguments(&[key("key", 0)])
        .tips(&["nondeterministic_output"]),
    command("object|refcount", 3, "2.2.3")
        .summary("Answers how many references a value has.")
        .complexity("O(1)")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(2, &[RO])])
        .arguments(&[key("key", 0)])
        .tips(&["nondeterministic_output"]),
    help("object|help", "6.2.0"),
];

/// A command of this group, in its category.
const fn command(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Generic, since).categories(&[Categories::KEYSPACE])
}

/// The subcommand that lists the others of its container.
const fn help(name: &'static str, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, 2, Group::Generic, since)
        .categories(&[Categories::KEYSPACE])
        .summary("Lists the subcommands.")
        .complexity("O(1)")
        .flags(&[LOADING, STALE])
}
