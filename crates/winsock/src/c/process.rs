//! The process: its number and end, its command line, its modules, and what it says to a debugger.

use core::ffi::c_void;
use std::ffi::{CStr, CString};
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::sync::OnceLock;

use crate::c::memory::LocalAlloc;
use crate::c::text::{WChar, from_bytes, narrow, put, wide, wide_of};
use crate::error::{finish_bool, is_bad, set_last_error};
use crate::objects::{processes, threads};
use crate::types::*;

/// The handles of the two modules that there are: the program, and this library under whatever name. No addresses.
const PROGRAM: usize = 0x0040_0000;
const LIBRARY: usize = 0x0050_0000;

/// Windows's libraries whose functions this one has.
const NAMES: [&str; 14] = [
    "kernel32",
    "kernelbase",
    "ntdll",
    "ws2_32",
    "wsock32",
    "mswsock",
    "user32",
    "gdi32",
    "winmm",
    "msvcrt",
    "ucrtbase",
    "advapi32",
    "api-ms-win-core-synch-l1-2-0",
    "libwinsock",
];

/// The number of this process.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_GetCurrentProcessId")]
pub unsafe extern "system" fn GetCurrentProcessId() -> u32 {
    std::process::id()
}

/// Ends the process with an exit code, of which Linux keeps 8 bits.
///
/// # Safety
/// As for C's `exit`.
#[unsafe(export_name = "ws_ExitProcess")]
pub unsafe extern "system" fn ExitProcess(uexitcode: u32) -> ! {
    // SAFETY: the caller's promise.
    unsafe { libc::exit(uexitcode as i32) }
}

/// Ends this process at once, without what `exit` does, or one that CreateProcess started.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED for a process that has ended.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_TerminateProcess")]
pub unsafe extern "system" fn TerminateProcess(hprocess: HANDLE, uexitcode: u32) -> BOOL {
    if threads::is_current_process(hprocess as usize) {
        // SAFETY: ends the process.
        unsafe { libc::_exit(uexitcode as i32) }
    }
    finish_bool(match processes::find(hprocess as usize) {
        Some(process) if process.terminate(uexitcode) => Ok(()),
        Some(_) => Err(ERROR_ACCESS_DENIED),
        None => Err(ERROR_INVALID_HANDLE),
    })
}

/// The system's number for a process; 0 with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_GetProcessId")]
pub unsafe extern "system" fn GetProcessId(process: HANDLE) -> u32 {
    match processes::find(process as usize) {
        Some(process) => process.id(),
        None if threads::is_current_process(process as usize) => std::process::id(),
        None => {
            set_last_error(ERROR_INVALID_HANDLE);
            0
        }
    }
}

/// Writes text for a debugger: to the standard error stream.
///
/// # Safety
/// `lpoutputstring` is null or ends with a zero.
#[unsafe(export_name = "ws_OutputDebugStringA")]
pub unsafe extern "system" fn OutputDebugStringA(lpoutputstring: PCSTR) {
    // SAFETY: the caller's promise. Nobody can be told that there is no such stream.
    let _ = unsafe { narrow(lpoutputstring) }.map(|text| std::io::stderr().lock().write_all(text.as_bytes()));
}

/// [`OutputDebugStringA`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_OutputDebugStringW")]
pub unsafe extern "system" fn OutputDebugStringW(lpoutputstring: *const WChar) {
    // SAFETY: the caller's promise. Nobody can be told that there is no such stream.
    let _ = unsafe { wide(lpoutputstring) }.map(|text| std::io::stderr().lock().write_all(text.as_bytes()));
}

fn module(name: Option<String>) -> HANDLE {
    let Some(name) = name else { return PROGRAM as HANDLE };
    let file = name.rsplit(['\\', '/']).next().unwrap_or_default().to_lowercase();
    let stem = file.strip_suffix(".dll").unwrap_or(&file);
    if NAMES.contains(&stem) {
        return LIBRARY as HANDLE;
    }
    set_last_error(ERROR_MOD_NOT_FOUND);
    std::ptr::null_mut()
}

/// The handle of the program (null) or of one of Windows's libraries whose functions are here.
///
/// # Errors
/// Null with ERROR_MOD_NOT_FOUND.
///
/// # Safety
/// `lpmodulename` is null or ends with a zero.
#[unsafe(export_name = "ws_GetModuleHandleA")]
pub unsafe extern "system" fn GetModuleHandleA(lpmodulename: PCSTR) -> HANDLE {
    // SAFETY: the caller's promise.
    module(unsafe { narrow(lpmodulename) })
}

