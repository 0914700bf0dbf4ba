//! What one segment of the log holds, counted.

use std::io::{self, Write};

use goredis::log::{Ancestor, DiskLog, DiskSegment, Item, Kind, Lsn, ScannedRecord, Scanner, State, VERSION};
use indicatif::ProgressBar;
use serde::Serialize;

use crate::damage::Damage;
use crate::error::InspectError;
use crate::when::UnixMillis;

/// What `info` says about a segment.
#[derive(Debug, Serialize)]
pub(crate) struct SegmentSummary {
    file: String,
    version: u32,
    file_bytes: u64,
    history: String,
    lineage: Vec<Fork>,
    first_lsn: u64,
    end_lsn: u64,
    created: UnixMillis,
    durable_mark: DurableMark,
    counts: Counts,
}

/// A history that came before this segment's.
#[derive(Debug, Serialize)]
struct Fork {
    history: String,
    fork_lsn: u64,
}

#[derive(Debug, Serialize)]
struct DurableMark {
    lsn: u64,
    sequence: u64,
    clean: bool,
    this_boot: bool,
    in_flight_records_max: u32,
}

/// Records by state and by kind, and what lies between them.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Counts {
    committed: u64,
    void: u64,
    pending: u64,
    plain: u64,
    blob: u64,
    spilled: u64,
    head_only: u64,
    payload_bytes: u64,
    pads: u64,
    pad_bytes: u64,
    gaps: u64,
    gap_bytes: u64,
    first_time: Option<UnixMillis>,
    last_time: Option<UnixMillis>,
}

impl Counts {
    fn record(&mut self, record: &ScannedRecord<'_>) {
        let by_state = match record.state {
            State::Committed => &mut self.committed,
            State::Void => &mut self.void,
            State::Pending => &mut self.pending,
        };
        *by_state += 1;
        let by_kind = match record.kind {
            Some(Kind::Plain) => &mut self.plain,
            Some(Kind::Blob) => &mut self.blob,
            Some(Kind::Spilled) => &mut self.spilled,
            None => &mut self.head_only,
        };
        *by_kind += 1;
        self.payload_bytes += record.payload.len() as u64;
        // Why committed only: of all others the time is not checked.
        if record.state == State::Committed {
            let time = UnixMillis(record.time);
            self.first_time.get_or_insert(time);
            self.last_time = Some(time);
        }
    }
}

impl SegmentSummary {
    fn of(segment: &DiskSegment) -> Self {
        let (header, mark) = (segment.header(), segment.mark());
        let fork = |it: &Ancestor| Fork { history: it.history.name().to_string(), fork_lsn: it.fork.get() };
        Self {
            file: segment.path().display().to_string(),
            version: VERSION,
            file_bytes: segment.file_bytes(),
            history: header.history.name().to_string(),
            lineage: header.lineage.iter().map(fork).collect(),
            first_lsn: segment.first().get(),
            end_lsn: segment.end().get(),
            created: UnixMillis(header.created),
            durable_mark: DurableMark {
                lsn: mark.durable.get(),
                sequence: mark.sequence,
                clean: mark.clean,
                this_boot: segment.is_own(),
                in_flight_records_max: mark.in_flight_records_max,
            },
            counts: Counts::default(),
        }
    }

    /// Writes it as text.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "segment {}", self.file)?;
        writeln!(out, "  format version   {}", self.version)?;
        writeln!(out, "  size             {} bytes", self.file_bytes)?;
        writeln!(out, "  history          {}", self.history)?;
        for fork in &self.lineage {
            writeln!(out, "    forked from    {} at LSN {}", fork.history, fork.fork_lsn)?;
        }
        writeln!(out, "  LSNs             {} to {}", self.first_lsn, self.end_lsn)?;
        writeln!(out, "  created          {}", self.created)?;
        let mark = &self.durable_mark;
        let clean = if mark.clean { "after a clean shutdown" } else { "while running" };
        let here = if mark.this_boot { "in this file and boot" } else { "elsewhere, or before a reboot" };
        writeln!(out, "  durable mark     {}, number {}, {clean}, {here}", mark.lsn, mark.sequence)?;
        self.counts.write(out)
    }
}

impl Counts {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { committed, void, pending, plain, blob, spilled, head_only, .. } = self;
        writeln!(out, "  records          {committed} committed, {void} void, {pending} pending")?;
        writeln!(
            out,
            "  kinds            {plain} plain, {blob} blob, {spilled} spilled, {head_only} head only"
        )?;
        writeln!(out, "  payload          {} bytes", self.payload_bytes)?;
        writeln!(out, "  skipped          {} pads of {} bytes", self.pads, self.pad_bytes)?;
        if self.gaps > 0 {
            writeln!(out, "  unwritten        {} gaps of {} bytes", self.gaps, self.gap_bytes)?;
        }
        match (&self.first_time, &self.last_time) {
            (Some(first), Some(last)) => writeln!(out, "  written          {first} to {last}"),
            _ => Ok(()),
        }
    }
}

/// Counts what each segment holds. Stops at the end of the log or at a bad place, which is returned.
///
/// # Errors
/// A file cannot be read.
pub(crate) fn summarize(
    log: &DiskLog,
    bar: &ProgressBar,
) -> Result<(Vec<SegmentSummary>, Option<Damage>), InspectError> {
    let mut summaries: Vec<SegmentSummary> = log.segments().iter().map(SegmentSummary::of).collect();
    let scanner = log.start().and_then(|start| Scanner::new(log, start));
    let Some(mut scanner) = scanner else { return Ok((summaries, None)) };
    let start = scanner.position().get();
    loop {
        let segment = scanner.segment();
        let failed = |source| InspectError::Read { path: segment.path().to_owned(), source };
        let item = scanner.next_item().map_err(failed)?;
        let counts_at = |lsn: Lsn| log.index_of(lsn).unwrap_or(0);
        match item {
            Item::Record(record) => summaries[counts_at(record.lsn)].counts.record(&record),
            Item::Pad { lsn, bytes } => {
                let counts = &mut summaries[counts_at(lsn)].counts;
                (counts.pads, counts.pad_bytes) = (counts.pads + 1, counts.pad_bytes + bytes);
            }
            Item::Gap { lsn, until } => {
                let counts = &mut summaries[counts_at(lsn)].counts;
                counts.gaps += 1;
                counts.gap_bytes += until.get() - lsn.get();
            }
            Item::Bad { at, damage, .. } => {
                return Ok((summaries, Some(Damage::in_log(log, at, damage, true))));
            }
            Item::End { .. } => return Ok((summaries, None)),
        }
        bar.set_position(scanner.position().get() - start);
    }
}
