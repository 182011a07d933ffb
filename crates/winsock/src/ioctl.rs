//! ioctlsocket and WSAIoctl.

mod address_list;

use std::ffi::c_void;

use crate::error::{WsaResult, fail, finish, is_bad, wsa_from_errno};
use crate::os::{self, OsResult};
use crate::socket::overlapped::{Completion, Operation, Overlapped, complete_at_once};
use crate::socket::{
    AcceptEx, ConnectEx, DisconnectEx, GetAcceptExSockaddrs, Kind, Locked, TransmitFile, WSARecvMsg, WSASendMsg,
    arrivals, lock,
};
use crate::types::*;

/// The codes that are declared signed for ioctlsocket, as WSAIoctl gets them.
const BLOCKING_MODE: u32 = FIONBIO as u32;
const READABLE_BYTES: u32 = FIONREAD as u32;
const AT_MARK: u32 = SIOCATMARK as u32;

/// Linux's SIOCATMARK, which `libc` does not declare.
const SIOCATMARK_LINUX: libc::c_ulong = 0x8905;

/// Where the numbers of a class of codes are, those of BSD's own being zero.
const CLASS: u32 = IOC_WS2 | IOC_PROTOCOL | IOC_VENDOR;

/// Sets the blocking mode of a socket (FIONBIO, 0 blocks), or asks how many bytes can be received (FIONREAD) or
/// whether no urgent data is ahead (SIOCATMARK).
///
/// Differs from Windows: FIONREAD on a datagram socket tells the size of the first datagram, not of all.
///
/// # Errors
/// SOCKET_ERROR with WSAENOTSOCK, WSAEFAULT for a null pointer, or WSAEINVAL or WSAEOPNOTSUPP for other codes.
///
/// # Safety
/// `argp` is null or points to a `u32` to read and write.
///
/// ```
/// use winsock::*;
/// // SAFETY: the pointers lead to live values.
/// unsafe {
///     let mut data = WSADATA::default();
///     WSAStartup(0x0202, &mut data);
///     let s = socket(AF_INET.into(), SOCK_STREAM, IPPROTO_TCP);
///     let mut nonblocking = 1;
///     assert_eq!(ioctlsocket(s, FIONBIO, &mut nonblocking), 0);
///     closesocket(s);
///     WSACleanup();
/// }
/// ```
#[doc(alias = "FIONBIO")]
#[unsafe(export_name = "ws_ioctlsocket")]
pub unsafe extern "system" fn ioctlsocket(s: SOCKET, cmd: i32, argp: *mut u32) -> i32 {
    finish(lock(s).and_then(|mut socket| {
        if is_bad(argp) {
            return fail(WSAEFAULT);
        }
        // SAFETY: not null, so readable, as the caller promises.
        let input = unsafe { argp.read_unaligned() }.to_ne_bytes();
        let output = match cmd as u32 {
            code @ (BLOCKING_MODE | READABLE_BYTES | AT_MARK) => control(&mut socket, s, code, &input)?,
            code => return fail(unknown(code)),
        };
        // SAFETY: as above, for writing; these codes return four bytes or none.
        unsafe { argp.cast::<u8>().copy_from(output.as_bytes().as_ptr(), output.len) };
        Ok(())
    }))
}

