//! Versions that nobody can find any more, on their way to being freed.
//!
//! A thread gathers what it retires and hands it to the epoch in batches, each of which is freed as one. Why not one by
//! one: an entry of the epoch's own bags costs more than the allocation that it frees, and by the time that it is freed
//! the version has left the cache. So its size is noted while it is near, and freeing it does not look at it.
//!
//! What a thread has gathered is bounded, by less while the thread is parked ([`parked`]), and handed over when it rests
//! ([`hand_over`]) or ends. Any thread may retire; none waits.

use std::alloc::{Layout, dealloc};
use std::cell::RefCell;

use crate::store::version::VersionPtr;

/// Versions of a batch.
const BATCH_VERSIONS: usize = 64;
/// Bytes that a batch may hold back.
const BATCH_BYTES_MAX: usize = 64 * 1024;

/// Bytes that a batch may hold back while its thread is parked: threads park after every few commands, and to hand over
/// so few versions would cost more than freeing them.
const PARKED_BYTES_MAX: usize = 4 * 1024;

struct Retired {
    version: VersionPtr,
    /// Of its allocation; none if there is more to free than that.
    layout: Option<Layout>,
}

struct Batch {
    versions: Vec<Retired>,
    bytes: usize,
}

thread_local! {
    static BATCH: RefCell<Batch> = const { RefCell::new(Batch { versions: Vec::new(), bytes: 0 }) };
}

/// Frees a version once nobody can be looking at it any more.
///
/// # Safety
/// The version can no longer be reached by those who pin from now on, nobody uses it who is not pinned, and it is
/// retired once.
#[inline]
pub unsafe fn retire(version: VersionPtr) {
    let retired = Retired { version, layout: version.sole_allocation() };
    let bytes = retired.layout.map_or(BATCH_BYTES_MAX, |layout| layout.size());
    let full = BATCH.with_borrow_mut(|batch| {
        batch.versions.push(retired);
        batch.bytes += bytes;
        batch.versions.len() >= BATCH_VERSIONS || batch.bytes >= BATCH_BYTES_MAX
    });
    if full {
        hand_over();
    }
}

/// Hands what the calling thread has gathered to the epoch.
pub fn hand_over() {
    // Order: 1 take the batch out, 2 hand it over: that may run anything that was deferred, which may retire in turn.
    let versions = BATCH.with_borrow_mut(Batch::take);
    defer(versions);
}

/// Hands what the calling thread has gathered to the epoch, if it is worth it. For threads that park.
pub fn parked() {
    if BATCH.with_borrow(|batch| batch.bytes > PARKED_BYTES_MAX) {
        hand_over();
    }
}

fn defer(versions: Vec<Retired>) {
    if versions.is_empty() {
        return;
    }
    let guard = crossbeam_epoch::pin();
    // SAFETY: all of them were out of reach before this pin, so who may be looking at one is pinned already, and
    // this runs after they have unpinned. Freeing may be done by any thread.
    unsafe { guard.defer_unchecked(move || free(versions)) };
    // Why: whatever else this thread has retired would stay in its bag until that is full.
    guard.flush();
}

impl Batch {
    fn take(&mut self) -> Vec<Retired> {
        self.bytes = 0;
        if self.versions.is_empty() {
            return Vec::new();
        }
        std::mem::replace(&mut self.versions, Vec::with_capacity(BATCH_VERSIONS))
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        defer(std::mem::take(&mut self.versions));
    }
}

fn free(versions: Vec<Retired>) {
    for Retired { version, layout } in versions {
        // SAFETY: `retire`'s caller gave the version up, and the epoch says that nobody looks at it any more.
        unsafe {
            match layout {
                Some(layout) => dealloc(version.address() as *mut u8, layout),
                None => version.free(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::version::{OwnedVersion, Value};
    use bytes::Bytes;

    #[test]
    fn what_a_thread_retired_is_freed_when_it_ends() {
        let shared = Bytes::from(vec![7; 100_000]);
        let value = Value::Shared(shared.clone());
        assert!(!shared.is_unique());
        std::thread::spawn(move || {
            for _ in 0..3 * BATCH_VERSIONS / 2 {
                let small = OwnedVersion::new(b"key", Some(Value::Str(b"value")), None, 0);
                // SAFETY: nobody else has it.
                unsafe { retire(small.into_ptr()) };
            }
            let large = OwnedVersion::new(b"key", Some(value), None, 0);
            // SAFETY: nobody else has it.
            unsafe { retire(large.into_ptr()) };
        })
        .join()
        .unwrap();
        while !shared.is_unique() {
            crate::store::grace::wait();
        }
    }
}
