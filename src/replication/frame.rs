//! Frames: what two servers send each other once they have agreed where to go on. Bytes only.
//!
//! The byte table is in `PROTOCOL.md`. A frame is checked as a whole before any of it is used.

use crate::command::lineup::{CHAIN_MAX, ServerId};
use crate::log::{Ancestor, Cause, History, LINEAGE_MAX};
use crate::lsn::Lsn;

/// Bytes in front of a frame's body.
pub const HEADER_BYTES: usize = 16;
/// The longest body.
pub const BODY_BYTES_MAX: usize = 1 << 20;

const SEGMENT: u32 = 1;
const LOG: u32 = 2;
const SNAPSHOT: u32 = 3;
const SNAPSHOT_BYTES: u32 = 4;
const ALIVE: u32 = 5;
const TAKE_OVER: u32 = 6;
const SERVERS: u32 = 7;
const APPLIED: u32 = 16;

/// What is said in a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame<'b> {
    /// The log bytes that follow lie in this segment.
    Segment {
        /// Its first position.
        first: Lsn,
        /// Where it ends.
        end: Lsn,
        /// Data bytes of those to come.
        capacity: u64,
        /// What it belongs to.
        history: History,
        /// What led to that, newest first.
        lineage: Vec<Ancestor>,
    },
    /// Bytes of the log.
    Log {
        /// Where they lie.
        at: Lsn,
        /// They.
        bytes: &'b [u8],
    },
    /// A snapshot follows, from some offset on, and then the log that it needs.
    Snapshot {
        /// Which.
        id: SnapshotId,
        /// Its size; 0: there is none, and the log goes back to the beginning.
        bytes: u64,
        /// The offset at which what is sent begins.
        offset: u64,
        /// Where the log that is sent begins.
        from: Lsn,
        /// The log must be there up to here for the snapshot to be whole.
        until: Lsn,
    },
    /// Bytes of the snapshot, in order.
    SnapshotBytes(&'b [u8]),
    /// Nothing to tell but this.
    Alive {
        /// The log is resolved up to here.
        resolved: Lsn,
    },
    /// The replica is to become the primary: it has everything.
    TakeOver {
        /// The end of everything.
        at: Lsn,
    },
    /// The primary, the one that it follows, and so on.
    Servers(Vec<ServerId>),
    /// What the replica says of itself.
    Applied {
        /// Everything below is applied.
        applied: Lsn,
        /// Everything below is on stable storage; 0: it has none.
        durable: Lsn,
    },
}

/// Which snapshot: one that was taken at another moment, or of something else, has another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotId(pub [u64; 4]);

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Its checksum does not match.
    #[error("a frame came damaged")]
    Checksum,
    /// It is longer than any.
    #[error("a frame of {0} bytes is longer than any")]
    TooLong(usize),
    /// It says something that is not known.
    #[error("a frame of the unknown kind {0}")]
    Unknown(u32),
    /// Its body is not what one of its kind has.
    #[error("a frame of kind {0} is misformed")]
    Misformed(u32),
}

