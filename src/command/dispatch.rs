//! From parsed requests to replies: the one place where commands are looked up, checked and run.
//!
//! A batch is what one read of a connection brought. It is executed in groups: the keys of a group are hashed and
//! their index slots, cells and versions are asked for before the first of its commands runs, so that the memory's
//! latency is paid once for the group instead of once per command. Within a batch the guard is held and the wall
//! clock is read once.

use std::time::{Duration, Instant};

use smallvec::SmallVec;

use crate::clock::{Millis, Stopwatch};
use crate::command::account::{self, Ran, Unfinished};
use crate::command::bind::{self, Course};
use crate::command::call::{Call, CommandError, Later};
use crate::command::context::Context;
use crate::command::pubsub;
use crate::command::replication::{self, Gate};
use crate::command::session::Session;
use crate::command::spec::{CommandSpec, Flags};
use crate::command::stats::{Counter, LocalStats};
use crate::command::{table, transactions};
use crate::engine;
use crate::engine::{Batch, Engine, EngineError, Lookups};
use crate::log::{FsyncPolicy, LogError};
use crate::lsn::Lsn;
use crate::resp::{Args, ReplyBuf};
use crate::settings::ClientClass;
use crate::store::keyspace::Wanted;

/// Requests whose keys are prefetched together.
const GROUP_REQUESTS: usize = 32;
/// Below this number of keys it costs more than it brings to fetch what their index slots lead to.
const CHAINED_KEYS_MIN: usize = 3;
/// Bytes of replies after which a batch ends, to be sent before more is executed.
const REPLY_BYTES_HIGH: usize = 256 * 1024;
/// Arguments and bytes of an unknown command that its error repeats.
const UNKNOWN_BYTES_MAX: usize = 128;

/// What the connection does after a batch.
pub enum Flow {
    /// Goes on.
    Continue,
    /// Lets those run whom the last command has called, before its reply is sent; then goes on.
    Called,
    /// Does this first, and ends the command that left it its reply.
    Later(Later, Option<Box<Unfinished>>),
    /// Waits for the end of CLIENT PAUSE, then goes on with the first request that was not taken.
    Paused,
    /// Waits so long, because stable storage is behind, then goes on with the first request that was not taken.
    Delay(Duration),
}

/// What became of a request, or of several that ran together.
enum Step {
    /// It has its reply.
    Done,
    /// The last that the batch runs.
    Stop(Flow),
    /// Not run; to be tried again.
    Refused(Flow),
}

/// Whether replies may have to wait for stable storage: whether [`durability`] is to be asked.
#[inline]
pub fn waits_for_storage(context: &Context) -> bool {
    context.engine().fsync() == FsyncPolicy::Always
}

/// The record that must be durable before the replies of the last batch are sent, under `fsync always`.
pub fn durability(context: &Context, session: &mut Session) -> Option<Lsn> {
    let seen = std::mem::replace(&mut session.seen, Lsn::ZERO);
    (seen > Lsn::ZERO && waits_for_storage(context)).then_some(seen)
}

