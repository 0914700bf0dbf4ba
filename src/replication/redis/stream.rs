//! A primary's writes, and telling it how far we are.
//!
//! Requests come as clients send them, one behind the other, and get no replies. All bytes count, those of PING and of
//! empty lines too: the number of bytes is the place in the primary's history. A transaction counts when it has taken
//! effect, so a link that is cut within one goes on before its MULTI.
//!
//! Three kinds are for us and no writes: PING; `REPLCONF GETACK *`, which wants to be told at once how far we are; and
//! SCRIPT, by which versions before 7 fill their replicas' caches of scripts, which have no place here: who runs a
//! script finds it unknown and sends it again.

use std::time::Duration;

use tokio::time::Instant;

use super::link::Link;
use super::{FollowError, Place, Progress, absolute};
use crate::clock::Millis;
use crate::command::apply::Applier;
use crate::command::context::Context;
use crate::log::FsyncPolicy;
use crate::resp::request::write_request;
use crate::resp::{Args, Limits, OwnedRequest, Parsed, RequestParser, Span};

/// How often the primary is told how far we are.
const ACK_EVERY: Duration = Duration::from_secs(1);
/// Most requests that run before others of the thread get their turn.
const REQUESTS_MAX: usize = 1024;

/// One whole request among the bytes that have come.
#[derive(Debug)]
struct Request {
    /// Where its first byte is.
    start: usize,
    /// Its first span, and the one behind its last.
    spans: (usize, usize),
    /// What it is for.
    purpose: Purpose,
}

#[derive(Debug)]
enum Purpose {
    /// To be run as it came.
    Run,
    /// To be run in this form.
    Changed(OwnedRequest),
    /// To be told how far we are.
    Ack,
    /// Nothing.
    Sign,
}

/// Applies what comes until the link ends.
///
/// # Errors
/// Why it ended; `place` is behind the last write that took effect.
pub(super) async fn apply(
    context: &Context,
    link: &mut Link,
    place: &mut Place,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(), FollowError> {
    let mut stream = Stream { parser: RequestParser::new(), applier: Applier::new(place.db), passed: 0 };
    // Why at once: only then does a primary that sent its data set without a file send what follows.
    stream.acknowledge(context, link, place).await?;
    let mut next_ack = Instant::now() + ACK_EVERY;
    loop {
        let more = stream.turn(context, link, place, progress).await?;
        if Instant::now() >= next_ack {
            stream.acknowledge(context, link, place).await?;
            next_ack = Instant::now() + ACK_EVERY;
        }
        if link.is_stopped() {
            return Ok(());
        }
        if more {
            tokio::task::yield_now().await;
        } else {
            link.more(next_ack).await?;
        }
    }
}

struct Stream {
    parser: RequestParser,
    applier: Applier,
    /// Bytes that were passed over since `place`, because their transaction has not ended.
    passed: u64,
}

impl Stream {
    /// Runs what is there, as much as is run at a time; tells whether there may be more.
    async fn turn(
        &mut self,
        context: &Context,
        link: &mut Link,
        place: &mut Place,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<bool, FollowError> {
        let now = Millis::now();
        let (requests, spans, scanned) = scan(&mut self.parser, link.unread(), now)?;
        if let Some(delay) = context.engine().write_delay() {
            tokio::time::sleep(delay).await;
        }
        let mut wants_ack = false;
        let mut at = 0;
        let mut ran = Ok(());
        while ran.is_ok() && at < requests.len() {
            let run = requests[at..].iter().take_while(|request| request.is_run()).count();
            let bytes = link.unread();
            let writes: Vec<_> = requests[at..at + run].iter().map(|one| one.args(bytes, &spans)).collect();
            let (done, outcome) = self.applier.run(context, now, &writes);
            ran = outcome;
            at += done;
            if ran.is_ok()
                && let Some(request) = requests.get(at)
            {
                wants_ack |= matches!(request.purpose, Purpose::Ack);
                at += 1;
            }
        }
        let taken = if at == requests.len() { scanned } else { requests[at].start };
        let multi = requests[..at]
            .iter()
            .rev()
            .find(|one| one.args(link.unread(), &spans).name().eq_ignore_ascii_case(b"multi"))
            .filter(|_| self.applier.is_in_multi());
        self.pass(taken, multi.map(|multi| multi.start), place);
        link.take(taken);
        ran?;
        if taken > 0 {
            progress(Progress::Live { offset: place.offset });
        }
        if wants_ack {
            self.acknowledge(context, link, place).await?;
        }
        Ok(requests.len() == REQUESTS_MAX)
    }

    /// Counts `taken` bytes that were passed over; the transaction that has begun in them, if any, began at `multi`.
    fn pass(&mut self, taken: usize, multi: Option<usize>, place: &mut Place) {
        let counted = match (self.applier.is_in_multi(), multi) {
            (false, _) => taken,
            (true, Some(multi)) => multi,
            (true, None) => {
                self.passed += taken as u64;
                return;
            }
        };
        place.offset += self.passed + counted as u64;
        place.db = self.applier.db();
        self.passed = (taken - counted) as u64;
    }

    /// Tells the primary how far we are. Under `fsync always` that is what is on stable storage.
    async fn acknowledge(
        &self,
        context: &Context,
        link: &mut Link,
        place: &Place,
    ) -> Result<(), FollowError> {
        let engine = context.database();
        if engine.fsync() == FsyncPolicy::Always {
            engine.wait_durable(self.applier.seen()).await?;
        }
        let mut ack = Vec::new();
        write_request(&mut ack, &[&b"REPLCONF"[..], b"ACK", place.offset.to_string().as_bytes()]);
        Ok(link.send(&ack).await?)
    }
}

impl Request {
    fn is_run(&self) -> bool {
        matches!(self.purpose, Purpose::Run | Purpose::Changed(_))
    }

    fn args<'r>(&'r self, bytes: &'r [u8], spans: &'r [Span]) -> Args<'r> {
        match &self.purpose {
            Purpose::Changed(request) => request.as_args(),
            _ => Args::new(&bytes[self.start..], &spans[self.spans.0..self.spans.1]),
        }
    }
}

