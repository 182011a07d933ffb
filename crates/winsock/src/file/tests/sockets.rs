use super::*;

use crate::testing::tcp;

#[test]
fn an_overlapped_socket_receives_and_sends() {
    let pair = Pair::new();
    let (client, server) = (pair.client as HANDLE, pair.server as HANDLE);
    let read = Operation::to_read(0, 10);
    assert_eq!(read.read(server), PENDING);
    assert_eq!(Operation::new(5, b"hello").write(client), Ok(5), "the offset is not heeded");
    assert_eq!(read.result(server), Ok(5));
    assert_eq!(&read.data()[..5], b"hello");
    assert_eq!(Operation::new(0, b"more").write(client), Ok(4));
    until("data", || Operation::to_read(0, 0).read(server) == Ok(0));
    let at_once = Operation::to_read(0, 10);
    assert_eq!(at_once.read(server), Ok(4));
    // SAFETY: no precondition.
    assert_eq!(unsafe { shutdown(pair.client, SD_SEND) }, 0);
    let end = Operation::to_read(0, 10);
    assert_eq!(end.read(server).or_else(|_| end.result(server)), Ok(0));
}

#[test]
fn an_overlapped_socket_needs_an_overlapped_with_no_negative_offset() {
    let pair = Pair::new();
    let socket = std::mem::ManuallyDrop::new(Handle(pair.client as HANDLE));
    assert_eq!(socket.read(&mut [0; 4]), Err(ERROR_INVALID_PARAMETER));
    assert_eq!(socket.write(b"x"), Err(ERROR_INVALID_PARAMETER));
    for offset in [1 << 63, u64::MAX] {
        let (read, write) = (Operation::to_read(offset, 4), Operation::new(offset, b"x"));
        assert_eq!(read.read(socket.0), Err(ERROR_INVALID_PARAMETER));
        assert_eq!(write.write(socket.0), Err(ERROR_INVALID_PARAMETER));
        assert_eq!((read.internal(), write.internal()), ((77, 78), (77, 78)));
    }
    let bad = Operation::bad(0, 0, 4);
    assert_eq!(bad.read(socket.0), Err(ERROR_NOACCESS));
    assert_eq!(bad.internal(), (77, 78));
}

#[test]
fn a_socket_that_is_not_overlapped_blocks_whatever_its_mode() {
    crate::testing::start();
    // The sockets that a listener accepts are as it is.
    // SAFETY: a null pointer is allowed.
    let listening = unsafe { WSASocketW(AF_INET.into(), SOCK_STREAM, IPPROTO_TCP, null(), 0, 0) };
    assert_ne!(listening, INVALID_SOCKET);
    let address = crate::testing::bind_to_loopback(listening);
    let client = tcp();
    // SAFETY: the address is 16 bytes long; null pointers are allowed.
    let server = unsafe {
        assert_eq!(listen(listening, 1), 0);
        assert_eq!(connect(client, (&raw const address).cast(), 16), 0);
        accept(listening, null_mut(), null_mut())
    };
    let mut on = 1;
    // SAFETY: the argument lives through the call.
    assert_eq!(unsafe { ioctlsocket(server, FIONBIO, &mut on) }, 0);
    let socket = std::mem::ManuallyDrop::new(Handle(server as HANDLE));
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut buffer = [0; 10];
            socket.read(&mut buffer).map(|bytes| buffer[..bytes as usize].to_vec())
        });
        assert_eq!(Operation::new(0, b"hello").write(client as HANDLE), Ok(5));
        assert_eq!(reader.join().unwrap(), Ok(b"hello".to_vec()));
    });
    assert_eq!(socket.write(b"back"), Ok(4));
    for s in [listening, client, server] {
        // SAFETY: no precondition.
        unsafe { closesocket(s) };
    }
}

#[test]
fn codes_are_win32s() {
    let unconnected = tcp();
    assert_eq!(Operation::to_read(0, 4).read(unconnected as HANDLE), Err(ERROR_UNEXP_NET_ERR));
    // SAFETY: no precondition.
    unsafe { closesocket(unconnected) };
    assert_eq!(Operation::to_read(0, 4).read(unconnected as HANDLE), Err(ERROR_INVALID_HANDLE));
    let pair = Pair::new();
    let read = Operation::to_read(0, 4);
    assert_eq!(read.read(pair.server as HANDLE), PENDING);
    let reset = LINGER { l_onoff: 1, l_linger: 0 };
    // SAFETY: the option lives through the call.
    unsafe {
        assert_eq!(setsockopt(pair.client, SOL_SOCKET, SO_LINGER, (&raw const reset).cast(), 4), 0);
        closesocket(pair.client);
    }
    assert_eq!(read.result(pair.server as HANDLE), Err(ERROR_NETNAME_DELETED));
    assert_eq!(Operation::to_read(0, 4).read(pair.server as HANDLE), Err(ERROR_NETNAME_DELETED));
    assert_eq!(Operation::new(0, b"x").write(pair.server as HANDLE), Err(ERROR_NETNAME_DELETED));
}

#[test]
fn packets_come_as_for_a_receive() {
    let (pair, port) = (Pair::new(), Handle::port());
    let (client, server) = (pair.client as HANDLE, pair.server as HANDLE);
    let socket = std::mem::ManuallyDrop::new(Handle(server));
    assert_eq!(socket.associate(&port, 7), Ok(()));
    let read = Operation::to_read(0, 10);
    assert_eq!(read.read(server), PENDING);
    assert_eq!(Operation::new(0, b"hello").write(client), Ok(5));
    assert_eq!(packet(&port, INFINITE), Some((read.overlapped, 7, Ok(5))));
    let write = Operation::new(0, b"back");
    assert_eq!(write.write(server), Ok(4));
    assert_eq!(packet(&port, INFINITE), Some((write.overlapped, 7, Ok(4))), "also when the call succeeded at once");
}
