//! What the tests share: connected pairs, and waits that end in a failure rather than a hang.
#![allow(dead_code, reason = "each test file uses a part")]

use pentaport::completion_port::{CompletionPort, Packet};
use pentaport::socket::Socket;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Far beyond what anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const V4: &str = "127.0.0.1:0";
pub(crate) const V6: &str = "[::1]:0";

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

pub(crate) fn listener(on: &str) -> Socket {
    let socket = Socket::tcp(&address(on)).expect("a socket");
    socket.bind(&address(on)).expect("bound");
    socket.listen(200).expect("listening");
    socket
}

pub(crate) fn connected_to(listener: &Socket) -> Socket {
    let to = listener.local_addr().expect("bound");
    let socket = Socket::tcp(&to).expect("a socket");
    socket.connect(&to).expect("connected");
    patient(socket)
}

/// The connecting end, and the accepted one, by a listener that nobody else uses. (Tests that make many pairs make them
/// by one listener: each port that a listener had may stay in TIME_WAIT.)
pub(crate) fn pair_by(listener: &Socket) -> (Socket, Socket) {
    let client = connected_to(listener);
    let (server, from) = listener.accept().expect("accepted");
    assert_eq!(from, client.local_addr().expect("bound"));
    (client, patient(server))
}

/// A receive that waits in vain is to fail, not to hang.
fn patient(socket: Socket) -> Socket {
    socket.set_receive_timeout(Some(PATIENCE)).expect("an option");
    socket
}

pub(crate) fn pair_on(on: &str) -> (Socket, Socket) {
    pair_by(&listener(on))
}

pub(crate) fn pair() -> (Socket, Socket) {
    pair_on(V4)
}

pub(crate) fn datagram() -> Socket {
    let socket = Socket::udp(&address(V4)).expect("a socket");
    socket.bind(&address(V4)).expect("bound");
    socket
}

/// An address where nobody listens, and nobody will while the socket is kept.
pub(crate) fn nobody() -> (Socket, SocketAddr) {
    let socket = Socket::tcp(&address(V4)).expect("a socket");
    socket.bind(&address(V4)).expect("bound");
    let address = socket.local_addr().expect("bound");
    (socket, address)
}

pub(crate) fn take<K: Send + Sync + 'static, C: Send + 'static>(port: &CompletionPort<K, C>) -> Packet<K, C> {
    port.get(Some(PATIENCE)).expect("an open port").expect("a packet in time")
}

/// Asserts that there is no packet, and none on its way that is known of.
pub(crate) fn assert_empty<K: Send + Sync + 'static, C: Send + 'static>(port: &CompletionPort<K, C>) {
    let none = port.get(Some(Duration::ZERO)).expect("an open port");
    assert!(none.is_none(), "a packet too many");
}

/// Waits until `condition` holds.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Closes with a reset.
pub(crate) fn reset(socket: Socket) {
    socket.set_linger(Some(Duration::ZERO)).expect("an option");
    drop(socket);
}

/// All orders of `0..count`.
pub(crate) fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let mut orders = Vec::new();
    for shorter in permutations(count - 1) {
        for place in 0..count {
            let mut order = shorter.clone();
            order.insert(place, count - 1);
            orders.push(order);
        }
    }
    orders
}
