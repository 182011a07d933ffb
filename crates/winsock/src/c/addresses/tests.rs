use std::ffi::{CStr, CString};

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
        (c"0", [0, 0, 0, 0]),
        (c"1.2.3.000000000000000000004", [1, 2, 3, 4]),
    ];
    for (text, bytes) in cases {
        // SAFETY: the text ends with a zero.
        assert_eq!(unsafe { inet_addr(text.as_ptr().cast()) }.to_ne_bytes(), bytes, "{text:?}");
    }
    for text in [
        c"256.1.1.1",
        c"1.2.3.4.5",
        c"1.2.3.256",
        c"localhost",
        c"1..2",
        c"+1.2.3.4",
        c"1.2.3.-4",
        c"4294967296",
        c"0x",
        c"08",
        c"1.65536.1",
        c"1.2.3.",
        c".1",
        c"040000000000",
        c"1.2.3.4x",
        c"\xef\xbc\x91.2.3.4",
    ] {
        // SAFETY: the text ends with a zero.
        assert_eq!(unsafe { inet_addr(text.as_ptr().cast()) }, INADDR_NONE, "{text:?}");
    }
    // SAFETY: the answer is read before the next call.
    unsafe {
        let address = IN_ADDR { S_un: IN_ADDR_0 { S_addr: u32::from_ne_bytes([255, 255, 255, 255]) } };
        assert_eq!(CStr::from_ptr(inet_ntoa(address).cast()), c"255.255.255.255");
    }
}

#[test]
fn n1_white_space_may_follow_an_address_but_is_none() {
    for space in [" ", "\t", "\n", "\u{b}", "\u{c}", "\r", "  "] {
        let convert = |text: String| {
            let text = CString::new(text).expect("no zero in it");
            set_last_error(1);
            // SAFETY: the text ends with a zero.
            (unsafe { inet_addr(text.as_ptr().cast()) }, last_error())
        };
        let address = u32::from_ne_bytes([1, 2, 3, 4]);
        assert_eq!(convert(format!("1.2.3.4{space}")), (address, 1), "{space:?}");
        assert_eq!(convert(format!("1.2.3.4{space}x")), (address, 1), "{space:?}");
        for text in [format!("{space}1.2.3.4"), space.to_owned(), format!("1.{space}2.3.4"), String::new()] {
            assert_eq!(convert(text.clone()), (INADDR_NONE, 1), "{text:?}");
        }
    }
    // U+00A0, U+0085 in UTF-8 and in Latin-1, U+2003: not C's.
    for space in [&b"\xc2\xa0"[..], b"\xc2\x85", b"\xa0", b"\x85", b"\xe2\x80\x83"] {
        for text in [[space, b"1.2.3.4\0"].concat(), [b"1.2.3.4", space, b"\0"].concat(), [space, b"\0"].concat()] {
            // SAFETY: the text ends with a zero.
            assert_eq!(unsafe { inet_addr(text.as_ptr()) }, INADDR_NONE, "{text:?}");
        }
    }
    // SAFETY: null is allowed.
    assert_eq!((unsafe { inet_addr(std::ptr::null()) }, last_error()), (INADDR_NONE, WSAEFAULT));
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
}

#[test]
fn n3_what_is_no_socket_address_becomes_zeros() {
    start();
    let convert = |family: u16, text: &CStr| {
        let mut address = SOCKADDR_STORAGE { ss_family: 99, __ss_pad2: [9; 112], ..Default::default() };
        let mut length = size_of::<SOCKADDR_STORAGE>() as i32;
        let place = (&raw mut address).cast();
        // SAFETY: the address and the text are live, and as long as is said.
        let code =
            unsafe { WSAStringToAddressA(text.as_ptr().cast(), family.into(), std::ptr::null(), place, &mut length) };
        // SAFETY: the family and the port lie where they do in every address.
        let (family, port) = unsafe { (address.ss_family, u16::from_be((*place.cast::<SOCKADDR_IN>()).sin_port)) };
        (code, family, port, length)
    };
    for (family, text) in [
        (AF_INET, c"1.2.3.4:x"),
        (AF_INET, c"1.2.3.4:"),
        (AF_INET, c"1.2.3.4:0"),
        (AF_INET, c"1.2.3.4:+80"),
        (AF_INET, c"1.2.3.4:65536"),
        (AF_INET, c"1.2.3.4: 80"),
        (AF_INET, c"1.2.3.4:80 "),
        (AF_INET, c"1.2.3.4 "),
        (AF_INET, c" 1.2.3.4"),
        (AF_INET, c" "),
        (AF_INET, c"1 .2.3.4"),
        (AF_INET, c"\xc2\xa01.2.3.4"),
        (AF_INET, c"::1"),
        (AF_INET6, c"[::1]80"),
        (AF_INET6, c"[::1]:0"),
        (AF_INET6, c" ::1"),
        (AF_INET6, c"::1 "),
        (AF_INET6, c"::1%+1"),
        (AF_INET6, c"::1%"),
        (AF_INET6, c"[::1]:+80"),
        (AF_INET6, c"1.2.3.4"),
    ] {
        let size = if family == AF_INET { size_of::<SOCKADDR_IN>() } else { size_of::<SOCKADDR_IN6>() };
        assert_eq!(convert(family, text), (SOCKET_ERROR, 0, 0, size as i32), "{text:?}");
        assert_eq!(last_error(), WSAEINVAL, "{text:?}");
    }
    for (text, port) in [(c"1.2.3.4:0x50", 80), (c"1.2.3.4:010", 8), (c"0x7f.1:65535", 65535)] {
        assert_eq!(convert(AF_INET, text), (0, AF_INET, port, size_of::<SOCKADDR_IN>() as i32), "{text:?}");
    }
    assert_eq!(convert(AF_INET6, c"[::1]:0x50").2, 80);
    assert_eq!((convert(AF_UNSPEC, c"1.2.3.4").0, last_error()), (SOCKET_ERROR, WSAEINVAL));
    assert_eq!((convert(AF_INET, c"").0, last_error()), (SOCKET_ERROR, WSAEFAULT));
}
