//! The targets that this bench can judge, and whether they are met.

use super::cases::MODELS;
use super::format::{self, bytes, none, ratio};
use super::peers::{RAW, RUNTIMES, SAFE, YARDSTICK};
use super::queue::CHANNELS;
use super::results::{CallsRound, CaseResult, Results, Run};
use pentaport_cli::statistics::Summary;

const CPU: fn(&Run) -> Option<f64> = |run| run.server_cpu_us_per_message;
const RATE: fn(&Run) -> Option<f64> = |run| run.messages_per_second;
const MEMORY: fn(&Run) -> Option<f64> = |run| run.memory_per_connection_bytes;

/// The completion port, through all layers and through those that stand below.
const PORTS: [&str; 3] = ["completion-port", SAFE, RAW];

/// Bytes of an idle connection, and system calls of an echo beyond those of the plain loop.
const IDLE_BYTES: f64 = 512.0;
const MORE_CALLS: f64 = 0.05;

/// One line of the table.
#[derive(Debug, PartialEq)]
struct Judged {
    server: &'static str,
    what: String,
    bound: String,
    measured: String,
    verdict: &'static str,
}

#[derive(Clone, Copy)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// The table of targets.
pub(super) fn table(results: &Results) -> String {
    let rows: Vec<Vec<String>> = judge(results)
        .into_iter()
        .map(|row| vec![row.server.to_owned(), row.what, row.bound, row.measured, row.verdict.to_owned()])
        .collect();
    format::table(&["server", "what", "bound", "median [95 % interval], pairs", "verdict"], &rows)
}

fn judge(results: &Results) -> Vec<Judged> {
    let mut rows = Vec::new();
    let mut add = |server, what: String, bound, summary, runs, show: fn(f64) -> String| {
        rows.push(Judged {
            server,
            what,
            bound: told(bound, show),
            measured: measured(summary, runs, show),
            verdict: verdict(summary, bound),
        });
    };
    let case = |name: &str| results.cases.get(name);
    let compared = |name: &str, server: &str, to: &str, figure| {
        let ratios = case(name).map_or_else(Vec::new, |case| case.ratios(server, to, figure));
        (Summary::of(ratios.iter().copied()), ratios.len())
    };
    for server in PORTS {
        for (name, connections) in [("64", "64"), ("1000", "1,000"), ("10000", "10,000")] {
            let (summary, runs) = compared(name, server, YARDSTICK, CPU);
            add(
                server,
                format!("CPU / {YARDSTICK}, {connections} connections"),
                Bound::AtMost(1.05),
                summary,
                runs,
                ratio,
            );
            let best = case(name).and_then(best_runtime).unwrap_or("best of the runtimes");
            let (summary, runs) = compared(name, server, best, CPU);
            add(server, format!("CPU / {best}, {connections} connections"), Bound::AtMost(1.0), summary, runs, ratio);
        }
    }
    let models = [
        ("event-select", 1.2, 1.3),
        ("overlapped-event", 1.2, 1.3),
        ("overlapped-routine", 1.2, 1.3),
        ("async-select", 1.4, 1.4),
    ];
    for (server, few, many) in models {
        debug_assert!(MODELS.contains(&server));
        for (name, connections, bound) in [("64", "64", few), ("10000", "10,000", many)] {
            let (summary, runs) = compared(name, server, YARDSTICK, CPU);
            add(
                server,
                format!("CPU / {YARDSTICK}, {connections} connections"),
                Bound::AtMost(bound),
                summary,
                runs,
                ratio,
            );
        }
    }
    for server in PORTS {
        let (summary, runs) = compared("1MiB", server, YARDSTICK, CPU);
        add(server, format!("CPU / {YARDSTICK}, messages of 1 MiB"), Bound::AtMost(1.05), summary, runs, ratio);
    }
    for server in PORTS {
        let (summary, runs) = compared("churn", server, YARDSTICK, RATE);
        add(server, format!("connections/s / {YARDSTICK}"), Bound::AtLeast(0.95), summary, runs, ratio);
    }
    let of_idle: Vec<f64> = case("idle")
        .and_then(|case| case.subject(PORTS[0]))
        .map_or_else(Vec::new, |subject| subject.figures(MEMORY).collect());
    let summary = Summary::of(of_idle.iter().copied());
    add(PORTS[0], "memory of an idle connection".to_owned(), Bound::AtMost(IDLE_BYTES), summary, of_idle.len(), bytes);
    for (server, channel) in [("port, raw", "numbers"), ("port, safe", "boxes")] {
        for threads in ["1:1", "2:2"] {
            let cases = results.queue.iter().flat_map(|queue| &queue.cases);
            let ratios: Vec<f64> =
                cases.filter(|case| case.name == threads).flat_map(|case| case.ratios(server)).collect();
            let what = format!("time of a packet, {threads} / {CHANNELS} of {channel}");
            add(server, what, Bound::AtMost(1.5), Summary::of(ratios.iter().copied()), ratios.len(), ratio);
        }
    }
    for server in PORTS {
        let rounds = |name: &str| -> &[CallsRound] {
            let subject = results.calls.iter().flat_map(|calls| &calls.subjects).find(|subject| subject.name == name);
            subject.filter(|subject| subject.error.is_none()).map_or(&[], |subject| &subject.rounds)
        };
        let pairs = rounds(server).iter().zip(rounds(YARDSTICK));
        let more: Vec<f64> = pairs.map(|(own, plain)| own.total() - plain.total()).collect();
        let pairs = more.len();
        let what = format!("system calls/echo beyond {YARDSTICK}'s");
        add(server, what, Bound::AtMost(MORE_CALLS), Summary::of(more), pairs, |calls| format!("{calls:.3}"));
    }
    rows
}

