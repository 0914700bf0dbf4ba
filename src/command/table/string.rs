//! Commands on strings.

use crate::command::spec::argument::{block, integer, key, one_of, string, token, unix_time};
use crate::command::spec::bits::flag::{DENYOOM, FAST, READONLY, WRITE};
use crate::command::spec::bits::key::{ACCESS, DELETE, INSERT, OW, RM, RO, RW, UPDATE, VARIABLE_FLAGS};
use crate::command::spec::{Categories, CommandSpec, Group, KeySpec};

/// The commands of this file.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("set", -3, "1.0.0")
        .summary("Stores a string under a key, replacing whatever was there, on conditions if any are given.")
        .complexity("O(1)")
        .flags(&[WRITE, DENYOOM])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, UPDATE, VARIABLE_FLAGS])
            .notes("RW with ACCESS where GET is given")
            .varies("GET", &[RW, ACCESS, UPDATE], &[OW, UPDATE])])
        .arguments(&[
            key("key", 0),
            string("value"),
            one_of(
                "condition",
                &[
                    token("nx", "NX"),
                    token("xx", "XX"),
                    string("comparison-value").after("IFEQ").since("8.1.0"),
                ],
            )
            .optional()
            .since("2.6.12"),
            token("get", "GET").optional().since("6.2.0"),
            one_of(
                "expiration",
                &[
                    integer("seconds").after("EX").since("2.6.12"),
                    integer("milliseconds").after("PX").since("2.6.12"),
                    unix_time("unix-time-seconds").after("EXAT").since("6.2.0"),
                    unix_time("unix-time-milliseconds").after("PXAT").since("6.2.0"),
                    token("keepttl", "KEEPTTL").since("6.0.0"),
                ],
            )
            .optional(),
        ])
        .history(&[
            ("2.6.12", "`EX`, `PX`, `NX` and `XX`."),
            ("6.0.0", "`KEEPTTL`."),
            ("6.2.0", "`GET`, `EXAT` and `PXAT`."),
            ("7.0.0", "`NX` together with `GET`."),
            ("8.1.0", "`IFEQ`, as in Valkey."),
        ]),
    command("get", 2, "1.0.0")
        .summary("Fetches the string stored under a key.")
        .complexity("O(1)")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0)]),
    command("getset", 3, "1.0.0")
        .summary("Stores a string under a key and answers the one it replaced.")
        .complexity("O(1)")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, UPDATE])])
        .arguments(&[key("key", 0), string("value")])
        .deprecated("6.2.0", "`SET` with `GET`"),
    command("getdel", 2, "6.2.0")
        .summary("Fetches the string stored under a key and deletes the key.")
        .complexity("O(1)")
        .flags(&[WRITE, FAST])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, DELETE])])
        .arguments(&[key("key", 0)]),
    command("getex", -2, "6.2.0")
        .summary("Fetches the string stored under a key, changing or clearing its expiry on the way.")
        .complexity("O(1)")
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
        ]),
    command("mget", -2, "1.0.0")
        .summary("Fetches the strings of several keys at one point in time.")
        .complexity("O(N) for N keys")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::range(1, -1, 1, &[RO, ACCESS])])
        .arguments(&[key("key", 0).multiple()])
        .tips(&["request_policy:multi_shard"]),
    command("mset", -3, "1.0.1")
        .summary("Stores several strings in one step.")
        .complexity("O(N) for N keys")
        .flags(&[WRITE, DENYOOM])
        .keys(&[KeySpec::range(1, -1, 2, &[OW, UPDATE])])
        .arguments(&[block("data", &[key("key", 0), string("value")]).multiple()])
        .tips(&["request_policy:multi_shard", "response_policy:all_succeeded"]),
    command("msetnx", -3, "1.0.1")
        .summary("Stores several strings in one step, if none of their keys exists.")
        .complexity("O(N) for N keys")
        .flags(&[WRITE, DENYOOM])
        .keys(&[KeySpec::range(1, -1, 2, &[OW, INSERT])])
        .arguments(&[block("data", &[key("key", 0), string("value")]).multiple()]),
    command("setnx", 3, "1.0.0")
        .summary("Stores a string under a key that does not exist yet.")
        .complexity("O(1)")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[OW, INSERT])])
        .arguments(&[key("key", 0), string("value")])
        .deprecated("2.6.12", "`SET` with `NX`"),
    command("setex", 4, "2.0.0")
        .summary("Stores a string that expires after a number of seconds.")
        .complexity("O(1)")
        .flags(&[WRITE, DENYOOM])
        .keys(&[KeySpec::at(1, &[OW, UPDATE])])
        .arguments(&[key("key", 0), integer("seconds"), string("value")])
        .deprecated("2.6.12", "`SET` with `EX`"),
    command("psetex", 4, "2.6.0")
        .summary("Stores a string that expires after a number of milliseconds.")
        .complexity("O(1)")
        .flags(&[WRITE, DENYOOM])
        .keys(&[KeySpec::at(1, &[OW, UPDATE])])
        .arguments(&[key("key", 0), integer("milliseconds"), string("value")])
        .deprecated("2.6.12", "`SET` with `PX`"),
    command("append", 3, "2.0.0")
        .summary("Adds bytes to the end of a string, creating it if need be.")
        .complexity("O(1) amortized for short values; O(M) to copy a value of M bytes")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, INSERT])])
        .arguments(&[key("key", 0), string("value")]),
    command("strlen", 2, "2.2.0")
        .summary("Answers how many bytes a string has.")
        .complexity("O(1)")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO])])
        .arguments(&[key("key", 0)]),
    command("setrange", 4, "2.2.0")
        .summary("Overwrites the bytes of a string from an offset on, zero-filling any gap.")
        .complexity("O(1) for short values; O(M) for a value of M bytes")
        .flags(&[WRITE, DENYOOM])
        .keys(&[KeySpec::at(1, &[RW, UPDATE])])
        .arguments(&[key("key", 0), integer("offset"), string("value")]),
    command("getrange", 4, "2.4.0")
        .summary("Fetches the bytes of a string between two offsets.")
        .complexity("O(N) for N bytes returned")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), integer("start"), integer("end")]),
    command("substr", 4, "1.0.0")
        .summary("Fetches the bytes of a string between two offsets, under the old name.")
        .complexity("O(N) for N bytes returned")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), integer("start"), integer("end")])
        .deprecated("2.0.0", "`GETRANGE`"),
    command("lcs", -3, "7.0.0")
        .summary("Finds the longest subsequence that two strings share.")
        .complexity("O(N*M) for strings of N and M bytes")
        .flags(&[READONLY])
        .keys(&[KeySpec::range(1, 1, 1, &[RO, ACCESS])])
        .arguments(&[
            key("key1", 0),
            key("key2", 0),
            token("len", "LEN").optional(),
            token("idx", "IDX").optional(),
            integer("min-match-len").after("MINMATCHLEN").optional(),
            token("withmatchlen", "WITHMATCHLEN").optional(),
        ]),
    command("delifeq", 3, "9.0.0")
        .summary("Deletes a key if it holds exactly the given string.")
        .complexity("O(1)")
        .flags(&[WRITE])
        .keys(&[KeySpec::at(1, &[RM, ACCESS, DELETE])])
        .arguments(&[key("key", 0), string("value")]),
];

/// A command of this group, in its category.
const fn command(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::String, since).categories(&[Categories::STRING])
}
