//! select with the C library's `timeval`, whose members have 64 bits, as `<sys/time.h>` and libstdc++ know it.

use crate::error::{is_bad, set_last_error};
use crate::socket;
use crate::types::*;

/// [`socket::select`] for C.
///
/// # Safety
/// As there, but `timeout` is null or points to the C library's `timeval`.
#[unsafe(export_name = "ws_select")]
pub unsafe extern "system" fn select(
    nfds: i32,
    readfds: *mut FD_SET,
    writefds: *mut FD_SET,
    exceptfds: *mut FD_SET,
    timeout: *const libc::timeval,
) -> i32 {
    if timeout.is_null() {
        // SAFETY: the caller's promise.
        return unsafe { socket::select(nfds, readfds, writefds, exceptfds, std::ptr::null()) };
    }
    if is_bad(timeout) {
        set_last_error(WSAEFAULT as u32);
        return SOCKET_ERROR;
    }
    // SAFETY: the caller's promise.
    let libc::timeval { tv_sec, tv_usec } = unsafe { timeout.read_unaligned() };
    let narrow = |value: i64| value.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
    let timeout = TIMEVAL { tv_sec: narrow(tv_sec), tv_usec: narrow(tv_usec) };
    // SAFETY: the caller's promise.
    unsafe { socket::select(nfds, readfds, writefds, exceptfds, &timeout) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::start;

    #[test]
    fn a_timeout_may_be_longer_than_windows_could_say() {
        start();
        // SAFETY: the sets and the timeout are live, the socket is closed once.
        unsafe {
            let s = socket::socket(AF_INET.into(), SOCK_DGRAM, 0);
            let set = || {
                let mut set = FD_SET { fd_count: 1, ..Default::default() };
                set.fd_array[0] = s;
                set
            };
            let null = std::ptr::null_mut;
            let long = libc::timeval { tv_sec: 1 << 40, tv_usec: 0 };
            assert_eq!(select(0, null(), &mut set(), null(), &long), 1, "a datagram can be sent");
            let none = libc::timeval { tv_sec: 0, tv_usec: 0 };
            assert_eq!(select(0, &mut set(), null(), null(), &none), 0);
            let negative = libc::timeval { tv_sec: -(1 << 40), tv_usec: 0 };
            assert_eq!(select(0, &mut set(), null(), null(), &negative), SOCKET_ERROR);
            assert_eq!(crate::GetLastError(), WSAEINVAL as u32);
            assert_eq!(select(0, &mut set(), null(), null(), std::ptr::dangling()), SOCKET_ERROR);
            assert_eq!(crate::GetLastError(), WSAEFAULT as u32);
            socket::closesocket(s);
        }
    }
}
