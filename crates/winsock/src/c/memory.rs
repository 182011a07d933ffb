//! Memory by pages (VirtualAlloc), and blocks by LocalAlloc and GlobalAlloc.
//!
//! Reserved pages are mapped without any access, committed ones with the access that was asked for. A block of LocalAlloc
//! or GlobalAlloc never moves by itself, so that its handle is its address, movable or not.

use core::ffi::c_void;
use std::collections::BTreeMap;
use std::ptr::null_mut;

use ranked_locks::{Mutex, rank};

use crate::c::block;
use crate::error::{finish_bool, is_bad, set_last_error};
use crate::types::*;

/// Where allocations begin, as on Windows.
const GRANULARITY: usize = 0x1_0000;
const PAGE: usize = 4096;
const MEM_TOP_DOWN: u32 = 0x10_0000;

/// What VirtualAlloc has reserved: address and size.
static REGIONS: Mutex<BTreeMap<usize, usize>, rank::Leaf> = Mutex::new(BTreeMap::new());

fn fail(code: WIN32_ERROR) -> *mut c_void {
    set_last_error(code);
    null_mut()
}

/// The access of pages in Linux's words.
fn access(protect: u32) -> Option<i32> {
    let (read, write, execute) = (libc::PROT_READ, libc::PROT_WRITE, libc::PROT_EXEC);
    match protect {
        PAGE_NOACCESS => Some(libc::PROT_NONE),
        PAGE_READONLY => Some(read),
        PAGE_READWRITE | PAGE_WRITECOPY => Some(read | write),
        PAGE_EXECUTE => Some(execute),
        PAGE_EXECUTE_READ => Some(read | execute),
        PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY => Some(read | write | execute),
        // Guard pages and kinds of caching among them.
        _ => None,
    }
}

/// Whole pages that hold a range; none if it goes beyond the end of all memory.
fn pages(address: usize, size: usize) -> Option<(usize, usize)> {
    let start = address & !(PAGE - 1);
    let end = address.checked_add(size)?.checked_next_multiple_of(PAGE)?;
    Some((start, end - start))
}

/// The region that a range of pages lies in.
fn region_of(regions: &BTreeMap<usize, usize>, start: usize, size: usize) -> Option<(usize, usize)> {
    let (&base, &length) = regions.range(..=start).next_back()?;
    (start + size <= base + length).then_some((base, length))
}

/// Maps pages, at a place or anywhere.
///
/// # Safety
/// With MAP_FIXED nobody uses what is there.
unsafe fn map(address: usize, size: usize, access: i32, flags: i32) -> Option<usize> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | flags;
    // SAFETY: the caller's promise; otherwise nothing that is mapped is touched.
    let place = unsafe { libc::mmap(address as *mut c_void, size, access, flags, -1, 0) };
    (place != libc::MAP_FAILED).then_some(place as usize)
}

/// Reserves pages that begin at a multiple of the granularity.
fn reserve(address: usize, size: usize, access: i32) -> Option<usize> {
    // SAFETY: nothing that is mapped is touched: beyond the aligned part the mapping is this one's own.
    unsafe {
        if address != 0 {
            let place = map(address, size, access, libc::MAP_FIXED_NOREPLACE)?;
            if place != address {
                libc::munmap(place as *mut c_void, size);
                return None;
            }
            return Some(place);
        }
        let whole = map(0, size.checked_add(GRANULARITY)?, access, 0)?;
        let aligned = whole.next_multiple_of(GRANULARITY);
        if aligned > whole {
            libc::munmap(whole as *mut c_void, aligned - whole);
        }
        let rest = whole + GRANULARITY - aligned;
        if rest > 0 {
            libc::munmap((aligned + size) as *mut c_void, rest);
        }
        Some(aligned)
    }
}

