//! The snapshot's share of each command.

use std::io::Write;

use goredis::log::snapshot::{SnapshotError, SnapshotReader, VERSION};
use serde::Serialize;

use crate::error::InspectError;
use crate::output::Output;
use crate::payload;
use crate::progress;
use crate::when::UnixMillis;

/// What `info` says about a snapshot.
#[derive(Debug, Serialize)]
pub(crate) struct SnapshotSummary {
    file: String,
    version: u32,
    file_bytes: u64,
    history: String,
    start_lsn: u64,
    end_lsn: u64,
    retention_floor_lsn: u64,
    hash_seed: u64,
    created: UnixMillis,
    blocks: u64,
    entries: u64,
    entry_bytes: u64,
}

impl SnapshotSummary {
    /// Sums an open snapshot up.
    pub(crate) fn of(reader: &SnapshotReader) -> Self {
        let (footer, totals) = (reader.footer(), reader.totals());
        Self {
            file: reader.path().display().to_string(),
            version: VERSION,
            file_bytes: totals.file_bytes,
            history: footer.history.name().to_string(),
            start_lsn: footer.start.get(),
            end_lsn: footer.end.get(),
            retention_floor_lsn: footer.retention_floor.get(),
            hash_seed: footer.hash_seed,
            created: UnixMillis(footer.created_unix_ms),
            blocks: totals.blocks,
            entries: totals.entries,
            entry_bytes: totals.entry_bytes,
        }
    }

    /// Writes it as text.
    pub(crate) fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        writeln!(out, "snapshot {}", self.file)?;
        writeln!(out, "  format version   {}", self.version)?;
        writeln!(out, "  size             {} bytes", self.file_bytes)?;
        writeln!(out, "  history          {}", self.history)?;
        writeln!(out, "  start LSN        {}", self.start_lsn)?;
        writeln!(out, "  end LSN          {}", self.end_lsn)?;
        writeln!(out, "  retention floor  {}", self.retention_floor_lsn)?;
        writeln!(out, "  hash seed        {:#018x}", self.hash_seed)?;
        writeln!(out, "  created          {}", self.created)?;
        writeln!(
            out,
            "  entries          {} in {} blocks, {} bytes",
            self.entries, self.blocks, self.entry_bytes
        )
    }
}

/// Reads every block, which checks every byte.
pub(crate) fn check_blocks(reader: &SnapshotReader) -> Result<(), SnapshotError> {
    let bar = progress::bar("snapshot", reader.totals().file_bytes);
    let mut buffer = Vec::new();
    for (block, place) in reader.places().iter().enumerate() {
        reader.read_block(block, &mut buffer)?;
        bar.inc(place.bytes);
    }
    Ok(())
}

#[derive(Serialize)]
struct Line {
    block: usize,
    /// The entry's number within its block.
    entry: usize,
    bytes: usize,
    payload: String,
}

/// Prints every entry.
pub(crate) fn dump(
    reader: &SnapshotReader,
    payload_bytes: usize,
    out: &mut Output<'_>,
) -> Result<(), InspectError> {
    let bar = progress::bar_beside_output("snapshot", reader.totals().file_bytes);
    let mut buffer = Vec::new();
    for (block, place) in reader.places().iter().enumerate() {
        for (entry, bytes) in reader.read_block(block, &mut buffer)?.entries().enumerate() {
            let payload = payload::show(bytes, payload_bytes);
            let line = Line { block, entry, bytes: bytes.len(), payload };
            out.line(&line, |out| {
                writeln!(out, "{}.{}  {} bytes  {}", line.block, line.entry, line.bytes, line.payload)
            })?;
        }
        bar.inc(place.bytes);
    }
    Ok(())
}
