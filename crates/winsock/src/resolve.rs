//! Names to addresses and back, over the system's resolver.
//!
//! The resolver is libc's, so it follows the machine's own configuration. What is translated here are the flags, the
//! families, the layout of the list, the error codes, and those answers that Winsock gives differently: one entry per
//! address instead of one per socket type, and the host's own addresses for the empty name.

mod codes;

use std::ffi::{CStr, CString};
use std::ptr::{null, null_mut};

use crate::types as ws;

use crate::address::Address;
use crate::error::{WsaError, WsaResult, fail, set_last_error};
use crate::port::blocking;
use crate::resolve::codes::{ADDRESS_FLAGS, IGNORED_ADDRESS_FLAGS, NAME_FLAGS, check, linux_flags};
use crate::startup::require_started;
use crate::types::*;

/// Resolves a host name and a service name to a list of socket addresses.
///
/// Either name may be null, not both. A null host means the local host: the wildcard address with `AI_PASSIVE`, else
/// loopback. The empty host name means every address of this machine. An entry's socket type and protocol are those
/// of the hints; where the hints leave the type open and the service is given by name, there is one entry for each
/// type that the service is known for.
///
/// The list belongs to the caller, who gives it back with [`freeaddrinfo`].
///
/// Differs from Windows: names go to the system's resolver as bytes (UTF-8), and the flags that steer Windows's own
/// name services (`AI_SECURE`, `AI_FILESERVER` and their like) are accepted and change nothing.
///
/// # Errors
/// The answer is 0 or the code, which is the last error too.
/// * `WSANOTINITIALISED`: no [`WSAStartup`](crate::WSAStartup) yet.
/// * `WSAHOST_NOT_FOUND`: no such host, or both names are null.
/// * `WSANO_DATA`: the host has no address of the family.
/// * `WSATRY_AGAIN`: the name server did not answer.
/// * `WSANO_RECOVERY`: the resolver failed, or the hints set a member that must be zero.
/// * `WSATYPE_NOT_FOUND`: no such service for the socket type.
/// * `WSAEAFNOSUPPORT`, `WSAESOCKTNOSUPPORT`, `WSAEINVAL`: the hints' family, type or flags.
/// * `WSA_NOT_ENOUGH_MEMORY`; `WSAEFAULT`: `ppresult` is null.
///
/// # Safety
/// The names are null or zero-terminated; `phints` is null or points to an `ADDRINFOA`; `ppresult` is null or
/// writable.
///
/// ```
/// use winsock::*;
/// // SAFETY: the pointers lead to live values, and the list is given back once.
/// unsafe {
///     let mut data = WSADATA::default();
///     WSAStartup(0x0202, &mut data);
///     let mut list = std::ptr::null_mut();
///     let code = getaddrinfo(c"127.0.0.1".as_ptr().cast(), c"5150".as_ptr().cast(), std::ptr::null(), &mut list);
///     assert_eq!(code, 0);
///     assert_eq!((*list).ai_family, AF_INET.into());
///     freeaddrinfo(list);
///     WSACleanup();
/// }
/// ```
#[doc(alias = "GetAddrInfoA")]
#[unsafe(export_name = "ws_getaddrinfo")]
pub unsafe extern "system" fn getaddrinfo(
    pnodename: PCSTR,
    pservicename: PCSTR,
    phints: *const ADDRINFOA,
    ppresult: *mut *mut ADDRINFOA,
) -> i32 {
    if !ppresult.is_null() {
        // SAFETY: not null, so the caller made it writable.
        unsafe { ppresult.write(null_mut()) };
    }
    // SAFETY: the caller's pointers, with the caller's promises.
    let found = unsafe { request(pnodename, pservicename, phints) }
        .and_then(|request| if ppresult.is_null() { fail(WSAEFAULT) } else { request.resolve() });
    answer(found.map(|nodes| {
        // SAFETY: `request.resolve` was only reached with a writable `ppresult`.
        unsafe { ppresult.write(chain(nodes)) }
    }))
}

