//! Redis's glob patterns, as KEYS, SCAN, CONFIG GET and channel patterns use them.
//!
//! | pattern | matches |
//! |---|---|
//! | `*` | any bytes, none included |
//! | `?` | one byte |
//! | `[abc]`, `[a-z]`, `[^a]` | one byte of the class, or outside it |
//! | `\x` | the byte `x` itself |
//!
//! Bytes, not characters. A class without its `]` ends with the pattern, a lone `\` at the end is itself,
//! and `[z-a]` is `[a-z]`: all as in Redis. The matcher takes at most pattern × text steps, needs no stack and
//! allocates nothing: since every element but `*` takes exactly one byte, only the last `*` met is ever worth
//! going back to.

use std::borrow::Cow;

/// How letters compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Bytes must be equal.
    Sensitive,
    /// ASCII letters match in either case.
    Insensitive,
}

impl Case {
    fn fold(self, byte: u8) -> u8 {
        match self {
            Self::Sensitive => byte,
            Self::Insensitive => byte.to_ascii_lowercase(),
        }
    }
}

/// Whether the whole of `text` matches `pattern`.
pub fn matches(pattern: &[u8], text: &[u8], case: Case) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on after a mismatch: behind the last `*`, which then takes one byte of the text more.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            if p == pattern.len() {
                return true;
            }
            retry = Some((p, t));
            continue;
        }
        let Some(&byte) = text.get(t) else {
            // Only `*` matches nothing, and taking more bytes for an earlier `*` cannot help at the end.
            return p == pattern.len();
        };
        match step(&pattern[p..], byte, case) {
            Some(taken) => (p, t) = (p + taken, t + 1),
            None => match &mut retry {
                Some((star, from)) => {
                    *from += 1;
                    (p, t) = (*star, *from);
                }
                None => return false,
            },
        }
    }
}

/// The length of the pattern's first element when it matches `byte`.
fn step(pattern: &[u8], byte: u8, case: Case) -> Option<usize> {
    match *pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', ref class @ ..] => {
            let (hit, taken) = class_holds(class, byte, case);
            hit.then_some(1 + taken)
        }
        [b'\\', escaped, ..] => (case.fold(escaped) == case.fold(byte)).then_some(2),
        [plain, ..] => (case.fold(plain) == case.fold(byte)).then_some(1),
    }
}

/// Whether a class (what follows its `[`) holds `byte`, and its length with the `]`.
fn class_holds(class: &[u8], byte: u8, case: Case) -> (bool, usize) {
    let byte = case.fold(byte);
    let negated = class.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut hit = false;
    loop {
        match class[at..] {
            [] => return (hit != negated, at),
            [b'\\', escaped, ..] => {
                hit |= case.fold(escaped) == byte;
                at += 2;
            }
            [b']', ..] => return (hit != negated, at + 1),
            [first, b'-', last, ..] => {
                let (first, last) = (first.min(last), first.max(last));
                hit |= (case.fold(first)..=case.fold(last)).contains(&byte);
                at += 3;
            }
            [plain, ..] => {
                hit |= case.fold(plain) == byte;
                at += 1;
            }
        }
    }
}

/// The bytes with which every match of `pattern` must begin (case-sensitive).
///
/// It ends at the first `*`, `?` or `[`, so it is not always the longest such prefix.
pub fn literal_prefix(pattern: &[u8]) -> Cow<'_, [u8]> {
    let plain = pattern.iter().position(|byte| b"*?[\\".contains(byte)).unwrap_or(pattern.len());
    if pattern.get(plain) != Some(&b'\\') {
        return Cow::Borrowed(&pattern[..plain]);
    }
    let mut prefix = pattern[..plain].to_vec();
    let mut rest = &pattern[plain..];
    loop {
        match *rest {
            [] | [b'*' | b'?' | b'[', ..] => return Cow::Owned(prefix),
            [b'\\', byte, ref tail @ ..] | [byte, ref tail @ ..] => {
                prefix.push(byte);
                rest = tail;
            }
        }
    }
}