/// [`GetModuleHandleA`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_GetModuleHandleW")]
pub unsafe extern "system" fn GetModuleHandleW(lpmodulename: *const WChar) -> HANDLE {
    // SAFETY: the caller's promise.
    module(unsafe { wide(lpmodulename) })
}

fn load(name: Option<String>) -> HANDLE {
    if name.is_none() {
        set_last_error(ERROR_INVALID_PARAMETER);
        return std::ptr::null_mut();
    }
    module(name)
}

/// As [`GetModuleHandleA`]: other libraries are not loaded.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_LoadLibraryA")]
pub unsafe extern "system" fn LoadLibraryA(lplibfilename: PCSTR) -> HANDLE {
    // SAFETY: the caller's promise.
    load(unsafe { narrow(lplibfilename) })
}

/// [`LoadLibraryA`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_LoadLibraryW")]
pub unsafe extern "system" fn LoadLibraryW(lplibfilename: *const WChar) -> HANDLE {
    // SAFETY: the caller's promise.
    load(unsafe { wide(lplibfilename) })
}

/// Accepted; FALSE with ERROR_INVALID_HANDLE for what is no module.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_FreeLibrary")]
pub unsafe extern "system" fn FreeLibrary(hlibmodule: HANDLE) -> BOOL {
    finish_bool(match hlibmodule as usize {
        PROGRAM | LIBRARY => Ok(()),
        _ => Err(ERROR_INVALID_HANDLE),
    })
}

/// The address of a function of this library, or of one that the program exports, by its name. With the static library only
/// what the program exports to the dynamic linker is found.
///
/// # Errors
/// Null with ERROR_PROC_NOT_FOUND, also for a number in place of a name, or ERROR_INVALID_HANDLE.
///
/// # Safety
/// `lpprocname` is null, a number, or ends with a zero.
#[unsafe(export_name = "ws_GetProcAddress")]
pub unsafe extern "system" fn GetProcAddress(hmodule: HANDLE, lpprocname: PCSTR) -> *const c_void {
    let find = || {
        let prefix = match hmodule as usize {
            PROGRAM => "",
            LIBRARY => "ws_",
            _ => return Err(ERROR_INVALID_HANDLE),
        };
        // SAFETY: the caller's promise; a number is a bad pointer.
        let name = unsafe { narrow(lpprocname) }.ok_or(ERROR_PROC_NOT_FOUND)?;
        let symbol = CString::new(format!("{prefix}{name}")).map_err(|_| ERROR_PROC_NOT_FOUND)?;
        // SAFETY: the name ends with a zero.
        let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, symbol.as_ptr()) };
        if address.is_null() { Err(ERROR_PROC_NOT_FOUND) } else { Ok(address.cast_const()) }
    };
    find().unwrap_or_else(|code| {
        set_last_error(code);
        std::ptr::null()
    })
}

fn program_path(module: HANDLE) -> Result<Vec<u8>, WIN32_ERROR> {
    match module as usize {
        0 | PROGRAM | LIBRARY => {
            std::env::current_exe().map(|path| path.into_os_string().into_vec()).map_err(|_| ERROR_FILE_NOT_FOUND)
        }
        _ => Err(ERROR_MOD_NOT_FOUND),
    }
}

/// Writes as much of a text as fits, with a zero, and answers how much that was.
///
/// # Safety
/// `place` is bad (null) or writable for `size` units.
unsafe fn give<T: Copy + Default>(text: Result<Vec<T>, WIN32_ERROR>, place: *mut T, size: u32) -> u32 {
    let write = || {
        let text = text?;
        if is_bad(place) || size == 0 {
            return Err(ERROR_INSUFFICIENT_BUFFER);
        }
        let fits = text.len().min(size as usize - 1);
        // SAFETY: the caller's promise.
        unsafe { put(&text[..fits], place, size as usize) };
        if fits == text.len() {
            return Ok(fits as u32);
        }
        set_last_error(ERROR_INSUFFICIENT_BUFFER);
        Ok(size)
    };
    write().unwrap_or_else(|code| {
        set_last_error(code);
        0
    })
}

