//! Runs the conformance suite and joins what it says with the register of facts.

use crate::libtest::{self, Outcome, Test};
use crate::register::{self, FACTS, Fact, SECTIONS, State};
use anyhow::{Context, bail};
use std::process::{Command, ExitCode, Stdio};

/// Arguments of `cargo xtask conformance`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Also print a line for every fact: number, state, gate, tests
    #[arg(long)]
    list: bool,
    /// With --list: only the facts in this state (pass, deviate, fail, "not yet", note)
    #[arg(long, requires = "list")]
    state: Option<String>,
    /// Further arguments for `cargo test`, such as `--target x86_64-pc-windows-gnu`
    #[arg(last = true)]
    cargo: Vec<String>,
}

/// Runs the suite, prints the table, and fails if any test does.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let path = crate::root().join("crates/conformance/facts.tsv");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let mut facts = register::read(&text)?;

    let listing = cargo_test(arguments, &["--list"])?;
    if !listing.ok {
        bail!("the suite does not build or list its tests");
    }
    let run = cargo_test(arguments, &[])?;
    let tests = libtest::tests(&listing.output, &run.output);
    register::join(&mut facts, &tests)?;

    if arguments.list {
        let shown = |fact: &&Fact| arguments.state.as_deref().is_none_or(|state| state == fact.state().name());
        facts.iter().filter(shown).for_each(|fact| println!("{}", fact_line(fact)));
        println!();
    }
    print_table(&facts);
    let failed: Vec<&Test> = tests.iter().filter(|test| test.outcome != Outcome::Passed).collect();
    if !failed.is_empty() {
        report_failures(&failed, &run.output);
    } else if !run.ok {
        bail!("`cargo test` failed although no test did");
    }
    println!("{}", summary(&facts));
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Run {
    ok: bool,
    output: String,
}

/// Runs `cargo test` for the suite with these arguments for its test programs. What the compiler says goes to the
/// terminal.
fn cargo_test(arguments: &Arguments, programs: &[&str]) -> anyhow::Result<Run> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(crate::root())
        .args(["test", "--quiet", "--package", "conformance", "--no-fail-fast", "--all-targets"])
        .args(&arguments.cargo)
        .args(["--", "--format=pretty", "--color=never"])
        .args(programs)
        .stderr(Stdio::inherit())
        .output()
        .context("cargo test")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(Run { ok: output.status.success(), output: text })
}

fn fact_line(fact: &Fact) -> String {
    let tests: Vec<&str> = fact.tests.iter().map(|test| test.name.as_str()).collect();
    let tests = tests.join(" ");
    let (number, state) = (&fact.number, fact.state().name());
    let line = format!("{number:<5}{state:<9}{:<13}{tests:<44}  {}", fact.gate, fact.why);
    line.trim_end().to_owned()
}

fn print_table(facts: &[Fact]) {
    print!("{:<24}", "section");
    State::ALL.iter().for_each(|state| print!("{:>9}", state.name()));
    println!("{:>9}", "facts");
    for (letter, title) in SECTIONS {
        let section: Vec<&Fact> = facts.iter().filter(|fact| fact.section() == letter).collect();
        print!("{:<24}", format!("{letter}  {title}"));
        for state in State::ALL {
            print!("{:>9}", section.iter().filter(|fact| fact.state() == state).count());
        }
        println!("{:>9}", section.len());
    }
    println!();
}

/// Says which tests failed and what the harness printed of them.
fn report_failures(failed: &[&Test], output: &str) {
    let passed = |line: &&str| !line.starts_with("test ") || !line.ends_with(" ... ok");
    output.lines().filter(passed).for_each(|line| eprintln!("{line}"));
    for test in failed {
        let how = if test.outcome == Outcome::Lost { "gave no result" } else { "failed" };
        eprintln!("{} {how}", test.name);
    }
}

/// The last line: what the whole suite says in one.
fn summary(facts: &[Fact]) -> String {
    let [pass, deviate, fail, not_yet, note] =
        State::ALL.map(|state| facts.iter().filter(|fact| fact.state() == state).count());
    format!("{pass} pass, {deviate} deviate, {fail} fail, {not_yet} not yet, {note} notes of {FACTS}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_register_of_the_project_is_whole_and_summed_up_in_one_line() {
        let mut facts = register::read(include_str!("../../crates/conformance/facts.tsv")).unwrap();
        let test = |name: &str, outcome| Test { name: name.into(), outcome };
        let tests = [
            test("s12_x", Outcome::Passed),
            test("deviates_a28_x", Outcome::Passed),
            test("p12_p13_x", Outcome::Failed),
        ];
        register::join(&mut facts, &tests).unwrap();
        assert_eq!(summary(&facts), "1 pass, 1 deviate, 2 fail, 359 not yet, 15 notes of 378");
    }
}
