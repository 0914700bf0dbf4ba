//! COMMAND and its subcommands, which [`introspect`](crate::command::introspect) answers from the table.

use super::help;
use crate::command::call::{Call, CommandError};
use crate::command::introspect;

macro_rules! from_the_table {
    ($($(#[$doc:meta])* $handler:ident = $answer:path;)+) => {
        $(
            $(#[$doc])*
            pub fn $handler(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
                $answer(call.args, call.reply);
                Ok(())
            }
        )+
    };
}

from_the_table! {
    /// COMMAND
    command = introspect::all;
    /// COMMAND COUNT
    command_count = introspect::count;
    /// `COMMAND INFO [name ...]`
    command_info = introspect::info;
    /// `COMMAND DOCS [name ...]`
    command_docs = introspect::docs;
    /// `COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern]`
    command_list = introspect::list;
    /// `COMMAND GETKEYS command [argument ...]`
    command_getkeys = introspect::get_keys;
    /// `COMMAND GETKEYSANDFLAGS command [argument ...]`
    command_getkeysandflags = introspect::get_keys_and_flags;
}

/// COMMAND HELP
pub fn command_help(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    help("command", call.reply)
}
