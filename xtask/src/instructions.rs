//! Counts the instructions of the engine's hot paths and compares them with `bench/instructions.tsv`.
//!
//! Timings differ from machine to machine and from run to run; how many instructions a path takes does not, so that it can
//! be a test. Callgrind counts what one thread executes inside `hot_paths::counted` (see `bench/src/bin/hot_paths`): what
//! the kernel does is not in it. Two things make the counts vary all the same: another compiler, under which this only
//! warns; and the variants of memory functions that the C library picks by processor, which the tolerances cover.

use anyhow::{Context, bail, ensure};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Arguments of `cargo xtask instructions`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write the counts down as the ones to compare with
    #[arg(long)]
    accept: bool,
}

/// How often a path is walked. What happens now and then, such as the growth of a buffer, is spread over so many rounds.
const ROUNDS: u64 = 1000;

/// In percent, for a path that the table does not have yet.
const TOLERANCE: f64 = 5.0;

const HEADER: &str = "\
# Instructions per round of the engine's hot paths, and by how many percent a count may be above without being a
# regression. Compared, and with --accept written, by `cargo xtask instructions`. The counts hold for this compiler:
";

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let program = build()?;
    let compiler = compiler()?;
    let table = Table::read()?;
    std::fs::create_dir_all(profiles())?;
    let mut counts = Vec::new();
    for path in output(&mut Command::new(&program))?.lines() {
        counts.push((path.to_owned(), count(&program, path)?));
    }
    if arguments.accept {
        return table.accepting(counts, compiler).write().map(|()| ExitCode::SUCCESS);
    }
    let verdicts: Vec<Verdict> = counts.iter().map(|(path, count)| table.judge(path, *count)).collect();
    println!("{:>12} {:>10} {:>8}  path", "instructions", "table", "change");
    for ((path, count), verdict) in counts.iter().zip(&verdicts) {
        println!("{count:>12.0} {}  {path}{}", verdict.columns(), verdict.remark());
    }
    let gone = |row: &&Row| !counts.iter().any(|(path, _)| *path == row.path);
    let gone: Vec<&str> = table.rows.iter().filter(gone).map(|row| row.path.as_str()).collect();
    ensure!(gone.is_empty(), "bench/instructions.tsv has paths that are walked no more: {}", gone.join(", "));
    if !verdicts.iter().any(Verdict::fails) {
        return Ok(ExitCode::SUCCESS);
    }
    if table.compiler != compiler {
        println!("\nNot a failure: the table is of {}, and this is {compiler}.", table.compiler);
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!(
        "\nHot paths take more instructions than bench/instructions.tsv says, or are not in it. What they are spent on: \
         callgrind_annotate {}/PATH.out. If it is worth them: cargo xtask instructions --accept",
        profiles().display()
    );
    Ok(ExitCode::FAILURE)
}

/// Builds the program that walks the paths; returns where it is.
fn build() -> anyhow::Result<PathBuf> {
    let bench = crate::root().join("bench");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--release", "--locked", "--bin", "hot_paths", "--target-dir"]);
    cargo.arg(bench.join("target")).arg("--manifest-path").arg(bench.join("Cargo.toml"));
    ensure!(cargo.status().with_context(|| format!("{cargo:?}"))?.success(), "{cargo:?} failed");
    Ok(bench.join("target/release/hot_paths"))
}

/// The compiler's version and the system that it compiles for.
fn compiler() -> anyhow::Result<String> {
    let about = output(Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("-vV"))?;
    let field = |name| about.lines().find_map(|line| line.strip_prefix(name)).context("rustc -vV says it otherwise");
    Ok(format!("rustc {}, {}", field("release: ")?, field("host: ")?))
}

fn profiles() -> PathBuf {
    crate::root().join("bench/target/callgrind")
}

