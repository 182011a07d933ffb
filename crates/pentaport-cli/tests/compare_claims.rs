//! `pentaport compare`: scenarios, what is claimed, and what is kept; `pentaport report`.

#![forbid(unsafe_code)]

mod common;

use common::*;
use serde_json::Value;

/// Whether a row has latencies.
fn is_measured(row: &str) -> bool {
    row.contains(" µs ") || row.contains(" ms ")
}

/// A file of this test, removed with it.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        Scratch(std::env::temp_dir().join(format!("pentaport-{}-{name}", std::process::id())))
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("a path that is text")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.0).expect("the file is written")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The command with so many columns to write to.
fn pentaport_in(columns: &str, arguments: &[&str]) -> std::process::Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pentaport"));
    Running::spawn(command.env("COLUMNS", columns).args(arguments)).output()
}

/// Rounds that are enough to show something of two or three models, each longer than a tick of the clock of CPU time.
const ROUNDS: [&str; 4] = ["--runs", "14", "--duration", if cfg!(windows) { "60ms" } else { "10ms" }];

#[test]
fn the_default_scenarios_end_with_a_verdict_and_show_a_control() {
    let output = pentaport(
        &[&["compare", "--scenario", "one,64,churn", "--models", "select,completion-port"][..], &ROUNDS].concat(),
    );
    success(&output);
    let text = stdout(&output);
    for title in ["one connection", "64 busy", "connect, exchange, close"] {
        assert!(text.lines().any(|line| line == title), "{title} in {text}");
        assert!(text.lines().any(|line| line.starts_with(&format!("* {title}: "))), "a verdict on {title} in {text}");
    }
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(one_line.matches("Control, completion-port against itself: ").count(), 3, "{text}");
    assert!(one_line.contains("All 6 intervals of this run hold together with 95 %"), "{text}");
    let measured = if cfg!(windows) { "the system's own Winsock" } else { "this project's engine" };
    assert!(one_line.contains(&format!("What was measured is {measured}")), "{text}");
    assert!(text.lines().any(|line| line.starts_with("| select < completion-port ")), "{text}");
    assert!(
        one_line
            .contains("select < overlapped with events < event-select < overlapped with routines < completion port")
    );
}

#[test]
fn a_large_difference_is_claimed_and_ranks_follow_from_it() {
    // A thread for each client is much dearer where clients come and go.
    let saved = Scratch::new("claimed.json");
    let output =
        pentaport(
            &[
                &[
                    "compare",
                    "--scenario",
                    "churn",
                    "--models",
                    "thread-per-client,event-select",
                    "--save",
                    saved.path(),
                ][..],
                &["--runs", "14", "--duration", "50ms"],
            ]
            .concat(),
        );
    success(&output);
    let report: Value = serde_json::from_str(&saved.text()).expect("it is JSON");
    assert_eq!(report["schema"], 1);
    let claims = report["claims"].as_array().unwrap();
    // Where CPU time comes in coarse ticks, or the machine is very busy, there may be none: but never the opposite.
    for claim in claims {
        assert_eq!(
            (&claim["dearer"], &claim["than"]),
            (&"thread-per-client".into(), &"event-select".into()),
            "{claim}"
        );
        assert!(claim["ratio"].as_f64().unwrap() >= 1.05 && claim["low"].as_f64().unwrap() > 1.0, "{claim}");
    }
    let rank = |model: &str| {
        let row = stdout(&output).lines().find(|line| line.starts_with(&format!("| {model} "))).expect("its row");
        row.split('|').nth(2).expect("a rank").trim().to_owned()
    };
    assert_eq!(rank("event-select"), "1");
    assert_eq!(rank("thread-per-client"), if claims.is_empty() { "1" } else { "2" });
}

#[test]
fn few_rounds_claim_nothing_and_say_how_many_it_takes() {
    let output = pentaport(&["compare", "--models", "select,event-select", "-c", "1", "-d", "50ms"]);
    success(&output);
    let text = stdout(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("No difference is claimed"), "{text}");
    assert!(text.contains("--runs "), "{text}");
    assert!(!text.contains(" rank "), "no ranks without claims: {text}");
}

#[test]
fn a_model_named_twice_is_numbered() {
    let output = pentaport(&["compare", "--models", "select,event-select,select", "-c", "1", "-d", "50ms"]);
    success(&output);
    for name in ["select#1", "select#2", "event-select"] {
        let rows = stdout(&output).lines().filter(|line| line.starts_with(&format!("| {name} "))).count();
        assert_eq!(rows, 1, "{name} in {}", stdout(&output));
    }
}

