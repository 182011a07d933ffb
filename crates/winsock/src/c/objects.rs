//! Events, semaphores, mutexes and timers with names as C has them.

use crate::c::text::{WChar, narrow, wide};
use crate::objects::names::{self, Name};
use crate::objects::{event, mutex, semaphore, timer};
use crate::types::*;

const CREATE_MUTEX_INITIAL_OWNER: u32 = 1;
const CREATE_EVENT_MANUAL_RESET: u32 = 1;
const CREATE_EVENT_INITIAL_SET: u32 = 2;
const CREATE_WAITABLE_TIMER_MANUAL_RESET: u32 = 1;

/// # Safety
/// `name` is null or ends with a zero.
unsafe fn named_a(name: PCSTR) -> Name {
    // SAFETY: the caller's promise.
    named(name.is_null(), unsafe { narrow(name) })
}

/// # Safety
/// `name` is null or ends with a zero.
unsafe fn named_w(name: *const WChar) -> Name {
    // SAFETY: the caller's promise.
    named(name.is_null(), unsafe { wide(name) })
}

fn named(none: bool, text: Option<String>) -> Name {
    match text {
        _ if none => Ok(None),
        None => Err(ERROR_NOACCESS),
        Some(text) => names::name(&text),
    }
}

/// [`crate::CreateEventW`].
///
/// # Safety
/// Attributes are ignored; the name is null or ends with a zero.
#[unsafe(export_name = "ws_CreateEventA")]
pub unsafe extern "system" fn CreateEventA(
    _lpeventattributes: *const SECURITY_ATTRIBUTES,
    bmanualreset: BOOL,
    binitialstate: BOOL,
    lpname: PCSTR,
) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_a(lpname) };
    event::create(name, bmanualreset != FALSE, binitialstate != FALSE)
}

/// [`CreateEventA`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_CreateEventW")]
pub unsafe extern "system" fn CreateEventW(
    _lpeventattributes: *const SECURITY_ATTRIBUTES,
    bmanualreset: BOOL,
    binitialstate: BOOL,
    lpname: *const WChar,
) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_w(lpname) };
    event::create(name, bmanualreset != FALSE, binitialstate != FALSE)
}

/// [`crate::CreateEventW`] with flags.
///
/// # Safety
/// Attributes are ignored; the name is null or ends with a zero.
#[unsafe(export_name = "ws_CreateEventExA")]
pub unsafe extern "system" fn CreateEventExA(
    _lpeventattributes: *const SECURITY_ATTRIBUTES,
    lpname: PCSTR,
    dwflags: u32,
    _dwdesiredaccess: u32,
) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_a(lpname) };
    event::create(name, dwflags & CREATE_EVENT_MANUAL_RESET != 0, dwflags & CREATE_EVENT_INITIAL_SET != 0)
}

/// [`CreateEventExA`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_CreateEventExW")]
pub unsafe extern "system" fn CreateEventExW(
    _lpeventattributes: *const SECURITY_ATTRIBUTES,
    lpname: *const WChar,
    dwflags: u32,
    _dwdesiredaccess: u32,
) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_w(lpname) };
    event::create(name, dwflags & CREATE_EVENT_MANUAL_RESET != 0, dwflags & CREATE_EVENT_INITIAL_SET != 0)
}

/// Another handle of a named event. Null with ERROR_FILE_NOT_FOUND, ERROR_INVALID_HANDLE for another kind of object.
///
/// # Safety
/// The name is null or ends with a zero.
#[unsafe(export_name = "ws_OpenEventA")]
pub unsafe extern "system" fn OpenEventA(_dwdesiredaccess: u32, _binherithandle: BOOL, lpname: PCSTR) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_a(lpname) };
    names::open(name, event::is_event)
}

/// [`OpenEventA`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_OpenEventW")]
pub unsafe extern "system" fn OpenEventW(_dwdesiredaccess: u32, _binherithandle: BOOL, lpname: *const WChar) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_w(lpname) };
    names::open(name, event::is_event)
}

