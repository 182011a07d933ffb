//! Semaphore objects.

use crate::dispatcher;
use crate::error::finish_bool;
use crate::objects::names::{self, Name};
use crate::objects::{self, Object, table};
use crate::types::*;

/// Makes a semaphore. For names see [`CreateEventW`](crate::CreateEventW).
///
/// # Errors
/// Null with ERROR_INVALID_PARAMETER unless `0 <= linitialcount <= lmaximumcount` and `lmaximumcount > 0`;
/// as for CreateEventW.
///
/// # Safety
/// `lpsemaphoreattributes` is ignored; `lpname` is null or ends with a zero.
pub unsafe extern "system" fn CreateSemaphoreW(
    _lpsemaphoreattributes: *const SECURITY_ATTRIBUTES,
    linitialcount: i32,
    lmaximumcount: i32,
    lpname: PCWSTR,
) -> HANDLE {
    // SAFETY: the caller's promise.
    create(unsafe { names::from_utf16(lpname) }, linitialcount, lmaximumcount)
}

/// Whether an object is a semaphore.
pub(crate) fn is_semaphore(object: &Object) -> bool {
    matches!(object, Object::Semaphore(_))
}

pub(crate) fn create(name: Name, count: i32, maximum: i32) -> HANDLE {
    match (u32::try_from(count), u32::try_from(maximum)) {
        (Ok(count), Ok(maximum @ 1..)) if count <= maximum => {
            names::create(name, is_semaphore, || Ok(Object::Semaphore(dispatcher::Object::semaphore(count, maximum))))
        }
        _ => objects::finish(Err(ERROR_INVALID_PARAMETER)),
    }
}

/// Adds to a semaphore's count, and tells what it was.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER if `lreleasecount` is not positive, ERROR_TOO_MANY_POSTS if
/// the count would exceed the maximum; count and `*lppreviouscount` are then left alone.
///
/// # Safety
/// `lppreviouscount` is null or writable.
#[unsafe(export_name = "ws_ReleaseSemaphore")]
pub unsafe extern "system" fn ReleaseSemaphore(
    hsemaphore: HANDLE,
    lreleasecount: i32,
    lppreviouscount: *mut i32,
) -> BOOL {
    let release = || {
        let Some(Object::Semaphore(semaphore)) = table::object(hsemaphore as usize) else {
            return Err(ERROR_INVALID_HANDLE);
        };
        let Ok(by @ 1..) = u32::try_from(lreleasecount) else { return Err(ERROR_INVALID_PARAMETER) };
        let previous = semaphore.release_semaphore(by).ok_or(ERROR_TOO_MANY_POSTS)?;
        // SAFETY: as the caller promises.
        if let Some(place) = unsafe { lppreviouscount.as_mut() } {
            *place = previous as i32;
        }
        Ok(())
    };
    finish_bool(release())
}
