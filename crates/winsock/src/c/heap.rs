//! Heaps: that of the process, and those that programs make and destroy as a whole.
//!
//! The process's heap is C's allocator, without a lock of ours. Another heap keeps a list of its blocks, to free them all.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::c_void;
use std::ptr::null_mut;

use ranked_locks::{Mutex, rank};

use crate::c::block;
use crate::error::{finish_bool, set_last_error};
use crate::types::*;

/// The handle of the process's heap; others count on from it. No address and no handle of the table.
const PROCESS_HEAP: usize = 0x0002_0000;

#[derive(Default)]
struct Heap {
    blocks: BTreeSet<usize>,
    /// The bytes in use, and how many there may be; 0 for no limit.
    used: usize,
    limit: usize,
}

/// The heaps that programs have made, by handle.
static HEAPS: Mutex<BTreeMap<usize, Heap>, rank::Leaf> = Mutex::new(BTreeMap::new());

impl Heap {
    /// Whether so many bytes more fit.
    fn has_room(&self, more: usize) -> bool {
        self.limit == 0 || self.used.checked_add(more).is_some_and(|all| all <= self.limit)
    }
}

fn out_of_memory() -> *mut c_void {
    set_last_error(ERROR_NOT_ENOUGH_MEMORY);
    null_mut()
}

fn invalid(code: WIN32_ERROR) -> *mut c_void {
    set_last_error(code);
    null_mut()
}

/// The heap of the process. It need not and cannot be destroyed.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_GetProcessHeap")]
pub unsafe extern "system" fn GetProcessHeap() -> HANDLE {
    PROCESS_HEAP as HANDLE
}

/// Makes a heap; one with a maximal size never has more bytes in use. The options are ignored: every heap may be used by
/// all threads, and none raises exceptions.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_HeapCreate")]
pub unsafe extern "system" fn HeapCreate(_floptions: u32, dwinitialsize: usize, dwmaximumsize: usize) -> HANDLE {
    if dwmaximumsize != 0 && dwinitialsize > dwmaximumsize {
        return invalid(ERROR_INVALID_PARAMETER);
    }
    let mut heaps = HEAPS.lock();
    let handle = heaps.last_key_value().map_or(PROCESS_HEAP, |(&last, _)| last) + 16;
    heaps.insert(handle, Heap { limit: dwmaximumsize, ..Heap::default() });
    handle as HANDLE
}

/// Frees all blocks of a heap, and the heap.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE, also for the process's heap.
///
/// # Safety
/// Nobody uses the heap's blocks afterwards.
#[unsafe(export_name = "ws_HeapDestroy")]
pub unsafe extern "system" fn HeapDestroy(hheap: HANDLE) -> BOOL {
    let handle = hheap as usize;
    let Some(heap) = HEAPS.lock().remove(&handle) else { return finish_bool(Err(ERROR_INVALID_HANDLE)) };
    for block in heap.blocks {
        // SAFETY: the blocks of the list are the heap's, and the caller gives them up.
        unsafe { block::free(block as *mut c_void, handle) };
    }
    TRUE
}

/// Allocates a block; with HEAP_ZERO_MEMORY (8) it is all zero. Exceptions are not raised.
///
/// # Errors
/// Null with ERROR_NOT_ENOUGH_MEMORY, ERROR_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_HeapAlloc")]
pub unsafe extern "system" fn HeapAlloc(hheap: HANDLE, dwflags: u32, dwbytes: usize) -> *mut c_void {
    let (handle, zeroed) = (hheap as usize, dwflags & HEAP_ZERO_MEMORY != 0);
    let block = if handle == PROCESS_HEAP {
        block::allocate(dwbytes, zeroed, handle)
    } else {
        let mut heaps = HEAPS.lock();
        let Some(heap) = heaps.get_mut(&handle) else { return invalid(ERROR_INVALID_HANDLE) };
        let block = if heap.has_room(dwbytes) { block::allocate(dwbytes, zeroed, handle) } else { null_mut() };
        if !block.is_null() {
            heap.blocks.insert(block.addr());
            heap.used += dwbytes;
        }
        block
    };
    if block.is_null() { out_of_memory() } else { block }
}

