//! The server's program: reads the settings, and hands them to the server.

use goredis::settings::{self, Startup};
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    match settings::from_process() {
        Ok(Startup::Print(text)) => {
            // Why: `goredis --help | head` closes the pipe early, and that is no failure.
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Ok(Startup::Run(_settings)) => ExitCode::SUCCESS,
        Err(wrong) => {
            eprintln!("goredis: {wrong}");
            ExitCode::FAILURE
        }
    }
}
