//! `pentaport compare`: every model in a process of its own, and peers.

#![forbid(unsafe_code)]

mod common;

use common::*;
use pentaport_server::Model;
use serde_json::Value;

fn compare(arguments: &[&str]) -> std::process::Output {
    pentaport(&[&["compare", "--duration", "200ms", "--connections", "1,4"], arguments].concat())
}

/// Whether a row has latencies.
fn is_measured(row: &str) -> bool {
    row.contains(" µs ") || row.contains(" ms ")
}

#[test]
fn all_models_are_in_the_table_and_in_the_file() {
    let file = std::env::temp_dir().join(format!("pentaport-compare-{}.json", std::process::id()));
    let output = compare(&["--json", file.to_str().expect("a path that is text")]);
    let written = std::fs::read_to_string(&file);
    let _ = std::fs::remove_file(&file);
    success(&output);
    let table = stdout(&output);
    assert!(table.contains("server CPU µs/message"), "{table}");
    for model in Model::ALL {
        let rows = table.lines().filter(|line| line.starts_with(&format!("| {model} ")));
        assert_eq!(rows.count(), 2, "{model} with 1 and with 4 connections in {table}");
    }

    let report: Value = serde_json::from_str(&written.expect("the file is written")).expect("it is JSON");
    assert!(report["machine"]["cpus"].as_u64().unwrap() >= 1);
    assert!(report["command"].as_array().unwrap().iter().any(|word| word == "compare"));
    let results = report["results"].as_array().unwrap();
    assert_eq!(results.len(), Model::ALL.len() * 2);
    for result in results {
        assert_eq!(result["error"], Value::Null, "{result}");
        assert!(result["messages_per_second"]["median"].as_f64().unwrap() > 0.0, "{result}");
        assert!(result["server_cpu_us_per_message"]["median"].as_f64().is_some(), "{result}");
        assert!(result["server_threads"]["median"].as_f64().is_none_or(|n| n >= 1.0), "{result}");
    }
}

