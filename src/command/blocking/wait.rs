//! A command that waits: the tries after the first.

use std::time::{Duration, Instant};

use crate::clock::Millis;
use crate::command::blocking::{Try, Turn, Unblocking};
use crate::command::call::{Call, CommandError};
use crate::command::context::Context;
use crate::command::dispatch::engine_error;
use crate::command::replication;
use crate::command::session::Session;
use crate::engine::{DbIndex, Engine, EngineError, Seat};
use crate::resp::{OwnedRequest, ReplyBuf};
use crate::store::value::collection::Type;

/// What CLIENT UNBLOCK ERROR has a client told.
pub(in crate::command) const UNBLOCKED: &str = "UNBLOCKED client unblocked via CLIENT UNBLOCK";
/// What a blocked client is told when its server begins to follow another.
pub(in crate::command) const ROLE_CHANGED: &str =
    "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)";

/// A command that waits.
#[derive(Debug)]
pub struct Wait {
    request: OwnedRequest,
    db: DbIndex,
    keys: Vec<Box<[u8]>>,
    of: Type,
    try_once: Try,
    deadline: Option<Instant>,
}

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// The reply is there: the wait is over.
    Answered,
    /// Nothing is there yet.
    Nothing,
    /// Writes are paused; to be tried again when they go on.
    Paused,
}

impl Wait {
    /// A command that waits from now on for at most `timeout`, for what is under `keys`.
    pub(super) fn new(
        call: &Call<'_, '_>,
        timeout: Option<Duration>,
        (keys, of): (Vec<Box<[u8]>>, Type),
        try_once: Try,
    ) -> Self {
        // Why none where it overflows: a time that no clock can tell never comes.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let request = call.args.to_owned_request();
        Self { request, db: call.db(), keys, of, try_once, deadline }
    }

    /// When its time is up.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Takes its place behind all who wait already; a try follows.
    pub fn sit<'e>(&self, engine: &'e Engine) -> Seat<'e> {
        engine.wait_for(self.db, self.of, &self.keys)
    }

    /// Looks at the keys at which it is the seat's turn, if there may be something. The seat is given back where the
    /// wait goes on.
    pub fn try_again<'e>(
        &self,
        mut seat: Seat<'e>,
        context: &Context,
        session: &mut Session,
        reply: &mut ReplyBuf,
    ) -> (Tried, Option<Seat<'e>>) {
        let Some(turns) = seat.look() else { return (Tried::Nothing, Some(seat)) };
        let engine = context.engine();
        let mut batch = engine.batch(Millis::now(), !session.no_touch);
        let mark = reply.mark();
        let ran = batch.run(|txn| {
            reply.truncate(mark);
            session.abandon_outgoing();
            let args = self.request.as_args();
            let mut call = Call { txn, args, reply, session, context, later: None };
            let Some(at) = (self.try_once)(&mut call, Turn::Called(&turns))? else { return Ok(None) };
            // Why in the same attempt: what comes after it calls by itself.
            Ok(Some((at, call.txn.peek(self.db, &self.keys[at]).is_some())))
        });
        session.seen = session.seen.max(batch.seen());
        session.note_written(&engine, batch.written());
        let failed: String = match ran {
            Ok(Ok(Some((at, is_left)))) => {
                seat.served(at, is_left);
                if session.outgoing.is_some() {
                    session.deliver_outgoing(context, batch.seen(), batch.now(), reply);
                }
                replication::announce(session, &engine, reply, mark);
                return (Tried::Answered, None);
            }
            Ok(Ok(None)) => {
                seat.found_nothing();
                return (Tried::Nothing, Some(seat));
            }
            Err(EngineError::Paused) => {
                session.abandon_outgoing();
                reply.truncate(mark);
                return (Tried::Paused, Some(seat));
            }
            Ok(Err(error)) => CommandError::to_string(&error),
            Err(error) => engine_error(&error),
        };
        session.abandon_outgoing();
        reply.truncate(mark);
        reply.error(&failed);
        (Tried::Answered, None)
    }

    /// Answers a client that is not to wait any longer.
    pub fn give_up(how: Unblocking, reply: &mut ReplyBuf) {
        match how {
            // Why of all commands: so does Redis, even of those whose reply is no array.
            Unblocking::Timeout => reply.null_array(),
            Unblocking::Error => reply.error(UNBLOCKED),
            Unblocking::RoleChanged => reply.error(ROLE_CHANGED),
        }
    }
}
