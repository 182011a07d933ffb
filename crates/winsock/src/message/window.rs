//! Windows, and the table of their handles.
//!
//! A window handle lies in `0x2000_0000 ..= 0x3fff_fffc`: positive and 32 bits wide like the other handles, above any
//! descriptor, and outside the range of those, so that neither is taken for the other. It holds a slot number and a
//! generation: a free slot rests until 256 others rest behind it, and its value comes again after 8,192 uses.
//!
//! Slots are leaked and recycled, so that a look-up takes no lock. A window belongs to the queue of the thread that made
//! it, and its handle begins and ends to be valid under that queue's lock: who holds the lock and finds the handle valid
//! ([`Window::means`]) posts to a living window.

use std::collections::VecDeque;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use ranked_locks::{Mutex, rank};

use super::class::Class;
use super::queue::Queue;
use crate::types::*;

const BASE: u32 = 0x2000_0000;
const INDEX_BITS: u32 = 14;
/// More than the 10,000 windows that Windows allows a process.
const MOST_WINDOWS: usize = 1 << INDEX_BITS;
const GENERATIONS: u32 = 1 << (27 - INDEX_BITS);
/// How many slots rest before the one that has rested longest is used again.
const RESERVE: usize = 256;

/// What HWND_MESSAGE is among parents; no handle of a window.
pub(super) const MESSAGE_ONLY: u32 = 1;

pub(super) struct Window {
    /// The handle that is valid now; 0 for a free slot.
    handle: AtomicU32,
    queue: AtomicPtr<Queue>,
    /// A WNDPROC.
    procedure: AtomicUsize,
    /// A window's handle, or 0 for none, or [`MESSAGE_ONLY`].
    parent: AtomicU32,
    /// WM_DESTROY has been sent.
    pub(super) doomed: AtomicBool,
    data: Mutex<Data, rank::Leaf>,
}

/// What the program keeps with a window.
#[derive(Default)]
pub(super) struct Data {
    /// Held, so that the class counts as having a window.
    _class: Option<Arc<Class>>,
    pub(super) instance: isize,
    pub(super) id: isize,
    pub(super) user: isize,
    pub(super) extra: Box<[u8]>,
}

struct Free {
    /// Slots given back, oldest first, each as the handle that it had.
    recycled: VecDeque<u32>,
    next: usize,
}

static SLOTS: [AtomicPtr<Window>; MOST_WINDOWS] = [const { AtomicPtr::new(null_mut()) }; MOST_WINDOWS];
static FREE: Mutex<Free, rank::Leaf> = Mutex::new(Free { recycled: VecDeque::new(), next: 0 });

fn index_of(handle: u32) -> usize {
    (handle as usize >> 2) & (MOST_WINDOWS - 1)
}

fn at(index: usize) -> Option<&'static Window> {
    // SAFETY: a slot, once stored, is leaked.
    unsafe { SLOTS[index].load(Ordering::Acquire).as_ref() }
}

/// The window of a handle, with the handle as the table knows it.
pub(super) fn find(handle: usize) -> Option<(&'static Window, u32)> {
    let handle = u32::try_from(handle).ok().filter(|handle| handle & !(BASE - 1) == BASE)?;
    at(index_of(handle)).filter(|window| window.means(handle)).map(|window| (window, handle))
}

/// As [`find`], failing as the functions of Win32 do.
pub(super) fn require(hwnd: HWND) -> Result<(&'static Window, u32), WIN32_ERROR> {
    find(hwnd as usize).ok_or(ERROR_INVALID_WINDOW_HANDLE)
}

/// What a program knows a window by.
pub(super) fn hwnd(handle: u32) -> HWND {
    handle as usize as HWND
}

/// Whether `handle` is `ancestor` or below it.
pub(super) fn is_within(handle: u32, ancestor: u32) -> bool {
    let mut next = handle;
    while next != ancestor {
        match find(next as usize) {
            Some((window, _)) => next = window.parent(),
            None => return false,
        }
    }
    true
}

