//! The server that MIGRATE sends keys to, over a connection of its own: requests out, one line back for each.
//!
//! Blocks the thread, for at most the timeout at each step.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// Longest line that is read of a reply.
const LINE_BYTES_MAX: u64 = 4096;

/// A connection to the other server.
#[derive(Debug)]
pub struct Peer {
    stream: BufReader<TcpStream>,
}

/// What the other server says to a request.
pub type Said = Result<(), Refusal>;

/// An error of the other server, its code first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

impl Peer {
    /// Connects to the first address of the host that answers in time.
    ///
    /// # Errors
    /// No address, none that answers.
    pub fn connect(host: &str, port: u16, timeout: Duration) -> io::Result<Self> {
        let mut failure = io::ErrorKind::NotFound.into();
        for address in (host, port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(stream) => return Self::over(stream, timeout),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn over(stream: TcpStream, timeout: Duration) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(timeout))?;
        stream.set_write_timeout(Some(timeout))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sends requests.
    ///
    /// # Errors
    /// The connection's.
    pub fn send(&mut self, requests: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(requests)
    }

    /// Reads the reply to the next request.
    ///
    /// # Errors
    /// The connection's; one that ends in the middle of a line, or a line that does not end.
    pub fn hear(&mut self) -> io::Result<Said> {
        let mut line = Vec::new();
        Read::take(&mut self.stream, LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        let line = line.strip_suffix(b"\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(match line.strip_prefix(b"-") {
            Some(error) => Err(Refusal(String::from_utf8_lossy(error).into_owned())),
            None => Ok(()),
        })
    }
}

/// Appends a request.
pub fn write_request(out: &mut Vec<u8>, args: &[&[u8]]) {
    out.extend_from_slice(format!("*{}\r\n", args.len()).as_bytes());
    for arg in args {
        out.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// What a peer that is sent `reply`, and then nothing, makes of it.
    fn heard(reply: &'static [u8], keep_open: bool) -> io::Result<Said> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let mut peer = Peer::connect("127.0.0.1", port, Duration::from_millis(100)).expect("connected");
        let (mut other, _) = listener.accept().expect("accepted");
        other.write_all(reply).expect("sent");
        let kept = keep_open.then_some(other);
        let said = peer.hear();
        drop(kept);
        said
    }

    #[test]
    fn requests_are_arrays_of_strings() {
        let mut out = Vec::new();
        write_request(&mut out, &[b"SELECT", b"", b"\r\n"]);
        assert_eq!(out, b"*3\r\n$6\r\nSELECT\r\n$0\r\n\r\n$2\r\n\r\n\r\n");
    }

    #[test]
    fn a_line_is_consent_or_refusal() {
        assert_eq!(heard(b"+OK\r\n", true).expect("a line"), Ok(()));
        let refusal = Err(Refusal("BUSYKEY it is there".to_owned()));
        assert_eq!(heard(b"-BUSYKEY it is there\r\n", true).expect("a line"), refusal);
    }

    #[test]
    fn silence_and_half_lines_are_failures() {
        for (reply, keep_open) in
            [(&b""[..], true), (b"", false), (b"+OK", false), (b"+OK", true), (b"+OK\n", true)]
        {
            assert!(heard(reply, keep_open).is_err(), "{reply:?}");
        }
        let endless = vec![b'x'; LINE_BYTES_MAX as usize].leak();
        assert!(heard(endless, true).is_err());
    }
}
