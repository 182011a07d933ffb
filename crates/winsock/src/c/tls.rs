//! Storage of each thread's own, by number.
//!
//! A number that was freed and allocated again is empty for all threads: each value notes in which life of the number it
//! was stored.

use core::ffi::c_void;
use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};

use ranked_locks::{Mutex, rank};

use crate::error::{finish_bool, set_last_error};
use crate::types::*;

/// TLS_MINIMUM_AVAILABLE and its expansion: how many numbers there are on Windows.
const NUMBERS: usize = 64 + 1024;
const TLS_OUT_OF_INDEXES: u32 = u32::MAX;

/// How often each number was allocated or freed: odd while it is allocated.
static LIVES: [AtomicU32; NUMBERS] = [const { AtomicU32::new(0) }; NUMBERS];
static CHANGING: Mutex<(), rank::Leaf> = Mutex::new(());

thread_local! {
    /// The life in which a value was stored, and the value.
    static VALUES: RefCell<Vec<(u32, usize)>> = const { RefCell::new(Vec::new()) };
}

fn life(number: u32) -> Result<u32, WIN32_ERROR> {
    let life = LIVES.get(number as usize).map(|life| life.load(Ordering::Acquire));
    life.filter(|life| life % 2 == 1).ok_or(ERROR_INVALID_PARAMETER)
}

/// A number that all threads may store under. TLS_OUT_OF_INDEXES (0xffffffff) with ERROR_NO_MORE_ITEMS.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_TlsAlloc")]
pub unsafe extern "system" fn TlsAlloc() -> u32 {
    let _changing = CHANGING.lock();
    match LIVES.iter().position(|life| life.load(Ordering::Relaxed) % 2 == 0) {
        Some(number) => {
            LIVES[number].fetch_add(1, Ordering::Release);
            number as u32
        }
        None => {
            set_last_error(ERROR_NO_MORE_ITEMS);
            TLS_OUT_OF_INDEXES
        }
    }
}

/// Gives a number back. FALSE with ERROR_INVALID_PARAMETER.
///
/// # Safety
/// Nothing is asked of the caller. What the values mean is the program's to free.
#[unsafe(export_name = "ws_TlsFree")]
pub unsafe extern "system" fn TlsFree(dwtlsindex: u32) -> BOOL {
    let _changing = CHANGING.lock();
    finish_bool(life(dwtlsindex).map(|_| {
        LIVES[dwtlsindex as usize].fetch_add(1, Ordering::Release);
    }))
}

/// What the calling thread has stored; null if nothing. The last error becomes 0, or ERROR_INVALID_PARAMETER.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_TlsGetValue")]
pub unsafe extern "system" fn TlsGetValue(dwtlsindex: u32) -> *mut c_void {
    let life = match life(dwtlsindex) {
        Ok(life) => life,
        Err(code) => {
            set_last_error(code);
            return std::ptr::null_mut();
        }
    };
    set_last_error(ERROR_SUCCESS);
    let value = VALUES.try_with(|values| values.borrow().get(dwtlsindex as usize).copied()).ok().flatten();
    value.filter(|&(stored, _)| stored == life).map_or(std::ptr::null_mut(), |(_, value)| value as *mut c_void)
}

/// Stores a value for the calling thread. FALSE with ERROR_INVALID_PARAMETER.
///
/// # Safety
/// Nothing is asked of the caller: the value is only kept.
#[unsafe(export_name = "ws_TlsSetValue")]
pub unsafe extern "system" fn TlsSetValue(dwtlsindex: u32, lptlsvalue: *const c_void) -> BOOL {
    let set = || {
        let entry = (life(dwtlsindex)?, lptlsvalue.addr());
        let store = |values: &RefCell<Vec<(u32, usize)>>| {
            let (mut values, at) = (values.borrow_mut(), dwtlsindex as usize);
            if values.len() <= at {
                values.resize(at + 1, (0, 0));
            }
            values[at] = entry;
        };
        VALUES.try_with(store).map_err(|_| ERROR_NOT_ENOUGH_MEMORY)
    };
    finish_bool(set())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::last_error;

    #[test]
    fn each_thread_has_its_own_value_and_a_new_number_has_none() {
        // SAFETY: the values are numbers.
        unsafe {
            let number = TlsAlloc();
            assert_eq!((TlsGetValue(number), last_error()), (std::ptr::null_mut(), ERROR_SUCCESS));
            assert_eq!(TlsSetValue(number, 5 as *const c_void), TRUE);
            let other = std::thread::spawn(move || TlsGetValue(number).addr()).join();
            assert_eq!((other.ok(), TlsGetValue(number).addr()), (Some(0), 5));
            assert_eq!(TlsFree(number), TRUE);
            assert_eq!((TlsSetValue(number, std::ptr::null()), last_error()), (FALSE, ERROR_INVALID_PARAMETER));
            assert_eq!((TlsFree(u32::MAX), last_error()), (FALSE, ERROR_INVALID_PARAMETER));
            // Others may allocate at the same time; that the number comes back is not for sure, that it is empty is.
            let again = TlsAlloc();
            assert!(TlsGetValue(again).is_null());
            TlsFree(again);
        }
    }
}
