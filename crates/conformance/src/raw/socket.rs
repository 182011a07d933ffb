//! Sockets: creation, names, accept, connect, and the synchronous calls that move data.

use super::address::{RawAddress, STORAGE_LENGTH};
use super::{Bad, Outcome, count_or_error, startup, wsa_get_last_error, zero_or_error};
use pentaport::sys;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

/// A SOCKET; closed when dropped.
///
/// After [`Socket::close`] the stale handle stays usable in calls, for the facts about closed handles.
#[derive(Debug)]
pub struct Socket {
    raw: sys::SOCKET,
    open: AtomicBool,
}

/// What WSAAccept tells its condition function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The caller id: the peer's address.
    pub caller: Option<SocketAddr>,
    /// The callee id: the local address.
    pub callee: Option<SocketAddr>,
    /// Whether both QOS pointers were null.
    pub qos_null: bool,
}

/// 127.0.0.1, port 0.
pub fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// 0.0.0.0, port 0.
pub fn any_v4() -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], 0))
}

/// A TCP socket for IPv4.
pub fn tcp() -> Socket {
    socket(sys::AF_INET, sys::SOCK_STREAM, sys::IPPROTO_TCP).expect("a TCP socket")
}

/// A TCP socket for IPv6.
pub fn tcp6() -> Socket {
    socket(sys::AF_INET6, sys::SOCK_STREAM, sys::IPPROTO_TCP).expect("a TCP socket")
}

/// A UDP socket for IPv4.
pub fn udp() -> Socket {
    socket(sys::AF_INET, sys::SOCK_DGRAM, sys::IPPROTO_UDP).expect("a UDP socket")
}

/// A UDP socket for IPv6.
pub fn udp6() -> Socket {
    socket(sys::AF_INET6, sys::SOCK_DGRAM, sys::IPPROTO_UDP).expect("a UDP socket")
}

/// socket(), after Winsock was started.
pub fn socket(family: u16, kind: i32, protocol: i32) -> Outcome<Socket> {
    startup();
    // SAFETY: no pointers.
    Socket::from_result(unsafe { sys::socket(i32::from(family), kind, protocol) })
}

/// WSASocketW for IPv4 with the given flags; does not start Winsock.
pub fn wsa_socket(kind: i32, protocol: i32, flags: u32) -> Outcome<Socket> {
    let family = i32::from(sys::AF_INET);
    // SAFETY: a null protocol info is allowed.
    Socket::from_result(unsafe { sys::WSASocketW(family, kind, protocol, std::ptr::null(), 0, flags) })
}

/// A listening TCP socket on 127.0.0.1 and its address.
pub fn listener() -> (Socket, SocketAddr) {
    let socket = tcp();
    let address = socket.bind_loopback();
    socket.listen(16).expect("listen");
    (socket, address)
}

/// Two connected TCP sockets: the one that connected, and the one that was accepted.
pub fn pair() -> (Socket, Socket) {
    let (listener, address) = listener();
    let client = tcp();
    client.connect(address).expect("connect");
    let (server, _) = listener.accept().expect("accept");
    (client, server)
}

/// accept() with null for both address pointers on whatever handle value is given.
pub fn accept_raw(listener: usize) -> Outcome<Socket> {
    // SAFETY: null pointers are allowed here.
    Socket::from_result(unsafe { sys::accept(listener, std::ptr::null_mut(), std::ptr::null_mut()) })
}

impl Socket {
    fn from_result(raw: sys::SOCKET) -> Outcome<Self> {
        if raw == sys::INVALID_SOCKET { Err(wsa_get_last_error()) } else { Ok(Self::of(raw)) }
    }

    /// Owns a SOCKET, or stands for a value that is none.
    pub fn of(raw: usize) -> Self {
        Self { raw, open: AtomicBool::new(true) }
    }

    /// INVALID_SOCKET.
    pub fn invalid() -> Self {
        Self { raw: sys::INVALID_SOCKET, open: AtomicBool::new(false) }
    }

    /// The SOCKET, also after it was closed.
    pub fn raw(&self) -> usize {
        self.raw
    }

    /// closesocket. The socket counts as closed unless that failed.
    pub fn close(&self) -> Outcome<()> {
        // SAFETY: no pointers.
        zero_or_error(unsafe { sys::closesocket(self.raw) })?;
        self.open.store(false, Ordering::SeqCst);
        Ok(())
    }

    /// bind.
    pub fn bind(&self, address: SocketAddr) -> Outcome<()> {
        let raw = RawAddress::of(address);
        self.bind_length(address, raw.length)
    }

