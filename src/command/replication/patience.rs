//! Commands that wait until a position is reached: by replicas, by stable storage, by this server.
//!
//! The connection waits for [`Patience::reached`], for the deadline, for CLIENT UNBLOCK, and for being killed; whichever
//! comes first, the answer is how things stand then.

use std::time::{Duration, Instant};

use super::position;
use super::token::{NO_HISTORY, Token};
use crate::command::blocking::{ROLE_CHANGED, UNBLOCKED, Unblocking};
use crate::command::context::Context;
use crate::command::dispatch::engine_error;
use crate::command::replicas::Reached;
use crate::engine::EngineError;
use crate::lsn::Lsn;
use crate::resp::ReplyBuf;

/// What is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Until {
    /// So many replicas have applied the session's last write.
    Applied { written: Option<Token>, replicas: usize },
    /// It is on stable storage here, if that is `here`, and on so many replicas.
    Durable { written: Option<Token>, here: bool, replicas: usize },
    /// This server has applied a position.
    Here(Token),
}

/// A command that waits.
#[derive(Debug)]
pub struct Patience {
    until: Until,
    deadline: Option<Instant>,
}

/// The position that replicas have to be at; one that is at none, because the snapshot is still coming, has reached
/// nothing. None reaches a write of a history that was rewound here.
fn behind(context: &Context, written: Option<Token>) -> Lsn {
    let Some(Token { history, position }) = written else { return Lsn::new(1) };
    if position::knows(&context.engine(), history, position) { position } else { Lsn::new(u64::MAX) }
}

impl Patience {
    /// A command that waits from now on for at most `timeout`; none is for ever.
    pub(super) fn new(until: Until, timeout: Option<Duration>) -> Self {
        // Why none where it overflows: a time that no clock can tell never comes.
        Self { until, deadline: timeout.and_then(|timeout| Instant::now().checked_add(timeout)) }
    }

    /// When its time is up.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether there is nothing to wait for.
    pub(super) fn is_reached(&self, context: &Context) -> bool {
        let engine = context.engine();
        match self.until {
            Until::Applied { written, replicas } => {
                context.replicas.reached(Reached::Applied, behind(context, written)) >= replicas
            }
            Until::Durable { written, here, replicas } => {
                (!here || is_durable_here(context, written))
                    && context.replicas.reached(Reached::Durable, behind(context, written)) >= replicas
            }
            Until::Here(token) => position::applied(&engine) >= token.position,
        }
    }

    /// Waits until there is nothing to wait for.
    ///
    /// # Errors
    /// When the log has failed: what is waited for never comes.
    pub async fn reached(&self, context: &Context) -> Result<(), EngineError> {
        match self.until {
            Until::Applied { written, replicas } => {
                context.replicas.wait(Reached::Applied, behind(context, written), replicas).await;
            }
            Until::Durable { written, here, replicas } => {
                if let Some(written) = written.filter(|_| here) {
                    context.database().wait_durable(written.record()).await?;
                }
                context.replicas.wait(Reached::Durable, behind(context, written), replicas).await;
            }
            Until::Here(token) => position::wait_applied(context, token.position).await,
        }
        Ok(())
    }

    /// Answers how things stand.
    pub fn answer(&self, context: &Context, reply: &mut ReplyBuf) {
        let count = |what, written| context.replicas.reached(what, behind(context, written)) as i64;
        match self.until {
            Until::Applied { written, .. } => reply.int(count(Reached::Applied, written)),
            Until::Durable { written, .. } => {
                reply.array(2);
                reply.int(i64::from(is_durable_here(context, written)));
                reply.int(count(Reached::Durable, written));
            }
            // Why again: another primary's history may have come meanwhile.
            Until::Here(token) if !position::knows(&context.engine(), token.history, token.position) => {
                reply.error(NO_HISTORY);
            }
            Until::Here(_) => reply.int(i64::from(self.is_reached(context))),
        }
    }

    /// Answers a client that is not to wait any longer.
    pub fn give_up(&self, how: Unblocking, context: &Context, reply: &mut ReplyBuf) {
        match how {
            Unblocking::Timeout => self.answer(context, reply),
            Unblocking::Error => reply.error(UNBLOCKED),
            Unblocking::RoleChanged => reply.error(ROLE_CHANGED),
        }
    }

    /// Answers that the log has failed.
    pub fn fail(error: &EngineError, reply: &mut ReplyBuf) {
        reply.error(&engine_error(error));
    }
}

/// Whether a write is on stable storage here; nothing written is, and nothing is where there are no files.
fn is_durable_here(context: &Context, written: Option<Token>) -> bool {
    let engine = context.engine();
    engine.is_persistent() && written.is_none_or(|_| engine.durable() >= behind(context, written))
}
