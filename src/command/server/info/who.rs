//! Who the server is and who is connected: the sections server, clients, modules and cluster.

use super::super::process;
use super::{Report, Text};
use crate::command::context::{GOREDIS_VERSION, PauseKind, REDIS_VERSION};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

pub(super) fn server(report: &Report<'_, '_, '_>, text: &mut Text) {
    let (settings, identity) = (&report.call.context.settings, &report.call.context.identity);
    let uptime = identity.uptime().as_secs();
    text.field("redis_version", REDIS_VERSION);
    // Why zeros: what Redis shows of a build that knows no commit.
    text.field("redis_git_sha1", "00000000");
    text.field("redis_git_dirty", 0);
    text.field("goredis_version", GOREDIS_VERSION);
    text.field("redis_mode", "standalone");
    text.field("os", process::system());
    text.field("arch_bits", usize::BITS);
    text.field("monotonic_clock", "POSIX clock_gettime");
    text.field("multiplexing_api", "epoll");
    text.field("process_id", std::process::id());
    text.field("process_supervised", "no");
    text.field("run_id", &identity.run_id);
    text.field("tcp_port", settings.port());
    text.field(
        "server_time_usec",
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros(),
    );
    text.field("uptime_in_seconds", uptime);
    text.field("uptime_in_days", uptime / (24 * 60 * 60));
    text.field("hz", settings.hz());
    text.field("configured_hz", settings.hz());
    text.field("executable", identity.executable.display());
    text.field("config_file", settings.config_file().unwrap_or("".as_ref()).display());
    let threads = match settings.threads() {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    text.flag("io_threads_active", threads > 1);
    text.field("threads", threads);
    listeners(report, text);
}

/// Where the server listens, as it was set.
fn listeners(report: &Report<'_, '_, '_>, text: &mut Text) {
    let settings = &report.call.context.settings;
    let mut number = 0;
    if settings.port() != 0 {
        let bind = settings.get(&[b"bind"]).pop().map(|(_, value)| value).unwrap_or_default();
        let bind = String::from_utf8_lossy(&bind);
        let addresses = bind.replace(' ', ",bind=");
        text.field("listener0", format_args!("name=tcp,bind={addresses},port={}", settings.port()));
        number += 1;
    }
    if let Some(path) = settings.unixsocket_path() {
        text.field(&format!("listener{number}"), format_args!("name=unix,bind={}", path.display()));
    }
}

pub(super) fn clients(report: &Report<'_, '_, '_>, text: &mut Text) {
    let context = report.call.context;
    let usage = context.clients.usage();
    text.field("connected_clients", context.clients.count());
    text.field("cluster_connections", 0);
    text.field("maxclients", context.settings.maxclients());
    text.field("client_recent_max_input_buffer", usage.input_bytes_max);
    text.field("client_recent_max_output_buffer", usage.output_bytes_max);
    text.field("blocked_clients", context.clients.blocked());
    text.field("tracking_clients", 0);
    text.field("pubsub_clients", context.hub.clients());
    text.field("watching_clients", usage.watching);
    text.field("total_watched_keys", usage.watched);
    text.zeros(&["clients_in_timeout_table"]);
    text.field("total_blocking_keys", context.engine().waited_keys());
    text.zeros(&["total_blocking_keys_on_nokey"]);
    let now = Instant::now();
    let pause = context.pause.current(now);
    let reason = pause.map_or("none", |_| "client_command");
    let actions = pause.map_or("none", |(kind, _)| if kind == PauseKind::All { "all" } else { "write" });
    let left = pause.map_or(0, |(_, end)| end.saturating_duration_since(now).as_millis());
    text.field("paused_reason", reason);
    text.field("paused_actions", actions);
    text.field("paused_timeout_milliseconds", left);
}

/// There are no modules.
pub(super) fn modules(_report: &Report<'_, '_, '_>, _text: &mut Text) {}

pub(super) fn cluster(_report: &Report<'_, '_, '_>, text: &mut Text) {
    text.flag("cluster_enabled", false);
}
