//! CLIENT UNBLOCK: lets a client go on that waits in a blocking command.

use std::task::{Context, Poll};

use atomic_waker::AtomicWaker;

use crate::command::args::{integer, is};
use crate::command::call::{Call, CommandError};
use crate::sync::{AtomicU8, Ordering};

/// The client does not wait.
const IDLE: u8 = 0;
/// It waits.
const WAITING: u8 = 1;

/// How a client is let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Unblocking {
    /// As if its time were up.
    Timeout = 2,
    /// With an error.
    Error = 3,
    /// With the error of a server that has begun to follow another.
    RoleChanged = 4,
}

/// A client's end of CLIENT UNBLOCK.
///
/// The client's own task begins and ends to wait; anybody lets it go, and the first to do so learns that it waited.
#[derive(Debug, Default)]
pub struct Unblock {
    /// Idle, waiting, or an [`Unblocking`].
    state: AtomicU8,
    task: AtomicWaker,
}

impl Unblock {
    /// The client waits from here on, until the result is dropped.
    pub fn begin(&self) -> Waiting<'_> {
        // Relaxed: the word says it all.
        self.state.store(WAITING, Ordering::Relaxed);
        Waiting(self)
    }

    /// Lets the client go; tells whether it waited and nobody else was faster.
    pub fn unblock(&self, how: Unblocking) -> bool {
        // Relaxed: as in `begin`.
        let changed =
            self.state.compare_exchange(WAITING, how as u8, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if changed {
            // Order: after the word, or else the task looks, sees nothing, and is not told.
            self.task.wake();
        }
        changed
    }
}

/// A client that waits, until it is dropped.
#[derive(Debug)]
pub struct Waiting<'u>(&'u Unblock);

impl Waiting<'_> {
    /// Waits to be let go.
    pub fn poll_unblocked(&self, cx: &Context<'_>) -> Poll<Unblocking> {
        // Order: listens, then looks, or else what comes in between is not told.
        self.0.task.register(cx.waker());
        match self.0.state.load(Ordering::Relaxed) {
            IDLE | WAITING => Poll::Pending,
            state if state == Unblocking::Error as u8 => Poll::Ready(Unblocking::Error),
            state if state == Unblocking::RoleChanged as u8 => Poll::Ready(Unblocking::RoleChanged),
            _ => Poll::Ready(Unblocking::Timeout),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state.store(IDLE, Ordering::Relaxed);
    }
}

/// `CLIENT UNBLOCK client-id [TIMEOUT | ERROR]`
///
/// # Errors
/// Another word than TIMEOUT or ERROR, an id that is no integer.
pub(super) fn client_unblock(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let args = call.args;
    if args.len() > 4 {
        return Err(CommandError::misused("CLIENT", &args[1]));
    }
    let how = match args.get(3) {
        None => Unblocking::Timeout,
        Some(word) if is(word, "TIMEOUT") => Unblocking::Timeout,
        Some(word) if is(word, "ERROR") => Unblocking::Error,
        Some(_) => {
            let text = "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR";
            return Err(CommandError::Text(text.into()));
        }
    };
    let client = u64::try_from(integer(&args[2])?).ok().and_then(|id| call.context.clients.find(id));
    let unblocked = client.is_some_and(|client| client.unblock.unblock(how));
    call.reply.int(i64::from(unblocked));
    Ok(())
}
