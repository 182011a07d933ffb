//! What overlapped receives give (SEMANTICS 4.6).
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE_MS, assert_no_packet, failure, pair_on_port, pends, success, udp_on_port};
use conformance::raw::{
    Begin, Event, How, Request, Socket, Thread, get_overlapped_result, pair, set_file_completion_notification_modes,
    wsa_get_overlapped_result,
};
use conformance::{nap, until};
use pentaport::sys;

const KEY: usize = 0x4E;
const PARTIAL: i32 = sys::MSG_PARTIAL as i32;

fn flags(flags: i32) -> How {
    How { flags: flags as u32, ..How::default() }
}

#[test]
fn d41_a_stream_receive_completes_with_what_is_there() {
    let (port, peer, socket) = pair_on_port(KEY);
    let request = Request::new(100);
    pends(socket.wsa_recv(request));
    peer.send(b"abc").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 3));
    assert_eq!(request.data()[..4], *b"abc\0");
}

#[test]
fn d42_receives_are_filled_in_posting_order() {
    let (port, peer, socket) = pair_on_port(KEY);
    let requests = [(); 2].map(|()| Request::new(16));
    for request in requests {
        pends(socket.wsa_recv(request));
    }
    peer.send(b"0123456789abcdefGHIJKLMNOPQRSTUV").unwrap();
    for request in requests {
        assert_eq!(port.packet(), success(KEY, request, 16));
    }
    assert_eq!(requests[0].data(), b"0123456789abcdef");
    assert_eq!(requests[1].data(), b"GHIJKLMNOPQRSTUV");
}

#[test]
fn d42_many_receives_of_many_sizes_keep_the_order() {
    let (port, peer, socket) = pair_on_port(KEY);
    let sizes = (0..300).map(|i| 1 + i * 7 % 23);
    let requests: Vec<Request> = sizes.map(Request::new).collect();
    for &request in &requests {
        pends(socket.wsa_recv(request));
    }
    let total = requests.iter().map(|request| request.data().len()).sum::<usize>();
    let sent: Vec<u8> = (0..total).map(|i| (i % 251) as u8).collect();
    let mut rest = &sent[..];
    let mut received = Vec::new();
    for (i, &request) in requests.iter().enumerate() {
        // Some sends are larger than the next receives, some smaller.
        if received.len() + rest.len() == sent.len() || i % 3 == 0 {
            let (now, later) = rest.split_at(rest.len().min(1 + i % 40));
            peer.send(now).unwrap();
            rest = later;
        }
        let packet = port.packet();
        assert!(packet.ok && packet.is_of(request), "receive {i} completes in order");
        received.extend_from_slice(&request.data()[..packet.bytes as usize]);
    }
    assert_eq!(received, sent[..received.len()]);
}

#[test]
fn d43_scattered_buffers_are_filled_without_holes() {
    let (port, peer, socket) = pair_on_port(KEY);
    let request = Request::scatter(&[3, 5, 100]);
    pends(socket.wsa_recv(request));
    peer.send(b"abcdefghijkl").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 12));
    assert_eq!(request.buffer(0), b"abc");
    assert_eq!(request.buffer(1), b"defgh");
    assert_eq!(request.buffer(2)[..5], *b"ijkl\0");
}

#[test]
fn d44_a_zero_length_receive_waits_for_data_and_consumes_none() {
    let (port, peer, socket) = pair_on_port(KEY);
    let request = Request::new(0);
    pends(socket.wsa_recv(request));
    assert_no_packet(&port);
    peer.send(b"abc").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 0));
    assert_eq!(socket.bytes_waiting(), 3);

    let request = Request::new(0);
    assert_eq!(socket.wsa_recv(request), Begin::Done(0));
    assert_eq!(port.packet(), success(KEY, request, 0));
    assert_eq!(socket.recv_exact(3), b"abc");

    // Nothing is there again, until the end of the stream.
    let request = Request::new(0);
    pends(socket.wsa_recv(request));
    assert_no_packet(&port);
    peer.shutdown(sys::SD_SEND).unwrap();
    assert_eq!(port.packet(), success(KEY, request, 0));
}

