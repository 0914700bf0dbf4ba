//! INFO: what the server is and does, section by section.
//!
//! Field names are Redis's wherever the thing exists here; a field is left out where it would have to be invented.
//! The engine's figures come from one [`EngineInfo`], read once; what commands and connections count from
//! [`Stats`](crate::command::stats::Stats); the rest from the settings and the operating system.

mod activity;
mod commands;
mod data;
mod replication;
mod text;
mod who;

use super::memory::Figures;
use crate::command::call::{Call, CommandError};
use crate::command::stats::Totals;
use crate::engine::EngineInfo;
use crate::resp::Args;
use std::cell::OnceCell;
use text::Text;

/// A section: its name, whether plain INFO shows it, and who writes it.
struct Section {
    name: &'static str,
    by_default: bool,
    write: fn(&Report<'_, '_, '_>, &mut Text),
}

const fn section(name: &'static str, by_default: bool, write: fn(&Report<'_, '_, '_>, &mut Text)) -> Section {
    Section { name, by_default, write }
}

/// All sections, in Redis's order.
const SECTIONS: [Section; 13] = [
    section("Server", true, who::server),
    section("Clients", true, who::clients),
    section("Memory", true, data::memory),
    section("Persistence", true, data::persistence),
    section("Stats", true, activity::stats),
    section("Replication", true, replication::replication),
    section("CPU", true, activity::cpu),
    section("Modules", true, who::modules),
    section("Commandstats", false, commands::commandstats),
    section("Errorstats", true, commands::errorstats),
    section("Latencystats", false, commands::latencystats),
    section("Cluster", true, who::cluster),
    section("Keyspace", true, data::keyspace),
];

/// `INFO [section ...]`
pub fn info(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let mut text = Text::default();
    let report = Report::new(call);
    for section in SECTIONS.iter().filter(|section| is_wanted(section, call.args)) {
        text.title(section.name);
        (section.write)(&report, &mut text);
    }
    let text = text.finish();
    call.reply.verbatim(*b"txt", &text);
    Ok(())
}

/// Whether the request names a section, by itself or among others.
fn is_wanted(section: &Section, args: Args<'_>) -> bool {
    let names = args.from(1);
    if names.is_empty() {
        return section.by_default;
    }
    names.iter().any(|name| match name.to_ascii_lowercase().as_slice() {
        b"default" => section.by_default,
        b"all" | b"everything" => true,
        name => name.eq_ignore_ascii_case(section.name.as_bytes()),
    })
}

/// What the sections are written from. Costly figures are read at most once, when a section needs them.
struct Report<'r, 'c, 'g> {
    call: &'r Call<'c, 'g>,
    engine: OnceCell<EngineInfo>,
    memory: OnceCell<Figures>,
    totals: OnceCell<Totals>,
}

impl<'r, 'c, 'g> Report<'r, 'c, 'g> {
    fn new(call: &'r Call<'c, 'g>) -> Self {
        Self { call, engine: OnceCell::new(), memory: OnceCell::new(), totals: OnceCell::new() }
    }

    fn engine(&self) -> &EngineInfo {
        self.engine.get_or_init(|| self.call.context.engine().info())
    }

    fn memory(&self) -> &Figures {
        self.memory.get_or_init(|| Figures::new(self.call, self.engine()))
    }

    fn totals(&self) -> &Totals {
        self.totals.get_or_init(|| self.call.context.stats.totals())
    }
}

#[cfg(test)]
mod tests;
