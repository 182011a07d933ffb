//! Functions that programs in C call: addresses as text (N), locks and the C runtime (W).
#![forbid(unsafe_code)]

use conformance::raw::{SlimLock, inet_addr_of, startup, string_to_address};
use conformance::{nap, until};
use pentaport::sys;
use std::ffi::{CStr, CString};
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::thread;

fn text(text: &str) -> CString {
    CString::new(text).expect("no zero in it")
}

#[test]
fn n1_no_address_begins_with_white_space() {
    let address = u32::from_ne_bytes([3, 4, 5, 6]);
    for space in [" ", "\t", "\n", "\r", "\u{b}", "\u{c}", "  "] {
        for refused in [format!("{space}3.4.5.6"), format!("3.{space}4.5.6")] {
            assert_eq!(inet_addr_of(Some(&text(&refused))), (sys::INADDR_NONE, 0), "{refused:?}");
        }
        for taken in [format!("3.4.5.6{space}"), format!("3.4.5.6{space}x")] {
            assert_eq!(inet_addr_of(Some(&text(&taken))), (address, 0), "{taken:?}");
        }
    }
    for refused in ["", "\t", "3.4.5.6x", "256.1.1.1", "4294967296", "+3.4.5.6", "\u{a0}3.4.5.6", "\u{a0}"] {
        assert_eq!(inet_addr_of(Some(&text(refused))), (sys::INADDR_NONE, 0), "{refused:?}");
    }
}

#[cfg_attr(windows, ignore = "Wine 8: inet_addr of a blank is 0, and of null sets no error (N1)")]
#[test]
fn n1_a_blank_and_null_are_no_address() {
    assert_eq!(inet_addr_of(Some(c" ")), (sys::INADDR_NONE, 0));
    assert_eq!(inet_addr_of(None), (sys::INADDR_NONE, sys::WSAEFAULT));
}

/// What makes no socket address, beside the empty text.
const REFUSED: [&CStr; 10] = [
    c"3.4.5.6:0",
    c"3.4.5.6 ",
    c" 3.4.5.6",
    c" ",
    c"3.4.5.6:80 ",
    c"3.4.5.6: 80",
    c"3.4.5.6:+80",
    c"3.4.5.6:65536",
    c"3.4.5.6:",
    c"3.4.5.6x",
];

#[test]
fn n3_socket_addresses_have_no_blanks_and_no_port_0() {
    startup();
    for refused in REFUSED {
        assert_eq!(string_to_address(refused).0, Err(sys::WSAEINVAL), "{refused:?}");
    }
    for (text, port) in [(c"3.4.5.6", 0), (c"3.4.5.6:0x50", 80), (c"3.4.5.6:010", 8), (c"3.4.5.6:65535", 65535)] {
        let (outcome, family, address, length) = string_to_address(text);
        assert_eq!((outcome, family, length), (Ok(()), sys::AF_INET, size_of::<sys::SOCKADDR_IN>() as i32), "{text:?}");
        assert_eq!(address, SocketAddrV4::new([3, 4, 5, 6].into(), port), "{text:?}");
    }
}

#[cfg_attr(windows, ignore = "Wine 8: the address has what was read before the fault, the length is left (N3)")]
#[test]
fn n3_what_is_no_socket_address_is_zeros() {
    startup();
    let nothing = SocketAddrV4::new([0; 4].into(), 0);
    for refused in REFUSED {
        let (outcome, family, address, length) = string_to_address(refused);
        let expected = (Err(sys::WSAEINVAL), 0, nothing, size_of::<sys::SOCKADDR_IN>() as i32);
        assert_eq!((outcome, family, address, length), expected, "{refused:?}");
    }
    assert_eq!(string_to_address(c"").0, Err(sys::WSAEFAULT));
}

#[test]
fn w1_a_slim_lock_is_released_by_another_thread() {
    // How the lock is held and how often, and how the thread that holds it wants it besides.
    for (held, times, wanted) in [(true, 1, false), (true, 3, false), (false, 1, true), (false, 1, false)] {
        let lock = Arc::new(SlimLock::default());
        (0..times).for_each(|_| lock.acquire(held));
        let waiting = Arc::clone(&lock);
        let waiter = thread::spawn(move || {
            waiting.acquire(wanted);
            waiting.release(wanted);
        });
        nap();
        let released = Arc::clone(&lock);
        thread::spawn(move || (0..times).for_each(|_| released.release(held))).join().expect("nothing panics");
        until("the waiter has had the lock", || waiter.is_finished());
        assert!(lock.try_acquire(false), "free");
        assert!(!lock.try_acquire(true) && !lock.try_acquire(false));
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn w9_a_va_list_is_used_again() {
    let printed = conformance::raw::vsnprintf_again(3, c"%d %s", 42, c"text");
    assert_eq!(printed, ["42 text", "42 text", "42 text"]);
}