/// Gives back a list that [`getaddrinfo`] made. Null is allowed.
///
/// # Errors
/// None.
///
/// # Safety
/// `paddrinfo` is null or came from [`getaddrinfo`] of this library, and neither it nor anything that its entries
/// point to is used afterwards.
#[doc(alias = "FreeAddrInfoA")]
#[unsafe(export_name = "ws_freeaddrinfo")]
pub unsafe extern "system" fn freeaddrinfo(paddrinfo: *const ADDRINFOA) {
    let mut entry = paddrinfo.cast_mut();
    while !entry.is_null() {
        // SAFETY: every entry is the first field of a Node that `chain` took out of its box, and the caller gives the
        // list back once.
        let node = unsafe { Box::from_raw(entry.cast::<Node>()) };
        entry = node.info.ai_next;
    }
}

/// Answers the host name and the service name of a socket address, or either one.
///
/// A null or empty buffer means that the name is not wanted. Without a name in the resolver the host is written as a
/// number, unless `NI_NAMEREQD` is set.
///
/// Differs from Windows: the interface of a link-local IPv6 address is written by its name (`fe80::1%eth0`), not by
/// its number.
///
/// # Errors
/// The answer is 0 or the code, which is the last error too.
/// * `WSANOTINITIALISED`: no [`WSAStartup`](crate::WSAStartup) yet.
/// * `WSAEFAULT`: the address is null or too short for its family, or a buffer is too small for its name.
/// * `WSAEAFNOSUPPORT`: the address is neither IPv4 nor IPv6.
/// * `WSAHOST_NOT_FOUND`: `NI_NAMEREQD` and no name, or neither name is wanted.
/// * `WSATRY_AGAIN`, `WSANO_RECOVERY`: the name server did not answer, the resolver failed.
/// * `WSAEINVAL`: unknown flags.
///
/// # Safety
/// `psockaddr` is null or readable for `sockaddrlength` bytes; each buffer is null or writable for its size in bytes.
#[doc(alias = "GetNameInfoA")]
#[unsafe(export_name = "ws_getnameinfo")]
pub unsafe extern "system" fn getnameinfo(
    psockaddr: *const SOCKADDR,
    sockaddrlength: socklen_t,
    pnodebuffer: PSTR,
    nodebuffersize: u32,
    pservicebuffer: PSTR,
    servicebuffersize: u32,
    flags: i32,
) -> i32 {
    answer(require_started().and_then(|()| {
        // SAFETY: the caller's pointer and length.
        let address = unsafe { Address::read(psockaddr, sockaddrlength) }?;
        if address.family() == AF_UNSPEC {
            return fail(WSAEAFNOSUPPORT);
        }
        let flags = linux_flags(flags, NAME_FLAGS, 0)?;
        let node = Buffer::new(pnodebuffer, nodebuffersize);
        let service = Buffer::new(pservicebuffer, servicebuffersize);
        if node.size == 0 && service.size == 0 {
            return fail(WSAHOST_NOT_FOUND);
        }
        let _elsewhere = blocking();
        // SAFETY: the address is ours, and each buffer is as long as the caller says or has length 0.
        check(unsafe {
            libc::getnameinfo(
                address.as_ptr(),
                address.len(),
                node.place,
                node.size,
                service.place,
                service.size,
                flags,
            )
        })
    }))
}

/// Where a name is to go: null and 0 if it is not wanted.
struct Buffer {
    place: *mut libc::c_char,
    size: u32,
}

impl Buffer {
    fn new(place: PSTR, size: u32) -> Self {
        if place.is_null() || size == 0 {
            Self { place: null_mut(), size: 0 }
        } else {
            Self { place: place.cast(), size }
        }
    }
}

