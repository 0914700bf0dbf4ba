//! The command-line client: see `goredis::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    goredis::cli::run(std::env::args_os())
}
