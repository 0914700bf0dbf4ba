//! A bar on standard error while a long file is read, if that is a terminal.

use std::io::{IsTerminal, stdout};

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

/// Below this a file is read before a bar could be looked at.
const LONG_BYTES: u64 = 64 << 20;

/// Makes a bar for `bytes` bytes of work; one that shows nothing when the work is short.
///
/// Nothing is drawn when standard error is no terminal, either. Dropped, the bar goes away.
pub(crate) fn bar(what: &'static str, bytes: u64) -> ProgressBar {
    if bytes < LONG_BYTES {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(bytes).with_message(what).with_finish(ProgressFinish::AndClear);
    match ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// The same for work that prints as it goes: no bar between its lines on a terminal.
pub(crate) fn bar_beside_output(what: &'static str, bytes: u64) -> ProgressBar {
    if stdout().is_terminal() { ProgressBar::hidden() } else { bar(what, bytes) }
}
