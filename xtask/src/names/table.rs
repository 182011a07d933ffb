//! The kept table: each name of Windows's that is looked at, and whether it works here.

use super::declared::Kind;
use anyhow::{Context, bail};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Whether a program can use a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Our headers declare it, and a function of that name links.
    Works,
    /// A function that is there to be linked, and always fails with an error that says so.
    Refused,
    /// Our headers do not declare it, or as something else.
    Missing,
}

const STATES: [(State, &str); 3] = [(State::Works, "works"), (State::Refused, "error"), (State::Missing, "missing")];

const KINDS: [(Kind, &str); 6] = [
    (Kind::Function, "function"),
    (Kind::Type, "type"),
    (Kind::Enumerator, "enumerator"),
    (Kind::Variable, "variable"),
    (Kind::Macro, "macro"),
    (Kind::Header, "header"),
];

/// What is known of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) kind: Kind,
    /// The header of Windows's that declares it; empty if none of those that were looked at does.
    pub(crate) header: String,
    /// The library that has the function; empty if none of those that were looked at has.
    pub(crate) library: String,
    /// Of a function that a header declares.
    pub(crate) parameters: Option<usize>,
    pub(crate) state: State,
}

/// The rows by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table(pub(crate) BTreeMap<String, Row>);

const HEAD: &str = "name\tkind\theader\tlibrary\tparameters\tstate\n";

impl Table {
    pub(crate) fn parse(text: &str) -> anyhow::Result<Table> {
        let mut rows = BTreeMap::new();
        for line in text.strip_prefix(HEAD).context("no head")?.lines() {
            let cells: Vec<&str> = line.split('\t').collect();
            let [name, kind, header, library, parameters, state] = cells[..] else { bail!("no row: {line}") };
            let parameters = if parameters.is_empty() { None } else { Some(parameters.parse().context("a number")?) };
            let kind = KINDS.iter().find(|(_, word)| *word == kind).with_context(|| format!("no kind: {line}"))?.0;
            let state = STATES.iter().find(|(_, word)| *word == state).with_context(|| format!("no state: {line}"))?.0;
            rows.insert(
                name.to_owned(),
                Row { kind, header: header.to_owned(), library: library.to_owned(), parameters, state },
            );
        }
        Ok(Table(rows))
    }

    pub(crate) fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        for (name, row) in &self.0 {
            let kind = KINDS.iter().find(|(kind, _)| *kind == row.kind).map_or("", |(_, word)| word);
            let state = STATES.iter().find(|(state, _)| *state == row.state).map_or("", |(_, word)| word);
            let parameters = row.parameters.map_or_else(String::new, |count| count.to_string());
            writeln!(text, "{name}\t{kind}\t{}\t{}\t{parameters}\t{state}", row.header, row.library)
                .expect("a string takes every line");
        }
        text
    }

    /// The names that a program could use by this table, and cannot by the other.
    pub(crate) fn lost_in(&self, other: &Table) -> Vec<&str> {
        let is_there = |state: State| state != State::Missing;
        let lost = |name: &str| !other.0.get(name).is_some_and(|row| is_there(row.state));
        self.0.iter().filter(|(name, row)| is_there(row.state) && lost(name)).map(|(name, _)| name.as_str()).collect()
    }

    /// The names of which the two say anything else.
    pub(crate) fn differences<'a>(&'a self, other: &'a Table) -> Vec<&'a str> {
        let mut names: Vec<&str> = self
            .0
            .iter()
            .filter(|(name, row)| other.0.get(*name) != Some(row))
            .map(|(name, _)| name.as_str())
            .collect();
        names.extend(other.0.keys().filter(|name| !self.0.contains_key(*name)).map(String::as_str));
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "name\tkind\theader\tlibrary\tparameters\tstate\n\
                        Beep\tfunction\tutilapiset.h\tkernel32\t2\tmissing\n\
                        Sleep\tfunction\tsynchapi.h\tkernel32\t1\tworks\n\
                        sspi.h\theader\t\t\t\tmissing\n";

    #[test]
    fn a_table_is_its_text() {
        let table = Table::parse(TEXT).expect("a table");
        assert_eq!(table.text(), TEXT);
        assert!(Table::parse("").is_err() && Table::parse(&format!("{HEAD}Beep\n")).is_err());
    }

    #[test]
    fn what_is_lost_is_named_and_what_is_new_differs() {
        let old = Table::parse(TEXT).expect("a table");
        let new = Table::parse(&TEXT.replace("works", "missing").replace("\tmissing\nSleep", "\terror\nSleep"))
            .expect("a table");
        assert_eq!(old.lost_in(&new), ["Sleep"]);
        assert_eq!(new.lost_in(&old), ["Beep"]);
        assert_eq!(old.differences(&new), ["Beep", "Sleep"]);
        let mut less = old.clone();
        less.0.remove("Sleep");
        assert_eq!(old.lost_in(&less), ["Sleep"]);
        assert_eq!((less.differences(&old), old.differences(&old).len()), (vec!["Sleep"], 0));
    }
}
