//! The connection to a primary of this kind: requests and their lines, then frames. Blocking, but for no longer than
//! something is due to be said.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::command::context::Context;
use crate::command::stats::Counter;
use crate::lsn::Lsn;
use crate::replication::broken::LinkError;
use crate::replication::frame::{self, Frame};
use crate::replication::greeting::NoLine;
use crate::replication::tail::TailError;

/// How often the primary hears of this replica, at least.
const SAY_EVERY: Duration = Duration::from_secs(1);
/// Bytes that are read at once.
const READ_BYTES: usize = 512 << 10;
/// The longest line of the greeting.
const LINE_BYTES_MAX: usize = 64 << 10;

/// One connection to the primary.
#[derive(Debug)]
pub(super) struct Wire {
    context: Arc<Context>,
    stream: TcpStream,
    /// Room for what comes; what has come and was not taken is at its front.
    input: Vec<u8>,
    filled: usize,
    silence: Duration,
    heard: Instant,
    said: Instant,
}

impl Wire {
    /// A connection that is given up when nothing comes for `silence`.
    pub(super) fn new(context: Arc<Context>, stream: TcpStream, silence: Duration) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SAY_EVERY.min(silence)))?;
        stream.set_write_timeout(Some(silence))?;
        let now = Instant::now();
        Ok(Self { context, stream, input: Vec::new(), filled: 0, silence, heard: now, said: now })
    }

    /// Waits for more, but not for long, so that something can be said meanwhile.
    pub(super) fn read(&mut self) -> Result<(), LinkError> {
        if self.input.len() - self.filled < READ_BYTES {
            self.input.resize(self.filled + READ_BYTES, 0);
        }
        match self.stream.read(&mut self.input[self.filled..]) {
            Ok(0) => Err(LinkError::Closed),
            Ok(bytes) => {
                self.filled += bytes;
                self.context.stats.local().add(Counter::ReplicationInputBytes, bytes as u64);
                self.heard = Instant::now();
                Ok(())
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
                ) =>
            {
                if self.heard.elapsed() > self.silence {
                    Err(LinkError::Silent(self.silence))
                } else {
                    Ok(())
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Passes over what was taken.
    fn take(&mut self, bytes: usize) {
        self.input.copy_within(bytes..self.filled, 0);
        self.filled -= bytes;
    }

    /// Sends a command, and gives the line that answers it.
    pub(super) fn ask(&mut self, words: &[&[u8]]) -> Result<String, TailError> {
        let mut request = Vec::new();
        crate::resp::request::write_request(&mut request, words);
        self.send(&request)?;
        loop {
            let come = &self.input[..self.filled];
            if let Some(end) = come.windows(2).position(|pair| pair == b"\r\n") {
                let line = String::from_utf8_lossy(&come[..end]).into_owned();
                self.take(end + 2);
                return Ok(line);
            }
            if self.filled > LINE_BYTES_MAX {
                return Err(NoLine("a line that does not end".to_owned()).into());
            }
            self.read()?;
        }
    }

    /// Hands over the frames that have come whole, until `take` gives something; tells also whether there were any.
    pub(super) fn frames<T>(
        &mut self,
        mut take: impl FnMut(Frame<'_>) -> Result<Option<T>, TailError>,
    ) -> Result<(Option<T>, bool), TailError> {
        let (mut taken, mut given) = (0, None);
        while given.is_none()
            && let Some((frame, len)) = frame::decode(&self.input[taken..self.filled])?
        {
            taken += len;
            given = take(frame)?;
        }
        self.take(taken);
        Ok((given, taken > 0))
    }

    /// Whether the primary is to hear of this replica again.
    pub(super) fn has_been_quiet(&self) -> bool {
        self.said.elapsed() >= SAY_EVERY
    }

    /// Tells the primary how far this replica is.
    pub(super) fn tell(&mut self, (applied, durable): (Lsn, Lsn)) -> Result<(), LinkError> {
        let mut out = Vec::with_capacity(32);
        Frame::Applied { applied, durable }.encode(&mut out);
        self.said = Instant::now();
        self.send(&out)
    }

    /// Sends bytes.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        self.stream.write_all(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => LinkError::Silent(self.silence),
            _ => error.into(),
        })?;
        self.context.stats.local().add(Counter::NetOutputBytes, bytes.len() as u64);
        Ok(())
    }

    /// Another handle of the connection, to cut it with.
    pub(super) fn handle(&self) -> io::Result<TcpStream> {
        self.stream.try_clone()
    }
}
