//! The load generator.
//!
//! | file | one idea |
//! |---|---|
//! | `requests` | pipelines that are written once, with new keys put in |
//! | `replies` | counting whole replies in a stream of bytes |
//! | `connection` | one connection: send, count, note the time |
//! | `alarm` | a timer that is exact enough for an open loop |
//!
//! Each of its threads runs a runtime of its own with its share of the connections, and shares nothing with the others
//! but the counter of keys that are to be written once. It tells how busy its threads were ([`Outcome::busy`]), so that
//! a figure which shows the generator's limit and not the server's can be seen as one.

mod alarm;
mod connection;
mod replies;
mod requests;

use std::cell::RefCell;
use std::io;
use std::net::{Ipv4Addr, TcpStream as StdStream};
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rustix::time::{ClockId, clock_gettime};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};

use connection::{Broken, Tally, Timing};
pub(crate) use requests::{Command, DataSet};
use requests::{Order, Pipeline};

use crate::error::BenchError;
use crate::interrupt;
use crate::servers::Server;

/// Longest latency that is told from longer ones.
const LATENCY_NANOS_MAX: u64 = 60_000_000_000;

/// Decimal digits of a latency that are kept.
const LATENCY_DIGITS: u8 = 3;

/// Time in which all threads of the generator have started.
const GENERATOR_START: Duration = Duration::from_millis(20);

/// A load to be put on a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// What is asked.
    pub(crate) command: Command,
    /// Of which keys.
    pub(crate) data: DataSet,
    /// Requests that are sent at once.
    pub(crate) pipeline: usize,
    /// Connections.
    pub(crate) clients: usize,
    /// Threads that share them.
    pub(crate) threads: usize,
    /// How often, and how long.
    pub(crate) pace: Pace,
}

/// When requests are sent, and when they end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// For random keys, as fast as the server answers, for so long.
    Flat(Duration),
    /// Once for each key, as fast as the server answers.
    EachKeyOnce,
    /// For random keys, at a fixed rate whatever the server does, for so long.
    Steady {
        /// Operations in a second.
        rate: f64,
        /// How long.
        time: Duration,
    },
}

impl Pace {
    /// Time before the first request is due. Why any: the generator's own start must not count as the server's
    /// latency.
    fn delay(&self) -> Duration {
        match self {
            Self::Flat(_) | Self::EachKeyOnce => Duration::ZERO,
            Self::Steady { .. } => GENERATOR_START,
        }
    }
}

/// What came of a load.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Replies, none of them an error.
    pub(crate) operations: u64,
    /// From before the first request until after the last reply.
    pub(crate) elapsed: Duration,
    /// Nanoseconds from sending, or from when that was due, to the reply.
    pub(crate) latencies: Histogram<u64>,
    /// Processor time of the generator's threads.
    pub(crate) cpu: Duration,
    /// How many these are.
    pub(crate) threads: usize,
}

impl Outcome {
    /// Operations in a second.
    pub(crate) fn throughput(&self) -> f64 {
        self.operations as f64 / self.elapsed.as_secs_f64()
    }

    /// Part of their time in which the generator's threads were busy: 1 is all that they can do.
    pub(crate) fn busy(&self) -> f64 {
        self.cpu.as_secs_f64() / (self.elapsed.as_secs_f64() * self.threads as f64)
    }
}

