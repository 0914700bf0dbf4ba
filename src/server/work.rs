//! What a connection needs only while it is busy, and the few sets of it that each thread keeps.
//!
//! A connection borrows a [`Work`] when bytes arrive and gives it back when it has nothing left to do, so ten
//! thousand idle connections own no buffers, and the busy ones of a thread share a few that stay in its cache.
//! What an idle connection has half received, if it is short, it keeps as a [`Remnant`] of its exact size.

use super::input::{BASE_BYTES, Input};
use crate::resp::{
    Args, Limits, OwnedRequest, Parsed, Protocol, ProtocolError, ReplyBuf, RequestParser, Span,
};
use std::cell::RefCell;

/// Sets kept per thread. A thread's connections take turns, so more than a few are in use only while several
/// wait for slow readers or for the rest of a request.
const KEPT_SETS: usize = 4;

/// Longest unfinished request that is moved out of a set to give the set back. It bounds what a client that sends
/// a byte at a time makes the server copy.
const REMNANT_BYTES_MAX: usize = BASE_BYTES / 4;

/// Entries that the vectors of a kept set may have room for.
const KEPT_ENTRIES: usize = 8 * 1024;

thread_local! {
    #[expect(clippy::vec_box, reason = "a set moves between the store and its connection as one pointer")]
    static KEPT: RefCell<Vec<Box<Work>>> = const { RefCell::new(Vec::new()) };
}

/// One request that was parsed and has yet to run.
#[derive(Debug)]
enum Frame {
    /// It lies in the input: its first byte there, and its arguments among the spans.
    InPlace { start: usize, spans: (usize, usize) },
    /// A line with quotes that had to be undone.
    Owned(Box<OwnedRequest>),
}

/// What parsing came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scan {
    /// As many requests as were asked for; there may be more.
    Full,
    /// Everything that is whole. So many more bytes are needed, if that is known, else 0.
    Drained {
        /// Bytes needed for the next request.
        want: usize,
    },
    /// After the whole requests come bytes that are none.
    Broken(ProtocolError),
}

/// Buffers of a busy connection.
#[derive(Debug)]
pub(super) struct Work {
    /// Bytes from the socket.
    pub(super) input: Input,
    /// Replies for the socket.
    pub(super) reply: ReplyBuf,
    frames: Vec<Frame>,
    /// Frames that have run. Invariant: `ran <= frames.len()`.
    ran: usize,
    /// Bytes behind the start of the input that the frames cover.
    scanned: usize,
    spans: Vec<Span>,
    /// Empty; kept for its room.
    args: Vec<Args<'static>>,
}

/// The start of a request, kept while its connection waits for the rest.
#[derive(Debug, Default)]
pub(super) struct Remnant(Box<[u8]>);

impl Remnant {
    /// Bytes that it keeps.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Work {
    fn new() -> Box<Self> {
        Box::new(Self {
            input: Input::new(),
            reply: ReplyBuf::new(),
            frames: Vec::new(),
            ran: 0,
            scanned: 0,
            spans: Vec::new(),
            args: Vec::new(),
        })
    }

    /// A set from the calling thread's store, holding what the connection had kept.
    pub(super) fn take(remnant: &mut Remnant, protocol: Protocol) -> Box<Self> {
        let mut work = KEPT.with_borrow_mut(Vec::pop).unwrap_or_else(Self::new);
        work.reply.set_protocol(protocol);
        if remnant.len() > 0 {
            work.input.tail_mut().extend_from_slice(&std::mem::take(remnant).0);
        }
        work
    }

    /// Puts the set back into the calling thread's store. Where an unfinished request is too long to be kept apart,
    /// the connection keeps its set and gets it back.
    pub(super) fn give_back(mut self: Box<Self>, remnant: &mut Remnant) -> Option<Box<Self>> {
        let unread = self.input.unread();
        if unread.len() > REMNANT_BYTES_MAX || !self.reply.is_empty() {
            return Some(self);
        }
        if !unread.is_empty() {
            *remnant = Remnant(unread.into());
        }
        self.reset();
        KEPT.with_borrow_mut(|kept| {
            if kept.len() < KEPT_SETS {
                kept.push(self);
            }
        });
        None
    }

    fn reset(&mut self) {
        self.input.reset();
        self.reply.clear();
        self.forget_frames();
        self.frames.shrink_to(KEPT_ENTRIES);
        self.spans.shrink_to(KEPT_ENTRIES);
        self.args.shrink_to(KEPT_ENTRIES);
    }

    fn forget_frames(&mut self) {
        self.frames.clear();
        self.spans.clear();
        (self.ran, self.scanned) = (0, 0);
    }

    /// Parses up to `requests_max` requests off the input. All parsed before have run.
    pub(super) fn scan(&mut self, parser: &mut RequestParser, limits: &Limits, requests_max: usize) -> Scan {
        debug_assert_eq!(self.ran, self.frames.len());
        self.input.consume(self.scanned);
        self.forget_frames();
        while self.frames.len() < requests_max {
            let (start, first) = (self.scanned, self.spans.len());
            let bytes = &self.input.unread()[start..];
            if bytes.is_empty() {
                return Scan::Drained { want: 0 };
            }
            let parsed = parser.parse(bytes, limits, &mut self.spans);
            let (consumed, frame) = match parsed {
                Ok(Parsed::Request { consumed }) => {
                    (consumed, Some(Frame::InPlace { start, spans: (first, self.spans.len()) }))
                }
                Ok(Parsed::Inline { consumed, request }) => (consumed, Some(Frame::Owned(request))),
                Ok(Parsed::Empty { consumed }) => (consumed, None),
                Ok(Parsed::Incomplete { want }) => return Scan::Drained { want },
                Err(error) => return Scan::Broken(error),
            };
            self.scanned += consumed;
            self.frames.extend(frame);
        }
        Scan::Full
    }

    /// Drops what has run. What remains is the start of an unfinished request.
    pub(super) fn finish(&mut self) {
        debug_assert_eq!(self.ran, self.frames.len());
        self.input.consume(self.scanned);
        self.forget_frames();
    }

    /// Whether parsed requests wait to run.
    #[inline]
    pub(super) fn has_requests(&self) -> bool {
        self.ran < self.frames.len()
    }

    /// Hands the requests that have not run to `execute`, with the replies to append to; it tells how many it took.
    pub(super) fn run<R>(&mut self, execute: impl FnOnce(&[Args<'_>], &mut ReplyBuf) -> (usize, R)) -> R {
        let bytes = self.input.unread();
        let mut args = reuse(std::mem::take(&mut self.args));
        args.extend(self.frames[self.ran..].iter().map(|frame| match frame {
            Frame::InPlace { start, spans } => Args::new(&bytes[*start..], &self.spans[spans.0..spans.1]),
            Frame::Owned(request) => request.as_args(),
        }));
        let (taken, result) = execute(&args, &mut self.reply);
        debug_assert!(taken <= args.len());
        self.ran = (self.ran + taken).min(self.frames.len());
        self.args = reuse(args);
        result
    }

    /// Forgets requests that have not run: the connection is about to end.
    pub(super) fn abandon(&mut self) {
        self.ran = self.frames.len();
    }
}

/// The same allocation, emptied, for arguments that live somewhere else.
fn reuse<'b>(mut args: Vec<Args<'_>>) -> Vec<Args<'b>> {
    args.clear();
    // Why: collecting a vector's own iterator into the same layout keeps the allocation.
    args.into_iter().map_while(|_| None).collect()
}
