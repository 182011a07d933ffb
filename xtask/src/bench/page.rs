//! BENCHMARKS.md: its tables are written between marks, the rest is people's.

use super::cases::{CASES, Case};
use super::format::{self, bytes, count, interval, median, micros, ratio, spread, three_digits};
use super::queue::CHANNELS;
use super::results::{
    CallsResult, CallsRound, CaseResult, Machine, Origin, QueueCase, QueueResult, QueueSubject, Results, Run,
    SubjectCalls, SubjectResult,
};
use super::{shell, targets};
use anyhow::Context;
use pentaport_cli::statistics::Summary;
use std::fmt::Write;

/// Columns of a printed command.
const WIDTH: usize = 120;
/// With fewer connections, memory is that of a server's beginning.
const MANY: usize = 1_000;

/// The page with its tables replaced.
pub(super) fn filled(page: &str, results: &Results) -> anyhow::Result<String> {
    let blocks = [
        ("origin", origins(results)),
        ("targets", targets::table(results)),
        ("cases", cases(results)),
        ("calls", calls(results)),
        ("queue", queue(results)),
    ];
    blocks.into_iter().try_fold(page.to_owned(), |page, (block, content)| replaced(&page, block, &content))
}

/// The page with what stands between the marks of a block replaced.
fn replaced(page: &str, block: &str, content: &str) -> anyhow::Result<String> {
    let (begin, end) = (format!("<!-- begin {block}"), format!("<!-- end {block} -->"));
    let missing = || format!("BENCHMARKS.md has no block '{begin} … -->' to '{end}'");
    let (before, rest) = page.split_once(&begin).with_context(missing)?;
    let (mark, rest) = rest.split_once("-->\n").with_context(missing)?;
    let (_, after) = rest.split_once(&end).with_context(missing)?;
    Ok(format!("{before}{begin}{mark}-->\n\n{}\n\n{end}{after}", content.trim_end()))
}

/// Machines and versions, mostly one.
fn origins(results: &Results) -> String {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for case in &CASES {
        let Some(result) = results.cases.get(case.name) else { continue };
        let told = origin(&result.machine, &result.origin);
        match groups.iter_mut().find(|(known, _)| *known == told) {
            Some((_, names)) => names.push(case.name),
            None => groups.push((told, vec![case.name])),
        }
    }
    match &groups[..] {
        [] => "Nothing is measured yet.".to_owned(),
        [(told, _)] => told.clone(),
        _ => groups.iter().map(|(told, names)| format!("Cases {}:\n\n{told}\n\n", names.join(", "))).collect(),
    }
}

fn origin(machine: &Machine, origin: &Origin) -> String {
    let known = [
        machine.cpu.clone(),
        Some(format!("{} CPUs", machine.cpus)),
        Some(format!("{} of memory", bytes(machine.memory_bytes as f64))),
        machine.system.clone(),
        machine.kernel.as_ref().map(|kernel| format!("kernel {kernel}")),
        Some(machine.architecture.clone()),
    ];
    let known: Vec<String> = known.into_iter().flatten().collect();
    let versions: Vec<String> = origin.versions.iter().map(|(name, version)| format!("{name}: {version}")).collect();
    format!("* Machine: {}\n* Versions: {}", known.join(", "), versions.join("; "))
}

fn cases(results: &Results) -> String {
    let shown = CASES.iter().filter_map(|case| Some(section(case, results.cases.get(case.name)?)));
    shown.collect::<Vec<_>>().join("\n")
}

fn section(case: &Case, result: &CaseResult) -> String {
    let mut text = format!("### {}\n\n", case.title);
    if !case.note.is_empty() {
        text = text + case.note + "\n\n";
    }
    text += &command(&result.origin, result.settings.runs);
    text += &figures(result);
    for subject in &result.subjects {
        if let Some((failed, why)) = subject.failure() {
            let runs = subject.runs.len();
            // Writing to a String cannot fail.
            let _ = write!(text, "\n{} failed in {failed} of {runs} runs: {}.\n", subject.name, why.replace('\n', " "));
        }
    }
    text
}

