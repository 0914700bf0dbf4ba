//! CLIENT PAUSE: commands wait until a moment, or until CLIENT UNPAUSE.
//!
//! Connections look once per batch, at one word that is zero nearly always; only a paused server takes the lock.

use crate::sync::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::watch;

/// Which commands wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum PauseKind {
    /// Those that may write.
    Write = 1,
    /// All.
    All = 2,
}

/// The pause that holds: which commands, and until when.
type Held = Option<(PauseKind, Instant)>;

/// See the module.
#[derive(Debug)]
pub struct Pause {
    /// 0, or a [`PauseKind`] that holds or has lately ended: a hint that spares the lock.
    hint: AtomicU8,
    /// Locked to change the pause; the channel tells those that wait.
    held: Mutex<watch::Sender<Held>>,
    /// Held by whoever brings something else in line with the pause.
    turn: Mutex<()>,
}

impl Default for Pause {
    fn default() -> Self {
        Self::new()
    }
}

impl Pause {
    /// No pause.
    pub fn new() -> Self {
        Self { hint: AtomicU8::new(0), held: Mutex::new(watch::Sender::new(None)), turn: Mutex::default() }
    }

    /// Pauses until `end`. A pause that holds already is only made longer and stricter, never shorter or weaker.
    pub fn start(&self, kind: PauseKind, end: Instant, now: Instant) {
        let channel = self.lock();
        let present = channel.borrow().filter(|(_, present_end)| *present_end > now);
        let merged = present.map_or((kind, end), |(was, was_until)| (was.max(kind), was_until.max(end)));
        channel.send_replace(Some(merged));
        // Release: pairs with the Acquire in `holds`; whoever sees the hint finds the pause behind the lock.
        self.hint.store(merged.0 as u8, Ordering::Release);
    }

    /// Ends the pause; all that wait go on.
    pub fn end(&self) {
        let channel = self.lock();
        // Release: as in `start`.
        self.hint.store(0, Ordering::Release);
        channel.send_replace(None);
    }

    /// Whether a pause holds, for commands that may write (`is_write`) or for others. The clock `now` is asked only where
    /// there may be one.
    #[inline]
    pub fn holds(&self, is_write: bool, now: impl FnOnce() -> Instant) -> bool {
        // Acquire: pairs with the Release in `start`.
        self.hint.load(Ordering::Acquire) != 0 && self.holds_slow(is_write, now())
    }

    /// If a command has to wait, gives what it has to wait for. The future ends when the pause does, or when
    /// another one takes its place that does not hold for this command.
    #[inline]
    pub fn check(&self, is_write: bool) -> Option<impl Future<Output = ()> + Send + use<>> {
        // Acquire: pairs with the Release in `start`.
        if self.hint.load(Ordering::Acquire) == 0 {
            return None;
        }
        let waits = self.holds_slow(is_write, Instant::now());
        waits.then(|| wait(self.lock().subscribe(), is_write))
    }

    /// What INFO shows: which commands wait, and until when.
    pub fn current(&self, now: Instant) -> Option<(PauseKind, Instant)> {
        self.lock().borrow().filter(|(_, end)| *end > now)
    }

    /// Brings something else in line with the pause: `apply` is told when it ends, if one holds.
    ///
    /// Callers take turns, and each is told how things are when its turn comes; so whoever comes last leaves behind
    /// what is right, in whatever order they were sent.
    pub fn align<R>(&self, apply: impl FnOnce(Option<Instant>) -> R) -> R {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        apply(self.current(Instant::now()).map(|(_, end)| end))
    }

    #[cold]
    fn holds_slow(&self, is_write: bool, now: Instant) -> bool {
        let channel = self.lock();
        let held = *channel.borrow();
        if held.is_some_and(|(_, end)| end <= now) {
            // Release: as in `start`. The pause ran out: spare the next look the lock.
            self.hint.store(0, Ordering::Release);
        }
        ends_for(held, is_write, now).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, watch::Sender<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the pause ends for a command, if it holds for it.
fn ends_for(held: Held, is_write: bool, now: Instant) -> Option<Instant> {
    let (kind, end) = held?;
    ((is_write || kind == PauseKind::All) && end > now).then_some(end)
}

async fn wait(mut pause: watch::Receiver<Held>, is_write: bool) {
    loop {
        let held = *pause.borrow_and_update();
        let Some(end) = ends_for(held, is_write, Instant::now()) else { return };
        tokio::select! {
            () = tokio::time::sleep_until(end.into()) => {}
            changed = pause.changed() => {
                // Why: the channel closes only when the server goes away; nothing is left to wait for.
                if changed.is_err() {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_write_pause_lets_reads_through() {
        let (pause, now) = (Pause::new(), Instant::now());
        assert!(!pause.holds(true, || now));
        pause.start(PauseKind::Write, now + SECOND, now);
        assert!(pause.holds(true, || now) && !pause.holds(false, || now));
        assert!(!pause.holds(true, || now + SECOND));
    }

    #[test]
    fn a_pause_only_grows_while_it_holds() {
        let (pause, now) = (Pause::new(), Instant::now());
        pause.start(PauseKind::All, now + SECOND, now);
        pause.start(PauseKind::Write, now + SECOND / 2, now);
        assert_eq!(pause.current(now), Some((PauseKind::All, now + SECOND)));
        let later = now + 2 * SECOND;
        pause.start(PauseKind::Write, later + SECOND, later);
        assert_eq!(pause.current(later), Some((PauseKind::Write, later + SECOND)));
    }

    #[tokio::test]
    async fn unpause_lets_the_waiting_go_on() {
        let (pause, now) = (Pause::new(), Instant::now());
        assert!(pause.check(true).is_none());
        pause.start(PauseKind::All, now + 60 * SECOND, now);
        let waiting = tokio::spawn(pause.check(false).expect("all commands wait"));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        pause.end();
        tokio::time::timeout(10 * SECOND, waiting).await.expect("it goes on").expect("the task ends");
    }

    #[tokio::test]
    async fn a_pause_ends_by_itself() {
        let (pause, now) = (Pause::new(), Instant::now());
        pause.start(PauseKind::Write, now + SECOND / 50, now);
        let wait = pause.check(true).expect("writes wait");
        tokio::time::timeout(10 * SECOND, wait).await.expect("it ends");
        assert!(pause.check(true).is_none());
    }
}
