//! Every system call that the engine makes, as a safe function over descriptors and slices where that is possible.
//!
//! Errors are `errno` values. `EINTR` is retried here, so that no caller sees it.

pub(crate) mod file;

use std::ffi::c_void;
use std::io;
use std::mem::{MaybeUninit, size_of, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr::{null, null_mut};
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use crate::address::Address;
use crate::types::WSABUF;

/// An `errno` value.
pub(crate) type Errno = i32;
pub(crate) type OsResult<T> = Result<T, Errno>;

/// How many buffers one receive or send hands to the kernel at a time without allocating.
const INLINE_BUFFERS: usize = 16;

/// How many buffers the kernel takes in one call; it ignores those behind them.
pub(crate) const MOST_BUFFERS: usize = libc::UIO_MAXIOV as usize;

/// Linux's SO_MEMINFO, which `libc` does not declare. Its first word is the memory of the receive queue.
const SO_MEMINFO: i32 = 55;

pub(crate) fn errno() -> Errno {
    io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}

fn check(result: i32) -> OsResult<i32> {
    if result < 0 { Err(errno()) } else { Ok(result) }
}

fn check_size(result: isize) -> OsResult<usize> {
    if result < 0 { Err(errno()) } else { Ok(result as usize) }
}

fn retry<T>(mut call: impl FnMut() -> OsResult<T>) -> OsResult<T> {
    loop {
        match call() {
            Err(libc::EINTR) => {}
            result => return result,
        }
    }
}

fn own(fd: RawFd) -> OwnedFd {
    // SAFETY: the kernel has just returned this descriptor, and nobody else has seen it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

pub(crate) fn socket(domain: i32, kind: i32, protocol: i32) -> OsResult<OwnedFd> {
    // SAFETY: no pointers are passed.
    check(unsafe { libc::socket(domain, kind | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC, protocol) }).map(own)
}

pub(crate) fn bind(fd: RawFd, address: &Address) -> OsResult<()> {
    // SAFETY: `Address` holds `len` valid bytes.
    check(unsafe { libc::bind(fd, address.as_ptr(), address.len()) }).map(drop)
}

pub(crate) fn listen(fd: RawFd, backlog: i32) -> OsResult<()> {
    // SAFETY: no pointers are passed.
    check(unsafe { libc::listen(fd, backlog) }).map(drop)
}

pub(crate) fn connect(fd: RawFd, address: &Address) -> OsResult<()> {
    // SAFETY: `Address` holds `len` valid bytes.
    retry(|| check(unsafe { libc::connect(fd, address.as_ptr(), address.len()) })).map(drop)
}

/// Dissolves the association of a datagram socket, or resets a connection.
pub(crate) fn disconnect(fd: RawFd) -> OsResult<()> {
    // SAFETY: all zeros is a valid sockaddr, and its family, 0, is AF_UNSPEC.
    let none: libc::sockaddr = unsafe { zeroed() };
    // SAFETY: `none` is a whole sockaddr.
    check(unsafe { libc::connect(fd, &none, size_of::<libc::sockaddr>() as u32) }).map(drop)
}

pub(crate) fn shutdown(fd: RawFd, how: i32) -> OsResult<()> {
    // SAFETY: no pointers are passed.
    check(unsafe { libc::shutdown(fd, how) }).map(drop)
}

pub(crate) fn accept(fd: RawFd) -> OsResult<(OwnedFd, Address)> {
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: `fill` passes a buffer and its length, which live through the call.
    let (new, from) = Address::fill(|name, len| retry(|| check(unsafe { libc::accept4(fd, name, len, flags) })));
    Ok((own(new?), from))
}

fn name_of(
    fd: RawFd,
    call: unsafe extern "C" fn(RawFd, *mut libc::sockaddr, *mut libc::socklen_t) -> i32,
) -> OsResult<Address> {
    // SAFETY: `fill` passes a buffer and its length, which live through the call; `call` is getsockname or
    // getpeername.
    let (result, address) = Address::fill(|name, len| check(unsafe { call(fd, name, len) }));
    result.map(|_| address)
}

pub(crate) fn local_address(fd: RawFd) -> OsResult<Address> {
    name_of(fd, libc::getsockname)
}

/// The address of a connection's peer, also when the connection is over.
pub(crate) fn peer_address(fd: RawFd) -> OsResult<Address> {
    match name_of(fd, libc::getpeername) {
        // It is still known, and this option asks for it whatever state the connection is in. It wants no more room than
        // the address takes.
        Err(libc::ENOTCONN) => name_of(fd, peer_name::<{ size_of::<libc::sockaddr_in6>() }>)
            .or_else(|_| name_of(fd, peer_name::<{ size_of::<libc::sockaddr_in>() }>)),
        result => result,
    }
}

/// SO_PEERNAME, as a function like getpeername, for an address of so many bytes.
///
/// # Safety
/// As for getpeername; there is room for `LEN` bytes.
unsafe extern "C" fn peer_name<const LEN: usize>(
    fd: RawFd,
    name: *mut libc::sockaddr,
    len: *mut libc::socklen_t,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        *len = LEN as libc::socklen_t;
        libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_PEERNAME, name.cast(), len)
    }
}

