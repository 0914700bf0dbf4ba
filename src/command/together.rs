//! Commands of a pipeline that are about one key and follow each other: they run in one attempt.
//!
//! Each has its own reply, events, counts and errors; what they have in common is the version of the key that they make
//! and the record that tells of it ([`crate::engine::Group`]). Nobody can tell the difference but by what it costs, and
//! by this: whoever looks at the key finds what all of them did, or nothing. (Of `maxmemory` they are asked before the
//! first has run, so a group may go beyond it by what [`REQUEST_BYTES_MAX`] allows.)
//!
//! Only commands that name one key and touch no other take part, and none that may have to wait. Where somebody waits
//! for a key, where a client wants no replies, has subscriptions or is inside MULTI, and where lookups in vain are told,
//! each command runs by itself.

use std::sync::OnceLock;

use smallvec::SmallVec;

use crate::command::account::{self, Ran};
use crate::command::bind;
use crate::command::call::{Call, CommandError};
use crate::command::dispatch::{Flow, Named, Run, engine_error};
use crate::command::session::Session;
use crate::command::spec::{CommandSpec, Flags};
use crate::command::table;
use crate::engine::{EngineError, Lookups};
use crate::resp::{Args, ReplyBuf};
use crate::store::keyspace::Wanted;

/// Longer requests run by themselves: there is little to win, and a group that loses is run again.
const REQUEST_ARGS_MAX: usize = 64;
const REQUEST_BYTES_MAX: usize = 4096;

/// The commands that take part. Each names one key, its first argument, and touches no other.
const COMMANDS: &[&str] = &[
    "decr",
    "decrby",
    "hdel",
    "hexists",
    "hget",
    "hincrby",
    "hincrbyfloat",
    "hlen",
    "hmget",
    "hmset",
    "hset",
    "hsetnx",
    "hstrlen",
    "incr",
    "incrby",
    "lindex",
    "llen",
    "lpop",
    "lpush",
    "lpushx",
    "lset",
    "rpop",
    "rpush",
    "rpushx",
    "sadd",
    "scard",
    "sismember",
    "smismember",
    "srem",
    "zadd",
    "zcard",
    "zincrby",
    "zmscore",
    "zrank",
    "zrem",
    "zrevrank",
    "zscore",
];

/// Whether a command takes part.
#[inline]
fn takes_part(spec: &CommandSpec) -> bool {
    static TAKE_PART: OnceLock<Box<[bool]>> = OnceLock::new();
    let take_part = TAKE_PART.get_or_init(|| {
        let mut take_part = vec![false; table::COUNT].into_boxed_slice();
        for name in COMMANDS {
            let spec = table::by_full_name(name.as_bytes()).expect("only commands of the table take part");
            take_part[spec.index()] = true;
        }
        take_part
    });
    take_part[spec.index()]
}

/// A command that ran, should the attempt take effect.
struct Called {
    nanos: u64,
    error: Option<CommandError>,
    /// Keys that it looked for.
    lookups: Lookups,
}

