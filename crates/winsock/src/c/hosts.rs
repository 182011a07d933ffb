//! Names of hosts, services and protocols, as before getaddrinfo: the answers lie in memory of the calling thread's, until
//! its next call.

use core::ffi::c_char;
use std::cell::RefCell;
use std::ffi::{CStr, CString};
use std::ptr::{null, null_mut};

use ranked_locks::{Mutex, rank};

use crate::error::{WsaError, WsaResult, fail, finish, is_bad, set_last_error, wsa_from_errno};
use crate::port::blocking;
use crate::resolve::{freeaddrinfo, getaddrinfo, getnameinfo};
use crate::startup::require_started;
use crate::types::*;

/// What an answer points to.
struct Answer<T> {
    value: T,
    _name: CString,
    /// Texts of aliases, protocols and addresses, and the lists of pointers to them.
    _texts: Vec<CString>,
    _addresses: Vec<[u8; 4]>,
    _lists: [Vec<*mut c_char>; 2],
}

thread_local! {
    static HOST: RefCell<Option<Answer<HOSTENT>>> = const { RefCell::new(None) };
    static SERVICE: RefCell<Option<Answer<SERVENT>>> = const { RefCell::new(None) };
    static PROTOCOL: RefCell<Option<Answer<PROTOENT>>> = const { RefCell::new(None) };
}

/// Keeps an answer for the calling thread, and says where it is; null, with the last error, for a failure.
fn keep<T>(place: &'static std::thread::LocalKey<RefCell<Option<Answer<T>>>>, answer: WsaResult<Answer<T>>) -> *mut T {
    match answer {
        Ok(answer) => {
            set_last_error(ERROR_SUCCESS);
            place
                .try_with(|kept| {
                    let mut kept = kept.borrow_mut();
                    &raw mut kept.insert(answer).value
                })
                .unwrap_or(null_mut())
        }
        Err(WsaError(code)) => {
            set_last_error(code as u32);
            null_mut()
        }
    }
}

fn host(name: CString, mut addresses: Vec<[u8; 4]>) -> Answer<HOSTENT> {
    let mut pointers: Vec<*mut c_char> = addresses.iter_mut().map(|address| address.as_mut_ptr().cast()).collect();
    pointers.push(null_mut());
    let mut lists = [vec![null_mut()], pointers];
    let value = HOSTENT {
        h_name: name.as_ptr().cast_mut().cast(),
        h_aliases: lists[0].as_mut_ptr(),
        h_addrtype: AF_INET as i16,
        h_length: 4,
        h_addr_list: lists[1].as_mut_ptr(),
    };
    // Moving the vectors leaves what they point to in its place.
    Answer { value, _name: name, _texts: Vec::new(), _addresses: addresses, _lists: lists }
}

/// The IPv4 addresses of a host, and its full name.
///
/// # Errors
/// Null with WSAHOST_NOT_FOUND, WSANO_DATA, WSATRY_AGAIN, WSANO_RECOVERY, WSANOTINITIALISED.
///
/// # Safety
/// `name` is null, which means this host, or ends with a zero.
#[unsafe(export_name = "ws_gethostbyname")]
pub unsafe extern "system" fn gethostbyname(name: PCSTR) -> *mut HOSTENT {
    let own = c"";
    let name = if name.is_null() { own.as_ptr().cast() } else { name };
    if is_bad(name) {
        return keep(&HOST, fail(WSAEFAULT));
    }
    let hints = ADDRINFOA {
        ai_family: AF_INET.into(),
        ai_socktype: SOCK_STREAM,
        ai_flags: AI_CANONNAME as i32,
        ..Default::default()
    };
    let mut list = null_mut();
    // SAFETY: the caller's promise; the hints and the list are live.
    let code = unsafe { getaddrinfo(name, null(), &hints, &mut list) };
    if code != 0 {
        return keep(&HOST, fail(code));
    }
    let mut addresses = Vec::new();
    let mut full = None;
    let mut entry = list;
    // SAFETY: a list of getaddrinfo's, with addresses of the family that was asked for; it is given back once.
    unsafe {
        while let Some(info) = entry.as_ref() {
            if !info.ai_canonname.is_null() {
                full.get_or_insert_with(|| CStr::from_ptr(info.ai_canonname.cast()).to_owned());
            }
            addresses.push((*info.ai_addr.cast::<SOCKADDR_IN>()).sin_addr.S_un.S_addr.to_ne_bytes());
            entry = info.ai_next;
        }
        freeaddrinfo(list);
    }
    // SAFETY: the caller's promise.
    let full = full.unwrap_or_else(|| unsafe { CStr::from_ptr(name.cast()) }.to_owned());
    keep(&HOST, Ok(host(full, addresses)))
}

