//! Commands on when the fields of a hash expire.

use crate::command::spec::argument::{block, integer, key, one_of, string, token, unix_time};
use crate::command::spec::bits::flag::{DENYOOM, FAST, READONLY, WRITE};
use crate::command::spec::bits::key::{ACCESS, RO, RW, UPDATE};
use crate::command::spec::{Argument, Categories, CommandSpec, Group, KeySpec};

/// The commands of this file.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("hexpire", -6, "7.4.0")
        .summary("Lets fields of a hash expire after a number of seconds.")
        .complexity("O(N) for N fields named")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, UPDATE])])
        .arguments(&[key("key", 0), integer("seconds"), CONDITION, FIELDS]),
    command("hpexpire", -6, "7.4.0")
        .summary("Lets fields of a hash expire after a number of milliseconds.")
        .complexity("O(N) for N fields named")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, UPDATE])])
        .arguments(&[key("key", 0), integer("milliseconds"), CONDITION, FIELDS]),
    command("hexpireat", -6, "7.4.0")
        .summary("Lets fields of a hash expire at a Unix time in seconds.")
        .complexity("O(N) for N fields named")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, UPDATE])])
        .arguments(&[key("key", 0), unix_time("unix-time-seconds"), CONDITION, FIELDS]),
    command("hpexpireat", -6, "7.4.0")
        .summary("Lets fields of a hash expire at a Unix time in milliseconds.")
        .complexity("O(N) for N fields named")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, UPDATE])])
        .arguments(&[key("key", 0), unix_time("unix-time-milliseconds"), CONDITION, FIELDS]),
    command("hexpiretime", -5, "7.4.0")
        .summary("Answers the Unix times in seconds at which fields expire.")
        .complexity("O(N) for N fields named")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), FIELDS]),
    command("hpexpiretime", -5, "7.4.0")
        .summary("Answers the Unix times in milliseconds at which fields expire.")
        .complexity("O(N) for N fields named")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), FIELDS]),
    command("httl", -5, "7.4.0")
        .summary("Answers how many seconds fields have left.")
        .complexity("O(N) for N fields named")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), FIELDS]),
    command("hpttl", -5, "7.4.0")
        .summary("Answers how many milliseconds fields have left.")
        .complexity("O(N) for N fields named")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), FIELDS]),
    command("hpersist", -5, "7.4.0")
        .summary("Takes the expiry off fields.")
        .complexity("O(N) for N fields named")
        .flags(&[WRITE, FAST])
        .keys(&[KeySpec::at(1, &[RW, UPDATE])])
        .arguments(&[key("key", 0), FIELDS]),
];

/// When the expiry of a field is changed; always, if none is given.
const CONDITION: Argument =
    one_of("condition", &[token("nx", "NX"), token("xx", "XX"), token("gt", "GT"), token("lt", "LT")])
        .optional();

/// Fields behind their number.
const FIELDS: Argument = block("fields", &[integer("numfields"), string("field").multiple()]).after("FIELDS");

/// A command of this group, in its category.
const fn command(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Hash, since).categories(&[Categories::HASH])
}