impl Frame<'_> {
    /// Appends the frame to `out`.
    ///
    /// # Panics
    /// When the body is longer than [`BODY_BYTES_MAX`].
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; HEADER_BYTES]);
        let kind = match self {
            Self::Segment { first, end, capacity, history, lineage } => {
                numbers(out, &[first.get(), end.get(), *capacity]);
                out.extend_from_slice(&history.get().to_le_bytes());
                for ancestor in lineage.iter().take(LINEAGE_MAX) {
                    out.extend_from_slice(&ancestor.history.get().to_le_bytes());
                    numbers(out, &[ancestor.fork.get(), ancestor.cause as u64]);
                }
                SEGMENT
            }
            Self::Log { at, bytes } => {
                numbers(out, &[at.get()]);
                out.extend_from_slice(bytes);
                LOG
            }
            Self::Snapshot { id, bytes, offset, from, until } => {
                numbers(out, &id.0);
                numbers(out, &[*bytes, *offset, from.get(), until.get()]);
                SNAPSHOT
            }
            Self::SnapshotBytes(bytes) => {
                out.extend_from_slice(bytes);
                SNAPSHOT_BYTES
            }
            Self::Alive { resolved } => {
                numbers(out, &[resolved.get()]);
                ALIVE
            }
            Self::TakeOver { at } => {
                numbers(out, &[at.get()]);
                TAKE_OVER
            }
            Self::Servers(servers) => {
                for server in servers.iter().take(CHAIN_MAX) {
                    out.extend_from_slice(&server.get().to_le_bytes());
                }
                SERVERS
            }
            Self::Applied { applied, durable } => {
                numbers(out, &[applied.get(), durable.get()]);
                APPLIED
            }
        };
        let len = out.len() - start - HEADER_BYTES;
        assert!(len <= BODY_BYTES_MAX, "a frame of {len} bytes");
        let header = &mut out[start..];
        header[..4].copy_from_slice(&(len as u32).to_le_bytes());
        header[4..8].copy_from_slice(&kind.to_le_bytes());
        let crc = checksum(kind, &out[start + HEADER_BYTES..]);
        out[start + 8..start + 12].copy_from_slice(&crc.to_le_bytes());
        let crc = crc32fast::hash(&out[start..start + 12]);
        out[start + 12..start + 16].copy_from_slice(&crc.to_le_bytes());
    }
}

fn checksum(kind: u32, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(kind ^ body.len() as u32);
    hasher.update(body);
    hasher.finalize()
}

fn numbers(out: &mut Vec<u8>, numbers: &[u64]) {
    for number in numbers {
        out.extend_from_slice(&number.to_le_bytes());
    }
}

/// Reads the frame at the front of `bytes`, and how long it is; none while it is not all there.
///
/// # Errors
/// [`FrameError`].
pub fn decode(bytes: &[u8]) -> Result<Option<(Frame<'_>, usize)>, FrameError> {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else { return Ok(None) };
    let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let (len, kind, crc) = (word(0) as usize, word(4), word(8));
    // Order: before the length is believed, or else what comes is waited for as the body of something far too long.
    if crc32fast::hash(&header[..12]) != word(12) {
        return Err(FrameError::Checksum);
    }
    if len > BODY_BYTES_MAX {
        return Err(FrameError::TooLong(len));
    }
    let Some(body) = rest.get(..len) else { return Ok(None) };
    if checksum(kind, body) != crc {
        return Err(FrameError::Checksum);
    }
    let frame = read(kind, body)?;
    Ok(Some((frame, HEADER_BYTES + len)))
}

