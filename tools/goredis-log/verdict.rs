//! What a command found, as the exit status says it.

use std::process::ExitCode;

/// Whether the files are what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All is well: exit status 0.
    Whole,
    /// There is damage: exit status 1.
    Damaged,
}

impl Verdict {
    /// `Whole` if `whole`.
    pub(crate) fn of(whole: bool) -> Self {
        if whole { Self::Whole } else { Self::Damaged }
    }
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Whole => Self::SUCCESS,
            Verdict::Damaged => Self::from(1),
        }
    }
}
