//! `cargo xtask soak`: the servers of all models under every kind of stress, for long, and whether they come back.
//!
//! Each model's server is the command `pentaport serve`, in a process of its own, and gets its share of the time. A share is
//! cycles of phases ([`phases`]), one kind of stress each ([`behaviours`]), whose clients check each byte that comes back.
//! After each phase all clients go, and there is a lull: within a time the server must have no more descriptors and threads
//! than in its first lull, and at the end of a cycle no more memory than in the two of its warm-up, within a margin
//! ([`verdict`]). In the end it is told to stop while some clients are there: it has to end in its drain time with status 0,
//! and the totals that it prints have to agree with what the clients did ([`totals`]).
//!
//! What was seen lies in `target/soak`: a drawing, a table of samples and the server's errors for each model. No result
//! depends on how fast anything was, except that what takes half a minute counts as hung.

mod behaviours;
mod course;
mod cycles;
mod drawing;
mod ledger;
mod loads;
mod peer;
mod phases;
mod report;
mod server;
mod totals;
mod verdict;
mod vitals;

use anyhow::{Context, ensure};
use cycles::{Outcome, soak};
use ledger::Ledger;
use pentaport_server::Model;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Arguments of `cargo xtask soak`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// For all models together
    #[arg(long, value_name = "N", default_value_t = 10)]
    minutes: u32,
    /// Some of the models [default: all seven]
    #[arg(long, value_name = "MODEL,…", value_delimiter = ',')]
    model: Vec<Model>,
}

const FOLDER: &str = "target/soak";

/// Three cycles of phases that deserve the name.
const SHORTEST_SHARE: Duration = Duration::from_secs(25);

/// Descriptors that the clients of this process have open at most, and the server as well.
const DESCRIPTORS: u64 = 4_096;

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let models = if arguments.model.is_empty() { Model::ALL } else { &arguments.model };
    let share = Duration::from_secs(60) * arguments.minutes / models.len() as u32;
    ensure!(
        share >= SHORTEST_SHARE,
        "{} min are {share:.0?} for each of {} models, and it takes {SHORTEST_SHARE:?}: more --minutes, or some with --model",
        arguments.minutes,
        models.len()
    );
    let allowed = rlimit::increase_nofile_limit(DESCRIPTORS).context("the limit of descriptors")?;
    ensure!(
        allowed >= DESCRIPTORS,
        "{DESCRIPTORS} descriptors are needed; the limit is {allowed} (RLIMIT_NOFILE, hard)"
    );
    build()?;
    let interrupted = Arc::new(AtomicBool::new(false));
    let by_signal = Arc::clone(&interrupted);
    ctrlc::set_handler(move || by_signal.store(true, Ordering::SeqCst))?;
    let mut outcomes = Vec::new();
    for &model in models {
        if interrupted.load(Ordering::SeqCst) {
            break;
        }
        let ledger = Ledger::new(Arc::clone(&interrupted));
        let outcome = soak_and_draw(model, share, &ledger).with_context(|| format!("the soak of {model}"))?;
        println!("{}\n", report::phases(&outcome));
        outcomes.push(outcome);
    }
    println!("{}", report::models(&outcomes));
    let came_back = outcomes.len() == models.len() && outcomes.iter().all(|outcome| outcome.findings.is_empty());
    Ok(if came_back { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn build() -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["build", "--release", "--locked", "-p", "pentaport-cli", "--bin", "pentaport"];
    let status = Command::new(cargo).args(arguments).current_dir(crate::root()).status().context("cargo")?;
    ensure!(status.success(), "cargo build: {status}");
    std::fs::create_dir_all(crate::root().join(FOLDER)).context(FOLDER)
}

/// Also what did not come back is drawn.
fn soak_and_draw(model: Model, share: Duration, ledger: &Ledger) -> anyhow::Result<Outcome> {
    let file = |extension: &str| crate::root().join(FOLDER).join(format!("{model}.{extension}"));
    let outcome = soak(model, share, ledger, &file("log"))?;
    course::write(&outcome.samples, &file("csv"))?;
    drawing::draw(model, &outcome.samples, &file("svg"))?;
    Ok(outcome)
}
