//! The first pass of recovery: how the last life ended, and where the log ends.
//!
//! Looks at the part of the log above the durable mark only, as nothing below it can be undecided. Reads; changes
//! nothing. Its result decides what the second pass replays, and what `adopt.rs` then makes of the files.

use std::io;

use super::disk::{DiskLog, DiskSegment};
use super::error::{Damage, OpenError};
use super::header::HEADER_BYTES;
use super::lsn::Lsn;
use super::record::{Kind, State};
use super::scan::{Item, ScannedRecord, Scanner, assemble};
use super::verdict::{Case, LastLife, Verdict, verdict};

/// Something in the way, in the order of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Finding {
    /// Up to here the log is well formed.
    lsn: Lsn,
    /// What is to be repaired reaches to here; for damage, the bad place.
    until: Lsn,
    kind: Option<Kind>,
    case: Case,
}

/// What is to be written where the log is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repair {
    /// Make the record void.
    Void { lsn: Lsn, kind: Option<Kind> },
    /// Make the space a pad, or one per segment that it touches.
    Pad { from: Lsn, until: Lsn },
}

/// What the survey found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Survey {
    pub(super) life: LastLife,
    /// Everything below is durable, says the mark.
    pub(super) mark: Lsn,
    /// Where the log ends.
    pub(super) end: Lsn,
    /// Empty when the machine was lost: then nothing is passed over.
    pub(super) repairs: Vec<Repair>,
    /// Why it ends there, when there is something behind.
    pub(super) cut_by: Option<CutReason>,
}

/// Why a log was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CutReason {
    /// A record was not decided.
    #[error("an undecided record")]
    Pending,
    /// Bytes were never written.
    #[error("bytes that were not written")]
    Gap,
    /// Bytes are wrong.
    #[error("{0}")]
    Damage(Damage),
}

/// Surveys the log from `from` on, which is its durable mark or the place where replay starts, if that is higher.
pub(super) fn survey(log: &DiskLog, from: Lsn) -> Result<Survey, OpenError> {
    let Some(index) = log.index_of(from) else {
        return Err(OpenError::SegmentMissing { dbfile: log.dbfile().to_path_buf(), lsn: from });
    };
    let open = &log.segments()[index..];
    let unresolved_max = open.iter().map(|segment| segment.mark().in_flight_records_max).max().unwrap_or(0);
    let (findings, unresolved) = collect(log, from, unresolved_max as usize)?;
    let is_own = open.iter().all(DiskSegment::is_own);
    let life = if is_own && unresolved <= unresolved_max as usize {
        LastLife::Killed
    } else {
        LastLife::MachineLost
    };
    // A kill cuts no file; the zeros read in its place are no trace of one.
    if let Some(short) = open.iter().find(|segment| life == LastLife::Killed && !segment.is_whole()) {
        let missing_from = short.first().get() + short.file_bytes() - HEADER_BYTES;
        return Err(log.damaged(short, Lsn::new(missing_from), Damage::Truncated));
    }
    judge(log, life, &findings)
}

/// Everything in the way from `from` on, up to the end or the first bad place; stops early when there is more
/// undecided than a killed process leaves.
fn collect(log: &DiskLog, from: Lsn, unresolved_max: usize) -> Result<(Vec<Finding>, usize), OpenError> {
    let mut findings = Vec::new();
    let mut assembled = Vec::new();
    let Some(mut scanner) = Scanner::new(log, from) else { return Ok((findings, 0)) };
    while findings.len() <= unresolved_max {
        let path = scanner.segment().path();
        let failed = |source| OpenError::io("read", path, source);
        let item = scanner.next_item().map_err(failed)?;
        let finding = finding(log, &item, &mut assembled).map_err(failed)?;
        let Some(finding) = finding else { continue };
        findings.push(finding);
        if matches!(finding.case, Case::Bad(_) | Case::End) {
            break;
        }
    }
    let unresolved = findings.iter().filter(|it| matches!(it.case, Case::Pending | Case::Gap)).count();
    Ok((findings, unresolved))
}

fn finding(log: &DiskLog, item: &Item<'_>, assembled: &mut Vec<u8>) -> io::Result<Option<Finding>> {
    let case = case_of(log, item, assembled)?;
    let (lsn, until, kind) = match *item {
        Item::Record(ref record) => (record.lsn, record.lsn, record.kind),
        Item::Pad { lsn, .. } | Item::End { lsn } => (lsn, lsn, None),
        Item::Gap { lsn, until } => (lsn, until, None),
        Item::Bad { lsn, at, .. } => (lsn, at, None),
    };
    Ok((case != Case::Resolved).then_some(Finding { lsn, until, kind, case }))
}

/// The case that an item is. Puts the payload of a committed spilled record together in `assembled`.
pub(super) fn case_of(log: &DiskLog, item: &Item<'_>, assembled: &mut Vec<u8>) -> io::Result<Case> {
    Ok(match item {
        Item::Record(ScannedRecord { state: State::Pending, .. }) => Case::Pending,
        Item::Record(record) if is_spilled(record) && assemble(log, record, assembled)?.is_none() => {
            Case::Bad(Damage::Blob)
        }
        Item::Record(_) | Item::Pad { .. } => Case::Resolved,
        Item::Gap { .. } => Case::Gap,
        Item::Bad { damage, .. } => Case::Bad(*damage),
        Item::End { .. } => Case::End,
    })
}

/// Whether the record counts and its payload lies in blobs.
pub(super) fn is_spilled(record: &ScannedRecord<'_>) -> bool {
    record.state == State::Committed && record.kind == Some(Kind::Spilled)
}

fn judge(log: &DiskLog, life: LastLife, findings: &[Finding]) -> Result<Survey, OpenError> {
    let mark = log.durable_mark();
    let mut repairs = Vec::new();
    for finding in findings {
        match verdict(life, finding.case, finding.lsn < mark) {
            Verdict::Keep => {}
            Verdict::Void => repairs.push(Repair::Void { lsn: finding.lsn, kind: finding.kind }),
            Verdict::Pad => repairs.push(Repair::Pad { from: finding.lsn, until: finding.until }),
            Verdict::End => {
                let cut_by = match finding.case {
                    Case::Pending => Some(CutReason::Pending),
                    Case::Gap => Some(CutReason::Gap),
                    Case::Bad(damage) => Some(CutReason::Damage(damage)),
                    Case::Resolved | Case::End => None,
                };
                return Ok(Survey { life, mark, end: finding.lsn, repairs, cut_by });
            }
            Verdict::Refuse(damage) => return Err(refusal(log, finding.until, damage)),
        }
    }
    unreachable!(
        "a survey ends with an end, a bad place, or more undecided records than a killed process leaves"
    )
}

/// The error that names the damaged place `lsn`.
pub(super) fn refusal(log: &DiskLog, lsn: Lsn, damage: Damage) -> OpenError {
    match log.index_of(lsn).map(|index| &log.segments()[index]) {
        Some(segment) => log.damaged(segment, lsn, damage),
        None => OpenError::SegmentMissing { dbfile: log.dbfile().to_path_buf(), lsn },
    }
}
