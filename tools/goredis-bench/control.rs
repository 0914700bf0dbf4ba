//! One plain connection to a server, for everything that is not load: asking, saving, scanning.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use goredis::resp::request::write_request;
use goredis::resp::{ReplyParser, Value};

use crate::error::BenchError;
use crate::interrupt;

/// Longest time without a look at whether to stop.
const SLICE: Duration = Duration::from_millis(100);

/// A connection that asks one thing at a time.
#[derive(Debug)]
pub(crate) struct Control {
    server: String,
    stream: TcpStream,
    parser: ReplyParser,
    received: BytesMut,
    request: Vec<u8>,
}

impl Control {
    /// Connects to the server that is called `server` and listens on `port`.
    pub(crate) fn connect(server: &str, port: u16) -> Result<Self, BenchError> {
        let open = || -> std::io::Result<TcpStream> {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(SLICE))?;
            Ok(stream)
        };
        let stream = open().map_err(BenchError::connection(server))?;
        Ok(Self {
            server: server.to_owned(),
            stream,
            parser: ReplyParser::default(),
            received: BytesMut::new(),
            request: Vec::new(),
        })
    }

    /// Sends a request and waits at most `patience` for its reply, whatever it is.
    pub(crate) fn try_ask(&mut self, request: &[&str], patience: Duration) -> Result<Value, BenchError> {
        self.request.clear();
        write_request(&mut self.request, request);
        self.stream.write_all(&self.request).map_err(BenchError::connection(&self.server))?;
        let asked = Instant::now();
        let mut chunk = [0; 16 << 10];
        loop {
            let parsed = self.parser.parse(&mut self.received);
            let parsed =
                parsed.map_err(|source| BenchError::Protocol { server: self.server.clone(), source })?;
            if let Some(reply) = parsed {
                return Ok(reply);
            }
            interrupt::check()?;
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(BenchError::connection(&self.server)(ErrorKind::UnexpectedEof.into())),
                Ok(length) => self.received.extend_from_slice(&chunk[..length]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if asked.elapsed() > patience {
                        return Err(BenchError::TooLong { what: "a reply", seconds: patience.as_secs() });
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(BenchError::connection(&self.server)(error)),
            }
        }
    }

    /// Sends a request and waits for its reply; an error is one here, too.
    pub(crate) fn ask(&mut self, request: &[&str]) -> Result<Value, BenchError> {
        match self.try_ask(request, Duration::from_secs(600))? {
            Value::Error(message) => Err(BenchError::ErrorReply { server: self.server.clone(), message }),
            reply => Ok(reply),
        }
    }

    /// How many keys there are.
    pub(crate) fn key_count(&mut self) -> Result<u64, BenchError> {
        match self.ask(&["DBSIZE"])? {
            Value::Int(count) => Ok(count as u64),
            other => Err(self.wrong("DBSIZE", &other, "a number")),
        }
    }

    /// One field of a section of INFO; empty, if there is none.
    pub(crate) fn info(&mut self, section: &str, field: &str) -> Result<String, BenchError> {
        let reply = self.ask(&["INFO", section])?;
        let text = String::from_utf8_lossy(reply.as_bytes().unwrap_or_default());
        let mut fields = text.lines().filter_map(|line| line.split_once(':'));
        let value = fields.find(|(name, _)| *name == field).map(|(_, value)| value.trim().to_owned());
        Ok(value.unwrap_or_default())
    }

    /// An error about a reply that cannot be right.
    pub(crate) fn wrong(&self, asked: &str, got: &Value, expected: &str) -> BenchError {
        BenchError::WrongReply {
            server: self.server.clone(),
            asked: asked.to_owned(),
            got: format!("{got:?}"),
            expected: expected.to_owned(),
        }
    }
}
