//! Addresses as text, and back.

use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::c::text::{WChar, narrow, put, wide, wide_of};
use crate::error::{WsaResult, fail, finish, is_bad, set_last_error};
use crate::startup::require_started;
use crate::types::*;

/// The longest text of an address: IPv6 with a scope and a port.
const LONGEST: usize = "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255%4294967295]:65535".len();

/// An IPv4 address of text: four numbers or fewer with dots between, decimal, octal (`017`) or hexadecimal (`0x1f`). The
/// last one fills what is left. A single space is the address 0, as in Windows.
fn parse_v4(text: &str) -> Option<Ipv4Addr> {
    let text = text.split(char::is_whitespace).next().filter(|_| !text.is_empty())?;
    if text.is_empty() {
        return Some(Ipv4Addr::UNSPECIFIED);
    }
    let parts = text.split('.').map(number).collect::<Option<Vec<u32>>>()?;
    let (last, front) = parts.split_last()?;
    if front.len() > 3 || front.iter().any(|&part| part > 255) {
        return None;
    }
    let rest = 8 * (4 - front.len() as u32);
    if rest < 32 && *last >= 1 << rest {
        return None;
    }
    let front = front.iter().enumerate().fold(0, |all, (at, part)| all | part << (24 - 8 * at));
    Some(Ipv4Addr::from(front | last))
}

fn number(text: &str) -> Option<u32> {
    // `from_str_radix` would take a sign.
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None if text.len() > 1 && text.starts_with('0') => u32::from_str_radix(text, 8).ok(),
        None => text.parse().ok(),
    }
}

/// The IPv4 address that a text means, in network byte order.
///
/// # Errors
/// INADDR_NONE for null and for what is no address; the last error is left alone.
///
/// # Safety
/// `cp` is null or ends with a zero.
#[unsafe(export_name = "ws_inet_addr")]
pub unsafe extern "system" fn inet_addr(cp: PCSTR) -> u32 {
    // SAFETY: the caller's promise.
    let address = unsafe { narrow(cp) }.and_then(|text| parse_v4(&text));
    address.map_or(INADDR_NONE, |address| u32::from_ne_bytes(address.octets()))
}

