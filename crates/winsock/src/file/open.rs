//! CreateFile.

use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ranked_locks::Mutex;

use crate::dispatcher;
use crate::error::set_last_error;
use crate::file::codes::win32_from_errno;
use crate::file::pool::Lane;
use crate::file::share::Claim;
use crate::file::{Access, Core, File, Kind, State};
use crate::objects::Object;
use crate::objects::table;
use crate::os::{self, OsResult};
use crate::types::*;

/// What a call asks for, beside the path.
#[derive(Clone, Copy)]
struct Ask {
    rights: u32,
    share: FILE_SHARE_MODE,
    disposition: FILE_CREATION_DISPOSITION,
    flags: FILE_FLAGS_AND_ATTRIBUTES,
}

/// The path of a file that is deleted when this is dropped, if it still is that file's.
pub(super) struct Doomed {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Drop for Doomed {
    fn drop(&mut self) {
        use std::os::unix::fs::MetadataExt;
        let is_it = |found: std::fs::Metadata| (found.dev(), found.ino()) == (self.device, self.inode);
        if std::fs::metadata(&self.path).is_ok_and(is_it) {
            // There is nobody to tell of a failure.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Ask {
    fn has(&self, flag: FILE_FLAGS_AND_ATTRIBUTES) -> bool {
        self.flags & flag != 0
    }

    fn access(&self) -> Access {
        let any = |rights| self.rights & rights != 0;
        let write = any(GENERIC_WRITE | GENERIC_ALL | FILE_WRITE_DATA);
        Access {
            read: any(GENERIC_READ | GENERIC_ALL | FILE_READ_DATA),
            write,
            append: !write && any(FILE_APPEND_DATA),
        }
    }

    fn truncates(&self) -> bool {
        matches!(self.disposition, CREATE_ALWAYS | TRUNCATE_EXISTING)
    }

    /// What others must share with this handle.
    fn wants(&self) -> FILE_SHARE_MODE {
        let access = self.access();
        let deletes = self.has(FILE_FLAG_DELETE_ON_CLOSE) || self.rights & (DELETE | GENERIC_ALL) != 0;
        let pairs = [
            (access.read, FILE_SHARE_READ),
            (access.write || access.append, FILE_SHARE_WRITE),
            (deletes, FILE_SHARE_DELETE),
        ];
        pairs.into_iter().filter(|(wanted, _)| *wanted).fold(0, |all, (_, share)| all | share)
    }

    fn open_flags(&self) -> i32 {
        let access = self.access();
        let mut flags = match (access.read, access.write || access.append) {
            // A handle that may do nothing but be asked: it must not wait for the other end of a pipe.
            (false, false) if !self.truncates() => libc::O_RDONLY | libc::O_NONBLOCK,
            (true, false) if !self.truncates() => libc::O_RDONLY,
            (false, true) => libc::O_WRONLY,
            // Truncating asks for write access whatever the handle may be used for.
            _ => libc::O_RDWR,
        };
        if access.append {
            flags |= libc::O_APPEND;
        }
        if self.has(FILE_FLAG_WRITE_THROUGH) {
            flags |= libc::O_DSYNC;
        }
        flags
    }

    /// Opens or creates what the path names; says whether it was there already.
    fn open(&self, path: &CStr) -> OsResult<(OwnedFd, bool)> {
        let flags = self.open_flags();
        let create = || os::file::open(path, flags | libc::O_CREAT | libc::O_EXCL).map(|fd| (fd, false));
        match self.disposition {
            CREATE_NEW => create(),
            OPEN_ALWAYS | CREATE_ALWAYS => match create() {
                Err(libc::EEXIST) => match os::file::open(path, flags) {
                    // A symbolic link to nothing yet, or deleted just now.
                    Err(libc::ENOENT) => os::file::open(path, flags | libc::O_CREAT).map(|fd| (fd, false)),
                    result => result.map(|fd| (fd, true)),
                },
                result => result,
            },
            _ => os::file::open(path, flags).map(|fd| (fd, true)),
        }
    }
}

/// Opens a file and gives it a handle; says whether the file was there already.
fn create(path: &CStr, ask: Ask) -> Result<(u32, bool), WIN32_ERROR> {
    match ask.disposition {
        TRUNCATE_EXISTING if !ask.access().write => return Err(ERROR_INVALID_PARAMETER),
        CREATE_NEW | CREATE_ALWAYS | OPEN_EXISTING | OPEN_ALWAYS | TRUNCATE_EXISTING => {}
        _ => return Err(ERROR_INVALID_PARAMETER),
    }
    if path.is_empty() {
        return Err(ERROR_PATH_NOT_FOUND);
    }
    let (fd, existed) = ask.open(path).map_err(|errno| match errno {
        libc::ENOENT if !has_directory(path) => ERROR_PATH_NOT_FOUND,
        errno => win32_from_errno(errno),
    })?;
    let file = prepare(fd, path, ask, existed)?;
    let handle = table::insert(Object::File(Arc::new(file))).ok_or(ERROR_NO_SYSTEM_RESOURCES)?;
    Ok((handle, existed))
}

/// Whether the directory that the path names a file in is there.
fn has_directory(path: &CStr) -> bool {
    let path = as_path(path);
    path.parent().is_none_or(|parent| parent.as_os_str().is_empty() || parent.is_dir())
}

fn as_path(path: &CStr) -> &Path {
    Path::new(OsStr::from_bytes(path.to_bytes()))
}

fn prepare(fd: OwnedFd, path: &CStr, ask: Ask, existed: bool) -> Result<File, WIN32_ERROR> {
    let status = os::file::status(fd.as_raw_fd()).map_err(win32_from_errno)?;
    let regular = status.st_mode & libc::S_IFMT == libc::S_IFREG;
    let kind = match status.st_mode & libc::S_IFMT {
        libc::S_IFDIR => return Err(ERROR_ACCESS_DENIED),
        libc::S_IFREG | libc::S_IFBLK => Kind::Positioned,
        _ => Kind::Stream,
    };
    let (device, inode) = (status.st_dev, status.st_ino);
    let claim = match regular {
        true => Some(Claim::new((device, inode), ask.wants(), ask.share)?),
        false => None,
    };
    if regular && existed && ask.truncates() {
        os::file::truncate(fd.as_raw_fd()).map_err(win32_from_errno)?;
    }
    let doomed = match ask.has(FILE_FLAG_DELETE_ON_CLOSE) {
        true => {
            let path = std::path::absolute(as_path(path)).map_err(|_| ERROR_PATH_NOT_FOUND)?;
            Some(Doomed { path, device, inode })
        }
        false => None,
    };
    let (reads, writes) = lanes(kind, fd.as_raw_fd()).map_err(win32_from_errno)?;
    let core = Core {
        fd,
        kind,
        access: ask.access(),
        overlapped: ask.has(FILE_FLAG_OVERLAPPED),
        state: Mutex::new(State { association: None, notification_modes: 0 }),
        signalled: dispatcher::Object::event(true, false),
        position: Mutex::new(0),
        reads,
        writes,
    };
    Ok(File { core: Arc::new(core), _doomed: doomed, _claim: claim })
}

fn lanes(kind: Kind, fd: RawFd) -> OsResult<(Arc<Lane>, Arc<Lane>)> {
    match kind {
        Kind::Positioned => Ok((Lane::shared(), Lane::shared())),
        Kind::Stream => {
            os::file::set_nonblocking(fd)?;
            Ok((Lane::own()?, Lane::own()?))
        }
    }
}

fn finish(result: Result<(u32, bool), WIN32_ERROR>, disposition: FILE_CREATION_DISPOSITION) -> HANDLE {
    match result {
        Ok((handle, existed)) => {
            let told = existed && matches!(disposition, OPEN_ALWAYS | CREATE_ALWAYS);
            set_last_error(if told { ERROR_ALREADY_EXISTS } else { ERROR_SUCCESS });
            handle as usize as HANDLE
        }
        Err(code) => {
            set_last_error(code);
            INVALID_HANDLE_VALUE
        }
    }
}

/// A path as Linux knows it: programs for Windows write `\` between its parts.
fn to_linux(mut path: Vec<u8>) -> Result<CString, WIN32_ERROR> {
    path.iter_mut().filter(|byte| **byte == b'\\').for_each(|byte| *byte = b'/');
    CString::new(path).map_err(|_| ERROR_INVALID_NAME)
}

/// Opens or creates a file, by a path in UTF-8.
///
/// Paths are Linux's own, but that `\` is taken for `/`; a drive letter means nothing. FILE_FLAG_OVERLAPPED,
/// FILE_FLAG_WRITE_THROUGH and FILE_FLAG_DELETE_ON_CLOSE have their meaning; other flags and the attributes are hints
/// and ignored, and so are `lpsecurityattributes` (no descriptor is inherited) and `htemplatefile`. Share modes hold
/// between the handles of this process. A file to be deleted on close stays if the process ends with it open. Opening
/// a pipe for one direction waits until its other end is open, as in Linux.
///
/// With OPEN_ALWAYS and CREATE_ALWAYS the last error is ERROR_ALREADY_EXISTS if the file was there, else 0.
///
/// # Errors
/// INVALID_HANDLE_VALUE with ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_FILE_EXISTS (CREATE_NEW),
/// ERROR_ACCESS_DENIED (also for a directory), ERROR_SHARING_VIOLATION, ERROR_INVALID_PARAMETER for an unknown
/// disposition or TRUNCATE_EXISTING without GENERIC_WRITE, ERROR_INVALID_NAME, ERROR_TOO_MANY_OPEN_FILES …
///
/// # Safety
/// `lpfilename` is null or a terminated string. The other pointers are not used.
///
/// ```
/// use std::ptr::{null, null_mut};
/// use winsock::*;
/// let path = std::env::temp_dir().join(format!("winsock-{}-example", std::process::id()));
/// let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
/// let rights = GENERIC_READ | GENERIC_WRITE;
/// let flags = FILE_FLAG_OVERLAPPED | FILE_FLAG_DELETE_ON_CLOSE;
/// // SAFETY: the string, the buffers and the OVERLAPPED live until the operations are over.
/// unsafe {
///     let file = CreateFileA(name.as_ptr().cast(), rights, 0, null(), CREATE_ALWAYS, flags, null_mut());
///     assert_ne!(file, INVALID_HANDLE_VALUE);
///     let mut bytes = 0;
///     let mut overlapped = OVERLAPPED::default();
///     assert_eq!(WriteFile(file, b"hello".as_ptr(), 5, &mut bytes, &mut overlapped), FALSE);
///     assert_eq!(GetLastError(), ERROR_IO_PENDING);
///     assert_eq!(GetOverlappedResult(file, &overlapped, &mut bytes, TRUE), TRUE);
///     assert_eq!(bytes, 5);
///     CloseHandle(file);
/// }
/// ```
#[unsafe(export_name = "ws_CreateFileA")]
pub unsafe extern "system" fn CreateFileA(
    lpfilename: PCSTR,
    dwdesiredaccess: u32,
    dwsharemode: FILE_SHARE_MODE,
    _lpsecurityattributes: *const SECURITY_ATTRIBUTES,
    dwcreationdisposition: FILE_CREATION_DISPOSITION,
    dwflagsandattributes: FILE_FLAGS_AND_ATTRIBUTES,
    _htemplatefile: HANDLE,
) -> HANDLE {
    let ask = Ask {
        rights: dwdesiredaccess,
        share: dwsharemode,
        disposition: dwcreationdisposition,
        flags: dwflagsandattributes,
    };
    let path = match lpfilename.is_null() {
        true => Err(ERROR_PATH_NOT_FOUND),
        // SAFETY: as the caller promises.
        false => to_linux(unsafe { CStr::from_ptr(lpfilename.cast()) }.to_bytes().to_vec()),
    };
    finish(path.and_then(|path| create(&path, ask)), dwcreationdisposition)
}

/// Opens or creates a file as [`CreateFileA`] does, by a path in UTF-16.
///
/// # Errors
/// As for [`CreateFileA`]; ERROR_INVALID_NAME for a path that is no UTF-16.
///
/// # Safety
/// As for [`CreateFileA`].
pub unsafe extern "system" fn CreateFileW(
    lpfilename: PCWSTR,
    dwdesiredaccess: u32,
    dwsharemode: FILE_SHARE_MODE,
    _lpsecurityattributes: *const SECURITY_ATTRIBUTES,
    dwcreationdisposition: FILE_CREATION_DISPOSITION,
    dwflagsandattributes: FILE_FLAGS_AND_ATTRIBUTES,
    _htemplatefile: HANDLE,
) -> HANDLE {
    let ask = Ask {
        rights: dwdesiredaccess,
        share: dwsharemode,
        disposition: dwcreationdisposition,
        flags: dwflagsandattributes,
    };
    // SAFETY: as the caller promises.
    let path = unsafe { from_wide(lpfilename) };
    finish(path.and_then(to_linux).and_then(|path| create(&path, ask)), dwcreationdisposition)
}

/// # Safety
/// `path` is null or a terminated string.
unsafe fn from_wide(path: PCWSTR) -> Result<Vec<u8>, WIN32_ERROR> {
    if path.is_null() {
        return Err(ERROR_PATH_NOT_FOUND);
    }
    // SAFETY: the string goes on until its terminator, as the caller promises.
    let units = (0..).map(|at| unsafe { *path.add(at) }).take_while(|&unit| unit != 0);
    char::decode_utf16(units).collect::<Result<String, _>>().map(String::into_bytes).map_err(|_| ERROR_INVALID_NAME)
}
