//! The options of SET.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::command::Command;

/// When a SET takes effect, and how long its value lives. Without options it always does, and for ever.
#[derive(Debug, Clone, Default)]
pub struct SetOptions {
    condition: Option<Condition>,
    expiry: Option<Expiry>,
}

#[derive(Debug, Clone)]
enum Condition {
    Absent,
    Present,
    Equals(Vec<u8>),
}

#[derive(Debug, Clone, Copy)]
enum Expiry {
    In(Duration),
    At(SystemTime),
    Keep,
}

impl SetOptions {
    /// No conditions and no expiry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only if the key does not exist (NX).
    pub fn only_if_absent(mut self) -> Self {
        self.condition = Some(Condition::Absent);
        self
    }

    /// Only if the key exists (XX).
    pub fn only_if_present(mut self) -> Self {
        self.condition = Some(Condition::Present);
        self
    }

    /// Only if the key holds this value (IFEQ).
    pub fn only_if_equal(mut self, value: impl AsRef<[u8]>) -> Self {
        self.condition = Some(Condition::Equals(value.as_ref().to_vec()));
        self
    }

    /// The value expires after this time (EX, or PX where it is no whole number of seconds).
    pub fn expire_in(mut self, time: Duration) -> Self {
        self.expiry = Some(Expiry::In(time));
        self
    }

    /// The value expires at this time (PXAT), exact to the millisecond.
    pub fn expire_at(mut self, time: SystemTime) -> Self {
        self.expiry = Some(Expiry::At(time));
        self
    }

    /// The key keeps the expiry that it has (KEEPTTL).
    pub fn keep_expiry(mut self) -> Self {
        self.expiry = Some(Expiry::Keep);
        self
    }

    /// Appends the options to a SET.
    pub(super) fn add_to(&self, command: Command) -> Command {
        let command = match &self.condition {
            None => command,
            Some(Condition::Absent) => command.arg("NX"),
            Some(Condition::Present) => command.arg("XX"),
            Some(Condition::Equals(value)) => command.arg("IFEQ").arg(value),
        };
        match self.expiry {
            None => command,
            Some(Expiry::Keep) => command.arg("KEEPTTL"),
            Some(Expiry::In(time)) if time.subsec_nanos() == 0 => {
                command.arg("EX").number(time.as_secs() as i64)
            }
            Some(Expiry::In(time)) => command.arg("PX").number(time.as_millis() as i64),
            Some(Expiry::At(time)) => {
                let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
                command.arg("PXAT").number(since.as_millis() as i64)
            }
        }
    }
}
