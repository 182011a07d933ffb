//! Servers as processes.

pub mod native;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// What no answer takes, if there is one.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server process, killed when the test is over, however it ends.
pub struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    pub fn start(program: &str) -> Server {
        Server::spawn(Command::new(program).args(["--listen", "127.0.0.1:0"]))
    }

    pub fn spawn(command: &mut Command) -> Server {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).expect("it says where");
        let address = line.trim_end().rsplit(' ').next().unwrap().parse().expect("the last word is the address");
        Server { child, address }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn connect(&self) -> TcpStream {
        let client = TcpStream::connect(self.address).expect("it listens");
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client
    }

    pub fn threads(&self) -> usize {
        fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("it runs").count()
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    pub fn end(mut self, signal: &str) -> ExitStatus {
        self.signal(signal);
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that this package builds; or why it cannot be tested here.
pub fn rust(program: &'static str) -> Result<String, String> {
    // It ends at once if the kernel lacks what it is built on, which it says.
    let mut child = Command::new(program).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let _ = child.kill();
    let output = child.wait_with_output().unwrap();
    match output.status.code() == Some(pentaport_bench::cli::UNAVAILABLE.into()) {
        true => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        false => Ok(program.to_owned()),
    }
}
