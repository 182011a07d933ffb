//! `pentaport load`: counts what is right, and finds what is wrong.

#![forbid(unsafe_code)]

mod common;

use common::*;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

fn load(server: std::net::SocketAddr, arguments: &[&str]) -> std::process::Output {
    let server = text(server);
    let mut all = vec!["load", server.as_str()];
    all.extend_from_slice(arguments);
    pentaport(&all)
}

/// Interrupts the command when `server` has said so.
#[cfg(unix)]
fn interrupt(
    server: std::net::SocketAddr,
    when: &std::sync::mpsc::Receiver<()>,
    arguments: &[&str],
) -> std::process::Output {
    let server = text(server);
    let running = Running::start(&[&["load", &server, "--duration", "1h", "--timeout", "1h"], arguments].concat());
    when.recv_timeout(DEADLINE).expect("the server gets so far");
    signal(&running, "INT");
    running.output()
}

fn json(output: &std::process::Output) -> serde_json::Value {
    serde_json::from_str(stdout(output)).expect("stdout is JSON")
}

#[test]
fn an_echo_server_passes() {
    let output = load(echo_server(), &["--connections", "8", "--duration", "200ms"]);
    success(&output);
    let text = stdout(&output);
    for name in ["messages", "latency", "p50", "p99.9", "checked", "failures     none"] {
        assert!(text.contains(name), "{name} in {text}");
    }
}

#[test]
fn the_report_adds_up() {
    let arguments = ["--connections", "3", "--message", "1000", "--depth", "4", "--duration", "200ms"];
    let output = load(echo_server(), &[&arguments[..], &["--threads", "2", "--json"]].concat());
    success(&output);
    let report = json(&output);
    let messages = report["messages"].as_u64().unwrap();
    assert!(messages >= 12, "each connection exchanged its first four: {report}");
    // And one message on each connection before the run.
    assert_eq!(report["bytes_checked"].as_u64().unwrap(), (messages + 3) * 1000);
    assert_eq!(report["threads"], 2);
    assert_eq!(report["failed"], 0);
    let latency = &report["latency_us"];
    let percentile = |name: &str| latency[name].as_f64().unwrap();
    assert!(percentile("p50") > 0.0);
    assert!(percentile("p50") <= percentile("p90"));
    assert!(percentile("p90") <= percentile("p99"));
    assert!(percentile("p99") <= percentile("p99.9"));
    // The histogram rounds to three digits.
    assert!(percentile("p99.9") <= percentile("max") * 1.001);
}

#[test]
fn messages_larger_than_any_buffer_come_back_whole() {
    let output =
        load(echo_server(), &["--connections", "2", "--message", "9000001", "--depth", "2", "--duration", "100ms"]);
    success(&output);
}

#[test]
fn depth_is_what_is_in_flight() {
    // Answers only when three messages are there: a smaller depth would wait for ever, and a
    // larger one would have sent more than the first three and the greeting.
    let server = server(|mut stream, _| {
        let mut greeting = [0; 10];
        stream.read_exact(&mut greeting).expect("one message comes first");
        stream.write_all(&greeting).expect("the client reads");
        let mut three = [0; 30];
        while stream.read_exact(&mut three).is_ok() {
            stream.set_nonblocking(true).expect("a socket can be told");
            let more = stream.peek(&mut [0]);
            assert!(!matches!(more, Ok(1..)), "more than three in flight");
            stream.set_nonblocking(false).expect("a socket can be told");
            if stream.write_all(&three).is_err() {
                return;
            }
        }
    });
    let output = load(server, &["--connections", "2", "--message", "10", "--depth", "3", "--duration", "100ms"]);
    success(&output);
}

#[test]
fn a_rate_is_kept_and_latency_counts_from_when_a_message_was_due() {
    let arguments = ["--connections", "4", "--duration", "500ms", "--rate", "1000", "--json"];
    let output = load(echo_server(), &arguments);
    success(&output);
    let report = json(&output);
    let sent = report["messages"].as_u64().unwrap() + report["unsent"].as_u64().unwrap();
    assert!((498..=502).contains(&sent), "1000 a second for half a second: {report}");
    assert_eq!(report["corrected"], true);
}