/// Writes the path of the program, and answers its length; if it does not fit, what does, and the size with
/// ERROR_INSUFFICIENT_BUFFER.
///
/// # Safety
/// `lpfilename` is null or writable for `nsize` characters.
#[unsafe(export_name = "ws_GetModuleFileNameA")]
pub unsafe extern "system" fn GetModuleFileNameA(hmodule: HANDLE, lpfilename: PSTR, nsize: u32) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { give(program_path(hmodule), lpfilename, nsize) }
}

/// [`GetModuleFileNameA`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_GetModuleFileNameW")]
pub unsafe extern "system" fn GetModuleFileNameW(hmodule: HANDLE, lpfilename: *mut WChar, nsize: u32) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { give(program_path(hmodule).map(|path| wide_of(&from_bytes(&path))), lpfilename, nsize) }
}

/// The arguments as one line, quoted as CommandLineToArgvW reads it.
fn command_line() -> String {
    let arguments = std::fs::read("/proc/self/cmdline").unwrap_or_default();
    let arguments = arguments.strip_suffix(&[0]).unwrap_or(&arguments);
    let quoted = arguments.split(|&byte| byte == 0).map(|argument| quote(&from_bytes(argument)));
    quoted.collect::<Vec<_>>().join(" ")
}

fn quote(argument: &str) -> String {
    if !argument.is_empty() && !argument.contains([' ', '\t', '"']) {
        return argument.to_owned();
    }
    let mut quoted = String::from("\"");
    let mut backslashes = 0;
    for character in argument.chars() {
        // Those before a quotation mark count twice.
        if character == '"' {
            quoted.extend(std::iter::repeat_n('\\', backslashes + 1));
        }
        backslashes = if character == '\\' { backslashes + 1 } else { 0 };
        quoted.push(character);
    }
    quoted.extend(std::iter::repeat_n('\\', backslashes));
    quoted + "\""
}

/// The command line, with the program's name first.
///
/// # Safety
/// Nothing is asked of the caller, who does not write there.
#[unsafe(export_name = "ws_GetCommandLineA")]
pub unsafe extern "system" fn GetCommandLineA() -> PCSTR {
    static LINE: OnceLock<CString> = OnceLock::new();
    LINE.get_or_init(|| CString::new(command_line()).unwrap_or_default()).as_ptr().cast()
}

/// [`GetCommandLineA`] as a wide string.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_GetCommandLineW")]
pub unsafe extern "system" fn GetCommandLineW() -> *const WChar {
    static LINE: OnceLock<Vec<WChar>> = OnceLock::new();
    LINE.get_or_init(|| command_line().chars().map(WChar::from).chain([0]).collect()).as_ptr()
}

/// The arguments in a command line. The first is the program's name, which ends with its quotation mark or a space; in the
/// others backslashes count before quotation marks only.
pub(super) fn arguments(line: &str) -> Vec<String> {
    let (first, rest) = match line.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
        None => line.split_at(line.find([' ', '\t']).unwrap_or(line.len())),
    };
    let mut all = vec![first.to_owned()];
    let mut characters = rest.trim_start_matches([' ', '\t']).chars().peekable();
    while characters.peek().is_some() {
        let (mut argument, mut quoted) = (String::new(), false);
        while let Some(character) = characters.next_if(|&next| quoted || !matches!(next, ' ' | '\t')) {
            match character {
                '\\' => {
                    let mut count = 1;
                    while characters.next_if_eq(&'\\').is_some() {
                        count += 1;
                    }
                    if characters.peek() == Some(&'"') {
                        argument.extend(std::iter::repeat_n('\\', count / 2));
                        if count % 2 == 1 {
                            characters.next();
                            argument.push('"');
                        }
                    } else {
                        argument.extend(std::iter::repeat_n('\\', count));
                    }
                }
                // Two of them within quotation marks are one that is meant.
                '"' if quoted && characters.next_if_eq(&'"').is_some() => argument.push('"'),
                '"' => quoted = !quoted,
                other => argument.push(other),
            }
        }
        all.push(argument);
        while characters.next_if(|next| matches!(next, ' ' | '\t')).is_some() {}
    }
    all
}

