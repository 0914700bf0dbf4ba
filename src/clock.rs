//! Time: the wall clock as the data sees it, in milliseconds since the Unix epoch, and a watch for how long things take.
//!
//! The wall clock is read once per command or batch and handed down as an argument; store, log and replay never look at
//! a clock.

use std::fmt;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Millis(pub u64);

impl Millis {
    /// The latest time that can be told.
    pub const MAX: Self = Self(u64::MAX);

    /// Reads the wall clock; a clock before 1970 reads as zero.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// Whole seconds since the epoch.
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// Milliseconds from `self` until `later`; zero when it has passed.
    pub const fn until(self, later: Self) -> u64 {
        later.0.saturating_sub(self.0)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The processor's counter, where it has a steady one; reading it costs a third of asking the system's clock. Elsewhere
/// that clock.
static COUNTER: LazyLock<quanta::Clock> = LazyLock::new(quanta::Clock::new);

/// Tells how long things take.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    /// What the counter was.
    at: u64,
}

impl Stopwatch {
    /// Finds out how fast the counter runs, which takes a millisecond, and up to a fifth of a second on an unsteady
    /// machine. Otherwise the first to start a watch does so.
    pub fn calibrate() {
        LazyLock::force(&COUNTER);
    }

    /// A watch that starts now.
    #[inline]
    pub fn start() -> Self {
        Self { at: COUNTER.raw() }
    }

    /// Time since the start or the last lap.
    pub fn lap(&mut self) -> Duration {
        Duration::from_nanos(self.lap_nanos())
    }

    /// As [`Stopwatch::lap`], in nanoseconds: for what is counted with each command.
    #[inline]
    pub fn lap_nanos(&mut self) -> u64 {
        let now = COUNTER.raw();
        COUNTER.delta_as_nanos(std::mem::replace(&mut self.at, now), now)
    }

    /// Time since the start or the last lap; the watch runs on.
    pub fn elapsed(mut self) -> Duration {
        self.lap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_stopwatch_agrees_with_the_systems_clock() {
        const PAUSE: Duration = Duration::from_millis(50);
        let (before, mut watch) = (Instant::now(), Stopwatch::start());
        let inner = Instant::now();
        std::thread::sleep(PAUSE);
        let least = inner.elapsed();
        let lap = watch.lap();
        let most = before.elapsed();
        // A thousandth is what a badly calibrated counter may be off.
        assert!(lap * 1000 >= least * 999 && lap * 1000 <= most * 1001, "{least:?} {lap:?} {most:?}");
    }
}
