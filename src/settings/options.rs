//! Bringing the spellings of the command line into one, before clap sees it.
//!
//! `-port 7000`, `--port 7000`, `--port=7000`, `"--port 7000"` and `-p 7000` become `--port=7000`; switches get
//! their `yes`; the words after an option that takes several (`--save 3600 1 300 100`) become one value; aliases
//! become the name. A value may start with dashes where it cannot be an option: right after an option that takes a
//! text (`--requirepass --secret`), as in Redis.

use super::draft::not_a_setting;
use super::error::{Place, SettingsError, printable};
use super::kind::Kind;
use super::setting::{Setting, find};
use super::table::SETTINGS;
use super::words;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The arguments in their one spelling.
pub(super) fn normalise(args: impl IntoIterator<Item = OsString>) -> Result<Vec<OsString>, SettingsError> {
    let mut rest: VecDeque<Vec<u8>> = args.into_iter().map(OsString::into_vec).collect();
    let mut normal = Vec::new();
    if let Some(file) = take_word(&mut rest) {
        normal.push(OsString::from_vec(file));
    }
    while let Some(arg) = rest.pop_front() {
        normal.push(match arg.as_slice() {
            b"-h" | b"-help" | b"--help" => "--help".into(),
            b"-v" | b"-V" | b"-version" | b"--version" => "--version".into(),
            _ => option(&arg, &mut rest)?,
        });
    }
    Ok(normal)
}

/// The next argument, unless it is spelled like an option.
fn take_word(rest: &mut VecDeque<Vec<u8>>) -> Option<Vec<u8>> {
    if is_option(rest.front()?) { None } else { rest.pop_front() }
}

/// The next argument, even if it is spelled like an option, unless it is one with a single dash.
///
/// Why: in Redis's spelling with two dashes, what follows is the value whatever it looks like; `-dbfile -persist`
/// is ours, and more likely a value forgotten than a file called `-persist`.
fn take_text(rest: &mut VecDeque<Vec<u8>>) -> Option<Vec<u8>> {
    let next = rest.front()?;
    let single = next.strip_prefix(b"-").is_some_and(|name| find(name).is_some());
    if single { None } else { rest.pop_front() }
}

/// Whether an argument is spelled like an option: dashes, then a name.
///
/// `-1` is a number, `-::1` an address and `-` standard input.
fn is_option(arg: &[u8]) -> bool {
    let name = arg.strip_prefix(b"--").or_else(|| arg.strip_prefix(b"-")).unwrap_or_default();
    let name = name.split(|&byte| byte == b'=' || byte.is_ascii_whitespace()).next().unwrap_or_default();
    name.first().is_some_and(u8::is_ascii_alphabetic) && !name.contains(&b':')
}

/// One option with its value, which may stand in the arguments that follow.
fn option(arg: &[u8], rest: &mut VecDeque<Vec<u8>>) -> Result<OsString, SettingsError> {
    let dashed = arg.strip_prefix(b"--").or_else(|| arg.strip_prefix(b"-"));
    let written = dashed.unwrap_or(arg);
    let name_ends = written.iter().position(|&byte| byte == b'=' || byte.is_ascii_whitespace());
    let name = &written[..name_ends.unwrap_or(written.len())];
    let name = if dashed.is_some() && name == b"p" { b"port" } else { name };
    let Some(at) = find(name) else {
        // Why: a bare word is taken only for the name of a setting, as Redis does.
        return Err(match dashed {
            Some(_) => not_a_setting(name, &Place::CommandLine),
            None => SettingsError::Stray { word: printable(arg) },
        });
    };
    let value = match name_ends {
        Some(end) if written[end] == b'=' => written[end + 1..].to_vec(),
        Some(end) => values_in_argument(at, &written[end..])?,
        None => values_that_follow(&SETTINGS[at], rest)?,
    };
    Ok(spelled(SETTINGS[at].name, &value))
}

fn spelled(name: &str, value: &[u8]) -> OsString {
    let mut argument = OsString::from("--");
    argument.push(name);
    argument.push("=");
    argument.push(OsStr::from_bytes(value));
    argument
}

/// The value of an option that stands in one argument with it, quoted as in a file.
fn values_in_argument(at: usize, text: &[u8]) -> Result<Vec<u8>, SettingsError> {
    let setting = &SETTINGS[at];
    let place = Place::CommandLine;
    let Ok(mut words) = words::split(text) else {
        return Err(SettingsError::Unbalanced { place });
    };
    if setting.kind.takes_words() {
        return Ok(words.join(&b' '));
    }
    match words.len() {
        0 => Err(missing(setting)),
        1 => Ok(words.remove(0)),
        _ => Err(SettingsError::ExtraValue { place, name: setting.name, extra: printable(&words[1]) }),
    }
}

fn missing(setting: &Setting) -> SettingsError {
    SettingsError::MissingValue {
        place: Place::CommandLine,
        name: setting.name,
        kind: Box::new(setting.kind),
    }
}

