//! Socket options.

use super::Socket;
use crate::raw::socket as raw;
use crate::sys;
use crate::{Error, Result};
use std::time::Duration;

/// Options. All fail with `WSAENOTSOCK` only if the system lost the socket, and with `WSAENOPROTOOPT` if the option is
/// not one of this type of socket.
impl Socket {
    /// Whether small sends go at once, rather than wait to be joined with later ones.
    ///
    /// # Errors
    /// `WSAENOPROTOOPT` if it is no TCP socket.
    #[doc(alias = "TCP_NODELAY")]
    pub fn no_delay(&self) -> Result<bool> {
        self.flag(sys::IPPROTO_TCP, sys::TCP_NODELAY)
    }

    /// Sets whether small sends go at once. At first they do not.
    ///
    /// # Errors
    /// `WSAENOPROTOOPT` if it is no TCP socket.
    #[doc(alias = "TCP_NODELAY")]
    pub fn set_no_delay(&self, on: bool) -> Result<()> {
        self.set_flag(sys::IPPROTO_TCP, sys::TCP_NODELAY, on)
    }

    /// Whether the system asks now and then if a silent peer is still there.
    ///
    /// # Errors
    /// See [above](#impl-Socket-1).
    #[doc(alias = "SO_KEEPALIVE")]
    pub fn keep_alive(&self) -> Result<bool> {
        self.flag(sys::SOL_SOCKET, sys::SO_KEEPALIVE)
    }

    /// Sets whether the system asks now and then if a silent peer is still there.
    ///
    /// # Errors
    /// See [above](#impl-Socket-1).
    #[doc(alias = "SO_KEEPALIVE")]
    pub fn set_keep_alive(&self, on: bool) -> Result<()> {
        self.set_flag(sys::SOL_SOCKET, sys::SO_KEEPALIVE, on)
    }

    /// How long closing waits for what was sent to arrive; `None` if it does not wait.
    ///
    /// # Errors
    /// See [above](#impl-Socket-1).
    #[doc(alias = "SO_LINGER")]
    pub fn linger(&self) -> Result<Option<Duration>> {
        let linger: sys::LINGER = raw::option(self.raw(), sys::SOL_SOCKET, sys::SO_LINGER)?;
        let on = linger.l_onoff != 0;
        Ok(on.then(|| Duration::from_secs(linger.l_linger.into())))
    }

    /// Sets what closing does with data on its way: `None` sends it in the background, some time waits for it that
    /// long (in whole seconds, rounded up, at most 65,535), and zero throws it away and resets the connection.
    ///
    /// # Errors
    /// See [above](#impl-Socket-1).
    #[doc(alias = "SO_LINGER")]
    #[doc(alias = "SO_DONTLINGER")]
    pub fn set_linger(&self, time: Option<Duration>) -> Result<()> {
        let seconds = time.unwrap_or_default().as_nanos().div_ceil(1_000_000_000);
        let linger =
            sys::LINGER { l_onoff: time.is_some().into(), l_linger: u16::try_from(seconds).unwrap_or(u16::MAX) };
        raw::set_option(self.raw(), sys::SOL_SOCKET, sys::SO_LINGER, linger)
    }

    /// Whether the socket may share its address with others.
    ///
    /// # Errors
    /// See [above](#impl-Socket-1).
    #[doc(alias = "SO_REUSEADDR")]
    pub fn reuse_address(&self) -> Result<bool> {
        self.flag(sys::SOL_SOCKET, sys::SO_REUSEADDR)
    }

    /// Sets whether the socket may share its address with others, in Winsock's meaning: it may take a port that
    /// another socket is using. A server does *not* need it to start again on a port that was in use just now.
    ///
    /// # Errors
    /// See [above](#impl-Socket-1).
    #[doc(alias = "SO_REUSEADDR")]
    pub fn set_reuse_address(&self, on: bool) -> Result<()> {
        self.set_flag(sys::SOL_SOCKET, sys::SO_REUSEADDR, on)
    }

    /// Whether nobody may share the address.
    ///
    /// # Errors
    /// See [above](#impl-Socket-1).
    #[doc(alias = "SO_EXCLUSIVEADDRUSE")]
    pub fn exclusive_address_use(&self) -> Result<bool> {
        self.flag(sys::SOL_SOCKET, sys::SO_EXCLUSIVEADDRUSE)
    }

    /// Sets, before [`bind`](Self::bind), that nobody may share the address, not even with
    /// [`set_reuse_address`](Self::set_reuse_address).
    ///
    /// # Errors
    /// `WSAEINVAL` if the socket is bound, or may share its own address.
    #[doc(alias = "SO_EXCLUSIVEADDRUSE")]
    pub fn set_exclusive_address_use(&self, on: bool) -> Result<()> {
        self.set_flag(sys::SOL_SOCKET, sys::SO_EXCLUSIVEADDRUSE, on)
    }

    /// How many bytes the system holds that were not sent yet.
    ///
    /// # Errors
    /// See [above](#impl-Socket-1).
    #[doc(alias = "SO_SNDBUF")]
    pub fn send_buffer(&self) -> Result<usize> {
        self.number(sys::SO_SNDBUF).map(|bytes| bytes as usize)
    }

    /// Sets how many bytes the system holds that were not sent yet.
    ///
    /// # Errors
    /// See [above](#impl-Socket-1).
    #[doc(alias = "SO_SNDBUF")]
    pub fn set_send_buffer(&self, bytes: usize) -> Result<()> {
        self.set_number(sys::SO_SNDBUF, saturate(bytes as u128))
    }