/// An entry of a list and what it points to, in one allocation.
#[repr(C)]
struct Node {
    /// First, since `freeaddrinfo` gets a pointer to this and frees the whole.
    info: ADDRINFOA,
    address: SOCKADDR_IN6,
    canonical_name: Option<CString>,
}

const _: () = assert!(std::mem::offset_of!(Node, info) == 0);

impl Node {
    fn new(address: Address, socktype: i32, protocol: i32) -> Self {
        let info = ADDRINFOA {
            ai_family: address.family().into(),
            ai_socktype: socktype,
            ai_protocol: protocol,
            ai_addrlen: address.winsock_len() as usize,
            ..Default::default()
        };
        let mut node = Self { info, address: Default::default(), canonical_name: None };
        let mut room = size_of::<SOCKADDR_IN6>() as i32;
        // SAFETY: the field is as long as `room` says.
        let fits = unsafe { address.write((&raw mut node.address).cast(), &raw mut room) };
        debug_assert!(fits.is_ok(), "no address is longer than an IPv6 one");
        node
    }
}

/// Links the nodes and hands them over as one list.
fn chain(nodes: Vec<Node>) -> *mut ADDRINFOA {
    let mut next = null_mut();
    for node in nodes.into_iter().rev() {
        let node = Box::into_raw(Box::new(node));
        // SAFETY: the node is ours alone until the list is handed over. The pointers into it are made from the one to
        // the whole node, which lives until `freeaddrinfo`.
        unsafe {
            (*node).info.ai_addr = (&raw mut (*node).address).cast();
            (*node).info.ai_canonname = match &(*node).canonical_name {
                Some(name) => name.as_ptr().cast_mut().cast(),
                None => null_mut(),
            };
            (*node).info.ai_next = next;
        }
        next = node.cast();
    }
    next
}

/// What a caller of `getaddrinfo` wants, checked and with Linux's flags and family.
struct Request<'a> {
    host: Option<&'a CStr>,
    service: Option<&'a CStr>,
    flags: i32,
    family: i32,
    socktype: i32,
    protocol: i32,
}

/// Checks what a program asked for, in Winsock's order.
///
/// # Safety
/// The names are null or zero-terminated; `hints` is null or points to an ADDRINFOA. All outlive `'a`.
unsafe fn request<'a>(host: PCSTR, service: PCSTR, hints: *const ADDRINFOA) -> WsaResult<Request<'a>> {
    require_started()?;
    if host.is_null() && service.is_null() {
        return fail(WSAHOST_NOT_FOUND);
    }
    let text = |name: PCSTR| {
        // SAFETY: null or zero-terminated, says the caller.
        (!name.is_null()).then(|| unsafe { CStr::from_ptr(name.cast()) })
    };
    // SAFETY: null or a live ADDRINFOA, says the caller.
    let hints = unsafe { hints.as_ref() }.copied().unwrap_or_default();
    if hints.ai_addrlen != 0 || !hints.ai_canonname.is_null() || !hints.ai_addr.is_null() || !hints.ai_next.is_null() {
        return fail(WSANO_RECOVERY);
    }
    let flags = linux_flags(hints.ai_flags, ADDRESS_FLAGS, IGNORED_ADDRESS_FLAGS)?;
    let both_names = (AI_CANONNAME | ws::AI_FQDN) as i32;
    if flags & libc::AI_CANONNAME != 0 && (host.is_null() || hints.ai_flags & both_names == both_names) {
        return fail(WSAEINVAL);
    }
    let family = match u16::try_from(hints.ai_family) {
        Ok(AF_UNSPEC) => libc::AF_UNSPEC,
        Ok(AF_INET) => libc::AF_INET,
        Ok(AF_INET6) => libc::AF_INET6,
        _ => return fail(WSAEAFNOSUPPORT),
    };
    if !matches!(hints.ai_socktype, 0 | SOCK_STREAM | SOCK_DGRAM | SOCK_RAW) {
        return fail(WSAESOCKTNOSUPPORT);
    }
    Ok(Request {
        host: text(host),
        service: text(service),
        flags,
        family,
        socktype: hints.ai_socktype,
        protocol: hints.ai_protocol,
    })
}

