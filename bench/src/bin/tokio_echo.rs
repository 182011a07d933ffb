use std::process::ExitCode;

fn main() -> ExitCode {
    pentaport_bench::cli::run_loops("tokio-echo", pentaport_bench::tokio_echo::serve)
}
