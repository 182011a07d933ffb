use std::process::ExitCode;

fn main() -> ExitCode {
    pentaport_bench::cli::run("winsock-echo", pentaport_bench::winsock_echo::serve)
}
