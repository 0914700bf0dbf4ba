//! The connection to a primary: what has come and was not taken, and waiting for more.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::FollowError;
use crate::command::context::Context;
use crate::command::stats::Counter;
use crate::replication::broken::LinkError;

/// How much is read at once.
const READ_BYTES: usize = 256 << 10;
/// Longest line of the handshake.
const LINE_BYTES_MAX: usize = 64 << 10;
/// What of unexpected bytes an error shows.
const SHOWN_BYTES_MAX: usize = 80;

/// The connection to a primary.
#[derive(Debug)]
pub(super) struct Link {
    context: Arc<Context>,
    stream: TcpStream,
    unread: BytesMut,
    silence_max: Duration,
    heard_at: Instant,
    stop: watch::Receiver<bool>,
}

/// What waiting ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Bytes came.
    Bytes,
    /// The time was over.
    Nothing,
}

impl Link {
    /// A connection on which nothing was read.
    pub(super) fn new(
        context: Arc<Context>,
        stream: TcpStream,
        silence_max: Duration,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let (unread, heard_at) = (BytesMut::with_capacity(READ_BYTES), Instant::now());
        Self { context, stream, unread, silence_max, heard_at, stop }
    }

    /// Whether the link is to end. Whoever was to say so and is gone counts as having done it.
    pub(super) fn is_stopped(&self) -> bool {
        *self.stop.borrow() || self.stop.has_changed().is_err()
    }

    /// What has come and was not taken.
    pub(super) fn unread(&self) -> &[u8] {
        &self.unread
    }

    /// Passes over bytes that were taken.
    pub(super) fn take(&mut self, bytes: usize) {
        self.unread.advance(bytes);
    }

    /// Waits for more bytes, until `until` at the latest. The link's end, if it is told, comes as `Closed`.
    ///
    /// # Errors
    /// The connection failed, was closed or silent for too long, or the link is to end.
    pub(super) async fn more(&mut self, until: Instant) -> Result<Heard, LinkError> {
        if self.is_stopped() {
            return Err(LinkError::Closed);
        }
        // Why so much: it doubles where an item is large, and never by more than has come.
        self.unread.reserve(READ_BYTES.max(self.unread.len()));
        let silent_at = self.heard_at + self.silence_max;
        tokio::select! {
            read = self.stream.read_buf(&mut self.unread) => {
                let read = read?;
                if read == 0 {
                    return Err(LinkError::Closed);
                }
                self.context.stats.local().add(Counter::ReplicationInputBytes, read as u64);
                self.heard_at = Instant::now();
                Ok(Heard::Bytes)
            }
            _ = self.stop.wait_for(|stop| *stop) => Err(LinkError::Closed),
            () = tokio::time::sleep_until(silent_at.min(until)) => {
                if Instant::now() >= silent_at { Err(LinkError::Silent(self.silence_max)) } else { Ok(Heard::Nothing) }
            }
        }
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// The connection failed, or takes nothing for too long.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        match timeout(self.silence_max, self.stream.write_all(bytes)).await {
            Ok(sent) => {
                sent?;
                self.context.stats.local().add(Counter::NetOutputBytes, bytes.len() as u64);
                Ok(())
            }
            Err(_) => Err(LinkError::Silent(self.silence_max)),
        }
    }

    /// Takes the next line that is not empty, without its end; primaries send empty ones to be heard of.
    ///
    /// # Errors
    /// As [`Link::more`]; a line that is too long.
    pub(super) async fn line(&mut self, place: &'static str) -> Result<String, FollowError> {
        loop {
            let empty = self.unread.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            self.unread.advance(empty);
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line = self.unread.split_to(end + 1);
                return Ok(String::from_utf8_lossy(line.trim_ascii_end()).into_owned());
            }
            if self.unread.len() > LINE_BYTES_MAX {
                return Err(self.unexpected(place));
            }
            self.more(Instant::now() + self.silence_max).await?;
        }
    }

    /// The error that what is unread is.
    pub(super) fn unexpected(&self, place: &'static str) -> FollowError {
        unexpected(place, &self.unread)
    }
}

/// The error that some bytes are.
pub(super) fn unexpected(place: &'static str, bytes: &[u8]) -> FollowError {
    let bytes = bytes[..bytes.len().min(SHOWN_BYTES_MAX)].escape_ascii().to_string();
    FollowError::Unexpected { place, bytes }
}