#[test]
fn d44_a_zero_length_receive_lets_the_next_one_have_the_data() {
    let (port, peer, socket) = pair_on_port(KEY);
    let (empty, full) = (Request::new(0), Request::new(8));
    pends(socket.wsa_recv(empty));
    pends(socket.wsa_recv(full));
    peer.send(b"abc").unwrap();
    assert_eq!(port.packet(), success(KEY, empty, 0));
    assert_eq!(port.packet(), success(KEY, full, 3));
    assert_eq!(full.data()[..3], *b"abc");
}

#[test]
fn d45_a_synchronous_receive_of_length_zero_gives_zero() {
    let (_port, peer, socket) = pair_on_port(KEY);
    peer.send(b"abc").unwrap();
    until("data waits", || socket.bytes_waiting() == 3);
    assert_eq!(socket.recv(&mut []), Ok(0));
    assert_eq!(socket.wsa_recv_now(&mut [&mut []], 0), Ok((0, 0)));
    assert_eq!(socket.recv_exact(3), b"abc");
}

#[test]
fn d46_an_overlapped_peek_leaves_the_data() {
    let (port, peer, socket) = pair_on_port(KEY);
    let request = Request::new(8);
    pends(socket.wsa_recv_how(request, flags(sys::MSG_PEEK)));
    peer.send(b"abc").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 3));
    assert_eq!(request.data()[..3], *b"abc");

    let request = Request::new(2);
    assert_eq!(socket.wsa_recv_how(request, flags(sys::MSG_PEEK)), Begin::Done(2));
    assert_eq!(port.packet(), success(KEY, request, 2));
    assert_eq!(socket.recv_exact(3), b"abc");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: MSG_WAITALL does nothing")]
fn d47_waitall_completes_when_the_buffers_are_full() {
    let (port, peer, socket) = pair_on_port(KEY);
    let request = Request::scatter(&[5, 3]);
    pends(socket.wsa_recv_how(request, flags(sys::MSG_WAITALL)));
    peer.send(b"abc").unwrap();
    nap();
    assert_no_packet(&port);
    peer.send(b"defghij").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 8));
    assert_eq!([request.buffer(0), request.buffer(1)].concat(), b"abcdefgh");
    assert_eq!(socket.recv_exact(2), b"ij");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: MSG_WAITALL does nothing")]
fn d47_waitall_pends_even_if_some_data_is_there() {
    let (port, peer, socket) = pair_on_port(KEY);
    peer.send(b"abc").unwrap();
    until("data waits", || socket.bytes_waiting() == 3);
    let request = Request::new(5);
    pends(socket.wsa_recv_how(request, flags(sys::MSG_WAITALL)));
    peer.send(b"de").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 5));
    assert_eq!(request.data(), b"abcde");
}

