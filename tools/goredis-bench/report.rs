//! The report: everything that was measured and how, as Markdown.

use std::collections::BTreeSet;
use std::fmt;

use crate::results::{Entry, Goal, Quantity, Results};
use crate::rows::Row;
use crate::servers::Part;

/// From here on a generator that is busy is the limit, if its server is not.
const BUSY: f64 = 0.95;

/// What the report is made of; its `Display` is the text.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    /// When it was made.
    pub(crate) date: String,
    /// On what.
    pub(crate) machine: String,
    /// Redis's version.
    pub(crate) redis_version: String,
    /// This server's.
    pub(crate) goredis_version: String,
    /// How this program was called.
    pub(crate) command_line: String,
    /// Rounds of each measurement.
    pub(crate) rounds: u32,
    /// Whether the figures mean nothing.
    pub(crate) is_quick: bool,
    /// Threads of the load generator, where a row does not say otherwise.
    pub(crate) generator_threads: usize,
    /// The rows that were measured.
    pub(crate) rows: &'a [Row],
    /// Their figures.
    pub(crate) results: &'a Results,
    /// The files of the plots, each with its row.
    pub(crate) plots: &'a [(Row, String)],
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        for row in self.rows {
            self.row(f, *row)?;
        }
        Ok(())
    }
}

impl Report<'_> {
    fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# GoRedis against Redis\n")?;
        if self.is_quick {
            writeln!(f, "**A quick run, which shows that all works: its figures mean nothing.**\n")?;
        }
        writeln!(f, "| | |\n|---|---|")?;
        let versions = format!("GoRedis {}, Redis {}", self.goredis_version, self.redis_version);
        for (name, value) in [
            ("date", self.date.as_str()),
            ("machine", &self.machine),
            ("versions", &versions),
            ("command line", &format!("`{}`", self.command_line)),
        ] {
            writeln!(f, "| {name} | {} |", cell(value))?;
        }
        writeln!(f, "\n| server | started as |\n|---|---|")?;
        for contender in self.results.contenders() {
            writeln!(f, "| {} | `{}` |", contender.name, cell(&contender.command_line()))?;
        }
        writeln!(
            f,
            "\nEach figure is the median of {} in which the servers took turns. *To Redis* is the figure in bold over \
             Redis's (the best, where there are several without a log). The load generator has {}, where a row does \
             not say otherwise; *server cores* are those that the server kept busy, *generator busy* is the part of \
             their time that the generator's threads worked. A server that waits for requests finds fewer of them at \
             a time, and spends more on each.",
            counted(self.rounds as usize, "round"),
            counted(self.generator_threads, "thread"),
        )
    }

    fn row(&self, f: &mut fmt::Formatter<'_>, row: Row) -> fmt::Result {
        writeln!(f, "\n## {} (`{row}`)\n\n{}\n", row.title(), row.method())?;
        let entries: Vec<&Entry> = self.results.of_row(row).collect();
        let columns: BTreeSet<Quantity> = entries.iter().flat_map(|entry| entry.quantities()).collect();
        write!(f, "| workload | server |")?;
        for quantity in &columns {
            write!(f, " {} |", quantity.title())?;
        }
        writeln!(f, " to Redis | goal |")?;
        writeln!(f, "|---|---|{}---:|---|", "---:|".repeat(columns.len()))?;
        for entry in &entries {
            write!(f, "| {} | {} |", entry.workload.name, entry.contender.name)?;
            for quantity in &columns {
                match entry.median(*quantity).map(number) {
                    Some(figure) if *quantity == entry.workload.decides => write!(f, " **{figure}** |")?,
                    Some(figure) => write!(f, " {figure} |")?,
                    None => write!(f, " |")?,
                }
            }
            let ratio = self.results.ratio(entry);
            let shown = ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
            writeln!(f, " {shown} | {} |", verdict(entry, ratio))?;
        }
        for entry in entries.iter().filter(|entry| is_generator_bound(entry)) {
            let (workload, contender) = (&entry.workload.name, &entry.contender.name);
            writeln!(
                f,
                "\n*{workload}, {contender}: the load generator was the limit, not the server; its ops/s are a lower \
                 bound.*"
            )?;
        }
        for (_, plot) in self.plots.iter().filter(|(of, _)| *of == row) {
            writeln!(f, "\n![{}]({plot})", row.title())?;
        }
        Ok(())
    }
}

