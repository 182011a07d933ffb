//! What a soak prints: a table of each model's phases, and one of the models.

use super::cycles::{Outcome, Share};
use super::vitals::Vitals;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

const MIB: f64 = (1 << 20) as f64;

/// The phases of one model, with what it had in the lulls after the first and after the last run of each.
pub(super) fn phases(outcome: &Outcome) -> String {
    let columns = [
        "phase",
        "runs",
        "connections",
        "messages",
        "resets",
        "kills",
        "limit moves",
        "anonymous MiB",
        "descriptors",
        "threads",
    ];
    let rows = outcome.shares.iter().map(|share| {
        let Share { phase, runs, connections, messages, resets, kills, limit_moves, first, last } = share;
        let counts = [runs, connections, messages, resets, kills, limit_moves].map(u64::to_string);
        [(*phase).to_owned()].into_iter().chain(counts).chain(from_to(first, last)).collect()
    });
    format!("{}, {} cycles\n{}", outcome.model, outcome.cycles, table(&columns, rows))
}

/// All models, with what each had in its first and in its last lull, and the verdicts.
pub(super) fn models(outcomes: &[Outcome]) -> String {
    let columns = [
        "model",
        "cycles",
        "connections",
        "messages",
        "MiB checked",
        "resets",
        "kills",
        "limit moves",
        "faults",
        "anonymous MiB",
        "descriptors",
        "threads",
        "verdict",
    ];
    let rows = outcomes.iter().map(|outcome| {
        let counts = &outcome.counts;
        let numbers = [
            outcome.cycles as u64,
            counts.connections(),
            counts.all_messages(),
            counts.bytes_back >> 20,
            counts.resets,
            counts.kills,
            counts.limit_moves,
            counts.faults,
        ];
        let last = outcome.lulls.last().map_or(outcome.first, |lull| lull.vitals);
        let verdict = if outcome.findings.is_empty() { "came back" } else { "DID NOT COME BACK" };
        let name = [outcome.model.to_string()].into_iter();
        let numbers = numbers.iter().map(u64::to_string);
        name.chain(numbers).chain(from_to(&outcome.first, &last)).chain([verdict.to_owned()]).collect()
    });
    let mut text = table(&columns, rows);
    for outcome in outcomes {
        if let Some(totals) = &outcome.totals {
            text.push_str(&format!("\n{}: the server says: {totals}", outcome.model));
        }
        outcome.findings.iter().for_each(|finding| text.push_str(&format!("\n{}: {finding}", outcome.model)));
    }
    text
}

fn from_to(first: &Vitals, last: &Vitals) -> [String; 3] {
    let mebibytes = |vitals: &Vitals| vitals.anonymous_bytes as f64 / MIB;
    [
        format!("{:.1} → {:.1}", mebibytes(first), mebibytes(last)),
        format!("{} → {}", first.descriptors, last.descriptors),
        format!("{} → {}", first.threads, last.threads),
    ]
}

fn table(columns: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns).add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}
