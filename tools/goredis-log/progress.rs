//! A bar on standard error while a long file is read, if that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// Below this a file is read before a bar could be looked at.
const LONG_BYTES: u64 = 64 << 20;

/// Makes a bar for `bytes` bytes of work; one that shows nothing when the work is short.
///
/// Nothing is drawn when standard error is no terminal, either.
pub(crate) fn bar(what: &'static str, bytes: u64) -> ProgressBar {
    if bytes < LONG_BYTES {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}");
    let bar = ProgressBar::new(bytes).with_message(what);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