fn read(kind: u32, body: &[u8]) -> Result<Frame<'_>, FrameError> {
    let misformed = FrameError::Misformed(kind);
    let mut rest = body;
    let mut number = || {
        let (number, behind) = rest.split_first_chunk::<8>().ok_or(misformed)?;
        rest = behind;
        Ok(u64::from_le_bytes(*number))
    };
    let frame = match kind {
        SEGMENT => {
            let (first, end, capacity) = (Lsn::new(number()?), Lsn::new(number()?), number()?);
            let history = history(number()?, number()?);
            let mut lineage = Vec::new();
            while !rest.is_empty() {
                let mut number = || {
                    let (number, behind) = rest.split_first_chunk::<8>().ok_or(misformed)?;
                    rest = behind;
                    Ok::<_, FrameError>(u64::from_le_bytes(*number))
                };
                let history = self::history(number()?, number()?);
                let (fork, cause) = (Lsn::new(number()?), number()?);
                let cause = u8::try_from(cause).ok().and_then(Cause::from_number).ok_or(misformed)?;
                lineage.push(Ancestor { history, fork, cause });
            }
            let is_sane = first < end && end <= Lsn::MAX && capacity < 1 << 31 && capacity % 8 == 0;
            let fits = end.get() - first.get() < 1 << 31 && lineage.len() <= LINEAGE_MAX;
            if !(is_sane && fits && capacity > 0 && first.get() % 8 == 0 && end.get() % 8 == 0) {
                return Err(misformed);
            }
            return Ok(Frame::Segment { first, end, capacity, history, lineage });
        }
        LOG => {
            let at = Lsn::new(number()?);
            return Ok(Frame::Log { at, bytes: rest });
        }
        SNAPSHOT => {
            let id = SnapshotId([number()?, number()?, number()?, number()?]);
            let (bytes, offset) = (number()?, number()?);
            let (from, until) = (Lsn::new(number()?), Lsn::new(number()?));
            Frame::Snapshot { id, bytes, offset, from, until }
        }
        SNAPSHOT_BYTES => return Ok(Frame::SnapshotBytes(body)),
        ALIVE => Frame::Alive { resolved: Lsn::new(number()?) },
        TAKE_OVER => Frame::TakeOver { at: Lsn::new(number()?) },
        SERVERS => {
            let servers = body.chunks_exact(16);
            if !servers.remainder().is_empty() || servers.len() > CHAIN_MAX {
                return Err(misformed);
            }
            let id = |bytes: &[u8]| u128::from_le_bytes(bytes.try_into().unwrap_or_default());
            let servers = servers.map(|server| ServerId::new(id(server)));
            return Ok(Frame::Servers(servers.collect()));
        }
        APPLIED => Frame::Applied { applied: Lsn::new(number()?), durable: Lsn::new(number()?) },
        unknown => return Err(FrameError::Unknown(unknown)),
    };
    if rest.is_empty() { Ok(frame) } else { Err(misformed) }
}

fn history(low: u64, high: u64) -> History {
    History::new(u128::from(high) << 64 | u128::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    fn samples(bytes: &[u8]) -> Vec<Frame<'_>> {
        let ancestor =
            |n| Ancestor { history: History::new(n), fork: Lsn::new(4096), cause: Cause::Promotion };
        vec![
            Frame::Segment {
                first: Lsn::new(4096),
                end: Lsn::new(8192),
                capacity: 4096,
                history: History::new(7 << 80 | 9),
                lineage: vec![ancestor(1), ancestor(2)],
            },
            Frame::Log { at: Lsn::new(4096), bytes },
            Frame::Snapshot {
                id: SnapshotId([1, 2, 3, 4]),
                bytes: 100,
                offset: 7,
                from: Lsn::new(4096),
                until: Lsn::new(9000),
            },
            Frame::SnapshotBytes(bytes),
            Frame::Alive { resolved: Lsn::new(5) },
            Frame::TakeOver { at: Lsn::new(6) },
            Frame::Servers(vec![ServerId::new(1), ServerId::new(u128::MAX)]),
            Frame::Applied { applied: Lsn::new(7), durable: Lsn::ZERO },
        ]
    }

    quickcheck! {
        fn frames_are_read_as_they_were_written_and_not_before_they_are_whole(bytes: Vec<u8>) -> bool {
            samples(&bytes).iter().all(|frame| {
                let mut out = Vec::new();
                frame.encode(&mut out);
                (0..out.len()).all(|cut| decode(&out[..cut]) == Ok(None))
                    && decode(&out) == Ok(Some((frame.clone(), out.len())))
            })
        }

        fn a_wrong_byte_is_seen(at: usize, with: u8) -> bool {
            samples(b"some bytes").iter().all(|frame| {
                let mut out = Vec::new();
                frame.encode(&mut out);
                let at = at % out.len();
                out[at] ^= with.max(1);
                decode(&out).is_err()
            })
        }

        fn a_wrong_byte_of_the_header_is_seen_before_the_body_comes(at: usize, with: u8) -> bool {
            samples(b"some bytes").iter().all(|frame| {
                let mut out = Vec::new();
                frame.encode(&mut out);
                out.truncate(HEADER_BYTES);
                out[at % HEADER_BYTES] ^= with.max(1);
                decode(&out) == Err(FrameError::Checksum)
            })
        }
    }
}
