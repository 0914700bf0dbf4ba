//! `verify`: whether the next start finds everything that was promised.
//!
//! The log is judged by the code that recovery uses, so that its answer is the answer of a start. What lies below the
//! place where replay starts, and is there for replicas only, is checked too.

use std::io::{self, Write};

use goredis::log::snapshot::{SnapshotReader, SnapshotTotals};
use goredis::log::{Cut, DiskLog, Inspection, Item, LastLife, Lsn, Scanner, SnapshotBounds, State};
use serde::Serialize;

use crate::damage::Damage;
use crate::error::InspectError;
use crate::files::{Files, bounds, inspect_log};
use crate::output::Output;
use crate::progress;
use crate::snapshot::check_blocks;
use crate::verdict::Verdict;

#[derive(Serialize)]
struct Report {
    dbfile: String,
    whole: bool,
    damage: Vec<Damage>,
    snapshot: Option<SnapshotChecked>,
    log: Option<LogChecked>,
}

#[derive(Serialize)]
struct SnapshotChecked {
    entries: u64,
    blocks: u64,
    file_bytes: u64,
}

/// What the next start would find.
#[derive(Serialize)]
struct LogChecked {
    first_lsn: u64,
    replay_from_lsn: u64,
    durable_lsn: u64,
    end_lsn: u64,
    records: u64,
    last_life: &'static str,
    undecided_records: u64,
    unwritten_bytes: u64,
    cut: Option<CutAhead>,
}

/// What the next start would cut off.
#[derive(Serialize)]
struct CutAhead {
    file: String,
    offset: u64,
    lsn: u64,
    bytes: u64,
    reason: String,
}

/// Carries the command out.
pub(crate) fn run(files: Files, out: &mut Output<'_>) -> Result<Verdict, InspectError> {
    let mut damage = Vec::new();
    let snapshot = check_snapshot(&files, &mut damage)?;
    let fits = match files.snapshot {
        Ok(reader) => Fits::Known(reader.as_ref().map(bounds)),
        Err(error) => {
            damage.push(Damage::of_snapshot(error)?);
            Fits::Unknown
        }
    };
    let log = match files.log {
        Ok(log) => check_log(&log, fits, &mut damage)?,
        Err(error) => {
            damage.push(Damage::of_log(error)?);
            None
        }
    };
    let dbfile = files.dbfile.display().to_string();
    let report = Report { dbfile, whole: damage.is_empty(), damage, snapshot, log };
    out.report(&report, |out| report.write(out))?;
    Ok(Verdict::of(report.whole))
}

/// What the log has to fit, as far as the snapshot can say it.
#[derive(Clone, Copy)]
enum Fits {
    Known(Option<SnapshotBounds>),
    Unknown,
}

fn check_snapshot(files: &Files, damage: &mut Vec<Damage>) -> Result<Option<SnapshotChecked>, InspectError> {
    let Ok(Some(reader)) = &files.snapshot else { return Ok(None) };
    if let Err(error) = check_blocks(reader) {
        damage.push(Damage::of_snapshot(error)?);
    }
    Ok(Some(SnapshotChecked::of(reader)))
}

impl SnapshotChecked {
    fn of(reader: &SnapshotReader) -> Self {
        let SnapshotTotals { blocks, entries, file_bytes, .. } = *reader.totals();
        Self { entries, blocks, file_bytes }
    }
}

fn check_log(
    log: &DiskLog,
    fits: Fits,
    damage: &mut Vec<Damage>,
) -> Result<Option<LogChecked>, InspectError> {
    let Some(start) = log.start() else {
        // No log may be a fault, too: `inspect` knows.
        if let Fits::Known(bounds) = fits {
            judge(log, bounds, damage)?;
        }
        return Ok(None);
    };
    let Fits::Known(bounds) = fits else {
        // Without the snapshot nobody knows where replay would start: only what is promised can be checked.
        damage.extend(first_damage(log, start, log.durable_mark(), true)?);
        return Ok(None);
    };
    let inspection = judge(log, bounds, damage)?;
    if let Some(bounds) = bounds {
        damage.extend(first_damage(log, start, bounds.start.min(log.durable_mark()), false)?);
    }
    Ok(inspection.map(|inspection| LogChecked::of(start, &inspection)))
}

