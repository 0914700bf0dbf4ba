//! The one table of commands.
//!
//! Every command that the server knows stands here once, in a file named after its group; dispatch, COMMAND,
//! help, statistics and completion are generated from it. The code that runs a command is bound to its spec
//! elsewhere. Commands are found by their names with [`lookup`](fn@lookup) and [`resolve`].

mod assemble;
mod client;
mod connection;
mod expiry;
mod generic;
mod hash;
mod hash_expiry;
mod introspection;
mod list;
mod lookup;
mod number;
mod pubsub;
mod replication;
mod scripting;
mod server;
mod set;
mod sort;
mod sorted_set;
mod sorted_set_algebra;
mod sorted_set_range;
mod string;
mod transactions;
mod transfer;

use super::spec::CommandSpec;
use assemble::{commands, commands_in, subcommands, subcommands_in};

pub use lookup::{by_full_name, lookup, resolve};

/// The groups, as their files declare them.
const GROUPS: &[&[CommandSpec]] = &[
    string::COMMANDS,
    number::COMMANDS,
    generic::COMMANDS,
    expiry::COMMANDS,
    sort::COMMANDS,
    transfer::COMMANDS,
    hash::COMMANDS,
    hash_expiry::COMMANDS,
    list::COMMANDS,
    set::COMMANDS,
    sorted_set::COMMANDS,
    sorted_set_range::COMMANDS,
    sorted_set_algebra::COMMANDS,
    connection::COMMANDS,
    transactions::COMMANDS,
    server::COMMANDS,
    replication::COMMANDS,
    introspection::COMMANDS,
    scripting::COMMANDS,
    pubsub::COMMANDS,
];

const TOP_LEVEL: usize = commands_in(GROUPS);
const SUBCOMMANDS: usize = subcommands_in(GROUPS);

/// How many commands and subcommands there are: one more than the largest [`CommandSpec::index`].
pub const COUNT: usize = TOP_LEVEL + SUBCOMMANDS;

static SUBCOMMAND_TABLE: [CommandSpec; SUBCOMMANDS] = subcommands(GROUPS, TOP_LEVEL);
static COMMAND_TABLE: [CommandSpec; TOP_LEVEL] = commands(GROUPS, &SUBCOMMAND_TABLE);

/// All commands; subcommands are inside their containers.
pub static COMMANDS: &[CommandSpec] = &COMMAND_TABLE;

