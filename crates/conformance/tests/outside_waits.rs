//! Operations complete for programs that wait for them in other ways than the calls made for it, and a program at rest
//! uses no processor time. Facts have no numbers for these.
#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use conformance::raw::{Begin, Event, Port, Request, listener};
use conformance::{child, is_child, until};
use pentaport::sys;
use sysinfo::{Pid, ProcessesToUpdate, System};

/// How long a process at rest is looked at.
const LOOK: Duration = Duration::from_millis(300);

/// Runs `program` in a process of its own, which begins to receive, says where it listens, and then does what it is
/// about until the operation is over. Sends it something, sees it say so, and then sees it rest.
fn run(name: &str, program: impl FnOnce()) {
    if is_child() {
        return program();
    }
    let mut process = child(name).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
    let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
    let mut line = |wanted: &str| {
        let found = lines.find_map(|line| Some(line.ok()?.split_once(wanted)?.1.to_owned()));
        found.unwrap_or_else(|| panic!("the program ends without saying '{wanted}'"))
    };
    let address: SocketAddr = line("listens: ").parse().expect("an address");
    let mut peer = TcpStream::connect(address).expect("a connection");
    line("waits");
    peer.write_all(b"hello").expect("the peer reads");
    assert_eq!(line("received: "), "hello");

    let pid = Pid::from_u32(process.id());
    let mut system = System::new().expect("a known system");
    let mut used = move || {
        system.refresh_processes(ProcessesToUpdate::Some(&[pid]), true);
        system.process(pid).expect("it runs").accumulated_cpu_time()
    };
    until("the program rests", || {
        let before = used();
        thread::sleep(LOOK);
        used() == before
    });
    // The end of its input ends the program.
    drop(process.stdin.take());
    assert!(process.wait().expect("its status").success());
}

/// A program that has begun to receive.
struct Started {
    request: Request,
    event: Event,
    _port: Option<Port>,
    _sockets: [conformance::raw::Socket; 2],
}

impl Started {
    fn new(port: Option<Port>) -> Started {
        let (listener, address) = listener();
        say(&format!("listens: {address}"));
        let (socket, _) = listener.accept().expect("the other process connects");
        if let Some(port) = &port {
            port.associate(&socket, 1).expect("the association");
        }
        let event = Event::manual(false);
        let request = Request::new(5).with_event(&event);
        assert_eq!(socket.wsa_recv(request), Begin::Pending);
        say("waits");
        Started { request, event, _port: port, _sockets: [listener, socket] }
    }

    fn finish(&self) {
        say(&format!("received: {}", String::from_utf8_lossy(&self.request.data())));
    }
}

fn say(line: &str) {
    println!("{line}");
    std::io::stdout().flush().expect("somebody reads");
}

/// Sits in a blocking read of the standard input until that ends.
fn read_input() {
    std::io::stdin().read_to_end(&mut Vec::new()).expect("the input can be read");
}

#[test]
fn a_program_that_spins_on_internal_sees_its_receive_complete() {
    run("a_program_that_spins_on_internal_sees_its_receive_complete", || {
        let started = Started::new(None);
        while !started.request.has_completed() {
            std::hint::spin_loop();
        }
        started.finish();
        read_input();
    });
}

#[test]
fn a_program_that_reads_its_input_has_its_receive_completed() {
    run("a_program_that_reads_its_input_has_its_receive_completed", || {
        let started = Started::new(None);
        thread::scope(|scope| {
            // Another thread looks; the one that began the operation sits in the read.
            scope.spawn(|| {
                until("the operation is over", || started.request.has_completed());
                started.finish();
            });
            read_input();
        });
    });
}

#[test]
fn a_program_that_waits_on_the_event_of_a_ports_socket_is_released() {
    run("a_program_that_waits_on_the_event_of_a_ports_socket_is_released", || {
        let started = Started::new(Some(Port::new(1)));
        assert_eq!(started.event.wait(sys::INFINITE), sys::WAIT_OBJECT_0);
        started.finish();
        read_input();
    });
}
