//! The standard streams as handles: ReadFile and WriteFile go straight to the descriptors, which are the program's.

use std::os::fd::RawFd;

use ranked_locks::{Mutex, rank};

use crate::blocked::{self, Target};
use crate::file::codes::win32_from_errno;
use crate::file::io::Call;
use crate::file::request::Direction;
use crate::os;
use crate::port::blocking;
use crate::types::*;

/// The handle of each stream, by its descriptor: the values that consoles once had, and none of the table.
const HANDLES: [usize; 3] = [3, 7, 11];

/// The handle of a standard stream.
pub(crate) fn handle(descriptor: usize) -> Option<usize> {
    HANDLES.get(descriptor).copied()
}

/// The descriptor of the standard stream that a handle means.
pub(crate) fn descriptor(handle: HANDLE) -> Option<RawFd> {
    HANDLES.iter().position(|&standard| standard == handle as usize).map(|at| at as RawFd)
}

/// Reads what there is, or writes all of it. Others can cancel the call as long as it waits.
///
/// # Safety
/// The call's buffer is writable or readable.
pub(super) unsafe fn run(fd: RawFd, call: Call) -> Result<u32, WIN32_ERROR> {
    let Call { direction, buffer, len, .. } = call;
    if call.bytes.is_null() {
        return Err(ERROR_NOACCESS);
    }
    let _elsewhere = blocking();
    // SAFETY: as the caller promises.
    unsafe {
        match direction {
            Direction::Read => blocked::wait_ready(Target::Standard(fd), fd, libc::POLLIN)
                .and_then(|()| os::file::read(fd, buffer, len as usize))
                .map(|bytes| bytes as u32),
            Direction::Write if never_blocks(fd) => write_all(fd, buffer, len as usize).map(|()| len),
            Direction::Write => write_when_ready(fd, buffer, len as usize).map(|bytes| bytes as u32),
        }
    }
    .map_err(win32_from_errno)
}

/// Whether it is a regular file, which takes what is written in one piece.
fn never_blocks(fd: RawFd) -> bool {
    os::file::status(fd).is_ok_and(|status| status.st_mode & libc::S_IFMT == libc::S_IFREG)
}

/// What a pipe that is ready for more takes without blocking (PIPE_BUF).
const TAKEN_AT_ONCE: usize = 4096;

/// Writes all of it, piece by piece, so that it is a wait that blocks and not the write.
///
/// # Errors
/// ECANCELED if the call was cancelled before anything was written; later it is how much was.
///
/// # Safety
/// As for [`write_all`].
unsafe fn write_when_ready(fd: RawFd, buffer: *const u8, len: usize) -> os::OsResult<usize> {
    // What others write does not come between the pieces.
    static WRITING: [Mutex<(), rank::StandardStream>; 3] = [const { Mutex::new(()) }; 3];
    let _writing = usize::try_from(fd).ok().and_then(|fd| WRITING.get(fd)).map(|stream| stream.lock());
    let mut done = 0;
    loop {
        match blocked::wait_ready(Target::Standard(fd), fd, libc::POLLOUT) {
            Err(libc::ECANCELED) if done > 0 => return Ok(done),
            ready => ready?,
        }
        let piece = (len - done).min(TAKEN_AT_ONCE);
        // SAFETY: as the caller promises.
        unsafe { write_all(fd, buffer.add(done), piece)? };
        done += piece;
        if done == len {
            return Ok(done);
        }
    }
}

/// Writes to a standard stream, all of it.
///
/// # Safety
/// The buffer is readable for `len` bytes.
pub(crate) unsafe fn write_all(fd: RawFd, buffer: *const u8, len: usize) -> os::OsResult<()> {
    let mut done = 0;
    while done < len {
        // SAFETY: as the caller promises.
        match unsafe { os::file::write(fd, buffer.add(done), len - done) } {
            Ok(bytes) => done += bytes,
            // Somebody made it non-blocking.
            Err(libc::EAGAIN) => {
                os::poll(&mut [libc::pollfd { fd, events: libc::POLLOUT, revents: 0 }], None)?;
            }
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
