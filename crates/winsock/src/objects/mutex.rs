//! Mutex objects.

use crate::dispatcher;
use crate::error::finish_bool;
use crate::objects::names::{self, Name};
use crate::objects::{Object, table};
use crate::types::*;

/// Makes a mutex, owned by the calling thread with `binitialowner`, if it is new.
///
/// A mutex is recursive: a thread that owns it may wait for it again, and releases it as often. If its owner ends
/// without releasing it, the next wait answers WAIT_ABANDONED and owns it.
///
/// For names see [`CreateEventW`](crate::CreateEventW).
///
/// # Errors
/// Null as for CreateEventW.
///
/// # Safety
/// `lpmutexattributes` is ignored; `lpname` is null or ends with a zero.
pub unsafe extern "system" fn CreateMutexW(
    _lpmutexattributes: *const SECURITY_ATTRIBUTES,
    binitialowner: BOOL,
    lpname: PCWSTR,
) -> HANDLE {
    // SAFETY: the caller's promise.
    create(unsafe { names::from_utf16(lpname) }, binitialowner != FALSE)
}

/// Whether an object is a mutex.
pub(crate) fn is_mutex(object: &Object) -> bool {
    matches!(object, Object::Mutex(_))
}

pub(crate) fn create(name: Name, owned: bool) -> HANDLE {
    names::create(name, is_mutex, || Ok(Object::Mutex(dispatcher::Object::mutex(owned))))
}

/// Undoes one wait of the calling thread for a mutex.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE, or ERROR_NOT_OWNER if the calling thread does not own it.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_ReleaseMutex")]
pub unsafe extern "system" fn ReleaseMutex(hmutex: HANDLE) -> BOOL {
    finish_bool(match table::object(hmutex as usize) {
        Some(Object::Mutex(mutex)) if mutex.release_mutex() => Ok(()),
        Some(Object::Mutex(_)) => Err(ERROR_NOT_OWNER),
        _ => Err(ERROR_INVALID_HANDLE),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::dispatcher::Object;
    use crate::{CloseHandle, thread};

    #[test]
    fn the_names_are_not_locked_while_a_thread_looks_after_its_sockets() {
        let home = thread::home().expect("a home");
        let before = home.harvests();
        for round in 0..200 {
            let mutex = create(Ok(Some(format!("looked after {round}"))), true);
            // SAFETY: it is ours.
            assert_eq!(unsafe { CloseHandle(mutex) }, TRUE);
        }
        assert_eq!(home.harvests(), before);
    }

    #[test]
    fn a_mutex_that_is_closed_while_it_is_owned_takes_no_other_with_it() {
        let (tell, closed) = mpsc::channel();
        let (end, ends) = mpsc::channel::<()>();
        let owner = std::thread::spawn(move || {
            drop((0..64).map(|_| Object::mutex(true)).collect::<Vec<_>>());
            tell.send(()).unwrap();
            ends.recv().unwrap();
        });
        closed.recv().unwrap();
        // Some of these lie where the others did.
        let mine: Vec<_> = (0..64).map(|_| Object::mutex(true)).collect();
        end.send(()).unwrap();
        owner.join().unwrap();
        assert!(mine.iter().all(Object::release_mutex), "they are this thread's still");
    }
}