impl Request<'_> {
    fn resolve(&self) -> WsaResult<Vec<Node>> {
        if self.port().is_some_and(|port| port > u16::MAX.into()) {
            return fail(WSATYPE_NOT_FOUND);
        }
        match self.host {
            Some(host) if host.is_empty() => self.resolve_this_machine(),
            host => self.resolve_host(host),
        }
    }

    fn resolve_host(&self, host: Option<&CStr>) -> WsaResult<Vec<Node>> {
        let list = self.ask(host, self.service, self.flags)?;
        let mut nodes: Vec<_> =
            list.entries().filter(|entry| self.wants(entry)).map(|entry| self.node(address_of(entry), entry)).collect();
        let Some(first) = nodes.first_mut() else { return fail(WSAHOST_NOT_FOUND) };
        first.canonical_name = list.canonical_name();
        Ok(nodes)
    }

    /// The empty host name: the service at every address of this machine.
    fn resolve_this_machine(&self) -> WsaResult<Vec<Node>> {
        if self.flags & libc::AI_NUMERICHOST != 0 {
            return fail(WSAHOST_NOT_FOUND);
        }
        // Without a host the resolver answers loopback, with the service's ports and types; a canonical name it could
        // not give, and no service at all it would refuse.
        let flags = self.flags & !libc::AI_CANONNAME;
        let services = self.ask(None, Some(self.service.unwrap_or(c"0")), flags)?;
        let mut nodes = Vec::new();
        for address in machine_addresses(self.family)? {
            for entry in services.entries().filter(|entry| self.wants(entry)) {
                let service = address_of(entry);
                if service.family() == address.family() {
                    nodes.push(self.node(address.with_port(service.port()), entry));
                }
            }
        }
        let Some(first) = nodes.first_mut() else { return fail(WSAHOST_NOT_FOUND) };
        if self.flags & libc::AI_CANONNAME != 0 {
            first.canonical_name = Some(machine_name()?);
        }
        Ok(nodes)
    }

    /// Asks the system's resolver.
    fn ask(&self, host: Option<&CStr>, service: Option<&CStr>, flags: i32) -> WsaResult<LibcList> {
        // The resolver would repeat each address for every type; where the type does not matter one is enough.
        let any_type_will_do = self.socktype == 0 && self.protocol == 0 && !self.names_a_service();
        let hints = libc::addrinfo {
            ai_flags: flags,
            ai_family: self.family,
            ai_socktype: if any_type_will_do { libc::SOCK_STREAM } else { self.socktype },
            ai_protocol: self.protocol,
            ai_addrlen: 0,
            ai_addr: null_mut(),
            ai_canonname: null_mut(),
            ai_next: null_mut(),
        };
        let pointer = |name: Option<&CStr>| name.map_or(null(), CStr::as_ptr);
        let mut list = null_mut();
        let _elsewhere = blocking();
        // SAFETY: the names are null or zero-terminated, the hints and the result are live.
        check(unsafe { libc::getaddrinfo(pointer(host), pointer(service), &raw const hints, &raw mut list) })?;
        Ok(LibcList(list))
    }

    /// Windows lists no raw sockets unless asked for.
    fn wants(&self, entry: &libc::addrinfo) -> bool {
        self.socktype == SOCK_RAW || entry.ai_socktype != libc::SOCK_RAW
    }

    fn node(&self, address: Address, entry: &libc::addrinfo) -> Node {
        let socktype = if self.names_a_service() { entry.ai_socktype } else { self.socktype };
        Node::new(address, socktype, self.protocol)
    }

    fn names_a_service(&self) -> bool {
        self.service.is_some() && self.port().is_none()
    }

    /// The service as a number, if it is one.
    fn port(&self) -> Option<u64> {
        let service = self.service?.to_bytes();
        if !service.iter().all(u8::is_ascii_digit) {
            return None;
        }
        // No digit at all is port 0, as in strtoul; a number too long to hold is merely too large.
        let digit = |sum: u64, d: &u8| sum.saturating_mul(10).saturating_add((d - b'0').into());
        Some(service.iter().fold(0, digit))
    }
}

