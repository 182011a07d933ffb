//! An echo server in somebody else's main loop: calloop's, beside the loop's other sources.
//!
//! ```console
//! $ cargo run -p pentaport --example main_loop
//! ```
#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod server;

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let report = server::run(4, 100)?;
    println!(
        "{} clients had {} bytes echoed; meanwhile the loop's timer went off {} times",
        report.clients, report.bytes, report.ticks
    );
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("A message queue has a descriptor on Linux. Here, the system's own loops take its messages.");
}