/// Changes a block's size; it moves unless HEAP_REALLOC_IN_PLACE_ONLY (16) is given, and then cannot grow. With
/// HEAP_ZERO_MEMORY what is new is zero.
///
/// # Errors
/// Null, and the block as it was, with ERROR_NOT_ENOUGH_MEMORY, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER for what is no
/// block of the heap.
///
/// # Safety
/// `lpmem` is null or a block of the heap, which nobody uses afterwards if it moves.
#[unsafe(export_name = "ws_HeapReAlloc")]
pub unsafe extern "system" fn HeapReAlloc(
    hheap: HANDLE,
    dwflags: u32,
    lpmem: *const c_void,
    dwbytes: usize,
) -> *mut c_void {
    let (handle, block, zeroed) = (hheap as usize, lpmem.cast_mut(), dwflags & HEAP_ZERO_MEMORY != 0);
    let mut heaps = (handle != PROCESS_HEAP).then(|| HEAPS.lock());
    let heap = match heaps.as_mut().map(|heaps| heaps.get_mut(&handle)) {
        Some(None) => return invalid(ERROR_INVALID_HANDLE),
        Some(heap) => heap,
        None => None,
    };
    // SAFETY: the caller's promise.
    let Some(before) = (unsafe { block::size(block, handle) }) else { return invalid(ERROR_INVALID_PARAMETER) };
    let grows = dwbytes > before;
    if grows
        && (dwflags & HEAP_REALLOC_IN_PLACE_ONLY != 0
            || heap.as_ref().is_some_and(|heap| !heap.has_room(dwbytes - before)))
    {
        return out_of_memory();
    }
    // SAFETY: the caller's promise.
    let moved = unsafe {
        if dwflags & HEAP_REALLOC_IN_PLACE_ONLY != 0 {
            block::shrink(block, dwbytes, handle);
            block
        } else {
            block::resize(block, dwbytes, zeroed, handle)
        }
    };
    if moved.is_null() {
        return out_of_memory();
    }
    if let Some(heap) = heap {
        heap.blocks.remove(&block.addr());
        heap.blocks.insert(moved.addr());
        heap.used = heap.used - before + dwbytes;
    }
    moved
}

/// Frees a block; null is allowed.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER for what is no block of the heap.
///
/// # Safety
/// `lpmem` is null or a block of the heap, which nobody uses afterwards.
#[unsafe(export_name = "ws_HeapFree")]
pub unsafe extern "system" fn HeapFree(hheap: HANDLE, _dwflags: u32, lpmem: *const c_void) -> BOOL {
    let (handle, block) = (hheap as usize, lpmem.cast_mut());
    if block.is_null() {
        return TRUE;
    }
    let free = || {
        let mut heaps = (handle != PROCESS_HEAP).then(|| HEAPS.lock());
        let heap = match heaps.as_mut() {
            Some(heaps) => Some(heaps.get_mut(&handle).ok_or(ERROR_INVALID_HANDLE)?),
            None => None,
        };
        // SAFETY: the caller's promise.
        let size = unsafe { block::size(block, handle) }.ok_or(ERROR_INVALID_PARAMETER)?;
        // SAFETY: as above.
        unsafe { block::free(block, handle) };
        if let Some(heap) = heap {
            heap.blocks.remove(&block.addr());
            heap.used -= size;
        }
        Ok(())
    };
    finish_bool(free())
}

/// The size of a block, as it was asked for.
///
/// # Errors
/// `usize::MAX` for what is no block of the heap; the last error is left alone.
///
/// # Safety
/// `lpmem` is null or a block of the heap.
#[unsafe(export_name = "ws_HeapSize")]
pub unsafe extern "system" fn HeapSize(hheap: HANDLE, _dwflags: u32, lpmem: *const c_void) -> usize {
    // SAFETY: the caller's promise.
    unsafe { block::size(lpmem.cast_mut(), hheap as usize) }.unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_keeps_its_contents_and_knows_its_size() {
        // SAFETY: blocks of a heap, each used while it is one.
        unsafe {
            for heap in [GetProcessHeap(), HeapCreate(0, 0, 0)] {
                let block = HeapAlloc(heap, HEAP_ZERO_MEMORY, 100).cast::<u8>();
                assert!(block.addr().is_multiple_of(16));
                assert_eq!(std::slice::from_raw_parts(block, 100), [0; 100]);
                block.write_bytes(7, 100);
                let block = HeapReAlloc(heap, HEAP_ZERO_MEMORY, block.cast(), 100_000).cast::<u8>();
                assert_eq!((HeapSize(heap, 0, block.cast()), *block.add(99), *block.add(100)), (100_000, 7, 0));
                let grown = HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block.cast(), 200_000);
                assert_eq!((grown, crate::GetLastError()), (null_mut(), ERROR_NOT_ENOUGH_MEMORY));
                assert_eq!(HeapSize(heap, 0, block.cast()), 100_000);
                assert_eq!(HeapFree(heap, 0, block.cast()), TRUE);
                assert_eq!(HeapFree(heap, 0, std::ptr::null()), TRUE);
                assert!(HeapAlloc(heap, 0, usize::MAX).is_null());
            }
        }
    }

    #[test]
    fn a_heap_has_its_own_blocks_and_its_limit() {
        // SAFETY: as above.
        unsafe {
            let heap = HeapCreate(0, 0, 1000);
            let block = HeapAlloc(heap, 0, 600);
            assert!(HeapAlloc(heap, 0, 600).is_null(), "over the limit");
            assert_eq!(HeapFree(GetProcessHeap(), 0, block), FALSE, "another heap's");
            assert_eq!(HeapSize(GetProcessHeap(), 0, block), usize::MAX);
            assert!(!HeapReAlloc(heap, 0, block, 900).is_null());
            assert_eq!(HeapDestroy(heap), TRUE);
            assert_eq!(HeapDestroy(heap), FALSE);
            assert!(HeapAlloc(heap, 0, 1).is_null());
            assert_eq!(crate::GetLastError(), ERROR_INVALID_HANDLE);
            assert_eq!(HeapDestroy(GetProcessHeap()), FALSE);
        }
    }
}
