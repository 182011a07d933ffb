//! What errno means where a file is concerned.

use crate::error;
use crate::os::Errno;
use crate::types::*;

/// The status of a transfer that failed.
pub(super) fn status_from_errno(errno: Errno) -> NTSTATUS {
    match errno {
        libc::ENOSPC | libc::EDQUOT => STATUS_DISK_FULL,
        libc::EFBIG => STATUS_FILE_TOO_LARGE,
        libc::EIO => STATUS_IO_DEVICE_ERROR,
        // The last reader of a pipe is gone.
        libc::EPIPE => STATUS_PIPE_CLOSING,
        errno => error::status_from_errno(errno),
    }
}

/// The Win32 code of a call that failed.
pub(crate) fn win32_from_errno(errno: Errno) -> WIN32_ERROR {
    match errno {
        libc::ENOENT | libc::ENXIO | libc::ENODEV => ERROR_FILE_NOT_FOUND,
        libc::ENOTDIR | libc::ELOOP => ERROR_PATH_NOT_FOUND,
        libc::EEXIST => ERROR_FILE_EXISTS,
        libc::EACCES | libc::EPERM | libc::EISDIR => ERROR_ACCESS_DENIED,
        libc::EROFS => ERROR_WRITE_PROTECT,
        libc::ETXTBSY | libc::EBUSY => ERROR_SHARING_VIOLATION,
        libc::ENAMETOOLONG => ERROR_FILENAME_EXCED_RANGE,
        errno => error::win32_from_status(status_from_errno(errno)),
    }
}
