//! Critical sections: recursive locks of one process.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::RawMutex;
use parking_lot::lock_api::RawMutex as _;

use super::lock_at;
use crate::port::blocking;
use crate::types::*;

/// A CRITICAL_SECTION as it is used here.
#[repr(C)]
pub(super) struct CriticalSection {
    unused: usize,
    lock: RawMutex,
    /// How often the owner has entered: changed by the owner, or by the thread that leaves for it.
    depth: AtomicUsize,
    /// Who has it: the address of something that only that thread has.
    owner: AtomicUsize,
    spin_count: AtomicUsize,
}

const _: () = assert!(size_of::<CRITICAL_SECTION>() == 40);
// SAFETY: a lock is a byte.
const _: () = assert!(unsafe { std::mem::transmute::<RawMutex, u8>(RawMutex::INIT) } == 0);

/// The bits of a spin count; others are flags.
const SPIN_COUNT: usize = 0x00ff_ffff;

/// A number that no other living thread has.
fn me() -> usize {
    thread_local! {
        static ME: u8 = const { 0 };
    }
    ME.with(|me| (&raw const *me).addr())
}

impl CriticalSection {
    fn try_enter(&self) -> bool {
        let me = me();
        if self.owner.load(Ordering::Relaxed) == me {
            self.depth.store(self.depth.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            return true;
        }
        if !self.lock.try_lock() {
            return false;
        }
        self.take(me);
        true
    }

    fn take(&self, me: usize) {
        self.owner.store(me, Ordering::Relaxed);
        self.depth.store(1, Ordering::Relaxed);
    }

    pub(super) fn enter(&self) {
        if self.try_enter() {
            return;
        }
        for _ in 0..self.spin_count.load(Ordering::Relaxed) & SPIN_COUNT {
            std::hint::spin_loop();
            if self.lock.try_lock() {
                return self.take(me());
            }
        }
        let elsewhere = blocking();
        self.lock.lock();
        drop(elsewhere);
        self.take(me());
    }

    /// Undoes one entering, of whichever thread: programs hand a section from thread to thread, although the documents
    /// forbid it.
    pub(super) fn leave(&self) {
        let Some(depth) = self.depth.load(Ordering::Relaxed).checked_sub(1) else { return };
        self.depth.store(depth, Ordering::Relaxed);
        if depth == 0 {
            self.owner.store(0, Ordering::Relaxed);
            // SAFETY: the thread that entered, or had entered, locked it.
            unsafe { self.lock.unlock() };
        }
    }
}

/// # Safety
/// `section` is bad (null) or a CRITICAL_SECTION.
pub(super) unsafe fn at<'a>(section: *mut CRITICAL_SECTION) -> Option<&'a CriticalSection> {
    // SAFETY: the caller's promise.
    unsafe { lock_at(section) }
}

/// Makes memory a critical section.
///
/// # Safety
/// `lpcriticalsection` is null or writable.
#[unsafe(export_name = "ws_InitializeCriticalSection")]
pub unsafe extern "system" fn InitializeCriticalSection(lpcriticalsection: *mut CRITICAL_SECTION) {
    // SAFETY: the caller's promise.
    unsafe { InitializeCriticalSectionEx(lpcriticalsection, 0, 0) };
}

/// Makes memory a critical section for which a thread tries so often before it sleeps.
///
/// # Safety
/// `lpcriticalsection` is null or writable.
#[unsafe(export_name = "ws_InitializeCriticalSectionAndSpinCount")]
pub unsafe extern "system" fn InitializeCriticalSectionAndSpinCount(
    lpcriticalsection: *mut CRITICAL_SECTION,
    dwspincount: u32,
) -> BOOL {
    // SAFETY: the caller's promise.
    unsafe { InitializeCriticalSectionEx(lpcriticalsection, dwspincount, 0) }
}

/// [`InitializeCriticalSectionAndSpinCount`], with flags, which change nothing.
///
/// # Safety
/// `lpcriticalsection` is null or writable.
#[unsafe(export_name = "ws_InitializeCriticalSectionEx")]
pub unsafe extern "system" fn InitializeCriticalSectionEx(
    lpcriticalsection: *mut CRITICAL_SECTION,
    dwspincount: u32,
    _flags: u32,
) -> BOOL {
    if crate::error::is_bad(lpcriticalsection) {
        return crate::error::finish_bool(Err(ERROR_NOACCESS));
    }
    let fresh = CriticalSection {
        unused: 0,
        lock: RawMutex::INIT,
        depth: AtomicUsize::new(0),
        owner: AtomicUsize::new(0),
        spin_count: AtomicUsize::new(dwspincount as usize),
    };
    // SAFETY: the caller's promise; it is no larger than a CRITICAL_SECTION.
    unsafe { lpcriticalsection.cast::<CriticalSection>().write(fresh) };
    TRUE
}

/// Changes how often a thread tries before it sleeps; answers what it was.
///
/// # Safety
/// `lpcriticalsection` is null or a critical section.
#[unsafe(export_name = "ws_SetCriticalSectionSpinCount")]
pub unsafe extern "system" fn SetCriticalSectionSpinCount(
    lpcriticalsection: *mut CRITICAL_SECTION,
    dwspincount: u32,
) -> u32 {
    // SAFETY: the caller's promise.
    let section = unsafe { at(lpcriticalsection) };
    section.map_or(0, |section| section.spin_count.swap(dwspincount as usize, Ordering::Relaxed) as u32)
}

/// Waits until no other thread is in the section, and enters it. The same thread may enter again.
///
/// # Safety
/// `lpcriticalsection` is null or a critical section.
#[unsafe(export_name = "ws_EnterCriticalSection")]
pub unsafe extern "system" fn EnterCriticalSection(lpcriticalsection: *mut CRITICAL_SECTION) {
    // SAFETY: the caller's promise.
    if let Some(section) = unsafe { at(lpcriticalsection) } {
        section.enter();
    }
}

/// Enters the section if no other thread is in it; else FALSE.
///
/// # Safety
/// `lpcriticalsection` is null or a critical section.
#[unsafe(export_name = "ws_TryEnterCriticalSection")]
pub unsafe extern "system" fn TryEnterCriticalSection(lpcriticalsection: *mut CRITICAL_SECTION) -> BOOL {
    // SAFETY: the caller's promise.
    unsafe { at(lpcriticalsection) }.is_some_and(CriticalSection::try_enter).into()
}

/// Undoes one entering, of this thread or, as in Windows, of another. In a section where no thread is, nothing happens;
/// Windows would damage it.
///
/// # Safety
/// `lpcriticalsection` is null or a critical section.
#[unsafe(export_name = "ws_LeaveCriticalSection")]
pub unsafe extern "system" fn LeaveCriticalSection(lpcriticalsection: *mut CRITICAL_SECTION) {
    // SAFETY: the caller's promise.
    if let Some(section) = unsafe { at(lpcriticalsection) } {
        section.leave();
    }
}

/// Gives a critical section up. There is nothing to free.
///
/// # Safety
/// `lpcriticalsection` is null or a critical section, in which no thread is.
#[unsafe(export_name = "ws_DeleteCriticalSection")]
pub unsafe extern "system" fn DeleteCriticalSection(lpcriticalsection: *mut CRITICAL_SECTION) {
    // SAFETY: the caller's promise.
    unsafe { InitializeCriticalSectionEx(lpcriticalsection, 0, 0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_at_a_time_is_in_the_section_and_that_one_again_and_again() {
        const ROUNDS: usize = 10_000;
        struct Shared(std::cell::UnsafeCell<CRITICAL_SECTION>, std::cell::UnsafeCell<usize>);
        // SAFETY: the count is used in the section only, and the section is there to be shared.
        unsafe impl Sync for Shared {}
        let shared = &Shared(Default::default(), Default::default());
        // SAFETY: the section is live.
        unsafe {
            assert_eq!(InitializeCriticalSectionAndSpinCount(shared.0.get(), 100), TRUE);
            assert_eq!(SetCriticalSectionSpinCount(shared.0.get(), 10), 100);
        }
        let work = || {
            for _ in 0..ROUNDS {
                // SAFETY: the count is used in the section.
                unsafe {
                    EnterCriticalSection(shared.0.get());
                    assert_eq!(TryEnterCriticalSection(shared.0.get()), TRUE);
                    *shared.1.get() += 1;
                    LeaveCriticalSection(shared.0.get());
                    LeaveCriticalSection(shared.0.get());
                }
            }
        };
        std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(work))));
        // SAFETY: the threads have ended.
        assert_eq!(unsafe { *shared.1.get() }, 4 * ROUNDS);
    }

    #[test]
    fn another_thread_does_not_enter_but_may_leave() {
        let mut section = CRITICAL_SECTION::default();
        let address = (&raw mut section).addr();
        let elsewhere = |act: fn(*mut CRITICAL_SECTION)| {
            std::thread::spawn(move || act(address as *mut CRITICAL_SECTION)).join().expect("its asserts hold");
        };
        // SAFETY: the section is live until the threads have ended.
        unsafe {
            LeaveCriticalSection(&mut section);
            EnterCriticalSection(&mut section);
            EnterCriticalSection(&mut section);
            elsewhere(|section| assert_eq!(TryEnterCriticalSection(section), FALSE));
            elsewhere(|section| LeaveCriticalSection(section));
            elsewhere(|section| assert_eq!(TryEnterCriticalSection(section), FALSE, "entered twice, left once"));
            elsewhere(|section| {
                LeaveCriticalSection(section);
                LeaveCriticalSection(section);
                assert_eq!(TryEnterCriticalSection(section), TRUE);
                LeaveCriticalSection(section);
            });
            assert_eq!(TryEnterCriticalSection(&mut section), TRUE);
            EnterCriticalSection(std::ptr::null_mut());
            DeleteCriticalSection(&mut section);
        }
    }
}