/// What is to be reached, and whether it is.
fn verdict(entry: &Entry, ratio: Option<f64>) -> String {
    let (Some(goal), Part::Measured) = (entry.workload.goal, entry.contender.part) else {
        return String::new();
    };
    let wanted = match goal {
        Goal::RatioAtMost(limit) => format!("≤ {limit:.2} x"),
        Goal::RatioAtLeast(limit) => format!("≥ {limit:.2} x"),
        Goal::Less => "< 1 x".to_owned(),
        Goal::AtMost(limit) => format!("≤ {limit} {}", unit(entry.workload.decides)),
    };
    let met = entry.median(entry.workload.decides).and_then(|figure| goal.is_met(figure, ratio));
    match met {
        Some(true) => format!("{wanted}: met"),
        Some(false) => format!("{wanted}: missed"),
        None => wanted,
    }
}

fn unit(quantity: Quantity) -> &'static str {
    if quantity == Quantity::Factor { "x" } else { quantity.title() }
}

/// Whether the generator had no time left while its server had.
fn is_generator_bound(entry: &Entry) -> bool {
    let busy = |quantity| entry.median(quantity);
    let (Some(server), Some(generator)) = (busy(Quantity::ServerBusy), busy(Quantity::GeneratorBusy)) else {
        return false;
    };
    generator >= BUSY && server < BUSY * f64::from(entry.contender.threads)
}

/// Three digits that say something, and groups of three where there are more.
fn number(figure: f64) -> String {
    match figure.abs() {
        large if large >= 1000.0 => grouped(figure.round() as i64),
        hundreds if hundreds >= 100.0 => format!("{figure:.0}"),
        tens if tens >= 10.0 => format!("{figure:.1}"),
        ones if ones >= 1.0 => format!("{figure:.2}"),
        fraction if fraction > 0.0 => format!("{figure:.3}"),
        _ => "0".to_owned(),
    }
}

fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

fn counted(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

/// Text that cannot end a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Workload;
    use crate::servers::Contender;

    fn report(results: &Results) -> String {
        Report {
            date: "2026-01-02T03:04:05Z".to_owned(),
            machine: "some machine".to_owned(),
            redis_version: "7.0.15".to_owned(),
            goredis_version: "0.1.0".to_owned(),
            command_line: "goredis-bench --only scan | tee".to_owned(),
            rounds: 1,
            is_quick: false,
            generator_threads: 2,
            rows: &[Row::Scan],
            results,
            plots: &[(Row::Scan, "scan.svg".to_owned()), (Row::Cpu, "cpu.svg".to_owned())],
        }
        .to_string()
    }

    #[test]
    fn a_row_shows_medians_ratios_and_what_became_of_the_goal() {
        let workload = Workload {
            row: Row::Scan,
            name: "a scan".to_owned(),
            decides: Quantity::Millis,
            goal: Some(Goal::AtMost(1.0)),
        };
        let mut results = Results::default();
        for figure in [2500.0, 2000.0, 2100.0] {
            results.entry(&workload, &Contender::redis()).add(Quantity::Millis, figure);
        }
        results.entry(&workload, &Contender::goredis(1)).add(Quantity::Millis, 1.05);
        let text = report(&results);
        for line in [
            "| workload | server | ms | to Redis | goal |",
            "|---|---|---:|---:|---|",
            "| a scan | Redis, no log | **2,100** | 1.00 |  |",
            "| a scan | GoRedis, -persist | **1.05** | 0.00 | ≤ 1 ms: missed |",
            "| command line | `goredis-bench --only scan \\| tee` |",
            "| Redis, no log | `redis-server --save '' --appendonly no` |",
            "![SCAN for a prefix](scan.svg)",
        ] {
            assert!(text.lines().any(|got| got == line), "no {line:?} in {text}");
        }
        assert!(!text.contains("cpu.svg"), "another row's plot in {text}");
    }

    #[test]
    fn a_figure_that_shows_the_generators_limit_says_so() {
        let workload =
            Workload { row: Row::Scan, name: "a load".to_owned(), decides: Quantity::Throughput, goal: None };
        for (server, generator, is_bound) in [(0.99, 0.99, false), (0.6, 0.99, true), (0.6, 0.6, false)] {
            let mut results = Results::default();
            let entry = results.entry(&workload, &Contender::goredis(1));
            entry.add(Quantity::ServerBusy, server);
            entry.add(Quantity::GeneratorBusy, generator);
            assert_eq!(report(&results).contains("the load generator was the limit"), is_bound);
        }
    }

    #[test]
    fn numbers_have_three_digits_that_say_something() {
        let shown = [
            (0.0, "0"),
            (0.0514, "0.051"),
            (1.234, "1.23"),
            (12.34, "12.3"),
            (123.4, "123"),
            (1234.5, "1,235"),
            (1_234_567.0, "1,234,567"),
        ];
        for (figure, text) in shown {
            assert_eq!(number(figure), text);
        }
        assert_eq!(grouped(-1_234_567), "-1,234,567");
    }
}
