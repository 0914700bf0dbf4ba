//! Members and scores as replies.

use crate::resp::{Protocol, ReplyBuf};

/// How members are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// Without scores.
    Bare,
    /// Each followed by its score.
    Flat,
    /// Each in an array with its score.
    Pairs,
}

impl Row {
    /// As most commands answer: with scores, if wanted, in RESP2 in one row and in RESP3 in pairs.
    #[inline]
    pub fn of(reply: &ReplyBuf, with_scores: bool) -> Self {
        match (with_scores, reply.protocol()) {
            (false, _) => Self::Bare,
            (true, Protocol::Resp2) => Self::Flat,
            (true, Protocol::Resp3) => Self::Pairs,
        }
    }

    /// Answers the head of `count` members, which are to follow.
    #[inline]
    pub fn head(self, reply: &mut ReplyBuf, count: u64) {
        let count = count as usize;
        reply.array(if self == Self::Flat { 2 * count } else { count });
    }

    /// Answers one member.
    #[inline]
    pub fn member(self, reply: &mut ReplyBuf, score: f64, member: &[u8]) {
        if self == Self::Pairs {
            reply.array(2);
        }
        reply.bulk(member);
        if self != Self::Bare {
            reply.double(score);
        }
    }

    /// Answers `count` members.
    #[inline]
    pub fn members<'m>(
        self,
        reply: &mut ReplyBuf,
        count: u64,
        members: impl Iterator<Item = (f64, &'m [u8])>,
    ) {
        self.head(reply, count);
        members.for_each(|(score, member)| self.member(reply, score, member));
    }
}
