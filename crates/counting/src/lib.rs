//! For tests: an allocator that counts what is allocated, by whom, and says where.
//!
//! ```
//! #[global_allocator]
//! static ALLOCATOR: counting::Counting = counting::Counting;
//!
//! let before = counting::of_this_thread();
//! drop(std::hint::black_box(Box::new(1)));
//! assert_eq!(counting::of_this_thread(), before + 1);
//! ```

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};

/// The system's allocator, with counters.
pub struct Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);
static ALL: AtomicUsize = AtomicUsize::new(0);
/// Whether allocations are told with where they were made.
static TELLING: AtomicBool = AtomicBool::new(false);
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Enough to see what is wrong.
const MOST_TOLD: usize = 3;

thread_local! {
    static OF_THIS_THREAD: Cell<usize> = const { Cell::new(0) };
    /// What this thread allocates does not count.
    static EXCLUDED: Cell<bool> = const { Cell::new(false) };
}

/// How often this thread has allocated.
pub fn of_this_thread() -> usize {
    OF_THIS_THREAD.get()
}

/// How often all threads have allocated, but those that are [excluded](exclude_this_thread).
pub fn of_all_threads() -> usize {
    ALL.load(SeqCst)
}

/// The bytes that are allocated now, by whatever thread, with what malloc adds.
pub fn live_bytes() -> isize {
    LIVE.load(SeqCst)
}

/// From now on this thread does not count among [all](of_all_threads).
pub fn exclude_this_thread() {
    EXCLUDED.set(true);
}

/// Runs `run`, and tells how often all threads allocated meanwhile, and of the first times where.
pub fn during(run: impl FnOnce()) -> (usize, Vec<String>) {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let before = of_all_threads();
    TELLING.store(true, SeqCst);
    run();
    TELLING.store(false, SeqCst);
    let count = of_all_threads() - before;
    (count, std::mem::take(&mut TOLD.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// What an allocation costs with glibc's malloc: a header of one word, all of it a multiple of 16 and at least 32.
const fn cost(size: usize) -> isize {
    let whole = (size + 8).next_multiple_of(16);
    if whole < 32 { 32 } else { whole as isize }
}

fn count(bytes: isize) {
    LIVE.fetch_add(bytes, SeqCst);
    // A thread that ends allocates nothing that anybody asks for.
    let _ = OF_THIS_THREAD.try_with(|count| count.set(count.get() + 1));
    if EXCLUDED.try_with(Cell::get).unwrap_or(false) {
        return;
    }
    ALL.fetch_add(1, SeqCst);
    if TELLING.load(SeqCst) {
        tell();
    }
}

fn tell() {
    // Telling allocates, which is not to be told.
    EXCLUDED.set(true);
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.len() < MOST_TOLD {
        let thread = std::thread::current();
        told.push(format!("{}:\n{}", thread.name().unwrap_or("?"), Backtrace::force_capture()));
    }
    drop(told);
    EXCLUDED.set(false);
}

// SAFETY: all is done by the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(cost(layout.size()));
        // SAFETY: by the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(cost(layout.size()), SeqCst);
        // SAFETY: by the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(cost(layout.size()));
        // SAFETY: by the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(cost(size) - cost(layout.size()));
        // SAFETY: by the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
