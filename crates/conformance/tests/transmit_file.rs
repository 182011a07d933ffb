//! TransmitFile (SEMANTICS X31 to X35).
#![forbid(unsafe_code)]

use conformance::fixture::{TemporaryFile, assert_no_packet, failure, finishes, pair_on_port, pends, success};
use conformance::raw::{
    Begin, Port, Request, Socket, Transmit, accept_ex, cancel_io_ex, listener, pair, tcp, transmit_file, udp,
};
use pentaport::sys;

const KEY: usize = 31;
const TEN: &[u8] = b"0123456789";

/// What a call without an OVERLAPPED sends.
#[track_caller]
fn sent(call: Transmit) -> Vec<u8> {
    let (client, server) = pair();
    assert!(matches!(transmit_file(&client, call), Begin::Done(_)), "{:?}", transmit_file(&client, call));
    client.shutdown(sys::SD_SEND).unwrap();
    everything(&server)
}

fn everything(socket: &Socket) -> Vec<u8> {
    let (mut all, mut part) = (Vec::new(), [0; 64 * 1024]);
    loop {
        match socket.recv(&mut part) {
            Ok(0) => return all,
            Ok(bytes) => all.extend_from_slice(&part[..bytes]),
            Err(code) => panic!("recv: {code}"),
        }
    }
}

#[test]
fn x31_head_file_and_tail_go_in_this_order() {
    let temporary = TemporaryFile::holding(TEN);
    let file = temporary.open();
    let around = Some((b"head ".as_slice(), b" tail".as_slice()));
    assert_eq!(sent(Transmit { file: file.handle(), around, ..Default::default() }), b"head 0123456789 tail");
    file.seek(0, sys::FILE_BEGIN).unwrap();
    assert_eq!(sent(Transmit { file: file.handle(), ..Default::default() }), TEN);
    assert_eq!(sent(Transmit { around, ..Default::default() }), b"head  tail", "no file");
    assert_eq!(sent(Transmit::default()), b"", "nothing at all");
}

#[test]
fn x32_without_a_connection_nothing_else_counts() {
    let bound = udp();
    bound.bind_loopback();
    let (listener, _) = listener();
    for socket in [tcp(), udp(), bound, listener] {
        for flags in [0, sys::TF_REUSE_SOCKET, 0x8000] {
            let call = Transmit { flags, ..Default::default() };
            assert_eq!(transmit_file(&socket, call), Begin::Failed(sys::WSAENOTCONN));
        }
    }
}

#[test]
fn x33_a_count_of_0_is_the_rest_from_the_files_position() {
    let temporary = TemporaryFile::holding(TEN);
    let file = temporary.open();
    file.seek(4, sys::FILE_BEGIN).unwrap();
    assert_eq!(sent(Transmit { file: file.handle(), ..Default::default() }), b"456789");
    file.seek(4, sys::FILE_BEGIN).unwrap();
    assert_eq!(sent(Transmit { file: file.handle(), count: 3, ..Default::default() }), b"456");
}

#[test]
fn x33_an_overlapped_call_pends_begins_at_its_offset_and_counts_all() {
    let temporary = TemporaryFile::holding(TEN);
    let around = Some((b"head ".as_slice(), b" tail".as_slice()));
    for file in [temporary.open(), temporary.open_overlapped()] {
        let (port, server, client) = pair_on_port(KEY);
        let request = Request::new(0).at(7);
        let call = Transmit { file: file.handle(), request: Some(request), around, ..Default::default() };
        pends(transmit_file(&client, call));
        assert_eq!(port.packet(), success(KEY, request, 13));
        assert_eq!(server.recv_exact(13), b"head 789 tail");
        assert_no_packet(&port);
    }
}

