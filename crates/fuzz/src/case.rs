//! One sequence: what it begins with, and its steps. How sequences are generated, and how they stand in files.

use crate::call::Call;
use anyhow::Context;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::fmt;
use std::str::FromStr;

/// How many steps a sequence has at most. More find less per second: sockets are used up.
const MOST_STEPS: usize = 160;

/// One step. Operands are numbers taken modulo what there is, so that every part of a sequence is a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The worker that carries it out, modulo their number.
    pub thread: u8,
    /// What it does.
    pub call: Call,
    /// On which object.
    pub on: u8,
    /// How large, or another object.
    pub with: u8,
    /// In which way.
    pub how: u8,
}

/// A sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Connected pairs at the beginning.
    pub pairs: u8,
    /// UDP sockets at the beginning.
    pub datagrams: u8,
    /// Bits: how it ends, and what its ports and buffers are like.
    pub style: u8,
    /// The steps of all workers.
    pub steps: Vec<Step>,
}

/// The bits of [`Case::style`].
pub mod style {
    /// At the end every stream is read to its end, before anything is closed.
    pub const DRAIN: u8 = 1;
    /// What is pending at the end is cancelled before its socket is closed.
    pub const CANCEL: u8 = 2;
    /// Streams have small buffers, so that sends wait.
    pub const SMALL_BUFFERS: u8 = 4;
    /// The ports release one thread at a time.
    pub const ONE_AT_A_TIME: u8 = 8;
    /// At the end sockets are closed by several threads.
    pub const CLOSE_TOGETHER: u8 = 16;
}

fn step() -> impl Strategy<Value = Step> {
    let calls: Vec<Call> =
        Call::WEIGHTS.iter().flat_map(|&(call, weight)| std::iter::repeat_n(call, weight as usize)).collect();
    let call = (0..calls.len()).prop_map(move |index| calls[index]);
    (any::<u8>(), call, any::<u8>(), any::<u8>(), any::<u8>()).prop_map(|(thread, call, on, with, how)| Step {
        thread,
        call,
        on,
        with,
        how,
    })
}

fn case() -> impl Strategy<Value = Case> {
    (0u8..4, 0u8..3, any::<u8>(), vec(step(), 1..MOST_STEPS)).prop_map(|(pairs, datagrams, style, steps)| Case {
        pairs,
        datagrams,
        style,
        steps,
    })
}

/// The sequence with this number of a run with this seed, as a tree that can be shrunk.
pub fn generate(seed: u64, number: u64) -> Box<dyn ValueTree<Value = Case>> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&number.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config { failure_persistence: None, ..Config::default() }, rng);
    thread_local! {
        static STRATEGY: proptest::strategy::BoxedStrategy<Case> = case().boxed();
    }
    STRATEGY.with(|strategy| strategy.new_tree(&mut runner)).expect("nothing is rejected")
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "begin {} {} {}", self.pairs, self.datagrams, self.style)?;
        for step in &self.steps {
            writeln!(f, "{} {} {} {} {}", step.thread, step.call, step.on, step.with, step.how)?;
        }
        Ok(())
    }
}

impl FromStr for Case {
    type Err = anyhow::Error;

    /// Reads a file: lines as [`fmt::Display`] writes them. What stands behind `#` is a comment.
    fn from_str(text: &str) -> anyhow::Result<Case> {
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        let mut lines = lines.filter(|line| !line.is_empty());
        let words: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().collect();
        let ["begin", pairs, datagrams, style] = words[..] else {
            anyhow::bail!("the first line is `begin PAIRS DATAGRAMS STYLE`");
        };
        let (pairs, datagrams, style) = (pairs.parse()?, datagrams.parse()?, style.parse()?);
        let steps = lines.map(|line| parse_step(line).with_context(|| line.to_owned()));
        Ok(Case { pairs, datagrams, style, steps: steps.collect::<anyhow::Result<_>>()? })
    }
}

fn parse_step(line: &str) -> anyhow::Result<Step> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [thread, call, on, with, how] = words[..] else { anyhow::bail!("a step is `THREAD CALL ON WITH HOW`") };
    Ok(Step { thread: thread.parse()?, call: call.parse()?, on: on.parse()?, with: with.parse()?, how: how.parse()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_read_as_it_was_written() {
        for number in 0..50 {
            let case = generate(7, number).current();
            assert_eq!(case.to_string().parse::<Case>().unwrap(), case);
        }
    }

    #[test]
    fn a_seed_and_a_number_name_a_case() {
        assert_eq!(generate(1, 2).current(), generate(1, 2).current());
        assert_ne!(generate(1, 2).current(), generate(1, 3).current());
        assert_ne!(generate(1, 2).current(), generate(2, 2).current());
    }
}
