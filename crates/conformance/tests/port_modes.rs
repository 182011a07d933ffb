//! SetFileCompletionNotificationModes (SEMANTICS 6.7).
#![forbid(unsafe_code)]

use conformance::fixture::{assert_no_packet, failure, pair_on_port, pends, success};
use conformance::raw::{
    Begin, Request, Socket, cancel_io_ex, set_file_completion_notification_modes, startup, wsa_socket,
};
use conformance::until;
use pentaport::sys;

const KEY: usize = 9;
const SKIP_PACKET: u8 = sys::FILE_SKIP_COMPLETION_PORT_ON_SUCCESS as u8;
const SKIP_HANDLE: u8 = sys::FILE_SKIP_SET_EVENT_ON_HANDLE as u8;
const SKIP_USER_EVENT: u8 = 4;

fn set_modes(socket: &Socket, modes: u8) -> Result<(), u32> {
    set_file_completion_notification_modes(socket.raw(), modes)
}

/// Completes a send and a receive at once.
fn done_at_once(peer: &Socket, socket: &Socket) -> [Request; 2] {
    let send = Request::holding(b"abc");
    assert_eq!(socket.wsa_send(send), Begin::Done(3));
    assert_eq!(peer.recv_exact(3), b"abc");
    peer.send(b"defg").unwrap();
    until("data waits", || socket.bytes_waiting() == 4);
    let receive = Request::new(4);
    assert_eq!(socket.wsa_recv(receive), Begin::Done(4));
    assert_eq!(receive.data(), b"defg");
    [send, receive]
}

#[test]
fn p38_success_at_once_queues_no_packet() {
    let (port, peer, socket) = pair_on_port(KEY);
    assert_eq!(set_modes(&socket, SKIP_PACKET), Ok(()));
    let [send, receive] = done_at_once(&peer, &socket);
    assert_no_packet(&port);
    // Without packet the OVERLAPPED is final when the call returns.
    for (request, bytes) in [(send, 3), (receive, 4)] {
        assert_eq!((request.status(), request.internal_high()), (0, bytes));
    }
}

#[test]
fn p38_what_pended_still_queues_a_packet() {
    let (port, peer, socket) = pair_on_port(KEY);
    assert_eq!(set_modes(&socket, SKIP_PACKET), Ok(()));
    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    peer.send(b"ab").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 2));

    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    assert_eq!(cancel_io_ex(socket.raw(), None), Ok(()));
    assert_eq!(port.packet(), failure(KEY, request, 0, sys::ERROR_OPERATION_ABORTED));
    assert_no_packet(&port);
}

#[test]
fn p40_flags_only_accumulate() {
    let (port, peer, socket) = pair_on_port(KEY);
    for modes in [SKIP_PACKET, SKIP_HANDLE, 0] {
        assert_eq!(set_modes(&socket, modes), Ok(()));
        done_at_once(&peer, &socket);
        assert_no_packet(&port);
    }
}

#[test]
fn p40_undefined_bits_are_ignored_with_success() {
    let (port, peer, socket) = pair_on_port(KEY);
    for modes in [SKIP_USER_EVENT, 0x08, 0x80, 0xF8] {
        assert_eq!(set_modes(&socket, modes), Ok(()), "{modes:#x}");
    }
    // None of them means to skip the packet.
    let requests = done_at_once(&peer, &socket);
    assert_eq!(port.packet(), success(KEY, requests[0], 3));
    assert_eq!(port.packet(), success(KEY, requests[1], 4));
    assert_no_packet(&port);
}

#[test]
fn p41_a_socket_without_overlapped_attribute_is_an_invalid_parameter() {
    startup();
    let socket = wsa_socket(sys::SOCK_STREAM, sys::IPPROTO_TCP, 0).expect("a socket");
    assert_eq!(set_modes(&socket, SKIP_PACKET), Err(sys::ERROR_INVALID_PARAMETER));
}
