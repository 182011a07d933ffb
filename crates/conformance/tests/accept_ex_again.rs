//! AcceptEx that waits for data, with acceptors that are used again (SEMANTICS X10, X12, X13, X30, D77, D78, D83).
#![forbid(unsafe_code)]

use conformance::fixture::{assert_no_packet, connected, failure, finishes, listener_on_port, pends, success};
use conformance::raw::{Begin, Request, Socket, accept_ex, cancel_io_ex, disconnect_ex, tcp};
use conformance::until;
use pentaport::sys;
use std::net::SocketAddr;

const KEY: usize = 0xAD;

/// More than any list of acceptors may hold before it is looked through.
const MANY: usize = 300;

/// Ends the connection of an acceptor so that it can be used again.
fn give_back(acceptor: &Socket, client: Socket) {
    client.close().unwrap();
    assert_eq!(acceptor.recv(&mut [0; 8]), Ok(0));
    assert!(matches!(disconnect_ex(acceptor, None, sys::TF_REUSE_SOCKET, 0), Begin::Done(_)));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: TF_REUSE_SOCKET gives no handle back (X30)")]
fn x10_x30_one_acceptor_serves_many_connections() {
    finishes("one acceptor, used again and again", || {
        let (port, listener, address) = listener_on_port(KEY);
        let acceptor = tcp();
        for round in 0..MANY {
            let request = Request::new(128);
            pends(accept_ex(&listener, &acceptor, request, 64));
            let client = connected(address);
            client.send(b"hi").unwrap();
            assert_eq!(port.packet(), success(KEY, request, 2), "round {round}");
            give_back(&acceptor, client);
        }
    });
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: TF_REUSE_SOCKET gives no handle back (X30)")]
fn x10_x30_a_pool_of_acceptors_serves_many_connections_with_several_threads() {
    finishes("acceptors that several threads use again", || {
        let (port, listener, address) = listener_on_port(KEY);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let acceptors = [tcp(), tcp(), tcp()];
                    for _ in 0..MANY / 6 {
                        let requests: Vec<Request> = acceptors
                            .iter()
                            .map(|acceptor| {
                                let request = Request::new(128);
                                pends(accept_ex(&listener, acceptor, request, 64));
                                request
                            })
                            .collect();
                        let clients: Vec<Socket> = acceptors.iter().map(|_| connected(address)).collect();
                        clients.iter().for_each(|client| assert_eq!(client.send(b"hi"), Ok(2)));
                        for request in requests {
                            until("accepted with data", || request.has_completed());
                            assert_eq!(request.internal_high(), 2);
                        }
                        // Which client an acceptor got is not known: all end, then all acceptors are given back.
                        drop(clients);
                        for acceptor in &acceptors {
                            assert_eq!(acceptor.recv(&mut [0; 8]), Ok(0));
                            assert!(matches!(disconnect_ex(acceptor, None, sys::TF_REUSE_SOCKET, 0), Begin::Done(_)));
                        }
                    }
                });
            }
        });
        drop(port);
    });
}

#[test]
fn x10_x13_acceptors_that_are_closed_and_made_anew_serve_many_connections() {
    finishes("acceptors that are closed and made anew", || {
        let (port, listener, address) = listener_on_port(KEY);
        for round in 0..MANY {
            let (acceptor, request) = (tcp(), Request::new(128));
            pends(accept_ex(&listener, &acceptor, request, 64));
            let client = connected(address);
            // Every other client is silent, and its acceptor is closed before data comes.
            if round % 2 == 0 {
                client.send(b"hi").unwrap();
                assert_eq!(port.packet(), success(KEY, request, 2), "round {round}");
            } else {
                until("connected", || acceptor.option(sys::SOL_SOCKET, sys::SO_CONNECT_TIME) != Ok(-1));
                acceptor.close().unwrap();
                let packet = port.packet();
                assert!(packet.is_of(request) && !packet.ok, "round {round}: {packet:?}");
            }
        }
        assert_no_packet(&port);
    });
}

/// Connections of silent clients, with their acceptors and operations.
fn silent(listener: &Socket, address: SocketAddr, count: usize) -> (Vec<Socket>, Vec<Socket>, Vec<Request>) {
    let (mut clients, mut acceptors, mut requests) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..count {
        let (acceptor, request) = (tcp(), Request::new(128));
        pends(accept_ex(listener, &acceptor, request, 64));
        clients.push(connected(address));
        until("connected", || acceptor.option(sys::SOL_SOCKET, sys::SO_CONNECT_TIME) != Ok(-1));
        acceptors.push(acceptor);
        requests.push(request);
    }
    (clients, acceptors, requests)
}

