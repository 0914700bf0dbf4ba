//! Replies on their way to the client, and the last one of all.

use super::kill::KillSwitch;
use super::{Connection, End};
use crate::command::dispatch;
use crate::command::stats::Counter;
use crate::resp::ProtocolError;
use crate::settings::{ClientClass, OutputLimit};
use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Duration;

impl Connection {
    /// Sends all replies, where they may be known and the socket takes them at once. False: some are left, for
    /// [`Connection::settle`].
    #[inline]
    pub(super) fn settle_at_once(&mut self) -> bool {
        if dispatch::waits_for_storage(&self.context) {
            return false;
        }
        self.session.publish();
        let limit = self.output_limit();
        let output_bytes = self.output_bytes();
        if output_bytes == 0 {
            return true;
        }
        if limit.hard_bytes > 0 && output_bytes > limit.hard_bytes {
            return false;
        }
        let Some(work) = self.work.as_mut() else { return true };
        let Ok(count) = self.stream.try_write(&mut work.reply) else { return false };
        let is_done = work.reply.is_empty();
        self.count_written(count as u64);
        is_done
    }

    /// Waits until the replies may be known, and sends them.
    pub(super) async fn settle(&mut self, kill: &mut KillSwitch<'_>) -> Result<(), End> {
        if let Some(lsn) = dispatch::durability(&self.context, &mut self.session) {
            let engine = self.context.database();
            if let Err(error) = kill.until_replied(engine.wait_durable(lsn)).await? {
                // Order: nothing that was executed is told, for nobody knows whether it will be there.
                return Err(self.last_word(&format!("MISCONF {error}"), kill).await);
            }
        }
        self.session.publish();
        self.flush(kill).await
    }

    /// Sends all replies, unless they are more than the client may leave unread.
    async fn flush(&mut self, kill: &mut KillSwitch<'_>) -> Result<(), End> {
        let output_bytes = self.output_bytes();
        if output_bytes == 0 {
            return Ok(());
        }
        let limit = self.output_limit();
        if limit.hard_bytes > 0 && output_bytes > limit.hard_bytes {
            return Err(self.over_limit(limit.hard_bytes));
        }
        if limit.soft_bytes > 0 && output_bytes > limit.soft_bytes {
            self.flush_for(Duration::from_secs(limit.soft_seconds), limit.soft_bytes, kill).await?;
        }
        kill.until_replied(poll_fn(|cx| self.poll_flush(cx))).await?
    }

    /// Sends replies for `time`; then no more than `soft_bytes` of them may be left.
    async fn flush_for(
        &mut self,
        time: Duration,
        soft_bytes: u64,
        kill: &mut KillSwitch<'_>,
    ) -> Result<(), End> {
        let flush = tokio::time::timeout(time, poll_fn(|cx| self.poll_flush(cx)));
        match kill.until_replied(flush).await? {
            Ok(flushed) => flushed,
            Err(_) if self.output_bytes() > soft_bytes => Err(self.over_limit(soft_bytes)),
            Err(_) => Ok(()),
        }
    }

    /// How much the client may leave unread: a subscriber, or one that monitors, has another limit than others.
    #[inline]
    fn output_limit(&self) -> OutputLimit {
        let names = self.session.subscriptions.as_ref();
        let is_subscriber = names.is_some_and(|names| names.total() > 0 || names.monitors());
        let class = if is_subscriber { ClientClass::Pubsub } else { ClientClass::Normal };
        self.context.settings.output_limit(class)
    }

    fn output_bytes(&mut self) -> u64 {
        self.busy().reply.len() as u64
    }

    fn over_limit(&mut self, limit: u64) -> End {
        let output_bytes = self.output_bytes();
        self.count_over_limit(output_bytes, limit);
        End::OverLimit
    }

    /// Tells of it if publishers found the connection above its limit, which is what ended it.
    pub(super) fn note_cut_off(&self) {
        let Some(subscriber) = self.client.subscriber() else { return };
        if subscriber.cut_off_at() > 0 {
            self.count_over_limit(subscriber.queued_bytes(), subscriber.cut_off_at());
        }
    }

    fn count_over_limit(&self, output_bytes: u64, limit: u64) {
        self.context.stats.local().add(Counter::OutputBufferDisconnections, 1);
        tracing::warn!(client = self.client.id(), output_bytes, limit, "closed: output buffer limit reached");
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        loop {
            let Some(work) = self.work.as_mut() else { return Poll::Ready(Ok(())) };
            if work.reply.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let polled = self.stream.poll_write(cx, &mut work.reply);
            if polled.is_pending() {
                self.publish_buffers();
            }
            match ready!(polled) {
                Ok(0) => return Poll::Ready(Err(End::Gone)),
                Ok(count) => self.count_written(count as u64),
                Err(error) => return Poll::Ready(Err(self.failed(&error))),
            }
        }
    }

    fn count_written(&mut self, count: u64) {
        self.net_output_bytes += count;
        let stats = self.context.stats.local();
        stats.add(Counter::NetOutputBytes, count);
        stats.add(Counter::Writes, 1);
    }

    /// Answers bytes that are no request, after everything that came before them.
    pub(super) async fn refuse(&mut self, error: ProtocolError, kill: &mut KillSwitch<'_>) -> End {
        let counter = match error {
            ProtocolError::RequestTooBig => Counter::QueryBufferDisconnections,
            _ => Counter::ProtocolErrors,
        };
        self.context.stats.local().add(counter, 1);
        tracing::debug!(client = self.client.id(), %error, "closing");
        self.last_word(&format!("ERR {error}"), kill).await
    }

    /// Sends an error in place of all replies that have not been sent, and ends.
    async fn last_word(&mut self, error: &str, kill: &mut KillSwitch<'_>) -> End {
        let work = self.busy();
        work.abandon();
        work.reply.clear();
        work.reply.error(error);
        self.flush(kill).await.err().unwrap_or(End::Finished)
    }

    /// Tells the client that nothing more will come, so that it reads what was sent last even if it has sent more.
    pub(super) async fn hang_up(&mut self, kill: &mut KillSwitch<'_>) {
        // Why: a socket that cannot be shut down has nobody at its other end.
        let _ = kill.until_replied(poll_fn(|cx| self.stream.poll_shutdown(cx))).await;
    }
}
