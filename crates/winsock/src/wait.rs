//! Waiting for a handle to be signalled.
//!
//! Events keep their own waiters. A socket is signalled when an operation without an event has completed, and a port
//! while packets are queued; who waits for these looks again after each change anywhere. That is a rare way to wait,
//! and costs those who do not nothing but a look at a counter.

use std::sync::atomic::{AtomicU32, Ordering, fence};
use std::time::Duration;

use crate::completion_port::timeout;
use crate::deadline::Deadline;
use crate::error::set_last_error;
use crate::objects::{Object, table};
use crate::os;
use crate::port::blocking;
use crate::socket;
use crate::types::*;

/// How many threads wait for a change, and a count of changes for them to sleep on.
static WAITING: AtomicU32 = AtomicU32::new(0);
static CHANGES: AtomicU32 = AtomicU32::new(0);

/// Says that something has changed that a thread may wait for.
pub(crate) fn tell() {
    // Either `wait_until` sees the change that was made before, or we see that it waits.
    fence(Ordering::SeqCst);
    if WAITING.load(Ordering::Relaxed) > 0 {
        CHANGES.fetch_add(1, Ordering::SeqCst);
        os::futex_wake(&CHANGES);
    }
}

/// Waits until `done`, looking after each change; false after the timeout.
pub(crate) fn wait_until(timeout: Option<Duration>, done: impl Fn() -> bool) -> bool {
    let deadline = Deadline::after(timeout);
    let _elsewhere = (timeout != Some(Duration::ZERO)).then(blocking);
    WAITING.fetch_add(1, Ordering::SeqCst);
    let result = loop {
        let changes = CHANGES.load(Ordering::SeqCst);
        if done() {
            break true;
        }
        let remaining = deadline.remaining();
        if remaining == Some(Duration::ZERO) {
            break false;
        }
        os::futex_wait(&CHANGES, changes, remaining);
    };
    WAITING.fetch_sub(1, Ordering::SeqCst);
    result
}

/// Waits for a handle to be signalled: an event that is set, a port that has packets, a socket of which an operation
/// without an event has completed.
///
/// An auto-reset event is reset by the wait; nothing else is changed. A port or a socket that is closed meanwhile ends
/// the wait as if it were signalled. Not alertable.
///
/// # Errors
/// WAIT_TIMEOUT after `dwmilliseconds`; WAIT_FAILED with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
pub unsafe extern "system" fn WaitForSingleObject(hhandle: HANDLE, dwmilliseconds: u32) -> WAIT_EVENT {
    let (handle, timeout) = (hhandle as usize, timeout(dwmilliseconds));
    let signalled = match table::object(handle) {
        Some(Object::Event(event)) => event.wait(timeout),
        Some(Object::Port(port)) => wait_until(timeout, || port.is_signalled()),
        None if table::socket(handle).is_some() => wait_until(timeout, || {
            socket::lock(handle).is_ok_and(|socket| socket.is_signalled()) || table::socket(handle).is_none()
        }),
        None => {
            set_last_error(ERROR_INVALID_HANDLE);
            return WAIT_FAILED;
        }
    };
    if signalled { WAIT_OBJECT_0 } else { WAIT_TIMEOUT }
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn WaitForSingleObjectEx(
    _hhandle: HANDLE,
    _dwmilliseconds: u32,
    _balertable: BOOL,
) -> WAIT_EVENT {
    WAIT_FAILED
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn WaitForMultipleObjects(
    _ncount: u32,
    _lphandles: *const HANDLE,
    _bwaitall: BOOL,
    _dwmilliseconds: u32,
) -> WAIT_EVENT {
    WAIT_FAILED
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn WaitForMultipleObjectsEx(
    _ncount: u32,
    _lphandles: *const HANDLE,
    _bwaitall: BOOL,
    _dwmilliseconds: u32,
    _balertable: BOOL,
) -> WAIT_EVENT {
    WAIT_FAILED
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn WSAWaitForMultipleEvents(
    _cevents: u32,
    _lphevents: *const HANDLE,
    _fwaitall: BOOL,
    _dwtimeout: u32,
    _falertable: BOOL,
) -> WAIT_EVENT {
    WAIT_FAILED
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn SignalObjectAndWait(
    _hobjecttosignal: HANDLE,
    _hobjecttowaiton: HANDLE,
    _dwmilliseconds: u32,
    _balertable: BOOL,
) -> WAIT_EVENT {
    WAIT_FAILED
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn Sleep(_dwmilliseconds: u32) {}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn SleepEx(_dwmilliseconds: u32, _balertable: BOOL) -> u32 {
    0
}
