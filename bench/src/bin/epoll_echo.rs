use std::process::ExitCode;

fn main() -> ExitCode {
    pentaport_bench::cli::run_loops("epoll-echo", pentaport_bench::epoll_echo::serve)
}