    /// bind with a length of its own for the address.
    pub fn bind_length(&self, address: SocketAddr, length: i32) -> Outcome<()> {
        assert!(length <= STORAGE_LENGTH);
        let raw = RawAddress::of(address);
        // SAFETY: the storage has `length` bytes and outlives the call.
        zero_or_error(unsafe { sys::bind(self.raw, raw.as_ptr(), length) })
    }

    /// bind with an address of a family that is neither.
    pub fn bind_family(&self, family: u16) -> Outcome<()> {
        let mut raw = RawAddress::of(loopback());
        raw.storage.ss_family = family;
        // SAFETY: the storage has `length` bytes and outlives the call.
        zero_or_error(unsafe { sys::bind(self.raw, raw.as_ptr(), raw.length) })
    }

    /// bind with a bad pointer.
    pub fn bind_bad(&self, bad: Bad, length: i32) -> Outcome<()> {
        // SAFETY: the contract says that a pointer without access is refused.
        zero_or_error(unsafe { sys::bind(self.raw, bad.pointer::<sys::SOCKADDR>(), length) })
    }

    /// Binds to 127.0.0.1 with a free port and says which.
    pub fn bind_loopback(&self) -> SocketAddr {
        self.bind(loopback()).expect("bind to 127.0.0.1:0");
        self.getsockname().expect("getsockname")
    }

    /// listen.
    pub fn listen(&self, backlog: i32) -> Outcome<()> {
        // SAFETY: no pointers.
        zero_or_error(unsafe { sys::listen(self.raw, backlog) })
    }

    /// accept, with the peer's address.
    pub fn accept(&self) -> Outcome<(Socket, SocketAddr)> {
        let mut peer = RawAddress::room();
        // SAFETY: the storage has `length` bytes; both outlive the call.
        let raw = unsafe { sys::accept(self.raw, peer.as_mut_ptr(), &mut peer.length) };
        let socket = Socket::from_result(raw)?;
        Ok((socket, peer.decode().expect("an IP address")))
    }

    /// accept with room of `length` bytes for the address: the socket, and what became of the length.
    pub fn accept_length(&self, length: i32) -> (Outcome<Socket>, i32) {
        let mut peer = RawAddress::room();
        peer.length = length.min(STORAGE_LENGTH);
        // SAFETY: the storage has at least `length` bytes; both outlive the call.
        let raw = unsafe { sys::accept(self.raw, peer.as_mut_ptr(), &mut peer.length) };
        (Socket::from_result(raw), peer.length)
    }

    /// accept with room for the address but a null pointer for its length: the socket and the address's family, which
    /// was 0xFFFF before.
    pub fn accept_without_length(&self) -> (Outcome<Socket>, u16) {
        let mut peer = RawAddress::room();
        peer.storage.ss_family = u16::MAX;
        // SAFETY: the contract says that without a length the address is not written.
        let raw = unsafe { sys::accept(self.raw, peer.as_mut_ptr(), std::ptr::null_mut()) };
        (Socket::from_result(raw), peer.storage.ss_family)
    }

    /// WSAAccept with a condition function.
    pub fn wsa_accept(&self, mut condition: impl FnMut(Caller) -> i32) -> Outcome<(Socket, SocketAddr)> {
        let mut peer = RawAddress::room();
        let mut condition: &mut dyn FnMut(Caller) -> i32 = &mut condition;
        let data = (&raw mut condition) as usize;
        // SAFETY: the storage has `length` bytes; it, the length and `condition`, which `ask` gets back as its data,
        // outlive the call.
        let raw = unsafe { sys::WSAAccept(self.raw, peer.as_mut_ptr(), &mut peer.length, Some(ask), data) };
        let socket = Socket::from_result(raw)?;
        Ok((socket, peer.decode().expect("an IP address")))
    }

    /// connect.
    pub fn connect(&self, address: SocketAddr) -> Outcome<()> {
        let raw = RawAddress::of(address);
        // SAFETY: the storage has `length` bytes and outlives the call.
        zero_or_error(unsafe { sys::connect(self.raw, raw.as_ptr(), raw.length) })
    }

    /// WSAConnect without data and without quality of service.
    pub fn wsa_connect(&self, address: SocketAddr) -> Outcome<()> {
        let raw = RawAddress::of(address);
        // SAFETY: the storage has `length` bytes and outlives the call; the other pointers may be null.
        zero_or_error(unsafe {
            sys::WSAConnect(
                self.raw,
                raw.as_ptr(),
                raw.length,
                std::ptr::null(),
                std::ptr::null_mut(),
                std::ptr::null(),
                std::ptr::null(),
            )
        })
    }