pub(crate) fn set_option(fd: RawFd, level: i32, name: i32, value: i32) -> OsResult<()> {
    set_option_bytes(fd, level, name, &value.to_ne_bytes())
}

pub(crate) fn set_option_bytes(fd: RawFd, level: i32, name: i32, value: &[u8]) -> OsResult<()> {
    // SAFETY: the slice is valid for its length.
    check(unsafe { libc::setsockopt(fd, level, name, value.as_ptr().cast(), value.len() as u32) }).map(drop)
}

pub(crate) fn get_option(fd: RawFd, level: i32, name: i32) -> OsResult<i32> {
    let mut bytes = [0; 4];
    get_option_bytes(fd, level, name, &mut bytes)?;
    Ok(i32::from_ne_bytes(bytes))
}

/// Returns how many bytes the kernel wrote.
pub(crate) fn get_option_bytes(fd: RawFd, level: i32, name: i32, value: &mut [u8]) -> OsResult<usize> {
    let mut len = value.len() as u32;
    // SAFETY: the slice is valid for writing `len` bytes.
    check(unsafe { libc::getsockopt(fd, level, name, value.as_mut_ptr().cast(), &mut len) })?;
    Ok(len as usize)
}

/// Reads and clears the error that the kernel holds for the socket; 0 if none.
pub(crate) fn take_error(fd: RawFd) -> Errno {
    get_option(fd, libc::SOL_SOCKET, libc::SO_ERROR).unwrap_or_else(|errno| errno)
}

/// Sets how `close` treats unsent data: `None` sends it in the background.
pub(crate) fn set_linger(fd: RawFd, seconds: Option<u16>) -> OsResult<()> {
    let linger = libc::linger { l_onoff: seconds.is_some().into(), l_linger: seconds.unwrap_or(0).into() };
    // SAFETY: `linger` is a plain struct of two ints.
    let bytes = unsafe { std::slice::from_raw_parts((&raw const linger).cast::<u8>(), size_of::<libc::linger>()) };
    set_option_bytes(fd, libc::SOL_SOCKET, libc::SO_LINGER, bytes)
}

/// An ioctl that yields an int, such as FIONREAD, SIOCATMARK and SIOCOUTQ.
pub(crate) fn ioctl_read(fd: RawFd, request: libc::c_ulong) -> OsResult<i32> {
    let mut value = 0;
    // SAFETY: the requests used here write one int.
    check(unsafe { libc::ioctl(fd, request as _, &mut value as *mut i32) })?;
    Ok(value)
}

/// Takes what a stream has received and throws it away; returns how much, 0 at its end.
pub(crate) fn discard(fd: RawFd) -> OsResult<usize> {
    let flags = libc::MSG_TRUNC | libc::MSG_DONTWAIT;
    // SAFETY: with MSG_TRUNC a TCP socket copies nothing.
    retry(|| check_size(unsafe { libc::recv(fd, null_mut(), 1 << 20, flags) }))
}

