//! The system calls of the epoll loop, each with its error as `io::Error`, and of every process.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// An epoll instance.
pub struct Epoll(OwnedFd);

impl Epoll {
    pub fn new() -> io::Result<Epoll> {
        // SAFETY: no pointers are passed.
        let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: epoll_create1 has just returned this descriptor and nobody else knows it.
        Ok(Epoll(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Watches `fd`; its events carry the descriptor's number.
    pub fn add(&self, fd: RawFd, interest: i32) -> io::Result<()> {
        let mut event = libc::epoll_event { events: interest as u32, u64: fd as u64 };
        // SAFETY: `event` lives through the call; the kernel copies it.
        check(unsafe { libc::epoll_ctl(self.0.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &mut event) })?;
        Ok(())
    }

    /// Waits up to `timeout` milliseconds, -1 for ever, and fills `events` from its start.
    pub fn wait(&self, events: &mut [libc::epoll_event], timeout: i32) -> io::Result<usize> {
        // SAFETY: pointer and length are those of one live, writable slice.
        let n = unsafe { libc::epoll_wait(self.0.as_raw_fd(), events.as_mut_ptr(), events.len() as i32, timeout) };
        match check(n) {
            Ok(n) => Ok(n as usize),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            Err(error) => Err(error),
        }
    }
}

/// Takes one connection, non-blocking, from a listener.
pub fn accept(listener: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: null address pointers are allowed: the address is not wanted.
    let fd = check(unsafe {
        libc::accept4(listener, std::ptr::null_mut(), std::ptr::null_mut(), libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC)
    })?;
    // SAFETY: accept4 has just returned this descriptor and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

pub fn recv(socket: RawFd, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: pointer and length are those of one live, writable slice.
    let n = unsafe { libc::recv(socket, buffer.as_mut_ptr().cast(), buffer.len(), 0) };
    if n < 0 { Err(io::Error::last_os_error()) } else { Ok(n as usize) }
}

/// Sends without SIGPIPE.
pub fn send(socket: RawFd, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: pointer and length are those of one live slice.
    let n = unsafe { libc::send(socket, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) };
    if n < 0 { Err(io::Error::last_os_error()) } else { Ok(n as usize) }
}

/// Raises the soft limit of descriptors to the hard one, as far as that succeeds, and says what it is now.
pub fn raise_descriptor_limit() -> u32 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a live, writable rlimit, which all calls use only while they run.
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit);
    }
    u32::try_from(limit.rlim_cur).unwrap_or(u32::MAX)
}

/// Has SIGTERM and SIGINT end the process with status 0, at once.
pub fn end_well_at_signals() {
    extern "C" fn end(_: libc::c_int) {
        // SAFETY: _exit may be called in a signal handler, and takes no pointers.
        unsafe { libc::_exit(0) }
    }
    let end: extern "C" fn(libc::c_int) = end;
    for signal in [libc::SIGTERM, libc::SIGINT] {
        // SAFETY: the handler does nothing but what a handler may.
        unsafe { libc::signal(signal, end as libc::sighandler_t) };
    }
}

/// Why io_uring is not to be had.
pub fn explain_uring(error: io::Error) -> io::Error {
    let why = match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES | libc::ENOSYS) => {
            "the kernel refuses io_uring (kernel.io_uring_disabled, or a container's filter of system calls)"
        }
        Some(libc::EINVAL) => "the kernel is older than Linux 6.1",
        _ => return error,
    };
    io::Error::new(io::ErrorKind::Unsupported, format!("{why}: {error}"))
}

fn check(result: i32) -> io::Result<i32> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
