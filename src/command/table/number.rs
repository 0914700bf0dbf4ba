//! Commands on strings that are numbers.

use crate::command::spec::argument::{double, integer, key};
use crate::command::spec::bits::flag::{DENYOOM, FAST, WRITE};
use crate::command::spec::bits::key::{ACCESS, RW, UPDATE};
use crate::command::spec::{Categories, CommandSpec, Group, KeySpec};

/// The commands of this file.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("incr", 2, "1.0.0")
        .summary("Adds one to the integer under a key; a missing key counts as 0.")
        .complexity("O(1)")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, UPDATE])])
        .arguments(&[key("key", 0)]),
    command("incrby", 3, "1.0.0")
        .summary("Adds an amount to the integer under a key; a missing key counts as 0.")
        .complexity("O(1)")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, UPDATE])])
        .arguments(&[key("key", 0), integer("increment")]),
    command("decr", 2, "1.0.0")
        .summary("Takes one from the integer under a key; a missing key counts as 0.")
        .complexity("O(1)")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, UPDATE])])
        .arguments(&[key("key", 0)]),
    command("decrby", 3, "1.0.0")
        .summary("Takes an amount from the integer under a key; a missing key counts as 0.")
        .complexity("O(1)")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, UPDATE])])
        .arguments(&[key("key", 0), integer("decrement")]),
    command("incrbyfloat", 3, "2.6.0")
        .summary("Adds an amount to the decimal number under a key; a missing key counts as 0.")
        .complexity("O(1)")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, UPDATE])])
        .arguments(&[key("key", 0), double("increment")]),
];

/// A command of this group, in its category.
const fn command(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::String, since).categories(&[Categories::STRING])
}
