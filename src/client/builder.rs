//! What a client is to do, before it connects.

use std::time::Duration;

use super::address::Address;
use super::connection::Connection;
use super::error::Error;
use super::handle::Client;
use crate::resp::{Protocol, ReplyLimits};

/// How often and how fast a lost connection is made anew, each time that a call needs one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reconnect {
    /// Attempts, the first included; at least one is made.
    pub attempts_max: u32,
    /// Pause after the first attempt; it doubles with each further one.
    pub pause_first: Duration,
    /// Longest pause.
    pub pause_max: Duration,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self { attempts_max: 6, pause_first: Duration::from_millis(50), pause_max: Duration::from_secs(1) }
    }
}

impl Reconnect {
    /// The pause after attempt `attempt`, from 0; `None` after the last.
    pub(super) fn pause_after(&self, attempt: u32) -> Option<Duration> {
        let more = attempt + 1 < self.attempts_max;
        more.then(|| self.pause_first.saturating_mul(1 << attempt.min(20)).min(self.pause_max))
    }
}

/// The settings of a [`Client`] or [`Connection`].
#[derive(Debug, Clone)]
pub struct Builder {
    pub(super) address: Address,
    pub(super) connect_timeout: Duration,
    pub(super) request_timeout: Option<Duration>,
    pub(super) reconnect: Reconnect,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) db: u32,
    pub(super) protocol: Protocol,
    pub(super) limits: ReplyLimits,
}

impl Builder {
    /// The defaults: database 0, RESP2, no password, 5 s to connect and 30 s for a request.
    pub fn new(address: Address) -> Self {
        Self {
            address,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Some(Duration::from_secs(30)),
            reconnect: Reconnect::default(),
            username: None,
            password: None,
            db: 0,
            protocol: Protocol::Resp2,
            limits: ReplyLimits::default(),
        }
    }

    /// How long one attempt to connect may take, greeting included.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long a call may take from its start to its reply, connecting included; `None` for commands that block.
    pub fn request_timeout(mut self, limit: Option<Duration>) -> Self {
        self.request_timeout = limit;
        self
    }

    /// How a lost connection is made anew.
    pub fn reconnect(mut self, reconnect: Reconnect) -> Self {
        self.reconnect = reconnect;
        self
    }

    /// The user to log in as, where it is not the default one.
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// The password.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// The database.
    pub fn db(mut self, db: u32) -> Self {
        self.db = db;
        self
    }

    /// The database that [`Builder::db`] chose.
    pub fn selected_db(&self) -> u32 {
        self.db
    }

    /// No user, no password, database 0.
    pub fn without_login(mut self) -> Self {
        (self.username, self.password, self.db) = (None, None, 0);
        self
    }

    /// The dialect, which decides the types of some replies.
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// How large replies may be.
    pub fn reply_limits(mut self, limits: ReplyLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Connects, and returns a handle that can be shared.
    ///
    /// # Errors
    /// [`Error::Connect`], [`Error::ConnectTimeout`], or [`Error::Server`] if the server refuses the log-in or the database.
    pub async fn connect(self) -> Result<Client, Error> {
        Client::start(self).await
    }

    /// Connects, and returns the bare connection.
    ///
    /// # Errors
    /// As [`Builder::connect`].
    pub async fn open_connection(&self) -> Result<Connection, Error> {
        Connection::open(self).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_bound_and_end() {
        let reconnect = Reconnect { attempts_max: 5, ..Reconnect::default() };
        let pauses: Vec<_> =
            (0..5).map(|attempt| reconnect.pause_after(attempt).map(|p| p.as_millis())).collect();
        assert_eq!(pauses, [Some(50), Some(100), Some(200), Some(400), None]);
        let endless = Reconnect { attempts_max: u32::MAX, ..Reconnect::default() };
        assert_eq!(endless.pause_after(1_000_000), Some(Duration::from_secs(1)));
    }
}
