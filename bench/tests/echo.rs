//! Every server keeps the bargain, whatever it is built on.
#![cfg(target_os = "linux")]

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use common::Server;
use socket2::{Domain, SockRef, Socket, Type};

/// The tests of one server, by its name.
macro_rules! servers {
    ($($module:ident: $program:expr;)*) => {$(
        mod $module {
            servers!(@tests $program;
                one_byte_and_3_megabytes
                two_hundred_connections
                a_message_on_each_of_2000_connections_at_once
                data_and_end_that_come_together_are_answered_and_ended
                what_a_slow_reader_does_not_take_is_kept_for_it_but_not_without_end
                a_reset_in_mid_message_concerns_nobody_else
                clients_beyond_the_descriptor_limit_keep_no_one_from_being_served
                several_threads_serve
                sigterm_and_sigint_end_it_well
            );
        }
    )*};
    (@tests $program:expr; $($test:ident)*) => {$(
        #[test]
        fn $test() {
            match $program {
                Ok(program) => crate::$test(&program),
                Err(missing) => eprintln!("skipped: {}", missing),
            }
        }
    )*};
}

servers! {
    epoll: crate::common::rust(env!("CARGO_BIN_EXE_epoll-echo"));
    uring: crate::common::rust(env!("CARGO_BIN_EXE_uring-echo"));
    tokio: crate::common::rust(env!("CARGO_BIN_EXE_tokio-echo"));
    compio: crate::common::rust(env!("CARGO_BIN_EXE_compio-echo"));
    monoio: crate::common::rust(env!("CARGO_BIN_EXE_monoio-echo"));
    asio: crate::common::native::asio();
    uv: crate::common::native::uv();
    winsock: crate::common::rust(env!("CARGO_BIN_EXE_winsock-echo"));
    pentaport: crate::common::rust(env!("CARGO_BIN_EXE_pentaport-echo"));
}

fn one_byte_and_3_megabytes(program: &str) {
    let server = Server::start(program);
    let mut client = server.connect();
    assert_eq!(echo(&mut client, &[7]), [7]);
    let large = bytes(3_000_000);
    let mut writing = client.try_clone().unwrap();
    let mut answer = vec![0; large.len()];
    thread::scope(|scope| {
        scope.spawn(|| writing.write_all(&large).unwrap());
        client.read_exact(&mut answer).unwrap();
    });
    assert!(answer == large);
    assert_eq!(echo(&mut client, &[8]), [8]);
}

fn two_hundred_connections(program: &str) {
    let server = Server::start(program);
    let mut clients: Vec<TcpStream> = (0..200).map(|_| server.connect()).collect();
    for round in 0..3u8 {
        for (number, client) in clients.iter_mut().enumerate() {
            client.write_all(&[round, number as u8]).unwrap();
        }
        for (number, client) in clients.iter_mut().enumerate().rev() {
            let mut answer = [0; 2];
            client.read_exact(&mut answer).unwrap();
            assert_eq!(answer, [round, number as u8]);
        }
    }
}

/// All are there before the server has begun to answer.
fn a_message_on_each_of_2000_connections_at_once(program: &str) {
    let limit = pentaport_bench::sys::raise_descriptor_limit();
    let server = Server::start(program);
    let mut clients: Vec<TcpStream> = (0..2000.min(limit - limit / 4)).map(|_| server.connect()).collect();
    for client in &mut clients {
        echo(client, b"hello");
    }
    server.signal("-STOP");
    for client in &mut clients {
        client.write_all(b"all at once").unwrap();
    }
    server.signal("-CONT");
    for client in &mut clients {
        let mut answer = [0; 11];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"all at once");
    }
}

fn data_and_end_that_come_together_are_answered_and_ended(program: &str) {
    let server = Server::start(program);
    for _ in 0..100 {
        let mut client = server.connect();
        client.write_all(b"hello").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        assert_eq!(answer, b"hello");
    }
}

