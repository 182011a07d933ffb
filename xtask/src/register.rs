//! The register of facts and the state that a run of the tests gives each.

use crate::libtest::{Outcome, Test};
use anyhow::{Context, bail, ensure};

/// How many facts there are. A register with another number has lost or invented some.
pub(crate) const FACTS: usize = 382;

/// One numbered fact.
#[derive(Debug)]
pub(crate) struct Fact {
    /// Its number, such as `S12`.
    pub(crate) number: String,
    /// When it is due: `models`, `rest`, `provisional`, `impossible` or `note`.
    pub(crate) gate: String,
    /// Why it has that gate, or what of it is due.
    pub(crate) why: String,
    /// The tests that cover it.
    pub(crate) tests: Vec<Test>,
}

/// What a run says of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Tests assert it, and all pass.
    Pass,
    /// A passing test asserts what happens instead.
    Deviate,
    /// A test of it fails.
    Fail,
    /// A test of it is left out on this system.
    LeftOut,
    /// No test covers it.
    NotYet,
    /// Nothing to assert.
    Note,
}

impl State {
    pub(crate) const ALL: [State; 6] =
        [State::Pass, State::Deviate, State::Fail, State::LeftOut, State::NotYet, State::Note];

    pub(crate) fn name(self) -> &'static str {
        match self {
            State::Pass => "pass",
            State::Deviate => "deviate",
            State::Fail => "fail",
            State::LeftOut => "left out",
            State::NotYet => "not yet",
            State::Note => "note",
        }
    }
}

impl Fact {
    /// The letter of its section.
    pub(crate) fn section(&self) -> char {
        self.number.chars().next().expect("a number begins with its section")
    }

    pub(crate) fn state(&self) -> State {
        if self.tests.iter().any(|test| matches!(test.outcome, Outcome::Failed | Outcome::Lost)) {
            State::Fail
        } else if self.tests.iter().any(|test| matches!(test.outcome, Outcome::Ignored(_))) {
            State::LeftOut
        } else if self.tests.iter().any(Test::deviates) {
            State::Deviate
        } else if !self.tests.is_empty() {
            State::Pass
        } else if self.gate == "note" {
            State::Note
        } else {
            State::NotYet
        }
    }
}

/// Reads the register: a header, then a line for each fact with number, gate and reason, separated by tabs.
pub(crate) fn read(text: &str) -> anyhow::Result<Vec<Fact>> {
    let mut lines = text.lines();
    ensure!(lines.next() == Some("fact\tgate\twhy"), "the register has no header `fact gate why`");
    let facts = lines.map(read_fact).collect::<anyhow::Result<Vec<_>>>()?;
    ensure!(facts.len() == FACTS, "the register has {} facts, not {FACTS}", facts.len());
    Ok(facts)
}

fn read_fact(line: &str) -> anyhow::Result<Fact> {
    let mut fields = line.split('\t');
    let number = fields.next().unwrap_or_default();
    let gate = fields.next().with_context(|| format!("no gate in `{line}`"))?;
    let why = fields.next().unwrap_or_default();
    ensure!(fields.next().is_none(), "more than three fields in `{line}`");
    ensure!(is_fact_number(number), "`{number}` is not the number of a fact");
    if !["models", "rest", "provisional", "impossible", "note"].contains(&gate) {
        bail!("{number} has the unknown gate `{gate}`");
    }
    Ok(Fact { number: number.into(), gate: gate.into(), why: why.into(), tests: Vec::new() })
}

/// Gives each test to the facts that its name begins with.
pub(crate) fn join(facts: &mut [Fact], tests: &[Test]) -> anyhow::Result<()> {
    for test in tests {
        for number in test.facts() {
            let fact = facts.iter_mut().find(|fact| fact.number == number);
            let fact = fact.with_context(|| format!("{} names {number}, which is no fact", test.name))?;
            fact.tests.push(test.clone());
        }
    }
    Ok(())
}

/// Whether this is a section's letter and a number.
pub(crate) fn is_fact_number(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|letter| SECTIONS.iter().any(|section| section.0 == letter))
        && !chars.as_str().is_empty()
        && chars.all(|digit| digit.is_ascii_digit())
}

/// The sections of the specification and what they are about.
pub(crate) const SECTIONS: [(char, &str); 12] = [
    ('S', "select, WSAPoll"),
    ('A', "WSAAsyncSelect"),
    ('V', "WSAEventSelect"),
    ('D', "overlapped sockets"),
    ('X', "accept, extensions"),
    ('P', "completion ports"),
    ('F', "overlapped files"),
    ('E', "waits, routines"),
    ('R', "registered I/O"),
    ('H', "startup, errors"),
    ('N', "names, addresses as text"),
    ('W', "objects, locks, C runtime"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(gate: &str, tests: &[(&str, Outcome)]) -> Fact {
        let test = |(name, outcome): &(&str, Outcome)| Test { name: (*name).into(), outcome: outcome.clone() };
        Fact { number: "S1".into(), gate: gate.into(), why: String::new(), tests: tests.iter().map(test).collect() }
    }

    #[test]
    fn the_state_follows_from_gate_and_tests() {
        assert_eq!(fact("models", &[]).state(), State::NotYet);
        assert_eq!(fact("note", &[]).state(), State::Note);
        assert_eq!(fact("note", &[("s1_x", Outcome::Passed)]).state(), State::Pass);
        assert_eq!(fact("models", &[("s1_x", Outcome::Passed)]).state(), State::Pass);
        let deviates = ("deviates_s1_x", Outcome::Passed);
        assert_eq!(fact("models", &[("s1_x", Outcome::Passed), deviates.clone()]).state(), State::Deviate);
        assert_eq!(fact("models", &[("s1_x", Outcome::Failed), deviates]).state(), State::Fail);
        let left_out = ("s1_y", Outcome::Ignored("hangs".into()));
        assert_eq!(fact("models", &[("s1_x", Outcome::Passed), left_out.clone()]).state(), State::LeftOut);
        assert_eq!(fact("models", &[("s1_x", Outcome::Failed), left_out]).state(), State::Fail);
        assert_eq!(fact("models", &[("s1_x", Outcome::Lost)]).state(), State::Fail);
    }

    #[test]
    fn a_broken_register_is_refused() {
        assert!(read("S1\tmodels\t").is_err());
        assert!(read("fact\tgate\twhy\nS1\tmodels\t").is_err(), "one fact only");
        assert!(read_fact("S1").is_err());
        assert!(read_fact("S1\tsoon\t").is_err());
        assert!(read_fact("Q1\tmodels\t").is_err());
        assert!(read_fact("S\tmodels\t").is_err());
        assert!(read_fact("S1\tmodels\twhy").is_ok());
    }

    #[test]
    fn a_test_of_an_unknown_fact_is_refused() {
        let test = |name: &str| Test { name: name.into(), outcome: Outcome::Passed };
        let mut facts = vec![fact("models", &[])];
        assert!(join(&mut facts, &[test("s1_x"), test("traps_x")]).is_ok());
        assert_eq!(facts[0].tests.len(), 1);
        assert!(join(&mut facts, &[test("s99_x")]).is_err());
    }
}