/// Controls a socket by a code with input, output or both.
///
/// * FIONBIO, FIONREAD, SIOCATMARK: as [`ioctlsocket`].
/// * SIO_GET_EXTENSION_FUNCTION_POINTER: the function of a GUID (WSAID_ACCEPTEX, WSAID_CONNECTEX,
///   WSAID_GETACCEPTEXSOCKADDRS and their like).
/// * SIO_KEEPALIVE_VALS: a `tcp_keepalive`, times in milliseconds; this system counts in seconds and rounds up.
/// * SIO_UDP_CONNRESET: whether a refused datagram fails a later receive with WSAECONNRESET.
/// * SIO_BASE_HANDLE: the socket itself.
/// * SIO_ADDRESS_LIST_QUERY: a SOCKET_ADDRESS_LIST of this machine's addresses of the socket's family, with the addresses
///   behind it; how much room it takes, also if there was less.
///
/// No code takes time: with an OVERLAPPED the call finishes at once all the same and returns 0, and the completion is
/// indicated as always, with 0 bytes.
///
/// # Errors
/// SOCKET_ERROR with
/// * `WSAENOTSOCK`: `s` is no socket.
/// * `WSAEFAULT`: `lpcbbytesreturned` is null, or a buffer is null or too short.
/// * `WSAEINVAL`: a GUID or a code that does not exist, or a routine on a socket of a completion port.
/// * `WSAEOPNOTSUPP`: the code is not supported, or not for this kind of socket.
///
/// # Safety
/// The buffers are null or as long as said; `lpcbbytesreturned` is null or writable; `lpoverlapped` is null or points
/// to an OVERLAPPED that lives until its completion was indicated.
#[doc(alias = "SIO_GET_EXTENSION_FUNCTION_POINTER")]
#[unsafe(export_name = "ws_WSAIoctl")]
pub unsafe extern "system" fn WSAIoctl(
    s: SOCKET,
    dwiocontrolcode: u32,
    lpvinbuffer: *const c_void,
    cbinbuffer: u32,
    lpvoutbuffer: *mut c_void,
    cboutbuffer: u32,
    lpcbbytesreturned: *mut u32,
    lpoverlapped: *mut OVERLAPPED,
    lpcompletionroutine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
) -> i32 {
    finish(lock(s).and_then(|mut socket| {
        // SAFETY: as the caller promises.
        let overlapped = unsafe { Overlapped::new(lpoverlapped) }.filter(|_| socket.overlapped);
        let operation = overlapped.map(|overlapped| Operation::new(overlapped, lpcompletionroutine));
        if lpcbbytesreturned.is_null() {
            return fail(WSAEFAULT);
        }
        if operation.is_some() && lpcompletionroutine.is_some() && socket.association.is_some() {
            return fail(WSAEINVAL);
        }
        let input: &[u8] = if lpvinbuffer.is_null() {
            &[]
        } else {
            // SAFETY: not null, so as long as said, as the caller promises.
            unsafe { std::slice::from_raw_parts(lpvinbuffer.cast(), cbinbuffer as usize) }
        };
        let room = if lpvoutbuffer.is_null() { 0 } else { cboutbuffer as usize };
        if room < output_size(dwiocontrolcode) {
            return fail(WSAEFAULT);
        }
        let size = if dwiocontrolcode == SIO_ADDRESS_LIST_QUERY {
            // SAFETY: `room` is what the caller gave.
            unsafe { address_list::write(socket.family, lpvoutbuffer, room) }?
        } else {
            let output = control(&mut socket, s, dwiocontrolcode, input)?;
            let output = output.as_bytes();
            if !output.is_empty() {
                // SAFETY: `room` covers what this code returns.
                unsafe { lpvoutbuffer.cast::<u8>().copy_from(output.as_ptr(), output.len()) };
            }
            output.len()
        };
        // SAFETY: not null, so writable, as the caller promises.
        unsafe { lpcbbytesreturned.write_unaligned(size as u32) };
        if size > room {
            return fail(WSAEFAULT);
        }
        if let Some(operation) = operation {
            operation.begin();
            complete_at_once(&socket, &operation, Completion::success(0));
        }
        Ok(())
    }))
}

/// What a code returns.
struct Output {
    bytes: [u8; 8],
    len: usize,
}

impl Output {
    const NOTHING: Output = Output { bytes: [0; 8], len: 0 };

    fn word(word: u32) -> Output {
        let [a, b, c, d] = word.to_ne_bytes();
        Output { bytes: [a, b, c, d, 0, 0, 0, 0], len: 4 }
    }

