//! Statistics of commands: the sections commandstats, errorstats and latencystats.

use super::{Report, Text};
use crate::command::stats::CommandTotals;
use crate::command::table;
use std::fmt::Write as _;

/// The commands that have been called or refused, with their names.
fn used<'r>(report: &'r Report<'_, '_, '_>) -> impl Iterator<Item = (&'static str, &'r CommandTotals)> {
    let all = table::all().map(|spec| (spec.full_name, &report.totals().commands[spec.index()]));
    all.filter(|(_, totals)| totals.calls + totals.rejected + totals.failed > 0)
}

pub(super) fn commandstats(report: &Report<'_, '_, '_>, text: &mut Text) {
    for (name, totals) in used(report) {
        let (calls, micros) = (totals.calls, totals.nanos / 1000);
        let per_call = if calls == 0 { 0.0 } else { totals.nanos as f64 / 1000.0 / calls as f64 };
        let (rejected, failed) = (totals.rejected, totals.failed);
        text.field(
            &format!("cmdstat_{name}"),
            format_args!(
                "calls={calls},usec={micros},usec_per_call={per_call:.2},rejected_calls={rejected},\
                 failed_calls={failed}"
            ),
        );
    }
}

pub(super) fn errorstats(report: &Report<'_, '_, '_>, text: &mut Text) {
    for (code, count) in &report.totals().errors {
        text.field(&format!("errorstat_{}", printable(code)), format_args!("count={count}"));
    }
}

/// A code that scripts chose must not break the lines.
fn printable(code: &str) -> String {
    let plain = |shown: char| if shown.is_control() || ":#=,".contains(shown) { '_' } else { shown };
    code.chars().map(plain).collect()
}

pub(super) fn latencystats(report: &Report<'_, '_, '_>, text: &mut Text) {
    let settings = &report.call.context.settings;
    if !settings.latency_tracking() {
        return;
    }
    let percentiles = settings.latency_tracking_info_percentiles();
    for (name, totals) in used(report).filter(|(_, totals)| totals.latency.count() > 0) {
        let mut shown = String::new();
        for percentile in &percentiles {
            let micros = totals.latency.percentile(*percentile) as f64 / 1000.0;
            let comma = if shown.is_empty() { "" } else { "," };
            // Why: writing to a string does not fail.
            let _ = write!(shown, "{comma}p{percentile}={micros:.3}");
        }
        text.field(&format!("latency_percentiles_usec_{name}"), shown);
    }
}
