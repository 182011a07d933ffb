//! Blocks of memory that know their size and whose they are: behind HeapAlloc, LocalAlloc and GlobalAlloc.
//!
//! C's allocator with a header in front of each block.

use std::ffi::c_void;
use std::ptr::null_mut;

use crate::error::is_bad;

/// What lies in front of a block. Its size keeps the alignment that C's allocator gives, 16 bytes.
#[repr(C)]
struct Header {
    size: usize,
    /// The owner's number, made unlikely by accident.
    owner: usize,
}

const _: () = assert!(size_of::<Header>() == 16);

/// What no memory holds by accident.
const MARK: usize = 0x5753_4850_b10c_0000;

/// Allocates a block; null if there is no memory.
pub(super) fn allocate(size: usize, zeroed: bool, owner: usize) -> *mut c_void {
    let Some(whole) = size.checked_add(size_of::<Header>()).filter(|&whole| isize::try_from(whole).is_ok()) else {
        return null_mut();
    };
    // SAFETY: C's allocator takes any size.
    let header = unsafe { if zeroed { libc::calloc(1, whole) } else { libc::malloc(whole) } }.cast::<Header>();
    if header.is_null() {
        return null_mut();
    }
    // SAFETY: there is room for a header, and what lies behind it is within the same allocation.
    unsafe {
        header.write(Header { size, owner: owner ^ MARK });
        header.add(1).cast()
    }
}

/// The header of a block of this owner, unless the pointer is none of its blocks.
///
/// # Safety
/// `block` is bad (null) or has 16 readable bytes in front of it.
unsafe fn header(block: *mut c_void, owner: usize) -> Option<*mut Header> {
    if is_bad(block) || !block.addr().is_multiple_of(16) {
        return None;
    }
    let header = block.cast::<Header>().wrapping_sub(1);
    // SAFETY: the caller's promise.
    (unsafe { (*header).owner } == owner ^ MARK).then_some(header)
}

/// The size that was asked for.
///
/// # Safety
/// As for [`header`].
pub(super) unsafe fn size(block: *mut c_void, owner: usize) -> Option<usize> {
    // SAFETY: the caller's promise, and what has our mark is a header.
    unsafe { header(block, owner).map(|header| (*header).size) }
}

/// Notes a smaller size; the block keeps its place and what it takes.
///
/// # Safety
/// As for [`header`].
pub(super) unsafe fn shrink(block: *mut c_void, size: usize, owner: usize) {
    // SAFETY: the caller's promise, and what has our mark is a header.
    unsafe {
        if let Some(header) = header(block, owner) {
            (*header).size = size.min((*header).size);
        }
    }
}

/// Frees a block; false if it is none of this owner.
///
/// # Safety
/// As for [`header`]; nobody uses the block afterwards.
pub(super) unsafe fn free(block: *mut c_void, owner: usize) -> bool {
    // SAFETY: the caller's promise; the mark is taken away, so that a second attempt is found out if it can be.
    unsafe {
        let Some(header) = header(block, owner) else { return false };
        (*header).owner = 0;
        libc::free(header.cast());
    }
    true
}

/// Changes a block's size, and mostly its place; what is new is zero if asked for. Null, and the block as it was, if there
/// is no memory.
///
/// # Safety
/// As for [`free`], if it succeeds.
pub(super) unsafe fn resize(block: *mut c_void, size: usize, zeroed: bool, owner: usize) -> *mut c_void {
    // SAFETY: the caller's promise: a block that is its owner's came from `allocate`, and is as large as its header says.
    unsafe {
        let Some(header) = header(block, owner) else { return null_mut() };
        let Some(whole) = size.checked_add(size_of::<Header>()).filter(|&whole| isize::try_from(whole).is_ok()) else {
            return null_mut();
        };
        let before = (*header).size;
        let header = libc::realloc(header.cast(), whole).cast::<Header>();
        if header.is_null() {
            return null_mut();
        }
        (*header).size = size;
        let block = header.add(1).cast::<u8>();
        if zeroed && size > before {
            block.add(before).write_bytes(0, size - before);
        }
        block.cast()
    }
}
