//! Numeric hosts, `localhost` and this machine only: no test asks a name server.
use super::*;
use crate::testing::start;

#[derive(Debug, PartialEq)]
struct Entry {
    address: String,
    socktype: i32,
    protocol: i32,
}

fn hints(flags: u32, family: ADDRESS_FAMILY, socktype: i32) -> ADDRINFOA {
    ADDRINFOA { ai_flags: flags as i32, ai_family: family.into(), ai_socktype: socktype, ..Default::default() }
}

/// The code, the entries and the canonical name.
fn resolve(
    host: Option<&CStr>,
    service: Option<&CStr>,
    hints: Option<ADDRINFOA>,
) -> Result<(Vec<Entry>, Option<String>), i32> {
    start();
    let pointer = |name: Option<&CStr>| name.map_or(null(), CStr::as_ptr).cast();
    let hints = hints.as_ref().map_or(null(), |h| &raw const *h);
    let mut list = std::ptr::dangling_mut();
    // SAFETY: names and hints are live or null, the result is writable.
    let code = unsafe { getaddrinfo(pointer(host), pointer(service), hints, &raw mut list) };
    assert_eq!(crate::error::last_error(), code as u32);
    if code != 0 {
        assert!(list.is_null());
        return Err(code);
    }
    // SAFETY: the list is live until it is freed below.
    let canonical = unsafe { list.as_ref() }
        .filter(|first| !first.ai_canonname.is_null())
        // SAFETY: a zero-terminated name that lives with the list.
        .map(|first| unsafe { CStr::from_ptr(first.ai_canonname.cast()) })
        .map(|name| name.to_str().unwrap().to_owned());
    // SAFETY: as above.
    let entries = std::iter::successors(unsafe { list.as_ref() }, |e| unsafe { e.ai_next.as_ref() })
        .map(|e| {
            // SAFETY: the entry's address has the entry's length.
            let address = unsafe { Address::read(e.ai_addr, e.ai_addrlen as i32) }.unwrap();
            assert_eq!(i32::from(address.family()), e.ai_family);
            Entry { address: format!("{address:?}"), socktype: e.ai_socktype, protocol: e.ai_protocol }
        })
        .collect();
    // SAFETY: the list came from getaddrinfo and nothing of it is used any more.
    unsafe { freeaddrinfo(list) };
    Ok((entries, canonical))
}

fn entry(address: &str, socktype: i32, protocol: i32) -> Entry {
    Entry { address: address.to_owned(), socktype, protocol }
}

#[test]
fn a_numeric_host_gives_one_entry_with_the_hints_type() {
    let any = resolve(Some(c"127.0.0.1"), Some(c"5150"), None).unwrap();
    assert_eq!(any, (vec![entry("127.0.0.1:5150", 0, 0)], None));
    let tcp = hints(0, AF_UNSPEC, SOCK_STREAM);
    let tcp = resolve(Some(c"127.0.0.1"), Some(c"5150"), Some(tcp)).unwrap();
    assert_eq!(tcp.0, [entry("127.0.0.1:5150", SOCK_STREAM, 0)]);
    let udp = ADDRINFOA { ai_protocol: IPPROTO_UDP, ..hints(0, AF_INET6, SOCK_DGRAM) };
    let udp = resolve(Some(c"::1"), None, Some(udp)).unwrap();
    assert_eq!(udp.0, [entry("[::1]:0", SOCK_DGRAM, IPPROTO_UDP)]);
}

#[test]
fn no_host_is_the_wildcard_or_loopback() {
    let passive = hints(AI_PASSIVE, AF_INET, SOCK_STREAM);
    let any = resolve(None, Some(c"80"), Some(passive)).unwrap();
    assert_eq!(any.0, [entry("0.0.0.0:80", SOCK_STREAM, 0)]);
    let loopback = resolve(None, Some(c"80"), Some(hints(0, AF_INET6, 0))).unwrap();
    assert_eq!(loopback.0, [entry("[::1]:80", 0, 0)]);
    assert_eq!(resolve(None, None, Some(passive)), Err(WSAHOST_NOT_FOUND));
}

