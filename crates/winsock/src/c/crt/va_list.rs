//! C's `va_list`, which is passed on to libc and never looked into.

use std::ffi::c_void;

/// A `va_list` as a parameter: a pointer to what says where the arguments are, on x86-64 as an array that decays, on
/// AArch64 as a large structure. Using it up is all that one can do with it.
pub(super) type VaList = *mut c_void;
