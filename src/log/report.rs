//! What recovery found and did, for people.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::lsn::{History, Lsn};
use super::survey::CutReason;
use super::verdict::LastLife;

/// What was found when the log was opened, and what was done about it. Displays as one line.
#[derive(Clone, Debug)]
pub struct RecoveryReport {
    /// How the last life ended; `None` when there was no log, or it lives in memory.
    pub last_life: Option<LastLife>,
    /// From where on the log was replayed.
    pub replayed_from: Lsn,
    /// Where it ended, and goes on.
    pub end: Lsn,
    /// Where the durable mark was.
    pub mark: Lsn,
    /// How many records were replayed.
    pub records: u64,
    /// Records of a killed process that were not decided, and are void now.
    pub voided: u64,
    /// Bytes that a killed process reserved and did not write, and that are skipped now.
    pub padded_bytes: u64,
    /// What was cut off.
    pub cut: Option<Cut>,
    /// Segment files deleted because they lie behind the end, or belong to nothing.
    pub deleted: Vec<PathBuf>,
    /// The history from here on.
    pub history: History,
    /// The history before, when it changed.
    pub previous_history: Option<History>,
    /// Blobs that no record names: what was there of payloads when the log ended.
    pub unnamed_blobs: Vec<Lsn>,
    /// Whether the log followed another in its last life: the history is another's, and so it is still taken to follow
    /// until it is told otherwise.
    pub followed: bool,
    /// How long it took.
    pub took: Duration,
}

/// A piece that was cut off the log's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The segment in which it starts.
    pub path: PathBuf,
    /// Where in that file.
    pub offset: u64,
    /// Where in the log.
    pub lsn: Lsn,
    /// How many bytes, up to the last that was not zero.
    pub bytes: u64,
    /// Why there.
    pub reason: CutReason,
}

impl fmt::Display for RecoveryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(life) = self.last_life else {
            return write!(f, "new log, history {}", self.history.name());
        };
        write!(f, "log replayed from {} to {}: {} records", self.replayed_from, self.end, self.records)?;
        write!(f, " in {:.2} s", self.took.as_secs_f64())?;
        match life {
            LastLife::Killed => {}
            LastLife::MachineLost => write!(f, "; the machine had stopped, or the files were moved")?,
        }
        if self.voided > 0 || self.padded_bytes > 0 {
            write!(f, "; voided {} unfinished records, padded {} bytes", self.voided, self.padded_bytes)?;
        }
        match &self.cut {
            Some(cut) => write!(
                f,
                "; cut {} bytes from {} at offset {} on (position {}): {}",
                cut.bytes,
                cut.path.display(),
                cut.offset,
                cut.lsn,
                cut.reason
            )?,
            None => write!(f, "; nothing was cut")?,
        }
        if !self.deleted.is_empty() {
            write!(f, "; deleted {} segment files", self.deleted.len())?;
        }
        match self.previous_history {
            Some(previous) => write!(f, "; new history {} after {}", self.history.name(), previous.name()),
            None => write!(f, "; history {}", self.history.name()),
        }
    }
}
