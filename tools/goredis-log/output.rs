//! Standard output as text or as JSON.

use std::io::{self, Write};

use serde::Serialize;

/// Where the answer goes, and in which form.
pub(crate) struct Output<'a> {
    out: &'a mut dyn Write,
    json: bool,
}

impl<'a> Output<'a> {
    /// Answers on `out`, as JSON or as text.
    pub(crate) fn new(out: &'a mut dyn Write, json: bool) -> Self {
        Self { out, json }
    }

    /// One of many answers: JSON on one line, or what `text` writes.
    pub(crate) fn line(
        &mut self,
        value: &impl Serialize,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        if !self.json {
            return text(self.out);
        }
        serde_json::to_writer(&mut *self.out, value)?;
        writeln!(self.out)
    }

    /// The whole answer: indented JSON, or what `text` writes.
    pub(crate) fn report(
        &mut self,
        value: &impl Serialize,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        if !self.json {
            return text(self.out);
        }
        serde_json::to_writer_pretty(&mut *self.out, value)?;
        writeln!(self.out)
    }
}
