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
use std::fmt::Write as _;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What the command line asks for.
#[derive(Debug)]
pub enum Startup {
    /// To run a server with these settings.
    Run(Settings),
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
        Ok(Startup::Run(Self::from_draft(&draft, file)))
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
        Kind::Memory { .. } | Kind::Pages { .. } | Kind::MemoryOrPercent => "BYTES",
        Kind::Choice(_) => "CHOICE",
        Kind::Events => "LETTERS",
        Kind::Text(_) => "TEXT",
        Kind::List(_) => "WORDS",
    }
}

fn help_line(setting: &Setting) -> String {
    let mut line = setting.help.to_owned();
    if let Kind::Choice(names) = setting.kind {
        let _ = write!(line, ": {}", names.join(", "));
    }
    if setting.change == Change::Live {
        line += " *";
    }
    if !setting.default.is_empty() {
        let _ = write!(line, " [{}]", setting.default);
    }
    if !setting.aliases.is_empty() {
        let _ = write!(line, " (also -{})", setting.aliases.join(", -"));
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::ffi::OsStringExt;

    fn start(args: &[&str], stdin: &str) -> Result<Startup, String> {
        Settings::from_args(args.iter().map(OsString::from), stdin.as_bytes())
            .map_err(|wrong| wrong.to_string())
    }

    fn run(args: &[&str]) -> Settings {
        run_with(args, "")
    }

    fn run_with(args: &[&str], stdin: &str) -> Settings {
        match start(args, stdin) {
            Ok(Startup::Run(settings)) => settings,
            other => panic!("{args:?}: {other:?}"),
        }
    }

    fn shown(settings: &Settings, name: &str) -> String {
        String::from_utf8_lossy(&settings.get(&[name.as_bytes()])[0].1).into_owned()
    }

    #[test]
    fn the_command_of_the_readme_turns_durability_on() {
        let settings = run(&["-port", "7000", "-persist", "-dbfile", "data.db"]);
        assert_eq!(settings.port(), 7000);
        assert!(settings.persist());
        assert!(settings.db_path().is_absolute() && settings.db_path().ends_with("data.db"));
        assert_eq!(settings.config_file(), None);
        assert!(run(&["--save", "", "--appendonly", "yes"]).persist());
        assert!(!run(&[]).persist());
    }

    #[test]
    fn options_win_over_the_file_and_save_adds_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.conf");
        fs::write(&path, "port 7000\nmaxmemory 1mb\nsave 900 1\n").unwrap();
        let path = path.to_str().unwrap();
        let settings = run(&[path, "--port", "7001", "--save", "100", "100"]);
        assert_eq!((settings.port(), settings.maxmemory()), (7001, 1 << 20));
        assert_eq!(shown(&settings, "save"), "900 1 100 100");
        assert_eq!(shown(&run(&[path, "--save", ""]), "save"), "");
        assert_eq!(shown(&run(&["--save", "100", "100"]), "save"), "100 100");
        assert!(settings.config_file().unwrap().ends_with("x.conf"));
    }

    #[test]
    fn a_dash_reads_standard_input() {
        let settings = run_with(&["-", "--timeout", "3"], "port 7002\nrequirepass \"a b\"\n");
        assert_eq!((settings.port(), settings.timeout()), (7002, 3));
        assert_eq!(settings.requirepass().as_ref(), b"a b");
        assert_eq!(settings.config_file(), None);
        let wrong = start(&["-"], "port 1\nprot 2\n").unwrap_err();
        assert_eq!(wrong, "standard input:2: unknown setting 'prot'; did you mean 'port'?");
    }

    #[test]
    fn the_later_of_two_options_wins_by_whatever_name() {
        assert!(!run(&["--persist", "yes", "--appendonly", "no"]).persist());
        assert_eq!(run(&["-p", "1", "--port", "2"]).port(), 2);
    }

    #[test]
    fn values_that_are_not_text_reach_their_setting_whole() {
        let args = [OsString::from("-requirepass"), OsStringExt::from_vec(vec![0xff, b'=', 0xfe])];
        match Settings::from_args(args, std::io::empty()) {
            Ok(Startup::Run(settings)) => assert_eq!(settings.requirepass().as_ref(), [0xff, b'=', 0xfe]),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn ill_values_are_refused_with_what_would_be_right() {
        for (args, expected) in [
            (&["-port", "70000"][..], {
                "command line: bad value '70000' for 'port': it takes a whole number from 0 to 65535"
            }),
            (&["-fsync", "often"], {
                "command line: bad value 'often' for 'fsync': it takes one of everysec, always, no"
            }),
            (&["-persist", "maybe"], "command line: bad value 'maybe' for 'persist': it takes yes or no"),
            (&["-segment-bytes", "1"], {
                "command line: bad value '1' for 'segment-bytes': it takes a size in bytes from 4mb to 1gb"
            }),
            (&["-save", "1"], {
                "command line: bad value '1' for 'save': Invalid save parameters; \
                 it takes pairs of seconds and changes such as 3600 1 300 100, or \"\""
            }),
            (&["/no/such.conf"], {
                "can't read the configuration file /no/such.conf: No such file or directory (os error 2)"
            }),
        ] {
            assert_eq!(start(args, "").unwrap_err(), expected);
        }
    }

    #[test]
    fn help_and_version_are_printed_whatever_else_is_asked() {
        let Ok(Startup::Print(help)) = start(&["-port", "7000", "-h"], "") else { panic!() };
        for setting in SETTINGS {
            let listed = help.contains(&format!("--{} ", setting.name));
            assert_eq!(listed, setting.section != Section::Compatibility, "{}", setting.name);
        }
        let Ok(Startup::Print(version)) = start(&["--version"], "") else { panic!() };
        assert_eq!(version, format!("goredis {}\n", env!("CARGO_PKG_VERSION")));
    }
}