/// The runtime that takes the least CPU time in this case.
fn best_runtime(case: &CaseResult) -> Option<&'static str> {
    let cost = |name: &str| Some(Summary::of(case.subject(name)?.figures(CPU))?.median);
    let costs = RUNTIMES.into_iter().filter_map(|name| Some((name, cost(name)?)));
    costs.min_by(|(_, one), (_, other)| one.total_cmp(other)).map(|(name, _)| name)
}

fn told(bound: Bound, show: fn(f64) -> String) -> String {
    match bound {
        Bound::AtMost(bound) => format!("≤ {}", show(bound)),
        Bound::AtLeast(bound) => format!("≥ {}", show(bound)),
    }
}

fn measured(summary: Option<Summary>, runs: usize, show: fn(f64) -> String) -> String {
    match summary {
        None => none(),
        Some(Summary { median, interval: Some((low, high)), .. }) => {
            format!("{} [{}–{}], {runs}", show(median), show(low), show(high))
        }
        Some(Summary { median, .. }) => show(median),
    }
}

/// What the median says, and whether all of its interval says the same.
fn verdict(summary: Option<Summary>, bound: Bound) -> &'static str {
    let Some(Summary { min, median, max, interval }) = summary else { return "not measured" };
    let (low, high) = interval.unwrap_or((min, max));
    let (best, worst, is_met): (f64, f64, fn(f64, f64) -> bool) = match bound {
        Bound::AtMost(_) => (low, high, |figure, bound| figure <= bound),
        Bound::AtLeast(_) => (high, low, |figure, bound| figure >= bound),
    };
    let (Bound::AtMost(bound) | Bound::AtLeast(bound)) = bound;
    match (is_met(best, bound), is_met(median, bound), is_met(worst, bound)) {
        (_, true, true) => "met",
        (_, true, false) => "met by the median",
        (true, false, _) => "missed by the median",
        (false, false, _) => "missed",
    }
}

#[cfg(test)]
mod tests {
    use super::super::results::tests::case;
    use super::super::results::{CallsResult, Origin, SubjectCalls};
    use super::*;

    fn row<'a>(rows: &'a [Judged], server: &str, what: &str) -> &'a Judged {
        rows.iter()
            .find(|row| row.server == server && row.what == what)
            .unwrap_or_else(|| panic!("{what} in {rows:#?}"))
    }

    #[test]
    fn a_median_within_its_bound_is_met_and_its_interval_is_told() {
        let verdict_of = |figures: &[f64], bound| verdict(Summary::of(figures.iter().copied()), bound);
        let rising = [1.0, 1.02, 1.03, 1.04, 1.05, 1.06];
        assert_eq!(verdict_of(&rising, Bound::AtMost(1.06)), "met");
        assert_eq!(verdict_of(&rising, Bound::AtMost(1.05)), "met by the median");
        assert_eq!(verdict_of(&rising, Bound::AtMost(1.01)), "missed by the median");
        assert_eq!(verdict_of(&rising, Bound::AtMost(0.99)), "missed");
        assert_eq!(verdict_of(&rising, Bound::AtLeast(1.0)), "met");
        assert_eq!(verdict_of(&rising, Bound::AtLeast(1.03)), "met by the median");
        assert_eq!(verdict_of(&rising, Bound::AtLeast(1.055)), "missed by the median");
        assert_eq!(verdict_of(&rising, Bound::AtLeast(1.07)), "missed");
        assert_eq!(verdict_of(&[], Bound::AtLeast(1.0)), "not measured");
    }

    #[test]
    fn the_best_runtime_of_the_case_is_what_counts() {
        let mut results = Results::default();
        let runs = |cpu: f64| vec![cpu; 15];
        let (epoll, tokio, compio, port) = (runs(10.0), runs(12.0), runs(8.0), runs(9.0));
        let measured = case(&[("epoll", &epoll), ("tokio", &tokio), ("compio", &compio), ("completion-port", &port)]);
        results.cases.insert("64".into(), measured);
        let rows = judge(&results);
        let to_epoll = row(&rows, "completion-port", "CPU / epoll, 64 connections");
        assert_eq!((to_epoll.measured.as_str(), to_epoll.verdict), ("0.90 [0.90–0.90], 15", "met"));
        let to_best = row(&rows, "completion-port", "CPU / compio, 64 connections");
        assert_eq!((to_best.measured.as_str(), to_best.verdict), ("1.12 [1.12–1.12], 15", "missed"));
        assert_eq!(row(&rows, "completion-port", "CPU / epoll, 1,000 connections").verdict, "not measured");
    }

    #[test]
    fn calls_and_memory_are_judged_too() {
        let mut results = Results::default();
        results.cases.insert("idle".into(), case(&[("completion-port", &[4.0; 6])]));
        let calls = |name: &str, calls: f64| SubjectCalls {
            name: name.into(),
            error: None,
            rounds: vec![CallsRound {
                messages: 1000,
                calls: [("recvfrom".to_owned(), 1.0), ("sendto".to_owned(), calls)].into(),
            }],
        };
        let subjects = vec![calls("epoll", 1.0), calls("completion-port", 1.04), calls(RAW, 1.06)];
        results.calls = Some(CallsResult { origin: Origin::default(), connections: 64, subjects });
        let rows = judge(&results);
        assert_eq!(row(&rows, "completion-port", "memory of an idle connection").verdict, "met");
        let what = "system calls/echo beyond epoll's";
        assert_eq!(row(&rows, "completion-port", what).verdict, "met");
        assert_eq!(row(&rows, RAW, what).verdict, "missed");
        assert_eq!(row(&rows, SAFE, what).verdict, "not measured");
    }
}
