//! Commands that publish and subscribe.

use crate::command::spec::argument::{pattern, string};
use crate::command::spec::bits::flag::{FAST, LOADING, MAY_REPLICATE, NOSCRIPT, PUBSUB, STALE};
use crate::command::spec::bits::key::NOT_KEY;
use crate::command::spec::{CommandSpec, Group, KeySpec};

/// The commands of this file.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("publish", 3, "2.0.0")
        .summary("Sends a message to all who are subscribed to a channel.")
        .complexity("O(N+M) for N subscribers that get it and M patterns of anybody")
        .flags(&[PUBSUB, LOADING, STALE, FAST, MAY_REPLICATE])
        .arguments(&[string("channel"), string("message")]),
    command("subscribe", -2, "2.0.0")
        .summary("Listens to channels.")
        .complexity("O(N) for N channels")
        .flags(&[PUBSUB, NOSCRIPT, LOADING, STALE])
        .arguments(&[string("channel").multiple()]),
    command("unsubscribe", -1, "2.0.0")
        .summary("Stops listening to channels, or to all of them.")
        .complexity("O(N) for N channels")
        .flags(&[PUBSUB, NOSCRIPT, LOADING, STALE])
        .arguments(&[string("channel").optional().multiple()]),
    command("psubscribe", -2, "2.0.0")
        .summary("Listens to all channels that match patterns.")
        .complexity("O(N) for N patterns")
        .flags(&[PUBSUB, NOSCRIPT, LOADING, STALE])
        .arguments(&[pattern("pattern").multiple()]),
    command("punsubscribe", -1, "2.0.0")
        .summary("Stops listening to patterns, or to all of them.")
        .complexity("O(N) for N patterns")
        .flags(&[PUBSUB, NOSCRIPT, LOADING, STALE])
        .arguments(&[pattern("pattern").optional().multiple()]),
    command("spublish", 3, "7.0.0")
        .summary("Sends a message to all who are subscribed to a shard channel.")
        .complexity("O(N) for N subscribers that get it")
        .flags(&[PUBSUB, LOADING, STALE, FAST, MAY_REPLICATE])
        .keys(&[KeySpec::at(1, &[NOT_KEY])])
        .arguments(&[string("shardchannel"), string("message")]),
    command("ssubscribe", -2, "7.0.0")
        .summary("Listens to shard channels.")
        .complexity("O(N) for N shard channels")
        .flags(&[PUBSUB, NOSCRIPT, LOADING, STALE])
        .keys(&[KeySpec::range(1, -1, 1, &[NOT_KEY])])
        .arguments(&[string("shardchannel").multiple()]),
    command("sunsubscribe", -1, "7.0.0")
        .summary("Stops listening to shard channels, or to all of them.")
        .complexity("O(N) for N shard channels")
        .flags(&[PUBSUB, NOSCRIPT, LOADING, STALE])
        .keys(&[KeySpec::range(1, -1, 1, &[NOT_KEY])])
        .arguments(&[string("shardchannel").optional().multiple()]),
    command("pubsub", -2, "2.8.0")
        .summary("Groups the commands that tell who is subscribed to what.")
        .complexity("Depends on the subcommand")
        .subcommands(&[
            command("pubsub|channels", -2, "2.8.0")
                .summary("Lists the channels that have subscribers.")
                .complexity("O(N) for N channels of the server")
                .flags(&[PUBSUB, LOADING, STALE])
                .arguments(&[pattern("pattern").optional()]),
            command("pubsub|numpat", 2, "2.8.0")
                .summary("Counts the patterns that have subscribers.")
                .complexity("O(1)")
                .flags(&[PUBSUB, LOADING, STALE]),
            command("pubsub|numsub", -2, "2.8.0")
                .summary("Counts the subscribers of channels, patterns apart.")
                .complexity("O(N) for N channels asked about")
                .flags(&[PUBSUB, LOADING, STALE])
                .arguments(&[string("channel").optional().multiple()]),
            command("pubsub|shardchannels", -2, "7.0.0")
                .summary("Lists the shard channels that have subscribers.")
                .complexity("O(N) for N shard channels of the server")
                .flags(&[PUBSUB, LOADING, STALE])
                .arguments(&[pattern("pattern").optional()]),
            command("pubsub|shardnumsub", -2, "7.0.0")
                .summary("Counts the subscribers of shard channels.")
                .complexity("O(N) for N shard channels asked about")
                .flags(&[PUBSUB, LOADING, STALE])
                .arguments(&[string("shardchannel").optional().multiple()]),
            command("pubsub|help", 2, "6.2.0")
                .summary("Lists the subcommands.")
                .complexity("O(1)")
                .flags(&[LOADING, STALE]),
        ]),
];

/// A command of this group.
const fn command(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Pubsub, since)
}