#[test]
fn chosen_models_are_measured_as_often_as_asked() {
    let output = compare(&["--models", "select", "--runs", "3", "--json", "-"]);
    success(&output);
    let report: Value = serde_json::from_str(stdout(&output)).expect("stdout is JSON only");
    let results = report["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        let rate = &result["messages_per_second"];
        let [min, median, max] = ["min", "median", "max"].map(|name| rate[name].as_f64().unwrap());
        assert!(0.0 < min && min < median && median < max, "three runs differ: {rate}");
        let runs = result["runs"].as_array().unwrap();
        assert_eq!(runs.len(), 3);
        for figure in ["messages_per_second", "p50_us", "p99_us", "p99.9_us", "server_cpu_us_per_message"] {
            assert!(runs.iter().all(|run| run[figure].as_f64().is_some_and(|n| n > 0.0)), "{figure} in {result}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn server_and_load_are_kept_on_cpus_of_their_own() {
    let output = compare(&["--models", "select", "--pin", "--json", "-"]);
    if std::thread::available_parallelism().is_ok_and(|cpus| cpus.get() > 1) {
        success(&output);
        let report: Value = serde_json::from_str(stdout(&output)).expect("stdout is JSON only");
        assert_eq!(report["settings"]["pinned"], true);
    } else {
        let told = failure(&output, 1);
        assert!(told.contains("pinning needs two"), "{told}");
    }
}

#[test]
fn a_peer_is_what_models_are_compared_with() {
    let peer = serve(&["--model", "thread-per-client"]);
    let named = format!("raw={}", peer.address);
    let pid = peer.running.child.id().to_string();
    let output = compare(&["--models", "select", "--peer", &named, "--pid", &pid]);
    success(&output);
    let table = stdout(&output);
    assert!(table.contains("CPU / raw"), "{table}");
    assert!(table.lines().any(|line| line.starts_with("| raw ")), "{table}");
    drop(peer);
}

/// Compares a server with one model, with one connection.
fn compare_once(server: &str) -> std::process::Output {
    pentaport(&["compare", "--models", "select", "--connections", "1", "--duration", "50ms", "--server", server])
}

/// A command for `--server`: this program's echo server, with these options.
fn own(name: &str, options: &str) -> String {
    format!("{name}='{}' serve --listen 127.0.0.1:0 {options}", env!("CARGO_BIN_EXE_pentaport"))
}

#[test]
fn servers_are_started_for_each_measurement_and_the_first_is_the_yardstick() {
    let mine = own("mine", "--model event-select --threads {threads}");
    let other = own("other", "--model overlapped-event");
    let output = compare(
        &[
            &["--models", "select", "--server", &mine, "--server", &other, "--threads", "3", "--idle", "5"][..],
            &["--runs", "2", "--json", "-"],
        ]
        .concat(),
    );
    success(&output);
    let report: Value = serde_json::from_str(stdout(&output)).expect("stdout is JSON only");
    assert_eq!(report["yardstick"], "mine");
    assert_eq!(report["scenarios"][1]["idle"], 5);
    let results = report["results"].as_array().unwrap();
    let names: Vec<_> = results.iter().map(|result| result["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["select", "mine", "other", "select", "mine", "other"]);
    for result in results {
        assert_eq!(result["failed_runs"], 0, "{result}");
        assert_eq!(result["runs"].as_array().unwrap().len(), 2);
        let ratio = result["cpu_ratio_to_yardstick"]["median"].as_f64().expect("a server's CPU time is known");
        assert!(ratio > 0.0);
        if result["name"] == "mine" {
            assert_eq!(ratio, 1.0);
            assert!(result["server_threads"]["median"].as_f64().is_none_or(|threads| threads >= 3.0), "{result}");
        }
    }
}

#[test]
fn a_churn_counts_connections() {
    let output = compare(&["--models", "completion-port", "--churn", "--server", &own("mine", "--model select")]);
    success(&output);
    let table = stdout(&output);
    let header = table.lines().find(|line| line.starts_with("| model ")).expect("a table");
    assert!(header.contains(" connections/s ") && header.contains(" server CPU µs/connection "), "{header}");
    assert_eq!(table.lines().filter(|line| is_measured(line)).count(), 4, "{table}");
}

#[test]
fn a_server_that_fails_is_told_and_the_others_are_measured() {
    let program = env!("CARGO_BIN_EXE_pentaport");
    for (server, part) in [
        ("bad=/no/such/program".to_owned(), "cannot start /no/such/program: "),
        (format!("bad='{program}' --version"), "the server did not say where it listens, but: pentaport "),
        (
            format!("bad='{program}' serve --model kqueue"),
            "the server did not start; the server's first words: pentaport: ",
        ),
    ] {
        let output = compare_once(&server);
        let line = failure(&output, 1);
        assert!(line.starts_with("bad failed with 1 connection: ") && line.contains(part), "{line}");
        let table = stdout(&output);
        let row = table.lines().find(|line| line.starts_with("| select ")).expect("it has its row");
        assert!(is_measured(row), "{row}");
    }
}

/// A server that fails once in a while is not to pass for one that works.
#[cfg(unix)]
#[test]
fn a_server_that_ends_badly_after_its_work_has_failed() {
    let program = env!("CARGO_BIN_EXE_pentaport");
    let server =
        format!("bad=sh -c '{program} serve --listen 127.0.0.1:0 & trap \"kill $!; wait; exit 3\" TERM; wait'");
    let output = compare_once(&server);
    let line = failure(&output, 1);
    assert!(line.starts_with("bad failed with 1 connection: the server ended with exit status: 3"), "{line}");
}

#[test]
fn a_peer_that_is_no_echo_server_fails_and_the_others_are_measured() {
    use std::io::Write;
    let talks = server(|mut stream, _| while stream.write_all(b"0123456789").is_ok() {});
    let output = compare(&["--models", "select", "--peer", &format!("talker={talks}")]);
    let line = failure(&output, 1);
    assert!(line.starts_with("talker failed with 1 connection: "), "{line}");
    assert!(line.contains("is not an echo server"), "{line}");
    let hint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(hint.contains(&format!("`pentaport load {talks} -c 1`")), "{hint}");
    let table = stdout(&output);
    let row = table.lines().find(|line| line.starts_with("| talker ")).expect("it has its row");
    assert!(!row.contains("echo server"), "{row}");
    for connections in ["1 connection", "4 connections"] {
        let line = format!("talker failed with {connections}: ");
        assert_eq!(table.lines().filter(|row| row.starts_with(&line)).count(), 1, "{line} in {table}");
    }
    let row = table.lines().find(|line| line.starts_with("| select ")).expect("it has its row");
    assert!(is_measured(row), "{row}");
}

#[test]
fn what_cannot_be_measured_is_told_before_anything_runs() {
    let peer = format!("gone={}", unused_address());
    let echo = format!("echo={}", echo_server());
    let no_pid = (u32::MAX - 1).to_string();
    for (arguments, status, part) in [
        (&["--models", "select,kqueue"][..], 2, "kqueue"),
        (&["--models", "kqueue"], 2, "thread-per-client, select"),
        (&["--connections", "0"], 2, "at least 1"),
        (&["--peer", "127.0.0.1:7"], 2, "not NAME=ADDR:PORT"),
        (&["--peer", "x=nowhere"], 1, "the port is missing"),
        (&["--server", "./server"], 2, "not NAME=COMMAND"),
        (&["--server", "x='./server"], 2, "its command cannot be read"),
        (&["--server", "select=./server"], 1, "the name select is there twice"),
        (&["--server", "x=./server", "--peer", "x=127.0.0.1:7"], 1, "the name x is there twice"),
        (&["--pid", "1"], 1, "1 --pid for 0 --peer"),
        (&["--peer", &echo, "--pid", &no_pid], 1, "there is no process"),
        (&["--json", "/no/such/directory/x.json"], 1, "cannot write /no/such/directory/x.json"),
        (&["--churn", "--idle", "1"], 2, "cannot be used with"),
        (&["--connections", "4000000000"], 1, LIMIT),
        (&["--connections", "1", "--idle", "4000000000"], 1, LIMIT),
        // Last, since it takes a measurement to find out.
        (&["--models", "select", "--peer", &peer, "--connections", "1", "--duration", "50ms"], 1, "connection refused"),
    ] {
        let line = failure(&pentaport(&[&["compare"], arguments].concat()), status);
        assert!(line.contains(part), "{arguments:?}: {line}");
    }
}

#[cfg(unix)]
#[test]
fn a_server_that_cannot_begin_is_told_by_its_own_words_alone() {
    let command = format!(
        "ulimit -n 80 && exec {} compare --models select --threads 200 --connections 1 --duration 50ms",
        env!("CARGO_BIN_EXE_pentaport")
    );
    let output = Running::spawn(std::process::Command::new("sh").args(["-c", &command])).output();
    let line = failure(&output, 1);
    let prefix =
        "select failed with 1 connection: cannot serve: no descriptors for a worker: too many open sockets (WSAEMFILE ";
    let code = line.strip_prefix(prefix).unwrap_or_else(|| panic!("{line}"));
    assert!(code.ends_with(')') && !code.contains(':'), "{line}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_with_the_rows_that_are_done() {
    use std::io::Read;
    let (tell, when) = std::sync::mpsc::channel();
    let hangs = server(move |mut stream, _| {
        stream.read_exact(&mut [0]).expect("a message comes");
        let _ = tell.send(());
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let peer = format!("hangs={hangs}");
    let running = Running::start(
        &[
            &["compare", "--models", "select", "--duration", "50ms", "--connections", "2,3", "--timeout", "1h"][..],
            &["--peer", &peer],
        ]
        .concat(),
    );
    when.recv_timeout(DEADLINE).expect("the peer is loaded");
    signal(&running, "INT");
    let output = running.output();
    interrupted(&output);
    let table = stdout(&output);
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert_eq!(rows.len(), 1, "{table}");
    assert!(rows[0].starts_with("| select ") && is_measured(rows[0]), "{table}");
    assert!(table.lines().any(|line| line.starts_with("Interrupted: ")), "{table}");
}
