//! The yardstick has to be right before it is fast.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;

/// A server process, killed when the test is over, however it ends.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(command: &mut Command) -> Server {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).expect("it says where");
        let address = line.trim_end().strip_prefix("listening on ").unwrap().parse().unwrap();
        Server { child, address }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).expect("it listens")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn server() -> Server {
    Server::start(Command::new(env!("CARGO_BIN_EXE_epoll-echo")).args(["--listen", "127.0.0.1:0"]))
}

#[test]
fn data_and_end_that_come_together_are_answered_and_ended() {
    let server = server();
    for _ in 0..100 {
        let mut client = server.connect();
        client.write_all(b"hello").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        assert_eq!(answer, b"hello");
    }
}

#[test]
fn what_a_slow_reader_does_not_take_is_kept_for_it() {
    let server = server();
    let mut client = server.connect();
    let sent: Vec<u8> = (0..30_000_000u32).flat_map(u32::to_le_bytes).collect();
    let mut writing = client.try_clone().unwrap();
    let (received, sent) = thread::scope(|scope| {
        let sent = &sent;
        let writer = scope.spawn(move || {
            writing.write_all(sent).unwrap();
            writing.shutdown(Shutdown::Write).unwrap();
        });
        // Another client is served while this one is stuck or busy.
        let mut other = server.connect();
        for _ in 0..100 {
            other.write_all(b"ping").unwrap();
            other.read_exact(&mut [0; 4]).unwrap();
        }
        let mut received = Vec::new();
        client.read_to_end(&mut received).unwrap();
        writer.join().unwrap();
        (received, sent)
    });
    assert!(received == *sent, "{} of {} bytes", received.len(), sent.len());
}

#[test]
fn clients_beyond_the_descriptor_limit_are_served_later() {
    let limited = format!("ulimit -n 20 && exec {}", env!("CARGO_BIN_EXE_epoll-echo"));
    let server = Server::start(Command::new("sh").args(["-c", &limited]));
    let clients: Vec<TcpStream> = (0..50).map(|_| server.connect()).collect();
    for mut client in clients {
        client.write_all(b"hello").unwrap();
        client.read_exact(&mut [0; 5]).unwrap();
    }
}

#[test]
fn sigterm_ends_it_well() {
    let mut server = server();
    let _client = server.connect();
    let pid = server.child.id().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    assert!(server.child.wait().unwrap().success());
}
