//! The replies of one batch of commands, as bytes ready for the socket.
//!
//! A connection owns one [`ReplyBuf`] and reuses it: commands append, the connection writes it out as a
//! [`bytes::Buf`] (vectored), and it is empty again. It knows the connection's protocol, so a command states what it
//! means (a map, a null, a double) and the buffer says it in RESP2 or RESP3.
//!
//! Small things are copied into one run of bytes. A long value that is already shared ([`ReplyBuf::bulk_shared`]) is
//! kept as it is and spliced in when written, so that a reply of 512 MB costs no second copy of it.

mod output;
mod push;

use bytes::Bytes;
use std::collections::VecDeque;

pub use push::PushFrame;

use super::number::write_f64;

/// The two dialects; a connection starts with RESP2 and HELLO changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// Redis 2 to 5: strings, errors, integers, arrays.
    #[default]
    Resp2,
    /// Redis 6 and later: also maps, sets, doubles, booleans, pushes and one null.
    Resp3,
}

/// From this length on a shared value is worth a splice; below, copying is cheaper.
pub const SHARED_BYTES_MIN: usize = 16 * 1024;

/// Capacity that an emptied buffer keeps for the next batch.
const KEPT_BYTES_MAX: usize = 64 * 1024;

/// A place in a [`ReplyBuf`] to go back to. It loses its meaning when anything is written out or cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    bytes_len: usize,
    splices_len: usize,
    shared_bytes: usize,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub struct ReplyBuf {
    /// Everything that was copied, in order.
    bytes: Vec<u8>,
    /// Invariant: `written <= bytes.len()`; what lies before is on the socket already.
    written: usize,
    /// What was not copied, each with the length of `bytes` where it belongs. Invariant: sorted by it, and no
    /// place is below `written`.
    splices: VecDeque<(usize, Bytes)>,
    /// Bytes of all splices together.
    shared_bytes: usize,
    protocol: Protocol,
}

impl ReplyBuf {
    /// An empty buffer that speaks RESP2.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty buffer that speaks `protocol`.
    pub fn with_protocol(protocol: Protocol) -> Self {
        Self { protocol, ..Self::default() }
    }

