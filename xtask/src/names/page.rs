//! The page that sums the table up.

use super::declared::Kind;
use super::libraries::LIBRARIES;
use super::table::{Row, State, Table};
use anyhow::Context;
use std::collections::BTreeMap;
use std::fmt::Write;

/// How often the programs that were looked at use a name: the number of their 59 source trees that do. Forms for narrow and
/// wide characters count as one, by the name without its letter.
const USES: &str = include_str!("uses.tsv");

const TREES: usize = 59;

const HEAD: &str = "\
# Which of Windows's names work

Written by `cargo xtask names` from the table [names.tsv](../crates/winsock-cc/src/names.tsv), which has every name. Windows's
names are those that MinGW-w64's headers declare after winsock2.h, windows.h and each header that we have, too, and the
functions of its import libraries.

* *works*: our headers declare it with as many parameters, and a function links: from `libwinsock`, from the header, or from
  libc. How far it differs from Windows's is in [PLATFORM.md](../PLATFORM.md).
* *error*: it is declared and links, and always fails with an error that says so.
* *missing*: our headers do not declare it, so that the compiler names it. `winsock-cc --check` finds these in a source tree
  beforehand.

`cargo xtask names --check` compares the table with the headers of both sides. The tests compare it with ours, and fail for
a name that worked and is gone.
";

/// How many of one state.
#[derive(Default)]
struct Counts {
    works: usize,
    refused: usize,
    missing: usize,
}

impl Counts {
    fn of<'a>(rows: impl Iterator<Item = &'a Row>) -> Counts {
        let mut counts = Counts::default();
        for row in rows {
            match row.state {
                State::Works => counts.works += 1,
                State::Refused => counts.refused += 1,
                State::Missing => counts.missing += 1,
            }
        }
        counts
    }

    fn cells(&self) -> String {
        format!("{} | {} | {}", self.works, self.refused, self.missing)
    }
}

pub(crate) fn page(table: &Table) -> anyhow::Result<String> {
    let uses = uses()?;
    let mut page = HEAD.to_owned();
    by_use(&mut page, table, &uses)?;
    by_library(&mut page, table, &uses)?;
    by_kind(&mut page, table)?;
    by_header(&mut page, table)?;
    Ok(page)
}

fn uses() -> anyhow::Result<BTreeMap<&'static str, usize>> {
    let of_line = |line: &'static str| {
        let (name, count) = line.split_once('\t').with_context(|| format!("no count: {line}"))?;
        Ok((name, count.parse()?))
    };
    USES.lines().map(of_line).collect()
}

/// The row of a name in the table, or of its narrow or wide form.
fn row<'a>(table: &'a Table, name: &str) -> Option<&'a Row> {
    // A name of both forms is a macro there, or nothing.
    ["A", "W", ""].iter().find_map(|letter| table.0.get(&format!("{name}{letter}")))
}

fn by_use(page: &mut String, table: &Table, uses: &BTreeMap<&str, usize>) -> anyhow::Result<()> {
    let mut missing: Vec<(&str, usize, &Row)> = Vec::new();
    let (mut known, mut works) = (0, 0);
    for (name, count) in uses {
        let Some(row) = row(table, name) else { continue };
        known += 1;
        match row.state {
            State::Missing => missing.push((name, *count, row)),
            _ => works += 1,
        }
    }
    missing.sort_by_key(|(name, count, _)| (usize::MAX - count, *name));
    writeln!(
        page,
        "\n## By use\n\n{TREES} public programs with Winsock use {known} of these names, and {works} of those are there. The \
         others, by the number of programs:\n\n| name | programs | header | library |\n|---|---|---|---|"
    )?;
    for (name, count, row) in missing {
        writeln!(page, "| `{name}` | {count} | {} | {} |", row.header, row.library)?;
    }
    Ok(())
}

fn by_library(page: &mut String, table: &Table, uses: &BTreeMap<&str, usize>) -> anyhow::Result<()> {
    page.push_str(
        "\n## By library\n\nFunctions. One that several libraries have is in the first. *Missing and used* are those that any \
         of the programs above uses.\n\n| library | works | error | missing | missing and used |\n|---|---|---|---|---|\n",
    );
    for library in LIBRARIES {
        let of_it = |row: &&Row| row.library == library;
        let used = uses.keys().filter_map(|name| row(table, name)).filter(of_it);
        let used = used.filter(|row| row.state == State::Missing).count();
        writeln!(page, "| {library} | {} | {used} |", Counts::of(table.0.values().filter(of_it)).cells())?;
    }
    Ok(())
}

fn by_kind(page: &mut String, table: &Table) -> anyhow::Result<()> {
    page.push_str("\n## By kind\n\n| names | works | error | missing |\n|---|---|---|---|\n");
    for (kind, words) in [
        (Kind::Function, "functions"),
        (Kind::Type, "types"),
        (Kind::Enumerator, "enumerators"),
        (Kind::Variable, "variables"),
        (Kind::Macro, "macros"),
        (Kind::Header, "headers"),
    ] {
        writeln!(page, "| {words} | {} |", Counts::of(table.0.values().filter(|row| row.kind == kind)).cells())?;
    }
    Ok(())
}

fn by_header(page: &mut String, table: &Table) -> anyhow::Result<()> {
    page.push_str(
        "\n## By header\n\nThe names that the headers of mingw declare themselves, for those that we have, too.\n\n\
         | header | works | error | missing |\n|---|---|---|---|\n",
    );
    let headers = table.0.iter().filter(|(_, row)| row.kind == Kind::Header && row.state == State::Works);
    for (header, _) in headers {
        let counts = Counts::of(table.0.values().filter(|row| row.header == *header));
        if counts.works + counts.refused + counts.missing > 0 {
            writeln!(page, "| {header} | {} |", counts.cells())?;
        }
    }
    Ok(())
}
