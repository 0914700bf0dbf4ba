//! Splitting a line of a configuration file into words, and quoting words so that they split back.
//!
//! The syntax is that of redis.conf: words are separated by blanks; in double quotes `\n \r \t \b \a \xHH` and
//! `\` before any other byte are escapes; in single quotes only `\'` is. A closing quote ends the word.

/// A quote that is not closed, or is followed by something other than a blank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unbalanced quotes")]
pub struct Unbalanced;

/// Splits `line` into its words, with quotes and escapes resolved.
///
/// # Errors
/// [`Unbalanced`] quotes.
pub fn split(line: &[u8]) -> Result<Vec<Vec<u8>>, Unbalanced> {
    let mut words = Vec::new();
    let mut rest = line.trim_ascii_start();
    while !rest.is_empty() {
        let (word, tail) = take_word(rest)?;
        words.push(word);
        rest = tail.trim_ascii_start();
    }
    Ok(words)
}

/// The first word of `line`, which starts with no blank, and what follows it.
fn take_word(line: &[u8]) -> Result<(Vec<u8>, &[u8]), Unbalanced> {
    let mut word = Vec::new();
    let mut rest = line;
    loop {
        match *rest {
            [] => return Ok((word, rest)),
            [byte, ..] if byte.is_ascii_whitespace() => return Ok((word, rest)),
            [quote @ (b'"' | b'\''), ref quoted @ ..] => {
                rest = take_quoted(quoted, quote, &mut word)?;
                return match rest.first() {
                    Some(byte) if !byte.is_ascii_whitespace() => Err(Unbalanced),
                    _ => Ok((word, rest)),
                };
            }
            [byte, ref tail @ ..] => {
                word.push(byte);
                rest = tail;
            }
        }
    }
}

/// Appends what stands before the closing `quote` to `word`; returns what follows it.
fn take_quoted<'a>(quoted: &'a [u8], quote: u8, word: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    let mut rest = quoted;
    loop {
        rest = match *rest {
            [] => return Err(Unbalanced),
            [byte, ref tail @ ..] if byte == quote => return Ok(tail),
            [b'\\', b'\'', ref tail @ ..] if quote == b'\'' => {
                word.push(b'\'');
                tail
            }
            [b'\\', ref escape @ ..] if quote == b'"' && !escape.is_empty() => take_escape(escape, word),
            [byte, ref tail @ ..] => {
                word.push(byte);
                tail
            }
        };
    }
}

/// Resolves one escape (what follows its `\`, which is not nothing); returns what follows it.
fn take_escape<'a>(escape: &'a [u8], word: &mut Vec<u8>) -> &'a [u8] {
    if let [b'x', high, low, tail @ ..] = escape {
        if let (Some(high), Some(low)) = (hex(*high), hex(*low)) {
            word.push(high << 4 | low);
            return tail;
        }
    }
    word.push(match escape[0] {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'a' => 7,
        other => other,
    });
    &escape[1..]
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// Writes `word` so that [`split`] gives it back: bare where that is enough, else in double quotes.
pub fn quote(word: &[u8]) -> Vec<u8> {
    let bare = |byte: &u8| byte.is_ascii_graphic() && !b"\"'\\#".contains(byte);
    if !word.is_empty() && word.iter().all(bare) {
        return word.to_vec();
    }
    let mut quoted = vec![b'"'];
    for &byte in word {
        match byte {
            b'"' | b'\\' => quoted.extend([b'\\', byte]),
            b'\n' => quoted.extend(b"\\n"),
            b'\r' => quoted.extend(b"\\r"),
            b'\t' => quoted.extend(b"\\t"),
            b' '..=b'~' => quoted.push(byte),
            _ => quoted.extend(format!("\\x{byte:02x}").bytes()),
        }
    }
    quoted.push(b'"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    fn words(line: &str) -> Option<Vec<String>> {
        let words = split(line.as_bytes()).ok()?;
        Some(words.into_iter().map(|word| String::from_utf8_lossy(&word).into_owned()).collect())
    }

    #[test]
    fn lines_split_as_in_redis_conf() {
        for (line, expected) in [
            ("", Some(vec![])),
            ("  port \t 7000 ", Some(vec!["port", "7000"])),
            (r#"save """#, Some(vec!["save", ""])),
            ("logfile ''", Some(vec!["logfile", ""])),
            (r#"a "b c" 'd "e'"#, Some(vec!["a", "b c", "d \"e"])),
            (r#""\x41\n\t\"\q""#, Some(vec!["A\n\t\"q"])),
            (r"'it\'s \n'", Some(vec!["it's \\n"])),
            (r#""\xZZ""#, Some(vec!["xZZ"])),
            (r#"pre"quoted""#, Some(vec!["prequoted"])),
            (r#""a"b"#, None),
            (r#""open"#, None),
            ("'open", None),
            (r#""open\"#, None),
        ] {
            let expected = expected.map(|words| words.into_iter().map(String::from).collect::<Vec<_>>());
            assert_eq!(words(line), expected, "{line}");
        }
    }

    quickcheck! {
        fn quoted_words_split_back(words: Vec<Vec<u8>>) -> bool {
            let line: Vec<u8> = words.iter().flat_map(|word| [quote(word), vec![b' ']].concat()).collect();
            split(&line) == Ok(words)
        }
    }
}
