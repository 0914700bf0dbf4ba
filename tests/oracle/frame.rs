//! Replies as they are on the wire, and a connection that reads them.
//!
//! Knows nothing of the library: a mistake that server and client share must not hide itself.

use crate::harness::request;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// Longest that a reply may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// One reply of either protocol version; the byte is its kind on the wire.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Frame {
    /// What has one line: status, error, number, truth value.
    Line(u8, Vec<u8>),
    /// What has a length and bytes.
    Bulk(u8, Vec<u8>),
    /// What has a count and parts; those of a map are twice its count.
    Many(u8, Vec<Frame>),
    /// Nothing, in one of its three spellings.
    Null(u8),
}

impl Frame {
    /// The text of an error.
    pub fn error(&self) -> Option<&[u8]> {
        match self {
            Self::Line(b'-', text) => Some(text),
            _ => None,
        }
    }

    /// The number, where it is one.
    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Line(b':', text) => std::str::from_utf8(text).ok()?.parse().ok(),
            _ => None,
        }
    }

    /// The parts, where it has some.
    pub fn parts(&self) -> &[Frame] {
        match self {
            Self::Many(_, parts) => parts,
            _ => &[],
        }
    }

    /// The bytes of a string.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Line(_, bytes) | Self::Bulk(_, bytes) => bytes,
            _ => &[],
        }
    }

    /// Whether it says that a command waits for EXEC.
    pub fn is_queued(&self) -> bool {
        *self == Self::Line(b'+', b"QUEUED".to_vec())
    }

    /// In a few words, the same for replies that differ only in their data.
    pub fn sketch(&self) -> String {
        match self {
            Self::Line(b'-', text) => String::from_utf8_lossy(&text[..text.len().min(40)]).into_owned(),
            Self::Line(kind, _) | Self::Bulk(kind, _) | Self::Many(kind, _) => char::from(*kind).to_string(),
            Self::Null(kind) => format!("{}-1", char::from(*kind)),
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(kind, text) => write!(f, "{}{}", char::from(*kind), text.escape_ascii()),
            Self::Bulk(b'$', bytes) => write!(f, "\"{}\"", shown(bytes)),
            Self::Bulk(kind, bytes) => write!(f, "{}\"{}\"", char::from(*kind), shown(bytes)),
            Self::Null(kind) => write!(f, "{}-1", char::from(*kind)),
            Self::Many(kind, parts) => {
                write!(f, "{}{}[", char::from(*kind), parts.len())?;
                for part in parts.iter().take(60) {
                    write!(f, " {part}")?;
                }
                f.write_str(if parts.len() > 60 { " ... ]" } else { " ]" })
            }
        }
    }
}

/// Bytes as text, long ones in part.
pub fn shown(bytes: &[u8]) -> String {
    match bytes.len() {
        0..=80 => bytes.escape_ascii().to_string(),
        length => format!("{}...({length} bytes)", bytes[..40].escape_ascii()),
    }
}

/// One connection to either server.
#[derive(Debug)]
pub struct Connection {
    reader: BufReader<TcpStream>,
    server: &'static str,
    /// What was sent last, for messages.
    sent: Vec<u8>,
}

impl Connection {
    /// Connects to a server that runs here; its name is for messages.
    pub fn open(server: &'static str, port: u16) -> Self {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .unwrap_or_else(|error| panic!("{server} takes no connection: {error}"));
        socket.set_nodelay(true).expect("no delay");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        socket.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        Self { reader: BufReader::new(socket), server, sent: Vec::new() }
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        self.sent = bytes.to_vec();
        let sent = self.reader.get_mut().write_all(bytes);
        sent.unwrap_or_else(|error| panic!("{} takes no request: {error}", self.server));
    }

    /// Sends a command and reads its reply.
    pub fn call<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Frame {
        self.send(&request(args));
        self.reply()
    }

    /// Sends commands in one piece, and reads their replies.
    pub fn calls<C: AsRef<[Vec<u8>]>>(&mut self, commands: &[C]) -> Vec<Frame> {
        let bytes: Vec<u8> = commands.iter().flat_map(|args| request(args.as_ref())).collect();
        self.send(&bytes);
        commands.iter().map(|_| self.reply()).collect()
    }

    /// Sends a command given as a line, and reads its reply.
    pub fn ask(&mut self, line: &str) -> Frame {
        self.call(&line.split(' ').collect::<Vec<_>>())
    }

    /// Reads one reply.
    pub fn reply(&mut self) -> Frame {
        let mut line = Vec::new();
        if let Err(error) = self.reader.read_until(b'\n', &mut line) {
            panic!("{} does not answer ({error}) to all of {}", self.server, self.sent.escape_ascii());
        }
        let Some((&kind, rest)) = line.split_first() else { panic!("{} has hung up", self.server) };
        let Some(text) = rest.strip_suffix(b"\r\n") else { self.nonsense(&line) };
        let count = || std::str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok());
        match kind {
            b'+' | b'-' | b':' | b',' | b'#' | b'(' => Frame::Line(kind, text.to_vec()),
            b'_' => Frame::Null(kind),
            b'$' | b'=' | b'!' | b'*' | b'~' | b'>' | b'%' => match (count(), kind) {
                (Some(-1), _) => Frame::Null(kind),
                (Some(count @ 0..), b'$' | b'=' | b'!') => Frame::Bulk(kind, self.bulk(count as usize)),
                (Some(count @ 0..), _) => {
                    let parts = if kind == b'%' { 2 * count } else { count };
                    Frame::Many(kind, (0..parts).map(|_| self.reply()).collect())
                }
                _ => self.nonsense(&line),
            },
            _ => self.nonsense(&line),
        }
    }

    fn bulk(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length + 2];
        if let Err(error) = self.reader.read_exact(&mut bytes) {
            panic!("{} breaks off: {error}", self.server);
        }
        if !bytes.ends_with(b"\r\n") {
            self.nonsense(&bytes);
        }
        bytes.truncate(length);
        bytes
    }

    fn nonsense(&self, bytes: &[u8]) -> ! {
        panic!("{} does not speak the protocol: {}", self.server, shown(bytes));
    }
}
