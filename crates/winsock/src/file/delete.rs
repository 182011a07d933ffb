//! Deleting a file.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::file::codes::win32_from_errno;
use crate::file::share::Claim;
use crate::types::*;

/// Deletes a file, unless a handle of this process has it open and does not share deletion.
///
/// # Errors
/// ERROR_ACCESS_DENIED for a directory, ERROR_SHARING_VIOLATION, ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND …
pub(crate) fn delete(path: &Path) -> Result<(), WIN32_ERROR> {
    let code = |error: std::io::Error| match error.raw_os_error() {
        Some(libc::ENOENT) if path.parent().is_some_and(|parent| parent != Path::new("") && !parent.is_dir()) => {
            ERROR_PATH_NOT_FOUND
        }
        errno => errno.map_or(ERROR_INVALID_NAME, win32_from_errno),
    };
    let found = std::fs::symlink_metadata(path).map_err(code)?;
    if found.is_dir() {
        return Err(ERROR_ACCESS_DENIED);
    }
    let all = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    let _claim = Claim::new((found.dev(), found.ino()), FILE_SHARE_DELETE, all)?;
    std::fs::remove_file(path).map_err(code)
}
