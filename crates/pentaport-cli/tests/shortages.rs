//! `pentaport serve` without the descriptors, the threads or the system calls that it needs: it says so and ends, or it
//! serves whom it can, lets the others wait, and says once what it lacks.
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod common;

use common::*;
use pentaport_server::Model;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// A server that is ready, or what it said when it could not begin.
enum Begun {
    Ready(Server),
    Not(Output),
}

struct Server {
    running: Running,
    address: SocketAddr,
    rest_of_stdout: BufReader<std::process::ChildStdout>,
    stderr: mpsc::Receiver<String>,
}

/// Starts a server by this command, whose arguments end before those of `serve`.
fn begin(command: &mut Command, arguments: &[&str]) -> Begun {
    command.args(["serve", "--listen", "127.0.0.1:0", "--drain", "300ms"]).args(arguments);
    let mut running = Running::spawn(command);
    let mut stdout = BufReader::new(running.child.stdout.take().expect("stdout is piped"));
    let mut ready_line = String::new();
    stdout.read_line(&mut ready_line).expect("the ready line is text");
    let Some((_, address)) = ready_line.trim_end().rsplit_once(' ') else {
        return Begun::Not(running.output());
    };
    let (lines, stderr) = mpsc::channel();
    let messages = BufReader::new(running.child.stderr.take().expect("stderr is piped"));
    thread::spawn(move || messages.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
    let address = address.parse().expect("an address");
    Begun::Ready(Server { running, address, rest_of_stdout: stdout, stderr })
}

impl Server {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    fn serves(&self) {
        serves(&mut self.connect());
    }

    /// Sets its soft limit, by a command that may run as the same user.
    fn limit(&self, mut prlimit: Command, limit: &str) {
        let pid = self.running.child.id().to_string();
        assert!(prlimit.args(["--pid", &pid, limit]).status().expect("prlimit runs").success());
    }

    /// Waits until it has said what it lacks: one line, and a hint.
    fn lacks(&self, what: &str) {
        let line = self.stderr.recv_timeout(DEADLINE).expect("it says what it lacks");
        assert!(line.starts_with(&format!("pentaport: no {what} for another client: ")), "{line}");
        let hint = self.stderr.recv_timeout(DEADLINE).expect("it says what to do");
        assert!(hint.starts_with("hint: "), "{hint}");
    }

    /// Its CPU time so far.
    fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.running.child.id())).expect("it runs");
        let fields: Vec<_> = stat.rsplit_once(')').expect("a name").1.split_whitespace().collect();
        let ticks = |index: usize| fields[index].parse::<u64>().expect("a number");
        Duration::from_millis(10 * (ticks(11) + ticks(12)))
    }

    /// What it prints at its end, when it has said nothing more.
    fn stop(mut self) -> String {
        signal(&self.running, "TERM");
        let mut totals = String::new();
        self.rest_of_stdout.read_to_string(&mut totals).expect("stdout is text");
        assert!(self.running.wait().success());
        assert_eq!(self.stderr.recv_timeout(DEADLINE), Err(mpsc::RecvTimeoutError::Disconnected), "it is said once");
        totals
    }
}

fn serves(stream: &mut TcpStream) {
    stream.write_all(b"hello").expect("sends");
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(answer, *b"hello");
}

/// Whether the server leaves this client waiting, as opposed to ending the connection.
fn waits(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let found = stream.peek(&mut [0; 1]);
    stream.set_nonblocking(false).unwrap();
    matches!(found, Err(error) if error.kind() == ErrorKind::WouldBlock)
}

fn pentaport_with(limit: &str) -> Command {
    let mut command = Command::new("prlimit");
    command.args([limit, env!("CARGO_BIN_EXE_pentaport")]);
    command
}

