use std::process::ExitCode;

fn main() -> ExitCode {
    pentaport_bench::cli::run_loops("compio-echo", pentaport_bench::compio_echo::serve)
}