#[test]
fn a_stall_counts_for_every_message_that_was_due_in_it() {
    // Stalls for 300 ms after the greeting. Uncorrected, one message of hundreds would have noticed.
    let server = server(|mut stream, _| {
        let mut message = [0; 64];
        stream.read_exact(&mut message).expect("one message comes first");
        stream.write_all(&message).expect("the client reads");
        stream.read_exact(&mut message).expect("and another");
        std::thread::sleep(std::time::Duration::from_millis(300));
        stream.write_all(&message).expect("the client reads");
        echo(stream, |_, _| {});
    });
    let output = load(server, &["--connections", "1", "--duration", "500ms", "--rate", "1000", "--json"]);
    success(&output);
    let report = json(&output);
    // Due in the stall: 300 of 500 messages, each with what was left of it. However slow the
    // machine, this only grows.
    assert!(report["latency_us"]["p50"].as_f64().unwrap() > 10_000.0, "{report}");
}

#[test]
fn a_wrong_byte_is_found() {
    let server = server(|stream, number| {
        echo(stream, |bytes, position| {
            let wrong = 1000;
            if number == 1 && (position..position + bytes.len() as u64).contains(&wrong) {
                bytes[(wrong - position) as usize] ^= 0x01;
            }
        });
    });
    // In the second message: the first one is exchanged before the run.
    let output = load(server, &["--connections", "3", "--message", "600", "--duration", "300ms", "--json"]);
    let line = failure(&output, 1);
    assert!(line.contains("1 of 3 connections failed"), "{line}");
    assert!(line.contains("wrong byte: number 1,000 of the stream"), "{line}");
    let report = json(&output);
    assert_eq!(report["failures_by_kind"]["wrong-byte"], 1);
    assert!(report["messages"].as_u64().unwrap() > 0, "the other connections went on");
}

#[test]
fn a_lost_byte_is_found() {
    let server = server(|mut stream, _| {
        let mut buffer = [0; 4096];
        let mut position = 0;
        while let Ok(n @ 1..) = stream.read(&mut buffer) {
            // Position 640 is left out.
            let (before, after) = match 640_usize.checked_sub(position) {
                Some(at) if at < n => (&buffer[..at], &buffer[at + 1..n]),
                _ => (&buffer[..n], &buffer[..0]),
            };
            position += n;
            if stream.write_all(before).and_then(|()| stream.write_all(after)).is_err() {
                return;
            }
        }
    });
    // With more in flight what follows shows the gap at once; without, the answer is short.
    let output = load(server, &["--connections", "1", "--message", "200", "--depth", "4", "--duration", "300ms"]);
    assert!(failure(&output, 1).contains("wrong byte: number 640 of the stream"));
}

