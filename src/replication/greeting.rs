//! What the two sides say first: lines of text, one each way, and what they mean.
//!
//! The lines are in `PROTOCOL.md`. Everything in them is checked here.

use crate::command::lineup::{CHAIN_MAX, ServerId};
use crate::log::{Ancestor, Cause, History};
use crate::lsn::Lsn;
use crate::replication::decide::Line;
use crate::replication::frame::SnapshotId;

/// The version of the protocol.
pub const VERSION: u32 = 1;

/// What a primary says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// Its histories, and how far its log is resolved.
    pub line: Line,
    /// Where its log starts.
    pub start: Lsn,
    /// How many databases it has.
    pub databases: u16,
    /// The seed of its keyspaces' hashes, so that a SCAN goes on at a replica.
    pub hash_seed: u64,
    /// It, the server that it follows, and so on.
    pub servers: Vec<ServerId>,
}

/// What a replica then wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The log from there on.
    Continue {
        /// Its log's end.
        at: Lsn,
        /// It has just taken a snapshot of this primary: nothing new.
        is_sequel: bool,
    },
    /// The snapshot, and the log that it needs; from this offset on, if it is still that one.
    Snapshot {
        /// How much of it is there.
        offset: u64,
        /// Of which.
        id: SnapshotId,
        /// There are keys, and to go on with them was impossible.
        is_instead: bool,
    },
}

/// A line that is none of the protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no line of the protocol")]
pub struct NoLine(pub String);

impl Greeting {
    /// The line, without its end.
    pub fn encode(&self) -> String {
        let Line { history, end, lineage } = &self.line;
        let ancestors: Vec<_> = lineage
            .iter()
            .map(|it| format!("{}:{}:{}", it.history.digits(), it.fork, it.cause as u8))
            .collect();
        let ancestors = if ancestors.is_empty() { "-".to_owned() } else { ancestors.join(",") };
        let (start, databases, seed) = (self.start, self.databases, self.hash_seed);
        let servers: Vec<_> = self.servers.iter().take(CHAIN_MAX).map(ServerId::to_string).collect();
        let (id, servers) = (history.digits(), servers.join(","));
        format!("+FOLLOW {VERSION} {id} {start} {end} {databases} {seed} {servers} {ancestors}")
    }

    /// Reads the line.
    ///
    /// # Errors
    /// [`NoLine`].
    pub fn decode(line: &str) -> Result<Self, NoLine> {
        Self::parse(line).ok_or_else(|| NoLine(line.chars().take(200).collect()))
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix("+FOLLOW ")?.split(' ');
        if words.next()?.parse::<u32>().ok()? != VERSION {
            return None;
        }
        let history = parse_history(words.next()?)?;
        let (start, end) = (parse_lsn(words.next()?)?, parse_lsn(words.next()?)?);
        let databases = words.next()?.parse().ok()?;
        let hash_seed = words.next()?.parse().ok()?;
        let servers: Vec<_> = words.next()?.split(',').map(str::parse).collect::<Result<_, _>>().ok()?;
        let lineage = match words.next()? {
            "-" => Vec::new(),
            list => list.split(',').map(parse_ancestor).collect::<Option<_>>()?,
        };
        let line = Line { history, end, lineage };
        (servers.len() <= CHAIN_MAX).then_some(Self { line, start, databases, hash_seed, servers })
    }
}

fn parse_history(word: &str) -> Option<History> {
    (word.len() == 32).then(|| u128::from_str_radix(word, 16).ok().map(History::new))?
}

fn parse_lsn(word: &str) -> Option<Lsn> {
    word.parse().ok().map(Lsn::new).filter(|lsn| *lsn <= Lsn::MAX)
}

fn parse_ancestor(text: &str) -> Option<Ancestor> {
    let mut parts = text.split(':');
    let (history, fork) = (parse_history(parts.next()?)?, parse_lsn(parts.next()?)?);
    let cause = Cause::from_number(parts.next()?.parse().ok()?)?;
    parts.next().is_none().then_some(Ancestor { history, fork, cause })
}

impl Wish {
    /// The line, without its end.
    pub fn encode(&self) -> String {
        match self {
            Self::Continue { at, is_sequel: false } => format!("CONTINUE {at}"),
            Self::Continue { at, is_sequel: true } => format!("CONTINUE {at} SEQUEL"),
            Self::Snapshot { offset, id: SnapshotId([a, b, c, d]), is_instead } => {
                let instead = if *is_instead { " INSTEAD" } else { "" };
                format!("SNAPSHOT {offset} {a} {b} {c} {d}{instead}")
            }
        }
    }

    /// Reads the line.
    ///
    /// # Errors
    /// [`NoLine`].
    pub fn decode(line: &str) -> Result<Self, NoLine> {
        Self::parse(line).ok_or_else(|| NoLine(line.chars().take(200).collect()))
    }

    fn parse(line: &str) -> Option<Self> {
        let words: Vec<_> = line.split(' ').collect();
        match *words {
            ["CONTINUE", at] => Some(Self::Continue { at: parse_lsn(at)?, is_sequel: false }),
            ["CONTINUE", at, "SEQUEL"] => Some(Self::Continue { at: parse_lsn(at)?, is_sequel: true }),
            ["SNAPSHOT", offset, a, b, c, d, ref rest @ ..] => {
                let is_instead = match rest {
                    [] => false,
                    ["INSTEAD"] => true,
                    _ => return None,
                };
                let number = |word: &str| word.parse::<u64>().ok();
                let id = SnapshotId([number(a)?, number(b)?, number(c)?, number(d)?]);
                Some(Self::Snapshot { offset: number(offset)?, id, is_instead })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greetings_are_read_as_they_were_written() {
        let ancestor =
            |n| Ancestor { history: History::new(n), fork: Lsn::new(5000), cause: Cause::Promotion };
        for lineage in [vec![], vec![ancestor(1)], vec![ancestor(u128::MAX), ancestor(2)]] {
            let line = Line { history: History::new(9 << 99), end: Lsn::new(10_000), lineage };
            let servers = vec![ServerId::new(3), ServerId::new(u128::MAX)];
            let greeting = Greeting { line, start: Lsn::FIRST, databases: 16, hash_seed: u64::MAX, servers };
            assert_eq!(Greeting::decode(&greeting.encode()), Ok(greeting));
        }
        for bad in
            ["", "+OK", "+FOLLOW 2 00 1 1 1 1 -", "+FOLLOW 1 00000000000000000000000000000001 1 x 1 1 -"]
        {
            assert!(Greeting::decode(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn wishes_are_read_as_they_were_written() {
        for wish in [
            Wish::Continue { at: Lsn::new(77), is_sequel: false },
            Wish::Continue { at: Lsn::new(77), is_sequel: true },
            Wish::Snapshot { offset: 5, id: SnapshotId([1, 2, 3, u64::MAX]), is_instead: false },
            Wish::Snapshot { offset: 0, id: SnapshotId::default(), is_instead: true },
        ] {
            assert_eq!(Wish::decode(&wish.encode()), Ok(wish));
        }
        assert!(Wish::decode("CONTINUE").is_err());
        assert!(Wish::decode("CONTINUE 1 2").is_err());
        assert!(Wish::decode("SNAPSHOT 1 2 3 4 5 6").is_err());
    }
}
