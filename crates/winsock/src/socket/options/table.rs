//! The options that the kernel keeps: Winsock's level and number, Linux's, and what the value looks like to each.

use crate::types as ws;

use crate::socket::Kind;
use crate::types::*;

/// An option that is the kernel's.
pub(super) struct Row {
    pub(super) level: i32,
    pub(super) name: i32,
    pub(super) linux_level: i32,
    pub(super) linux_name: i32,
    pub(super) shape: Shape,
    /// The only kind of socket that has the option in Winsock, where Linux is more generous.
    pub(super) only: Option<Kind>,
}

/// The value of an option, and its way to the kernel and back.
pub(super) enum Shape {
    /// An `int` or a `BOOL`, to read and to write.
    Int { to: fn(i32) -> i32, from: fn(i32) -> i32 },
    /// An `int` that only the kernel sets.
    ReadOnly,
    /// An `int` to read, and something longer for the kernel to write.
    Interface { to: fn(i32) -> Vec<u8> },
    /// A structure of `size` bytes, to write only.
    Command { size: usize, to: fn(&[u8]) -> Vec<u8> },
}

/// The option of a level and a number.
pub(super) fn find(level: i32, name: i32) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.level == level && row.name == name)
}

/// Whether there is such a level at all.
pub(super) fn is_level(level: i32) -> bool {
    matches!(level, SOL_SOCKET | IPPROTO_TCP | IPPROTO_UDP | IPPROTO_IP | IPPROTO_IPV6)
}

const BOOL: Shape = Shape::Int { to: |value| (value != 0).into(), from: |value| (value != 0).into() };
const INT: Shape = Shape::Int { to: |value| value, from: |value| value };
const IPV4_MEMBERSHIP: Shape = Shape::Command { size: 8, to: |bytes| bytes.to_vec() };
const IPV4_SOURCE: Shape = Shape::Command { size: 12, to: source_request };
const IPV6_MEMBERSHIP: Shape = Shape::Command { size: 20, to: |bytes| bytes.to_vec() };

