//! Running tests by cargo, and reading what came of them.

use crate::libtest::{self, Outcome, Test};
use anyhow::{Context, bail};
use std::process::{Command, Stdio};

/// What a run of tests left.
pub(crate) struct Suite {
    pub(crate) tests: Vec<Test>,
    /// What the test programs printed.
    output: String,
}

impl Suite {
    /// Runs the tests that `selection` names to `cargo test`, by the cargo that `cargo` gives for a subcommand.
    pub(crate) fn run(cargo: fn(&str) -> Command, selection: &[&str]) -> anyhow::Result<Suite> {
        let list = || test(cargo("test"), selection, &["--list"]);
        let (mut listed, mut listing) = list()?;
        if !listed {
            // A program may not even start, on a system that fails by chance.
            eprintln!("listed once more");
            (listed, listing) = list()?;
        }
        if !listed {
            bail!("the tests do not build, or cannot be listed");
        }
        let (ok, output) = test(cargo("test"), selection, &[])?;
        let suite = Suite { tests: libtest::tests(&listing, &output), output };
        if !ok && suite.passed() {
            bail!("`cargo test` failed although no test did");
        }
        Ok(suite)
    }

    /// Runs what failed once more, without the rest, and says so: for a system that fails by chance.
    pub(crate) fn try_failed_again(&mut self, cargo: fn(&str) -> Command, selection: &[&str]) -> anyhow::Result<()> {
        let failed: Vec<String> = self.failed().map(|test| test.name.clone()).collect();
        if failed.is_empty() {
            return Ok(());
        }
        self.report_failures();
        eprintln!("once more: {}", failed.join(", "));
        let mut programs = vec!["--exact"];
        programs.extend(failed.iter().map(String::as_str));
        let (_, output) = test(cargo("test"), selection, &programs)?;
        for test in &mut self.tests {
            if failed.contains(&test.name) {
                test.outcome = libtest::outcome_of(&test.name, &output);
            }
        }
        self.output = output;
        Ok(())
    }

    fn failed(&self) -> impl Iterator<Item = &Test> {
        self.tests.iter().filter(|test| matches!(test.outcome, Outcome::Failed | Outcome::Lost))
    }

    pub(crate) fn passed(&self) -> bool {
        self.failed().next().is_none()
    }

    /// Says which tests failed and what the harness printed of them.
    pub(crate) fn report_failures(&self) {
        if self.passed() {
            return;
        }
        let ended_well = |line: &str| line.ends_with(" ... ok") || line.contains(" ... ignored");
        let worth_reading = |line: &&str| !line.starts_with("test ") || !ended_well(line);
        self.output.lines().filter(worth_reading).for_each(|line| eprintln!("{line}"));
        for test in self.failed() {
            let how = if test.outcome == Outcome::Lost { "gave no result" } else { "failed" };
            eprintln!("{} {how}", test.name);
        }
    }
}

/// Runs `cargo test` with this selection and these arguments for the test programs: whether it passed, and what the
/// programs printed. What the compiler says goes to the terminal.
fn test(mut cargo: Command, selection: &[&str], programs: &[&str]) -> anyhow::Result<(bool, String)> {
    let output = cargo
        .args(["--quiet", "--no-fail-fast"])
        .args(selection)
        .args(["--", "--format=pretty", "--color=never"])
        .args(programs)
        .stderr(Stdio::inherit())
        .output()
        .context("cargo test")?;
    Ok((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
}
