//! The shared client: what callers hold. The work is done by the [`driver`](super::driver)'s task.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::builder::Builder;
use super::command::{self, Command, Ttl};
use super::connection::Connection;
use super::driver::{Call, Claim, Driver};
use super::error::{Error, Executed};
use super::from_value::FromValue;
use super::info::Info;
use super::pipeline::{Pipeline, Replies};
use super::set::SetOptions;
use crate::resp::Value;

/// Calls that may wait for the task before callers have to.
const CALLS_QUEUED_MAX: usize = 1024;

/// A handle on one shared, self-renewing connection. Cloning it is cheap; when the last clone is dropped, what is
/// under way is finished and the connection closed.
#[derive(Debug, Clone)]
pub struct Client {
    calls: mpsc::Sender<Call>,
    request_timeout: Option<Duration>,
}

impl Client {
    /// Connects to `address` (`127.0.0.1:7000`, `[::1]:7000`, `/run/goredis.sock`) with default settings.
    ///
    /// # Errors
    /// [`Error::Address`], [`Error::Connect`], [`Error::ConnectTimeout`], [`Error::Server`].
    pub async fn connect(address: &str) -> Result<Self, Error> {
        Self::builder(address)?.connect().await
    }

    /// Settings to change before connecting.
    ///
    /// # Errors
    /// [`Error::Address`] if `address` is none.
    pub fn builder(address: &str) -> Result<Builder, Error> {
        Ok(Builder::new(address.parse()?))
    }

    pub(super) async fn start(settings: Builder) -> Result<Self, Error> {
        let connection = Connection::open(&settings).await?;
        let (calls, queue) = mpsc::channel(CALLS_QUEUED_MAX);
        let request_timeout = settings.request_timeout;
        tokio::spawn(Driver::new(settings, queue).run(connection));
        Ok(Self { calls, request_timeout })
    }

    /// Stores a value.
    ///
    /// # Errors
    /// See [`Client::query`].
    pub async fn set(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<(), Error> {
        self.query(&command::set(key, value, &SetOptions::new())).await
    }

    /// Stores a value if the options' condition holds; returns whether it did.
    ///
    /// # Errors
    /// See [`Client::query`].
    pub async fn set_with(
        &self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        options: SetOptions,
    ) -> Result<bool, Error> {
        self.query(&command::set(key, value, &options)).await
    }

    /// The value of a key, as any type that a string can become; `None` if there is no such key.
    ///
    /// # Errors
    /// See [`Client::query`].
    pub async fn get<T: FromValue>(&self, key: impl AsRef<[u8]>) -> Result<Option<T>, Error> {
        self.query(&command::get(key)).await
    }

    /// Deletes keys; returns how many there were.
    ///
    /// # Errors
    /// See [`Client::query`].
    pub async fn del<K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<u64, Error> {
        self.query(&command::del(keys)).await
    }

    /// How many of the keys exist; one that is named twice counts twice.
    ///
    /// # Errors
    /// See [`Client::query`].
    pub async fn exists<K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<u64, Error> {
        self.query(&command::exists(keys)).await
    }

    /// Adds one to an integer, which is 0 if absent; returns the result.
    ///
    /// # Errors
    /// See [`Client::query`].
    pub async fn incr(&self, key: impl AsRef<[u8]>) -> Result<i64, Error> {
        self.query(&command::incr(key)).await
    }

    /// Takes one from an integer, which is 0 if absent; returns the result.
    ///
    /// # Errors
    /// See [`Client::query`].
    pub async fn decr(&self, key: impl AsRef<[u8]>) -> Result<i64, Error> {
        self.query(&command::decr(key)).await
    }

    /// Lets a key expire after `time`, exact to the millisecond; returns whether there is such a key.
    ///
    /// # Errors
    /// See [`Client::query`].
    pub async fn expire(&self, key: impl AsRef<[u8]>, time: Duration) -> Result<bool, Error> {
        self.query(&command::expire(key, time)).await
    }

    /// How long a key lives, exact to the millisecond.
    ///
    /// # Errors
    /// See [`Client::query`].
    pub async fn ttl(&self, key: impl AsRef<[u8]>) -> Result<Ttl, Error> {
        self.query(&command::ttl(key)).await
    }

    /// Asks the server for a sign of life.
    ///
    /// # Errors
    /// See [`Client::query`].
    pub async fn ping(&self) -> Result<(), Error> {
        self.query(&Command::new("PING")).await
    }

    /// The server's state: the sections named, or the default ones.
    ///
    /// # Errors
    /// See [`Client::query`].
    pub async fn info(&self, sections: &[&str]) -> Result<Info, Error> {
        self.query(&Command::new("INFO").args(sections)).await
    }

    /// Sends any command and returns its reply as it is.
    ///
    /// # Errors
    /// See [`Client::query`].
    pub async fn command<A: AsRef<[u8]>>(&self, args: &[A]) -> Result<Value, Error> {
        self.query(&Command::from_args(args)?).await
    }

    /// Sends any command and converts its reply.
    ///
    /// # Errors
    /// [`Error::Server`] for an error reply. [`Error::UnexpectedType`] or [`Error::UnexpectedValue`] if the reply does not fit.
    /// [`Error::NeedsConnection`] for a command that must not be sent over a shared connection. For what can happen on
    /// the way see the [module](super).
    pub async fn query<T: FromValue>(&self, command: &Command) -> Result<T, Error> {
        command.check_shareable(false)?;
        let mut request = Vec::new();
        command.write_to(&mut request);
        let mut replies = Replies::new(self.call(request, 1).await?);
        replies.next()
    }

    /// Sends all commands of a pipeline in one piece and returns all replies.
    ///
    /// # Errors
    /// As [`Client::query`], but error replies come out of [`Replies`]. If the connection is lost, some of the commands may have
    /// been executed and others not.
    pub async fn run(&self, pipeline: Pipeline) -> Result<Replies, Error> {
        if let Some(error) = pipeline.refused {
            return Err(error);
        }
        if pipeline.len == 0 {
            return Ok(Replies::new(Vec::new()));
        }
        self.call(pipeline.bytes, pipeline.len).await.map(Replies::new)
    }

    async fn call(&self, request: Vec<u8>, replies: usize) -> Result<Vec<Value>, Error> {
        let (answer, answered) = oneshot::channel();
        let claim = Claim::default();
        let call = Call { request, replies, answer, claim: claim.clone() };
        let exchange = async {
            self.calls.send(call).await.map_err(|_| Error::Closed)?;
            answered.await.map_err(|_| Error::Closed)?
        };
        let Some(limit) = self.request_timeout else {
            return exchange.await;
        };
        tokio::time::timeout(limit, exchange).await.unwrap_or_else(|_| {
            // Order: whoever claims the call first decides; once claimed here, the task will not send it.
            let executed = if claim.take() { Executed::No } else { Executed::Maybe };
            Err(Error::Timeout { limit, executed })
        })
    }
}
