//! A client of literal bytes, with just enough of a parser to read a reply.

use super::PATIENCE;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};

/// A reply of protocol version 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Status(String),
    Error(String),
    Int(i64),
    Bulk(Vec<u8>),
    Array(Vec<Reply>),
    Nil,
}

impl Reply {
    /// The text of a bulk string or a status.
    #[track_caller]
    pub fn text(&self) -> String {
        match self {
            Self::Bulk(bytes) => String::from_utf8(bytes.clone()).expect("text"),
            Self::Status(text) => text.clone(),
            other => panic!("not a string: {other:?}"),
        }
    }

    /// The number.
    #[track_caller]
    pub fn int(&self) -> i64 {
        match self {
            Self::Int(number) => *number,
            other => panic!("not a number: {other:?}"),
        }
    }
}

/// The bytes of a request.
pub fn request<A: AsRef<[u8]>>(args: &[A]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        let arg = arg.as_ref();
        bytes.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        bytes.extend_from_slice(arg);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// One connection.
#[derive(Debug)]
pub struct Wire {
    reader: BufReader<TcpStream>,
}

impl Wire {
    pub fn new(socket: TcpStream) -> Self {
        socket.set_nodelay(true).expect("no delay");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        socket.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        Self { reader: BufReader::new(socket) }
    }

    /// Sends bytes as they are.
    #[track_caller]
    pub fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).expect("sent");
    }

    /// Sends bytes as they are, to a server that may be gone.
    ///
    /// # Errors
    /// The server is gone.
    pub fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes)
    }

    /// A second handle to send with, for another thread.
    #[track_caller]
    pub fn sender(&self) -> TcpStream {
        self.reader.get_ref().try_clone().expect("a second handle")
    }

    /// What the server sends, as it is.
    pub fn bytes(&mut self) -> &mut impl Read {
        &mut self.reader
    }

    /// Reads exactly what is expected.
    #[track_caller]
    pub fn expect(&mut self, expected: &str) {
        let mut got = Vec::new();
        while got.len() < expected.len() {
            let mut byte = [0];
            match self.reader.read_exact(&mut byte) {
                Ok(()) => got.push(byte[0]),
                Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&got)),
            }
        }
        assert_eq!(String::from_utf8_lossy(&got), expected);
    }

    /// Sends lines, each as an inline command, and expects the bytes beside each.
    #[track_caller]
    pub fn talk(&mut self, lines: &[(&str, &str)]) {
        for (line, expected) in lines {
            self.send(format!("{line}\r\n").as_bytes());
            let got = self.raw_reply().unwrap_or_else(|error| panic!("{error} after {line:?}"));
            assert_eq!(String::from_utf8_lossy(&got), *expected, "{line}");
        }
    }

    /// Sends a command given as a line, and reads its reply.
    #[track_caller]
    pub fn ask(&mut self, line: &str) -> Reply {
        let args: Vec<&str> = line.split(' ').collect();
        self.call(&args)
    }

    /// Sends a command, and reads its reply.
    #[track_caller]
    pub fn call<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Reply {
        self.send(&request(args));
        self.reply().expect("a reply")
    }

    /// Everything until the server closes.
    #[track_caller]
    pub fn rest(&mut self) -> String {
        let mut got = Vec::new();
        self.reader.read_to_end(&mut got).expect("closed in order");
        String::from_utf8_lossy(&got).into_owned()
    }

    /// Says that no more requests come; replies are still read.
    pub fn finish_sending(&mut self) {
        self.reader.get_mut().shutdown(Shutdown::Write).expect("shut down");
    }

    /// Reads one reply.
    ///
    /// # Errors
    /// The server is gone, or does not speak the protocol.
    pub fn reply(&mut self) -> io::Result<Reply> {
        let (kind, line) = self.line()?;
        Ok(match kind {
            b'+' => Reply::Status(line),
            b'-' => Reply::Error(line),
            b':' => Reply::Int(number(&line)?),
            b'$' => match number(&line)? {
                -1 => Reply::Nil,
                length => Reply::Bulk(self.bulk(length)?),
            },
            b'*' => match number(&line)? {
                -1 => Reply::Nil,
                count => Reply::Array((0..count).map(|_| self.reply()).collect::<io::Result<_>>()?),
            },
            _ => return Err(nonsense(&line)),
        })
    }

    /// The bytes of one reply of either protocol version.
    fn raw_reply(&mut self) -> io::Result<Vec<u8>> {
        let (kind, line) = self.line()?;
        let mut raw = [&[kind], line.as_bytes(), b"\r\n"].concat();
        let parts = match kind {
            b'+' | b'-' | b':' | b'_' | b',' | b'#' | b'(' => 0,
            b'$' | b'=' | b'!' => {
                let length = number(&line)?;
                if length >= 0 {
                    raw.extend(self.bulk(length)?);
                    raw.extend(b"\r\n");
                }
                0
            }
            b'*' | b'~' | b'>' => number(&line)?,
            b'%' | b'|' => 2 * number(&line)?,
            _ => return Err(nonsense(&line)),
        };
        for _ in 0..parts {
            raw.extend(self.raw_reply()?);
        }
        Ok(raw)
    }

    fn line(&mut self) -> io::Result<(u8, String)> {
        let mut line = Vec::new();
        self.reader.read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let text = String::from_utf8_lossy(&line[1..]).into_owned();
        let text = text.strip_suffix("\r\n").ok_or_else(|| nonsense(&text))?;
        Ok((line[0], text.to_owned()))
    }

    fn bulk(&mut self, length: i64) -> io::Result<Vec<u8>> {
        let length = usize::try_from(length).map_err(|_| nonsense("a negative length"))?;
        let mut bytes = vec![0; length + 2];
        self.reader.read_exact(&mut bytes)?;
        if !bytes.ends_with(b"\r\n") {
            return Err(nonsense("a bulk string without an end"));
        }
        bytes.truncate(length);
        Ok(bytes)
    }
}

fn number(line: &str) -> io::Result<i64> {
    line.parse().map_err(|_| nonsense(line))
}

fn nonsense(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not the protocol: {text:?}"))
}
