//! How often each kind of step had each outcome: a step that always fails tests nothing.

use crate::trace::Outcome;
use comfy_table::Table;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// How often each outcome came, by group and name.
type ByName = BTreeMap<(&'static str, &'static str), BTreeMap<Outcome, u64>>;

/// The counts of a run.
#[derive(Debug, Default)]
pub(crate) struct Coverage(Mutex<ByName>);

/// Counts of one worker that are not in the whole yet.
#[derive(Debug, Default)]
pub(crate) struct Counts(BTreeMap<(&'static str, &'static str, Outcome), u64>);

impl Counts {
    /// A step of this kind had this outcome.
    pub(crate) fn call(&mut self, name: &'static str, outcome: Outcome) {
        *self.0.entry(("calls", name, outcome)).or_default() += 1;
    }

    /// An operation of this kind ended with this status.
    pub(crate) fn end(&mut self, name: &'static str, status: u32) {
        let outcome = if status == 0 { Outcome::Done } else { Outcome::Failed(status.into()) };
        *self.0.entry(("ends of operations", name, outcome)).or_default() += 1;
    }
}

impl Coverage {
    /// Adds the counts of a worker.
    pub(crate) fn add(&self, counts: &mut Counts) {
        let mut all = self.0.lock().unwrap();
        for ((group, name, outcome), count) in std::mem::take(&mut counts.0) {
            *all.entry((group, name)).or_default().entry(outcome).or_default() += count;
        }
    }

    /// The kinds of steps that never did anything.
    pub(crate) fn idle(&self, names: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
        let all = self.0.lock().unwrap();
        let works = |name: &&'static str| {
            let outcomes = all.get(&("calls", *name));
            outcomes.is_some_and(|outcomes| {
                outcomes.keys().any(|outcome| matches!(outcome, Outcome::Done | Outcome::Pending))
            })
        };
        names.filter(|name| !works(name)).collect()
    }

    /// As a table.
    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new();
        table
            .load_style(comfy_table::presets::ASCII_MARKDOWN)
            .set_header(["", "", "done", "pending", "nothing", "failed"]);
        for ((group, name), outcomes) in &*self.0.lock().unwrap() {
            let count = |outcome| outcomes.get(&outcome).map(u64::to_string).unwrap_or_default();
            let failures = outcomes.iter().filter_map(|(outcome, count)| match *outcome {
                Outcome::Failed(code) if code > 0xFFFF => Some(format!("{code:#x}: {count}")),
                Outcome::Failed(code) => Some(format!("{code}: {count}")),
                _ => None,
            });
            let failures = failures.collect::<Vec<_>>().join(", ");
            let [done, pending, nothing] = [Outcome::Done, Outcome::Pending, Outcome::Nothing].map(count);
            table.add_row([group, name, done.as_str(), &pending, &nothing, &failures]);
        }
        table
    }
}
