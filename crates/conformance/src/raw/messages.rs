//! WSARecvMsg and WSASendMsg.

use super::address::RawAddress;
use super::extension::fetch_as;
use super::{Outcome, Request, Socket, wsa_get_last_error};
use pentaport::sys;
use std::net::{IpAddr, SocketAddr};

/// What WSARecvMsg has brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The bytes.
    pub data: Vec<u8>,
    /// The sender.
    pub from: Option<SocketAddr>,
    /// MSG_TRUNC and MSG_CTRUNC, as the message says.
    pub flags: u32,
    /// Where the datagram was sent to, and the index of the interface, of IP_PKTINFO.
    pub to: Option<(IpAddr, u32)>,
}

/// How WSARecvMsg is called.
#[derive(Clone, Copy)]
pub struct ReceiveMessage {
    /// Room for data.
    pub room: usize,
    /// Room for control data.
    pub control: usize,
    /// The flags in the message.
    pub flags: u32,
    /// Whether the number of bytes is asked for.
    pub counted: bool,
}

impl Default for ReceiveMessage {
    fn default() -> Self {
        Self { room: 64, control: 128, flags: 0, counted: true }
    }
}

/// WSARecvMsg without an OVERLAPPED: what came, and the call's code if that was not 0.
pub fn wsa_recv_msg(socket: &Socket, call: ReceiveMessage) -> (Outcome<()>, Received) {
    let function = fetch_as::<sys::LPFN_WSARECVMSG>(&sys::WSAID_WSARECVMSG).expect("not null");
    let (mut data, mut control, mut from) = (vec![0; call.room], [0u64; 16], RawAddress::room());
    let mut buffer = sys::WSABUF { len: call.room as u32, buf: data.as_mut_ptr() };
    let mut message = sys::WSAMSG {
        name: from.as_mut_ptr(),
        namelen: size_of::<sys::SOCKADDR_STORAGE>() as i32,
        lpBuffers: &mut buffer,
        dwBufferCount: 1,
        Control: sys::WSABUF { len: call.control as u32, buf: control.as_mut_ptr().cast() },
        dwFlags: call.flags,
    };
    let mut bytes = 0;
    let count = if call.counted { &raw mut bytes } else { std::ptr::null_mut() };
    // SAFETY: all that the message points to has the lengths given and outlives the call.
    let result = unsafe { function(socket.raw(), &mut message, count, std::ptr::null_mut(), None) };
    let result = if result == 0 { Ok(()) } else { Err(wsa_get_last_error()) };
    data.truncate(bytes as usize);
    let to = packet_info(&control, message.Control.len as usize);
    (result, Received { data, from: from.decode(), flags: message.dwFlags, to })
}

fn packet_info(control: &[u64], length: usize) -> Option<(IpAddr, u32)> {
    let bytes: Vec<u8> = control.iter().flat_map(|word| word.to_ne_bytes()).take(length).collect();
    let word = |at: usize| bytes.get(at..at + 4).map(|word| u32::from_ne_bytes(word.try_into().expect("four bytes")));
    match (word(8)? as i32, word(12)? as i32) {
        (sys::IPPROTO_IP, sys::IP_PKTINFO) => {
            let address: [u8; 4] = bytes.get(16..20)?.try_into().ok()?;
            Some((IpAddr::from(address), word(20)?))
        }
        (sys::IPPROTO_IPV6, sys::IPV6_PKTINFO) => {
            let address: [u8; 16] = bytes.get(16..32)?.try_into().ok()?;
            Some((IpAddr::from(address), word(32)?))
        }
        _ => None,
    }
}

/// WSARecvMsg with a null message.
pub fn wsa_recv_msg_null(socket: &Socket) -> Outcome<()> {
    let function = fetch_as::<sys::LPFN_WSARECVMSG>(&sys::WSAID_WSARECVMSG).expect("not null");
    let mut bytes = 0;
    // SAFETY: null is refused.
    match unsafe { function(socket.raw(), std::ptr::null_mut(), &mut bytes, std::ptr::null_mut(), None) } {
        0 => Ok(()),
        _ => Err(wsa_get_last_error()),
    }
}