/// An IPv4 address as text, in memory of the thread's that its next call writes over.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_inet_ntoa")]
pub unsafe extern "system" fn inet_ntoa(r#in: IN_ADDR) -> PSTR {
    const ROOM: usize = "255.255.255.255".len() + 1;
    thread_local! {
        static TEXT: Cell<[u8; ROOM]> = const { Cell::new([0; ROOM]) };
    }
    // SAFETY: every member of the union is four bytes that may have any value.
    let text = Ipv4Addr::from(unsafe { r#in.S_un.S_addr }.to_ne_bytes()).to_string();
    let place = TEXT.with(Cell::as_ptr).cast::<u8>();
    // SAFETY: the place is the thread's, as large as the longest address with its zero, and nobody borrows it.
    unsafe { put(text.as_bytes(), place, ROOM) };
    place
}

/// An address of a family by the text of one: four decimal numbers, or IPv6 without a scope.
fn parse(family: i32, text: &str) -> WsaResult<Option<IpAddr>> {
    match u16::try_from(family) {
        Ok(AF_INET) => Ok(text.parse().ok().map(IpAddr::V4)),
        Ok(AF_INET6) => Ok(text.parse().ok().map(IpAddr::V6)),
        _ => fail(WSAEAFNOSUPPORT),
    }
}

/// # Safety
/// `place` is bad (null) or writable for an address of the family.
unsafe fn presentation_to_network(family: i32, text: Option<String>, place: *mut core::ffi::c_void) -> i32 {
    let parsed = match text {
        Some(text) if !is_bad(place) => parse(family, &text),
        _ => fail(WSAEFAULT),
    };
    match parsed {
        // SAFETY: the caller's promise.
        Ok(Some(IpAddr::V4(address))) => unsafe { place.cast::<[u8; 4]>().write(address.octets()) },
        // SAFETY: the caller's promise.
        Ok(Some(IpAddr::V6(address))) => unsafe { place.cast::<[u8; 16]>().write(address.octets()) },
        Ok(None) => return 0,
        Err(error) => return finish(Err(error)),
    }
    1
}

/// Writes the address that a text means, in network byte order. Answers 1, or 0 if it is no address of the family.
///
/// # Errors
/// -1 with WSAEAFNOSUPPORT, WSAEFAULT.
///
/// # Safety
/// `pszaddrstring` is null or ends with a zero; `paddrbuf` is null or writable for an address of the family.
#[unsafe(export_name = "ws_inet_pton")]
pub unsafe extern "system" fn inet_pton(family: i32, pszaddrstring: PCSTR, paddrbuf: *mut core::ffi::c_void) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { presentation_to_network(family, narrow(pszaddrstring), paddrbuf) }
}

/// [`inet_pton`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_InetPtonW")]
pub unsafe extern "system" fn InetPtonW(
    family: i32,
    pszaddrstring: *const WChar,
    paddrbuf: *mut core::ffi::c_void,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { presentation_to_network(family, wide(pszaddrstring), paddrbuf) }
}

/// # Safety
/// `address` is bad (null) or readable for an address of the family.
unsafe fn text_of(family: i32, address: *const core::ffi::c_void) -> WsaResult<String> {
    let family = match u16::try_from(family) {
        Ok(family @ (AF_INET | AF_INET6)) => family,
        _ => return fail(WSAEAFNOSUPPORT),
    };
    if is_bad(address) {
        return fail(WSA_INVALID_PARAMETER);
    }
    // SAFETY: the caller's promise.
    Ok(unsafe {
        match family {
            AF_INET => Ipv4Addr::from(address.cast::<[u8; 4]>().read()).to_string(),
            _ => Ipv6Addr::from(address.cast::<[u8; 16]>().read()).to_string(),
        }
    })
}

/// # Safety
/// `place` is bad (null) or writable for `size` units.
unsafe fn put_text<T: Copy + Default>(text: WsaResult<Vec<T>>, place: *mut T, size: usize) -> *mut T {
    let code = match text {
        // SAFETY: the caller's promise.
        Ok(text) if unsafe { put(&text, place, size) } => return place,
        Ok(_) => WSA_INVALID_PARAMETER,
        Err(error) => error.0,
    };
    set_last_error(code as u32);
    std::ptr::null_mut()
}

/// Writes an address as text, and answers where.
///
/// # Errors
/// Null with WSAEAFNOSUPPORT, WSA_INVALID_PARAMETER for null or too small a buffer.
///
/// # Safety
/// `paddr` is null or readable for an address of the family, `pstringbuf` null or writable for `stringbufsize` bytes.
#[unsafe(export_name = "ws_inet_ntop")]
pub unsafe extern "system" fn inet_ntop(
    family: i32,
    paddr: *const core::ffi::c_void,
    pstringbuf: PSTR,
    stringbufsize: usize,
) -> PCSTR {
    // SAFETY: the caller's promise.
    unsafe { put_text(text_of(family, paddr).map(String::into_bytes), pstringbuf, stringbufsize) }
}

/// [`inet_ntop`] for wide strings.
///
/// # Safety
/// As there, with `stringbufsize` in characters.
#[unsafe(export_name = "ws_InetNtopW")]
pub unsafe extern "system" fn InetNtopW(
    family: i32,
    paddr: *const core::ffi::c_void,
    pstringbuf: *mut WChar,
    stringbufsize: usize,
) -> *const WChar {
    // SAFETY: the caller's promise.
    unsafe { put_text(text_of(family, paddr).map(|text| wide_of(&text)), pstringbuf, stringbufsize) }
}

/// A socket address as text: `1.2.3.4:80`, `[fe80::1%2]:80`; a port of 0 is left out.
///
/// # Safety
/// `address` is bad (null) or readable for `length` bytes.
unsafe fn socket_address_text(address: *const SOCKADDR, length: u32) -> WsaResult<String> {
    require_started()?;
    if is_bad(address) || (length as usize) < size_of::<ADDRESS_FAMILY>() {
        return fail(WSAEFAULT);
    }
    // SAFETY: the caller's promise; each family is read as far as the length says.
    unsafe {
        match address.cast::<ADDRESS_FAMILY>().read_unaligned() {
            AF_INET if length as usize >= size_of::<SOCKADDR_IN>() => {
                let address = address.cast::<SOCKADDR_IN>().read_unaligned();
                let ip = Ipv4Addr::from(address.sin_addr.S_un.S_addr.to_ne_bytes());
                Ok(match u16::from_be(address.sin_port) {
                    0 => ip.to_string(),
                    port => format!("{ip}:{port}"),
                })
            }
            AF_INET6 if length as usize >= size_of::<SOCKADDR_IN6>() => {
                let address = address.cast::<SOCKADDR_IN6>().read_unaligned();
                let mut text = Ipv6Addr::from(address.sin6_addr.u.Byte).to_string();
                if address.Anonymous.sin6_scope_id != 0 {
                    text += &format!("%{}", address.Anonymous.sin6_scope_id);
                }
                Ok(match u16::from_be(address.sin6_port) {
                    0 => text,
                    port => format!("[{text}]:{port}"),
                })
            }
            AF_INET | AF_INET6 => fail(WSAEFAULT),
            _ => fail(WSAEINVAL),
        }
    }
}

/// # Safety
/// `size` is bad (null) or readable and writable, `place` bad or writable for as many units.
unsafe fn give_text<T: Copy + Default>(text: WsaResult<Vec<T>>, place: *mut T, size: *mut u32) -> i32 {
    finish(text.and_then(|text| {
        if is_bad(place) || is_bad(size) {
            return fail(WSAEFAULT);
        }
        // SAFETY: the caller's promise.
        unsafe {
            let room = std::mem::replace(&mut *size, text.len() as u32 + 1);
            if put(&text, place, room as usize) { Ok(()) } else { fail(WSAEFAULT) }
        }
    }))
}

/// Writes a socket address as text, with its port unless that is 0. The length counts the zero at the end, also in the
/// answer.
///
/// # Errors
/// SOCKET_ERROR with WSANOTINITIALISED, WSAEINVAL for another family, WSAEFAULT for null, too short an address or too small
/// a buffer; the length is then what is needed.
///
/// # Safety
/// `lpsaaddress` is null or readable for `dwaddresslength` bytes, `lpdwaddressstringlength` null or readable and writable,
/// `lpszaddressstring` null or writable for as many characters. The description of a protocol is ignored.
#[unsafe(export_name = "ws_WSAAddressToStringA")]
pub unsafe extern "system" fn WSAAddressToStringA(
    lpsaaddress: *const SOCKADDR,
    dwaddresslength: u32,
    _lpprotocolinfo: *const WSAPROTOCOL_INFOA,
    lpszaddressstring: PSTR,
    lpdwaddressstringlength: *mut u32,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        let text = socket_address_text(lpsaaddress, dwaddresslength).map(String::into_bytes);
        give_text(text, lpszaddressstring, lpdwaddressstringlength)
    }
}

