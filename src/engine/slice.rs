//! A slice of a snapshot: some keys, taken out of the store under one guard, and written without it.

use std::collections::VecDeque;

use bytes::Bytes;
use crossbeam_epoch::Guard;

use crate::engine::effect::{Effect, Stored};
use crate::engine::parts::parts_of_list;
use crate::engine::{DbIndex, SnapshotFailure};
use crate::log::snapshot::SnapshotWriter;
use crate::store::version::{StringRef, VersionPtr};

/// Bytes of entries after which a slice is written, large values that are shared with their version aside.
const SLICE_BYTES_MAX: usize = 1024 * 1024;

/// One key, taken out of the store under a guard and written without it.
enum Entry {
    /// LSN and effect, encoded.
    Inline(std::ops::Range<usize>),
    /// LSN and effect without the value, and the value.
    Shared(std::ops::Range<usize>, Bytes),
    /// The parts of a list.
    Parts(Vec<Vec<u8>>),
}

/// What one slice of a walk found.
#[derive(Default)]
pub(super) struct Slice {
    bytes: Vec<u8>,
    /// Of large lists, which were copied.
    copied_bytes: usize,
    entries: VecDeque<Entry>,
}

impl Slice {
    /// Takes a key's version, which is decided.
    pub(super) fn take(&mut self, db: DbIndex, version: VersionPtr, guard: &Guard) {
        // SAFETY: used at once, under the guard.
        let (key, value) = unsafe { (version.key(), version.value()) };
        let Some(value) = value else { return };
        if let Some(parts) = parts_of_list(db, version, guard) {
            self.copied_bytes += parts.iter().map(Vec::len).sum::<usize>();
            self.entries.push_back(Entry::Parts(parts));
            return;
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&version.lsn().get().to_le_bytes());
        let effect = Effect::Put { db, key, value: value.into(), expiry: version.expiry() };
        let shared = match &effect {
            Effect::Put { value: Stored::String(StringRef::Shared(bytes)), .. } => Some(Bytes::clone(bytes)),
            _ => None,
        };
        let parts = effect.parts();
        let [inline @ .., last] = &parts.slices();
        for part in inline {
            self.bytes.extend_from_slice(part);
        }
        if shared.is_none() {
            self.bytes.extend_from_slice(last);
        }
        let range = start..self.bytes.len();
        self.entries.push_back(match shared {
            None => Entry::Inline(range),
            Some(bytes) => Entry::Shared(range, bytes),
        });
    }

    /// Whether it is to be written before it takes more.
    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() + self.copied_bytes >= SLICE_BYTES_MAX
    }

    /// Writes what was taken.
    pub(super) fn write(&mut self, writer: &mut SnapshotWriter<'_>) -> Result<(), SnapshotFailure> {
        while let Some(entry) = self.entries.pop_front() {
            match entry {
                Entry::Inline(range) => writer.push(&[&self.bytes[range]])?,
                Entry::Shared(range, value) => writer.push(&[&self.bytes[range], &value])?,
                Entry::Parts(parts) => parts.iter().try_for_each(|part| writer.push(&[part]))?,
            }
        }
        self.bytes.clear();
        self.copied_bytes = 0;
        Ok(())
    }
}
