//! `winsock-echo`: a completion-port echo server over the raw functions of `winsock`, as the documents write it: one
//! worker, one OVERLAPPED with its buffer for each connection. What the safe crate and the server crate cost beyond it,
//! they cost themselves.

use std::mem::zeroed;
use std::ptr::null_mut;

use winsock::*;

/// Per-I/O data; the OVERLAPPED comes first, so that its address is the address of all.
#[repr(C)]
struct Operation {
    overlapped: OVERLAPPED,
    socket: SOCKET,
    buffer: [u8; 4096],
}

fn main() {
    // SAFETY: the calls are made as their contracts ask; an operation is freed only when none is pending on it.
    unsafe {
        let mut data: WSADATA = zeroed();
        assert_eq!(WSAStartup(0x0202, &mut data), 0);
        let listener = socket(AF_INET.into(), SOCK_STREAM, 0);
        let mut address: SOCKADDR_IN = zeroed();
        address.sin_family = AF_INET;
        address.sin_addr.S_un.S_addr = INADDR_LOOPBACK.to_be();
        let mut len = size_of::<SOCKADDR_IN>() as i32;
        assert_eq!(bind(listener, (&raw const address).cast(), len), 0);
        assert_eq!(listen(listener, i32::MAX), 0);
        getsockname(listener, (&raw mut address).cast(), &mut len);
        println!("listening on 127.0.0.1:{}", u16::from_be(address.sin_port));
        let port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, null_mut(), 0, 1);
        let for_worker = port as usize;
        std::thread::spawn(move || work(for_worker as HANDLE));
        loop {
            let client = accept(listener, null_mut(), null_mut());
            if client == INVALID_SOCKET {
                continue;
            }
            CreateIoCompletionPort(client as HANDLE, port, client, 0);
            SetFileCompletionNotificationModes(client as HANDLE, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS as u8);
            let operation = Box::new(Operation { overlapped: zeroed(), socket: client, buffer: [0; 4096] });
            // The worker owns it from now on: it is told by a packet, since data may be here already.
            let operation = Box::into_raw(operation);
            PostQueuedCompletionStatus(port, u32::MAX, client, operation.cast());
        }
    }
}

/// # Safety
/// `port` is a completion port whose packets are all of `Operation`s.
unsafe fn work(port: HANDLE) {
    loop {
        let (mut bytes, mut key, mut overlapped) = (0, 0, null_mut());
        // SAFETY: the places live through the call.
        let good = unsafe { GetQueuedCompletionStatus(port, &mut bytes, &mut key, &mut overlapped, INFINITE) } != 0;
        let operation = overlapped.cast::<Operation>();
        // SAFETY: the packet gives the operation to us.
        unsafe {
            if !good || bytes == 0 || !serve(operation, bytes) {
                closesocket((*operation).socket);
                drop(Box::from_raw(operation));
            }
        }
    }
}

/// Sends what was received and receives again, until an operation pends. False if the connection is to be closed.
///
/// # Safety
/// Nothing is pending on the operation.
unsafe fn serve(operation: *mut Operation, mut bytes: u32) -> bool {
    // SAFETY: as the caller promises; the operation stays in place while something is pending on it.
    unsafe {
        loop {
            let buf = (&raw mut (*operation).buffer).cast::<u8>();
            if bytes != u32::MAX {
                let reply = WSABUF { len: bytes, buf };
                // The whole reply at once: the documents' servers send synchronously, too.
                if WSASend((*operation).socket, &reply, 1, &mut bytes, 0, null_mut(), None) != 0 {
                    return false;
                }
            }
            let (room, mut flags) = (WSABUF { len: 4096, buf }, 0);
            let overlapped = operation.cast::<OVERLAPPED>();
            let done = WSARecv((*operation).socket, &room, 1, &mut bytes, &mut flags, overlapped, None) == 0;
            if !done {
                return WSAGetLastError() == WSA_IO_PENDING;
            }
            if bytes == 0 {
                return false;
            }
        }
    }
}
