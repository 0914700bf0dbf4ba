//! A client's socket, TCP or Unix, as the connection uses it.

use bytes::Buf;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// A client's socket.
#[derive(Debug)]
pub(super) enum Stream {
    /// IPv4 or IPv6.
    Tcp(TcpStream),
    /// Unix.
    Unix(UnixStream),
}

impl Stream {
    /// Appends what the socket has to `bytes`, at most their spare room; 0 is the end.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, bytes: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        // Why: `read_buf` keeps no state between polls, so a new one for each poll loses nothing.
        match self {
            Self::Tcp(socket) => pin!(socket.read_buf(bytes)).poll(cx),
            Self::Unix(socket) => pin!(socket.read_buf(bytes)).poll(cx),
        }
    }

    /// Writes from the front of `replies` and takes off what was written; nothing is lost when it is not polled
    /// again.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        replies: &mut impl Buf,
    ) -> Poll<io::Result<usize>> {
        let whole = replies.chunk();
        // Why: nearly all replies are one run of bytes, for which the vectored call costs the kernel more.
        if whole.len() < replies.remaining() {
            return match self {
                Self::Tcp(socket) => pin!(socket.write_buf(replies)).poll(cx),
                Self::Unix(socket) => pin!(socket.write_buf(replies)).poll(cx),
            };
        }
        let polled = match self {
            Self::Tcp(socket) => Pin::new(socket).poll_write(cx, whole),
            Self::Unix(socket) => Pin::new(socket).poll_write(cx, whole),
        };
        if let Poll::Ready(Ok(count)) = polled {
            replies.advance(count);
        }
        polled
    }

    /// Tells the client that nothing more will come.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Unix(socket) => Pin::new(socket).poll_shutdown(cx),
        }
    }

    /// Sends a last message as far as it goes without waiting.
    pub(super) fn try_send(&self, message: &[u8]) {
        // Why: the connection is refused; a client that cannot take one line at once has lost nothing else.
        let _ = match self {
            Self::Tcp(socket) => socket.try_write(message),
            Self::Unix(socket) => socket.try_write(message),
        };
    }
}
