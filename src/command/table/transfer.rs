//! Commands that take values out of the server, and bring them in.

use crate::command::spec::argument::{block, integer, key, one_of, string, token};
use crate::command::spec::bits::flag::{DENYOOM, READONLY, WRITE};
use crate::command::spec::bits::key::{ACCESS, DELETE, INCOMPLETE, OW, RO, RW, UPDATE};
use crate::command::spec::{Categories, CommandSpec, Group, KeyAt, KeyFlags, KeyPositions, KeySpec};
use crate::resp::Args;

/// The commands of this file.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("dump", 2, "2.6.0")
        .summary("Writes the value of a key as bytes that RESTORE understands.")
        .complexity("O(N) for a value of N bytes")
        .flags(&[READONLY])
        .keys(&[KeySpec::at(1, &[RO, ACCESS])])
        .arguments(&[key("key", 0)])
        .tips(&["nondeterministic_output"]),
    command("restore", -4, "2.6.0")
        .summary("Makes a key from the bytes that DUMP wrote.")
        .complexity("O(N) for a value of N bytes; O(N*log(N)) for sorted sets")
        .flags(&[WRITE, DENYOOM])
        .categories(&[Categories::DANGEROUS])
        .keys(&[KeySpec::at(1, &[OW, UPDATE])])
        .arguments(&[
            key("key", 0),
            integer("ttl"),
            string("serialized-value"),
            token("replace", "REPLACE").optional().since("3.0.0"),
            token("absttl", "ABSTTL").optional().since("5.0.0"),
            integer("seconds").after("IDLETIME").optional().since("5.0.0"),
            integer("frequency").after("FREQ").optional().since("5.0.0"),
        ])
        .history(&[("3.0.0", "`REPLACE`."), ("5.0.0", "`ABSTTL`."), ("5.0.0", "`IDLETIME` and `FREQ`.")]),
    command("migrate", -6, "2.6.0")
        .summary("Moves keys to another server, as DUMP and DEL here and RESTORE there would.")
        .complexity("O(N) for values of N bytes")
        .flags(&[WRITE])
        .categories(&[Categories::DANGEROUS])
        .keys(&[
            KeySpec::at(3, &[RW, ACCESS, DELETE]),
            KeySpec::behind("KEYS", -2, &[RW, ACCESS, DELETE, INCOMPLETE]),
        ])
        .keys_found_by(keys_of_migrate)
        .arguments(&[
            string("host"),
            integer("port"),
            one_of("key-selector", &[key("key", 0), token("empty-string", "\"\"")]),
            integer("destination-db"),
            integer("timeout"),
            token("copy", "COPY").optional().since("3.0.0"),
            token("replace", "REPLACE").optional().since("3.0.0"),
            one_of(
                "authentication",
                &[
                    string("auth").after("AUTH").display("password").since("4.0.7"),
                    block("auth2", &[string("username"), string("password")]).after("AUTH2").since("6.0.0"),
                ],
            )
            .optional(),
            key("keys", 1).after("KEYS").optional().multiple().display("key").since("3.0.6"),
        ])
        .history(&[
            ("3.0.0", "`COPY` and `REPLACE`."),
            ("3.0.6", "`KEYS`."),
            ("4.0.7", "`AUTH`."),
            ("6.0.0", "`AUTH2`."),
        ])
        .tips(&["nondeterministic_output"]),
];

/// The keys of a call of `MIGRATE`: those behind `KEYS`, or the third argument; none if there are both.
fn keys_of_migrate(call: Args<'_>) -> KeyPositions {
    let keys = match (behind_keys(call), call[3].is_empty()) {
        (Some(first), true) => first..call.len(),
        (Some(_), false) => 0..0,
        (None, _) => 3..4,
    };
    keys.map(|index| KeyAt { index, flags: KeyFlags::of(&[RW, ACCESS, DELETE]) }).collect()
}

/// Where the keys behind `KEYS` begin, if that is among the options.
fn behind_keys(call: Args<'_>) -> Option<usize> {
    let mut at = 6;
    while let Some(word) = call.get(at) {
        at += match word.to_ascii_lowercase().as_slice() {
            b"keys" => return Some(at + 1),
            b"auth" => 2,
            b"auth2" => 3,
            _ => 1,
        };
    }
    None
}

/// A command of this group, in its category.
const fn command(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Generic, since).categories(&[Categories::KEYSPACE])
}