/// The name of a host by its IPv4 address.
///
/// # Errors
/// Null with WSAHOST_NOT_FOUND, WSAEFAULT for null or too short an address, WSAEAFNOSUPPORT for another family, and as
/// [`gethostbyname`].
///
/// # Safety
/// `addr` is null or readable for `len` bytes.
#[unsafe(export_name = "ws_gethostbyaddr")]
pub unsafe extern "system" fn gethostbyaddr(addr: PCSTR, len: i32, r#type: i32) -> *mut HOSTENT {
    let find = || {
        require_started()?;
        if r#type != i32::from(AF_INET) {
            return fail(WSAEAFNOSUPPORT);
        }
        if is_bad(addr) || len < 4 {
            return fail(WSAEFAULT);
        }
        // SAFETY: the caller's promise.
        let bytes = unsafe { addr.cast::<[u8; 4]>().read() };
        let mut address = SOCKADDR_IN { sin_family: AF_INET, ..Default::default() };
        address.sin_addr.S_un.S_addr = u32::from_ne_bytes(bytes);
        let mut name = [0u8; NI_MAXHOST as usize];
        // SAFETY: the address and the buffer are live, and as long as is said.
        let code = unsafe {
            let size = size_of::<SOCKADDR_IN>() as i32;
            let flags = NI_NAMEREQD as i32;
            getnameinfo((&raw const address).cast(), size, name.as_mut_ptr(), NI_MAXHOST, null_mut(), 0, flags)
        };
        match CStr::from_bytes_until_nul(&name) {
            Ok(name) if code == 0 => Ok(host(name.to_owned(), vec![bytes])),
            _ => fail(if code == 0 { WSANO_RECOVERY } else { code }),
        }
    };
    keep(&HOST, find())
}

/// Writes the name of this host.
///
/// # Errors
/// SOCKET_ERROR with WSAEFAULT for null or too small a buffer, WSANOTINITIALISED.
///
/// # Safety
/// `name` is null or writable for `namelen` bytes.
#[unsafe(export_name = "ws_gethostname")]
pub unsafe extern "system" fn gethostname(name: PSTR, namelen: i32) -> i32 {
    let ask = || {
        require_started()?;
        let own = own_name()?;
        let bytes = own.to_bytes_with_nul();
        if is_bad(name) || usize::try_from(namelen).unwrap_or(0) < bytes.len() {
            return fail(WSAEFAULT);
        }
        // SAFETY: the caller's promise; there is room.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), name, bytes.len()) };
        Ok(())
    };
    finish(ask())
}

/// The name of this host.
pub(super) fn own_name() -> WsaResult<CString> {
    let mut name = [0u8; 256];
    // SAFETY: the buffer is live, and as long as is said.
    if unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len()) } != 0 {
        return fail(wsa_from_errno(crate::error::last_errno()));
    }
    CStr::from_bytes_until_nul(&name).map(CStr::to_owned).or(fail(WSAEFAULT))
}

/// The C library keeps its answers in one place for all threads.
static DATABASE: Mutex<(), rank::Leaf> = Mutex::new(());

/// A list of strings of the C library's, copied.
///
/// # Safety
/// `list` is null or ends with null, and its strings end with zeros.
unsafe fn strings(list: *const *mut c_char) -> Vec<CString> {
    if list.is_null() {
        return Vec::new();
    }
    // SAFETY: the caller's promise.
    unsafe {
        (0..).map(|at| *list.add(at)).take_while(|text| !text.is_null()).map(|text| CStr::from_ptr(text).to_owned())
    }
    .collect()
}

