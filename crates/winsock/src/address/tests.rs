use super::*;

fn v4(ip: [u8; 4], port: u16) -> SOCKADDR_IN {
    SOCKADDR_IN {
        sin_family: AF_INET,
        sin_port: port.to_be(),
        sin_addr: IN_ADDR { S_un: IN_ADDR_0 { S_addr: u32::from_ne_bytes(ip) } },
        sin_zero: [7; 8],
    }
}

fn v6(ip: Ipv6Addr, port: u16, scope: u32) -> SOCKADDR_IN6 {
    SOCKADDR_IN6 {
        sin6_family: AF_INET6,
        sin6_port: port.to_be(),
        sin6_flowinfo: 0x0102_0304,
        sin6_addr: IN6_ADDR { u: IN6_ADDR_0 { Byte: ip.octets() } },
        Anonymous: SOCKADDR_IN6_0 { sin6_scope_id: scope },
    }
}

fn read<T>(name: &T, len: usize) -> WsaResult<Address> {
    assert!(len <= size_of::<T>());
    // SAFETY: `name` is a live value of at least `len` bytes.
    unsafe { Address::read((&raw const *name).cast(), len as i32) }
}

#[test]
fn ipv4_round_trip() {
    let given = v4([127, 0, 0, 1], 5150);
    let address = read(&given, 16).unwrap();
    assert_eq!((address.family(), address.port(), address.len()), (AF_INET, 5150, 16));
    assert_eq!(format!("{address:?}"), "127.0.0.1:5150");
    assert!(!address.is_any());

    let mut back = SOCKADDR_STORAGE { __ss_pad2: [9; 112], ..Default::default() };
    let mut len = size_of::<SOCKADDR_STORAGE>() as i32;
    // SAFETY: the storage is as long as `len` says.
    unsafe { address.write((&raw mut back).cast(), &raw mut len) }.unwrap();
    assert_eq!(len, 16);
    assert_eq!(read(&back, 16).unwrap(), address, "what sin_zero held does not count");
    assert_eq!(back.__ss_pad2, [9; 112], "no byte beyond the address is written");
}

#[test]
fn ipv6_round_trip_translates_the_family_both_ways() {
    let given = v6(Ipv6Addr::LOCALHOST, 7, 3);
    let address = read(&given, 28).unwrap();
    assert_eq!((address.family(), address.port(), address.len()), (AF_INET6, 7, 28));
    // SAFETY: the address points to `len` bytes of which the first two are the family.
    let seen_by_linux = unsafe { (*address.as_ptr()).sa_family };
    assert_eq!(seen_by_linux, 10);

    let mut back = SOCKADDR_IN6::default();
    let mut len = 28;
    // SAFETY: `back` is 28 bytes long.
    unsafe { address.write((&raw mut back).cast(), &raw mut len) }.unwrap();
    assert_eq!((len, back.sin6_family, back.sin6_flowinfo), (28, 23, 0x0102_0304));
    // SAFETY: both views of the union are one u32.
    assert_eq!(unsafe { back.Anonymous.sin6_scope_id }, 3);
}

#[test]
fn h16_bad_addresses() {
    let name = v4([127, 0, 0, 1], 1);
    // SAFETY: null is allowed.
    assert_eq!(unsafe { Address::read(std::ptr::null(), 16) }, fail(WSAEFAULT));
    for len in [0, 1, 2, 15] {
        assert_eq!(read(&name, len), fail(WSAEFAULT), "length {len}");
    }
    // SAFETY: a negative length lets nothing be read.
    assert_eq!(unsafe { Address::read((&raw const name).cast(), -1) }, fail(WSAEFAULT));
    assert_eq!(read(&v6(Ipv6Addr::LOCALHOST, 1, 0), 27), fail(WSAEFAULT));
    // Linux's number for IPv6 is no Winsock family; 2 bytes suffice to see that.
    assert_eq!(read(&SOCKADDR { sa_family: 10, sa_data: [0; 14] }, 2), fail(WSAEAFNOSUPPORT));
}

#[test]
fn an_unaligned_address_is_read() {
    let mut bytes = [0_u8; 33];
    let address = Address::any(AF_INET6);
    let mut len = 28;
    // SAFETY: 32 bytes follow the first one.
    unsafe {
        let place = bytes.as_mut_ptr().add(1).cast::<SOCKADDR>();
        address.write(place, &raw mut len).unwrap();
        assert_eq!(Address::read(place, len), Ok(address));
    }
}

#[test]
fn h14_a_short_buffer_is_left_alone() {
    let address = Address::any(AF_INET);
    let mut name = SOCKADDR { sa_family: 99, sa_data: [5; 14] };
    let mut len = 15;
    // SAFETY: `name` is 16 bytes long; null pointers are allowed.
    unsafe {
        assert_eq!(address.write(&raw mut name, &raw mut len), fail(WSAEFAULT));
        assert_eq!((len, name.sa_family, name.sa_data), (15, 99, [5; 14]));
        assert_eq!(address.write(&raw mut name, std::ptr::null_mut()), fail(WSAEFAULT));
        assert_eq!(address.write(std::ptr::null_mut(), &raw mut len), fail(WSAEFAULT));
    }
}

#[test]
fn wildcards_and_no_address() {
    assert!(Address::any(AF_INET).is_any() && Address::any(AF_INET6).is_any());
    let mapped = v6(Ipv4Addr::UNSPECIFIED.to_ipv6_mapped(), 80, 0);
    assert!(read(&mapped, 28).unwrap().is_any());
    let none = read(&SOCKADDR { sa_family: AF_UNSPEC, sa_data: [0; 14] }, 16).unwrap();
    assert_eq!((none, none.family(), none.winsock_len()), (Address::UNSPECIFIED, AF_UNSPEC, 0));
    assert!(!none.is_any());
}

#[test]
fn linux_fills_addresses() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let fd = std::os::fd::AsRawFd::as_raw_fd(&listener);
    // SAFETY: the descriptor is open and the pointers come from `fill`.
    let (rc, address) = Address::fill(|name, len| unsafe { libc::getsockname(fd, name, len) });
    assert_eq!(rc, 0);
    assert_eq!(format!("{address:?}"), listener.local_addr().unwrap().to_string());

    let ((), none) = Address::fill(|_, len| {
        // SAFETY: `fill` passes its own variable.
        unsafe { *len = 0 }
    });
    assert_eq!(none, Address::UNSPECIFIED);

    let local = std::os::unix::net::UnixDatagram::unbound().unwrap();
    let fd = std::os::fd::AsRawFd::as_raw_fd(&local);
    // SAFETY: as above.
    let (_, foreign) = Address::fill(|name, len| unsafe { libc::getsockname(fd, name, len) });
    assert_eq!(foreign, Address::UNSPECIFIED, "a family that Winsock does not have here");
}
