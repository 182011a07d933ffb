//! The result of a comparison as people read it: warnings first, then a table for each scenario, then the verdict.

use super::claims::{Claims, Standing};
use super::measure::Measurement;
use super::report::{Cell, Report, Spread};
use super::scenario::Scenario;
use super::table::{NONE, Table};
use super::{sweep, verdict};
use crate::text::{bytes, count, micros, plural, three_digits};
use pentaport_cli::statistics::Paired;

/// Lines are no longer where there is no terminal that says how wide it is.
const COLUMNS: usize = 110;

/// How a result is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Format {
    /// For the terminal, or for whatever reads standard output.
    Text,
    /// For a document: headings, and paragraphs of one line.
    Markdown,
    /// As text, for so many columns.
    #[cfg(test)]
    Plain { width: Option<usize> },
}

impl Format {
    /// Columns that a table may take; None: as many as it needs.
    pub(super) fn width(self) -> Option<usize> {
        match self {
            Format::Markdown => None,
            Format::Text => {
                let told = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
                let terminal = console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
                // A terminal that does not know says 0.
                terminal.filter(|&columns| columns > 0).or_else(told)
            }
            #[cfg(test)]
            Format::Plain { width } => width,
        }
    }

    pub(super) fn heading(self, text: &str) -> String {
        match self {
            Format::Markdown => format!("### {text}\n\n"),
            _ => format!("{text}\n"),
        }
    }

    /// A paragraph, with an empty line after it.
    pub(super) fn paragraph(self, text: &str) -> String {
        self.wrapped(text, "", "") + "\n"
    }

    /// A point of a list.
    pub(super) fn point(self, text: &str) -> String {
        self.wrapped(text, "* ", "  ")
    }

    fn wrapped(self, text: &str, first: &str, others: &str) -> String {
        if self == Format::Markdown {
            return format!("{first}{text}\n");
        }
        let width = self.width().map_or(COLUMNS, |width| width.clamp(20, COLUMNS));
        let options = textwrap::Options::new(width).initial_indent(first).subsequent_indent(others);
        textwrap::fill(text, options.break_words(false).word_splitter(textwrap::WordSplitter::NoHyphenation)) + "\n"
    }
}

/// The whole text.
pub(crate) fn text(report: &Report, format: Format) -> String {
    let claims = Claims::of(report);
    let mut text = warnings(report, &claims, format);
    text += &format.paragraph(&heading(report));
    if let Some(axis) = report.sweep {
        return text + &sweep::text(report, axis, format);
    }
    for (scenario, standing) in report.scenarios.iter().zip(&claims.standings) {
        text += &table(report, scenario, standing, format);
    }
    text += &format.paragraph(&legend(report, &claims));
    text + &verdict::text(report, &claims, format)
}

/// What a reader has to know before any figure.
fn warnings(report: &Report, claims: &Claims, format: Format) -> String {
    let mut warnings = Vec::new();
    for (scenario, standing) in report.scenarios.iter().zip(&claims.standings) {
        if let Some((index, ratio)) = standing.control.filter(|_| standing.differs_from_itself()) {
            let name = report.cells(scenario).nth(index).map_or("", |cell| cell.name.as_str());
            warnings.push(format!(
                "CONTROL: {name} differs from itself, {} times in \"{}\": smaller differences are not claimed there",
                ratio_text(ratio),
                scenario.title
            ));
        }
    }
    if let Some(foreign) = report.foreign.filter(|foreign| foreign.is_busy()) {
        let pin = if report.settings.pinned { "" } else { ", or --pin, which keeps server and load from being moved" };
        warnings.push(format!(
            "BUSY MACHINE: {} meanwhile. Intervals are wider by that and less is claimed; end other programs, measure more \
             rounds (--runs{}){pin}",
            foreign.text(),
            most_rounds(report).map_or_else(String::new, |rounds| format!(" {}", rounds * 2))
        ));
    }
    for left_out in &report.left_out {
        warnings.push(format!("LEFT OUT: {}: {}; {}", left_out.scenario, left_out.reason, left_out.advice));
    }
    let mut text: String = warnings.iter().map(|warning| format.point(warning.trim_end_matches("; "))).collect();
    // A line each, for those who look for it.
    let interrupted = report.interrupted.then(|| "Interrupted: rows are missing, or are of fewer rounds.".to_owned());
    let failures = report.results.iter().filter_map(|cell| failure(cell, &report.scenarios));
    for line in interrupted.into_iter().chain(failures) {
        text += if text.is_empty() { "" } else { "\n" };
        text += &(line + "\n");
    }
    if text.is_empty() { text } else { text + "\n" }
}

fn failure(cell: &Cell, scenarios: &[Scenario]) -> Option<String> {
    let error = cell.error.as_ref()?.replace('\n', " ");
    let which = match cell.runs.len() {
        runs if runs == cell.failed_runs => String::new(),
        runs => format!(" in {} of {} rounds", count(cell.failed_runs as u64), count(runs as u64)),
    };
    let title = scenarios.iter().find(|scenario| scenario.name == cell.scenario).map_or("", |scenario| &scenario.title);
    let connections = plural(cell.connections as u64, "connection");
    let among = if title == connections { String::new() } else { format!(" (\"{title}\")") };
    Some(format!("{} failed with {connections}{among}{which}: {error}", cell.name))
}

fn most_rounds(report: &Report) -> Option<usize> {
    report.results.iter().map(|cell| cell.runs.len()).max()
}