/// Pointers to strings, with null at the end.
fn pointers(texts: &[CString]) -> Vec<*mut c_char> {
    texts.iter().map(|text| text.as_ptr().cast_mut()).chain([null_mut()]).collect()
}

/// An argument for the C library: null for a bad pointer.
fn optional(text: PCSTR) -> *const c_char {
    if is_bad(text) { null() } else { text.cast() }
}

/// Looks in the services of this host.
///
/// # Safety
/// `ask` answers what the C library does.
unsafe fn service(ask: impl FnOnce() -> *mut libc::servent) -> *mut SERVENT {
    let find = || {
        require_started()?;
        let _elsewhere = blocking();
        let _database = DATABASE.lock();
        // SAFETY: the C library's answer stays as it is while nobody else asks.
        let (name, mut texts, protocol, port) = unsafe {
            let Some(found) = ask().as_ref() else { return fail(WSANO_DATA) };
            let name = CStr::from_ptr(found.s_name).to_owned();
            (name, strings(found.s_aliases), CStr::from_ptr(found.s_proto).to_owned(), found.s_port as i16)
        };
        let mut lists = [pointers(&texts), Vec::new()];
        let value = SERVENT {
            s_name: name.as_ptr().cast_mut().cast(),
            s_aliases: lists[0].as_mut_ptr(),
            s_proto: protocol.as_ptr().cast_mut().cast(),
            s_port: port,
        };
        texts.push(protocol);
        Ok(Answer { value, _name: name, _texts: texts, _addresses: Vec::new(), _lists: lists })
    };
    keep(&SERVICE, find())
}

/// A service by its name and, unless that is null, its protocol.
///
/// # Errors
/// Null with WSANO_DATA, WSAEFAULT for null, WSANOTINITIALISED.
///
/// # Safety
/// Both are null or end with a zero.
#[unsafe(export_name = "ws_getservbyname")]
pub unsafe extern "system" fn getservbyname(name: PCSTR, proto: PCSTR) -> *mut SERVENT {
    if is_bad(name) {
        return keep(&SERVICE, fail(WSAEFAULT));
    }
    // SAFETY: the caller's promise.
    unsafe { service(|| libc::getservbyname(name.cast(), optional(proto))) }
}

/// A service by its port, in network byte order, and, unless that is null, its protocol.
///
/// # Errors
/// As for [`getservbyname`].
///
/// # Safety
/// `proto` is null or ends with a zero.
#[unsafe(export_name = "ws_getservbyport")]
pub unsafe extern "system" fn getservbyport(port: i32, proto: PCSTR) -> *mut SERVENT {
    // SAFETY: the caller's promise.
    unsafe { service(|| libc::getservbyport(port, optional(proto))) }
}

/// Looks in the protocols of this host.
///
/// # Safety
/// `ask` answers what the C library does.
unsafe fn protocol(ask: impl FnOnce() -> *mut libc::protoent) -> *mut PROTOENT {
    let find = || {
        require_started()?;
        let _database = DATABASE.lock();
        // SAFETY: the C library's answer stays as it is while nobody else asks.
        let (name, texts, number) = unsafe {
            let Some(found) = ask().as_ref() else { return fail(WSANO_DATA) };
            (CStr::from_ptr(found.p_name).to_owned(), strings(found.p_aliases), found.p_proto as i16)
        };
        let mut lists = [pointers(&texts), Vec::new()];
        let value =
            PROTOENT { p_name: name.as_ptr().cast_mut().cast(), p_aliases: lists[0].as_mut_ptr(), p_proto: number };
        Ok(Answer { value, _name: name, _texts: texts, _addresses: Vec::new(), _lists: lists })
    };
    keep(&PROTOCOL, find())
}

