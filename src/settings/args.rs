//! From the command line to settings: file first, options over it, help and version.
//!
//! clap holds the grammar and writes the help, both built from the table; [`super::options`] has brought the
//! arguments into its spelling.

use super::draft::Draft;
use super::error::{Place, SettingsError};
use super::file;
use super::kind::Kind;
use super::options::normalise;
use super::setting::{Change, Section, Setting};
use super::table::SETTINGS;
use super::values::Settings;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What the command line asks for.
#[derive(Debug)]
pub enum Startup {
    /// To run a server with these settings.
    Run(Box<Settings>),
    /// To print this (help, version) and be done.
    Print(String),
}

/// The positional argument: the configuration file.
const CONFIG: &str = "CONFIG";

impl Settings {
    /// Reads the arguments (without the program's name) and the configuration file that they name.
    ///
    /// `stdin` is read when the file is `-`.
    ///
    /// # Errors
    /// The first thing that is wrong, as one line that names it and what would be right.
    pub fn from_args(
        args: impl IntoIterator<Item = OsString>,
        stdin: impl Read,
    ) -> Result<Startup, SettingsError> {
        let normal = normalise(args)?;
        let matches = match command().try_get_matches_from(normal) {
            Ok(matches) => matches,
            Err(asked) if matches!(asked.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
                return Ok(Startup::Print(asked.to_string()));
            }
            Err(wrong) => return Err(SettingsError::Stray { word: first_line(&wrong) }),
        };
        let mut draft = Draft::new();
        let file = load_file(&matches, stdin, &mut draft)?;
        assign_options(&matches, &mut draft)?;
        draft.finish()?;
        Ok(Startup::Run(Box::new(Self::from_draft(&draft, file))))
    }
}

fn first_line(wrong: &clap::Error) -> String {
    wrong.to_string().lines().next().unwrap_or_default().to_owned()
}

/// Reads the configuration file into `draft`; returns its path, unless it is standard input.
fn load_file(
    matches: &ArgMatches,
    stdin: impl Read,
    draft: &mut Draft,
) -> Result<Option<PathBuf>, SettingsError> {
    let Some(path) = matches.get_one::<OsString>(CONFIG).map(Path::new) else {
        return Ok(None);
    };
    if path.as_os_str() == "-" {
        file::load_stream(stdin, draft)?;
        return Ok(None);
    }
    file::load(path, draft)?;
    // Why: CONFIG REWRITE replaces the file itself, not a link to it, whatever the process's folder is by then.
    let absolute = path.canonicalize().map_err(|source| {
        let path = path.to_owned();
        SettingsError::Read { place: None, path, source }
    })?;
    Ok(Some(absolute))
}

fn assign_options(matches: &ArgMatches, draft: &mut Draft) -> Result<(), SettingsError> {
    for (at, setting) in SETTINGS.iter().enumerate() {
        for value in matches.get_many::<OsString>(setting.name).into_iter().flatten() {
            let text = value.as_bytes();
            draft
                .assign(at, text)
                .map_err(|cause| SettingsError::bad_value(&Place::CommandLine, setting, text, cause))?;
        }
    }
    Ok(())
}

/// The command line's grammar, one option per setting.
fn command() -> Command {
    Command::new("goredis")
        .no_binary_name(true)
        .version(env!("CARGO_PKG_VERSION"))
        .about("A durable, Redis-compatible server")
        .override_usage("goredis [CONFIG | -] [OPTIONS]\n       goredis -port 7000 -persist -dbfile data.db")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .max_term_width(110)
        .arg(
            Arg::new(CONFIG).value_parser(clap::value_parser!(OsString)).help(
                "Configuration file in redis.conf's syntax, or - for standard input; options win over it",
            ),
        )
        .args(SETTINGS.iter().map(option))
        .arg(Arg::new("help").short('h').long("help").action(ArgAction::Help).help("Print this help"))
        .arg(
            Arg::new("version")
                .short('v')
                .long("version")
                .action(ArgAction::Version)
                .help("Print the version"),
        )
        .after_help(AFTER_HELP)
}

const AFTER_HELP: &str = "\
Long options take one dash or two, and = or a blank before the value. Settings marked * can be changed with \
CONFIG SET while the server runs. Every other directive of redis.conf is accepted and kept for CONFIG GET and \
CONFIG SET, without effect; one whose missing effect would hurt is refused.";

fn option(setting: &Setting) -> Arg {
    let option = Arg::new(setting.name)
        .long(setting.name)
        .action(ArgAction::Append)
        .value_parser(clap::value_parser!(OsString))
        .help_heading(setting.section.title())
        .value_name(value_name(&setting.kind))
        .hide(setting.section == Section::Compatibility)
        .help(help_line(setting));
    if setting.name == "port" { option.short('p') } else { option }
}

fn value_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Flag => "yes|no",
        Kind::Int { .. } | Kind::Clamped { .. } => "NUMBER",
        Kind::Octal { .. } => "OCTAL",
        Kind::Memory { .. } | Kind::MemoryOrPercent => "BYTES",
        Kind::Choice(_) => "CHOICE",
        Kind::Events => "LETTERS",
        Kind::Text(_) => "TEXT",
        Kind::List(_) => "WORDS",
    }
}

fn help_line(setting: &Setting) -> String {
    let mut line = setting.help.to_owned();
    if let Kind::Choice(names) = setting.kind {
        line += &format!(": {}", names.join(", "));
    }
    if setting.change == Change::Live {
        line += " *";
    }
    if !setting.default.is_empty() {
        line += &format!(" [{}]", setting.default);
    }
    if !setting.aliases.is_empty() {
        line += &format!(" (also -{})", setting.aliases.join(", -"));
    }
    line
}

/// Reads the arguments and standard input of this process.
///
/// # Errors
/// As [`Settings::from_args`].
pub fn from_process() -> Result<Startup, SettingsError> {
    let args = std::env::args_os().skip(1);
    Settings::from_args(args, std::io::stdin().lock())
}
