//! The servers that the models are measured beside, and building all of them.

use anyhow::{Context, ensure};
use std::collections::BTreeMap;
use std::process::{Command, Stdio};

/// What the models are compared with: a plain edge-triggered epoll loop.
pub(super) const YARDSTICK: &str = "epoll";
/// The same once more: how far a program is from itself.
pub(super) const YARDSTICK_AGAIN: &str = "epoll-again";
/// The same with a thread more that does nothing: what that alone costs.
const YARDSTICK_WITH_THREAD: &str = "epoll-idle-thread";
/// The completion port by the safe crate, without `pentaport-server`.
pub(super) const SAFE: &str = "pentaport-echo";
/// The completion port by the raw functions.
pub(super) const RAW: &str = "winsock-echo";
/// What a Rust programmer would pick instead.
pub(super) const RUNTIMES: [&str; 3] = ["tokio", "compio", "monoio"];

/// Name and program of `bench/`, with its options.
const IN_RUST: [(&str, &str); 9] = [
    (YARDSTICK, "epoll-echo"),
    (YARDSTICK_AGAIN, "epoll-echo"),
    (YARDSTICK_WITH_THREAD, "epoll-echo --idle-thread"),
    ("io_uring", "uring-echo"),
    ("tokio", "tokio-echo"),
    ("compio", "compio-echo"),
    ("monoio", "monoio-echo"),
    (SAFE, "pentaport-echo"),
    (RAW, "winsock-echo"),
];

/// A peer that needs a library of the system.
struct Native {
    name: &'static str,
    program: &'static str,
    compiler: &'static str,
    language: &'static str,
    source: &'static str,
    flags: &'static [&'static str],
    header: &'static str,
    /// Debian's package with the header.
    package: &'static str,
}

const NATIVE: [Native; 2] = [
    Native {
        name: "asio",
        program: "asio-echo",
        compiler: "c++",
        language: "c++",
        source: "bench/native/asio_echo.cpp",
        flags: &["-std=c++17", "-O2", "-pthread"],
        header: "asio.hpp",
        package: "libasio-dev",
    },
    Native {
        name: "libuv",
        program: "uv-echo",
        compiler: "cc",
        language: "c",
        source: "bench/native/uv_echo.c",
        flags: &["-O2", "-pthread", "-luv"],
        header: "uv.h",
        package: "libuv1-dev",
    },
];

/// What `pentaport` is built to, from the root.
pub(super) const PENTAPORT: &str = "target/release/pentaport";

/// A server that can be measured.
pub(super) struct Peer {
    pub(super) name: &'static str,
    /// From the root; `{threads}` is their number.
    pub(super) command: String,
}

impl Peer {
    fn new(name: &'static str, program: &str) -> Peer {
        Peer { name, command: format!("bench/target/release/{program} --threads {{threads}}") }
    }
}

/// Builds everything that is measured and says what is left out.
pub(super) fn build() -> anyhow::Result<Vec<Peer>> {
    // Where the commands that are printed expect them, wherever else cargo may have been told to build.
    cargo(&["build", "--release", "-p", "pentaport-cli", "--target-dir", "target"])?;
    let manifest = ["--manifest-path", "bench/Cargo.toml", "--target-dir", "bench/target"];
    cargo(&[&["build", "--release", "--bins"][..], &manifest].concat())?;
    let mut peers: Vec<Peer> = IN_RUST.iter().map(|&(name, program)| Peer::new(name, program)).collect();
    for native in &NATIVE {
        match native.is_installed() {
            true => peers.push(native.build()?),
            false => println!("{} is left out: {} is missing (Debian: {})", native.name, native.header, native.package),
        }
    }
    Ok(peers)
}

