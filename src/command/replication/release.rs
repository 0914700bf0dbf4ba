//! Blocked clients of a server that begins to follow another: what they wait for is the primary's to hand out.

use crate::command::blocking::Unblocking;
use crate::command::clients::KillState;
use crate::command::context::Context;
use crate::sync::{Ordering, fence};

/// Answers all clients that wait inside a command with an error and closes them, as Redis does: for who makes the
/// server follow another, once writes are refused. Tells how many waited.
pub fn release_blocked(context: &Context) -> usize {
    // SeqCst: pairs with the fence in `is_to_release`: either that sees the new role, or this sees the client wait.
    fence(Ordering::SeqCst);
    let clients = context.clients.list().into_iter();
    let released = clients.filter(|client| client.unblock.unblock(Unblocking::RoleChanged));
    released.map(|client| client.kill(KillState::AfterReply)).count()
}

/// Whether a client that has just begun to wait for a key must not: the role changed after its command was checked.
pub fn is_to_release(context: &Context) -> bool {
    // SeqCst: after the client shows as waiting; see `release_blocked`.
    fence(Ordering::SeqCst);
    context.engine().follows()
}
