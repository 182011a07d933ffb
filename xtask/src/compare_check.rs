//! `cargo xtask compare-check`: whether `pentaport compare` claims what is so and nothing else, tried with the real command.
//!
//! * *Planted*: servers that are the same but for CPU time that one of them burns. Ten percent have to be found in every
//!   scenario, one percent is not to be claimed. This takes a quiet machine. What a message costs besides changes with what is
//!   burnt (a server that takes longer finds more messages at once), so long runs find out first how much makes ten percent.
//!   The run that is tried is a default one, but for three models whose place these servers take.
//! * *Pairs*: two default runs while another process uses a CPU by fits. The second may contradict a claim of the first in
//!   one pair of twenty.
//!
//! It takes six minutes and another four for each pair, so CI does not run it; the same is tried on simulated runs by the
//! tests of `compare`.

use anyhow::{Context, ensure};
use pentaport_cli::statistics::{CONFIDENCE, Paired};
use serde::Deserialize;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// Arguments of `cargo xtask compare-check`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Pairs of runs; 0: planted differences only
    #[arg(long, value_name = "N", default_value_t = 20)]
    pairs: usize,
    /// Pairs only
    #[arg(long)]
    no_planted: bool,
    /// Some of the scenarios, as compare's --scenario takes them [default: all]
    #[arg(long, value_name = "SCENARIO,…")]
    scenario: Option<String>,
}

const PENTAPORT: &str = "target/release/pentaport";
const SLOWED: &str = "target/release/examples/slowed_echo";
const FOLDER: &str = "target/compare-check";

/// The models of a run with planted servers, of which there are three: so it has as many contenders as a default run.
const MODELS: [&str; 4] = ["completion-port", "overlapped-routine", "event-select", "async-select"];
/// What makes the runs long that find out how much is to be burnt.
const LONG: [&str; 4] = ["--duration", "50ms", "--runs", "100"];
/// By scenario, how much is burnt of what a message costs.
type Shares = Vec<(String, f64)>;