/// A protocol by its name.
///
/// # Errors
/// As for [`getservbyname`].
///
/// # Safety
/// `name` is null or ends with a zero.
#[unsafe(export_name = "ws_getprotobyname")]
pub unsafe extern "system" fn getprotobyname(name: PCSTR) -> *mut PROTOENT {
    if is_bad(name) {
        return keep(&PROTOCOL, fail(WSAEFAULT));
    }
    // SAFETY: the caller's promise.
    unsafe { protocol(|| libc::getprotobyname(name.cast())) }
}

/// A protocol by its number.
///
/// # Errors
/// As for [`getservbyname`].
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_getprotobynumber")]
pub unsafe extern "system" fn getprotobynumber(number: i32) -> *mut PROTOENT {
    // SAFETY: the C library takes any number.
    unsafe { protocol(|| libc::getprotobynumber(number)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr::without_provenance;

    use crate::testing::{last_error, start};

    #[test]
    fn this_host_has_a_name_and_loopback_an_address() {
        start();
        let mut name = [0u8; 256];
        // SAFETY: the buffer is as long as is said; the answers are read before the next call.
        unsafe {
            assert_eq!(gethostname(name.as_mut_ptr(), 256), 0);
            let length = name.iter().position(|&byte| byte == 0).expect("its end") as i32;
            assert!(length > 0);
            assert_eq!((gethostname(name.as_mut_ptr(), length), last_error()), (SOCKET_ERROR, WSAEFAULT));
            assert_eq!((gethostname(null_mut(), 256), last_error()), (SOCKET_ERROR, WSAEFAULT));
            let host = gethostbyname(c"127.0.0.1".as_ptr().cast()).as_ref().expect("loopback");
            assert_eq!((host.h_addrtype, host.h_length), (AF_INET as i16, 4));
            assert_eq!(*(*host.h_addr_list).cast::<[u8; 4]>(), [127, 0, 0, 1]);
            assert!((*host.h_addr_list.add(1)).is_null() && (*host.h_aliases).is_null());
            assert_eq!(CStr::from_ptr(host.h_name.cast()), c"127.0.0.1");
            assert!(gethostbyname(c"no such host".as_ptr().cast()).is_null());
            assert_eq!(last_error(), WSAHOST_NOT_FOUND);
            assert!(!gethostbyname(null()).is_null(), "this host");
            assert!(gethostbyname(without_provenance(77)).is_null());
            assert_eq!(last_error(), WSAEFAULT);
            assert!(gethostbyaddr(null(), 4, AF_INET.into()).is_null());
            assert_eq!(last_error(), WSAEFAULT);
            assert!(gethostbyaddr(null(), 4, AF_INET6.into()).is_null());
            assert_eq!(last_error(), WSAEAFNOSUPPORT);
        }
    }

    #[test]
    fn services_and_protocols_are_those_of_the_machine() {
        start();
        let has = |path: &str, word: &str| std::fs::read_to_string(path).is_ok_and(|text| text.contains(word));
        // SAFETY: names end with zeros; the answers are read before the next call.
        unsafe {
            let service = getservbyname(c"http".as_ptr().cast(), c"tcp".as_ptr().cast());
            assert_eq!(service.is_null(), !has("/etc/services", "80/tcp"));
            if let Some(service) = service.as_ref() {
                assert_eq!(u16::from_be(service.s_port as u16), 80);
                assert_eq!(CStr::from_ptr(service.s_proto.cast()), c"tcp");
                let same = getservbyport(i32::from(80u16.to_be()), null()).as_ref().expect("the same");
                assert_eq!(CStr::from_ptr(same.s_name.cast()), c"http");
            }
            assert!(getservbyname(c"no such service".as_ptr().cast(), null()).is_null());
            assert_eq!(last_error(), WSANO_DATA);
            let protocol = getprotobyname(c"udp".as_ptr().cast());
            assert_eq!(protocol.is_null(), !has("/etc/protocols", "udp"));
            if let Some(protocol) = protocol.as_ref() {
                assert_eq!(protocol.p_proto, 17);
                assert!(!getprotobynumber(17).is_null());
            }
            assert!(getprotobyname(null()).is_null());
            assert_eq!(last_error(), WSAEFAULT);
        }
    }
}
