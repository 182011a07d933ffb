//! The command `pentaport`: serves, loads and compares the Winsock I/O models.
//!
//! Each subcommand is one module with its arguments and a `run`. What the user sees when something
//! is wrong is decided in [`failure`] alone.
#![forbid(unsafe_code)]
// println! panics when the reader of a pipe has left: `output` does not.
#![deny(clippy::print_stdout)]

mod address;
mod compare;
mod connect;
mod failure;
mod interrupt;
mod limits;
mod load;
mod machine;
mod output;
mod process;
mod report;
mod serve;
mod text;
mod value;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The five Winsock I/O models, served, loaded and measured on this machine.
#[derive(Parser)]
#[command(name = "pentaport", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Arguments),
    Connect(connect::Arguments),
    Load(load::command::Arguments),
    Compare(Box<compare::Arguments>),
    Report(report::Arguments),
    #[command(hide = true)]
    Hold(compare::hold::Arguments),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return failure::usage(&error),
    };
    let outcome = match arguments.command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Connect(arguments) => connect::run(&arguments),
        Command::Load(arguments) => load::command::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Hold(arguments) => compare::hold::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error),
    }
}
