//! Many commands in one write, and their replies.

use std::time::Duration;

use super::command::{self, Command};
use super::error::Error;
use super::from_value::{FromValue, convert};
use super::set::SetOptions;
use crate::resp::Value;

/// Commands to be sent in one piece. They are executed in order, with nothing of this client in between; for
/// atomicity put them between `MULTI` and `EXEC`.
#[derive(Debug, Clone, Default)]
pub struct Pipeline {
    pub(super) bytes: Vec<u8>,
    pub(super) len: usize,
    /// The first reason why this cannot be sent.
    pub(super) refused: Option<Error>,
}

impl Pipeline {
    /// A pipeline without commands.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of commands.
    pub fn len(&self) -> usize {
        self.len
    }

    /// There is no command yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds any command.
    pub fn push(mut self, command: &Command) -> Self {
        if let Err(error) = command.check_shareable(true) {
            self.refused.get_or_insert(error);
        }
        command.write_to(&mut self.bytes);
        self.len += 1;
        self
    }

    /// Adds any command, given as its words.
    pub fn command<A: AsRef<[u8]>>(mut self, args: &[A]) -> Self {
        match Command::from_args(args) {
            Ok(command) => self.push(&command),
            Err(error) => {
                self.refused.get_or_insert(error);
                self
            }
        }
    }

    /// Adds a SET.
    pub fn set(self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.push(&command::set(key, value, &SetOptions::new()))
    }

    /// Adds a SET with options.
    pub fn set_with(self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>, options: &SetOptions) -> Self {
        self.push(&command::set(key, value, options))
    }

    /// Adds a GET.
    pub fn get(self, key: impl AsRef<[u8]>) -> Self {
        self.push(&command::get(key))
    }

    /// Adds a DEL.
    pub fn del<K: AsRef<[u8]>>(self, keys: &[K]) -> Self {
        self.push(&command::del(keys))
    }

    /// Adds an EXISTS.
    pub fn exists<K: AsRef<[u8]>>(self, keys: &[K]) -> Self {
        self.push(&command::exists(keys))
    }

    /// Adds an INCR.
    pub fn incr(self, key: impl AsRef<[u8]>) -> Self {
        self.push(&command::incr(key))
    }

    /// Adds a DECR.
    pub fn decr(self, key: impl AsRef<[u8]>) -> Self {
        self.push(&command::decr(key))
    }

    /// Adds an EXPIRE.
    pub fn expire(self, key: impl AsRef<[u8]>, time: Duration) -> Self {
        self.push(&command::expire(key, time))
    }

    /// Adds a question for a [`Ttl`](super::Ttl).
    pub fn ttl(self, key: impl AsRef<[u8]>) -> Self {
        self.push(&command::ttl(key))
    }
}

/// The replies to a [`Pipeline`], in the order of its commands. An error reply concerns only its own command: it
/// comes out where that reply is taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Replies {
    values: Vec<Value>,
    next: usize,
}

impl Replies {
    pub(super) fn new(values: Vec<Value>) -> Self {
        Self { values, next: 0 }
    }

    /// Number of replies, those already taken included.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// The pipeline was empty.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Takes the next reply.
    ///
    /// # Errors
    /// [`Error::Server`] if it is an error, [`Error::UnexpectedType`] or [`Error::UnexpectedValue`] if it does not fit,
    /// [`Error::NoSuchReply`] if there is none left.
    #[expect(
        clippy::should_implement_trait,
        reason = "each reply has a type of its own, so this is no iterator"
    )]
    pub fn next<T: FromValue>(&mut self) -> Result<T, Error> {
        let index = self.next;
        let value = self.values.get_mut(index).ok_or(Error::NoSuchReply { index })?;
        self.next += 1;
        convert(std::mem::replace(value, Value::Null))
    }

    /// The replies that were not taken, as they are.
    pub fn into_values(mut self) -> Vec<Value> {
        self.values.split_off(self.next.min(self.values.len()))
    }
}
