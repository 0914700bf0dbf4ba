//! One connection of the load: sends pipelines, counts what comes back, and notes how long it took.

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::alarm::Alarm;
use super::replies::{Refused, ReplyCounter};
use super::requests::Pipeline;
use crate::interrupt;

/// Bytes read at once: more than a pipeline's replies.
const READ_BYTES: usize = 32 << 10;

/// What ends a connection before its time.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The connection itself.
    #[error(transparent)]
    Socket(#[from] io::Error),
    /// What the server said.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// When pipelines are sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Timing {
    /// Each as soon as the one before is answered, and none after `end`.
    Closed { end: Option<Instant> },
    /// One at `first` and after each `interval`, before `end`; what is late goes at once, its delay counted.
    Open { first: Instant, interval: Duration, end: Instant },
}

/// What the connections of one thread count together.
#[derive(Debug)]
pub(super) struct Tally {
    /// Nanoseconds from sending, or from when that was due, to the reply.
    pub(super) latencies: RefCell<Histogram<u64>>,
}

/// Sends until it is time to end.
pub(super) async fn run(
    stream: TcpStream,
    mut pipeline: Pipeline,
    timing: Timing,
    tally: &Tally,
) -> Result<(), Broken> {
    let mut connection =
        Connection { stream, counter: ReplyCounter::default(), buffer: vec![0; READ_BYTES], tally };
    match timing {
        Timing::Closed { end } => {
            let mut sent = Instant::now();
            while end.is_none_or(|end| sent < end) && !interrupt::requested() {
                let Some((bytes, count)) = pipeline.next() else { break };
                sent = connection.exchange(bytes, count, sent).await?;
            }
        }
        Timing::Open { first, interval, end } => {
            let alarm = Alarm::new()?;
            let mut due = first;
            while due < end && !interrupt::requested() {
                let Some((bytes, count)) = pipeline.next() else { break };
                alarm.wait_until(due).await?;
                connection.exchange(bytes, count, due).await?;
                due += interval;
            }
        }
    }
    Ok(())
}

struct Connection<'a> {
    stream: TcpStream,
    counter: ReplyCounter,
    buffer: Vec<u8>,
    tally: &'a Tally,
}

impl Connection<'_> {
    /// Sends requests and waits for as many replies, noting each one's time since `from`; tells when the last came.
    async fn exchange(&mut self, bytes: &[u8], count: usize, from: Instant) -> Result<Instant, Broken> {
        self.stream.write_all(bytes).await?;
        let mut left = count;
        loop {
            let length = self.stream.read(&mut self.buffer).await?;
            if length == 0 {
                return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
            }
            let whole = self.counter.count(&self.buffer[..length])?;
            let now = Instant::now();
            let nanos = now.saturating_duration_since(from).as_nanos() as u64;
            self.tally.latencies.borrow_mut().saturating_record_n(nanos, whole as u64);
            left = left.saturating_sub(whole);
            if left == 0 {
                return Ok(now);
            }
        }
    }
}
