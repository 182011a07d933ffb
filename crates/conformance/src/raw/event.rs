//! Event objects, as far as overlapped requests need them.

use super::get_last_error;
use pentaport::sys;

/// An event object; closed when dropped.
#[derive(Debug)]
pub struct Event(usize);

impl Event {
    /// An event that stays set until it is reset.
    pub fn manual(set: bool) -> Self {
        Self::create(sys::TRUE, set)
    }

    /// An event that the wait which it satisfies resets.
    pub fn auto(set: bool) -> Self {
        Self::create(sys::FALSE, set)
    }

    fn create(manual: sys::BOOL, set: bool) -> Self {
        // SAFETY: null attributes and a null name are allowed.
        let handle = unsafe { sys::CreateEventW(std::ptr::null(), manual, i32::from(set), std::ptr::null()) };
        assert!(!handle.is_null(), "CreateEventW: {}", get_last_error());
        Self(handle as usize)
    }

    /// CreateEventW with a name: the event with the last error after the call, or the last error alone.
    pub fn named(name: &str, manual: bool, set: bool) -> Result<(Self, u32), u32> {
        let name: Vec<u16> = name.encode_utf16().chain([0]).collect();
        // SAFETY: null attributes are allowed; the name ends with a zero.
        let handle = unsafe { sys::CreateEventW(std::ptr::null(), i32::from(manual), i32::from(set), name.as_ptr()) };
        let code = get_last_error();
        if handle.is_null() { Err(code) } else { Ok((Self(handle as usize), code)) }
    }

    /// The handle's value.
    pub fn handle(&self) -> usize {
        self.0
    }

    /// SetEvent.
    pub fn set(&self) {
        // SAFETY: no pointers; the handle is ours.
        assert_ne!(unsafe { sys::SetEvent(self.0 as sys::HANDLE) }, 0);
    }

    /// ResetEvent.
    pub fn reset(&self) {
        // SAFETY: no pointers; the handle is ours.
        assert_ne!(unsafe { sys::ResetEvent(self.0 as sys::HANDLE) }, 0);
    }

    /// WaitForSingleObject; the answer as it comes (WAIT_OBJECT_0, WAIT_TIMEOUT, WAIT_FAILED).
    pub fn wait(&self, milliseconds: u32) -> u32 {
        // SAFETY: no pointers; the handle is ours.
        unsafe { sys::WaitForSingleObject(self.0 as sys::HANDLE, milliseconds) }
    }

    /// Whether the event is set. Resets an auto-reset event.
    pub fn is_set(&self) -> bool {
        self.wait(0) == sys::WAIT_OBJECT_0
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: no pointers; the handle is ours and not used again.
        unsafe { sys::CloseHandle(self.0 as sys::HANDLE) };
    }
}
