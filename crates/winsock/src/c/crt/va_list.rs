//! C's `va_list`, which is passed on to libc and never looked into.

use std::ffi::c_void;

/// A `va_list` as a parameter: a pointer to what says where the arguments are.
///
/// On Windows it is a value, so that a caller uses it for two calls, one behind the other (W9). On x86-64 it is an array that
/// decays, and what reads the arguments moves the caller's: each reading here gets a [`copy`](Self::copy). On AArch64 it is a
/// large structure, of which the caller itself makes a copy and passes the address.
#[repr(transparent)]
pub(super) struct VaList(*mut c_void);

impl VaList {
    /// A copy to be read.
    ///
    /// # Safety
    /// This is what a program in C passed as its `va_list`, or null.
    pub(super) unsafe fn copy(&self) -> Reading {
        // Null, which a `va_list` may be on Windows, has no arguments.
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the caller's promise: a structure of two `int` and two pointers.
        return Reading(if self.0.is_null() { [0; 3] } else { unsafe { self.0.cast::<[u64; 3]>().read() } });
        #[cfg(not(target_arch = "x86_64"))]
        Reading(self.0)
    }
}

/// What one reading uses up.
#[cfg(target_arch = "x86_64")]
pub(super) struct Reading([u64; 3]);

/// What one reading uses up.
#[cfg(not(target_arch = "x86_64"))]
pub(super) struct Reading(*mut c_void);

impl Reading {
    /// As libc takes it.
    pub(super) fn as_list(&mut self) -> *mut c_void {
        #[cfg(target_arch = "x86_64")]
        return self.0.as_mut_ptr().cast();
        #[cfg(not(target_arch = "x86_64"))]
        self.0
    }
}
