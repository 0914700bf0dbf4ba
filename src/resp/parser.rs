//! A client's bytes to requests, without copying and without ever looking twice.
//!
//! The connection hands in its unread bytes; the parser answers with the place of every argument ([`Span`]s from
//! the request's first byte) or asks for more. Between two calls for one request it remembers which arguments it has
//! and where it stopped, so a request that trickles in costs its length once. It owns nothing else: the bytes stay
//! where the socket put them until the command has run.
//!
//! As in Redis, the two bytes behind a length or an argument are passed over without a look: they can only be CR LF.

use super::args::{OwnedRequest, Span};
use super::error::ProtocolError;
use super::inline;
use super::limits::Limits;
use super::number::parse_i64;

/// What the parser found at the start of the unread bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A whole request; its spans were appended to the caller's.
    Request {
        /// Its length in bytes.
        consumed: usize,
    },
    /// A whole request, typed as a line with quotes that had to be undone.
    Inline {
        /// Its length in bytes, as sent.
        consumed: usize,
        /// Its arguments.
        request: Box<OwnedRequest>,
    },
    /// Bytes that are no request and get no reply: an empty line, `*0`, `*-1`.
    Empty {
        /// Their number.
        consumed: usize,
    },
    /// The request goes on behind the bytes at hand. Call again with the same bytes and more.
    Incomplete {
        /// At least so many more are needed; 0 if that cannot be told yet.
        want: usize,
    },
}

/// The reading end of one connection: see the [module](self).
///
/// Invariant: all fields are zero or empty exactly when the next byte starts a new request.
#[derive(Debug, Default)]
pub struct RequestParser {
    /// Arguments of the current request still to come; 0 before its count is known.
    args_left: usize,
    /// Where the next line of the current request starts.
    at: usize,
    /// No line end is before here.
    scanned: usize,
    /// Arguments of the current request that are whole, while it waits for the others.
    partial: Vec<Span>,
}

/// A line that holds a number, as the slow path sees it.
enum Line {
    /// The number, and where the line behind it starts.
    Number { value: Option<i64>, next: usize },
    /// The line is not over.
    Open,
    /// The line is longer than any line may be.
    TooBig,
}

impl RequestParser {
    /// A parser at the start of a connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a request has begun that is not whole yet.
    pub fn is_midway(&self) -> bool {
        self.at != 0 || self.scanned != 0
    }

    /// Looks for one request at the start of `buf`, which begins with the first byte of the current request.
    ///
    /// For [`Parsed::Request`] its spans are appended to `spans` (relative to `buf`); otherwise `spans` is left as
    /// it was. The caller then drops or passes over the consumed bytes. `limits` may change between calls.
    ///
    /// # Errors
    /// A [`ProtocolError`] if the bytes are no request or one that is too large. The parser is of no use after it.
    #[inline]
    pub fn parse(
        &mut self,
        buf: &[u8],
        limits: &Limits,
        spans: &mut Vec<Span>,
    ) -> Result<Parsed, ProtocolError> {
        // Why: a request that starts afresh with a plain count is nearly every one; the rest is out of line.
        if self.at == 0
            && let [b'*', ..] = buf
            && let Some((count, next)) = short_number(buf, 1)
            && count > 0
            && count <= args_max(limits)
        {
            let base = spans.len();
            return self.arguments(buf, limits, spans, base, count, next);
        }
        self.parse_slow(buf, limits, spans)
    }

    /// Reads `left` arguments from `at` on. The request's spans start at `base`.
    #[inline]
    fn arguments(
        &mut self,
        buf: &[u8],
        limits: &Limits,
        spans: &mut Vec<Span>,
        base: usize,
        mut left: usize,
        mut at: usize,
    ) -> Result<Parsed, ProtocolError> {
        let bulk_max = bulk_bytes_max(limits);
        let room = buf.len().min(limits.request_bytes_max());
        while left > 0 {
            if buf.get(at) == Some(&b'$')
                && let Some((len, start)) = short_number(buf, at + 1)
                && len <= bulk_max
                && start + len + 2 <= room
            {
                spans.push(Span::new(start, start + len));
                at = start + len + 2;
                left -= 1;
            } else {
                return self.pause(buf, limits, spans, base, left, at);
            }
        }
        self.scanned = 0;
        Ok(Parsed::Request { consumed: at })
    }

