//! Which keys KEYS and SCAN list, and the list they make.

use std::borrow::Cow;

use crate::glob::{self, Case};
use crate::resp::ReplyBuf;

/// A glob pattern, with what it says about where its matches lie.
#[derive(Clone, Copy, Debug)]
pub struct Pattern<'a>(&'a [u8]);

impl<'a> Pattern<'a> {
    /// The pattern that every key matches.
    pub const ANY: Self = Self(b"*");

    /// Wraps a pattern.
    pub fn new(pattern: &'a [u8]) -> Self {
        Self(pattern)
    }

    /// The only key that can match, if there is but one.
    pub fn only_match(self) -> Option<&'a [u8]> {
        glob::is_literal(self.0).then_some(self.0)
    }

    /// What every match begins with.
    pub fn prefix(self) -> Cow<'a, [u8]> {
        glob::literal_prefix(self.0)
    }

    /// Whether a key matches.
    #[inline]
    pub fn matches(self, key: &[u8]) -> bool {
        self.0 == b"*" || glob::matches(self.0, key, Case::Sensitive)
    }
}

/// Keys as they will be answered, before it is known how many there are.
#[derive(Default)]
pub struct Found {
    keys: ReplyBuf,
    count: usize,
}

impl Found {
    /// Adds a key.
    #[inline]
    pub fn add(&mut self, key: &[u8]) {
        self.keys.bulk(key);
        self.count += 1;
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Answers them as one array.
    pub fn answer(&self, reply: &mut ReplyBuf) {
        reply.array(self.count);
        reply.append(&self.keys);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_without_special_bytes_has_one_match() {
        assert_eq!(Pattern::new(b"user").only_match(), Some(&b"user"[..]));
        assert_eq!(Pattern::new(b"user*").only_match(), None);
        assert_eq!(Pattern::new(b"user*").prefix(), &b"user"[..]);
        assert!(Pattern::ANY.prefix().is_empty());
        assert!(Pattern::ANY.matches(b""));
        assert!(!Pattern::new(b"user?").matches(b"user"));
    }

    #[test]
    fn found_keys_are_answered_as_one_array() {
        let mut found = Found::default();
        found.add(b"a");
        found.add(b"bc");
        let mut reply = ReplyBuf::new();
        found.answer(&mut reply);
        assert_eq!(reply.to_vec(), b"*2\r\n$1\r\na\r\n$2\r\nbc\r\n");
    }
}
