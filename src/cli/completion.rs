//! What could come next on a line: commands to complete, arguments to hint at.

use super::docs::{Argument, CommandDocs};
use crate::resp::inline;

/// Something that knows commands. The editor asks it at each key, so it must not wait for anything.
pub trait CommandCompletion {
    /// Whole lines that `line` could become, by completing the command's name at its end.
    fn complete(&self, line: &str) -> Vec<String>;

    /// What is still to be written after `line`, as it would be shown behind the cursor.
    fn hint(&self, line: &str) -> Option<String>;
}

/// The words before which a command's name stands too.
const HELP: &str = "help ";

impl CommandCompletion for CommandDocs {
    fn complete(&self, line: &str) -> Vec<String> {
        let start =
            line.get(..HELP.len()).filter(|start| start.eq_ignore_ascii_case(HELP)).map_or(0, str::len);
        let (before, typed) = line.split_at(start);
        if typed.is_empty() {
            return Vec::new();
        }
        let lower = typed.chars().last().is_some_and(char::is_lowercase);
        let names = self
            .iter()
            .map(|(name, _)| name)
            .filter(|name| name.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(typed)));
        names
            .map(|name| before.to_owned() + &if lower { name.to_ascii_lowercase() } else { name.to_owned() })
            .collect()
    }

    fn hint(&self, line: &str) -> Option<String> {
        let request = inline::split(line.as_bytes()).ok()?;
        let words: Vec<String> =
            request.as_args().iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        let (name_words, doc) = self.find(&words)?;
        let rest = remaining(&doc.arguments, &words[name_words..]);
        if rest.is_empty() {
            return None;
        }
        let gap = if line.ends_with(' ') { "" } else { " " };
        Some(format!("{gap}{rest}"))
    }
}

/// What of `arguments` is left to write after `typed`.
fn remaining(arguments: &[Argument], typed: &[String]) -> String {
    let mut left: Vec<Argument> = arguments.to_vec();
    let mut typed = typed;
    while let [word, rest @ ..] = typed {
        typed = match take(&mut left, word) {
            Some(more) => rest.get(more..).unwrap_or_default(),
            None => rest,
        };
    }
    left.iter().map(Argument::usage).collect::<Vec<_>>().join(" ")
}

/// Takes what `word` stands for out of `left`. Returns how many of the words behind it belong to it.
fn take(left: &mut Vec<Argument>, word: &str) -> Option<usize> {
    let first = left.first()?;
    if !first.is_optional && !introduces(first, word) && first.token.is_none() {
        take_value(left);
        return Some(0);
    }
    // Why: options may come in any order, but none before an argument that must be there.
    let options = left.iter().take_while(|argument| argument.is_optional).count().max(1);
    if let Some(at) = left[..options].iter().position(|argument| introduces(argument, word)) {
        let argument = left.remove(at);
        return Some(words_behind(&argument, word));
    }
    if left[0].is_optional && left[0].token.is_none() && !left[0].is_choice {
        take_value(left);
    }
    None
}

/// Takes one word's worth off the first argument, which is a value or starts with one.
fn take_value(left: &mut Vec<Argument>) {
    let first = left.remove(0);
    let again =
        first.is_multiple.then(|| Argument { is_optional: true, is_multiple: false, ..repeated(&first) });
    let rest = if first.is_choice { &[] } else { first.parts.get(1..).unwrap_or_default() };
    let mut next = rest.to_vec();
    next.extend(again);
    left.splice(0..0, next);
}

/// The same argument as something that may follow any number of times: `[key ...]`.
fn repeated(argument: &Argument) -> Argument {
    Argument { text: format!("{} ...", argument.once()), parts: Vec::new(), ..argument.clone() }
}

/// Whether `word` is a token that starts `argument`.
fn introduces(argument: &Argument, word: &str) -> bool {
    match &argument.token {
        Some(token) => token.eq_ignore_ascii_case(word),
        None if argument.is_choice => argument.parts.iter().any(|part| introduces(part, word)),
        None => argument.parts.first().is_some_and(|part| introduces(part, word)),
    }
}

/// How many words follow the token `word` in `argument`.
fn words_behind(argument: &Argument, word: &str) -> usize {
    if argument.is_token_only {
        return 0;
    }
    if argument.token.is_some() {
        return argument.parts.len().max(1);
    }
    if argument.is_choice {
        let chosen = argument.parts.iter().find(|part| introduces(part, word));
        return chosen.map_or(0, |part| words_behind(part, word));
    }
    argument.parts.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::super::docs::tests::sample;
    use super::*;

    #[test]
    fn names_are_completed_in_the_case_they_are_typed_in() {
        let docs = sample();
        assert_eq!(docs.complete("m"), ["mset"]);
        assert_eq!(docs.complete("G"), ["GET"]);
        assert_eq!(docs.complete("config re"), ["config rewrite"]);
        assert_eq!(docs.complete("help se"), ["help set"]);
        assert_eq!(docs.complete("CONFIG "), ["CONFIG GET", "CONFIG REWRITE"]);
        assert!(
            docs.complete("").is_empty()
                && docs.complete("get k").is_empty()
                && docs.complete("é").is_empty()
        );
    }

    #[test]
    fn hints_shrink_as_arguments_are_typed() {
        let docs = sample();
        for (line, hint) in [
            ("set", Some(" key value [NX|XX] [GET] [EX seconds|KEEPTTL]")),
            ("SET ", Some("key value [NX|XX] [GET] [EX seconds|KEEPTTL]")),
            ("set k", Some(" value [NX|XX] [GET] [EX seconds|KEEPTTL]")),
            ("set k v ", Some("[NX|XX] [GET] [EX seconds|KEEPTTL]")),
            ("set k v get ", Some("[NX|XX] [EX seconds|KEEPTTL]")),
            ("set k v ex 10 ", Some("[NX|XX] [GET]")),
            ("set k v xx ex 10 get", None),
            ("get k", None),
            ("del a", Some(" [key ...]")),
            ("mset a ", Some("value [key value ...]")),
            ("mset a 1 ", Some("[key value ...]")),
            ("ping ", Some("[message]")),
            ("ping hi", None),
            ("config get", Some(" pattern [pattern ...]")),
            ("nothing", None),
            ("", None),
            ("set \"k", None),
        ] {
            assert_eq!(docs.hint(line).as_deref(), hint, "{line:?}");
        }
    }
}
