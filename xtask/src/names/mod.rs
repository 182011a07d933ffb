//! Which of Windows's names programs can use here: a table, kept in the repository, that only grows.
//!
//! What Windows has is what MinGW-w64's headers declare after winsock2.h, windows.h and every header of ours, and what its
//! import libraries have. What works is what our headers declare, asked of the compiler in the same way. The table is
//! `crates/winsock-cc/src/names.tsv`, since `winsock-cc --check` reads it too; `docs/names.md` sums it up.

mod declared;
mod libraries;
mod ours;
mod page;
mod table;

use anyhow::{Context, ensure};
use declared::{Declared, Kind};
use ours::Ours;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use table::{Row, State, Table};

/// Arguments of `cargo xtask names`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Compare with the kept table, and write nothing
    #[arg(long, conflicts_with = "lose")]
    check: bool,
    /// Write the table although names that worked are gone
    #[arg(long)]
    lose: bool,
}

const COMPILER: &str = "x86_64-w64-mingw32-gcc";

/// How many names a message has.
const SHOWN: usize = 40;

/// Writes the table and its page anew, or compares them.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if arguments.check {
        return check();
    }
    let now = windows(&Ours::find()?)?;
    let kept = kept()?;
    let lost = kept.lost_in(&now);
    ensure!(arguments.lose || lost.is_empty(), "worked, and is gone (--lose to say so): {}", some(&lost));
    fs::write(table_file(), now.text())?;
    fs::write(page_file(), page::page(&now)?)?;
    println!("{} names, {} of which work; {} lines changed", now.0.len(), working(&now), kept.differences(&now).len());
    Ok(ExitCode::SUCCESS)
}

/// Compares the kept table with mingw's headers and libraries and with our headers.
pub(crate) fn check() -> anyhow::Result<ExitCode> {
    let now = windows(&Ours::find()?)?;
    compare(&kept()?, &now)?;
    println!("{} names, {} of which work, as the table has them", now.0.len(), working(&now));
    Ok(ExitCode::SUCCESS)
}

fn working(table: &Table) -> usize {
    table.0.values().filter(|row| row.state == State::Works).count()
}

fn table_file() -> PathBuf {
    crate::root().join("crates/winsock-cc/src/names.tsv")
}

fn page_file() -> PathBuf {
    crate::root().join("docs/names.md")
}

fn kept() -> anyhow::Result<Table> {
    Table::parse(&fs::read_to_string(table_file())?).context("names.tsv")
}

/// Fails if the table does not say what is so now.
fn compare(kept: &Table, now: &Table) -> anyhow::Result<()> {
    let lost = kept.lost_in(now);
    ensure!(lost.is_empty(), "worked, and is gone: {}", some(&lost));
    let differences = kept.differences(now);
    ensure!(differences.is_empty(), "`cargo xtask names` brings the table up to date: {}", some(&differences));
    Ok(())
}

fn some(names: &[&str]) -> String {
    let more = names.len().saturating_sub(SHOWN);
    let shown = names[..names.len() - more].join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

/// The table as mingw's headers and libraries and our headers make it.
fn windows(ours: &Ours) -> anyhow::Result<Table> {
    let scratch = crate::install::target().join("names/windows");
    // Windows 10's and its C runtime's, not those of the oldest Windows that mingw knows.
    let compiler = || {
        let mut compiler = Command::new(COMPILER);
        compiler.args(["-D_WIN32_WINNT=0x0A00", "-DWINVER=0x0A00", "-D_UCRT"]);
        compiler
    };
    let names = declared::names(compiler, &ours::includes(ours.headers()), &scratch)
        .context("mingw's headers; `cargo xtask windows` installs them")?;
    let folder = names.get("WSAStartup").and_then(|declared| Path::new(&declared.header).parent());
    let folder = folder.context("WSAStartup is not declared")?.to_owned();
    let library = declared::output(compiler().arg("-print-file-name=libws2_32.a"))?;
    let mut functions = libraries::functions(Path::new(library.trim()).parent().context("a library in a folder")?)?;

    let mut table = Table::default();
    let mut add = |name: String, declared: Option<Declared>, library: &str| {
        let kind = declared.as_ref().map_or(Kind::Function, |declared| declared.kind);
        let parameters = declared.as_ref().and_then(|declared| declared.parameters);
        let header = declared
            .and_then(|declared| Some(Path::new(&declared.header).strip_prefix(&folder).ok()?.display().to_string()));
        let state = ours.state(&name, kind, parameters);
        let row = Row { kind, header: header.unwrap_or_default(), library: library.to_owned(), parameters, state };
        table.0.insert(name, row);
    };
    for (name, declared) in names {
        // The compiler's own headers are not Windows's, nor are mingw's own names.
        if Path::new(&declared.header).starts_with(&folder) && !name.to_ascii_uppercase().contains("MINGW") {
            let library = functions.remove(&name).unwrap_or_default();
            add(name, Some(declared), library);
        }
    }
    for (name, library) in functions {
        add(name, None, library);
    }
    let mut headers: BTreeSet<String> = ours::header_files(&folder)?.into_iter().collect();
    headers.extend(ours::header_files(&folder.join("sys"))?.into_iter().map(|name| format!("sys/{name}")));
    for header in headers {
        add(header, Some(Declared { kind: Kind::Header, header: String::new(), parameters: None }), "");
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without mingw: what our headers declare now, of the names that the table has.
    #[test]
    fn the_kept_table_says_what_works() {
        let kept = kept().expect("the table");
        let ours = Ours::find().expect("our headers");
        let mut now = kept.clone();
        for (name, row) in &mut now.0 {
            row.state = ours.state(name, row.kind, row.parameters);
        }
        compare(&kept, &now).unwrap();
        assert!(working(&kept) > 2000, "{}", working(&kept));
    }

    #[test]
    fn the_page_is_that_of_the_table() {
        let page = page::page(&kept().expect("the table")).expect("a page");
        assert_eq!(fs::read_to_string(page_file()).expect("the page"), page, "`cargo xtask names` writes it");
    }
}