/// [`WSAAddressToStringA`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_WSAAddressToStringW")]
pub unsafe extern "system" fn WSAAddressToStringW(
    lpsaaddress: *const SOCKADDR,
    dwaddresslength: u32,
    _lpprotocolinfo: *const WSAPROTOCOL_INFOW,
    lpszaddressstring: *mut WChar,
    lpdwaddressstringlength: *mut u32,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        let text = socket_address_text(lpsaaddress, dwaddresslength).map(|text| wide_of(&text));
        give_text(text, lpszaddressstring, lpdwaddressstringlength)
    }
}

/// An IPv4 address with or without a port.
fn parse_socket_v4(text: &str) -> Option<(Ipv4Addr, u16)> {
    let (ip, port) = match text.split_once(':') {
        Some((ip, port)) => (ip, port.parse().ok()?),
        None => (text, 0),
    };
    Some((parse_v4(ip)?, port))
}

/// An IPv6 address, its scope and its port, which only one in brackets can have.
fn parse_socket_v6(text: &str) -> Option<(Ipv6Addr, u32, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']')? {
            (host, "") => (host, 0),
            (host, port) => (host, port.strip_prefix(':')?.parse().ok()?),
        },
        None => (text, 0),
    };
    let (ip, scope) = match host.split_once('%') {
        Some((ip, scope)) => (ip, scope.parse().ok()?),
        None => (host, 0),
    };
    Some((ip.parse().ok()?, scope, port))
}