#[test]
fn x10_x12_silent_clients_keep_nobody_from_being_served() {
    finishes("silent clients and one that talks", || {
        let (port, listener, address) = listener_on_port(KEY);
        let (clients, _acceptors, requests) = silent(&listener, address, MANY);
        assert_no_packet(&port);
        let (acceptor, request) = (tcp(), Request::new(128));
        pends(accept_ex(&listener, &acceptor, request, 64));
        let client = connected(address);
        client.send(b"hi").unwrap();
        assert_eq!(port.packet(), success(KEY, request, 2));
        // A silent one that speaks at last, and one that ends.
        clients[7].send(b"x").unwrap();
        assert_eq!(port.packet(), success(KEY, requests[7], 1));
        clients[8].close().unwrap();
        assert_eq!(port.packet(), success(KEY, requests[8], 0));
    });
}

#[test]
fn x12_d78_operations_that_wait_for_data_are_the_listeners_to_cancel() {
    finishes("cancelling operations that wait for data", || {
        let (port, listener, address) = listener_on_port(KEY);
        let (_clients, acceptors, requests) = silent(&listener, address, MANY);
        let aborted = sys::ERROR_OPERATION_ABORTED;
        assert_eq!(cancel_io_ex(listener.raw(), Some(requests[5])), Ok(()));
        assert_eq!(port.packet(), failure(KEY, requests[5], 0, aborted));
        let waiting = Request::new(128);
        let acceptor = tcp();
        pends(accept_ex(&listener, &acceptor, waiting, 64));
        assert_eq!(cancel_io_ex(listener.raw(), None), Ok(()));
        let mut cancelled: Vec<usize> = (0..MANY).map(|_| port.packet().overlapped).collect();
        cancelled.sort_unstable();
        let mut expected: Vec<usize> = requests
            .iter()
            .filter(|&&request| request.address() != requests[5].address())
            .map(|request| request.address())
            .collect();
        expected.push(waiting.address());
        expected.sort_unstable();
        assert_eq!(cancelled, expected, "one packet for each");
        assert_no_packet(&port);
        // The acceptor that had no connection is an ordinary socket again.
        acceptor.connect(address).unwrap();
        drop(acceptors);
    });
}

#[test]
fn d83_closing_two_listeners_at_once_ends_what_waits_for_data() {
    finishes("two listeners that are closed at once", || {
        for _ in 0..20 {
            let pairs = [listener_on_port(KEY), listener_on_port(KEY)];
            let waiting = [0, 1].map(|at| silent(&pairs[at].1, pairs[at].2, 8));
            std::thread::scope(|scope| {
                for (_, listener, _) in &pairs {
                    scope.spawn(|| listener.close().unwrap());
                }
            });
            for ((port, ..), (_, _, requests)) in pairs.iter().zip(&waiting) {
                let packets: Vec<_> = requests.iter().map(|_| port.packet()).collect();
                for request in requests {
                    let packet = packets.iter().find(|packet| packet.is_of(*request)).expect("one packet for each");
                    assert!(!packet.ok && packet.key == KEY, "{packet:?}");
                }
                assert_no_packet(port);
            }
        }
    });
}

#[test]
fn x13_acceptors_and_listeners_are_closed_by_threads_in_any_order() {
    finishes("acceptors and listeners that threads close", || {
        for _ in 0..50 {
            let (port, listener, address) = listener_on_port(KEY);
            let acceptors: Vec<Socket> = (0..16).map(|_| tcp()).collect();
            let requests: Vec<Request> = acceptors.iter().map(|_| Request::new(128)).collect();
            for (acceptor, request) in acceptors.iter().zip(&requests) {
                pends(accept_ex(&listener, acceptor, *request, 64));
            }
            std::thread::scope(|scope| {
                scope.spawn(|| acceptors.iter().for_each(|acceptor| acceptor.close().unwrap()));
                scope.spawn(|| {
                    let _ = cancel_io_ex(listener.raw(), None);
                });
                // Some come too late.
                scope.spawn(|| (0..8).map(|_| tcp().connect(address)).collect::<Vec<_>>());
                scope.spawn(|| listener.close().unwrap());
            });
            let mut packets: Vec<usize> = requests.iter().map(|_| port.packet().overlapped).collect();
            packets.sort_unstable();
            let mut expected: Vec<usize> = requests.iter().map(|request| request.address()).collect();
            expected.sort_unstable();
            assert_eq!(packets, expected, "one packet for each");
            assert_no_packet(&port);
        }
    });
}
