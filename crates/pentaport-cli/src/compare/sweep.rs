//! A sweep as people read it: a table for each figure, with a row for each step and a column for each server.

use super::measure::Measurement;
use super::report::{Cell, Report};
use super::rounds::kept_up;
use super::scenario::Axis;
use super::table::{NONE, Table};
use super::text::{Format, spread};
use crate::text::{count, micros, plural, three_digits};

type Shown = (&'static str, fn(&Cell) -> String);

pub(super) fn text(report: &Report, axis: Axis, format: Format) -> String {
    let cpu: Shown = ("Server CPU µs/message", |cell| spread(cell.server_cpu_us_per_message, three_digits));
    let rate: Shown = ("Messages/s", |cell| spread(cell.messages_per_second, |n| count(n.round() as u64)));
    let p50: Shown = ("Latency, p50", |cell| spread(cell.p50_us, micros));
    let p99: Shown = ("Latency, p99", |cell| spread(cell.p99_us, micros));
    let figures = if axis == Axis::Rate { [p99, p50, rate, cpu] } else { [cpu, p99, p50, rate] };
    let mut names: Vec<&str> = Vec::new();
    for cell in &report.results {
        if !names.contains(&cell.name.as_str()) {
            names.push(&cell.name);
        }
    }
    let mut text = String::new();
    for (title, show) in figures {
        text += &format.heading(title);
        let mut table = Table::new(std::iter::once(axis.name()).chain(names.iter().copied()));
        for scenario in &report.scenarios {
            let cell =
                |name: &&str| report.cells(scenario).find(|cell| cell.name == **name).map_or(NONE.to_owned(), show);
            table.row(std::iter::once(scenario.title.clone()).chain(names.iter().map(cell)).collect());
        }
        text += &table.render(format);
    }
    if axis == Axis::Rate {
        text += &format.heading("Where it breaks");
        text += &names.iter().map(|name| format.point(&end(report, name))).collect::<String>();
        text += "\n";
    }
    let rounds = report.results.iter().map(|cell| cell.figures(|m: &Measurement| Some(m.p50_us)).len());
    let rounds = (rounds.clone().min().unwrap_or(0), rounds.max().unwrap_or(0));
    let rounds = if rounds.0 == rounds.1 {
        plural(rounds.0 as u64, "round")
    } else {
        format!("{} to {} rounds", rounds.0, rounds.1)
    };
    let how = report.scenarios.first().map_or_else(String::new, |scenario| {
        let rate = match axis {
            Axis::Rate => ". Latency counts from when a message was due",
            _ => "",
        };
        let connections = match axis {
            Axis::Connections => String::new(),
            _ => format!("{}, ", plural(scenario.connections as u64, "connection")),
        };
        format!(" {connections}loads of {}{rate}.", crate::text::duration(scenario.duration()))
    });
    let measured = &report.measured;
    text + &format.paragraph(&format!("Medians (minimum–maximum) of {rounds};{how} Measured is {measured}."))
}

/// Up to which rate a server keeps up.
fn end(report: &Report, name: &str) -> String {
    let mut last = None;
    for scenario in &report.scenarios {
        let Some(cell) = report.cells(scenario).find(|cell| cell.name == name) else { break };
        if kept_up(cell, scenario) {
            last = Some(&scenario.title);
            continue;
        }
        let reached = cell.messages_per_second.map_or(0.0, |reached| reached.max).round() as u64;
        let before = last.map_or_else(String::new, |last| format!(" keeps up with {last},"));
        return format!("{name}:{before} breaks at {}: {}/s come back at most", scenario.title, count(reached));
    }
    match last {
        Some(last) => format!("{name}: keeps up with all, {last} the last of them"),
        None => format!("{name}: was not measured"),
    }
}
