//! The console: standard streams, their text, and Ctrl+C.
//!
//! Who asks to be told of Ctrl+C has handlers for the signals that mean as much on Linux: SIGINT (Ctrl+C), SIGQUIT
//! (Ctrl+Break), SIGHUP (the console is closed) and SIGTERM (the system is shut down). As on Windows, handlers run on a thread
//! of their own, the last first, until one answers TRUE; if none does, the signal does what it would have done.

use core::ffi::c_void;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use ranked_locks::{Mutex, rank};

use crate::c::text::{WChar, from_units, narrow, wide};
use crate::error::{finish_bool, is_bad, set_last_error};
use crate::file::standard;
use crate::types::*;

type Handler = unsafe extern "system" fn(u32) -> BOOL;

const UTF8: u32 = 65001;
const CTRL_C_EVENT: u32 = 0;
const CTRL_BREAK_EVENT: u32 = 1;
const CTRL_CLOSE_EVENT: u32 = 2;
const CTRL_SHUTDOWN_EVENT: u32 = 6;

/// Which signal stands for which event.
const SIGNALS: [(i32, u32); 4] = [
    (libc::SIGINT, CTRL_C_EVENT),
    (libc::SIGQUIT, CTRL_BREAK_EVENT),
    (libc::SIGHUP, CTRL_CLOSE_EVENT),
    (libc::SIGTERM, CTRL_SHUTDOWN_EVENT),
];

static HANDLERS: Mutex<Vec<Handler>, rank::Leaf> = Mutex::new(Vec::new());
/// SetConsoleCtrlHandler(NULL, TRUE): Ctrl+C is ignored.
static IGNORES_CTRL_C: AtomicBool = AtomicBool::new(false);
/// Where a signal writes its number, for the thread that calls the handlers.
static PIPE: AtomicI32 = AtomicI32::new(-1);

/// The handle of standard input (-10), output (-11) or error (-12), for ReadFile and WriteFile.
///
/// # Errors
/// INVALID_HANDLE_VALUE with ERROR_INVALID_HANDLE for another number.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_GetStdHandle")]
pub unsafe extern "system" fn GetStdHandle(nstdhandle: u32) -> HANDLE {
    match standard::handle((-10i32).wrapping_sub(nstdhandle as i32) as usize) {
        Some(handle) => handle as HANDLE,
        None => {
            set_last_error(ERROR_INVALID_HANDLE);
            INVALID_HANDLE_VALUE
        }
    }
}

/// Writes text to a standard stream.
///
/// # Safety
/// `written` is null or writable.
unsafe fn write_text(console: HANDLE, text: Result<&[u8], WIN32_ERROR>, count: u32, written: *mut u32) -> BOOL {
    let write = || {
        let text = text?;
        let fd = standard::descriptor(console).ok_or(ERROR_INVALID_HANDLE)?;
        // SAFETY: the text is as long as it is; the caller's promise.
        unsafe {
            standard::write_all(fd, text.as_ptr(), text.len()).map_err(|_| ERROR_WRITE_FAULT)?;
            if !is_bad(written) {
                *written = count;
            }
        }
        Ok(())
    };
    finish_bool(write())
}

/// Writes text to standard output or error, wherever that goes.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE, ERROR_NOACCESS for null, ERROR_WRITE_FAULT.
///
/// # Safety
/// `lpbuffer` is null or readable for so many characters, `lpnumberofcharswritten` null or writable.
#[unsafe(export_name = "ws_WriteConsoleA")]
pub unsafe extern "system" fn WriteConsoleA(
    hconsoleoutput: HANDLE,
    lpbuffer: PCSTR,
    nnumberofcharstowrite: u32,
    lpnumberofcharswritten: *mut u32,
    _lpreserved: *const c_void,
) -> BOOL {
    // SAFETY: the caller's promise.
    unsafe {
        let text = match nnumberofcharstowrite {
            0 => Ok(&[][..]),
            _ if is_bad(lpbuffer) => Err(ERROR_NOACCESS),
            count => Ok(std::slice::from_raw_parts(lpbuffer, count as usize)),
        };
        write_text(hconsoleoutput, text, nnumberofcharstowrite, lpnumberofcharswritten)
    }
}

/// [`WriteConsoleA`] for wide characters.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_WriteConsoleW")]
pub unsafe extern "system" fn WriteConsoleW(
    hconsoleoutput: HANDLE,
    lpbuffer: *const WChar,
    nnumberofcharstowrite: u32,
    lpnumberofcharswritten: *mut u32,
    _lpreserved: *const c_void,
) -> BOOL {
    // SAFETY: the caller's promise.
    unsafe {
        let text = match nnumberofcharstowrite {
            0 => Ok(String::new()),
            _ if is_bad(lpbuffer) => Err(ERROR_NOACCESS),
            count => Ok(from_units(std::slice::from_raw_parts(lpbuffer, count as usize))),
        };
        let bytes = text.as_ref().map(String::as_bytes).map_err(|&code| code);
        write_text(hconsoleoutput, bytes, nnumberofcharstowrite, lpnumberofcharswritten)
    }
}

