//! How much log is kept for replicas.
//!
//! Beyond what the newest snapshot needs, the log is kept from where the slowest replica is, absent ones included for
//! `repl-backlog-ttl` seconds, but no more than `repl-backlog-size` bytes of it. Who is being sent a snapshot gets the log
//! that belongs to it whatever it takes: else it would have to begin again, and again.

use crate::clock::Millis;
use crate::command::context::Context;
use crate::lsn::Lsn;

/// Bytes of its end that a log in memory keeps while nobody follows.
const MEMORY_BYTES: u64 = 16 << 20;

/// Says to the engine what is to be kept; called every second, and when a replica has come. May wait for the disk.
pub fn tend(context: &Context) {
    let engine = context.engine();
    let backlog = context.settings.repl_backlog_size();
    let ttl_ms = context.settings.repl_backlog_ttl().saturating_mul(1000);
    let (snapshot, log) = context.replicas.needs(ttl_ms, Millis::now());
    engine.log().set_retained_bytes(if snapshot.is_some() || log.is_some() {
        backlog.max(MEMORY_BYTES)
    } else {
        MEMORY_BYTES
    });
    let lowest = Lsn::new(engine.log().head().get().saturating_sub(backlog));
    let bounded = log.map(|log| log.max(lowest));
    let from = [snapshot, bounded].into_iter().flatten().min();
    engine.retain_from(from.unwrap_or(Lsn::ZERO));
}
