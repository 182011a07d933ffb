//! What follows from the figures, in words that are made from them.

use super::claims::{Claims, Standing};
use super::ranking;
use super::report::{Cell, Report};
use super::scenario::Scenario;
use super::text::{Format, ratio_text, times};
use crate::text::{count, plural};

/// The last part of the text.
pub(super) fn text(report: &Report, claims: &Claims, format: Format) -> String {
    let mut text = format.heading("Verdict");
    if !claims.are_possible() {
        return text + &format.paragraph(&too_few(claims));
    }
    text += &format.paragraph(&format!("What was measured is {}.", report.measured));
    let standings = || report.scenarios.iter().zip(&claims.standings);
    for (scenario, standing) in standings() {
        let cells: Vec<&Cell> = report.cells(scenario).collect();
        text += &format.point(&format!("{}: {}", scenario.title, of_scenario(&cells, standing, claims)));
    }
    text += "\n";
    let choice = choice(report, &standings().collect::<Vec<_>>());
    if !choice.is_empty() {
        text += &format.heading("What follows for a choice");
        text += &choice.iter().map(|point| format.point(point)).collect::<String>();
        text += "\n";
    }
    text + &ranking::text(report, claims, format)
}

fn too_few(claims: &Claims) -> String {
    if claims.comparisons == 0 {
        return "Nothing was compared: that takes the CPU times of two servers.".to_owned();
    }
    format!(
        "No difference is claimed, whatever the figures are: for {} to hold together with 95 % it takes at least {} rounds \
         (--runs {}; more show smaller differences).",
        plural(claims.comparisons as u64, "comparison"),
        claims.fewest_rounds,
        claims.fewest_rounds.max(30)
    )
}

/// Which are as good as the best, and what the others cost more.
fn of_scenario(cells: &[&Cell], standing: &Standing, claims: &Claims) -> String {
    if !standing.can_tell() {
        return format!(
            "{} are too few: at least {} tell.",
            plural(standing.rounds as u64, "round"),
            claims.fewest_rounds
        );
    }
    let best = standing.best();
    let names: Vec<&str> = best.iter().map(|&index| cells[index].name.as_str()).collect();
    let ranked: Vec<usize> = (0..cells.len()).filter(|&index| standing.rank(index).is_some()).collect();
    let mut text = match &names[..] {
        [] => return "nothing is known of what they cost.".to_owned(),
        [only] if ranked.len() > 1 => format!("{only} costs least."),
        [only] => format!("{only} was measured alone."),
        all if all.len() == ranked.len() => format!("not distinguishable: {}.", all.join(", ")),
        several => format!("as good as the best, and not distinguishable: {}.", several.join(", ")),
    };
    let mut others: Vec<usize> = ranked.into_iter().filter(|index| !best.contains(index)).collect();
    others.sort_by_key(|&index| standing.rank(index));
    let more = |&index: &usize| {
        let reference = standing.reference(index)?;
        let ratio = ratio_text(standing.ratio(index, reference)?);
        Some(format!("{} {ratio} times {}", cells[index].name, cells[reference].name))
    };
    let more: Vec<String> = others.iter().filter_map(more).collect();
    if !more.is_empty() {
        text += &format!(" More CPU time: {}.", more.join("; "));
    }
    text
}

/// A server over all scenarios that can tell.
struct Record<'a> {
    name: &'a str,
    /// In how many it was ranked, and in how many as good as the best.
    ranked: usize,
    best_in: usize,
    /// Where it costs more, and how many times as much.
    dearer: Vec<(&'a str, f64)>,
}

impl Record<'_> {
    fn worst(&self) -> f64 {
        self.dearer.iter().map(|&(_, factor)| factor).fold(1.0, f64::max)
    }
}

fn choice(report: &Report, standings: &[(&Scenario, &Standing)]) -> Vec<String> {
    let tell: Vec<_> = standings.iter().filter(|(_, standing)| standing.can_tell()).collect();
    let mut records: Vec<Record<'_>> = Vec::new();
    for (scenario, standing) in &tell {
        for (index, cell) in report.cells(scenario).enumerate() {
            let Some(rank) = standing.rank(index) else { continue };
            let known = records.iter().position(|record| record.name == cell.name).unwrap_or_else(|| {
                records.push(Record { name: &cell.name, ranked: 0, best_in: 0, dearer: Vec::new() });
                records.len() - 1
            });
            let record = &mut records[known];
            record.ranked += 1;
            record.best_in += usize::from(rank == 1);
            let ratio = standing.reference(index).and_then(|reference| standing.ratio(index, reference));
            record.dearer.extend(ratio.map(|ratio| (scenario.title.as_str(), ratio.ratio)));
        }
    }
    if records.len() < 2 {
        return Vec::new();
    }
    let all = tell.len();
    let (good, mut others): (Vec<_>, Vec<_>) =
        records.into_iter().partition(|record| record.ranked == all && record.best_in == all);
    let scenarios = match all {
        1 => "in this scenario".to_owned(),
        n => format!("in all {} scenarios", count(n as u64)),
    };
    let names: Vec<&str> = good.iter().map(|record| record.name).collect();
    let mut points = vec![match &names[..] {
        [] => "No model is as good as the best in every scenario: choose by the scenario that is nearest to yours."
            .to_owned(),
        [only] => format!("{only} is as good as the best {scenarios}: the one to choose for CPU time."),
        _ => format!(
            "{} are as good as the best {scenarios}: for CPU time any of them will do, so choose by which is easiest to \
             write.",
            names.join(", ")
        ),
    }];
    others.sort_by(|one, other| other.worst().total_cmp(&one.worst()));
    points.extend(others.iter().map(|record| warning(record)));
    points
}

/// When not to choose a server.
fn warning(record: &Record<'_>) -> String {
    if record.dearer.is_empty() {
        return format!("{}: as good as the best where it was measured, which is not everywhere.", record.name);
    }
    let mut dearer = record.dearer.clone();
    dearer.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let place = |(title, factor): &(&str, f64)| format!("{} times as much in \"{title}\"", times(*factor));
    let places: Vec<String> = dearer.iter().map(place).collect();
    let elsewhere = match record.best_in {
        0 => "",
        _ => "; elsewhere as good as the best",
    };
    format!("{} costs {}{elsewhere}.", record.name, places.join(", "))
}
