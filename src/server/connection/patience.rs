//! A connection whose command waits for a position: WAIT, WAITAOF, WAITLSN.
//!
//! As with a wait for a key, the client stays connected to the world meanwhile, and owns no buffers unless it has sent
//! more requests already.

use super::kill::KillSwitch;
use super::wait::{Delay, deadline};
use super::{Arrival, Connection, End};
use crate::command::blocking::{Unblocking, Waiting};
use crate::command::replication::Patience;
use crate::engine::EngineError;
use crate::resp::ReplyBuf;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

/// What a waiting connection wakes up for.
enum Event {
    /// The wait is over: what it was for has come, or never comes.
    Reached(Result<(), EngineError>),
    /// It is not to wait any longer.
    Ended(Unblocking),
    /// The client or a publisher has sent something.
    Arrived(Arrival),
}

impl Connection {
    /// Waits until the position is reached or the wait ends; leaves the reply in the buffer.
    pub(super) async fn endure(&mut self, patience: &Patience, kill: &mut KillSwitch<'_>) -> Result<(), End> {
        let (context, client) = (Arc::clone(&self.context), Arc::clone(&self.client));
        let waiting = client.unblock.begin();
        let _blocked = self.block();
        let mut deadline = deadline(patience.deadline());
        let mut reached = pin!(patience.reached(&context));
        if !self.busy().has_requests() {
            self.busy().finish();
        }
        let event = self.until_over(reached.as_mut(), &waiting, &mut deadline, kill).await?;
        let mut reply = ReplyBuf::with_protocol(self.session.protocol);
        match event {
            Ok(Ok(())) => patience.answer(&context, &mut reply),
            Ok(Err(error)) => Patience::fail(&error, &mut reply),
            Err(how) => patience.give_up(how, &context, &mut reply),
        }
        self.busy().reply = reply;
        self.session.publish();
        Ok(())
    }

    /// Waits for what is waited for, or gives how the wait is to end.
    async fn until_over(
        &mut self,
        mut reached: Pin<&mut impl Future<Output = Result<(), EngineError>>>,
        waiting: &Waiting<'_>,
        deadline: &mut Delay<'_>,
        kill: &mut KillSwitch<'_>,
    ) -> Result<Result<Result<(), EngineError>, Unblocking>, End> {
        loop {
            let event = poll_fn(|cx| {
                if let Poll::Ready(reached) = reached.as_mut().poll(cx) {
                    return Poll::Ready(Ok(Event::Reached(reached)));
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
                Event::Reached(reached) => return Ok(Ok(reached)),
                Event::Ended(how) => return Ok(Err(how)),
                Event::Arrived(Arrival::Pushes) => self.forward_pushes(kill).await?,
                Event::Arrived(Arrival::Bytes(count)) => self.read_ahead(count)?,
            }
        }
    }
}
