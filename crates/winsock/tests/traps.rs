//! Traps of Linux alone: descriptors that run out, SIGPIPE, and handles that look like descriptors.
//!
//! Each test changes its whole process, so it runs in one of its own: the test program starts itself again.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::ffi::c_void;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::ptr::null_mut;
use std::time::{Duration, Instant};

use winsock::*;

const CHILD: &str = "WINSOCK_TRAPS_CHILD";
const DEADLINE_MS: u32 = 30_000;

#[test]
fn accepting_goes_on_when_descriptors_are_free_again() {
    in_child("accepting_goes_on_when_descriptors_are_free_again", || {
        let port = port();
        let (listener, address) = listener();
        associate(listener, port);
        let mut accepts: Vec<Accept> = (0..2).map(|_| Accept::start(listener)).collect();
        // The clients have their descriptors before there are none.
        let clients = [tcp(), tcp()];
        let hoard = exhaust_descriptors();
        for client in clients {
            connect_to(client, address);
        }
        // The edges that announced the connections are over. An engine that cannot accept without a descriptor is
        // silent now; one that can may answer.
        let mut accepted = Vec::new();
        while let Some(packet) = get(port, 100) {
            accepted.push(packet);
        }
        // Waiting for a descriptor costs next to nothing.
        let before = processor_time();
        assert_eq!(get(port, 1000), None);
        let used = processor_time() - before;
        assert!(used < Duration::from_millis(300), "{used:?} of a second");
        drop(hoard);
        while accepted.len() < clients.len() {
            accepted.push(get(port, DEADLINE_MS).expect("accepted when descriptors are free again"));
        }
        let expected: Vec<_> = accepts.iter().map(|accept| (accept.address(), true)).collect();
        assert_eq!(accepted, expected, "in order and with success");

        // The listener works on.
        accepts.push(Accept::start(listener));
        let _client = TcpStream::connect(address).unwrap();
        assert_eq!(get(port, DEADLINE_MS), Some((accepts[2].address(), true)));
    });
}

#[test]
fn an_acceptors_own_descriptor_serves_the_next_socket_if_it_is_as_new() {
    in_child("an_acceptors_own_descriptor_serves_the_next_socket_if_it_is_as_new", || {
        let port = port();
        let (listener, address) = listener();
        associate(listener, port);
        let mut clients = Vec::new();
        let mut accept_into = |acceptor| {
            let accept = Accept::start_into(listener, acceptor);
            clients.push(TcpStream::connect(address).unwrap());
            assert_eq!(get(port, DEADLINE_MS), Some((accept.address(), true)));
        };

        let before = sockets();
        let acceptor = tcp();
        let own: Vec<String> = sockets().difference(&before).cloned().collect();
        assert_eq!(own.len(), 1);
        accept_into(acceptor);
        let before = sockets();
        assert!(before.contains(&own[0]), "kept");
        let next = tcp();
        assert_eq!(sockets(), before, "handed on");

        // An option was set on it: the socket that came after would have it too.
        let on = 1;
        // SAFETY: the value is an int.
        assert_eq!(unsafe { setsockopt(next, SOL_SOCKET, SO_KEEPALIVE, (&raw const on).cast(), 4) }, 0);
        accept_into(next);
        assert!(!sockets().contains(&own[0]), "closed");
    });
}

#[test]
fn descriptors_that_are_kept_are_there_for_whoever_lacks_one() {
    in_child("descriptors_that_are_kept_are_there_for_whoever_lacks_one", || {
        let port = port();
        let (listener, address) = listener();
        associate(listener, port);
        let accept = Accept::start(listener);
        let _client = TcpStream::connect(address).unwrap();
        assert_eq!(get(port, DEADLINE_MS), Some((accept.address(), true)));
        let _hoard = exhaust_descriptors();
        // SAFETY: no pointers.
        let datagram = || unsafe { socket(i32::from(AF_INET), SOCK_DGRAM, IPPROTO_UDP) };
        assert_ne!(datagram(), INVALID_SOCKET);
        assert_eq!(datagram(), INVALID_SOCKET, "it was one");
    });
}

#[test]
fn edges_are_looked_at_although_packets_keep_coming() {
    in_child("edges_are_looked_at_although_packets_keep_coming", || {
        let (port, server) = (port(), tcp());
        let peer = TcpListener::bind("127.0.0.1:0").unwrap();
        connect_to(server, peer.local_addr().unwrap());
        associate(server, port);
        let overlapped: *mut OVERLAPPED = Box::leak(Box::default());
        let data = WSABUF { len: 8, buf: vec![0u8; 8].leak().as_mut_ptr() };
        let mut flags = 0;
        // SAFETY: the buffer and the OVERLAPPED live for ever.
        let result = unsafe { WSARecv(server, &data, 1, null_mut(), &mut flags, overlapped, None) };
        // SAFETY: no pointers.
        assert_eq!((result, unsafe { WSAGetLastError() }), (SOCKET_ERROR, WSA_IO_PENDING));
        for _ in 0..1000 {
            // SAFETY: no pointers but a null one, which is only passed on.
            assert_eq!(unsafe { PostQueuedCompletionStatus(port, 0, 7, null_mut()) }, TRUE);
        }
        std::io::Write::write_all(&mut peer.accept().unwrap().0, b"x").unwrap();
        for _ in 0..200 {
            assert_eq!(get(port, 0), None, "a posted packet has no OVERLAPPED here");
        }
        // SAFETY: the OVERLAPPED lives for ever.
        let status = unsafe { std::ptr::read_volatile(&raw const (*overlapped).Internal) };
        assert_eq!(status as u32 as NTSTATUS, STATUS_SUCCESS, "received, behind the packets that were posted before");
    });
}

