//! Where a replica goes on, as a table.
//!
//! Both sides have a line of histories: the present one and its ancestors, each with the place where the next one left
//! it. Two logs agree below the highest place that both lines have of one history: the *common end*. A history without a
//! record in it stands for nothing: who has begun one is still at the end of the one before.
//!
//! | the common end is | where the primary's line goes on from it | decision |
//! |---|---|---|
//! | our end, and the primary still has the log from there | | go on |
//! | our end, and it has not | | take the snapshot |
//! | below our end | a promotion | rewind to it, or take the snapshot where that cannot be; what is lost is kept aside |
//! | below our end | a recovery that cut something | refuse: the primary was restored, and has lost what we have |
//! | below our end | nowhere: it is the primary's own end, or its present history that we left | refuse: it is behind us |
//! | nowhere | | take the snapshot if we have no keys; else refuse: it has nothing to do with ours |
//!
//! Whatever is refused is accepted when somebody has named the primary's history: then the snapshot is taken.

use crate::log::{Ancestor, Cause, History, HistoryName};
use crate::lsn::Lsn;

/// One side's line of histories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The present history.
    pub history: History,
    /// The end of the log.
    pub end: Lsn,
    /// What led to the history, newest first.
    pub lineage: Vec<Ancestor>,
}

/// What a replica knows of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// Its histories.
    pub line: Line,
    /// Whether it has no keys.
    pub is_empty: bool,
    /// To no place below can it be rewound; none: to no place at all.
    pub rewinds_to: Option<Lsn>,
}

/// Where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// At the log's end.
    Continue,
    /// There, after what lies behind is put aside.
    Rewind(Lsn),
    /// With the primary's snapshot.
    Snapshot,
    /// Nowhere.
    Refuse(Refusal),
}

/// Why a primary is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It lacks what is here: it was emptied, or an older state of it was restored.
    Behind,
    /// It has lost what is here, and has gone on without it.
    Restored,
    /// It was never the same.
    Unrelated,
}

/// A history, where a line leaves it, and why.
type Stretch = (History, Lsn, Option<Cause>);

impl Line {
    /// The histories, newest first; where each is left; and why, but for the present one.
    fn stretches(&self) -> Vec<Stretch> {
        let present = (self.history, self.end, None);
        let others = self.lineage.iter().filter(|it| it.cause != Cause::Adoption);
        std::iter::once(present).chain(others.map(|it| (it.history, it.fork, Some(it.cause)))).collect()
    }
}

/// The table. `start` is where the primary's log starts; `accepted` the history that somebody has named.
pub fn decide(own: &Own, primary: &Line, start: Lsn, accepted: Option<HistoryName>) -> Decision {
    let decision = judge(own, primary, start);
    match decision {
        Decision::Refuse(_) if accepted == Some(primary.history.name()) => Decision::Snapshot,
        _ => decision,
    }
}