/// Executes requests on the calling thread at `now` and writes their replies; gives how many it took, and what the
/// connection has to do next.
pub fn execute_batch(
    context: &Context,
    session: &mut Session,
    now: Millis,
    requests: &[Args<'_>],
    reply: &mut ReplyBuf,
) -> (usize, Flow) {
    let engine = context.engine();
    let batch = engine.batch(now, !session.no_touch);
    let mut run = Run {
        context,
        engine: &engine,
        gate: Gate::of(context, &batch),
        batch,
        stats: context.stats.local(),
        watch: Stopwatch::start(),
        held_up: engine.write_delay(),
        lookups: Lookups::default(),
        somebody_waits: engine.waited_keys() > 0,
        tells_misses: pubsub::tells_misses(context),
        is_monitored: context.monitors.are_there(),
    };
    let start = reply.mark();
    if session.subscriptions.is_some() {
        session.begin_batch_subscribed(reply);
    }
    if run.tells_misses {
        run.batch.note_misses();
    }
    let mut taken = 0;
    let mut flow = Flow::Continue;
    'batch: for group in requests.chunks(GROUP_REQUESTS) {
        let (mut specs, mut keys) = (Specs::new(), Keys::new());
        run.look_up(session, group, &mut specs, &mut keys);
        let mut at = 0;
        while at < group.len() {
            let mut ran = 1;
            let step = run.next(session, &group[at..], (&specs[at..], &keys), reply, &mut ran);
            at += ran;
            match step {
                Step::Done => {
                    taken += ran;
                    // Why after each command: who waits is served with what it brings, and not with what the next does.
                    if run.somebody_waits && engine::has_called() {
                        flow = Flow::Called;
                        break 'batch;
                    }
                }
                Step::Stop(then) => {
                    taken += 1;
                    flow = then;
                    break 'batch;
                }
                Step::Refused(then) => {
                    flow = then;
                    break 'batch;
                }
            }
            if reply.len() >= REPLY_BYTES_HIGH {
                break 'batch;
            }
        }
    }
    engine.tell_progress();
    session.seen = session.seen.max(run.batch.seen());
    session.note_written(&engine, run.batch.written());
    if session.tracks_lsn && run.batch.written() > Lsn::ZERO {
        replication::announce(session, &engine, reply, start);
    }
    run.stats.add(Counter::KeyspaceHits, run.lookups.hits);
    run.stats.add(Counter::KeyspaceMisses, run.lookups.misses);
    (taken, flow)
}

/// One batch at work.
pub(super) struct Run<'c> {
    pub(super) context: &'c Context,
    engine: &'c Engine,
    /// What replication forbids.
    gate: Gate,
    pub(super) batch: Batch<'c>,
    pub(super) stats: LocalStats<'c>,
    /// Runs since the last command ended.
    pub(super) watch: Stopwatch,
    /// How long writes are to be held back.
    held_up: Option<Duration>,
    /// Keys that reading commands looked for.
    pub(super) lookups: Lookups,
    /// Whether anybody waited for a key when the batch began.
    pub(super) somebody_waits: bool,
    /// Whether the keys are noted that are looked for in vain.
    pub(super) tells_misses: bool,
    /// Whether anybody monitored when the batch began.
    pub(super) is_monitored: bool,
}

/// The command that a request names, and the place of its first key among those of the group.
pub(super) type Named = (Option<&'static CommandSpec>, u8);

/// The commands of a group.
type Specs = SmallVec<[Named; GROUP_REQUESTS]>;

/// The place of the key of a command that names none.
const NO_KEY: u8 = u8::MAX;

/// The first keys of those of a group's requests that name any.
type Keys<'k> = SmallVec<[Wanted<'k>; GROUP_REQUESTS]>;

