//! getaddrinfo and getnameinfo for wide strings.

use std::ffi::CString;
use std::ptr::{null, null_mut};

use crate::c::text::{WChar, from_bytes, narrow, put, wide, wide_of};
use crate::error::set_last_error;
use crate::resolve;
use crate::types::*;

/// An entry of the list, with what it points to.
#[repr(C)]
struct Entry {
    /// First, since a program has its address.
    info: ADDRINFOW,
    address: SOCKADDR_STORAGE,
    name: Vec<WChar>,
}

fn fault(code: WSA_ERROR) -> i32 {
    set_last_error(code as u32);
    code
}

/// A wide string in UTF-8; none for null.
///
/// # Safety
/// `text` is null or ends with a zero.
unsafe fn utf8(text: *const WChar) -> Option<CString> {
    // SAFETY: the caller's promise.
    unsafe { wide(text) }.and_then(|text| CString::new(text).ok())
}

/// [`crate::getaddrinfo`] for wide strings. Its structure is that of `windows-sys`, but for the string.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_GetAddrInfoW")]
pub unsafe extern "system" fn GetAddrInfoW(
    pnodename: *const WChar,
    pservicename: *const WChar,
    phints: *const ADDRINFOW,
    ppresult: *mut *mut ADDRINFOW,
) -> i32 {
    if crate::error::is_bad(ppresult) {
        return fault(WSAEFAULT);
    }
    // SAFETY: the caller's promise; in hints the strings are null or refused, so that the two structures are the same. The
    // list is given back once.
    unsafe {
        ppresult.write(null_mut());
        let (node, service) = (utf8(pnodename), utf8(pservicename));
        let pointer = |text: &Option<CString>| text.as_ref().map_or(null(), |text| text.as_ptr().cast::<u8>());
        let mut list = null_mut();
        let code = resolve::getaddrinfo(pointer(&node), pointer(&service), phints.cast(), &mut list);
        if code == 0 {
            ppresult.write(widen(list));
            resolve::freeaddrinfo(list);
        }
        code
    }
}

/// A list with wide strings of one with narrow ones.
///
/// # Safety
/// `list` is null or one of getaddrinfo's.
unsafe fn widen(list: *const ADDRINFOA) -> *mut ADDRINFOW {
    let mut first: *mut ADDRINFOW = null_mut();
    let mut end: *mut *mut ADDRINFOW = &mut first;
    let mut next = list;
    // SAFETY: the caller's promise; each entry is ours until it is given out.
    unsafe {
        while let Some(plain) = next.as_ref() {
            let name = narrow(plain.ai_canonname);
            let mut entry = Box::new(Entry {
                info: ADDRINFOW {
                    ai_flags: plain.ai_flags,
                    ai_family: plain.ai_family,
                    ai_socktype: plain.ai_socktype,
                    ai_protocol: plain.ai_protocol,
                    ai_addrlen: plain.ai_addrlen.min(size_of::<SOCKADDR_STORAGE>()),
                    ..Default::default()
                },
                address: SOCKADDR_STORAGE::default(),
                name: name.iter().flat_map(|name| name.chars().map(WChar::from).chain([0])).collect(),
            });
            std::ptr::copy_nonoverlapping(
                plain.ai_addr.cast::<u8>(),
                (&raw mut entry.address).cast(),
                entry.info.ai_addrlen,
            );
            if !entry.name.is_empty() {
                entry.info.ai_canonname = entry.name.as_mut_ptr().cast();
            }
            let entry = Box::into_raw(entry);
            (*entry).info.ai_addr = (&raw mut (*entry).address).cast();
            *end = entry.cast();
            end = &raw mut (*entry).info.ai_next;
            next = plain.ai_next;
        }
    }
    first
}

/// Gives back a list of [`GetAddrInfoW`]. Null is allowed.
///
/// # Safety
/// `paddrinfo` is null or such a list, which nobody uses afterwards.
#[unsafe(export_name = "ws_FreeAddrInfoW")]
pub unsafe extern "system" fn FreeAddrInfoW(paddrinfo: *const ADDRINFOW) {
    let mut next = paddrinfo.cast_mut();
    while !next.is_null() {
        // SAFETY: every entry is the first field of an Entry that `widen` took out of its box.
        let entry = unsafe { Box::from_raw(next.cast::<Entry>()) };
        next = entry.info.ai_next;
    }
}

