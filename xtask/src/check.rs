//! The rules of the code that no compiler checks.

use crate::{platform, ranks};
use anyhow::Context;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The only places that may name the crate with the system's declarations.
const NAMES_WINDOWS_SYS: [&str; 4] = [
    "crates/pentaport/src/sys.rs",
    "crates/pentaport/src/sys/",
    "crates/winsock/src/types.rs",
    // Compares the headers for C with them.
    "crates/winsock/tests/headers/",
];

/// The only places whose code may depend on which system it is compiled for. `winsock` as a whole is for Linux;
/// process figures of the command differ by system.
const DEPENDS_ON_SYSTEM: [&str; 13] = [
    "crates/pentaport/src/sys.rs",
    "crates/pentaport/src/sys/",
    "crates/pentaport-cli/src/process.rs",
    // Signals and limits on descriptors, which only Unix has.
    "crates/pentaport-cli/tests/",
    "crates/pentaport-server/tests/descriptors.rs",
    // Allocations are those of our engine, and what malloc adds is glibc's.
    "crates/pentaport-server/tests/allocations.rs",
    "crates/pentaport-server/tests/leaks.rs",
    "crates/pentaport-server/tests/memory.rs",
    // A main loop that watches descriptors, which only Unix has.
    "crates/pentaport/examples/main_loop/",
    "crates/pentaport/tests/async_select_main_loop.rs",
    // What Linux cannot do has a test of the fact, for Windows, and one of what happens instead.
    "crates/conformance/tests/",
    // Symbols that only programs in C see have other names in our library.
    "crates/conformance/src/raw/c.rs",
    "crates/winsock/",
];

/// The crates that may contain `unsafe`, each in the module that its own lints allow.
const MAY_BE_UNSAFE: [&str; 4] =
    ["crates/winsock/", "crates/pentaport/", "crates/conformance/src/", "crates/counting/src/"];

const UNSAFE: &str = concat!("un", "safe");

/// Reads every source file and says which lines break a rule.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let root = crate::root();
    let mut files = Vec::new();
    collect(&root.join("crates"), &mut files)?;
    collect(&root.join("xtask"), &mut files)?;
    files.sort();
    let listed = platform::listed_facts()?;
    let mut faults = String::new();
    for file in &files {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let path = file.strip_prefix(&root).expect("a file of the workspace");
        let path = path.to_string_lossy().replace('\\', "/");
        faults.push_str(&faults_in(&path, &text));
        if path.starts_with("crates/conformance/") {
            for fact in platform::left_out_on_windows(&text).iter().filter(|fact| !listed.contains(fact)) {
                writeln!(
                    faults,
                    "{path}: a test of {fact} is left out on Windows, and PLATFORM.md has no line for it"
                )?;
            }
        }
    }
    faults.push_str(&ranks::faults_of_table(&root)?);
    if faults.is_empty() {
        println!("{} source files keep the rules", files.len());
        return Ok(ExitCode::SUCCESS);
    }
    eprint!("{faults}");
    Ok(ExitCode::FAILURE)
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(directory).with_context(|| directory.display().to_string())?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// The lines of this file that break a rule, one fault a line.
fn faults_in(path: &str, text: &str) -> String {
    let mut faults = String::new();
    let within = |places: &[&str]| places.iter().any(|place| path.starts_with(place));
    for (index, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        let mut fault = |what: &str| {
            writeln!(faults, "{path}:{}: {what}: {}", index + 1, line.trim()).expect("a string takes every line");
        };
        if code.contains(concat!("windows", "_sys")) && !within(&NAMES_WINDOWS_SYS) {
            fault("only pentaport::sys and winsock's types may name the declarations' crate");
        }
        if is_cfg_of_system(code) && !within(&DEPENDS_ON_SYSTEM) {
            fault("only pentaport::sys may depend on the system");
        }
        if words(code).any(|word| word == UNSAFE) && !within(&MAY_BE_UNSAFE) {
            fault("only winsock and the raw modules may have such code");
        }
    }
    for (line, lock) in ranks::bare_locks(path, text) {
        writeln!(faults, "{path}:{line}: a lock has a rank (the crate ranked-locks): {lock}").expect("as above");
    }
    if is_crate_root(path)
        && !within(&MAY_BE_UNSAFE)
        && !text.lines().any(|line| line.trim() == "#![forbid(unsafe_code)]")
    {
        writeln!(faults, "{path}: #![forbid(unsafe_code)] is missing").expect("a string takes every line");
    }
    faults
}

