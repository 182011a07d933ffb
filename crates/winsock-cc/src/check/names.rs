//! The names of Windows, by the table that `cargo xtask names` keeps.

use std::collections::HashMap;

const TABLE: &str = include_str!("../names.tsv");

/// What a name is, as far as its uses look different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Function,
    Type,
    Macro,
    Constant,
    Header,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Works,
    Refused,
    Missing,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name {
    pub(crate) kind: Kind,
    /// Windows's header and library; empty where there is none.
    pub(crate) header: &'static str,
    pub(crate) library: &'static str,
    pub(crate) state: State,
}

impl Name {
    /// Where Windows has it.
    pub(crate) fn place(&self) -> String {
        let places: Vec<&str> = [self.header, self.library].into_iter().filter(|place| !place.is_empty()).collect();
        if places.is_empty() { "Windows's".to_owned() } else { places.join(", ") }
    }
}

/// All of them.
pub(crate) struct Names(HashMap<&'static str, Name>);

impl Names {
    /// Those of the table that was there when this program was built.
    pub(crate) fn kept() -> Names {
        Names(TABLE.lines().skip(1).filter_map(row).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<Name> {
        self.0.get(name).copied()
    }

    /// Whether this stands for two functions, one for each width of characters.
    pub(crate) fn has_forms(&self, name: &str) -> bool {
        self.get(&format!("{name}W")).is_some_and(|wide| wide.kind == Kind::Function)
    }
}

fn row(line: &'static str) -> Option<(&'static str, Name)> {
    let mut cells = line.split('\t');
    let mut cell = || cells.next().unwrap_or_default();
    let (name, kind, header, library, _parameters, state) = (cell(), cell(), cell(), cell(), cell(), cell());
    let kind = match kind {
        "function" => Kind::Function,
        "type" => Kind::Type,
        "macro" => Kind::Macro,
        "enumerator" | "variable" => Kind::Constant,
        "header" => Kind::Header,
        _ => return None,
    };
    let state = match state {
        "works" => State::Works,
        "error" => State::Refused,
        _ => State::Missing,
    };
    Some((name, Name { kind, header, library, state }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_understood() {
        let names = Names::kept();
        assert_eq!(names.0.len(), TABLE.lines().count() - 1);
        let startup = names.get("WSAStartup").expect("WSAStartup");
        assert_eq!((startup.kind, startup.state, startup.library), (Kind::Function, State::Works, "ws2_32"));
        assert_eq!(names.get("TerminateThread").map(|name| name.state), Some(State::Refused));
        assert_eq!(names.get("winsock2.h").map(|name| (name.kind, name.state)), Some((Kind::Header, State::Works)));
        assert!(names.has_forms("CreateFile") && !names.has_forms("WSAStartup"));
    }
}
