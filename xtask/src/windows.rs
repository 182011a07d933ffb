//! Builds the workspace for Windows and tests it under Wine, with what Debian has.
//!
//! Debian's Rust comes with the source of its library but with no library for Windows, so that is built too
//! (`-Zbuild-std`). Of the targets for Windows it is `x86_64-win7-windows-gnu`: the library for
//! `x86_64-pc-windows-gnu` needs `bcryptprimitives.dll`, which Wine 8 does not have. Everything that is made, Wine's
//! prefix included, lies in `target/windows`.

use crate::conformance;
use crate::suite::Suite;
use anyhow::{Context, ensure};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

/// Arguments of `cargo xtask windows`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A cargo command to carry out instead, such as `test -p pentaport --test sockets -- --nocapture`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    cargo: Vec<String>,
}

const TARGET: &str = "x86_64-win7-windows-gnu";

const PACKAGES: [&str; 6] =
    ["rustc-web", "cargo-web", "rust-web-src", "gcc-mingw-w64-x86-64", "g++-mingw-w64-x86-64", "wine64"];

// By their full paths: another toolchain mostly comes first in PATH, and Debian keeps Wine's loader out of it.
const CARGO: &str = "/usr/bin/cargo";
const RUSTC: &str = "/usr/bin/rustc";
const RUSTDOC: &str = "/usr/bin/rustdoc";
const WINE: &str = "/usr/lib/wine/wine64";

/// No test program takes as long as this, unless it hangs.
const PROGRAM_SECONDS: u32 = 600;

/// Tests everything that runs on Windows and prints the conformance of both systems, or does what the arguments say.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    prepare()?;
    if let Some((command, rest)) = arguments.cargo.split_first() {
        return Ok(exit_code(succeeds(cargo(command).args(rest))?));
    }
    let tests = test(&["-p", "pentaport", "-p", "pentaport-server", "-p", "pentaport-cli"])?;
    tests.report_failures();
    println!("{} tests of the crates, without conformance\n", tests.tests.len());
    let conformance = conformance::run(&conformance::Arguments::on_both_systems())?;
    // Each model in turn, with every byte checked.
    let compare = ["-p", "pentaport-cli", "--", "compare", "--connections", "100", "--duration", "3s"];
    let models = succeeds_in_two_tries(cargo("run").args(compare))?;
    let programs = succeeds_in_two_tries(&mut programs_on_both_systems())?;
    // Here, where mingw is.
    let names = crate::names::check()?;
    Ok(exit_code(
        tests.passed() && conformance == ExitCode::SUCCESS && models && programs && names == ExitCode::SUCCESS,
    ))
}

/// The test that builds C and C++ programs by mingw, too, and runs them under Wine. It is one of this system's tests, which
/// elsewhere leave Wine out where it is missing.
fn programs_on_both_systems() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(crate::root()).args(["test", "--locked", "-p", "winsock-cc", "--test", "both_systems"]);
    cargo.env("WINSOCK_CC_TEST_WINE", "required").env("WINEPREFIX", prefix());
    cargo
}

fn exit_code(success: bool) -> ExitCode {
    if success { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn succeeds(command: &mut Command) -> anyhow::Result<bool> {
    Ok(command.status().with_context(|| format!("{command:?}"))?.success())
}

/// Runs what runs under Wine in part, and once more if it fails, as [`test()`] does.
fn succeeds_in_two_tries(command: &mut Command) -> anyhow::Result<bool> {
    if succeeds(command)? {
        return Ok(true);
    }
    eprintln!("once more: {command:?}");
    succeeds(command)
}

/// Runs the tests that `selection` names to `cargo test` under Wine. What fails is tried once more: Wine has races of its
/// own, which PLATFORM.md lists (V16, V29).
pub(crate) fn test(selection: &[&str]) -> anyhow::Result<Suite> {
    prepare()?;
    let mut suite = Suite::run(cargo, selection)?;
    suite.try_failed_again(cargo, selection)?;
    Ok(suite)
}

/// Sees to it that there is all that [`cargo`] needs.
fn prepare() -> anyhow::Result<()> {
    install_what_is_missing()?;
    make_prefix()
}

/// A cargo command for the Windows target, whose programs run under Wine.
fn cargo(command: &str) -> Command {
    let variable = |what| format!("CARGO_TARGET_{}_{what}", TARGET.replace('-', "_").to_uppercase());
    let mut cargo = Command::new(CARGO);
    cargo
        .current_dir(crate::root())
        // Of the toolchain that started this program.
        .env_remove("LD_LIBRARY_PATH")
        .env_remove("RUSTUP_TOOLCHAIN")
        .envs([("RUSTC", RUSTC), ("RUSTDOC", RUSTDOC), ("RUSTC_BOOTSTRAP", "1")])
        .env(variable("LINKER"), "x86_64-w64-mingw32-gcc")
        .env(variable("RUNNER"), format!("timeout --kill-after=10 {PROGRAM_SECONDS} {WINE}"))
        .env("WINEPREFIX", prefix())
        .env("WINEDEBUG", "-all")
        .args([command, "--locked", "-Zbuild-std=std,panic_unwind", "--target", TARGET, "--target-dir"])
        .arg(target_directory());
    cargo
}

/// Says which packages are missing, and installs them if that is allowed.
fn install_what_is_missing() -> anyhow::Result<()> {
    let missing: Vec<&str> = PACKAGES.into_iter().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("missing Debian packages: {}", missing.join(" "));
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    ensure!(is_root, "to install them takes root: apt-get install {}", missing.join(" "));
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").arg("-q").args(arguments);
        succeed(&mut apt)
    };
    apt(&["update"])?;
    apt(&[&["install", "-y", "--no-install-recommends"], missing.as_slice()].concat())
}

fn is_installed(package: &str) -> bool {
    let status =
        Command::new("dpkg-query").args(["-W", "-f=${db:Status-Status}", package]).stderr(Stdio::null()).output();
    status.is_ok_and(|status| status.stdout == b"installed")
}

/// Makes Wine's prefix, which would else be made in the time of the first test.
fn make_prefix() -> anyhow::Result<()> {
    if prefix().join("system.reg").exists() {
        return Ok(());
    }
    std::fs::create_dir_all(prefix())?;
    let mut boot = Command::new("timeout");
    boot.args(["300", WINE, "wineboot", "--init"]).env("WINEPREFIX", prefix()).env("WINEDEBUG", "-all");
    // It complains of 32-bit parts that are not there.
    succeed(boot.stderr(Stdio::null()))
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    ensure!(succeeds(command)?, "{command:?} failed");
    Ok(())
}

fn prefix() -> PathBuf {
    target_directory().join("wine")
}

fn target_directory() -> PathBuf {
    crate::root().join("target/windows")
}
