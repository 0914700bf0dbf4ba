//! RDB files: all keys of a server, as Redis and Valkey save them, and send them to a replica that begins.
//!
//! ```text
//! offset  bytes
//!      0      9  `REDIS` or `VALKEY`, and the version in decimal digits that fill up the nine
//!      9      …  items, the last of which is the end
//! ```
//!
//! An item is a byte and what belongs to it (see `extent`): a key is the type of its value, the key, and the value;
//! the other items say of the keys behind them in which database they are, of the next when it ends and how it was
//! used, or tell of the file itself.
//!
//! The reader takes bytes from whoever has them, in pieces of any size, and holds none itself. What it is to read next
//! must be at hand as a whole, so its caller holds one item at a time, no longer than a limit that it names.
//!
//! # Promises
//!
//! * Any bytes give items or an error; no panic, and no more memory than [`restore`](super::restore) takes.
//! * The end is given only if the checksum is right, or the file has none.
//! * A file that says more than is understood is refused, with two exceptions: what modules say besides their values, and
//!   libraries of functions, are given as [`Item::Ignored`].

use super::error::{Error, Fault};
use super::extent::{Extent, Reach};
use super::reader::Reader;
use super::trailer::Dialect;
use super::{Bytes, Limits, Value, crc64, decode, kind, opcode};
use crate::clock::Millis;

const HEAD_BYTES: usize = 9;

/// What the bytes at hand begin with.
#[derive(Debug, PartialEq)]
pub enum Found<'b> {
    /// An item, and how many bytes it has: the caller passes over them.
    Item(Item<'b>, usize),
    /// The start of an item, of which at least so many bytes more are needed.
    Incomplete(usize),
}

/// What a file says.
#[derive(Debug, PartialEq)]
pub enum Item<'b> {
    /// That it is one of this version.
    Head(u16),
    /// Something about itself: a name and a value.
    Aux(Bytes<'b>, Bytes<'b>),
    /// How many keys follow in their database: a hint.
    Sizes(u64),
    /// A key.
    Key(Key<'b>),
    /// A key whose collection is empty, which some old versions have left in their files; it is as good as none.
    Empty(Bytes<'b>),
    /// Something about the keys that follow, which the reader keeps.
    Noted,
    /// Something that only Redis understands.
    Ignored(Ignored),
    /// That it is over.
    End,
}

/// What is left out of a file that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// A library of functions.
    Functions,
    /// What a module said besides its values.
    Module,
}

/// A key of a file.
#[derive(Debug, PartialEq)]
pub struct Key<'b> {
    /// The number of its database.
    pub db: u64,
    /// The key.
    pub key: Bytes<'b>,
    /// What it holds.
    pub value: Value<'b>,
    /// When it ends, perhaps in the past.
    pub expiry: Option<Millis>,
    /// How it was used.
    pub used: Option<Used>,
}

/// How a key was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    /// Seconds since the last use.
    IdleSeconds(u64),
    /// The logarithmic counter of uses.
    Frequency(u8),
}

/// Why a file was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It is none.
    #[error("these are no RDB data: they begin with \"{}\"", .0.escape_ascii())]
    NotRdb(Box<[u8]>),
    /// A version that is not known here.
    #[error("the RDB data have version {0} of the format; known are 1 to 14 and 80")]
    Version(u16),
    /// A key with a value of a type that this server does not have.
    #[error(
        "key \"{}\" of database {db} holds {}, which this server does not have: delete or convert it there, then try again",
        shown(key), kind::describe(*kind)
    )]
    Unsupported {
        /// The number of its database.
        db: u64,
        /// The key.
        key: Box<[u8]>,
        /// The type's number.
        kind: u8,
    },
    /// A key with a value that breaks its format.
    #[error("key \"{}\" of database {db}, at byte {at} of the RDB data: {fault}", shown(key))]
    Value {
        /// The number of its database.
        db: u64,
        /// The key.
        key: Box<[u8]>,
        /// Where what is wrong starts.
        at: u64,
        /// What is wrong.
        fault: Fault,
    },
    /// An item that breaks its format.
    #[error("at byte {at} of the RDB data: {fault}")]
    Item {
        /// Where what is wrong starts.
        at: u64,
        /// What is wrong.
        fault: Fault,
    },
    /// An item of an unknown kind.
    #[error("at byte {at} of the RDB data is something of an unknown kind ({opcode})")]
    Opcode {
        /// Where it starts.
        at: u64,
        /// Its kind.
        opcode: u8,
    },
    /// The bytes are not those that were written.
    #[error(
        "the RDB data have the checksum {computed:#018x}, not {stored:#018x} as they say: they were damaged"
    )]
    Checksum {
        /// What the file says.
        stored: u64,
        /// What its bytes have.
        computed: u64,
    },
    /// The bytes ended before the file.
    #[error("the RDB data end at byte {0}, before their end")]
    Truncated(u64),
}

