//! Which differences between two replies mean nothing: order where there is none, time that passes, dice.

use crate::exceptions::numbers_agree;
use crate::frame::Frame;

/// Milliseconds, or seconds, by which two times may differ that mean the same moment.
const TIME_SLACK: i64 = 10_000;

/// How the replies to one command are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Exact,
    /// The parts have no order.
    Unordered,
    /// The parts are pairs that have no order.
    UnorderedPairs,
    /// A moment, or the time until then; or several.
    Time,
    /// A cursor, and parts that have no order; complete if both cursors say so.
    Scan,
    /// The same with pairs.
    ScanPairs,
    /// Only what kind of reply it is, and how many parts it has.
    Shape,
    /// Only what kind of reply it is.
    Kind,
}

impl Mode {
    /// What suits a command.
    pub fn of(args: &[Vec<u8>]) -> Self {
        let name = String::from_utf8_lossy(&args[0]).to_lowercase();
        let has = |word: &str| args.iter().any(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
        let is_whole = || {
            let count = args.get(2).and_then(|arg| std::str::from_utf8(arg).ok()?.parse::<i64>().ok());
            count.is_some_and(|count| count >= 1000)
        };
        match name.as_str() {
            "smembers" | "sunion" | "sinter" | "sdiff" | "keys" | "hkeys" | "hvals" | "spop" => {
                Self::Unordered
            }
            "hgetall" => Self::UnorderedPairs,
            "config" if has("GET") => Self::UnorderedPairs,
            "ttl" | "pttl" | "expiretime" | "pexpiretime" | "httl" | "hpttl" | "hexpiretime"
            | "hpexpiretime" => Self::Time,
            "scan" | "sscan" => Self::Scan,
            "hscan" | "zscan" => Self::ScanPairs,
            "srandmember" | "hrandfield" | "zrandmember" if is_whole() && args.len() == 3 => Self::Unordered,
            "hrandfield" | "zrandmember" if is_whole() => Self::UnorderedPairs,
            "srandmember" | "hrandfield" | "zrandmember" | "dump" => Self::Shape,
            "sort" | "sort_ro" if has("BY") && !has("STORE") && (has("ALPHA") || sorts_by_nothing(args)) => {
                if has("LIMIT") || has("GET") {
                    Self::Shape
                } else {
                    Self::Unordered
                }
            }
            "object" if has("ENCODING") => Self::Exact,
            "client" if !has("LIST") && !has("ID") && !has("INFO") => Self::Exact,
            "command" if has("GETKEYS") || has("FILTERBY") => Self::Exact,
            "randomkey" | "object" | "memory" | "slowlog" | "hello" | "client" | "command" => Self::Kind,
            _ => Self::Exact,
        }
    }

    /// Whether the replies say the same.
    pub fn agree(self, theirs: &Frame, ours: &Frame) -> bool {
        if theirs == ours {
            return true;
        }
        if theirs.error().is_some() || ours.error().is_some() {
            return false;
        }
        match (self, theirs, ours) {
            (Self::Shape, Frame::Many(..), Frame::Many(..)) => {
                theirs.sketch() == ours.sketch() && theirs.parts().len() == ours.parts().len()
            }
            (Self::Kind | Self::Shape, ..) => theirs.sketch() == ours.sketch(),
            (Self::Time, Frame::Many(..), Frame::Many(..)) => {
                let (times, others) = (theirs.parts(), ours.parts());
                times.len() == others.len()
                    && times.iter().zip(others).all(|(one, other)| self.agree(one, other))
            }
            (Self::Time, ..) => match (theirs.int(), ours.int()) {
                (Some(theirs @ 0..), Some(ours @ 0..)) => (theirs - ours).abs() <= TIME_SLACK,
                _ => false,
            },
            (Self::Unordered | Self::UnorderedPairs, Frame::Many(kind, _), Frame::Many(other, _)) => {
                kind == other && self.same_parts(theirs, ours)
            }
            (Self::Scan | Self::ScanPairs, Frame::Many(..), Frame::Many(..)) => {
                let ([from, found], [other, our_found]) = (theirs.parts(), ours.parts()) else {
                    return false;
                };
                // What a scan in parts has found yet says nothing.
                let complete = from.bytes() == b"0" && other.bytes() == b"0";
                !complete || self.same_parts(found, our_found)
            }
            _ => false,
        }
    }

    fn same_parts(self, theirs: &Frame, ours: &Frame) -> bool {
        let (theirs, ours) = (self.sorted(theirs), self.sorted(ours));
        // Why not equal: ZSCAN says scores as no other command does.
        let same = |(theirs, ours): (&Vec<Frame>, &Vec<Frame>)| {
            theirs.len() == ours.len()
                && theirs.iter().zip(ours).all(|(one, other)| numbers_agree(one, other))
        };
        theirs.len() == ours.len() && theirs.iter().zip(&ours).all(same)
    }

    /// The parts in some order, pairs together; of a scan without repetitions, which it may have.
    fn sorted(self, reply: &Frame) -> Vec<Vec<Frame>> {
        let pairs_are_flat = !matches!(reply.parts().first(), Some(Frame::Many(..)));
        let size = match self {
            Self::UnorderedPairs | Self::ScanPairs if pairs_are_flat => 2,
            _ => 1,
        };
        let mut parts: Vec<_> = reply.parts().chunks(size).map(<[Frame]>::to_vec).collect();
        parts.sort();
        if matches!(self, Self::Scan | Self::ScanPairs) {
            parts.dedup();
        }
        parts
    }
}

/// Whether SORT is given a pattern that is the same for all elements, which leaves them as they are.
fn sorts_by_nothing(args: &[Vec<u8>]) -> bool {
    args.windows(2).any(|pair| pair[0].eq_ignore_ascii_case(b"BY") && !pair[1].contains(&b'*'))
}
