//! Commands of replication.

use crate::command::spec::argument::{block, integer, one_of, string, token};
use crate::command::spec::bits::flag::{
    ADMIN, BLOCKING, FAST, LOADING, NO_ASYNC_LOADING, NO_MULTI, NOSCRIPT, STALE,
};
use crate::command::spec::{Argument, Categories, CommandSpec, Group};

const HOST: Argument = string("host");
const PORT: Argument = integer("port");
const NOBODY: Argument = block("no-one", &[token("no", "NO"), token("one", "ONE")]);

/// The commands of this file.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("role", 1, "2.8.12")
        .summary("Answers this server's part in replication, and its state.")
        .complexity("O(1)")
        .flags(&[NOSCRIPT, LOADING, STALE, FAST])
        .categories(&[Categories::ADMIN, Categories::DANGEROUS]),
    command("replicaof", -3, "5.0.0")
        .summary(
            "Follows another server from now on, or none; with HISTORY, what is here may be replaced by a primary of that \
             history that has nothing in common with it.",
        )
        .complexity("O(1); the data comes in the background")
        .flags(&[ADMIN, NOSCRIPT, STALE, NO_ASYNC_LOADING])
        .arguments(&[one_of(
            "args",
            &[block("host-port", &[HOST, PORT, string("history").after("HISTORY").optional()]), NOBODY],
        )]),
    command("slaveof", 3, "1.0.0")
        .summary("Follows another server from now on, or none.")
        .complexity("O(1); the data comes in the background")
        .flags(&[ADMIN, NOSCRIPT, STALE, NO_ASYNC_LOADING])
        .arguments(&[one_of("args", &[block("host-port", &[HOST, PORT]), NOBODY])])
        .deprecated("5.0.0", "`REPLICAOF`"),
    command("failover", -1, "6.2.0")
        .summary("Hands the role of the primary over to a replica, without losing a write.")
        .complexity("O(1); it goes on in the background")
        .flags(&[ADMIN, NOSCRIPT, STALE])
        .arguments(&[
            block("target", &[string("host"), integer("port"), token("force", "FORCE").optional()])
                .after("TO")
                .optional(),
            token("abort", "ABORT").optional(),
            integer("milliseconds").after("TIMEOUT").optional(),
        ]),
    generic("wait", 3, "3.0.0")
        .summary("Waits until so many replicas have applied what this connection wrote last; answers how many have.")
        .complexity("O(N) for N replicas")
        .flags(&[BLOCKING])
        .categories(&[Categories::CONNECTION])
        .arguments(&[integer("numreplicas"), integer("timeout")])
        .tips(&["request_policy:all_shards", "response_policy:agg_min"]),
    generic("waitaof", 4, "7.2.0")
        .summary("Waits until what this connection wrote last is on stable storage, here and on so many replicas.")
        .complexity("O(N) for N replicas")
        .flags(&[BLOCKING, NOSCRIPT])
        .categories(&[Categories::CONNECTION])
        .arguments(&[integer("numlocal"), integer("numreplicas"), integer("timeout")])
        .tips(&["request_policy:all_shards", "response_policy:agg_min"]),
    command("lsn", 1, "1.0.0")
        .summary(
            "Answers the token of this connection's last write, history:position, for WAITLSN on a replica; where it has \
             written nothing, the token of all that this server shows now.",
        )
        .complexity("O(1)")
        .flags(&[NOSCRIPT, STALE, FAST])
        .categories(&[Categories::CONNECTION]),
    command("waitlsn", 3, "1.0.0")
        .summary(
            "Waits until this server has applied a token's position; answers 1, or 0 when the time is up, and an error to \
             a token of a history that it does not have.",
        )
        .complexity("O(1)")
        .flags(&[BLOCKING, NOSCRIPT, STALE])
        .categories(&[Categories::CONNECTION])
        .arguments(&[string("token"), integer("timeout")]),
    command("follow", 5, "1.0.0")
        .summary("Makes the connection one that feeds a replica; for servers of this kind.")
        .complexity("O(1)")
        .flags(&[ADMIN, NOSCRIPT, NO_ASYNC_LOADING, NO_MULTI, STALE])
        .system()
        .arguments(&[integer("version"), integer("port"), string("ip"), string("server")]),
    command("replconf", -1, "3.0.0")
        .summary("Refuses what a replica of Redis says of itself: this server feeds its own kind.")
        .complexity("O(1)")
        .flags(&[ADMIN, NOSCRIPT, LOADING, STALE])
        .system(),
    command("psync", -3, "2.8.0")
        .summary("Refuses a replica of Redis: this server feeds its own kind.")
        .complexity("O(1)")
        .flags(&[ADMIN, NOSCRIPT, NO_ASYNC_LOADING, NO_MULTI])
        .system(),
    command("sync", 1, "1.0.0")
        .summary("Refuses a replica of Redis: this server feeds its own kind.")
        .complexity("O(1)")
        .flags(&[ADMIN, NOSCRIPT, NO_ASYNC_LOADING, NO_MULTI])
        .system(),
];

/// A command of this group.
const fn command(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Server, since)
}

/// A command that Redis counts among those on keys.
const fn generic(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Generic, since)
}
