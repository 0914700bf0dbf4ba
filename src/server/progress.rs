//! How far a long piece of work at start is: a line each ten percent, and a bar where a person looks on.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// Percent between two lines.
const LINE_EVERY_PERCENT: u64 = 10;

/// Shows the progress of one piece of work after another.
#[derive(Debug, Default)]
pub(super) struct Progress {
    stage: Option<Stage>,
}

#[derive(Debug)]
struct Stage {
    name: &'static str,
    bar: ProgressBar,
    /// The last multiple of [`LINE_EVERY_PERCENT`] that was told.
    told_percent: u64,
}

impl Progress {
    /// Says that `done` of `total` bytes of the work called `name` are done. A new name ends the work before it.
    pub(super) fn report(&mut self, name: &'static str, done: u64, total: u64) {
        if self.stage.as_ref().is_none_or(|stage| stage.name != name) {
            self.finish();
            self.stage = Some(Stage::start(name, total));
        }
        if let Some(stage) = &mut self.stage {
            stage.advance(done, total);
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&mut self) {
        if let Some(stage) = self.stage.take() {
            stage.bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Stage {
    fn start(name: &'static str, total: u64) -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let style = ProgressStyle::with_template("{msg} [{bar:40}] {percent}% {bytes}/{total_bytes} {eta}");
        let bar = ProgressBar::with_draw_target(Some(total), target)
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
            .with_message(name);
        Self { name, bar, told_percent: 0 }
    }

    fn advance(&mut self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
        if let Some(percent) = due_line(self.told_percent, done, total) {
            self.told_percent = percent;
            let name = self.name;
            self.bar.suspend(|| tracing::info!(percent, "{name}"));
        }
    }
}

/// The percentage to tell now, if it is time for another line.
fn due_line(told_percent: u64, done: u64, total: u64) -> Option<u64> {
    let percent = if total == 0 { 100 } else { (u128::from(done) * 100 / u128::from(total)).min(100) as u64 };
    let due = percent - percent % LINE_EVERY_PERCENT;
    (due > told_percent).then_some(due)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_due_each_ten_percent_and_never_twice() {
        let (mut told, mut lines) = (0, Vec::new());
        for done in 0..=1000 {
            if let Some(percent) = due_line(told, done, 1000) {
                told = percent;
                lines.push(percent);
            }
        }
        assert_eq!(lines, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    }

    #[test]
    fn work_of_no_size_or_beyond_its_size_is_done() {
        assert_eq!(due_line(0, 0, 0), Some(100));
        assert_eq!(due_line(90, u64::MAX, 5), Some(100));
        assert_eq!(due_line(100, u64::MAX, 5), None);
    }
}
