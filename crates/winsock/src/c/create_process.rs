//! Starting other programs: native ones.

use core::ffi::c_void;
use std::ffi::CStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use crate::c::process::arguments;
use crate::c::text::{WChar, from_bytes, from_units, narrow, units, wide};
use crate::error::{finish_bool, is_bad};
use crate::file::codes::win32_from_errno;
use crate::file::{self, standard};
use crate::objects::processes::{self, ProcessObject};
use crate::objects::table;
use crate::objects::{CloseHandle, Object, threads};
use crate::os;
use crate::types::*;

/// What is not offered: a process that is halted from its beginning on, or watched, or has a list of attributes.
const REFUSED: u32 = CREATE_SUSPENDED | DEBUG_PROCESS | DEBUG_ONLY_THIS_PROCESS | EXTENDED_STARTUPINFO_PRESENT;

/// What a call asks for.
struct Ask {
    application: Option<String>,
    line: Option<String>,
    directory: Option<String>,
    /// `NAME=value` each, in place of this process's own.
    environment: Option<Vec<String>>,
    flags: u32,
    /// Standard input, output and error, if they are others than this process's.
    streams: Option<[HANDLE; 3]>,
}

impl Ask {
    fn start(self) -> Result<Arc<ProcessObject>, WIN32_ERROR> {
        if self.flags & REFUSED != 0 {
            return Err(ERROR_NOT_SUPPORTED);
        }
        let line = self.line.as_deref().map(str::trim_start).filter(|line| !line.is_empty());
        let program = match (&self.application, line) {
            (Some(application), _) => find_file(&native(application))?,
            (None, Some(line)) => find_program(line)?,
            (None, None) => return Err(ERROR_INVALID_PARAMETER),
        };
        // Before the directory is another.
        let mut command = Command::new(std::path::absolute(program).map_err(|_| ERROR_PATH_NOT_FOUND)?);
        match line.map(arguments).as_deref() {
            Some([name, others @ ..]) => command.arg0(name).args(others),
            _ => command.arg0(self.application.unwrap_or_default()),
        };
        if let Some(directory) = self.directory.as_deref().map(native) {
            if !directory.is_dir() {
                return Err(ERROR_DIRECTORY);
            }
            command.current_dir(directory);
        }
        if let Some(environment) = self.environment {
            // Windows's own entries begin with `=`: no names.
            let pairs = environment.iter().filter_map(|entry| entry.split_once('='));
            command.env_clear().envs(pairs.filter(|(name, _)| !name.is_empty()));
        }
        if let Some([input, output, error]) = self.streams {
            command.stdin(stream(input)?).stdout(stream(output)?).stderr(stream(error)?);
        }
        ProcessObject::start(&mut command).map_err(|error| match error.raw_os_error() {
            Some(libc::ENOEXEC) => ERROR_BAD_EXE_FORMAT,
            Some(libc::ENOMEM | libc::EAGAIN) => ERROR_NOT_ENOUGH_MEMORY,
            Some(errno) => win32_from_errno(errno),
            // A zero in a string, which strings of C do not have.
            None => ERROR_INVALID_PARAMETER,
        })
    }
}

/// A path as Linux knows it.
fn native(path: &str) -> PathBuf {
    PathBuf::from(path.replace('\\', "/"))
}

/// A standard stream of the new process. Nothing is read from, and nothing comes of what is written to, none.
fn stream(handle: HANDLE) -> Result<Stdio, WIN32_ERROR> {
    if handle.is_null() || handle == INVALID_HANDLE_VALUE {
        return Ok(Stdio::null());
    }
    let fd = match standard::descriptor(handle) {
        Some(descriptor) => os::file::duplicate(descriptor).map_err(win32_from_errno)?,
        None => file::find(handle).ok_or(ERROR_INVALID_HANDLE)?.for_another_process()?,
    };
    Ok(fd.into())
}

/// A program's file by its path: also with `.exe` added, or, as native programs have none, taken away.
fn find_file(path: &Path) -> Result<PathBuf, WIN32_ERROR> {
    let other = match path.extension() {
        Some(extension) if extension.eq_ignore_ascii_case("exe") => path.with_extension(""),
        Some(_) => path.to_owned(),
        None => path.with_extension("exe"),
    };
    if let Some(found) = [path, &other].into_iter().find(|path| path.is_file()) {
        return Ok(found.to_owned());
    }
    let has_directory = path.parent().is_none_or(|parent| parent.as_os_str().is_empty() || parent.is_dir());
    Err(match path.is_dir() {
        true => ERROR_ACCESS_DENIED,
        false if has_directory => ERROR_FILE_NOT_FOUND,
        false => ERROR_PATH_NOT_FOUND,
    })
}

