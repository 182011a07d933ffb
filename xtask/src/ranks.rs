//! The ranks of locks: that every lock has one, and that ARCHITECTURE.md lists them as the code does.

use anyhow::Context;
use std::fmt::Write;
use std::path::Path;

/// The crates whose locks have ranks.
const RANKED: [&str; 3] = ["crates/winsock/src/", "crates/pentaport/src/", "crates/pentaport-server/src/"];

/// Their modules of tests, and the model that shuttle's schedules run on.
const UNRANKED: [&str; 2] = ["crates/winsock/src/schedules/", "crates/winsock/src/sync.rs"];

const LOCKS: [&str; 4] = ["Mutex", "RwLock", "ReentrantMutex", "Condvar"];

/// The places of this file where a lock without a rank is named: the line of each, and what stands there.
pub(crate) fn bare_locks(path: &str, text: &str) -> Vec<(usize, String)> {
    let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
    if is_test
        || !RANKED.iter().any(|place| path.starts_with(place))
        || UNRANKED.iter().any(|not| path.starts_with(not))
    {
        return Vec::new();
    }
    // Tests stand at the end of a file.
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let mut found = Vec::new();
    // Declarations and statements, so that a list of imports over several lines is seen as one.
    let (mut statement, mut begins) = (String::new(), 0);
    for (index, line) in code.lines().enumerate() {
        let line = line.split("//").next().unwrap_or_default();
        if statement.trim().is_empty() {
            statement.clear();
            begins = index;
        }
        statement.push_str(line.trim());
        let goes_on = statement.starts_with("use ") || statement.starts_with("pub(crate) use ");
        if goes_on && !line.contains(';') {
            continue;
        }
        if is_bare(&statement) {
            found.push((begins + 1, std::mem::take(&mut statement)));
        }
        statement.clear();
    }
    found
}

/// Whether a lock of the standard library or of parking_lot is named.
fn is_bare(statement: &str) -> bool {
    let words = || statement.split(|c: char| !c.is_alphanumeric() && c != '_');
    let of_std = statement.contains("std::sync") || statement.starts_with("use std::{") && statement.contains("sync::");
    words().any(|word| LOCKS.contains(&word)) && (of_std || words().any(|word| word == "parking_lot"))
}

/// What is wrong with the table of ranks in ARCHITECTURE.md, a fault a line.
pub(crate) fn faults_of_table(root: &Path) -> anyhow::Result<String> {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).with_context(|| String::from(path));
    Ok(compare(&declared(&read("crates/ranked-locks/src/rank.rs")?), &listed(&read("ARCHITECTURE.md")?)))
}

fn compare(declared: &[(String, String)], listed: &[(String, String)]) -> String {
    if declared == listed {
        return String::new();
    }
    let mut fault =
        String::from("ARCHITECTURE.md: the table of ranks is not that of crates/ranked-locks/src/rank.rs, which is:\n");
    for (name, what) in declared {
        writeln!(fault, "   | `{name}` | {what} |").expect("a string takes every line");
    }
    fault
}

/// The ranks of the source, each with its line.
fn declared(source: &str) -> Vec<(String, String)> {
    let list = source.split("\nranks! {\n").nth(1).unwrap_or_default();
    let lines: Vec<_> = list.lines().map(str::trim).take_while(|line| *line != "}").collect();
    let pairs = lines.chunks(2).filter_map(|pair| Some((pair.get(1)?, pair[0].strip_prefix("/// ")?)));
    pairs.map(|(name, what)| (String::from(*name), String::from(what))).collect()
}

/// The ranks of the document, each with its line.
fn listed(document: &str) -> Vec<(String, String)> {
    let rows = document.lines().map(str::trim).skip_while(|line| *line != HEAD).skip(2);
    rows.map_while(|row| row.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` | "))
        .map(|(name, what)| (String::from(name), String::from(what)))
        .collect()
}

/// The first line of the table.
const HEAD: &str = "| rank | what it guards, and under what it is taken |";

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "crates/winsock/src/port.rs";

    #[test]
    fn a_lock_without_a_rank_is_found() {
        for bare in [
            "use parking_lot::Mutex;\n",
            "use parking_lot::{Condvar, Mutex};\n",
            "use std::sync::{\n    Arc,\n    RwLock,\n};\n",
            "use std::{\n    io,\n    sync::{Arc, Mutex},\n};\n",
            "static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());\n",
            "    one: parking_lot::RwLock<u32>,\n",
        ] {
            assert_eq!(bare_locks(PATH, bare).len(), 1, "{bare}");
            assert_eq!(bare_locks(PATH, &format!("fn f() {{}}\n\n{bare}")).first().map(|found| found.0), Some(3));
            assert_eq!(bare_locks("crates/pentaport-server/src/handle.rs", bare).len(), 1);
            assert!(bare_locks("crates/pentaport-cli/src/serve.rs", bare).is_empty());
            assert!(bare_locks("crates/winsock/src/socket/tests.rs", bare).is_empty());
            assert!(bare_locks(PATH, &format!("#[cfg(test)]\nmod tests {{\n{bare}}}\n")).is_empty());
            assert!(bare_locks(PATH, &format!("/// {}", bare.replace('\n', "\n/// "))).is_empty());
        }
        for fine in [
            "use ranked_locks::{Mutex, rank};\n",
            "use std::sync::{Arc, OnceLock};\n",
            "use parking_lot::RawMutex;\n",
            "use crate::sync::{Mutex, local};\n",
        ] {
            assert!(bare_locks(PATH, fine).is_empty(), "{fine}");
        }
    }

    #[test]
    fn the_table_is_compared_with_the_ranks() {
        let source = "macro\nranks! {\n    /// A socket.\n    Socket\n    /// A port.\n    Port\n}\n";
        let row = |name: &str, what: &str| (String::from(name), String::from(what));
        let expected = [row("Socket", "A socket."), row("Port", "A port.")];
        assert_eq!(declared(source), expected);
        let table = |rows: &str| format!("   text\n\n   {HEAD}\n   |---|---|\n{rows}\n7. more\n");
        let same = table("   | `Socket` | A socket. |\n   | `Port` | A port. |\n");
        assert_eq!(compare(&declared(source), &listed(&same)), "");
        for other in [
            "   | `Port` | A port. |\n   | `Socket` | A socket. |\n",
            "   | `Socket` | A socket. |\n",
            "   | `Socket` | Something. |\n   | `Port` | A port. |\n",
        ] {
            let fault = compare(&declared(source), &listed(&table(other)));
            assert!(fault.contains("| `Socket` | A socket. |"), "{fault}");
        }
    }

    #[test]
    fn the_table_is_that_of_the_code() {
        let root = crate::root();
        let source = std::fs::read_to_string(root.join("crates/ranked-locks/src/rank.rs")).expect("the ranks");
        assert!(declared(&source).len() > 20);
        assert_eq!(faults_of_table(&root).expect("both files"), "");
    }
}