/// Gives the terminal a title, if standard output is one.
///
/// # Safety
/// `lpconsoletitle` is null or ends with a zero.
#[unsafe(export_name = "ws_SetConsoleTitleA")]
pub unsafe extern "system" fn SetConsoleTitleA(lpconsoletitle: PCSTR) -> BOOL {
    // SAFETY: the caller's promise.
    set_title(unsafe { narrow(lpconsoletitle) })
}

/// [`SetConsoleTitleA`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_SetConsoleTitleW")]
pub unsafe extern "system" fn SetConsoleTitleW(lpconsoletitle: *const WChar) -> BOOL {
    // SAFETY: the caller's promise.
    set_title(unsafe { wide(lpconsoletitle) })
}

fn set_title(title: Option<String>) -> BOOL {
    let Some(mut title) = title else { return finish_bool(Err(ERROR_NOACCESS)) };
    // SAFETY: asks about a descriptor.
    if unsafe { libc::isatty(libc::STDOUT_FILENO) } == 1 {
        title.retain(|character| !character.is_control());
        let sequence = format!("\x1b]0;{title}\x07");
        // SAFETY: the text is as long as it is. A terminal that is gone has no title.
        let _ = unsafe { standard::write_all(libc::STDOUT_FILENO, sequence.as_ptr(), sequence.len()) };
    }
    TRUE
}

/// Accepted: text is UTF-8.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_SetConsoleOutputCP")]
pub unsafe extern "system" fn SetConsoleOutputCP(_wcodepageid: u32) -> BOOL {
    TRUE
}

/// Accepted: text is UTF-8.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_SetConsoleCP")]
pub unsafe extern "system" fn SetConsoleCP(_wcodepageid: u32) -> BOOL {
    TRUE
}

/// UTF-8 (65001).
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_GetConsoleOutputCP")]
pub unsafe extern "system" fn GetConsoleOutputCP() -> u32 {
    UTF8
}

/// UTF-8 (65001).
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_GetConsoleCP")]
pub unsafe extern "system" fn GetConsoleCP() -> u32 {
    UTF8
}

/// Accepted: the terminal stays.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_FreeConsole")]
pub unsafe extern "system" fn FreeConsole() -> BOOL {
    TRUE
}

/// Accepted: what there is of a terminal is there already.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_AllocConsole")]
pub unsafe extern "system" fn AllocConsole() -> BOOL {
    TRUE
}

/// Accepted; FALSE with ERROR_INVALID_HANDLE for what is no standard stream.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_SetConsoleTextAttribute")]
pub unsafe extern "system" fn SetConsoleTextAttribute(hconsoleoutput: HANDLE, _wattributes: u16) -> BOOL {
    finish_bool(standard::descriptor(hconsoleoutput).map(drop).ok_or(ERROR_INVALID_HANDLE))
}

/// Adds a handler of Ctrl+C and its like, or takes one away. With null, Ctrl+C is ignored or not.
///
/// # Errors
/// FALSE with ERROR_INVALID_PARAMETER for a handler to take away that is none, ERROR_NOT_ENOUGH_MEMORY.
///
/// # Safety
/// The handler may be called on another thread, and does not unwind.
#[unsafe(export_name = "ws_SetConsoleCtrlHandler")]
pub unsafe extern "system" fn SetConsoleCtrlHandler(handlerroutine: Option<Handler>, add: BOOL) -> BOOL {
    let adds = add != FALSE;
    let set = || {
        listen()?;
        let Some(handler) = handlerroutine else {
            IGNORES_CTRL_C.store(adds, Ordering::Relaxed);
            return Ok(());
        };
        let mut handlers = HANDLERS.lock();
        if adds {
            handlers.push(handler);
            return Ok(());
        }
        let is_it = |other: &Handler| std::ptr::fn_addr_eq(*other, handler);
        let at = handlers.iter().rposition(is_it).ok_or(ERROR_INVALID_PARAMETER)?;
        handlers.remove(at);
        Ok(())
    };
    finish_bool(set())
}

/// Has the handlers called as for Ctrl+C (0) or Ctrl+Break (1).
///
/// # Errors
/// FALSE with ERROR_INVALID_PARAMETER for another event.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_GenerateConsoleCtrlEvent")]
pub unsafe extern "system" fn GenerateConsoleCtrlEvent(dwctrlevent: u32, _dwprocessgroupid: u32) -> BOOL {
    finish_bool(match SIGNALS.iter().find(|(_, event)| *event == dwctrlevent) {
        Some(&(signal, CTRL_C_EVENT | CTRL_BREAK_EVENT)) => {
            // SAFETY: a signal to this process, which does what the terminal's would do.
            unsafe { libc::kill(libc::getpid(), signal) };
            Ok(())
        }
        _ => Err(ERROR_INVALID_PARAMETER),
    })
}