#[test]
fn localhost_with_a_canonical_name() {
    let asked = hints(AI_CANONNAME, AF_INET, 0);
    let (entries, name) = resolve(Some(c"localhost"), None, Some(asked)).unwrap();
    assert_eq!(entries, [entry("127.0.0.1:0", 0, 0)]);
    assert!(name.is_some_and(|name| !name.is_empty()));
}

#[test]
fn the_empty_host_is_this_machine() {
    let asked = hints(AI_CANONNAME, AF_UNSPEC, SOCK_STREAM);
    let (entries, name) = resolve(Some(c""), Some(c"5150"), Some(asked)).unwrap();
    assert!(!entries.is_empty());
    for e in &entries {
        assert!(e.address.ends_with(":5150") && e.socktype == SOCK_STREAM, "{e:?}");
        let address: std::net::SocketAddr = e.address.parse().unwrap();
        assert!(!address.ip().is_unspecified());
    }
    assert_eq!(name, Some(machine_name().unwrap().into_string().unwrap()));
    assert!(resolve(Some(c""), None, None).is_ok());
    let numeric = hints(AI_NUMERICHOST, AF_UNSPEC, 0);
    assert_eq!(resolve(Some(c""), None, Some(numeric)), Err(WSAHOST_NOT_FOUND));
}

#[test]
fn what_cannot_be_resolved() {
    let local = Some(c"127.0.0.1");
    let with = |h| resolve(local, Some(c"80"), Some(h));
    let numeric = hints(AI_NUMERICHOST, AF_UNSPEC, 0);
    assert_eq!(resolve(Some(c"localhost"), None, Some(numeric)), Err(WSAHOST_NOT_FOUND));
    assert_eq!(with(hints(0, AF_INET6, 0)), Err(WSAHOST_NOT_FOUND));
    assert_eq!(with(hints(0, 10, 0)), Err(WSAEAFNOSUPPORT), "Linux's number for IPv6");
    assert_eq!(with(hints(0, AF_INET, 5)), Err(WSAESOCKTNOSUPPORT));
    let crossed = ADDRINFOA { ai_protocol: IPPROTO_UDP, ..hints(0, AF_INET, SOCK_STREAM) };
    assert_eq!(with(crossed), Err(WSAESOCKTNOSUPPORT));
    assert_eq!(with(hints(0x200, AF_INET, 0)), Err(WSAEINVAL), "a flag that does not exist");
    assert_eq!(with(hints(AI_CANONNAME | ws::AI_FQDN, AF_INET, 0)), Err(WSAEINVAL));
    assert_eq!(resolve(None, Some(c"80"), Some(hints(AI_CANONNAME, 0, 0))), Err(WSAEINVAL));
    let stray = ADDRINFOA { ai_addrlen: 16, ..Default::default() };
    assert_eq!(with(stray), Err(WSANO_RECOVERY));
    let tcp = || Some(hints(0, AF_INET, SOCK_STREAM));
    assert_eq!(resolve(local, Some(c"65536"), tcp()), Err(WSATYPE_NOT_FOUND));
    assert_eq!(resolve(local, Some(c"no-such-service"), tcp()), Err(WSATYPE_NOT_FOUND));
    start();
    // SAFETY: a null result is refused.
    let code = unsafe { getaddrinfo(c"::1".as_ptr().cast(), null(), null(), null_mut()) };
    assert_eq!(code, WSAEFAULT);
    // SAFETY: null is allowed.
    unsafe { freeaddrinfo(null()) };
}

#[test]
fn windows_own_flags_change_nothing() {
    let flags = ws::AI_SECURE | ws::AI_DNS_ONLY | AI_NUMERICHOST | AI_NUMERICSERV;
    let found = resolve(Some(c"127.0.0.1"), Some(c"7"), Some(hints(flags, 0, 0))).unwrap();
    assert_eq!(found.0, [entry("127.0.0.1:7", 0, 0)]);
}