#[test]
fn bytes_of_another_connection_are_found() {
    // Two connections that get each other's bytes once both are greeted.
    let shared = Arc::new((Barrier::new(2), [const { std::sync::Mutex::new(Vec::new()) }; 2]));
    let server = server(move |mut stream, number| {
        let mut message = [0; 64];
        stream.read_exact(&mut message).expect("one message comes first");
        stream.write_all(&message).expect("the client reads");
        stream.read_exact(&mut message).expect("and another");
        *shared.1[number].lock().unwrap() = message.to_vec();
        shared.0.wait();
        let others = shared.1[1 - number].lock().unwrap().clone();
        let _ = stream.write_all(&others);
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let output = load(server, &["--connections", "2", "--duration", "300ms"]);
    assert!(failure(&output, 1).starts_with("2 of 2 connections failed"));
}

#[test]
fn a_server_that_doubles_bytes_is_found() {
    let server = server(|mut stream, _| {
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = stream.read(&mut buffer) {
            let doubled = [&buffer[..n], &buffer[..n]].concat();
            if stream.write_all(&doubled).is_err() {
                return;
            }
        }
    });
    let output = load(server, &["--connections", "1", "--duration", "300ms"]);
    assert!(failure(&output, 1).contains("is not an echo server: it sends bytes that nobody sent"));
}

#[test]
fn a_connection_that_is_closed_fails() {
    let server = server(|mut stream, number| {
        if number != 2 {
            return echo(stream, |_, _| {});
        }
        let mut message = [0; 64];
        stream.read_exact(&mut message).expect("one message comes first");
        stream.write_all(&message).expect("the client reads");
        stream.read_exact(&mut message).expect("and another");
    });
    let output = load(server, &["--connections", "4", "--duration", "300ms", "--json"]);
    let line = failure(&output, 1);
    assert!(line.contains("1 of 4 connections failed"), "{line}");
    // Data that came before the close was read may make the system answer it with a reset.
    assert!(line.contains("the server closed") || line.contains("the server reset"), "{line}");
    assert_eq!(json(&output)["failed"], 1);
}

#[test]
fn a_server_that_closes_at_once_fails() {
    let output = load(server(|stream, _| drop(stream)), &["--duration", "300ms"]);
    let line = failure(&output, 1);
    assert!(line.contains("the server closed") || line.contains("the server reset"), "{line}");
}

#[test]
fn an_idle_connection_that_is_closed_fails() {
    let seen = Arc::new(AtomicUsize::new(0));
    let server = server(move |mut stream, _| {
        let mut first = [0; 64];
        // The active one sends; the idle one is closed as soon as the active one does.
        let idle = loop {
            stream.set_nonblocking(true).expect("a socket can be told");
            match stream.peek(&mut first) {
                Ok(1..) => break false,
                _ if seen.load(Ordering::SeqCst) > 1 => break true,
                _ => std::thread::yield_now(),
            }
        };
        stream.set_nonblocking(false).expect("a socket can be told");
        while !idle && matches!(stream.read(&mut first), Ok(1..)) {
            seen.fetch_add(1, Ordering::SeqCst);
            if stream.write_all(&first).is_err() {
                return;
            }
        }
    });
    let output = load(server, &["--connections", "1", "--idle", "1", "--duration", "500ms", "--json"]);
    let line = failure(&output, 1);
    assert!(line.contains("1 of 2 connections failed; first connection 2"), "{line}");
    assert_eq!(json(&output)["failures_by_kind"]["closed"], 1);
}

#[test]
fn idle_connections_are_held_open() {
    let output = load(echo_server(), &["--connections", "2", "--idle", "50", "--duration", "100ms", "--json"]);
    success(&output);
    let report = json(&output);
    assert_eq!(report["idle"], 50);
    assert_eq!(report["failed"], 0);
}

#[test]
fn a_server_that_answers_nothing_is_no_echo_server() {
    let server = server(|mut stream, _| {
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let output = load(server, &["--connections", "2", "--timeout", "100ms"]);
    let line = failure(&output, 1);
    assert!(line.contains("is not an echo server: it took 64 bytes and sent nothing back for 100ms ("), "{line}");
}

#[test]
fn a_server_that_answers_some_connections_is_an_echo_server() {
    let server = server(|mut stream, number| match number {
        0..2 => echo(stream, |_, _| {}),
        _ => drop(stream.read_to_end(&mut Vec::new())),
    });
    let output = load(server, &["--connections", "5", "--timeout", "3s"]);
    let line = failure(&output, 1);
    assert_eq!(line, format!("{server}: 3 of 5 connections got no answer, the first of them for 3s; 2 did"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("out of descriptors"));
}

#[test]
fn a_server_that_talks_by_itself_is_no_echo_server() {
    let server = server(|mut stream, _| while stream.write_all(b"!\"#$%&'()*+,-./0123").is_ok() {});
    let line = failure(&load(server, &["--connections", "1"]), 1);
    assert!(line.contains("is not an echo server"), "{line}");
}

#[test]
fn a_server_that_hangs_in_the_run_fails() {
    let server = server(|mut stream, _| {
        let mut message = [0; 64];
        stream.read_exact(&mut message).expect("one message comes first");
        stream.write_all(&message).expect("the client reads");
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let output = load(server, &["--connections", "1", "--timeout", "200ms", "--duration", "50ms"]);
    let line = failure(&output, 1);
    assert!(line.contains("64 of 128 bytes came back and nothing more for 200ms"), "{line}");
}

#[test]
fn a_server_that_is_not_there_is_told() {
    let line = failure(&load(unused_address(), &[]), 1);
    assert!(line.starts_with("cannot connect to 127.0.0.1:"), "{line}");
    assert!(line.ends_with("connection refused"), "{line}");
}

#[test]
fn more_connections_than_descriptors_are_refused_with_the_limit() {
    let line = failure(&load(echo_server(), &["--connections", "4000000000"]), 1);
    assert!(line.contains("4,000,000,000 connections need"), "{line}");
    assert!(line.contains(LIMIT), "{line}");
}

#[cfg(unix)]
#[test]
fn the_soft_limit_of_descriptors_is_raised_first() {
    let server = text(echo_server());
    let command = format!(
        "ulimit -Sn 40 && exec {} load {server} --connections 60 --duration 100ms",
        env!("CARGO_BIN_EXE_pentaport")
    );
    let output = Running::spawn(std::process::Command::new("sh").args(["-c", &command])).output();
    success(&output);
}

#[cfg(unix)]
#[test]
fn the_hard_limit_of_descriptors_is_told() {
    let server = text(echo_server());
    let command = format!(
        "ulimit -n 100 && exec {} load {server} --connections 60 --duration 100ms",
        env!("CARGO_BIN_EXE_pentaport")
    );
    let output = Running::spawn(std::process::Command::new("sh").args(["-c", &command])).output();
    let line = failure(&output, 1);
    assert!(line.contains("60 connections need 124 descriptors, but the limit is 100"), "{line}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_with_the_report_of_what_was_measured() {
    let (tell, when) = std::sync::mpsc::channel();
    let server = server(move |stream, _| {
        echo(stream, |_, position| {
            if position > 1000 {
                let _ = tell.send(());
            }
        });
    });
    let output = interrupt(server, &when, &["--connections", "2", "--json"]);
    interrupted(&output);
    let report = json(&output);
    assert_eq!(report["interrupted"], true);
    assert_eq!(report["failed"], 0);
    assert!(report["messages"].as_u64().unwrap() >= 10, "{report}");
    assert!(report["elapsed_seconds"].as_f64().unwrap() < 3600.0, "{report}");
    assert!(report["messages_per_second"].as_f64().unwrap() > 0.0, "{report}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_does_not_wait_for_a_server_that_hangs() {
    let (tell, when) = std::sync::mpsc::channel();
    let server = server(move |mut stream, _| {
        let mut message = [0; 64];
        stream.read_exact(&mut message).expect("one message comes first");
        stream.write_all(&message).expect("the client reads");
        stream.read_exact(&mut message).expect("and another");
        let _ = tell.send(());
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let output = interrupt(server, &when, &["--connections", "1"]);
    interrupted(&output);
    let text = stdout(&output);
    assert!(text.contains("\ninterrupted ") && text.contains("64 bytes came back right"), "{text}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_while_connecting_has_nothing_to_report() {
    let (tell, when) = std::sync::mpsc::channel();
    let server = server(move |mut stream, _| {
        stream.read_exact(&mut [0]).expect("a message comes");
        let _ = tell.send(());
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let output = interrupt(server, &when, &["--connections", "1"]);
    interrupted(&output);
    assert_eq!(stdout(&output), "");
}

#[test]
fn what_warms_up_is_not_counted_and_latencies_are_kept() {
    let (count, counted) = std::sync::mpsc::channel();
    let server = server(move |stream, _| {
        echo(stream, |bytes, _| {
            let _ = count.send(bytes.len());
        })
    });
    let file = std::env::temp_dir().join(format!("pentaport-load-{}.hgrm", std::process::id()));
    let path = file.to_str().expect("a path that is text");
    let arguments = ["--connections", "1", "--warmup", "200ms", "--duration", "200ms", "--json", "--hgrm", path];
    let output = pentaport(&[&["load", &text(server)][..], &arguments].concat());
    let written = std::fs::read_to_string(&file);
    let _ = std::fs::remove_file(&file);
    success(&output);
    let messages = json(&output)["messages"].as_u64().unwrap();
    let echoed: usize = counted.try_iter().sum();
    // The first one opens the connection.
    assert!(messages + 1 < echoed as u64 / 64, "{messages} of {echoed} bytes");
    let histogram = written.expect("the file is written");
    assert!(histogram.contains(&format!("Total count    = {messages:12}]")), "{histogram}");
}
