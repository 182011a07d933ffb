//! Programs built by the drivers under gcc's sanitizers: what is right is silent, what is wrong is shown.
#![forbid(unsafe_code)]

mod common;

use common::Folder;
use std::fs;
use std::path::{Path, PathBuf};

/// What ThreadSanitizer ends a program with that has a race.
const RACE: Option<i32> = Some(66);

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// Builds a program of the tests with these options.
#[track_caller]
fn build(name: &str, options: &[&str]) -> Folder {
    let source = source(name);
    let stem = source.file_stem().expect("a name").to_string_lossy().into_owned();
    let folder = Folder::new(&format!("{stem}-sanitized-{}", options.join("")));
    let driver = if name.ends_with(".c") { "winsock-cc" } else { "winsock-c++" };
    let path = source.to_str().expect("a path in UTF-8");
    folder.build(driver, &[options, &["-g", "-O1", path, "-o", "program"]].concat());
    folder
}

/// Runs a case of a program and says what was unexpected.
fn fault(folder: &Folder, arguments: &[&str], code: Option<i32>, says: &str) -> Option<String> {
    let (printed, ended) = folder.execute("program", arguments);
    let races = printed.matches("WARNING: ThreadSanitizer").count();
    let right = ended == code && printed.contains(says) && (races > 0) == (code == RACE);
    (!right).then(|| format!("{arguments:?} ended with {ended:?}:\n{printed}"))
}

#[test]
fn what_each_primitive_hands_over_is_no_race() {
    let folder = build("sanitized/hand_over.cpp", &["-Wall", "-Wextra", "-fsanitize=thread"]);
    let (cases, _) = folder.execute("program", &[]);
    assert!(cases.lines().count() > 40, "{cases}");
    let faults: Vec<String> =
        cases.lines().filter_map(|case| fault(&folder, &[case], Some(0), "handed over\n")).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What a case with a race printed last, unless the race is shown. Two threads that come to the place in the same instant
/// may be missed, so it is tried many times.
fn not_shown(folder: &Folder, case: &str) -> Option<String> {
    let run = || fault(folder, &[case, "race"], RACE, "data race");
    (0..100).try_fold(None, |_, _| run().map(Some)).flatten()
}

#[test]
fn a_race_of_the_programs_own_is_shown() {
    let folder = build("sanitized/hand_over.cpp", &["-fsanitize=undefined,thread"]);
    let (cases, _) = folder.execute("program", &[]);
    assert!(cases.lines().count() > 40, "{cases}");
    let faults: Vec<String> = cases.lines().filter_map(|case| not_shown(&folder, case)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn libraries_of_the_program_share_what_is_known() {
    let folder = Folder::new("shared-sanitized");
    folder.write("give.c", "#include <windows.h>\nvoid Give(int *to, HANDLE event) { *to = 42; SetEvent(event); }\n");
    let main = "#include <windows.h>
        void Give(int *to, HANDLE event);
        static int data;
        static DWORD WINAPI Start(LPVOID event) { Give(&data, event); return 0; }
        int main() {
            HANDLE event = CreateEvent(NULL, FALSE, FALSE, NULL);
            CreateThread(NULL, 0, Start, event, 0, NULL);
            WaitForSingleObject(event, INFINITE);
            return data == 42 ? 0 : 1;
        }\n";
    folder.write("main.c", main);
    folder.build("winsock-cc", &["-fsanitize=thread", "-fPIC", "-shared", "give.c", "-o", "libgive.so"]);
    folder
        .build("winsock-cc", &["-fsanitize=thread", "main.c", "-L.", "-lgive", "-Wl,-rpath,$ORIGIN", "-o", "program"]);
    assert_eq!(folder.execute("program", &[]), (String::new(), Some(0)));
}

/// Builds a program of each way to write a server, and has it print what it prints without the sanitizer.
#[track_caller]
fn prints_the_same(name: &str, options: &[&str]) {
    let folder = build(name, options);
    let expected = fs::read_to_string(source(name).with_extension("txt")).expect("what the program prints");
    assert_eq!(folder.execute("program", &[]), (expected, Some(0)), "{name}");
}

/// Has each program of this list built and run under both sanitizers.
macro_rules! silent {
    ($($name:ident: $file:literal;)*) => {
        $(#[test]
        fn $name() {
            prints_the_same(concat!("programs/", $file), &["-fsanitize=address"]);
            prints_the_same(concat!("programs/", $file), &["-fsanitize=thread"]);
        })*
    };
}

silent! {
    select_chat: "select_chat.c";
    event_select_threads: "event_select_threads.c";
    apc_server: "apc_server.cpp";
    iocp_acceptex: "iocp_acceptex.cpp";
    iocp_reuse: "iocp_reuse.cpp";
    iocp_file: "iocp_file.c";
    transmit_file: "transmit_file.c";
    async_select_winmain: "async_select_winmain.cpp";
    udp_overlapped: "udp_overlapped.c";
    udp_recvmsg: "udp_recvmsg.c";
    threadpool_io: "threadpool_io.cpp";
    http_server: "http_server.c";
    wide_poll: "wide_poll.cpp";
    locks_of_others: "locks_of_others.c";
}
