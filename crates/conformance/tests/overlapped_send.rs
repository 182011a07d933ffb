//! What overlapped sends promise (SEMANTICS 4.7), and overlapped ioctls (D91).
#![forbid(unsafe_code)]

use conformance::fixture::{assert_no_packet, pair_on_port, success, udp_on_port};
use conformance::raw::{Begin, Event, Request};
use conformance::raw_port::wsa_ioctl_request_uncounted;
use conformance::until;
use pentaport::sys;

const KEY: usize = 0x5E;

/// Bytes of which no two neighbouring blocks look the same.
fn pattern(length: usize, seed: u8) -> Vec<u8> {
    (0..length).map(|i| (i % 251) as u8 ^ seed).collect()
}

#[test]
fn d63_success_means_the_full_length() {
    let (port, peer, socket) = pair_on_port(KEY);
    // Far more than the buffers of both sides hold.
    let data = pattern(16 << 20, 0x33);
    let request = Request::holding(&data);
    let begin = socket.wsa_send(request);
    assert!(matches!(begin, Begin::Pending | Begin::Done(0x100_0000)), "{begin:?}");
    // Nobody gets packets while this thread reads.
    assert!(peer.recv_exact(data.len()) == data, "wrong bytes");
    assert_eq!(port.packet(), success(KEY, request, data.len() as u32));
    assert_no_packet(&port);
}

#[test]
fn d63_scattered_buffers_are_sent_as_one() {
    let (port, peer, socket) = pair_on_port(KEY);
    let parts = vec![pattern(3, 1), pattern(1 << 20, 2), Vec::new(), pattern(5 << 20, 3)];
    let whole = parts.concat();
    let request = Request::with_buffers(parts);
    assert!(socket.wsa_send(request).started());
    assert!(peer.recv_exact(whole.len()) == whole, "wrong bytes");
    assert_eq!(port.packet(), success(KEY, request, whole.len() as u32));
}

#[cfg(not(windows))]
#[test]
fn deviates_d63_without_a_send_buffer_a_small_send_is_done_at_once() {
    // Windows lets it pend until the transport has consumed the data. Linux has no such mode: the data is copied.
    let (port, peer, socket) = pair_on_port(KEY);
    socket.set_sol_option(sys::SO_SNDBUF, 0).unwrap();
    let request = Request::holding(b"hello");
    assert_eq!(socket.wsa_send(request), Begin::Done(5));
    assert_eq!(port.packet(), success(KEY, request, 5));
    assert_eq!(peer.recv_exact(5), b"hello");
}

#[test]
fn d63_without_a_send_buffer_success_means_the_full_length_too() {
    let (port, peer, socket) = pair_on_port(KEY);
    socket.set_sol_option(sys::SO_SNDBUF, 0).unwrap();
    let data = pattern(3 << 20, 0x44);
    let request = Request::holding(&data);
    assert!(socket.wsa_send(request).started());
    assert!(peer.recv_exact(data.len()) == data, "wrong bytes");
    assert_eq!(port.packet(), success(KEY, request, data.len() as u32));
}

#[test]
fn d64_sends_leave_in_posting_order_and_whole() {
    let (port, peer, socket) = pair_on_port(KEY);
    socket.set_sol_option(sys::SO_SNDBUF, 16 << 10).unwrap();
    let sends: Vec<(Request, Vec<u8>)> = (0..12_u8)
        .map(|i| {
            let data = pattern(1 + (usize::from(i) * 104_729) % (1 << 18), i * 10);
            (Request::holding(&data), data)
        })
        .collect();
    for (request, _) in &sends {
        assert!(socket.wsa_send(*request).started());
    }
    for (i, (_, data)) in sends.iter().enumerate() {
        assert!(peer.recv_exact(data.len()) == *data, "send {i} is torn or out of order");
    }
    for (request, data) in &sends {
        assert_eq!(port.packet(), success(KEY, *request, data.len() as u32));
    }
    assert_no_packet(&port);
}

#[test]
fn d64_a_synchronous_send_does_not_overtake_pending_ones() {
    let (port, peer, socket) = pair_on_port(KEY);
    let data = pattern(12 << 20, 0x55);
    let request = Request::holding(&data);
    assert!(socket.wsa_send(request).started());
    let sender = std::thread::spawn(move || {
        assert_eq!(socket.send(b"behind"), Ok(6));
        socket
    });
    assert!(peer.recv_exact(data.len()) == data, "wrong bytes");
    assert_eq!(peer.recv_exact(6), b"behind");
    drop(sender.join().unwrap());
    assert_eq!(port.packet(), success(KEY, request, data.len() as u32));
}

#[test]
fn d63_datagrams_are_sent_whole() {
    let (port, peer, socket, _) = udp_on_port(KEY);
    let request = Request::with_buffers(vec![b"abc".to_vec(), b"defg".to_vec()]);
    assert!(socket.wsa_send_to(request, peer.getsockname().unwrap()).started());
    assert_eq!(port.packet(), success(KEY, request, 7));
    let mut buffer = [0; 16];
    assert_eq!(peer.recvfrom(&mut buffer), Ok((7, socket.getsockname().unwrap())));
    assert_eq!(buffer[..7], *b"abcdefg");
}

#[test]
fn d91_an_ioctl_that_ends_at_once_queues_a_packet_of_zero_bytes() {
    let (port, peer, socket) = pair_on_port(KEY);
    let event = Event::manual(false);
    let request = Request::new(0).with_event(&event);
    let on = 1_u32.to_ne_bytes();
    let (outcome, _) = socket.wsa_ioctl(sys::FIONBIO as u32, &on, &mut [], Some(request));
    assert_eq!(outcome, Ok(()));
    assert_eq!(port.packet(), success(KEY, request, 0));
    assert!(event.is_set());
    assert_eq!(socket.recv(&mut [0]), Err(sys::WSAEWOULDBLOCK), "the ioctl did its work");

    peer.send(b"12345").unwrap();
    until("data waits", || socket.bytes_waiting() == 5);
    let request = Request::new(0);
    let mut waiting = [0; 4];
    let ioctl = socket.wsa_ioctl(sys::FIONREAD as u32, &[], &mut waiting, Some(request));
    assert_eq!(ioctl, (Ok(()), 4));
    assert_eq!(u32::from_ne_bytes(waiting), 5);
    assert_eq!(port.packet(), success(KEY, request, 0));
    assert_no_packet(&port);
}

#[test]
fn d91_the_returned_count_of_an_ioctl_may_never_be_null() {
    let (port, _peer, socket) = pair_on_port(KEY);
    let (code, on) = (sys::FIONBIO as u32, 1_u32.to_ne_bytes());
    assert_eq!(socket.wsa_ioctl_uncounted(code, &on), Err(sys::WSAEFAULT));
    let result = wsa_ioctl_request_uncounted(&socket, code, &on, Request::new(0));
    assert_eq!(result, Err(sys::WSAEFAULT));
    assert_no_packet(&port);
}
