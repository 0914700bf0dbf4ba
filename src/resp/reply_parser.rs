//! A server's bytes to [`Value`]s, for clients.
//!
//! Bytes are taken out of the read buffer as soon as they are understood: what a half-received reply holds is its
//! finished values and the tail of the buffer, and nothing is scanned twice. Nesting is a list of open aggregates,
//! not recursion. A long string is split off the buffer, not copied.

use bytes::{Buf, Bytes, BytesMut};

use super::error::ReplyError;
use super::limits::ReplyLimits;
use super::number::parse_i64;
use super::value::Value;

/// From this length on a string keeps the buffer it came in; below, it is copied and the buffer set free.
const SPLIT_BYTES_MIN: usize = 16 * 1024;

/// Values for which room is made before they arrive; a count alone is no reason to trust it.
const VALUES_RESERVED_MAX: usize = 1024;

/// Nesting that no setting can exceed.
const DEPTH_MAX: usize = 1024;

/// The reading end of a client's connection: see the [module](self).
#[derive(Debug, Default)]
pub struct ReplyParser {
    limits: ReplyLimits,
    /// Aggregates that wait for values, outermost first.
    open: Vec<Aggregate>,
    /// A string whose length is known and whose bytes are not all here.
    bulk: Option<(BulkKind, usize)>,
    /// No line end is before here in the unread bytes.
    scanned: usize,
    /// Values that the current reply has announced.
    values: usize,
    /// Bytes that the current reply has taken.
    taken: usize,
}

#[derive(Debug, Clone, Copy)]
enum AggregateKind {
    Array,
    Map,
    Set,
    Push,
    /// Pairs, then the value that they describe.
    Attributes,
}

#[derive(Debug)]
struct Aggregate {
    kind: AggregateKind,
    /// Values still to come. Invariant: at least one, while it is open.
    left: usize,
    values: Vec<Value>,
}

#[derive(Debug, Clone, Copy)]
enum BulkKind {
    String,
    Error,
    Verbatim,
}

/// What the front of the buffer turned out to be.
enum Step {
    Value(Value),
    Open(Aggregate),
    /// Its bytes are not all here.
    Starved,
}