/// [`crate::CreateMutexW`].
///
/// # Safety
/// Attributes are ignored; the name is null or ends with a zero.
#[unsafe(export_name = "ws_CreateMutexA")]
pub unsafe extern "system" fn CreateMutexA(
    _lpmutexattributes: *const SECURITY_ATTRIBUTES,
    binitialowner: BOOL,
    lpname: PCSTR,
) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_a(lpname) };
    mutex::create(name, binitialowner != FALSE)
}

/// [`CreateMutexA`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_CreateMutexW")]
pub unsafe extern "system" fn CreateMutexW(
    _lpmutexattributes: *const SECURITY_ATTRIBUTES,
    binitialowner: BOOL,
    lpname: *const WChar,
) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_w(lpname) };
    mutex::create(name, binitialowner != FALSE)
}

/// [`crate::CreateMutexW`] with flags.
///
/// # Safety
/// Attributes are ignored; the name is null or ends with a zero.
#[unsafe(export_name = "ws_CreateMutexExA")]
pub unsafe extern "system" fn CreateMutexExA(
    _lpmutexattributes: *const SECURITY_ATTRIBUTES,
    lpname: PCSTR,
    dwflags: u32,
    _dwdesiredaccess: u32,
) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_a(lpname) };
    mutex::create(name, dwflags & CREATE_MUTEX_INITIAL_OWNER != 0)
}

/// [`CreateMutexExA`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_CreateMutexExW")]
pub unsafe extern "system" fn CreateMutexExW(
    _lpmutexattributes: *const SECURITY_ATTRIBUTES,
    lpname: *const WChar,
    dwflags: u32,
    _dwdesiredaccess: u32,
) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_w(lpname) };
    mutex::create(name, dwflags & CREATE_MUTEX_INITIAL_OWNER != 0)
}

/// Another handle of a named mutex. Null as for [`OpenEventA`].
///
/// # Safety
/// The name is null or ends with a zero.
#[unsafe(export_name = "ws_OpenMutexA")]
pub unsafe extern "system" fn OpenMutexA(_dwdesiredaccess: u32, _binherithandle: BOOL, lpname: PCSTR) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_a(lpname) };
    names::open(name, mutex::is_mutex)
}

/// [`OpenMutexA`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_OpenMutexW")]
pub unsafe extern "system" fn OpenMutexW(_dwdesiredaccess: u32, _binherithandle: BOOL, lpname: *const WChar) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_w(lpname) };
    names::open(name, mutex::is_mutex)
}

/// [`crate::CreateSemaphoreW`].
///
/// # Safety
/// Attributes are ignored; the name is null or ends with a zero.
#[unsafe(export_name = "ws_CreateSemaphoreA")]
pub unsafe extern "system" fn CreateSemaphoreA(
    _lpsemaphoreattributes: *const SECURITY_ATTRIBUTES,
    linitialcount: i32,
    lmaximumcount: i32,
    lpname: PCSTR,
) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_a(lpname) };
    semaphore::create(name, linitialcount, lmaximumcount)
}

/// [`CreateSemaphoreA`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_CreateSemaphoreW")]
pub unsafe extern "system" fn CreateSemaphoreW(
    _lpsemaphoreattributes: *const SECURITY_ATTRIBUTES,
    linitialcount: i32,
    lmaximumcount: i32,
    lpname: *const WChar,
) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_w(lpname) };
    semaphore::create(name, linitialcount, lmaximumcount)
}

