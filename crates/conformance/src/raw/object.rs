//! Semaphores, mutexes, and the functions of events on any handle value. For event objects see [`super::Event`].

use super::{close_handle, get_last_error, wsa_get_last_error};
use pentaport::sys;

/// A semaphore; closed when dropped.
#[derive(Debug)]
pub struct Semaphore(usize);

impl Semaphore {
    /// CreateSemaphoreW, or the last error.
    pub fn create(count: i32, maximum: i32) -> Result<Self, u32> {
        // SAFETY: null attributes and a null name are allowed.
        let handle = unsafe { sys::CreateSemaphoreW(std::ptr::null(), count, maximum, std::ptr::null()) };
        if handle.is_null() { Err(get_last_error()) } else { Ok(Self(handle as usize)) }
    }

    /// A semaphore with this count and maximum.
    pub fn new(count: i32, maximum: i32) -> Self {
        Self::create(count, maximum).expect("a semaphore")
    }

    /// The handle's value.
    pub fn handle(&self) -> usize {
        self.0
    }

    /// ReleaseSemaphore: whether it succeeded, the last error if not, and what became of a previous count that was -1
    /// before the call.
    pub fn release(&self, count: i32) -> (Result<(), u32>, i32) {
        let mut previous = -1;
        // SAFETY: the handle is ours; `previous` outlives the call.
        let ok = unsafe { sys::ReleaseSemaphore(self.0 as sys::HANDLE, count, &mut previous) };
        (true_or_error(ok), previous)
    }

    /// ReleaseSemaphore with a null pointer for the previous count.
    pub fn release_uncounted(&self, count: i32) -> Result<(), u32> {
        // SAFETY: the handle is ours; a null previous count is allowed.
        true_or_error(unsafe { sys::ReleaseSemaphore(self.0 as sys::HANDLE, count, std::ptr::null_mut()) })
    }
}

impl Drop for Semaphore {
    fn drop(&mut self) {
        let _ = close_handle(self.0);
    }
}

/// A mutex object; closed when dropped.
#[derive(Debug)]
pub struct Mutex(usize);

impl Mutex {
    /// CreateMutexW; owned by the calling thread or by nobody.
    pub fn new(owned: bool) -> Self {
        // SAFETY: null attributes and a null name are allowed.
        let handle = unsafe { sys::CreateMutexW(std::ptr::null(), i32::from(owned), std::ptr::null()) };
        assert!(!handle.is_null(), "CreateMutexW: {}", get_last_error());
        Self(handle as usize)
    }

    /// The handle's value.
    pub fn handle(&self) -> usize {
        self.0
    }

    /// ReleaseMutex.
    pub fn release(&self) -> Result<(), u32> {
        // SAFETY: the handle is ours.
        true_or_error(unsafe { sys::ReleaseMutex(self.0 as sys::HANDLE) })
    }
}

impl Drop for Mutex {
    fn drop(&mut self) {
        let _ = close_handle(self.0);
    }
}

/// SetEvent on any handle value.
pub fn set_event(handle: usize) -> Result<(), u32> {
    // SAFETY: no pointers but a handle, which the call checks.
    true_or_error(unsafe { sys::SetEvent(handle as sys::HANDLE) })
}

/// ResetEvent on any handle value.
pub fn reset_event(handle: usize) -> Result<(), u32> {
    // SAFETY: no pointers but a handle, which the call checks.
    true_or_error(unsafe { sys::ResetEvent(handle as sys::HANDLE) })
}

/// PulseEvent on any handle value.
pub fn pulse_event(handle: usize) -> Result<(), u32> {
    // SAFETY: no pointers but a handle, which the call checks.
    true_or_error(unsafe { sys::PulseEvent(handle as sys::HANDLE) })
}

/// DuplicateHandle within this process: the other handle's value.
pub fn duplicate_handle(handle: usize) -> Result<usize, u32> {
    let mut duplicate = std::ptr::null_mut();
    // SAFETY: the handles are checked by the call, which writes the new one to a live place.
    true_or_error(unsafe {
        let this = sys::GetCurrentProcess();
        let (source, access) = (handle as sys::HANDLE, sys::DUPLICATE_SAME_ACCESS);
        sys::DuplicateHandle(this, source, this, &mut duplicate, 0, sys::FALSE, access)
    })?;
    Ok(duplicate as usize)
}

/// WSACreateEvent: the handle's value, or WSAGetLastError's code for WSA_INVALID_EVENT.
pub fn wsa_create_event() -> Result<usize, i32> {
    // SAFETY: no arguments.
    let event = unsafe { sys::WSACreateEvent() };
    if event == 0 { Err(wsa_get_last_error()) } else { Ok(event as usize) }
}

/// WSACloseEvent on any handle value.
pub fn wsa_close_event(handle: usize) -> Result<(), i32> {
    // SAFETY: no pointers but a handle, which the call checks.
    true_or_code(unsafe { sys::WSACloseEvent(handle as sys::WSAEVENT) })
}

/// WSASetEvent on any handle value.
pub fn wsa_set_event(handle: usize) -> Result<(), i32> {
    // SAFETY: no pointers but a handle, which the call checks.
    true_or_code(unsafe { sys::WSASetEvent(handle as sys::WSAEVENT) })
}

/// WSAResetEvent on any handle value.
pub fn wsa_reset_event(handle: usize) -> Result<(), i32> {
    // SAFETY: no pointers but a handle, which the call checks.
    true_or_code(unsafe { sys::WSAResetEvent(handle as sys::WSAEVENT) })
}

fn true_or_error(ok: sys::BOOL) -> Result<(), u32> {
    if ok != 0 { Ok(()) } else { Err(get_last_error()) }
}

fn true_or_code(ok: sys::BOOL) -> Result<(), i32> {
    if ok != 0 { Ok(()) } else { Err(wsa_get_last_error()) }
}