    /// connect to an address of family AF_UNSPEC.
    pub fn connect_unspecified(&self) -> Outcome<()> {
        let mut raw = RawAddress::of(any_v4());
        raw.storage.ss_family = sys::AF_UNSPEC;
        // SAFETY: the storage has `length` bytes and outlives the call.
        zero_or_error(unsafe { sys::connect(self.raw, raw.as_ptr(), raw.length) })
    }

    /// connect with a bad pointer.
    pub fn connect_bad(&self, bad: Bad, length: i32) -> Outcome<()> {
        // SAFETY: the contract says that a pointer without access is refused.
        zero_or_error(unsafe { sys::connect(self.raw, bad.pointer::<sys::SOCKADDR>(), length) })
    }

    /// shutdown.
    pub fn shutdown(&self, how: i32) -> Outcome<()> {
        // SAFETY: no pointers.
        zero_or_error(unsafe { sys::shutdown(self.raw, how) })
    }

    /// WSASendDisconnect without data.
    pub fn wsa_send_disconnect(&self) -> Outcome<()> {
        // SAFETY: null data is allowed.
        zero_or_error(unsafe { sys::WSASendDisconnect(self.raw, std::ptr::null()) })
    }

    /// WSARecvDisconnect without data.
    pub fn wsa_recv_disconnect(&self) -> Outcome<()> {
        // SAFETY: null data is allowed.
        zero_or_error(unsafe { sys::WSARecvDisconnect(self.raw, std::ptr::null()) })
    }

    /// getsockname.
    pub fn getsockname(&self) -> Outcome<SocketAddr> {
        let mut name = RawAddress::room();
        // SAFETY: the storage has `length` bytes; both outlive the call.
        zero_or_error(unsafe { sys::getsockname(self.raw, name.as_mut_ptr(), &mut name.length) })?;
        Ok(name.decode().expect("an IP address"))
    }

    /// getpeername.
    pub fn getpeername(&self) -> Outcome<SocketAddr> {
        let (outcome, _) = self.getpeername_length(STORAGE_LENGTH);
        outcome
    }

    /// getpeername with room of `length` bytes: the name, and what became of the length.
    pub fn getpeername_length(&self, length: i32) -> (Outcome<SocketAddr>, i32) {
        let mut name = RawAddress::room();
        name.length = length.min(STORAGE_LENGTH);
        // SAFETY: the storage has at least `length` bytes; both outlive the call.
        let result = unsafe { sys::getpeername(self.raw, name.as_mut_ptr(), &mut name.length) };
        (zero_or_error(result).map(|()| name.decode().expect("an IP address")), name.length)
    }

    /// getpeername with a null pointer for the name: the outcome, and what became of the length.
    pub fn getpeername_null(&self, mut length: i32) -> (Outcome<()>, i32) {
        // SAFETY: the contract says that a null name is refused; the length outlives the call.
        let result = unsafe { sys::getpeername(self.raw, std::ptr::null_mut(), &mut length) };
        (zero_or_error(result), length)
    }

    /// getpeername with null pointers for both.
    pub fn getpeername_nulls(&self) -> Outcome<()> {
        let null = std::ptr::null_mut();
        // SAFETY: the contract says that null pointers are refused.
        zero_or_error(unsafe { sys::getpeername(self.raw, null, std::ptr::null_mut()) })
    }

    /// getsockname with null pointers for both.
    pub fn getsockname_nulls(&self) -> Outcome<()> {
        let null = std::ptr::null_mut();
        // SAFETY: the contract says that null pointers are refused.
        zero_or_error(unsafe { sys::getsockname(self.raw, null, std::ptr::null_mut()) })
    }

    /// send.
    pub fn send(&self, data: &[u8]) -> Outcome<usize> {
        self.send_flags(data, 0)
    }

    /// send with flags.
    pub fn send_flags(&self, data: &[u8], flags: i32) -> Outcome<usize> {
        let length = i32::try_from(data.len()).expect("under 2 GiB");
        // SAFETY: `data` has `length` bytes and outlives the call.
        count_or_error(unsafe { sys::send(self.raw, data.as_ptr(), length, flags) })
    }

    /// send with a bad pointer.
    pub fn send_bad(&self, bad: Bad, length: i32) -> Outcome<usize> {
        // SAFETY: the contract says that a pointer without access is refused.
        count_or_error(unsafe { sys::send(self.raw, bad.pointer::<u8>(), length, 0) })
    }

    /// recv.
    pub fn recv(&self, buffer: &mut [u8]) -> Outcome<usize> {
        self.recv_flags(buffer, 0)
    }