impl Run<'_> {
    /// Finds the commands of a group, and has what their keys lead to fetched.
    #[inline]
    fn look_up<'k>(&self, session: &Session, group: &[Args<'k>], specs: &mut Specs, keys: &mut Keys<'k>) {
        specs.extend(group.iter().map(|request| (table::lookup(request.name()), NO_KEY)));
        for (request, (spec, place)) in group.iter().zip(specs) {
            // Why only the first key: requests of several keys are few in a pipeline, and cost more anyway.
            if let Some(spec) = spec
                && spec.key_range.first == 1
                && let Some(key) = request.get(1)
            {
                *place = keys.len() as u8;
                let is_written = spec.flags.contains(Flags::WRITE);
                keys.push(self.batch.prefetch_slot(session.db, key, is_written));
            }
        }
        // Why not for fewer: it would wait for the slots, and there is enough to do until they have come.
        if keys.len() >= CHAINED_KEYS_MIN {
            self.batch.prefetch(session.db, keys);
        }
    }

    /// Runs the first request, or with it those behind that are about the same key; if so, `ran` is made their number.
    #[inline]
    fn next(
        &mut self,
        session: &mut Session,
        requests: &[Args<'_>],
        (specs, keys): (&[Named], &[Wanted<'_>]),
        reply: &mut ReplyBuf,
        ran: &mut usize,
    ) -> Step {
        if are_about_one_key(specs, keys) {
            match self.run_together(session, requests, (specs, keys), reply) {
                Ok(0) => {}
                Ok(count) => {
                    *ran = count;
                    return Step::Done;
                }
                Err(flow) => return Step::Refused(flow),
            }
        }
        let (spec, place) = specs[0];
        self.request(session, requests[0], (spec, keys.get(usize::from(place))), reply)
    }

    #[inline]
    fn request(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        (spec, wanted): (Option<&'static CommandSpec>, Option<&Wanted<'_>>),
        reply: &mut ReplyBuf,
    ) -> Step {
        let Some(spec) = spec else {
            self.refuse(session, reply, None, &unknown_command(args));
            return Step::Done;
        };
        let spec = if spec.is_container() {
            let Some(subcommand) = table::resolve(args) else {
                self.refuse(session, reply, Some(spec), &unknown_subcommand(spec, args));
                return Step::Done;
            };
            subcommand
        } else {
            spec
        };
        if let Err(error) = self.check(session, args, spec) {
            self.refuse(session, reply, Some(spec), &error.to_string());
            return Step::Done;
        }
        if session.multi.is_some() && !runs_inside_multi(spec) {
            return self.queue(session, args, spec, reply);
        }
        if let Some(flow) = self.hold_up(session, spec) {
            return Step::Refused(flow);
        }
        self.execute(session, args, (spec, wanted), reply)
    }

    /// Whether the command may run, or be queued.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "each command comes through it; measured")]
    pub(super) fn check(
        &self,
        session: &Session,
        args: Args<'_>,
        spec: &CommandSpec,
    ) -> Result<(), CommandError> {
        if !spec.accepts(args.len()) {
            return Err(CommandError::Arity(spec.full_name.to_owned()));
        }
        if !session.authenticated
            && !spec.flags.contains(Flags::NO_AUTH)
            && !self.context.settings.requirepass().is_empty()
        {
            return Err(CommandError::Text("NOAUTH Authentication required.".into()));
        }
        if session.multi.is_some() && spec.flags.contains(Flags::NO_MULTI) {
            return Err(CommandError::Text("ERR Command not allowed inside a transaction".into()));
        }
        if session.subscriptions.is_some() {
            pubsub::check_mode(session, spec)?;
        }
        if !self.gate.is_open() {
            self.gate.check(session, spec)?;
        }
        match self.context.settings.maxmemory() {
            0 => Ok(()),
            limit => self.check_memory(session, spec, limit),
        }
    }

    fn check_memory(&self, session: &Session, spec: &CommandSpec, limit: u64) -> Result<(), CommandError> {
        if !self.gate.follows() && may_grow(session, spec) && self.engine.used_memory_bytes() > limit {
            let text = "OOM command not allowed when used memory > 'maxmemory'.";
            return Err(CommandError::Text(text.into()));
        }
        Ok(())
    }

    /// Whether the command has to wait, for the end of a pause or for stable storage.
    #[inline]
    pub(super) fn hold_up(&self, session: &Session, spec: &CommandSpec) -> Option<Flow> {
        let writes =
            |spec: &CommandSpec| spec.flags.intersects(Flags::of(&[Flags::WRITE, Flags::MAY_REPLICATE]));
        let write = match &session.multi {
            Some(queue) if spec.name == "exec" => queue.requests.iter().any(|(spec, _)| writes(spec)),
            _ => writes(spec),
        };
        if write && let Some(delay) = self.held_up {
            return Some(Flow::Delay(delay));
        }
        self.context.pause.holds(write, Instant::now).then_some(Flow::Paused)
    }

    fn queue(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        spec: &'static CommandSpec,
        reply: &mut ReplyBuf,
    ) -> Step {
        let limit = self.context.settings.client_query_buffer_limit() as usize;
        let mark = reply.mark();
        if let Some(queue) = &mut session.multi {
            if queue.bytes + args.bytes_len() > limit {
                let text = "ERR the queued commands are larger than client-query-buffer-limit";
                self.refuse(session, reply, Some(spec), text);
                return Step::Done;
            }
            queue.push(spec, args.to_owned_request());
            reply.queued();
        }
        if session.mutes_reply() {
            reply.truncate(mark);
        }
        session.end_command();
        Step::Done
    }

    /// Answers a request that is not run.
    #[cold]
    fn refuse(&self, session: &mut Session, reply: &mut ReplyBuf, spec: Option<&CommandSpec>, text: &str) {
        let mark = reply.mark();
        if let Some(queue) = &mut session.multi {
            queue.broken = true;
        }
        match spec {
            Some(spec) if spec.name == "exec" => {
                (session.multi, session.watches) = (None, Vec::new());
                let reason = text.strip_prefix("ERR ").unwrap_or(text);
                self.fail(reply, &format!("EXECABORT Transaction discarded because of: {reason}"));
            }
            _ => self.fail(reply, text),
        }
        if let Some(spec) = spec {
            self.stats.rejected(spec.index());
        }
        if session.mutes_reply() {
            reply.truncate(mark);
        }
        session.end_command();
    }

    /// Answers with an error, and counts it.
    pub(super) fn fail(&self, reply: &mut ReplyBuf, text: &str) {
        reply.error(text);
        self.stats.error(text);
    }

    #[inline]
    fn execute(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        (spec, wanted): (&'static CommandSpec, Option<&Wanted<'_>>),
        reply: &mut ReplyBuf,
    ) -> Step {
        session.begin_command(spec);
        // Why only before these, of which nearly nothing is in a pipeline: WAIT, LSN and their like ask for it.
        if spec.flags.intersects(Flags::of(&[Flags::NOSCRIPT, Flags::BLOCKING])) {
            session.note_written(self.engine, self.batch.written());
        }
        let mark = reply.mark();
        let result = if spec.name == "exec" && session.multi.is_some() {
            self.exec(session, reply)
        } else {
            self.command(session, args, (spec, wanted), reply)
        };
        let step = match result {
            Ok((later, failed)) => self.account(session, args, spec, later, failed),
            Err(EngineError::Paused) => {
                session.abandon_outgoing();
                reply.truncate(mark);
                return Step::Refused(Flow::Paused);
            }
            Err(error) => {
                session.abandon_outgoing();
                reply.truncate(mark);
                self.fail(reply, &engine_error(&error));
                self.account(session, args, spec, None, true)
            }
        };
        if session.mutes_reply() {
            reply.truncate(mark);
        }
        session.end_command();
        if session.outgoing.is_some() {
            session.deliver_outgoing(self.context, self.batch.seen(), self.batch.now(), reply);
        }
        step
    }

    /// Runs one command until it takes effect; tells what is left to do, and whether it answered with an error.
    #[inline]
    fn command(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        (spec, wanted): (&'static CommandSpec, Option<&Wanted<'_>>),
        reply: &mut ReplyBuf,
    ) -> Result<(Option<Later>, bool), EngineError> {
        let binding = bind::of(spec);
        let context = self.context;
        let (mark, db) = (reply.mark(), session.db);
        let mut later = None;
        let mut first = true;
        let attempt = |txn: &mut crate::engine::Txn<'_>| {
            if !std::mem::take(&mut first) {
                reply.truncate(mark);
                session.db = db;
                session.abandon_outgoing();
            }
            let mut call = Call { txn, args, reply, session, context, later: None };
            let result = (binding.handler)(&mut call);
            later = call.later;
            if txn.notes_misses() {
                pubsub::tell_misses(context, session, txn, spec);
            }
            result
        };
        let result = if binding.course == Course::Alone {
            self.batch.run_alone(attempt)
        } else {
            self.batch.run_for(wanted, attempt)
        };
        match result? {
            Ok(()) => Ok((later, false)),
            Err(error) => {
                session.recall(0);
                reply.truncate(mark);
                self.fail(reply, &error.to_string());
                Ok((None, true))
            }
        }
    }

    /// Shows a command that has run, or begins to wait, to those who monitor.
    #[cold]
    fn show(&self, session: &Session, args: Args<'_>, spec: &CommandSpec) {
        let limit = self.context.settings.output_limit(ClientClass::Pubsub);
        self.context.monitors.tell((session, session.db), spec, args, limit);
    }

    #[cold]
    fn exec(
        &mut self,
        session: &mut Session,
        reply: &mut ReplyBuf,
    ) -> Result<(Option<Later>, bool), EngineError> {
        let queue = session.multi.take().unwrap_or_default();
        if queue.broken {
            session.watches = Vec::new();
            self.fail(reply, "EXECABORT Transaction discarded because of previous errors.");
            return Ok((None, true));
        }
        match transactions::exec(self.context, session, &mut self.batch, &queue, reply) {
            Ok(later) => Ok((later, false)),
            Err(EngineError::Paused) => {
                session.multi = Some(queue);
                Err(EngineError::Paused)
            }
            Err(error) => Err(error),
        }
    }

    /// Counts a command that ran, or leaves that to the connection with the rest of the command.
    #[inline]
    fn account(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        spec: &'static CommandSpec,
        later: Option<Later>,
        failed: bool,
    ) -> Step {
        if self.is_monitored {
            self.show(session, args, spec);
        }
        let lookups = self.batch.take_lookups();
        if spec.flags.contains(Flags::READONLY) || spec.name == "exec" {
            self.lookups.hits += lookups.hits;
            self.lookups.misses += lookups.misses;
        }
        if let Some(later @ (Later::Blocking(_) | Later::Wait(_) | Later::Patience(_) | Later::Sleep(_))) =
            later
        {
            let rest = Unfinished::new(spec, args, self.watch, session.mutes_reply());
            return Step::Stop(Flow::Later(later, Some(Box::new(rest))));
        }
        session.count_commands(1);
        let nanos = self.watch.lap_nanos();
        let ran = Ran { spec, args, nanos, failed };
        account::note(self.context, self.stats, &session.client, self.batch.now(), ran);
        later.map_or(Step::Done, |later| Step::Stop(Flow::Later(later, None)))
    }
}

/// Whether the first two commands seem to be about one key: whether it has the same hash.
#[inline]
fn are_about_one_key(specs: &[Named], keys: &[Wanted<'_>]) -> bool {
    let hash = |&(_, place): &Named| keys.get(usize::from(place)).map(|wanted| wanted.hash);
    specs.get(1).and_then(hash).is_some_and(|next| hash(&specs[0]) == Some(next))
}

/// Whether memory may grow by the command: by what it stores, or by being queued.
fn may_grow(session: &Session, spec: &CommandSpec) -> bool {
    match &session.multi {
        Some(queue) if spec.name == "exec" => {
            queue.requests.iter().any(|(spec, _)| spec.flags.contains(Flags::DENYOOM))
        }
        Some(_) if !runs_inside_multi(spec) => true,
        _ => spec.flags.contains(Flags::DENYOOM),
    }
}

fn runs_inside_multi(spec: &CommandSpec) -> bool {
    // Why the full name: SLOWLOG RESET is no RESET.
    matches!(spec.full_name, "exec" | "discard" | "multi" | "watch" | "quit" | "reset")
}

/// The reply to a failure of the engine.
pub(super) fn engine_error(error: &EngineError) -> String {
    match error {
        EngineError::Log(error) => log_error(error),
        EngineError::WrongType(_) => CommandError::WrongType.to_string(),
        EngineError::Paused | EngineError::Random(_) => format!("ERR {error}"),
        EngineError::Follows => replication::READONLY.to_owned(),
    }
}

fn log_error(error: &LogError) -> String {
    match error {
        LogError::NoSpace { .. } => {
            format!("MISCONF {error}; writes go on by themselves when there is room")
        }
        LogError::Poisoned { .. } | LogError::Closed => format!("MISCONF {error}"),
        _ => format!("ERR {error}"),
    }
}

fn unknown_command(args: Args<'_>) -> String {
    let shown =
        |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(UNKNOWN_BYTES_MAX)]).into_owned();
    let mut text = format!("ERR unknown command '{}', with args beginning with: ", shown(args.name()));
    let start = text.len();
    for arg in args.iter().skip(1) {
        if text.len() - start >= UNKNOWN_BYTES_MAX {
            break;
        }
        let room = UNKNOWN_BYTES_MAX - (text.len() - start);
        let arg = &arg[..arg.len().min(room)];
        text.extend(["'", &String::from_utf8_lossy(arg), "' "]);
    }
    text
}

fn unknown_subcommand(spec: &CommandSpec, args: Args<'_>) -> String {
    let given = args.get(1).unwrap_or_default();
    let given = String::from_utf8_lossy(&given[..given.len().min(UNKNOWN_BYTES_MAX)]).into_owned();
    let name = spec.name.to_ascii_uppercase();
    format!("ERR unknown subcommand '{given}'. Try {name} HELP.")
}