/// A list of libc's, freed with it.
struct LibcList(*mut libc::addrinfo);

impl LibcList {
    fn entries(&self) -> impl Iterator<Item = &libc::addrinfo> {
        // SAFETY: libc's list is live and unchanged as long as `self` is.
        let first = unsafe { self.0.as_ref() };
        // SAFETY: as above, for each link.
        std::iter::successors(first, |entry| unsafe { entry.ai_next.as_ref() })
    }

    fn canonical_name(&self) -> Option<CString> {
        let name = self.entries().next()?.ai_canonname;
        // SAFETY: libc writes null or a zero-terminated name that lives with the list.
        (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }.to_owned())
    }
}

impl Drop for LibcList {
    fn drop(&mut self) {
        // SAFETY: the list came from libc's getaddrinfo and is freed once.
        unsafe { libc::freeaddrinfo(self.0) }
    }
}

fn address_of(entry: &libc::addrinfo) -> Address {
    // SAFETY: libc's entry holds an address of that length.
    unsafe { Address::from_libc(entry.ai_addr, entry.ai_addrlen) }
}

/// The addresses of this machine's interfaces that are up; loopback only if there is no other.
pub(crate) fn machine_addresses(family: i32) -> WsaResult<Vec<Address>> {
    let mut list = null_mut();
    // SAFETY: `list` is writable.
    if unsafe { libc::getifaddrs(&raw mut list) } != 0 {
        return Err(WsaError::last_os());
    }
    let (mut addresses, mut loopback) = (Vec::new(), Vec::new());
    // SAFETY: the list lives until freeifaddrs below.
    let first = unsafe { list.as_ref() };
    // SAFETY: as above, for each link.
    for entry in std::iter::successors(first, |entry| unsafe { entry.ifa_next.as_ref() }) {
        // SAFETY: null or a live address.
        let Some(name) = (unsafe { entry.ifa_addr.as_ref() }) else { continue };
        let (found, size) = match i32::from(name.sa_family) {
            f @ libc::AF_INET => (f, size_of::<libc::sockaddr_in>()),
            f @ libc::AF_INET6 => (f, size_of::<libc::sockaddr_in6>()),
            _ => continue,
        };
        let flags = entry.ifa_flags as i32;
        if flags & libc::IFF_UP == 0 || (family != libc::AF_UNSPEC && family != found) {
            continue;
        }
        // SAFETY: an interface's address has its family's size.
        let address = unsafe { Address::from_libc(entry.ifa_addr, size as libc::socklen_t) };
        let kind = if flags & libc::IFF_LOOPBACK != 0 { &mut loopback } else { &mut addresses };
        kind.push(address);
    }
    // SAFETY: the list came from getifaddrs and is freed once.
    unsafe { libc::freeifaddrs(list) };
    Ok(if addresses.is_empty() { loopback } else { addresses })
}

fn machine_name() -> WsaResult<CString> {
    // The kernel's limit is 64; a name that were cut would still be terminated by the zeros behind it.
    let mut name = [0_u8; 256];
    // SAFETY: the buffer is one byte longer than the length given.
    if unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1) } != 0 {
        return Err(WsaError::last_os());
    }
    CStr::from_bytes_until_nul(&name).map(CStr::to_owned).or(fail(WSANO_RECOVERY))
}

/// Ends a function of this module: they answer the code itself and set the last error to it.
fn answer(r: WsaResult<()>) -> i32 {
    let code = r.err().map_or(0, |WsaError(code)| code);
    set_last_error(code as u32);
    code
}

#[cfg(test)]
mod tests;
