//! The data log: every write goes here before anyone sees it, and a restart finds it again.
//!
//! The log is a row of bytes with a position (LSN) for each, kept in segment files, or in memory only. Payloads are
//! opaque: this layer knows neither keys nor commands. Its one user above is the engine; tools read the files through
//! [`DiskLog`] and [`Scanner`].
//!
//! # The life of a record
//!
//! 1. [`Log::reserve`] moves the tail by one exchange. The place is the record's LSN. The first store is its head.
//! 2. The caller fills the payload in place and [`Reservation::seal`]s it: the checksum is computed.
//! 3. The caller publishes what the record describes. From now on whoever sees it calls [`Log::mark_committed`] first.
//! 4. [`Reservation::commit`]. What is dropped without it is void.
//! 5. The watermark *resolved* passes it when all before it are decided too; the syncer makes its pages durable, writes
//!    the durable mark and raises *durable*; who waits in [`Log::wait_durable`] goes on.
//!
//! A record that was committed survives the death of the process from step 4 on, as the page cache holds it; a
//! failure of the machine from step 5 on.
//!
//! # Who does what
//!
//! | part | modules |
//! |---|---|
//! | names and settings | `lsn`, `options`, `error`, `identity`, `names` |
//! | the format | `record`, `header`, `blob`; `FORMAT.md`, shown below |
//! | the append path, without a lock | `appender`, `reservation`, `table`, `segment`, `mapping` |
//! | background: room ahead, what lies behind, syncing | `supply`, `allocator`, `factory`; `closed`, `spares`; `durability`, `waiters`, `syncer` |
//! | when the system fails | `poison`, `sigbus`; `storage` is the seam for tests |
//! | reading files | `disk`, `scan` |
//! | another's log | `read` (serving it), `tailing` (copying it), `stage` (a whole state) |
//! | opening | `lock`, `recovery`, `survey`, `verdict` (the table of cases), `adopt`, `report`; `repair` offline |
//!
//! Threads: with files one that syncs and one that makes room; in memory none.
//!
//! # Promises and limits
//!
//! Records are found in the order of their LSNs, each whole or not at all. Nothing is reserved when there is no room.
//! A failed sync or a lost page stops the log for good (until restart) instead of pretending. Not promised: an
//! order between reserving and publishing (that is the engine's protocol).
//!
#![doc = include_str!("FORMAT.md")]

mod adopt;
mod allocator;
mod appender;
mod blob;
mod closed;
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
mod read;
mod record;
mod recovery;
mod repair;
mod report;
mod reservation;
mod running;
mod scan;
mod segment;
mod sigbus;
pub mod snapshot;
mod space;
mod spares;
mod stage;
mod status;
mod storage;
mod supply;
mod survey;
mod syncer;
mod table;
mod tailing;
mod verdict;
mod waiters;

pub use blob::{BlobName, decode_names as blob_names};
pub use disk::{DiskLog, DiskSegment};
pub use error::{ApplyError, Damage, Fault, LogError, OpenError};
pub use header::{Ancestor, Cause, HEADER_BYTES, Header, LINEAGE_MAX, Mark, VERSION};
pub use identity::Identity;
pub use inspect::{Inspection, inspect, segment_files};
pub use lock::LockFile;
pub use lsn::{History, HistoryName, Lsn};
pub use names::segment_path;
pub use options::{FsyncPolicy, Location, LogOptions};
pub use read::{Chunk, LogReader, ReadError};
pub use record::{Kind, State};
pub use recovery::{Opening, Progress, Record, SnapshotBounds, open, open_locked};
pub use repair::{Repaired, repair, rewind};
pub use report::{Cut, RecoveryReport};
pub use reservation::Reservation;
pub use running::{Log, SnapshotStart};
pub use scan::{Item, ScannedRecord, Scanner, assemble};
pub use stage::{Stage, StagedSegment, complete as complete_installation};
pub use status::LogStatus;
pub use storage::{OsStorage, Storage};
pub use survey::CutReason;
pub use tailing::{CopyError, Fork, Image, Sequel, sequel};
pub use verdict::LastLife;

#[cfg(test)]
mod tests;