/// How many instructions a round of the path takes.
fn count(program: &Path, path: &str) -> anyhow::Result<f64> {
    let profile = profiles().join(format!("{}.out", path.replace(|c: char| !c.is_alphanumeric(), "-")));
    let mut callgrind = Command::new("valgrind");
    callgrind.args(["--quiet", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=hot_paths::counted"]);
    callgrind.arg(format!("--callgrind-out-file={}", profile.display()));
    // Nothing of it reaches the program: neither its size nor its settings of memory allocation.
    callgrind.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    output(callgrind.arg(program).args([path, &ROUNDS.to_string()]))?;
    let text = std::fs::read_to_string(&profile).with_context(|| profile.display().to_string())?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ")).context("callgrind wrote no total")?;
    Ok(total.trim().parse::<u64>()? as f64 / ROUNDS as f64)
}

/// What a command prints; what it says of errors goes where ours goes.
fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stderr(std::process::Stdio::inherit()).output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}

#[derive(Debug, PartialEq)]
struct Row {
    path: String,
    count: f64,
    tolerance: f64,
}

/// `bench/instructions.tsv`.
#[derive(Debug, PartialEq, Default)]
struct Table {
    compiler: String,
    rows: Vec<Row>,
}

/// How a count compares.
#[derive(Debug, PartialEq)]
enum Verdict {
    New,
    /// The table's count, and the difference in percent.
    Within(f64, f64),
    Above(f64, f64),
    Below(f64, f64),
}

impl Verdict {
    fn fails(&self) -> bool {
        matches!(self, Verdict::New | Verdict::Above(..))
    }

    fn columns(&self) -> String {
        match self {
            Verdict::New => format!("{:>10} {:>8}", "-", "-"),
            Verdict::Within(table, change) | Verdict::Above(table, change) | Verdict::Below(table, change) => {
                format!("{table:>10.0} {change:>+7.1}%")
            }
        }
    }

    fn remark(&self) -> &'static str {
        match self {
            Verdict::New => ": NOT IN THE TABLE",
            Verdict::Above(..) => ": TOO MANY",
            Verdict::Below(..) => ": fewer; accept the improvement, or it may be lost unseen",
            Verdict::Within(..) => "",
        }
    }
}

impl Table {
    fn file() -> PathBuf {
        crate::root().join("bench/instructions.tsv")
    }

    fn read() -> anyhow::Result<Table> {
        match std::fs::read_to_string(Table::file()) {
            Ok(text) => Table::parse(&text).context("bench/instructions.tsv"),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Table::default()),
            Err(error) => Err(error).context("bench/instructions.tsv"),
        }
    }

    fn parse(text: &str) -> anyhow::Result<Table> {
        let mut table = Table::default();
        for line in text.lines() {
            match line.split('\t').collect::<Vec<_>>()[..] {
                [comment] if comment.starts_with('#') => {}
                ["compiler", compiler] => table.compiler = compiler.to_owned(),
                [path, count, tolerance] => {
                    let row = Row { path: path.to_owned(), count: count.parse()?, tolerance: tolerance.parse()? };
                    table.rows.push(row);
                }
                _ => bail!("not path, count and tolerance: {line}"),
            }
        }
        Ok(table)
    }

    fn text(&self) -> String {
        let mut text = format!("{HEADER}compiler\t{}\n", self.compiler);
        for Row { path, count, tolerance } in &self.rows {
            let _ = writeln!(text, "{path}\t{count:.0}\t{tolerance}");
        }
        text
    }

    fn write(&self) -> anyhow::Result<()> {
        print!("{}", self.text());
        std::fs::write(Table::file(), self.text()).context("bench/instructions.tsv")
    }

    /// The table with other counts. Tolerances are kept.
    fn accepting(&self, counts: Vec<(String, f64)>, compiler: String) -> Table {
        let rows = counts.into_iter().map(|(path, count)| {
            let tolerance = self.row(&path).map_or(TOLERANCE, |row| row.tolerance);
            Row { path, count, tolerance }
        });
        Table { compiler, rows: rows.collect() }
    }

    fn row(&self, path: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.path == path)
    }

    fn judge(&self, path: &str, count: f64) -> Verdict {
        let Some(row) = self.row(path) else { return Verdict::New };
        let change = (count / row.count - 1.0) * 100.0;
        if change > row.tolerance {
            Verdict::Above(row.count, change)
        } else if change < -row.tolerance {
            Verdict::Below(row.count, change)
        } else {
            Verdict::Within(row.count, change)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table::parse("# words\ncompiler\trustc 1\na path\t1000\t5\nanother\t50\t2.5\n").expect("a table")
    }

    #[test]
    fn counts_are_judged_by_the_tolerance_of_their_path() {
        let table = table();
        assert_eq!(table.judge("a path", 1049.0).remark(), "");
        assert!(table.judge("a path", 1051.0).fails());
        assert_eq!(table.judge("a path", 500.0), Verdict::Below(1000.0, -50.0));
        assert!(!table.judge("a path", 500.0).fails());
        assert!(table.judge("another", 52.0).fails());
        assert!(table.judge("a third", 1.0).fails());
    }

    #[test]
    fn accepted_counts_are_read_back_with_their_tolerances() {
        let counts = vec![("another".to_owned(), 40.0), ("a third".to_owned(), 7.0)];
        let accepted = table().accepting(counts, "rustc 2".to_owned());
        assert_eq!(accepted.rows[0], Row { path: "another".to_owned(), count: 40.0, tolerance: 2.5 });
        assert_eq!(accepted.rows[1].tolerance, TOLERANCE);
        assert_eq!(Table::parse(&accepted.text()).expect("a table"), accepted);
    }

    #[test]
    fn a_line_that_is_no_row_is_refused() {
        assert!(Table::parse("a path\t1000\n").is_err());
        assert!(Table::parse("a path\tmany\t5\n").is_err());
    }
}
