//! What the server counts for INFO: commands, errors, connections, bytes.
//!
//! Counters are striped: each thread writes to cache lines of its own, with a plain load and store, so counting a
//! command costs no locked instruction and moves no line between cores. Reading adds the stripes up.
//!
//! Nothing ever sets a counter back, which would race with its owner: CONFIG RESETSTAT remembers the present
//! totals, and what is shown is the difference to them.
//!
//! | operation | progress |
//! |---|---|
//! | [`LocalStats::add`], [`LocalStats::call`], [`LocalStats::rejected`] | wait-free (first use on a thread allocates) |
//! | [`LocalStats::error`] | blocking, on a lock that is the thread's own |
//! | [`Stats::totals`], [`Stats::reset`], [`Stats::sample`] | blocking, against each other only |

pub mod histogram;
mod rates;
mod slot;
mod stripe;
mod totals;

pub use rates::Rates;
pub use totals::{CommandTotals, Totals};

use crate::sync::{AtomicU64, Ordering};
use rates::Sampler;
use slot::Slot;
use std::marker::PhantomData;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;
use stripe::Stripe;

/// Threads that have a stripe of their own; all others share one more.
const OWN_STRIPES: usize = 64;

/// A plain counter of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Counter {
    /// Connections accepted.
    ConnectionsReceived,
    /// Connections refused because of `maxclients`.
    ConnectionsRejected,
    /// Bytes read from clients.
    NetInputBytes,
    /// Bytes written to clients.
    NetOutputBytes,
    /// Bytes of a primary's data read from it.
    ReplicationInputBytes,
    /// Bytes of this server's data written to replicas.
    ReplicationOutputBytes,
    /// Successful reads from sockets.
    Reads,
    /// Successful writes to sockets.
    Writes,
    /// Keys looked up and found.
    KeyspaceHits,
    /// Keys looked up and not found.
    KeyspaceMisses,
    /// Connections closed because their query buffer passed its limit.
    QueryBufferDisconnections,
    /// Connections closed because their output buffer passed its limit.
    OutputBufferDisconnections,
    /// Requests that broke the protocol.
    ProtocolErrors,
}

impl Counter {
    /// How many counters there are.
    pub const COUNT: usize = Self::ProtocolErrors as usize + 1;
}

/// All counters of one server.
#[derive(Debug)]
pub struct Stats {
    own: [OnceLock<Box<Stripe>>; OWN_STRIPES],
    shared: Box<Stripe>,
    /// What the counters were at the last reset.
    baseline: Mutex<Totals>,
    sampler: Mutex<Sampler>,
    peak_memory_bytes: AtomicU64,
}

impl Default for Stats {
    fn default() -> Self {
        Self::new()
    }
}

impl Stats {
    /// Counters that are all zero.
    pub fn new() -> Self {
        Self {
            own: std::array::from_fn(|_| OnceLock::new()),
            shared: Box::default(),
            baseline: Mutex::default(),
            sampler: Mutex::new(Sampler::new(Instant::now())),
            peak_memory_bytes: AtomicU64::new(0),
        }
    }

    /// The calling thread's counters. Fetch them once per batch.
    #[inline]
    pub fn local(&self) -> LocalStats<'_> {
        let slot = Slot::of_this_thread();
        match self.own.get(slot) {
            Some(own) => {
                LocalStats { stripe: own.get_or_init(Box::default), exclusive: true, not_send: PhantomData }
            }
            None => LocalStats { stripe: &self.shared, exclusive: false, not_send: PhantomData },
        }
    }

    /// Everything counted since the start or the last reset.
    pub fn totals(&self) -> Totals {
        let baseline = self.baseline.lock().unwrap_or_else(PoisonError::into_inner);
        self.since_start().since(&baseline)
    }

    /// Sets everything back to zero (CONFIG RESETSTAT).
    pub fn reset(&self) {
        let mut baseline = self.baseline.lock().unwrap_or_else(PoisonError::into_inner);
        *baseline = self.since_start();
    }

    fn since_start(&self) -> Totals {
        let mut totals = Totals::default();
        for stripe in self.own.iter().filter_map(OnceLock::get) {
            stripe.add_to(&mut totals);
        }
        self.shared.add_to(&mut totals);
        totals
    }

    /// Takes a sample for the "instantaneous" figures and the memory peak; a timer calls this ten times a second.
    pub fn sample(&self, now: Instant, used_memory_bytes: u64) {
        // Relaxed: a figure to show.
        self.peak_memory_bytes.fetch_max(used_memory_bytes, Ordering::Relaxed);
        let (mut commands, mut counters) = (0, [0; Counter::COUNT]);
        for stripe in self.own.iter().filter_map(OnceLock::get).chain([&self.shared]) {
            commands += stripe.calls();
            stripe.add_counters(&mut counters);
        }
        let bytes = |counter: Counter| counters[counter as usize];
        let followed = bytes(Counter::ReplicationInputBytes);
        let fed = bytes(Counter::ReplicationOutputBytes);
        let (input, output) = (bytes(Counter::NetInputBytes), bytes(Counter::NetOutputBytes));
        let mut sampler = self.sampler.lock().unwrap_or_else(PoisonError::into_inner);
        sampler.push(now, [commands, input, output, followed, fed]);
    }

    /// How much happened per second, over the last one and a half seconds.
    pub fn rates(&self) -> Rates {
        self.sampler.lock().unwrap_or_else(PoisonError::into_inner).rates()
    }

    /// The most memory that any sample found in use.
    pub fn peak_memory_bytes(&self) -> u64 {
        // Relaxed: a figure to show.
        self.peak_memory_bytes.load(Ordering::Relaxed)
    }
}

/// The counters of the thread that fetched them. Not `Send`: another thread must not write to them.
#[derive(Clone, Copy, Debug)]
pub struct LocalStats<'a> {
    stripe: &'a Stripe,
    /// Invariant: true only where the calling thread holds the slot of this stripe, so nobody else writes to it.
    exclusive: bool,
    not_send: PhantomData<*const ()>,
}

impl LocalStats<'_> {
    /// Adds to a counter.
    #[inline]
    pub fn add(self, counter: Counter, amount: u64) {
        self.bump(self.stripe.counter(counter), amount);
    }

    /// Counts a command that ran: [`crate::command::spec::CommandSpec::index`], how many nanoseconds it took,
    /// whether it answered with an error.
    #[inline]
    pub fn call(self, command: usize, nanos: u64, failed: bool) {
        let cell = self.stripe.command(command);
        self.bump(&cell.calls, 1);
        self.bump(&cell.nanos, nanos);
        if failed {
            self.bump(&cell.failed, 1);
        }
    }

    /// Counts a latency for the command's histogram (`latency-tracking`).
    #[inline]
    pub fn latency(self, command: usize, nanos: u64) {
        let histogram = self.stripe.histogram(command);
        self.bump(histogram.bucket(nanos), 1);
    }

    /// Counts a command that was refused before it ran: wrong arity, no permission, queue broken, out of memory.
    pub fn rejected(self, command: usize) {
        self.bump(&self.stripe.command(command).rejected, 1);
    }

    /// Counts an error reply under its code, which is its first word.
    pub fn error(self, message: &str) {
        self.stripe.count_error(message.split(' ').next().unwrap_or_default());
    }

    #[inline]
    fn bump(self, word: &AtomicU64, amount: u64) {
        // Relaxed: figures; readers take each word by itself.
        if self.exclusive {
            word.store(word.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
        } else {
            word.fetch_add(amount, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