const TABLE: &[Row] = &[
    socket(SO_KEEPALIVE, libc::SO_KEEPALIVE, Some(Kind::Stream)),
    socket(SO_OOBINLINE, libc::SO_OOBINLINE, Some(Kind::Stream)),
    socket(SO_BROADCAST, libc::SO_BROADCAST, Some(Kind::Datagram)),
    socket(SO_DONTROUTE, libc::SO_DONTROUTE, None),
    tcp(TCP_NODELAY, libc::TCP_NODELAY, BOOL),
    // Seconds on both systems. TCP_KEEPALIVE is the same number.
    tcp(TCP_KEEPIDLE, libc::TCP_KEEPIDLE, INT),
    tcp(TCP_KEEPINTVL, libc::TCP_KEEPINTVL, INT),
    tcp(TCP_KEEPCNT, libc::TCP_KEEPCNT, INT),
    tcp(TCP_MAXSEG, libc::TCP_MAXSEG, Shape::ReadOnly),
    tcp(ws::TCP_MAXRT, libc::TCP_USER_TIMEOUT, Shape::Int { to: give_up_after, from: gives_up_after }),
    // Inherits "-1 is for ever, 0 the default" from TCP_MAXRT, in milliseconds.
    tcp(ws::TCP_MAXRTMS, libc::TCP_USER_TIMEOUT, Shape::Int { to: |ms| ms.max(0), from: |ms| ms }),
    Row { linux_level: libc::SOL_SOCKET, ..udp(ws::UDP_NOCHECKSUM, libc::SO_NO_CHECK, BOOL) },
    udp(ws::UDP_SEND_MSG_SIZE, libc::UDP_SEGMENT, INT),
    ipv4(IP_PKTINFO, libc::IP_PKTINFO, BOOL),
    ipv4(IP_TOS, libc::IP_TOS, INT),
    ipv4(IP_TTL, libc::IP_TTL, INT),
    ipv4(ws::IP_HDRINCL, libc::IP_HDRINCL, BOOL),
    ipv4(IP_MULTICAST_IF, libc::IP_MULTICAST_IF, Shape::Interface { to: ipv4_interface }),
    ipv4(IP_MULTICAST_TTL, libc::IP_MULTICAST_TTL, INT),
    ipv4(IP_MULTICAST_LOOP, libc::IP_MULTICAST_LOOP, BOOL),
    ipv4(IP_ADD_MEMBERSHIP, libc::IP_ADD_MEMBERSHIP, IPV4_MEMBERSHIP),
    ipv4(IP_DROP_MEMBERSHIP, libc::IP_DROP_MEMBERSHIP, IPV4_MEMBERSHIP),
    ipv4(ws::IP_ADD_SOURCE_MEMBERSHIP, libc::IP_ADD_SOURCE_MEMBERSHIP, IPV4_SOURCE),
    ipv4(ws::IP_DROP_SOURCE_MEMBERSHIP, libc::IP_DROP_SOURCE_MEMBERSHIP, IPV4_SOURCE),
    ipv4(ws::IP_BLOCK_SOURCE, libc::IP_BLOCK_SOURCE, IPV4_SOURCE),
    ipv4(ws::IP_UNBLOCK_SOURCE, libc::IP_UNBLOCK_SOURCE, IPV4_SOURCE),
    ipv4(IP_DONTFRAGMENT, libc::IP_MTU_DISCOVER, Shape::Int { to: dont_fragment, from: fragments_not }),
    ipv4(ws::IP_MTU_DISCOVER, libc::IP_MTU_DISCOVER, Shape::Int { to: to_discovery, from: from_discovery }),
    ipv4(ws::IP_MTU, libc::IP_MTU, Shape::ReadOnly),
    // The interface's index in network byte order, on both systems.
    ipv4(ws::IP_UNICAST_IF, libc::IP_UNICAST_IF, INT),
    ipv6(IPV6_PKTINFO, libc::IPV6_RECVPKTINFO, BOOL),
    ipv6(IPV6_V6ONLY, libc::IPV6_V6ONLY, BOOL),
    ipv6(IPV6_UNICAST_HOPS, libc::IPV6_UNICAST_HOPS, INT),
    ipv6(IPV6_MULTICAST_IF, libc::IPV6_MULTICAST_IF, INT),
    ipv6(IPV6_MULTICAST_HOPS, libc::IPV6_MULTICAST_HOPS, INT),
    ipv6(IPV6_MULTICAST_LOOP, libc::IPV6_MULTICAST_LOOP, BOOL),
    ipv6(IPV6_ADD_MEMBERSHIP, libc::IPV6_ADD_MEMBERSHIP, IPV6_MEMBERSHIP),
    ipv6(IPV6_DROP_MEMBERSHIP, libc::IPV6_DROP_MEMBERSHIP, IPV6_MEMBERSHIP),
    ipv6(ws::IPV6_DONTFRAG, libc::IPV6_DONTFRAG, BOOL),
    ipv6(ws::IPV6_MTU_DISCOVER, libc::IPV6_MTU_DISCOVER, Shape::Int { to: to_discovery, from: from_discovery }),
    ipv6(ws::IPV6_MTU, libc::IPV6_MTU, Shape::ReadOnly),
    ipv6(ws::IPV6_TCLASS, libc::IPV6_TCLASS, INT),
    // Host byte order for Winsock, network byte order for Linux.
    ipv6(ws::IPV6_UNICAST_IF, libc::IPV6_UNICAST_IF, Shape::Int { to: i32::to_be, from: i32::from_be }),
];

const fn socket(name: i32, linux_name: i32, only: Option<Kind>) -> Row {
    Row { level: SOL_SOCKET, name, linux_level: libc::SOL_SOCKET, linux_name, shape: BOOL, only }
}

const fn tcp(name: i32, linux_name: i32, shape: Shape) -> Row {
    Row { level: IPPROTO_TCP, name, linux_level: libc::IPPROTO_TCP, linux_name, shape, only: None }
}

const fn udp(name: i32, linux_name: i32, shape: Shape) -> Row {
    let only = Some(Kind::Datagram);
    Row { level: IPPROTO_UDP, name, linux_level: libc::IPPROTO_UDP, linux_name, shape, only }
}