    /// recv with flags.
    pub fn recv_flags(&self, buffer: &mut [u8], flags: i32) -> Outcome<usize> {
        let length = i32::try_from(buffer.len()).expect("under 2 GiB");
        // SAFETY: `buffer` has `length` bytes and outlives the call.
        count_or_error(unsafe { sys::recv(self.raw, buffer.as_mut_ptr(), length, flags) })
    }

    /// recv with a bad pointer.
    pub fn recv_bad(&self, bad: Bad, length: i32) -> Outcome<usize> {
        // SAFETY: the contract says that a pointer without access is refused.
        count_or_error(unsafe { sys::recv(self.raw, bad.pointer::<u8>(), length, 0) })
    }

    /// recv until `length` bytes came; panics at an error or at the end of the stream.
    pub fn recv_exact(&self, length: usize) -> Vec<u8> {
        let mut data = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match self.recv(&mut data[filled..]) {
                Ok(0) => panic!("the stream ended after {filled} of {length} bytes"),
                Ok(count) => filled += count,
                Err(code) => panic!("recv after {filled} of {length} bytes: {code}"),
            }
        }
        data
    }

    /// sendto.
    pub fn sendto(&self, data: &[u8], to: SocketAddr) -> Outcome<usize> {
        let length = i32::try_from(data.len()).expect("under 2 GiB");
        let to = RawAddress::of(to);
        // SAFETY: `data` has `length` bytes, the address as many as it says; both outlive the call.
        count_or_error(unsafe { sys::sendto(self.raw, data.as_ptr(), length, 0, to.as_ptr(), to.length) })
    }

    /// recvfrom.
    pub fn recvfrom(&self, buffer: &mut [u8]) -> Outcome<(usize, SocketAddr)> {
        let (count, from, _) = self.recvfrom_length(buffer, STORAGE_LENGTH);
        Ok((count?, from.expect("an IP address")))
    }

    /// recvfrom with room of `length` bytes for the address: the count, the address if one was filled in, and what
    /// became of the length.
    pub fn recvfrom_length(&self, buffer: &mut [u8], length: i32) -> (Outcome<usize>, Option<SocketAddr>, i32) {
        let mut from = RawAddress::room();
        from.length = length.min(STORAGE_LENGTH);
        let size = i32::try_from(buffer.len()).expect("under 2 GiB");
        // SAFETY: `buffer` has `size` bytes, the storage at least `length`; all outlive the call.
        let result =
            unsafe { sys::recvfrom(self.raw, buffer.as_mut_ptr(), size, 0, from.as_mut_ptr(), &mut from.length) };
        (count_or_error(result), from.decode(), from.length)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if *self.open.get_mut() {
            // SAFETY: no pointers; a socket that is closed already is refused.
            unsafe { sys::closesocket(self.raw) };
        }
    }
}

/// The condition function that [`Socket::wsa_accept`] passes: asks the closure.
unsafe extern "system" fn ask(
    caller: *mut sys::WSABUF,
    _caller_data: *mut sys::WSABUF,
    sqos: *mut sys::QOS,
    gqos: *mut sys::QOS,
    callee: *mut sys::WSABUF,
    _callee_data: *mut sys::WSABUF,
    _group: *mut u32,
    data: usize,
) -> i32 {
    let info = Caller {
        // SAFETY: WSAAccept passes a null pointer or one address.
        caller: unsafe { address_in(caller) },
        // SAFETY: WSAAccept passes a null pointer or one address.
        callee: unsafe { address_in(callee) },
        qos_null: sqos.is_null() && gqos.is_null(),
    };
    let condition = std::ptr::with_exposed_provenance_mut::<&mut dyn FnMut(Caller) -> i32>(data);
    // SAFETY: `data` is the pointer that `wsa_accept` passed, on this thread, in a call that has not returned.
    let condition = unsafe { &mut *condition };
    condition(info)
}

/// # Safety
/// `buffer` is null or a WSABUF that holds an address.
unsafe fn address_in(buffer: *const sys::WSABUF) -> Option<SocketAddr> {
    // SAFETY: the caller passes null or a valid WSABUF.
    let buffer = unsafe { buffer.as_ref() }?;
    let mut raw = RawAddress::room();
    let length = (buffer.len as usize).min(STORAGE_LENGTH as usize);
    // SAFETY: the WSABUF holds `len` bytes, of which no more than the storage has are copied.
    unsafe {
        std::ptr::copy_nonoverlapping(buffer.buf, raw.as_mut_ptr().cast::<u8>(), length);
    }
    raw.decode()
}
