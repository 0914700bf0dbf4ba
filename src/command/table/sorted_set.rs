//! Commands on the members of sorted sets and their scores.

use crate::command::spec::argument::{block, double, integer, key, one_of, pattern, string, token};
use crate::command::spec::bits::flag::{BLOCKING, DENYOOM, FAST, READONLY, WRITE};
use crate::command::spec::bits::key::{ACCESS, DELETE, RO, RW, UPDATE};
use crate::command::spec::{Argument, Categories, CommandSpec, Group, KeySpec};

/// The commands of this file.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("zadd", -4, "1.2.0")
        .summary("Gives members their scores, on conditions if any are given, adding them if need be.")
        .complexity("O(M*log(N)) for a sorted set of N members and M named")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, UPDATE])])
        .arguments(&[
            key("key", 0),
            one_of("condition", &[token("nx", "NX"), token("xx", "XX")]).optional().since("3.0.2"),
            one_of("comparison", &[token("gt", "GT"), token("lt", "LT")]).optional().since("6.2.0"),
            token("change", "CH").optional().since("3.0.2"),
            token("increment", "INCR").optional().since("3.0.2"),
            block("data", &[double("score"), string("member")]).multiple(),
        ])
        .history(&[
            ("2.4.0", "More than one member."),
            ("3.0.2", "`NX`, `XX`, `CH` and `INCR`."),
            ("6.2.0", "`GT` and `LT`."),
        ]),
    command("zincrby", 4, "1.2.0")
        .summary("Adds an amount to the score of a member; a missing member counts as 0.")
        .complexity("O(log(N)) for a sorted set of N members")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, UPDATE])])
        .arguments(&[key("key", 0), integer("increment"), string("member")]),
    command("zrem", -3, "1.2.0")
        .summary("Deletes members from a sorted set, and with the last one the sorted set.")
        .complexity("O(M*log(N)) for a sorted set of N members and M named")
        .flags(&[WRITE, FAST])
        .keys(&[KeySpec::at(1, &[RW, DELETE])])
        .arguments(&[key("key", 0), string("member").multiple()])
        .history(&[("2.4.0", "More than one member.")]),
    command("zcard", 2, "1.2.0")
        .summary("Counts the members of a sorted set.")
        .complexity("O(1)")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO])])
        .arguments(&[key("key", 0)]),
    command("zscore", 3, "1.2.0")
        .summary("Fetches the score of a member.")
        .complexity("O(1)")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), string("member")]),
    command("zmscore", -3, "6.2.0")
        .summary("Fetches the scores of several members.")
        .complexity("O(N) for N members named")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), string("member").multiple()]),
    command("zrank", -3, "2.0.0")
        .summary("Tells how many members stand before a given one, from the lowest score up.")
        .complexity("O(log(N)) for a sorted set of N members")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), string("member"), token("withscore", "WITHSCORE").optional()])
        .history(&[("7.2.0", "`WITHSCORE`.")]),
    command("zrevrank", -3, "2.0.0")
        .summary("Tells how many members stand before a given one, from the highest score down.")
        .complexity("O(log(N)) for a sorted set of N members")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), string("member"), token("withscore", "WITHSCORE").optional()])
        .history(&[("7.2.0", "`WITHSCORE`.")]),
    command("zrandmember", -2, "6.2.0")
        .summary("Picks members of a sorted set at random.")
        .complexity("O(N) for N members returned")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[
            key("key", 0),
            block("options", &[integer("count"), token("withscores", "WITHSCORES").optional()]).optional(),
        ])
        .tips(&["nondeterministic_output"]),
    command("zscan", -3, "2.8.0")
        .summary("Walks the members of a sorted set in steps, driven by a cursor.")
        .complexity("O(1) per call; O(N) for a whole walk over N members")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[
            key("key", 0),
            integer("cursor"),
            pattern("pattern").after("MATCH").optional(),
            integer("count").after("COUNT").optional(),
            token("noscores", "NOSCORES").optional().since("8.0.0"),
        ])
        .history(&[("8.0.0", "`NOSCORES`.")])
        .tips(&["nondeterministic_output"]),
    command("zpopmin", -2, "5.0.0")
        .summary("Takes the members of the lowest scores from a sorted set.")
        .complexity("O(M*log(N)) for a sorted set of N members and M taken")
        .flags(&[WRITE, FAST])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, DELETE])])
        .arguments(&[key("key", 0), integer("count").optional()]),
    command("zpopmax", -2, "5.0.0")
        .summary("Takes the members of the highest scores from a sorted set.")
        .complexity("O(M*log(N)) for a sorted set of N members and M taken")
        .flags(&[WRITE, FAST])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, DELETE])])
        .arguments(&[key("key", 0), integer("count").optional()]),
    command("zmpop", -4, "7.0.0")
        .summary("Takes members from the first sorted set that is not empty among several.")
        .complexity("O(K+M*log(N)) for K keys, a sorted set of N members and M taken")
        .flags(&[WRITE])
        .keys(&[KeySpec::counted(1, &[RW, ACCESS, DELETE])])
        .arguments(&[integer("numkeys"), key("key", 0).multiple(), END, COUNT]),
    command("bzpopmin", -3, "5.0.0")
        .summary("Takes the lowest member from the first sorted set that is not empty; waits if all are.")
        .complexity("O(log(N)) for a sorted set of N members")
        .flags(&[WRITE, FAST, BLOCKING])
        .keys(&[KeySpec::range(1, -2, 1, &[RW, ACCESS, DELETE])])
        .arguments(&[key("key", 0).multiple(), double("timeout")])
        .history(&[("6.0.0", "Fractions of a second.")]),
    command("bzpopmax", -3, "5.0.0")
        .summary("Takes the highest member from the first sorted set that is not empty; waits if all are.")
        .complexity("O(log(N)) for a sorted set of N members")
        .flags(&[WRITE, FAST, BLOCKING])
        .keys(&[KeySpec::range(1, -2, 1, &[RW, ACCESS, DELETE])])
        .arguments(&[key("key", 0).multiple(), double("timeout")])
        .history(&[("6.0.0", "Fractions of a second.")]),
    command("bzmpop", -5, "7.0.0")
        .summary("Takes members from the first sorted set that is not empty among several; waits if all are.")
        .complexity("O(K+M*log(N)) for K keys, a sorted set of N members and M taken")
        .flags(&[WRITE, BLOCKING])
        .keys(&[KeySpec::counted(2, &[RW, ACCESS, DELETE])])
        .arguments(&[double("timeout"), integer("numkeys"), key("key", 0).multiple(), END, COUNT]),
];

/// Whether to take the members of the lowest scores or those of the highest.
const END: Argument = one_of("where", &[token("min", "MIN"), token("max", "MAX")]);

/// How many members to take; one, if it is not given.
const COUNT: Argument = integer("count").after("COUNT").optional();

/// A command of this group, in its category.
const fn command(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::SortedSet, since).categories(&[Categories::SORTEDSET])
}
