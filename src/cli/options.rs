//! The command line. Names are redis-cli's, and long ones work with one dash or two.

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser};
use thiserror::Error;

use super::format::{Format, Style};
use crate::client::address::DEFAULT_PORT;
use crate::client::{Address, Builder};
use crate::resp::Protocol;

/// The environment variable that holds the password, as for redis-cli.
const PASSWORD_VARIABLE: &str = "REDISCLI_AUTH";

#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command line")]
#[command(
    name = "goredis-cli",
    version,
    about = "Talks to a GoRedis or any other Redis-compatible server.",
    after_help = "Without a command, commands are read from standard input: at a prompt if it is a terminal, else one per \
                  line. A number before a command repeats it (5 INCR x).\nThe exit status is 0 if all commands succeeded.",
    override_usage = "goredis-cli [OPTIONS] [COMMAND [ARG]...]",
    disable_help_flag = true,
    disable_version_flag = true
)]
struct Arguments {
    /// Server: HOST:PORT, [IPV6]:PORT or the path of a Unix socket.
    #[arg(long, value_name = "ADDRESS")]
    addr: Option<Address>,
    /// Server's host.
    #[arg(short = 'h', long, value_name = "HOST", default_value = "127.0.0.1")]
    host: String,
    /// Server's port.
    #[arg(short = 'p', long, value_name = "PORT", default_value_t = DEFAULT_PORT)]
    port: u16,
    /// Server's Unix socket.
    #[arg(short = 's', long, value_name = "PATH")]
    socket: Option<String>,
    /// Password. A safer place is the environment: `REDISCLI_AUTH`.
    #[arg(short = 'a', long = "pass", value_name = "PASSWORD", allow_hyphen_values = true)]
    password: Option<String>,
    /// User to log in as; needs a password.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Do not warn about a password on the command line.
    #[arg(long)]
    no_auth_warning: bool,
    /// Database.
    #[arg(short = 'n', long = "db", value_name = "NUMBER", default_value_t = 0)]
    db: u32,
    /// Speak RESP2.
    #[arg(short = '2', conflicts_with = "resp3")]
    resp2: bool,
    /// Speak RESP3.
    #[arg(short = '3')]
    resp3: bool,
    /// Seconds to wait for a connection.
    #[arg(short = 't', value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    connect_timeout: Duration,
    /// Run the command so many times; -1 for ever.
    #[arg(
        short = 'r',
        long = "repeat",
        value_name = "COUNT",
        default_value_t = 1,
        allow_hyphen_values = true
    )]
    repeat: i64,
    /// Seconds to wait after each run, with -r.
    #[arg(short = 'i', long = "interval", value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    interval: Duration,
    /// Append standard input to the command as its last argument.
    #[arg(short = 'x')]
    last_from_stdin: bool,
    /// Stop reading commands at the first that fails.
    #[arg(short = 'e')]
    stop_at_error: bool,
    /// Print replies as their bytes; the default where output is no terminal.
    #[arg(long, overrides_with_all = ["no_raw", "csv", "json"])]
    raw: bool,
    /// Print replies with types and quotes even where output is no terminal.
    #[arg(long, overrides_with_all = ["raw", "csv", "json"])]
    no_raw: bool,
    /// Print replies as comma-separated values.
    #[arg(long, overrides_with_all = ["raw", "no_raw", "json"])]
    csv: bool,
    /// Print replies as JSON; speaks RESP3 unless -2 is given.
    #[arg(long, overrides_with_all = ["raw", "no_raw", "csv"])]
    json: bool,
    /// Between the values of a raw reply.
    #[arg(
        short = 'd',
        value_name = "DELIMITER",
        default_value = "\n",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    value_delimiter: String,
    /// After each raw reply.
    #[arg(
        short = 'D',
        value_name = "DELIMITER",
        default_value = "\n",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    reply_delimiter: String,
    /// Print this help.
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,
    /// Print the version.
    #[arg(short = 'v', long, action = clap::ArgAction::Version)]
    version: Option<bool>,
    /// Command to run.
    #[arg(value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// A command line that makes no sense.