/// The program that a command line names: within quotation marks, or up to the first space behind which it is found.
fn find_program(line: &str) -> Result<PathBuf, WIN32_ERROR> {
    if let Some(quoted) = line.strip_prefix('"') {
        return search(quoted.split('"').next().unwrap_or_default());
    }
    let mut error = ERROR_FILE_NOT_FOUND;
    for end in line.match_indices([' ', '\t']).map(|(at, _)| at).chain([line.len()]) {
        match search(&line[..end]) {
            Err(code) => error = code,
            found => return found,
        }
    }
    Err(error)
}

/// A program's file by its name: where this program is, in the current directory, in PATH.
fn search(name: &str) -> Result<PathBuf, WIN32_ERROR> {
    let name = native(name);
    if name.as_os_str().as_bytes().contains(&b'/') {
        return find_file(&name);
    }
    let own = std::env::current_exe().ok().and_then(|path| path.parent().map(Path::to_owned));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = own.into_iter().chain([PathBuf::from(".")]).chain(std::env::split_paths(&path));
    let found = folders.filter_map(|folder| find_file(&folder.join(&name)).ok()).next();
    found.ok_or(ERROR_FILE_NOT_FOUND)
}

/// # Safety
/// `place` is null or writable.
unsafe fn create(ask: Ask, place: *mut PROCESS_INFORMATION) -> BOOL {
    let run = || {
        if is_bad(place) {
            return Err(ERROR_INVALID_PARAMETER);
        }
        let process = ask.start()?;
        let id = process.id();
        let insert = |object| table::insert(object).ok_or(ERROR_NO_SYSTEM_RESOURCES);
        let thread = insert(Object::Thread(process.main.clone()))? as usize as HANDLE;
        let handle = insert(Object::Process(process)).inspect_err(|_| {
            // SAFETY: nothing is asked of the caller.
            unsafe { CloseHandle(thread) };
        })? as usize as HANDLE;
        // SAFETY: the caller's promise.
        unsafe {
            place.write(PROCESS_INFORMATION { hProcess: handle, hThread: thread, dwProcessId: id, dwThreadId: id });
        }
        Ok(())
    };
    finish_bool(run())
}

/// The strings of an environment, up to an empty one. None for null: this process's.
///
/// # Safety
/// `block` is bad (null) or ends with two zeros: of `wchar_t` with CREATE_UNICODE_ENVIRONMENT, else of bytes.
unsafe fn environment(block: *const c_void, flags: u32) -> Option<Vec<String>> {
    if is_bad(block) {
        return None;
    }
    let mut entries = Vec::new();
    let mut at = block.cast::<u8>();
    loop {
        // SAFETY: the caller's promise; the last string is the empty one.
        let (entry, size) = unsafe {
            if flags & CREATE_UNICODE_ENVIRONMENT != 0 {
                let text = units(at.cast::<WChar>()).unwrap_or_default();
                (from_units(text), (text.len() + 1) * size_of::<WChar>())
            } else {
                let text = CStr::from_ptr(at.cast()).to_bytes();
                (from_bytes(text), text.len() + 1)
            }
        };
        if entry.is_empty() {
            return Some(entries);
        }
        entries.push(entry);
        // SAFETY: behind the string is another, as it was not the empty one.
        at = unsafe { at.add(size) };
    }
}

/// The standard streams that a STARTUPINFO names.
///
/// # Safety
/// `startup` is null or readable. STARTUPINFOW has the same layout.
unsafe fn streams(startup: *const STARTUPINFOA) -> Option<[HANDLE; 3]> {
    if is_bad(startup) {
        return None;
    }
    // SAFETY: the caller's promise.
    let startup = unsafe { &*startup };
    let named = startup.dwFlags & STARTF_USESTDHANDLES != 0;
    named.then_some([startup.hStdInput, startup.hStdOutput, startup.hStdError])
}

