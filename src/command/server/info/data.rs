//! What is stored, where and how safely: the sections memory, persistence and keyspace.

use super::super::{human, process};
use super::{Report, Text};
use crate::engine::EngineInfo;
use std::time::Duration;

/// A size in bytes, and again for people.
fn size(text: &mut Text, name: &str, bytes: u64) {
    text.field(name, bytes);
    text.field(&format!("{name}_human"), human::bytes(bytes));
}

fn share(text: &mut Text, name: &str, part: u64, whole: u64) {
    text.field(name, format_args!("{:.2}%", human::percent(part, whole)));
}

pub(super) fn memory(report: &Report<'_, '_, '_>, text: &mut Text) {
    let (figures, settings) = (report.memory(), &report.call.context.settings);
    size(text, "used_memory", figures.used);
    size(text, "used_memory_rss", figures.resident);
    size(text, "used_memory_peak", figures.peak);
    share(text, "used_memory_peak_perc", figures.used, figures.peak);
    text.field("used_memory_startup", 0);
    size(text, "total_system_memory", process::machine_bytes());
    text.zeros(&[
        "used_memory_lua",
        "used_memory_vm_eval",
        "used_memory_scripts_eval",
        "number_of_cached_scripts",
    ]);
    text.zeros(&[
        "number_of_functions",
        "number_of_libraries",
        "used_memory_vm_functions",
        "used_memory_vm_total",
    ]);
    text.zeros(&["used_memory_functions"]);
    size(text, "used_memory_scripts", 0);
    size(text, "maxmemory", settings.maxmemory());
    text.field("maxmemory_policy", settings.maxmemory_policy().name());
    text.field(
        "mem_fragmentation_ratio",
        format_args!("{:.2}", human::ratio(figures.resident, figures.used)),
    );
    text.field("mem_fragmentation_bytes", figures.resident as i64 - figures.used as i64);
    text.zeros(&["mem_not_counted_for_evict", "mem_replication_backlog", "mem_total_replication_buffers"]);
    text.zeros(&["mem_clients_slaves"]);
    text.field("mem_clients_normal", figures.clients.memory_bytes);
    text.zeros(&["mem_cluster_links", "mem_aof_buffer"]);
    text.field("mem_allocator", "jemalloc");
    text.zeros(&["active_defrag_running"]);
}

pub(super) fn persistence(report: &Report<'_, '_, '_>, text: &mut Text) {
    let engine = report.engine();
    // Why: nobody is served before the data is recovered, so nobody can be told that it is being recovered.
    text.flag("loading", false);
    text.flag("async_loading", false);
    text.zeros(&["current_cow_peak", "current_cow_size", "current_cow_size_age"]);
    rdb(text, engine);
    aof(text, engine);
    text.zeros(&["module_fork_in_progress", "module_fork_last_cow_size"]);
    if engine.persistent {
        log_as_aof(text, engine);
    }
    data_log(text, engine, report.call.context.counted(engine).delayed_writes);
}

/// Seconds, or -1 where there is nothing that took any.
fn seconds(time: Option<Duration>) -> i64 {
    time.map_or(-1, |time| time.as_secs() as i64)
}

/// The snapshot under the name of Redis's snapshots.
fn rdb(text: &mut Text, engine: &EngineInfo) {
    let snapshot = &engine.snapshot;
    text.field("rdb_changes_since_last_save", snapshot.changes);
    text.flag("rdb_bgsave_in_progress", snapshot.running);
    text.field("rdb_last_save_time", snapshot.saved_at.seconds());
    text.status("rdb_last_bgsave_status", snapshot.failure.is_none());
    text.field("rdb_last_bgsave_time_sec", seconds(snapshot.took));
    text.field("rdb_current_bgsave_time_sec", seconds(snapshot.running_for));
    text.field("rdb_saves", snapshot.taken);
    text.field("rdb_last_cow_size", 0);
    text.field("rdb_last_file_size", snapshot.file_bytes);
}

/// The same snapshot under the name of Redis's log rewriting: it is what lets the log be cut.
fn aof(text: &mut Text, engine: &EngineInfo) {
    let (snapshot, log) = (&engine.snapshot, &engine.log);
    text.flag("aof_enabled", engine.persistent);
    text.flag("aof_rewrite_in_progress", snapshot.running);
    text.flag("aof_rewrite_scheduled", false);
    text.field("aof_last_rewrite_time_sec", seconds(snapshot.took));
    text.field("aof_current_rewrite_time_sec", seconds(snapshot.running_for));
    text.status("aof_last_bgrewrite_status", snapshot.failure.is_none());
    text.field("aof_rewrites", snapshot.taken);
    text.status("aof_last_write_status", log.fault.is_none() && log.no_space.is_none());
    text.field("aof_last_cow_size", 0);
}

/// The snapshot and the log behind it, as Redis's multi-part log counts them.
fn log_as_aof(text: &mut Text, engine: &EngineInfo) {
    text.field("aof_current_size", engine.snapshot.file_bytes + engine.log_since_snapshot_bytes);
    text.field("aof_base_size", engine.snapshot.file_bytes);
    text.zeros(&["aof_pending_rewrite", "aof_buffer_length", "aof_pending_bio_fsync"]);
}

/// The log as it is.
fn data_log(text: &mut Text, engine: &EngineInfo, delayed_writes: u64) {
    let log = &engine.log;
    if engine.persistent {
        text.field("aof_delayed_fsync", delayed_writes);
    }
    text.field("log_start", log.start);
    text.field("log_head", log.head);
    text.field("log_resolved", log.resolved);
    text.field("log_durable", log.durable);
    text.field("log_appended_bytes", log.appended_bytes);
    text.field("log_mapped_segments", log.mapped_segments);
    text.field("log_syncs", log.syncs);
    text.field("log_last_sync_usec", log.last_sync.as_micros());
    text.field("log_segment_waits", log.segment_waits);
    text.message("log_fault", log.fault.as_ref());
    text.message("log_no_space", log.no_space.as_ref());
    text.message("snapshot_failure", engine.snapshot.failure.as_ref());
}

pub(super) fn keyspace(report: &Report<'_, '_, '_>, text: &mut Text) {
    for database in &report.engine().databases {
        let (keys, expires, ttl) = (database.keys, database.expires, database.avg_ttl);
        text.field(
            &format!("db{}", database.db),
            format_args!("keys={keys},expires={expires},avg_ttl={ttl}"),
        );
    }
}