fn command(origin: &Origin, runs: usize) -> String {
    format!(
        "{}, commit {}; {runs} rounds:\n\n```console\n{}\n```\n\n",
        origin.date,
        origin.commit,
        shell::lines(&origin.command, WIDTH)
    )
}

fn figures(result: &CaseResult) -> String {
    let counted = if result.settings.churn { "connection" } else { "message" };
    let has_memory = !result.settings.churn && result.connections + result.settings.idle >= MANY;
    let yardstick = &result.yardstick;
    let mut header = vec!["server".to_owned(), format!("{counted}s/s")];
    if result.settings.churn {
        header.extend([format!("{counted}s/s / {yardstick}"), "95 %".to_owned()]);
    }
    header.extend(["p50", "p99", "p99.9"].map(str::to_owned));
    header.extend([format!("CPU µs/{counted}"), format!("CPU / {yardstick}"), "95 %".to_owned()]);
    if has_memory {
        header.push("memory/connection".to_owned());
    }
    let row = |subject: &SubjectResult| {
        let of = |figure: fn(&Run) -> Option<f64>| Summary::of(subject.figures(figure));
        let to_yardstick =
            |figure: fn(&Run) -> Option<f64>| Summary::of(result.ratios(&subject.name, yardstick, figure));
        let rate: fn(&Run) -> Option<f64> = |run| run.messages_per_second;
        let cpu: fn(&Run) -> Option<f64> = |run| run.server_cpu_us_per_message;
        let mut row = vec![subject.name.clone(), median(of(rate), count)];
        if result.settings.churn {
            row.extend([spread(to_yardstick(rate), ratio), interval(to_yardstick(rate), ratio)]);
        }
        let latencies: [fn(&Run) -> Option<f64>; 3] = [|run| run.p50_us, |run| run.p99_us, |run| run.p99_9_us];
        row.extend(latencies.map(|latency| median(of(latency), micros)));
        row.push(spread(of(cpu), three_digits));
        row.extend([spread(to_yardstick(cpu), ratio), interval(to_yardstick(cpu), ratio)]);
        if has_memory {
            row.push(median(of(|run| run.memory_per_connection_bytes), bytes));
        }
        row
    };
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    format::table(&header, &result.subjects.iter().map(row).collect::<Vec<_>>())
}

fn calls(results: &Results) -> String {
    let Some(CallsResult { origin, connections, subjects }) = &results.calls else {
        return "Not counted yet.".to_owned();
    };
    let kinds = |calls: &std::collections::BTreeMap<String, f64>| {
        let mut calls: Vec<(&String, f64)> = calls.iter().map(|(name, &calls)| (name, calls)).collect();
        calls.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        calls.iter().map(|(name, calls)| format!("{name} {calls:.3}")).collect::<Vec<_>>().join(", ")
    };
    let row = |subject: &SubjectCalls| {
        let totals = Summary::of(subject.rounds.iter().map(CallsRound::total));
        let these = match (&subject.error, subject.middle()) {
            (Some(error), _) => format!("failed: {}", error.replace('\n', " ")),
            (None, Some(round)) => kinds(&round.calls),
            (None, None) => format::none(),
        };
        vec![subject.name.clone(), spread(totals, |calls| format!("{calls:.3}")), these]
    };
    let rounds = subjects.iter().map(|subject| subject.rounds.len()).max().unwrap_or(0);
    let rows: Vec<Vec<String>> = subjects.iter().map(row).collect();
    format!(
        "{connections} connections. {}{}",
        command(origin, rounds),
        format::table(&["server", "calls/echo", "of these"], &rows)
    )
}