    /// How many bytes the system holds that were not received yet.
    ///
    /// # Errors
    /// See [above](#impl-Socket-1).
    #[doc(alias = "SO_RCVBUF")]
    pub fn receive_buffer(&self) -> Result<usize> {
        self.number(sys::SO_RCVBUF).map(|bytes| bytes as usize)
    }

    /// Sets how many bytes the system holds that were not received yet.
    ///
    /// # Errors
    /// See [above](#impl-Socket-1).
    #[doc(alias = "SO_RCVBUF")]
    pub fn set_receive_buffer(&self, bytes: usize) -> Result<()> {
        self.set_number(sys::SO_RCVBUF, saturate(bytes as u128))
    }

    /// How long a blocking receive waits; `None` is for ever.
    ///
    /// # Errors
    /// See [above](#impl-Socket-1).
    #[doc(alias = "SO_RCVTIMEO")]
    pub fn receive_timeout(&self) -> Result<Option<Duration>> {
        self.timeout(sys::SO_RCVTIMEO)
    }

    /// Sets how long a blocking receive waits: milliseconds, rounded up. Operations at a completion port do not heed
    /// it.
    ///
    /// # Errors
    /// `WSAEINVAL` for a time of zero, which Winsock would take for ever.
    #[doc(alias = "SO_RCVTIMEO")]
    pub fn set_receive_timeout(&self, timeout: Option<Duration>) -> Result<()> {
        self.set_timeout(sys::SO_RCVTIMEO, timeout)
    }

    /// How long a blocking send waits; `None` is for ever.
    ///
    /// # Errors
    /// See [above](#impl-Socket-1).
    #[doc(alias = "SO_SNDTIMEO")]
    pub fn send_timeout(&self) -> Result<Option<Duration>> {
        self.timeout(sys::SO_SNDTIMEO)
    }

    /// Sets how long a blocking send waits: milliseconds, rounded up. Operations at a completion port do not heed it.
    ///
    /// # Errors
    /// `WSAEINVAL` for a time of zero, which Winsock would take for ever.
    #[doc(alias = "SO_SNDTIMEO")]
    pub fn set_send_timeout(&self, timeout: Option<Duration>) -> Result<()> {
        self.set_timeout(sys::SO_SNDTIMEO, timeout)
    }

    /// Whether datagrams may be sent to broadcast addresses.
    ///
    /// # Errors
    /// `WSAENOPROTOOPT` if it is no UDP socket.
    #[doc(alias = "SO_BROADCAST")]
    pub fn broadcast(&self) -> Result<bool> {
        self.flag(sys::SOL_SOCKET, sys::SO_BROADCAST)
    }

    /// Sets whether datagrams may be sent to broadcast addresses. At first they may not.
    ///
    /// # Errors
    /// `WSAENOPROTOOPT` if it is no UDP socket.
    #[doc(alias = "SO_BROADCAST")]
    pub fn set_broadcast(&self, on: bool) -> Result<()> {
        self.set_flag(sys::SOL_SOCKET, sys::SO_BROADCAST, on)
    }

    /// Whether an IPv6 socket leaves IPv4 to others.
    ///
    /// # Errors
    /// `WSAENOPROTOOPT` or `WSAEINVAL` if it is no IPv6 socket.
    #[doc(alias = "IPV6_V6ONLY")]
    pub fn only_v6(&self) -> Result<bool> {
        self.flag(sys::IPPROTO_IPV6, sys::IPV6_V6ONLY)
    }

    /// Sets, before [`bind`](Self::bind), whether an IPv6 socket leaves IPv4 to others. In Winsock it does at first.
    ///
    /// # Errors
    /// `WSAENOPROTOOPT` or `WSAEINVAL` if it is no IPv6 socket.
    #[doc(alias = "IPV6_V6ONLY")]
    pub fn set_only_v6(&self, on: bool) -> Result<()> {
        self.set_flag(sys::IPPROTO_IPV6, sys::IPV6_V6ONLY, on)
    }

    /// Why the last non-blocking connect failed; `None` if it did not. Reading it does not clear it, the next
    /// successful connect does (SEMANTICS S29, S30).
    ///
    /// # Errors
    /// See [above](#impl-Socket-1).
    #[doc(alias = "SO_ERROR")]
    pub fn last_connect_error(&self) -> Result<Option<Error>> {
        let code = self.number(sys::SO_ERROR)? as i32;
        Ok((code != 0).then(|| Error::from_code(code)))
    }

    fn flag(&self, level: i32, name: i32) -> Result<bool> {
        raw::option::<u32>(self.raw(), level, name).map(|value| value != 0)
    }

    fn set_flag(&self, level: i32, name: i32, on: bool) -> Result<()> {
        raw::set_option(self.raw(), level, name, u32::from(on))
    }

    fn number(&self, name: i32) -> Result<u32> {
        raw::option(self.raw(), sys::SOL_SOCKET, name)
    }

    fn set_number(&self, name: i32, value: u32) -> Result<()> {
        raw::set_option(self.raw(), sys::SOL_SOCKET, name, value)
    }

    fn timeout(&self, name: i32) -> Result<Option<Duration>> {
        let milliseconds = self.number(name)?;
        Ok((milliseconds != 0).then(|| Duration::from_millis(milliseconds.into())))
    }

    fn set_timeout(&self, name: i32, timeout: Option<Duration>) -> Result<()> {
        let milliseconds = match timeout {
            None => 0,
            Some(Duration::ZERO) => return Err(Error::from_code(sys::WSAEINVAL)),
            Some(time) => saturate(time.as_nanos().div_ceil(1_000_000)),
        };
        self.set_number(name, milliseconds)
    }
}

/// The system counts in positive i32.
fn saturate(value: u128) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX).min(i32::MAX as u32)
}
