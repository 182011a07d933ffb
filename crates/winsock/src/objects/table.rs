//! The handle table: SOCKET and HANDLE values are indices into it, never descriptors.
//!
//! A value is a multiple of 4 (NT ignores the two low bits of a handle) in `0x4000_0000 ..= 0x7fff_fffc`: above any
//! descriptor that a Linux process can have, so that a program which passes one to a Linux call gets an error and not
//! a stranger's descriptor; positive and 32 bits wide, since existing sources keep sockets in `int` and `DWORD`.
//! Between the base and the two zero bits lie an index and a generation, so that a stale value of a place used again is
//! found out.
//!
//! The upper half of the indices is that of the sockets, which lie in the table themselves; duplicates of a socket's
//! handle are slots of the lower half, as all other objects are. Neither is ever freed: both are recycled in place. So a
//! lookup takes no lock and no reference count: compute the place, lock the socket, look whether its value is still the
//! one that was asked for.

use std::collections::VecDeque;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use ranked_locks::{Mutex, rank};

use crate::objects::Object;
use crate::socket::Socket;

const BASE: u32 = 0x4000_0000;
const INDEX_BITS: u32 = 22;
/// The bit of an index that tells the sockets' half from that of all other objects.
const SOCKETS: u32 = 1 << (INDEX_BITS - 1);
/// What tells two values of one place: the bits above the index.
const GENERATION: u32 = 1 << (2 + INDEX_BITS);
/// How many places rest before the one that has rested longest is used again.
const RESERVE: usize = 256;
/// How many places are made at a time.
const CHUNK: usize = 64;
const CHUNKS: usize = SOCKETS as usize / CHUNK;

/// The handle value of a place, and whether it is valid.
pub(crate) struct Value(AtomicU32);

/// Set while the value is not valid. No handle that is looked up has it.
const FREE: u32 = 1;

impl Value {
    /// Whether `handle` still means what it did when it was looked up. For sockets, decisive only under the socket's
    /// lock.
    pub(crate) fn means(&self, handle: u32) -> bool {
        self.0.load(Ordering::Acquire) == handle
    }

    /// The value, if it is valid.
    fn get(&self) -> Option<u32> {
        Some(self.0.load(Ordering::Acquire)).filter(|value| value & FREE == 0)
    }

    fn validate(&self) -> u32 {
        self.0.fetch_and(!FREE, Ordering::AcqRel) & !FREE
    }

    /// Ends the validity of `handle`; false if it is over.
    fn invalidate(&self, handle: u32) -> bool {
        self.0.compare_exchange(handle, handle | FREE, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Makes the value the next one of this place.
    fn renew(&self) {
        let value = self.0.load(Ordering::Relaxed) - BASE;
        self.0.store(BASE | value.wrapping_add(GENERATION) & (BASE - 1), Ordering::Relaxed);
    }

    fn index(&self) -> u32 {
        index_of(self.0.load(Ordering::Relaxed))
    }
}

fn index_of(handle: u32) -> u32 {
    ((handle - BASE) >> 2) & ((1 << INDEX_BITS) - 1)
}

/// What lies at an index.
pub(crate) trait Place {
    fn new(value: Value) -> Self;
    fn value(&self) -> &Value;
}

/// A half of the table.
struct Half<T: 'static> {
    /// The index of its first place.
    first: u32,
    chunks: [AtomicPtr<T>; CHUNKS],
    free: Mutex<Free, rank::Leaf>,
}

struct Free {
    /// Places given back, oldest first: a value stays unused for as long as possible.
    recycled: VecDeque<u32>,
    /// The first place never used.
    next: u32,
}

impl<T: Place> Half<T> {
    const fn new(first: u32) -> Half<T> {
        Half {
            first,
            chunks: [const { AtomicPtr::new(null_mut()) }; CHUNKS],
            free: Mutex::new(Free { recycled: VecDeque::new(), next: first + 1 }),
        }
    }

