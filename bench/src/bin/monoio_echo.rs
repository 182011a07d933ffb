use std::process::ExitCode;

fn main() -> ExitCode {
    pentaport_bench::cli::run_loops("monoio-echo", pentaport_bench::monoio_echo::serve)
}