impl Run<'_> {
    /// How many of the requests, from the first on, are to run together.
    fn together(&self, session: &Session, requests: &[Args<'_>], specs: &[Named]) -> usize {
        let Some(first) = specs[0].0.filter(|spec| takes_part(spec)) else { return 1 };
        let Some(key) = requests[0].get(1) else { return 1 };
        if !self.may_run(session, requests[0], first)
            || session.multi.is_some()
            || session.subscriptions.is_some()
            || session.mutes_reply()
            || self.somebody_waits
            || self.tells_misses
            || self.is_monitored
        {
            return 1;
        }
        let others = requests.iter().zip(specs).skip(1).take_while(|&(&request, &(spec, _))| {
            let spec = spec.filter(|spec| takes_part(spec) && request.get(1) == Some(key));
            spec.is_some_and(|spec| self.may_run(session, request, spec))
        });
        1 + others.count()
    }

    fn may_run(&self, session: &Session, request: Args<'_>, spec: &CommandSpec) -> bool {
        request.len() <= REQUEST_ARGS_MAX
            && request.bytes_len() <= REQUEST_BYTES_MAX
            && self.check(session, request, spec).is_ok()
            && self.hold_up(session, spec).is_none()
    }

    /// Runs the first request and those behind that are about the same key together, or as many of them as can be; gives
    /// how many it ran: none if the first is to run by itself.
    ///
    /// # Errors
    /// What the connection has to do before it tries again.
    // Why not inline: what each command runs through stays small.
    #[inline(never)]
    pub(super) fn run_together(
        &mut self,
        session: &mut Session,
        requests: &[Args<'_>],
        (specs, keys): (&[Named], &[Wanted<'_>]),
        reply: &mut ReplyBuf,
    ) -> Result<usize, Flow> {
        let mut count = self.together(session, requests, specs);
        let wanted = keys.get(usize::from(specs[0].1));
        while count > 1 {
            let calls: SmallVec<[_; 32]> = requests[..count]
                .iter()
                .zip(specs)
                .filter_map(|(&args, &(spec, _))| Some((args, spec?)))
                .collect();
            match self.attempt_together(session, (&calls, wanted), reply) {
                Ok(None) => return Ok(count),
                // Why those before it again: they were not at fault.
                Ok(Some(spoiler)) => count = spoiler,
                Err(EngineError::Paused) => return Err(Flow::Paused),
                // Why by itself: of those that only read, nothing is refused.
                Err(EngineError::Follows) => count = 1,
                Err(error) => {
                    let text = engine_error(&error);
                    for &(args, spec) in &calls {
                        self.fail(reply, &text);
                        session.begin_command(spec);
                        session.count_commands(1);
                        let ran = Ran { spec, args, nanos: self.watch.lap_nanos(), failed: true };
                        account::note(self.context, self.stats, &session.client, self.batch.now(), ran);
                    }
                    return Ok(count);
                }
            }
        }
        Ok(0)
    }

    /// Runs the calls in one attempt until it takes effect. Gives the one that spoiled it, if nothing did.
    fn attempt_together(
        &mut self,
        session: &mut Session,
        (calls, wanted): (&[(Args<'_>, &'static CommandSpec)], Option<&Wanted<'_>>),
        reply: &mut ReplyBuf,
    ) -> Result<Option<usize>, EngineError> {
        let Self { context, batch, watch, .. } = self;
        let context = *context;
        let start = reply.mark();
        let mut ran = SmallVec::<[Called; 32]>::new();
        let result = batch.run_group(wanted, |group| {
            reply.truncate(start);
            session.abandon_outgoing();
            ran.clear();
            for &(args, spec) in calls {
                let (mark, published, before) = (reply.mark(), session.outgoing_len(), group.lookups());
                let result = group.command(|txn| {
                    let mut call = Call { txn, args, reply, session, context, later: None };
                    let result = (bind::of(spec).handler)(&mut call);
                    debug_assert!(call.later.is_none(), "a command that takes part never waits");
                    result
                });
                if let Err(error) = &result {
                    session.recall(published);
                    reply.truncate(mark);
                    reply.error(&error.to_string());
                }
                let lookups = group.lookups().since(before);
                ran.push(Called { nanos: watch.lap_nanos(), error: result.err(), lookups });
                if !group.goes_on() {
                    break;
                }
            }
        });
        if !matches!(result, Ok(Some(()))) {
            session.abandon_outgoing();
            reply.truncate(start);
            self.batch.take_lookups();
            return result.map(|_| Some(ran.len() - 1));
        }
        debug_assert_eq!(ran.len(), calls.len(), "an attempt that is broken off takes no effect");
        self.batch.take_lookups();
        if let Some(last) = ran.last_mut() {
            last.nanos += self.watch.lap_nanos();
        }
        for (&(args, spec), call) in calls.iter().zip(ran) {
            self.account_together(session, args, spec, call);
        }
        if session.outgoing.is_some() {
            session.deliver_outgoing(context, self.batch.seen(), self.batch.now(), reply);
        }
        Ok(None)
    }

    #[inline]
    fn account_together(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        spec: &'static CommandSpec,
        call: Called,
    ) {
        session.begin_command(spec);
        session.count_commands(1);
        if spec.flags.contains(Flags::READONLY) {
            self.lookups.hits += call.lookups.hits;
            self.lookups.misses += call.lookups.misses;
        }
        let failed = call.error.is_some();
        if let Some(error) = call.error {
            self.stats.error(&error.to_string());
        }
        let ran = Ran { spec, args, nanos: call.nanos, failed };
        account::note(self.context, self.stats, &session.client, self.batch.now(), ran);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_take_part_name_one_key_and_never_wait() {
        for name in COMMANDS {
            let spec = table::by_full_name(name.as_bytes()).expect("a command of the table");
            assert_eq!((spec.key_range.first, spec.key_range.last), (1, 1), "{name}");
            assert!(!spec.flags.contains(Flags::BLOCKING), "{name}");
            assert!(bind::of(spec).course == bind::Course::Ordinary, "{name}");
        }
    }
}
