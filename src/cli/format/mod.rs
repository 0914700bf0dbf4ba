//! Replies as text: for people (`terminal`), for pipes (`raw`), for tables (`csv`) and for programs (`json`).
//!
//! Each form prints what redis-cli prints, byte for byte. The functions append to a buffer and know no output device.

mod csv;
mod json;
mod raw;
mod terminal;

use crate::resp::Value;

/// How replies are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// With types, quotes and numbered items.
    Terminal,
    /// The bytes as they are.
    Raw,
    /// One line of comma-separated values.
    Csv,
    /// One line of JSON. Bytes that are no UTF-8 stay as they are.
    Json,
}

/// A format and what it puts between things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// How values are printed.
    pub format: Format,
    /// Between the values of one reply, raw only.
    pub value_delimiter: Vec<u8>,
    /// After a reply, raw only.
    pub reply_delimiter: Vec<u8>,
}

impl Style {
    /// A format with newlines as delimiters.
    pub fn new(format: Format) -> Self {
        Self { format, value_delimiter: b"\n".to_vec(), reply_delimiter: b"\n".to_vec() }
    }

    /// The reply as it is to appear, its line end included. `as_text` is for commands whose answer is a report
    /// written for people: it is shown as it is, in every format.
    pub fn render(&self, reply: &Value, as_text: bool) -> Vec<u8> {
        let mut out = Vec::new();
        if as_text {
            raw::write(&mut out, reply, &self.value_delimiter);
            return out;
        }
        match self.format {
            Format::Terminal => terminal::write(&mut out, reply, ""),
            Format::Raw => {
                raw::write(&mut out, reply, &self.value_delimiter);
                out.extend_from_slice(&self.reply_delimiter);
            }
            Format::Csv => {
                csv::write(&mut out, reply);
                out.push(b'\n');
            }
            Format::Json => {
                json::write(&mut out, reply);
                out.push(b'\n');
            }
        }
        out
    }
}

/// Whether a command answers with a report for people, which is shown as it is.
pub fn answers_with_text(args: &[Vec<u8>]) -> bool {
    let word = |at: usize| args.get(at).map(|arg| arg.to_ascii_uppercase()).unwrap_or_default();
    let (first, second) = (word(0), word(1));
    matches!(
        (first.as_slice(), second.as_slice()),
        (b"INFO" | b"LOLWUT", _)
            | (b"CLIENT", b"LIST" | b"INFO")
            | (b"MEMORY", b"MALLOC-STATS" | b"DOCTOR")
            | (b"LATENCY", b"GRAPH" | b"DOCTOR")
            | (b"DEBUG", b"HTSTATS" | b"HTSTATS-KEY")
            | (b"CLUSTER", b"INFO" | b"NODES")
    )
}

#[cfg(test)]
mod tests;
