//! The ranking that documents on Winsock give by feeling, beside what was measured.

use super::claims::Claims;
use super::report::Report;
use super::table::{NONE, Table};
use super::text::Format;

/// From the worst to the best, with the documents' names.
const RANKING: [(&str, &str); 5] = [
    ("select", "select"),
    ("overlapped-event", "overlapped with events"),
    ("event-select", "event-select"),
    ("overlapped-routine", "overlapped with routines"),
    ("completion-port", "completion port"),
];
const HARD_TO_COMPARE: &str = "async-select";

/// What the figures say of a step.
#[derive(Clone, Copy, PartialEq)]
enum Says {
    Supported,
    Contradicted,
    NotDistinguishable,
    /// One of the two was not measured.
    Nothing,
}

impl Says {
    fn word(self) -> &'static str {
        match self {
            Says::Supported => "supported",
            Says::Contradicted => "contradicted",
            Says::NotDistinguishable => "not distinguishable",
            Says::Nothing => NONE,
        }
    }
}

/// The ranking and whether the figures support each step of it; nothing if no step was measured.
pub(super) fn text(report: &Report, claims: &Claims, format: Format) -> String {
    let steps = RANKING.windows(2).map(|pair| (pair[0], pair[1])).chain([(RANKING[0], RANKING[4])]);
    let steps: Vec<_> = steps.map(|(worse, better)| (worse, better, says(report, claims, worse.0, better.0))).collect();
    if steps.iter().all(|(_, _, said)| said.iter().all(|&said| said == Says::Nothing)) {
        return String::new();
    }
    let mut header = vec!["step".to_owned()];
    header.extend(report.scenarios.iter().map(|scenario| scenario.title.clone()));
    let mut table = Table::new(header);
    for (worse, better, said) in &steps {
        let words = said.iter().map(|said| said.word().to_owned());
        table.row(std::iter::once(format!("{} < {}", worse.0, better.0)).chain(words).collect());
    }
    let count = |wanted| steps.iter().flat_map(|(_, _, said)| said).filter(|&&said| said == wanted).count();
    let (supported, contradicted) = (count(Says::Supported), count(Says::Contradicted));
    let undecided = count(Says::NotDistinguishable);
    let ranking: Vec<&str> = RANKING.iter().map(|&(_, name)| name).collect();
    let summary = match (supported, contradicted) {
        (0, 0) => "These figures neither support nor contradict any step of it.".to_owned(),
        _ => format!(
            "Of {} steps in the scenarios below these figures support {supported} and contradict {contradicted}; \
             {undecided} are not distinguishable.",
            supported + contradicted + undecided
        ),
    };
    format.heading("The documents' ranking")
        + &format.paragraph(&format!(
            "Documents rank the models by feeling: {}; {HARD_TO_COMPARE} is \"hard to compare\". {summary}{}",
            ranking.join(" < "),
            hard_to_compare(report, claims)
        ))
        + &table.render(format)
}

fn says(report: &Report, claims: &Claims, worse: &str, better: &str) -> Vec<Says> {
    let scenarios = report.scenarios.iter().zip(&claims.standings);
    let in_each = scenarios.map(|(scenario, standing)| {
        let find = |name: &str| report.cells(scenario).position(|cell| cell.name == name);
        let (Some(worse), Some(better)) = (find(worse), find(better)) else { return Says::Nothing };
        if !standing.can_tell() || standing.ratio(worse, better).is_none() {
            Says::Nothing
        } else if standing.is_dearer(worse, better) {
            Says::Supported
        } else if standing.is_dearer(better, worse) {
            Says::Contradicted
        } else {
            Says::NotDistinguishable
        }
    });
    in_each.collect()
}

/// Where the one that is hard to compare stands.
fn hard_to_compare(report: &Report, claims: &Claims) -> String {
    let rank = |(scenario, standing): (_, &super::claims::Standing)| {
        let index = report.cells(scenario).position(|cell| cell.name == HARD_TO_COMPARE)?;
        standing.rank(index)
    };
    let ranks: Vec<String> =
        report.scenarios.iter().zip(&claims.standings).filter_map(rank).map(|r| r.to_string()).collect();
    if ranks.is_empty() { String::new() } else { format!(" Its ranks here are {}.", ranks.join(", ")) }
}
