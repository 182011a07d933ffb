//! Runs of different versions, machines or systems side by side.
//!
//! They were made at different times, so there are no rounds to pair: intervals are those of the rank sum test, and all of one
//! comparison hold together with 95 %. What changed on a machine between two runs is no part of them, so a small difference
//! between runs of different times says little.

use super::claims::LEAST_EFFECT;
use super::measure::Measurement;
use super::report::{Cell, Report};
use super::scenario::Scenario;
use super::table::{NONE, Table};
use super::text::{Format, spread, times};
use crate::text::{count, micros, plural, three_digits};
use pentaport_cli::statistics::{CONFIDENCE, Shift, for_each_of};

/// Names of the runs.
const LETTERS: [char; 8] = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'];
/// As many runs can stand side by side.
pub(crate) const MOST: usize = LETTERS.len();

type Figure = fn(&Measurement) -> Option<f64>;

/// One scenario and server that the first run and others have.
struct Row<'a> {
    scenario: &'a Scenario,
    name: &'a str,
    cells: Vec<Option<&'a Cell>>,
}

/// The first run beside each of the others, which are at most [`MOST`].
pub(crate) fn side_by_side(reports: &[&Report], format: Format) -> String {
    let mut text = format.heading("Side by side");
    for (letter, report) in LETTERS.iter().zip(reports) {
        text += &format.point(&format!("{letter}: {}", describe(report)));
    }
    text += "\n";
    let rows = rows(reports);
    if rows.is_empty() {
        return text
            + &format.paragraph("No scenario was measured in the same way with the same server in two of them.");
    }
    let comparisons = rows.iter().map(|row| row.cells[1..].iter().flatten().count()).sum();
    let each = for_each_of(comparisons, CONFIDENCE);
    let mut scenarios: Vec<&Scenario> = Vec::new();
    rows.iter().for_each(|row| {
        if !scenarios.contains(&row.scenario) {
            scenarios.push(row.scenario);
        }
    });
    for scenario in scenarios {
        let rows: Vec<&Row<'_>> = rows.iter().filter(|row| row.scenario == scenario).collect();
        text += &format.heading(&scenario.title);
        text += &table(&rows, reports.len(), each, format);
    }
    text + &format.paragraph(&format!(
        "Ratios are of {} to A: the median [interval]; all {comparisons} intervals of CPU time hold together with 95 %, \
         those of other figures likewise. \"More\" and \"less\" are said of CPU time where the interval shows it and it is at \
         least 5 %. The runs were made at different times: what changed on a machine between them is not in the intervals.",
        LETTERS[1..reports.len()].iter().map(char::to_string).collect::<Vec<_>>().join(", "),
    ))
}

fn describe(report: &Report) -> String {
    let settings = &report.settings;
    let busy = report
        .foreign
        .filter(|foreign| foreign.is_busy())
        .map_or_else(String::new, |f| format!("; busy: {}", f.text()));
    format!(
        "pentaport {} of {}, {}: {}; {}, load with {}{}{busy}",
        report.version,
        report.date,
        report.machine.line(),
        report.measured,
        plural(settings.server_threads as u64, "worker"),
        plural(settings.load_threads as u64, "thread"),
        if settings.pinned { ", pinned" } else { "" },
    )
}

fn rows<'a>(reports: &[&'a Report]) -> Vec<Row<'a>> {
    let Some((first, others)) = reports.split_first() else { return Vec::new() };
    let mut rows = Vec::new();
    for scenario in &first.scenarios {
        for cell in first.cells(scenario) {
            let same = |report: &&'a Report| {
                let scenario = report.scenarios.iter().find(|other| is_same_load(other, scenario))?;
                report.results.iter().find(|other| other.scenario == scenario.name && other.name == cell.name)
            };
            let cells: Vec<_> = std::iter::once(Some(cell)).chain(others.iter().map(same)).collect();
            if cells[1..].iter().any(Option::is_some) {
                rows.push(Row { scenario, name: &cell.name, cells });
            }
        }
    }
    rows
}

