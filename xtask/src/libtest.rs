//! What the standard test harness prints: names with `--list`, and a line for each test that ran.

use crate::register::is_fact_number;

/// A test and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Test {
    /// Its whole name, modules included.
    pub(crate) name: String,
    pub(crate) outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    /// It did not run, for the reason that its `ignore` attribute gives.
    Ignored(String),
    /// The run ended without a word about it: its program crashed or was ended.
    Lost,
}

impl Test {
    /// The numbers of the facts that its name begins with.
    pub(crate) fn facts(&self) -> Vec<String> {
        facts_of(self.own_name())
    }

    /// Whether it asserts what happens instead of its facts.
    pub(crate) fn deviates(&self) -> bool {
        self.own_name().starts_with(DEVIATES)
    }

    /// Why it did not run, if it did not.
    pub(crate) fn reason(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Ignored(reason) => Some(reason),
            _ => None,
        }
    }

    fn own_name(&self) -> &str {
        self.name.rsplit("::").next().unwrap_or(&self.name)
    }
}

const DEVIATES: &str = "deviates_";

/// The numbers of the facts that the name of a test function begins with.
pub(crate) fn facts_of(name: &str) -> Vec<String> {
    let words = name.strip_prefix(DEVIATES).unwrap_or(name).split('_');
    words.map(str::to_ascii_uppercase).take_while(|word| is_fact_number(word)).collect()
}

/// The tests that `listing` (the output of `--list`) names, with what `output` (of the run) says of each.
pub(crate) fn tests(listing: &str, output: &str) -> Vec<Test> {
    let names = listing.lines().filter_map(|line| line.strip_suffix(": test"));
    let results: Vec<(&str, Outcome)> = output.lines().filter_map(result).collect();
    names.map(|name| Test { name: name.into(), outcome: worst(name, &results) }).collect()
}

/// How the test ended, as `output` says.
pub(crate) fn outcome_of(name: &str, output: &str) -> Outcome {
    worst(name, &output.lines().filter_map(result).collect::<Vec<_>>())
}

/// Two programs may each have a test of one name: the worst counts, and one that was left out is worse than one that
/// passed.
fn worst(name: &str, results: &[(&str, Outcome)]) -> Outcome {
    let outcomes = results.iter().filter(|result| result.0 == name).map(|result| &result.1);
    let badness = |outcome: &&Outcome| match outcome {
        Outcome::Passed => 0,
        Outcome::Ignored(_) => 1,
        Outcome::Failed | Outcome::Lost => 2,
    };
    outcomes.max_by_key(badness).cloned().unwrap_or(Outcome::Lost)
}

/// Reads `test NAME ... ok`, `test NAME ... FAILED` and `test NAME ... ignored, REASON`.
fn result(line: &str) -> Option<(&str, Outcome)> {
    let (name, outcome) = line.strip_prefix("test ")?.split_once(" ... ")?;
    // What a test is to do beside passing; the listing leaves it out.
    let notes = [" - should panic", " - compile fail", " - compile"];
    let name = notes.iter().find_map(|note| name.strip_suffix(note)).unwrap_or(name);
    if let Some(reason) = outcome.strip_prefix("ignored") {
        return Some((name, Outcome::Ignored(reason.trim_start_matches(", ").to_owned())));
    }
    match outcome.split_whitespace().next()? {
        "ok" => Some((name, Outcome::Passed)),
        "FAILED" => Some((name, Outcome::Failed)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(name: &str) -> Test {
        Test { name: name.into(), outcome: Outcome::Passed }
    }

    #[test]
    fn a_name_begins_with_its_facts() {
        assert_eq!(test("s12_all_sets_empty").facts(), ["S12"]);
        assert_eq!(test("module::p12_p13_one_packet").facts(), ["P12", "P13"]);
        assert_eq!(test("deviates_a28_one_urgent_byte").facts(), ["A28"]);
        assert_eq!(test("p12_over_s1").facts(), ["P12"]);
        assert!(test("restart_in_time_wait").facts().is_empty());
        assert!(test("deviates_a28_x").deviates());
        assert!(!test("a28_deviates_").deviates());
    }

    #[test]
    fn a_listed_test_without_a_result_is_lost() {
        let listing = "s1_a: test\ns2_b: test\ns3_c: test\ns4_d: test\ns5_e: bench\n\n4 tests, 1 benchmark\n";
        let output =
            "running 4 tests\ntest s1_a ... ok\ntest s2_b ... FAILED\ntest s4_d ... ignored, hangs\nthread ...\n";
        let outcomes: Vec<Outcome> = tests(listing, output).into_iter().map(|test| test.outcome).collect();
        assert_eq!(outcomes, [Outcome::Passed, Outcome::Failed, Outcome::Lost, Outcome::Ignored("hangs".into())]);
    }

    #[test]
    fn of_two_results_the_worst_counts() {
        let output = "test s1_a ... ok\ntest s1_a ... FAILED <1s>\n";
        assert_eq!(tests("s1_a: test", output)[0].outcome, Outcome::Failed);
        let output = "test s1_a ... ok\ntest s1_a ... ignored, hangs\ntest s1_a ... ok\n";
        assert_eq!(tests("s1_a: test", output)[0].outcome, Outcome::Ignored("hangs".into()));
        let output = "test src/a.rs - a (line 1) - compile fail ... ok\n";
        assert_eq!(tests("src/a.rs - a (line 1): test", output)[0].outcome, Outcome::Passed);
    }
}
