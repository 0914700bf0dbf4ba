//! Bringing the spellings of the command line into one, before clap sees it.
//!
//! `-port 7000`, `--port 7000`, `--port=7000`, `"--port 7000"` and `-p 7000` become `--port=7000`; switches get
//! their `yes`; the words after an option that takes several (`--save 3600 1 300 100`) become one value; aliases
//! become the name. A value may start with dashes where it cannot be an option: right after an option that takes
//! exactly one (`--requirepass --secret`), as in Redis.

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
        _ => rest.pop_front().ok_or_else(|| missing(setting))?,
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