/// [`crate::CreateSemaphoreW`] with flags, of which there are none.
///
/// # Safety
/// Attributes are ignored; the name is null or ends with a zero.
#[unsafe(export_name = "ws_CreateSemaphoreExA")]
pub unsafe extern "system" fn CreateSemaphoreExA(
    _lpsemaphoreattributes: *const SECURITY_ATTRIBUTES,
    linitialcount: i32,
    lmaximumcount: i32,
    lpname: PCSTR,
    _dwflags: u32,
    _dwdesiredaccess: u32,
) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_a(lpname) };
    semaphore::create(name, linitialcount, lmaximumcount)
}

/// [`CreateSemaphoreExA`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_CreateSemaphoreExW")]
pub unsafe extern "system" fn CreateSemaphoreExW(
    _lpsemaphoreattributes: *const SECURITY_ATTRIBUTES,
    linitialcount: i32,
    lmaximumcount: i32,
    lpname: *const WChar,
    _dwflags: u32,
    _dwdesiredaccess: u32,
) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_w(lpname) };
    semaphore::create(name, linitialcount, lmaximumcount)
}

/// Another handle of a named semaphore. Null as for [`OpenEventA`].
///
/// # Safety
/// The name is null or ends with a zero.
#[unsafe(export_name = "ws_OpenSemaphoreA")]
pub unsafe extern "system" fn OpenSemaphoreA(_dwdesiredaccess: u32, _binherithandle: BOOL, lpname: PCSTR) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_a(lpname) };
    names::open(name, semaphore::is_semaphore)
}

/// [`OpenSemaphoreA`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_OpenSemaphoreW")]
pub unsafe extern "system" fn OpenSemaphoreW(
    _dwdesiredaccess: u32,
    _binherithandle: BOOL,
    lpname: *const WChar,
) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_w(lpname) };
    names::open(name, semaphore::is_semaphore)
}

/// [`crate::CreateWaitableTimerW`].
///
/// # Safety
/// Attributes are ignored; the name is null or ends with a zero.
#[unsafe(export_name = "ws_CreateWaitableTimerA")]
pub unsafe extern "system" fn CreateWaitableTimerA(
    _lptimerattributes: *const SECURITY_ATTRIBUTES,
    bmanualreset: BOOL,
    lptimername: PCSTR,
) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_a(lptimername) };
    timer::create(name, bmanualreset != FALSE)
}

/// [`CreateWaitableTimerA`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_CreateWaitableTimerW")]
pub unsafe extern "system" fn CreateWaitableTimerW(
    _lptimerattributes: *const SECURITY_ATTRIBUTES,
    bmanualreset: BOOL,
    lptimername: *const WChar,
) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_w(lptimername) };
    timer::create(name, bmanualreset != FALSE)
}

/// [`crate::CreateWaitableTimerW`] with flags.
///
/// # Safety
/// Attributes are ignored; the name is null or ends with a zero.
#[unsafe(export_name = "ws_CreateWaitableTimerExA")]
pub unsafe extern "system" fn CreateWaitableTimerExA(
    _lptimerattributes: *const SECURITY_ATTRIBUTES,
    lptimername: PCSTR,
    dwflags: u32,
    _dwdesiredaccess: u32,
) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_a(lptimername) };
    timer::create(name, dwflags & CREATE_WAITABLE_TIMER_MANUAL_RESET != 0)
}

/// [`CreateWaitableTimerExA`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_CreateWaitableTimerExW")]
pub unsafe extern "system" fn CreateWaitableTimerExW(
    _lptimerattributes: *const SECURITY_ATTRIBUTES,
    lptimername: *const WChar,
    dwflags: u32,
    _dwdesiredaccess: u32,
) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_w(lptimername) };
    timer::create(name, dwflags & CREATE_WAITABLE_TIMER_MANUAL_RESET != 0)
}

/// Another handle of a named timer. Null as for [`OpenEventA`].
///
/// # Safety
/// The name is null or ends with a zero.
#[unsafe(export_name = "ws_OpenWaitableTimerA")]
pub unsafe extern "system" fn OpenWaitableTimerA(
    _dwdesiredaccess: u32,
    _binherithandle: BOOL,
    lptimername: PCSTR,
) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_a(lptimername) };
    names::open(name, timer::is_timer)
}

