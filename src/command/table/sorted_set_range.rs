//! Commands on ranges of sorted sets: by rank, by score, or by name among members of one score.

use crate::command::spec::argument::{block, double, integer, key, one_of, string, token};
use crate::command::spec::bits::flag::{DENYOOM, FAST, READONLY, WRITE};
use crate::command::spec::bits::key::{ACCESS, DELETE, OW, RO, RW, UPDATE};
use crate::command::spec::{Argument, Categories, CommandSpec, Group, KeySpec};

/// The commands of this file.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("zcount", 4, "2.0.0")
        .summary("Counts the members with scores in a range.")
        .complexity("O(log(N)) for a sorted set of N members")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), double("min"), double("max")]),
    command("zlexcount", 4, "2.8.9")
        .summary("Counts the members with names in a range, where all have one score.")
        .complexity("O(log(N)) for a sorted set of N members")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), string("min"), string("max")]),
    command("zrange", -4, "1.2.0")
        .summary("Fetches the members in a range of ranks, scores or names, in either order.")
        .complexity("O(log(N)+M) for a sorted set of N members and M returned")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[
            key("key", 0),
            string("start"),
            string("stop"),
            ORDER.since("6.2.0"),
            token("rev", "REV").optional().since("6.2.0"),
            LIMIT.since("6.2.0"),
            WITH_SCORES,
        ])
        .history(&[("6.2.0", "`REV`, `BYSCORE`, `BYLEX` and `LIMIT`.")]),
    command("zrevrange", -4, "1.2.0")
        .summary("Fetches the members in a range of ranks, from the highest score down.")
        .complexity("O(log(N)+M) for a sorted set of N members and M returned")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), integer("start"), integer("stop"), WITH_SCORES])
        .deprecated("6.2.0", "`ZRANGE` with `REV`"),
    command("zrangebyscore", -4, "1.0.5")
        .summary("Fetches the members with scores in a range.")
        .complexity("O(log(N)+M) for a sorted set of N members and M returned")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), double("min"), double("max"), WITH_SCORES.since("2.0.0"), LIMIT])
        .history(&[("2.0.0", "`WITHSCORES`.")])
        .deprecated("6.2.0", "`ZRANGE` with `BYSCORE`"),
    command("zrevrangebyscore", -4, "2.2.0")
        .summary("Fetches the members with scores in a range, from the highest down.")
        .complexity("O(log(N)+M) for a sorted set of N members and M returned")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), double("max"), double("min"), WITH_SCORES, LIMIT])
        .history(&[("2.1.6", "Ends that do not belong to the range.")])
        .deprecated("6.2.0", "`ZRANGE` with `REV` and `BYSCORE`"),
    command("zrangebylex", -4, "2.8.9")
        .summary("Fetches the members with names in a range, where all have one score.")
        .complexity("O(log(N)+M) for a sorted set of N members and M returned")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), string("min"), string("max"), LIMIT])
        .deprecated("6.2.0", "`ZRANGE` with `BYLEX`"),
    command("zrevrangebylex", -4, "2.8.9")
        .summary("Fetches the members with names in a range, last to first, where all have one score.")
        .complexity("O(log(N)+M) for a sorted set of N members and M returned")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), string("max"), string("min"), LIMIT])
        .deprecated("6.2.0", "`ZRANGE` with `REV` and `BYLEX`"),
    command("zrangestore", -5, "6.2.0")
        .summary("Stores the members in a range of ranks, scores or names as a sorted set.")
        .complexity("O(log(N)+M) for a sorted set of N members and M stored")
        .flags(&[WRITE, DENYOOM])
        .keys(&[KeySpec::at(1, &[OW, UPDATE]), KeySpec::at(2, &[RO, ACCESS])])
        .arguments(&[
            key("dst", 0),
            key("src", 1),
            string("min"),
            string("max"),
            ORDER,
            token("rev", "REV").optional(),
            LIMIT,
        ]),
    command("zremrangebyrank", 4, "2.0.0")
        .summary("Deletes the members in a range of ranks.")
        .complexity("O(log(N)+M) for a sorted set of N members and M deleted")
        .flags(&[WRITE])
        .keys(&[KeySpec::at(1, &[RW, DELETE])])
        .arguments(&[key("key", 0), integer("start"), integer("stop")]),
    command("zremrangebyscore", 4, "1.2.0")
        .summary("Deletes the members with scores in a range.")
        .complexity("O(log(N)+M) for a sorted set of N members and M deleted")
        .flags(&[WRITE])
        .keys(&[KeySpec::at(1, &[RW, DELETE])])
        .arguments(&[key("key", 0), double("min"), double("max")]),
    command("zremrangebylex", 4, "2.8.9")
        .summary("Deletes the members with names in a range, where all have one score.")
        .complexity("O(log(N)+M) for a sorted set of N members and M deleted")
        .flags(&[WRITE])
        .keys(&[KeySpec::at(1, &[RW, DELETE])])
        .arguments(&[key("key", 0), string("min"), string("max")]),
];

/// Which of the members in the range to take.
const LIMIT: Argument = block("limit", &[integer("offset"), integer("count")]).after("LIMIT").optional();

/// Whether to answer the scores too.
const WITH_SCORES: Argument = token("withscores", "WITHSCORES").optional();

/// What the ends of the range are, if not ranks.
const ORDER: Argument = one_of("sortby", &[token("byscore", "BYSCORE"), token("bylex", "BYLEX")]).optional();

/// A command of this group, in its category.
const fn command(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::SortedSet, since).categories(&[Categories::SORTEDSET])
}
