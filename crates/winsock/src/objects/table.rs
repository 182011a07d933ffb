//! The handle table: SOCKET and HANDLE values are indices into it, never descriptors.
//!
//! A value is a multiple of 4 (NT ignores the two low bits of a handle) in `0x4000_0000 ..= 0x7fff_fffc`: above any
//! descriptor that a Linux process can have, so that a program which passes one to a Linux call gets an error and not
//! a stranger's descriptor; positive and 32 bits wide, since existing sources keep sockets in `int` and `DWORD`.
//! Between the base and the two zero bits lie a slot number and a generation, so that a stale value of a slot used
//! again is found out.
//!
//! Slots are never freed, and neither are sockets ([`crate::socket::Socket`] is recycled in place). So a lookup takes
//! no lock and no reference count: load the pointer, lock the socket, look whether the slot still means it.

use std::collections::VecDeque;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use parking_lot::Mutex;

use crate::objects::Object;
use crate::socket::Socket;

const BASE: u32 = 0x4000_0000;
const INDEX_BITS: u32 = 22;
const GENERATIONS: u32 = 1 << (28 - INDEX_BITS);
/// How many slots rest before the one that has rested longest is used again.
const RESERVE: usize = 256;
const CHUNK: usize = 4096;
const CHUNKS: usize = (1 << INDEX_BITS) / CHUNK;

/// What one handle value means.
pub(crate) struct Slot {
    /// The handle value that is valid now; 0 for a free slot.
    handle: AtomicU32,
    /// The socket, for handles that are sockets.
    socket: AtomicPtr<Socket>,
    /// The object, for handles that are not.
    object: Mutex<Option<Object>>,
}

const _: () = assert!(size_of::<Slot>() <= 40, "PLATFORM.md says what a socket costs, with its slot");

impl Slot {
    const fn new() -> Slot {
        Slot { handle: AtomicU32::new(0), socket: AtomicPtr::new(null_mut()), object: Mutex::new(None) }
    }

    /// Whether `handle` still means what this slot holds. For sockets, decisive only under the socket's lock.
    pub(crate) fn means(&self, handle: u32) -> bool {
        self.handle.load(Ordering::Acquire) == handle
    }
}

pub(crate) enum Entry {
    Socket(&'static Socket),
    Object(Object),
}

struct Free {
    /// Slots given back, oldest first: a value stays unused for as long as possible.
    recycled: VecDeque<u32>,
    /// The first slot never used.
    next: u32,
}

static CHUNK_TABLE: [AtomicPtr<[Slot; CHUNK]>; CHUNKS] = [const { AtomicPtr::new(null_mut()) }; CHUNKS];
static FREE: Mutex<Free> = Mutex::new(Free { recycled: VecDeque::new(), next: 1 });

fn index_of(handle: u32) -> u32 {
    ((handle - BASE) >> 2) & ((1 << INDEX_BITS) - 1)
}

fn slot_at(index: u32) -> Option<&'static Slot> {
    let chunk = CHUNK_TABLE[index as usize / CHUNK].load(Ordering::Acquire);
    // SAFETY: a chunk, once stored, is leaked and never changes place.
    unsafe { chunk.as_ref() }.map(|chunk| &chunk[index as usize % CHUNK])
}

/// The slot of a handle, if the handle is valid now.
fn slot_of(handle: u32) -> Option<&'static Slot> {
    if handle < BASE {
        return None;
    }
    slot_at(index_of(handle)).filter(|slot| slot.means(handle))
}

/// A handle value as the table knows it: 32 bits, the two low ones ignored.
fn narrow(handle: usize) -> Option<u32> {
    u32::try_from(handle).ok().map(|handle| handle & !3)
}

/// The socket that `handle` means. The caller locks it and then asks the slot again ([`Slot::means`]).
pub(crate) fn socket(handle: usize) -> Option<(&'static Slot, &'static Socket, u32)> {
    let handle = narrow(handle)?;
    let slot = slot_of(handle)?;
    // SAFETY: sockets are leaked and recycled in place, so that a pointer to one is valid for ever.
    let socket = unsafe { slot.socket.load(Ordering::Acquire).as_ref() }?;
    Some((slot, socket, handle))
}