/// # Safety
/// `length` is bad (null) or readable and writable, `address` bad or writable for as many bytes.
unsafe fn string_to_address(text: Option<String>, family: i32, address: *mut SOCKADDR, length: *mut i32) -> i32 {
    let convert = || {
        require_started()?;
        let Some(text) = text.filter(|text| text.len() <= LONGEST) else { return fail(WSAEINVAL) };
        if is_bad(address) || is_bad(length) {
            return fail(WSAEFAULT);
        }
        // SAFETY: the caller's promise; nothing is written that the length does not cover.
        unsafe {
            match u16::try_from(family) {
                Ok(AF_INET) => {
                    let Some((ip, port)) = parse_socket_v4(&text) else { return fail(WSAEINVAL) };
                    let size = size_of::<SOCKADDR_IN>() as i32;
                    if std::mem::replace(&mut *length, size) < size {
                        return fail(WSAEFAULT);
                    }
                    let mut place = SOCKADDR_IN { sin_family: AF_INET, sin_port: port.to_be(), ..Default::default() };
                    place.sin_addr.S_un.S_addr = u32::from_ne_bytes(ip.octets());
                    address.cast::<SOCKADDR_IN>().write_unaligned(place);
                }
                Ok(AF_INET6) => {
                    let Some((ip, scope, port)) = parse_socket_v6(&text) else { return fail(WSAEINVAL) };
                    let size = size_of::<SOCKADDR_IN6>() as i32;
                    if std::mem::replace(&mut *length, size) < size {
                        return fail(WSAEFAULT);
                    }
                    let mut place =
                        SOCKADDR_IN6 { sin6_family: AF_INET6, sin6_port: port.to_be(), ..Default::default() };
                    place.sin6_addr.u.Byte = ip.octets();
                    place.Anonymous.sin6_scope_id = scope;
                    address.cast::<SOCKADDR_IN6>().write_unaligned(place);
                }
                _ => return fail(WSAEINVAL),
            }
        }
        Ok(())
    };
    finish(convert())
}

/// Fills a socket address from text such as WSAAddressToString writes.
///
/// # Errors
/// SOCKET_ERROR with WSANOTINITIALISED, WSAEINVAL for another family or what is no address of it, WSAEFAULT for null or too
/// small an address; the length is then what is needed.
///
/// # Safety
/// `addressstring` is null or ends with a zero; `lpaddresslength` is null or readable and writable, `lpaddress` null or
/// writable for as many bytes. The description of a protocol is ignored.
#[unsafe(export_name = "ws_WSAStringToAddressA")]
pub unsafe extern "system" fn WSAStringToAddressA(
    addressstring: PCSTR,
    addressfamily: i32,
    _lpprotocolinfo: *const WSAPROTOCOL_INFOA,
    lpaddress: *mut SOCKADDR,
    lpaddresslength: *mut i32,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { string_to_address(narrow(addressstring), addressfamily, lpaddress, lpaddresslength) }
}

