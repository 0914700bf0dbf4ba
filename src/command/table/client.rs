//! What CLIENT groups: commands on connections, this one and others.

use crate::command::spec::argument::{integer, one_of, string, token};
use crate::command::spec::bits::flag::{ADMIN, LOADING, NOSCRIPT, STALE};
use crate::command::spec::{Categories, CommandSpec, Group};

/// The subcommands of CLIENT.
pub(super) const SUBCOMMANDS: &[CommandSpec] = &[
    command("client|id", 2, "5.0.0")
        .summary("Answers the number of this connection, unique while the server runs.")
        .complexity("O(1)")
        .flags(&[NOSCRIPT, LOADING, STALE]),
    command("client|getname", 2, "2.6.9")
        .summary("Answers the name of this connection.")
        .complexity("O(1)")
        .flags(&[NOSCRIPT, LOADING, STALE]),
    command("client|setname", 3, "2.6.9")
        .summary("Names this connection.")
        .complexity("O(1)")
        .flags(&[NOSCRIPT, LOADING, STALE])
        .arguments(&[string("connection-name")])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    command("client|setinfo", 4, "7.2.0")
        .summary("Records which client library, in which version, uses this connection.")
        .complexity("O(1)")
        .flags(&[NOSCRIPT, LOADING, STALE])
        .arguments(&[one_of(
            "attr",
            &[string("libname").after("lib-name"), string("libver").after("lib-ver")],
        )])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    command("client|info", 2, "6.2.0")
        .summary("Describes this connection in one line.")
        .complexity("O(1)")
        .flags(&[NOSCRIPT, LOADING, STALE])
        .tips(&["nondeterministic_output"]),
    command("client|list", -2, "2.4.0")
        .summary("Describes all connections, one line each.")
        .complexity("O(N) for N connections")
        .flags(&[ADMIN, NOSCRIPT, LOADING, STALE])
        .arguments(&[
            one_of(
                "client-type",
                &[
                    token("normal", "normal"),
                    token("master", "master"),
                    token("replica", "replica"),
                    token("pubsub", "pubsub"),
                ],
            )
            .after("TYPE")
            .optional()
            .since("5.0.0"),
            integer("client-id").after("ID").optional().multiple().since("6.2.0"),
        ])
        .history(&[
            ("2.8.12", "Field `id`."),
            ("5.0.0", "`TYPE`."),
            ("6.0.0", "Field `user`."),
            ("6.2.0", "Fields `argv-mem`, `tot-mem`, `laddr` and `redir`; `ID`."),
            ("7.0.0", "Fields `resp`, `multi-mem`, `rbs` and `rbp`."),
            ("7.0.3", "Field `ssub`."),
        ])
        .tips(&["nondeterministic_output"]),
    command("client|kill", -3, "2.4.0")
        .summary("Closes connections picked by address, number, kind or user.")
        .complexity("O(N) for N connections")
        .flags(&[ADMIN, NOSCRIPT, LOADING, STALE])
        .arguments(&[one_of(
            "filter",
            &[
                string("old-format").display("ip:port").deprecated("2.8.12"),
                one_of(
                    "new-format",
                    &[
                        integer("client-id").after("ID").optional().since("2.8.12"),
                        one_of(
                            "client-type",
                            &[
                                token("normal", "normal"),
                                token("master", "master").since("3.2.0"),
                                token("slave", "slave"),
                                token("replica", "replica").since("5.0.0"),
                                token("pubsub", "pubsub"),
                            ],
                        )
                        .after("TYPE")
                        .optional()
                        .since("2.8.12"),
                        string("username").after("USER").optional(),
                        string("addr").after("ADDR").optional().display("ip:port"),
                        string("laddr").after("LADDR").optional().display("ip:port").since("6.2.0"),
                        one_of("skipme", &[token("yes", "YES"), token("no", "NO")])
                            .after("SKIPME")
                            .optional(),
                    ],
                )
                .multiple(),
            ],
        )])
        .history(&[
            ("2.8.12", "Filters by name and value."),
            ("2.8.12", "`ID`."),
            ("3.2.0", "`TYPE master`."),
            ("5.0.0", "`TYPE replica`; `slave` stays an alias."),
            ("6.2.0", "`LADDR`."),
        ]),
    command("client|reply", 3, "3.2.0")
        .summary("Switches the replies of this connection on or off, or skips the next one.")
        .complexity("O(1)")
        .flags(&[NOSCRIPT, LOADING, STALE])
        .arguments(&[one_of("action", &[token("on", "ON"), token("off", "OFF"), token("skip", "SKIP")])]),
    command("client|no-evict", 3, "7.0.0")
        .summary("Exempts this connection from being closed when clients use too much memory.")
        .complexity("O(1)")
        .flags(&[ADMIN, NOSCRIPT, LOADING, STALE])
        .arguments(&[one_of("enabled", &[token("on", "ON"), token("off", "OFF")])]),
    command("client|no-touch", 3, "7.2.0")
        .summary("Keeps this connection's commands from marking keys as used.")
        .complexity("O(1)")
        .flags(&[NOSCRIPT, LOADING, STALE])
        .arguments(&[one_of("enabled", &[token("on", "ON"), token("off", "OFF")])]),
    command("client|tracklsn", 3, "1.0.0")
        .summary(
            "Has a push lsn, token come before the replies to requests that have written something: what LSN would answer. \
             RESP3 only.",
        )
        .complexity("O(1)")
        .flags(&[NOSCRIPT, LOADING, STALE])
        .arguments(&[one_of("enabled", &[token("on", "ON"), token("off", "OFF")])]),
    command("client|pause", -3, "3.0.0")
        .summary("Holds back the commands, or only the writes, of all clients for a time.")
        .complexity("O(1)")
        .flags(&[ADMIN, NOSCRIPT, LOADING, STALE])
        .arguments(&[
            integer("timeout"),
            one_of("mode", &[token("write", "WRITE"), token("all", "ALL")]).optional().since("6.2.0"),
        ])
        .history(&[("6.2.0", "`WRITE` and `ALL`.")]),
    command("client|unpause", 2, "6.2.0")
        .summary("Lets paused clients go on.")
        .complexity("O(N) for N paused clients")
        .flags(&[ADMIN, NOSCRIPT, LOADING, STALE]),
    command("client|unblock", -3, "5.0.0")
        .summary("Lets a client go on that waits in a blocking command, as if time were up or with an error.")
        .complexity("O(1)")
        .flags(&[ADMIN, NOSCRIPT, LOADING, STALE])
        .arguments(&[
            integer("client-id"),
            one_of("unblock-type", &[token("timeout", "TIMEOUT"), token("error", "ERROR")]).optional(),
        ]),
    help("client|help", "5.0.0"),
];

/// A command of this group, in its category.
const fn command(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Connection, since).categories(&[Categories::CONNECTION])
}

/// The subcommand that lists the others of its container.
const fn help(name: &'static str, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, 2, Group::Connection, since)
        .categories(&[Categories::CONNECTION])
        .summary("Lists the subcommands.")
        .complexity("O(1)")
        .flags(&[LOADING, STALE])
}
