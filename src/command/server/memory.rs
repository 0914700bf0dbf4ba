//! MEMORY: what keys and the server occupy.

use super::human::{bytes, percent, ratio};
use super::{help, process};
use crate::command::args::{Options, integer, is};
use crate::command::call::{Call, CommandError};
use crate::command::clients::Usage;
use crate::engine::EngineInfo;
use crate::resp::ReplyBuf;

/// Below this there is nothing to examine.
const DOCTOR_BYTES_MIN: u64 = 5 << 20;

/// `MEMORY USAGE key [SAMPLES count]`
///
/// Nothing is estimated from samples: the engine knows what a value occupies.
pub fn memory_usage(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let mut options = Options::new(call.args, 3);
    while let Some(option) = options.next() {
        let samples =
            if is(option, "samples") { options.value()? } else { return Err(CommandError::Syntax) };
        if integer(samples)? < 0 {
            return Err(CommandError::Syntax);
        }
    }
    match call.txn.key_info(call.session.db, &call.args[2]) {
        Some(info) => call.reply.int(info.memory_bytes as i64),
        None => call.reply.null(),
    }
    Ok(())
}

/// What the server occupies, and what for.
pub(super) struct Figures {
    /// Data with everything around it: what `maxmemory` limits.
    pub(super) used: u64,
    pub(super) peak: u64,
    pub(super) resident: u64,
    pub(super) clients: Usage,
    pub(super) keys: u64,
}

impl Figures {
    pub(super) fn new(call: &Call<'_, '_>, engine: &EngineInfo) -> Self {
        let used = engine.data_bytes;
        Self {
            used,
            peak: call.context.stats.peak_memory_bytes().max(used),
            resident: process::resident_bytes(),
            clients: call.context.clients.usage(),
            keys: engine.databases.iter().map(|database| database.keys).sum(),
        }
    }
}

/// MEMORY STATS
pub fn memory_stats(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let figures = Figures::new(call, &call.context.engine().info());
    let counts = [
        ("peak.allocated", figures.peak),
        ("total.allocated", figures.used),
        ("startup.allocated", 0),
        ("replication.backlog", 0),
        ("clients.slaves", 0),
        ("clients.normal", figures.clients.memory_bytes),
        ("cluster.links", 0),
        ("aof.buffer", 0),
        ("lua.caches", 0),
        ("functions.caches", 0),
        ("keys.count", figures.keys),
        ("keys.bytes-per-key", figures.used.checked_div(figures.keys).unwrap_or(0)),
        ("allocator.resident", figures.resident),
    ];
    let shares = [
        ("peak.percentage", percent(figures.used, figures.peak)),
        ("fragmentation", ratio(figures.resident, figures.used)),
    ];
    call.reply.map(counts.len() + shares.len() + 1);
    for (name, count) in counts {
        write_count(call.reply, name, count as i64);
    }
    for (name, share) in shares {
        call.reply.bulk(name.as_bytes());
        call.reply.double(share);
    }
    write_count(call.reply, "fragmentation.bytes", figures.resident as i64 - figures.used as i64);
    Ok(())
}

fn write_count(reply: &mut ReplyBuf, name: &str, count: i64) {
    reply.bulk(name.as_bytes());
    reply.int(count);
}

/// MEMORY DOCTOR
pub fn memory_doctor(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let report = examine(&Figures::new(call, &call.context.engine().info()));
    call.reply.verbatim(*b"txt", &report);
    Ok(())
}

fn examine(figures: &Figures) -> String {
    let Figures { used, peak, resident, .. } = *figures;
    if used < DOCTOR_BYTES_MIN {
        return "Too little data is stored to tell anything about memory.\n".to_owned();
    }
    let clients = figures.clients.memory_bytes;
    let mut findings = Vec::new();
    if peak > used + used / 2 {
        findings.push(format!(
            "Data took {} at most and takes {} now: memory that was freed since may still be resident.",
            bytes(peak),
            bytes(used)
        ));
    }
    if resident > used + used / 2 {
        findings.push(format!("{} are resident for {} of data.", bytes(resident), bytes(used)));
    }
    if clients > used / 4 {
        findings.push(format!("Buffers of clients take {}: some may read too slowly.", bytes(clients)));
    }
    if findings.is_empty() {
        findings.push("Nothing is wrong with the use of memory.".to_owned());
    }
    findings.join("\n") + "\n"
}

/// MEMORY MALLOC-STATS
pub fn memory_malloc_stats(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    call.reply.verbatim(*b"txt", "Stats not supported for the current allocator");
    Ok(())
}

/// MEMORY PURGE: the allocator gives pages back by itself, so there is nothing to do.
pub fn memory_purge(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    call.reply.ok();
    Ok(())
}

/// MEMORY HELP
pub fn memory_help(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    help("memory", call.reply)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::context::fixture::Fixture;

    fn figures(used: u64, peak: u64, resident: u64) -> Figures {
        Figures { used, peak, resident, clients: Usage::default(), keys: 1 }
    }

    #[test]
    fn bad_options_are_refused_before_the_key_is_looked_at() {
        let mut fixture = Fixture::new();
        for line in ["MEMORY USAGE k SAMPLES -1", "MEMORY USAGE k foo", "MEMORY USAGE k SAMPLES"] {
            assert_eq!(fixture.error(memory_usage, line), "ERR syntax error");
        }
        let error = fixture.error(memory_usage, "MEMORY USAGE k SAMPLES x");
        assert_eq!(error, "ERR value is not an integer or out of range");
    }

    #[test]
    fn the_doctor_says_what_is_large() {
        const MB: u64 = 1 << 20;
        assert!(examine(&figures(MB, MB, MB)).starts_with("Too little"));
        assert!(examine(&figures(100 * MB, 110 * MB, 120 * MB)).starts_with("Nothing is wrong"));
        let report = examine(&figures(100 * MB, 300 * MB, 200 * MB));
        assert_eq!(report.lines().count(), 2, "{report}");
        assert!(report.contains("200.00M are resident for 100.00M"), "{report}");
    }

    #[test]
    fn stats_are_pairs() {
        let mut fixture = Fixture::new();
        let reply = fixture.run(memory_stats, "MEMORY STATS");
        assert!(reply.starts_with("*32\r\n$14\r\npeak.allocated\r\n:"), "{reply}");
    }
}