/// [`WSAStringToAddressA`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_WSAStringToAddressW")]
pub unsafe extern "system" fn WSAStringToAddressW(
    addressstring: *const WChar,
    addressfamily: i32,
    _lpprotocolinfo: *const WSAPROTOCOL_INFOW,
    lpaddress: *mut SOCKADDR,
    lpaddresslength: *mut i32,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { string_to_address(wide(addressstring), addressfamily, lpaddress, lpaddresslength) }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;
    use crate::testing::{last_error, start};

    #[test]
    fn old_forms_of_an_address_are_understood() {
        let cases = [
            (c"127.0.0.1", [127, 0, 0, 1]),
            (c"127.1", [127, 0, 0, 1]),
            (c"10.258", [10, 0, 1, 2]),
            (c"0x7f.0.0.01", [127, 0, 0, 1]),
            (c"2130706433", [127, 0, 0, 1]),
            (c"192.168.1.2 ", [192, 168, 1, 2]),
            (c" ", [0, 0, 0, 0]),
        ];
        for (text, bytes) in cases {
            // SAFETY: the text ends with a zero.
            assert_eq!(unsafe { inet_addr(text.as_ptr().cast()) }.to_ne_bytes(), bytes, "{text:?}");
        }
        for text in [c"", c"256.1.1.1", c"1.2.3.4.5", c"1.2.3.256", c"localhost", c"1..2", c"+1.2.3.4", c"4294967296"] {
            // SAFETY: the text ends with a zero.
            assert_eq!(unsafe { inet_addr(text.as_ptr().cast()) }, INADDR_NONE, "{text:?}");
        }
        // SAFETY: null is allowed; the answer is read before the next call.
        unsafe {
            assert_eq!(inet_addr(std::ptr::null()), INADDR_NONE);
            let address = IN_ADDR { S_un: IN_ADDR_0 { S_addr: u32::from_ne_bytes([255, 255, 255, 255]) } };
            assert_eq!(CStr::from_ptr(inet_ntoa(address).cast()), c"255.255.255.255");
        }
    }

    #[test]
    fn addresses_of_both_families_go_to_text_and_back() {
        // SAFETY: buffers of the sizes that are said, texts that end with a zero.
        unsafe {
            let mut bytes = [0u8; 16];
            assert_eq!(inet_pton(AF_INET6.into(), c"fe80::1".as_ptr().cast(), bytes.as_mut_ptr().cast()), 1);
            let mut text: [WChar; 8] = [0; 8];
            let end = InetNtopW(AF_INET6.into(), bytes.as_ptr().cast(), text.as_mut_ptr(), 8);
            assert_eq!(wide(end).as_deref(), Some("fe80::1"));
            assert!(InetNtopW(AF_INET6.into(), bytes.as_ptr().cast(), text.as_mut_ptr(), 7).is_null());
            assert_eq!(last_error(), WSA_INVALID_PARAMETER);
            assert_eq!(inet_pton(AF_INET.into(), c"127.1".as_ptr().cast(), bytes.as_mut_ptr().cast()), 0);
            assert_eq!(inet_pton(99, c"127.1".as_ptr().cast(), bytes.as_mut_ptr().cast()), -1);
            assert_eq!(last_error(), WSAEAFNOSUPPORT);
            assert_eq!(inet_pton(AF_INET.into(), std::ptr::null(), bytes.as_mut_ptr().cast()), -1);
            assert_eq!(last_error(), WSAEFAULT);
        }
    }

    #[test]
    fn socket_addresses_go_to_text_and_back() {
        start();
        for (family, text) in
            [(AF_INET, c"1.2.3.4:80"), (AF_INET, c"1.2.3.4"), (AF_INET6, c"[fe80::1%3]:80"), (AF_INET6, c"::1")]
        {
            // SAFETY: the address and the buffer are live, and as long as is said.
            unsafe {
                let mut address = SOCKADDR_STORAGE::default();
                let mut length = size_of::<SOCKADDR_STORAGE>() as i32;
                let place = (&raw mut address).cast::<SOCKADDR>();
                let null = std::ptr::null();
                assert_eq!(WSAStringToAddressA(text.as_ptr().cast(), family.into(), null, place, &mut length), 0);
                let mut written = [0u8; 64];
                let mut size = text.count_bytes() as u32;
                let convert = |written: &mut [u8; 64], size: &mut u32| {
                    WSAAddressToStringA(place, length as u32, null, written.as_mut_ptr(), size)
                };
                assert_eq!((convert(&mut written, &mut size), last_error()), (SOCKET_ERROR, WSAEFAULT));
                assert_eq!(size as usize, text.count_bytes() + 1, "what is needed");
                assert_eq!(convert(&mut written, &mut size), 0);
                assert_eq!(CStr::from_bytes_until_nul(&written), Ok(text));
            }
        }
        for (family, text) in
            [(AF_INET, c"1.2.3.4:x"), (AF_INET, c"::1"), (AF_INET6, c"[::1]80"), (AF_UNSPEC, c"1.2.3.4")]
        {
            let (mut address, mut length) = (SOCKADDR_STORAGE::default(), size_of::<SOCKADDR_STORAGE>() as i32);
            // SAFETY: as above.
            let code = unsafe {
                let place = (&raw mut address).cast();
                WSAStringToAddressA(text.as_ptr().cast(), family.into(), std::ptr::null(), place, &mut length)
            };
            assert_eq!((code, last_error()), (SOCKET_ERROR, WSAEINVAL), "{text:?}");
        }
    }
}