/// Finds whole requests at the start of `bytes`, with their spans; gives how many bytes they have.
fn scan(
    parser: &mut RequestParser,
    bytes: &[u8],
    now: Millis,
) -> Result<(Vec<Request>, Vec<Span>, usize), FollowError> {
    const BYTES_MAX: usize = u32::MAX as usize;
    // Why so wide: the primary has taken it. What is held is in proportion to what has come.
    let limits = Limits {
        bulk_bytes_max: BYTES_MAX,
        args_max: BYTES_MAX,
        query_buffer_bytes_max: BYTES_MAX,
        ..Limits::default()
    };
    let (mut requests, mut spans, mut at) = (Vec::new(), Vec::new(), 0);
    while at < bytes.len() && requests.len() < REQUESTS_MAX {
        let (start, first) = (at, spans.len());
        let purpose = match parser.parse(&bytes[at..], &limits, &mut spans)? {
            Parsed::Incomplete { .. } => break,
            Parsed::Empty { consumed } => {
                at += consumed;
                continue;
            }
            Parsed::Inline { consumed, request } => {
                at += consumed;
                Purpose::Changed(*request)
            }
            Parsed::Request { consumed } => {
                at += consumed;
                purpose(Args::new(&bytes[start..], &spans[first..]), now)
            }
        };
        requests.push(Request { start, spans: (first, spans.len()), purpose });
    }
    Ok((requests, spans, at))
}

fn purpose(args: Args<'_>, now: Millis) -> Purpose {
    let is = |at: usize, word: &[u8]| args.get(at).is_some_and(|arg| arg.eq_ignore_ascii_case(word));
    if is(0, b"ping") {
        Purpose::Sign
    } else if is(0, b"replconf") && is(1, b"getack") {
        Purpose::Ack
    } else if is(0, b"script") && (is(1, b"load") || is(1, b"flush")) {
        Purpose::Sign
    } else {
        absolute::rewritten(args, now).map_or(Purpose::Run, Purpose::Changed)
    }
}
