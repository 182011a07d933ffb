//! `pentaport connect`: the documents' client, in a pipe.

#![forbid(unsafe_code)]

mod common;

use common::*;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

#[test]
fn lines_are_sent_and_their_echoes_printed() {
    let server = text(echo_server());
    let output = pentaport_with_input(&["connect", &server], b"hello\n\nto the world\r\nend");
    success(&output);
    assert_eq!(
        stdout(&output),
        "Send:Received [5 bytes]: 'hello'\n\
         Send:Send:Received [12 bytes]: 'to the world'\n\
         Send:Received [3 bytes]: 'end'\n\
         Send:\n"
    );
}

#[test]
fn no_input_is_no_error() {
    let output = pentaport(&["connect", &text(echo_server())]);
    success(&output);
    assert_eq!(stdout(&output), "Send:\n");
}

#[test]
fn bytes_that_are_no_text_come_back_as_they_are() {
    let output = pentaport_with_input(&["connect", &text(echo_server())], b"\xff\x00\xfe\n");
    success(&output);
    assert_eq!(output.stdout, b"Send:Received [3 bytes]: '\xff\x00\xfe'\nSend:\n");
}

#[test]
fn an_answer_in_many_pieces_is_read_whole() {
    // More than any socket buffer holds: server and client must not both wait for the other.
    let long = "0123456789abcdef".repeat(1 << 20);
    let server = server(|mut stream, _| {
        let mut one = [0];
        let mut seen = 0;
        // The first bytes singly, the rest as it comes.
        while seen < 100 && matches!(stream.read(&mut one), Ok(1)) {
            stream.write_all(&one).expect("the client reads");
            seen += 1;
        }
        echo(stream, |_, _| {});
    });
    let output = pentaport_with_input(&["connect", &text(server)], long.as_bytes());
    success(&output);
    let echoed: String =
        stdout(&output).lines().filter_map(|line| line.split_once('\'')?.1.strip_suffix('\'')).collect();
    assert!(echoed == long, "{} of {} bytes", echoed.len(), long.len());
}

#[test]
fn a_server_that_closes_is_told() {
    let server = server(|mut stream, _| {
        let mut buffer = [0; 5];
        stream.read_exact(&mut buffer).expect("five bytes come");
        stream.write_all(b"hel").expect("the client is there");
    });
    let output = pentaport_with_input(&["connect", &text(server)], b"hello\n");
    assert!(failure(&output, 1).ends_with("closed the connection after 3 of 5 bytes"));
}

#[test]
fn a_server_that_says_nothing_is_told() {
    let server = server(|mut stream, _| {
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let output = pentaport_with_input(&["connect", &text(server), "--timeout", "100ms"], b"hello\n");
    assert!(failure(&output, 1).contains("sent back 0 of 5 bytes and nothing more for 100ms"));
}

#[test]
fn a_server_that_is_not_there_is_told() {
    let line = failure(&pentaport(&["connect", &text(unused_address())]), 1);
    assert!(line.ends_with("connection refused"), "{line}");
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let mut client = Running::spawn(
        Command::new(env!("CARGO_BIN_EXE_pentaport")).args(["connect", &text(echo_server())]).stdout(Stdio::piped()),
    );
    drop(client.child.stdout.take());
    let mut stdin = client.child.stdin.take().expect("stdin is piped");
    // Another test's child may hold a copy of the pipe's reading end until it runs its own program, so the first
    // answers may still find a reader.
    let start = Instant::now();
    while stdin.write_all(b"hello\n").is_ok() {
        assert!(start.elapsed() < DEADLINE, "it goes on without a reader");
    }
    success(&client.output());
}
