//! The commands about the server as a whole: what it is and does, its settings, its files, its end.
//!
//! | file | commands |
//! |---|---|
//! | `info`, `info/` | INFO |
//! | `config` | CONFIG |
//! | `memory` | MEMORY |
//! | `slowlog` | SLOWLOG |
//! | `debug` | DEBUG |
//! | `save` | SAVE BGSAVE BGREWRITEAOF LASTSAVE |
//! | `shutdown` | SHUTDOWN |
//! | `commands` | COMMAND |
//! | `functions` | FUNCTION |
//! | `modules` | MODULE |
//! | `misc` | TIME LOLWUT |
//!
//! None does unbounded work on the calling thread: what may take long is left to a thread that may block.

#![expect(
    clippy::missing_errors_doc,
    reason = "handlers fail with the error replies that Redis documents for their commands, as `Handler` says"
)]

mod commands;
mod config;
mod debug;
mod functions;
mod human;
mod info;
mod memory;
mod misc;
mod modules;
mod process;
mod save;
mod shutdown;
mod slowlog;

pub use commands::{
    command, command_count, command_docs, command_getkeys, command_getkeysandflags, command_help,
    command_info, command_list,
};
pub use config::{
    config_get, config_help, config_resetstat, config_rewrite, config_set, packed_limits, save_points,
    tune_usage,
};
pub use debug::debug;
pub use functions::{function_flush, function_help, function_list, function_stats};
pub use info::info;
pub use memory::{memory_doctor, memory_help, memory_malloc_stats, memory_purge, memory_stats, memory_usage};
pub use misc::{lolwut, time};
pub use modules::{module_help, module_list};
pub use save::{bgrewriteaof, bgsave, lastsave, save};
pub use shutdown::shutdown;
pub use slowlog::{slowlog_get, slowlog_help, slowlog_len, slowlog_reset};

use crate::command::call::CommandError;
use crate::command::{introspect, table};
use crate::resp::ReplyBuf;

/// An error with Redis's text.
fn text(error: &'static str) -> CommandError {
    CommandError::Text(error.into())
}

/// HELP of a container, from the table.
fn help(container: &str, reply: &mut ReplyBuf) -> Result<(), CommandError> {
    let spec = table::lookup(container.as_bytes()).ok_or(CommandError::Syntax)?;
    introspect::help(spec, reply);
    Ok(())
}