/// The object other than a socket that `handle` means.
pub(crate) fn object(handle: usize) -> Option<Object> {
    let handle = narrow(handle)?;
    let slot = slot_of(handle)?;
    let object = slot.object.lock();
    if slot.means(handle) { object.clone() } else { None }
}

/// Gives an entry a handle; `None` if all are in use.
pub(crate) fn insert(entry: Entry) -> Option<u32> {
    let mut free = FREE.lock();
    let fresh = (free.next as usize) < CHUNK * CHUNKS;
    let (index, generation) = if fresh && free.recycled.len() < RESERVE {
        free.next += 1;
        (free.next - 1, 0)
    } else {
        let packed = free.recycled.pop_front()?;
        (packed & ((1 << INDEX_BITS) - 1), packed >> INDEX_BITS)
    };
    let cell = &CHUNK_TABLE[index as usize / CHUNK];
    if cell.load(Ordering::Acquire).is_null() {
        let chunk: Box<[Slot]> = (0..CHUNK).map(|_| Slot::new()).collect();
        cell.store(Box::into_raw(chunk).cast(), Ordering::Release);
    }
    drop(free);
    let slot = slot_at(index)?;
    match entry {
        Entry::Socket(socket) => slot.socket.store((socket as *const Socket).cast_mut(), Ordering::Release),
        Entry::Object(object) => *slot.object.lock() = Some(object),
    }
    let handle = BASE + (((generation << INDEX_BITS) | index) << 2);
    slot.handle.store(handle, Ordering::Release);
    Some(handle)
}

/// Ends a handle; returns what it meant, for objects. The caller holds the socket's lock if it is a socket.
pub(crate) fn remove(handle: usize) -> Option<Option<Object>> {
    let handle = narrow(handle)?;
    let slot = slot_of(handle)?;
    slot.handle.compare_exchange(handle, 0, Ordering::AcqRel, Ordering::Acquire).ok()?;
    slot.socket.store(null_mut(), Ordering::Release);
    let object = slot.object.lock().take();
    let index = index_of(handle);
    let generation = ((handle - BASE) >> (2 + INDEX_BITS)).wrapping_add(1) % GENERATIONS;
    FREE.lock().recycled.push_back((generation << INDEX_BITS) | index);
    Some(object)
}

/// The handles of all sockets, as of some moment during the call.
pub(crate) fn all_sockets() -> Vec<usize> {
    let used = FREE.lock().next;
    (1..used)
        .filter_map(slot_at)
        .filter(|slot| !slot.socket.load(Ordering::Acquire).is_null())
        .map(|slot| slot.handle.load(Ordering::Acquire) as usize)
        .filter(|&handle| handle != 0)
        .collect()
}

/// The objects other than sockets, as of some moment during the call; one with several handles, several times.
pub(crate) fn all_objects() -> impl Iterator<Item = Object> {
    let used = FREE.lock().next;
    (1..used).filter_map(slot_at).filter_map(|slot| slot.object.lock().clone())
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::dispatcher;

    #[test]
    fn a_value_is_above_any_descriptor_and_a_stale_one_is_found_out() {
        let event = || Entry::Object(Object::Event(dispatcher::Object::event(true, false)));
        let first = insert(event()).expect("a free slot");
        assert!(first >= BASE && first.is_multiple_of(4) && first <= i32::MAX as u32);
        assert!(object(first as usize | 3).is_some(), "the two low bits are ignored");
        assert!(remove(first as usize).is_some());
        assert!(object(first as usize).is_none());
        assert!(remove(first as usize).is_none(), "closed twice");
        for _ in 0..2 * RESERVE {
            let next = insert(event()).expect("a free slot");
            assert_ne!(next, first);
            remove(next as usize);
        }
    }

    #[test]
    fn values_that_no_table_gave_out_mean_nothing() {
        for value in [0, 3, 4, BASE as usize, usize::MAX, usize::MAX - 1, 0x7fff_fffc, 1 << 40] {
            assert!(object(value).is_none(), "{value:#x}");
            assert!(socket(value).is_none(), "{value:#x}");
        }
    }
}
