//! The programs of `../shared/programs`, built as they are and served by.
#![forbid(unsafe_code)]

mod common;

use common::{Folder, network, root, said};
use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything here takes, unless it hangs.
const DEADLINE: Duration = Duration::from_secs(40);

/// The signal of a pointer that points nowhere.
const SIGSEGV: i32 = 11;

/// A program's source; `None`, with a word, where there are no programs.
fn source(name: &str) -> Option<String> {
    let folder: PathBuf = root().join("../shared/programs");
    let path = folder.canonicalize().ok()?.join(name);
    if path.is_file() {
        return Some(path.to_string_lossy().into_owned());
    }
    eprintln!("skipped: there is no {}", path.display());
    None
}

/// A program that runs until it is dropped.
struct Program(Child);

impl Program {
    fn start(folder: &Folder, name: &str) -> Program {
        let mut command = Command::new(folder.path().join(name));
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a program");
        Program(child)
    }

    fn output(&mut self) -> BufReader<ChildStdout> {
        BufReader::new(self.0.stdout.take().expect("a pipe"))
    }

    #[track_caller]
    fn still_runs(&mut self) {
        let ended = self.0.try_wait().expect("a child");
        assert!(ended.is_none(), "the server ended: {ended:?}");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A connection to a server that may only just be starting.
fn connect(port: u16) -> TcpStream {
    let start = Instant::now();
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => {
                stream.set_read_timeout(Some(DEADLINE)).expect("a time limit");
                stream.set_nodelay(true).expect("no delay");
                return stream;
            }
            Err(error) if start.elapsed() > DEADLINE => panic!("no server at {port}: {error}"),
            Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// Sends a text and reads it back.
#[track_caller]
fn echo(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).expect("send");
    let mut back = vec![0; text.len()];
    stream.read_exact(&mut back).expect("the echo");
    assert_eq!(String::from_utf8_lossy(&back), text);
}

/// Builds an echo server as it is, and has it serve: several connections under load, their ends, one that comes later, and
/// the client that came with it.
///
/// Most of these servers keep their connections in arrays that one thread adds to while another takes from them, without a
/// lock. So nobody may connect before the server is done with whoever has left: which an echo to one that stays shows.
fn serves(test: &str, name: &str, port: u16) {
    let Some(path) = source(name) else { return };
    if !network::is_inside(test) {
        return;
    }
    let folder = Folder::new(name);
    folder.build("winsock-cc", &[&path, "-o", "server"]);
    let mut server = Program::start(&folder, "server");

    // One at a time: some of these servers keep a single place for who comes next.
    let mut connections: VecDeque<TcpStream> = (0..8)
        .map(|number| {
            let mut stream = connect(port);
            echo(&mut stream, &format!("connection {number}"));
            stream
        })
        .collect();
    thread::scope(|scope| {
        for (number, stream) in connections.iter_mut().enumerate() {
            scope.spawn(move || {
                for message in 0..200 {
                    let filler = "x".repeat((number * 131 + message * 17) % 900);
                    echo(stream, &format!("{number} {message} {filler}"));
                }
            });
        }
    });

    // The first, then the last of those left, and so on: whoever leaves is never the last in the server's array, where its
    // last one takes a freed place. `select_server.c` never forgets the last.
    let mut stays = connections.remove(1).expect("a second connection");
    while let Some(mut stream) = connections.pop_front() {
        stream.shutdown(Shutdown::Write).expect("shutdown");
        assert_eq!(stream.read(&mut [0]).expect("the end"), 0, "the server closes what is over");
        connections.rotate_right(1.min(connections.len()));
    }
    echo(&mut stays, "after the others");
    let mut later = connect(port);
    echo(&mut later, "after the others, too");
    echo(&mut stays, "still here");
    server.still_runs();
    if port == 5150 {
        client_talks(&folder);
        server.still_runs();
    }
}

/// Builds `client.c` and talks through it.
fn client_talks(folder: &Folder) {
    let Some(path) = source("client.c") else { return };
    folder.build("winsock-cc", &[&path, "-o", "client"]);
    let mut client = Program::start(folder, "client");
    let mut input = client.0.stdin.take().expect("a pipe");
    // More than the pipe's buffer on the client's side holds back.
    let talk = "hello\nsecond message\n".to_owned() + &"and so on\n".repeat(500);
    input.write_all(talk.as_bytes()).expect("what the client sends");
    let mut heard = String::new();
    for line in client.output().lines() {
        heard += &line.expect("the client's output");
        if heard.contains("[5 bytes]: 'hello'") && heard.contains("[14 bytes]: 'second message'") {
            return;
        }
        assert!(heard.len() < 100_000, "{heard}");
    }
    panic!("the client ended: {heard}");
}

#[test]
fn select_server() {
    serves("select_server", "select_server.c", 5150);
}

#[test]
fn async_select_server() {
    serves("async_select_server", "async_select_server.c", 5150);
}

#[test]
fn event_select_server() {
    serves("event_select_server", "event_select_server.c", 5150);
}

/// Has the fault that it was printed with: it hands WSAGetOverlappedResult a pointer into the entry behind the last one,
/// which is NULL so far, and the first message ends it. So it does under Wine, at the same address.
#[test]
fn overlapped_event_server() {
    let Some(path) = source("overlapped_event_server.c") else { return };
    if !network::is_inside("overlapped_event_server") {
        return;
    }
    let folder = Folder::new("overlapped_event");
    folder.build("winsock-cc", &[&path, "-o", "server"]);
    let mut server = Program::start(&folder, "server");
    let mut stream = connect(5150);
    stream.write_all(b"hello").expect("send");
    let ended = server.0.wait().expect("the server's end");
    assert_eq!(ended.signal(), Some(SIGSEGV), "{ended:?}");
}

#[test]
fn overlapped_event_server_5050() {
    serves("overlapped_event_server_5050", "overlapped_event_server_5050.c", 5050);
}

#[test]
fn overlapped_routine_server() {
    serves("overlapped_routine_server", "overlapped_routine_server.c", 5150);
}

#[test]
fn overlapped_routine_server_5050() {
    serves("overlapped_routine_server_5050", "overlapped_routine_server_5050.c", 5050);
}

#[test]
fn completion_port_server() {
    serves("completion_port_server", "completion_port_server.c", 5150);
}

/// Written for 32 bits: a pointer goes through a DWORD, which has 32, twice. With these two changed it prints what clients
/// send.
#[test]
fn completion_port_printer() {
    let Some(path) = source("completion_port_printer_5050.cpp") else { return };
    if !network::is_inside("completion_port_printer") {
        return;
    }
    let folder = Folder::new("printer");
    let output = folder.run("winsock-c++", &[&path, "-o", "server"]);
    let errors = said(&output);
    let errors: Vec<&str> = errors.lines().filter(|line| line.contains(" error: ")).collect();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].contains(".cpp:85:") && errors[0].contains("cannot convert ‘LPDWORD’"), "{}", errors[0]);
    assert!(errors[1].contains(".cpp:151:") && errors[1].contains("loses precision"), "{}", errors[1]);

    let text = fs::read_to_string(&path).expect("the source");
    let edits = [
        ("(LPDWORD)&PerHandleData", "(PULONG_PTR)&PerHandleData"),
        ("(DWORD)PerHandleData", "(ULONG_PTR)PerHandleData"),
    ];
    let text = edits.into_iter().fold(text, |text, (from, to)| {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text.replace(from, to)
    });
    folder.write("printer.cpp", text);
    folder.build("winsock-c++", &["printer.cpp", "-o", "server"]);
    let mut server = Program::start(&folder, "server");
    let lines = server.output().lines();
    let mut stream = connect(5050);
    stream.write_all(b"hello").expect("send");
    let heard: Vec<String> = lines
        .map(|line| line.expect("the server's output"))
        .inspect(|line| {
            if line.ends_with("发送过来的消息：hello") {
                stream.shutdown(Shutdown::Both).expect("shutdown");
            }
        })
        .take(3)
        .collect();
    assert!(heard[0].starts_with("Socket ") && heard[0].ends_with("连接进来"), "{heard:?}");
    assert!(heard[1].ends_with("发送过来的消息：hello"), "{heard:?}");
    assert!(heard[2].starts_with("closing socket"), "{heard:?}");
    server.still_runs();
}
