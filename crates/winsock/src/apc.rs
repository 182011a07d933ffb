//! Routines queued to threads.

use crate::types::*;

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn QueueUserAPC(_pfnapc: PAPCFUNC, _hthread: HANDLE, _dwdata: usize) -> u32 {
    0
}
