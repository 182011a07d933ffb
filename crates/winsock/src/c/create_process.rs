//! Starting other programs: native ones.

use core::ffi::c_void;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::process::Command;

use crate::c::process::arguments;
use crate::c::text::{WChar, narrow, wide};
use crate::error::{finish_bool, is_bad};
use crate::objects::processes::{self, ProcessObject};
use crate::objects::table::{self, Entry};
use crate::objects::{CloseHandle, Object, threads};
use crate::types::*;

/// What a call asks for.
struct Ask {
    application: Option<String>,
    line: Option<String>,
    directory: Option<String>,
    /// `NAME=value` each, in place of this process's own.
    environment: Option<Vec<String>>,
}

impl Ask {
    fn start(self) -> Result<Object, WIN32_ERROR> {
        let mut all = self.line.filter(|line| !line.trim().is_empty()).map(|line| arguments(&line)).unwrap_or_default();
        let first = if all.is_empty() { None } else { Some(all.remove(0)) };
        let program = self.application.or(first).ok_or(ERROR_INVALID_PARAMETER)?;
        let native = |path: String| OsString::from_vec(path.replace('\\', "/").into_bytes());
        let mut command = Command::new(native(program));
        command.args(all);
        if let Some(directory) = self.directory {
            command.current_dir(native(directory));
        }
        if let Some(environment) = self.environment {
            command.env_clear();
            command.envs(environment.iter().filter_map(|entry| entry.split_once('=')));
        }
        let process = ProcessObject::start(command).map_err(|error| match error.raw_os_error() {
            Some(libc::ENOENT | libc::ENOTDIR) => ERROR_FILE_NOT_FOUND,
            Some(libc::EACCES | libc::EPERM) => ERROR_ACCESS_DENIED,
            Some(libc::ENOEXEC) => ERROR_BAD_EXE_FORMAT,
            Some(libc::ENOMEM | libc::EAGAIN) => ERROR_NOT_ENOUGH_MEMORY,
            _ => ERROR_INVALID_NAME,
        })?;
        Ok(Object::Process(process))
    }
}

/// # Safety
/// `place` is null or writable.
unsafe fn create(ask: Ask, place: *mut PROCESS_INFORMATION) -> BOOL {
    let run = || {
        if is_bad(place) {
            return Err(ERROR_INVALID_PARAMETER);
        }
        let process = ask.start()?;
        let id = if let Object::Process(process) = &process { process.id() } else { 0 };
        let handle = table::insert(Entry::Object(process.clone())).ok_or(ERROR_NO_SYSTEM_RESOURCES)?;
        let Some(thread) = table::insert(Entry::Object(process)) else {
            // SAFETY: nothing is asked of the caller.
            unsafe { CloseHandle(handle as usize as HANDLE) };
            return Err(ERROR_NO_SYSTEM_RESOURCES);
        };
        let information = PROCESS_INFORMATION {
            hProcess: handle as usize as HANDLE,
            hThread: thread as usize as HANDLE,
            dwProcessId: id,
            dwThreadId: id,
        };
        // SAFETY: the caller's promise.
        unsafe { place.write(information) };
        Ok(())
    };
    finish_bool(run())
}

/// The strings of an environment, up to an empty one.
fn environment(mut next: impl FnMut() -> Option<String>) -> Vec<String> {
    std::iter::from_fn(|| next().filter(|entry| !entry.is_empty())).collect()
}

/// Starts a native program, with this process's standard streams.
///
/// The command line is taken apart as CommandLineToArgvW does; the program's path is Linux's, but that `\` is taken for `/`, and
/// is searched in PATH if it has no directory. Attributes, inheritance, flags and the STARTUPINFO are ignored. Both handles
/// stand for the process: they are signalled when it has ended.
///
/// # Errors
/// FALSE with ERROR_FILE_NOT_FOUND, ERROR_ACCESS_DENIED, ERROR_BAD_EXE_FORMAT, ERROR_INVALID_PARAMETER …
///
/// # Safety
/// Strings are null or end with a zero, the environment with two; `lpprocessinformation` is null or writable.
#[unsafe(export_name = "ws_CreateProcessA")]
pub unsafe extern "system" fn CreateProcessA(
    lpapplicationname: PCSTR,
    lpcommandline: PSTR,
    _lpprocessattributes: *const SECURITY_ATTRIBUTES,
    _lpthreadattributes: *const SECURITY_ATTRIBUTES,
    _binherithandles: BOOL,
    _dwcreationflags: u32,
    lpenvironment: *const c_void,
    lpcurrentdirectory: PCSTR,
    _lpstartupinfo: *const STARTUPINFOA,
    lpprocessinformation: *mut PROCESS_INFORMATION,
) -> BOOL {
    let mut at = lpenvironment.cast::<u8>();
    // SAFETY: the caller's promise.
    unsafe {
        let entries = (!is_bad(at)).then(|| {
            environment(|| {
                let length = std::ffi::CStr::from_ptr(at.cast()).count_bytes();
                let entry = narrow(at);
                at = at.add(length + 1);
                entry
            })
        });
        let ask = Ask {
            application: narrow(lpapplicationname),
            line: narrow(lpcommandline),
            directory: narrow(lpcurrentdirectory),
            environment: entries,
        };
        create(ask, lpprocessinformation)
    }
}

