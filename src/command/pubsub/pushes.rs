//! Pushes on their way from the outbox to the replies, as the connection's task sends them.

use crate::command::session::Session;
use crate::resp::ReplyBuf;
use std::task::Waker;

/// Bytes of pushes after which those that wait are left for later, so that a client's own requests get their turn.
const PUSH_BYTES_HIGH: usize = 64 * 1024;

impl Session {
    /// Puts pushes that wait among the replies, as many as are sent at a time.
    pub fn take_pushes(&mut self, reply: &mut ReplyBuf) {
        let Some(subscriptions) = &mut self.subscriptions else { return };
        let start = reply.len();
        while reply.len() - start < PUSH_BYTES_HIGH
            && let Some(push) = subscriptions.take()
        {
            reply.push_frame(&push.frame);
            self.seen = self.seen.max(push.lsn);
        }
    }

    /// Begins a batch of a connection with subscriptions: everything before it has been sent.
    #[cold]
    pub fn begin_batch_subscribed(&mut self, reply: &mut ReplyBuf) {
        if let Some(subscriptions) = &self.subscriptions {
            subscriptions.sent();
        }
        self.take_pushes(reply);
    }

    /// Whether pushes wait; if not, `task` is told of the next. Asked when everything that was taken has been sent.
    #[inline]
    pub fn hears(&self, task: &Waker) -> bool {
        self.subscriptions.as_ref().is_some_and(|subscriptions| {
            subscriptions.sent();
            subscriptions.listen(task)
        })
    }
}
