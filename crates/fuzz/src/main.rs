//! The command behind `cargo xtask fuzz`.
#![forbid(unsafe_code)]

use anyhow::Context;
use clap::Parser;
use fuzz::case::Case;
use fuzz::report::{self, CASE, FAULT};
use fuzz::run::{Done, Limit, Runner};
use fuzz::shrink::{Trial, label};
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Run random sequences of Winsock calls and check what comes of them
#[derive(Parser)]
struct Arguments {
    /// Stop after so many steps
    #[arg(long)]
    operations: Option<u64>,
    /// Stop after so many minutes [default: 1, if no number of operations is given]
    #[arg(long)]
    minutes: Option<f64>,
    /// What the sequences are generated from [default: the time]
    #[arg(long)]
    seed: Option<u64>,
    /// How many threads carry out the steps of a sequence
    #[arg(long, default_value_t = 3)]
    threads: usize,
    /// Run the sequence in this file, instead of generated ones
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// How often to run it
    #[arg(long, default_value_t = 200)]
    repeat: u64,
    /// How many seconds something may hang
    #[arg(long, default_value_t = 20)]
    deadline: u64,
    /// How many seconds to spend on making a sequence that failed smaller
    #[arg(long, default_value_t = 120)]
    shrink: u64,
    /// Where to write the sequence that failed
    #[arg(long, default_value = "target/fuzz-faults")]
    directory: PathBuf,
    /// Take a sequence that needs more milliseconds for a fault
    #[arg(long, hide = true)]
    slow: Option<u64>,
    /// Run in this process
    #[arg(long, hide = true)]
    child: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    if arguments.child { child(&arguments) } else { parent(&arguments) }
}

/// Runs in this process, which a fault ends.
fn child(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    report::to(arguments.directory.clone());
    report::set_deadline(Duration::from_secs(arguments.deadline));
    let mut runner = Runner::new(arguments.threads);
    let done = match &arguments.replay {
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
            runner.repeated(&text.parse::<Case>()?, arguments.repeat)
        }
        None => {
            let default = if arguments.operations.is_some() { f64::INFINITY } else { 1.0 };
            let minutes = arguments.minutes.unwrap_or(default);
            let time = Duration::try_from_secs_f64(minutes * 60.0).unwrap_or(Duration::MAX);
            let steps = arguments.operations.unwrap_or(u64::MAX);
            let slow = arguments.slow.map_or(Duration::MAX, Duration::from_millis);
            let limit = Limit { steps, time, slow };
            runner.generated(arguments.seed.unwrap_or(0), 0, limit)
        }
    };
    println!("{}", runner.table());
    let idle = runner.idle();
    if !idle.is_empty() && arguments.replay.is_none() {
        println!("\nnever did anything: {}", idle.join(", "));
    }
    let Done { cases, steps, operations, time } = done;
    let rate = steps as f64 / time.as_secs_f64();
    println!(
        "\n{cases} sequences, {steps} steps, {operations} overlapped operations in {:.1} s: {rate:.0} steps a second, \
         no fault",
        time.as_secs_f64()
    );
    Ok(ExitCode::SUCCESS)
}

/// Runs a child, and shrinks what made it fail.
fn parent(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let time = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let seed = arguments.seed.unwrap_or(time);
    let program = std::env::current_exe()?;
    let mut child = Command::new(&program);
    child.arg("--child").args(std::env::args_os().skip(1));
    if arguments.seed.is_none() {
        child.args(["--seed", &seed.to_string()]);
    }
    println!("seed {seed}");
    let case = arguments.directory.join(CASE);
    // One of an earlier run would be taken for this one's.
    let _ = std::fs::remove_file(&case);
    let status = child.status()?;
    if status.success() {
        return Ok(ExitCode::SUCCESS);
    }
    let directory = arguments.directory.clone();
    println!("\nthe run ended with {status}; see {}", directory.display());
    if arguments.replay.is_some() || arguments.shrink == 0 {
        return Ok(ExitCode::FAILURE);
    }
    let Ok((seed, number)) = label(&case) else {
        println!("the fault is of no sequence alone");
        return Ok(ExitCode::FAILURE);
    };
    let (threads, time) = (arguments.threads, Duration::from_secs(arguments.shrink));
    let trial = Trial { program, directory: directory.clone(), threads, times: 100, time };
    match trial.shrink(seed, number)? {
        None => println!("alone, the sequence does not fail: {}", case.display()),
        Some(small) => {
            let file = directory.join("shrunk.txt");
            let fault = std::fs::read_to_string(directory.join(format!("shrunk-{FAULT}"))).unwrap_or_default();
            let fault: String = fault.lines().map(|line| format!("# {line}\n")).collect();
            std::fs::write(&file, format!("{fault}{small}"))?;
            println!("{}:\n{fault}{small}", file.display());
        }
    }
    Ok(ExitCode::FAILURE)
}
