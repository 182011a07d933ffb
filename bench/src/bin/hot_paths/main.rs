//! `hot_paths NAME ROUNDS`: walks one of the engine's hot paths a fixed number of times, on one thread. Without arguments
//! it prints the names.
//!
//! For `cargo xtask instructions`, which counts what is executed inside [`counted`] and nothing else: not what the peer
//! at the other end does, nor the rounds before.

#[cfg(target_os = "linux")]
mod peer;
#[cfg(target_os = "linux")]
mod raw;
#[cfg(target_os = "linux")]
mod safe;

/// Rounds that are not counted, until memory, sockets and queues are as in a program that has run for a while.
#[cfg(target_os = "linux")]
const WARM_UP: u32 = 200;

#[cfg(target_os = "linux")]
type Path = fn(&mut Meter);

#[cfg(target_os = "linux")]
const PATHS: [(&str, Path); 13] = [
    ("port receive-send", raw::port_receive_send),
    ("port receive-send, batch", raw::port_receive_send_batch),
    ("port receive-send, safe", safe::port_receive_send),
    ("posted packet", raw::posted),
    ("posted packets, 16 at a time", raw::posted_batch),
    ("posted packet, safe", safe::posted),
    ("event set and wait", raw::event),
    ("event wait for 64", raw::event_of_64),
    ("event receive-send", raw::event_receive_send),
    ("routine receive-send", raw::routine_receive_send),
    ("queued routine", raw::queued_routine),
    ("network event receive", raw::network_event_receive),
    ("wait set of 64", raw::wait_set),
];

/// Runs the rounds of a path and says which parts of them count.
#[cfg(target_os = "linux")]
struct Meter {
    rounds: u32,
    counting: bool,
}

#[cfg(target_os = "linux")]
impl Meter {
    /// Calls `round` as often as is due.
    fn run(&mut self, mut round: impl FnMut(&Meter)) {
        for done in 0..WARM_UP + self.rounds {
            self.counting = done >= WARM_UP;
            round(self);
        }
    }

    /// A part of a round that counts.
    fn measure(&self, part: &mut dyn FnMut()) {
        if self.counting { counted(part) } else { part() }
    }
}

/// Callgrind is told to collect while this is on the stack.
#[cfg(target_os = "linux")]
#[inline(never)]
fn counted(part: &mut dyn FnMut()) {
    part();
    // Or the call above would be a jump, and this function not on the stack.
    std::hint::black_box(());
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (name, rounds) = match arguments[..] {
        [] => {
            PATHS.iter().for_each(|(name, _)| println!("{name}"));
            return std::process::ExitCode::SUCCESS;
        }
        [name, rounds] => (name, rounds.parse()),
        _ => ("", "".parse()),
    };
    match (PATHS.iter().find(|path| path.0 == name), rounds) {
        (Some((_, path)), Ok(rounds)) => {
            raw::startup();
            path(&mut Meter { rounds, counting: false });
        }
        _ => {
            eprintln!("usage: hot_paths [NAME ROUNDS]");
            return std::process::ExitCode::from(2);
        }
    }
    std::process::ExitCode::SUCCESS
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("hot_paths: the engine exists on Linux only");
}