impl ReplyParser {
    /// A parser with limits of its own.
    pub fn with_limits(limits: ReplyLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Whether a reply has begun that is not whole yet.
    pub fn is_midway(&self) -> bool {
        self.taken > 0 || self.scanned > 0
    }

    /// Takes one reply off the front of `input`, or what there is of it and returns `None`: then call again when
    /// there is more.
    ///
    /// # Errors
    /// A [`ReplyError`] if the bytes are no reply or one that is too large. The parser is of no use after it.
    pub fn parse(&mut self, input: &mut BytesMut) -> Result<Option<Value>, ReplyError> {
        loop {
            match self.step(input)? {
                Step::Starved => return Ok(None),
                Step::Open(aggregate) => {
                    if self.open.len() >= self.limits.depth_max.min(DEPTH_MAX) {
                        return Err(ReplyError::TooDeep { max: self.limits.depth_max.min(DEPTH_MAX) });
                    }
                    self.open.push(aggregate);
                }
                Step::Value(value) => {
                    if let Some(reply) = self.close(value) {
                        (self.values, self.taken) = (0, 0);
                        return Ok(Some(reply));
                    }
                }
            }
        }
    }

    /// Puts a value where it belongs; what that completes goes into what is around it, up to the whole reply.
    fn close(&mut self, mut value: Value) -> Option<Value> {
        while let Some(aggregate) = self.open.last_mut() {
            aggregate.values.push(value);
            aggregate.left -= 1;
            if aggregate.left > 0 {
                return None;
            }
            value = self.open.pop()?.finish();
        }
        Some(value)
    }

    fn step(&mut self, input: &mut BytesMut) -> Result<Step, ReplyError> {
        if let Some((kind, len)) = self.bulk {
            return self.bulk_body(input, kind, len);
        }
        let Some(line) = self.take_line(input)? else {
            return Ok(Step::Starved);
        };
        let (sigil, text) = (line[0], &line[1..]);
        match sigil {
            b'$' | b'*' if text == b"-1" => Ok(Step::Value(Value::Null)),
            b'$' => self.bulk_head(input, BulkKind::String, text),
            b'!' => self.bulk_head(input, BulkKind::Error, text),
            b'=' => self.bulk_head(input, BulkKind::Verbatim, text),
            b'*' => self.aggregate(AggregateKind::Array, text),
            b'%' => self.aggregate(AggregateKind::Map, text),
            b'~' => self.aggregate(AggregateKind::Set, text),
            b'>' => self.aggregate(AggregateKind::Push, text),
            b'|' => self.aggregate(AggregateKind::Attributes, text),
            _ => scalar(sigil, text).map(Step::Value),
        }
    }

    /// The line at the front, sigil first, without its CR LF.
    fn take_line(&mut self, input: &mut BytesMut) -> Result<Option<BytesMut>, ReplyError> {
        let end = input[self.scanned..].iter().position(|byte| *byte == b'\r').map(|at| self.scanned + at);
        let len = end.unwrap_or(input.len());
        if len > self.limits.line_bytes_max {
            return Err(ReplyError::LineTooBig { max: self.limits.line_bytes_max });
        }
        let Some(newline) = end.and_then(|end| input.get(end + 1)) else {
            self.scanned = len;
            return Ok(None);
        };
        if *newline != b'\n' {
            return Err(ReplyError::MissingTerminator);
        }
        if len == 0 {
            return Err(ReplyError::UnknownType(b'\r'));
        }
        self.scanned = 0;
        self.take(len + 2)?;
        let line = input.split_to(len);
        input.advance(2);
        Ok(Some(line))
    }

    /// Counts bytes towards the size of the reply.
    fn take(&mut self, len: usize) -> Result<(), ReplyError> {
        self.taken = self.taken.saturating_add(len);
        if self.taken > self.limits.reply_bytes_max {
            return Err(ReplyError::TooBig { max: self.limits.reply_bytes_max });
        }
        Ok(())
    }

    fn bulk_head(&mut self, input: &mut BytesMut, kind: BulkKind, text: &[u8]) -> Result<Step, ReplyError> {
        let len = length(text)?;
        if len > self.limits.bulk_bytes_max {
            return Err(ReplyError::BulkTooBig { len: len as u64, max: self.limits.bulk_bytes_max });
        }
        self.take(len + 2)?;
        self.bulk_body(input, kind, len)
    }

    fn bulk_body(&mut self, input: &mut BytesMut, kind: BulkKind, len: usize) -> Result<Step, ReplyError> {
        if input.len() < len + 2 {
            self.bulk = Some((kind, len));
            return Ok(Step::Starved);
        }
        self.bulk = None;
        if input[len..len + 2] != *b"\r\n" {
            return Err(ReplyError::MissingTerminator);
        }
        let bytes = if len < SPLIT_BYTES_MIN {
            let copy = Bytes::copy_from_slice(&input[..len]);
            input.advance(len);
            copy
        } else {
            input.split_to(len).freeze()
        };
        input.advance(2);
        bulk_value(kind, bytes).map(Step::Value)
    }

    fn aggregate(&mut self, kind: AggregateKind, text: &[u8]) -> Result<Step, ReplyError> {
        let len = length(text)?;
        let left = match kind {
            AggregateKind::Array | AggregateKind::Set | AggregateKind::Push => len,
            AggregateKind::Map => len.saturating_mul(2),
            AggregateKind::Attributes => len.saturating_mul(2).saturating_add(1),
        };
        self.values = self.values.saturating_add(left);
        if self.values > self.limits.values_max {
            return Err(ReplyError::TooManyValues { max: self.limits.values_max });
        }
        let aggregate = Aggregate { kind, left, values: Vec::with_capacity(left.min(VALUES_RESERVED_MAX)) };
        Ok(if left == 0 { Step::Value(aggregate.finish()) } else { Step::Open(aggregate) })
    }
}

impl Aggregate {
    fn finish(mut self) -> Value {
        match self.kind {
            AggregateKind::Array => Value::Array(self.values),
            AggregateKind::Set => Value::Set(self.values),
            AggregateKind::Push => Value::Push(self.values),
            AggregateKind::Map => Value::Map(pairs(self.values)),
            AggregateKind::Attributes => {
                let value = Box::new(self.values.pop().unwrap_or(Value::Null));
                Value::Attributed { attributes: pairs(self.values), value }
            }
        }
    }
}

/// Keys and values in turn, as pairs.
fn pairs(values: Vec<Value>) -> Vec<(Value, Value)> {
    let mut values = values.into_iter();
    std::iter::from_fn(|| Some((values.next()?, values.next()?))).collect()
}

/// A length or count, which is never negative here.
fn length(text: &[u8]) -> Result<usize, ReplyError> {
    parse_i64(text).and_then(|len| usize::try_from(len).ok()).ok_or(ReplyError::InvalidLength)
}

fn bulk_value(kind: BulkKind, bytes: Bytes) -> Result<Value, ReplyError> {
    match kind {
        BulkKind::String => Ok(Value::Bulk(bytes)),
        BulkKind::Error => Ok(Value::Error(lossy(&bytes))),
        BulkKind::Verbatim => match bytes[..] {
            [a, b, c, b':', ..] => Ok(Value::Verbatim { format: [a, b, c], text: bytes.slice(4..) }),
            _ => Err(ReplyError::InvalidVerbatim),
        },
    }
}

/// A reply that is one line.
fn scalar(sigil: u8, text: &[u8]) -> Result<Value, ReplyError> {
    match sigil {
        b'+' => Ok(Value::Simple(lossy(text))),
        b'-' => Ok(Value::Error(lossy(text))),
        b':' => {
            let digits = text.strip_prefix(b"+").unwrap_or(text);
            parse_i64(digits).map(Value::Int).ok_or(ReplyError::InvalidNumber)
        }
        b'_' if text.is_empty() => Ok(Value::Null),
        b',' => {
            let text = std::str::from_utf8(text).map_err(|_| ReplyError::InvalidNumber)?;
            text.parse().map(Value::Double).map_err(|_| ReplyError::InvalidNumber)
        }
        b'#' if text == b"t" => Ok(Value::Boolean(true)),
        b'#' if text == b"f" => Ok(Value::Boolean(false)),
        b'(' => {
            let digits = text.strip_prefix(b"-").unwrap_or(text);
            let valid = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
            if valid { Ok(Value::BigNumber(lossy(text))) } else { Err(ReplyError::InvalidNumber) }
        }
        b'_' | b'#' => Err(ReplyError::InvalidNumber),
        other => Err(ReplyError::UnknownType(other)),
    }
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests;
