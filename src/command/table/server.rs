//! Commands on the server as a whole: its data, its life, its state.

use crate::command::spec::argument::{integer, one_of, string, token};
use crate::command::spec::bits::flag::{
    ADMIN, ALLOW_BUSY, FAST, LOADING, NO_ASYNC_LOADING, NO_MULTI, NOSCRIPT, PROTECTED, READONLY, STALE, WRITE,
};
use crate::command::spec::{Categories, CommandSpec, Group};

/// The commands of this file.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("info", -1, "1.0.0")
        .summary("Reports on the server: state, counters and sizes, section by section.")
        .complexity("O(1)")
        .flags(&[LOADING, STALE])
        .categories(&[Categories::DANGEROUS])
        .arguments(&[string("section").optional().multiple()])
        .history(&[("7.0.0", "Several sections at once.")])
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
    command("time", 1, "2.6.0")
        .summary("Answers the server's clock as seconds and microseconds.")
        .complexity("O(1)")
        .flags(&[LOADING, STALE, FAST])
        .tips(&["nondeterministic_output"]),
    command("monitor", 1, "1.0.0")
        .summary("Shows, one line each, the commands that all clients call from now on.")
        .complexity("O(1); each command of each client costs a little more meanwhile")
        .flags(&[ADMIN, NOSCRIPT, LOADING, STALE]),
    command("debug", -2, "1.0.0")
        .summary("Groups tools for testing and debugging the server.")
        .complexity("Depends on the subcommand")
        .flags(&[ADMIN, NOSCRIPT, LOADING, STALE, PROTECTED])
        .system(),
    command("shutdown", -1, "1.0.0")
        .summary("Stops the server, saving first where that is set or asked for.")
        .complexity("O(N) for N keys when it saves, else O(1)")
        .flags(&[ADMIN, NOSCRIPT, LOADING, STALE, NO_MULTI, ALLOW_BUSY])
        .arguments(&[
            one_of("save-selector", &[token("nosave", "NOSAVE"), token("save", "SAVE")]).optional(),
            token("now", "NOW").optional().since("7.0.0"),
            token("force", "FORCE").optional().since("7.0.0"),
            token("abort", "ABORT").optional().since("7.0.0"),
        ])
        .history(&[("7.0.0", "`NOW`, `FORCE` and `ABORT`.")]),
    command("flushdb", -1, "1.0.0")
        .summary("Removes all keys of the current database.")
        .complexity("O(1); the memory comes back in the background")
        .flags(&[WRITE])
        .categories(&[Categories::KEYSPACE, Categories::DANGEROUS])
        .arguments(&[one_of(
            "flush-type",
            &[token("async", "ASYNC").since("4.0.0"), token("sync", "SYNC").since("6.2.0")],
        )
        .optional()])
        .history(&[("4.0.0", "`ASYNC`."), ("6.2.0", "`SYNC`.")])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    command("flushall", -1, "1.0.0")
        .summary("Removes all keys of all databases.")
        .complexity("O(1); the memory comes back in the background")
        .flags(&[WRITE])
        .categories(&[Categories::KEYSPACE, Categories::DANGEROUS])
        .arguments(&[one_of(
            "flush-type",
            &[token("async", "ASYNC").since("4.0.0"), token("sync", "SYNC").since("6.2.0")],
        )
        .optional()])
        .history(&[("4.0.0", "`ASYNC`."), ("6.2.0", "`SYNC`.")])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    command("swapdb", 3, "4.0.0")
        .summary("Swaps the contents of two databases.")
        .complexity("O(N) for N clients that watch or wait for keys of either database")
        .flags(&[WRITE, FAST])
        .categories(&[Categories::KEYSPACE, Categories::DANGEROUS])
        .arguments(&[integer("index1"), integer("index2")]),
    command("save", 1, "1.0.0")
        .summary("Writes a snapshot and answers when it is done.")
        .complexity("O(N) for N keys")
        .flags(&[ADMIN, NOSCRIPT, NO_ASYNC_LOADING, NO_MULTI]),
    command("bgsave", -1, "1.0.0")
        .summary("Starts writing a snapshot in the background.")
        .complexity("O(1)")
        .flags(&[ADMIN, NOSCRIPT, NO_ASYNC_LOADING])
        .arguments(&[token("schedule", "SCHEDULE").optional().since("3.2.2")])
        .history(&[("3.2.2", "`SCHEDULE`.")]),
    command("bgrewriteaof", 1, "1.0.0")
        .summary("Starts compacting the log in the background.")
        .complexity("O(1)")
        .flags(&[ADMIN, NOSCRIPT, NO_ASYNC_LOADING]),
    command("lastsave", 1, "1.0.0")
        .summary("Answers when the last snapshot was finished, as a Unix time.")
        .complexity("O(1)")
        .flags(&[LOADING, STALE, FAST])
        .categories(&[Categories::ADMIN, Categories::DANGEROUS])
        .tips(&["nondeterministic_output"]),
    command("dbsize", 1, "1.0.0")
        .summary("Answers how many keys the database has.")
        .complexity("O(1)")
        .flags(&[READONLY, FAST])
        .categories(&[Categories::KEYSPACE])
        .tips(&["request_policy:all_shards", "response_policy:agg_sum"]),
    command("lolwut", -1, "5.0.0")
        .summary("Draws something and tells the version.")
        .flags(&[READONLY, FAST])
        .arguments(&[integer("version").after("VERSION").optional()]),
];

/// A command of this group.
const fn command(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Server, since)
}
