//! Who is followed and who follows: the section replication.
//!
//! Offsets are positions in the log. `master_replid` is the history's id, 32 hexadecimal digits, behind 8 zeros, since
//! readers expect 40; `master_replid2` is that of the history before, up to `second_repl_offset`. `master_link_refused` is ours: why the primary is not followed.

use super::{Report, Text};
use crate::clock::Millis;
use crate::command::replicas::Feeding;
use crate::command::replication::applied;
use crate::command::upstream::{Link, Upstream, UpstreamStatus};

pub(super) fn replication(report: &Report<'_, '_, '_>, text: &mut Text) {
    let (context, now) = (report.call.context, report.call.txn.now());
    let engine = context.engine();
    let position = applied(&engine);
    let status = context.upstream().and_then(Upstream::status);
    text.field("role", if status.is_some() { "slave" } else { "master" });
    if let Some(status) = &status {
        primary(text, status, now);
        text.field("slave_read_repl_offset", position);
        text.field("slave_repl_offset", position);
        primary_is_away(text, status, now);
        text.field("slave_priority", context.settings.replica_priority());
        text.flag("slave_read_only", true);
        text.flag("replica_announced", context.settings.replica_announced());
    }
    replicas(report, text, now);
    let failover = context.upstream().map_or("no-failover", |upstream| upstream.failover_state());
    text.field("master_failover_state", failover);
    text.field("master_replid", format_args!("00000000{}", engine.history()));
    // Why one more: that is how Redis counts, which names the first byte that is not of the history before.
    let previous = engine.previous_history().map(|(name, fork)| (name.to_string(), (fork.get() + 1) as i64));
    let (name, end) = previous.unwrap_or_else(|| ("0".repeat(32), -1));
    text.field("master_replid2", format_args!("00000000{name}"));
    text.field("master_repl_offset", position);
    text.field("second_repl_offset", end);
    let start = report.engine().log.start;
    text.flag("repl_backlog_active", true);
    text.field("repl_backlog_size", context.settings.repl_backlog_size());
    text.field("repl_backlog_first_byte_offset", start);
    text.field("repl_backlog_histlen", position.get().saturating_sub(start.get()));
}

fn primary(text: &mut Text, status: &UpstreamStatus, now: Millis) {
    let silent = status.heard_at.filter(|_| status.link == Link::Log);
    text.field("master_host", &status.host);
    text.field("master_port", status.port);
    text.field("master_link_status", if status.link == Link::Log { "up" } else { "down" });
    text.field("master_last_io_seconds_ago", silent.map_or(-1, |heard| (heard.until(now) / 1000) as i64));
    text.flag("master_sync_in_progress", status.link == Link::Snapshot);
    if status.refusal.is_some() {
        text.message("master_link_refused", status.refusal.as_ref());
    }
    let Some(sync) = status.sync.filter(|_| status.link == Link::Snapshot) else { return };
    let heard = status.heard_at.map_or(-1, |heard| (heard.until(now) / 1000) as i64);
    text.field("master_sync_total_bytes", sync.total);
    text.field("master_sync_read_bytes", sync.done);
    text.field("master_sync_left_bytes", sync.total.saturating_sub(sync.done));
    let share = super::super::human::percent(sync.done, sync.total);
    text.field("master_sync_perc", format_args!("{share:.2}"));
    text.field("master_sync_last_io_seconds_ago", heard);
}

fn primary_is_away(text: &mut Text, status: &UpstreamStatus, now: Millis) {
    if status.link != Link::Log {
        let since = status.down_since.map_or(-1, |since| (since.until(now) / 1000) as i64);
        text.field("master_link_down_since_seconds", since);
    }
}

fn replicas(report: &Report<'_, '_, '_>, text: &mut Text, now: Millis) {
    let context = report.call.context;
    let replicas = context.replicas.list();
    text.field("connected_slaves", replicas.len());
    let (least, lag) = (context.settings.min_replicas_to_write(), context.settings.min_replicas_max_lag());
    if least > 0 && lag > 0 {
        text.field("min_slaves_good_slaves", context.replicas.good(u64::from(lag) * 1000, now));
    }
    for (number, replica) in replicas.iter().enumerate() {
        let who = replica.introduction();
        let lag = match replica.feeding() {
            Feeding::Log => replica.heard_at().until(now) / 1000,
            Feeding::Snapshot => 0,
        };
        text.field(
            &format!("slave{number}"),
            format_args!(
                "ip={},port={},state={},offset={},lag={lag}",
                who.ip,
                who.port,
                replica.feeding().name(),
                replica.applied(),
            ),
        );
    }
}