/// More come than can be served, all at once. Those who are not served wait, and are when others have left.
fn serves_all_in_turn(server: &Server, clients: usize) {
    let mut waiting: Vec<_> = (0..clients).map(|_| server.connect()).collect();
    waiting.iter_mut().for_each(|stream| stream.write_all(b"hello").expect("sends"));
    server.lacks("descriptors");
    let (start, before) = (Instant::now(), server.cpu());
    thread::sleep(Duration::from_millis(300));
    assert!(server.cpu() - before <= start.elapsed() / 3, "it spins");
    while !waiting.is_empty() {
        let mut answered = None;
        let deadline = Instant::now() + DEADLINE;
        while answered.is_none() {
            assert!(Instant::now() < deadline, "{} wait in vain", waiting.len());
            answered = waiting.iter().position(|stream| !waits(stream));
            thread::sleep(Duration::from_millis(1));
        }
        let mut answer = [0; 5];
        waiting.remove(answered.unwrap()).read_exact(&mut answer).expect("an answer, no reset");
    }
}

#[test]
fn with_few_descriptors_it_serves_or_says_what_it_lacks() {
    for model in Model::ALL {
        let mut ready = 0;
        for limit in 4..=24 {
            let arguments = ["--model", model.name(), "--threads", "2"];
            match begin(&mut pentaport_with(&format!("--nofile={limit}:{limit}")), &arguments) {
                // Not even the program could be loaded.
                Begun::Not(output) if output.status.code() == Some(127) => {}
                Begun::Not(output) => {
                    assert_eq!(ready, 0, "{model} begins with fewer than {limit}");
                    let line = failure(&output, 1);
                    assert!(line.contains("no descriptors for "), "{model}, {limit}: {line}");
                    assert!(output.stdout.is_empty(), "no ready line");
                }
                Begun::Ready(server) => {
                    ready += 1;
                    (0..3).for_each(|_| server.serves());
                    if ready < 4 {
                        serves_all_in_turn(&server, limit + 3);
                        let totals = server.stop();
                        assert!(totals.contains(" accept errors"), "{model}, {limit}: {totals}");
                        assert!(!totals.contains("cut off"), "{model}, {limit}: {totals}");
                    }
                }
            }
        }
        assert!(ready > 5, "{model} begins with 24");
    }
}

#[test]
fn a_limit_that_is_lowered_makes_clients_wait() {
    for model in Model::ALL {
        let Begun::Ready(server) =
            begin(&mut Command::new(env!("CARGO_BIN_EXE_pentaport")), &["--model", model.name()])
        else {
            panic!("{model} begins");
        };
        let mut early = server.connect();
        serves(&mut early);
        // Linux polls no more sockets than that.
        server.limit(Command::new("prlimit"), "--nofile=6:");
        // A completion port has acceptors, which have their descriptors.
        let mut late: Vec<_> = (0..300).map(|_| server.connect()).collect();
        server.lacks("descriptors");
        serves(&mut early);
        server.limit(Command::new("prlimit"), "--nofile=1000:");
        late.iter_mut().for_each(serves);
        assert!(server.stop().contains(" accept errors"), "{model}");
    }
}

/// The command as a user to whom limits of threads apply, and a copy of it that such a user can run. `None` without the
/// means for that.
struct Unprivileged {
    copy: PathBuf,
}

/// A limit of threads that nothing here meets.
const ENOUGH: &str = "--nproc=1000:1000";

impl Unprivileged {
    fn new() -> Option<Unprivileged> {
        let copy = std::env::temp_dir().join(format!("pentaport-{}", std::process::id()));
        std::fs::copy(env!("CARGO_BIN_EXE_pentaport"), &copy).expect("there is room for a copy");
        let unprivileged = Unprivileged { copy };
        let output = unprivileged.command(ENOUGH).arg("--version").output();
        if output.is_ok_and(|output| output.status.success()) {
            return Some(unprivileged);
        }
        eprintln!("skipped: takes the right to become another user, and setpriv and prlimit of util-linux");
        None
    }