#[test]
fn x33_a_file_larger_than_any_buffer_goes_whole() {
    let contents: Vec<u8> = (0..12 << 20).map(|at: u32| (at ^ (at >> 11)) as u8).collect();
    let temporary = TemporaryFile::holding(&contents);
    let file = temporary.open_overlapped();
    let (port, server, client) = pair_on_port(KEY);
    let request = Request::new(0);
    let call = Transmit { file: file.handle(), request: Some(request), ..Default::default() };
    pends(transmit_file(&client, call));
    // What is sent next comes next.
    let behind = Request::holding(b"behind");
    assert!(client.wsa_send(behind).started());
    let length = contents.len();
    let received = finishes("receiving", move || server.recv_exact(length + 6));
    assert!(received[..length] == contents && &received[length..] == b"behind");
    assert_eq!(port.packet(), success(KEY, request, length as u32));
    assert_eq!(port.packet(), success(KEY, behind, 6));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: an offset behind the end and TF_REUSE_SOCKET alone are taken (X34)")]
fn x34_what_cannot_be_is_refused() {
    let temporary = TemporaryFile::holding(TEN);
    let file = temporary.open_overlapped();
    let (client, server) = pair();
    let file = file.handle();
    let outside = Some(Request::new(0).at(11));
    let refused = Begin::Failed(sys::WSAEINVAL);
    assert_eq!(transmit_file(&client, Transmit { file, request: outside, ..Default::default() }), refused);
    assert_eq!(transmit_file(&client, Transmit { file, flags: sys::TF_REUSE_SOCKET, ..Default::default() }), refused);
    let none = Transmit { file: conformance::fixture::closed_event(), ..Default::default() };
    assert_eq!(transmit_file(&client, none), Begin::Failed(sys::ERROR_INVALID_HANDLE as i32));
    assert_eq!(client.send(b"abc"), Ok(3), "nothing has happened");
    assert_eq!(server.recv_exact(3), b"abc");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: TF_DISCONNECT ends nothing (X35)")]
fn x35_disconnecting_and_giving_back_waits_for_the_peer() {
    let temporary = TemporaryFile::holding(TEN);
    let file = temporary.open_overlapped();
    let (listener, address) = listener();
    let port = Port::new(0);
    port.associate(&listener, 1).unwrap();
    let acceptor = tcp();
    for round in 0..2 {
        let accept = Request::new(64);
        pends(accept_ex(&listener, &acceptor, accept, 0));
        let client = tcp();
        client.connect(address).unwrap();
        assert!(port.packet().is_of(accept));
        if round == 0 {
            port.associate(&acceptor, KEY).unwrap();
        }
        let request = Request::new(0);
        let flags = sys::TF_DISCONNECT | sys::TF_REUSE_SOCKET;
        let call = Transmit { file: file.handle(), request: Some(request), flags, ..Default::default() };
        pends(transmit_file(&acceptor, call));
        assert_eq!(everything(&client), TEN);
        assert_no_packet(&port);
        assert_eq!(client.send(b"unread"), Ok(6));
        client.close().unwrap();
        assert_eq!(port.packet(), success(KEY, request, 10));
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: TF_DISCONNECT ends nothing (X35)")]
fn x35_disconnecting_alone_ends_sending() {
    let temporary = TemporaryFile::holding(TEN);
    let file = temporary.open();
    let (client, server) = pair();
    let call = Transmit { file: file.handle(), flags: sys::TF_DISCONNECT, ..Default::default() };
    assert!(matches!(transmit_file(&client, call), Begin::Done(_)));
    assert_eq!(everything(&server), TEN);
    assert_eq!(client.send(b"abc"), Err(sys::WSAESHUTDOWN));
    assert_eq!(server.send(b"abc"), Ok(3));
    assert_eq!(client.recv_exact(3), b"abc");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: TF_DISCONNECT ends nothing (X35)")]
fn x35_nothing_is_sent_behind_the_end_that_is_pending() {
    let contents: Vec<u8> = (0..12 << 20).map(|at: u32| (at ^ (at >> 11)) as u8).collect();
    let temporary = TemporaryFile::holding(&contents);
    let file = temporary.open_overlapped();
    let (port, server, client) = pair_on_port(KEY);
    let request = Request::new(0);
    let flags = sys::TF_DISCONNECT;
    pends(transmit_file(
        &client,
        Transmit { file: file.handle(), request: Some(request), flags, ..Default::default() },
    ));
    assert_eq!(client.wsa_send(Request::holding(b"behind")), Begin::Failed(sys::WSAESHUTDOWN));
    let received = finishes("receiving", move || (everything(&server), server));
    assert!(received.0 == contents);
    assert_eq!(port.packet(), success(KEY, request, contents.len() as u32));
    // The connection is whole.
    assert_eq!(received.1.send(b"abc"), Ok(3));
    assert_eq!(client.recv_exact(3), b"abc");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a cancelled TransmitFile counts what it has sent (D79)")]
fn x33_it_can_be_cancelled() {
    let temporary = TemporaryFile::holding(&vec![7; 32 << 20]);
    let file = temporary.open_overlapped();
    let (port, _server, client) = pair_on_port(KEY);
    let request = Request::new(0);
    pends(transmit_file(&client, Transmit { file: file.handle(), request: Some(request), ..Default::default() }));
    assert_eq!(cancel_io_ex(client.raw(), Some(request)), Ok(()));
    assert_eq!(port.packet(), failure(KEY, request, 0, sys::ERROR_OPERATION_ABORTED));
    assert_no_packet(&port);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: any number of bytes is taken (X34)")]
fn x34_more_than_2_147_483_646_bytes_are_refused() {
    const MOST: u64 = 2_147_483_646;
    let temporary = TemporaryFile::holding(b"");
    temporary.extend_to(3 << 30);
    let file = temporary.open_overlapped();
    let (client, _server) = pair();
    let head = Some((b"!".as_slice(), b"".as_slice()));
    let calls = [(0, 0, None), (0, MOST as u32 + 1, None), ((3 << 30) - MOST, 0, head), (0, MOST as u32, head)];
    for (offset, count, around) in calls {
        let call = Transmit { file: file.handle(), count, around, request: Some(Request::new(0).at(offset)), flags: 0 };
        assert_eq!(transmit_file(&client, call), Begin::Failed(sys::WSAEINVAL), "{count} from {offset}");
    }
}