/// WSARecvMsg with an OVERLAPPED, into the request's buffer: what is to be looked at is the request.
pub fn wsa_recv_msg_overlapped(socket: &Socket, request: Request) -> Outcome<()> {
    let function = fetch_as::<sys::LPFN_WSARECVMSG>(&sys::WSAID_WSARECVMSG).expect("not null");
    // SAFETY: all of it lives for ever.
    let result =
        unsafe { function(socket.raw(), request.message_pointer(), request.count_pointer(), request.pointer(), None) };
    if result == 0 { Ok(()) } else { Err(wsa_get_last_error()) }
}

/// WSASendMsg without an OVERLAPPED, to an address or to the peer.
pub fn wsa_send_msg(socket: &Socket, data: &[u8], to: Option<SocketAddr>, counted: bool) -> Outcome<u32> {
    let function = fetch_as::<sys::LPFN_WSASENDMSG>(&sys::WSAID_WSASENDMSG).expect("not null");
    let mut buffer = sys::WSABUF { len: data.len() as u32, buf: data.as_ptr().cast_mut() };
    let to = to.map(RawAddress::of);
    let (name, namelen) = to.as_ref().map_or((std::ptr::null(), 0), |to| (to.as_ptr(), to.length));
    let message =
        sys::WSAMSG { name: name.cast_mut(), namelen, lpBuffers: &mut buffer, dwBufferCount: 1, ..Default::default() };
    let mut bytes = 0;
    let count = if counted { &raw mut bytes } else { std::ptr::null_mut() };
    // SAFETY: all that the message points to outlives the call.
    let result = unsafe { function(socket.raw(), &message, 0, count, std::ptr::null_mut(), None) };
    if result == 0 { Ok(bytes) } else { Err(wsa_get_last_error()) }
}

/// WSASendMsg from an address that IP_PKTINFO or IPV6_PKTINFO names.
pub fn wsa_send_msg_from(socket: &Socket, data: &[u8], to: SocketAddr, from: IpAddr) -> Outcome<()> {
    let (level, kind, mut info) = match from {
        IpAddr::V4(v4) => (sys::IPPROTO_IP, sys::IP_PKTINFO, v4.octets().to_vec()),
        IpAddr::V6(v6) => (sys::IPPROTO_IPV6, sys::IPV6_PKTINFO, v6.octets().to_vec()),
    };
    info.extend([0; 4]);
    let header = [(size_of::<sys::CMSGHDR>() + info.len()).to_ne_bytes().as_slice(), &level.to_ne_bytes()].concat();
    let mut bytes = [header.as_slice(), &kind.to_ne_bytes(), &info].concat();
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let word = |word: &[u8]| u64::from_ne_bytes(word.try_into().expect("eight bytes"));
    let mut control: Vec<u64> = bytes.chunks(8).map(word).collect();
    let function = fetch_as::<sys::LPFN_WSASENDMSG>(&sys::WSAID_WSASENDMSG).expect("not null");
    let mut buffer = sys::WSABUF { len: data.len() as u32, buf: data.as_ptr().cast_mut() };
    let to = RawAddress::of(to);
    let message = sys::WSAMSG {
        name: to.as_ptr().cast_mut(),
        namelen: to.length,
        lpBuffers: &mut buffer,
        dwBufferCount: 1,
        Control: sys::WSABUF { len: bytes.len() as u32, buf: control.as_mut_ptr().cast() },
        dwFlags: 0,
    };
    let mut bytes = 0;
    // SAFETY: all that the message points to outlives the call.
    let result = unsafe { function(socket.raw(), &message, 0, &mut bytes, std::ptr::null_mut(), None) };
    if result == 0 { Ok(()) } else { Err(wsa_get_last_error()) }
}

/// WSASendMsg with a null message.
pub fn wsa_send_msg_null(socket: &Socket) -> Outcome<()> {
    let function = fetch_as::<sys::LPFN_WSASENDMSG>(&sys::WSAID_WSASENDMSG).expect("not null");
    let mut bytes = 0;
    // SAFETY: null is refused.
    match unsafe { function(socket.raw(), std::ptr::null(), 0, &mut bytes, std::ptr::null_mut(), None) } {
        0 => Ok(()),
        _ => Err(wsa_get_last_error()),
    }
}
