//! The data log.
#![doc = include_str!("FORMAT.md")]

mod adopt;
mod allocator;
mod appender;
mod blob;
mod disk;
mod durability;
mod error;
mod factory;
mod header;
mod identity;
mod inspect;
mod lock;
mod lsn;
mod mapping;
mod names;
mod options;
mod poison;
mod record;
mod recovery;
mod report;
mod reservation;
mod running;
mod scan;
mod segment;
mod sigbus;
pub mod snapshot;
mod status;
mod storage;
mod supply;
mod survey;
mod syncer;
mod table;
mod verdict;

pub use blob::BlobName;
pub use disk::{DiskLog, DiskSegment};
pub use error::{ApplyError, Damage, Fault, LogError, OpenError};
pub use header::{Ancestor, HEADER_BYTES, Header, Mark, VERSION};
pub use identity::Identity;
pub use inspect::{Inspection, inspect, segment_files};
pub use lock::LockFile;
pub use lsn::{History, Lsn};
pub use names::segment_path;
pub use options::{FsyncPolicy, Location, LogOptions};
pub use record::{Kind, State};
pub use recovery::{Opening, Progress, Record, SnapshotBounds, open, open_locked};
pub use report::{Cut, RecoveryReport};
pub use reservation::Reservation;
pub use running::{Log, SnapshotStart};
pub use scan::{Item, ScannedRecord, Scanner, assemble};
pub use status::LogStatus;
pub use storage::{OsStorage, Storage};
pub use survey::CutReason;
pub use verdict::LastLife;

#[cfg(test)]
mod tests;
