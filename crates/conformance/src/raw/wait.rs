//! The waits: for one handle, for several, for none. The answers as they come, and handles as plain values.

use pentaport::sys;

/// WaitForSingleObjectEx.
pub fn wait_for_single_object_ex(handle: usize, milliseconds: u32, alertable: bool) -> u32 {
    // SAFETY: no pointers but a handle, which the call checks.
    unsafe { sys::WaitForSingleObjectEx(handle as sys::HANDLE, milliseconds, i32::from(alertable)) }
}

/// WaitForMultipleObjects.
pub fn wait_for_multiple_objects(handles: &[usize], all: bool, milliseconds: u32) -> u32 {
    let (count, handles) = array(handles);
    // SAFETY: the array has `count` handles, which the call checks, and outlives the call.
    unsafe { sys::WaitForMultipleObjects(count, handles.as_ptr(), i32::from(all), milliseconds) }
}

/// WaitForMultipleObjectsEx.
pub fn wait_for_multiple_objects_ex(handles: &[usize], all: bool, milliseconds: u32, alertable: bool) -> u32 {
    let (count, handles) = array(handles);
    let (all, alertable) = (i32::from(all), i32::from(alertable));
    // SAFETY: the array has `count` handles, which the call checks, and outlives the call.
    unsafe { sys::WaitForMultipleObjectsEx(count, handles.as_ptr(), all, milliseconds, alertable) }
}

/// WSAWaitForMultipleEvents. Does not start Winsock.
pub fn wsa_wait_for_multiple_events(handles: &[usize], all: bool, milliseconds: u32, alertable: bool) -> u32 {
    let (count, handles) = array(handles);
    let (all, alertable) = (i32::from(all), i32::from(alertable));
    // SAFETY: the array has `count` handles, which the call checks, and outlives the call.
    unsafe { sys::WSAWaitForMultipleEvents(count, handles.as_ptr(), all, milliseconds, alertable) }
}

/// SignalObjectAndWait.
pub fn signal_object_and_wait(signal: usize, wait: usize, milliseconds: u32, alertable: bool) -> u32 {
    let (signal, wait) = (signal as sys::HANDLE, wait as sys::HANDLE);
    // SAFETY: no pointers but handles, which the call checks.
    unsafe { sys::SignalObjectAndWait(signal, wait, milliseconds, i32::from(alertable)) }
}

/// Sleep.
pub fn sleep(milliseconds: u32) {
    // SAFETY: no pointers.
    unsafe { sys::Sleep(milliseconds) }
}

/// SleepEx.
pub fn sleep_ex(milliseconds: u32, alertable: bool) -> u32 {
    // SAFETY: no pointers.
    unsafe { sys::SleepEx(milliseconds, i32::from(alertable)) }
}

fn array(handles: &[usize]) -> (u32, Vec<sys::HANDLE>) {
    (handles.len() as u32, handles.iter().map(|&handle| handle as sys::HANDLE).collect())
}