    /// The argument at `at` is not whole, or wrong: says which, and remembers the place.
    #[cold]
    fn pause(
        &mut self,
        buf: &[u8],
        limits: &Limits,
        spans: &mut Vec<Span>,
        base: usize,
        left: usize,
        at: usize,
    ) -> Result<Parsed, ProtocolError> {
        let missing = self.missing(buf, limits, at);
        if missing.is_err() {
            spans.truncate(base);
        } else if base == 0 {
            // Why: swapped, not copied: a request of a million arguments pauses hundreds of times.
            std::mem::swap(spans, &mut self.partial);
        } else {
            self.partial.extend(spans.drain(base..));
        }
        (self.args_left, self.at) = (left, at);
        missing.map(|want| Parsed::Incomplete { want })
    }

    /// How many bytes the argument at `at` lacks at least; 0 if its length is not known yet.
    fn missing(&mut self, buf: &[u8], limits: &Limits, at: usize) -> Result<usize, ProtocolError> {
        match buf.get(at) {
            None => return Ok(0),
            Some(b'$') => {}
            Some(got) => return Err(ProtocolError::ExpectedBulk { got: *got }),
        }
        match self.line(buf, limits, at) {
            Line::Open => Ok(0),
            Line::TooBig => Err(ProtocolError::LengthLineTooBig),
            Line::Number { value, next } => {
                let len = value
                    .and_then(|len| usize::try_from(len).ok())
                    .filter(|len| *len <= limits.bulk_bytes_max)
                    .ok_or(ProtocolError::InvalidLength)?;
                if len > bulk_bytes_max(limits) {
                    return Err(ProtocolError::UnauthenticatedLength);
                }
                let end = next.saturating_add(len).saturating_add(2);
                if end > limits.request_bytes_max() {
                    return Err(ProtocolError::RequestTooBig);
                }
                Ok(end.saturating_sub(buf.len()))
            }
        }
    }

    /// Everything but a fresh request with a plain count.
    #[cold]
    fn parse_slow(
        &mut self,
        buf: &[u8],
        limits: &Limits,
        spans: &mut Vec<Span>,
    ) -> Result<Parsed, ProtocolError> {
        if self.args_left > 0 {
            return self.resume(buf, limits, spans);
        }
        match buf.first() {
            None => Ok(Parsed::Incomplete { want: 0 }),
            Some(b'*') => self.count(buf, limits, spans),
            Some(_) => self.inline(buf, limits, spans),
        }
    }

    /// Takes up a request whose count, and perhaps some arguments, are known.
    fn resume(
        &mut self,
        buf: &[u8],
        limits: &Limits,
        spans: &mut Vec<Span>,
    ) -> Result<Parsed, ProtocolError> {
        let base = spans.len();
        if base == 0 {
            std::mem::swap(spans, &mut self.partial);
        } else {
            spans.append(&mut self.partial);
        }
        let (left, at) = (std::mem::take(&mut self.args_left), std::mem::take(&mut self.at));
        self.arguments(buf, limits, spans, base, left, at)
    }

    /// A request that starts with a count which is not a short, plain number, or which is not whole.
    fn count(&mut self, buf: &[u8], limits: &Limits, spans: &mut Vec<Span>) -> Result<Parsed, ProtocolError> {
        let (value, next) = match self.line(buf, limits, 0) {
            Line::Open => return Ok(Parsed::Incomplete { want: 0 }),
            Line::TooBig => return Err(ProtocolError::CountLineTooBig),
            Line::Number { value, next } => (value, next),
        };
        let count = value.ok_or(ProtocolError::InvalidCount)?;
        // Why: a count below zero is as good as none, which gets no reply either.
        let count = usize::try_from(count).unwrap_or(0);
        if count > limits.args_max {
            return Err(ProtocolError::InvalidCount);
        }
        if count > args_max(limits) {
            return Err(ProtocolError::UnauthenticatedCount);
        }
        if count == 0 {
            self.scanned = 0;
            return Ok(Parsed::Empty { consumed: next });
        }
        self.arguments(buf, limits, spans, spans.len(), count, next)
    }

