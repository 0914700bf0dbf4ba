//! The line that is being typed: history in a file, completion with Tab, hints in grey.

use std::borrow::Cow;
use std::path::PathBuf;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Helper};

use super::completion::CommandCompletion;

/// Lines that the history keeps.
const HISTORY_LINES_MAX: usize = 1000;

/// Name of the history's file, in the home directory.
const HISTORY_FILE: &str = ".goredis_cli_history";

/// What a person did at the prompt.
#[derive(Debug)]
pub enum Input {
    /// Wrote a line.
    Line(String),
    /// Pressed Ctrl-C.
    Interrupt,
    /// Pressed Ctrl-D, or the terminal is gone.
    End,
}

/// An editor on the terminal.
pub struct Editor<C: CommandCompletion> {
    lines: rustyline::Editor<Assistant<C>, FileHistory>,
    history: Option<PathBuf>,
}

impl<C: CommandCompletion> Editor<C> {
    /// Takes the terminal over and reads the history. A history that cannot be read is an empty one.
    ///
    /// # Errors
    /// If the terminal does not let itself be used.
    pub fn new(completion: C) -> Result<Self, ReadlineError> {
        let config = Config::builder()
            .max_history_size(HISTORY_LINES_MAX)?
            .history_ignore_dups(true)?
            .completion_type(CompletionType::Circular)
            .build();
        let mut lines = rustyline::Editor::with_config(config)?;
        lines.set_helper(Some(Assistant { completion }));
        let history = std::env::home_dir().map(|home| home.join(HISTORY_FILE));
        if let Some(path) = &history {
            let _ = lines.load_history(path);
        }
        Ok(Self { lines, history })
    }

    /// Knows these commands from now on.
    pub fn set_completion(&mut self, completion: C) {
        self.lines.set_helper(Some(Assistant { completion }));
    }

    /// Lets a person write a line.
    pub fn read(&mut self, prompt: &str) -> Input {
        match self.lines.readline(prompt) {
            Ok(line) => Input::Line(line),
            Err(ReadlineError::Interrupted) => Input::Interrupt,
            Err(_) => Input::End,
        }
    }

    /// Remembers a line, for this and later sessions, unless it holds a password.
    pub fn remember(&mut self, line: &str) {
        if holds_password(line) {
            return;
        }
        // Why: a history that cannot be written is no reason to stop working.
        let _ = self.lines.add_history_entry(line);
        if let Some(path) = &self.history {
            let _ = self.lines.append_history(path);
        }
    }
}

/// Whether a line holds what must not be written to a file.
fn holds_password(line: &str) -> bool {
    let words: Vec<String> = line.split_whitespace().map(str::to_ascii_uppercase).collect();
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    match (word(0), word(1)) {
        ("AUTH", _) | ("ACL", "SETUSER") => true,
        ("HELLO" | "MIGRATE", _) => words.iter().any(|word| word == "AUTH" || word == "AUTH2"),
        ("CONFIG", "SET") => {
            words.iter().any(|word| word == "REQUIREPASS" || word == "MASTERAUTH" || word == "PRIMARYAUTH")
        }
        _ => false,
    }
}

/// Connects rustyline to something that knows commands.
struct Assistant<C> {
    completion: C,
}

impl<C: CommandCompletion> Completer for Assistant<C> {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let before = line.get(..position).unwrap_or(line);
        Ok((0, self.completion.complete(before)))
    }
}

impl<C: CommandCompletion> Hinter for Assistant<C> {
    type Hint = String;

    fn hint(&self, line: &str, position: usize, _: &Context<'_>) -> Option<String> {
        if position < line.len() { None } else { self.completion.hint(line) }
    }
}

impl<C: CommandCompletion> Highlighter for Assistant<C> {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[90m{hint}\x1b[0m"))
    }
}

impl<C: CommandCompletion> Validator for Assistant<C> {}
impl<C: CommandCompletion> Helper for Assistant<C> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_stay_out_of_the_history() {
        for line in [
            "auth secret",
            " AUTH me secret",
            "hello 3 auth me secret",
            "acl setuser me >secret",
            "config set requirepass x",
        ] {
            assert!(holds_password(line), "{line}");
        }
        for line in ["get auth", "hello 3", "config get requirepass", ""] {
            assert!(!holds_password(line), "{line}");
        }
    }
}
