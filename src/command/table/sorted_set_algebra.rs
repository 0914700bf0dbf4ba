//! Commands that combine sorted sets: union, intersection and difference.

use crate::command::spec::argument::{integer, key, one_of, token};
use crate::command::spec::bits::flag::{DENYOOM, READONLY, WRITE};
use crate::command::spec::bits::key::{ACCESS, OW, RO, UPDATE};
use crate::command::spec::{Argument, Categories, CommandSpec, Group, KeySpec};

/// The commands of this file.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("zunion", -3, "6.2.0")
        .summary("Finds the members that any of the sorted sets has.")
        .complexity("O(N+M*log(M)) for N members of all sorted sets and M found")
        .flags(&[READONLY])
        .keys(&[KeySpec::counted(1, &[RO, ACCESS])])
        .arguments(&[integer("numkeys"), key("key", 0).multiple(), WEIGHTS, AGGREGATE, WITH_SCORES]),
    command("zunionstore", -4, "2.0.0")
        .summary("Finds the members that any of the sorted sets has, and stores them as a sorted set.")
        .complexity("O(N+M*log(M)) for N members of all sorted sets and M found")
        .flags(&[WRITE, DENYOOM])
        .keys(&[KeySpec::at(1, &[OW, UPDATE]), KeySpec::counted(2, &[RO, ACCESS])])
        .arguments(&[
            key("destination", 0),
            integer("numkeys"),
            key("key", 1).multiple(),
            WEIGHTS,
            AGGREGATE,
        ]),
    command("zinter", -3, "6.2.0")
        .summary("Finds the members that all of the sorted sets have.")
        .complexity("O(N*K+M*log(M)) at worst, for K sorted sets, N members of the smallest and M found")
        .flags(&[READONLY])
        .keys(&[KeySpec::counted(1, &[RO, ACCESS])])
        .arguments(&[integer("numkeys"), key("key", 0).multiple(), WEIGHTS, AGGREGATE, WITH_SCORES]),
    command("zinterstore", -4, "2.0.0")
        .summary("Finds the members that all of the sorted sets have, and stores them as a sorted set.")
        .complexity("O(N*K+M*log(M)) at worst, for K sorted sets, N members of the smallest and M found")
        .flags(&[WRITE, DENYOOM])
        .keys(&[KeySpec::at(1, &[OW, UPDATE]), KeySpec::counted(2, &[RO, ACCESS])])
        .arguments(&[
            key("destination", 0),
            integer("numkeys"),
            key("key", 1).multiple(),
            WEIGHTS,
            AGGREGATE,
        ]),
    command("zintercard", -3, "7.0.0")
        .summary("Counts the members that all of the sorted sets have, up to a limit if one is given.")
        .complexity("O(N*K) at worst, for K sorted sets and N members of the smallest")
        .flags(&[READONLY])
        .keys(&[KeySpec::counted(1, &[RO, ACCESS])])
        .arguments(&[
            integer("numkeys"),
            key("key", 0).multiple(),
            integer("limit").after("LIMIT").optional(),
        ]),
    command("zdiff", -3, "6.2.0")
        .summary("Finds the members of the first sorted set that no other has.")
        .complexity("O(L+(N-K)*log(N)) at worst, for L members of all sorted sets, N of the first, K found")
        .flags(&[READONLY])
        .keys(&[KeySpec::counted(1, &[RO, ACCESS])])
        .arguments(&[integer("numkeys"), key("key", 0).multiple(), WITH_SCORES]),
    command("zdiffstore", -4, "6.2.0")
        .summary("Finds the members of the first sorted set that no other has, and stores them as another.")
        .complexity("O(L+(N-K)*log(N)) at worst, for L members of all sorted sets, N of the first, K found")
        .flags(&[WRITE, DENYOOM])
        .keys(&[KeySpec::at(1, &[OW, UPDATE]), KeySpec::counted(2, &[RO, ACCESS])])
        .arguments(&[key("destination", 0), integer("numkeys"), key("key", 1).multiple()]),
];

/// By what to multiply the scores of each sorted set.
const WEIGHTS: Argument = integer("weight").after("WEIGHTS").optional().multiple();

/// What becomes of the scores that a member has in several sorted sets; their sum, if it is not given.
const AGGREGATE: Argument =
    one_of("aggregate", &[token("sum", "SUM"), token("min", "MIN"), token("max", "MAX")])
        .after("AGGREGATE")
        .optional();

/// Whether to answer the scores too.
const WITH_SCORES: Argument = token("withscores", "WITHSCORES").optional();

/// A command of this group, in its category.
const fn command(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::SortedSet, since).categories(&[Categories::SORTEDSET])
}
