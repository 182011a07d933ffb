//! `cargo xtask bench`: the models and their peers measured in turn, and BENCHMARKS.md written.
//!
//! Each case is one call of `pentaport compare`, which starts every server anew for each of its rounds. What it finds goes
//! into `bench/results.json`, where a case that is measured again replaces its old result only, so that a bench can be
//! done in pieces; from that file the tables of the page are made.

mod calls;
mod cases;
mod format;
mod page;
mod peers;
mod queue;
mod results;
mod shell;
mod targets;

use anyhow::{Context, ensure};
use cases::{CASES, Case, Who};
use peers::{PENTAPORT, Peer};
use results::{CaseResult, Compared, Origin, Results};
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant, SystemTime};

/// Arguments of `cargo xtask bench`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The cases, `calls` for system calls, `queue` for a port between threads [default: all]
    #[arg(long, value_name = "CASE,…", value_delimiter = ',', value_parser = case_names())]
    case: Vec<String>,
    /// Rounds [default: 15 where a target is judged, else 6]
    #[arg(long, value_name = "N")]
    runs: Option<usize>,
    /// How long each server is loaded in each round [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    duration: Option<Duration>,
    /// Try it out: 2 rounds of 200 ms; what comes out is left in target/bench
    #[arg(long, conflicts_with_all = ["runs", "duration"])]
    quick: bool,
    /// Measure nothing; write the tables of BENCHMARKS.md again from bench/results.json
    #[arg(long, conflicts_with_all = ["case", "runs", "duration", "quick"])]
    page: bool,
}

fn case_names() -> clap::builder::PossibleValuesParser {
    CASES.iter().map(|case| case.name).chain([cases::CALLS, cases::QUEUE]).collect::<Vec<_>>().into()
}

/// Where what comes out is kept.
struct Files {
    results: PathBuf,
    page: PathBuf,
}

/// Measures, case by case, and keeps the result after each.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let files = Files::of(arguments.quick)?;
    let mut results = Results::read(&files.results)?;
    if arguments.page {
        files.write(&results)?;
        return Ok(ExitCode::SUCCESS);
    }
    let peers = peers::build()?;
    let cases = chosen(arguments);
    let origin = Origin { commit: peers::commit(), versions: peers::versions(), ..Origin::default() };
    let mut left: Duration = cases.iter().map(|case| estimate(case, &peers)).sum();
    println!("{} of {} cases: about {}", cases.len(), CASES.len(), humantime::format_duration(left));
    let is_asked = |name: &str| arguments.case.is_empty() || arguments.case.iter().any(|case| case == name);
    let mut failures = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        println!(
            "\n{} ({} of {}), about {} left",
            case.name,
            number + 1,
            cases.len(),
            humantime::format_duration(left)
        );
        left -= estimate(case, &peers);
        let start = Instant::now();
        let result = measure(case, &peers, Origin { date: now(), ..origin.clone() })?;
        println!("{} took {} s", case.name, start.elapsed().as_secs());
        let failed = result.subjects.iter().filter_map(|subject| Some((subject, subject.failure()?)));
        failures.extend(failed.map(|(subject, (runs, why))| {
            format!("{}: {} failed in {runs} of {} runs: {why}", case.name, subject.name, subject.runs.len())
        }));
        results.cases.insert(case.name.to_owned(), result);
        files.write(&results)?;
    }
    if is_asked(cases::QUEUE) {
        println!("\n{}", cases::QUEUE);
        let runs = if arguments.quick { Some(2) } else { arguments.runs };
        results.queue = Some(queue::measure(runs, Origin { date: now(), ..origin.clone() })?);
        files.write(&results)?;
    }
    if is_asked(cases::CALLS) {
        println!("\n{}", cases::CALLS);
        if let Some(calls) = calls::count(&peers, Origin { date: now(), ..origin })? {
            let failed = calls.subjects.iter().filter_map(|subject| Some((subject, subject.error.as_ref()?)));
            failures.extend(failed.map(|(subject, why)| format!("{}: {} failed: {why}", cases::CALLS, subject.name)));
            results.calls = Some(calls);
            files.write(&results)?;
        }
    }
    println!("\nwritten: {}, {}", files.results.display(), files.page.display());
    failures.iter().for_each(|failure| eprintln!("{failure}"));
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn chosen(arguments: &Arguments) -> Vec<Case> {
    let is_chosen = |case: &&Case| arguments.case.is_empty() || arguments.case.iter().any(|name| name == case.name);
    let adapted = |case: &Case| Case {
        runs: if arguments.quick { 2 } else { arguments.runs.unwrap_or(case.runs) },
        duration: if arguments.quick {
            Duration::from_millis(200)
        } else {
            arguments.duration.unwrap_or(case.duration)
        },
        ..*case
    };
    CASES.iter().filter(is_chosen).map(adapted).collect()
}