const fn ipv4(name: i32, linux_name: i32, shape: Shape) -> Row {
    Row { level: IPPROTO_IP, name, linux_level: libc::IPPROTO_IP, linux_name, shape, only: None }
}

const fn ipv6(name: i32, linux_name: i32, shape: Shape) -> Row {
    Row { level: IPPROTO_IPV6, name, linux_level: libc::IPPROTO_IPV6, linux_name, shape, only: None }
}

/// TCP_MAXRT is in seconds and -1 never gives up; TCP_USER_TIMEOUT is in milliseconds and 0 leaves it to the system,
/// which is the nearest to "never" that Linux has.
fn give_up_after(seconds: i32) -> i32 {
    seconds.max(0).saturating_mul(1000)
}

fn gives_up_after(milliseconds: i32) -> i32 {
    milliseconds / 1000
}

/// `IP_MREQ_SOURCE` has group, source, interface; `ip_mreq_source` has group, interface, source.
fn source_request(bytes: &[u8]) -> Vec<u8> {
    [&bytes[0..4], &bytes[8..12], &bytes[4..8]].concat()
}

/// An IPv4 address, or the index of an interface in the form 0.x.x.x: an `ip_mreqn` has room for either.
fn ipv4_interface(value: i32) -> Vec<u8> {
    let address = value.to_ne_bytes();
    let (address, index) = if address[0] == 0 { ([0; 4], i32::from_be(value)) } else { (address, 0) };
    [[0; 4], address, index.to_ne_bytes()].concat()
}

fn dont_fragment(value: i32) -> i32 {
    if value != 0 { libc::IP_PMTUDISC_DO } else { libc::IP_PMTUDISC_DONT }
}

fn fragments_not(value: i32) -> i32 {
    (value == libc::IP_PMTUDISC_DO).into()
}

/// `PMTUD_STATE` and its Linux numbers, which are the same for both families.
const DISCOVERY: [(i32, i32); 4] = [
    (ws::IP_PMTUDISC_NOT_SET, libc::IP_PMTUDISC_WANT),
    (ws::IP_PMTUDISC_DO, libc::IP_PMTUDISC_DO),
    (ws::IP_PMTUDISC_DONT, libc::IP_PMTUDISC_DONT),
    (ws::IP_PMTUDISC_PROBE, libc::IP_PMTUDISC_PROBE),
];

/// -1, which the kernel refuses, for a state that does not exist.
fn to_discovery(value: i32) -> i32 {
    DISCOVERY.iter().find(|pair| pair.0 == value).map_or(-1, |pair| pair.1)
}

fn from_discovery(value: i32) -> i32 {
    DISCOVERY.iter().find(|pair| pair.1 == value).map_or(ws::IP_PMTUDISC_NOT_SET, |pair| pair.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_option_stands_twice() {
        for (i, row) in TABLE.iter().enumerate() {
            assert!(is_level(row.level));
            let earlier = |other: &Row| other.level == row.level && other.name == row.name;
            assert!(!TABLE[..i].iter().any(earlier), "level {} option {}", row.level, row.name);
        }
    }

    #[test]
    fn structures_are_reordered_for_the_kernel() {
        let winsock = [224, 0, 0, 1, 10, 0, 0, 9, 127, 0, 0, 1];
        assert_eq!(source_request(&winsock), [224, 0, 0, 1, 127, 0, 0, 1, 10, 0, 0, 9]);
    }

    #[test]
    fn an_interface_is_an_address_or_an_index() {
        let address = i32::from_ne_bytes([127, 0, 0, 1]);
        assert_eq!(ipv4_interface(address), [0, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0]);
        let index = 3_i32.to_be();
        assert_eq!(ipv4_interface(index)[4..], [[0; 4], 3_i32.to_ne_bytes()].concat());
        assert_eq!(ipv4_interface(0), [0; 12]);
    }

    #[test]
    fn discovery_states_differ_in_number() {
        for (winsock, linux) in [(0, 1), (1, 2), (2, 0), (3, 3)] {
            assert_eq!((to_discovery(winsock), from_discovery(linux)), (linux, winsock));
        }
        assert_eq!(to_discovery(4), -1);
    }
}
