//! The server's program: reads the settings, and hands them to the server.

use goredis::settings::{self, Startup};
use std::process::ExitCode;

fn main() -> ExitCode {
    match settings::from_process() {
        Ok(Startup::Print(text)) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Ok(Startup::Run(_settings)) => ExitCode::SUCCESS,
        Err(wrong) => {
            eprintln!("goredis: {wrong}");
            ExitCode::FAILURE
        }
    }
}