#[test]
fn the_same_number_of_connections_twice_is_two_scenarios() {
    let output = pentaport(&["compare", "--models", "select", "-c", "2,2", "-d", "20ms", "--save", "-"]);
    success(&output);
    let report: Value = serde_json::from_str(stdout(&output)).expect("stdout is JSON only");
    let names: Vec<_> = report["results"].as_array().unwrap().iter().map(|cell| cell["scenario"].as_str()).collect();
    assert_eq!(names, [Some("2"), Some("2-again")]);
}

#[test]
fn a_scenario_that_does_not_fit_is_left_out_and_the_rest_runs() {
    let output = pentaport(&["compare", "--models", "select", "-c", "2,4000000000", "-d", "50ms"]);
    let line = failure(&output, 1);
    assert!(line.starts_with("left out: 4,000,000,000 connections: ") && line.contains(LIMIT), "{line}");
    let text = stdout(&output);
    assert!(text.lines().any(|line| line.starts_with("| select ") && is_measured(line)), "{text}");
    assert!(text.lines().any(|line| line.starts_with("* LEFT OUT: 4,000,000,000 connections: ")), "{text}");
}

#[cfg(unix)]
#[test]
fn the_default_scenarios_fit_a_low_limit_as_far_as_they_can() {
    let script = format!(
        "ulimit -n 400 && exec {} compare --scenario 64,1000,idle --models select --runs 2 --duration 20ms",
        env!("CARGO_BIN_EXE_pentaport")
    );
    let output = Running::spawn(std::process::Command::new("sh").args(["-c", &script])).output();
    let line = failure(&output, 1);
    assert!(line.starts_with("left out: 1,000 busy: ") && line.contains("RLIMIT_NOFILE"), "{line}");
    let text = stdout(&output);
    // 400 without those of the process itself and of the 64 busy connections.
    assert!(text.lines().any(|line| line == "64 busy among 200 idle"), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("| select ") && is_measured(line)).count(), 2, "{text}");
}

#[test]
fn memory_is_told_of_many_connections_and_threads_are_workers_and_others() {
    let arguments = ["--models", "select", "--connections", "4,1000", "--threads", "3", "-d", "50ms", "--save", "-"];
    let output = pentaport(&[&["compare"][..], &arguments].concat());
    success(&output);
    let report: Value = serde_json::from_str(stdout(&output)).expect("stdout is JSON only");
    let results = report["results"].as_array().unwrap();
    assert_eq!(results[0]["memory_per_connection_bytes"], Value::Null, "of the process's beginning");
    assert!(results[1]["memory_per_connection_bytes"]["median"].as_f64().unwrap() > 0.0);
    for result in results {
        if let Some(threads) = result["server_threads"]["median"].as_f64() {
            assert_eq!(result["server_workers"], 3);
            assert!(threads >= 3.0);
        }
    }
}

#[test]
fn compare_and_serve_have_the_same_number_of_workers() {
    let served = serve(&["--model", "select"]);
    let pid = served.running.child.id().to_string();
    let peer = format!("served={}", served.address);
    let arguments = ["--models", "select", "-c", "1", "-d", "50ms", "--peer", &peer, "--pid", &pid, "--save", "-"];
    let output = pentaport(&[&["compare"][..], &arguments].concat());
    success(&output);
    let report: Value = serde_json::from_str(stdout(&output)).expect("stdout is JSON only");
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    assert_eq!(report["settings"]["server_threads"], cpus);
    let threads = |index: usize| report["results"][index]["server_threads"]["median"].as_f64();
    // One that compare starts waits for the end of its input as well, in a thread.
    if let Some((started, served)) = threads(0).zip(threads(1)) {
        assert_eq!(started, served + 1.0);
    }
}

#[test]
fn sixty_columns_are_enough() {
    let output = pentaport_in(
        "60",
        &[&["compare", "--scenario", "one,churn", "--models", "select,overlapped-routine"][..], &ROUNDS].concat(),
    );
    success(&output);
    for line in stdout(&output).lines() {
        assert!(line.chars().count() <= 60, "{line}");
        assert!(!line.starts_with('|') || line.ends_with('|'), "{line}");
    }
    assert!(stdout(&output).contains(" p99 |"), "{}", stdout(&output));
}