/// Whether two scenarios load servers alike. How many idle connections fit depends on the system, and is told.
fn is_same_load(one: &Scenario, other: &Scenario) -> bool {
    let load = |scenario: &Scenario| {
        (scenario.connections, scenario.churn, scenario.message_bytes, scenario.depth, scenario.rate.map(f64::to_bits))
    };
    load(one) == load(other) && (one.idle == other.idle || (one.kept && other.kept && one.name == other.name))
}

fn table(rows: &[&Row<'_>], runs: usize, each: f64, format: Format) -> String {
    let letters = &LETTERS[..runs];
    let mut header = vec!["model".to_owned()];
    header.extend(letters.iter().map(|letter| format!("CPU µs {letter}")));
    for letter in &letters[1..] {
        header.extend([format!("CPU {letter} / A"), format!("{letter} costs")]);
    }
    header.extend(letters[1..].iter().map(|letter| format!("messages/s {letter} / A")));
    header.extend(letters.iter().map(|letter| format!("p99 {letter}")));
    header.extend(letters[1..].iter().map(|letter| format!("p99 {letter} / A")));
    let mut table = Table::new(header);
    for row in rows {
        let figures = |cell: Option<&Cell>, figure: Figure| cell.map_or_else(Vec::new, |cell| cell.figures(figure));
        let shift = |cell: Option<&Cell>, figure: Figure| {
            Shift::of(&figures(row.cells[0], figure), &figures(cell, figure), each)
        };
        let mut line = vec![row.name.to_owned()];
        line.extend(
            row.cells.iter().map(|cell| spread(cell.and_then(|cell| cell.server_cpu_us_per_message), three_digits)),
        );
        for &cell in &row.cells[1..] {
            let shift = shift(cell, Measurement::cpu);
            line.extend([ratio(shift), says(shift).to_owned()]);
        }
        line.extend(row.cells[1..].iter().map(|&cell| ratio(shift(cell, |m| Some(m.messages_per_second)))));
        line.extend(row.cells.iter().map(|cell| spread(cell.and_then(|cell| cell.p99_us), micros)));
        line.extend(row.cells[1..].iter().map(|&cell| ratio(shift(cell, |m| Some(m.p99_us)))));
        table.row(line);
    }
    let rounds: Vec<String> = rows[0]
        .cells
        .iter()
        .zip(letters)
        .filter_map(|(cell, letter)| Some((cell.as_ref()?, letter)))
        .map(|(cell, letter)| format!("{letter}: {} rounds", count(cell.runs.len() as u64)))
        .collect();
    table.render(format) + &format.paragraph(&format!("{}.", rounds.join(", ")))
}

fn ratio(shift: Option<Shift>) -> String {
    match shift {
        None => NONE.to_owned(),
        Some(Shift { ratio, interval: None }) => times(ratio),
        Some(Shift { ratio, interval: Some((low, high)) }) => {
            format!("{} [{}–{}]", times(ratio), times(low), times(high))
        }
    }
}

fn says(shift: Option<Shift>) -> &'static str {
    match shift {
        None => NONE,
        Some(Shift { interval: None, .. }) => "too few rounds",
        Some(Shift { ratio, interval: Some((low, _)) }) if low > 1.0 && ratio >= LEAST_EFFECT => "more",
        Some(Shift { ratio, interval: Some((_, high)) }) if high < 1.0 && ratio <= 1.0 / LEAST_EFFECT => "less",
        Some(_) => "not distinguishable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_said_only_if_it_is_shown_and_large_enough() {
        let shift = |ratio, interval| says(Some(Shift { ratio, interval }));
        assert_eq!(shift(1.2, Some((1.1, 1.3))), "more");
        assert_eq!(shift(0.8, Some((0.7, 0.9))), "less");
        assert_eq!(shift(1.2, Some((0.9, 1.3))), "not distinguishable");
        assert_eq!(shift(1.04, Some((1.03, 1.05))), "not distinguishable");
        assert_eq!(shift(2.0, None), "too few rounds");
        assert_eq!(says(None), NONE);
    }
}