fn judge(
    log: &DiskLog,
    bounds: Option<SnapshotBounds>,
    damage: &mut Vec<Damage>,
) -> Result<Option<Inspection>, InspectError> {
    match inspect_log(log, bounds) {
        Ok(inspection) => Ok(inspection),
        Err(error) => {
            damage.push(Damage::of_log(error)?);
            Ok(None)
        }
    }
}

/// The first place in `[from, until)`, all of which is durable, that is not a decided record or a pad.
///
/// Payloads in blobs are not put together: the blobs of a record that only replicas need may be gone.
fn first_damage(log: &DiskLog, from: Lsn, until: Lsn, needed: bool) -> Result<Option<Damage>, InspectError> {
    let Some(mut scanner) = Scanner::new(log, from) else { return Ok(None) };
    let bar = progress::bar("log", until.get().saturating_sub(from.get()));
    while scanner.position() < until {
        bar.set_position(scanner.position().get() - from.get());
        let segment = scanner.segment();
        let failed = |source| InspectError::Read { path: segment.path().to_owned(), source };
        let item = scanner.next_item().map_err(failed)?;
        let (lsn, reason) = match item {
            Item::Record(record) if record.state == State::Pending => {
                (record.lsn, goredis::log::Damage::PendingBelowMark)
            }
            Item::Record(_) | Item::Pad { .. } => continue,
            Item::Gap { lsn, .. } | Item::End { lsn } => (lsn, goredis::log::Damage::EmptyBelowMark),
            Item::Bad { at, damage, .. } => (at, damage),
        };
        return Ok(Some(Damage::in_log(log, lsn, reason, needed)));
    }
    Ok(None)
}

impl LogChecked {
    fn of(start: Lsn, inspection: &Inspection) -> Self {
        Self {
            first_lsn: start.get(),
            replay_from_lsn: inspection.from.get(),
            durable_lsn: inspection.mark.get(),
            end_lsn: inspection.end.get(),
            records: inspection.records,
            last_life: match inspection.last_life {
                LastLife::Killed => "ended, killed or running",
                LastLife::MachineLost => "machine lost or files moved",
            },
            undecided_records: inspection.undecided,
            unwritten_bytes: inspection.unwritten_bytes,
            cut: inspection.cut.as_ref().map(CutAhead::of),
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { first_lsn, end_lsn, records, replay_from_lsn, .. } = self;
        writeln!(
            out,
            "log: LSN {first_lsn} to {end_lsn}, {records} records replayed from {replay_from_lsn} on"
        )?;
        if self.undecided_records > 0 {
            writeln!(out, "  the next start makes {} undecided records void", self.undecided_records)?;
        }
        if self.unwritten_bytes > 0 {
            writeln!(out, "  the next start skips {} bytes that were never written", self.unwritten_bytes)?;
        }
        match &self.cut {
            Some(cut) => writeln!(
                out,
                "  the next start cuts {} bytes, none of them durable, from {} at offset {} (LSN {}) on: {}",
                cut.bytes, cut.file, cut.offset, cut.lsn, cut.reason
            ),
            None => Ok(()),
        }
    }
}

impl CutAhead {
    fn of(cut: &Cut) -> Self {
        Self {
            file: cut.path.display().to_string(),
            offset: cut.offset,
            lsn: cut.lsn.get(),
            bytes: cut.bytes,
            reason: cut.reason.to_string(),
        }
    }
}

impl Report {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.whole {
            writeln!(out, "whole: {}", self.dbfile)?;
        }
        for damage in &self.damage {
            writeln!(out, "damaged: {damage}")?;
        }
        if let Some(snapshot) = &self.snapshot {
            let SnapshotChecked { entries, blocks, file_bytes } = snapshot;
            writeln!(out, "snapshot: {entries} entries in {blocks} blocks, {file_bytes} bytes")?;
        }
        match &self.log {
            Some(log) => log.write(out),
            None => Ok(()),
        }
    }
}
