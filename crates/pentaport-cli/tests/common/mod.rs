//! What the tests of the command share: running it, and servers of threads to run it against.

// Each test file is a program of its own and uses a part of this.
#![allow(dead_code, unreachable_pub)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Far longer than anything here takes: a test that waits for it has failed.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// What names the limit on open sockets.
pub const LIMIT: &str = if cfg!(windows) { "16,777,216 (for each process)" } else { "RLIMIT_NOFILE" };

/// The command with these arguments, its input closed.
pub fn pentaport(arguments: &[&str]) -> Output {
    pentaport_with_input(arguments, b"")
}

/// The command with these arguments in a pipe.
pub fn pentaport_with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Running::start(arguments);
    let mut stdin = command.child.stdin.take().expect("stdin is piped");
    let input = input.to_vec();
    // The command may leave without reading all.
    let writer = thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output = command.output();
    writer.join().expect("the writer does not panic");
    output
}

/// A started command, killed when the test is over, however it ends.
pub struct Running {
    pub child: Child,
}

impl Running {
    pub fn start(arguments: &[&str]) -> Running {
        Running::spawn(Command::new(env!("CARGO_BIN_EXE_pentaport")).args(arguments))
    }

    pub fn spawn(command: &mut Command) -> Running {
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        Running { child }
    }

    /// Waits for the end and returns what was printed.
    pub fn output(mut self) -> Output {
        drop(self.child.stdin.take());
        let stdout = self.child.stdout.take().map(read_all);
        let stderr = self.child.stderr.take().map(read_all);
        let status = self.wait();
        Output { status, stdout: collect(stdout), stderr: collect(stderr) }
    }

    /// Waits for the end.
    pub fn wait(&mut self) -> std::process::ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return status;
            }
            assert!(start.elapsed() < DEADLINE, "the command does not end");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_all(mut from: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

fn collect(from: Option<mpsc::Receiver<Vec<u8>>>) -> Vec<u8> {
    from.map_or(Vec::new(), |from| from.recv_timeout(DEADLINE).expect("the output ends"))
}

/// A `pentaport serve` that is ready.
pub struct Served {
    pub running: Running,
    pub ready_line: String,
    pub address: SocketAddr,
    pub rest_of_stdout: BufReader<ChildStdout>,
}

/// Starts `pentaport serve` on a free port and waits until it is ready.
pub fn serve(arguments: &[&str]) -> Served {
    let mut all = vec!["serve", "--listen", "127.0.0.1:0"];
    all.extend_from_slice(arguments);
    let mut running = Running::start(&all);
    let mut stdout = BufReader::new(running.child.stdout.take().expect("stdout is piped"));
    let mut ready_line = String::new();
    stdout.read_line(&mut ready_line).expect("the ready line is text");
    let address = ready_line
        .trim_end()
        .rsplit_once(' ')
        .and_then(|(_, address)| address.parse().ok())
        .unwrap_or_else(|| panic!("no address in the ready line {ready_line:?}"));
    Served { running, ready_line, address, rest_of_stdout: stdout }
}

/// A server of threads: `serve` is called for each connection, with its number from 0.
pub fn server(serve: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let serve = std::sync::Arc::new(serve);
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let serve = serve.clone();
            thread::spawn(move || serve(stream.expect("accept"), number));
        }
    });
    address
}

/// An echo server of threads.
pub fn echo_server() -> SocketAddr {
    server(|stream, _| echo(stream, |_, _| {}))
}

/// Echoes to the end; `change` may change what goes back, and knows the position of its start.
pub fn echo(mut stream: TcpStream, change: impl Fn(&mut [u8], u64)) {
    let mut buffer = [0; 4096];
    let mut position = 0;
    while let Ok(n @ 1..) = stream.read(&mut buffer) {
        change(&mut buffer[..n], position);
        position += n as u64;
        if stream.write_all(&buffer[..n]).is_err() {
            return;
        }
    }
}

/// The address as the command takes it.
pub fn text(address: SocketAddr) -> String {
    address.to_string()
}

pub fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("stdout is text")
}

/// Sends the command a signal.
#[cfg(unix)]
pub fn signal(running: &Running, name: &str) {
    let pid = running.child.id().to_string();
    let status = Command::new("kill").args(["-s", name, &pid]).status();
    assert!(status.expect("kill runs").success());
}

/// Asserts that Ctrl-C ended the command, and that it says no more than that about it.
pub fn interrupted(output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "stderr: {stderr}");
    assert_eq!(stderr, "pentaport: interrupted\n");
}

/// Asserts a failure told as the project tells failures, and returns the line that says what.
pub fn failure(output: &Output, status: i32) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "stderr: {stderr}");
    let lines: Vec<&str> = stderr.lines().collect();
    assert_eq!(lines.len(), 2, "one line and a hint: {stderr}");
    assert!(lines[1].starts_with("hint: "), "a hint: {stderr}");
    lines[0].strip_prefix("pentaport: ").unwrap_or_else(|| panic!("{stderr}")).to_owned()
}

/// Asserts success with nothing on standard error.
pub fn success(output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "stderr: {stderr}");
    assert_eq!(stderr, "");
}

/// A loopback address at which nothing listens, and that nobody else is given meanwhile.
pub fn unused_address() -> SocketAddr {
    // Bound by a connection of ours that stays open, so that the system hands it to no listener.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let stream = TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
    let address = stream.local_addr().expect("it is connected");
    std::mem::forget((stream, listener));
    address
}
