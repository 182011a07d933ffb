//! `cargo xtask sanitize`: the tests under AddressSanitizer with LeakSanitizer, or under ThreadSanitizer.
//!
//! The compiler is the usual one, which takes options of the nightly one with RUSTC_BOOTSTRAP. ThreadSanitizer needs the
//! standard library instrumented as well, so that is built too (`-Zbuild-std`, with the component `rust-src`). Everything
//! lies in `target/sanitize-…`. What is known and right is in `xtask/sanitizers`, with a reason for each line.

use anyhow::{Context, ensure};
use std::process::{Command, ExitCode};

/// Arguments of `cargo xtask sanitize`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    sanitizer: Sanitizer,
    /// One of the crates only
    #[arg(long, value_name = "CRATE")]
    only: Option<String>,
    /// Arguments for `cargo test` in place of the usual ones, such as `-p winsock --test port_stress`
    #[arg(last = true)]
    cargo: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Sanitizer {
    /// Memory that is used wrongly, or leaked
    Address,
    /// Data races
    Thread,
}

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Of each crate what runs under both. Left out are documentation tests and `headers`, which checks what gcc makes of the
/// headers.
const TESTS: [(&str, &[&str]); 3] = [
    ("winsock", &["--lib", "--test", "port_stress", "--test", "startup", "--test", "traps", "--test", "two_workers"]),
    ("pentaport", &["--lib", "--tests"]),
    ("pentaport-server", &["--lib", "--tests"]),
];

/// Of tests that cannot be under this sanitizer, and why.
const SKIPPED: [(Sanitizer, &str); 1] = [
    // A process with several threads forks and starts more, which the runtime does not support.
    (Sanitizer::Thread, "a_lasting_refusal_of_connections_is_told_and_costs_nothing"),
];

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let sanitizer = arguments.sanitizer;
    if sanitizer == Sanitizer::Thread {
        has_source_of_the_library()?;
    }
    let mut failed = Vec::new();
    if !arguments.cargo.is_empty() {
        let mut cargo = cargo(sanitizer);
        if !cargo.args(&arguments.cargo).status().context("cargo")?.success() {
            failed.push("cargo test");
        }
    } else {
        let chosen = |name: &str| arguments.only.as_ref().is_none_or(|only| only == name);
        ensure!(TESTS.iter().any(|(name, _)| chosen(name)), "the crates are winsock, pentaport and pentaport-server");
        for (name, tests) in TESTS.into_iter().filter(|(name, _)| chosen(name)) {
            let mut cargo = cargo(sanitizer);
            cargo.args(["-p", name, "--no-fail-fast"]).args(tests).arg("--");
            for (_, test) in SKIPPED.iter().filter(|(skips, _)| *skips == sanitizer) {
                cargo.args(["--skip", test]);
            }
            if !cargo.status().context("cargo")?.success() {
                failed.push(name);
            }
        }
    }
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("failed under the sanitizer: {}", failed.join(", "));
    Ok(ExitCode::FAILURE)
}

/// `cargo test` for instrumented programs.
fn cargo(sanitizer: Sanitizer) -> Command {
    let root = crate::root();
    let lists = root.join("xtask/sanitizers");
    let (name, cfg, options) = match sanitizer {
        Sanitizer::Address => {
            let leaks = format!("suppressions={}", lists.join("leaks.txt").display());
            (
                "address",
                "",
                vec![("LSAN_OPTIONS", leaks + ":print_suppressions=0"), ("ASAN_OPTIONS", "detect_leaks=1".into())],
            )
        }
        Sanitizer::Thread => {
            let races = format!("suppressions={}", lists.join("threads.txt").display());
            ("thread", " --cfg winsock_tsan", vec![("TSAN_OPTIONS", races)])
        }
    };
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(&root)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", format!("-Zsanitizer={name} -Cforce-frame-pointers=yes{cfg}"))
        .envs(options)
        .args(["test", "--locked", "--target", TARGET, "--target-dir", &format!("target/sanitize-{name}")]);
    if sanitizer == Sanitizer::Thread {
        cargo.arg("-Zbuild-std");
    }
    cargo
}

/// Adds the component `rust-src` if it is missing and rustup is there.
fn has_source_of_the_library() -> anyhow::Result<()> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "sysroot"]).output().context("rustc")?;
    let sysroot = String::from_utf8(output.stdout).context("rustc's folder")?;
    if std::path::Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/Cargo.lock").exists() {
        return Ok(());
    }
    let added = Command::new("rustup").args(["component", "add", "rust-src"]).status();
    ensure!(added.is_ok_and(|status| status.success()), "the source of Rust's library is missing: component rust-src");
    Ok(())
}
