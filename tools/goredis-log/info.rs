//! `info`: what is in the files.

use std::io::{self, Write};

use goredis::log::{DiskLog, DiskSegment};
use serde::Serialize;

use crate::damage::Damage;
use crate::error::InspectError;
use crate::files::Files;
use crate::output::Output;
use crate::progress;
use crate::segment::{self, SegmentSummary};
use crate::snapshot::SnapshotSummary;
use crate::verdict::Verdict;

#[derive(Serialize)]
struct Report {
    dbfile: String,
    snapshot: Option<SnapshotSummary>,
    log: Option<LogSummary>,
    /// What could not be read because it is damaged.
    damage: Vec<Damage>,
}

#[derive(Serialize)]
struct LogSummary {
    first_lsn: u64,
    durable_lsn: u64,
    file_bytes: u64,
    segments: Vec<SegmentSummary>,
    /// Files that belong to nothing, and that the next start removes.
    useless: Vec<String>,
}

/// Carries the command out.
pub(crate) fn run(files: Files, out: &mut Output<'_>) -> Result<Verdict, InspectError> {
    let mut damage = Vec::new();
    let snapshot = match files.snapshot {
        Ok(reader) => reader.as_ref().map(SnapshotSummary::of),
        Err(error) => {
            damage.push(Damage::of_snapshot(error)?);
            None
        }
    };
    let log = match files.log {
        Ok(log) => summarize(&log, &mut damage)?,
        Err(error) => {
            damage.push(Damage::of_log(error)?);
            None
        }
    };
    let report = Report { dbfile: files.dbfile.display().to_string(), snapshot, log, damage };
    out.report(&report, |out| report.write(out))?;
    Ok(Verdict::of(report.damage.is_empty()))
}

fn summarize(log: &DiskLog, damage: &mut Vec<Damage>) -> Result<Option<LogSummary>, InspectError> {
    let Some(first) = log.start() else { return Ok(None) };
    let file_bytes = log.segments().iter().map(DiskSegment::file_bytes).sum();
    let bar = progress::bar("log", file_bytes);
    let (segments, bad) = segment::summarize(log, &bar)?;
    // Why: above the durable mark bad bytes may be what a power loss left, which recovery cuts. `verify` judges.
    damage.extend(bad.filter(|bad| bad.lsn < Some(log.durable_mark().get())));
    Ok(Some(LogSummary {
        first_lsn: first.get(),
        durable_lsn: log.durable_mark().get(),
        file_bytes,
        segments,
        useless: log.useless().map(|path| path.display().to_string()).collect(),
    }))
}

impl Report {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "database {}", self.dbfile)?;
        match &self.snapshot {
            Some(snapshot) => snapshot.write(out)?,
            None => writeln!(out, "snapshot none")?,
        }
        match &self.log {
            Some(log) => log.write(out)?,
            None => writeln!(out, "log none")?,
        }
        for damage in &self.damage {
            writeln!(out, "damaged: {damage}")?;
        }
        Ok(())
    }
}

impl LogSummary {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { first_lsn, durable_lsn, file_bytes, segments, useless } = self;
        writeln!(out, "log of {} segments, {file_bytes} bytes", segments.len())?;
        writeln!(out, "  first LSN        {first_lsn}")?;
        writeln!(out, "  durable to LSN   {durable_lsn}")?;
        for segment in segments {
            segment.write(out)?;
        }
        for file in useless {
            writeln!(out, "belongs to nothing: {file}")?;
        }
        Ok(())
    }
}