/// Takes a command line apart: pointers to its arguments, in one block that LocalFree frees.
///
/// # Errors
/// Null with ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY.
///
/// # Safety
/// `lpcmdline` is null or ends with a zero, `pnumargs` null or writable.
#[unsafe(export_name = "ws_CommandLineToArgvW")]
pub unsafe extern "system" fn CommandLineToArgvW(lpcmdline: *const WChar, pnumargs: *mut i32) -> *mut *mut WChar {
    // SAFETY: the caller's promise; the block has room for the pointers and behind them the texts.
    unsafe {
        let line = wide(lpcmdline).filter(|_| !is_bad(pnumargs));
        let Some(line) = line else {
            set_last_error(ERROR_INVALID_PARAMETER);
            return std::ptr::null_mut();
        };
        let all = if line.is_empty() {
            program_path(std::ptr::null_mut()).map(|path| vec![from_bytes(&path)]).unwrap_or_default()
        } else {
            arguments(&line)
        };
        let texts: Vec<Vec<WChar>> = all.iter().map(|argument| wide_of(argument)).collect();
        let head = (texts.len() + 1) * size_of::<*mut WChar>();
        let body = texts.iter().map(|text| (text.len() + 1) * size_of::<WChar>()).sum::<usize>();
        let block = LocalAlloc(0, head + body);
        if block.is_null() {
            return std::ptr::null_mut();
        }
        let pointers = block.cast::<*mut WChar>();
        let mut place = block.byte_add(head).cast::<WChar>();
        for (at, text) in texts.iter().enumerate() {
            pointers.add(at).write(place);
            put(text, place, text.len() + 1);
            place = place.add(text.len() + 1);
        }
        pointers.add(texts.len()).write(std::ptr::null_mut());
        *pnumargs = texts.len() as i32;
        pointers
    }
}

/// Writes the name of this host, of which Windows's takes up to 15 characters.
///
/// # Safety
/// `size` is bad (null) or readable and writable, `place` bad or writable for as many units.
unsafe fn computer_name<T: Copy + Default>(of: impl FnOnce(&CStr) -> Vec<T>, place: *mut T, size: *mut u32) -> BOOL {
    let write = || {
        let name = super::hosts::own_name().map_err(|_| ERROR_GEN_FAILURE)?;
        if is_bad(size) {
            return Err(ERROR_INVALID_PARAMETER);
        }
        let text = of(&name);
        // SAFETY: the caller's promise.
        unsafe {
            if !put(&text, place, *size as usize) {
                *size = text.len() as u32 + 1;
                return Err(ERROR_BUFFER_OVERFLOW);
            }
            *size = text.len() as u32;
        }
        Ok(())
    };
    finish_bool(write())
}

/// Writes the name of this host.
///
/// # Errors
/// FALSE with ERROR_BUFFER_OVERFLOW, and the size that is needed, ERROR_INVALID_PARAMETER for null.
///
/// # Safety
/// `nsize` is null or readable and writable, `lpbuffer` null or writable for as many characters.
#[unsafe(export_name = "ws_GetComputerNameA")]
pub unsafe extern "system" fn GetComputerNameA(lpbuffer: PSTR, nsize: *mut u32) -> BOOL {
    // SAFETY: the caller's promise.
    unsafe { computer_name(|name| name.to_bytes().to_vec(), lpbuffer, nsize) }
}

/// [`GetComputerNameA`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_GetComputerNameW")]
pub unsafe extern "system" fn GetComputerNameW(lpbuffer: *mut WChar, nsize: *mut u32) -> BOOL {
    // SAFETY: the caller's promise.
    unsafe { computer_name(|name| wide_of(&from_bytes(name.to_bytes())), lpbuffer, nsize) }
}

/// Windows's version as programs without a manifest are told it: 6.2, build 9200.
const VERSION: (u32, u32, u32) = (6, 2, 9200);

/// The version in one number.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_GetVersion")]
pub unsafe extern "system" fn GetVersion() -> u32 {
    VERSION.2 << 16 | VERSION.1 << 8 | VERSION.0
}

