//! How far the item at hand reaches, found out as its bytes come: so that only whole items are decoded, and each byte
//! is passed over once, however small the pieces in which it comes.
//!
//! An item of an RDB file says its length nowhere. It is a byte that says what it is, then parts one behind the other,
//! of which some are repeated as often as a count before them says.

use super::Limits;
use super::error::{Error, Fault};
use super::kind;
use super::opcode;
use super::reader::Reader;
use super::trailer::Dialect;

/// A part of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    String,
    Length,
    Fixed(usize),
    /// A score as text: its length in a byte, three values of which are scores themselves.
    TextScore,
}

use Part::{Fixed, Length, String, TextScore};

/// What follows an item's first parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    Nothing,
    /// A count, and so many times these.
    Counted(&'static [Part]),
    /// What a module wrote, each part with what it is before it.
    Module,
}

/// The parts of an item.
#[derive(Clone, Copy, Debug)]
struct Shape {
    first: &'static [Part],
    rest: Rest,
}

const fn only(first: &'static [Part]) -> Shape {
    Shape { first, rest: Rest::Nothing }
}

/// A key, and what is counted behind it.
const fn counted(each: &'static [Part]) -> Shape {
    Shape { first: &[String], rest: Rest::Counted(each) }
}

/// The parts of an item behind its first byte. Of a key with a value that cannot be read: the key; of what is not known:
/// none.
fn shape(first: u8, version: u16, dialect: Dialect) -> Shape {
    match (first, dialect) {
        (opcode::END, _) => only(if version < opcode::CHECKSUM_SINCE { &[] } else { &[Fixed(8)] }),
        (opcode::DATABASE | opcode::IDLE, _) => only(&[Length]),
        (opcode::SIZES, _) => only(&[Length, Length]),
        (opcode::SLOT, _) => only(&[Length, Length, Length]),
        (opcode::EXPIRY_SECONDS, _) => only(&[Fixed(4)]),
        (opcode::EXPIRY, _) => only(&[Fixed(8)]),
        (opcode::FREQUENCY, _) => only(&[Fixed(1)]),
        (opcode::MODULE, _) => Shape { first: &[Length], rest: Rest::Module },
        (kind::HASH_EXPIRING_VALKEY, Dialect::Valkey) => counted(&[String, String, Fixed(8)]),
        (kind::HASH_EXPIRING_CANDIDATE, _) => counted(&[Length, String, String]),
        (kind::HASH_EXPIRING, _) => {
            Shape { first: &[String, Fixed(8)], rest: Rest::Counted(&[Length, String, String]) }
        }
        (kind::HASH_EXPIRING_LISTPACK, _) => only(&[String, Fixed(8), String]),
        (kind::LIST | kind::SET | kind::LIST_ZIPLISTS, _) => counted(&[String]),
        (kind::LIST_NODES, _) => counted(&[Length, String]),
        (kind::HASH, _) => counted(&[String, String]),
        (kind::SORTED_SET, _) => counted(&[String, Fixed(8)]),
        (kind::SORTED_SET_TEXT, _) => counted(&[String, TextScore]),
        (
            opcode::AUX
            | kind::STRING
            | kind::HASH_ZIPMAP
            | kind::LIST_ZIPLIST
            | kind::SET_INTSET
            | kind::SORTED_SET_ZIPLIST
            | kind::HASH_ZIPLIST
            | kind::HASH_LISTPACK
            | kind::SORTED_SET_LISTPACK
            | kind::SET_LISTPACK
            | kind::HASH_EXPIRING_LISTPACK_CANDIDATE,
            _,
        ) => only(&[String, String]),
        (opcode::FUNCTIONS | ..kind::BEHIND_ALL, _) => only(&[String]),
        _ => only(&[]),
    }
}

/// Where in its item the search is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before part `n` of the first ones.
    First(usize),
    /// Before part `n` of those that are repeated so many times more, this time included.
    Counted(usize, u64),
    /// Before what a module's next part is.
    Module,
    Over,
}

