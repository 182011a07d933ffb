//! WSARecvMsg and WSASendMsg (SEMANTICS D70).
#![forbid(unsafe_code)]

use conformance::fixture::{success, udp_on_port};
use conformance::raw::{
    ReceiveMessage, Request, pair, udp, udp6, wsa_recv_msg, wsa_recv_msg_null, wsa_recv_msg_overlapped, wsa_send_msg,
    wsa_send_msg_from, wsa_send_msg_null,
};
use pentaport::sys;

#[test]
#[cfg_attr(windows, ignore = "Wine 8: stream sockets are served, too (D70)")]
fn d70_streams_are_refused() {
    let (client, server) = pair();
    client.send(b"abc").unwrap();
    assert_eq!(wsa_recv_msg(&server, ReceiveMessage::default()).0, Err(sys::WSAEINVAL));
    assert_eq!(wsa_send_msg(&server, b"abc", None, true), Err(sys::WSAEINVAL));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a null pointer ends the process (D70)")]
fn d70_null_pointers_are_refused() {
    let socket = udp();
    let address = socket.bind_loopback();
    assert_eq!(wsa_recv_msg_null(&socket), Err(sys::WSAEFAULT));
    assert_eq!(wsa_send_msg_null(&socket), Err(sys::WSAEFAULT));
    assert_eq!(wsa_send_msg(&socket, b"abc", Some(address), false), Err(sys::WSAEFAULT));
    let uncounted = ReceiveMessage { counted: false, ..Default::default() };
    assert_eq!(wsa_recv_msg(&socket, uncounted).0, Err(sys::WSAEFAULT));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: any flag is taken (D70)")]
fn d70_a_receive_may_peek_and_nothing_else() {
    let (sender, receiver) = (udp(), udp());
    let address = receiver.bind_loopback();
    assert_eq!(wsa_send_msg(&sender, b"hello", Some(address), true), Ok(5));
    for flags in [sys::MSG_OOB, sys::MSG_WAITALL, sys::MSG_PARTIAL as i32, sys::MSG_PEEK | sys::MSG_OOB] {
        let call = ReceiveMessage { flags: flags as u32, ..Default::default() };
        assert_eq!(wsa_recv_msg(&receiver, call).0, Err(sys::WSAEINVAL), "{flags:#x}");
    }
    let from = sender.getsockname().unwrap();
    for flags in [sys::MSG_PEEK as u32, 0] {
        let (result, received) = wsa_recv_msg(&receiver, ReceiveMessage { flags, ..Default::default() });
        assert_eq!(result, Ok(()));
        assert_eq!(received.data, b"hello");
        assert_eq!(received.from.map(|from| from.port()), Some(from.port()));
        assert_eq!((received.flags, received.to), (0, None), "nobody asked where to");
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: MSG_TRUNC is not told (D70)")]
fn d70_what_is_cut_is_told() {
    let (sender, receiver) = (udp(), udp());
    let address = receiver.bind_loopback();
    receiver.set_option(sys::IPPROTO_IP, sys::IP_PKTINFO, 1).unwrap();
    assert_eq!(wsa_send_msg(&sender, b"hello", Some(address), true), Ok(5));
    let (result, received) = wsa_recv_msg(&receiver, ReceiveMessage { room: 3, ..Default::default() });
    assert_eq!((result, received.flags), (Err(sys::WSAEMSGSIZE), sys::MSG_TRUNC));
    assert_eq!(wsa_send_msg(&sender, b"hello", Some(address), true), Ok(5));
    let (result, received) = wsa_recv_msg(&receiver, ReceiveMessage { control: 8, ..Default::default() });
    assert_eq!((result, received.flags, received.to), (Ok(()), sys::MSG_CTRUNC, None));
}

#[test]
fn d70_a_datagram_says_where_it_was_sent_to() {
    let (sender, receiver) = (udp(), udp());
    receiver.bind("0.0.0.0:0".parse().unwrap()).unwrap();
    receiver.set_option(sys::IPPROTO_IP, sys::IP_PKTINFO, 1).unwrap();
    let port = receiver.getsockname().unwrap().port();
    assert_eq!(wsa_send_msg(&sender, b"hello", Some(([127, 0, 0, 1], port).into()), true), Ok(5));
    let (result, received) = wsa_recv_msg(&receiver, ReceiveMessage::default());
    assert_eq!((result, received.data.as_slice()), (Ok(()), b"hello".as_slice()));
    let (to, interface) = received.to.expect("where to");
    assert_eq!(to.to_string(), "127.0.0.1");
    assert_ne!(interface, 0);

    let (sender, receiver) = (udp6(), udp6());
    receiver.bind("[::]:0".parse().unwrap()).unwrap();
    receiver.set_option(sys::IPPROTO_IPV6, sys::IPV6_PKTINFO, 1).unwrap();
    let port = receiver.getsockname().unwrap().port();
    let to = format!("[::1]:{port}").parse().unwrap();
    assert_eq!(wsa_send_msg(&sender, b"hello", Some(to), true), Ok(5));
    let (_, received) = wsa_recv_msg(&receiver, ReceiveMessage::default());
    assert_eq!(received.to.map(|(to, _)| to.to_string()).as_deref(), Some("::1"));
}

#[test]
fn d70_overlapped_it_completes_as_any_receive() {
    let (port, sender, receiver, _) = udp_on_port(70);
    let request = Request::new(8);
    assert_eq!(wsa_recv_msg_overlapped(&receiver, request), Err(sys::WSA_IO_PENDING));
    let address = receiver.getsockname().unwrap();
    assert_eq!(wsa_send_msg(&sender, b"hello", Some(address), true), Ok(5));
    assert_eq!(port.packet(), success(70, request, 5));
    assert_eq!(&request.data()[..5], b"hello");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: control data of WSASendMsg is ignored (D70)")]
fn d70_control_data_says_from_which_address_a_datagram_is_sent() {
    let (sender, receiver) = (udp(), udp());
    let to = receiver.bind_loopback();
    for from in ["127.0.0.2", "127.0.0.3"] {
        let from = from.parse().unwrap();
        assert_eq!(wsa_send_msg_from(&sender, b"hello", to, from), Ok(()));
        assert_eq!(receiver.recvfrom(&mut [0; 8]).map(|(length, sender)| (length, sender.ip())), Ok((5, from)));
    }
    let (sender, receiver) = (udp6(), udp6());
    receiver.bind("[::1]:0".parse().unwrap()).unwrap();
    let from = "::1".parse().unwrap();
    assert_eq!(wsa_send_msg_from(&sender, b"hello", receiver.getsockname().unwrap(), from), Ok(()));
    assert_eq!(receiver.recvfrom(&mut [0; 8]).map(|(length, sender)| (length, sender.ip())), Ok((5, from)));
}
