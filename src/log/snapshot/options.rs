//! What the caller of a [`SnapshotWriter`](super::SnapshotWriter) may choose, with the limits of each choice.
//!
//! Owns the defaults and their ranges; the engine fills it from the settings.

use super::SnapshotError;

/// Asked before each larger write whether the snapshot is still wanted.
///
/// Answering `false` ends the writer with [`SnapshotError::Cancelled`]. It may also sleep, to slow the writer down.
pub type KeepGoing<'a> = &'a (dyn Fn() -> bool + Sync);

/// How a snapshot is written.
#[derive(Clone, Copy)]
pub struct SnapshotOptions<'a> {
    /// Entries are gathered into blocks of up to this many bytes; what is larger gets a block of its own.
    pub block_bytes: u32,
    /// How much may be written before the kernel is told to start writing it back, and at most twice how much of
    /// the file is dirty in the page cache.
    pub writeback_bytes: u64,
    /// Whether to go on.
    pub keep_going: KeepGoing<'a>,
}

impl SnapshotOptions<'_> {
    /// The smallest block: below it the index outweighs what it points to.
    pub const BLOCK_BYTES_MIN: u32 = 64;
    /// The largest block: each thread that loads a snapshot holds one.
    pub const BLOCK_BYTES_MAX: u32 = 16 << 20;
    /// The shortest stretch that is worth a system call.
    pub const WRITEBACK_BYTES_MIN: u64 = 64 << 10;
    /// The longest stretch: the last one is what the final sync waits for.
    pub const WRITEBACK_BYTES_MAX: u64 = 1 << 30;

    /// Checks every option against its limits.
    pub(super) fn check(&self) -> Result<(), SnapshotError> {
        in_range(
            "block size",
            u64::from(self.block_bytes),
            u64::from(Self::BLOCK_BYTES_MIN),
            u64::from(Self::BLOCK_BYTES_MAX),
        )?;
        in_range("writeback size", self.writeback_bytes, Self::WRITEBACK_BYTES_MIN, Self::WRITEBACK_BYTES_MAX)
    }
}

impl Default for SnapshotOptions<'_> {
    fn default() -> Self {
        Self { block_bytes: 256 << 10, writeback_bytes: 8 << 20, keep_going: &|| true }
    }
}

fn in_range(option: &'static str, value: u64, min: u64, max: u64) -> Result<(), SnapshotError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(SnapshotError::OptionOutOfRange { option, value, min, max })
}
