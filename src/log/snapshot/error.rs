//! Everything that can go wrong with a snapshot file, as sentences for the person who runs the server.
//!
//! A caller tells the cases apart by variant: [`SnapshotError::Cancelled`] is no fault at all, the damage of a
//! file that is read is [`SnapshotError::Damaged`], and the rest says what could not be done and why.

use std::io;
use std::path::PathBuf;

/// Why a snapshot could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// A file or directory operation failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The operation, as a verb.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Bytes of the file could not be read.
    #[error("cannot read {bytes} bytes at offset {offset} of {}: {source}", path.display())]
    Read {
        /// The snapshot file.
        path: PathBuf,
        /// Where reading began.
        offset: u64,
        /// How much was wanted.
        bytes: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not a snapshot at all.
    #[error("{} is not a GoRedis snapshot: it does not begin with the bytes that mark one", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a newer program.
    #[error(
        "{} has snapshot format version {found}, and this program reads up to {supported}: use the version that \
         wrote it, or a newer one",
        path.display()
    )]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version that can be read.
        supported: u32,
    },
    /// A byte of the file is not what was written.
    #[error("{} is damaged at offset {offset}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the damaged part begins.
        offset: u64,
        /// What is wrong with it.
        reason: Damage,
    },
    /// The writer was asked to stop.
    #[error("writing {} was cancelled", path.display())]
    Cancelled {
        /// The unfinished file.
        path: PathBuf,
    },
    /// A write failed before, so that the file cannot become whole any more.
    #[error("{} cannot be finished: writing it failed or was cancelled before", path.display())]
    Abandoned {
        /// The unfinished file.
        path: PathBuf,
    },
    /// An entry is longer than its length field can say.
    #[error("an entry of {bytes} bytes does not fit a snapshot: the limit is {max}")]
    EntryTooLarge {
        /// Its length.
        bytes: u64,
        /// The longest that fits.
        max: u64,
    },
    /// The file would hold more blocks than its index may.
    #[error("{} would have more than {max} blocks: choose a larger block size", path.display())]
    TooManyBlocks {
        /// The unfinished file.
        path: PathBuf,
        /// The limit.
        max: u64,
    },
    /// An option lies outside of its limits.
    #[error("the snapshot {option} is {value}, and must be between {min} and {max}")]
    OptionOutOfRange {
        /// What it is called.
        option: &'static str,
        /// What it was set to.
        value: u64,
        /// The least that it may be.
        min: u64,
        /// The most that it may be.
        max: u64,
    },
    /// The LSNs of a footer contradict each other.
    #[error("a snapshot's LSNs must not fall: retention floor {floor}, start {start}, end {end}")]
    FooterOrder {
        /// The lowest LSN that the log keeps.
        floor: u64,
        /// Where replay begins.
        start: u64,
        /// Where the log was when the last entry was taken.
        end: u64,
    },
    /// There is not enough memory for a part of the file.
    #[error("not enough memory for {bytes} bytes at offset {offset} of {}", path.display())]
    OutOfMemory {
        /// The snapshot file.
        path: PathBuf,
        /// Where the part begins.
        offset: u64,
        /// How long it is.
        bytes: u64,
    },
}

/// What is wrong with a part of a snapshot file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The file is shorter than its header and footer.
    #[error("the file has only {bytes} bytes, less than an empty snapshot")]
    TooShort {
        /// Its length.
        bytes: u64,
    },
    /// The header's checksum does not match.
    #[error("the header's checksum is {found:#010x} and should be {expected:#010x}")]
    HeaderChecksum {
        /// What the file says.
        found: u32,
        /// What its bytes give.
        expected: u32,
    },
    /// A field of the header holds what no writer puts there.
    #[error("the header's {field} has the impossible value {value}")]
    HeaderField {
        /// The field.
        field: &'static str,
        /// What it holds.
        value: u64,
    },
    /// There is no footer at the end of the file.
    #[error("the file does not end with a footer: it was cut short, or something was written behind it")]
    NoFooter,
    /// The footer's checksum does not match.
    #[error("the footer's checksum is {found:#010x} and should be {expected:#010x}")]
    FooterChecksum {
        /// What the file says.
        found: u32,
        /// What its bytes give.
        expected: u32,
    },
    /// A field of the footer holds what no writer puts there.
    #[error("the footer's {field} has the impossible value {value}")]
    FooterField {
        /// The field.
        field: &'static str,
        /// What it holds.
        value: u64,
    },
    /// The index's checksum does not match.
    #[error("the index's checksum is {found:#010x} and should be {expected:#010x}")]
    IndexChecksum {
        /// What the footer says.
        found: u32,
        /// What the index's bytes give.
        expected: u32,
    },
    /// The index describes a block that cannot be.
    #[error("the index entry of block {block} has an impossible {field}: {value}")]
    IndexField {
        /// The block's number.
        block: u64,
        /// The field.
        field: &'static str,
        /// What it holds.
        value: u64,
    },
    /// A block's checksum does not match.
    #[error("the checksum of block {block} is {found:#010x} and should be {expected:#010x}")]
    BlockChecksum {
        /// The block's number.
        block: u64,
        /// What the index says.
        found: u32,
        /// What the block's bytes give.
        expected: u32,
    },
    /// A block's entries do not fill it exactly.
    #[error("the entries of block {block} do not add up to its length and count")]
    BlockFrames {
        /// The block's number.
        block: u64,
    },
}