/// Tells the version: 6.2, as Windows tells programs that do not name a later one.
///
/// # Errors
/// FALSE with ERROR_INSUFFICIENT_BUFFER for a wrong size, ERROR_NOACCESS for null.
///
/// # Safety
/// `lpversioninformation` is null or as large as its first member says.
#[unsafe(export_name = "ws_GetVersionExA")]
pub unsafe extern "system" fn GetVersionExA(lpversioninformation: *mut OSVERSIONINFOA) -> BOOL {
    let write = || {
        if is_bad(lpversioninformation) {
            return Err(ERROR_NOACCESS);
        }
        // SAFETY: the caller's promise.
        unsafe {
            let size = lpversioninformation.cast::<u32>().read_unaligned();
            let plain = OSVERSIONINFOEXA {
                dwOSVersionInfoSize: size,
                dwMajorVersion: VERSION.0,
                dwMinorVersion: VERSION.1,
                dwBuildNumber: VERSION.2,
                dwPlatformId: 2,
                wProductType: 3,
                ..Default::default()
            };
            if size as usize != size_of::<OSVERSIONINFOA>() && size as usize != size_of::<OSVERSIONINFOEXA>() {
                return Err(ERROR_INSUFFICIENT_BUFFER);
            }
            let bytes = (&raw const plain).cast::<u8>();
            std::ptr::copy_nonoverlapping(bytes, lpversioninformation.cast(), size as usize);
        }
        Ok(())
    };
    finish_bool(write())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::last_error;

    #[test]
    fn a_command_line_is_read_as_it_is_written() {
        let all = ["prog", "plain", "two words", "", r#"a "quote""#, r"c:\dir\", r"c:\my dir\", r#"\\"\"#];
        let line = all.map(quote).join(" ");
        assert_eq!(arguments(&line), all);
        assert_eq!(arguments(r#""my prog" a""b "c""d"  "#), ["my prog", "ab", "c\"d"]);
        let units: Vec<WChar> = line.chars().map(WChar::from).chain([0]).collect();
        let mut count = 0;
        // SAFETY: the line ends with a zero; the block is freed once.
        unsafe {
            let pointers = CommandLineToArgvW(units.as_ptr(), &mut count);
            for (at, argument) in all.iter().enumerate() {
                assert_eq!(wide(*pointers.add(at)).as_deref(), Some(*argument));
            }
            assert_eq!((count as usize, (*pointers.add(all.len())).is_null()), (all.len(), true));
            crate::c::memory::LocalFree(pointers.cast());
            assert!(CommandLineToArgvW(std::ptr::null(), &mut count).is_null());
            assert!(wide(GetCommandLineW()).is_some_and(|own| !arguments(&own)[0].is_empty()));
        }
    }

    #[test]
    fn modules_are_this_program_and_this_library() {
        // SAFETY: names end with zeros, buffers are as long as is said.
        unsafe {
            let library = GetModuleHandleA(c"C:\\Windows\\Kernel32.DLL".as_ptr().cast());
            assert!(!library.is_null() && library == LoadLibraryA(c"ws2_32".as_ptr().cast()));
            assert!(GetModuleHandleA(c"other.dll".as_ptr().cast()).is_null());
            assert_eq!(last_error(), ERROR_MOD_NOT_FOUND);
            assert!(GetProcAddress(library, c"no such function".as_ptr().cast()).is_null());
            assert_eq!(last_error(), ERROR_PROC_NOT_FOUND);
            assert!(GetProcAddress(library, 7 as PCSTR).is_null());
            let own = GetModuleHandleW(std::ptr::null());
            let mut path = [0u8; 4096];
            let length = GetModuleFileNameA(own, path.as_mut_ptr(), 4096);
            assert!(length > 0 && path[length as usize] == 0);
            assert_eq!(GetModuleFileNameA(own, path.as_mut_ptr(), 4), 4);
            assert_eq!((last_error(), path[3]), (ERROR_INSUFFICIENT_BUFFER, 0));
            assert_eq!((FreeLibrary(library), FreeLibrary(std::ptr::null_mut())), (TRUE, FALSE));
        }
    }

    #[test]
    fn the_machine_has_a_name_and_a_version() {
        let mut size = 1;
        let mut place = [0; 256];
        let mut version = OSVERSIONINFOA { dwOSVersionInfoSize: 148, ..Default::default() };
        // SAFETY: buffers are as long as is said, the structure is live.
        unsafe {
            assert_eq!((GetComputerNameW(place.as_mut_ptr(), &mut size), last_error()), (FALSE, ERROR_BUFFER_OVERFLOW));
            let needed = size;
            assert_eq!((GetComputerNameW(place.as_mut_ptr(), &mut size), size + 1), (TRUE, needed));
            assert_eq!(GetVersionExA(&mut version), TRUE);
            assert_eq!((version.dwMajorVersion, version.dwMinorVersion), (6, 2));
            version.dwOSVersionInfoSize = 10;
            assert_eq!((GetVersionExA(&mut version), last_error()), (FALSE, ERROR_INSUFFICIENT_BUFFER));
            assert_eq!((TerminateProcess(std::ptr::null_mut(), 0), last_error()), (FALSE, ERROR_INVALID_HANDLE));
        }
    }
}
