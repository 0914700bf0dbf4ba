//! The settings of a log, with their limits.

use std::path::PathBuf;
use std::sync::Arc;

use super::blob;
use super::error::OpenError;
use super::record::{RECORD_HEADER_BYTES, aligned};
use super::storage::{OsStorage, Storage};

/// When writes reach stable storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FsyncPolicy {
    /// Before they are acknowledged.
    Always,
    /// Within about a second.
    EverySecond,
    /// Every 30 seconds, and at each new segment.
    No,
}

/// Where the log lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// Nowhere: a bounded piece of its end is kept in memory.
    Memory,
    /// In the files `<dbfile>.log.<first position>`.
    Files {
        /// The database file that the names are derived from.
        dbfile: PathBuf,
    },
}

/// How to open a log. Start from [`LogOptions::new`] and change what differs.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// Where the log lives.
    pub location: Location,
    /// When writes reach stable storage.
    pub fsync: FsyncPolicy,
    /// Size of a segment file, its header page included. A multiple of 4096.
    pub segment_bytes: u64,
    /// Size of a segment in memory. A multiple of 4096.
    pub memory_segment_bytes: u64,
    /// How much of its end a log in memory keeps.
    pub memory_retained_bytes: u64,
    /// Largest payload that is written as one record; larger ones are spilled into blobs of this size.
    pub blob_bytes: u64,
    /// Largest payload at all.
    pub payload_bytes_max: u64,
    /// How many records may be reserved and undecided at once. Recovery takes more for a lost machine.
    pub in_flight_records_max: u32,
    /// How far ahead of the tail pages are made ready, and in what slices those behind are given back.
    pub window_bytes: u64,
    /// How many files of segments that are gone a log that grows fast keeps, to be used again.
    pub spare_segments_max: usize,
    /// The system calls beneath; tests replace them.
    pub storage: Arc<dyn Storage>,
}

impl LogOptions {
    /// The defaults.
    pub fn new(location: Location) -> Self {
        Self {
            location,
            fsync: FsyncPolicy::EverySecond,
            segment_bytes: 64 << 20,
            memory_segment_bytes: 4 << 20,
            memory_retained_bytes: 16 << 20,
            blob_bytes: 1 << 20,
            payload_bytes_max: 1 << 30,
            in_flight_records_max: 1024,
            window_bytes: 4 << 20,
            spare_segments_max: 4,
            storage: Arc::new(OsStorage),
        }
    }

    /// Checks every option against its limits.
    ///
    /// # Errors
    /// [`OpenError::Option`] with the first that is out of its limits.
    pub fn validate(&self) -> Result<(), OpenError> {
        let largest_record = aligned(self.blob_bytes + RECORD_HEADER_BYTES);
        let wants = |holds: bool, name, expected: String| {
            if holds { Ok(()) } else { Err(OpenError::Option { name, expected }) }
        };
        wants(
            self.blob_bytes >= 64 && self.blob_bytes <= 1 << 28,
            "log blob bytes",
            "between 64 and 268435456".into(),
        )?;
        for (name, bytes, header) in [
            ("log segment bytes", self.segment_bytes, super::header::HEADER_BYTES),
            ("log memory segment bytes", self.memory_segment_bytes, 0),
        ] {
            let least = largest_record + header;
            wants(
                bytes % 4096 == 0 && bytes >= least && bytes <= 1 << 30,
                name,
                format!("a multiple of 4096 between {least} and 1073741824"),
            )?;
        }
        let spill_max = blob::payload_bytes_max(self.blob_bytes);
        wants(
            self.payload_bytes_max >= self.blob_bytes && self.payload_bytes_max <= spill_max,
            "log payload bytes",
            format!("between {} and {spill_max}", self.blob_bytes),
        )?;
        wants(
            (1..=32_768).contains(&self.in_flight_records_max),
            "log records in flight",
            "between 1 and 32768".into(),
        )?;
        wants(
            self.window_bytes >= 4096 && self.window_bytes % 4096 == 0,
            "log window bytes",
            "a multiple of 4096".into(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_within_their_limits() {
        LogOptions::new(Location::Memory).validate().unwrap();
    }

    #[test]
    fn a_segment_too_small_for_a_blob_is_refused_by_name() {
        let options = LogOptions { segment_bytes: 1 << 20, ..LogOptions::new(Location::Memory) };
        let error = options.validate().unwrap_err().to_string();
        assert!(error.contains("log segment bytes must be a multiple of 4096"), "{error}");
    }
}