/// Takes the value of an option from the arguments that follow it.
fn values_that_follow(setting: &Setting, rest: &mut VecDeque<Vec<u8>>) -> Result<Vec<u8>, SettingsError> {
    if setting.kind.takes_words() {
        let mut words = Vec::new();
        while let Some(word) = take_word(rest) {
            words.push(word);
        }
        return Ok(words.join(&b' '));
    }
    let value = match setting.kind {
        Kind::Flag => take_word(rest).unwrap_or_else(|| b"yes".to_vec()),
        Kind::Text(_) => take_text(rest).ok_or_else(|| missing(setting))?,
        _ => take_word(rest).ok_or_else(|| missing(setting))?,
    };
    match rest.front() {
        Some(next) if !is_option(next) && find(next).is_none() => Err(SettingsError::ExtraValue {
            place: Place::CommandLine,
            name: setting.name,
            extra: printable(next),
        }),
        _ => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    fn spelling(args: &[&str]) -> Result<Vec<String>, String> {
        let normal = normalise(args.iter().map(OsString::from)).map_err(|wrong| wrong.to_string())?;
        Ok(normal.into_iter().map(|arg| arg.to_string_lossy().into_owned()).collect())
    }

    #[test]
    fn every_spelling_becomes_the_same() {
        for (args, expected) in [
            (&["-port", "7000"][..], &["--port=7000"][..]),
            (&["--port", "7000"], &["--port=7000"]),
            (&["--port=7000"], &["--port=7000"]),
            (&["-port=7000"], &["--port=7000"]),
            (&["--port 7000"], &["--port=7000"]),
            (&["-p", "7000"], &["--port=7000"]),
            (&["--PORT", "7000"], &["--port=7000"]),
            (&["-persist", "-dbfile", "data.db"], &["--persist=yes", "--dbfile=data.db"]),
            (&["--persist", "no"], &["--persist=no"]),
            (&["--appendonly", "yes"], &["--persist=yes"]),
            (&["--save", "", "--appendonly", "no"], &["--save=", "--persist=no"]),
            (&["--save", "3600", "1", "300", "100", "-p", "1"], &["--save=3600 1 300 100", "--port=1"]),
            (&["--save", "--loglevel", "verbose"], &["--save=", "--loglevel=verbose"]),
            (&["--loglevel", "verbose", "--save"], &["--loglevel=verbose", "--save="]),
            (&["--bind", "127.0.0.1", "-::1", "-fe80::1"], &["--bind=127.0.0.1 -::1 -fe80::1"]),
            (&["--slowlog-log-slower-than", "-1"], &["--slowlog-log-slower-than=-1"]),
            (&["--maxmemory-policy 'volatile-lru'"], &["--maxmemory-policy=volatile-lru"]),
            (&["--logfile", "--my--log--file"], &["--logfile=--my--log--file"]),
            (
                &["--proc-title-template", "--save", "--save", ""],
                &["--proc-title-template=--save", "--save="],
            ),
            (&["x.conf", "loglevel", "verbose"], &["x.conf", "--loglevel=verbose"]),
            (&["-", "--port", "1"], &["-", "--port=1"]),
            (&["-h"], &["--help"]),
            (&["-help"], &["--help"]),
            (&["-v"], &["--version"]),
            (&["--requirepass", "a=b c"], &["--requirepass=a=b c"]),
        ] {
            assert_eq!(spelling(args), Ok(expected.iter().map(ToString::to_string).collect()), "{args:?}");
        }
    }

    #[test]
    fn what_is_no_option_is_refused_in_one_line_that_names_it() {
        for (args, expected) in [
            (&["-prot", "1"][..], "command line: unknown setting 'prot'; did you mean 'port'?"),
            (&["--zzz=1"], "command line: unknown setting 'zzz'; goredis --help lists them"),
            (&["--port"], "command line: 'port' needs a value: a whole number from 0 to 65535"),
            (&["--port", "--loglevel", "verbose"], {
                "command line: 'port' needs a value: a whole number from 0 to 65535"
            }),
            (&["-dbfile", "-persist"], "command line: 'dbfile' needs a value: text"),
            (&["--port", "1", "2"], "command line: 'port' takes one value, but '2' follows it"),
            (&["--port 1 2"], "command line: 'port' takes one value, but '2' follows it"),
            (&["--port "], "command line: 'port' needs a value: a whole number from 0 to 65535"),
            (&["--logfile 'x"], "command line: unbalanced quotes"),
            (&["--loadmodule", "x"], {
                "command line: 'loadmodule' is not supported: this server loads no modules"
            }),
            (&["x.conf", "--save", "", "--port", "1", "--", "x"], {
                "command line: 'port' takes one value, but '--' follows it"
            }),
            (&["x.conf", "y.conf"], {
                "command line: 'y.conf' belongs to no option; only a configuration file may stand before the options"
            }),
        ] {
            assert_eq!(spelling(args), Err(expected.to_owned()), "{args:?}");
        }
    }

    quickcheck! {
        fn any_arguments_are_taken_or_refused_in_one_line(args: Vec<Vec<u8>>, known: Vec<usize>) -> bool {
            let names = known.iter().map(|at| format!("--{}", SETTINGS[at % SETTINGS.len()].name).into_bytes());
            let args = args.into_iter().flat_map(|arg| [[b"-", arg.as_slice()].concat(), arg]).chain(names);
            match normalise(args.map(OsString::from_vec)) {
                Ok(_) => true,
                Err(wrong) => !wrong.to_string().contains('\n'),
            }
        }
    }
}
