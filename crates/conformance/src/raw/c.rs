//! Functions that only programs in C and C++ call: on Linux they are symbols of the library and not of the crate.

use super::{Outcome, wsa_get_last_error};
use pentaport::sys::{self, SRWLOCK};
use std::cell::UnsafeCell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::net::{Ipv4Addr, SocketAddrV4};

#[cfg(windows)]
use sys::{
    AcquireSRWLockExclusive, AcquireSRWLockShared, ReleaseSRWLockExclusive, ReleaseSRWLockShared,
    TryAcquireSRWLockExclusive, TryAcquireSRWLockShared, WSAStringToAddressA, inet_addr,
};

#[cfg(not(windows))]
unsafe extern "system" {
    #[link_name = "ws_inet_addr"]
    fn inet_addr(text: sys::PCSTR) -> u32;
    #[link_name = "ws_WSAStringToAddressA"]
    fn WSAStringToAddressA(
        text: sys::PCSTR,
        family: i32,
        protocol: *const c_void,
        address: *mut sys::SOCKADDR,
        length: *mut i32,
    ) -> i32;
    #[link_name = "ws_AcquireSRWLockExclusive"]
    fn AcquireSRWLockExclusive(lock: *mut SRWLOCK);
    #[link_name = "ws_AcquireSRWLockShared"]
    fn AcquireSRWLockShared(lock: *mut SRWLOCK);
    #[link_name = "ws_ReleaseSRWLockExclusive"]
    fn ReleaseSRWLockExclusive(lock: *mut SRWLOCK);
    #[link_name = "ws_ReleaseSRWLockShared"]
    fn ReleaseSRWLockShared(lock: *mut SRWLOCK);
    #[link_name = "ws_TryAcquireSRWLockExclusive"]
    fn TryAcquireSRWLockExclusive(lock: *mut SRWLOCK) -> bool;
    #[link_name = "ws_TryAcquireSRWLockShared"]
    fn TryAcquireSRWLockShared(lock: *mut SRWLOCK) -> bool;
}

unsafe extern "C" {
    #[cfg_attr(not(windows), link_name = "ws__vsnprintf")]
    fn _vsnprintf(buffer: *mut c_char, size: usize, format: *const c_char, arguments: *mut c_void) -> c_int;
}

/// inet_addr: the address, with the last error; `None` is the null pointer.
pub fn inet_addr_of(text: Option<&CStr>) -> (u32, i32) {
    super::wsa_set_last_error(0);
    // SAFETY: null, or a text that ends with a zero.
    let address = unsafe { inet_addr(text.map_or(std::ptr::null(), |text| text.as_ptr().cast())) };
    (address, wsa_get_last_error())
}

/// WSAStringToAddressA for IPv4, into an address that is filled before: what is there afterwards, and the length.
pub fn string_to_address(text: &CStr) -> (Outcome<()>, u16, SocketAddrV4, i32) {
    let mut address = [0xAB_u8; size_of::<sys::SOCKADDR_STORAGE>()];
    let mut length = address.len() as i32;
    // SAFETY: the text ends with a zero, and the address is as long as is said.
    let result = unsafe {
        WSAStringToAddressA(
            text.as_ptr().cast(),
            sys::AF_INET.into(),
            std::ptr::null(),
            address.as_mut_ptr().cast(),
            &mut length,
        )
    };
    let outcome = if result == 0 { Ok(()) } else { Err(wsa_get_last_error()) };
    let [f0, f1, p0, p1, a, b, c, d, ..] = address;
    let place = SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([p0, p1]));
    (outcome, u16::from_ne_bytes([f0, f1]), place, length)
}

/// A slim lock. Nothing says which thread has it, so that any may release it.
#[derive(Default)]
pub struct SlimLock(UnsafeCell<SRWLOCK>);

// SAFETY: a lock is there to be shared, and goes by its functions only.
unsafe impl Sync for SlimLock {}
// SAFETY: the same.
unsafe impl Send for SlimLock {}

impl SlimLock {
    /// AcquireSRWLockShared or AcquireSRWLockExclusive.
    pub fn acquire(&self, shared: bool) {
        // SAFETY: the lock lives.
        unsafe { if shared { AcquireSRWLockShared(self.0.get()) } else { AcquireSRWLockExclusive(self.0.get()) } }
    }

    /// TryAcquireSRWLockShared or TryAcquireSRWLockExclusive.
    pub fn try_acquire(&self, shared: bool) -> bool {
        // SAFETY: the lock lives.
        unsafe { if shared { TryAcquireSRWLockShared(self.0.get()) } else { TryAcquireSRWLockExclusive(self.0.get()) } }
    }

    /// ReleaseSRWLockShared or ReleaseSRWLockExclusive, of a lock that is held so.
    pub fn release(&self, shared: bool) {
        // SAFETY: the lock lives.
        unsafe { if shared { ReleaseSRWLockShared(self.0.get()) } else { ReleaseSRWLockExclusive(self.0.get()) } }
    }
}

/// `_vsnprintf` so many times, by one `va_list` of a number and a text, as x86-64 has it.
pub fn vsnprintf_again(times: usize, format: &CStr, number: i32, text: &CStr) -> Vec<String> {
    // What a caller has put on its stack: 8 bytes for each argument.
    let mut arguments = [number as u64, text.as_ptr() as u64];
    let mut list = VaList::new(&mut arguments);
    let mut once = || {
        let mut place = [0_u8; 100];
        // SAFETY: the buffer is as long as is said; the format ends with a zero and asks for what the list has.
        let length =
            unsafe { _vsnprintf(place.as_mut_ptr().cast(), place.len(), format.as_ptr(), list.as_parameter()) };
        let length = usize::try_from(length).expect("it fits");
        String::from_utf8_lossy(&place[..length]).into_owned()
    };
    (0..times).map(|_| once()).collect()
}

/// A `va_list` all of whose arguments are on the stack.
#[cfg(windows)]
struct VaList(*mut c_void);

#[cfg(windows)]
impl VaList {
    fn new(arguments: &mut [u64]) -> Self {
        Self(arguments.as_mut_ptr().cast())
    }

    fn as_parameter(&mut self) -> *mut c_void {
        self.0
    }
}

/// A `va_list` all of whose arguments are on the stack: those in registers are used up.
#[cfg(not(windows))]
#[repr(C)]
struct VaList {
    used_of_integers: u32,
    used_of_floats: u32,
    on_stack: *mut c_void,
    in_registers: *mut c_void,
}

#[cfg(not(windows))]
impl VaList {
    fn new(arguments: &mut [u64]) -> Self {
        let on_stack = arguments.as_mut_ptr().cast();
        Self { used_of_integers: 48, used_of_floats: 176, on_stack, in_registers: std::ptr::null_mut() }
    }

    fn as_parameter(&mut self) -> *mut c_void {
        (&raw mut *self).cast()
    }
}
