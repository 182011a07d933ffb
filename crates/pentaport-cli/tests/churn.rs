//! `pentaport load --churn`: one message for each connection, counted and checked.

#![forbid(unsafe_code)]

mod common;

use common::*;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

fn churn(server: SocketAddr, arguments: &[&str]) -> std::process::Output {
    let server = text(server);
    pentaport(&[&["load", &server, "--churn"], arguments].concat())
}

fn json(output: &std::process::Output) -> serde_json::Value {
    serde_json::from_str(stdout(output)).expect("stdout is JSON")
}

/// Echoes one message of 64 bytes; returns how many more bytes came before the end of the stream.
fn echo_one(mut stream: TcpStream) -> usize {
    let mut message = [0; 64];
    stream.read_exact(&mut message).expect("one message comes");
    stream.write_all(&message).expect("the client reads");
    stream.read_to_end(&mut Vec::new()).expect("an orderly end, no reset")
}

#[test]
fn an_echo_server_passes() {
    let output = churn(echo_server(), &["--connections", "4", "--duration", "100ms"]);
    success(&output);
    let text = stdout(&output);
    for name in ["4 connections at a time", "per second", "p99.9", "connect to answer", "failures     none"] {
        assert!(text.contains(name), "{name} in {text}");
    }
}

#[test]
fn each_connection_brings_one_message_and_an_orderly_end() {
    let ended = Arc::new((Mutex::new(0), Condvar::new()));
    let served = ended.clone();
    let server = server(move |stream, _| {
        assert_eq!(echo_one(stream), 0, "one message only");
        *served.0.lock().unwrap() += 1;
        served.1.notify_all();
    });
    let output = churn(server, &["--connections", "3", "--threads", "2", "--duration", "100ms", "--json"]);
    success(&output);
    let report = json(&output);
    let connections = report["connections"].as_u64().unwrap();
    assert!(connections >= 3, "each place had its first: {report}");
    assert_eq!(report["bytes_checked"].as_u64().unwrap(), connections * 64);
    assert_eq!((&report["at_a_time"], &report["threads"], &report["failed"]), (&3.into(), &2.into(), &0.into()));
    assert!(report["connections_per_second"].as_f64().unwrap() > 0.0);
    assert!(report["latency_us"]["p50"].as_f64().unwrap() > 0.0);
    // And the one that was tried before.
    let (count, changed) = &*ended;
    let waited = changed.wait_timeout_while(count.lock().unwrap(), DEADLINE, |ended| *ended < connections + 1).unwrap();
    assert_eq!(*waited.0, connections + 1);
}

#[test]
fn as_many_as_asked_for_are_under_way_at_a_time() {
    // Nobody is answered before three are there; the one that is tried first is.
    let arrived = (Mutex::new(0), Condvar::new());
    let server = server(move |stream, number| {
        if number > 0 {
            *arrived.0.lock().unwrap() += 1;
            arrived.1.notify_all();
            let waited = arrived.1.wait_timeout_while(arrived.0.lock().unwrap(), DEADLINE, |n| *n < 3).unwrap();
            assert!(!waited.1.timed_out());
        }
        echo_one(stream);
    });
    success(&churn(server, &["--connections", "3", "--duration", "50ms"]));
}

#[test]
fn long_messages_come_back_whole() {
    let arguments = ["--connections", "2", "--message", "3000001", "--duration", "50ms", "--json"];
    let output = churn(echo_server(), &arguments);
    success(&output);
    let report = json(&output);
    assert_eq!(report["bytes_checked"].as_u64().unwrap(), report["connections"].as_u64().unwrap() * 3_000_001);
}

#[test]
fn a_wrong_byte_is_found_and_the_others_go_on() {
    let server = server(|stream, number| {
        echo(stream, |bytes, position| {
            if number == 5 && position == 0 {
                bytes[17] ^= 0x01;
            }
        });
    });
    let output = churn(server, &["--connections", "2", "--duration", "500ms", "--json"]);
    let line = failure(&output, 1);
    assert!(line.starts_with("1 of ") && line.contains("wrong byte: number 17 of the stream"), "{line}");
    let report = json(&output);
    assert_eq!(report["failures_by_kind"]["wrong-byte"], 1);
    assert!(report["connections"].as_u64().unwrap() > 3, "{report}");
}

#[test]
fn a_server_that_refuses_everybody_ends_the_run() {
    let refused = Arc::new(AtomicUsize::new(0));
    let count = refused.clone();
    let server = server(move |stream, number| {
        if number < 5 {
            echo_one(stream);
            return;
        }
        count.fetch_add(1, Ordering::SeqCst);
    });
    let output = churn(server, &["--connections", "3", "--duration", "1h", "--json"]);
    let line = failure(&output, 1);
    assert!(line.starts_with("3 of 7 connections failed"), "{line}");
    assert!(line.contains("the server closed") || line.contains("the server reset"), "{line}");
    assert_eq!(refused.load(Ordering::SeqCst), 3);
}

#[test]
fn a_server_that_hangs_fails_in_time() {
    let server = server(|mut stream, number| {
        if number == 0 {
            echo_one(stream);
        } else {
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    let line = failure(&churn(server, &["--connections", "1", "--duration", "1h", "--timeout", "200ms"]), 1);
    assert!(line.contains("0 of 64 bytes came back and nothing more for 200ms"), "{line}");
}

#[test]
fn a_server_that_is_no_echo_server_is_told() {
    let line = failure(&churn(server(|stream, _| drop(stream)), &[]), 1);
    assert!(line.contains("the server closed") || line.contains("the server reset"), "{line}");
    let line = failure(&churn(unused_address(), &[]), 1);
    assert!(line.starts_with("cannot connect to 127.0.0.1:") && line.ends_with("connection refused"), "{line}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_with_the_report_of_what_was_measured() {
    let (tell, when) = std::sync::mpsc::channel();
    let server = server(move |stream, number| {
        echo_one(stream);
        if number == 10 {
            let _ = tell.send(());
        }
    });
    let server = text(server);
    let running = Running::start(&["load", &server, "--churn", "-c", "2", "--duration", "1h", "--json"]);
    when.recv_timeout(DEADLINE).expect("the server gets so far");
    signal(&running, "INT");
    let output = running.output();
    interrupted(&output);
    let report = json(&output);
    assert_eq!(report["interrupted"], true);
    assert!(report["connections"].as_u64().unwrap() >= 10, "{report}");
}
