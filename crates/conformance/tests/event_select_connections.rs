//! WSAEventSelect: connecting, accepting, datagram sockets and the end of a connection (V16 to V21, V23).
#![forbid(unsafe_code)]

use conformance::network_fixture::{
    ACCEPT, ALL, CLOSE, CONNECT, READ, WRITE, Watch, begin_connect, connection, deliver, is_readable, settle,
};
use conformance::raw::{Event, NetworkEvents, Socket, UNTOUCHED, listener, pair, readiness, tcp, udp};
use conformance::until;
use pentaport::sys;

#[test]
#[cfg_attr(windows, ignore = "Wine 8: at times the event is set afterwards, with nothing recorded")]
fn v16_connect_and_write_appear_together() {
    let (_listener, address) = listener();
    let socket = tcp();
    let watch = Watch::new(&socket, ALL);
    watch.nothing();
    begin_connect(&socket, address);
    watch.records_at_once(CONNECT | WRITE);
    watch.nothing();
}

#[test]
fn v16_connect_and_write_are_taken_together() {
    let (_listener, address) = listener();
    let socket = tcp();
    let watch = Watch::new(&socket, ALL);
    begin_connect(&socket, address);
    until("the connection stands", || readiness(&socket) == "w");
    settle();
    watch.records_at_once(CONNECT | WRITE);
    watch.nothing();
}

#[test]
fn v17_selecting_on_a_connected_client_records_connect_and_write() {
    let (_listener, address) = listener();
    let blocking = connection(address);
    let nonblocking = tcp();
    nonblocking.set_nonblocking(true);
    begin_connect(&nonblocking, address);
    until("the connection stands", || readiness(&nonblocking) == "w");
    for socket in [blocking, nonblocking] {
        let watch = Watch::new(&socket, ALL);
        watch.records_at_once(CONNECT | WRITE);
        watch.nothing();
    }
}

#[test]
fn v17_selecting_on_an_accepted_socket_records_write_alone() {
    let (_client, accepted) = pair();
    let watch = Watch::new(&accepted, ALL);
    watch.records(WRITE);
    watch.nothing();
}

#[test]
fn v18_a_connect_that_was_not_selected_is_delivered_when_it_is() {
    for before in [WRITE, READ, 0] {
        let (_listener, address) = listener();
        let socket = tcp();
        let watch = Watch::new(&socket, ALL);
        watch.select(before);
        begin_connect(&socket, address);
        until("the connection stands", || readiness(&socket) == "w");
        if before == WRITE {
            watch.records(WRITE);
        }
        watch.select(CONNECT);
        watch.records(CONNECT);
    }
}

#[test]
fn v19_a_failed_connect_is_recorded_once_with_its_error() {
    let socket = tcp();
    let watch = Watch::new(&socket, ALL);
    refuse(&socket);
    watch.is_signalled();
    let found = socket.wsa_enum_network_events(Some(&watch.event)).unwrap();
    assert_eq!((found.events, found.error(CONNECT)), (CONNECT, sys::WSAECONNREFUSED));
    watch.nothing();
    watch.select(ALL);
    watch.nothing();
    watch.select(0);
    watch.select(ALL);
    watch.nothing();
}

#[test]
fn v19_a_failed_connect_that_was_not_selected_keeps_its_error() {
    let socket = tcp();
    let watch = Watch::new(&socket, READ);
    refuse(&socket);
    until("the connect failed", || readiness(&socket) == "e");
    watch.nothing();
    watch.select(CONNECT);
    watch.is_signalled();
    let found = socket.wsa_enum_network_events(Some(&watch.event)).unwrap();
    assert_eq!((found.events, found.error(CONNECT)), (CONNECT, sys::WSAECONNREFUSED));
}

