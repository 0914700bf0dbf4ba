//! The plots: throughput as bars, latency percentiles as lines.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::colors::full_palette::{BLUE_700, GREY_600, LIGHTBLUE_300, ORANGE_700, RED_300};

use crate::error::BenchError;
use crate::results::{Entry, Quantity, Results};
use crate::rows::Row;

type Failure = Box<dyn Error + Send + Sync>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// One for each contender, in their order.
const COLOURS: [RGBColor; 5] = [RED_300, BLUE_700, GREY_600, LIGHTBLUE_300, ORANGE_700];

const FONT: &str = "sans-serif";
const PANEL: (u32, u32) = (420, 300);
const PANELS_PER_LINE: usize = 3;

/// The percentiles that are drawn, evenly spaced, with what is written below them.
const QUANTILES: [(f64, &str); 6] =
    [(0.5, "50"), (0.9, "90"), (0.99, "99"), (0.999, "99.9"), (0.9999, "99.99"), (1.0, "100")];

/// Draws the throughput of a row's workloads into `path`; tells whether there is any.
pub(crate) fn throughput(path: &Path, row: Row, results: &Results) -> Result<bool, BenchError> {
    let panels = panels(results.of_row(row).filter(|entry| entry.median(Quantity::Throughput).is_some()));
    if panels.is_empty() {
        return Ok(false);
    }
    draw(path, &panels, bars)
}

/// Draws the latency percentiles of a row's workloads into `path`; tells whether there are any.
pub(crate) fn latency(path: &Path, row: Row, results: &Results) -> Result<bool, BenchError> {
    let panels = panels(results.of_row(row).filter(|entry| !entry.latencies.is_empty()));
    if panels.is_empty() {
        return Ok(false);
    }
    draw(path, &panels, lines)
}

/// The entries of each workload, in their order.
fn panels<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<Vec<&'a Entry>> {
    let mut panels: Vec<Vec<&Entry>> = Vec::new();
    for entry in entries {
        match panels.iter_mut().find(|panel| panel[0].workload == entry.workload) {
            Some(panel) => panel.push(entry),
            None => panels.push(vec![entry]),
        }
    }
    panels
}

fn draw(
    path: &Path,
    panels: &[Vec<&Entry>],
    panel: impl Fn(&Area<'_>, &[&Entry]) -> Result<(), Failure>,
) -> Result<bool, BenchError> {
    let (across, down) = (panels.len().min(PANELS_PER_LINE), panels.len().div_ceil(PANELS_PER_LINE));
    let size = (PANEL.0 * across as u32, PANEL.1 * down as u32);
    let all = || -> Result<(), Failure> {
        let root = SVGBackend::new(path, size).into_drawing_area();
        root.fill(&WHITE)?;
        for (area, entries) in root.split_evenly((down, across)).iter().zip(panels) {
            panel(area, entries)?;
        }
        Ok(root.present()?)
    };
    all().map_err(|error| BenchError::Plot { path: path.to_owned(), reason: error.to_string() })?;
    Ok(true)
}

/// One bar for each contender's operations per second.
fn bars(area: &Area<'_>, entries: &[&Entry]) -> Result<(), Failure> {
    let figures: Vec<f64> =
        entries.iter().map(|entry| entry.median(Quantity::Throughput).unwrap_or(0.0)).collect();
    let top = figures.iter().copied().fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption(&entries[0].workload.name, (FONT, 16))
        .margin(10)
        .margin_right(20)
        .x_label_area_size(8)
        .y_label_area_size(60)
        // Why so high: the legend stands above the bars.
        .build_cartesian_2d(0.0..entries.len() as f64, 0.0..top * (1.1 + 0.1 * entries.len() as f64))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .y_desc("ops/s")
        .y_labels(6)
        .light_line_style(WHITE)
        .y_label_formatter(&|figure| thousands(*figure))
        .draw()?;
    for (index, (entry, figure)) in entries.iter().zip(figures).enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let (left, right) = (index as f64 + 0.15, index as f64 + 0.85);
        let bar = Rectangle::new([(left, 0.0), (right, figure)], colour.filled());
        chart.draw_series([bar])?.label(&entry.contender.name).legend(move |place| key(place, colour));
    }
    chart.configure_series_labels().position(SeriesLabelPosition::UpperLeft).label_font((FONT, 12)).draw()?;
    Ok(())
}

