//! Which commands replication lets run: looked at once per batch, so that nothing is asked of most commands.
//!
//! The role may change behind the look. Then the engine refuses the write itself, with the same answer.

use crate::command::call::CommandError;
use crate::command::context::Context;
use crate::command::session::Session;
use crate::command::spec::{CommandSpec, Flags};
use crate::command::upstream::{Link, Upstream};
use crate::engine::Batch;

/// What a replica answers to a write.
pub(in crate::command) const READONLY: &str = "READONLY You can't write against a read only replica.";
const NO_REPLICAS: &str = "NOREPLICAS Not enough good replicas to write.";
const STALE: &str = "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";

/// What replication forbids a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::command) struct Gate {
    /// Writes are the primary's.
    follows: bool,
    /// What is here may be old, and is not to be served.
    is_stale: bool,
    /// Too few replicas keep up for a write.
    lacks_replicas: bool,
}

impl Gate {
    /// How things stand as the batch begins.
    #[inline]
    pub(in crate::command) fn of(context: &Context, batch: &Batch<'_>) -> Self {
        let follows = batch.follows();
        let settings = &context.settings;
        Self {
            follows,
            is_stale: follows && !settings.replica_serve_stale_data() && !has_link(context),
            lacks_replicas: !follows
                && settings.min_replicas_to_write() > 0
                && lacks_replicas(context, batch),
        }
    }

    /// Whether commands are to be checked at all.
    #[inline]
    pub(in crate::command) fn is_open(self) -> bool {
        self == Self::default()
    }

    /// Whether the server follows another.
    #[inline]
    pub(in crate::command) fn follows(self) -> bool {
        self.follows
    }

    /// Whether the command may run, or be queued.
    ///
    /// # Errors
    /// It may not; in the order in which Redis looks.
    #[cold]
    pub(in crate::command) fn check(self, session: &Session, spec: &CommandSpec) -> Result<(), CommandError> {
        let any = |test: fn(&CommandSpec) -> bool| {
            let queue = session.multi.as_ref().filter(|_| spec.name == "exec");
            test(spec) || queue.is_some_and(|queue| queue.requests.iter().any(|(spec, _)| test(spec)))
        };
        let text = if self.lacks_replicas && any(|spec| spec.flags.contains(Flags::WRITE)) {
            NO_REPLICAS
        } else if self.follows && any(|spec| spec.flags.contains(Flags::WRITE)) {
            READONLY
        } else if self.is_stale && any(|spec| !spec.flags.contains(Flags::STALE)) {
            STALE
        } else {
            return Ok(());
        };
        Err(CommandError::Text(text.into()))
    }
}

#[cold]
fn has_link(context: &Context) -> bool {
    let status = context.upstream().and_then(Upstream::status);
    status.is_some_and(|status| status.link == Link::Log)
}

#[cold]
fn lacks_replicas(context: &Context, batch: &Batch<'_>) -> bool {
    let settings = &context.settings;
    let lag_ms_max = u64::from(settings.min_replicas_max_lag()) * 1000;
    // Why not with 0: Redis counts nobody then, and refuses nothing.
    lag_ms_max > 0
        && context.replicas.good(lag_ms_max, batch.now()) < settings.min_replicas_to_write() as usize
}
