//! The extension functions, fetched by WSAIoctl as every program must.

use super::address::RawAddress;
use super::{Begin, Outcome, Request, Socket, wsa_get_last_error};
use pentaport::sys;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;

/// What the pointer of a function of no particular type is cast to.
type Function = unsafe extern "system" fn();

/// The bytes that WSAIoctl returns for an extension function's GUID, which is given as a number.
pub fn extension_pointer_size(socket: &Socket, guid: u128) -> Outcome<u32> {
    fetch(socket, &sys::GUID::from_u128(guid)).map(|(_, size)| size)
}

/// AcceptEx with room of 16 bytes and a `sockaddr_in` for each address, and `receive` bytes for data.
pub fn accept_ex(listener: &Socket, acceptor: &Socket, request: Request, receive: u32) -> Begin {
    let room = size_of::<sys::SOCKADDR_IN>() as u32 + 16;
    accept_ex_with(listener, acceptor, request, receive, room, room)
}

/// AcceptEx with all its lengths; the request's first buffer must have as many bytes.
pub fn accept_ex_with(
    listener: &Socket,
    acceptor: &Socket,
    request: Request,
    receive: u32,
    local: u32,
    remote: u32,
) -> Begin {
    let (buffer, length) = request.first_buffer();
    assert!(length >= (receive + local + remote) as usize, "the buffer is too small");
    call_accept_ex(listener, acceptor, buffer, [receive, local, remote], request, true)
}

/// AcceptEx with a null pointer for the output buffer.
pub fn accept_ex_without_buffer(listener: &Socket, acceptor: &Socket, request: Request) -> Begin {
    call_accept_ex(listener, acceptor, std::ptr::null_mut(), [0, 32, 32], request, true)
}

/// AcceptEx with a null pointer for the OVERLAPPED.
pub fn accept_ex_without_overlapped(listener: &Socket, acceptor: &Socket) -> Begin {
    let request = Request::new(64);
    let (buffer, _) = request.first_buffer();
    call_accept_ex(listener, acceptor, buffer, [0, 32, 32], request, false)
}

/// GetAcceptExSockaddrs on the buffer of a finished AcceptEx: the local and the remote address, `None` where the call
/// left the output alone.
pub fn get_accept_ex_sockaddrs(
    request: Request,
    receive: u32,
    local: u32,
    remote: u32,
) -> (Option<SocketAddr>, Option<SocketAddr>) {
    let socket = super::tcp();
    let (function, _) = fetch(&socket, &sys::WSAID_GETACCEPTEXSOCKADDRS).expect("the function");
    // SAFETY: the pointer was fetched by the GUID of this function; Option of a function pointer has its layout.
    let function = unsafe { std::mem::transmute::<Function, sys::LPFN_GETACCEPTEXSOCKADDRS>(function) };
    let function = function.expect("not null");
    let (buffer, length) = request.first_buffer();
    assert!(length >= (receive + local + remote) as usize, "the buffer is too small");
    let (mut local_address, mut remote_address) = (std::ptr::null_mut(), std::ptr::null_mut());
    let (mut local_length, mut remote_length) = (0, 0);
    // SAFETY: the buffer has the lengths given and holds what AcceptEx wrote; the four variables outlive the call.
    unsafe {
        function(
            buffer.cast(),
            receive,
            local,
            remote,
            &mut local_address,
            &mut local_length,
            &mut remote_address,
            &mut remote_length,
        );
    }
    // SAFETY: what the call gave points into the buffer and has the length that it gave.
    unsafe { (copy(local_address, local_length), copy(remote_address, remote_length)) }
}

/// ConnectEx; sends the first `send` bytes of the request's buffer.
pub fn connect_ex(socket: &Socket, to: SocketAddr, request: Request, send: u32) -> Begin {
    call_connect_ex(socket, to, request, send, true)
}

/// ConnectEx with a null pointer for the OVERLAPPED.
pub fn connect_ex_without_overlapped(socket: &Socket, to: SocketAddr) -> Begin {
    call_connect_ex(socket, to, Request::new(0), 0, false)
}

/// DisconnectEx; without a request, with a null pointer for the OVERLAPPED.
pub fn disconnect_ex(socket: &Socket, request: Option<Request>, flags: u32, reserved: u32) -> Begin {
    let function = fetch_as::<sys::LPFN_DISCONNECTEX>(&sys::WSAID_DISCONNECTEX).expect("not null");
    let overlapped = request.map_or(std::ptr::null_mut(), Request::pointer);
    // SAFETY: the OVERLAPPED lives for ever.
    let result = unsafe { function(socket.raw(), overlapped, flags, reserved) };
    Begin::of_bool(result, request)
}

/// A call of TransmitFile, but for the socket.
#[derive(Clone, Copy, Default)]
pub struct Transmit {
    /// The file's handle; 0 for none.
    pub file: usize,
    /// How many bytes of it; 0 for the rest.
    pub count: u32,
    /// The OVERLAPPED.
    pub request: Option<Request>,
    /// What comes before and behind the file.
    pub around: Option<(&'static [u8], &'static [u8])>,
    /// TF_DISCONNECT …
    pub flags: u32,
}