/// One line for each contender's latencies, in milliseconds on a logarithmic scale.
fn lines(area: &Area<'_>, entries: &[&Entry]) -> Result<(), Failure> {
    let lines: Vec<Vec<(f64, f64)>> = entries.iter().map(|entry| percentiles(entry)).collect();
    let figures = || lines.iter().flatten().map(|(_, millis)| *millis);
    let (low, high) = (figures().fold(f64::INFINITY, f64::min), figures().fold(0.0, f64::max));
    let last = (QUANTILES.len() - 1) as f64;
    let mut chart = ChartBuilder::on(area)
        .caption(&entries[0].workload.name, (FONT, 16))
        .margin(10)
        .margin_right(20)
        .x_label_area_size(35)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..last, (low / 1.5..high * 3.0).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("percentile")
        .y_desc("ms")
        .x_labels(QUANTILES.len())
        .x_label_formatter(&|place| QUANTILES[(place.round() as usize).min(QUANTILES.len() - 1)].1.to_owned())
        .y_label_formatter(&|millis| format!("{millis}"))
        .light_line_style(WHITE)
        .draw()?;
    for (index, (entry, line)) in entries.iter().zip(lines).enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let series = LineSeries::new(line, colour.stroke_width(2)).point_size(3);
        chart.draw_series(series)?.label(&entry.contender.name).legend(move |place| key(place, colour));
    }
    chart.configure_series_labels().position(SeriesLabelPosition::UpperLeft).label_font((FONT, 12)).draw()?;
    Ok(())
}

/// The latencies at the percentiles that are drawn, in milliseconds.
fn percentiles(entry: &Entry) -> Vec<(f64, f64)> {
    let millis = |quantile| entry.latencies.value_at_quantile(quantile) as f64 / 1e6;
    QUANTILES.iter().enumerate().map(|(place, (quantile, _))| (place as f64, millis(*quantile))).collect()
}

/// A contender's colour in the legend.
fn key((x, y): (i32, i32), colour: RGBColor) -> Rectangle<(i32, i32)> {
    Rectangle::new([(x, y - 4), (x + 14, y + 4)], colour.filled())
}

fn thousands(figure: f64) -> String {
    if figure >= 1000.0 { format!("{:.0}k", figure / 1000.0) } else { format!("{figure:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Workload;
    use crate::servers::Contender;

    fn measured() -> Results {
        let workload = Workload {
            row: Row::Cpu,
            name: "GET, pipeline 16".to_owned(),
            decides: Quantity::CpuPerOperation,
            goal: None,
        };
        let mut results = Results::default();
        for contender in [Contender::redis(), Contender::goredis(1)] {
            let entry = results.entry(&workload, &contender);
            entry.add(Quantity::Throughput, 123_456.0);
            for micros in 1..=1000_u64 {
                entry.latencies.saturating_record(micros * 1000);
            }
        }
        results
    }

    #[test]
    fn percentiles_are_those_of_what_was_recorded() {
        let results = measured();
        let entry = results.of_row(Row::Cpu).next().expect("an entry");
        let expected = [0.5, 0.9, 0.99, 0.999, 1.0, 1.0];
        for ((_, millis), expected) in percentiles(entry).into_iter().zip(expected) {
            assert!((millis - expected).abs() <= expected * 0.002, "{millis} for {expected}");
        }
    }

    #[test]
    fn plots_name_every_contender_and_rows_without_figures_have_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("plot.svg");
        for plot in [throughput, latency] {
            assert!(plot(&path, Row::Cpu, &measured()).expect("drawn"));
            let text = std::fs::read_to_string(&path).expect("there");
            for part in ["</svg>", "Redis, no log", "GoRedis, -persist", "GET, pipeline 16"] {
                assert!(text.contains(part), "no {part}");
            }
            assert!(!plot(&path, Row::Scan, &measured()).expect("nothing to draw"));
        }
    }
}
