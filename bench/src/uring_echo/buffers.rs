//! The ring of buffers from which the kernel takes one for each receive.

use std::io;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::Submitter;
use io_uring::types::BufRingEntry;

/// The one group of buffers.
pub const GROUP: u16 = 0;
const SIZE: usize = 16 * 1024;
/// The most that there can be, and how many there are at first: few, so that they stay in the processor's cache.
const MOST: u16 = 16 * 1024;
const FIRST: u16 = 64;

/// Address space for all buffers, and those that exist.
pub struct Buffers {
    ring: *mut BufRingEntry,
    memory: *mut u8,
    /// How many exist: their numbers are below it.
    count: u16,
    /// How many the program has.
    taken: u16,
    /// More were made since the kernel was last told.
    grown: bool,
    /// The end of the ring, and what the kernel has been told of it.
    tail: u16,
    /// Of each buffer in a queue: how much is in it, and which is behind it.
    lens: Vec<u32>,
    next: Vec<u16>,
}

/// Buffers in a row, one behind the other.
#[derive(Default)]
pub struct Queue {
    first: u16,
    last: u16,
    len: u16,
}

impl Queue {
    pub fn len(&self) -> u16 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Buffers {
    pub fn register(submitter: &Submitter<'_>) -> io::Result<Buffers> {
        let ring: *mut BufRingEntry = map(usize::from(MOST) * size_of::<BufRingEntry>())?.cast();
        let memory = map(usize::from(MOST) * SIZE)?;
        // SAFETY: the ring is a mapping of that many entries, which is never undone.
        unsafe { submitter.register_buf_ring_with_flags(ring as u64, MOST, GROUP, 0)? };
        let mut buffers =
            Buffers { ring, memory, count: 0, taken: 0, grown: false, tail: 0, lens: Vec::new(), next: Vec::new() };
        buffers.provide_more();
        Ok(buffers)
    }

    /// The kernel has found none: makes as many again as there are, but not twice before it is told. False if there are
    /// as many as can be, and none is free.
    pub fn provide_more(&mut self) -> bool {
        if self.grown || self.count == MOST {
            return self.are_there();
        }
        self.grown = true;
        let count = (2 * self.count).max(FIRST);
        self.lens.resize(count.into(), 0);
        self.next.resize(count.into(), 0);
        self.taken += count - self.count;
        for number in self.count..count {
            self.provide(number);
        }
        self.count = count;
        true
    }

    /// A receive came with a buffer, if it did: the kernel has one less.
    pub fn took(&mut self, buffer: Option<u16>) {
        self.taken += u16::from(buffer.is_some());
    }

    /// Gives a buffer to the kernel, with the next [`publish`](Self::publish).
    pub fn provide(&mut self, number: u16) {
        self.taken -= 1;
        // SAFETY: the entry is within the ring, and the kernel does not read it before the tail is beyond it.
        let entry = unsafe { &mut *self.ring.add((self.tail & (MOST - 1)).into()) };
        entry.set_addr(self.start(number) as u64);
        entry.set_len(SIZE as u32);
        entry.set_bid(number);
        self.tail = self.tail.wrapping_add(1);
    }

    /// Tells the kernel of what was provided.
    pub fn publish(&mut self) {
        self.grown = false;
        // SAFETY: the tail lies in the mapping, in a field of the first entry that `provide` leaves alone, and the kernel
        // only reads it.
        let tail = unsafe { AtomicU16::from_ptr(BufRingEntry::tail(self.ring).cast_mut()) };
        tail.store(self.tail, Ordering::Release);
    }

    /// Whether the kernel has any, or will have.
    pub fn are_there(&self) -> bool {
        self.taken < self.count
    }

    /// Puts a buffer that the kernel has filled behind the others.
    pub fn push(&mut self, queue: &mut Queue, number: u16, len: u32) {
        self.lens[usize::from(number)] = len;
        match queue.len {
            0 => queue.first = number,
            _ => self.next[usize::from(queue.last)] = number,
        }
        queue.last = number;
        queue.len += 1;
    }

    /// The first in the queue: where it is, and how much is in it.
    pub fn first(&self, queue: &Queue) -> (*const u8, u32) {
        (self.start(queue.first), self.lens[usize::from(queue.first)])
    }

    /// Takes the first out of the queue.
    pub fn pop(&mut self, queue: &mut Queue) -> u16 {
        let number = queue.first;
        queue.first = self.next[usize::from(number)];
        queue.len -= 1;
        number
    }

    fn start(&self, number: u16) -> *const u8 {
        self.memory.wrapping_add(usize::from(number) * SIZE)
    }
}

/// Memory that costs nothing until it is written to.
fn map(len: usize) -> io::Result<*mut u8> {
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping, at an address of the kernel's choice.
    let memory = unsafe { libc::mmap(null_mut(), len, access, kind | libc::MAP_NORESERVE, -1, 0) };
    if memory == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(memory.cast()) }
}
