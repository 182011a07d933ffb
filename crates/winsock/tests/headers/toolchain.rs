//! The compilers, the headers and the library that the checks use.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// What winsock-cc defines as well.
const PREDEFINED: [&str; 10] = [
    "-D_WIN32=1",
    "-D_WIN64=1",
    "-DWIN32=1",
    "-U__linux__",
    "-U__linux",
    "-Ulinux",
    "-U__unix__",
    "-U__unix",
    "-Uunix",
    "-fms-extensions",
];

/// A language, and the standard that the compiler follows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Language {
    C(&'static str),
    Cxx(&'static str),
}

pub(crate) const LANGUAGES: [Language; 6] = [
    Language::C("gnu11"),
    Language::C("gnu17"),
    Language::Cxx("gnu++11"),
    Language::Cxx("gnu++14"),
    Language::Cxx("gnu++17"),
    Language::Cxx("gnu++20"),
];

impl Language {
    pub(crate) fn is_cxx(self) -> bool {
        matches!(self, Self::Cxx(_))
    }

    /// The compiler with what makes it take Windows's sources.
    pub(crate) fn compiler(self) -> Command {
        self.compiler_of("")
    }

    /// The same; `suffix` is what gcc puts behind a language's name for other kinds of files than sources.
    fn compiler_of(self, suffix: &str) -> Command {
        let (program, language, standard) = match self {
            Self::C(standard) => ("gcc", "c", standard),
            Self::Cxx(standard) => ("g++", "c++", standard),
        };
        let mut command = Command::new(program);
        command.args(PREDEFINED).arg(format!("-std={standard}")).args(["-x", &format!("{language}{suffix}")]);
        command
    }

    /// What the compiler says of a source that it should have nothing to say of.
    pub(crate) fn complaints(self, source: &str) -> Option<String> {
        let mut command = self.compiler();
        // By -I and not by -isystem, which would keep it from warning of what is in the headers.
        command.args(["-Wall", "-Wno-format", "-fsyntax-only", "-I"]).arg(include()).arg("-");
        let output = run(&mut command, source.as_bytes());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (!output.status.success() || !said.is_empty()).then_some(said)
    }

    /// The text that the compiler sees of headers which are not ours, by their paths.
    pub(crate) fn text_of_the_systems(self, source: &str) -> BTreeMap<String, String> {
        let mut command = self.compiler();
        command.args(["-E", "-I"]).arg(include()).arg("-");
        let output = run(&mut command, source.as_bytes());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{self:?}: {said}\n{source}");

        let ours = include().display().to_string();
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        let mut path = None;
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            // `# 12 "/usr/include/stdio.h" 3 4`
            if let Some(marker) = line.strip_prefix("# ") {
                path = marker.split('"').nth(1).filter(|path| path.starts_with('/') && !path.starts_with(&ours));
            } else if let Some(path) = path.filter(|_| !line.trim().is_empty()) {
                let text = texts.entry(path.to_owned()).or_default();
                text.push_str(line.trim());
                text.push('\n');
            }
        }
        texts
    }

    /// As [`Self::output_of`], of a source in memory.
    pub(crate) fn output_of_text(self, name: &str, source: &str) -> String {
        let path = scratch(&format!("{name}.c"));
        fs::write(&path, source).unwrap();
        let output = self.output_of(&path, &[], b"");
        fs::remove_file(&path).unwrap();
        output
    }

    /// Builds a program, runs it with `input`, and gives what it prints.
    pub(crate) fn output_of(self, source: &Path, flags: &[&str], input: &[u8]) -> String {
        let program = scratch(&format!("{self:?}{flags:?}{}", source.file_stem().unwrap().display()));
        let mut command = self.compiler();
        command.args(["-Wall", "-Wno-format", "-isystem"]).arg(include()).args(flags).arg(source);
        command.args(["-x", "none"]).arg(library()).arg("-o").arg(&program);
        let folder = library().parent().unwrap();
        command.arg(format!("-Wl,-rpath,{}", folder.display()));
        let built = run(&mut command, b"");
        let said = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success() && said.is_empty(), "{self:?} {}: {said}", source.display());

        let output = run(&mut Command::new(&program), input);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{self:?} {}: {} {said}", source.display(), output.status);
        fs::remove_file(&program).unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Headers in the form in which the compiler reads them fastest. It goes with this.
pub(crate) struct Precompiled {
    header: PathBuf,
    result: PathBuf,
}

impl Precompiled {
    /// `name` is the test's own, as tests run beside each other.
    pub(crate) fn new(name: &str, language: Language, text: &str) -> Self {
        let header = scratch(&format!("{name}-{language:?}")).with_extension("h");
        let result = header.with_extension("h.gch");
        fs::write(&header, text).unwrap();
        let mut command = language.compiler_of("-header");
        command.args(["-Wall", "-Wno-format", "-I"]).arg(include()).arg(&header).arg("-o").arg(&result);
        let output = run(&mut command, b"");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{language:?}: {said}");
        Self { header, result }
    }

    /// The first line of a source that has it.
    pub(crate) fn include(&self) -> String {
        format!("#include \"{}\"\n", self.header.display())
    }
}

impl Drop for Precompiled {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.header);
        let _ = fs::remove_file(&self.result);
    }
}

pub(crate) fn include() -> PathBuf {
    package().join("include")
}

pub(crate) fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The names of all headers that a program can include, as `winsock2.h` or `sys/types.h`.
pub(crate) fn headers() -> Vec<String> {
    let mut names = Vec::new();
    for folder in ["", "sys"] {
        for entry in fs::read_dir(include().join(folder)).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                let name = entry.file_name().into_string().unwrap();
                names.push(if folder.is_empty() { name } else { format!("{folder}/{name}") });
            }
        }
    }
    names.sort();
    names
}

/// Pieces of headers, which others include several times with macros of theirs.
pub(crate) fn is_piece(header: &str) -> bool {
    ["ws_string_s.h", "ws_to_text.h", "ws_strsafe.h"].contains(&header)
}

/// The shared library, built for this.
pub(crate) fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let target = target_folder();
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(package()).args(["rustc", "--quiet", "-p", "winsock", "--lib", "--crate-type", "cdylib"]);
        command.arg("--target-dir").arg(&target);
        let output = run(&mut command, b"");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        target.join("debug/libwinsock.so")
    })
}

/// A file of this test's own.
fn scratch(name: &str) -> PathBuf {
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("headers-{}-{name}", std::process::id()))
}

/// Cargo's, which has the dependencies already.
fn target_folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}

fn run(command: &mut Command, input: &[u8]) -> Output {
    let name = command.get_program().to_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", OsStr::display(&name)));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A program that does not read all of it has closed its end.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}
