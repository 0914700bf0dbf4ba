//! Commands on lists, those that wait for one included.

use crate::command::spec::argument::{double, integer, key, one_of, string, token};
use crate::command::spec::bits::flag::{BLOCKING, DENYOOM, FAST, READONLY, WRITE};
use crate::command::spec::bits::key::{ACCESS, DELETE, INSERT, RO, RW, UPDATE};
use crate::command::spec::{Argument, Categories, CommandSpec, Group, KeySpec};

/// The commands of this file.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("lpush", -3, "1.0.0")
        .summary("Puts elements at the head of a list, one before the other, creating it if need be.")
        .complexity("O(N) for N elements")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, INSERT])])
        .arguments(&[key("key", 0), string("element").multiple()])
        .history(&[("2.4.0", "More than one element.")]),
    command("rpush", -3, "1.0.0")
        .summary("Puts elements at the tail of a list, creating it if need be.")
        .complexity("O(N) for N elements")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, INSERT])])
        .arguments(&[key("key", 0), string("element").multiple()])
        .history(&[("2.4.0", "More than one element.")]),
    command("lpushx", -3, "2.2.0")
        .summary("Puts elements at the head of a list that exists, one before the other.")
        .complexity("O(N) for N elements")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, INSERT])])
        .arguments(&[key("key", 0), string("element").multiple()])
        .history(&[("4.0.0", "More than one element.")]),
    command("rpushx", -3, "2.2.0")
        .summary("Puts elements at the tail of a list that exists.")
        .complexity("O(N) for N elements")
        .flags(&[WRITE, DENYOOM, FAST])
        .keys(&[KeySpec::at(1, &[RW, INSERT])])
        .arguments(&[key("key", 0), string("element").multiple()])
        .history(&[("4.0.0", "More than one element.")]),
    command("lpop", -2, "1.0.0")
        .summary("Takes elements from the head of a list, and with the last one deletes it.")
        .complexity("O(N) for N elements returned")
        .flags(&[WRITE, FAST])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, DELETE])])
        .arguments(&[key("key", 0), integer("count").optional().since("6.2.0")])
        .history(&[("6.2.0", "A count.")]),
    command("rpop", -2, "1.0.0")
        .summary("Takes elements from the tail of a list, and with the last one deletes it.")
        .complexity("O(N) for N elements returned")
        .flags(&[WRITE, FAST])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, DELETE])])
        .arguments(&[key("key", 0), integer("count").optional().since("6.2.0")])
        .history(&[("6.2.0", "A count.")]),
    command("llen", 2, "1.0.0")
        .summary("Counts the elements of a list.")
        .complexity("O(1)")
        .flags(&[READONLY, FAST])
        .keys(&[KeySpec::at(1, &[RO])])
        .arguments(&[key("key", 0)]),
    command("lindex", 3, "1.0.0")
        .summary("Fetches the element at a position of a list.")
        .complexity("O(N) for N elements between the position and the nearer end")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), integer("index")]),
    command("lset", 4, "1.0.0")
        .summary("Overwrites the element at a position of a list.")
        .complexity("O(N) for N elements between the position and the nearer end")
        .flags(&[WRITE, DENYOOM])
        .keys(&[KeySpec::at(1, &[RW, UPDATE])])
        .arguments(&[key("key", 0), integer("index"), string("element")]),
    command("linsert", 5, "2.2.0")
        .summary("Puts an element right before or behind another one in a list.")
        .complexity("O(N) for N elements before the other one")
        .flags(&[WRITE, DENYOOM])
        .keys(&[KeySpec::at(1, &[RW, INSERT])])
        .arguments(&[
            key("key", 0),
            one_of("where", &[token("before", "BEFORE"), token("after", "AFTER")]),
            string("pivot"),
            string("element"),
        ]),
    command("lrange", 4, "1.0.0")
        .summary("Fetches the elements of a list between two positions.")
        .complexity("O(S+N) for N elements returned and S between them and the nearer end")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0), integer("start"), integer("stop")]),
    command("ltrim", 4, "1.0.0")
        .summary("Cuts a list down to the elements between two positions.")
        .complexity("O(N) for N elements removed")
        .flags(&[WRITE])
        .keys(&[KeySpec::at(1, &[RW, DELETE])])
        .arguments(&[key("key", 0), integer("start"), integer("stop")]),
    command("lrem", 4, "1.0.0")
        .summary("Deletes elements that are equal to a given one from a list.")
        .complexity("O(N) for a list of N elements")
        .flags(&[WRITE])
        .keys(&[KeySpec::at(1, &[RW, DELETE])])
        .arguments(&[key("key", 0), integer("count"), string("element")]),
    command("lpos", -3, "6.0.6")
        .summary("Finds the positions of elements that are equal to a given one.")
        .complexity("O(N) for N elements compared")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[
            key("key", 0),
            string("element"),
            integer("rank").after("RANK").optional(),
            integer("num-matches").after("COUNT").optional(),
            integer("len").after("MAXLEN").optional(),
        ]),
    command("lmove", 5, "6.2.0")
        .summary("Moves an element from one end of a list to an end of another.")
        .complexity("O(1)")
        .flags(&[WRITE, DENYOOM])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, DELETE]), KeySpec::at(2, &[RW, INSERT])])
        .arguments(&[key("source", 0), key("destination", 1), FROM, TO]),
    command("rpoplpush", 3, "1.2.0")
        .summary("Takes the tail of a list and makes it the head of another.")
        .complexity("O(1)")
        .flags(&[WRITE, DENYOOM])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, DELETE]), KeySpec::at(2, &[RW, INSERT])])
        .arguments(&[key("source", 0), key("destination", 1)])
        .deprecated("6.2.0", "`LMOVE` with `RIGHT` and `LEFT`"),
    command("lmpop", -4, "7.0.0")
        .summary("Takes elements from the first list that is not empty among several.")
        .complexity("O(N+M) for N keys and M elements returned")
        .flags(&[WRITE])
        .keys(&[KeySpec::counted(1, &[RW, ACCESS, DELETE])])
        .arguments(&[integer("numkeys"), key("key", 0).multiple(), END, COUNT]),
    command("blpop", -3, "2.0.0")
        .summary("Takes the head of the first list that is not empty among several; waits if all are.")
        .complexity("O(N) for N keys")
        .flags(&[WRITE, BLOCKING])
        .keys(&[KeySpec::range(1, -2, 1, &[RW, ACCESS, DELETE])])
        .arguments(&[key("key", 0).multiple(), double("timeout")])
        .history(&[("6.0.0", "Fractions of a second.")]),
    command("brpop", -3, "2.0.0")
        .summary("Takes the tail of the first list that is not empty among several; waits if all are.")
        .complexity("O(N) for N keys")
        .flags(&[WRITE, BLOCKING])
        .keys(&[KeySpec::range(1, -2, 1, &[RW, ACCESS, DELETE])])
        .arguments(&[key("key", 0).multiple(), double("timeout")])
        .history(&[("6.0.0", "Fractions of a second.")]),
    command("blmove", 6, "6.2.0")
        .summary("Moves an element from one end of a list to an end of another; waits for one if need be.")
        .complexity("O(1)")
        .flags(&[WRITE, DENYOOM, BLOCKING])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, DELETE]), KeySpec::at(2, &[RW, INSERT])])
        .arguments(&[key("source", 0), key("destination", 1), FROM, TO, double("timeout")]),
    command("brpoplpush", 4, "2.2.0")
        .summary("Takes the tail of a list and makes it the head of another; waits for one if need be.")
        .complexity("O(1)")
        .flags(&[WRITE, DENYOOM, BLOCKING])
        .keys(&[KeySpec::at(1, &[RW, ACCESS, DELETE]), KeySpec::at(2, &[RW, INSERT])])
        .arguments(&[key("source", 0), key("destination", 1), double("timeout")])
        .history(&[("6.0.0", "Fractions of a second.")])
        .deprecated("6.2.0", "`BLMOVE` with `RIGHT` and `LEFT`"),
    command("blmpop", -5, "7.0.0")
        .summary("Takes elements from the first list that is not empty among several; waits if all are.")
        .complexity("O(N+M) for N keys and M elements returned")
        .flags(&[WRITE, BLOCKING])
        .keys(&[KeySpec::counted(2, &[RW, ACCESS, DELETE])])
        .arguments(&[double("timeout"), integer("numkeys"), key("key", 0).multiple(), END, COUNT]),
];

/// The end to take from.
const FROM: Argument = one_of("wherefrom", &[token("left", "LEFT"), token("right", "RIGHT")]);

/// The end to add to.
const TO: Argument = one_of("whereto", &[token("left", "LEFT"), token("right", "RIGHT")]);

/// The end to take from, where one list of several is served.
const END: Argument = one_of("where", &[token("left", "LEFT"), token("right", "RIGHT")]);

/// How many elements to take; one, if it is not given.
const COUNT: Argument = integer("count").after("COUNT").optional();

/// A command of this group, in its category.
const fn command(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::List, since).categories(&[Categories::LIST])
}