    /// What the client understands.
    #[inline]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Changes the dialect of everything appended from now on.
    pub fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
    }

    #[inline]
    fn is_resp3(&self) -> bool {
        self.protocol == Protocol::Resp3
    }

    /// `+OK`
    #[inline]
    pub fn ok(&mut self) {
        self.bytes.extend_from_slice(b"+OK\r\n");
    }

    /// `+QUEUED`
    #[inline]
    pub fn queued(&mut self) {
        self.bytes.extend_from_slice(b"+QUEUED\r\n");
    }

    /// A status; it must be a single line.
    #[inline]
    pub fn simple(&mut self, status: &str) {
        self.line(b'+', status.as_bytes());
    }

    /// An error, code first (`ERR no such key`). CR and LF become blanks, since they would end it, and go where they do.
    #[cold]
    pub fn error(&mut self, message: &str) {
        // Why trimmed, as Redis does: what an error quotes may end with the end of a line.
        self.line(b'-', message.trim_matches(['\r', '\n']).as_bytes());
    }

    /// A sigil and a text that is made a single line.
    fn line(&mut self, sigil: u8, text: &[u8]) {
        self.bytes.push(sigil);
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text);
        for byte in &mut self.bytes[start..] {
            if matches!(byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// An integer.
    #[inline]
    pub fn int(&mut self, value: i64) {
        match value {
            0 => self.bytes.extend_from_slice(b":0\r\n"),
            1 => self.bytes.extend_from_slice(b":1\r\n"),
            _ => self.number_line(b':', itoa::Buffer::new().format(value)),
        }
    }

    /// A string of any bytes.
    #[inline]
    pub fn bulk(&mut self, value: &[u8]) {
        self.bytes.reserve(value.len() + 32);
        self.header(b'$', value.len());
        self.bytes.extend_from_slice(value);
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// A string that holds an integer.
    pub fn bulk_int(&mut self, value: i64) {
        self.bulk(itoa::Buffer::new().format(value).as_bytes());
    }

    /// A string that is kept as it is, if it is long enough for that to be worth it.
    pub fn bulk_shared(&mut self, value: Bytes) {
        if value.len() < SHARED_BYTES_MIN {
            return self.bulk(&value);
        }
        self.header(b'$', value.len());
        self.splice(value);
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// A string made of parts that lie apart, together `len` bytes long: a value in leaves.
    ///
    /// # Panics
    /// In debug builds, if the parts do not add up to `len`.
    pub fn bulk_parts<'a>(&mut self, len: usize, parts: impl IntoIterator<Item = &'a [u8]>) {
        self.bytes.reserve(len + 32);
        self.header(b'$', len);
        let start = self.bytes.len();
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        debug_assert_eq!(self.bytes.len() - start, len);
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// The absence of a value: `$-1`, or RESP3's null.
    #[inline]
    pub fn null(&mut self) {
        self.bytes.extend_from_slice(if self.is_resp3() { b"_\r\n" } else { b"$-1\r\n" });
    }

    /// The absence of an array: `*-1`, or RESP3's null.
    pub fn null_array(&mut self) {
        self.bytes.extend_from_slice(if self.is_resp3() { b"_\r\n" } else { b"*-1\r\n" });
    }

    /// The head of an array of `len` replies, which are to follow.
    #[inline]
    pub fn array(&mut self, len: usize) {
        self.header(b'*', len);
    }

    /// The head of a map of `len` pairs, key and value in turn; in RESP2 an array of twice as many.
    pub fn map(&mut self, len: usize) {
        if self.is_resp3() { self.header(b'%', len) } else { self.header(b'*', 2 * len) }
    }

    /// The head of a set of `len` replies; in RESP2 an array.
    pub fn set(&mut self, len: usize) {
        self.header(if self.is_resp3() { b'~' } else { b'*' }, len);
    }

    /// The head of a message that answers no command, of `len` replies; in RESP2 an array.
    pub fn push(&mut self, len: usize) {
        self.header(if self.is_resp3() { b'>' } else { b'*' }, len);
    }

    /// The head of `len` attributes, key and value in turn, of the reply that follows them. Returns whether this
    /// client knows attributes; if not, nothing was written and they must be left out.
    #[must_use = "a client that knows no attributes must not be sent their contents"]
    pub fn attribute(&mut self, len: usize) -> bool {
        if self.is_resp3() {
            self.header(b'|', len);
        }
        self.is_resp3()
    }

    /// A double; in RESP2 a string.
    pub fn double(&mut self, value: f64) {
        let mut text = Vec::with_capacity(32);
        write_f64(&mut text, value);
        if self.is_resp3() {
            self.line(b',', &text);
        } else {
            self.bulk(&text);
        }
    }

    /// A truth value; in RESP2 the integer 1 or 0.
    pub fn boolean(&mut self, value: bool) {
        if self.is_resp3() {
            self.bytes.extend_from_slice(if value { b"#t\r\n" } else { b"#f\r\n" });
        } else {
            self.int(i64::from(value));
        }
    }

    /// A text with its format (`txt`, `mkd`); in RESP2 a string.
    pub fn verbatim(&mut self, format: [u8; 3], text: &str) {
        if self.is_resp3() {
            self.header(b'=', text.len() + 4);
            self.bytes.extend_from_slice(&[format[0], format[1], format[2], b':']);
            self.bytes.extend_from_slice(text.as_bytes());
            self.bytes.extend_from_slice(b"\r\n");
        } else {
            self.bulk(text.as_bytes());
        }
    }

    /// An integer of any size, given as its digits; in RESP2 a string.
    pub fn big_number(&mut self, digits: &str) {
        if self.is_resp3() {
            self.line(b'(', digits.as_bytes());
        } else {
            self.bulk(digits.as_bytes());
        }
    }

    /// A sigil and a length, which is how most frames start.
    #[inline]
    fn header(&mut self, sigil: u8, len: usize) {
        if len < 10 {
            self.bytes.extend_from_slice(&[sigil, b'0' + len as u8, b'\r', b'\n']);
        } else if len < 100 {
            let (tens, ones) = (len / 10, len % 10);
            self.bytes.extend_from_slice(&[sigil, b'0' + tens as u8, b'0' + ones as u8, b'\r', b'\n']);
        } else {
            self.number_line(sigil, itoa::Buffer::new().format(len));
        }
    }

    fn number_line(&mut self, sigil: u8, digits: &str) {
        self.bytes.push(sigil);
        self.bytes.extend_from_slice(digits.as_bytes());
        self.bytes.extend_from_slice(b"\r\n");
    }

    fn splice(&mut self, shared: Bytes) {
        self.shared_bytes += shared.len();
        self.splices.push_back((self.bytes.len(), shared));
    }
}

#[cfg(test)]
mod tests;
