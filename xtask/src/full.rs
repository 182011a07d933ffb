//! `cargo xtask full`: what takes too long for `.ci/run`, step by step, to the end whatever fails.

use anyhow::{Context, ensure};
use std::fs::{self, File};
use std::process::{Command, ExitCode};
use std::time::Instant;

/// Arguments of `cargo xtask full`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// This step only; may be given several times
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Say which steps there are
    #[arg(long)]
    list: bool,
}

/// The steps: the name, and the arguments of cargo.
const STEPS: [(&str, &[&str]); 7] = [
    ("sanitize-address", &["xtask", "sanitize", "address"]),
    ("sanitize-thread", &["xtask", "sanitize", "thread"]),
    ("sanitize-programs", &["test", "--locked", "-p", "winsock-cc", "--test", "sanitizers"]),
    ("fuzz", &["xtask", "fuzz", "--operations", "10000000"]),
    ("fuzz-release", &["xtask", "fuzz", "--release", "--operations", "10000000"]),
    ("compare-check", &["xtask", "compare-check"]),
    ("windows", &["xtask", "windows"]),
];

const FOLDER: &str = "target/full";

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    for name in &arguments.only {
        ensure!(STEPS.iter().any(|(step, _)| step == name), "no step is called {name}; see --list");
    }
    let chosen = |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == name);
    let steps = STEPS.into_iter().filter(|(name, _)| chosen(name));
    if arguments.list {
        steps.for_each(|(name, cargo)| println!("{name:20} cargo {}", cargo.join(" ")));
        return Ok(ExitCode::SUCCESS);
    }
    fs::create_dir_all(crate::root().join(FOLDER)).context(FOLDER)?;
    let mut summary = Vec::new();
    for (name, cargo) in steps {
        println!("=== {name}: cargo {}", cargo.join(" "));
        let start = Instant::now();
        let passed = step(name, cargo)?;
        let said = format!("{name:20} {} in {} s", if passed { "passed" } else { "FAILED" }, start.elapsed().as_secs());
        println!("=== {said}, output in {FOLDER}/{name}.log");
        summary.push((passed, said));
    }
    println!();
    summary.iter().for_each(|(_, said)| println!("{said}"));
    let passed = summary.iter().all(|(passed, _)| *passed);
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Carries out a step, its output in a file of its name.
fn step(name: &str, arguments: &[&str]) -> anyhow::Result<bool> {
    let root = crate::root();
    let path = root.join(FOLDER).join(format!("{name}.log"));
    let log = File::create(&path).with_context(|| path.display().to_string())?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(&root).args(arguments).stdin(std::process::Stdio::null()).stdout(log.try_clone()?).stderr(log);
    Ok(cargo.status().context("cargo")?.success())
}
