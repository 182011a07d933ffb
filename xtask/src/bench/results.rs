//! What was measured, as `bench/results.json` keeps it: every run, so that any ratio can be computed again.

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// All cases, each as it was measured last.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Results {
    #[serde(default)]
    pub(super) cases: BTreeMap<String, CaseResult>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) calls: Option<CallsResult>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) queue: Option<QueueResult>,
}

/// What a reader has to know in order to believe or to repeat it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Origin {
    pub(super) date: String,
    pub(super) commit: String,
    pub(super) command: Vec<String>,
    pub(super) versions: BTreeMap<String, String>,
}

/// One case.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CaseResult {
    pub(super) origin: Origin,
    pub(super) machine: Machine,
    pub(super) settings: Settings,
    pub(super) connections: usize,
    pub(super) yardstick: String,
    pub(super) subjects: Vec<SubjectResult>,
}

/// As `compare` describes it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Machine {
    pub(super) cpu: Option<String>,
    pub(super) cpus: usize,
    pub(super) memory_bytes: u64,
    pub(super) system: Option<String>,
    pub(super) kernel: Option<String>,
    pub(super) architecture: String,
}

/// How a case was measured.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Settings {
    pub(super) churn: bool,
    pub(super) idle: usize,
    pub(super) message_bytes: usize,
    pub(super) depth: usize,
    pub(super) duration_seconds: f64,
    pub(super) runs: usize,
    pub(super) server_threads: usize,
    pub(super) load_threads: usize,
    pub(super) pinned: bool,
}

/// One server in one case.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SubjectResult {
    pub(super) name: String,
    /// Those of the same place in other subjects were made next to them in time.
    pub(super) runs: Vec<Run>,
}

/// One measurement, or why there is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Run {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) messages_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) p50_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) p99_us: Option<f64>,
    #[serde(rename = "p99.9_us", skip_serializing_if = "Option::is_none")]
    pub(super) p99_9_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_cpu_us_per_message: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_threads: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) memory_per_connection_bytes: Option<f64>,
}

/// System calls of each server.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CallsResult {
    pub(super) origin: Origin,
    pub(super) connections: usize,
    pub(super) subjects: Vec<SubjectCalls>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SubjectCalls {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    /// Those of the same place in other subjects were counted next to them in time.
    pub(super) rounds: Vec<CallsRound>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CallsRound {
    /// Messages over which they were counted.
    pub(super) messages: u64,
    /// For each message.
    pub(super) calls: BTreeMap<String, f64>,
}

/// A port and channels as queues between threads.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct QueueResult {
    pub(super) origin: Origin,
    pub(super) cases: Vec<QueueCase>,
}

/// As `queue` writes it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct QueueCase {
    /// Producers and consumers.
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) subjects: Vec<QueueSubject>,
}

/// As `queue` writes it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct QueueSubject {
    pub(super) name: String,
    /// The subject to which it is compared.
    pub(super) beside: String,
    /// Of every round.
    pub(super) times: Vec<f64>,
}

/// What `pentaport compare --json` writes, as far as it is kept.
#[derive(Deserialize)]
pub(super) struct Compared {
    machine: Machine,
    settings: ComparedSettings,
    pub(super) interrupted: bool,
    scenarios: Vec<ComparedScenario>,
    results: Vec<ComparedCell>,
}

#[derive(Deserialize)]
struct ComparedSettings {
    server_threads: usize,
    load_threads: usize,
    pinned: bool,
}

#[derive(Deserialize)]
struct ComparedScenario {
    connections: usize,
    churn: bool,
    idle: usize,
    message_bytes: usize,
    depth: usize,
    duration_seconds: f64,
}

#[derive(Deserialize)]
struct ComparedCell {
    name: String,
    runs: Vec<Run>,
}

impl Results {
    /// What is kept in the file; nothing if there is none.
    pub(super) fn read(file: &Path) -> anyhow::Result<Results> {
        match std::fs::read_to_string(file) {
            Ok(text) => serde_json::from_str(&text).with_context(|| format!("{}", file.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Results::default()),
            Err(error) => Err(error).with_context(|| format!("{}", file.display())),
        }
    }

    /// A line for each server of a case, so that a change shows which were measured again.
    pub(super) fn text(&self) -> anyhow::Result<String> {
        let mut text = String::new();
        write_value(&mut text, &serde_json::to_value(self)?, 0)?;
        Ok(text + "\n")
    }
}

impl CaseResult {
    /// `compared` is of one scenario.
    pub(super) fn new(origin: Origin, yardstick: &str, compared: Compared) -> anyhow::Result<CaseResult> {
        let scenario = compared.scenarios.first().context("nothing was measured")?;
        let ComparedSettings { server_threads, load_threads, pinned } = compared.settings;
        let settings = Settings {
            churn: scenario.churn,
            idle: scenario.idle,
            message_bytes: scenario.message_bytes,
            depth: scenario.depth,
            duration_seconds: scenario.duration_seconds,
            runs: compared.results.iter().map(|cell| cell.runs.len()).max().unwrap_or(0),
            server_threads,
            load_threads,
            pinned,
        };
        let connections = scenario.connections;
        let subjects = compared
            .results
            .into_iter()
            .map(|cell| SubjectResult { name: cell.name, runs: cell.runs.into_iter().map(Run::rounded).collect() });
        Ok(CaseResult {
            origin,
            machine: compared.machine,
            settings,
            connections,
            yardstick: yardstick.to_owned(),
            subjects: subjects.collect(),
        })
    }

