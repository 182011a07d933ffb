//! What CI and people run: `cargo xtask <command>`.
#![forbid(unsafe_code)]

mod bench;
mod check;
mod compare_check;
mod conformance;
mod full;
mod fuzz;
mod install;
mod instructions;
mod libtest;
mod names;
mod platform;
mod ranks;
mod register;
mod sanitize;
mod soak;
mod suite;
mod windows;

use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask", about = "What CI and people run")]
enum Command {
    /// Measure the models and their peers, and write BENCHMARKS.md
    Bench(bench::Arguments),
    /// Run the conformance suite and print a table of the facts by section
    Conformance(conformance::Arguments),
    /// Run random sequences of Winsock calls from several threads and check what comes of them
    Fuzz(fuzz::Arguments),
    /// Build the command, the compiler drivers, the headers and the libraries, and install them
    Install(install::Arguments),
    /// Check the rules of the code that no compiler checks
    Check,
    /// Try whether `pentaport compare` claims what is so and nothing else
    CompareCheck(compare_check::Arguments),
    /// Count the instructions of the engine's hot paths and compare them with bench/instructions.tsv
    Instructions(instructions::Arguments),
    /// Write the table of Windows's names with what works of them, or check that it only grows
    Names(names::Arguments),
    /// Run the servers for long under every kind of stress, and see that they come back
    Soak(soak::Arguments),
    /// Run what takes too long for .ci/run, each step to its end
    Full(full::Arguments),
    /// Run the tests under AddressSanitizer or ThreadSanitizer
    Sanitize(sanitize::Arguments),
    /// Build for Windows and run the tests under Wine
    Windows(windows::Arguments),
}

fn main() -> anyhow::Result<ExitCode> {
    match Command::parse() {
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Conformance(arguments) => conformance::run(&arguments),
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Install(arguments) => install::run(&arguments),
        Command::Check => check::run(),
        Command::CompareCheck(arguments) => compare_check::run(&arguments),
        Command::Instructions(arguments) => instructions::run(&arguments),
        Command::Names(arguments) => names::run(&arguments),
        Command::Soak(arguments) => soak::run(&arguments),
        Command::Full(arguments) => full::run(&arguments),
        Command::Sanitize(arguments) => sanitize::run(&arguments),
        Command::Windows(arguments) => windows::run(&arguments),
    }
}

/// The root of the workspace.
fn root() -> PathBuf {
    let xtask = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().expect("xtask stands in the workspace").to_owned()
}
