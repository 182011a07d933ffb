//! Builds what people use and lays it out below one folder.

use anyhow::{Context, ensure};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Arguments of `cargo xtask install`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where to install: bin, include/winsock, lib
    #[arg(long)]
    prefix: PathBuf,
    /// Build without optimization, for tests
    #[arg(long)]
    debug: bool,
}

/// The version of the binary interface: programs are bound to it by the library's soname.
const ABI: u32 = 0;

/// Builds and installs everything.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    fs::create_dir_all(&arguments.prefix).with_context(|| arguments.prefix.display().to_string())?;
    let prefix = arguments.prefix.canonicalize()?;
    let build = Build { is_debug: arguments.debug };
    programs(&build, &prefix.join("bin"))?;
    headers(&crate::root().join("crates/winsock/include"), &fresh(&prefix.join("include/winsock"))?)?;
    libraries(&build, &prefix.join("lib"))?;
    entry(&prefix.join("lib"))?;
    sanitizers(&prefix.join("include/winsock"), &prefix.join("lib"))?;
    for (file, text) in [
        ("lib/pkgconfig/winsock.pc", include_str!("install/winsock.pc")),
        ("lib/cmake/winsock/winsock-toolchain.cmake", include_str!("install/winsock-toolchain.cmake")),
        ("lib/cmake/winsock/winsock-is-windows.cmake", include_str!("install/winsock-is-windows.cmake")),
        ("lib/cmake/winsock/winsock-config.cmake", include_str!("install/winsock-config.cmake")),
        ("lib/cmake/winsock/winsock-config-version.cmake", include_str!("install/winsock-config-version.cmake")),
    ] {
        let path = prefix.join(file);
        fs::create_dir_all(path.parent().context("a file in the prefix")?)?;
        fs::write(&path, text.replace("@VERSION@", VERSION)).with_context(|| path.display().to_string())?;
    }
    println!("installed in {}: try {}/bin/winsock-cc --help", prefix.display(), prefix.display());
    Ok(ExitCode::SUCCESS)
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How cargo is asked.
struct Build {
    is_debug: bool,
}

impl Build {
    /// Carries out a cargo command with these arguments and, behind them, some for rustc.
    fn cargo(&self, arguments: &[&str], rustc: &[&str]) -> anyhow::Result<()> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(crate::root()).args(arguments);
        if !self.is_debug {
            cargo.arg("--release");
        }
        if !rustc.is_empty() {
            cargo.arg("--").args(rustc);
        }
        succeed(&mut cargo)
    }

    /// Where cargo puts a file that it built.
    fn built(&self, file: &str) -> PathBuf {
        target().join(if self.is_debug { "debug" } else { "release" }).join(file)
    }
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    crate::root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

fn programs(build: &Build, bin: &Path) -> anyhow::Result<()> {
    build.cargo(&["build", "-p", "pentaport-cli", "-p", "winsock-cc"], &[])?;
    fs::create_dir_all(bin)?;
    for program in ["pentaport", "winsock-cc"] {
        place(&build.built(program), &bin.join(program))?;
    }
    link("winsock-cc", &bin.join("winsock-c++"))
}

/// The engine as a library for C. Everyday builds know it as a Rust crate only, and link nothing.
fn libraries(build: &Build, lib: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(lib)?;
    let soname = format!("libwinsock.so.{ABI}");
    let flag = format!("link-arg=-Wl,-soname,{soname}");
    build.cargo(&["rustc", "-p", "winsock", "--crate-type", "cdylib"], &["-C", &flag])?;
    let file = format!("libwinsock.so.{VERSION}");
    place(&build.built("libwinsock.so"), &lib.join(&file))?;
    if file != soname {
        link(&file, &lib.join(&soname))?;
    }
    link(&soname, &lib.join("libwinsock.so"))?;
    build.cargo(&["rustc", "-p", "winsock", "--crate-type", "staticlib"], &[])?;
    place(&build.built("libwinsock.a"), &lib.join("libwinsock.a"))
}

/// `libwinsock_main.a`: the `main` of programs that begin elsewhere.
fn entry(lib: &Path) -> anyhow::Result<()> {
    let folder = fresh(&target().join("entry"))?;
    let (object, archive) = (folder.join("entry.o"), folder.join("libwinsock_main.a"));
    let source = crate::root().join("crates/winsock-cc/entry.c");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    succeed(Command::new(compiler).args(["-std=gnu11", "-O2", "-fPIC", "-c"]).arg(source).arg("-o").arg(&object))?;
    succeed(Command::new("ar").arg("rcs").arg(&archive).arg(&object))?;
    place(&archive, &lib.join("libwinsock_main.a"))
}

/// `libwinsock_tsan.so` and what goes with it, for programs under ThreadSanitizer.
fn sanitizers(include: &Path, lib: &Path) -> anyhow::Result<()> {
    let build = crate::root().join("crates/winsock-cc/tsan/build.sh");
    succeed(Command::new("sh").arg(build).arg(include).arg(lib))
}

/// Copies the headers, folders included.
fn headers(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => headers(&entry.path(), &target)?,
            false => place(&entry.path(), &target)?,
        }
    }
    Ok(())
}

/// The folder, empty: nothing of an earlier version stays.
fn fresh(folder: &Path) -> anyhow::Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(folder)?;
    Ok(folder.to_owned())
}

/// Copies a file to its place. What runs from there goes on with the old one.
fn place(from: &Path, to: &Path) -> anyhow::Result<()> {
    let new = to.with_extension("new");
    fs::copy(from, &new).with_context(|| format!("{} to {}", from.display(), to.display()))?;
    fs::rename(&new, to).with_context(|| to.display().to_string())
}

fn link(target: &str, at: &Path) -> anyhow::Result<()> {
    if at.symlink_metadata().is_ok() {
        fs::remove_file(at)?;
    }
    symlink(target, at).with_context(|| at.display().to_string())
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("{command:?}"))?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}
