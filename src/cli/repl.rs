//! The prompt: read a line, run it, print the reply, again.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::batch::{print, sentence};
use super::docs::CommandDocs;
use super::editor::{Editor, Input};
use super::format::answers_with_text;
use super::line::{Line, makes_the_server_talk};
use super::options::Options;
use super::session::{Outcome, Session};
use crate::client::Error;
use crate::resp::Value;

/// How long a command may take before its time is shown.
const SLOW: Duration = Duration::from_millis(500);

/// A session at a terminal.
struct Repl<'a> {
    session: Session,
    editor: Editor<CommandDocs>,
    docs: CommandDocs,
    options: &'a Options,
}

/// Reads and runs lines until the person has had enough.
pub fn run(mut session: Session, options: &Options) -> ExitCode {
    greet(&mut session);
    let editor = match Editor::new(CommandDocs::default()) {
        Ok(editor) => editor,
        Err(error) => {
            eprintln!("goredis-cli: cannot use the terminal: {error}");
            return ExitCode::FAILURE;
        }
    };
    Repl { session, editor, docs: CommandDocs::default(), options }.serve()
}

/// Connects; where the server refuses the password or database, without them, so that others can be tried.
fn greet(session: &mut Session) {
    let Err(error) = session.connect() else { return };
    eprintln!("{}", sentence(&error));
    if matches!(error, Error::Server(_)) {
        session.forget_login();
        if let Err(error) = session.connect() {
            eprintln!("{}", sentence(&error));
        }
    }
}

impl Repl<'_> {
    fn serve(mut self) -> ExitCode {
        let mut interrupted = false;
        loop {
            self.learn_commands();
            match self.editor.read(&self.session.prompt()) {
                Input::End => return ExitCode::SUCCESS,
                Input::Interrupt if interrupted => return ExitCode::SUCCESS,
                Input::Interrupt => {
                    interrupted = true;
                    eprintln!("(press Ctrl-C again or Ctrl-D to leave)");
                }
                Input::Line(line) => {
                    interrupted = false;
                    if !self.line(&line) {
                        return ExitCode::SUCCESS;
                    }
                }
            }
        }
    }

    /// Asks the server for its commands, once there is one.
    fn learn_commands(&mut self) {
        if !self.docs.is_empty() || !self.session.is_connected() || self.session.in_transaction() {
            return;
        }
        let question = [b"COMMAND".to_vec(), b"DOCS".to_vec()];
        if let Outcome::Reply(reply) = self.session.execute(&question) {
            self.docs = CommandDocs::from_reply(&reply);
            self.editor.set_completion(self.docs.clone());
        }
    }

    /// Runs a line; false if it says goodbye.
    fn line(&mut self, line: &str) -> bool {
        let parsed = Line::parse(line.as_bytes());
        if parsed != Ok(None) {
            self.editor.remember(line);
        }
        match parsed {
            Ok(None) => {}
            Err(error) => println!("{error}"),
            Ok(Some(line)) if line.is_farewell() => return false,
            Ok(Some(line)) => self.command(line.times, &line.args),
        }
        true
    }

    fn command(&mut self, times: u64, args: &[Vec<u8>]) {
        let first = String::from_utf8_lossy(&args[0]).to_ascii_lowercase();
        match first.as_str() {
            "clear" if args.len() == 1 => {
                print!("\x1b[H\x1b[2J");
                // Why: a terminal that is not cleared is not worth ending for.
                let _ = std::io::stdout().flush();
            }
            "help" | "?" => {
                let words: Vec<String> =
                    args[1..].iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
                print!("{}", help(&self.docs, &words));
            }
            _ => {
                let started = Instant::now();
                for _ in 0..times {
                    if !self.once(args) {
                        break;
                    }
                    std::thread::sleep(self.options.interval);
                }
                if started.elapsed() >= SLOW && !makes_the_server_talk(args) {
                    println!("({:.2}s)", started.elapsed().as_secs_f64());
                }
            }
        }
    }

    /// Runs a command once; false if there is no point in running it again.
    fn once(&mut self, args: &[Vec<u8>]) -> bool {
        let style = &self.options.style;
        if makes_the_server_talk(args) && !self.session.in_transaction() {
            println!("Reading messages... (press Ctrl-C to stop)");
            let ended = self.session.listen(args, |message| drop(print(style, message, false)));
            match ended {
                Ok(()) => println!(),
                Err(error) => eprintln!("{}", sentence(&error)),
            }
            self.reconnect();
            return false;
        }
        match self.session.execute(args) {
            Outcome::Reply(reply) => {
                let as_text = answers_with_text(args) && !matches!(reply, Value::Error(_));
                print(style, &reply, as_text).is_ok()
            }
            Outcome::Interrupted => {
                println!();
                self.reconnect();
                false
            }
            Outcome::Failed(error) => {
                eprintln!("{}", sentence(&error));
                if !matches!(error, Error::Connect { .. } | Error::ConnectTimeout { .. }) {
                    self.reconnect();
                }
                false
            }
        }
    }

    fn reconnect(&mut self) {
        if let Err(error) = self.session.connect() {
            eprintln!("{}", sentence(&error));
        }
    }
}

/// The answer to `help WORDS`.
fn help(docs: &CommandDocs, words: &[String]) -> String {
    if docs.is_empty() {
        return "The server has told nothing about its commands.\n".to_owned();
    }
    match words {
        [] => "help <command>     what it does and how to write it\nhelp @<group>      the commands of a group\n\
               <Tab>              completes the name of a command\n5 <command>        runs it five times\n\
               clear, exit, quit\n"
            .to_owned(),
        [group] if group.starts_with('@') => {
            let group = group[1..].to_ascii_lowercase();
            docs.iter().filter(|(_, doc)| doc.group == group).map(|(name, _)| help_on(docs, name)).collect()
        }
        words => {
            let name = words.join(" ").to_ascii_uppercase();
            let below = format!("{name} ");
            let names = docs.iter().map(|(known, _)| known);
            names.filter(|known| *known == name || known.starts_with(&below)).map(|known| help_on(docs, known)).collect()
        }
    }
}

fn help_on(docs: &CommandDocs, name: &str) -> String {
    let words: Vec<String> = name.split(' ').map(str::to_owned).collect();
    let mut text = String::new();
    if let Some((_, doc)) = docs.find(&words) {
        // Why: writing to memory cannot fail.
        let _ = writeln!(text, "\n  {}", format!("{name} {}", doc.usage()).trim_end());
        for (label, value) in [("summary", &doc.summary), ("since", &doc.since), ("group", &doc.group)] {
            if !value.is_empty() {
                let _ = writeln!(text, "  {label}: {value}");
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::docs::tests::sample;
    use super::*;

    fn help_for(line: &str) -> String {
        help(&sample(), &line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn help_describes_a_command_a_group_or_a_container() {
        assert_eq!(
            help_for("get"),
            "\n  GET key\n  summary: Returns a value.\n  since: 1.0.0\n  group: string\n\n"
        );
        assert!(
            help_for("@string").contains("  GET key\n") && help_for("@string").contains("  SET key value")
        );
        assert!(
            help_for("config").contains("  CONFIG GET pattern")
                && help_for("config").contains("  CONFIG REWRITE\n")
        );
        assert!(help_for("config get").starts_with("\n  CONFIG GET pattern"));
        assert_eq!(help_for("nothing"), "");
        assert!(help_for("").contains("help <command>"));
    }
}