/// From now on the signals are told to the handlers.
fn listen() -> Result<(), WIN32_ERROR> {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let mut ends = [0; 2];
        // SAFETY: room for two descriptors.
        if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
            return;
        }
        let [from, to] = ends;
        let thread = std::thread::Builder::new().name("winsock-console".into());
        if thread.spawn(move || call_handlers(from)).is_err() {
            return;
        }
        PIPE.store(to, Ordering::Release);
        for (signal, _) in SIGNALS {
            install(signal, told as extern "C" fn(i32) as usize);
        }
    });
    if PIPE.load(Ordering::Acquire) >= 0 { Ok(()) } else { Err(ERROR_NOT_ENOUGH_MEMORY) }
}

fn install(signal: i32, handler: usize) {
    // SAFETY: all zeros is a valid action with an empty mask; the handler is one, or a disposition.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(signal, &action, std::ptr::null_mut());
    }
}

/// The signal's handler: nothing but a byte for the thread that may do more.
extern "C" fn told(signal: i32) {
    let number = signal as u8;
    // SAFETY: one byte; errno is put back for what was interrupted.
    unsafe {
        let errno = *libc::__errno_location();
        libc::write(PIPE.load(Ordering::Relaxed), (&raw const number).cast(), 1);
        *libc::__errno_location() = errno;
    }
}

fn call_handlers(from: i32) {
    let mut number = 0u8;
    loop {
        // SAFETY: room for one byte.
        match unsafe { libc::read(from, (&raw mut number).cast(), 1) } {
            1 => {}
            0 => return,
            _ => continue,
        }
        let signal = i32::from(number);
        let Some(&(_, event)) = SIGNALS.iter().find(|(known, _)| *known == signal) else { continue };
        if event == CTRL_C_EVENT && IGNORES_CTRL_C.load(Ordering::Relaxed) {
            continue;
        }
        let handlers = HANDLERS.lock().clone();
        // SAFETY: who added a handler vouches for it.
        if !handlers.iter().rev().any(|handler| unsafe { handler(event) } != FALSE) {
            // As if there were none.
            install(signal, libc::SIG_DFL);
            // SAFETY: a signal to this process.
            unsafe { libc::kill(libc::getpid(), signal) };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;
    use crate::error::last_error;
    use crate::testing::until;

    #[test]
    fn standard_streams_have_handles_for_text_and_bytes() {
        // SAFETY: the buffers are as long as is said.
        unsafe {
            let error = GetStdHandle(-12i32 as u32);
            assert_ne!(error, INVALID_HANDLE_VALUE);
            let mut written = 0;
            let text = ['ü', '\n'].map(WChar::from);
            let null = std::ptr::null();
            assert_eq!(WriteConsoleW(error, text.as_ptr(), 2, &mut written, null), TRUE);
            assert_eq!(written, 2);
            assert_eq!(crate::WriteFile(error, b"\n".as_ptr(), 1, &mut written, std::ptr::null_mut()), TRUE);
            assert_eq!(written, 1);
            assert_eq!(WriteConsoleA(error, std::ptr::null(), 2, &mut written, null), FALSE);
            assert_eq!(last_error(), ERROR_NOACCESS);
            assert_eq!(WriteConsoleA(8 as HANDLE, b"a".as_ptr(), 1, &mut written, null), FALSE);
            assert_eq!(last_error(), ERROR_INVALID_HANDLE);
            assert_eq!((GetStdHandle(5), last_error()), (INVALID_HANDLE_VALUE, ERROR_INVALID_HANDLE));
        }
    }

    #[test]
    fn handlers_are_told_of_ctrl_c_the_last_first() {
        static FIRST: AtomicU32 = AtomicU32::new(0);
        static LAST: AtomicU32 = AtomicU32::new(0);
        unsafe extern "system" fn first(_: u32) -> BOOL {
            FIRST.fetch_add(1, Ordering::SeqCst);
            TRUE
        }
        unsafe extern "system" fn last(event: u32) -> BOOL {
            LAST.fetch_add(1, Ordering::SeqCst);
            (event == CTRL_BREAK_EVENT).into()
        }
        // SAFETY: the handlers take any event.
        unsafe {
            assert_eq!(SetConsoleCtrlHandler(Some(first), TRUE), TRUE);
            assert_eq!(SetConsoleCtrlHandler(Some(last), TRUE), TRUE);
            assert_eq!(GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0), TRUE);
            until("both are called", || FIRST.load(Ordering::SeqCst) == 1 && LAST.load(Ordering::SeqCst) == 1);
            assert_eq!(GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, 0), TRUE);
            until("the last is called", || LAST.load(Ordering::SeqCst) == 2);
            assert_eq!(SetConsoleCtrlHandler(Some(last), FALSE), TRUE);
            assert_eq!((SetConsoleCtrlHandler(Some(last), FALSE), last_error()), (FALSE, ERROR_INVALID_PARAMETER));
            assert_eq!(GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0), TRUE);
            until("the first is called", || FIRST.load(Ordering::SeqCst) == 2);
            assert_eq!(LAST.load(Ordering::SeqCst), 2, "it answered TRUE, or was taken away");
            assert_eq!(SetConsoleCtrlHandler(Some(first), FALSE), TRUE);
        }
    }
}