/// Reserves pages (MEM_RESERVE), makes reserved ones usable (MEM_COMMIT), or both. Other kinds are refused; MEM_TOP_DOWN is
/// ignored.
///
/// # Errors
/// Null with ERROR_INVALID_PARAMETER, ERROR_INVALID_ADDRESS for a place that is taken or not reserved,
/// ERROR_NOT_ENOUGH_MEMORY.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_VirtualAlloc")]
pub unsafe extern "system" fn VirtualAlloc(
    lpaddress: *const c_void,
    dwsize: usize,
    flallocationtype: u32,
    flprotect: u32,
) -> *mut c_void {
    let kind = flallocationtype & !MEM_TOP_DOWN;
    let (commits, reserves) = (kind & MEM_COMMIT != 0, kind & MEM_RESERVE != 0);
    let Some(access) = access(flprotect) else { return fail(ERROR_INVALID_PARAMETER) };
    if dwsize == 0 || kind & !(MEM_COMMIT | MEM_RESERVE) != 0 || !(commits || reserves) {
        return fail(ERROR_INVALID_PARAMETER);
    }
    let address = lpaddress.addr();
    let mut regions = REGIONS.lock();
    // Committing nowhere in particular reserves, too.
    if reserves || address == 0 {
        let base = address & !(GRANULARITY - 1);
        let Some((_, size)) = dwsize.checked_add(address - base).and_then(|size| pages(base, size)) else {
            return fail(ERROR_NOT_ENOUGH_MEMORY);
        };
        return match reserve(base, size, if commits { access } else { libc::PROT_NONE }) {
            Some(place) => {
                regions.insert(place, size);
                place as *mut c_void
            }
            None => fail(if base == 0 { ERROR_NOT_ENOUGH_MEMORY } else { ERROR_INVALID_ADDRESS }),
        };
    }
    let Some((start, size)) = pages(address, dwsize) else { return fail(ERROR_INVALID_ADDRESS) };
    if region_of(&regions, start, size).is_none() {
        return fail(ERROR_INVALID_ADDRESS);
    }
    // SAFETY: the pages are a region's, and what is committed already keeps its contents.
    match unsafe { libc::mprotect(start as *mut c_void, size, access) } {
        0 => start as *mut c_void,
        _ => fail(ERROR_NOT_ENOUGH_MEMORY),
    }
}

/// Gives pages back: all that were reserved together (MEM_RELEASE, with a size of 0), or what is in some of them
/// (MEM_DECOMMIT).
///
/// # Errors
/// FALSE with ERROR_INVALID_PARAMETER, ERROR_INVALID_ADDRESS for what was not reserved so.
///
/// # Safety
/// Nobody uses the pages afterwards.
#[unsafe(export_name = "ws_VirtualFree")]
pub unsafe extern "system" fn VirtualFree(lpaddress: *mut c_void, dwsize: usize, dwfreetype: u32) -> BOOL {
    let free = || {
        let address = lpaddress.addr();
        let mut regions = REGIONS.lock();
        match (dwfreetype, dwsize) {
            (MEM_RELEASE, 0) => {
                let size = regions.remove(&address).ok_or(ERROR_INVALID_ADDRESS)?;
                // SAFETY: the region was mapped here, and the caller gives it up.
                unsafe { libc::munmap(lpaddress, size) };
            }
            (MEM_DECOMMIT, _) => {
                let (start, size) = match dwsize {
                    0 => (address, regions.get(&address).copied().ok_or(ERROR_INVALID_ADDRESS)?),
                    size => pages(address, size).ok_or(ERROR_INVALID_ADDRESS)?,
                };
                region_of(&regions, start, size).ok_or(ERROR_INVALID_ADDRESS)?;
                // SAFETY: the pages are a region's, and the caller gives up what is in them.
                unsafe { map(start, size, libc::PROT_NONE, libc::MAP_FIXED) }.ok_or(ERROR_NOT_ENOUGH_MEMORY)?;
            }
            _ => return Err(ERROR_INVALID_PARAMETER),
        }
        Ok(())
    };
    finish_bool(free())
}

/// Changes the access of pages, any that are mapped, and tells that of the first as it was.
///
/// # Errors
/// FALSE with ERROR_INVALID_PARAMETER for an unknown access, ERROR_NOACCESS for a null pointer, ERROR_INVALID_ADDRESS for what
/// is not mapped.
///
/// # Safety
/// Whoever uses the pages is ready for the new access; `lpfloldprotect` is null or writable.
#[unsafe(export_name = "ws_VirtualProtect")]
pub unsafe extern "system" fn VirtualProtect(
    lpaddress: *const c_void,
    dwsize: usize,
    flnewprotect: u32,
    lpfloldprotect: *mut u32,
) -> BOOL {
    let protect = || {
        let access = access(flnewprotect).filter(|_| dwsize > 0).ok_or(ERROR_INVALID_PARAMETER)?;
        if is_bad(lpfloldprotect) {
            return Err(ERROR_NOACCESS);
        }
        let (start, size) = pages(lpaddress.addr(), dwsize).ok_or(ERROR_INVALID_ADDRESS)?;
        let before = access_now(start).ok_or(ERROR_INVALID_ADDRESS)?;
        // SAFETY: the caller's promise.
        unsafe {
            if libc::mprotect(start as *mut c_void, size, access) != 0 {
                return Err(ERROR_INVALID_ADDRESS);
            }
            lpfloldprotect.write(before);
        }
        Ok(())
    };
    finish_bool(protect())
}