    fn at(&self, index: u32) -> Option<&'static T> {
        let place = (index - self.first) as usize;
        let chunk = self.chunks[place / CHUNK].load(Ordering::Acquire);
        // SAFETY: a chunk, once stored, is leaked and never changes place, and has so many entries.
        (!chunk.is_null()).then(|| unsafe { &*chunk.add(place % CHUNK) })
    }

    /// Takes a place that is free, and whose value is not valid yet; `None` if all are in use.
    fn take(&self) -> Option<&'static T> {
        let mut free = self.free.lock();
        if free.recycled.len() >= RESERVE || (free.next - self.first) as usize == CHUNK * CHUNKS {
            let index = free.recycled.pop_front()?;
            return self.at(index);
        }
        let index = free.next;
        free.next += 1;
        let chunk = (index - self.first) as usize / CHUNK;
        if self.chunks[chunk].load(Ordering::Acquire).is_null() {
            let indices = self.first + (chunk * CHUNK) as u32..;
            let values = indices.map(|index| Value(AtomicU32::new((BASE + (index << 2)) | FREE)));
            let places: Box<[T]> = values.take(CHUNK).map(T::new).collect();
            self.chunks[chunk].store(Box::into_raw(places).cast(), Ordering::Release);
        }
        self.at(index)
    }

    /// Gives back a place whose value is not valid any more.
    fn give_back(&self, place: &'static T) {
        let value = place.value();
        debug_assert!(value.get().is_none(), "the handle has ended");
        value.renew();
        self.free.lock().recycled.push_back(value.index());
    }

    /// All places that were ever used.
    fn all(&'static self) -> impl Iterator<Item = &'static T> {
        let used = self.free.lock().next;
        (self.first + 1..used).filter_map(|index| self.at(index))
    }
}

/// What a handle other than the first one of a socket means.
struct Slot {
    value: Value,
    /// The socket, for duplicates of its handle.
    socket: AtomicPtr<Socket>,
    /// The object, for all others.
    object: Mutex<Option<Object>, rank::Handle>,
}

const _: () = assert!(size_of::<Slot>() <= 40, "PLATFORM.md says what a handle costs");

impl Place for Slot {
    fn new(value: Value) -> Slot {
        Slot { value, socket: AtomicPtr::new(null_mut()), object: Mutex::new(None) }
    }

    fn value(&self) -> &Value {
        &self.value
    }
}

impl Place for Socket {
    fn new(value: Value) -> Socket {
        Socket::new(value)
    }

    fn value(&self) -> &Value {
        &self.value
    }
}

/// Sockets, at the index of their first handle.
static SOCKET_PLACES: Half<Socket> = Half::new(SOCKETS);
static SLOTS: Half<Slot> = Half::new(0);

/// The slot of a handle that is not a socket's first, if the handle is valid now.
fn slot_of(handle: u32) -> Option<&'static Slot> {
    if handle < BASE || index_of(handle) & SOCKETS != 0 {
        return None;
    }
    SLOTS.at(index_of(handle)).filter(|slot| slot.value.means(handle))
}

/// A handle value as the table knows it: 32 bits, the two low ones ignored.
fn narrow(handle: usize) -> Option<u32> {
    u32::try_from(handle).ok().map(|handle| handle & !3)
}

/// The socket that `handle` means. The caller locks it and then asks the value again ([`Value::means`]).
pub(crate) fn socket(handle: usize) -> Option<(&'static Value, &'static Socket, u32)> {
    candidate(handle).filter(|(value, _, handle)| value.means(*handle))
}

/// The only socket that `handle` can mean. Whether it does, the caller asks the value once it has locked the socket.
#[inline(always)]
pub(crate) fn candidate(handle: usize) -> Option<(&'static Value, &'static Socket, u32)> {
    let handle = narrow(handle)?;
    if handle & (1 << 31 | BASE | SOCKETS << 2) == BASE | SOCKETS << 2 {
        let socket = SOCKET_PLACES.at(index_of(handle))?;
        return Some((&socket.value, socket, handle));
    }
    duplicate(handle)
}