/// What is known of where an item ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// It ends here.
    Whole(usize),
    /// At least so many bytes more are needed.
    Wants(usize),
}

/// The search for the end of one item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    shape: Shape,
    place: Place,
    /// So many bytes of the item are passed over; they need not be there yet.
    at: usize,
}

impl Extent {
    /// Begins with an item's first byte.
    pub(super) fn new(first: u8, version: u16, dialect: Dialect) -> Self {
        Self { shape: shape(first, version, dialect), place: Place::First(0), at: 1 }
    }

    /// Looks on in `item`, which has what was there when this was called before, and more.
    ///
    /// # Errors
    /// A length that is none, or more than the limits allow.
    pub(super) fn look_on(&mut self, item: &[u8], limits: &Limits, bytes_max: usize) -> Result<Reach, Error> {
        loop {
            if self.at > bytes_max {
                return Err(Error::Malformed { at: 0, fault: Fault::TooLong(self.at as u64) });
            }
            let Some(unread) = item.get(self.at..) else { return Ok(Reach::Wants(self.at - item.len())) };
            if self.place == Place::Over {
                return Ok(Reach::Whole(self.at));
            }
            match self.step(&mut Reader::new(unread, limits)) {
                Ok((bytes, place)) => (self.at, self.place) = (self.at.saturating_add(bytes), place),
                Err(Error::Malformed { fault: Fault::Truncated, .. }) => return Ok(Reach::Wants(1)),
                Err(Error::Malformed { fault, .. }) => return Err(Error::Malformed { at: self.at, fault }),
                Err(error) => return Err(error),
            }
        }
    }

    /// Passes over a part; gives how many bytes it has, and what comes then.
    fn step(&self, reader: &mut Reader<'_>) -> Result<(usize, Place), Error> {
        match self.place {
            Place::First(part) => match self.shape.first.get(part) {
                Some(which) => Ok((pass(reader, *which)?, Place::First(part + 1))),
                None => match self.shape.rest {
                    Rest::Nothing => Ok((0, Place::Over)),
                    Rest::Module => Ok((0, Place::Module)),
                    Rest::Counted(_) => {
                        let count = reader.length()?;
                        Ok((reader.at(), if count == 0 { Place::Over } else { Place::Counted(0, count) }))
                    }
                },
            },
            Place::Counted(part, left) => {
                let Rest::Counted(each) = self.shape.rest else { return Ok((0, Place::Over)) };
                let bytes = pass(reader, each[part])?;
                let next = match (part + 1 == each.len(), left) {
                    (false, _) => Place::Counted(part + 1, left),
                    (true, 1) => Place::Over,
                    (true, _) => Place::Counted(0, left - 1),
                };
                Ok((bytes, next))
            }
            Place::Module => {
                let part = match reader.length()? {
                    opcode::MODULE_END => return Ok((reader.at(), Place::Over)),
                    opcode::MODULE_SIGNED | opcode::MODULE_UNSIGNED => Length,
                    opcode::MODULE_FLOAT => Fixed(4),
                    opcode::MODULE_DOUBLE => Fixed(8),
                    opcode::MODULE_STRING => String,
                    _ => return Err(reader.fault(Fault::Module)),
                };
                Ok((pass(reader, part)?, Place::Module))
            }
            Place::Over => Ok((0, Place::Over)),
        }
    }
}

/// How many bytes there are from the reader's start to the end of a part, whose last bytes need not be there.
fn pass(reader: &mut Reader<'_>, part: Part) -> Result<usize, Error> {
    const LONGEST_SCORE: u8 = 252;
    let behind = match part {
        String => reader.string_start()?,
        Length => reader.length().map(|_| 0)?,
        Fixed(bytes) => bytes,
        TextScore => match reader.byte()? {
            len @ ..=LONGEST_SCORE => usize::from(len),
            _ => 0,
        },
    };
    Ok(reader.at() + behind)
}