#[test]
fn saved_runs_are_shown_again_and_set_side_by_side() {
    let (first, second, csv) = (Scratch::new("first.json"), Scratch::new("second.json"), Scratch::new("runs.csv"));
    let arguments = [&["compare", "--scenario", "one", "--models", "select,event-select"][..], &ROUNDS].concat();
    let printed = pentaport(&[&arguments[..], &["--save", first.path(), "--csv", csv.path()]].concat());
    success(&printed);
    let against = pentaport(&[&arguments[..], &["--save", second.path(), "--against", first.path()]].concat());
    success(&against);
    assert!(stdout(&against).contains("\nSide by side\n"), "{}", stdout(&against));

    let again = pentaport(&["report", first.path()]);
    success(&again);
    assert_eq!(stdout(&again), stdout(&printed), "a saved run is shown as it was");

    let both = pentaport(&["report", first.path(), second.path(), "--format", "markdown"]);
    success(&both);
    let text = stdout(&both);
    assert!(text.starts_with("### Side by side\n"), "{text}");
    for row in ["* A: pentaport ", "* B: pentaport ", "| select ", "| event-select ", "CPU B / A"] {
        assert!(text.contains(row), "{row} in {text}");
    }

    // Two models and the control, fourteen rounds each, and a line of names.
    assert_eq!(csv.text().lines().count(), 1 + 3 * 14, "{}", csv.text());
    let both = pentaport(&["report", first.path(), second.path(), "--format", "csv"]);
    success(&both);
    assert_eq!(stdout(&both).lines().count(), 1 + 2 * 3 * 14);
}

#[test]
fn latencies_are_kept_as_histograms() {
    let directory = Scratch::new("histograms");
    let arguments = ["compare", "--models", "select", "-c", "1,4", "-d", "50ms", "--hgrm", directory.path()];
    success(&pentaport(&arguments));
    for name in ["1-select.hgrm", "4-select.hgrm"] {
        let text = std::fs::read_to_string(directory.0.join(name)).expect("a histogram");
        assert!(text.contains("Percentile") && text.contains("#[Mean "), "{text}");
    }
}

#[test]
fn a_sweep_has_a_row_for_each_step() {
    let arguments = ["compare", "--models", "select,event-select", "--runs", "1", "--duration", "10ms"];
    let output = pentaport(&[&arguments[..], &["--sweep", "depth"]].concat());
    success(&output);
    for step in ["1 in flight", "16 in flight", "64 in flight"] {
        let rows = stdout(&output).lines().filter(|line| line.starts_with(&format!("| {step} "))).count();
        assert_eq!(rows, 4, "{step} in each of the tables of {}", stdout(&output));
    }
}

/// A server that is too slow for a rate is not measured with higher ones.
#[test]
fn a_sweep_by_rate_ends_where_a_server_breaks() {
    let slow = server(|stream, _| echo(stream, |_, _| std::thread::sleep(std::time::Duration::from_millis(2))));
    let peer = format!("slow={slow}");
    let arguments = ["compare", "--models", "select", "--peer", &peer, "--sweep", "rate", "--connections", "1"];
    let output = pentaport(&[&arguments[..], &["--runs", "1", "--duration", "100ms", "--save", "-"]].concat());
    success(&output);
    let report: Value = serde_json::from_str(stdout(&output)).expect("stdout is JSON only");
    let results = report["results"].as_array().unwrap();
    let steps = results.iter().filter(|result| result["name"] == "slow").count();
    assert_eq!(steps, 1, "500 a second is below the first step");
}

#[test]
fn what_is_no_saved_run_is_refused() {
    let wrong = Scratch::new("wrong.json");
    std::fs::write(&wrong.0, "{\"schema\": 99}").expect("a file");
    for (arguments, part) in [
        (&["report", "/no/such/file.json"][..], "cannot read /no/such/file.json"),
        (&["report", wrong.path()], "has schema version 99"),
        (&["compare", "--against", wrong.path()], "has schema version 99"),
    ] {
        let line = failure(&pentaport(arguments), 1);
        assert!(line.contains(part), "{line}");
    }
    std::fs::write(&wrong.0, "no JSON").expect("a file");
    assert!(failure(&pentaport(&["report", wrong.path()]), 1).contains("is no saved run"));
}
