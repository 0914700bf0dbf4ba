//! What has to be looked at now and then, whether clients do anything or not: idle clients, slow subscribers, log kept
//! for replicas, and rates and sums for INFO.

use crate::clock::Millis;
use crate::command::clients::{ClientFlags, ClientType, KillState};
use crate::command::context::Context;
use crate::replication::keeper;
use crate::settings::ClientClass;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::MissedTickBehavior;

/// Time between two samples of the rates that INFO shows.
const SAMPLE_EVERY: Duration = Duration::from_millis(100);

/// Samples between two looks at all clients: the timeout is in seconds, and a look costs their number.
const SAMPLES_PER_SWEEP: u32 = 10;

/// Runs until the task is aborted.
pub(super) async fn run(context: Arc<Context>) {
    let mut ticks = tokio::time::interval(SAMPLE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for round in (0..SAMPLES_PER_SWEEP).cycle() {
        ticks.tick().await;
        context.stats.sample(Instant::now(), context.engine().used_memory_bytes());
        if round == 0 {
            context.clients.survey();
            close_idle(&context, Millis::now());
            close_slow_subscribers(&context, Millis::now());
            let kept_for = Arc::clone(&context);
            // Why waited for: one at a time. A panic is the keeper's own, and told where it happened.
            let _ = tokio::task::spawn_blocking(move || keeper::tend(&kept_for)).await;
        }
    }
}

/// Closes the subscribers, and those who monitor, that have left more than the soft limit unread for too long, if nothing more is sent to them.
fn close_slow_subscribers(context: &Context, now: Millis) {
    if context.hub.is_silent() && !context.monitors.are_there() {
        return;
    }
    let limit = context.settings.output_limit(ClientClass::Pubsub);
    for client in context.clients.list() {
        if client.subscriber().is_some_and(|subscriber| subscriber.look(limit, now).is_err()) {
            client.kill(KillState::Now);
        }
    }
}

/// Closes the clients that have sent nothing for `timeout` seconds and wait for nothing; subscribers wait for messages, and
/// who monitors for lines.
fn close_idle(context: &Context, now: Millis) {
    let timeout_millis = u64::from(context.settings.timeout()) * 1000;
    if timeout_millis == 0 {
        return;
    }
    for client in context.clients.list() {
        let flags = client.session().flags;
        let waits = flags.contains(ClientFlags::BLOCKED) || flags.contains(ClientFlags::MONITOR);
        let is_ordinary = client.client_type() == ClientType::Normal;
        if !waits && is_ordinary && client.buffers().last_active.until(now) > timeout_millis {
            tracing::debug!(client = client.id(), "closing an idle client");
            client.kill(KillState::Now);
        }
    }
}
