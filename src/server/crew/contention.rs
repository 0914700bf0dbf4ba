//! Threads that are in each other's way: whether fewer of them get as much done.
//!
//! Where several threads write one key, an attempt that loses to another runs again, and most of what a second thread
//! does may be in vain. That is found out by trying: where much is in vain a thread goes to rest, and stays there if the
//! others get about as much done without it. After a while all work again, as the load may be another by then.

use std::time::Duration;

/// Commands that ran in vain, in percent of those that did not, above which a thread rests for a trial.
const WASTED_PERCENT: u64 = 12;
/// Windows in a row in which so much is in vain before that.
const WASTEFUL_WINDOWS: u32 = 2;
/// Windows that a trial lasts.
const TRIAL_WINDOWS: u32 = 3;
/// What the others get done in a trial that succeeds, in percent of what all did before.
const KEPT_PERCENT: u64 = 93;
/// Windows for which a trial that succeeded is relied on.
const SETTLED_WINDOWS: u32 = 50;
/// Windows before the next trial after one that failed; each time twice as many.
const REFUSED_WINDOWS_MIN: u32 = 50;
const REFUSED_WINDOWS_MAX: u32 = 800;

/// What the server did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::server) struct Work {
    /// Commands that took effect.
    pub(in crate::server) commands: u64,
    /// Commands that ran in vain, because others were faster.
    pub(in crate::server) wasted: u64,
}

impl Work {
    /// What was done since `before`.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            commands: self.commands.saturating_sub(before.commands),
            wasted: self.wasted.saturating_sub(before.wasted),
        }
    }

    /// The same in a second, if it took `time`.
    pub(super) fn per(self, time: Duration) -> Self {
        let micros = time.as_micros().max(1) as u64;
        let per = |count: u64| count.saturating_mul(1_000_000) / micros;
        Self { commands: per(self.commands), wasted: per(self.wasted) }
    }

    fn is_wasteful(self) -> bool {
        self.wasted.saturating_mul(100) > self.commands.saturating_mul(WASTED_PERCENT)
    }
}

/// What to do because of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Whatever the load asks for.
    None,
    /// One thread more is to rest.
    Rest,
    /// The one that went to rest is to work again.
    Call,
    /// All is to stay as it is, whatever the load.
    Stay,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// All work that the load asks for; a trial is due after so many windows.
    Free { refused: u32 },
    /// A thread rests for a trial.
    Trial { before: u64, windows: u32, commands: u64 },
    /// It rests for so many windows more.
    Settled { windows: u32 },
}

/// Judges one window after another.
#[derive(Debug)]
pub(super) struct Contention {
    state: State,
    wasteful_windows: u32,
    /// What was done in them per second, together.
    wasteful_commands: u64,
    patience: u32,
}

impl Default for Contention {
    fn default() -> Self {
        let state = State::Free { refused: 0 };
        Self { state, wasteful_windows: 0, wasteful_commands: 0, patience: REFUSED_WINDOWS_MIN }
    }
}

impl Contention {
    /// Whether fewer threads work than the load asks for.
    pub(super) fn is_settled(&self) -> bool {
        !matches!(self.state, State::Free { .. })
    }

    /// What to do after a window with so much work per second, when so many threads worked.
    pub(super) fn judge(&mut self, work: Work, working: usize) -> Verdict {
        match self.state {
            State::Free { refused: 0 } => self.look_for_waste(work, working, Verdict::None),
            State::Free { refused } => {
                self.state = State::Free { refused: refused - 1 };
                Verdict::None
            }
            State::Trial { before, windows, commands } => self.try_on(work, before, windows + 1, commands),
            State::Settled { windows: 0 } => {
                self.state = State::Free { refused: 0 };
                Verdict::None
            }
            State::Settled { windows } => {
                self.state = State::Settled { windows: windows - 1 };
                self.look_for_waste(work, working, Verdict::Stay)
            }
        }
    }

    fn look_for_waste(&mut self, work: Work, working: usize, otherwise: Verdict) -> Verdict {
        if working < 2 || !work.is_wasteful() {
            (self.wasteful_windows, self.wasteful_commands) = (0, 0);
            return otherwise;
        }
        self.wasteful_windows += 1;
        self.wasteful_commands += work.commands;
        if self.wasteful_windows < WASTEFUL_WINDOWS {
            return otherwise;
        }
        let before = self.wasteful_commands / u64::from(WASTEFUL_WINDOWS);
        (self.wasteful_windows, self.wasteful_commands) = (0, 0);
        self.state = State::Trial { before, windows: 0, commands: 0 };
        Verdict::Rest
    }

    fn try_on(&mut self, work: Work, before: u64, windows: u32, commands: u64) -> Verdict {
        let commands = commands + work.commands;
        if windows < TRIAL_WINDOWS {
            self.state = State::Trial { before, windows, commands };
            return Verdict::Stay;
        }
        if commands / u64::from(windows) * 100 >= before * KEPT_PERCENT {
            self.state = State::Settled { windows: SETTLED_WINDOWS };
            self.patience = REFUSED_WINDOWS_MIN;
            return Verdict::Stay;
        }
        self.state = State::Free { refused: self.patience };
        self.patience = (2 * self.patience).min(REFUSED_WINDOWS_MAX);
        Verdict::Call
    }
}
