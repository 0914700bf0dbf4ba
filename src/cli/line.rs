//! A typed line, from a prompt or a pipe: a command, and how often to run it.

use thiserror::Error;

use crate::resp::inline;

/// A command as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How often to run it.
    pub times: u64,
    /// Its words; at least one.
    pub args: Vec<Vec<u8>>,
}

/// A line that is no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LineError {
    /// A quote that is not closed, or closed in the middle of a word.
    #[error("Invalid argument(s)")]
    Quotes,
    /// `0 get x` and the like.
    #[error("Invalid repeat count: it must be above 0.")]
    Repeat,
}

impl Line {
    /// Reads a line, quoted as inline commands are; `None` for an empty one.
    ///
    /// # Errors
    /// A [`LineError`], which is what to tell whoever typed it.
    pub fn parse(line: &[u8]) -> Result<Option<Self>, LineError> {
        let request = inline::split(line).map_err(|_| LineError::Quotes)?;
        let mut args: Vec<Vec<u8>> = request.as_args().iter().map(<[u8]>::to_vec).collect();
        if args.is_empty() {
            return Ok(None);
        }
        let count = std::str::from_utf8(&args[0]).ok().and_then(|count| count.parse::<i64>().ok());
        let Some(count) = count.filter(|_| args.len() > 1) else {
            return Ok(Some(Self { times: 1, args }));
        };
        args.remove(0);
        match u64::try_from(count) {
            Ok(times) if times > 0 => Ok(Some(Self { times, args })),
            _ => Err(LineError::Repeat),
        }
    }

    /// Whether somebody says goodbye.
    pub fn is_farewell(&self) -> bool {
        matches!(&self.args[..], [word] if word.eq_ignore_ascii_case(b"exit") || word.eq_ignore_ascii_case(b"quit"))
    }
}

/// Whether a command makes the server send messages that answer no request.
pub fn makes_the_server_talk(args: &[Vec<u8>]) -> bool {
    const NAMES: [&str; 4] = ["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "MONITOR"];
    args.first().is_some_and(|name| NAMES.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Option<(u64, String)>, LineError> {
        let words = |line: Line| (line.times, String::from_utf8(line.args.join(&b' ')).expect("text"));
        Line::parse(line.as_bytes()).map(|line| line.map(words))
    }

    #[test]
    fn a_line_is_a_command_with_an_optional_repeat_count() {
        assert_eq!(parsed("set a \"b c\"\n"), Ok(Some((1, "set a b c".into()))));
        assert_eq!(parsed("5 incr x"), Ok(Some((5, "incr x".into()))));
        assert_eq!(parsed("5"), Ok(Some((1, "5".into()))));
        assert_eq!(parsed("  \n"), Ok(None));
        assert_eq!(parsed("get \"a"), Err(LineError::Quotes));
        assert_eq!(parsed("0 get a"), Err(LineError::Repeat));
        assert_eq!(parsed("-3 get a"), Err(LineError::Repeat));
    }

    #[test]
    fn goodbye_is_one_word() {
        let is_farewell = |line: &[u8]| Line::parse(line).expect("quotes").expect("words").is_farewell();
        assert!(is_farewell(b"quit") && is_farewell(b"EXIT"));
        assert!(!is_farewell(b"quit now"));
    }
}
