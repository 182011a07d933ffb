//! `--check`: what a source tree uses of Windows that is not offered, found before anything is ported or compiled.
//!
//! Sources are read, not compiled, so that all that is missing is found at once and not up to the first error. A name
//! counts if Windows has it by the kept table (`names.tsv`), it does not work here, and no file of the tree declares it.

mod advice;
mod conditions;
mod declarations;
mod file;
mod names;
mod tree;

use crate::compiler::Compiler;
use crate::encoding;
use crate::layout::Layout;
use crate::translate::Language;
use anyhow::{Context, bail};
use encoding_rs::Encoding;
use names::{Kind, Names, State};
use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tree::Tree;

/// The option that asks for this.
pub(crate) const OPTION: &str = "--check";

/// Reads the files and folders that are named, and says what they lack: then the exit code is 1.
pub(crate) fn run(arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    let (paths, charset) = parse(arguments)?;
    let tree = Tree::read(&paths, charset)?;
    if tree.files.is_empty() {
        bail!("no source in C or C++ to check");
    }
    let findings = Findings::of(&tree);
    print!("{}", findings.report(tree.files.len()));
    Ok(if findings.lacks_anything() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The paths, and the encoding that an option names.
fn parse(arguments: &[OsString]) -> anyhow::Result<(Vec<PathBuf>, Option<&'static Encoding>)> {
    let (mut paths, mut charset) = (Vec::new(), None);
    for argument in arguments.iter().filter(|argument| *argument != OPTION) {
        match argument.to_str().and_then(|text| text.strip_prefix("-finput-charset=")) {
            Some(name) => charset = Some(encoding::named(name).with_context(|| format!("no encoding {name}"))?),
            None if argument.to_string_lossy().starts_with('-') => {
                bail!("{OPTION} takes files, folders and -finput-charset, not {}", argument.display())
            }
            None => paths.push(PathBuf::from(argument)),
        }
    }
    if paths.is_empty() {
        bail!("{OPTION} takes the files and folders to check");
    }
    Ok((paths, charset))
}

/// Something of Windows's that the tree uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Header,
    Function,
    Type,
    Constant,
}

impl What {
    fn word(self, count: usize) -> String {
        let (one, many) = match self {
            What::Header => ("header", "headers"),
            What::Function => ("function", "functions"),
            What::Type => ("type", "types"),
            What::Constant => ("constant or macro", "constants or macros"),
        };
        format!("{count} {}", if count == 1 { one } else { many })
    }
}

/// Where a name is used first, and how often in all.
struct Use<'a> {
    path: &'a Path,
    line: usize,
    count: usize,
    /// What is known of it and what to do.
    remark: String,
}

/// What the tree uses and Windows has.
#[derive(Default)]
struct Findings<'a> {
    missing: BTreeMap<(What, &'a str), Use<'a>>,
    /// Offered, and always fails.
    refused: BTreeMap<&'a str, Use<'a>>,
    offered: HashSet<&'a str>,
}

impl<'a> Findings<'a> {
    fn of(tree: &'a Tree) -> Findings<'a> {
        let names = Names::kept();
        let mut findings = Findings::default();
        findings.add_headers(tree, &names);
        for file in &tree.files {
            for found in file.uses() {
                if tree.declared.contains(found.name) {
                    continue;
                }
                let Some(name) = names.get(found.name) else { continue };
                let what = match name.kind {
                    Kind::Header => continue,
                    Kind::Function if found.is_call => What::Function,
                    Kind::Macro if found.is_call && names.has_forms(found.name) => What::Function,
                    Kind::Function => continue,
                    Kind::Macro if names.has_forms(found.name) => continue,
                    Kind::Type => What::Type,
                    Kind::Constant | Kind::Macro => What::Constant,
                };
                match name.state {
                    State::Works => {
                        findings.offered.insert(found.name);
                    }
                    State::Refused => {
                        let remark = "offered, but it always fails with an error (PLATFORM.md)".to_owned();
                        note(&mut findings.refused, found.name, &file.path, found.line, || remark);
                    }
                    // Words that other code has for its own ends: `small`, `hyper`.
                    State::Missing if what != What::Function && !is_windowss_spelling(found.name) => {}
                    State::Missing => {
                        let remark = || format!("not offered ({}); {}", name.place(), advice::of_name(&name));
                        note(&mut findings.missing, (what, found.name), &file.path, found.line, remark);
                    }
                }
            }
        }
        findings
    }

    fn add_headers(&mut self, tree: &'a Tree, names: &Names) {
        let layout = Layout::find().ok();
        let mut folders = Compiler::choose(Language::Cpp).include_folders(Language::Cpp);
        folders.extend(layout.map(|layout| layout.include));
        for file in &tree.files {
            for include in &file.includes {
                let lower = include.name.to_ascii_lowercase();
                let is_found = || {
                    folders.iter().any(|folder| folder.join(&include.name).is_file() || folder.join(&lower).is_file())
                };
                let known = names.get(&lower).filter(|name| name.kind == Kind::Header);
                match known {
                    Some(name) if name.state == State::Works => {
                        self.offered.insert(&include.name);
                    }
                    _ if tree.has(include, &file.path) || is_found() => {}
                    _ => {
                        let remark = || match known {
                            Some(_) => format!("not offered; {}", advice::of_header(&lower)),
                            None => format!("in no folder here; {}", advice::of_header(&lower)),
                        };
                        note(
                            &mut self.missing,
                            (What::Header, include.name.as_str()),
                            &file.path,
                            include.line,
                            remark,
                        );
                    }
                }
            }
        }
    }

    fn lacks_anything(&self) -> bool {
        !self.missing.is_empty()
    }

    fn report(&self, files: usize) -> String {
        let mut text = String::new();
        for ((what, name), place) in &self.missing {
            let word = what.word(1);
            text += &line(word.trim_start_matches("1 "), name, place);
        }
        for (name, place) in &self.refused {
            text += &line("note: function", name, place);
        }
        let files = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
        let offered = self.offered.len();
        if self.missing.is_empty() {
            writeln!(text, "nothing is missing: {files}, {offered} of Windows's names, all offered")
        } else {
            let counts: Vec<String> = [What::Header, What::Function, What::Type, What::Constant]
                .into_iter()
                .map(|what| (what, self.missing.keys().filter(|(of, _)| *of == what).count()))
                .filter(|(_, count)| *count > 0)
                .map(|(what, count)| what.word(count))
                .collect();
            writeln!(text, "missing in {files}: {}; {offered} other names of Windows's are offered", counts.join(", "))
        }
        .expect("a string takes every line");
        text
    }
}

/// Counts a use; what comes first stays the place.
fn note<'a, K: Ord>(
    uses: &mut BTreeMap<K, Use<'a>>,
    key: K,
    path: &'a Path,
    line: usize,
    remark: impl FnOnce() -> String,
) {
    uses.entry(key).or_insert_with(|| Use { path, line, count: 0, remark: remark() }).count += 1;
}

/// As compilers say it, so that editors find the place.
fn line(what: &str, name: &str, place: &Use) -> String {
    let more = if place.count > 1 { format!(", {} places", place.count) } else { String::new() };
    format!("{}:{}: {what} {name}{more}: {}\n", place.path.display(), place.line, place.remark)
}

fn is_windowss_spelling(name: &str) -> bool {
    name.contains('_') || name.chars().any(char::is_uppercase)
}
