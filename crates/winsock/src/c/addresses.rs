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
/// last one fills what is left. No blanks.
fn parse_v4(text: &str) -> Option<Ipv4Addr> {
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

/// The IPv4 address that a text means, in network byte order. White space and what follows it are passed over; a text that
/// begins with it, or has nothing else, is no address (N1).
///
/// # Errors
/// INADDR_NONE for what is no address, with the last error left alone, and for null, with WSAEFAULT.
///
/// # Safety
/// `cp` is null or ends with a zero.
#[unsafe(export_name = "ws_inet_addr")]
pub unsafe extern "system" fn inet_addr(cp: PCSTR) -> u32 {
    // SAFETY: the caller's promise.
    let Some(text) = (unsafe { narrow(cp) }) else {
        set_last_error(WSAEFAULT as u32);
        return INADDR_NONE;
    };
    // C's white space, not Unicode's.
    let address = text.split([' ', '\t', '\n', '\x0b', '\x0c', '\r']).next().and_then(parse_v4);
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

/// A port of text, decimal, octal or hexadecimal as the numbers of an address; 0 is none.
fn parse_port(text: &str) -> Option<u16> {
    number(text).and_then(|port| u16::try_from(port).ok()).filter(|&port| port != 0)
}

/// An IPv4 address with or without a port.
fn parse_socket_v4(text: &str) -> Option<SOCKADDR_IN> {
    let (ip, port) = match text.split_once(':') {
        Some((ip, port)) => (ip, parse_port(port)?),
        None => (text, 0),
    };
    let mut address = SOCKADDR_IN { sin_family: AF_INET, sin_port: port.to_be(), ..Default::default() };
    address.sin_addr.S_un.S_addr = u32::from_ne_bytes(parse_v4(ip)?.octets());
    Some(address)
}

/// An IPv6 address, its scope and its port, which only one in brackets can have.
fn parse_socket_v6(text: &str) -> Option<SOCKADDR_IN6> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']')? {
            (host, "") => (host, 0),
            (host, port) => (host, parse_port(port.strip_prefix(':')?)?),
        },
        None => (text, 0),
    };
    let (ip, scope) = match host.split_once('%') {
        // `parse` would take a sign.
        Some((ip, scope)) if !scope.starts_with('+') => (ip, scope.parse().ok()?),
        Some(_) => return None,
        None => (host, 0),
    };
    let mut address = SOCKADDR_IN6 { sin6_family: AF_INET6, sin6_port: port.to_be(), ..Default::default() };
    address.sin6_addr.u.Byte = ip.parse::<Ipv6Addr>().ok()?.octets();
    address.Anonymous.sin6_scope_id = scope;
    Some(address)
}

/// Fills a socket address: with zeros if there is none. The length becomes the family's.
///
/// # Safety
/// `length` is readable and writable, `place` writable for as many bytes.
unsafe fn put_address<T: Default>(address: Option<T>, place: *mut SOCKADDR, length: *mut i32) -> WsaResult<()> {
    let size = size_of::<T>() as i32;
    let found = address.is_some();
    // SAFETY: the caller's promise; nothing is written that the length does not cover.
    let fits = unsafe {
        let fits = std::mem::replace(&mut *length, size) >= size;
        if fits {
            place.cast::<T>().write_unaligned(address.unwrap_or_default());
        }
        fits
    };
    if !found {
        return fail(WSAEINVAL);
    }
    if fits { Ok(()) } else { fail(WSAEFAULT) }
}

/// # Safety
/// `length` is bad (null) or readable and writable, `address` bad or writable for as many bytes.
unsafe fn string_to_address(text: Option<String>, family: i32, address: *mut SOCKADDR, length: *mut i32) -> i32 {
    let convert = || {
        require_started()?;
        let Some(text) = text else { return fail(WSAEINVAL) };
        if text.is_empty() || is_bad(address) || is_bad(length) {
            return fail(WSAEFAULT);
        }
        let text = Some(text.as_str()).filter(|text| text.len() <= LONGEST);
        // SAFETY: neither is bad, so the caller vouches for both.
        unsafe {
            match u16::try_from(family) {
                Ok(AF_INET) => put_address(text.and_then(parse_socket_v4), address, length),
                Ok(AF_INET6) => put_address(text.and_then(parse_socket_v6), address, length),
                _ => fail(WSAEINVAL),
            }
        }
    };
    finish(convert())
}

/// Fills a socket address from text such as WSAAddressToString writes.
///
/// # Errors
/// SOCKET_ERROR with WSANOTINITIALISED, WSAEINVAL for another family or what is no address of it, WSAEFAULT for an empty text,
/// null, or too small an address; the length is then what is needed. Blanks and port 0 make no address, which is then
/// zeros (N3).
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
mod tests;
