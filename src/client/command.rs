//! One request being put together, and the commands that have a typed form.

use std::time::Duration;

use super::error::Error;
use super::from_value::FromValue;
use super::set::SetOptions;
use crate::resp::Value;
use crate::resp::request::RequestBuf;

/// Commands that tie themselves to one connection: what they change, or the replies that they bring, would hit
/// every other caller that shares it.
const OF_ONE_CONNECTION: [&str; 16] = [
    "AUTH",
    "HELLO",
    "SELECT",
    "WATCH",
    "UNWATCH",
    "RESET",
    "QUIT",
    "MONITOR",
    "SYNC",
    "PSYNC",
    "SUBSCRIBE",
    "PSUBSCRIBE",
    "SSUBSCRIBE",
    "UNSUBSCRIBE",
    "PUNSUBSCRIBE",
    "SUNSUBSCRIBE",
];

/// Commands that do so too, except inside one pipeline.
const OF_ONE_PIPELINE: [&str; 3] = ["MULTI", "EXEC", "DISCARD"];

/// A command and its arguments.
#[derive(Debug, Clone)]
pub struct Command {
    name: Vec<u8>,
    request: RequestBuf,
}

impl Command {
    /// A command without arguments yet.
    pub fn new(name: impl AsRef<[u8]>) -> Self {
        let name = name.as_ref().to_vec();
        let mut request = RequestBuf::new();
        request.arg(&name);
        Self { name, request }
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<[u8]>) -> Self {
        self.request.arg(arg.as_ref());
        self
    }

    /// Adds several arguments.
    pub fn args<A: AsRef<[u8]>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        for arg in args {
            self.request.arg(arg.as_ref());
        }
        self
    }

    /// Adds a number.
    pub fn number(self, number: i64) -> Self {
        self.arg(itoa::Buffer::new().format(number))
    }

    /// A whole request at once.
    pub(super) fn from_args<A: AsRef<[u8]>>(args: &[A]) -> Result<Self, Error> {
        let (name, rest) = args.split_first().ok_or(Error::EmptyCommand)?;
        Ok(Self::new(name).args(rest))
    }

    /// Appends the request's bytes.
    pub(super) fn write_to(&self, out: &mut Vec<u8>) {
        self.request.write_to(out);
    }

    /// Whether callers that share a connection may send this.
    pub(super) fn check_shareable(&self, in_pipeline: bool) -> Result<(), Error> {
        let is = |name: &&str| self.name.eq_ignore_ascii_case(name.as_bytes());
        let client_reply = self.name.eq_ignore_ascii_case(b"CLIENT") && self.request.second_is(b"REPLY");
        let refused = client_reply
            || OF_ONE_CONNECTION.iter().any(is)
            || !in_pipeline && OF_ONE_PIPELINE.iter().any(is);
        if refused {
            return Err(Error::NeedsConnection { command: String::from_utf8_lossy(&self.name).into_owned() });
        }
        Ok(())
    }
}

/// How long a key lives, as [`Client::ttl`](super::Client::ttl) tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ttl {
    /// There is no such key.
    Missing,
    /// It does not expire.
    Forever,
    /// It expires after this time, exact to the millisecond.
    Left(Duration),
}

impl FromValue for Ttl {
    fn from_value(value: Value) -> Result<Self, Error> {
        match i64::from_value(value)? {
            -2 => Ok(Self::Missing),
            -1 => Ok(Self::Forever),
            millis => u64::try_from(millis)
                .map(|millis| Self::Left(Duration::from_millis(millis)))
                .map_err(|_| Error::UnexpectedValue { expected: "a time to live" }),
        }
    }
}

pub(super) fn set(key: impl AsRef<[u8]>, value: impl AsRef<[u8]>, options: &SetOptions) -> Command {
    options.add_to(Command::new("SET").arg(key).arg(value))
}

pub(super) fn get(key: impl AsRef<[u8]>) -> Command {
    Command::new("GET").arg(key)
}

pub(super) fn del<K: AsRef<[u8]>>(keys: &[K]) -> Command {
    Command::new("DEL").args(keys)
}

pub(super) fn exists<K: AsRef<[u8]>>(keys: &[K]) -> Command {
    Command::new("EXISTS").args(keys)
}

pub(super) fn incr(key: impl AsRef<[u8]>) -> Command {
    Command::new("INCR").arg(key)
}

pub(super) fn decr(key: impl AsRef<[u8]>) -> Command {
    Command::new("DECR").arg(key)
}

pub(super) fn expire(key: impl AsRef<[u8]>, time: Duration) -> Command {
    if time.subsec_nanos() == 0 {
        Command::new("EXPIRE").arg(key).number(time.as_secs() as i64)
    } else {
        Command::new("PEXPIRE").arg(key).number(time.as_millis() as i64)
    }
}

pub(super) fn ttl(key: impl AsRef<[u8]>) -> Command {
    Command::new("PTTL").arg(key)
}
