//! Where a server listens, as people write it: `localhost:7000`, `[::1]:7000`, `10.0.0.1`, `/run/goredis.sock`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

/// The port of an address that names none, which is the one that Redis uses.
pub const DEFAULT_PORT: u16 = 6379;

/// A server's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A host name or IP address, and a port.
    Tcp {
        /// Without the brackets of an IPv6 address.
        host: String,
        /// The port.
        port: u16,
    },
    /// A Unix socket.
    Unix(PathBuf),
}

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("'{0}' is no address: expected HOST:PORT, [IPV6]:PORT or the path of a Unix socket")]
pub struct InvalidAddress(pub String);

impl Address {
    /// A host and a port.
    pub fn tcp(host: impl Into<String>, port: u16) -> Self {
        Self::Tcp { host: host.into(), port }
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let invalid = || InvalidAddress(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Self::Unix(path.into()));
        }
        if text.starts_with(['/', '.']) {
            return Ok(Self::Unix(text.into()));
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or_else(invalid)?;
                (host, if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or_else(invalid)?) })
            }
            // Why: more than one colon without brackets can only be a bare IPv6 address.
            None if text.matches(':').count() > 1 => (text, None),
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        if host.is_empty() && port.is_none() {
            return Err(invalid());
        }
        let port = port.map_or(Ok(DEFAULT_PORT), str::parse).map_err(|_| invalid())?;
        let host = if host.is_empty() { "127.0.0.1" } else { host };
        Ok(Self::tcp(host, port))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, address, printed) in [
            ("localhost:7000", Address::tcp("localhost", 7000), "localhost:7000"),
            ("10.0.0.1", Address::tcp("10.0.0.1", 6379), "10.0.0.1:6379"),
            (":7000", Address::tcp("127.0.0.1", 7000), "127.0.0.1:7000"),
            ("[::1]:7000", Address::tcp("::1", 7000), "[::1]:7000"),
            ("[fe80::1]", Address::tcp("fe80::1", 6379), "[fe80::1]:6379"),
            ("::1", Address::tcp("::1", 6379), "[::1]:6379"),
            ("/run/a.sock", Address::Unix("/run/a.sock".into()), "/run/a.sock"),
            ("unix:a.sock", Address::Unix("a.sock".into()), "a.sock"),
        ] {
            assert_eq!(text.parse(), Ok(address.clone()), "{text}");
            assert_eq!(address.to_string(), printed);
        }
        for text in ["", "host:", "host:port", "host:65536", "[::1", "[::1]7000", "[]"] {
            assert_eq!(text.parse::<Address>(), Err(InvalidAddress(text.to_owned())), "{text}");
        }
    }
}
