//! Traps of Linux alone: descriptors that run out, SIGPIPE, and handles that look like descriptors.
//!
//! Each test changes its whole process, so it runs in one of its own: the test program starts itself again.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::ffi::c_void;
use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::process::Command;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use winsock::*;

const CHILD: &str = "WINSOCK_TRAPS_CHILD";
const DEADLINE_MS: u32 = 30_000;

/// What GetStdHandle answers for the standard input and output.
const STDIN: usize = 3;
const STDOUT: usize = 7;

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
fn acceptors_give_up_their_descriptors_for_connections() {
    in_child("acceptors_give_up_their_descriptors_for_connections", || {
        const ACCEPTORS: usize = 8;
        let port = port();
        let (listener, address) = listener();
        associate(listener, port);
        let accepts: Vec<Accept> = (0..ACCEPTORS).map(|_| Accept::start(listener)).collect();
        let clients: Vec<SOCKET> = (0..ACCEPTORS).map(|_| tcp()).collect();
        let late = tcp();
        let hoard = exhaust_descriptors();
        for client in clients {
            connect_to(client, address);
        }
        let accepted: Vec<_> = (0..ACCEPTORS).map(|_| get(port, DEADLINE_MS).expect("accepted")).collect();
        let expected: Vec<_> = accepts.iter().map(|accept| (accept.address(), true)).collect();
        assert_eq!(accepted, expected, "in order and with success");

        // What has no acceptor waits.
        connect_to(late, address);
        assert_eq!(get(port, 0), None);
        drop(hoard);
        let accept = Accept::start(listener);
        assert_eq!(get(port, DEADLINE_MS), Some((accept.address(), true)));
    });
}

#[test]
fn acceptors_above_a_lowered_limit_are_told() {
    in_child("acceptors_above_a_lowered_limit_are_told", || {
        let port = port();
        let (listener, address) = listener();
        associate(listener, port);
        let accepts: Vec<Accept> = (0..2).map(|_| Accept::start(listener)).collect();
        let client = tcp();
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: `limit` outlives the calls; a soft limit below the hard one may always be set.
        unsafe {
            assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit), 0);
            let lowered = libc::rlimit { rlim_cur: 3, ..limit };
            assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &lowered), 0);
        }
        connect_to(client, address);
        let told = (get(port, DEADLINE_MS).expect("told"), last_error());
        assert_eq!(told, ((accepts[0].address(), false), ERROR_TOO_MANY_OPEN_FILES));
        // SAFETY: as above. The connection is still there for the next.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
        assert_eq!(get(port, DEADLINE_MS).map(|(_, succeeded)| succeeded), Some(true));
    });
}

#[test]
fn a_lasting_refusal_of_connections_is_told_and_costs_nothing() {
    in_child("a_lasting_refusal_of_connections_is_told_and_costs_nothing", || {
        for (errno, wsa, win32) in [
            (libc::EPERM, WSAEACCES, ERROR_ACCESS_DENIED),
            (libc::EACCES, WSAEACCES, ERROR_ACCESS_DENIED),
            (libc::ENOSYS, WSASYSCALLFAILURE, ERROR_NOT_SUPPORTED),
        ] {
            // The filter is the thread's and its children's: each errno gets a process of its own.
            in_fork(|| refused_by(errno, wsa, win32));
        }
    });
}

fn refused_by(errno: i32, wsa: WSA_ERROR, win32: WIN32_ERROR) {
    refuse(libc::SYS_accept4, errno);
    let port = port();
    let (listener, address) = listener();
    associate(listener, port);
    let accepts: Vec<Accept> = (0..3).map(|_| Accept::start(listener)).collect();
    let _client = TcpStream::connect(address).unwrap();
    // Each is told, and no faster than it is tried again.
    let told: Vec<_> = accepts.iter().map(|_| (get(port, DEADLINE_MS).expect("told"), last_error())).collect();
    let expected: Vec<_> = accepts.iter().map(|accept| ((accept.address(), false), win32)).collect();
    assert_eq!(told, expected);

    // A program that starts anew what failed is told again and again, and does not spin.
    let before = processor_time();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(1) {
        let accept = Accept::start(listener);
        assert_eq!(get(port, DEADLINE_MS), Some((accept.address(), false)));
    }
    let used = processor_time() - before;
    assert!(used < Duration::from_millis(500), "{used:?} of a second");

    // A call is told at once, whether it may block or not.
    let mut on = 0;
    for _ in 0..2 {
        // SAFETY: no address is asked for; the mode outlives the call.
        unsafe {
            assert_eq!(ioctlsocket(listener, FIONBIO, &mut on), 0);
            assert_eq!((accept(listener, null_mut(), null_mut()), WSAGetLastError()), (INVALID_SOCKET, wsa));
        }
        on = 1;
    }
    // With operations that wait it can be closed.
    let accept = Accept::start(listener);
    // SAFETY: no pointers.
    assert_eq!(unsafe { closesocket(listener) }, 0);
    assert_eq!(get(port, DEADLINE_MS), Some((accept.address(), false)));
}