    /// The command, with a limit.
    fn command(&self, limit: &str) -> Command {
        let mut command = self.prlimit();
        command.arg(limit).arg(&self.copy);
        command
    }

    /// The command prlimit.
    fn prlimit(&self) -> Command {
        // Nobody else runs as this user, whose threads are counted together.
        const USER: &str = "61234";
        let mut command = Command::new("setpriv");
        command.args(["--reuid", USER, "--regid", USER, "--clear-groups", "prlimit"]);
        command
    }
}

impl Drop for Unprivileged {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.copy);
    }
}

/// One test, since the threads of all that run as that user are counted together.
#[test]
fn without_threads_it_says_so_and_clients_wait() {
    let Some(unprivileged) = Unprivileged::new() else { return };
    waits_for_threads(&unprivileged);
    for model in Model::ALL {
        begins_with_few_threads(&unprivileged, *model);
    }
}

fn waits_for_threads(unprivileged: &Unprivileged) {
    let arguments = ["--model", "thread-per-client"];
    let Begun::Ready(server) = begin(&mut unprivileged.command(ENOUGH), &arguments) else { panic!("it begins") };
    let mut early = server.connect();
    serves(&mut early);
    server.limit(unprivileged.prlimit(), "--nproc=1:");
    let mut late: Vec<_> = (0..5).map(|_| server.connect()).collect();
    late.iter_mut().for_each(|stream| stream.write_all(b"hello").expect("sends"));
    server.lacks("threads");
    serves(&mut early);
    assert!(late.iter().all(waits), "nobody is reset");
    server.limit(unprivileged.prlimit(), "--nproc=1000:");
    for stream in &mut late {
        stream.read_exact(&mut [0; 5]).expect("an answer");
    }
    let totals = server.stop();
    assert!(totals.contains(" thread errors") && !totals.contains("accept errors"), "{totals}");
}

fn begins_with_few_threads(unprivileged: &Unprivileged, model: Model) {
    for limit in 1..=5 {
        let limits = format!("--nproc={limit}:{limit}");
        match begin(&mut unprivileged.command(&limits), &["--model", model.name(), "--threads", "3"]) {
            Begun::Ready(server) => server.serves(),
            Begun::Not(output) => {
                let line = failure(&output, 1);
                assert!(line.contains("thread"), "{model}, {limit}: {line}");
            }
        }
    }
}

/// The number of a system call.
#[cfg(target_arch = "x86_64")]
const REFUSED: [(&str, i64); 2] = [("epoll", 291), ("eventfd", 290)];
#[cfg(target_arch = "aarch64")]
const REFUSED: [(&str, i64); 2] = [("epoll", 20), ("eventfd", 19)];

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[test]
fn what_the_system_refuses_is_told_before_anybody_is_served() {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
    const EPERM: u32 = 1;
    for (what, number) in REFUSED {
        // The filter is the thread's, and that of the processes which it starts.
        let refusing = thread::spawn(move || {
            let rules = [(number, Vec::new())].into();
            let refuse = SeccompAction::Errno(EPERM);
            let architecture = std::env::consts::ARCH.try_into().expect("it is known");
            let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, architecture).expect("a filter");
            let filter = BpfProgram::try_from(filter).expect("a program");
            seccompiler::apply_filter(&filter).expect("a filter can be set");
            for model in Model::ALL {
                let mut command = Command::new(env!("CARGO_BIN_EXE_pentaport"));
                match begin(&mut command, &["--model", model.name()]) {
                    Begun::Ready(server) => {
                        server.serves();
                        assert!(server.stop().contains(" 1 accepted,"));
                    }
                    Begun::Not(output) => {
                        let line = failure(&output, 1);
                        assert!(line.contains(&format!("the system refuses {what}")), "{model}: {line}");
                    }
                }
            }
        });
        refusing.join().expect("all said so or served");
    }
}