/// How many connections wait at a listening socket to be accepted.
pub(crate) fn connections_waiting(fd: RawFd) -> OsResult<u32> {
    // SAFETY: all zeros is a valid tcp_info.
    let mut info: libc::tcp_info = unsafe { zeroed() };
    // SAFETY: the struct is plain integers, and the slice is as long as it is.
    let bytes = unsafe {
        std::slice::from_raw_parts_mut((&raw mut info).cast::<u8>(), std::mem::offset_of!(libc::tcp_info, tcpi_sacked))
    };
    get_option_bytes(fd, libc::IPPROTO_TCP, libc::TCP_INFO, bytes)?;
    // Of a listening socket this field tells the length of its queue.
    Ok(info.tcpi_unacked)
}

/// How much memory holds what a socket has received and nobody has read.
pub(crate) fn receive_memory(fd: RawFd) -> OsResult<u32> {
    get_option(fd, libc::SOL_SOCKET, SO_MEMINFO).map(|bytes| bytes as u32)
}

/// Whether one byte or the end of the stream could be received now, without consuming it.
pub(crate) fn peek_readable(fd: RawFd) -> OsResult<bool> {
    let mut byte = 0u8;
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    // SAFETY: the byte lives through the call.
    match retry(|| check_size(unsafe { libc::recv(fd, (&raw mut byte).cast(), 1, flags) })) {
        Ok(_) => Ok(true),
        Err(libc::EAGAIN) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Receives into one buffer.
///
/// # Safety
/// `buffer` must be writable for its length, or the kernel reports EFAULT; it must not be aliased by a Rust reference.
pub(crate) unsafe fn receive(fd: RawFd, buffer: WSABUF, flags: i32) -> OsResult<usize> {
    // SAFETY: as the caller promises.
    unsafe { transfer(libc::SYS_recvfrom, fd, buffer, flags | libc::MSG_DONTWAIT) }
}

/// Sends one buffer.
///
/// # Safety
/// `buffer` must be readable for its length, or the kernel reports EFAULT.
pub(crate) unsafe fn send(fd: RawFd, buffer: WSABUF, flags: i32) -> OsResult<usize> {
    // SAFETY: as the caller promises.
    unsafe { transfer(libc::SYS_sendto, fd, buffer, flags | libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) }
}

/// recvfrom or sendto without an address. Not by libc's functions, which are points of cancellation: in a process with
/// more than one thread that costs each call some 30 instructions, two of them locked.
///
/// # Safety
/// As for [`receive`] and [`send`].
unsafe fn transfer(call: libc::c_long, fd: RawFd, buffer: WSABUF, flags: i32) -> OsResult<usize> {
    let (fd, data, len, flags) = (fd as libc::c_long, buffer.buf, buffer.len as usize, flags as libc::c_long);
    let (address, length) = (null_mut::<c_void>(), null_mut::<c_void>());
    // SAFETY: as the caller promises.
    retry(|| check_size(unsafe { libc::syscall(call, fd, data, len, flags, address, length) } as isize))
}

/// Calls `f` with the buffers as the kernel wants them, leaving out the first `skip` bytes.
fn with_iovecs<T>(buffers: &[WSABUF], mut skip: usize, f: impl FnOnce(&mut [libc::iovec]) -> T) -> T {
    let mut rest = buffers.iter().filter_map(|buffer| {
        let len = buffer.len as usize;
        let cut = skip.min(len);
        skip -= cut;
        (cut < len).then(|| libc::iovec { iov_base: buffer.buf.wrapping_add(cut).cast(), iov_len: len - cut })
    });
    if buffers.len() > INLINE_BUFFERS {
        return f(&mut rest.collect::<Vec<_>>());
    }
    let mut inline = [libc::iovec { iov_base: null_mut(), iov_len: 0 }; INLINE_BUFFERS];
    let mut count = 0;
    for (slot, iovec) in inline.iter_mut().zip(&mut rest) {
        *slot = iovec;
        count += 1;
    }
    f(&mut inline[..count])
}

pub(crate) struct Message {
    pub(crate) bytes: usize,
    /// MSG_TRUNC and its like.
    pub(crate) flags: i32,
    pub(crate) from: Address,
    /// How much of the room for control data was used.
    pub(crate) control: usize,
}

/// Receives into several buffers, leaving out their first `skip` bytes; says where a datagram came from.
///
/// # Safety
/// As for [`receive`], for each buffer.
pub(crate) unsafe fn receive_message(fd: RawFd, buffers: &[WSABUF], skip: usize, flags: i32) -> OsResult<Message> {
    // SAFETY: as the caller promises.
    unsafe { receive_message_and_control(fd, buffers, skip, flags, &mut []) }
}

/// The same, with room for control data: words, since it is aligned like them.
///
/// # Safety
/// As for [`receive`], for each buffer.
pub(crate) unsafe fn receive_message_and_control(
    fd: RawFd,
    buffers: &[WSABUF],
    skip: usize,
    flags: i32,
    control: &mut [u64],
) -> OsResult<Message> {
    // SAFETY: all zeros is a valid sockaddr_storage and a valid msghdr.
    let (mut storage, mut header): (libc::sockaddr_storage, libc::msghdr) = unsafe { (zeroed(), zeroed()) };
    header.msg_name = (&raw mut storage).cast();
    with_iovecs(buffers, skip, |iovecs| {
        header.msg_iov = iovecs.as_mut_ptr();
        header.msg_iovlen = iovecs.len().min(MOST_BUFFERS);
        let bytes = retry(|| {
            header.msg_namelen = size_of::<libc::sockaddr_storage>() as u32;
            header.msg_control = control.as_mut_ptr().cast();
            header.msg_controllen = size_of_val(control) as _;
            // SAFETY: what the header points to lives through the call; the buffers as the caller promises.
            check_size(unsafe { libc::recvmsg(fd, &mut header, flags | libc::MSG_DONTWAIT) })
        })?;
        // SAFETY: the storage is at least as long as the length says.
        let from = unsafe { Address::from_libc((&raw const storage).cast(), header.msg_namelen) };
        Ok(Message { bytes, flags: header.msg_flags, from, control: header.msg_controllen })
    })
}

/// Sends several buffers, leaving out their first `skip` bytes, with control data.
///
/// # Safety
/// As for [`send`], for each buffer.
pub(crate) unsafe fn send_message(
    fd: RawFd,
    buffers: &[WSABUF],
    skip: usize,
    flags: i32,
    to: Option<&Address>,
    control: &[u64],
) -> OsResult<usize> {
    // SAFETY: all zeros is a valid msghdr.
    let mut header: libc::msghdr = unsafe { zeroed() };
    if !control.is_empty() {
        header.msg_control = control.as_ptr().cast_mut().cast();
        header.msg_controllen = size_of_val(control) as _;
    }
    if let Some(to) = to {
        header.msg_name = to.as_ptr().cast_mut().cast();
        header.msg_namelen = to.len();
    }
    with_iovecs(buffers, skip, |iovecs| {
        header.msg_iov = iovecs.as_mut_ptr();
        header.msg_iovlen = iovecs.len().min(MOST_BUFFERS);
        let flags = flags | libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        // SAFETY: what the header points to lives through the call; the buffers as the caller promises.
        retry(|| check_size(unsafe { libc::sendmsg(fd, &header, flags) }))
    })
}

/// Throws away what the error queue of a datagram socket holds.
pub(crate) fn drain_error_queue(fd: RawFd) {
    let mut data = [0u8; 64];
    let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
    // SAFETY: the buffer lives through the call.
    while unsafe { libc::recv(fd, data.as_mut_ptr().cast(), data.len(), flags) } >= 0 {}
}

/// Waits for any of `fds`; `None` waits for ever. Returns how many are ready; 0 after the timeout or a signal.
pub(crate) fn poll(fds: &mut [libc::pollfd], timeout: Option<Duration>) -> OsResult<usize> {
    let spec = timeout.map(timespec);
    let spec = spec.as_ref().map_or(null(), |spec| spec as *const _);
    // SAFETY: the slice and the timespec live through the call.
    match check(unsafe { libc::ppoll(fds.as_mut_ptr(), fds.len() as _, spec, null()) }) {
        Ok(count) => Ok(count as usize),
        Err(libc::EINTR) => Ok(0),
        Err(errno) => Err(errno),
    }
}

/// The events among `events` that hold for one descriptor now.
pub(crate) fn poll_now(fd: RawFd, events: i16) -> i16 {
    let mut fds = [libc::pollfd { fd, events, revents: 0 }];
    match poll(&mut fds, Some(Duration::ZERO)) {
        Ok(_) => fds[0].revents,
        Err(_) => 0,
    }
}

fn timespec(duration: Duration) -> libc::timespec {
    libc::timespec {
        tv_sec: duration.as_secs().min(i64::MAX as u64 / 2) as i64,
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}

pub(crate) fn epoll_create() -> OsResult<OwnedFd> {
    // SAFETY: no pointers are passed.
    check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) }).map(own)
}

