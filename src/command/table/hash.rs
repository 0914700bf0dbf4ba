//! Commands on hashes, but for when their fields expire.

use crate::command::spec::argument::{
    block, double, integer, key, one_of, pattern, string, token, unix_time,
};
use crate::command::spec::bits::flag::{DENYOOM, FAST, READONLY, WRITE};
use crate::command::spec::bits::key::{ACCESS, DELETE, INSERT, RO, RW, UPDATE};
use crate::command::spec::{Argument, Categories, CommandSpec, Group, KeySpec};

/// The commands of this file.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("hset", -4, "2.0.0")
        .summary("Sets fields of a hash to values, creating the hash if need be.")
        .complexity("O(N) for N fields")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, UPDATE])])
        .arguments(&[key("key", 0), PAIRS])
        .history(&[("4.0.0", "More than one field.")]),
    command("hsetnx", 4, "2.0.0")
        .summary("Sets a field of a hash that does not exist yet.")
        .complexity("O(1)")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, INSERT])])
        .arguments(&[key("key", 0), string("field"), string("value")]),
    command("hmset", -4, "2.0.0")
        .summary("Sets fields of a hash to values, and answers OK.")
        .complexity("O(N) for N fields")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, UPDATE])])
        .arguments(&[key("key", 0), PAIRS])
        .deprecated("4.0.0", "`HSET`"),
    command("hget", 3, "2.0.0")
        .summary("Fetches the value of a field.")
        .complexity("O(1)")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), string("field")]),
    command("hmget", -3, "2.0.0")
        .summary("Fetches the values of several fields.")
        .complexity("O(N) for N fields")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), string("field").multiple()]),
    command("hgetall", 2, "2.0.0")
        .summary("Fetches all fields of a hash with their values.")
        .complexity("O(N) for a hash of N fields")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0)])
        .tips(&["nondeterministic_output_order"]),
    command("hdel", -3, "2.0.0")
        .summary("Deletes fields, and with the last one the hash.")
        .complexity("O(N) for N fields named")
        .flags(&[WRITE, FAST])
        .keys(&[KeySpec::at(1, &[RW, DELETE])])
        .arguments(&[key("key", 0), string("field").multiple()])
        .history(&[("2.4.0", "More than one field.")]),
    command("hlen", 2, "2.0.0")
        .summary("Counts the fields of a hash.")
        .complexity("O(1)")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO])])
        .arguments(&[key("key", 0)]),
    command("hstrlen", 3, "3.2.0")
        .summary("Answers how many bytes the value of a field has.")
        .complexity("O(1)")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO])])
        .arguments(&[key("key", 0), string("field")]),
    command("hexists", 3, "2.0.0")
        .summary("Tells whether a hash has a field.")
        .complexity("O(1)")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO])])
        .arguments(&[key("key", 0), string("field")]),
    command("hkeys", 2, "2.0.0")
        .summary("Lists the fields of a hash.")
        .complexity("O(N) for a hash of N fields")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0)])
        .tips(&["nondeterministic_output_order"]),
    command("hvals", 2, "2.0.0")
        .summary("Lists the values of a hash.")
        .complexity("O(N) for a hash of N fields")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0)])
        .tips(&["nondeterministic_output_order"]),
    command("hincrby", 4, "2.0.0")
        .summary("Adds an amount to the integer in a field; a missing field counts as 0.")
        .complexity("O(1)")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, UPDATE])])
        .arguments(&[key("key", 0), string("field"), integer("increment")]),
    command("hincrbyfloat", 4, "2.6.0")
        .summary("Adds an amount to the decimal number in a field; a missing field counts as 0.")
        .complexity("O(1)")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, UPDATE])])
        .arguments(&[key("key", 0), string("field"), double("increment")]),
    command("hscan", -3, "2.8.0")
        .summary("Walks the fields of a hash in steps, driven by a cursor.")
        .complexity("O(1) per call; O(N) for a whole walk over N fields")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[
            key("key", 0),
            integer("cursor"),
            pattern("pattern").after("MATCH").optional(),
            integer("count").after("COUNT").optional(),
            token("novalues", "NOVALUES").optional().since("7.4.0"),
        ])
        .history(&[("7.4.0", "`NOVALUES`.")])
        .tips(&["nondeterministic_output"]),
    command("hrandfield", -2, "6.2.0")
        .summary("Picks fields of a hash at random.")
        .complexity("O(N) for N fields returned")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[
            key("key", 0),
            block("options", &[integer("count"), token("withvalues", "WITHVALUES").optional()]).optional(),
        ])
        .tips(&["nondeterministic_output"]),
    command("hgetdel", -5, "8.0.0")
        .summary("Fetches the values of fields and deletes the fields.")
        .complexity("O(N) for N fields named")
        .flags(&[WRITE, FAST])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, DELETE])])
        .arguments(&[key("key", 0), FIELDS]),
    command("hgetex", -5, "8.0.0")
        .summary("Fetches the values of fields, changing or clearing their expiry on the way.")
        .complexity("O(N) for N fields named")
        .flags(&[WRITE, FAST])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, UPDATE]).notes("RW with UPDATE where the expiry changes")])
        .arguments(&[
            key("key", 0),
            one_of(
                "expiration",
                &[
                    integer("seconds").after("EX"),
                    integer("milliseconds").after("PX"),
                    unix_time("unix-time-seconds").after("EXAT"),
                    unix_time("unix-time-milliseconds").after("PXAT"),
                    token("persist", "PERSIST"),
                ],
            )
            .optional(),
            FIELDS,
        ]),
    command("hsetex", -6, "8.0.0")
        .summary("Sets fields of a hash, on conditions and with an expiry if any are given.")
        .complexity("O(N) for N fields")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, UPDATE])])
        .arguments(&[
            key("key", 0),
            one_of("condition", &[token("fnx", "FNX"), token("fxx", "FXX")]).optional(),
            one_of(
                "expiration",
                &[
                    integer("seconds").after("EX"),
                    integer("milliseconds").after("PX"),
                    unix_time("unix-time-seconds").after("EXAT"),
                    unix_time("unix-time-milliseconds").after("PXAT"),
                    token("keepttl", "KEEPTTL"),
                ],
            )
            .optional(),
            block("fields", &[integer("numfields"), PAIRS]).after("FIELDS"),
        ]),
];

/// Fields with their values.
const PAIRS: Argument = block("data", &[string("field"), string("value")]).multiple();

/// Fields behind their number.
const FIELDS: Argument = block("fields", &[integer("numfields"), string("field").multiple()]).after("FIELDS");

/// A command of this group, in its category.
const fn command(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Hash, since).categories(&[Categories::HASH])
}