fn estimate(case: &Case, peers: &[Peer]) -> Duration {
    let seconds = case.estimate(case.models().len() + taking_part(case, peers).count()).as_secs();
    Duration::from_secs(seconds)
}

/// The peers of a case; the yardstick comes first.
fn taking_part<'a>(case: &Case, peers: &'a [Peer]) -> impl Iterator<Item = &'a Peer> {
    let yardstick_only = case.who == Who::Slow;
    peers.iter().filter(move |peer| !yardstick_only || peer.name == peers::YARDSTICK)
}

fn measure(case: &Case, peers: &[Peer], origin: Origin) -> anyhow::Result<CaseResult> {
    let command = command(case, peers);
    let root = crate::root();
    let file = root.join(JSON);
    // What an earlier case left must not be taken for this one's.
    let _ = std::fs::remove_file(&file);
    // A failed subject makes it fail as well: that is in its file.
    let status = Command::new(&command[0]).args(&command[1..]).current_dir(&root).status().context(PENTAPORT)?;
    let json = std::fs::read_to_string(&file).with_context(|| format!("compare wrote nothing: {status}"))?;
    let compared: Compared = serde_json::from_str(&json).with_context(|| format!("compare wrote nothing: {status}"))?;
    ensure!(!compared.interrupted, "interrupted");
    CaseResult::new(Origin { command, ..origin }, peers::YARDSTICK, compared)
}

/// What `compare` leaves for us.
const JSON: &str = "target/bench.json";

fn command(case: &Case, peers: &[Peer]) -> Vec<String> {
    let mut words = vec![PENTAPORT.to_owned(), "compare".to_owned()];
    let mut add = |words_of: &[&str]| words.extend(words_of.iter().map(|&word| word.to_owned()));
    match case.pinned {
        true => add(&["--pin"]),
        false => add(&["--threads", "2", "--load-threads", "1"]),
    }
    add(&["--runs", &case.runs.to_string(), "--duration", &humantime::format_duration(case.duration).to_string()]);
    add(&["--connections", &case.connections.to_string(), "--message", &case.message.to_string()]);
    match case.churn {
        true => add(&["--churn"]),
        false => add(&["--depth", &case.depth.to_string(), "--idle", &case.idle.to_string()]),
    }
    add(&["--models", &case.models().join(",")]);
    for peer in taking_part(case, peers) {
        add(&["--server", &format!("{}={}", peer.name, peer.command)]);
    }
    // The yardstick stands against itself among the peers.
    add(&["--no-control", "--save", JSON]);
    words
}

fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

impl Files {
    fn of(quick: bool) -> anyhow::Result<Files> {
        let root = crate::root();
        if !quick {
            return Ok(Files { results: root.join("bench/results.json"), page: root.join("BENCHMARKS.md") });
        }
        let folder = root.join("target/bench");
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let page = folder.join("BENCHMARKS.md");
        std::fs::copy(root.join("BENCHMARKS.md"), &page).context("BENCHMARKS.md")?;
        Ok(Files { results: folder.join("results.json"), page })
    }

    fn write(&self, results: &Results) -> anyhow::Result<()> {
        std::fs::write(&self.results, results.text()?).with_context(|| self.results.display().to_string())?;
        let page = std::fs::read_to_string(&self.page).with_context(|| self.page.display().to_string())?;
        std::fs::write(&self.page, page::filled(&page, results)?).with_context(|| self.page.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_has_the_yardstick_and_a_command() {
        let peers = [("epoll", "e"), ("tokio", "t")].map(|(name, command)| Peer { name, command: command.into() });
        for case in &CASES {
            let command = command(case, &peers).join(" ");
            assert!(command.contains("--server epoll=e"), "{command}");
            assert_eq!(command.contains("--server tokio=t"), case.who != Who::Slow, "{command}");
            assert_eq!(command.contains("--churn"), case.name == "churn", "{command}");
        }
    }
}