#[test]
fn a_call_that_blocks_works_without_an_eventfd_and_cannot_be_cancelled() {
    in_child("a_call_that_blocks_works_without_an_eventfd_and_cannot_be_cancelled", || {
        let (listener, address) = listener();
        let mut client = TcpStream::connect(address).unwrap();
        // SAFETY: no address is asked for.
        let socket = unsafe { accept(listener, null_mut(), null_mut()) };
        refuse(libc::SYS_eventfd2, libc::EMFILE);
        let thread = std::thread::spawn(move || {
            let mut byte = 0u8;
            // SAFETY: the byte outlives the call.
            (unsafe { recv(socket, &mut byte, 1, 0) }, byte)
        });
        for _ in 0..100 {
            // SAFETY: no pointers but a null one.
            let cancelled = unsafe { CancelIoEx(socket as HANDLE, null()) };
            assert_eq!((cancelled, last_error()), (FALSE, ERROR_NOT_FOUND));
            std::thread::yield_now();
        }
        std::io::Write::write_all(&mut client, b"x").unwrap();
        assert_eq!(thread.join().unwrap(), (1, b'x'));
    });
}

#[test]
fn reading_and_writing_standard_streams_is_cancelled() {
    in_child("reading_and_writing_standard_streams_is_cancelled", || {
        let mut pipes = [[0; 2]; 2];
        // SAFETY: each call gets room for two descriptors; 0 and 2 are the process's own to replace.
        unsafe {
            pipes.iter_mut().for_each(|pipe| assert_eq!(libc::pipe(pipe.as_mut_ptr()), 0));
            assert_eq!(libc::dup2(pipes[0][0], 0), 0);
        }
        let read = move || {
            let (mut byte, mut bytes) = (0u8, 0);
            // SAFETY: the byte and the count outlive the call.
            let ok = unsafe { ReadFile(STDIN as HANDLE, &mut byte, 1, &mut bytes, null_mut()) };
            if ok == FALSE { Err(last_error()) } else { Ok((bytes, byte)) }
        };
        for by_thread in [false, true] {
            let (tell, told) = std::sync::mpsc::channel();
            let thread = std::thread::spawn(move || {
                tell.send(own_handle()).unwrap();
                read()
            });
            let handle = told.recv().unwrap();
            until_cancelled(|| match by_thread {
                // SAFETY: no pointers but a null one.
                false => unsafe { CancelIoEx(STDIN as HANDLE, null()) },
                // SAFETY: no pointers.
                true => unsafe { CancelSynchronousIo(handle as HANDLE) },
            });
            assert_eq!(thread.join().unwrap(), Err(ERROR_OPERATION_ABORTED));
        }
        // SAFETY: the byte outlives the call.
        assert_eq!(unsafe { libc::write(pipes[0][1], b"x".as_ptr().cast(), 1) }, 1);
        assert_eq!(read(), Ok((1, b'x')));

        // SAFETY: 1 is the process's own to replace, for a while.
        let output = unsafe { libc::dup(1) };
        // SAFETY: as above.
        unsafe { libc::dup2(pipes[1][1], 1) };
        let thread = std::thread::spawn(move || {
            // More than a pipe holds.
            let (much, mut bytes) = (vec![0u8; 1 << 20], 0);
            // SAFETY: the data and the count outlive the call.
            let ok = unsafe { WriteFile(STDOUT as HANDLE, much.as_ptr(), 1 << 20, &mut bytes, null_mut()) };
            (ok, bytes)
        });
        // SAFETY: no pointers but a null one.
        until_cancelled(|| unsafe { CancelIoEx(STDOUT as HANDLE, null()) });
        let (ok, bytes) = thread.join().unwrap();
        let mut held = 0;
        // SAFETY: the number outlives the call; `output` is what 1 was.
        unsafe {
            assert_eq!(libc::ioctl(pipes[1][0], libc::FIONREAD, &raw mut held), 0);
            libc::dup2(output, 1);
        }
        // What was written before is told of.
        assert_eq!((ok, bytes as i32), if held > 0 { (TRUE, held) } else { (FALSE, 0) });
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
        let status = unsafe { AtomicUsize::from_ptr(&raw mut (*overlapped).Internal) }.load(Ordering::Acquire);
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

#[test]
fn what_threads_write_to_a_standard_stream_stays_whole() {
    in_child("what_threads_write_to_a_standard_stream_stays_whole", || {
        // More than a pipe that has some room takes at once.
        const RECORD: usize = 12_000;
        const RECORDS: usize = 100;
        let (mut read, write) = std::io::pipe().unwrap();
        // SAFETY: 1 is the process's own to replace, for a while.
        let output = unsafe { libc::dup(1) };
        // SAFETY: as above.
        assert_eq!(unsafe { libc::dup2(write.as_raw_fd(), 1) }, 1);
        drop(write);
        let reader = std::thread::spawn(move || {
            let mut all = Vec::new();
            read.read_to_end(&mut all).map(|_| all)
        });
        std::thread::scope(|scope| {
            for letter in [b'a', b'b'] {
                scope.spawn(move || {
                    let record = [letter; RECORD];
                    for _ in 0..RECORDS {
                        let mut bytes = 0;
                        // SAFETY: the buffer and the count live through the call.
                        let ok = unsafe {
                            WriteFile(STDOUT as HANDLE, record.as_ptr(), RECORD as u32, &mut bytes, null_mut())
                        };
                        assert_eq!((ok, bytes), (TRUE, RECORD as u32));
                    }
                });
            }
        });
        // SAFETY: `output` is what 1 was. The pipe has no writer any more.
        assert_eq!(unsafe { libc::dup2(output, 1) }, 1);
        let all = reader.join().unwrap().unwrap();
        assert_eq!(all.len(), 2 * RECORDS * RECORD);
        let torn = all.chunks(RECORD).filter(|record| record.iter().any(|byte| *byte != record[0])).count();
        assert_eq!(torn, 0);
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

/// Runs `body` in a child of this process, which has one thread yet.
fn in_fork(body: impl FnOnce()) {
    // SAFETY: the harness's threads hold no lock that the body needs: they wait for this test.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).is_err();
        // SAFETY: ends the child without the destructors of its parent.
        unsafe { libc::_exit(failed.into()) };
    }
    let mut status = 0;
    // SAFETY: the status outlives the call.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0, "the child failed");
}

/// Has the kernel refuse a system call to this thread and to those that it starts.
fn refuse(call: libc::c_long, errno: i32) {
    let load = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    let equal = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    let answer = (libc::BPF_RET | libc::BPF_K) as u16;
    // The number of the call is the first word of what a filter sees.
    let mut filter = [
        libc::sock_filter { code: load, jt: 0, jf: 0, k: 0 },
        libc::sock_filter { code: equal, jt: 0, jf: 1, k: call as u32 },
        libc::sock_filter { code: answer, jt: 0, jf: 0, k: libc::SECCOMP_RET_ERRNO | errno as u32 },
        libc::sock_filter { code: answer, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW },
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: the program outlives the calls.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program), 0);
    }
}

fn last_error() -> WIN32_ERROR {
    // SAFETY: no pointers.
    unsafe { GetLastError() }
}

/// A handle of the calling thread for others.
fn own_handle() -> usize {
    let mut handle = null_mut();
    // SAFETY: the place outlives the call.
    unsafe {
        let process = GetCurrentProcess();
        let same = DUPLICATE_SAME_ACCESS;
        assert_eq!(DuplicateHandle(process, GetCurrentThread(), process, &mut handle, 0, FALSE, same), TRUE);
    }
    handle as usize
}

/// Cancels again and again until there was something to cancel.
fn until_cancelled(mut cancel: impl FnMut() -> BOOL) {
    let start = Instant::now();
    while cancel() == FALSE {
        assert_eq!(last_error(), ERROR_NOT_FOUND);
        assert!(start.elapsed() < Duration::from_secs(30), "the call is not found");
        std::thread::yield_now();
    }
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
