//! What recovery does with what it finds, as a table.
//!
//! | how the last life ended | resolved record | pending record | zeros before a valid head | other bad bytes | zeros to the end |
//! |---|---|---|---|---|---|
//! | process killed | keep | becomes void | becomes a pad | refuse | end of the log |
//! | machine lost, or files moved | keep | end of the log | end of the log | end of the log | end of the log |
//!
//! Below the durable mark everything but a resolved record is refused, however the last life ended: the mark was
//! written after all below was resolved and on stable storage, so something that was promised is gone.
//!
//! Why the rows differ: after a kill the page cache holds every store that the process made, so only what it was just
//! doing is missing: a state not stored, or a head not stored over space that is still zero. Anything else
//! is damage. After a power loss each page above the mark may be old or new, in any mixture: the first place that is
//! not whole ends the log, and what lies behind cannot be trusted.

use super::error::Damage;

/// How the process that wrote the files ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastLife {
    /// By itself, or it was killed: the page cache was not lost.
    Killed,
    /// With its machine; or the files were moved, or left more undecided records than a killed process can.
    MachineLost,
}

/// What lies at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// A committed or void record, or a pad.
    Resolved,
    /// A record that was not decided.
    Pending,
    /// Zeros, and a valid head behind them.
    Gap,
    /// Anything that is no part of a log.
    Bad(Damage),
    /// Zeros to the end.
    End,
}

/// What to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Take it as it is.
    Keep,
    /// Make the record void, and go on.
    Void,
    /// Make the zeros a pad, and go on.
    Pad,
    /// The log ends here.
    End,
    /// Do not open the log.
    Refuse(Damage),
}

/// The table.
pub(super) fn verdict(life: LastLife, case: Case, below_mark: bool) -> Verdict {
    match (life, case, below_mark) {
        (_, Case::Resolved, _) => Verdict::Keep,
        (_, Case::Pending, true) => Verdict::Refuse(Damage::PendingBelowMark),
        (_, Case::Gap | Case::End, true) => Verdict::Refuse(Damage::EmptyBelowMark),
        (_, Case::Bad(damage), true) | (LastLife::Killed, Case::Bad(damage), false) => {
            Verdict::Refuse(damage)
        }
        (LastLife::Killed, Case::Pending, false) => Verdict::Void,
        (LastLife::Killed, Case::Gap, false) => Verdict::Pad,
        (LastLife::MachineLost, Case::Pending | Case::Gap | Case::Bad(_), false) | (_, Case::End, false) => {
            Verdict::End
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAD: Case = Case::Bad(Damage::Head);

    #[test]
    fn a_killed_process_leaves_what_it_was_doing_and_nothing_else() {
        let row = |case| verdict(LastLife::Killed, case, false);
        assert_eq!(row(Case::Resolved), Verdict::Keep);
        assert_eq!(row(Case::Pending), Verdict::Void);
        assert_eq!(row(Case::Gap), Verdict::Pad);
        assert_eq!(row(BAD), Verdict::Refuse(Damage::Head));
        assert_eq!(row(Case::End), Verdict::End);
    }

    #[test]
    fn a_lost_machine_ends_the_log_at_the_first_place_that_is_not_whole() {
        let row = |case| verdict(LastLife::MachineLost, case, false);
        assert_eq!(row(Case::Resolved), Verdict::Keep);
        for case in [Case::Pending, Case::Gap, BAD, Case::End] {
            assert_eq!(row(case), Verdict::End);
        }
    }

    #[test]
    fn below_the_mark_nothing_is_given_up() {
        for life in [LastLife::Killed, LastLife::MachineLost] {
            let row = |case| verdict(life, case, true);
            assert_eq!(row(Case::Resolved), Verdict::Keep);
            assert_eq!(row(Case::Pending), Verdict::Refuse(Damage::PendingBelowMark));
            assert_eq!(row(Case::Gap), Verdict::Refuse(Damage::EmptyBelowMark));
            assert_eq!(row(BAD), Verdict::Refuse(Damage::Head));
            assert_eq!(row(Case::End), Verdict::Refuse(Damage::EmptyBelowMark));
        }
    }
}