    /// A pointer or a SOCKET.
    fn pointer(pointer: usize) -> Output {
        let mut output = Output { len: size_of::<usize>(), ..Output::NOTHING };
        output.bytes[..output.len].copy_from_slice(&pointer.to_ne_bytes());
        output
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// How many bytes a code returns: the room for them is checked before anything is done.
fn output_size(code: u32) -> usize {
    match code {
        READABLE_BYTES | AT_MARK => 4,
        SIO_GET_EXTENSION_FUNCTION_POINTER | SIO_BASE_HANDLE => size_of::<usize>(),
        _ => 0,
    }
}

fn control(socket: &mut Locked, s: SOCKET, code: u32, input: &[u8]) -> WsaResult<Output> {
    match code {
        BLOCKING_MODE => {
            let [mode] = words(input)?;
            if mode == 0 && arrivals::are_selected(socket) {
                return fail(WSAEINVAL);
            }
            socket.nonblocking = mode != 0;
            Ok(Output::NOTHING)
        }
        READABLE_BYTES => {
            let count = kernel(os::ioctl_read(socket.fd(), libc::FIONREAD as _))?;
            Ok(Output::word(count as u32))
        }
        AT_MARK if socket.is_stream() => Ok(Output::word(no_urgent_data_ahead(socket)?.into())),
        SIO_GET_EXTENSION_FUNCTION_POINTER => {
            let Some(guid) = input.first_chunk() else { return fail(WSAEFAULT) };
            match EXTENSIONS.iter().find(|(id, _)| id_bytes(id) == *guid) {
                Some((_, function)) => Ok(Output::pointer(function() as usize)),
                None => fail(WSAEINVAL),
            }
        }
        SIO_KEEPALIVE_VALS if socket.is_stream() => {
            let [onoff, keepalivetime, keepaliveinterval] = words(input)?;
            set_keep_alive(socket, tcp_keepalive { onoff, keepalivetime, keepaliveinterval })?;
            Ok(Output::NOTHING)
        }
        SIO_UDP_CONNRESET if socket.kind == Kind::Datagram => {
            // Programs pass a BOOL or, as often, a single byte.
            let Some(first) = input.first() else { return fail(WSAEFAULT) };
            let on = words(input).map_or(*first != 0, |[on]| on != 0);
            socket.options_mut().udp_connection_reset = on;
            Ok(Output::NOTHING)
        }
        SIO_BASE_HANDLE => Ok(Output::pointer(s)),
        code => fail(unknown(code)),
    }
}

/// The code of an ioctl that does not exist: of BSD's class it is a bad command, of Winsock's own and of the
/// protocols' one that this provider does not support.
fn unknown(code: u32) -> i32 {
    if code & CLASS == 0 { WSAEINVAL } else { WSAEOPNOTSUPP }
}

/// Linux says whether the reader stands at the urgent mark, and says no where there is none at all. Winsock asks
/// whether all urgent data has been read; inline, standing before it counts, so that a reader can stop there.
fn no_urgent_data_ahead(socket: &Locked) -> WsaResult<bool> {
    if os::poll_now(socket.fd(), libc::POLLPRI) & libc::POLLPRI == 0 {
        return Ok(true);
    }
    let inline = kernel(os::get_option(socket.fd(), libc::SOL_SOCKET, libc::SO_OOBINLINE))? != 0;
    Ok(inline && kernel(os::ioctl_read(socket.fd(), SIOCATMARK_LINUX))? != 0)
}

fn set_keep_alive(socket: &Locked, values: tcp_keepalive) -> WsaResult<()> {
    let set = |level, name, value| kernel(os::set_option(socket.fd(), level, name, value));
    if values.onoff != 0 {
        // Up to the 32,767 seconds that the kernel takes.
        let seconds = |milliseconds: u32| milliseconds.div_ceil(1000).clamp(1, 32_767) as i32;
        set(libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, seconds(values.keepalivetime))?;
        set(libc::IPPROTO_TCP, libc::TCP_KEEPINTVL, seconds(values.keepaliveinterval))?;
    }
    set(libc::SOL_SOCKET, libc::SO_KEEPALIVE, (values.onoff != 0).into())
}

/// An address that the compiler would not compute as a constant.
type Function = fn() -> *const ();

/// The functions that programs ask for by GUID. The types say that each has the signature of its name.
const EXTENSIONS: &[(GUID, Function)] = &[
    (WSAID_ACCEPTEX, || AcceptEx as *const ()),
    (WSAID_CONNECTEX, || ConnectEx as *const ()),
    (WSAID_WSARECVMSG, || WSARecvMsg as *const ()),
    (WSAID_WSASENDMSG, || WSASendMsg as *const ()),
    (WSAID_DISCONNECTEX, || DisconnectEx as *const ()),
    (WSAID_TRANSMITFILE, || TransmitFile as *const ()),
    (WSAID_GETACCEPTEXSOCKADDRS, || GetAcceptExSockaddrs as *const ()),
];

const _: (LPFN_WSARECVMSG, LPFN_WSASENDMSG) = (Some(WSARecvMsg), Some(WSASendMsg));
const _: (LPFN_ACCEPTEX, LPFN_CONNECTEX, LPFN_DISCONNECTEX, LPFN_GETACCEPTEXSOCKADDRS, LPFN_TRANSMITFILE) =
    (Some(AcceptEx), Some(ConnectEx), Some(DisconnectEx), Some(GetAcceptExSockaddrs), Some(TransmitFile));

/// A GUID as it lies in memory.
fn id_bytes(id: &GUID) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&id.data1.to_ne_bytes());
    bytes[4..6].copy_from_slice(&id.data2.to_ne_bytes());
    bytes[6..8].copy_from_slice(&id.data3.to_ne_bytes());
    bytes[8..].copy_from_slice(&id.data4);
    bytes
}

/// The first `N` DWORDs of an input.
fn words<const N: usize>(input: &[u8]) -> WsaResult<[u32; N]> {
    let mut words = [0; N];
    for (i, word) in words.iter_mut().enumerate() {
        let Some(bytes) = input.get(4 * i..).and_then(|rest| rest.first_chunk()) else { return fail(WSAEFAULT) };
        *word = u32::from_ne_bytes(*bytes);
    }
    Ok(words)
}

fn kernel<T>(result: OsResult<T>) -> WsaResult<T> {
    result.or_else(|errno| fail(wsa_from_errno(errno)))
}

#[cfg(test)]
mod tests;
