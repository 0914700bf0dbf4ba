//! What a command leaves to its connection: to wait, to run something long elsewhere, to end.

use super::kill::KillSwitch;
use super::{Connection, End};
use crate::command::account::Unfinished;
use crate::command::call::{Later, Shutdown};
use crate::command::clients::{Blocked, ClientFlags};
use crate::command::context::Context;
use crate::command::dispatch::Flow;
use crate::resp::ReplyBuf;
use crate::server::STOP_LOOK_EVERY;
use std::sync::Arc;
use std::time::Duration;

/// Time between two looks at whether writes go on, where nobody tells.
pub(super) const PAUSE_LOOK_EVERY: Duration = Duration::from_millis(1);

impl Connection {
    /// Does what is to be done before the next request.
    pub(super) async fn follow(&mut self, flow: Flow, kill: &mut KillSwitch<'_>) -> Result<(), End> {
        match flow {
            Flow::Continue | Flow::Called => Ok(()),
            Flow::Later(later, unfinished) => self.act(later, unfinished, kill).await,
            Flow::Paused => self.sit_out_pause(kill).await,
            Flow::Delay(time) => self.hold(tokio::time::sleep(time), kill).await,
        }
    }

    async fn act(
        &mut self,
        later: Later,
        unfinished: Option<Box<Unfinished>>,
        kill: &mut KillSwitch<'_>,
    ) -> Result<(), End> {
        match later {
            Later::Blocking(job) => self.run_blocking(job, kill).await?,
            // Why boxed: every connection would have room for it.
            Later::Wait(wait) => Box::pin(self.wait(&wait, kill)).await?,
            Later::Patience(patience) => Box::pin(self.endure(&patience, kill)).await?,
            Later::Sleep(time) => {
                self.hold(tokio::time::sleep(time), kill).await?;
                self.busy().reply.ok();
            }
            Later::Feed(replica) => {
                self.replica = Some(replica);
                return Err(End::Feeds);
            }
            Later::Close => return Err(End::Finished),
            Later::Shutdown(how) => self.ask_to_stop(how, kill).await?,
        }
        if let Some(unfinished) = unfinished {
            self.end_command(*unfinished);
        }
        self.settle(kill).await
    }

    /// Counts a command whose reply is there, and drops the reply where the client wants none.
    fn end_command(&mut self, command: Unfinished) {
        let muted = command.is_muted();
        let error = self.busy().reply.error_message();
        command.end(&self.context, &self.client, error.as_deref());
        self.session.count_commands(1);
        if muted {
            self.busy().reply.clear();
        }
    }

    /// Waits for something that is not the client, and that no reply depends on.
    async fn hold(&self, wait: impl Future<Output = ()>, kill: &mut KillSwitch<'_>) -> Result<(), End> {
        let _blocked = self.block();
        kill.unless_killed(wait).await?;
        self.session.publish();
        Ok(())
    }

    /// Shows the connection as blocked, until it publishes again; the count of such is right for as long as the
    /// result is kept.
    pub(super) fn block(&self) -> Blocked {
        self.show_blocked();
        self.context.clients.block()
    }

    /// Shows the connection as blocked, until it publishes again.
    pub(super) fn show_blocked(&self) {
        let mut figures = self.client.session();
        figures.flags = figures.flags.with(ClientFlags::BLOCKED, true);
        self.client.publish_session(&figures);
    }

    /// Runs what may take long on a thread that serves nobody else.
    async fn run_blocking(
        &mut self,
        job: impl FnOnce(&Context, &mut ReplyBuf) + Send + 'static,
        kill: &mut KillSwitch<'_>,
    ) -> Result<(), End> {
        let _blocked = self.block();
        let (context, mut reply) =
            (Arc::clone(&self.context), ReplyBuf::with_protocol(self.session.protocol));
        let done = tokio::task::spawn_blocking(move || {
            job(&context, &mut reply);
            reply
        });
        match kill.until_replied(done).await? {
            // Invariant: the replies before it were sent by `settle`, so nothing is overwritten.
            Ok(reply) => self.busy().reply = reply,
            Err(error) => {
                tracing::error!(client = self.client.id(), %error, "a command failed unexpectedly");
                self.busy().reply.error("ERR internal error; the server's messages say more");
            }
        }
        Ok(())
    }

    /// Has the server stopped, which ends this connection unanswered; the answer is that it could not be.
    async fn ask_to_stop(&mut self, how: Shutdown, kill: &mut KillSwitch<'_>) -> Result<(), End> {
        let context = Arc::clone(&self.context);
        context.stop.request(how);
        let withdrawn = async {
            while context.stop.requested().is_some() {
                tokio::time::sleep(STOP_LOOK_EVERY).await;
            }
        };
        self.hold(withdrawn, kill).await?;
        self.busy().reply.error("ERR Errors trying to SHUTDOWN. Check logs.");
        Ok(())
    }

    /// Waits out CLIENT PAUSE; the request that it holds up runs after it.
    async fn sit_out_pause(&self, kill: &mut KillSwitch<'_>) -> Result<(), End> {
        match self.context.pause.check(true) {
            Some(pause) => self.hold(pause, kill).await,
            // Why: the databases know the pause by another clock, which may be a little behind.
            None => self.hold(tokio::time::sleep(PAUSE_LOOK_EVERY), kill).await,
        }
    }
}
