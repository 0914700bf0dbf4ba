//! `goredis-cli`: talk to a server from a terminal, a shell command or a pipe.
//!
//! | file | what |
//! |---|---|
//! | [`options`] | the command line: where to, as whom, how to print |
//! | [`session`] | the connection and what is known about its state; reconnecting |
//! | [`mod@line`] | what is typed: quoting, repeat counts |
//! | [`batch`] | one command, or commands from standard input |
//! | [`repl`] | the prompt: [`editor`] with history, completion and hints |
//! | [`docs`] | what the server says about its commands, behind [`completion`] and `help` |
//! | [`mod@format`] | replies as text |
//!
//! Replies go to standard output, everything else to standard error. The exit status is 0 if all that was asked
//! for was done, 1 if not (error replies included), 2 for a command line that makes no sense.

pub mod batch;
pub mod completion;
pub mod docs;
pub mod editor;
pub mod format;
pub mod line;
pub mod options;
pub mod repl;
pub mod session;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;

use options::{Invocation, Options};
use session::Session;

/// Runs the program with these arguments, the program's name first.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let options = match Options::parse(args) {
        Ok(Invocation::Run(options)) => *options,
        Ok(Invocation::Print(text)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("goredis-cli: {error}");
            return ExitCode::from(2);
        }
    };
    let interactive = options.command.is_empty() && std::io::stdin().is_terminal();
    let session = match Session::new(options.builder.clone(), interactive) {
        Ok(session) => session,
        Err(error) => {
            eprintln!("goredis-cli: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    if interactive { repl::run(session, &options) } else { batch::run(session, &options) }
}
