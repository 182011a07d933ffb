//! Socket options and ioctls.

use super::{Bad, Outcome, Request, Socket, UNTOUCHED, zero_or_error};
use pentaport::sys;
use std::ffi::c_void;

impl Socket {
    /// getsockopt of a number: what the call wrote of the four bytes, the rest being 0.
    pub fn option(&self, level: i32, name: i32) -> Outcome<i32> {
        let bytes = self.option_bytes(level, name, 4)?;
        let mut value = [0; 4];
        value[..bytes.len()].copy_from_slice(&bytes);
        Ok(i32::from_ne_bytes(value))
    }

    /// getsockopt at the level SOL_SOCKET.
    pub fn sol_option(&self, name: i32) -> Outcome<i32> {
        self.option(sys::SOL_SOCKET, name)
    }

    /// getsockopt with room for `length` bytes.
    pub fn option_bytes(&self, level: i32, name: i32, length: usize) -> Outcome<Vec<u8>> {
        let mut value = vec![0; length];
        let mut size = i32::try_from(length).expect("a small length");
        // SAFETY: `value` has `size` bytes; both outlive the call.
        zero_or_error(unsafe { sys::getsockopt(self.raw(), level, name, value.as_mut_ptr(), &mut size) })?;
        value.truncate(usize::try_from(size).expect("a length is not negative"));
        Ok(value)
    }

    /// setsockopt of a number.
    pub fn set_option(&self, level: i32, name: i32, value: i32) -> Outcome<()> {
        self.set_option_bytes(level, name, &value.to_ne_bytes())
    }

    /// setsockopt at the level SOL_SOCKET.
    pub fn set_sol_option(&self, name: i32, value: i32) -> Outcome<()> {
        self.set_option(sys::SOL_SOCKET, name, value)
    }

    /// setsockopt of bytes.
    pub fn set_option_bytes(&self, level: i32, name: i32, value: &[u8]) -> Outcome<()> {
        let size = i32::try_from(value.len()).expect("a small length");
        // SAFETY: `value` has `size` bytes and outlives the call.
        zero_or_error(unsafe { sys::setsockopt(self.raw(), level, name, value.as_ptr(), size) })
    }

    /// setsockopt with a bad pointer.
    pub fn set_option_bad(&self, level: i32, name: i32, bad: Bad, length: i32) -> Outcome<()> {
        // SAFETY: the contract says that a pointer without access is refused.
        zero_or_error(unsafe { sys::setsockopt(self.raw(), level, name, bad.pointer::<u8>(), length) })
    }

    /// SO_LINGER: on or off, and seconds.
    pub fn linger(&self) -> Outcome<(u16, u16)> {
        let bytes = self.option_bytes(sys::SOL_SOCKET, sys::SO_LINGER, 4)?;
        Ok((u16::from_ne_bytes([bytes[0], bytes[1]]), u16::from_ne_bytes([bytes[2], bytes[3]])))
    }

    /// Sets SO_LINGER.
    pub fn set_linger(&self, on: u16, seconds: u16) -> Outcome<()> {
        let [a, b] = on.to_ne_bytes();
        let [c, d] = seconds.to_ne_bytes();
        self.set_option_bytes(sys::SOL_SOCKET, sys::SO_LINGER, &[a, b, c, d])
    }

    /// Closes so that the peer gets a reset: SO_LINGER on with 0 seconds, then closesocket.
    pub fn reset(&self) {
        self.set_linger(1, 0).expect("SO_LINGER");
        self.close().expect("closesocket");
    }

    /// setsockopt(SO_UPDATE_ACCEPT_CONTEXT, listener).
    pub fn update_accept_context(&self, listener: usize) -> Outcome<()> {
        self.set_option_bytes(sys::SOL_SOCKET, sys::SO_UPDATE_ACCEPT_CONTEXT, &listener.to_ne_bytes())
    }

    /// setsockopt(SO_UPDATE_CONNECT_CONTEXT), which has no value.
    pub fn update_connect_context(&self) -> Outcome<()> {
        let (level, name) = (sys::SOL_SOCKET, sys::SO_UPDATE_CONNECT_CONTEXT);
        // SAFETY: a null value of length 0 is allowed.
        zero_or_error(unsafe { sys::setsockopt(self.raw(), level, name, std::ptr::null(), 0) })
    }

    /// ioctlsocket: what became of the argument.
    pub fn ioctl(&self, command: i32, mut argument: u32) -> Outcome<u32> {
        // SAFETY: the argument outlives the call.
        zero_or_error(unsafe { sys::ioctlsocket(self.raw(), command, &mut argument) })?;
        Ok(argument)
    }

    /// ioctlsocket with a bad pointer.
    pub fn ioctl_bad(&self, command: i32, bad: Bad) -> Outcome<()> {
        // SAFETY: the contract says that a pointer without access is refused.
        zero_or_error(unsafe { sys::ioctlsocket(self.raw(), command, bad.pointer::<u32>()) })
    }

    /// Makes the socket blocking or nonblocking with FIONBIO.
    pub fn set_nonblocking(&self, nonblocking: bool) {
        self.ioctl(sys::FIONBIO, u32::from(nonblocking)).expect("FIONBIO");
    }

    /// The bytes that wait, by FIONREAD.
    pub fn bytes_waiting(&self) -> u32 {
        self.ioctl(sys::FIONREAD, 0).expect("FIONREAD")
    }

    /// WSAIoctl: the outcome, and the byte count, which was [`UNTOUCHED`] before.
    ///
    /// With a request the call may be one that ends at once only: `output` is not kept.
    pub fn wsa_ioctl(
        &self,
        code: u32,
        input: &[u8],
        output: &mut [u8],
        request: Option<Request>,
    ) -> (Outcome<()>, u32) {
        let mut returned = UNTOUCHED;
        // SAFETY: both buffers have the lengths given and outlive the call, as does the count; a request lives for ever.
        let result = unsafe {
            sys::WSAIoctl(
                self.raw(),
                code,
                or_null(input.as_ptr(), input.len()).cast(),
                input.len() as u32,
                or_null(output.as_mut_ptr(), output.len()).cast_mut().cast(),
                output.len() as u32,
                &mut returned,
                request.map_or(std::ptr::null_mut(), Request::pointer),
                None,
            )
        };
        (zero_or_error(result), returned)
    }

    /// WSAIoctl with an input buffer and a null pointer for the byte count.
    pub fn wsa_ioctl_uncounted(&self, code: u32, input: &[u8]) -> Outcome<()> {
        let null = std::ptr::null_mut::<c_void>();
        // SAFETY: `input` has the length given and outlives the call; a null count is refused.
        zero_or_error(unsafe {
            sys::WSAIoctl(
                self.raw(),
                code,
                input.as_ptr().cast(),
                input.len() as u32,
                null,
                0,
                null.cast(),
                null.cast(),
                None,
            )
        })
    }
}

/// A pointer that is null when the length is 0, as C programs pass it.
fn or_null(pointer: *const u8, length: usize) -> *const u8 {
    if length == 0 { std::ptr::null() } else { pointer }
}
