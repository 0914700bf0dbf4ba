//! One connection, used by one caller: write a request, read its reply.
//!
//! It neither reconnects nor shares, so whatever a command changes about the connection (database, user, transaction,
//! subscription) is the caller's own business. The CLI works on it; [`super::Client`]'s task makes its connections
//! here too, so both greet a server in the same way.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use super::address::Address;
use super::builder::Builder;
use super::command::Command;
use super::error::{Error, Executed};
use super::from_value::{FromValue, convert};
use crate::resp::{Protocol, ReplyParser, Value};

/// Room made for each read.
const READ_BYTES: usize = 16 * 1024;

/// How long a look at an idle connection takes.
const LOOK: Duration = Duration::from_millis(1);

/// Any socket.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// See the [module](self).
pub struct Connection {
    stream: Box<dyn Stream>,
    address: Address,
    request_timeout: Option<Duration>,
    /// What is left of the last read.
    input: BytesMut,
    parser: ReplyParser,
    output: Vec<u8>,
    /// Invariant: set as soon as it is uncertain which request the next reply would belong to.
    broken: bool,
}

impl Connection {
    /// Connects and greets: protocol, log-in, database.
    ///
    /// # Errors
    /// [`Error::Connect`], [`Error::ConnectTimeout`], or [`Error::Server`] if the server refuses.
    pub async fn open(settings: &Builder) -> Result<Self, Error> {
        let limit = settings.connect_timeout;
        tokio::time::timeout(limit, Self::open_unbounded(settings))
            .await
            .unwrap_or_else(|_| Err(Error::ConnectTimeout { address: settings.address.clone(), limit }))
    }

    async fn open_unbounded(settings: &Builder) -> Result<Self, Error> {
        let address = settings.address.clone();
        let stream = dial(&address)
            .await
            .map_err(|error| Error::Connect { address: address.clone(), source: Arc::new(error) })?;
        let mut connection = Self {
            stream,
            address: address.clone(),
            request_timeout: settings.request_timeout,
            input: BytesMut::new(),
            parser: ReplyParser::with_limits(settings.limits),
            output: Vec::new(),
            broken: false,
        };
        connection.greet(settings).await.map_err(|error| match error {
            // Why: to the caller, a server that hangs up on the greeting was not connected to.
            Error::ConnectionLost { source, .. } => Error::Connect { address, source },
            other => other,
        })?;
        Ok(connection)
    }

    async fn greet(&mut self, settings: &Builder) -> Result<(), Error> {
        let username = settings.username.as_deref();
        if settings.protocol == Protocol::Resp3 {
            let hello = Command::new("HELLO").arg("3");
            let hello = match &settings.password {
                Some(password) => hello.arg("AUTH").arg(username.unwrap_or("default")).arg(password),
                None => hello,
            };
            convert::<Value>(self.exchange(&hello).await?)?;
        } else if let Some(password) = &settings.password {
            let auth = Command::new("AUTH").args(username).arg(password);
            convert::<()>(self.exchange(&auth).await?)?;
        }
        if settings.db != 0 {
            convert::<()>(self.exchange(&Command::new("SELECT").number(i64::from(settings.db))).await?)?;
        }
        Ok(())
    }

    /// Where this connection leads.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Sends a command and converts its reply.
    ///
    /// # Errors
    /// [`Error::Server`] for an error reply; [`Error::UnexpectedType`] and [`Error::UnexpectedValue`] if it does not fit; after any
    /// other the connection is closed.
    pub async fn query<T: FromValue>(&mut self, command: &Command) -> Result<T, Error> {
        convert(self.round_trip(command).await?)
    }

    /// Sends any command and returns its reply as it is, be it an error. Push messages before it are passed over.
    ///
    /// # Errors
    /// [`Error::EmptyCommand`], [`Error::Timeout`], [`Error::ConnectionLost`], [`Error::Protocol`], [`Error::Closed`]; after all but the first
    /// the connection is closed.
    pub async fn command<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Result<Value, Error> {
        self.round_trip(&Command::from_args(args)?).await
    }