impl Load {
    /// Puts it on `server`, and waits for its end.
    ///
    /// # Errors
    /// The first error reply, missing value or broken connection; [`BenchError::Interrupted`].
    pub(crate) fn run(&self, server: &Server) -> Result<Outcome, BenchError> {
        let mut streams = Vec::with_capacity(self.clients);
        for _ in 0..self.clients {
            streams.push(connect(server.port()).map_err(BenchError::connection(server.name()))?);
        }
        let counter = Arc::default();
        let started = Instant::now();
        let mut shares: Vec<Vec<Seed>> = Vec::new();
        shares.resize_with(self.threads.min(self.clients), Vec::new);
        for (index, stream) in streams.into_iter().enumerate() {
            let order = match self.pace {
                Pace::EachKeyOnce => Order::Once(Arc::clone(&counter)),
                Pace::Flat(_) | Pace::Steady { .. } => Order::Random(fastrand::Rng::new()),
            };
            let pipeline = Pipeline::new(self.command, self.data, self.pipeline, order);
            let threads = shares.len();
            shares[index % threads].push(Seed { stream, pipeline, timing: self.timing(started, index) });
        }
        let threads: Vec<_> = shares.into_iter().map(|share| thread::spawn(move || drive(share))).collect();
        // Why all before the first error: a thread that is left alone would go on loading the server.
        let ends: Vec<_> = threads.into_iter().map(thread::JoinHandle::join).collect();
        let elapsed = started.elapsed().saturating_sub(self.pace.delay());
        interrupt::check()?;
        let mut outcome = Outcome {
            operations: 0,
            elapsed,
            latencies: latencies(),
            cpu: Duration::ZERO,
            threads: ends.len(),
        };
        for end in ends {
            let Ok(end) = end else {
                return Err(BenchError::Generator(io::Error::other("a thread panicked")));
            };
            let (latencies, cpu) = end.map_err(|broken| of_server(server, broken))?;
            outcome.operations += latencies.len();
            outcome.cpu += cpu;
            // Why it cannot fail: both have the same bounds.
            outcome
                .latencies
                .add(&latencies)
                .map_err(|error| BenchError::Generator(io::Error::other(error)))?;
        }
        Ok(outcome)
    }

    fn timing(&self, started: Instant, index: usize) -> Timing {
        match self.pace {
            Pace::Flat(time) => Timing::Closed { end: Some(started + time) },
            Pace::EachKeyOnce => Timing::Closed { end: None },
            Pace::Steady { rate, time } => {
                let interval = Duration::from_secs_f64((self.pipeline * self.clients) as f64 / rate);
                let begin = started + self.pace.delay();
                let first = begin + interval.mul_f64(index as f64 / self.clients as f64);
                Timing::Open { first, interval, end: begin + time }
            }
        }
    }
}

/// What a connection is made of, before its thread has a runtime.
#[derive(Debug)]
struct Seed {
    stream: StdStream,
    pipeline: Pipeline,
    timing: Timing,
}

fn connect(port: u16) -> io::Result<StdStream> {
    let stream = StdStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// Runs a thread's share of the connections to their ends; tells their latencies and the thread's processor time.
fn drive(seeds: Vec<Seed>) -> Result<(Histogram<u64>, Duration), Broken> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let tally = Rc::new(Tally { latencies: RefCell::new(latencies()) });
    let tasks = LocalSet::new();
    let connections = tasks.run_until(async {
        let mut running = JoinSet::new();
        for Seed { stream, pipeline, timing } in seeds {
            let stream = TcpStream::from_std(stream)?;
            let tally = Rc::clone(&tally);
            running.spawn_local(async move { connection::run(stream, pipeline, timing, &tally).await });
        }
        while let Some(end) = running.join_next().await {
            end.map_err(io::Error::other)??;
        }
        Ok::<_, Broken>(())
    });
    runtime.block_on(connections)?;
    let cpu = clock_gettime(ClockId::ThreadCPUTime);
    let latencies = tally.latencies.replace(latencies());
    Ok((latencies, Duration::new(cpu.tv_sec as u64, cpu.tv_nsec as u32)))
}

/// No latencies yet.
pub(crate) fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_NANOS_MAX, LATENCY_DIGITS).expect("these bounds are valid")
}

fn of_server(server: &Server, broken: Broken) -> BenchError {
    match broken {
        Broken::Socket(source) => BenchError::connection(server.name())(source),
        Broken::Refused(refused) => {
            BenchError::ErrorReply { server: server.name().to_owned(), message: refused.to_string() }
        }
    }
}