/// Starts a native program.
///
/// The command line is taken apart as CommandLineToArgvW does. Paths are Linux's, but that `\` is taken for `/`, and `.exe` may be
/// there or not. Without an application's name the program is looked for where this one is, in the current directory and in
/// PATH. With STARTF_USESTDHANDLES its standard streams are those of the handles: GetStdHandle's and CreateFile's, not
/// sockets; a file is shared from this handle's position on, which does not move with what the other process does. Nothing else
/// is inherited. Other flags, attributes and the rest of STARTUPINFO are ignored, but for those refused below.
///
/// # Errors
/// FALSE with ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_ACCESS_DENIED, ERROR_BAD_EXE_FORMAT, ERROR_DIRECTORY,
/// ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER …; ERROR_NOT_SUPPORTED for CREATE_SUSPENDED, DEBUG_PROCESS,
/// DEBUG_ONLY_THIS_PROCESS and EXTENDED_STARTUPINFO_PRESENT.
///
/// # Safety
/// Strings are null or end with a zero, the environment with two (of `wchar_t` with CREATE_UNICODE_ENVIRONMENT);
/// `lpstartupinfo` is null or readable, `lpprocessinformation` null or writable.
#[unsafe(export_name = "ws_CreateProcessA")]
pub unsafe extern "system" fn CreateProcessA(
    lpapplicationname: PCSTR,
    lpcommandline: PSTR,
    _lpprocessattributes: *const SECURITY_ATTRIBUTES,
    _lpthreadattributes: *const SECURITY_ATTRIBUTES,
    _binherithandles: BOOL,
    dwcreationflags: u32,
    lpenvironment: *const c_void,
    lpcurrentdirectory: PCSTR,
    lpstartupinfo: *const STARTUPINFOA,
    lpprocessinformation: *mut PROCESS_INFORMATION,
) -> BOOL {
    // SAFETY: the caller's promise.
    unsafe {
        let ask = Ask {
            application: narrow(lpapplicationname),
            line: narrow(lpcommandline),
            directory: narrow(lpcurrentdirectory),
            environment: environment(lpenvironment, dwcreationflags),
            flags: dwcreationflags,
            streams: streams(lpstartupinfo),
        };
        create(ask, lpprocessinformation)
    }
}

/// [`CreateProcessA`] for wide strings.
///
/// # Safety
/// As there.
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
    lpstartupinfo: *const STARTUPINFOW,
    lpprocessinformation: *mut PROCESS_INFORMATION,
) -> BOOL {
    // SAFETY: the caller's promise.
    unsafe {
        let ask = Ask {
            application: wide(lpapplicationname),
            line: wide(lpcommandline),
            directory: wide(lpcurrentdirectory),
            environment: environment(lpenvironment, dwcreationflags),
            flags: dwcreationflags,
            streams: streams(lpstartupinfo.cast()),
        };
        create(ask, lpprocessinformation)
    }
}

