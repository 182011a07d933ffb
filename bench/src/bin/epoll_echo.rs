//! `epoll-echo --listen 127.0.0.1:0`: serves echo from one thread until SIGTERM or SIGINT.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    use pentaport_bench::epoll_echo::Server;
    use std::io::Write;

    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let address = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => "127.0.0.1:0",
        ["--listen", address] => address,
        _ => {
            eprintln!("usage: epoll-echo [--listen ADDR:PORT]");
            return ExitCode::from(2);
        }
    };
    let served = Server::bind(address).and_then(|server| {
        let address = server.local_addr()?;
        let mut out = std::io::stdout();
        writeln!(out, "listening on {address}")?;
        out.flush()?;
        server.run()
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("epoll-echo: {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("epoll-echo: epoll exists on Linux only");
    ExitCode::FAILURE
}
