use std::process::ExitCode;

fn main() -> ExitCode {
    pentaport_bench::cli::run("pentaport-echo", pentaport_bench::pentaport_echo::serve)
}
