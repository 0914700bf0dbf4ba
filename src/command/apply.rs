//! Commands of a primary that this server follows, as Redis sends them: run in order, each of them or the link ends.
//!
//! What a primary sends has been run there, so nothing is asked that a client is asked: no password, no memory limit,
//! no pause of clients. It is written though the database follows, and counts as no client's. Replies go nowhere; a
//! command that fails here but did not fail there means that the two differ, and is told.

use crate::clock::Millis;
use crate::command::bind::{self, Course};
use crate::command::call::{Call, CommandError};
use crate::command::clients::{ClientHandle, Endpoint};
use crate::command::context::Context;
use crate::command::session::Session;
use crate::command::spec::{CommandSpec, Flags};
use crate::command::table;
use crate::engine::{Batch, DbIndex, EngineError, Txn};
use crate::resp::{Args, OwnedRequest, ReplyBuf};
use smallvec::SmallVec;
use std::sync::Arc;

/// Requests whose keys are prefetched together.
const GROUP_REQUESTS: usize = 32;
/// Below this number of keys it costs more than it brings to fetch what their index slots lead to.
const CHAINED_KEYS_MIN: usize = 3;
/// Bytes of an argument that an error repeats.
const SHOWN_BYTES_MAX: usize = 64;

/// Why a primary's command was not run.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ApplyError {
    /// It is none of those that this server runs for a primary.
    #[error("the primary sent the command {0}, which this server does not have")]
    Unknown(String),
    /// It failed, though it did not fail there.
    #[error("the primary's command {command} fails here: {error}")]
    Failed {
        /// Its name and first argument.
        command: String,
        /// What it answered.
        error: String,
    },
    /// MULTI inside MULTI, or EXEC outside.
    #[error("the primary sent {0} where it cannot be")]
    Order(&'static str),
    /// Nothing was written.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// The commands between the primary's MULTI and EXEC.
type Queue = Vec<(&'static CommandSpec, OwnedRequest)>;

/// The primary's place among those who run commands.
#[derive(Debug)]
pub struct Applier {
    session: Session,
    reply: ReplyBuf,
    multi: Option<Queue>,
}

impl Applier {
    /// One who has selected a database.
    pub fn new(db: DbIndex) -> Self {
        let client = Arc::new(ClientHandle::new(0, Endpoint::default(), Millis::now()));
        let mut session = Session::new(client, true);
        session.db = db;
        Self { session, reply: ReplyBuf::new(), multi: None }
    }

    /// The selected database.
    pub fn db(&self) -> DbIndex {
        self.session.db
    }

    /// Whether a transaction has begun that has not ended: nothing of it has taken effect.
    pub fn is_in_multi(&self) -> bool {
        self.multi.is_some()
    }

    /// Runs requests in order at `now`. Gives how many took effect or were queued, and why the next did not.
    pub fn run(
        &mut self,
        context: &Context,
        now: Millis,
        requests: &[Args<'_>],
    ) -> (usize, Result<(), ApplyError>) {
        let engine = context.engine();
        let mut batch = engine.batch_as_follower(now);
        let mut done = 0;
        for group in requests.chunks(GROUP_REQUESTS) {
            self.prefetch(&batch, group);
            for request in group {
                if let Err(error) = self.request(context, &mut batch, *request) {
                    return (done, Err(error));
                }
                done += 1;
            }
        }
        self.session.seen = self.session.seen.max(batch.seen());
        (done, Ok(()))
    }

    /// The latest record that anything here saw or made.
    pub fn seen(&self) -> crate::lsn::Lsn {
        self.session.seen
    }

    /// Has what a group's keys lead to fetched. The database that is selected now need not be that of all of them: then
    /// it was in vain.
    fn prefetch(&self, batch: &Batch<'_>, group: &[Args<'_>]) {
        let mut keys = SmallVec::<[_; GROUP_REQUESTS]>::new();
        for request in group {
            if let Some(spec) = table::lookup(request.name())
                && spec.key_range.first == 1
                && let Some(key) = request.get(1)
            {
                keys.push(batch.prefetch_slot(self.session.db, key, true));
            }
        }
        if keys.len() >= CHAINED_KEYS_MIN {
            batch.prefetch(self.session.db, &mut keys);
        }
    }

    fn request(
        &mut self,
        context: &Context,
        batch: &mut Batch<'_>,
        args: Args<'_>,
    ) -> Result<(), ApplyError> {
        let spec = find(args)?;
        match (spec.name, &mut self.multi) {
            ("multi", None) => self.multi = Some(Queue::new()),
            ("multi", Some(_)) => return Err(ApplyError::Order("MULTI")),
            ("exec", None) => return Err(ApplyError::Order("EXEC")),
            ("exec", Some(queue)) => {
                let queue = std::mem::take(queue);
                if let Err(error) = self.transaction(context, batch, &queue) {
                    self.multi = Some(queue);
                    return Err(error);
                }
                self.multi = None;
            }
            (_, Some(queue)) => queue.push((spec, args.to_owned_request())),
            (_, None) => self.attempt(context, batch, &[(spec, args)])?,
        }
        Ok(())
    }

    fn transaction(
        &mut self,
        context: &Context,
        batch: &mut Batch<'_>,
        queue: &Queue,
    ) -> Result<(), ApplyError> {
        let requests: Vec<_> = queue.iter().map(|(spec, request)| (*spec, request.as_args())).collect();
        self.session.set_in_exec(true);
        let ran = self.attempt(context, batch, &requests);
        self.session.set_in_exec(false);
        ran
    }

    /// Runs requests until they take effect together, or one fails and none does.
    fn attempt(
        &mut self,
        context: &Context,
        batch: &mut Batch<'_>,
        requests: &[(&'static CommandSpec, Args<'_>)],
    ) -> Result<(), ApplyError> {
        let (session, reply) = (&mut self.session, &mut self.reply);
        let db = session.db;
        let several = requests.len() > 1;
        let alone = requests.iter().any(|(spec, _)| match bind::of(spec).course {
            Course::Alone => true,
            Course::AloneInMulti => several,
            Course::Ordinary => false,
        });
        let attempt = |txn: &mut Txn<'_>| {
            session.db = db;
            session.abandon_outgoing();
            for &(spec, args) in requests {
                reply.clear();
                session.begin_command(spec);
                let mut call = Call { txn, args, reply, session, context, later: None };
                let ran = (bind::of(spec).handler)(&mut call);
                if call.later.is_some() {
                    return Err(ApplyError::Unknown(shown(args)));
                }
                ran.map_err(|error| failed(args, &error))?;
            }
            Ok(())
        };
        let ran = if alone { batch.run_alone(attempt) } else { batch.run(attempt) };
        if let Err(error) | Ok(Err(error)) = ran.map_err(ApplyError::from) {
            self.session.db = db;
            self.session.abandon_outgoing();
            return Err(error);
        }
        if self.session.outgoing.is_some() {
            self.reply.clear();
            self.session.deliver_outgoing(context, batch.seen(), batch.now(), &mut self.reply);
        }
        self.reply.clear();
        Ok(())
    }
}

/// The command of a request, if it is one that a primary may send: one that writes, publishes, or orders these.
fn find(args: Args<'_>) -> Result<&'static CommandSpec, ApplyError> {
    let spec = table::resolve(args).filter(|spec| !spec.is_container());
    let spec = spec.ok_or_else(|| ApplyError::Unknown(shown(args)))?;
    let orders = matches!(spec.name, "select" | "multi" | "exec");
    if !orders && !spec.flags.intersects(Flags::of(&[Flags::WRITE, Flags::MAY_REPLICATE])) {
        return Err(ApplyError::Unknown(shown(args)));
    }
    if !spec.accepts(args.len()) {
        return Err(failed(args, &CommandError::Arity(spec.full_name.to_owned())));
    }
    Ok(spec)
}

fn failed(args: Args<'_>, error: &CommandError) -> ApplyError {
    ApplyError::Failed { command: shown(args), error: error.to_string() }
}

/// A request's name and first argument, as an error tells them.
fn shown(args: Args<'_>) -> String {
    let part = |bytes: &[u8]| bytes[..bytes.len().min(SHOWN_BYTES_MAX)].escape_ascii().to_string();
    match args.get(1) {
        Some(first) => format!("{} \"{}\"", part(args.name()).to_ascii_uppercase(), part(first)),
        None => part(args.name()).to_ascii_uppercase(),
    }
}
