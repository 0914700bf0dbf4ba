//! `dump`: the records of the log, or the entries of the snapshot, one per line.

use std::io;

use goredis::log::{DiskLog, Item, Kind, Lsn, ScannedRecord, Scanner, State, assemble};
use serde::Serialize;

use crate::args::Dump;
use crate::damage::Damage;
use crate::error::InspectError;
use crate::files::Files;
use crate::output::Output;
use crate::payload;
use crate::progress;
use crate::snapshot;
use crate::verdict::Verdict;
use crate::when::UnixMillis;

/// One line of the dump.
#[derive(Serialize)]
#[serde(tag = "item", rename_all = "lowercase")]
enum Line {
    Record {
        lsn: u64,
        time: UnixMillis,
        time_unix_ms: u64,
        state: &'static str,
        kind: &'static str,
        payload_bytes: usize,
        payload: String,
    },
    Pad {
        lsn: u64,
        bytes: u64,
    },
    Gap {
        lsn: u64,
        bytes: u64,
    },
    Damage(Damage),
}

/// Carries the command out.
pub(crate) fn run(files: Files, wanted: &Dump, out: &mut Output<'_>) -> Result<Verdict, InspectError> {
    if wanted.snapshot {
        let Some(reader) = files.snapshot? else {
            return Err(InspectError::NoSnapshot { dbfile: files.dbfile });
        };
        snapshot::dump(&reader, wanted.payload_bytes, out)?;
        return Ok(Verdict::Whole);
    }
    records(&files.log?, wanted, out)
}

fn records(log: &DiskLog, wanted: &Dump, out: &mut Output<'_>) -> Result<Verdict, InspectError> {
    let from = Lsn::new(wanted.from.unwrap_or(0));
    let Some(mut scanner) = scanner_before(log, from) else { return Ok(Verdict::Whole) };
    let (first, mut assembled) = (scanner.position().get(), Vec::new());
    let bar = progress::bar_beside_output("log", log.durable_mark().get().saturating_sub(first));
    loop {
        let at = scanner.position();
        bar.set_position(at.get() - first);
        if wanted.to.is_some_and(|to| at.get() >= to) {
            return Ok(Verdict::Whole);
        }
        let segment = scanner.segment();
        let failed = |source| InspectError::Read { path: segment.path().to_owned(), source };
        let line = match scanner.next_item().map_err(failed)? {
            Item::End { .. } => return Ok(Verdict::Whole),
            Item::Bad { at, damage, .. } => {
                print(&Line::Damage(Damage::in_log(log, at, damage, true)), out)?;
                return Ok(Verdict::Damaged);
            }
            _ if at < from => continue,
            Item::Record(record) => {
                let payload = payload_of(log, &record, &mut assembled).map_err(failed)?;
                Line::of_record(&record, payload, wanted.payload_bytes)
            }
            Item::Pad { lsn, bytes } => Line::Pad { lsn: lsn.get(), bytes },
            Item::Gap { lsn, until } => Line::Gap { lsn: lsn.get(), bytes: until.get() - lsn.get() },
        };
        print(&line, out)?;
    }
}

/// At the first record of the segment that holds `from`: that is where records can be found from.
fn scanner_before(log: &DiskLog, from: Lsn) -> Option<Scanner<'_>> {
    let segment = &log.segments()[log.index_of(from.max(log.start()?))?];
    Scanner::new(log, segment.first())
}

/// What the writer put in. Of a spilled payload that cannot be put together any more: its blobs' names.
fn payload_of<'a>(
    log: &DiskLog,
    record: &ScannedRecord<'a>,
    assembled: &'a mut Vec<u8>,
) -> io::Result<&'a [u8]> {
    let spilled = (record.state, record.kind) == (State::Committed, Some(Kind::Spilled));
    let whole = spilled && assemble(log, record, assembled)?.is_some();
    Ok(if whole { &assembled[..] } else { record.payload })
}

impl Line {
    fn of_record(record: &ScannedRecord<'_>, payload: &[u8], payload_bytes_max: usize) -> Self {
        Self::Record {
            lsn: record.lsn.get(),
            time: UnixMillis(record.time),
            time_unix_ms: record.time,
            state: state_name(record.state),
            kind: kind_name(record.kind),
            payload_bytes: payload.len(),
            payload: payload::show(payload, payload_bytes_max),
        }
    }
}

fn state_name(state: State) -> &'static str {
    match state {
        State::Pending => "pending",
        State::Committed => "committed",
        State::Void => "void",
    }
}

fn kind_name(kind: Option<Kind>) -> &'static str {
    match kind {
        Some(Kind::Plain) => "plain",
        Some(Kind::Blob) => "blob",
        Some(Kind::Spilled) => "spilled",
        None => "none",
    }
}

fn print(line: &Line, out: &mut Output<'_>) -> Result<(), InspectError> {
    out.line(line, |out| match line {
        Line::Record { lsn, time, state, kind, payload_bytes, payload, .. } => {
            writeln!(out, "{lsn}  {time}  {state} {kind}  {payload_bytes} bytes  {payload}")
        }
        Line::Pad { lsn, bytes } => writeln!(out, "{lsn}  pad of {bytes} bytes"),
        Line::Gap { lsn, bytes } => writeln!(out, "{lsn}  {bytes} bytes never written"),
        Line::Damage(damage) => writeln!(out, "damaged: {damage}"),
    })?;
    Ok(())
}
