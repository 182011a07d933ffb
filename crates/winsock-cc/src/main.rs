//! `winsock-cc` and `winsock-c++`: gcc or clang, with what a Windows source needs.
//!
//! ```console
//! $ winsock-cc server.c -o server
//! $ winsock-c++ -O2 main.cpp pool.cpp -lws2_32 -lmswsock -o server
//! $ winsock-cc --explain server.c -o server      # the real command, and what would change in the sources
//! $ winsock-cc --check src                       # what of Windows the sources use and is not offered; compiles nothing
//! ```
//!
//! Arguments are gcc's and go on to it. The program's own sources and headers are translated into a temporary folder
//! first, as far as Microsoft's compiler takes what others do not; see `translate.rs` for what that is and `sources.rs` for
//! how the copies are found. Both drivers are one program, which looks at the name that it was called by.
#![forbid(unsafe_code)]

mod arguments;
mod check;
mod compiler;
mod encoding;
mod explain;
mod folders;
mod layout;
mod lexer;
mod libraries;
mod run;
mod sanitizers;
mod scratch;
mod sources;
mod translate;

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use translate::Language;

fn main() -> ExitCode {
    let mut arguments = env::args_os();
    let name = arguments.next().unwrap_or_default();
    let name = Path::new(&name).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let driver = if name.ends_with("++") { Language::Cpp } else { Language::C };
    let arguments: Vec<OsString> = arguments.collect();
    run::run(arguments, driver).unwrap_or_else(|error| {
        eprintln!("{name}: error: {error:#}");
        ExitCode::FAILURE
    })
}