/// A key as a message shows it.
fn shown(key: &[u8]) -> String {
    const SHOWN_BYTES_MAX: usize = 128;
    let more = if key.len() > SHOWN_BYTES_MAX { "..." } else { "" };
    format!("{}{more}", key[..key.len().min(SHOWN_BYTES_MAX)].escape_ascii())
}

/// Reads one file, item by item.
#[derive(Debug)]
pub struct FileReader {
    limits: Limits,
    /// Longest item: a key with its value.
    item_bytes_max: usize,
    /// Version and numbering of types, once the head was read.
    head: Option<(u16, Dialect)>,
    extent: Option<Extent>,
    checksum: u64,
    /// Bytes of all items that were given.
    offset: u64,
    db: u64,
    expiry: Option<Millis>,
    used: Option<Used>,
}

impl FileReader {
    /// A reader at a file's start; a key with its value may be so long.
    pub fn new(limits: Limits, item_bytes_max: usize) -> Self {
        let (head, extent, expiry, used) = (None, None, None, None);
        Self { limits, item_bytes_max, head, extent, checksum: 0, offset: 0, db: 0, expiry, used }
    }

    /// Where the bytes begin that are to be read next.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads the item with which `bytes` begins. Once an item was incomplete, it is asked for again with more bytes.
    /// Behind the end of the file nothing is to be read.
    ///
    /// # Errors
    /// [`FileError`]; the reader is of no use after it.
    pub fn next<'b>(&mut self, bytes: &'b [u8]) -> Result<Found<'b>, FileError> {
        let Some((version, dialect)) = self.head else { return self.read_head(bytes) };
        let Some(&first) = bytes.first() else { return Ok(Found::Incomplete(1)) };
        let extent = self.extent.get_or_insert_with(|| Extent::new(first, version, dialect));
        let end = match extent.look_on(bytes, &self.limits, self.item_bytes_max) {
            Ok(Reach::Wants(bytes)) => return Ok(Found::Incomplete(bytes)),
            Ok(Reach::Whole(end)) => end,
            Err(error) => return Err(self.located(error)),
        };
        self.extent = None;
        let whole = &bytes[..end];
        let item = match self.item(whole, first, (version, dialect)) {
            Ok(item) => item?,
            Err(error) => return Err(self.located(error)),
        };
        self.pass(whole);
        Ok(Found::Item(item, end))
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.offset += bytes.len() as u64;
        self.checksum = crc64::continued(self.checksum, bytes);
    }

    fn read_head<'b>(&mut self, bytes: &[u8]) -> Result<Found<'b>, FileError> {
        let known = bytes.len().min(HEAD_BYTES);
        let head = &bytes[..known];
        let digits = [&b"REDIS"[..], b"VALKEY"].into_iter().find_map(|magic| {
            let same = magic.len().min(known);
            (head[..same] == magic[..same]).then_some(&head[same..])
        });
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_digit));
        let digits = digits.ok_or_else(|| FileError::NotRdb(head.into()))?;
        if known < HEAD_BYTES {
            return Ok(Found::Incomplete(HEAD_BYTES - known));
        }
        let version = digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
        let dialect = Dialect::of(version).ok_or(FileError::Version(version))?;
        self.head = Some((version, dialect));
        self.pass(head);
        Ok(Found::Item(Item::Head(version), HEAD_BYTES))
    }

    /// Reads a whole item. The errors inside are those of a key or the file as a whole.
    fn item<'b>(
        &mut self,
        whole: &'b [u8],
        first: u8,
        (version, dialect): (u16, Dialect),
    ) -> Result<Result<Item<'b>, FileError>, Error> {
        let mut reader = Reader::new(whole, &self.limits);
        reader.byte()?;
        let item = match first {
            ..kind::BEHIND_ALL => return self.key(reader, first, dialect),
            opcode::END => return self.end(reader, version, whole),
            opcode::DATABASE => {
                self.db = reader.length()?;
                Item::Noted
            }
            opcode::EXPIRY => {
                self.expiry = Some(time(i64::from_le_bytes(reader.array()?)));
                Item::Noted
            }
            opcode::EXPIRY_SECONDS => {
                let seconds = i64::from(i32::from_le_bytes(reader.array()?));
                self.expiry = Some(time(seconds * 1000));
                Item::Noted
            }
            opcode::IDLE => {
                self.used = Some(Used::IdleSeconds(reader.length()?));
                Item::Noted
            }
            opcode::FREQUENCY => {
                self.used = Some(Used::Frequency(reader.byte()?));
                Item::Noted
            }
            opcode::SLOT => Item::Noted,
            opcode::SIZES => Item::Sizes(reader.length()?),
            opcode::AUX => Item::Aux(reader.string()?, reader.string()?),
            opcode::FUNCTIONS => Item::Ignored(Ignored::Functions),
            opcode::MODULE => Item::Ignored(Ignored::Module),
            _ => return Ok(Err(FileError::Opcode { at: self.offset, opcode: first })),
        };
        Ok(Ok(item))
    }

    fn key<'b>(
        &mut self,
        mut reader: Reader<'b>,
        kind: u8,
        dialect: Dialect,
    ) -> Result<Result<Item<'b>, FileError>, Error> {
        let key = reader.string()?;
        let (db, expiry, used) = (self.db, self.expiry.take(), self.used.take());
        let named = || (db, key[..].into());
        Ok(
            match decode::checked(&mut reader, kind, dialect).and_then(|value| Ok((value, reader.finish()?)))
            {
                Ok((value, ())) => Ok(Item::Key(Key { db, key, value, expiry, used })),
                Err(Error::Malformed { fault: Fault::Empty, .. }) => Ok(Item::Empty(key)),
                Err(Error::Malformed { at, fault }) => {
                    let ((db, key), at) = (named(), self.offset + at as u64);
                    Err(FileError::Value { db, key, at, fault })
                }
                Err(Error::Unsupported { .. }) => {
                    let (db, key) = named();
                    Err(FileError::Unsupported { db, key, kind })
                }
                Err(error @ Error::Trailer(_)) => return Err(error),
            },
        )
    }

    fn end<'b>(
        &self,
        mut reader: Reader<'b>,
        version: u16,
        whole: &[u8],
    ) -> Result<Result<Item<'b>, FileError>, Error> {
        const NONE: u64 = 0;
        if version < opcode::CHECKSUM_SINCE {
            return Ok(Ok(Item::End));
        }
        let stored = u64::from_le_bytes(reader.array()?);
        let computed = crc64::continued(self.checksum, &whole[..1]);
        if stored != NONE && stored != computed {
            return Ok(Err(FileError::Checksum { stored, computed }));
        }
        Ok(Ok(Item::End))
    }

    fn located(&self, error: Error) -> FileError {
        match error {
            Error::Malformed { at, fault } => FileError::Item { at: self.offset + at as u64, fault },
            Error::Trailer(_) | Error::Unsupported { .. } => {
                FileError::Item { at: self.offset, fault: Fault::Length }
            }
        }
    }
}

/// A time of the file, which is signed; one before 1970 is as past as any.
fn time(unix_ms: i64) -> Millis {
    Millis(u64::try_from(unix_ms).unwrap_or(1))
}