    /// Sends a command without waiting for a reply: for those that make the server talk by itself.
    ///
    /// # Errors
    /// As [`Connection::command`].
    pub async fn send<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Result<(), Error> {
        let command = Command::from_args(args)?;
        if self.broken {
            return Err(Error::Closed);
        }
        self.output.clear();
        command.write_to(&mut self.output);
        self.broken = true;
        self.stream.write_all(&self.output).await.map_err(|error| self.lost(error))?;
        self.broken = false;
        Ok(())
    }

    /// Waits for whatever the server sends next, be it a push message. Dropping the call loses nothing.
    ///
    /// # Errors
    /// [`Error::ConnectionLost`], [`Error::Protocol`], [`Error::Closed`]; the connection is closed.
    pub async fn message(&mut self) -> Result<Value, Error> {
        if self.broken {
            return Err(Error::Closed);
        }
        loop {
            match self.next_value() {
                Ok(Some(value)) => return Ok(value),
                Ok(None) => self.fill().await.inspect_err(|_| self.broken = true)?,
                Err(error) => {
                    self.broken = true;
                    return Err(error);
                }
            }
        }
    }

    /// Whether the server has not hung up, as far as a moment's look can tell.
    pub async fn is_open(&mut self) -> bool {
        if !self.broken && self.input.is_empty() {
            let look = tokio::time::timeout(LOOK, self.fill()).await;
            self.broken = matches!(look, Ok(Err(_)));
        }
        !self.broken
    }

    async fn round_trip(&mut self, command: &Command) -> Result<Value, Error> {
        if self.broken {
            return Err(Error::Closed);
        }
        // Why: set first, so that a call that is dropped half-way leaves the connection unusable, not misaligned.
        self.broken = true;
        let reply = match self.request_timeout {
            None => self.exchange(command).await,
            Some(limit) => tokio::time::timeout(limit, self.exchange(command))
                .await
                .unwrap_or(Err(Error::Timeout { limit, executed: Executed::Maybe })),
        }?;
        self.broken = false;
        Ok(reply)
    }

    async fn exchange(&mut self, command: &Command) -> Result<Value, Error> {
        self.output.clear();
        command.write_to(&mut self.output);
        let sent = self.stream.write_all(&self.output).await;
        // Why: a server may answer (and say why) before it hangs up on what it does not want to read.
        let reply = self.receive().await;
        match (sent, reply) {
            (Err(error), Err(_)) => Err(self.lost(error)),
            (_, reply) => reply,
        }
    }

    /// Waits for the next reply that is no push message.
    async fn receive(&mut self) -> Result<Value, Error> {
        loop {
            match self.next_value()? {
                Some(Value::Push(_)) => {}
                Some(value) => return Ok(value),
                None => self.fill().await?,
            }
        }
    }

    /// What can be read without waiting.
    fn next_value(&mut self) -> Result<Option<Value>, Error> {
        let parsed = self.parser.parse(&mut self.input);
        parsed.map_err(|source| Error::Protocol { address: self.address.clone(), source })
    }

    async fn fill(&mut self) -> Result<(), Error> {
        self.input.reserve(READ_BYTES);
        match self.stream.read_buf(&mut self.input).await {
            Ok(0) => Err(self.lost(closed_by_server())),
            Ok(_) => Ok(()),
            Err(error) => Err(self.lost(error)),
        }
    }

    fn lost(&self, error: io::Error) -> Error {
        Error::ConnectionLost {
            address: self.address.clone(),
            source: Arc::new(error),
            executed: Executed::Maybe,
        }
    }

    /// The socket and the parser, for a task that pipelines.
    pub(super) fn into_parts(self) -> (Box<dyn Stream>, BytesMut, ReplyParser) {
        (self.stream, self.input, self.parser)
    }
}

/// What reading zero bytes means.
pub(super) fn closed_by_server() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed it")
}

async fn dial(address: &Address) -> io::Result<Box<dyn Stream>> {
    Ok(match address {
        Address::Tcp { host, port } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            Box::new(stream)
        }
        Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
    })
}
