//! A connection whose command waits for a key: BLPOP and its like.
//!
//! The client stays connected to the world meanwhile: what it sends is read, so that its end is seen, and what it is
//! subscribed to is sent. It owns no buffers, unless it has sent more requests already.

use super::kill::KillSwitch;
use super::later::PAUSE_LOOK_EVERY;
use super::{Arrival, Connection, End};
use crate::command::blocking::{Tried, Unblocking, Wait, Waiting};
use crate::command::clients::KillState;
use crate::command::replication;
use crate::command::stats::Counter;
use crate::engine::{self, Seat};
use crate::resp::ReplyBuf;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

/// What a waiting connection wakes up for.
enum Event {
    /// There may be something for it.
    Called,
    /// It is not to wait any longer.
    Ended(Unblocking),
    /// The client or a publisher has sent something.
    Arrived(Arrival),
}

/// Something that takes time.
pub(super) type Delay<'d> = Pin<Box<dyn Future<Output = ()> + Send + 'd>>;

/// The end of a wait; without one, it never comes.
pub(super) fn deadline<'d>(at: Option<Instant>) -> Delay<'d> {
    match at {
        Some(at) => Box::pin(tokio::time::sleep_until(at.into())),
        None => Box::pin(pending()),
    }
}

impl Connection {
    /// Waits until the command is served or its wait ends; leaves the reply in the buffer.
    pub(super) async fn wait(&mut self, wait: &Wait, kill: &mut KillSwitch<'_>) -> Result<(), End> {
        let (context, client) = (Arc::clone(&self.context), Arc::clone(&self.client));
        let waiting = client.unblock.begin();
        // Order: takes its seat, then looks, or else what appears in between calls nobody.
        let engine = context.database();
        let mut seat = wait.sit(&engine);
        let _blocked = self.block();
        let mut deadline = deadline(wait.deadline());
        if !self.busy().has_requests() {
            self.busy().finish();
        }
        let mut reply = ReplyBuf::with_protocol(self.session.protocol);
        loop {
            if replication::is_to_release(&context) {
                // Why: the server began to follow another after the command was checked, or behind a wait's end.
                Wait::give_up(Unblocking::RoleChanged, &mut reply);
                client.kill(KillState::AfterReply);
                break;
            }
            let mut pause = context.pause.check(true).map(|pause| -> Delay<'_> { Box::pin(pause) });
            if self.session.subscriptions.is_some() {
                // Why first: what was published before the element came is told before it.
                self.forward_pushes(kill).await?;
            }
            if pause.is_none() {
                let (tried, kept) = wait.try_again(seat, &context, &mut self.session, &mut reply);
                let Some(kept) = kept else { break };
                seat = kept;
                if tried == Tried::Paused {
                    // Why: the databases know the pause by another clock, which may be a little behind.
                    pause = Some(Box::pin(tokio::time::sleep(PAUSE_LOOK_EVERY)));
                }
            }
            if let Some(how) = self.until_called((&seat, &waiting), &mut deadline, pause, kill).await? {
                Wait::give_up(how, &mut reply);
                break;
            }
        }
        self.busy().reply = reply;
        self.session.publish();
        // Why asked: whom the served command has called runs next on this thread, whatever the next batch does.
        engine::has_called();
        Ok(())
    }

    /// Waits until there may be something, if a pause holds until it ends; or gives how the wait is to end.
    async fn until_called(
        &mut self,
        (seat, waiting): (&Seat<'_>, &Waiting<'_>),
        deadline: &mut Delay<'_>,
        mut pause: Option<Delay<'_>>,
        kill: &mut KillSwitch<'_>,
    ) -> Result<Option<Unblocking>, End> {
        loop {
            let event = poll_fn(|cx| {
                let called = match &mut pause {
                    Some(pause) => pause.as_mut().poll(cx),
                    None => seat.poll_called(cx),
                };
                if called.is_ready() {
                    return Poll::Ready(Ok(Event::Called));
                }
                if let Poll::Ready(how) = waiting.poll_unblocked(cx) {
                    return Poll::Ready(Ok(Event::Ended(how)));
                }
                if deadline.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Ok(Event::Ended(Unblocking::Timeout)));
                }
                self.poll_receive(cx).map_ok(Event::Arrived)
            });
            match kill.unless_killed(event).await?? {
                Event::Called => return Ok(None),
                Event::Ended(how) => return Ok(Some(how)),
                Event::Arrived(Arrival::Pushes) => self.forward_pushes(kill).await?,
                Event::Arrived(Arrival::Bytes(count)) => self.read_ahead(count)?,
            }
        }
    }

    /// Sends pushes on, and goes on to wait.
    pub(super) async fn forward_pushes(&mut self, kill: &mut KillSwitch<'_>) -> Result<(), End> {
        self.send_pushes(kill).await?;
        self.show_blocked();
        Ok(())
    }

    /// Takes in bytes that no turn has asked for.
    pub(super) fn read_ahead(&mut self, count: usize) -> Result<(), End> {
        self.count_read(count)?;
        self.has_unscanned = true;
        let limit = self.context.settings.client_query_buffer_limit();
        if self.busy().input.unread().len() as u64 > limit {
            self.context.stats.local().add(Counter::QueryBufferDisconnections, 1);
            tracing::warn!(client = self.client.id(), limit, "closed: query buffer limit reached");
            return Err(End::OverLimit);
        }
        Ok(())
    }
}
