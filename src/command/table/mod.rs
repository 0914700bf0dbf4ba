//! The one table of commands.
//!
//! Every command that the server knows stands here once, in a file named after its group; dispatch, COMMAND,
//! help, statistics and completion are generated from it. The code that runs a command is bound to its spec
//! elsewhere. Finding a command by its name is in [`lookup`](mod@lookup).

mod assemble;
mod client;
mod connection;
mod expiry;
mod generic;
mod introspection;
mod lookup;
mod number;
mod scripting;
mod server;
mod string;
mod transactions;

use super::spec::CommandSpec;
use assemble::{commands, commands_in, subcommands, subcommands_in};

pub use lookup::{by_full_name, lookup, resolve};

/// The groups, as their files declare them.
const GROUPS: &[&[CommandSpec]] = &[
    string::COMMANDS,
    number::COMMANDS,
    generic::COMMANDS,
    expiry::COMMANDS,
    connection::COMMANDS,
    transactions::COMMANDS,
    server::COMMANDS,
    introspection::COMMANDS,
    scripting::COMMANDS,
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