#[test]
fn a_send_to_a_closed_peer_raises_no_signal() {
    in_child("a_send_to_a_closed_peer_raises_no_signal", || {
        // Rust's runtime ignores SIGPIPE; a program in C does not, and would die.
        // SAFETY: the default disposition needs nothing of the program.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        let peer = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = tcp();
        connect_to(socket, peer.local_addr().unwrap());
        drop(peer.accept().unwrap());
        let start = Instant::now();
        let mut failures = 0;
        while failures < 3 {
            assert!(start.elapsed() < Duration::from_secs(30), "no send fails");
            // SAFETY: the buffer has one byte.
            let sent = unsafe { send(socket, b"x".as_ptr(), 1, 0) };
            failures += u32::from(sent == SOCKET_ERROR);
        }
        let mut overlapped = OVERLAPPED::default();
        let buffer = WSABUF { len: 1, buf: b"x".as_ptr().cast_mut() };
        // SAFETY: the socket is known to have failed, so the call fails at once and keeps none of these.
        let sent = unsafe { WSASend(socket, &buffer, 1, null_mut(), 0, &mut overlapped, None) };
        assert_eq!(sent, SOCKET_ERROR);
    });
}

#[test]
fn a_file_for_a_closed_peer_raises_no_signal() {
    in_child("a_file_for_a_closed_peer_raises_no_signal", || {
        // SAFETY: the default disposition needs nothing of the program.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        let program = std::ffi::CString::new("/proc/self/exe").unwrap();
        // SAFETY: the name ends with a zero, the other pointers are not used.
        let file = unsafe {
            let share = FILE_SHARE_READ | FILE_SHARE_WRITE;
            CreateFileA(program.as_ptr().cast(), GENERIC_READ, share, null_mut(), OPEN_EXISTING, 0, null_mut())
        };
        assert_ne!(file, INVALID_HANDLE_VALUE);
        let peer = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = tcp();
        connect_to(socket, peer.local_addr().unwrap());
        drop(peer.accept().unwrap());
        let start = Instant::now();
        // The first goes into the kernel, whose answer to the next is what raises the signal.
        // SAFETY: no buffers, and no OVERLAPPED.
        while unsafe { TransmitFile(socket, file, 1, 0, null_mut(), null_mut(), 0) } == TRUE {
            assert!(start.elapsed() < Duration::from_secs(30), "no call fails");
        }
        // SAFETY: the handle is ours.
        unsafe { CloseHandle(file) };
    });
}

#[test]
fn handles_are_above_every_descriptor() {
    in_child("handles_are_above_every_descriptor", || {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: `limit` outlives the call.
        unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
        let sockets: Vec<SOCKET> = (0..100).map(|_| tcp()).collect();
        for handle in sockets.into_iter().chain([port() as usize]) {
            assert_eq!(handle % 4, 0, "the two lowest bits are free");
            assert!(handle as u64 > limit.rlim_cur, "{handle} is no descriptor");
            // SAFETY: asks about a number only.
            let flags = unsafe { libc::fcntl(handle as i32, libc::F_GETFD) };
            assert_eq!(flags, -1);
        }
    });
}

/// Runs `body` in a process of its own, for the test of this name.
fn in_child(name: &str, body: impl FnOnce()) {
    if std::env::var_os(CHILD).is_some() {
        start();
        return body();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--test-threads=1", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("running 1 test"), "no test is called {name}");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}:\n{text}{errors}", output.status);
}

/// What the process has used of its processors.
fn processor_time() -> Duration {
    // SAFETY: all zeros is a valid timespec.
    let mut time: libc::timespec = unsafe { std::mem::zeroed() };
    // SAFETY: `time` outlives the call.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) }, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Lowers the limit and opens descriptors until there are none.
fn exhaust_descriptors() -> Vec<std::fs::File> {
    // SAFETY: a limit below the present one may always be set.
    let lowered = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &libc::rlimit { rlim_cur: 64, rlim_max: 64 }) };
    assert_eq!(lowered, 0);
    let mut hoard = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        hoard.push(file);
    }
    assert!(hoard.len() > 8, "the limit is above what the process uses already");
    hoard
}