/// TransmitFile.
pub fn transmit_file(socket: &Socket, call: Transmit) -> Begin {
    let function = fetch_as::<sys::LPFN_TRANSMITFILE>(&sys::WSAID_TRANSMITFILE).expect("not null");
    let around = call.around.map(|(head, tail)| sys::TRANSMIT_FILE_BUFFERS {
        Head: head.as_ptr().cast_mut().cast(),
        HeadLength: head.len() as u32,
        Tail: tail.as_ptr().cast_mut().cast(),
        TailLength: tail.len() as u32,
    });
    let around = around.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let overlapped = call.request.map_or(std::ptr::null_mut(), Request::pointer);
    // SAFETY: the buffers and the OVERLAPPED live for ever; their description outlives the call, which copies it.
    let result =
        unsafe { function(socket.raw(), call.file as sys::HANDLE, call.count, 0, overlapped, around, call.flags) };
    Begin::of_bool(result, call.request)
}

fn call_accept_ex(
    listener: &Socket,
    acceptor: &Socket,
    buffer: *mut u8,
    [receive, local, remote]: [u32; 3],
    request: Request,
    overlapped: bool,
) -> Begin {
    let function = fetch_as::<sys::LPFN_ACCEPTEX>(&sys::WSAID_ACCEPTEX).expect("not null");
    // SAFETY: the buffer is null, which is refused, or has the lengths given; it and the OVERLAPPED live for ever.
    let result = unsafe {
        function(
            listener.raw(),
            acceptor.raw(),
            buffer.cast(),
            receive,
            local,
            remote,
            request.count_pointer(),
            if overlapped { request.pointer() } else { std::ptr::null_mut() },
        )
    };
    Begin::of_bool(result, Some(request))
}

fn call_connect_ex(socket: &Socket, to: SocketAddr, request: Request, send: u32, overlapped: bool) -> Begin {
    let function = fetch_as::<sys::LPFN_CONNECTEX>(&sys::WSAID_CONNECTEX).expect("not null");
    let to = RawAddress::of(to);
    let (buffer, length) = request.first_buffer();
    assert!(length >= send as usize, "the buffer is too small");
    // SAFETY: the address outlives the call, which copies it; the buffer has the bytes to send; it and the OVERLAPPED
    // live for ever.
    let result = unsafe {
        function(
            socket.raw(),
            to.as_ptr(),
            to.length,
            if send == 0 { std::ptr::null() } else { buffer.cast_const().cast() },
            send,
            request.count_pointer(),
            if overlapped { request.pointer() } else { std::ptr::null_mut() },
        )
    };
    Begin::of_bool(result, Some(request))
}

/// The function of this GUID, as a pointer of its type, which is an Option of a function pointer.
///
/// It is asked for once in the process: asking takes a socket.
pub(super) fn fetch_as<F: Copy>(guid: &sys::GUID) -> F {
    /// By the parts of their GUIDs.
    type Fetched = BTreeMap<(u32, u16, u16, [u8; 8]), Function>;
    static FETCHED: Mutex<Fetched> = Mutex::new(Fetched::new());
    let name = (guid.data1, guid.data2, guid.data3, guid.data4);
    let fetch_it = || fetch(&super::tcp(), guid).expect("the function").0;
    let function = *FETCHED.lock().unwrap().entry(name).or_insert_with(fetch_it);
    assert_eq!(size_of::<F>(), size_of::<Function>());
    // SAFETY: the caller names the type of the function whose GUID it is; the sizes are the same.
    unsafe { std::mem::transmute_copy(&function) }
}

/// The function of this GUID, and how many bytes WSAIoctl said that it returned.
fn fetch(socket: &Socket, guid: &sys::GUID) -> Outcome<(Function, u32)> {
    let mut function: Option<Function> = None;
    let mut returned = 0;
    // SAFETY: the GUID and the pointer have the lengths given; they and the count outlive the call.
    let result = unsafe {
        sys::WSAIoctl(
            socket.raw(),
            sys::SIO_GET_EXTENSION_FUNCTION_POINTER,
            std::ptr::from_ref(guid).cast(),
            size_of::<sys::GUID>() as u32,
            (&raw mut function).cast(),
            size_of::<Option<Function>>() as u32,
            &mut returned,
            std::ptr::null_mut(),
            None,
        )
    };
    match function {
        Some(function) if result == 0 => Ok((function, returned)),
        None if result == 0 => panic!("WSAIoctl succeeded and gave a null pointer"),
        _ => Err(wsa_get_last_error()),
    }
}

/// # Safety
/// `address` is null or has `length` bytes.
unsafe fn copy(address: *const sys::SOCKADDR, length: i32) -> Option<SocketAddr> {
    if address.is_null() {
        return None;
    }
    let mut raw = RawAddress::room();
    let length = usize::try_from(length).expect("a length is not negative");
    assert!(length <= size_of::<sys::SOCKADDR_STORAGE>());
    // SAFETY: the caller says that the address has `length` bytes; the storage has no fewer.
    unsafe { std::ptr::copy_nonoverlapping(address.cast::<u8>(), raw.as_mut_ptr().cast(), length) };
    raw.decode()
}
