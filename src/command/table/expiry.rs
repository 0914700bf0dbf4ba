//! Commands on when keys expire.

use crate::command::spec::argument::{integer, key, one_of, token, unix_time};
use crate::command::spec::bits::flag::{FAST, READONLY, WRITE};
use crate::command::spec::bits::key::{ACCESS, RO, RW, UPDATE};
use crate::command::spec::{Categories, CommandSpec, Group, KeySpec};

/// The commands of this file.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("expire", -3, "1.0.0")
        .summary("Lets a key expire after a number of seconds.")
        .complexity("O(1)")
        .flags(&[WRITE, FAST])
        .keys(&[KeySpec::at(1, &[RW, UPDATE])])
        .arguments(&[
            key("key", 0),
            integer("seconds"),
            one_of(
                "condition",
                &[token("nx", "NX"), token("xx", "XX"), token("gt", "GT"), token("lt", "LT")],
            )
            .optional()
            .since("7.0.0"),
        ])
        .history(&[("7.0.0", "`NX`, `XX`, `GT` and `LT`.")]),
    command("pexpire", -3, "2.6.0")
        .summary("Lets a key expire after a number of milliseconds.")
        .complexity("O(1)")
        .flags(&[WRITE, FAST])
        .keys(&[KeySpec::at(1, &[RW, UPDATE])])
        .arguments(&[
            key("key", 0),
            integer("milliseconds"),
            one_of(
                "condition",
                &[token("nx", "NX"), token("xx", "XX"), token("gt", "GT"), token("lt", "LT")],
            )
            .optional()
            .since("7.0.0"),
        ])
        .history(&[("7.0.0", "`NX`, `XX`, `GT` and `LT`.")]),
    command("expireat", -3, "1.2.0")
        .summary("Lets a key expire at a Unix time in seconds.")
        .complexity("O(1)")
        .flags(&[WRITE, FAST])
        .keys(&[KeySpec::at(1, &[RW, UPDATE])])
        .arguments(&[
            key("key", 0),
            unix_time("unix-time-seconds"),
            one_of(
                "condition",
                &[token("nx", "NX"), token("xx", "XX"), token("gt", "GT"), token("lt", "LT")],
            )
            .optional()
            .since("7.0.0"),
        ])
        .history(&[("7.0.0", "`NX`, `XX`, `GT` and `LT`.")]),
    command("pexpireat", -3, "2.6.0")
        .summary("Lets a key expire at a Unix time in milliseconds.")
        .complexity("O(1)")
        .flags(&[WRITE, FAST])
        .keys(&[KeySpec::at(1, &[RW, UPDATE])])
        .arguments(&[
            key("key", 0),
            unix_time("unix-time-milliseconds"),
            one_of(
                "condition",
                &[token("nx", "NX"), token("xx", "XX"), token("gt", "GT"), token("lt", "LT")],
            )
            .optional()
            .since("7.0.0"),
        ])
        .history(&[("7.0.0", "`NX`, `XX`, `GT` and `LT`.")]),
    command("expiretime", 2, "7.0.0")
        .summary("Answers the Unix time in seconds at which a key expires.")
        .complexity("O(1)")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0)]),
    command("pexpiretime", 2, "7.0.0")
        .summary("Answers the Unix time in milliseconds at which a key expires.")
        .complexity("O(1)")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0)]),
    command("ttl", 2, "1.0.0")
        .summary("Answers how many seconds a key has left.")
        .complexity("O(1)")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0)])
        .history(&[("2.8.0", "Answers -2 for a missing key.")])
        .tips(&["nondeterministic_output"]),
    command("pttl", 2, "2.6.0")
        .summary("Answers how many milliseconds a key has left.")
        .complexity("O(1)")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0)])
        .history(&[("2.8.0", "Answers -2 for a missing key.")])
        .tips(&["nondeterministic_output"]),
    command("persist", 2, "2.2.0")
        .summary("Takes the expiry off a key.")
        .complexity("O(1)")
        .flags(&[WRITE, FAST])
        .keys(&[KeySpec::at(1, &[RW, UPDATE])])
        .arguments(&[key("key", 0)]),
];

/// A command of this group, in its category.
const fn command(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Generic, since).categories(&[Categories::KEYSPACE])
}