fn judge(own: &Own, primary: &Line, start: Lsn) -> Decision {
    let end = own.line.end;
    let theirs = primary.stretches();
    let mut ours = own.line.stretches();
    // What was adopted without a record stands for what was before it.
    ours.extend(own.line.lineage.iter().map(|it| (it.history, it.fork, Some(it.cause))));
    let common = ours.iter().find_map(|(history, left, _)| {
        let (_, fork, cause) = theirs.iter().find(|(other, ..)| other == history)?;
        Some(((*left).min(*fork), *cause))
    });
    let Some((common, cause)) = common else {
        return if own.is_empty { Decision::Snapshot } else { Decision::Refuse(Refusal::Unrelated) };
    };
    if common == end {
        return if end >= start { Decision::Continue } else { Decision::Snapshot };
    }
    if own.is_empty {
        return Decision::Snapshot;
    }
    match cause {
        Some(Cause::Promotion) => match own.rewinds_to {
            Some(lowest) if lowest <= common && common >= start => Decision::Rewind(common),
            _ => Decision::Snapshot,
        },
        Some(Cause::Recovery) => Decision::Refuse(Refusal::Restored),
        _ => Decision::Refuse(Refusal::Behind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: History = History::new(1);
    const B: History = History::new(2);
    const C: History = History::new(3);

    fn line(history: History, end: u64, lineage: &[(History, u64, Cause)]) -> Line {
        let lineage = lineage.iter().map(|(history, fork, cause)| Ancestor {
            history: *history,
            fork: Lsn::new(*fork),
            cause: *cause,
        });
        Line { history, end: Lsn::new(end), lineage: lineage.collect() }
    }

    fn own(line: Line) -> Own {
        Own { line, is_empty: false, rewinds_to: Some(Lsn::new(100)) }
    }

    fn at(own: &Own, primary: &Line) -> Decision {
        decide(own, primary, Lsn::new(50), None)
    }

    #[test]
    fn the_same_history_goes_on_where_the_log_reaches() {
        let primary = line(A, 1000, &[]);
        assert_eq!(at(&own(line(A, 500, &[])), &primary), Decision::Continue);
        assert_eq!(at(&own(line(A, 1000, &[])), &primary), Decision::Continue);
        assert_eq!(at(&own(line(A, 40, &[])), &primary), Decision::Snapshot);
    }

    #[test]
    fn a_primary_that_lacks_what_is_here_is_refused() {
        let ahead = own(line(A, 1001, &[]));
        assert_eq!(at(&ahead, &line(A, 1000, &[])), Decision::Refuse(Refusal::Behind));
        let restored = line(B, 1500, &[(A, 1000, Cause::Recovery)]);
        assert_eq!(at(&ahead, &restored), Decision::Refuse(Refusal::Restored));
        assert_eq!(decide(&ahead, &restored, Lsn::new(50), Some(B.name())), Decision::Snapshot);
        assert_eq!(
            decide(&ahead, &restored, Lsn::new(50), Some(A.name())),
            Decision::Refuse(Refusal::Restored)
        );
    }

    #[test]
    fn who_was_the_primary_rewinds_to_where_its_replica_was_promoted() {
        let promoted = line(B, 1500, &[(A, 1000, Cause::Promotion)]);
        assert_eq!(at(&own(line(A, 1100, &[])), &promoted), Decision::Rewind(Lsn::new(1000)));
        assert_eq!(at(&own(line(A, 900, &[])), &promoted), Decision::Continue);
        let too_far = Own { rewinds_to: Some(Lsn::new(1050)), ..own(line(A, 1100, &[])) };
        assert_eq!(at(&too_far, &promoted), Decision::Snapshot);
        let in_memory = Own { rewinds_to: None, ..own(line(A, 1100, &[])) };
        assert_eq!(at(&in_memory, &promoted), Decision::Snapshot);
    }

    #[test]
    fn who_was_cut_by_a_recovery_and_then_replaced_rewinds_too() {
        let promoted = line(B, 1500, &[(A, 1000, Cause::Promotion)]);
        let recovered = own(line(C, 1100, &[(A, 950, Cause::Recovery)]));
        assert_eq!(at(&recovered, &promoted), Decision::Rewind(Lsn::new(950)));
    }

    #[test]
    fn a_history_without_a_record_stands_for_the_one_before() {
        let primary = line(A, 1000, &[]);
        let recovered = own(line(C, 700, &[(A, 700, Cause::Recovery)]));
        assert_eq!(at(&recovered, &primary), Decision::Continue);
        let adopted = own(line(A, 800, &[(C, 700, Cause::Adoption), (A, 700, Cause::Adoption)]));
        assert_eq!(at(&adopted, &primary), Decision::Continue);
    }

    #[test]
    fn who_has_gone_on_alone_is_not_followed_back() {
        let promoted = own(line(B, 1100, &[(A, 1000, Cause::Promotion)]));
        assert_eq!(at(&promoted, &line(A, 2000, &[])), Decision::Refuse(Refusal::Behind));
        let unwritten = own(line(B, 1000, &[(A, 1000, Cause::Promotion)]));
        assert_eq!(at(&unwritten, &line(A, 2000, &[])), Decision::Continue);
    }

    #[test]
    fn strangers_are_followed_only_by_who_has_nothing_to_lose() {
        let stranger = line(B, 1000, &[]);
        let full = own(line(A, 500, &[]));
        assert_eq!(at(&full, &stranger), Decision::Refuse(Refusal::Unrelated));
        assert_eq!(at(&Own { is_empty: true, ..full.clone() }, &stranger), Decision::Snapshot);
        assert_eq!(decide(&full, &stranger, Lsn::new(50), Some(B.name())), Decision::Snapshot);
    }

    #[test]
    fn a_chain_of_promotions_is_one_line() {
        let primary = line(C, 3000, &[(B, 2000, Cause::Promotion), (A, 1000, Cause::Promotion)]);
        assert_eq!(at(&own(line(A, 900, &[])), &primary), Decision::Continue);
        assert_eq!(at(&own(line(B, 1900, &[(A, 1000, Cause::Promotion)])), &primary), Decision::Continue);
        let lost = own(line(B, 2100, &[(A, 1000, Cause::Promotion)]));
        assert_eq!(at(&lost, &primary), Decision::Rewind(Lsn::new(2000)));
    }
}