pub(crate) fn epoll_add(epoll: &OwnedFd, fd: RawFd, events: i32, data: u64) -> OsResult<()> {
    let mut event = libc::epoll_event { events: events as u32, u64: data };
    // SAFETY: the event lives through the call.
    check(unsafe { libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &mut event) }).map(drop)
}

pub(crate) fn epoll_remove(epoll: &OwnedFd, fd: RawFd) {
    // SAFETY: EPOLL_CTL_DEL takes no event. A descriptor that is not registered is no error for the caller.
    unsafe { libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_DEL, fd, null_mut()) };
}

/// Waits for events and returns them; `timeout` in milliseconds, -1 waits for ever.
pub(crate) fn epoll_wait<'a>(
    epoll: &OwnedFd,
    room: &'a mut [MaybeUninit<libc::epoll_event>],
    timeout: i32,
) -> &'a [libc::epoll_event] {
    let (fd, most) = (epoll.as_raw_fd(), room.len());
    let count = if cfg!(winsock_tsan) {
        // ThreadSanitizer learns by this function that what was registered was registered before.
        // SAFETY: the room lives through the call.
        unsafe { libc::epoll_wait(fd, room.as_mut_ptr().cast(), most as i32, timeout).into() }
    } else {
        let (fd, timeout) = (libc::c_long::from(fd), libc::c_long::from(timeout));
        // Not by libc's function, for the reason that `transfer` gives; by the call that every architecture has.
        let no_mask = null::<c_void>();
        // SAFETY: the room lives through the call.
        unsafe { libc::syscall(libc::SYS_epoll_pwait, fd, room.as_mut_ptr(), most, timeout, no_mask, 0usize) }
    };
    // The only error that a valid epoll descriptor can give here is EINTR, which is like no event.
    let count = count.max(0) as usize;
    // SAFETY: the kernel has filled so many.
    unsafe { std::slice::from_raw_parts(room.as_ptr().cast(), count) }
}

