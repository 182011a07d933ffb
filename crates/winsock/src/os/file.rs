//! The system calls of files.

use std::ffi::{CStr, CString};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::AtomicU32;

use super::{OsResult, check, check_size, own, retry};

pub(crate) fn open(path: &CStr, flags: i32) -> OsResult<OwnedFd> {
    // SAFETY: the path is a terminated string.
    retry(|| check(unsafe { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC | libc::O_NOCTTY, 0o666) })).map(own)
}

pub(crate) fn status(fd: RawFd) -> OsResult<libc::stat> {
    // SAFETY: all zeros is a valid stat.
    let mut status: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: `status` lives through the call.
    check(unsafe { libc::fstat(fd, &mut status) })?;
    Ok(status)
}

/// The offset of the end of a file or a block device.
pub(crate) fn end(fd: RawFd) -> OsResult<u64> {
    let status = status(fd)?;
    // Without moving the descriptor's own position, which other processes use that have it.
    if status.st_mode & libc::S_IFMT == libc::S_IFREG {
        return Ok(status.st_size as u64);
    }
    // SAFETY: no pointers are passed.
    match unsafe { libc::lseek(fd, 0, libc::SEEK_END) } {
        end @ 0.. => Ok(end as u64),
        _ => Err(super::errno()),
    }
}

pub(crate) fn truncate(fd: RawFd) -> OsResult<()> {
    // SAFETY: no pointers are passed.
    retry(|| check(unsafe { libc::ftruncate(fd, 0) })).map(drop)
}

pub(crate) fn sync(fd: RawFd) -> OsResult<()> {
    // SAFETY: no pointers are passed.
    retry(|| check(unsafe { libc::fsync(fd) })).map(drop)
}

/// Another descriptor of the same open file.
pub(crate) fn duplicate(fd: RawFd) -> OsResult<OwnedFd> {
    // SAFETY: no pointers are passed.
    check(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) }).map(own)
}

/// Moves the descriptor's own position forward, if it is before this one.
pub(crate) fn advance(fd: RawFd, position: u64) -> OsResult<()> {
    // SAFETY: no pointers are passed.
    unsafe {
        match libc::lseek(fd, 0, libc::SEEK_CUR) {
            here @ 0.. if here as u64 >= position => Ok(()),
            0.. if libc::lseek(fd, position as i64, libc::SEEK_SET) >= 0 => Ok(()),
            _ => Err(super::errno()),
        }
    }
}

/// The same pipe or device by a descriptor of its own, whose calls block. Opening it does not.
pub(crate) fn reopen(fd: RawFd) -> OsResult<OwnedFd> {
    // SAFETY: no pointers are passed.
    let access = check(unsafe { libc::fcntl(fd, libc::F_GETFL) })? & (libc::O_ACCMODE | libc::O_APPEND);
    let path = CString::new(format!("/proc/self/fd/{fd}")).map_err(|_| libc::EINVAL)?;
    let opened = open(&path, access | libc::O_NONBLOCK)?;
    // SAFETY: no pointers are passed.
    check(unsafe { libc::fcntl(opened.as_raw_fd(), libc::F_SETFL, access) })?;
    Ok(opened)
}

pub(crate) fn set_nonblocking(fd: RawFd) -> OsResult<()> {
    // SAFETY: no pointers are passed.
    let flags = check(unsafe { libc::fcntl(fd, libc::F_GETFL) })?;
    // SAFETY: no pointers are passed.
    check(unsafe { libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK) }).map(drop)
}

/// Reads at an offset.
///
/// # Safety
/// `buffer` must be writable for `len` bytes, or the kernel reports EFAULT; it must not be aliased by a Rust reference.
pub(crate) unsafe fn read_at(fd: RawFd, buffer: *mut u8, len: usize, offset: u64) -> OsResult<usize> {
    // SAFETY: as the caller promises.
    retry(|| check_size(unsafe { libc::pread64(fd, buffer.cast(), len, offset as i64) }))
}

/// Writes at an offset.
///
/// # Safety
/// `buffer` must be readable for `len` bytes, or the kernel reports EFAULT.
pub(crate) unsafe fn write_at(fd: RawFd, buffer: *const u8, len: usize, offset: u64) -> OsResult<usize> {
    // SAFETY: as the caller promises.
    retry(|| check_size(unsafe { libc::pwrite64(fd, buffer.cast(), len, offset as i64) }))
}

/// Writes at the end, wherever that is when the kernel writes.
///
/// # Safety
/// As for [`write_at`].
pub(crate) unsafe fn append(fd: RawFd, buffer: *const u8, len: usize) -> OsResult<usize> {
    let part = libc::iovec { iov_base: buffer.cast_mut().cast(), iov_len: len };
    // SAFETY: `part` lives through the call; the buffer as the caller promises.
    retry(|| check_size(unsafe { libc::pwritev2(fd, &part, 1, 0, libc::RWF_APPEND) }))
}

