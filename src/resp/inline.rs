//! Requests typed as a line, and the quoting that goes with them.
//!
//! The rules are those of Redis's inline commands, which its configuration file and its CLI share: words are
//! parted by blanks; `"..."` knows `\n \r \t \b \a \xHH` and takes any other escaped byte as itself; `'...'` knows
//! only `\'`; a closing quote must end the word. Called by the request parser, the settings and the CLI.

use super::args::{OwnedRequest, Span};
use super::error::ProtocolError;

/// Blanks between words, as C's `isspace` has them.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// A line of words without any quote, split where it lies. `None` if there are quotes to undo.
pub(super) fn split_plain(line: &[u8], spans: &mut Vec<Span>) -> Option<()> {
    if line.iter().any(|byte| matches!(byte, b'"' | b'\'')) {
        return None;
    }
    let mut at = 0;
    while let Some(word) = line[at..].iter().position(|byte| !is_blank(*byte)) {
        let start = at + word;
        let len = line[start..].iter().position(|byte| ends_word(*byte)).unwrap_or(line.len() - start);
        at = start + len;
        spans.push(Span::new(start, at));
    }
    Some(())
}

/// Blanks that end a word outside of quotes; vertical tab and form feed only part words.
fn ends_word(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Splits a line into its words, quotes undone.
///
/// # Errors
/// [`ProtocolError::UnbalancedQuotes`] if a quote is not closed, or closed in the middle of a word.
pub fn split(line: &[u8]) -> Result<OwnedRequest, ProtocolError> {
    let (mut bytes, mut spans) = (Vec::with_capacity(line.len()), Vec::new());
    let mut rest = line;
    while let Some(start) = rest.iter().position(|byte| !is_blank(*byte)) {
        let from = bytes.len();
        rest = word(&rest[start..], &mut bytes)?;
        spans.push(Span::new(from, bytes.len()));
    }
    Ok(OwnedRequest::from_parts(bytes, spans))
}

/// Appends the word at the start of `text` and returns what is left behind it.
fn word<'a>(mut text: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], ProtocolError> {
    loop {
        match text {
            [] => return Ok(text),
            [byte, ..] if ends_word(*byte) => return Ok(text),
            [b'"', rest @ ..] => return closed(double_quoted(rest, out)?),
            [b'\'', rest @ ..] => return closed(single_quoted(rest, out)?),
            [byte, rest @ ..] => {
                out.push(*byte);
                text = rest;
            }
        }
    }
}

/// What may stand behind a closing quote: nothing, or a blank.
fn closed(rest: &[u8]) -> Result<&[u8], ProtocolError> {
    match rest {
        [byte, ..] if !is_blank(*byte) => Err(ProtocolError::UnbalancedQuotes),
        _ => Ok(rest),
    }
}

fn double_quoted<'a>(mut text: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], ProtocolError> {
    loop {
        text = match text {
            [] => return Err(ProtocolError::UnbalancedQuotes),
            [b'"', rest @ ..] => return Ok(rest),
            [b'\\', b'x', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(hex_digit(*high) << 4 | hex_digit(*low));
                rest
            }
            [b'\\', escaped, rest @ ..] => {
                out.push(unescaped(*escaped));
                rest
            }
            [byte, rest @ ..] => {
                out.push(*byte);
                rest
            }
        }
    }
}

fn single_quoted<'a>(mut text: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], ProtocolError> {
    loop {
        text = match text {
            [] => return Err(ProtocolError::UnbalancedQuotes),
            [b'\'', rest @ ..] => return Ok(rest),
            [b'\\', b'\'', rest @ ..] => {
                out.push(b'\'');
                rest
            }
            [byte, rest @ ..] => {
                out.push(*byte);
                rest
            }
        }
    }
}

fn unescaped(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

/// The value of an ASCII hex digit.
fn hex_digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        _ => byte.to_ascii_uppercase().wrapping_sub(b'A').wrapping_add(10),
    }
}

/// Appends `bytes` in double quotes, everything that is not printable ASCII escaped, so that [`split`] reads the
/// same bytes back.
pub fn write_quoted(out: &mut Vec<u8>, bytes: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    for byte in bytes {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x07 => out.extend_from_slice(b"\\a"),
            0x08 => out.extend_from_slice(b"\\b"),
            b' '..=b'~' => out.push(*byte),
            _ => out.extend_from_slice(&[
                b'\\',
                b'x',
                HEX[usize::from(byte >> 4)],
                HEX[usize::from(byte & 15)],
            ]),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    fn words(line: &str) -> Option<Vec<Vec<u8>>> {
        split(line.as_bytes()).ok().map(|request| request.as_args().iter().map(<[u8]>::to_vec).collect())
    }

    fn plain(line: &[u8]) -> Option<Vec<Vec<u8>>> {
        let mut spans = Vec::new();
        split_plain(line, &mut spans)?;
        Some(crate::resp::Args::new(line, &spans).iter().map(<[u8]>::to_vec).collect())
    }

    #[test]
    fn words_are_parted_by_blanks() {
        assert_eq!(words("  set\ta  1 "), Some(vec![b"set".to_vec(), b"a".to_vec(), b"1".to_vec()]));
        assert_eq!(words(" \t "), Some(vec![]));
    }

    #[test]
    fn double_quotes_know_escapes() {
        assert_eq!(words(r#""\x41\xzz\n\r\t\b\a\"\\\q""#), Some(vec![b"Axzz\n\r\t\x08\x07\"\\q".to_vec()]));
        assert_eq!(words(r#""" """#), Some(vec![vec![], vec![]]));
    }

    #[test]
    fn single_quotes_know_only_the_quote() {
        assert_eq!(words(r"'a\'b\n'"), Some(vec![br"a'b\n".to_vec()]));
    }

    #[test]
    fn a_quote_may_open_inside_a_word_but_must_end_it() {
        assert_eq!(words(r#"a"b c" d"#), Some(vec![b"ab c".to_vec(), b"d".to_vec()]));
        for line in [r#""a"b"#, r#"""""#, r#""a"#, "'a", "'a'b", r#""a\"#] {
            assert_eq!(words(line), None, "{line}");
        }
    }

    quickcheck! {
        fn what_was_quoted_is_read_back(args: Vec<Vec<u8>>) -> bool {
            let mut line = Vec::new();
            for arg in &args {
                write_quoted(&mut line, arg);
                line.push(b' ');
            }
            let request = split(&line).expect("balanced");
            request.as_args().iter().eq(args.iter().map(Vec::as_slice))
        }

        fn a_line_without_quotes_is_split_the_same_in_place(line: Vec<u8>) -> bool {
            let split: Option<Vec<_>> =
                split(&line).ok().map(|request| request.as_args().iter().map(<[u8]>::to_vec).collect());
            plain(&line).is_none_or(|words| Some(words) == split)
        }
    }
}