/// A test that is left out on Windows says why: Wine does what Windows does not, or somebody has yet to see what Windows
/// does. Any test may say so.
pub(crate) const LEFT_OUT_ON_WINDOWS: &str = concat!("#[cfg_", "attr(windows, ignore = \"");

/// Whether the line is a `cfg` that asks which system this is.
fn is_cfg_of_system(code: &str) -> bool {
    let asks = ["cfg(", "cfg_attr(", "cfg!("].iter().any(|cfg| code.contains(cfg));
    asks && !code.contains(LEFT_OUT_ON_WINDOWS)
        && words(code).any(|word| ["windows", "unix", "target_os", "target_family"].contains(&word))
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
}

/// Whether a library, a program, a test or an example starts at this file.
fn is_crate_root(path: &str) -> bool {
    let is_directly_in = |directory| path.rsplit_once(directory).is_some_and(|(_, file)| !file.contains('/'));
    ["src/lib.rs", "src/main.rs"].iter().any(|root| path.ends_with(root))
        || ["/src/bin/", "/tests/", "/examples/"].into_iter().any(is_directly_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "#![forbid(unsafe_code)]\n";

    #[test]
    fn only_sys_names_the_declarations() {
        let line = concat!("use windows", "_sys::Win32;\n");
        assert!(!faults_in("crates/pentaport/src/socket.rs", line).is_empty());
        assert!(!faults_in("crates/winsock/src/error.rs", line).is_empty());
        assert!(faults_in("crates/pentaport/src/sys.rs", line).is_empty());
        assert!(faults_in("crates/winsock/src/types.rs", line).is_empty());
        assert!(faults_in("crates/winsock/src/error.rs", &format!("// {line}")).is_empty());
    }

    #[test]
    fn only_sys_depends_on_the_system() {
        for condition in ["windows", "not(windows)", "target_os = \"linux\"", "unix"] {
            let attribute = format!("#[cfg({condition})]\n");
            let macro_call = format!("if cfg!({condition}) {{}}\n");
            for line in [attribute, macro_call] {
                assert!(!faults_in("crates/pentaport/src/socket.rs", &line).is_empty(), "{line}");
                assert!(faults_in("crates/pentaport/src/sys.rs", &line).is_empty(), "{line}");
                assert!(faults_in("crates/pentaport-cli/src/process.rs", &line).is_empty());
            }
        }
        assert!(faults_in("crates/pentaport/src/socket.rs", "#[cfg(test)]\n").is_empty());
        let explained = format!("{LEFT_OUT_ON_WINDOWS}Wine 8: a reset is told as a close\")]\n");
        assert!(faults_in("crates/pentaport/tests/sockets.rs", &explained).is_empty());
        let unexplained = concat!("#[cfg_", "attr(windows, ignore)]\n");
        assert!(!faults_in("crates/pentaport/tests/sockets.rs", unexplained).is_empty());
        assert!(faults_in("crates/pentaport/src/socket.rs", "let windows = 1;\n").is_empty());
    }

    #[test]
    fn every_crate_but_the_raw_ones_forbids_unsafe() {
        for root in ["crates/pentaport-server/src/lib.rs", "xtask/src/main.rs"] {
            assert!(!faults_in(root, "").is_empty(), "{root}");
            assert!(faults_in(root, ROOT).is_empty(), "{root}");
        }
        let line = format!("{UNSAFE} {{ call() }}\n");
        for root in ["crates/conformance/tests/select.rs", "crates/pentaport-server/examples/chat.rs"] {
            assert!(!faults_in(root, "").is_empty(), "{root}");
            assert!(faults_in(root, ROOT).is_empty(), "{root}");
        }
        for path in ["crates/pentaport-server/src/echo.rs", "crates/pentaport-server/tests/suite/flow.rs"] {
            assert!(faults_in(path, "").is_empty(), "{path}");
            assert!(faults_in(path, &format!("// {line}")).is_empty(), "{path}");
            assert!(!faults_in(path, &line).is_empty(), "{path}");
        }
        assert!(faults_in("crates/winsock/src/lib.rs", &line).is_empty());
    }
}
