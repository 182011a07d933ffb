//! The programs in `programs/`, written for Windows: each built by the drivers and run here, and built by mingw and run
//! under Wine. Both have to print what stands in the file beside the source, and nothing else.
#![forbid(unsafe_code)]

mod common;

use common::{Folder, said, wine};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Has each program built and run on both systems, in a test of its own.
macro_rules! programs {
    ($($name:ident: $file:literal $(, mingw $option:literal)*;)*) => {
        $(#[test]
        fn $name() {
            same_on_both($file, &[$($option),*]);
        })*

        #[test]
        fn every_program_is_here() {
            let known = [$($file),*];
            for entry in fs::read_dir(folder()).expect("the programs") {
                let name = entry.expect("a program").file_name().to_string_lossy().into_owned();
                let is_source = !name.ends_with(".txt");
                assert!(!is_source || known.contains(&name.as_str()), "{name}");
            }
        }
    };
}

programs! {
    select_chat: "select_chat.c";
    event_select_threads: "event_select_threads.c";
    apc_server: "apc_server.cpp";
    iocp_acceptex: "iocp_acceptex.cpp";
    iocp_reuse: "iocp_reuse.cpp", mingw "-DNO_SOCKET_REUSE";
    iocp_file: "iocp_file.c";
    create_process: "create_process.c";
    transmit_file: "transmit_file.c";
    async_select_winmain: "async_select_winmain.cpp", mingw "-lgdi32";
    udp_overlapped: "udp_overlapped.c";
    udp_recvmsg: "udp_recvmsg.c";
    threadpool_io: "threadpool_io.cpp";
    http_server: "http_server.c";
    addresses_as_text: "addresses_as_text.c";
    locks_of_others: "locks_of_others.c";
    va_list_again: "va_list_again.c";
    va_list_classes: "va_list_classes.cpp";
    wide_poll: "wide_poll.cpp", mingw "-municode";
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs")
}

fn same_on_both(name: &str, mingw_options: &[&str]) {
    let source = folder().join(name);
    let path = source.to_str().expect("a path in UTF-8");
    let expected = fs::read_to_string(source.with_extension("txt")).expect("what the program prints");
    let stem = source.file_stem().expect("a name").to_string_lossy().into_owned();
    let is_c = name.ends_with(".c");

    let native = Folder::new(&stem);
    native.build(if is_c { "winsock-cc" } else { "winsock-c++" }, &["-Wall", "-Wextra", path, "-o", "program"]);
    let output = run(&native, &mut Command::new(native.path().join("program")));
    prints(&output, &expected, &format!("{name} on Linux"));

    let Some(wine) = wine::find(is_c) else {
        eprintln!("skipped: {name} under Wine: mingw or Wine is missing");
        return;
    };
    let windows = Folder::new(&format!("{stem}-wine"));
    wine.build(&windows, &source, mingw_options);
    let output = run(&windows, wine.command(&windows.path().join("program.exe")).current_dir(windows.path()));
    prints(&output, &expected, &format!("{name} under Wine"));
}

/// Runs a program in its folder; one that hangs is ended.
fn run(folder: &Folder, program: &mut Command) -> Output {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "100"]).arg(program.get_program()).args(program.get_args());
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(folder.path()).output().expect("a program")
}

#[track_caller]
fn prints(output: &Output, expected: &str, what: &str) {
    let printed = String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n");
    assert!(output.status.success(), "{what}: {:?}\n{}", output.status, said(output));
    assert_eq!(printed, expected, "{what}\n{}", String::from_utf8_lossy(&output.stderr));
}
