//! Waiting, as a connection does it: for one thing, or for being killed.
//!
//! The connection has itself told of the kill at its first wait; each further wait looks at one word.

use super::End;
use crate::command::clients::{ClientHandle, KillState};
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// How long a client that is to be closed may take for the replies that are still due to it.
const LINGER: Duration = Duration::from_secs(5);

/// The connection's end of its kill switch.
pub(super) struct KillSwitch<'a> {
    client: &'a ClientHandle,
    /// The task that the handle was given to tell.
    listening: Option<Waker>,
}

impl<'a> KillSwitch<'a> {
    /// The switch of a handle, for its connection.
    pub(super) fn new(client: &'a ClientHandle) -> Self {
        Self { client, listening: None }
    }

    /// Whether the connection is to end, without waiting.
    pub(super) fn state(&self) -> KillState {
        self.client.kill_state()
    }

    /// Whether the connection is to end; if not, wakes it when it is.
    fn poll(&mut self, cx: &Context<'_>) -> KillState {
        // Why once: nobody is told twice, and after the first time the connection ends.
        if !self.listening.as_ref().is_some_and(|task| task.will_wake(cx.waker())) {
            self.client.listen(cx.waker());
            self.listening = Some(cx.waker().clone());
        }
        self.state()
    }

    /// Waits for something that no reply depends on; a kill of either kind ends the connection.
    pub(super) async fn unless_killed<T>(&mut self, wait: impl Future<Output = T>) -> Result<T, End> {
        let mut wait = pin!(wait);
        let either = poll_fn(|cx| match wait.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Ok(done)),
            Poll::Pending if self.poll(cx) == KillState::Alive => Poll::Pending,
            Poll::Pending => Poll::Ready(Err(End::Killed)),
        });
        either.await
    }

    /// Waits for something that a reply depends on; a kill that is to take effect after the reply bounds the wait.
    pub(super) async fn until_replied<T>(&mut self, wait: impl Future<Output = T>) -> Result<T, End> {
        let mut wait = pin!(wait);
        let either = poll_fn(|cx| match wait.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Ok(done)),
            Poll::Pending => match self.poll(cx) {
                KillState::Alive => Poll::Pending,
                state => Poll::Ready(Err(state)),
            },
        });
        match either.await {
            Ok(done) => Ok(done),
            Err(KillState::AfterReply) => tokio::time::timeout(LINGER, wait).await.map_err(|_| End::Killed),
            Err(_) => Err(End::Killed),
        }
    }
}
