//! Commands that make transactions.

use crate::command::spec::argument::key;
use crate::command::spec::bits::flag::{ALLOW_BUSY, FAST, LOADING, NOSCRIPT, SKIP_SLOWLOG, STALE};
use crate::command::spec::bits::key::RO;
use crate::command::spec::{Categories, CommandSpec, Group, KeySpec};

/// The commands of this file.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("multi", 1, "1.2.0")
        .summary("Opens a transaction: what follows is queued.")
        .complexity("O(1)")
        .flags(&[NOSCRIPT, LOADING, STALE, FAST, ALLOW_BUSY]),
    command("exec", 1, "1.2.0")
        .summary("Runs the queued commands as one transaction.")
        .complexity("That of the queued commands together")
        .flags(&[NOSCRIPT, LOADING, STALE, SKIP_SLOWLOG]),
    command("discard", 1, "2.0.0")
        .summary("Drops the queued commands and leaves the transaction.")
        .complexity("O(N) for N queued commands")
        .flags(&[NOSCRIPT, LOADING, STALE, FAST, ALLOW_BUSY]),
    command("watch", -2, "2.2.0")
        .summary("Makes the next transaction depend on keys staying as they are.")
        .complexity("O(1) per key")
        .flags(&[NOSCRIPT, LOADING, STALE, FAST, ALLOW_BUSY])
        .keys(&[KeySpec::range(1, -1, 1, &[RO])])
        .arguments(&[key("key", 0).multiple()]),
    command("unwatch", 1, "2.2.0")
        .summary("Forgets all watched keys.")
        .complexity("O(1)")
        .flags(&[NOSCRIPT, LOADING, STALE, FAST, ALLOW_BUSY]),
];

/// A command of this group, in its category.
const fn command(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Transactions, since).categories(&[Categories::TRANSACTION])
}
