//! What programs ask of the machine.

use crate::error::is_bad;
use crate::types::*;

/// Describes the processors and the address space.
///
/// # Safety
/// `lpsysteminfo` is null or writable.
#[unsafe(export_name = "ws_GetSystemInfo")]
pub unsafe extern "system" fn GetSystemInfo(lpsysteminfo: *mut SYSTEM_INFO) {
    if is_bad(lpsysteminfo) {
        return;
    }
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get());
    let mut info = SYSTEM_INFO::default();
    info.Anonymous.Anonymous.wProcessorArchitecture = ARCHITECTURE;
    // SAFETY: the name is one that the system knows.
    info.dwPageSize = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as u32;
    info.lpMinimumApplicationAddress = 0x1_0000 as _;
    info.lpMaximumApplicationAddress = 0x7fff_ffff_efff_usize as _;
    info.dwActiveProcessorMask = usize::MAX >> (usize::BITS as usize - processors.min(usize::BITS as usize));
    info.dwNumberOfProcessors = processors as u32;
    info.dwProcessorType = PROCESSOR_TYPE;
    info.dwAllocationGranularity = 0x1_0000;
    info.wProcessorLevel = 6;
    // SAFETY: the caller's promise.
    unsafe { lpsysteminfo.write_unaligned(info) };
}

/// [`GetSystemInfo`].
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_GetNativeSystemInfo")]
pub unsafe extern "system" fn GetNativeSystemInfo(lpsysteminfo: *mut SYSTEM_INFO) {
    // SAFETY: the caller's promise.
    unsafe { GetSystemInfo(lpsysteminfo) }
}

const ARCHITECTURE: u16 =
    if cfg!(target_arch = "aarch64") { PROCESSOR_ARCHITECTURE_ARM64 } else { PROCESSOR_ARCHITECTURE_AMD64 };

/// PROCESSOR_AMD_X8664; ARM has none.
const PROCESSOR_TYPE: u32 = if cfg!(target_arch = "aarch64") { 0 } else { 8664 };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_processor_and_a_page() {
        let mut info = SYSTEM_INFO::default();
        // SAFETY: the structure is live; null is allowed.
        unsafe {
            GetSystemInfo(&mut info);
            GetSystemInfo(std::ptr::null_mut());
        }
        assert!(info.dwNumberOfProcessors >= 1 && info.dwPageSize.is_power_of_two());
        assert_eq!(info.dwActiveProcessorMask & 1, 1);
    }
}