#[test]
fn d47_waitall_completes_with_less_at_the_end_of_the_stream() {
    let (port, peer, socket) = pair_on_port(KEY);
    let request = Request::new(8);
    pends(socket.wsa_recv_how(request, flags(sys::MSG_WAITALL)));
    peer.send(b"abc").unwrap();
    peer.shutdown(sys::SD_SEND).unwrap();
    assert_eq!(port.packet(), success(KEY, request, 3));
    assert_eq!(request.data()[..3], *b"abc");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: MSG_WAITALL does nothing and is never refused")]
fn d47_waitall_is_refused_where_it_makes_no_sense() {
    let (port, _peer, socket) = pair_on_port(KEY);
    let refused = Begin::Failed(sys::WSAEOPNOTSUPP);
    for other in [sys::MSG_OOB, sys::MSG_PEEK, PARTIAL] {
        let how = flags(sys::MSG_WAITALL | other);
        assert_eq!(socket.wsa_recv_how(Request::new(8), how), refused, "with {other:#x}");
    }
    socket.set_nonblocking(true);
    assert_eq!(socket.wsa_recv_how(Request::new(8), flags(sys::MSG_WAITALL)), refused);
    assert_no_packet(&port);

    let (port, _peer, socket, _) = udp_on_port(KEY);
    assert_eq!(socket.wsa_recv_how(Request::new(8), flags(sys::MSG_WAITALL)), refused);
    assert_no_packet(&port);
}

#[test]
fn d48_an_urgent_receive_passes_the_data_before_it() {
    let (port, peer, socket) = pair_on_port(KEY);
    let request = Request::new(8);
    pends(socket.wsa_recv_how(request, flags(sys::MSG_OOB)));
    peer.send(b"abc").unwrap();
    until("data waits", || socket.bytes_waiting() == 3);
    assert_no_packet(&port);
    assert_eq!(peer.send_flags(b"!", sys::MSG_OOB), Ok(1));
    assert_eq!(port.packet(), success(KEY, request, 1));
    assert_eq!(request.data()[..1], *b"!");
    assert_eq!(socket.recv_exact(3), b"abc");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the urgent receive waits until the ordinary one is done")]
fn d48_an_urgent_receive_does_not_wait_behind_an_ordinary_one() {
    let (port, peer, socket) = pair_on_port(KEY);
    let (ordinary, urgent) = (Request::new(8), Request::new(8));
    pends(socket.wsa_recv(ordinary));
    pends(socket.wsa_recv_how(urgent, flags(sys::MSG_OOB)));
    assert_eq!(peer.send_flags(b"!", sys::MSG_OOB), Ok(1));
    assert_eq!(port.packet(), success(KEY, urgent, 1));
    assert_eq!(urgent.data()[..1], *b"!");
    peer.send(b"abc").unwrap();
    assert_eq!(port.packet(), success(KEY, ordinary, 3));
    assert_eq!(ordinary.data()[..3], *b"abc");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: MSG_PARTIAL stays set on output")]
fn d49_partial_is_accepted_and_never_given_for_a_stream() {
    let (port, peer, socket) = pair_on_port(KEY);
    peer.send(b"abcdef").unwrap();
    until("data waits", || socket.bytes_waiting() == 6);
    let request = Request::new(3);
    assert_eq!(socket.wsa_recv_how(request, flags(PARTIAL)), Begin::Done(3));
    assert_eq!(request.flags(), 0);
    assert_eq!(port.packet(), success(KEY, request, 3));
    let result = socket.wsa_recv_now(&mut [&mut [0; 2]], sys::MSG_PARTIAL);
    assert_eq!(result, Ok((2, 0)));
    assert_eq!(socket.recv(&mut [0; 8]), Ok(1));

    let request = Request::new(8);
    pends(socket.wsa_recv_how(request, flags(PARTIAL)));
    peer.send(b"ghi").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 3));
    assert_eq!(wsa_get_overlapped_result(socket.raw(), request, false).flags, 0);
}

#[test]
fn d49_partial_is_accepted_for_datagrams() {
    let (port, peer, socket, address) = udp_on_port(KEY);
    let request = Request::new(8);
    pends(socket.wsa_recv_how(request, flags(PARTIAL)));
    assert_eq!(peer.sendto(b"abc", address), Ok(3));
    assert_eq!(port.packet(), success(KEY, request, 3));
}

#[test]
fn d50_after_a_graceful_close_receives_give_zero_bytes() {
    let (port, peer, socket) = pair_on_port(KEY);
    let pending = [(); 3].map(|()| Request::new(8));
    for request in pending {
        pends(socket.wsa_recv(request));
    }
    peer.close().unwrap();
    for request in pending {
        assert_eq!(port.packet(), success(KEY, request, 0));
    }
    for _ in 0..3 {
        let request = Request::new(8);
        let begin = socket.wsa_recv(request);
        assert!(matches!(begin, Begin::Done(0) | Begin::Pending), "{begin:?}");
        assert_eq!(port.packet(), success(KEY, request, 0));
    }
    assert_no_packet(&port);
}

#[test]
fn d50_data_and_the_close_behind_it_come_in_order() {
    for _ in 0..50 {
        let (port, peer, socket) = pair_on_port(KEY);
        let requests = [(); 2].map(|()| Request::new(8));
        pends(socket.wsa_recv(requests[0]));
        peer.send(b"abc").unwrap();
        peer.close().unwrap();
        assert_eq!(port.packet(), success(KEY, requests[0], 3));
        // Data and FIN may have come as one event; the second receive must still learn of the FIN.
        assert!(socket.wsa_recv(requests[1]).started());
        assert_eq!(port.packet(), success(KEY, requests[1], 0));
    }
}

#[test]
fn d51_a_reset_fails_pending_receives() {
    let (port, peer, socket) = pair_on_port(KEY);
    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    peer.reset();
    assert_eq!(port.packet(), failure(KEY, request, 0, sys::ERROR_NETNAME_DELETED));
    assert_eq!(request.internal(), 0xC000_020D);
    let result = wsa_get_overlapped_result(socket.raw(), request, false);
    assert_eq!((result.ok, result.error), (false, sys::WSAECONNRESET as u32));
    let result = get_overlapped_result(socket.raw(), request, false);
    assert_eq!((result.ok, result.error), (false, sys::ERROR_NETNAME_DELETED));
}

#[test]
fn d51_a_reset_fails_every_pending_receive() {
    for lengths in [[8, 8, 8], [0, 8, 0], [8, 0, 0]] {
        let (port, peer, socket) = pair_on_port(KEY);
        let requests = lengths.map(Request::new);
        for request in requests {
            pends(socket.wsa_recv(request));
        }
        peer.reset();
        for request in requests {
            assert_eq!(port.packet(), failure(KEY, request, 0, sys::ERROR_NETNAME_DELETED), "{lengths:?}");
            assert_eq!(request.internal(), 0xC000_020D);
        }
        assert_no_packet(&port);
    }
}

#[test]
#[cfg_attr(windows, ignore = "to be checked on Windows: Wine 8 tells the bytes that have gone of the send")]
fn d51_a_reset_fails_pending_receives_and_sends_of_both_kinds() {
    let (port, peer, socket) = pair_on_port(KEY);
    let receives = [Request::new(8), Request::new(8)];
    let urgent = Request::new(1);
    // More than the buffers of both sides hold.
    let sends = [Request::new(64 << 20), Request::new(8)];
    for request in receives {
        pends(socket.wsa_recv(request));
    }
    pends(socket.wsa_recv_how(urgent, How { flags: sys::MSG_OOB as u32, ..How::default() }));
    for request in sends {
        pends(socket.wsa_send(request));
    }
    peer.reset();
    let mut all = vec![receives[0], receives[1], urgent, sends[0], sends[1]];
    while !all.is_empty() {
        let packet = port.packet();
        let at = all.iter().position(|&request| packet.is_of(request)).expect("one packet for each");
        let request = all.swap_remove(at);
        assert_eq!(packet, failure(KEY, request, 0, sys::ERROR_NETNAME_DELETED));
    }
    assert_no_packet(&port);
}

#[test]
fn d51_a_reset_releases_every_thread_that_receives() {
    let (peer, socket) = pair();
    let handle = socket.raw();
    let threads = [(); 3].map(|()| {
        Thread::start(move || {
            let socket = std::mem::ManuallyDrop::new(Socket::of(handle));
            socket.recv(&mut [0; 8])
        })
    });
    nap();
    peer.reset();
    assert_eq!(threads.map(Thread::join), [Err(sys::WSAECONNRESET); 3]);
}

fn overflows(socket: &Socket, request: Request) {
    assert_eq!((request.internal(), request.internal_high()), (0x8000_0005, 4));
    assert_eq!(request.data(), b"0123");
    let result = wsa_get_overlapped_result(socket.raw(), request, false);
    assert_eq!((result.ok, result.error), (false, sys::WSAEMSGSIZE as u32));
    let result = get_overlapped_result(socket.raw(), request, false);
    assert_eq!((result.ok, result.error, result.bytes), (false, sys::ERROR_MORE_DATA, 4));
}

#[test]
fn d56_p29_a_datagram_larger_than_the_buffers_is_cut_with_a_warning() {
    let (port, peer, socket, address) = udp_on_port(KEY);
    let event = Event::manual(false);
    let cut = Request::new(4).with_event(&event);
    let whole = Request::new(16);
    pends(socket.wsa_recv(cut));
    pends(socket.wsa_recv_from(whole));
    peer.sendto(b"0123456789", address).unwrap();
    peer.sendto(b"next", address).unwrap();
    assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    assert_eq!(port.packet(), failure(KEY, cut, 4, sys::ERROR_MORE_DATA));
    overflows(&socket, cut);
    // The rest is lost.
    assert_eq!(port.packet(), success(KEY, whole, 4));
    assert_eq!(whole.data()[..4], *b"next");
}

#[test]
fn d57_a_datagram_cut_at_once_fails_the_call_and_still_queues_a_packet() {
    let (port, peer, socket, address) = udp_on_port(KEY);
    peer.sendto(b"0123456789", address).unwrap();
    until("the datagram waits", || socket.bytes_waiting() > 0);
    let request = Request::new(4);
    assert_eq!(socket.wsa_recv(request), Begin::Failed(sys::WSAEMSGSIZE));
    assert_eq!(port.packet(), failure(KEY, request, 4, sys::ERROR_MORE_DATA));
    overflows(&socket, request);
    assert_no_packet(&port);

    let skip = sys::FILE_SKIP_COMPLETION_PORT_ON_SUCCESS as u8;
    assert_eq!(set_file_completion_notification_modes(socket.raw(), skip), Ok(()));
    peer.sendto(b"0123456789", address).unwrap();
    until("the datagram waits", || socket.bytes_waiting() > 0);
    assert_eq!(socket.wsa_recv(Request::new(4)), Begin::Failed(sys::WSAEMSGSIZE));
    assert_no_packet(&port);
}

#[test]
fn d56_a_large_datagram_fails_a_synchronous_receive() {
    let (_port, peer, socket, address) = udp_on_port(KEY);
    for data in [b"0123456789", b"9876543210"] {
        peer.sendto(data, address).unwrap();
    }
    let mut buffer = [0; 4];
    assert_eq!(socket.recv(&mut buffer), Err(sys::WSAEMSGSIZE));
    assert_eq!(&buffer, b"0123");
    let (mut first, mut second) = ([0; 2], [0; 2]);
    let result = socket.wsa_recv_now(&mut [&mut first, &mut second], 0);
    assert_eq!(result, Err(sys::WSAEMSGSIZE));
    assert_eq!((&first, &second), (b"98", b"76"));
}

#[test]
fn d58_the_source_address_is_stored_at_completion_and_the_flags_are_not() {
    let (port, peer, socket, address) = udp_on_port(KEY);
    let request = Request::new(8);
    let (partial, room) = (flags(PARTIAL), 128);
    pends(socket.wsa_recv_from_how(request, partial, room));
    assert_eq!(request.sender(), None);
    peer.sendto(b"abc", address).unwrap();
    assert_eq!(port.packet(), success(KEY, request, 3));
    assert_eq!(request.sender(), Some(peer.getsockname().unwrap()));
    assert_eq!(request.flags(), sys::MSG_PARTIAL);
    let result = wsa_get_overlapped_result(socket.raw(), request, false);
    assert_eq!((result.ok, result.bytes, result.flags), (true, 3, 0));
}

#[test]
fn d58_receives_of_datagrams_take_one_each_with_its_source() {
    let (port, peer, socket, address) = udp_on_port(KEY);
    let other = conformance::raw::udp();
    other.bind_loopback();
    let requests = [(); 4].map(|()| Request::new(8));
    for request in requests {
        pends(socket.wsa_recv_from(request));
    }
    let senders = [&peer, &other, &peer, &other];
    for (i, sender) in senders.iter().enumerate() {
        sender.sendto(&[i as u8; 2][..1 + i % 2], address).unwrap();
    }
    for (i, sender) in senders.iter().enumerate() {
        assert_eq!(port.packet(), success(KEY, requests[i], 1 + i as u32 % 2));
        assert_eq!(requests[i].sender(), Some(sender.getsockname().unwrap()));
        assert_eq!(requests[i].data()[0], i as u8);
    }
}