#[derive(Debug, Error)]
pub enum OptionsError {
    /// Unknown or ill-valued option; the text names it.
    #[error("{0}")]
    Usage(String),
    /// `-r 0` and the like.
    #[error("-r must be a positive number, or -1 for ever")]
    Repeat,
    /// `-x` has nothing to append to.
    #[error("-x needs a command")]
    NothingToAppendTo,
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Invocation {
    /// Work.
    Run(Box<Options>),
    /// A text, and nothing else.
    Print(String),
}

/// What to do, where, and how to print it.
#[derive(Debug, Clone)]
pub struct Options {
    /// How to connect.
    pub builder: Builder,
    /// How to print.
    pub style: Style,
    /// The command; empty if commands come from standard input.
    pub command: Vec<Vec<u8>>,
    /// How often to run it; `None` for ever.
    pub repeat: Option<u64>,
    /// Pause after each run.
    pub interval: Duration,
    /// Standard input is the command's last argument.
    pub last_from_stdin: bool,
    /// The first failure ends it.
    pub stop_at_error: bool,
}

impl Options {
    /// Reads the command line, the program's name first.
    ///
    /// # Errors
    /// An [`OptionsError`] that names the option at fault.
    pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Invocation, OptionsError> {
        let command = Arguments::command();
        let args = double_dashes(&command, args);
        let arguments =
            command.try_get_matches_from(args).and_then(|matches| Arguments::from_arg_matches(&matches));
        match arguments {
            Ok(arguments) => {
                Self::from_arguments(arguments).map(|options| Invocation::Run(Box::new(options)))
            }
            Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
                Ok(Invocation::Print(error.to_string()))
            }
            Err(error) => Err(OptionsError::Usage(one_line(&error.to_string()))),
        }
    }

    fn from_arguments(arguments: Arguments) -> Result<Self, OptionsError> {
        if arguments.last_from_stdin && arguments.command.is_empty() {
            return Err(OptionsError::NothingToAppendTo);
        }
        let repeat = match arguments.repeat {
            -1 => None,
            count => Some(u64::try_from(count).ok().filter(|count| *count > 0).ok_or(OptionsError::Repeat)?),
        };
        Ok(Self {
            builder: builder(&arguments),
            style: style(&arguments),
            command: arguments.command.into_iter().map(OsStringExt::into_vec).collect(),
            repeat,
            interval: arguments.interval,
            last_from_stdin: arguments.last_from_stdin,
            stop_at_error: arguments.stop_at_error,
        })
    }
}

fn builder(arguments: &Arguments) -> Builder {
    let address = match (&arguments.socket, &arguments.addr) {
        (Some(path), _) => Address::Unix(path.into()),
        (None, Some(address)) => address.clone(),
        (None, None) => Address::tcp(arguments.host.clone(), arguments.port),
    };
    let protocol =
        if arguments.resp3 || arguments.json && !arguments.resp2 { Protocol::Resp3 } else { Protocol::Resp2 };
    if arguments.password.is_some() && !arguments.no_auth_warning {
        eprintln!(
            "Warning: Using a password with '-a' or '--pass' on the command line interface may not be safe."
        );
    }
    let mut builder = Builder::new(address)
        .db(arguments.db)
        .protocol(protocol)
        .connect_timeout(arguments.connect_timeout)
        .request_timeout(None);
    if let Some(password) = arguments.password.clone().or_else(|| std::env::var(PASSWORD_VARIABLE).ok()) {
        builder = builder.password(password);
    }
    if let Some(user) = &arguments.user {
        builder = builder.username(user);
    }
    builder
}

fn style(arguments: &Arguments) -> Style {
    let format = match arguments {
        Arguments { json: true, .. } => Format::Json,
        Arguments { csv: true, .. } => Format::Csv,
        Arguments { raw: true, .. } => Format::Raw,
        Arguments { no_raw: true, .. } => Format::Terminal,
        _ if std::io::stdout().is_terminal() => Format::Terminal,
        _ => Format::Raw,
    };
    Style {
        format,
        value_delimiter: arguments.value_delimiter.clone().into_bytes(),
        reply_delimiter: arguments.reply_delimiter.clone().into_bytes(),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "expected a number of seconds".to_owned())
}