#[test]
fn the_resolvers_codes() {
    let rows = [
        (0, 0),
        (libc::EAI_AGAIN, 11002),
        (libc::EAI_BADFLAGS, 10022),
        (libc::EAI_FAIL, 11003),
        (libc::EAI_FAMILY, 10047),
        (libc::EAI_MEMORY, 8),
        (-5, 11004),
        (libc::EAI_NONAME, 11001),
        (-9, 11001),
        (libc::EAI_SERVICE, 10109),
        (libc::EAI_SOCKTYPE, 10044),
        (libc::EAI_OVERFLOW, 10014),
        (-105, 11003),
    ];
    for (eai, wsa) in rows {
        assert_eq!(check(eai).err().map_or(0, |WsaError(code)| code), wsa, "EAI {eai}");
    }
}

/// The code, and the two names as the buffers hold them.
fn name_of(host: &CStr, port: &CStr, room: (usize, usize), flags: u32) -> Result<(String, String), i32> {
    start();
    let mut list = null_mut();
    // SAFETY: the names are live, the result is writable.
    let code = unsafe { getaddrinfo(host.as_ptr().cast(), port.as_ptr().cast(), null(), &raw mut list) };
    assert_eq!(code, 0);
    let mut node = [1_u8; 64];
    let mut service = [1_u8; 64];
    // SAFETY: the list is live until it is freed, the buffers are at least as long as said.
    let code = unsafe {
        let code = getnameinfo(
            (*list).ai_addr,
            (*list).ai_addrlen as socklen_t,
            if room.0 == 0 { null_mut() } else { node.as_mut_ptr() },
            room.0 as u32,
            service.as_mut_ptr(),
            room.1 as u32,
            flags as i32,
        );
        freeaddrinfo(list);
        code
    };
    assert_eq!(crate::error::last_error(), code as u32);
    let text = |b: &[u8]| CStr::from_bytes_until_nul(b).map_or("", |t| t.to_str().unwrap()).into();
    if code == 0 { Ok((text(&node), text(&service))) } else { Err(code) }
}

#[test]
fn addresses_back_to_numbers() {
    let numbers = NI_NUMERICHOST | NI_NUMERICSERV;
    let pair = |host: &str, service: &str| Ok((host.to_owned(), service.to_owned()));
    assert_eq!(name_of(c"127.0.0.1", c"5150", (64, 64), numbers), pair("127.0.0.1", "5150"));
    assert_eq!(name_of(c"::1", c"7", (64, 64), numbers), pair("::1", "7"));
    assert_eq!(name_of(c"::1", c"7", (0, 64), numbers), pair("", "7"));
    assert_eq!(name_of(c"127.0.0.1", c"7", (9, 64), numbers), Err(WSAEFAULT));
    assert_eq!(name_of(c"127.0.0.1", c"5150", (64, 4), numbers), Err(WSAEFAULT));
    assert_eq!(name_of(c"127.0.0.1", c"7", (0, 0), numbers), Err(WSAHOST_NOT_FOUND));
    assert_eq!(name_of(c"127.0.0.1", c"7", (64, 64), 0x4000), Err(WSAEINVAL));
}

#[test]
fn bad_addresses_have_no_name() {
    start();
    let name = |family, len: socklen_t| {
        let address = SOCKADDR { sa_family: family, sa_data: [0; 14] };
        let mut node = [0_u8; 64];
        // SAFETY: the address is 16 bytes long and no case claims more; the buffer is as long as said.
        unsafe { getnameinfo(&raw const address, len, node.as_mut_ptr(), 64, null_mut(), 0, 0) }
    };
    assert_eq!(name(AF_INET, 15), WSAEFAULT);
    assert_eq!(name(AF_INET6, 16), WSAEFAULT);
    assert_eq!(name(1, 16), WSAEAFNOSUPPORT);
    assert_eq!(name(AF_UNSPEC, 16), WSAEAFNOSUPPORT);
    // SAFETY: null is refused.
    let null_address = unsafe { getnameinfo(null(), 16, null_mut(), 0, null_mut(), 0, 0) };
    assert_eq!(null_address, WSAEFAULT);
}
