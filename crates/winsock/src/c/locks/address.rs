//! Waiting for memory to change.

use core::ffi::c_void;

use parking_lot_core::{DEFAULT_PARK_TOKEN, DEFAULT_UNPARK_TOKEN, ParkResult, park, unpark_all, unpark_one};

use super::{TIMED_OUT, give_up_at};
use crate::error::{finish_bool, is_bad};
use crate::port::blocking;
use crate::types::*;

/// Whether the memory at an address is what it is compared with.
///
/// # Safety
/// Both are readable for `size` bytes, and the first aligned for it.
unsafe fn is_same(address: *const c_void, other: *const c_void, size: usize) -> bool {
    use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};
    // SAFETY: the caller's promise.
    unsafe {
        match size {
            1 => (*address.cast::<AtomicU8>()).load(Ordering::SeqCst) == other.cast::<u8>().read(),
            2 => (*address.cast::<AtomicU16>()).load(Ordering::SeqCst) == other.cast::<u16>().read_unaligned(),
            4 => (*address.cast::<AtomicU32>()).load(Ordering::SeqCst) == other.cast::<u32>().read_unaligned(),
            _ => (*address.cast::<AtomicU64>()).load(Ordering::SeqCst) == other.cast::<u64>().read_unaligned(),
        }
    }
}

/// Waits while the memory at an address is as it is compared with, until somebody calls WakeByAddress.
///
/// # Errors
/// FALSE with ERROR_TIMEOUT, ERROR_INVALID_PARAMETER for null, for a size that is not 1, 2, 4 or 8, or an address that is not
/// a multiple of it.
///
/// # Safety
/// Both addresses are null or readable for `addresssize` bytes.
#[unsafe(export_name = "ws_WaitOnAddress")]
pub unsafe extern "system" fn WaitOnAddress(
    address: *const c_void,
    compareaddress: *const c_void,
    addresssize: usize,
    dwmilliseconds: u32,
) -> BOOL {
    let fits = matches!(addresssize, 1 | 2 | 4 | 8) && address.addr().is_multiple_of(addresssize);
    if !fits || is_bad(address) || is_bad(compareaddress) {
        return finish_bool(Err(ERROR_INVALID_PARAMETER));
    }
    let _elsewhere = blocking();
    // SAFETY: at the address of a program's own memory only this parks; the closures neither panic nor wait. The addresses
    // are as the caller promises.
    let result = unsafe {
        let same = || is_same(address, compareaddress, addresssize);
        park(address.addr(), same, || {}, |_, _| {}, DEFAULT_PARK_TOKEN, give_up_at(dwmilliseconds))
    };
    finish_bool(if matches!(result, ParkResult::TimedOut) { TIMED_OUT } else { Ok(()) })
}

/// Wakes one thread that waits on an address.
///
/// # Safety
/// Nothing is asked of the caller: the pointer is not followed.
#[unsafe(export_name = "ws_WakeByAddressSingle")]
pub unsafe extern "system" fn WakeByAddressSingle(address: *const c_void) {
    // SAFETY: at the address of a program's own memory only we park.
    unsafe { unpark_one(address.addr(), |_| DEFAULT_UNPARK_TOKEN) };
}

/// Wakes all threads that wait on an address.
///
/// # Safety
/// Nothing is asked of the caller: the pointer is not followed.
#[unsafe(export_name = "ws_WakeByAddressAll")]
pub unsafe extern "system" fn WakeByAddressAll(address: *const c_void) {
    // SAFETY: at the address of a program's own memory only we park.
    unsafe { unpark_all(address.addr(), DEFAULT_UNPARK_TOKEN) };
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU16, Ordering};

    use super::*;
    use crate::error::last_error;

    #[test]
    fn a_thread_sleeps_until_the_memory_has_changed() {
        let word = &AtomicU16::new(0);
        let wait = |milliseconds| {
            let undesired = 0u16;
            // SAFETY: both are live.
            unsafe { WaitOnAddress(word.as_ptr().cast(), (&raw const undesired).cast(), 2, milliseconds) }
        };
        assert_eq!((wait(1), last_error()), (FALSE, ERROR_TIMEOUT));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while word.load(Ordering::SeqCst) == 0 {
                        assert_eq!(wait(INFINITE), TRUE);
                    }
                });
            }
            word.store(1, Ordering::SeqCst);
            // SAFETY: the word is live.
            unsafe { WakeByAddressAll(word.as_ptr().cast()) };
        });
        assert_eq!(wait(INFINITE), TRUE, "another value already");
    }

    #[test]
    fn sizes_and_addresses_that_cannot_be_are_refused() {
        let word = 0u64;
        let at = |offset: usize| (&raw const word).cast::<u8>().wrapping_add(offset).cast::<c_void>();
        for (address, size) in [(at(0), 3), (at(1), 2), (std::ptr::null(), 4), (at(0), 0)] {
            // SAFETY: nothing is read.
            assert_eq!(unsafe { WaitOnAddress(address, at(0), size, 0) }, FALSE);
            assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        }
    }
}
