use std::process::ExitCode;

fn main() -> ExitCode {
    pentaport_bench::cli::run_loops("uring-echo", pentaport_bench::uring_echo::serve)
}
