//! Servers in C and C++, compiled where their libraries are installed.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

pub fn uv() -> Result<String, String> {
    static PROGRAM: OnceLock<Result<String, String>> = OnceLock::new();
    let compile = || compile("uv.h", &["cc", "-xc"], "uv_echo.c", &["-luv"]);
    PROGRAM.get_or_init(compile).clone()
}

pub fn asio() -> Result<String, String> {
    static PROGRAM: OnceLock<Result<String, String>> = OnceLock::new();
    let compile = || compile("asio.hpp", &["c++", "-xc++"], "asio_echo.cpp", &["-std=c++17"]);
    PROGRAM.get_or_init(compile).clone()
}

/// The program; or what is missing.
fn compile(header: &str, [compiler, language]: &[&str; 2], source: &str, flags: &[&str]) -> Result<String, String> {
    let mut look = Command::new(compiler);
    look.args([language, "-E", "-", "-o", "/dev/null"]).stdin(Stdio::piped()).stderr(Stdio::null());
    let mut look = look.spawn().map_err(|error| format!("{compiler}: {error}"))?;
    writeln!(look.stdin.take().unwrap(), "#include <{header}>").unwrap();
    if !look.wait().unwrap().success() {
        return Err(format!("{header} is not installed"));
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("native").join(source);
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(source.file_stem().unwrap());
    let mut compile = Command::new(compiler);
    compile.args(["-Wall", "-Wextra", "-Werror", "-O2", "-pthread", "-o"]).args([&program, &source]).args(flags);
    assert!(compile.status().unwrap().success(), "{compile:?}");
    Ok(program.into_os_string().into_string().unwrap())
}