pub(crate) fn eventfd() -> OsResult<OwnedFd> {
    // SAFETY: no pointers are passed.
    check(unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) }).map(own)
}

/// Adds one to an eventfd. Watched edge-triggered, each write is an edge, so nobody need read it.
pub(crate) fn eventfd_write(fd: &OwnedFd) {
    let one = 1u64;
    // SAFETY: the value lives through the call. A full counter (after 2^64 writes) is still readable.
    unsafe { libc::write(fd.as_raw_fd(), (&raw const one).cast(), 8) };
}

pub(crate) fn eventfd_drain(fd: &OwnedFd) {
    let mut value = 0u64;
    // SAFETY: the value lives through the call.
    unsafe { libc::read(fd.as_raw_fd(), (&raw mut value).cast(), 8) };
}

/// A descriptor that becomes readable at a time ([`timerfd_set`]).
pub(crate) fn timerfd() -> OsResult<OwnedFd> {
    // SAFETY: no pointers are passed.
    check(unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_NONBLOCK | libc::TFD_CLOEXEC) }).map(own)
}

/// Makes it readable after `left`, and not before; never if that is none. Zero would be never, too.
pub(crate) fn timerfd_set(fd: &OwnedFd, left: Option<Duration>) {
    let never = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let spec = libc::itimerspec { it_interval: never, it_value: left.map_or(never, timespec) };
    // SAFETY: the time lives through the call. A valid time and descriptor cannot fail.
    unsafe { libc::timerfd_settime(fd.as_raw_fd(), 0, &spec, null_mut()) };
}

