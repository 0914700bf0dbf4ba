//! Grace periods: waiting until everybody who is pinned now has unpinned.

use std::sync::Arc;

use crate::sync::{AtomicBool, Ordering, spin_wait};

/// Blocks until every guard that exists now is gone. The caller holds none.
///
/// Under the model checker all threads are one participant of the epoch, so it advances when none of them is pinned.
pub fn wait() {
    let over = Arc::new(AtomicBool::new(false));
    {
        let guard = crossbeam_epoch::pin();
        let flag = Arc::clone(&over);
        guard.defer(move || {
            // Release: pairs with the Acquire below: what the unpinned did is seen.
            flag.store(true, Ordering::Release);
        });
        guard.flush();
    }
    let mut round = 0;
    // Acquire: pairs with the Release above.
    while !over.load(Ordering::Acquire) {
        spin_wait(round);
        round += 1;
        // Why: the epoch advances when somebody flushes.
        crossbeam_epoch::pin().flush();
    }
}
