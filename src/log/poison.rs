//! The flag that stops a log whose bytes may be lost.
//!
//! One word, read by every reservation; set once, never cleared: after a failed sync the kernel may have thrown
//! the dirty pages away, and a retry would succeed without them.
//!
//! The SIGBUS handler sets the word directly, so it holds a plain code; what more there is to say about a failed
//! sync is kept beside it.

use std::sync::atomic::AtomicU32;
use std::sync::{Arc, OnceLock};

use super::error::{Fault, LogError};
use crate::sync::Ordering;

const SOUND: u32 = 0;
const DESCRIBED: u32 = 1;
/// The code that the SIGBUS handler stores.
pub(super) const PAGE_LOST: u32 = 2;

/// Whether a log has failed, and why.
///
/// Why: the word is the standard library's type, not `crate::sync`'s: a signal handler stores it, where a model
/// checker's scheduling point must not run, and no protocol depends on when it is seen.
#[derive(Debug, Default)]
pub(super) struct Poison {
    code: Arc<AtomicU32>,
    described: OnceLock<Fault>,
}

impl Poison {
    /// The word that the SIGBUS handler sets to [`PAGE_LOST`].
    pub(super) fn word(&self) -> Arc<AtomicU32> {
        Arc::clone(&self.code)
    }

    /// Stops the log. The first fault is the one that is told.
    pub(super) fn set(&self, fault: Fault) {
        self.described.get_or_init(|| fault);
        // Release: pairs with the Acquire in `fault`, which reads `described` after a nonzero code.
        let _ = self.code.compare_exchange(SOUND, DESCRIBED, Ordering::Release, Ordering::Relaxed);
    }

    /// Fails when the log is stopped.
    #[inline]
    pub(super) fn check(&self) -> Result<(), LogError> {
        // Relaxed: a thread that itself met the fault sees its own store; for others, when does not matter.
        if self.code.load(Ordering::Relaxed) == SOUND { Ok(()) } else { Err(self.error_slow()) }
    }

    /// What stopped the log, if it is stopped.
    pub(super) fn fault(&self) -> Option<Fault> {
        // Acquire: pairs with the Release in `set`.
        match self.code.load(Ordering::Acquire) {
            SOUND => None,
            DESCRIBED => self.described.get().cloned(),
            _ => Some(Fault::PageLost),
        }
    }

    /// Whether mapped bytes were lost, so that records may never become resolved.
    pub(super) fn page_lost(&self) -> bool {
        self.code.load(Ordering::Relaxed) == PAGE_LOST
    }

    #[cold]
    fn error_slow(&self) -> LogError {
        LogError::Poisoned { fault: self.fault().unwrap_or(Fault::PageLost) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fault_is_told_and_stays() {
        let poison = Poison::default();
        assert_eq!(poison.check(), Ok(()));
        poison.set(Fault::ThreadDied { thread: "sync" });
        poison.set(Fault::PageLost);
        let fault = Fault::ThreadDied { thread: "sync" };
        assert_eq!(poison.check(), Err(LogError::Poisoned { fault }));
        assert!(!poison.page_lost());
    }

    #[test]
    fn the_handlers_code_is_a_lost_page() {
        let poison = Poison::default();
        poison.word().store(PAGE_LOST, Ordering::Relaxed);
        assert_eq!(poison.fault(), Some(Fault::PageLost));
    }
}