/// [`OpenWaitableTimerA`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_OpenWaitableTimerW")]
pub unsafe extern "system" fn OpenWaitableTimerW(
    _dwdesiredaccess: u32,
    _binherithandle: BOOL,
    lptimername: *const WChar,
) -> HANDLE {
    // SAFETY: the caller's promise.
    let name = unsafe { named_w(lptimername) };
    names::open(name, timer::is_timer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CloseHandle, GetLastError, SetEvent, WaitForSingleObject};

    fn wide_name(text: &str) -> Vec<WChar> {
        text.chars().map(WChar::from).chain([0]).collect()
    }

    #[test]
    fn a_name_means_one_object_in_both_families_while_it_has_a_handle() {
        let null = std::ptr::null;
        let name = wide_name("winsock-c-objects-\u{fc}");
        // SAFETY: the names end with a zero.
        unsafe {
            let first = CreateEventA(null(), TRUE, FALSE, c"Local\\winsock-c-objects-\u{fc}".as_ptr().cast());
            assert_eq!(GetLastError(), ERROR_SUCCESS);
            let second = CreateEventW(null(), FALSE, FALSE, name.as_ptr());
            assert_eq!(GetLastError(), ERROR_ALREADY_EXISTS);
            let third = OpenEventW(0, FALSE, name.as_ptr());
            assert!(first != second && second != third && !third.is_null());
            SetEvent(third);
            assert_eq!(WaitForSingleObject(first, 0), WAIT_OBJECT_0);
            assert_eq!(WaitForSingleObject(second, 0), WAIT_OBJECT_0, "manual-reset, as it was made");
            assert!(CreateMutexW(null(), FALSE, name.as_ptr()).is_null(), "another kind");
            assert_eq!(GetLastError(), ERROR_INVALID_HANDLE);
            assert!(OpenSemaphoreW(0, FALSE, name.as_ptr()).is_null());
            assert_eq!(GetLastError(), ERROR_INVALID_HANDLE);
            for handle in [first, second, third] {
                assert_eq!(CloseHandle(handle), TRUE);
            }
            assert!(OpenEventW(0, FALSE, name.as_ptr()).is_null(), "gone with its last handle");
            assert_eq!(GetLastError(), ERROR_FILE_NOT_FOUND);
            let mutex = CreateMutexW(null(), TRUE, name.as_ptr());
            assert_eq!(GetLastError(), ERROR_SUCCESS);
            crate::ReleaseMutex(mutex);
            CloseHandle(mutex);
        }
    }

    #[test]
    fn names_that_cannot_be_are_refused_and_an_empty_one_is_none() {
        let null = std::ptr::null;
        let long = wide_name(&"n".repeat(300));
        // SAFETY: the names end with a zero.
        unsafe {
            assert!(CreateSemaphoreA(null(), 1, 1, c"a\\b".as_ptr().cast()).is_null());
            assert_eq!(GetLastError(), ERROR_PATH_NOT_FOUND);
            assert!(CreateWaitableTimerW(null(), TRUE, long.as_ptr()).is_null());
            assert_eq!(GetLastError(), ERROR_FILENAME_EXCED_RANGE);
            assert!(CreateSemaphoreA(null(), 2, 1, std::ptr::null()).is_null());
            assert_eq!(GetLastError(), ERROR_INVALID_PARAMETER);
            let handles = [(); 2].map(|()| CreateMutexA(null(), FALSE, c"".as_ptr().cast()));
            assert_eq!(GetLastError(), ERROR_SUCCESS, "two without a name");
            for handle in handles {
                CloseHandle(handle);
            }
            assert!(OpenMutexA(0, FALSE, std::ptr::null()).is_null());
            assert_eq!(GetLastError(), ERROR_INVALID_PARAMETER);
        }
    }
}
