//! The text of INFO: sections of `name:value` lines.

use std::fmt::{Display, Write as _};

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Text(String);

impl Text {
    /// Starts a section.
    pub(super) fn title(&mut self, name: &str) {
        if !self.0.is_empty() {
            self.0.push_str("\r\n");
        }
        self.write(format_args!("# {name}"));
    }

    /// One field.
    pub(super) fn field(&mut self, name: &str, value: impl Display) {
        self.write(format_args!("{name}:{value}"));
    }

    /// Fields that are 0 because there is nothing of the kind here.
    pub(super) fn zeros(&mut self, names: &[&str]) {
        for name in names {
            self.field(name, 0);
        }
    }

    /// A flag, as 0 or 1.
    pub(super) fn flag(&mut self, name: &str, on: bool) {
        self.field(name, u8::from(on));
    }

    /// A state, as `ok` or `err`.
    pub(super) fn status(&mut self, name: &str, ok: bool) {
        self.field(name, if ok { "ok" } else { "err" });
    }

    /// A problem in words that end with their line, or `none`.
    pub(super) fn message(&mut self, name: &str, problem: Option<&impl Display>) {
        let words = problem.map(|problem| problem.to_string().replace(['\r', '\n'], " "));
        self.field(name, words.as_deref().unwrap_or("none"));
    }

    fn write(&mut self, line: std::fmt::Arguments<'_>) {
        // Why: writing to a string does not fail.
        let _ = write!(self.0, "{line}\r\n");
    }

    /// The whole.
    pub(super) fn finish(self) -> String {
        self.0
    }
}