/// What `compare --save` writes, as far as it is looked at.
#[derive(Deserialize)]
struct Saved {
    claims: Vec<Claim>,
    scenarios: Vec<Scenario>,
    results: Vec<Cell>,
    foreign: Option<Foreign>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Claim {
    scenario: String,
    dearer: String,
    than: String,
    ratio: f64,
}

#[derive(Deserialize)]
struct Scenario {
    name: String,
}

/// What one server cost in each round of a scenario.
#[derive(Deserialize)]
struct Cell {
    scenario: String,
    name: String,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    server_cpu_us_per_message: Option<f64>,
}

#[derive(Deserialize)]
struct Foreign {
    others: f64,
    steal: f64,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    build()?;
    let planted = arguments.no_planted || planted(arguments)?;
    let pairs = pairs(arguments)?;
    Ok(if planted && pairs { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn build() -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["build", "--release", "-p", "pentaport-cli", "--bin", "pentaport", "--example", "slowed_echo"];
    let status = Command::new(cargo).args(arguments).current_dir(crate::root()).status().context("cargo")?;
    ensure!(status.success(), "cargo build: {status}");
    std::fs::create_dir_all(crate::root().join(FOLDER)).context(FOLDER)
}

/// One run of `compare`, its text printed by itself.
fn compare(name: &str, arguments: &Arguments, more: &[String]) -> anyhow::Result<Saved> {
    let root = crate::root();
    let file: PathBuf = root.join(FOLDER).join(format!("{name}.json"));
    // What an earlier run left must not be taken for this one's.
    let _ = std::fs::remove_file(&file);
    let mut command = Command::new(root.join(PENTAPORT));
    command.current_dir(&root).arg("compare").arg("--save").arg(&file).args(more);
    if let Some(scenario) = &arguments.scenario {
        command.args(["--scenario", scenario]);
    }
    let output = command.stderr(std::process::Stdio::inherit()).output().context(PENTAPORT)?;
    std::fs::write(file.with_extension("txt"), &output.stdout).context("the text")?;
    // A model that failed, or a scenario that did not fit, makes it fail as well: the others are compared all the same.
    let json = std::fs::read_to_string(&file).with_context(|| format!("compare saved nothing: {}", output.status))?;
    let saved: Saved =
        serde_json::from_str(&json).with_context(|| format!("compare saved nothing: {}", output.status))?;
    if let Some(Foreign { others, steal }) = saved.foreign {
        let percent = |share: f64| (share * 100.0).round();
        println!("{name}: others took {} % of the CPUs, the hypervisor {} %", percent(others), percent(steal));
    }
    Ok(saved)
}

/// Whether ten percent were found and one was not claimed.
fn planted(arguments: &Arguments) -> anyhow::Result<bool> {
    let shares = shares(arguments)?;
    let models = ["--models".to_owned(), MODELS.join(",")];
    let servers = [server("base", &[]), server("ten", &shares), server("one", &tenth(&shares))].concat();
    let saved = compare("planted", arguments, &[models.as_slice(), &servers].concat())?;
    let claimed = |scenario: &str, dearer: &str, than: &str| {
        let is_it = |claim: &&Claim| claim.scenario == scenario && claim.dearer == dearer && claim.than == than;
        saved.claims.iter().find(is_it).map(|claim| claim.ratio)
    };
    let mut right = true;
    for Scenario { name } in &saved.scenarios {
        let ten = claimed(name, "ten", "base");
        let one = claimed(name, "one", "base").or(claimed(name, "base", "one"));
        println!(
            "{name}: 10 % {}; 1 % {}",
            ten.map_or("NOT found".to_owned(), |ratio| format!("found, {ratio:.2} times")),
            one.map_or("not claimed".to_owned(), |ratio| format!("CLAIMED, {ratio:.2} times")),
        );
        right &= ten.is_some() && one.is_none();
    }
    Ok(right)
}

/// Arguments for a server that burns these shares, none where there is none.
fn server(name: &str, shares: &[(String, f64)]) -> [String; 2] {
    let share = |(scenario, share): &(String, f64)| format!("{scenario}={share:.4}");
    let shares = if shares.is_empty() { "0".into() } else { shares.iter().map(share).collect::<Vec<_>>().join(",") };
    let command = format!("{name}='{SLOWED}' --share {shares} --scenario {{scenario}} --threads {{threads}}");
    ["--server".to_owned(), command]
}

fn tenth(shares: &Shares) -> Shares {
    shares.iter().map(|(scenario, share)| (scenario.clone(), share / 10.0)).collect()
}

/// How much is to be burnt in each scenario for a message to cost ten percent more.
fn shares(arguments: &Arguments) -> anyhow::Result<Shares> {
    const TRIED: f64 = 0.15;
    let all = ["one", "64", "1000", "idle", "churn"].map(|name| (name.to_owned(), TRIED));
    let long = [&["--models", MODELS[0]], LONG.as_slice()].concat();
    let long: Vec<String> = long.into_iter().map(str::to_owned).collect();
    let saved = compare("shares", arguments, &[&long[..], &server("base", &[]), &server("tried", &all)].concat())?;
    let costs = |scenario: &str, name: &str| {
        let cell = saved.results.iter().find(|cell| cell.scenario == scenario && cell.name == name);
        let cell = cell.with_context(|| format!("{name} was not measured in {scenario}"))?;
        anyhow::Ok(cell.runs.iter().map(|run| run.server_cpu_us_per_message).collect::<Vec<_>>())
    };
    let share = |Scenario { name }: &Scenario| {
        let pairs = costs(name, "tried")?.into_iter().zip(costs(name, "base")?);
        let paired = Paired::of(pairs.filter_map(|(tried, base)| Some(tried? / base?)), CONFIDENCE);
        let ratio = paired.context("no round was measured")?.ratio;
        ensure!(ratio > 1.0, "{name}: burning a share of {TRIED} made a message no dearer: {ratio:.2}");
        let share = TRIED * 0.1 / (ratio - 1.0);
        println!("{name}: burning {TRIED} of what a message costs makes it {ratio:.3} times as dear; {share:.3} it is");
        Ok((name.clone(), share))
    };
    saved.scenarios.iter().map(share).collect()
}

/// Whether the second of two runs contradicts the first in one pair of twenty at most.
fn pairs(arguments: &Arguments) -> anyhow::Result<bool> {
    let mut contradicted = 0;
    for pair in 1..=arguments.pairs {
        let fits = Fits::start(pair as u64);
        let first = compare(&format!("pair-{pair}-first"), arguments, &[])?;
        let second = compare(&format!("pair-{pair}-second"), arguments, &[])?;
        drop(fits);
        let against = contradictions(&first.claims, &second.claims);
        let again = first.claims.iter().filter(|claim| second.claims.iter().any(|other| is_same(claim, other))).count();
        println!(
            "pair {pair}: {} claims, then {}; {again} the same, {} contradicted",
            first.claims.len(),
            second.claims.len(),
            against.len()
        );
        against.iter().for_each(|claim| println!("  contradicted: {claim:?}"));
        contradicted += usize::from(!against.is_empty());
    }
    if arguments.pairs > 0 {
        println!("{contradicted} of {} pairs contradict each other", arguments.pairs);
    }
    Ok(contradicted <= arguments.pairs.div_ceil(20))
}

/// Claims whose opposite was claimed in the other run.
fn contradictions(first: &[Claim], second: &[Claim]) -> Vec<Claim> {
    let is_opposite = |claim: &Claim, other: &Claim| {
        claim.scenario == other.scenario && claim.dearer == other.than && claim.than == other.dearer
    };
    first.iter().filter(|claim| second.iter().any(|other| is_opposite(claim, other))).cloned().collect()
}

fn is_same(claim: &Claim, other: &Claim) -> bool {
    claim.scenario == other.scenario && claim.dearer == other.dearer && claim.than == other.than
}

/// A thread of this process that uses a CPU by fits, of a tenth of a second to three seconds, until it is dropped.
struct Fits {
    over: &'static AtomicBool,
    thread: Option<thread::JoinHandle<()>>,
}

impl Fits {
    fn start(seed: u64) -> Fits {
        // One for each pair, for as long as the program runs.
        let over: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
        let mut random =
            seed ^ SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
        let mut next = move || {
            // Xorshift: any will do.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            Duration::from_millis(100 + random % 2_900)
        };
        let thread = thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                let (start, fit) = (Instant::now(), next());
                while start.elapsed() < fit && !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
                thread::sleep(next());
            }
        });
        Fits { over, thread: Some(thread) }
    }
}

impl Drop for Fits {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().map(thread::JoinHandle::join);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_opposite_is_a_contradiction_and_silence_is_none() {
        let claim = |scenario: &str, dearer: &str, than: &str| Claim {
            scenario: scenario.into(),
            dearer: dearer.into(),
            than: than.into(),
            ratio: 1.1,
        };
        let first = [claim("64", "a", "b"), claim("64", "a", "c"), claim("one", "a", "b")];
        assert_eq!(contradictions(&first, &[]), []);
        assert_eq!(contradictions(&first, &[claim("64", "a", "b"), claim("idle", "b", "a")]), []);
        assert_eq!(contradictions(&first, &[claim("64", "b", "a")]), [claim("64", "a", "b")]);
    }
}
