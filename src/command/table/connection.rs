//! Commands on the connection that they come by; what CLIENT groups has a file of its own.

use crate::command::spec::argument::{block, integer, string};
use crate::command::spec::bits::flag::{ALLOW_BUSY, FAST, LOADING, NO_AUTH, NOSCRIPT, STALE};
use crate::command::spec::{Categories, CommandSpec, Group};

/// The commands of this file.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("auth", -2, "1.0.0")
        .summary("Proves who the client is.")
        .complexity("O(N) for N passwords of the user")
        .flags(&[NOSCRIPT, LOADING, STALE, FAST, NO_AUTH, ALLOW_BUSY])
        .arguments(&[string("username").optional().since("6.0.0"), string("password")])
        .history(&[("6.0.0", "A user name before the password.")]),
    command("hello", -1, "6.0.0")
        .summary("Chooses the protocol version, and may authenticate and name the connection.")
        .complexity("O(1)")
        .flags(&[NOSCRIPT, LOADING, STALE, FAST, NO_AUTH, ALLOW_BUSY])
        .arguments(&[block(
            "arguments",
            &[
                integer("protover"),
                block("auth", &[string("username"), string("password")]).after("AUTH").optional(),
                string("clientname").after("SETNAME").optional(),
            ],
        )
        .optional()])
        .history(&[("6.2.0", "The version may be left out, to ask about the connection.")]),
    command("ping", -1, "1.0.0")
        .summary("Answers PONG, or the message given.")
        .complexity("O(1)")
        .flags(&[FAST])
        .arguments(&[string("message").optional()])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    command("echo", 2, "1.0.0")
        .summary("Answers the message given.")
        .complexity("O(1)")
        .flags(&[LOADING, STALE, FAST])
        .arguments(&[string("message")]),
    command("quit", -1, "1.0.0")
        .summary("Closes the connection after a last reply.")
        .complexity("O(1)")
        .flags(&[NOSCRIPT, LOADING, STALE, FAST, NO_AUTH, ALLOW_BUSY])
        .deprecated("7.2.0", "closing the connection"),
    command("reset", 1, "6.2.0")
        .summary("Puts the connection back into the state of a new one.")
        .complexity("O(1)")
        .flags(&[NOSCRIPT, LOADING, STALE, FAST, NO_AUTH, ALLOW_BUSY]),
    command("select", 2, "1.0.0")
        .summary("Chooses the database that this connection works on.")
        .complexity("O(1)")
        .flags(&[LOADING, STALE, FAST])
        .arguments(&[integer("index")]),
    CommandSpec::new("client", -2, Group::Connection, "2.4.0")
        .summary("Groups the commands about client connections.")
        .complexity("Depends on the subcommand")
        .subcommands(super::client::SUBCOMMANDS),
];

/// A command of this group, in its category.
const fn command(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Connection, since).categories(&[Categories::CONNECTION])
}
