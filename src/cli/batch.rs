//! Without a prompt: one command from the command line, or commands from standard input, one per line.

use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;

use super::format::{Style, answers_with_text};
use super::line::{Line, makes_the_server_talk};
use super::options::Options;
use super::session::{Outcome, Session};
use crate::client::Error;
use crate::resp::Value;

/// What was done, in ascending order of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Success {
    Done,
    /// The server refused, or the line was no command; others can follow.
    Refused,
    /// No connection; nothing can follow.
    Lost,
}

impl From<Success> for ExitCode {
    fn from(success: Success) -> Self {
        if success == Success::Done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Does what the options ask for.
pub fn run(mut session: Session, options: &Options) -> ExitCode {
    if let Err(error) = session.connect() {
        eprintln!("{}", sentence(&error));
        return ExitCode::FAILURE;
    }
    let outcome = if options.command.is_empty() {
        from_lines(&mut session, options, io::stdin().lock())
    } else {
        one_command(&mut session, options)
    };
    match outcome {
        Ok(success) => success.into(),
        // Why: whoever reads the output has seen enough, as with `| head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("goredis-cli: {error}");
            ExitCode::FAILURE
        }
    }
}

fn one_command(session: &mut Session, options: &Options) -> io::Result<Success> {
    let mut args = options.command.clone();
    if options.last_from_stdin {
        let mut last = Vec::new();
        io::stdin().lock().read_to_end(&mut last)?;
        args.push(last);
    }
    let (mut worst, mut runs) = (Success::Done, 0_u64);
    loop {
        worst = worst.max(one(session, &options.style, &args)?);
        runs += 1;
        if options.repeat == Some(runs) || worst > Success::Done && options.stop_at_error {
            return Ok(worst);
        }
        // Why: a loop for ever is somebody watching; it survives a restart of the server.
        if worst == Success::Lost && options.repeat.is_some() {
            return Ok(worst);
        }
        std::thread::sleep(options.interval);
    }
}

/// Runs each line, until the last, or until what follows would meet another state than its writer thought.
fn from_lines(session: &mut Session, options: &Options, mut lines: impl BufRead) -> io::Result<Success> {
    let (mut worst, mut line) = (Success::Done, Vec::new());
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(worst);
        }
        match run_line(session, options, &line)? {
            None => return Ok(worst),
            Some(success) => worst = worst.max(success),
        }
        if worst == Success::Lost || worst > Success::Done && options.stop_at_error {
            return Ok(worst);
        }
    }
}

/// Runs one line; `None` if it says to stop.
fn run_line(session: &mut Session, options: &Options, line: &[u8]) -> io::Result<Option<Success>> {
    let line = match Line::parse(line) {
        Ok(Some(line)) => line,
        Ok(None) => return Ok(Some(Success::Done)),
        Err(error) => {
            eprintln!("{error}");
            return Ok(Some(Success::Refused));
        }
    };
    if line.is_farewell() {
        return Ok(None);
    }
    let mut worst = Success::Done;
    for _ in 0..line.times {
        worst = worst.max(one(session, &options.style, &line.args)?);
        if worst == Success::Lost {
            break;
        }
        std::thread::sleep(options.interval);
    }
    Ok(Some(worst))
}

/// Runs a command once and prints what comes of it.
fn one(session: &mut Session, style: &Style, args: &[Vec<u8>]) -> io::Result<Success> {
    if makes_the_server_talk(args) {
        let mut printed = Ok(());
        let ended = session.listen(args, |message| {
            if printed.is_ok() {
                printed = print(style, message, false);
            }
        });
        printed?;
        return Ok(ended.map_or_else(
            |error| {
                eprintln!("{}", sentence(&error));
                Success::Lost
            },
            |()| Success::Done,
        ));
    }
    match session.execute(args) {
        Outcome::Reply(reply) => {
            print(style, &reply, answers_with_text(args))?;
            Ok(if matches!(reply, Value::Error(_)) { Success::Refused } else { Success::Done })
        }
        Outcome::Failed(error) => {
            eprintln!("{}", sentence(&error));
            Ok(Success::Lost)
        }
        Outcome::Interrupted => Ok(Success::Lost),
    }
}

/// Prints a reply and sees to it that it is out.
pub(super) fn print(style: &Style, reply: &Value, as_text: bool) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(&style.render(reply, as_text))?;
    stdout.flush()
}

/// An error as a person is told.
pub(super) fn sentence(error: &Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_start_like_sentences() {
        assert!(sentence(&Error::Closed).starts_with("The connection is closed"));
    }
}