impl Native {
    fn is_installed(&self) -> bool {
        let include = format!("#include <{}>", self.header);
        let mut compiler = Command::new(self.compiler);
        compiler.args(["-x", self.language, "-E", "-", "-o", "/dev/null"]).stdin(Stdio::piped()).stderr(Stdio::null());
        let Ok(mut child) = compiler.spawn() else { return false };
        if let Some(mut stdin) = child.stdin.take() {
            // A compiler that does not read says by its status what it found.
            let _ = std::io::Write::write_all(&mut stdin, include.as_bytes());
        }
        child.wait().is_ok_and(|status| status.success())
    }

    fn build(&self) -> anyhow::Result<Peer> {
        let peer = Peer::new(self.name, self.program);
        let mut compiler = Command::new(self.compiler);
        compiler.arg(self.source).arg("-o").arg(format!("bench/target/release/{}", self.program)).args(self.flags);
        succeed(&mut compiler)?;
        Ok(peer)
    }
}

/// The versions of what takes part, as far as they are found.
pub(super) fn versions() -> BTreeMap<String, String> {
    let lock = std::fs::read_to_string(crate::root().join("bench/Cargo.lock")).unwrap_or_default();
    let mut versions: BTreeMap<String, String> = RUNTIMES
        .into_iter()
        .chain(["io-uring"])
        .filter_map(|name| Some((name.to_owned(), locked_version(&lock, name)?)))
        .collect();
    let mut told = |name: &str, command: &[&str]| {
        if let Some(version) = first_line(command) {
            versions.insert(name.to_owned(), version);
        }
    };
    told("rustc", &["rustc", "--version"]);
    for native in &NATIVE {
        told(native.name, &["dpkg-query", "-W", "-f=${Version}", native.package]);
        told(native.compiler, &[native.compiler, "--version"]);
    }
    versions
}

/// The version of a package that the bench is built with.
pub(super) fn version_of(package: &str) -> Option<String> {
    let lock = std::fs::read_to_string(crate::root().join("bench/Cargo.lock")).ok()?;
    locked_version(&lock, package)
}

/// The versions of a package in the text of a Cargo.lock: two, if two others ask for different ones.
fn locked_version(lock: &str, name: &str) -> Option<String> {
    let name = format!("name = \"{name}\"");
    let packages = lock.lines().zip(lock.lines().skip(1)).filter(|(line, _)| *line == name);
    let versions = packages.filter_map(|(_, line)| line.strip_prefix("version = \"")?.strip_suffix('"'));
    Some(versions.collect::<Vec<_>>().join(", ")).filter(|versions| !versions.is_empty())
}

/// What the tree is that was built.
pub(super) fn commit() -> String {
    let Some(commit) = first_line(&["git", "rev-parse", "--short=10", "HEAD"]) else { return "unknown".to_owned() };
    // The results of earlier cases are no change of what is measured.
    let changes = ["git", "status", "--porcelain", "-uno", "--", ".", ":!bench/results.json", ":!BENCHMARKS.md"];
    if first_line(&changes).is_some() { commit + ", changed" } else { commit }
}

/// The first line that a command prints, if it succeeds and prints any.
pub(super) fn first_line(command: &[&str]) -> Option<String> {
    let output = Command::new(command[0]).args(&command[1..]).current_dir(crate::root()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().map(str::trim).filter(|line| !line.is_empty())?;
    output.status.success().then(|| line.to_owned())
}

fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    succeed(Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())).args(arguments))
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command.current_dir(crate::root()).status().with_context(|| format!("{command:?}"))?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_the_lock_file() {
        let lock = "[[package]]\nname = \"tokio-macros\"\nversion = \"2.0.0\"\n\n[[package]]\nname = \"tokio\"\nversion = \"1.54.0\"\n\
                    \n[[package]]\nname = \"io-uring\"\nversion = \"0.6.4\"\n\n[[package]]\nname = \"io-uring\"\nversion = \"0.7.15\"\n";
        assert_eq!(locked_version(lock, "io-uring").as_deref(), Some("0.6.4, 0.7.15"));
        assert_eq!(locked_version(lock, "tokio").as_deref(), Some("1.54.0"));
        assert_eq!(locked_version(lock, "monoio"), None);
    }
}