/// Reads what comes next from something that has no offsets.
///
/// # Safety
/// As for [`read_at`].
pub(crate) unsafe fn read(fd: RawFd, buffer: *mut u8, len: usize) -> OsResult<usize> {
    // SAFETY: as the caller promises.
    retry(|| check_size(unsafe { libc::read(fd, buffer.cast(), len) }))
}

/// Writes to something that has no offsets. A pipe without a reader raises SIGPIPE: call it on a thread that
/// [blocks signals](block_signals).
///
/// # Safety
/// As for [`write_at`].
pub(crate) unsafe fn write(fd: RawFd, buffer: *const u8, len: usize) -> OsResult<usize> {
    // SAFETY: as the caller promises.
    retry(|| check_size(unsafe { libc::write(fd, buffer.cast(), len) }))
}

/// Sends from a file, from `offset` on, which moves; 0 at its end. `sendfile` raises SIGPIPE where the peer is gone, and
/// knows no flag against it.
pub(crate) fn send_to_socket(socket: RawFd, file: RawFd, offset: &mut u64, len: usize) -> OsResult<usize> {
    let _quiet = WithoutSigpipe::new();
    let mut place = *offset as i64;
    // SAFETY: the offset lives through the call.
    let sent = retry(|| check_size(unsafe { libc::sendfile64(socket, file, &mut place, len) }))?;
    *offset = place as u64;
    Ok(sent)
}

/// For the time of a call that may raise SIGPIPE on the calling thread: the signal is blocked, and taken back.
struct WithoutSigpipe {
    before: libc::sigset_t,
    /// It was pending already: that one is not ours.
    was_pending: bool,
}

fn sigpipe() -> libc::sigset_t {
    // SAFETY: all zeros is a valid set, which the calls fill.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGPIPE);
        set
    }
}

impl WithoutSigpipe {
    fn new() -> WithoutSigpipe {
        // SAFETY: the sets live through the calls.
        unsafe {
            let (mut pending, mut before): (libc::sigset_t, libc::sigset_t) = (std::mem::zeroed(), std::mem::zeroed());
            libc::sigpending(&mut pending);
            libc::pthread_sigmask(libc::SIG_BLOCK, &sigpipe(), &mut before);
            WithoutSigpipe { before, was_pending: libc::sigismember(&pending, libc::SIGPIPE) == 1 }
        }
    }
}

impl Drop for WithoutSigpipe {
    fn drop(&mut self) {
        let no_time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the sets and the time live through the calls.
        unsafe {
            if !self.was_pending {
                libc::sigtimedwait(&sigpipe(), std::ptr::null_mut(), &no_time);
            }
            libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, std::ptr::null_mut());
        }
    }
}

/// Whether a byte can be read, asked of the kernel: a wait for a futex of some other value, for no time.
pub(crate) fn is_readable(byte: *const u8) -> bool {
    let no_time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the kernel looks at the word around the byte itself, and says EFAULT if it cannot.
    let result = unsafe { libc::syscall(libc::SYS_futex, word_around(byte), operation, 0x5a5a_a5a5u32, &no_time) };
    result >= 0 || super::errno() != libc::EFAULT
}

/// Whether a byte can be written, asked of the kernel: it adds nothing to the word around it.
pub(crate) fn is_writable(byte: *mut u8) -> bool {
    static NOBODY_WAITS_HERE: AtomicU32 = AtomicU32::new(0);
    let operation = libc::FUTEX_WAKE_OP | libc::FUTEX_PRIVATE_FLAG;
    let add_nothing = libc::FUTEX_OP(libc::FUTEX_OP_ADD, 0, libc::FUTEX_OP_CMP_EQ, 0);
    // SAFETY: the kernel changes the word around the byte atomically and to what it was, or says EFAULT.
    let result = unsafe {
        libc::syscall(
            libc::SYS_futex,
            NOBODY_WAITS_HERE.as_ptr(),
            operation,
            0u32,
            std::ptr::null::<libc::timespec>(),
            word_around(byte),
            add_nothing,
        )
    };
    result >= 0 || super::errno() != libc::EFAULT
}

/// A futex is an aligned word; that lies in the page of each of its bytes.
fn word_around(byte: *const u8) -> *const u8 {
    byte.map_addr(|address| address & !3)
}

/// Keeps signals from the calling thread: they are the program's, for its own threads.
pub(crate) fn block_signals() {
    // SAFETY: all zeros is a valid set, which the call fills.
    let mut all: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set lives through both calls.
    unsafe {
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_BLOCK, &all, std::ptr::null_mut());
    }
}
