//! Lengths and strings, of which all values are made.
//!
//! The top bits of a length's first byte say what it is:
//!
//! ```text
//! first byte  length
//! 00nnnnnn    n
//! 01nnnnnn    n, and the low 8 bits in the next byte
//! 0x80        in the next 4 bytes, big-endian
//! 0x81        in the next 8 bytes, big-endian
//! 0xc0 - c3   of no string as it is, but
//!             c0, c1, c2: of an integer's digits; it is in the next 1, 2, 4 bytes, little-endian, signed
//!             c3: of a compressed one: length compressed, length, compressed bytes (see `lzf`)
//! ```
//!
//! A string is its length and its bytes.

use super::entry::digits;
use super::error::{Error, Fault};
use super::input::Input;
use super::{Bytes, Limits, lzf};

/// What the start of a string says.
enum Head {
    /// So many bytes follow.
    Plain(u64),
    /// An integer of so many bytes follows.
    Int(usize),
    /// A compressed string follows.
    Compressed,
}

/// What is left of a payload.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    input: Input<'a>,
    payload_bytes: usize,
    string_bytes_max: usize,
    /// How long all compressed strings to come may be.
    unpacked_bytes_left: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(payload: &'a [u8], limits: &Limits) -> Self {
        Self {
            input: Input::new(payload),
            payload_bytes: payload.len(),
            string_bytes_max: limits.string_bytes_max,
            unpacked_bytes_left: limits.unpacked_bytes_max,
        }
    }

    /// How many bytes of the payload were read.
    pub(super) fn at(&self) -> usize {
        self.payload_bytes - self.input.left()
    }

    /// An error where the reader is.
    pub(super) fn fault(&self, fault: Fault) -> Error {
        Error::Malformed { at: self.at(), fault }
    }

    /// Reads with `read`, all of whose faults are where the reader is now.
    ///
    /// # Errors
    /// Those of `read`.
    fn located<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Error> {
        let at = self.at();
        read(self).map_err(|fault| Error::Malformed { at, fault })
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// There are less.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        self.located(|reader| reader.input.array().ok_or(Fault::Truncated))
    }

    /// The next byte.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn byte(&mut self) -> Result<u8, Error> {
        self.array().map(|[byte]| byte)
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// There are less.
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], Error> {
        self.located(|reader| reader.input.take(len).ok_or(Fault::Truncated))
    }

    /// A length.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn length(&mut self) -> Result<u64, Error> {
        self.located(Self::plain_length)
    }

    /// How many entries of at least `entry_bytes_min` bytes follow; at least one.
    ///
    /// # Errors
    /// There cannot be so many, or there are none.
    pub(super) fn count(&mut self, entry_bytes_min: usize) -> Result<usize, Error> {
        self.located(|reader| {
            let count = reader.plain_length()?;
            if count == 0 {
                return Err(Fault::Empty);
            }
            let possible = reader.input.left() / entry_bytes_min;
            usize::try_from(count).ok().filter(|count| *count <= possible).ok_or(Fault::Truncated)
        })
    }

    /// A string.
    ///
    /// # Errors
    /// It is none, or too long.
    pub(super) fn string(&mut self) -> Result<Bytes<'a>, Error> {
        self.located(|reader| match reader.head()? {
            Head::Plain(len) => reader.plain_string(len).map(Bytes::Borrowed),
            Head::Int(bytes) => reader.input.int(bytes).map(digits).ok_or(Fault::Truncated),
            Head::Compressed => reader.compressed_string().map(Bytes::Owned),
        })
    }

    /// Reads the start of a string; gives how many bytes of it follow.
    ///
    /// # Errors
    /// It is none, or too long.
    pub(super) fn string_start(&mut self) -> Result<usize, Error> {
        self.located(|reader| match reader.head()? {
            Head::Plain(len) => reader.string_length(len),
            Head::Int(bytes) => Ok(bytes),
            Head::Compressed => {
                let (packed_len, len) = (reader.plain_length()?, reader.plain_length()?);
                reader.string_length(len)?;
                reader.string_length(packed_len)
            }
        })
    }

    /// What is in a string, as `parse` reads it.
    ///
    /// # Errors
    /// It is no string, or `parse` finds a fault.
    pub(super) fn packed<T>(
        &mut self,
        parse: impl FnOnce(Bytes<'a>) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        let at = self.at();
        parse(self.string()?).map_err(|fault| Error::Malformed { at, fault })
    }

    /// Ends reading.
    ///
    /// # Errors
    /// Something is left.
    pub(super) fn finish(self) -> Result<(), Error> {
        if self.input.left() == 0 { Ok(()) } else { Err(self.fault(Fault::TrailingBytes)) }
    }

    fn head(&mut self) -> Result<Head, Fault> {
        let first = self.input.byte().ok_or(Fault::Truncated)?;
        let len = match first {
            0..0x40 => Some(u64::from(first)),
            0x40..0x80 => self.input.byte().map(|low| u64::from(first & 0x3f) << 8 | u64::from(low)),
            0x80 => self.input.array().map(|bytes| u64::from(u32::from_be_bytes(bytes))),
            0x81 => self.input.array().map(u64::from_be_bytes),
            0xc0 => return Ok(Head::Int(1)),
            0xc1 => return Ok(Head::Int(2)),
            0xc2 => return Ok(Head::Int(4)),
            0xc3 => return Ok(Head::Compressed),
            _ => return Err(Fault::Length),
        };
        len.map(Head::Plain).ok_or(Fault::Truncated)
    }

    fn plain_length(&mut self) -> Result<u64, Fault> {
        match self.head()? {
            Head::Plain(len) => Ok(len),
            Head::Int(_) | Head::Compressed => Err(Fault::Length),
        }
    }

    fn plain_string(&mut self, len: u64) -> Result<&'a [u8], Fault> {
        let len = self.string_length(len)?;
        self.input.take(len).ok_or(Fault::Truncated)
    }

    /// A string's length, which is within its limit.
    fn string_length(&self, len: u64) -> Result<usize, Fault> {
        usize::try_from(len).ok().filter(|len| *len <= self.string_bytes_max).ok_or(Fault::TooLong(len))
    }

    fn compressed_string(&mut self) -> Result<Vec<u8>, Fault> {
        let (packed_len, len) = (self.plain_length()?, self.plain_length()?);
        let packed = self.plain_string(packed_len)?;
        let len = self.string_length(len)?;
        // Order: compare with what is possible and allowed, then allocate, or else a few bytes could ask for gigabytes.
        if len > lzf::unpacked_bytes_max(packed.len()) {
            return Err(Fault::Compressed);
        }
        self.unpacked_bytes_left =
            self.unpacked_bytes_left.checked_sub(len).ok_or(Fault::TooMuchCompressed)?;
        lzf::decompress(packed, len).ok_or(Fault::Compressed)
    }
}