/// The sockets of the process, as the system names them.
fn sockets() -> BTreeSet<String> {
    let links = std::fs::read_dir("/proc/self/fd").unwrap().map(|entry| std::fs::read_link(entry.unwrap().path()));
    links.flatten().map(|link| link.to_string_lossy().into_owned()).filter(|link| link.starts_with("socket:")).collect()
}

/// An AcceptEx with its acceptor. It is never freed: the system may write to it.
struct Accept {
    overlapped: *mut OVERLAPPED,
}

impl Accept {
    fn address(&self) -> usize {
        self.overlapped as usize
    }

    fn start(listener: SOCKET) -> Self {
        Accept::start_into(listener, tcp())
    }

    fn start_into(listener: SOCKET, acceptor: SOCKET) -> Self {
        let mut accept_ex: LPFN_ACCEPTEX = None;
        let (guid, mut returned) = (WSAID_ACCEPTEX, 0);
        // SAFETY: the GUID, the pointer and the count have the sizes given and outlive the call.
        let result = unsafe {
            WSAIoctl(
                listener,
                SIO_GET_EXTENSION_FUNCTION_POINTER,
                (&raw const guid).cast(),
                size_of::<GUID>() as u32,
                (&raw mut accept_ex).cast::<c_void>(),
                size_of::<LPFN_ACCEPTEX>() as u32,
                &mut returned,
                null_mut(),
                None,
            )
        };
        assert_eq!(result, 0);
        let overlapped: *mut OVERLAPPED = Box::leak(Box::default());
        let buffer = vec![0u8; 64].leak();
        // SAFETY: the buffer has room for two addresses of 32 bytes; it and the OVERLAPPED live for ever.
        let ok = unsafe {
            accept_ex.unwrap()(listener, acceptor, buffer.as_mut_ptr().cast(), 0, 32, 32, &mut returned, overlapped)
        };
        // SAFETY: no pointers.
        let error = unsafe { WSAGetLastError() };
        assert!(ok != 0 || error == WSA_IO_PENDING, "AcceptEx: {error}");
        Self { overlapped }
    }
}

/// The next packet: the address of its OVERLAPPED, and whether the operation succeeded.
fn get(port: HANDLE, milliseconds: u32) -> Option<(usize, bool)> {
    let (mut bytes, mut key, mut overlapped) = (0, 0, null_mut());
    // SAFETY: the three variables outlive the call.
    let ok = unsafe { GetQueuedCompletionStatus(port, &mut bytes, &mut key, &mut overlapped, milliseconds) };
    (!overlapped.is_null()).then_some((overlapped as usize, ok != 0))
}

fn start() {
    let mut data = WSADATA::default();
    // SAFETY: `data` outlives the call.
    assert_eq!(unsafe { WSAStartup(0x0202, &mut data) }, 0);
}

fn tcp() -> SOCKET {
    // SAFETY: no pointers.
    let socket = unsafe { socket(i32::from(AF_INET), SOCK_STREAM, IPPROTO_TCP) };
    assert_ne!(socket, INVALID_SOCKET);
    socket
}

fn port() -> HANDLE {
    // SAFETY: no pointers but handles.
    let port = unsafe { CreateIoCompletionPort(INVALID_HANDLE_VALUE, null_mut(), 0, 1) };
    assert!(!port.is_null());
    port
}

fn associate(socket: SOCKET, port: HANDLE) {
    // SAFETY: no pointers but handles.
    assert_eq!(unsafe { CreateIoCompletionPort(socket as HANDLE, port, 0, 0) }, port);
}

fn listener() -> (SOCKET, SocketAddr) {
    let socket = tcp();
    let mut name = sockaddr(SocketAddr::from(([127, 0, 0, 1], 0)));
    let mut length = size_of::<SOCKADDR_IN>() as i32;
    // SAFETY: the name has `length` bytes; both outlive the calls.
    unsafe {
        assert_eq!(bind(socket, (&raw const name).cast(), length), 0);
        assert_eq!(listen(socket, 16), 0);
        assert_eq!(getsockname(socket, (&raw mut name).cast(), &mut length), 0);
    }
    (socket, SocketAddr::from(([127, 0, 0, 1], u16::from_be(name.sin_port))))
}

fn connect_to(socket: SOCKET, address: SocketAddr) {
    let name = sockaddr(address);
    // SAFETY: the name has the length given and outlives the call.
    let result = unsafe { connect(socket, (&raw const name).cast(), size_of::<SOCKADDR_IN>() as i32) };
    assert_eq!(result, 0);
}

fn sockaddr(address: SocketAddr) -> SOCKADDR_IN {
    let mut name = SOCKADDR_IN { sin_family: AF_INET, sin_port: address.port().to_be(), ..Default::default() };
    // 127.0.0.1 in network order.
    name.sin_addr.S_un.S_addr = INADDR_LOOPBACK.to_be();
    name
}
