//! Commands on sets.

use crate::command::spec::argument::{integer, key, pattern, string};
use crate::command::spec::bits::flag::{DENYOOM, FAST, READONLY, WRITE};
use crate::command::spec::bits::key::{ACCESS, DELETE, INSERT, OW, RO, RW, UPDATE};
use crate::command::spec::{Categories, CommandSpec, Group, KeySpec};

/// The commands of this file.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("sadd", -3, "1.0.0")
        .summary("Adds members to a set, creating it if need be.")
        .complexity("O(N) for N members named")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, INSERT])])
        .arguments(&[key("key", 0), string("member").multiple()])
        .history(&[("2.4.0", "More than one member.")]),
    command("srem", -3, "1.0.0")
        .summary("Deletes members from a set, and with the last one the set.")
        .complexity("O(N) for N members named")
        .flags(&[WRITE, FAST])
        .keys(&[KeySpec::at(1, &[RW, DELETE])])
        .arguments(&[key("key", 0), string("member").multiple()])
        .history(&[("2.4.0", "More than one member.")]),
    command("sismember", 3, "1.0.0")
        .summary("Tells whether a set has a member.")
        .complexity("O(1)")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO])])
        .arguments(&[key("key", 0), string("member")]),
    command("smismember", -3, "6.2.0")
        .summary("Tells for each of several members whether a set has it.")
        .complexity("O(N) for N members named")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), string("member").multiple()]),
    command("smembers", 2, "1.0.0")
        .summary("Lists the members of a set.")
        .complexity("O(N) for a set of N members")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0)])
        .tips(&["nondeterministic_output_order"]),
    command("scard", 2, "1.0.0")
        .summary("Counts the members of a set.")
        .complexity("O(1)")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO])])
        .arguments(&[key("key", 0)]),
    command("spop", -2, "1.0.0")
        .summary("Takes members from a set at random, and with the last one deletes it.")
        .complexity("O(N) for N members returned")
        .flags(&[WRITE, FAST])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, DELETE])])
        .arguments(&[key("key", 0), integer("count").optional().since("3.2.0")])
        .history(&[("3.2.0", "A count.")])
        .tips(&["nondeterministic_output"]),
    command("srandmember", -2, "1.0.0")
        .summary("Picks members of a set at random.")
        .complexity("O(N) for N members returned")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), integer("count").optional().since("2.6.0")])
        .history(&[("2.6.0", "A count.")])
        .tips(&["nondeterministic_output"]),
    command("smove", 4, "1.0.0")
        .summary("Takes a member out of one set and puts it into another.")
        .complexity("O(1)")
        .flags(&[WRITE, FAST])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, DELETE]), KeySpec::at(2, &[RW, INSERT])])
        .arguments(&[key("source", 0), key("destination", 1), string("member")]),
    command("sinter", -2, "1.0.0")
        .summary("Finds the members that all of the sets have.")
        .complexity("O(N*M) at worst, for M sets and N members of the smallest")
        .flags(&[READONLY])
        .keys(&[KeySpec::range(1, -1, 1, &[RO, ACCESS])])
        .arguments(&[key("key", 0).multiple()])
        .tips(&["nondeterministic_output_order"]),
    command("sinterstore", -3, "1.0.0")
        .summary("Finds the members that all of the sets have, and stores them as a set.")
        .complexity("O(N*M) at worst, for M sets and N members of the smallest")
        .flags(&[WRITE, DENYOOM])
        .keys(&[KeySpec::at(1, &[OW, UPDATE]), KeySpec::range(2, -1, 1, &[RO, ACCESS])])
        .arguments(&[key("destination", 0), key("key", 1).multiple()]),
    command("sintercard", -3, "7.0.0")
        .summary("Counts the members that all of the sets have, up to a limit if one is given.")
        .complexity("O(N*M) at worst, for M sets and N members of the smallest")
        .flags(&[READONLY])
        .keys(&[KeySpec::counted(1, &[RO, ACCESS])])
        .arguments(&[
            integer("numkeys"),
            key("key", 0).multiple(),
            integer("limit").after("LIMIT").optional(),
        ]),
    command("sunion", -2, "1.0.0")
        .summary("Finds the members that any of the sets has.")
        .complexity("O(N) for N members of all sets")
        .flags(&[READONLY])
        .keys(&[KeySpec::range(1, -1, 1, &[RO, ACCESS])])
        .arguments(&[key("key", 0).multiple()])
        .tips(&["nondeterministic_output_order"]),
    command("sunionstore", -3, "1.0.0")
        .summary("Finds the members that any of the sets has, and stores them as a set.")
        .complexity("O(N) for N members of all sets")
        .flags(&[WRITE, DENYOOM])
        .keys(&[KeySpec::at(1, &[OW, UPDATE]), KeySpec::range(2, -1, 1, &[RO, ACCESS])])
        .arguments(&[key("destination", 0), key("key", 1).multiple()]),
    command("sdiff", -2, "1.0.0")
        .summary("Finds the members of the first set that no other has.")
        .complexity("O(N) for N members of all sets")
        .flags(&[READONLY])
        .keys(&[KeySpec::range(1, -1, 1, &[RO, ACCESS])])
        .arguments(&[key("key", 0).multiple()])
        .tips(&["nondeterministic_output_order"]),
    command("sdiffstore", -3, "1.0.0")
        .summary("Finds the members of the first set that no other has, and stores them as a set.")
        .complexity("O(N) for N members of all sets")
        .flags(&[WRITE, DENYOOM])
        .keys(&[KeySpec::at(1, &[OW, UPDATE]), KeySpec::range(2, -1, 1, &[RO, ACCESS])])
        .arguments(&[key("destination", 0), key("key", 1).multiple()]),
    command("sscan", -3, "2.8.0")
        .summary("Walks the members of a set in steps, driven by a cursor.")
        .complexity("O(1) per call; O(N) for a whole walk over N members")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[
            key("key", 0),
            integer("cursor"),
            pattern("pattern").after("MATCH").optional(),
            integer("count").after("COUNT").optional(),
        ])
        .tips(&["nondeterministic_output"]),
];

/// A command of this group, in its category.
const fn command(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Set, since).categories(&[Categories::SET])
}
