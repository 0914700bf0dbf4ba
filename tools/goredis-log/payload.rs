//! How a payload is shown: decoded where a decoder knows it, as escaped bytes otherwise.
//!
//! Both the log's records and the snapshot's entries are opaque to the files' layer; the engine alone knows what
//! they say. [`decode`] is the one place that asks it.

use std::fmt::Write;

/// Says in words what a payload holds; `None` when no decoder knows it.
///
/// Effects are decoded by the engine, which has no decoder yet: every payload is shown as bytes.
fn decode(_payload: &[u8]) -> Option<String> {
    None
}

/// Shows a payload, of which escaped bytes are cut behind the first `bytes_max` (0: never).
pub(crate) fn show(payload: &[u8], bytes_max: usize) -> String {
    if let Some(words) = decode(payload) {
        return words;
    }
    let shown = if bytes_max == 0 { payload.len() } else { payload.len().min(bytes_max) };
    let mut out = escape(&payload[..shown]);
    if shown < payload.len() {
        // Writing to a string cannot fail.
        let _ = write!(out, "... {} more bytes", payload.len() - shown);
    }
    out
}

/// Printable ASCII as it is, everything else as `\n`, `\\`, `\x07` and the like.
fn escape(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_escaped_and_cut_where_asked() {
        assert_eq!(show(b"a\x00\n\\", 0), r"a\x00\n\\");
        assert_eq!(show(b"abcdef", 4), "abcd... 2 more bytes");
        assert_eq!(show(b"abcd", 4), "abcd");
    }
}
