//! A client's socket, TCP or Unix, as the connection uses it.

use bytes::Buf;
use rustix::buffer::spare_capacity;
use rustix::net::{self, RecvFlags, SendFlags};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, Interest};
use tokio::net::{TcpStream, UnixStream};

/// The half of a socket that is read from.
pub(super) type Reader = Box<dyn AsyncRead + Send + Sync + Unpin>;
/// The half that is written to.
pub(super) type Writer = Box<dyn AsyncWrite + Send + Sync + Unpin>;

/// A client's socket.
#[derive(Debug)]
pub(super) enum Stream {
    /// IPv4 or IPv6.
    Tcp(TcpStream),
    /// Unix.
    Unix(UnixStream),
}

impl Stream {
    /// Appends what the socket has to `bytes`, at most their spare room, of which there must be some; 0 is the end.
    #[inline]
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, bytes: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        let room = bytes.capacity() - bytes.len();
        loop {
            let done = self.attempt(Interest::READABLE, room, |socket| {
                Ok(net::recv(socket, spare_capacity(bytes), RecvFlags::empty())?.1)
            });
            match done {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(self.poll_read_ready(cx))?,
                done => return Poll::Ready(done),
            }
        }
    }

    /// Writes from the front of `replies` and takes off what was written; nothing is lost when it is not polled
    /// again.
    #[inline]
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        replies: &mut impl Buf,
    ) -> Poll<io::Result<usize>> {
        // Why: nearly all replies are one run of bytes, for which the vectored call costs the kernel more.
        if replies.chunk().len() < replies.remaining() {
            return match self {
                Self::Tcp(socket) => pin!(socket.write_buf(replies)).poll(cx),
                Self::Unix(socket) => pin!(socket.write_buf(replies)).poll(cx),
            };
        }
        loop {
            match self.try_write(replies) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(self.poll_write_ready(cx))?,
                done => return Poll::Ready(done),
            }
        }
    }

    /// Writes from the front of `replies` with one call and takes off what was written.
    ///
    /// # Errors
    /// `WouldBlock` where it would have to wait, or the replies are not one run of bytes: [`Stream::poll_write`] writes
    /// them. Others as the system call has them.
    #[inline]
    pub(super) fn try_write(&self, replies: &mut impl Buf) -> io::Result<usize> {
        let whole = replies.chunk();
        if whole.len() < replies.remaining() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = self.attempt(Interest::WRITABLE, whole.len(), |socket| {
            Ok(net::send(socket, whole, SendFlags::NOSIGNAL)?)
        })?;
        replies.advance(count);
        Ok(count)
    }

    /// Transfers up to `whole` bytes with one system call, where the socket is known to be ready for it.
    ///
    /// # Errors
    /// `WouldBlock` where it is not. Others as the system call has them.
    #[inline]
    fn attempt(
        &self,
        interest: Interest,
        whole: usize,
        mut transfer: impl FnMut(BorrowedFd<'_>) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let mut partly = 0;
        let mut transfer = |socket: BorrowedFd<'_>| loop {
            match transfer(socket) {
                // Why: a socket that did less than it could have is exhausted. Saying so here saves the call that
                // would find out; an event that has come since the runtime last looked is not lost by it.
                Ok(count) if 0 < count && count < whole => {
                    partly = count;
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        };
        let done = match self {
            Self::Tcp(socket) => socket.try_io(interest, || transfer(socket.as_fd())),
            Self::Unix(socket) => socket.try_io(interest, || transfer(socket.as_fd())),
        };
        if partly > 0 { Ok(partly) } else { done }
    }

    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(socket) => socket.poll_read_ready(cx),
            Self::Unix(socket) => socket.poll_read_ready(cx),
        }
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(socket) => socket.poll_write_ready(cx),
            Self::Unix(socket) => socket.poll_write_ready(cx),
        }
    }

    /// What is read from and what is written to, for who does both at once.
    pub(super) fn into_halves(self) -> (Reader, Writer) {
        match self {
            Self::Tcp(socket) => {
                let (reader, writer) = socket.into_split();
                (Box::new(reader), Box::new(writer))
            }
            Self::Unix(socket) => {
                let (reader, writer) = socket.into_split();
                (Box::new(reader), Box::new(writer))
            }
        }
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
