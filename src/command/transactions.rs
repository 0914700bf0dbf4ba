//! MULTI, EXEC, DISCARD, WATCH, UNWATCH.
//!
//! MULTI queues requests in the session; EXEC runs them in one attempt, so they take effect together or not at all.
//! WATCH remembers of each key that it is absent, or the record that made its version; EXEC compares that inside the
//! same attempt, so nothing can come in between.

use std::convert::Infallible;

use crate::clock::Stopwatch;
use crate::command::account;
use crate::command::bind::{self, Course};
use crate::command::call::{BlockingWork, Call, CommandError, Later};
use crate::command::context::Context;
use crate::command::pubsub;
use crate::command::session::{Queue, Session, Watch};
use crate::engine::{Batch, DbIndex, EngineError, Txn};
use crate::resp::ReplyBuf;
use crate::settings::ClientClass;

/// Keys that one connection may watch.
const WATCHES_MAX: usize = 1 << 20;

/// MULTI: begins to queue.
///
/// # Errors
/// Inside MULTI.
pub fn multi(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    if call.session.in_exec() || call.session.multi.is_some() {
        return Err(CommandError::Text("ERR MULTI calls can not be nested".into()));
    }
    call.session.multi = Some(Queue::default());
    call.reply.ok();
    Ok(())
}

/// DISCARD: forgets the queue and the watches.
///
/// # Errors
/// Outside MULTI.
pub fn discard(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    if call.session.multi.take().is_none() {
        return Err(CommandError::Text("ERR DISCARD without MULTI".into()));
    }
    call.session.watches = Vec::new();
    call.reply.ok();
    Ok(())
}

/// `WATCH key [key ...]`.
///
/// # Errors
/// Inside MULTI.
pub fn watch(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    if call.session.in_exec() || call.session.multi.is_some() {
        return Err(CommandError::Text("ERR WATCH inside MULTI is not allowed".into()));
    }
    let db = call.db();
    for key in call.args.iter().skip(1) {
        let seen = call.txn.watch(db, key);
        // Why the first look counts: a change since then must be found, also by a second WATCH or a second attempt.
        let watches = &mut call.session.watches;
        if !watches.iter().any(|watch| watch.db == db && *watch.key == *key) {
            if watches.len() >= WATCHES_MAX {
                return Err(CommandError::Text(format!("ERR more than {WATCHES_MAX} watched keys").into()));
            }
            watches.push(Watch { db, key: key.into(), seen });
        }
    }
    call.reply.ok();
    Ok(())
}

/// UNWATCH: forgets the watches.
///
/// # Errors
/// None.
pub fn unwatch(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    call.session.watches = Vec::new();
    call.reply.ok();
    Ok(())
}

/// EXEC outside MULTI; inside it, `exec` runs instead.
///
/// # Errors
/// Always.
pub fn exec_without_multi(_call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    Err(CommandError::Text("ERR EXEC without MULTI".into()))
}

/// Runs the queue as one transaction and writes its reply.
///
/// # Errors
/// When nothing took effect; the queue is gone all the same, but for [`EngineError::Paused`].
pub(super) fn exec(
    context: &Context,
    session: &mut Session,
    batch: &mut Batch<'_>,
    queue: &Queue,
    reply: &mut ReplyBuf,
) -> Result<Option<Later>, EngineError> {
    let alone = queue.requests.iter().any(|(spec, _)| bind::of(spec).course != Course::Ordinary);
    let watches = std::mem::take(&mut session.watches);
    let (mark, db, protocol) = (reply.mark(), session.db, reply.protocol());
    session.set_in_exec(true);
    let mut ran = Ran::default();
    let mut attempt = |txn: &mut Txn<'_>| {
        reply.truncate(mark);
        reply.set_protocol(protocol);
        session.db = db;
        session.abandon_outgoing();
        ran = Ran::default();
        if watches.iter().any(|watch| txn.watch(watch.db, &watch.key) != watch.seen) {
            reply.null_array();
        } else {
            ran = run_queue(context, session, txn, queue, reply);
        }
        Ok::<_, Infallible>(())
    };
    let result = if alone { batch.run_alone(&mut attempt) } else { batch.run(&mut attempt) };
    session.set_in_exec(false);
    if let Err(error) = result {
        reply.truncate(mark);
        session.db = db;
        if matches!(error, EngineError::Paused) {
            session.watches = watches;
        }
        return Err(error);
    }
    let stats = context.stats.local();
    session.count_commands(ran.calls.len());
    let is_monitored = context.monitors.are_there();
    for ((spec, request), (db, nanos, result)) in queue.requests.iter().zip(ran.calls) {
        if is_monitored {
            let limit = context.settings.output_limit(ClientClass::Pubsub);
            context.monitors.tell((session, db), spec, request.as_args(), limit);
        }
        let failed = result.is_err();
        if let Err(error) = result {
            stats.error(&error.to_string());
        }
        let ran = account::Ran { spec, args: request.as_args(), nanos, failed };
        account::note(context, stats, &session.client, batch.now(), ran);
    }
    if ran.deferred.is_empty() {
        return Ok(ran.later);
    }
    Ok(Some(finish(reply.split_off(mark), ran.deferred)))
}

/// What a queued command leaves to a thread that may block.
struct Deferred {
    /// Where its reply belongs among the bytes of EXEC's.
    at: usize,
    work: BlockingWork,
}

/// Does what the queue has left once it has taken effect, in its order, and completes the reply of EXEC.
///
/// So REPLICAOF changes the role behind the transaction that it is part of, CONFIG REWRITE writes what it changed, and
/// CLIENT KILL ends those who would not know of it.
fn finish(replies: Vec<u8>, deferred: Vec<Deferred>) -> Later {
    Later::Blocking(Box::new(move |context, reply| {
        let mut told = 0;
        for Deferred { at, work } in deferred {
            reply.append_bytes(&replies[told..at]);
            told = at;
            let mut own = ReplyBuf::with_protocol(reply.protocol());
            work(context, &mut own);
            if let Some(error) = own.error_message() {
                context.stats.local().error(&error);
            }
            reply.append_bytes(&own.to_vec());
        }
        reply.append_bytes(&replies[told..]);
    }))
}

/// What an attempt at a queue leaves to be counted and done, should it take effect.
#[derive(Default)]
struct Ran {
    /// In which database each command ended, how many nanoseconds it took, and how it ended.
    calls: Vec<(DbIndex, u64, Result<(), CommandError>)>,
    later: Option<Later>,
    deferred: Vec<Deferred>,
}

fn run_queue(
    context: &Context,
    session: &mut Session,
    txn: &mut Txn<'_>,
    queue: &Queue,
    reply: &mut ReplyBuf,
) -> Ran {
    let mut ran = Ran::default();
    let start = reply.len();
    let mut watch = Stopwatch::start();
    reply.array(queue.requests.len());
    for (spec, request) in &queue.requests {
        let (mark, published) = (reply.mark(), session.outgoing_len());
        txn.set_touch(!session.no_touch);
        let mut call = Call { txn, args: request.as_args(), reply, session, context, later: None };
        let result = (bind::of(spec).handler)(&mut call);
        match call.later {
            Some(Later::Blocking(work)) => ran.deferred.push(Deferred { at: reply.len() - start, work }),
            later => ran.later = later.or(ran.later),
        }
        if txn.notes_misses() {
            pubsub::tell_misses(context, session, txn, spec);
        }
        if let Err(error) = &result {
            session.recall(published);
            reply.truncate(mark);
            reply.error(&error.to_string());
        }
        ran.calls.push((session.db, watch.lap_nanos(), result));
    }
    ran
}