/// The windows without a parent that are not message-only: those that a broadcast reaches.
pub(super) fn top_level() -> Vec<u32> {
    let used = FREE.lock().next;
    let valid = |window: &'static Window| match window.handle.load(Ordering::Acquire) {
        0 => None,
        handle => Some(handle).filter(|_| window.parent() == 0),
    };
    (0..used).filter_map(at).filter_map(valid).collect()
}

impl Window {
    /// Makes a window of `queue`'s thread. It is not valid before [`Window::open`].
    pub(super) fn new(class: Arc<Class>, queue: &'static Queue, parent: u32) -> Option<(&'static Window, u32)> {
        let mut free = FREE.lock();
        let (index, handle) = if free.next < MOST_WINDOWS && free.recycled.len() < RESERVE {
            free.next += 1;
            let index = free.next - 1;
            SLOTS[index].store(Box::leak(Box::new(Window::empty())), Ordering::Release);
            (index, BASE | (index as u32) << 2)
        } else {
            let old = free.recycled.pop_front()?;
            let index = index_of(old);
            let generation = ((old >> (2 + INDEX_BITS)) + 1) % GENERATIONS;
            (index, BASE | generation << (2 + INDEX_BITS) | (index as u32) << 2)
        };
        drop(free);
        let window = at(index)?;
        window.queue.store(std::ptr::from_ref(queue).cast_mut(), Ordering::Release);
        window.set_procedure_address(class.procedure.map_or(0, |procedure| procedure as usize));
        window.parent.store(parent, Ordering::Release);
        window.doomed.store(false, Ordering::Release);
        let extra = vec![0; class.extra].into_boxed_slice();
        *window.data.lock() = Data { _class: Some(class), extra, ..Data::default() };
        Some((window, handle))
    }

    fn empty() -> Window {
        Window {
            handle: AtomicU32::new(0),
            queue: AtomicPtr::new(null_mut()),
            procedure: AtomicUsize::new(0),
            parent: AtomicU32::new(0),
            doomed: AtomicBool::new(false),
            data: Mutex::new(Data::default()),
        }
    }

    /// Makes the handle valid. The caller holds the queue's lock.
    pub(super) fn open(&self, handle: u32) {
        self.handle.store(handle, Ordering::Release);
    }

    /// Ends the handle and frees the slot. The caller holds the queue's lock.
    pub(super) fn close(&self, handle: u32) {
        self.handle.store(0, Ordering::Release);
        *self.data.lock() = Data::default();
        FREE.lock().recycled.push_back(handle);
    }

    /// Whether `handle` is valid; decisive only under the queue's lock.
    pub(super) fn means(&self, handle: u32) -> bool {
        self.handle.load(Ordering::Acquire) == handle
    }

    /// The queue of the thread that made the window.
    pub(super) fn queue(&self) -> &'static Queue {
        // SAFETY: set before the slot was ever found, to a queue, which is leaked.
        unsafe { &*self.queue.load(Ordering::Acquire) }
    }

    pub(super) fn procedure(&self) -> WNDPROC {
        // SAFETY: a WNDPROC is the size of a pointer, and 0 its None; what else the program stored with SetWindowLongPtr
        // is a window procedure by its promise.
        unsafe { std::mem::transmute::<usize, WNDPROC>(self.procedure_address()) }
    }

    pub(super) fn procedure_address(&self) -> usize {
        self.procedure.load(Ordering::Acquire)
    }

    /// Returns the one before.
    pub(super) fn set_procedure_address(&self, address: usize) -> usize {
        self.procedure.swap(address, Ordering::AcqRel)
    }

    pub(super) fn parent(&self) -> u32 {
        self.parent.load(Ordering::Acquire)
    }

    /// What the program keeps with the window, if `handle` is still valid.
    pub(super) fn with_data<T>(&self, handle: u32, f: impl FnOnce(&mut Data) -> T) -> Result<T, WIN32_ERROR> {
        let mut data = self.data.lock();
        if self.means(handle) { Ok(f(&mut data)) } else { Err(ERROR_INVALID_WINDOW_HANDLE) }
    }
}