/// All commands and subcommands, in the order of their index.
pub fn all() -> impl Iterator<Item = &'static CommandSpec> {
    COMMAND_TABLE.iter().chain(&SUBCOMMAND_TABLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::spec::{
        Argument, ArgumentFlags, ArgumentKind, BeginSearch, FindKeys, Flags, KeyFlags,
    };
    use std::collections::HashSet;

    /// All arguments of a command, those inside others included.
    fn arguments(spec: &CommandSpec) -> Vec<&'static Argument> {
        let mut found: Vec<_> = spec.arguments.iter().collect();
        let mut at = 0;
        while at < found.len() {
            found.extend(found[at].arguments);
            at += 1;
        }
        found
    }

    #[test]
    fn no_two_commands_have_one_name() {
        let names: HashSet<_> = all().map(|spec| spec.full_name).collect();
        assert_eq!(names.len(), COUNT);
        assert!(names.iter().all(|name| !name.is_empty() && name.to_ascii_lowercase() == **name));
    }

    #[test]
    fn indexes_are_dense() {
        assert!(all().map(CommandSpec::index).eq(0..COUNT));
    }

    #[test]
    fn subcommands_carry_the_name_of_their_container() {
        for container in COMMANDS {
            for subcommand in container.subcommands {
                assert_eq!(subcommand.full_name, format!("{}|{}", container.name, subcommand.name));
                assert!(!subcommand.is_container(), "{}", subcommand.full_name);
                assert!(subcommand.arity.abs() >= 2, "{}", subcommand.full_name);
            }
        }
    }

    #[test]
    fn every_container_can_tell_its_subcommands() {
        for container in COMMANDS.iter().filter(|spec| spec.is_container()) {
            let last = container.subcommands.last().expect("a container has subcommands");
            assert_eq!((last.name, last.arity), ("help", 2), "{}", container.name);
        }
    }

    #[test]
    fn every_command_says_what_it_does_in_a_sentence() {
        for spec in all() {
            assert!(spec.summary.ends_with('.') && spec.summary.len() > 10, "{}", spec.full_name);
            assert!(!spec.since.is_empty() && spec.arity != 0, "{}", spec.full_name);
        }
    }

    #[test]
    fn a_command_reads_or_writes_but_not_both() {
        for spec in all() {
            assert!(!spec.flags.contains(Flags::of(&[Flags::READONLY, Flags::WRITE])), "{}", spec.full_name);
            let changes = KeyFlags::of(&[KeyFlags::RW, KeyFlags::OW, KeyFlags::RM]);
            if spec.keys.iter().any(|keys| keys.flags.intersects(changes)) {
                assert!(spec.flags.contains(Flags::WRITE), "{} changes keys", spec.full_name);
            }
        }
    }

    #[test]
    fn every_key_spec_says_exactly_one_thing_about_the_value() {
        let whole = [KeyFlags::RO, KeyFlags::RW, KeyFlags::OW, KeyFlags::RM];
        for spec in all() {
            for keys in spec.keys.iter().filter(|keys| !keys.flags.contains(KeyFlags::NOT_KEY)) {
                let said = whole.iter().filter(|flag| keys.flags.contains(**flag)).count();
                assert_eq!(said, 1, "{}", spec.full_name);
                assert_eq!(keys.varied.is_some(), keys.flags.contains(KeyFlags::VARIABLE_FLAGS));
            }
        }
    }

    #[test]
    fn keys_at_fixed_places_are_within_the_arity() {
        for spec in all() {
            let least = spec.arity.abs();
            for keys in spec.keys {
                if let (BeginSearch::Index(first), FindKeys::Range { last: last @ 0.., .. }) =
                    (keys.begin, keys.find)
                    && !keys.flags.contains(KeyFlags::NOT_KEY)
                {
                    assert!(first + last < least, "{}", spec.full_name);
                }
            }
        }
    }

    #[test]
    fn key_arguments_and_key_specs_belong_together() {
        for spec in all() {
            let named: HashSet<_> = arguments(spec).iter().filter_map(|one| one.key_spec_index).collect();
            let keys = spec.keys.iter().zip(0..).filter(|(keys, _)| !keys.flags.contains(KeyFlags::NOT_KEY));
            assert_eq!(named, keys.map(|(_, at)| at).collect(), "{}", spec.full_name);
        }
    }

    #[test]
    fn arguments_are_as_many_as_the_arity_allows() {
        for spec in all().filter(|spec| !spec.is_container() && spec.name != "debug") {
            let names = spec.full_name.split('|').count();
            let least = names + spec.arguments.iter().map(least_words).sum::<usize>();
            let open = arguments(spec).iter().any(|one| !one.flags.is_empty());
            assert!(least <= spec.arity.unsigned_abs() as usize, "{}", spec.full_name);
            assert!(!open || spec.arity < 0, "{}: a fixed arity and optional arguments", spec.full_name);
        }
    }

    /// How many words an argument takes at least.
    fn least_words(argument: &Argument) -> usize {
        if argument.flags.contains(ArgumentFlags::OPTIONAL) {
            return 0;
        }
        let inside = argument.arguments.iter().map(least_words);
        let token = usize::from(argument.token.is_some());
        token
            + match argument.kind {
                ArgumentKind::PureToken => 0,
                ArgumentKind::OneOf => inside.min().unwrap_or_default(),
                ArgumentKind::Block => inside.sum(),
                _ => 1,
            }
    }
}