    /// A request typed as a line.
    fn inline(
        &mut self,
        buf: &[u8],
        limits: &Limits,
        spans: &mut Vec<Span>,
    ) -> Result<Parsed, ProtocolError> {
        let newline = buf[self.scanned..].iter().position(|byte| *byte == b'\n').map(|at| self.scanned + at);
        if newline.unwrap_or(buf.len()) > limits.inline_bytes_max {
            return Err(ProtocolError::InlineTooBig);
        }
        let Some(newline) = newline else {
            self.scanned = buf.len();
            return Ok(Parsed::Incomplete { want: 0 });
        };
        self.scanned = 0;
        let (line, consumed) = (&buf[..newline], newline + 1);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let base = spans.len();
        if inline::split_plain(line, spans).is_none() {
            return Ok(Parsed::Inline { consumed, request: Box::new(inline::split(line)?) });
        }
        if spans.len() == base {
            return Ok(Parsed::Empty { consumed });
        }
        Ok(Parsed::Request { consumed })
    }

    /// The line at `at`: a sign, a number, CR LF.
    fn line(&mut self, buf: &[u8], limits: &Limits, at: usize) -> Line {
        let from = self.scanned.max(at);
        let end = buf[from..].iter().position(|byte| *byte == b'\r').map(|found| from + found);
        if end.unwrap_or(buf.len()) - at > limits.inline_bytes_max {
            return Line::TooBig;
        }
        match end {
            Some(end) if end + 1 < buf.len() => {
                Line::Number { value: parse_i64(&buf[at + 1..end]), next: end + 2 }
            }
            _ => {
                self.scanned = end.unwrap_or(buf.len());
                Line::Open
            }
        }
    }
}

/// Most digits of a number on the fast path: all counts and lengths that any limit allows have fewer.
const SHORT_NUMBER_DIGITS_MAX: usize = 10;

/// The number without sign or leading zeros at `at`, and what follows its CR LF. `None` if it is anything else or
/// not whole, which the slow path then tells apart.
#[inline(always)]
#[expect(clippy::inline_always, reason = "four times in each of the commonest requests; measured")]
fn short_number(buf: &[u8], at: usize) -> Option<(usize, usize)> {
    let digit = |byte: u8| usize::from(byte.wrapping_sub(b'0'));
    // Why: nearly all numbers have one digit or two.
    if let Some(&[first, second, third, _]) = buf.get(at..).and_then(<[u8]>::first_chunk)
        && digit(first) <= 9
    {
        if second == b'\r' {
            return Some((digit(first), at + 3));
        }
        if third == b'\r' && first != b'0' && digit(second) <= 9 {
            return Some((10 * digit(first) + digit(second), at + 4));
        }
    }
    let mut number = 0_usize;
    for digits in 0..=SHORT_NUMBER_DIGITS_MAX {
        let byte = *buf.get(at + digits)?;
        if digit(byte) > 9 {
            let next = at + digits + 2;
            let plain = byte == b'\r' && digits > 0 && (buf[at] != b'0' || digits == 1);
            return (plain && next <= buf.len()).then_some((number, next));
        }
        number = number * 10 + digit(byte);
    }
    None
}

#[inline]
fn args_max(limits: &Limits) -> usize {
    if limits.unauthenticated {
        limits.args_max.min(Limits::UNAUTHENTICATED_ARGS_MAX)
    } else {
        limits.args_max
    }
}

#[inline]
fn bulk_bytes_max(limits: &Limits) -> usize {
    if limits.unauthenticated {
        limits.bulk_bytes_max.min(Limits::UNAUTHENTICATED_BULK_BYTES_MAX)
    } else {
        limits.bulk_bytes_max
    }
}

#[cfg(test)]
mod tests;