/// [`CreateProcessA`] for wide strings. Its STARTUPINFO, which is ignored, differs in the strings.
///
/// # Safety
/// As there. An environment is wide with CREATE_UNICODE_ENVIRONMENT (0x400) only, as on Windows.
#[unsafe(export_name = "ws_CreateProcessW")]
pub unsafe extern "system" fn CreateProcessW(
    lpapplicationname: *const WChar,
    lpcommandline: *mut WChar,
    _lpprocessattributes: *const SECURITY_ATTRIBUTES,
    _lpthreadattributes: *const SECURITY_ATTRIBUTES,
    _binherithandles: BOOL,
    dwcreationflags: u32,
    lpenvironment: *const c_void,
    lpcurrentdirectory: *const WChar,
    _lpstartupinfo: *const STARTUPINFOW,
    lpprocessinformation: *mut PROCESS_INFORMATION,
) -> BOOL {
    let is_wide = dwcreationflags & 0x400 != 0;
    let mut at = lpenvironment.cast::<u8>();
    // SAFETY: the caller's promise.
    unsafe {
        let entries = (!is_bad(at)).then(|| {
            environment(|| {
                if is_wide {
                    let entry = wide(at.cast::<WChar>())?;
                    at = at.add((entry.chars().count() + 1) * size_of::<WChar>());
                    return Some(entry);
                }
                let length = std::ffi::CStr::from_ptr(at.cast()).count_bytes();
                let entry = narrow(at);
                at = at.add(length + 1);
                entry
            })
        });
        let ask = Ask {
            application: wide(lpapplicationname),
            line: wide(lpcommandline),
            directory: wide(lpcurrentdirectory),
            environment: entries,
        };
        create(ask, lpprocessinformation)
    }
}

/// Tells the exit code of a process; STILL_ACTIVE (259) while it runs, as this one does.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE, ERROR_NOACCESS for null.
///
/// # Safety
/// `lpexitcode` is null or writable.
#[unsafe(export_name = "ws_GetExitCodeProcess")]
pub unsafe extern "system" fn GetExitCodeProcess(hprocess: HANDLE, lpexitcode: *mut u32) -> BOOL {
    let ask = || {
        let code = match processes::find(hprocess as usize) {
            Some(process) => process.exit_code(),
            None if threads::is_current_process(hprocess as usize) => STILL_ACTIVE as u32,
            None => return Err(ERROR_INVALID_HANDLE),
        };
        if is_bad(lpexitcode) {
            return Err(ERROR_NOACCESS);
        }
        // SAFETY: the caller's promise.
        unsafe { lpexitcode.write(code) };
        Ok(())
    };
    finish_bool(ask())
}

#[cfg(test)]
mod tests {
    use std::ptr::{null, null_mut};

    use super::*;
    use crate::c::process::TerminateProcess;
    use crate::error::last_error;
    use crate::{DuplicateHandle, GetCurrentProcess, WaitForSingleObject};

    /// Starts what a command line says.
    fn start(line: &str, environment: *const c_void) -> Result<PROCESS_INFORMATION, u32> {
        let mut line = format!("{line}\0").into_bytes();
        let mut information = PROCESS_INFORMATION::default();
        // SAFETY: the line ends with a zero, the environment with two.
        let ok = unsafe {
            let (line, place) = (line.as_mut_ptr(), &raw mut information);
            CreateProcessA(null(), line, null(), null(), FALSE, 0, environment, null(), null(), place)
        };
        if ok == FALSE { Err(last_error()) } else { Ok(information) }
    }

    fn exit_code(process: HANDLE) -> u32 {
        let mut code = 0;
        // SAFETY: the place is live.
        unsafe {
            assert_eq!(WaitForSingleObject(process, INFINITE), WAIT_OBJECT_0);
            assert_eq!(GetExitCodeProcess(process, &mut code), TRUE);
        }
        code
    }

    #[test]
    fn a_program_runs_and_leaves_its_exit_code() {
        let environment = [&b"CODE=7"[..], &[0, 0]].concat();
        let environment = environment.as_ptr().cast();
        let information = start(r#"\bin\sh -c "exit $CODE""#, environment).expect("a shell");
        assert_eq!((exit_code(information.hProcess), exit_code(information.hThread)), (7, 7));
        let mut duplicate = null_mut();
        // SAFETY: the handles are ours.
        unsafe {
            let (me, process) = (GetCurrentProcess(), information.hProcess);
            assert_eq!(DuplicateHandle(me, process, me, &mut duplicate, 0, FALSE, 2), TRUE);
            for handle in [information.hProcess, information.hThread, duplicate] {
                CloseHandle(handle);
            }
        }
        assert_eq!(start("/no/such/program", null()).err(), Some(ERROR_FILE_NOT_FOUND));
        assert_eq!(start("", null()).err(), Some(ERROR_INVALID_PARAMETER));
    }

    #[test]
    fn a_program_that_would_run_for_ever_is_ended() {
        let information = start("sh -c \"while :; do sleep 1; done\"", null()).expect("a shell");
        let mut code = 0;
        // SAFETY: the handles are ours, the place is live.
        unsafe {
            assert_eq!((GetExitCodeProcess(information.hProcess, &mut code), code), (TRUE, STILL_ACTIVE as u32));
            assert_eq!(TerminateProcess(information.hProcess, 1), TRUE);
            assert_eq!(exit_code(information.hProcess), 128 + libc::SIGKILL as u32);
            CloseHandle(information.hProcess);
            CloseHandle(information.hThread);
            assert_eq!((GetExitCodeProcess(null_mut(), &mut code), last_error()), (FALSE, ERROR_INVALID_HANDLE));
        }
    }
}
