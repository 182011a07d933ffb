//! `pentaport serve`: ready, serving, stopped.

#![forbid(unsafe_code)]

mod common;

use common::*;
use pentaport_server::Model;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Output;
use std::time::{Duration, Instant};

/// What is printed from the ready line to the end.
fn rest(mut server: Served) -> (String, Output) {
    let mut rest = String::new();
    server.rest_of_stdout.read_to_string(&mut rest).expect("stdout is text");
    (rest, server.running.output())
}

#[test]
fn the_ready_line_says_what_is_served_where() {
    let server = serve(&[]);
    assert_eq!(server.ready_line, format!("pentaport: completion-port echo server listening on {}\n", server.address));
    assert_ne!(server.address.port(), 0);
    for (service, model) in ["discard", "chargen", "print"].into_iter().zip(Model::ALL) {
        let server = serve(&["--service", service, "--model", model.name()]);
        assert!(server.ready_line.contains(&format!("{model} {service} server")), "{}", server.ready_line);
    }
}

#[test]
fn each_model_serves_a_load_and_stops_with_its_totals() {
    for model in Model::ALL {
        let mut server = serve(&["--model", model.name(), "--stop-at-eof"]);
        let address = text(server.address);
        let load = ["load", &address, "--connections", "20", "--duration", "200ms", "--json"];
        let output = pentaport(&load);
        success(&output);
        let report: serde_json::Value = serde_json::from_str(stdout(&output)).expect("stdout is JSON");
        let bytes = &report["bytes_checked"];
        drop(server.running.child.stdin.take());
        let (rest, output) = rest(server);
        success(&output);
        // Some may still have been closing.
        assert!(rest.starts_with("pentaport: stopped: 20 accepted, "), "{rest}");
        assert!(rest.contains(&format!("{bytes} bytes in, {bytes} bytes out")), "{bytes} in {rest}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_stops_it_in_order() {
    for name in ["INT", "TERM", "HUP"] {
        let server = serve(&["--drain", "100ms"]);
        let mut client = TcpStream::connect(server.address).expect("it listens");
        client.write_all(b"x").expect("it is served");
        client.read_exact(&mut [0]).expect("it is served");
        signal(&server.running, name);
        let (rest, output) = rest(server);
        success(&output);
        assert!(rest.contains("1 accepted, ") && rest.contains(" 1 stopped"), "{name}: {rest}");
    }
}

#[cfg(unix)]
#[test]
fn a_second_signal_ends_at_once() {
    for model in Model::ALL {
        // A client that never reads what waits for it holds the drain up for an hour.
        let server = serve(&["--drain", "1h", "--service", "chargen", "--model", model.name()]);
        let mut client = TcpStream::connect(server.address).expect("it listens");
        client.read_exact(&mut [0; 100]).expect("characters come");
        signal(&server.running, "INT");
        // The first one is being obeyed when no more clients are accepted.
        while TcpStream::connect(server.address).is_ok() {}
        signal(&server.running, "INT");
        let (rest, output) = rest(server);
        interrupted(&output);
        assert_eq!(rest, "");
        // It was reset: what waited for it has not kept the process. A blocked thread could not have reset its client.
        let end = client.read_to_end(&mut Vec::new());
        if *model != Model::ThreadPerClient {
            assert_eq!(end.expect_err("it was reset").kind(), ErrorKind::ConnectionReset, "{model}");
        }
    }
}

#[test]
fn a_client_that_holds_on_is_cut_off_after_the_drain_time() {
    let mut server = serve(&["--drain", "100ms", "--service", "chargen", "--stop-at-eof"]);
    let mut client = TcpStream::connect(server.address).expect("it listens");
    client.read_exact(&mut [0; 100]).expect("characters come");
    drop(server.running.child.stdin.take());
    let (rest, output) = rest(server);
    success(&output);
    assert!(rest.contains("1 accepted"), "{rest}");
}

#[test]
fn a_client_beyond_the_limit_is_refused_and_served_when_there_is_room() {
    let server = serve(&["--max-connections", "1"]);
    let address = text(server.address);
    let mut first = TcpStream::connect(server.address).expect("it listens");
    first.write_all(b"x").expect("it is served");
    first.read_exact(&mut [0]).expect("it is served");
    let line = failure(&pentaport(&["load", &address, "--connections", "1", "--duration", "50ms"]), 1);
    assert!(line.contains("closed") || line.contains("reset") || line.contains("refused"), "{line}");
    drop(first);
    let start = Instant::now();
    while !pentaport(&["load", &address, "--connections", "1", "--duration", "50ms"]).status.success() {
        assert!(start.elapsed() < DEADLINE, "never served again");
    }
}

#[test]
fn an_idle_client_is_closed() {
    let server = serve(&["--idle-timeout", "100ms"]);
    let mut client = TcpStream::connect(server.address).expect("it listens");
    client.set_read_timeout(Some(DEADLINE)).expect("a socket can be told");
    assert!(matches!(client.read(&mut [0]), Ok(0) | Err(_)));
}

#[test]
fn the_print_server_prints_who_comes_what_they_say_and_how_they_leave() {
    use std::io::BufRead;
    let mut server = serve(&["--service", "print"]);
    let mut line = || {
        let mut line = String::new();
        server.rest_of_stdout.read_line(&mut line).expect("stdout is text");
        line
    };
    let mut client = TcpStream::connect(server.address).expect("it listens");
    assert!(line().contains(&client.local_addr().unwrap().to_string()));
    client.write_all(b"hello\n").expect("it listens");
    assert!(line().contains("hello"));
    client.shutdown(Shutdown::Write).expect("it is open");
    assert!(line().contains("closed"));
}

#[test]
fn the_print_server_stops_when_its_reader_leaves() {
    let server = serve(&["--service", "print", "--drain", "100ms"]);
    drop(server.rest_of_stdout);
    let mut client = TcpStream::connect(server.address).expect("it listens");
    client.set_read_timeout(Some(Duration::from_millis(10))).expect("a socket can be told");
    // A process that another test is starting just now may hold the pipe open for a moment: so more than one line.
    let start = Instant::now();
    while client.write_all(b"hello\n").is_ok() {
        match client.read(&mut [0]) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            _ => break,
        }
        assert!(start.elapsed() < DEADLINE, "the server does not stop");
    }
    success(&server.running.output());
}

#[test]
fn the_end_of_input_stops_only_who_asked_for_it() {
    let mut server = serve(&["--stop-at-eof"]);
    drop(server.running.child.stdin.take());
    let (rest, output) = rest(server);
    success(&output);
    assert!(rest.starts_with("pentaport: stopped: "), "{rest}");

    let mut server = serve(&[]);
    drop(server.running.child.stdin.take());
    success(&pentaport(&["load", &text(server.address), "--connections", "1", "--duration", "50ms"]));
}

#[test]
fn a_port_in_use_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = text(listener.local_addr().expect("it is bound"));
    for model in Model::ALL {
        let line = failure(&pentaport(&["serve", "--listen", &address, "--model", model.name()]), 1);
        assert_eq!(line, format!("cannot listen on {address}: the port is in use"));
    }
}

#[test]
fn the_help_says_what_the_totals_count() {
    let output = pentaport(&["serve", "--help"]);
    success(&output);
    for count in
        ["closed", "reset", "timed out", "stopped", "failed", "refused", "cut off", "accept errors", "thread errors"]
    {
        assert!(stdout(&output).contains(count), "{count}");
    }
}

#[test]
fn an_address_of_another_machine_is_told() {
    // TEST-NET-1: no machine has it.
    let line = failure(&pentaport(&["serve", "--listen", "192.0.2.1:5150"]), 1);
    assert_eq!(line, "cannot listen on 192.0.2.1:5150: this machine does not have that address");
}

#[test]
fn an_address_that_does_not_resolve_is_told() {
    let line = failure(&pentaport(&["serve", "--listen", "no-such-host.invalid:5150"]), 1);
    assert!(line.starts_with("cannot resolve 'no-such-host.invalid:5150'"), "{line}");
}

#[test]
fn more_connections_than_descriptors_are_told() {
    let line = failure(&pentaport(&["serve", "--listen", "127.0.0.1:0", "--max-connections", "4000000000"]), 1);
    assert!(line.contains(LIMIT), "{line}");
}