#[test]
fn v8_v19_a_connect_that_failed_before_the_first_selection_is_recorded_with_its_error() {
    let socket = tcp();
    socket.set_nonblocking(true);
    refuse(&socket);
    let watch = Watch::new(&socket, ALL);
    watch.is_signalled();
    let found = socket.wsa_enum_network_events(Some(&watch.event)).unwrap();
    assert_eq!((found.events, found.error(CONNECT)), (CONNECT, sys::WSAECONNREFUSED));
    watch.nothing();
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the second connect fails with WSAECONNABORTED")]
fn s34_each_connect_that_ends_is_recorded() {
    let (_listener, address) = listener();
    let socket = tcp();
    let watch = Watch::new(&socket, ALL);
    for _ in 0..2 {
        refuse(&socket);
        watch.is_signalled();
        let found = socket.wsa_enum_network_events(Some(&watch.event)).unwrap();
        assert_eq!((found.events, found.error(CONNECT)), (CONNECT, sys::WSAECONNREFUSED));
    }
    begin_connect(&socket, address);
    watch.records_at_once(CONNECT | WRITE);
    watch.nothing();
}

/// Begins a connect to an address that is bound and does not listen.
fn refuse(socket: &Socket) {
    let refusing = tcp();
    begin_connect(socket, refusing.bind_loopback());
    until("the connect failed", || readiness(socket) == "e");
}

#[test]
fn v20_a31_the_peers_end_is_recorded_as_close_without_read() {
    let (peer, socket) = pair();
    let watch = Watch::new(&socket, READ | CLOSE);
    peer.shutdown(sys::SD_SEND).unwrap();
    watch.records(CLOSE);
    assert_eq!(socket.recv(&mut [0; 8]), Ok(0));
    watch.nothing();
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: FD_CLOSE is not recorded while data is unread")]
fn v20_a32_close_is_recorded_at_once_although_data_is_unread() {
    let (peer, socket) = pair();
    deliver(&peer, b"data", &socket);
    let watch = Watch::new(&socket, READ | CLOSE);
    watch.records(READ);
    peer.close().unwrap();
    watch.records(CLOSE);
    assert_eq!(socket.recv_exact(2), b"da");
    watch.records(READ);
    assert_eq!(socket.recv_exact(2), b"ta");
    watch.nothing();
    assert_eq!(socket.recv(&mut [0; 8]), Ok(0));
    watch.nothing();
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: FD_CLOSE comes without error")]
fn v20_a33_a_reset_is_recorded_as_close_with_wsaeconnaborted() {
    let (peer, socket) = pair();
    let watch = Watch::new(&socket, CLOSE);
    peer.reset();
    watch.is_signalled();
    let found = socket.wsa_enum_network_events(Some(&watch.event)).unwrap();
    assert_eq!((found.events, found.error(CLOSE)), (CLOSE, sys::WSAECONNABORTED));
    watch.nothing();
}

#[test]
fn v20_a34_close_is_recorded_once() {
    let (peer, socket) = pair();
    let watch = Watch::new(&socket, CLOSE);
    peer.shutdown(sys::SD_SEND).unwrap();
    watch.records(CLOSE);
    peer.close().unwrap();
    watch.nothing();
}

#[test]
fn v20_a35_only_the_end_that_the_peer_sends_is_recorded() {
    let (peer, socket) = pair();
    let watch = Watch::new(&socket, CLOSE);
    peer.shutdown(sys::SD_RECEIVE).unwrap();
    watch.nothing();
    socket.shutdown(sys::SD_BOTH).unwrap();
    watch.nothing();
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: after shutdown of both directions FD_CLOSE is not recorded")]
fn v20_a35_the_peers_end_is_recorded_also_after_our_own() {
    let (peer, socket) = pair();
    let watch = Watch::new(&socket, CLOSE);
    socket.shutdown(sys::SD_BOTH).unwrap();
    peer.shutdown(sys::SD_SEND).unwrap();
    watch.records(CLOSE);
}

#[test]
fn v21_an_accepted_socket_inherits_event_and_mask() {
    let accepts: [fn(&Socket) -> Socket; 2] = [
        |listener| listener.accept().expect("accept").0,
        |listener| listener.wsa_accept(|_| sys::CF_ACCEPT as i32).expect("WSAAccept").0,
    ];
    for accept in accepts {
        let (listener, address) = listener();
        let watch = Watch::new(&listener, ACCEPT | READ | WRITE);
        let client = connection(address);
        watch.records(ACCEPT);
        let accepted = accept(&listener);
        watch.is_signalled();
        assert_eq!(enumerate(&accepted, &watch.event), WRITE);
        deliver(&client, b"data", &accepted);
        watch.is_signalled();
        assert_eq!(enumerate(&accepted, &watch.event), READ);
        // What the listener did not select the accepted socket has not selected either.
        client.shutdown(sys::SD_SEND).unwrap();
        accepted.recv_exact(4);
        is_readable(&accepted);
        watch.nothing();
        assert_eq!(enumerate(&accepted, &watch.event), 0);
        assert_eq!(accepted.ioctl(sys::FIONBIO, 0), Err(sys::WSAEINVAL), "as any socket with a selection");
    }
}

#[test]
fn v21_v8_a_selection_of_accept_alone_is_inherited_too() {
    let (listener, address) = listener();
    let watch = Watch::new(&listener, ACCEPT);
    let client = connection(address);
    watch.records(ACCEPT);
    let (accepted, _) = listener.accept().unwrap();
    assert_eq!(accepted.ioctl(sys::FIONBIO, 0), Err(sys::WSAEINVAL), "as any socket with a selection");
    deliver(&client, b"data", &accepted);
    watch.nothing();
    assert_eq!(enumerate(&accepted, &watch.event), 0);
    // What began meanwhile is delivered to who selects it.
    Watch::new(&accepted, READ | WRITE).records(READ | WRITE);
}

#[test]
fn v21_what_came_before_accept_is_recorded_for_the_accepted_socket() {
    came_before_accept(READ);
    came_before_accept(CLOSE);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: FD_CLOSE is not recorded while data is unread")]
fn v20_data_and_end_that_came_before_accept_are_recorded_for_the_accepted_socket() {
    came_before_accept(READ | CLOSE);
}

/// Lets data, the end or both come before the connection is accepted.
#[track_caller]
fn came_before_accept(events: u32) {
    let (listener, address) = listener();
    let watch = Watch::new(&listener, ACCEPT | READ | CLOSE);
    let client = connection(address);
    if events & READ != 0 {
        assert_eq!(client.send(b"data"), Ok(4));
    }
    if events & CLOSE != 0 {
        client.shutdown(sys::SD_SEND).unwrap();
    }
    watch.records(ACCEPT);
    let (accepted, _) = listener.accept().unwrap();
    let mut found = 0;
    while found != events {
        watch.is_signalled();
        found |= enumerate(&accepted, &watch.event);
        assert_eq!(found & !events, 0);
    }
}

#[test]
fn v21_the_accepted_sockets_write_is_not_recorded_for_a_mask_without_it() {
    let (listener, address) = listener();
    let watch = Watch::new(&listener, ACCEPT | READ);
    let _client = connection(address);
    watch.records(ACCEPT);
    let (accepted, _) = listener.accept().unwrap();
    watch.nothing();
    assert_eq!(accepted.wsa_event_select(Some(&watch.event), WRITE), Ok(()));
    watch.is_signalled();
    assert_eq!(enumerate(&accepted, &watch.event), WRITE);
}

fn enumerate(socket: &Socket, event: &Event) -> u32 {
    let found = socket.wsa_enum_network_events(Some(event)).expect("WSAEnumNetworkEvents");
    let expected: Vec<i32> =
        (0..10).map(|bit| if found.events & 1 << bit == 0 { UNTOUCHED as i32 } else { 0 }).collect();
    assert_eq!(found, NetworkEvents { events: found.events, errors: expected.try_into().unwrap() });
    found.events
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: FD_WRITE is recorded before the socket is bound")]
fn v23_an_unbound_datagram_socket_records_nothing_until_it_is_bound() {
    let socket = udp();
    let watch = Watch::new(&socket, ALL);
    watch.nothing();
    socket.bind_loopback();
    watch.records(WRITE);
    watch.nothing();
}

#[test]
fn v23_a_bound_datagram_socket_records_write_once() {
    let socket = udp();
    let address = socket.bind_loopback();
    let watch = Watch::new(&socket, ALL & !READ);
    watch.records(WRITE);
    assert_eq!(socket.sendto(b"data", address), Ok(4));
    watch.nothing();
    watch.select(ALL & !READ);
    watch.nothing();
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: connecting records neither")]
fn v23_connecting_a_datagram_socket_records_connect_and_write() {
    let peer = udp();
    let address = peer.bind_loopback();
    for bound in [true, false] {
        let socket = udp();
        if bound {
            socket.bind_loopback();
        }
        let watch = Watch::new(&socket, ALL);
        if bound {
            watch.records(WRITE);
        }
        assert_eq!(socket.connect(address), Ok(()));
        watch.records_at_once(CONNECT | WRITE);
        watch.nothing();
    }
}

#[test]
fn v23_a_datagram_is_recorded_as_read() {
    let (peer, socket) = (udp(), udp());
    let address = socket.bind_loopback();
    let watch = Watch::new(&socket, READ | CLOSE);
    for _ in 0..2 {
        assert_eq!(peer.sendto(b"data", address), Ok(4));
        watch.records(READ);
        assert_eq!(socket.recvfrom(&mut [0; 8]).map(|(count, _)| count), Ok(4));
        watch.nothing();
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a second datagram is not recorded before the first is received")]
fn v10_another_datagram_is_recorded_as_read_again() {
    let (peer, socket) = (udp(), udp());
    let address = socket.bind_loopback();
    let watch = Watch::new(&socket, READ | CLOSE);
    for _ in 0..2 {
        assert_eq!(peer.sendto(b"data", address), Ok(4));
        watch.records(READ);
    }
    assert_eq!(socket.recvfrom(&mut [0; 8]).map(|(count, _)| count), Ok(4));
    watch.records(READ);
    assert_eq!(socket.recvfrom(&mut [0; 8]).map(|(count, _)| count), Ok(4));
    watch.nothing();
}
