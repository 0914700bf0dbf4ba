//! Where GoRedis answers other than the redis-server that is installed, and should: each with the reason.

use crate::frame::Frame;

/// One difference that is meant.
pub struct Exception {
    /// What it is about.
    pub name: &'static str,
    /// Why it is right.
    pub reason: &'static str,
    /// Whether it is what makes these replies to a command differ.
    applies: fn(&[Vec<u8>], theirs: &Frame, ours: &Frame) -> bool,
}

/// All of them.
pub const EXCEPTIONS: &[Exception] = &[Exception {
    name: "encodings of Redis 7.2",
    reason: "since 7.2 a small list is a listpack rather than a quicklist, and a small set one rather than a hashtable",
    applies: |args, theirs, ours| args[0].eq_ignore_ascii_case(b"OBJECT") && encodings_agree(theirs, ours),
}];

/// Whether a difference is one of those that are meant.
pub fn cover(args: &[Vec<u8>], theirs: &Frame, ours: &Frame) -> bool {
    EXCEPTIONS.iter().any(|exception| (exception.applies)(args, theirs, ours))
}

/// Whether two encodings are the same but for what 7.2 names otherwise.
pub fn encodings_agree(theirs: &Frame, ours: &Frame) -> bool {
    theirs == ours || ours.bytes() == b"listpack" && matches!(theirs.bytes(), b"quicklist" | b"hashtable")
}