/// More than the buffers of four sockets and a server together.
const WITHOUT_END: usize = 256 << 20;

fn what_a_slow_reader_does_not_take_is_kept_for_it_but_not_without_end(program: &str) {
    let server = Server::start(program);
    // Small buffers at this end, or it takes long to fill them.
    let client = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    client.set_recv_buffer_size(64 << 10).unwrap();
    client.set_send_buffer_size(64 << 10).unwrap();
    client.connect(&server.address().into()).unwrap();
    let mut client = TcpStream::from(client);

    // Until the server does not take any more: its patience ends long before this does.
    client.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let block = bytes(1 << 20);
    let mut written = 0;
    while let Ok(count) = client.write(&block[written % block.len()..]) {
        written += count;
        assert!(written < WITHOUT_END, "it takes without end");
    }

    // Others are served meanwhile.
    let mut other = server.connect();
    for _ in 0..100 {
        echo(&mut other, b"ping");
    }

    client.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    assert_eq!(answer.len(), written);
    assert!(answer.chunks(block.len()).all(|chunk| chunk == &block[..chunk.len()]));
}

fn a_reset_in_mid_message_concerns_nobody_else(program: &str) {
    let server = Server::start(program);
    let mut other = server.connect();
    for _ in 0..50 {
        let client = server.connect();
        SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
        client.set_nonblocking(true).unwrap();
        // Neither all of it nor the answer has come when the client is gone.
        let _ = (&client).write(&bytes(1 << 20));
        drop(client);
        echo(&mut other, b"ping");
    }
    echo(&mut server.connect(), b"ping");
}

fn clients_beyond_the_descriptor_limit_keep_no_one_from_being_served(program: &str) {
    let server = Server::spawn(Command::new("sh").args(["-c", &format!("ulimit -n 32 && exec {program}")]));
    let clients: Vec<TcpStream> = (0..60).map(|_| server.connect()).collect();
    for mut client in clients.into_iter().take(10) {
        echo(&mut client, b"hello");
    }
    // Those without a descriptor may have been closed, or are served now. Whoever comes when there are some, is.
    for _ in 0..1000 {
        let mut client = server.connect();
        let _ = client.write_all(b"hello");
        let mut answer = [0; 5];
        if client.read_exact(&mut answer).is_ok() {
            return assert_eq!(&answer, b"hello");
        }
    }
    panic!("nobody is served any more");
}

fn several_threads_serve(program: &str) {
    let server = Server::spawn(Command::new(program).args(["--listen", "127.0.0.1:0", "--threads", "3"]));
    let mut clients: Vec<TcpStream> = (0..50).map(|_| server.connect()).collect();
    for client in &mut clients {
        echo(client, b"hello");
    }
}

fn sigterm_and_sigint_end_it_well(program: &str) {
    for signal in ["-TERM", "-INT"] {
        let server = Server::start(program);
        echo(&mut server.connect(), b"hello");
        let status = server.end(signal);
        assert_eq!(status.code(), Some(0), "{signal}: {status}");
    }
}

#[test]
fn an_idle_thread_is_one_thread_more() {
    let threads = |more: &[&str]| {
        let program = env!("CARGO_BIN_EXE_epoll-echo");
        let server = Server::spawn(Command::new(program).args(["--listen", "127.0.0.1:0"]).args(more));
        echo(&mut server.connect(), b"hello");
        server.threads()
    };
    assert_eq!((threads(&[]), threads(&["--idle-thread"])), (1, 2));
}

/// What comes back for `message`, which fits into the buffers of a socket.
fn echo(client: &mut TcpStream, message: &[u8]) -> Vec<u8> {
    client.write_all(message).unwrap();
    let mut answer = vec![0; message.len()];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(answer, message);
    answer
}

/// Some bytes, which do not repeat in any power of two.
fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|index| (index % 251) as u8).collect()
}
