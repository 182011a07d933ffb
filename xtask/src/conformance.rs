//! Runs the conformance suite and joins what it says with the register of facts.

use crate::libtest::Test;
use crate::platform;
use crate::register::{self, FACTS, Fact, SECTIONS, State};
use crate::suite::Suite;
use crate::windows;
use anyhow::Context;
use std::process::{Command, ExitCode};

/// Arguments of `cargo xtask conformance`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Also run the suite as Windows programs under Wine, and print what both runs say
    #[arg(long)]
    wine: bool,
    /// Also print a line for every fact: number, state, gate, tests
    #[arg(long)]
    list: bool,
    /// With --list: only the facts in this state (pass, deviate, fail, "left out", "not yet", note)
    #[arg(long, requires = "list")]
    state: Option<String>,
    /// Further arguments for `cargo test`, such as `--test waits`
    #[arg(last = true)]
    cargo: Vec<String>,
}

impl Arguments {
    pub(crate) fn on_both_systems() -> Arguments {
        Arguments { wine: true, list: false, state: None, cargo: Vec::new() }
    }
}

/// Runs the suite, prints the table, and fails if any test does, or if the two systems differ in a fact of which
/// PLATFORM.md says nothing.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut selection = vec!["--package", "conformance", "--all-targets"];
    selection.extend(arguments.cargo.iter().map(String::as_str));
    let mut runs = vec![Run::of(Suite::run(here, &selection)?)?];
    if arguments.wine {
        runs.push(Run::of(windows::test(&selection)?)?);
    }

    if arguments.list {
        print_facts(&runs, arguments.state.as_deref());
    }
    print_table(&runs);
    let undocumented = match &runs[..] {
        [linux, wine] => print_differences(&linux.facts, &wine.facts)?,
        _ => Vec::new(),
    };
    runs.iter().for_each(|run| run.suite.report_failures());
    if !undocumented.is_empty() {
        eprintln!("PLATFORM.md has no line for: {}", undocumented.join(", "));
    }
    runs.iter().for_each(|run| println!("{}", summary(&run.facts)));
    let passed = undocumented.is_empty() && runs.iter().all(|run| run.suite.passed());
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One run of the suite on one system.
struct Run {
    facts: Vec<Fact>,
    suite: Suite,
}

impl Run {
    fn of(suite: Suite) -> anyhow::Result<Run> {
        let path = crate::root().join("crates/conformance/facts.tsv");
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let mut facts = register::read(&text)?;
        register::join(&mut facts, &suite.tests)?;
        Ok(Run { facts, suite })
    }
}

/// The cargo that runs this program, for the system that it runs on.
fn here(subcommand: &str) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(crate::root()).arg(subcommand);
    cargo
}

fn print_facts(runs: &[Run], state: Option<&str>) {
    let shown = |fact: &Fact| state.is_none_or(|state| state == fact.state().name());
    for (index, fact) in runs[0].facts.iter().enumerate() {
        if runs.iter().any(|run| shown(&run.facts[index])) {
            println!("{}", fact_line(fact, &joined(runs, |run| run.facts[index].state().name().to_owned())));
        }
    }
    println!();
}

fn fact_line(fact: &Fact, states: &str) -> String {
    let tests: Vec<&str> = fact.tests.iter().map(|test| test.name.as_str()).collect();
    let line = format!("{:<5}{states:<19}{:<13}{:<44}  {}", fact.number, fact.gate, tests.join(" "), fact.why);
    line.trim_end().to_owned()
}

/// What each run says, with a stroke between them: `Linux/Wine`.
fn joined(runs: &[Run], say: impl Fn(&Run) -> String) -> String {
    runs.iter().map(say).collect::<Vec<String>>().join("/")
}

fn print_table(runs: &[Run]) {
    print!("{:<24}", if runs.len() == 1 { "section" } else { "section, Linux/Wine" });
    State::ALL.iter().for_each(|state| print!("{:>9}", state.name()));
    println!("{:>9}", "facts");
    for (letter, title) in SECTIONS {
        let section = |run: &Run| run.facts.iter().filter(move |fact| fact.section() == letter).count();
        print!("{:<24}", format!("{letter}  {title}"));
        for state in State::ALL {
            let count = |run: &Run| {
                run.facts.iter().filter(|fact| fact.section() == letter && fact.state() == state).count().to_string()
            };
            print!("{:>9}", joined(runs, count));
        }
        println!("{:>9}", section(&runs[0]));
    }
    println!();
}

/// Prints the facts in which the systems differ, and gives those that PLATFORM.md does not list.
fn print_differences(linux: &[Fact], wine: &[Fact]) -> anyhow::Result<Vec<String>> {
    let listed = platform::listed_facts()?;
    let mut undocumented = Vec::new();
    for (linux, wine) in linux.iter().zip(wine).filter(|(linux, wine)| linux.state() != wine.state()) {
        let mut reasons: Vec<&str> = wine.tests.iter().filter_map(Test::reason).collect();
        reasons.sort_unstable();
        reasons.dedup();
        let states = format!("{}/{}", linux.state().name(), wine.state().name());
        println!("{}", format!("{:<5}{states:<19}{}", linux.number, reasons.join("; ")).trim_end());
        if !listed.contains(&linux.number) {
            undocumented.push(linux.number.clone());
        }
    }
    println!();
    Ok(undocumented)
}

/// What the whole suite says in one line.
fn summary(facts: &[Fact]) -> String {
    let [pass, deviate, fail, left_out, not_yet, note] =
        State::ALL.map(|state| facts.iter().filter(|fact| fact.state() == state).count());
    format!(
        "{pass} pass, {deviate} deviate, {fail} fail, {left_out} left out, {not_yet} not yet, {note} notes of {FACTS}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::libtest::Outcome;

    #[test]
    fn the_register_of_the_project_is_whole_and_summed_up_in_one_line() {
        let mut facts = register::read(include_str!("../../crates/conformance/facts.tsv")).unwrap();
        let test = |name: &str, outcome| Test { name: name.into(), outcome };
        let tests = [
            test("s12_x", Outcome::Passed),
            test("deviates_a28_x", Outcome::Passed),
            test("p12_p13_x", Outcome::Failed),
            test("p14_x", Outcome::Ignored("hangs".into())),
        ];
        register::join(&mut facts, &tests).unwrap();
        assert_eq!(summary(&facts), "1 pass, 1 deviate, 2 fail, 1 left out, 362 not yet, 15 notes of 382");
    }
}