fn heading(report: &Report) -> String {
    let settings = &report.settings;
    let pinned = if settings.pinned { ", each on a CPU of its own" } else { "" };
    let quiet = match report.foreign {
        Some(foreign) if !foreign.is_busy() => format!(" Quiet: {}.", foreign.text()),
        Some(_) => String::new(),
        None => " What other processes took of the CPUs is not known here.".to_owned(),
    };
    format!(
        "pentaport {} of {}, {}. Echo servers with {}, load with {}{pinned}.{quiet}",
        report.version,
        report.date,
        report.machine.line(),
        plural(settings.server_threads as u64, "worker"),
        plural(settings.load_threads as u64, "thread"),
    )
}

/// A scenario's table, by rank and then in the order of the list.
fn table(report: &Report, scenario: &Scenario, standing: &Standing, format: Format) -> String {
    let cells: Vec<&Cell> = report.cells(scenario).collect();
    let yardstick = report.yardstick.as_ref().and_then(|name| cells.iter().position(|cell| cell.name == *name));
    let reference = yardstick.or(standing.best().first().copied());
    let counted = scenario.counted();
    let mut header = vec!["model".to_owned()];
    header.extend(standing.can_tell().then(|| "rank".to_owned()));
    header.push(format!("server CPU µs/{counted}"));
    header.extend(reference.map(|index| format!("CPU / {}", cells[index].name)));
    header.push(format!("{counted}s/s"));
    header.extend(["p50", "p99", "p99.9", "threads", "memory/connection"].map(str::to_owned));
    let mut table = Table::new(header);
    let mut rows: Vec<usize> = (0..cells.len()).collect();
    rows.sort_by_key(|&index| standing.rank(index).unwrap_or(usize::MAX));
    for index in rows {
        let cell = cells[index];
        let ratio = |reference| match standing.ratio(index, reference) {
            Some(_) if reference == index => "1".to_owned(),
            Some(ratio) => ratio_text(ratio),
            None => none(),
        };
        let mut row = vec![cell.name.clone()];
        row.extend(standing.can_tell().then(|| standing.rank(index).map_or_else(none, |rank| rank.to_string())));
        row.push(spread(cell.server_cpu_us_per_message, three_digits));
        row.extend(reference.map(ratio));
        row.extend([
            spread(cell.messages_per_second, |n| count(n.round() as u64)),
            spread(cell.p50_us, micros),
            spread(cell.p99_us, micros),
            spread(cell.p99_9_us, micros),
            threads(cell),
            spread(cell.memory_per_connection_bytes, bytes),
        ]);
        table.row(row);
    }
    let rounds = plural(cells.iter().map(|cell| cell.runs.len()).max().unwrap_or(0) as u64, "round");
    let kept = if scenario.kept { ", the same servers in all of them" } else { "" };
    let mut text = format.heading(&scenario.title);
    text += &format.paragraph(&format!("{}, {rounds}{kept}.{}", scenario.how(), control(&cells, standing)));
    text + &table.render(format)
}

fn control(cells: &[&Cell], standing: &Standing) -> String {
    let Some((index, ratio)) = standing.control else { return String::new() };
    format!(" Control, {} against itself: {}.", cells[index].name, ratio_text(ratio))
}

/// `1.08 [1.02–1.13]`, or the ratio alone if there is no interval.
pub(super) fn ratio_text(ratio: Paired) -> String {
    match ratio.interval {
        Some((low, high)) => format!("{} [{}–{}]", times(ratio.ratio), times(low), times(high)),
        None => times(ratio.ratio),
    }
}

/// A factor, with two digits after the point as long as they say something.
pub(super) fn times(factor: f64) -> String {
    match factor {
        factor if factor < 9.995 => format!("{factor:.2}"),
        factor if factor < 99.95 => format!("{factor:.1}"),
        factor => count(factor.round() as u64),
    }
}

/// `median (min–max)`; the figure alone if there is but one.
pub(super) fn spread(spread: Option<Spread>, show: impl Fn(f64) -> String) -> String {
    match spread {
        None => none(),
        Some(Spread { min, median, max }) if min == max => show(median),
        Some(Spread { min, median, max }) => format!("{} ({}–{})", show(median), show(min), show(max)),
    }
}

/// Workers and others, as far as they are known.
fn threads(cell: &Cell) -> String {
    let Some(all) = cell.server_threads.map(|threads| threads.median.round() as usize) else { return none() };
    match cell.server_workers {
        Some(workers) => format!("{} + {}", count(workers as u64), count(all.saturating_sub(workers) as u64)),
        None => count(all as u64),
    }
}

fn none() -> String {
    NONE.to_owned()
}

/// How to read the tables.
fn legend(report: &Report, claims: &Claims) -> String {
    let knows =
        |figure: fn(&Measurement) -> Option<f64>| report.results.iter().any(|cell| !cell.figures(figure).is_empty());
    let mut text = "Figures are medians (minimum–maximum) of the rounds.".to_owned();
    if claims.are_possible() {
        text += &format!(
            " Ratios are of two servers in the same round: the median of each two rounds' mean [interval]. All {} intervals of this run hold \
             together with 95 %. A rank is 1 and the number of models shown to cost less CPU time, by at least 5 % and by \
             more than the control differs from itself; the same rank: not distinguishable.",
            claims.comparisons
        );
    }
    if knows(Measurement::threads) {
        text += " Threads are workers + others, or all of them.";
    }
    if report.results.iter().any(|cell| cell.memory_per_connection_bytes.is_some()) {
        text += " Memory is the growth of the server's process, on Linux of its anonymous pages, divided by its \
                 connections; with fewer than 1,000 it would be that of the process's beginning.";
    }
    text
}
