//! What is kept of a command that ran: its counts and latencies for INFO, and the slow log.
//!
//! The executor notes each command when it has run, EXEC those that it ran, and the connection those whose end it
//! was left to see. Commands are noted once, when what they did has taken effect.

use crate::clock::{Millis, Stopwatch};
use crate::command::clients::ClientHandle;
use crate::command::context::Context;
use crate::command::slowlog::SlowLog;
use crate::command::spec::{CommandSpec, Flags};
use crate::command::stats::LocalStats;
use crate::resp::{Args, OwnedRequest};
use std::time::Duration;

/// A command that ran.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ran<'a> {
    /// Which.
    pub(super) spec: &'static CommandSpec,
    /// Its request.
    pub(super) args: Args<'a>,
    /// How long it took, in nanoseconds.
    pub(super) nanos: u64,
    /// Whether it answered with an error.
    pub(super) failed: bool,
}

/// Keeps what is to be kept of a command that ended at `now`; `stats` are the calling thread's.
#[inline]
pub(super) fn note(
    context: &Context,
    stats: LocalStats<'_>,
    client: &ClientHandle,
    now: Millis,
    ran: Ran<'_>,
) {
    let Ran { spec, args, nanos, failed } = ran;
    stats.call(spec.index(), nanos, failed);
    let settings = &context.settings;
    if settings.latency_tracking() {
        stats.latency(spec.index(), nanos);
    }
    if SlowLog::is_slow(nanos, settings.slowlog_log_slower_than())
        && !spec.flags.contains(Flags::SKIP_SLOWLOG)
    {
        let elapsed = Duration::from_nanos(nanos);
        context.slowlog.add(args, elapsed, now, client, settings.slowlog_max_len() as usize);
    }
}

/// A command that has left its reply to its connection.
#[derive(Debug)]
pub struct Unfinished {
    spec: &'static CommandSpec,
    request: OwnedRequest,
    time: Time,
    muted: bool,
}

/// How long a command has taken when it ends.
#[derive(Debug)]
enum Time {
    /// Since this was started.
    Worked(Stopwatch),
    /// So many nanoseconds; then it only waited. Waiting for others is no slowness, in Redis neither.
    Waited(u64),
}

impl Unfinished {
    /// A command that began with the watch; `muted` where the client wants no reply to it. `waits` where from now on it
    /// does nothing but to wait.
    pub(super) fn new(
        spec: &'static CommandSpec,
        args: Args<'_>,
        mut watch: Stopwatch,
        waits: bool,
        muted: bool,
    ) -> Self {
        let time = if waits { Time::Waited(watch.lap_nanos()) } else { Time::Worked(watch) };
        Self { spec, request: args.to_owned_request(), time, muted }
    }

    /// Whether the reply is to be thrown away.
    pub fn is_muted(&self) -> bool {
        self.muted
    }

    /// Keeps what is to be kept of the command, which has ended now, with this error if it failed.
    pub fn end(self, context: &Context, client: &ClientHandle, error: Option<&str>) {
        let stats = context.stats.local();
        if let Some(error) = error {
            stats.error(error);
        }
        let ran = Ran {
            spec: self.spec,
            args: self.request.as_args(),
            nanos: match self.time {
                Time::Worked(mut watch) => watch.lap_nanos(),
                Time::Waited(nanos) => nanos,
            },
            failed: error.is_some(),
        };
        note(context, stats, client, Millis::now(), ran);
    }
}