    pub(super) fn subject(&self, name: &str) -> Option<&SubjectResult> {
        self.subjects.iter().find(|subject| subject.name == name)
    }

    /// Of a figure of one server to that of another in the run next to it. A run that failed has no ratio.
    pub(super) fn ratios(&self, name: &str, to: &str, figure: fn(&Run) -> Option<f64>) -> Vec<f64> {
        let (Some(subject), Some(to)) = (self.subject(name), self.subject(to)) else { return Vec::new() };
        let pairs = subject.runs.iter().zip(&to.runs);
        pairs.filter_map(|(run, to)| Some(figure(run)? / figure(to).filter(|&to| to > 0.0)?)).collect()
    }
}

impl SubjectResult {
    /// A figure of all runs that did not fail.
    pub(super) fn figures(&self, figure: fn(&Run) -> Option<f64>) -> impl Iterator<Item = f64> {
        self.runs.iter().filter_map(figure)
    }

    /// How many runs failed, and why the first of them.
    pub(super) fn failure(&self) -> Option<(usize, &str)> {
        let mut errors = self.runs.iter().filter_map(|run| run.error.as_deref());
        let first = errors.next()?;
        Some((1 + errors.count(), first))
    }
}

impl QueueCase {
    /// Of a subject's times to those of the subject that it is compared to, round by round.
    pub(super) fn ratios(&self, name: &str) -> Vec<f64> {
        let find = |name: &str| self.subjects.iter().find(|subject| subject.name == name);
        let Some((subject, beside)) = find(name).and_then(|subject| Some((subject, find(&subject.beside)?))) else {
            return Vec::new();
        };
        subject.times.iter().zip(&beside.times).map(|(own, beside)| own / beside).collect()
    }
}

impl SubjectCalls {
    /// The round with the median of all calls.
    pub(super) fn middle(&self) -> Option<&CallsRound> {
        let mut sorted: Vec<&CallsRound> = self.rounds.iter().collect();
        sorted.sort_by(|one, other| one.total().total_cmp(&other.total()));
        sorted.get(sorted.len() / 2).copied()
    }
}

impl CallsRound {
    /// Of all kinds, for each message.
    pub(super) fn total(&self) -> f64 {
        self.calls.values().sum()
    }
}

impl Run {
    fn rounded(self) -> Run {
        Run {
            error: self.error,
            messages_per_second: self.messages_per_second.map(round),
            p50_us: self.p50_us.map(round),
            p99_us: self.p99_us.map(round),
            p99_9_us: self.p99_9_us.map(round),
            server_cpu_us_per_message: self.server_cpu_us_per_message.map(round),
            server_threads: self.server_threads,
            memory_per_connection_bytes: self.memory_per_connection_bytes.map(round),
        }
    }
}

/// Five digits are more than any of it is exact to.
fn round(value: f64) -> f64 {
    format!("{value:.4e}").parse().unwrap_or(value)
}

/// Containers above this depth have a line for each member, those below are one line.
const DEEPEST_OPEN: usize = 3;

fn write_value(text: &mut String, value: &Value, depth: usize) -> anyhow::Result<()> {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(map) if depth <= DEEPEST_OPEN => {
            map.iter().map(|(key, value)| (format!("{}: ", Value::from(key.as_str())), value)).collect()
        }
        Value::Array(items) if depth <= DEEPEST_OPEN => items.iter().map(|item| (String::new(), item)).collect(),
        closed => return Ok(write!(text, "{closed}")?),
    };
    let (open, close) = if value.is_object() { ('{', '}') } else { ('[', ']') };
    text.push(open);
    for (index, (key, member)) in members.iter().enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        write!(text, "{:width$}{key}", "", width = 2 * (depth + 1))?;
        write_value(text, member, depth + 1)?;
    }
    if !members.is_empty() {
        write!(text, "\n{:width$}", "", width = 2 * depth)?;
    }
    text.push(close);
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A case of which only the CPU time of each server's runs is known; a run of zero failed.
    pub(crate) fn case(subjects: &[(&str, &[f64])]) -> CaseResult {
        let run = |&cpu: &f64| match cpu {
            0.0 => Run { error: Some("reset".into()), ..Run::default() },
            cpu => Run {
                server_cpu_us_per_message: Some(cpu),
                messages_per_second: Some(1e6 / cpu),
                memory_per_connection_bytes: Some(cpu * 100.0),
                ..Run::default()
            },
        };
        CaseResult {
            origin: Origin { command: vec!["pentaport".into(), "two words".into()], ..Origin::default() },
            machine: Machine {
                cpu: Some("a CPU".into()),
                cpus: 2,
                memory_bytes: 1 << 32,
                system: Some("Linux".into()),
                kernel: Some("6.1".into()),
                architecture: "x86_64".into(),
            },
            settings: Settings {
                churn: false,
                idle: 0,
                message_bytes: 64,
                depth: 1,
                duration_seconds: 1.0,
                runs: subjects.first().map_or(0, |(_, runs)| runs.len()),
                server_threads: 1,
                load_threads: 1,
                pinned: true,
            },
            connections: 64,
            yardstick: "epoll".into(),
            subjects: subjects
                .iter()
                .map(|(name, runs)| SubjectResult { name: (*name).to_owned(), runs: runs.iter().map(run).collect() })
                .collect(),
        }
    }

    #[test]
    fn a_case_that_is_measured_again_replaces_its_old_result_only() {
        let mut results = Results::default();
        results.cases.insert("64".into(), case(&[("epoll", &[1.0, 2.0])]));
        results.cases.insert("1000".into(), case(&[("epoll", &[3.0])]));
        let mut read: Results = serde_json::from_str(&results.text().unwrap()).unwrap();
        assert_eq!(read, results);
        read.cases.insert("64".into(), case(&[("epoll", &[4.0])]));
        assert_eq!(read.cases["64"], case(&[("epoll", &[4.0])]));
        assert_eq!(read.cases["1000"], results.cases["1000"]);
    }

    #[test]
    fn the_file_has_a_line_for_each_server() {
        let mut results = Results::default();
        results.cases.insert("64".into(), case(&[("epoll", &[1.0, 2.0]), ("select", &[0.0])]));
        let text = results.text().unwrap();
        let of = |name: &str| text.lines().filter(|line| line.contains(&format!("\"name\":\"{name}\""))).count();
        assert_eq!((of("epoll"), of("select")), (1, 1), "{text}");
        assert_eq!(Results::read(Path::new("/no/such/file")).unwrap(), Results::default());
    }

    #[test]
    fn ratios_are_of_neighbours() {
        let case = case(&[("epoll", &[1.0, 2.0, 0.0]), ("select", &[3.0, 0.0, 4.0])]);
        let cpu = |run: &Run| run.server_cpu_us_per_message;
        assert_eq!(case.ratios("select", "epoll", cpu), [3.0]);
        assert!(case.ratios("select", "nobody", cpu).is_empty());
        assert_eq!(case.subject("select").unwrap().failure(), Some((1, "reset")));
        assert_eq!(case.subject("epoll").unwrap().figures(cpu).collect::<Vec<_>>(), [1.0, 2.0]);
    }

    #[test]
    fn what_compare_writes_is_read() {
        let compared = r#"{
            "version": "0.1.0", "command": [], "yardstick": "epoll", "interrupted": false,
            "machine": {"cpu": null, "cpus": 2, "physical_cores": 2, "memory_bytes": 1, "system": null, "kernel": null,
                "architecture": "x86_64"},
            "settings": {"server_threads": 1, "load_threads": 1, "pinned": true, "seed": 1},
            "scenarios": [{"name": "64", "connections": 64, "churn": false, "idle": 0, "message_bytes": 64, "depth": 1,
                "duration_seconds": 1.0}],
            "results": [{"name": "epoll", "peer": true, "connections": 64, "error": "reset", "runs": [
                {"messages_per_second": 123456.789, "p50_us": 1.0, "p99_us": 2.0, "p99.9_us": 3.0,
                    "server_cpu_us_per_message": 7.0, "server_threads": 1, "memory_per_connection_bytes": null},
                {"error": "reset"}]}]
        }"#;
        let compared = serde_json::from_str(compared).unwrap();
        let case = CaseResult::new(Origin::default(), "epoll", compared).unwrap();
        assert_eq!(case.connections, 64);
        let runs = &case.subjects[0].runs;
        assert_eq!(runs[0].messages_per_second, Some(123_460.0));
        assert_eq!(runs[0].p99_9_us, Some(3.0));
        assert_eq!(runs[1], Run { error: Some("reset".into()), ..Run::default() });
    }
}