/// The access that a page has, in Windows's words; none if nothing is mapped there.
fn access_now(address: usize) -> Option<u32> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let line = maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let range = usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?;
        range.contains(&address).then_some(rest)
    })?;
    Some(match line.as_bytes() {
        [b'r', b'w', b'x', ..] => PAGE_EXECUTE_READWRITE,
        [b'r', _, b'x', ..] => PAGE_EXECUTE_READ,
        [_, _, b'x', ..] => PAGE_EXECUTE,
        [b'r', b'w', ..] => PAGE_READWRITE,
        [b'r', ..] => PAGE_READONLY,
        _ => PAGE_NOACCESS,
    })
}

/// The owner of blocks by LocalAlloc and GlobalAlloc, which are one heap on Windows, too.
const LOCAL: usize = 0x0003_0000;
const ZEROED: u32 = 0x40;

/// Allocates a block; with LMEM_ZEROINIT (0x40) it is all zero.
///
/// # Errors
/// Null with ERROR_NOT_ENOUGH_MEMORY.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_LocalAlloc")]
pub unsafe extern "system" fn LocalAlloc(uflags: u32, ubytes: usize) -> *mut c_void {
    let block = block::allocate(ubytes, uflags & ZEROED != 0, LOCAL);
    if block.is_null() { fail(ERROR_NOT_ENOUGH_MEMORY) } else { block }
}

/// Changes a block's size.
///
/// # Errors
/// Null, and the block as it was, with ERROR_NOT_ENOUGH_MEMORY, ERROR_INVALID_HANDLE.
///
/// # Safety
/// `hmem` is null or a block, which nobody uses afterwards if it moves.
#[unsafe(export_name = "ws_LocalReAlloc")]
pub unsafe extern "system" fn LocalReAlloc(hmem: *mut c_void, ubytes: usize, uflags: u32) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe {
        if block::size(hmem, LOCAL).is_none() {
            return fail(ERROR_INVALID_HANDLE);
        }
        let block = block::resize(hmem, ubytes, uflags & ZEROED != 0, LOCAL);
        if block.is_null() { fail(ERROR_NOT_ENOUGH_MEMORY) } else { block }
    }
}

/// Frees a block. Null, or the block itself with ERROR_INVALID_HANDLE.
///
/// # Safety
/// `hmem` is null or a block, which nobody uses afterwards.
#[unsafe(export_name = "ws_LocalFree")]
pub unsafe extern "system" fn LocalFree(hmem: *mut c_void) -> *mut c_void {
    // SAFETY: the caller's promise.
    if hmem.is_null() || unsafe { block::free(hmem, LOCAL) } {
        return null_mut();
    }
    set_last_error(ERROR_INVALID_HANDLE);
    hmem
}

/// The size of a block; 0 with ERROR_INVALID_HANDLE.
///
/// # Safety
/// `hmem` is null or a block.
#[unsafe(export_name = "ws_LocalSize")]
pub unsafe extern "system" fn LocalSize(hmem: *mut c_void) -> usize {
    // SAFETY: the caller's promise.
    unsafe { block::size(hmem, LOCAL) }.unwrap_or_else(|| {
        set_last_error(ERROR_INVALID_HANDLE);
        0
    })
}

/// The address of a block, which is its handle.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_LocalLock")]
pub unsafe extern "system" fn LocalLock(hmem: *mut c_void) -> *mut c_void {
    hmem
}

/// Answers FALSE with 0 as last error: nothing is locked any more.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_LocalUnlock")]
pub unsafe extern "system" fn LocalUnlock(_hmem: *mut c_void) -> BOOL {
    set_last_error(ERROR_SUCCESS);
    FALSE
}

/// [`LocalAlloc`].
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_GlobalAlloc")]
pub unsafe extern "system" fn GlobalAlloc(uflags: u32, dwbytes: usize) -> *mut c_void {
    // SAFETY: nothing is asked of the caller.
    unsafe { LocalAlloc(uflags, dwbytes) }
}

/// [`LocalReAlloc`].
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_GlobalReAlloc")]
pub unsafe extern "system" fn GlobalReAlloc(hmem: *mut c_void, dwbytes: usize, uflags: u32) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { LocalReAlloc(hmem, dwbytes, uflags) }
}

