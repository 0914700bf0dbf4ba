//! What the server does: the sections stats and cpu.

use super::super::process;
use super::{Report, Text};
use crate::command::pubsub::Kind;
use crate::command::stats::Counter;
use crate::command::upstream::Upstream;

pub(super) fn stats(report: &Report<'_, '_, '_>, text: &mut Text) {
    let (context, totals) = (report.call.context, report.totals());
    let rates = context.stats.rates();
    text.field("total_connections_received", totals.get(Counter::ConnectionsReceived));
    text.field("total_commands_processed", totals.commands_processed());
    text.field("instantaneous_ops_per_sec", rates.commands.round());
    text.field("total_net_input_bytes", totals.get(Counter::NetInputBytes));
    text.field("total_net_output_bytes", totals.get(Counter::NetOutputBytes));
    text.field("total_net_repl_input_bytes", totals.get(Counter::ReplicationInputBytes));
    text.field("total_net_repl_output_bytes", totals.get(Counter::ReplicationOutputBytes));
    for (name, bytes) in [
        ("instantaneous_input_kbps", rates.input_bytes),
        ("instantaneous_output_kbps", rates.output_bytes),
        ("instantaneous_input_repl_kbps", rates.replication_input_bytes),
        ("instantaneous_output_repl_kbps", rates.replication_output_bytes),
    ] {
        text.field(name, format_args!("{:.2}", bytes / 1024.0));
    }
    text.field("rejected_connections", totals.get(Counter::ConnectionsRejected));
    let syncs = context.upstream().map(Upstream::counts).unwrap_or_default();
    text.field("sync_full", syncs.full);
    text.field("sync_partial_ok", syncs.partial);
    text.field("sync_partial_err", syncs.partial_refused);
    keyspace_counters(report, text);
    text.field("pubsub_channels", context.hub.names(Kind::Channel));
    text.field("pubsub_patterns", context.hub.names(Kind::Pattern));
    text.field("pubsubshard_channels", context.hub.names(Kind::Shard));
    text.zeros(&["latest_fork_usec", "total_forks", "migrate_cached_sockets", "slave_expires_tracked_keys"]);
    text.zeros(&["tracking_total_keys", "tracking_total_items", "tracking_total_prefixes"]);
    text.field("unexpected_error_replies", 0);
    text.field("total_error_replies", totals.error_replies());
    text.field("dump_payload_sanitizations", 0);
    text.field("total_reads_processed", totals.get(Counter::Reads));
    text.field("total_writes_processed", totals.get(Counter::Writes));
    refusals(report, text);
}

fn keyspace_counters(report: &Report<'_, '_, '_>, text: &mut Text) {
    let (counted, totals) = (report.call.context.counted(report.engine()), report.totals());
    text.field("expired_keys", counted.expired_keys);
    text.field("expired_subkeys", counted.expired_fields);
    text.zeros(&[
        "evicted_keys",
        "evicted_clients",
        "total_eviction_exceeded_time",
        "current_eviction_exceeded_time",
    ]);
    text.field("keyspace_hits", totals.get(Counter::KeyspaceHits));
    text.field("keyspace_misses", totals.get(Counter::KeyspaceMisses));
    text.field("lost_attempts", counted.lost_attempts);
    text.field("alone_transactions", counted.alone_transactions);
    text.field("root_waits", counted.root_waits);
}

fn refusals(report: &Report<'_, '_, '_>, text: &mut Text) {
    let totals = report.totals();
    text.field("protocol_errors", totals.get(Counter::ProtocolErrors));
    text.field("acl_access_denied_auth", totals.errors.get("WRONGPASS").copied().unwrap_or(0));
    text.zeros(&["acl_access_denied_cmd", "acl_access_denied_key", "acl_access_denied_channel"]);
    let (query, output) = (Counter::QueryBufferDisconnections, Counter::OutputBufferDisconnections);
    text.field("client_query_buffer_limit_disconnections", totals.get(query));
    text.field("client_output_buffer_limit_disconnections", totals.get(output));
}

pub(super) fn cpu(_report: &Report<'_, '_, '_>, text: &mut Text) {
    let times = process::cpu_times();
    for (name, time) in [
        ("used_cpu_sys", times.system),
        ("used_cpu_user", times.user),
        ("used_cpu_sys_children", times.children_system),
        ("used_cpu_user_children", times.children_user),
    ] {
        text.field(name, format_args!("{:.6}", time.as_secs_f64()));
    }
}