/// Milliseconds since some time, as Windows's tick count: cheap, exact to some milliseconds, and around every 49 days.
pub(crate) fn milliseconds() -> u32 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the time lives through the call. The clock exists, so that it cannot fail.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &mut now) };
    (now.tv_sec as u32).wrapping_mul(1000).wrapping_add(now.tv_nsec as u32 / 1_000_000)
}

/// Sleeps while `word` holds `expected`; `None` sleeps for ever. Wakes early now and then: callers look again.
pub(crate) fn futex_wait(word: &AtomicU32, expected: u32, timeout: Option<Duration>) {
    let spec = timeout.map(timespec);
    let spec = spec.as_ref().map_or(null(), |spec| spec as *const _);
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the word and the timespec live through the call.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, expected, spec) };
}

pub(crate) fn futex_wake(word: &AtomicU32) {
    // SAFETY: the word lives through the call.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, i32::MAX) };
}

/// Waits until a child has ended, and leaves it to be reaped.
pub(crate) fn wait_for_end_of(child: u32) {
    // SAFETY: all zeros is a valid siginfo_t, which the call fills.
    let mut info: libc::siginfo_t = unsafe { zeroed() };
    // SAFETY: `info` lives through the call.
    let wait = || check(unsafe { libc::waitid(libc::P_PID, child, &mut info, libc::WEXITED | libc::WNOWAIT) });
    // There is no child to wait for if the program reaps its children itself.
    let _ = retry(wait);
}

pub(crate) fn thread_id() -> i32 {
    // SAFETY: gettid takes nothing and cannot fail.
    unsafe { libc::gettid() }
}

/// A thread's first function.
pub(crate) type ThreadMain = extern "C-unwind" fn(*mut c_void) -> *mut c_void;

// As `libc` declares them, but that a thread which ends itself unwinds through its functions.
unsafe extern "C-unwind" {
    fn pthread_create(
        thread: *mut libc::pthread_t,
        attributes: *const libc::pthread_attr_t,
        main: ThreadMain,
        argument: *mut c_void,
    ) -> i32;
    fn pthread_exit(value: *mut c_void) -> !;
}

/// Starts a thread that nobody joins, with a stack of so many bytes or, for 0, of the system's size.
pub(crate) fn start_thread(main: ThreadMain, argument: *mut c_void, stack: usize) -> OsResult<()> {
    // The system wants whole pages.
    let stack = stack.checked_next_multiple_of(64 * 1024).ok_or(libc::ENOMEM)?;
    let whole = |errno| if errno == 0 { Ok(()) } else { Err(errno) };
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: the attributes are initialised first, live through the calls, and are destroyed once.
    unsafe {
        whole(libc::pthread_attr_init(attributes.as_mut_ptr()))?;
        libc::pthread_attr_setdetachstate(attributes.as_mut_ptr(), libc::PTHREAD_CREATE_DETACHED);
        if stack > 0 {
            libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), stack);
        }
        let mut thread = 0;
        let result = whole(pthread_create(&mut thread, attributes.as_ptr(), main, argument));
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        result
    }
}

/// Ends the calling thread.
pub(crate) fn exit_thread() -> ! {
    // SAFETY: nobody joins the thread, so that its value says nothing.
    unsafe { pthread_exit(null_mut()) }
}

/// Calls `f` when the process exits normally.
pub(crate) fn at_exit(f: extern "C" fn()) {
    // SAFETY: `f` is a plain function without unwinding (a panic in `extern "C"` aborts).
    unsafe { libc::atexit(f) };
}