/// [`LocalFree`].
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_GlobalFree")]
pub unsafe extern "system" fn GlobalFree(hmem: *mut c_void) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { LocalFree(hmem) }
}

/// [`LocalSize`].
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_GlobalSize")]
pub unsafe extern "system" fn GlobalSize(hmem: *mut c_void) -> usize {
    // SAFETY: the caller's promise.
    unsafe { LocalSize(hmem) }
}

/// [`LocalLock`].
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_GlobalLock")]
pub unsafe extern "system" fn GlobalLock(hmem: *mut c_void) -> *mut c_void {
    hmem
}

/// [`LocalUnlock`].
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_GlobalUnlock")]
pub unsafe extern "system" fn GlobalUnlock(hmem: *mut c_void) -> BOOL {
    // SAFETY: nothing is asked of the caller.
    unsafe { LocalUnlock(hmem) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::last_error;

    #[test]
    fn pages_are_reserved_committed_protected_and_given_back() {
        // SAFETY: what is written is committed, and nobody uses it after it is given back.
        unsafe {
            let base = VirtualAlloc(std::ptr::null(), 100_000, MEM_RESERVE, PAGE_NOACCESS);
            assert!(base.addr().is_multiple_of(GRANULARITY) && !base.is_null());
            let part = VirtualAlloc(base.byte_add(8192), 1, MEM_COMMIT, PAGE_READWRITE).cast::<u8>();
            assert_eq!(part.addr(), base.addr() + 8192);
            part.write(7);
            let mut old = 0;
            assert_eq!(VirtualProtect(part.cast(), 1, PAGE_READONLY, &mut old), TRUE);
            assert_eq!((old, part.read()), (PAGE_READWRITE, 7));
            assert_eq!(VirtualProtect(part.cast(), 1, PAGE_READWRITE, &mut old), TRUE);
            assert_eq!(old, PAGE_READONLY);
            assert_eq!(VirtualFree(part.cast(), 4096, MEM_DECOMMIT), TRUE);
            VirtualAlloc(part.cast(), 4096, MEM_COMMIT, PAGE_READWRITE);
            assert_eq!(part.read(), 0, "committed anew");
            assert_eq!((VirtualFree(part.cast(), 0, MEM_RELEASE), last_error()), (FALSE, ERROR_INVALID_ADDRESS));
            assert_eq!((VirtualFree(base, 1, MEM_RELEASE), last_error()), (FALSE, ERROR_INVALID_PARAMETER));
            assert_eq!(VirtualFree(base, 0, MEM_RELEASE), TRUE);
            assert_eq!((VirtualFree(base, 0, MEM_RELEASE), last_error()), (FALSE, ERROR_INVALID_ADDRESS));
        }
    }

    #[test]
    fn memory_that_cannot_be_is_refused() {
        let null = std::ptr::null;
        // SAFETY: nothing is used.
        unsafe {
            for (size, kind, protect) in [(0, MEM_COMMIT, 4), (1, 0, 4), (1, MEM_COMMIT, 3), (1, 0x8_0000, 4)] {
                assert!(VirtualAlloc(null(), size, kind, protect).is_null());
                assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
            }
            assert!(VirtualAlloc(null(), usize::MAX - 10, MEM_COMMIT, PAGE_READWRITE).is_null());
            assert_eq!(last_error(), ERROR_NOT_ENOUGH_MEMORY);
            let taken = VirtualAlloc(null(), 1, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
            assert!(VirtualAlloc(taken, 1, MEM_RESERVE, PAGE_READWRITE).is_null());
            assert_eq!(last_error(), ERROR_INVALID_ADDRESS);
            assert_eq!(VirtualFree(taken, 0, MEM_RELEASE), TRUE);
        }
    }

    #[test]
    fn blocks_have_sizes_and_grow() {
        // SAFETY: a block, used while it is one.
        unsafe {
            let block = GlobalAlloc(0x42, 10);
            assert_eq!((GlobalSize(block), GlobalLock(block), *block.cast::<u8>()), (10, block, 0));
            let block = LocalReAlloc(block, 1000, ZEROED);
            assert_eq!((LocalSize(block), *block.cast::<u8>().add(999)), (1000, 0));
            assert_eq!((LocalUnlock(block), last_error()), (FALSE, 0));
            assert!(LocalFree(block).is_null() && LocalFree(null_mut()).is_null());
            assert_eq!((LocalSize(null_mut()), last_error()), (0, ERROR_INVALID_HANDLE));
        }
    }
}