fn queue(results: &Results) -> String {
    let Some(QueueResult { origin, cases }) = &results.queue else { return "Not measured yet.".to_owned() };
    let runs = cases.iter().flat_map(|case| &case.subjects).map(|subject| subject.times.len()).max().unwrap_or(0);
    let row = |case: &QueueCase, subject: &QueueSubject| {
        let ratios = || Summary::of(case.ratios(&subject.name));
        vec![
            case.name.clone(),
            subject.name.clone(),
            format!("{} {}", spread(Summary::of(subject.times.iter().copied()), three_digits), case.unit),
            spread(ratios(), ratio),
            interval(ratios(), ratio),
            subject.beside.clone(),
        ]
    };
    let rows = cases.iter().flat_map(|case| case.subjects.iter().map(move |subject| row(case, subject)));
    let version = origin.versions.get(CHANNELS).map_or_else(String::new, |version| format!("{CHANNELS} {version}. "));
    let header = ["producers:consumers", "queue", "time", "×", "95 %", "of"];
    format!("{version}{}{}", command(origin, runs), format::table(&header, &rows.collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::super::results::tests::case;
    use super::*;

    const PAGE: &str = "# Title\n<!-- begin origin: by machine -->\nold\n<!-- end origin -->\nby hand\n<!-- begin targets -->\n<!-- \
                        end targets -->\n<!-- begin cases -->\n<!-- end cases -->\n<!-- begin calls -->\n<!-- end calls \
                        -->\n<!-- begin queue -->\n<!-- end queue -->\nthe end\n";

    #[test]
    fn tables_are_replaced_and_the_rest_is_kept() {
        let mut results = Results::default();
        let epoll = [2.0; 6];
        let select = [3.0, 3.0, 0.0, 3.0, 3.0, 3.0];
        results.cases.insert("64".into(), case(&[("epoll", &epoll), ("select", &select)]));
        let page = filled(PAGE, &results).unwrap();
        for kept in ["# Title\n", "\nby hand\n", "\nthe end\n", "<!-- begin origin: by machine -->\n"] {
            assert!(page.contains(kept), "{page}");
        }
        assert!(!page.contains("old"), "{page}");
        assert!(page.contains("\n* Machine: a CPU, 2 CPUs, 4.00 GiB of memory, Linux, kernel 6.1, x86_64\n"), "{page}");
        assert!(page.contains("### 64 connections\n"), "{page}");
        assert!(page.contains("\n$ pentaport 'two words'\n"), "{page}");
        assert!(
            page.contains("\n| select | 333,333 | – | – | – | 3.00 (3.00–3.00) | 1.50 (1.50–1.50) | – |\n"),
            "{page}"
        );
        assert!(page.contains("\nselect failed in 1 of 6 runs: reset.\n"), "{page}");
        assert_eq!(filled(&page, &results).unwrap(), page, "a second time changes nothing");
    }

    #[test]
    fn queues_are_shown_beside_their_channels() {
        let subject = |name: &str, times: &[f64]| QueueSubject {
            name: name.into(),
            beside: "channel".into(),
            times: times.into(),
        };
        let subjects = vec![subject("channel", &[10.0, 20.0]), subject("port", &[12.0, 26.0])];
        let case = QueueCase { name: "1:1".into(), unit: "ns per packet".into(), subjects };
        let queue = QueueResult { origin: Origin::default(), cases: vec![case] };
        let page = filled(PAGE, &Results { queue: Some(queue), ..Results::default() }).unwrap();
        let row = "\n| 1:1 | port | 19.0 (12.0–26.0) ns per packet | 1.25 (1.20–1.30) | – | channel |\n";
        assert!(page.contains(row), "{page}");
    }

    #[test]
    fn the_page_has_its_marks() {
        let page = std::fs::read_to_string(crate::root().join("BENCHMARKS.md")).unwrap();
        filled(&page, &Results::default()).unwrap();
    }

    #[test]
    fn a_page_without_its_marks_is_refused() {
        let error = filled("# Title\n", &Results::default()).unwrap_err().to_string();
        assert!(error.contains("no block '<!-- begin origin"), "{error}");
    }

    #[test]
    fn cases_of_different_machines_are_told_apart() {
        let mut results = Results::default();
        results.cases.insert("64".into(), case(&[("epoll", &[2.0])]));
        let mut other = case(&[("epoll", &[2.0])]);
        other.machine.cpus = 64;
        results.cases.insert("1000".into(), other);
        let told = origins(&results);
        assert!(told.contains("Cases 64:\n\n* Machine: a CPU, 2 CPUs") && told.contains("Cases 1000:"), "{told}");
    }
}