/// [`crate::getnameinfo`] for wide strings; the sizes are in characters.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_GetNameInfoW")]
pub unsafe extern "system" fn GetNameInfoW(
    psockaddr: *const SOCKADDR,
    sockaddrlength: socklen_t,
    pnodebuffer: *mut WChar,
    nodebuffersize: u32,
    pservicebuffer: *mut WChar,
    servicebuffersize: u32,
    flags: i32,
) -> i32 {
    let mut node = [0u8; NI_MAXHOST as usize];
    let mut service = [0u8; NI_MAXSERV as usize];
    let is_wanted = |place: *mut WChar, size: u32| !place.is_null() && size > 0;
    let (wants_node, wants_service) =
        (is_wanted(pnodebuffer, nodebuffersize), is_wanted(pservicebuffer, servicebuffersize));
    // SAFETY: the caller's promise; the buffers are live, and as long as is said.
    unsafe {
        let code = resolve::getnameinfo(
            psockaddr,
            sockaddrlength,
            node.as_mut_ptr(),
            if wants_node { NI_MAXHOST } else { 0 },
            service.as_mut_ptr(),
            if wants_service { NI_MAXSERV } else { 0 },
            flags,
        );
        if code != 0 {
            return code;
        }
        let fits = |bytes: &[u8], place, size: u32| {
            let text = from_bytes(bytes.split(|&byte| byte == 0).next().unwrap_or_default());
            put(&wide_of(&text), place, size as usize)
        };
        let node_fits = !wants_node || fits(&node, pnodebuffer, nodebuffersize);
        let service_fits = !wants_service || fits(&service, pservicebuffer, servicebuffersize);
        if node_fits && service_fits { 0 } else { fault(WSAEFAULT) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::c::text::units;
    use crate::testing::{last_error, start};

    fn wide_name(text: &str) -> Vec<WChar> {
        text.chars().map(WChar::from).chain([0]).collect()
    }

    #[test]
    fn names_and_addresses_in_wide_strings() {
        start();
        let (node, service) = (wide_name("127.0.0.1"), wide_name("5150"));
        let hints = ADDRINFOW { ai_flags: AI_CANONNAME as i32, ai_socktype: SOCK_STREAM, ..Default::default() };
        let mut list = null_mut();
        // SAFETY: names end with zeros, the structures are live, the list is given back once.
        unsafe {
            assert_eq!(GetAddrInfoW(node.as_ptr(), service.as_ptr(), &hints, &mut list), 0);
            let first = list.as_ref().expect("an entry");
            assert_eq!(wide(first.ai_canonname.cast()).as_deref(), Some("127.0.0.1"));
            let mut names = ([0; 64], [0; 5]);
            let ask = |names: &mut ([WChar; 64], [WChar; 5]), size| {
                let length = first.ai_addrlen as i32;
                let flags = (NI_NUMERICHOST | NI_NUMERICSERV) as i32;
                let (node, service) = (names.0.as_mut_ptr(), names.1.as_mut_ptr());
                GetNameInfoW(first.ai_addr, length, node, 64, service, size, flags)
            };
            assert_eq!((ask(&mut names, 4), last_error()), (WSAEFAULT, WSAEFAULT));
            assert_eq!(ask(&mut names, 5), 0);
            assert_eq!(wide(names.0.as_ptr()).as_deref(), Some("127.0.0.1"));
            assert_eq!(units(names.1.as_ptr()), units(service.as_ptr()));
            FreeAddrInfoW(list);
            FreeAddrInfoW(null());
            assert_eq!(GetAddrInfoW(node.as_ptr(), null(), null(), null_mut()), WSAEFAULT);
            assert_eq!(GetAddrInfoW(null(), null(), null(), &mut list), WSAHOST_NOT_FOUND);
        }
    }
}
