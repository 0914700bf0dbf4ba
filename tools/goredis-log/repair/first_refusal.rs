//! The first place that recovery refuses, in the order of the log.
//!
//! Recovery itself looks above the durable mark first, so the place that it names need not be the lowest.

use goredis::log::{Damage, DiskLog, Item, Kind, Lsn, ScannedRecord, Scanner, State, assemble};

use crate::error::InspectError;

/// Where to cut, the bad place itself, and what is wrong there.
pub(super) type Refusal = (Lsn, Lsn, Damage);

/// Looks from `from` on for something that recovery refuses, below or at `until`, which is refused for sure.
///
/// The cut may lie before the bad place: unwritten space between them belongs to neither side.
///
/// # Errors
/// A file cannot be read.
pub(super) fn first_refusal(log: &DiskLog, from: Lsn, until: Lsn) -> Result<Option<Refusal>, InspectError> {
    let mark = log.durable_mark();
    let mut assembled = Vec::new();
    let Some(mut scanner) = Scanner::new(log, from) else { return Ok(None) };
    while scanner.position() <= until {
        let segment = scanner.segment();
        let failed = |source| InspectError::Read { path: segment.path().to_owned(), source };
        let item = scanner.next_item().map_err(failed)?;
        match item {
            Item::Bad { lsn, at, damage } => return Ok(Some((lsn, at, damage))),
            Item::End { lsn } => return Ok(Some((lsn, lsn, Damage::EmptyBelowMark))),
            Item::Gap { lsn, .. } if lsn < mark => return Ok(Some((lsn, lsn, Damage::EmptyBelowMark))),
            Item::Record(record) if record.state == State::Pending && record.lsn < mark => {
                return Ok(Some((record.lsn, record.lsn, Damage::PendingBelowMark)));
            }
            Item::Record(record) if is_spilled(&record) => {
                if assemble(log, &record, &mut assembled).map_err(failed)?.is_none() {
                    return Ok(Some((record.lsn, record.lsn, Damage::Blob)));
                }
            }
            Item::Record(_) | Item::Pad { .. } | Item::Gap { .. } => {}
        }
    }
    Ok(None)
}

fn is_spilled(record: &ScannedRecord<'_>) -> bool {
    (record.state, record.kind) == (State::Committed, Some(Kind::Spilled))
}