/// Tells the exit code of a process; STILL_ACTIVE (259) while it runs, as this one does. 128 and the signal's number if a signal
/// ended it. Of what a process says itself Linux keeps 8 bits, of TerminateProcess's code there are 32.
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
    use crate::c::process::{GetProcessId, TerminateProcess};
    use crate::error::last_error;
    use crate::{
        CreateFileA, DuplicateHandle, GetCurrentProcess, GetExitCodeThread, WaitForMultipleObjects, WaitForSingleObject,
    };

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
        assert_eq!(exit_code(information.hProcess), 7);
        let mut duplicate = null_mut();
        // SAFETY: the handles are ours.
        unsafe {
            let (me, process) = (GetCurrentProcess(), information.hProcess);
            let mut code = 0;
            assert_eq!(WaitForSingleObject(information.hThread, INFINITE), WAIT_OBJECT_0);
            assert_eq!((GetExitCodeThread(information.hThread, &mut code), code), (TRUE, 7));
            assert_eq!((GetProcessId(process), GetProcessId(me)), (information.dwProcessId, std::process::id()));
            assert_eq!((TerminateProcess(process, 9), last_error()), (FALSE, ERROR_ACCESS_DENIED));
            assert_eq!(DuplicateHandle(me, process, me, &mut duplicate, 0, FALSE, 2), TRUE);
            for handle in [information.hProcess, information.hThread, duplicate] {
                CloseHandle(handle);
            }
        }
        assert_eq!(start("/no/such/program", null()).err(), Some(ERROR_PATH_NOT_FOUND));
        assert_eq!(start("no-such-program with arguments", null()).err(), Some(ERROR_FILE_NOT_FOUND));
        assert_eq!(start("/tmp", null()).err(), Some(ERROR_ACCESS_DENIED));
        assert_eq!(start("", null()).err(), Some(ERROR_INVALID_PARAMETER));
    }

    #[test]
    fn a_program_that_would_run_for_ever_is_ended() {
        let information = start("sh -c \"while :; do sleep 1; done\"", null()).expect("a shell");
        let mut code = 0;
        // SAFETY: the handles are ours, the place is live.
        unsafe {
            assert_eq!((GetExitCodeProcess(information.hProcess, &mut code), code), (TRUE, STILL_ACTIVE as u32));
            assert_eq!(TerminateProcess(information.hProcess, 70_000), TRUE);
            assert_eq!(exit_code(information.hProcess), 70_000);
            CloseHandle(information.hProcess);
            CloseHandle(information.hThread);
            assert_eq!((GetExitCodeProcess(null_mut(), &mut code), last_error()), (FALSE, ERROR_INVALID_HANDLE));
        }
    }

    #[test]
    fn a_signal_is_told_as_a_shell_does() {
        let information = start(r#"sh.exe -c "kill -TERM $$""#, null()).expect("a shell");
        assert_eq!(exit_code(information.hProcess), 128 + libc::SIGTERM as u32);
        close(&information);
    }

    #[test]
    fn streams_directory_and_name_are_those_that_are_asked_for() {
        let folder = std::env::temp_dir().join(format!("winsock create process {}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let folder = folder.canonicalize().expect("a folder");
        let path = |name: &str| format!("{}\0", folder.join(name).display());
        std::fs::write(folder.join("input"), "skipped").expect("a file");
        std::fs::write(folder.join("my program"), "#!/bin/sh\npwd; cat; echo \"$1|$2\" >&2; exit 3\n")
            .expect("a script");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.join("my program"), mode).expect("a program");
        // SAFETY: strings end with zeros, places are live, handles are ours.
        unsafe {
            let open = |name: &str, rights, disposition| {
                let shared = FILE_SHARE_READ | FILE_SHARE_WRITE;
                CreateFileA(path(name).as_ptr(), rights, shared, null(), disposition, 0, null_mut())
            };
            let output = open("output", GENERIC_WRITE, CREATE_ALWAYS);
            let input = open("input", GENERIC_READ, OPEN_EXISTING);
            crate::SetFilePointerEx(input, 4, null_mut(), FILE_BEGIN);
            let startup = STARTUPINFOA {
                dwFlags: STARTF_USESTDHANDLES,
                hStdInput: input,
                hStdOutput: output,
                hStdError: output,
                ..Default::default()
            };
            let directory = path("");
            let mut information = PROCESS_INFORMATION::default();
            // Without quotation marks the program is found behind its second space, and its name is cut at the first.
            let unquoted = format!("{}\\my program.exe \"a b\" c", folder.display());
            let quoted = format!("\"{}\\my program\" \"a b\" c", folder.display());
            for line in [&quoted, &unquoted] {
                let mut line = format!("{line}\0").into_bytes();
                let (place, flags) = (&raw mut information, 0x0800_0000);
                let directory = directory.as_ptr();
                let started = CreateProcessA(
                    null(),
                    line.as_mut_ptr(),
                    null(),
                    null(),
                    TRUE,
                    flags,
                    null(),
                    directory,
                    &startup,
                    place,
                );
                assert_eq!((started, last_error()), (TRUE, 0));
                let both = [information.hThread, information.hProcess];
                assert_eq!(WaitForMultipleObjects(2, both.as_ptr(), TRUE, INFINITE), WAIT_OBJECT_0);
                assert_eq!(exit_code(information.hProcess), 3);
                close(&information);
            }
            let printed = std::fs::read_to_string(folder.join("output")).expect("what it printed");
            let here = folder.display();
            assert!(printed.starts_with(&format!("{here}\npeda b|c\n{here}\n")), "{printed}");
            let refused = |startup: *const STARTUPINFOA, flags, directory| {
                let mut line = *b"sh -c :\0";
                let (line, mut place) = (line.as_mut_ptr(), PROCESS_INFORMATION::default());
                let place = &raw mut place;
                let ok = CreateProcessA(null(), line, null(), null(), TRUE, flags, null(), directory, startup, place);
                (ok, last_error())
            };
            assert_eq!(refused(null(), CREATE_SUSPENDED, null()), (FALSE, ERROR_NOT_SUPPORTED));
            assert_eq!(refused(null(), 0, path("none").as_ptr()), (FALSE, ERROR_DIRECTORY));
            CloseHandle(input);
            CloseHandle(output);
            assert_eq!(refused(&startup, 0, null()), (FALSE, ERROR_INVALID_HANDLE));
        }
        std::fs::remove_dir_all(&folder).expect("nobody uses it");
    }

    fn close(information: &PROCESS_INFORMATION) {
        // SAFETY: the handles are ours.
        unsafe {
            CloseHandle(information.hProcess);
            CloseHandle(information.hThread);
        }
    }
}