/// As [`candidate`], for a handle that is not a socket's first.
#[cold]
fn duplicate(handle: u32) -> Option<(&'static Value, &'static Socket, u32)> {
    let slot = slot_of(handle)?;
    // SAFETY: sockets are never freed but recycled in place, so that a pointer to one is valid for ever.
    let socket = unsafe { slot.socket.load(Ordering::Acquire).as_ref() }?;
    Some((&slot.value, socket, handle))
}

/// The object other than a socket that `handle` means.
pub(crate) fn object(handle: usize) -> Option<Object> {
    with_object(handle, Object::clone)
}

/// Calls `f` with the object other than a socket that `handle` means, under the lock of its slot.
pub(crate) fn with_object<R>(handle: usize, f: impl FnOnce(&Object) -> R) -> Option<R> {
    let handle = narrow(handle)?;
    let slot = slot_of(handle)?;
    let object = slot.object.lock();
    if slot.value.means(handle) { object.as_ref().map(f) } else { None }
}

/// The value of a handle that is not a socket's first, if it is valid now.
pub(crate) fn object_value(handle: usize) -> Option<(&'static Value, u32)> {
    let handle = narrow(handle)?;
    Some((&slot_of(handle)?.value, handle))
}

/// A socket that is not in use; `None` if all are. It is to be given a handle or given back.
pub(crate) fn take_socket() -> Option<&'static Socket> {
    SOCKET_PLACES.take()
}

/// Gives a socket that was taken its handle. The caller holds its lock.
pub(crate) fn open(socket: &'static Socket) -> u32 {
    socket.value.validate()
}

/// Gives back a socket that has no handle any more. The caller holds its lock.
pub(crate) fn give_back(socket: &'static Socket) {
    SOCKET_PLACES.give_back(socket);
}

/// Gives a socket another handle; `None` if all are in use.
pub(crate) fn insert_duplicate(socket: &'static Socket) -> Option<u32> {
    let slot = SLOTS.take()?;
    slot.socket.store((socket as *const Socket).cast_mut(), Ordering::Release);
    Some(slot.value.validate())
}

/// Gives an object a handle; `None` if all are in use.
pub(crate) fn insert(object: Object) -> Option<u32> {
    let slot = SLOTS.take()?;
    *slot.object.lock() = Some(object);
    Some(slot.value.validate())
}

/// Ends a handle; returns what it meant, for objects. The caller holds the socket's lock if it is a socket, which goes
/// on to have its place.
pub(crate) fn remove(handle: usize) -> Option<Option<Object>> {
    let handle = narrow(handle)?;
    if let Some((value, socket, handle)) = socket(handle as usize)
        && std::ptr::eq(value, &socket.value)
    {
        return value.invalidate(handle).then_some(None);
    }
    let slot = slot_of(handle)?;
    if !slot.value.invalidate(handle) {
        return None;
    }
    slot.socket.store(null_mut(), Ordering::Release);
    let object = slot.object.lock().take();
    SLOTS.give_back(slot);
    Some(object)
}

/// The handles of all sockets, as of some moment during the call.
pub(crate) fn all_sockets() -> Vec<usize> {
    let duplicates = SLOTS.all().filter(|slot| !slot.socket.load(Ordering::Acquire).is_null());
    let values = SOCKET_PLACES.all().map(|socket| &socket.value).chain(duplicates.map(|slot| &slot.value));
    values.filter_map(|value| value.get()).map(|value| value as usize).collect()
}

/// The objects other than sockets, as of some moment during the call; one with several handles, several times.
pub(crate) fn all_objects() -> impl Iterator<Item = Object> {
    SLOTS.all().filter_map(|slot| slot.object.lock().clone())
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::dispatcher;

    #[test]
    fn a_value_is_above_any_descriptor_and_a_stale_one_is_found_out() {
        let event = || Object::Event(dispatcher::Object::event(true, false));
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
