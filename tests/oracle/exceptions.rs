//! Where this server answers other than the one that is installed, and should: each with the reason.

use crate::frame::Frame;

/// One difference that is meant.
pub struct Exception {
    /// What it is about, and why it is right.
    pub reason: &'static str,
    /// What the servers hold is no longer the same afterwards, so nothing more can be compared.
    pub parts_ways: bool,
    /// Whether it is what makes these replies to a command differ.
    applies: fn(&[Vec<u8>], theirs: &Frame, ours: &Frame) -> bool,
}

/// All of them.
pub const EXCEPTIONS: &[Exception] = &[
    Exception {
        reason: "a value is packed if it is small, however it came to be: since 7.2 lists and sets are listpacks too, and \
                 no command's many arguments, no APPEND and no INCRBYFLOAT makes a small value a large one here",
        parts_ways: false,
        applies: |args, theirs, ours| is(&args[0], "object") && encodings_agree(theirs, ours),
    },
    Exception {
        reason: "INCRBYFLOAT adds in decimal, which shows none of the rounding of C's long double",
        parts_ways: true,
        applies: |args, theirs, ours| {
            (is(&args[0], "incrbyfloat") || is(&args[0], "hincrbyfloat"))
                && double(theirs.bytes()).is_some_and(|theirs| double(ours.bytes()) == Some(theirs))
        },
    },
    Exception {
        reason: "since 7.2 a double has the fewest digits that say which it is, in ZSCAN too here; both zeros are one score",
        parts_ways: false,
        applies: |_, theirs, ours| numbers_agree(theirs, ours),
    },
    Exception {
        reason: "a cursor is digits, nothing else: Redis takes a sign, and before 8.0 a negative one for a huge one",
        parts_ways: false,
        applies: |_, _, ours| ours.error() == Some(b"ERR invalid cursor"),
    },
    Exception {
        reason: "since 7.2 ZRANK and ZREVRANK have an option",
        parts_ways: true,
        applies: |args, theirs, ours| {
            (is(&args[0], "zrank") || is(&args[0], "zrevrank"))
                && args.len() > 3
                && theirs.error().is_some_and(|error| error.starts_with(b"ERR wrong number of arguments"))
                && ours != theirs
        },
    },
    Exception {
        reason: "since 7.2 the least of all integers is no rank for LPOS",
        parts_ways: false,
        applies: |args, _, ours| {
            is(&args[0], "lpos")
                && ours.error().is_some_and(|error| error.starts_with(b"ERR value is out of range"))
        },
    },
    Exception {
        reason: "Redis's SORT takes an earlier number out of range for one of its own: it looks at an old errno",
        parts_ways: true,
        applies: |args, theirs, ours| {
            (is(&args[0], "sort") || is(&args[0], "sort_ro"))
                && theirs.error() == Some(b"ERR One or more scores can't be converted into double")
                && ours.error().is_none()
        },
    },
    Exception {
        reason: "an error is text, so what it quotes is made text, cut if it is long, and does not end at the first NUL \
                 as in C",
        parts_ways: false,
        applies: |args, theirs, ours| {
            let is_text =
                |arg: &Vec<u8>| arg.len() <= 100 && !arg.contains(&0) && std::str::from_utf8(arg).is_ok();
            let begins = |reply: &Frame| reply.error().map(|error| error[..error.len().min(15)].to_vec());
            !args.iter().all(is_text) && begins(theirs).is_some() && begins(theirs) == begins(ours)
        },
    },
];

/// The exception that a difference is due to, if it is meant.
pub fn cover(args: &[Vec<u8>], theirs: &Frame, ours: &Frame) -> Option<&'static Exception> {
    EXCEPTIONS.iter().find(|exception| (exception.applies)(args, theirs, ours))
}

/// Whether two encodings are the same but for what 7.2 names otherwise.
pub fn encodings_agree(theirs: &Frame, ours: &Frame) -> bool {
    theirs == ours
        || match ours.bytes() {
            b"listpack" => matches!(theirs.bytes(), b"quicklist" | b"hashtable" | b"skiplist"),
            b"int" => matches!(theirs.bytes(), b"embstr" | b"raw"),
            b"embstr" => theirs.bytes() == b"raw",
            _ => false,
        }
}

/// Whether two replies are the same but for how they spell numbers that have no short spelling.
pub fn numbers_agree(theirs: &Frame, ours: &Frame) -> bool {
    match (theirs, ours) {
        (Frame::Many(kind, theirs), Frame::Many(other, ours)) => {
            kind == other
                && theirs.len() == ours.len()
                && theirs.iter().zip(ours).all(|(theirs, ours)| numbers_agree(theirs, ours))
        }
        (Frame::Bulk(kind @ b'$', theirs), Frame::Bulk(other, ours))
        | (Frame::Line(kind @ b',', theirs), Frame::Line(other, ours)) => {
            // Why not all that is long: large integers that differ may be the same double.
            let is_long =
                theirs.len() > 15 && theirs.contains(&b'.') || theirs.contains(&b'e') || theirs == b"-0";
            kind == other
                && (theirs == ours
                    || is_long && double(theirs).is_some_and(|theirs| double(ours) == Some(theirs)))
        }
        _ => theirs == ours,
    }
}

fn double(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn is(arg: &[u8], word: &str) -> bool {
    arg.eq_ignore_ascii_case(word.as_bytes())
}