/// Gives long options that were written with one dash their second one, and marks where the command starts: its words
/// are never options.
fn double_dashes(command: &clap::Command, args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args = args.into_iter();
    let mut doubled: Vec<OsString> = args.by_ref().take(1).collect();
    while let Some(arg) = args.next() {
        let bytes = arg.as_bytes();
        if !bytes.starts_with(b"-") || bytes == b"-" || bytes == b"--" {
            doubled.push("--".into());
            doubled.extend(Some(arg).filter(|arg| arg != "--"));
            break;
        }
        let name = bytes.split(|byte| *byte == b'=').next().unwrap_or_default();
        let inline_value = name.len() < bytes.len();
        let long = name.strip_prefix(b"--").or_else(|| name.strip_prefix(b"-")).unwrap_or_default();
        let found = command.get_arguments().find(|option| {
            let is_long = option.get_long().is_some_and(|known| known.as_bytes() == long);
            let is_short = option.get_short().is_some_and(|known| name == format!("-{known}").as_bytes());
            is_long || is_short
        });
        let takes_value = found.is_some_and(|option| option.get_action().takes_values()) && !inline_value;
        if !bytes.starts_with(b"--") && long.len() > 1 && found.is_some() {
            doubled.push([OsStr::new("-"), &arg].into_iter().collect());
        } else {
            doubled.push(arg);
        }
        if takes_value {
            doubled.extend(args.next());
        }
    }
    doubled.extend(args);
    doubled
}

/// The first line of clap's message, with its tip.
fn one_line(message: &str) -> String {
    let mut lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    match lines.find_map(|line| line.strip_prefix("tip: ")) {
        Some(tip) => format!("{first}; {tip}"),
        None => first.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let args = std::iter::once("goredis-cli").chain(line.split_whitespace()).map(OsString::from);
        match Options::parse(args) {
            Ok(Invocation::Run(options)) => Ok(*options),
            Ok(Invocation::Print(text)) => Err(text),
            Err(error) => Err(error.to_string()),
        }
    }

    fn command(line: &str) -> String {
        let words = parse(line).expect("valid").command;
        words.iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn long_options_take_one_dash_or_two() {
        for line in
            ["-addr localhost:7000 get a", "--addr localhost:7000 get a", "-addr=localhost:7000 get a"]
        {
            let options = parse(line).expect(line);
            let builder = format!("{:?}", options.builder);
            assert!(builder.contains("\"localhost\", port: 7000"), "{builder}");
            assert_eq!(options.command, [b"get", &b"a"[..]]);
        }
        assert_eq!(parse("-raw get a").expect("valid").style.format, Format::Raw);
        assert_eq!(parse("-no-raw get a").expect("valid").style.format, Format::Terminal);
    }

    #[test]
    fn short_options_are_those_of_redis_cli() {
        let options =
            parse("-h 10.0.0.1 -p 7001 -n 3 -a secret -r 5 -i 0.5 -3 -x --csv set a").expect("valid");
        let builder = format!("{:?}", options.builder);
        for part in ["\"10.0.0.1\", port: 7001", "db: 3", "\"secret\"", "Resp3"] {
            assert!(builder.contains(part), "{builder}");
        }
        assert_eq!((options.repeat, options.interval), (Some(5), Duration::from_millis(500)));
        assert_eq!(options.style.format, Format::Csv);
        assert!(options.last_from_stdin);
        assert_eq!(parse("-r -1 ping").expect("valid").repeat, None);
    }

    #[test]
    fn what_follows_the_commands_name_belongs_to_the_command() {
        assert_eq!(command("-n 1 set a -addr"), "set a -addr");
        assert_eq!(command("lrange l 0 -1"), "lrange l 0 -1");
        assert_eq!(command("-a -addr get -raw"), "get -raw");
        assert_eq!(command("object help --raw -h"), "object help --raw -h");
    }

    #[test]
    fn json_speaks_resp3_unless_told_otherwise() {
        let protocol = |line: &str| format!("{:?}", parse(line).expect("valid").builder);
        assert!(protocol("--json ping").contains("Resp3"));
        assert!(protocol("--json -2 ping").contains("Resp2"));
    }

    #[test]
    fn errors_are_one_line_that_names_the_option() {
        let error = |line: &str| parse(line).expect_err("invalid");
        assert!(error("--rwa get a").contains("'--rwa'"), "{}", error("--rwa get a"));
        assert!(error("-p seven get a").contains("seven"));
        assert!(error("-addr [::1 get a").contains("[::1"));
        assert!(error("-r 0 ping").contains("-r must be"));
        assert!(error("-x").contains("-x needs a command"));
        for line in ["--rwa get a", "-p seven", "-addr [::1"] {
            assert_eq!(error(line).lines().count(), 1, "{}", error(line));
        }
    }

    #[test]
    fn help_and_version_are_texts() {
        assert!(parse("--help").expect_err("a text").contains("-addr"));
        assert!(parse("-version").expect_err("a text").starts_with("goredis-cli "));
    }
}
