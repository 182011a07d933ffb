//! The offset of an OVERLAPPED, which is the program's (SEMANTICS D18).
#![forbid(unsafe_code)]

use conformance::fixture::{TemporaryFile, pair_on_port, pends, success};
use conformance::raw::{
    How, Request, Transmit, accept_ex, cancel_io_ex, connect_ex, disconnect_ex, listener, pair, read_file, tcp,
    transmit_file, udp, write_file, wsa_get_overlapped_result, wsa_recv_msg_overlapped,
};
use conformance::until;
use pentaport::sys;

const KEY: usize = 0x5E;

#[test]
fn d18_the_offset_means_nothing_to_winsock() {
    let (port, peer, socket) = pair_on_port(KEY);
    for offset in [0, 7, 1 << 40, u64::MAX] {
        let send = Request::holding(b"abc").at(offset);
        assert!(socket.wsa_send(send).started(), "{offset:#x}");
        assert_eq!(port.packet(), success(KEY, send, 3));
        assert_eq!(peer.recv_exact(3), b"abc");
        let receive = Request::new(8).at(offset);
        assert!(socket.wsa_recv(receive).started(), "{offset:#x}");
        peer.send(b"defg").unwrap();
        assert_eq!(port.packet(), success(KEY, receive, 4));
        assert_eq!(receive.data()[..4], *b"defg");
        let result = wsa_get_overlapped_result(socket.raw(), receive, false);
        assert_eq!((result.ok, result.bytes), (true, 4));
    }
}

#[test]
#[cfg_attr(windows, ignore = "to be checked on Windows: Wine 8 reports the offset as the flags")]
fn d18_the_offset_is_not_taken_for_the_flags() {
    let (port, peer, socket) = pair_on_port(KEY);
    let receive = Request::new(8).at(7);
    pends(socket.wsa_recv(receive));
    peer.send(b"defg").unwrap();
    assert_eq!(port.packet(), success(KEY, receive, 4));
    let result = wsa_get_overlapped_result(socket.raw(), receive, false);
    assert_eq!((result.ok, result.bytes, result.flags), (true, 4, 0));
}

/// An offset of which each byte is another one.
const OFFSET: u64 = 0x0102_0304_0506_0708;

#[test]
fn d18_every_operation_leaves_the_offset_as_it_was() {
    let (listener, address) = listener();
    let acceptor = tcp();
    let accept = Request::new(128).at(OFFSET);
    pends(accept_ex(&listener, &acceptor, accept, 4));
    let client = tcp();
    client.bind_loopback();
    let connect = Request::holding(b"data").at(OFFSET);
    pends(connect_ex(&client, address, connect, 4));
    until("connected", || connect.has_completed());
    client.update_connect_context().unwrap();

    let receive = Request::new(8).at(OFFSET);
    let read = Request::new(8).at(OFFSET);
    let (write, send) = (Request::holding(b"read").at(OFFSET), Request::holding(b"receive!").at(OFFSET));
    until("accepted with data", || accept.has_completed());
    pends(acceptor.wsa_recv(receive));
    assert!(client.wsa_send(send).started());
    until("received", || receive.has_completed());
    assert!(read_file(acceptor.raw(), read).started() || !read.has_completed());
    assert!(write_file(client.raw(), write).started());
    until("read", || read.has_completed());
    let transmit = Request::new(0).at(OFFSET);
    let call = Transmit { request: Some(transmit), around: Some((b"head", b"tail")), ..Transmit::default() };
    pends(transmit_file(&client, call));
    until("transmitted", || transmit.has_completed());
    let failed = Request::new(8).at(OFFSET);
    assert_eq!(acceptor.recv_exact(8), b"headtail");
    pends(acceptor.wsa_recv(failed));
    assert_eq!(cancel_io_ex(acceptor.raw(), Some(failed)), Ok(()));
    until("cancelled", || failed.has_completed());
    let disconnect = Request::new(0).at(OFFSET);
    pends(disconnect_ex(&client, Some(disconnect), 0, 0));
    until("disconnected", || disconnect.has_completed());

    let requests = [accept, connect, receive, read, send, write, transmit, failed, disconnect];
    assert_eq!(requests.map(Request::offset), [OFFSET; 9]);
}

#[test]
fn d18_datagram_operations_leave_the_offset_as_it_was() {
    let (a, b) = (udp(), udp());
    let (from, to) = (a.bind_loopback(), b.bind_loopback());
    let [receive, receive_from, message, cut] = [8, 8, 8, 2].map(|length| Request::new(length).at(OFFSET));
    pends(b.wsa_recv(receive));
    pends(b.wsa_recv_from(receive_from));
    assert_eq!(wsa_recv_msg_overlapped(&b, message), Err(sys::WSA_IO_PENDING));
    pends(b.wsa_recv(cut));
    let sends = [(); 4].map(|()| Request::holding(b"1234").at(OFFSET));
    for send in sends {
        assert!(a.wsa_send_to(send, to).started());
    }
    for request in [receive, receive_from, message, cut] {
        until("received", || request.has_completed());
        assert_eq!(request.offset(), OFFSET);
    }
    assert_eq!(sends.map(Request::offset), [OFFSET; 4]);
    assert_eq!(receive_from.sender(), Some(from));
}

#[test]
fn d18_one_overlapped_serves_a_socket_and_a_file() {
    const PIECE: usize = 4096;
    let (peer, socket) = pair();
    let contents: Vec<u8> = (0..5 * PIECE).map(|at| (at / PIECE * 16 + at % 13) as u8).collect();
    let temporary = TemporaryFile::holding(b"");
    let file = temporary.open_overlapped();
    let request = Request::new(PIECE);
    for (number, piece) in contents.chunks(PIECE).enumerate() {
        let place = (number * PIECE) as u64;
        request.at(place);
        peer.send(piece).unwrap();
        assert!(socket.wsa_recv_how(request, How { flags: sys::MSG_WAITALL as u32, ..How::default() }).started());
        until("received", || request.has_completed());
        // The offset is the file's.
        assert!(write_file(file.handle(), request).started());
        until("written", || request.has_completed());
        assert_eq!((request.internal_high(), request.offset()), (PIECE, place));
        assert!(read_file(file.handle(), request).started());
        until("read", || request.has_completed());
        assert_eq!((request.data().as_slice(), request.offset()), (piece, place));
    }
    assert_eq!(temporary.contents(), contents);
}
