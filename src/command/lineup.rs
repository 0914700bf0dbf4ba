//! Which server this is, and which servers it follows: so that none comes to follow itself, over whatever others.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use tokio::sync::watch;

/// The most servers of a chain that are told of.
pub const CHAIN_MAX: usize = 64;

/// A running server: a number that no other has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerId(u128);

impl ServerId {
    /// The server with this number.
    pub const fn new(id: u128) -> Self {
        Self(id)
    }

    /// Its number.
    pub const fn get(self) -> u128 {
        self.0
    }
}

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A text that names no server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a server is named by 32 hexadecimal digits")]
pub struct NoServerId;

impl FromStr for ServerId {
    type Err = NoServerId;

    fn from_str(text: &str) -> Result<Self, NoServerId> {
        let is_right = text.len() == 32 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let id = u128::from_str_radix(text, 16).map_err(|_| NoServerId)?;
        if is_right { Ok(Self(id)) } else { Err(NoServerId) }
    }
}

/// The servers above this one: the one that it follows, the one that that follows, and so on.
#[derive(Debug)]
pub struct Above(watch::Sender<Arc<[ServerId]>>);

impl Default for Above {
    fn default() -> Self {
        Self(watch::Sender::new(Arc::default()))
    }
}

impl Above {
    /// Says which they are; none: this one follows nobody.
    pub fn set(&self, servers: &[ServerId]) {
        self.0.send_if_modified(|above| {
            let is_news = **above != *servers;
            if is_news {
                *above = servers.into();
            }
            is_news
        });
    }

    /// Which they are, and when that changes.
    pub fn watch(&self) -> watch::Receiver<Arc<[ServerId]>> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_other_texts_are_refused() {
        let id = ServerId::new(u128::MAX - 5);
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in ["", "1", "+0000000000000000000000000000007", "0000000000000000000000000000000g"] {
            assert_eq!(text.parse::<ServerId>(), Err(NoServerId), "{text}");
        }
    }

    #[test]
    fn only_a_change_is_told() {
        let above = Above::default();
        let mut watch = above.watch();
        above.set(&[]);
        assert!(!watch.has_changed().expect("it is there"));
        above.set(&[ServerId::new(1)]);
        assert_eq!(**watch.borrow_and_update(), [ServerId::new(1)]);
        above.set(&[ServerId::new(1)]);
        assert!(!watch.has_changed().expect("it is there"));
    }
}
