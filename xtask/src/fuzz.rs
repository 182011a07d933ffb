//! Builds the fuzzer of operation sequences and runs it.

use anyhow::{Context, ensure};
use std::ffi::OsString;
use std::process::{Command, ExitCode};

/// Arguments of `cargo xtask fuzz`.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// Build it as users build the engine, without the checks of debug builds
    #[arg(long)]
    release: bool,
    /// Arguments of the fuzzer, such as --operations N, --minutes N, --seed S, --threads T, --replay FILE; --help lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    rest: Vec<OsString>,
}

/// Builds and runs; the exit code is the fuzzer's.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let profile = if arguments.release { "release" } else { "fuzz" };
    let target = crate::root().join("target");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "fuzz", "--profile", profile, "--target-dir"]).arg(&target);
    cargo.arg("--manifest-path").arg(crate::root().join("Cargo.toml"));
    ensure!(cargo.status().with_context(|| format!("{cargo:?}"))?.success(), "{cargo:?} failed");
    let mut fuzzer = Command::new(target.join(profile).join("fuzz"));
    fuzzer.args(&arguments.rest);
    let status = fuzzer.status().with_context(|| format!("{fuzzer:?}"))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