/// Whether `pattern` has no special byte, and so matches itself only.
pub fn is_literal(pattern: &[u8]) -> bool {
    !pattern.iter().any(|byte| b"*?[\\".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::{Arbitrary, Gen, quickcheck};

    fn glob(pattern: &str, text: &str) -> bool {
        matches(pattern.as_bytes(), text.as_bytes(), Case::Sensitive)
    }

    #[test]
    fn patterns_match_as_redis_documents_them() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything", true),
            ("**", "", true),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h*llo", "hllo", true),
            ("h*llo", "heeeello", true),
            ("h*llo", "heeeell", false),
            ("h[ae]llo", "hallo", true),
            ("h[ae]llo", "hillo", false),
            ("h[^e]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-b]llo", "hbllo", true),
            ("h[b-a]llo", "hallo", true),
            ("h[a-b]llo", "hcllo", false),
            ("h\\*llo", "h*llo", true),
            ("h\\*llo", "hello", false),
            ("[\\]]", "]", true),
            ("[]", "a", false),
            ("[^]", "a", true),
            ("[^]", "]", true),
            ("[abc", "b", true),
            ("[abc", "d", false),
            ("a\\", "a\\", true),
            ("a\\", "a", false),
            ("[a-]", "^", true),
            ("[a-]", "b", false),
            ("a*", "ba", false),
            ("*a*b*c*", "xaxbxc", true),
            ("*a*b*c*", "xaxcxb", false),
            ("?", "", false),
            ("a*?", "a", false),
            ("a*?", "ab", true),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern:?} against {text:?}");
        }
    }

    #[test]
    fn letters_match_in_either_case_when_asked() {
        for (pattern, text) in [("MaxMem*", "maxmemory"), ("[A-C]x", "bX"), ("\\A", "a"), ("[\\A]", "a")] {
            assert!(matches(pattern.as_bytes(), text.as_bytes(), Case::Insensitive), "{pattern} {text}");
            assert!(!matches(pattern.as_bytes(), text.as_bytes(), Case::Sensitive), "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_is_not_exponential() {
        let pattern = "a*".repeat(2000) + "b";
        let text = "a".repeat(20_000);
        assert!(!glob(&pattern, &text));
    }

    #[test]
    fn the_literal_prefix_ends_at_the_first_special_byte() {
        for (pattern, prefix) in [
            ("", ""),
            ("user:*", "user:"),
            ("*", ""),
            ("plain", "plain"),
            ("a\\*b?c", "a*b"),
            ("a\\", "a\\"),
            ("ab[c]", "ab"),
        ] {
            assert_eq!(literal_prefix(pattern.as_bytes()).as_ref(), prefix.as_bytes(), "{pattern}");
        }
    }

    /// Bytes from a small alphabet, so that random patterns often match random texts.
    #[derive(Clone, Debug)]
    struct Few(Vec<u8>);

    impl Arbitrary for Few {
        fn arbitrary(g: &mut Gen) -> Self {
            let len = usize::arbitrary(g) % 12;
            Self((0..len).map(|_| *g.choose(b"ab-^]A").unwrap_or(&b'a')).collect())
        }
    }

    #[derive(Clone, Debug)]
    struct Pattern(Vec<u8>);

    impl Arbitrary for Pattern {
        fn arbitrary(g: &mut Gen) -> Self {
            let len = usize::arbitrary(g) % 10;
            Self((0..len).map(|_| *g.choose(b"ab*?[]^-\\A*").unwrap_or(&b'*')).collect())
        }
    }

    /// The definition, told recursively and without any care for cost.
    fn naive(pattern: &[u8], text: &[u8], case: Case) -> bool {
        match pattern {
            [] => text.is_empty(),
            [b'*', rest @ ..] => (0..=text.len()).any(|skip| naive(rest, &text[skip..], case)),
            _ => match text {
                [] => false,
                [byte, after @ ..] => {
                    step(pattern, *byte, case).is_some_and(|taken| naive(&pattern[taken..], after, case))
                }
            },
        }
    }

    quickcheck! {
        fn the_iterative_matcher_agrees_with_the_recursive_definition(
            pattern: Pattern, text: Few, fold: bool
        ) -> bool {
            let case = if fold { Case::Insensitive } else { Case::Sensitive };
            matches(&pattern.0, &text.0, case) == naive(&pattern.0, &text.0, case)
        }

        fn every_match_starts_with_the_literal_prefix(pattern: Pattern, text: Few) -> bool {
            let prefix = literal_prefix(&pattern.0);
            let text = [prefix.as_ref(), &text.0].concat();
            let cut = &text[..text.len().saturating_sub(1)];
            [text.as_slice(), cut]
                .iter()
                .all(|text| !matches(&pattern.0, text, Case::Sensitive) || text.starts_with(&prefix))
        }

        fn a_literal_pattern_matches_itself_only(text: Few, other: Few) -> bool {
            let plain: Vec<u8> = text.0.iter().copied().filter(|b| !b"[\\*?".contains(b)).collect();
            is_literal(&plain)
                && matches(&plain, &plain, Case::Sensitive)
                && matches(&plain, &other.0, Case::Sensitive) == (plain == other.0)
        }
    }
}
